use super::*;

/// A ring that a device fills at `1 + drift` times the nominal rate and that a tick of 480 drains through the corrected
/// ratio, for `seconds`: the level at the end, and the correction.
fn simulate(drift: f64, start: f64, seconds: u32) -> (f64, f64) {
    let mut controller = Controller::default();
    let mut level = start;
    for _ in 0..seconds * 100 {
        controller.observe(level as usize, 480);
        level += 480.0 * (1.0 + drift);
        // More samples made per sample taken means fewer taken.
        level -= 480.0 / (1.0 + controller.correction());
    }
    (level, controller.correction())
}

#[test]
fn a_drift_is_found_and_the_level_held() {
    for ppm in [-500.0, -100.0, 30.0, 200.0, 1000.0] {
        let (level, correction) = simulate(ppm * 1e-6, 960.0, 600);
        assert!((level - 960.0).abs() < 60.0, "{ppm} ppm: {level}");
        assert!((correction + ppm * 1e-6).abs() < 20e-6, "{ppm} ppm: {correction}");
    }
}

#[test]
fn without_drift_nothing_is_bent() {
    assert_eq!(simulate(0.0, 960.0, 60), (960.0, 0.0));
}

#[test]
fn a_level_that_is_too_high_is_brought_down_gently() {
    let (level, _) = simulate(0.0, 9_600.0, 200);
    assert!(level < 3_500.0, "{level}");
    let mut controller = Controller::default();
    for _ in 0..10_000 {
        controller.observe(100_000, 480);
        assert!(controller.correction().abs() <= LIMIT);
    }
    assert_eq!(controller.correction(), -LIMIT);
}

#[test]
fn a_rest_forgets_the_level_but_not_the_drift() {
    let mut controller = Controller::default();
    for i in 0..3_000 {
        controller.observe(960 + i, 480);
    }
    let integral = controller.integral;
    assert!(integral > 0.0);
    controller.rest();
    assert_eq!(controller.correction(), -integral);
    for _ in 0..100 {
        controller.observe(100, 480);
    }
    assert_eq!(controller.correction(), -integral, "it looks for 2 s first");
}

#[test]
fn resamplers_exist_for_the_rates_of_devices_and_keep_their_promises() {
    for rate in [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
        let mut up = Resampler::new(rate, 48_000, Fixed::Output).unwrap();
        let mut down = Resampler::new(48_000, rate, Fixed::Input).unwrap();
        for i in 0..200 {
            let correction = if i % 2 == 0 { LIMIT } else { -LIMIT };
            up.input().fill(0.1);
            assert_eq!(up.convert(correction).len(), CHUNK, "{rate}");
            assert_eq!(down.wants(), CHUNK, "{rate}");
            down.input().fill(0.1);
            let most = down.makes_at_most();
            assert!(down.convert(correction).len() <= most, "{rate}");
        }
    }
    assert!(Resampler::new(0, 48_000, Fixed::Output).is_none());
}
