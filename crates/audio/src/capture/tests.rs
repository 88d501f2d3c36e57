use super::*;
use crate::rt::capture_callback;

fn sine(rate: f64, hz: f64, from: usize, len: usize) -> Vec<f32> {
    (from..from + len)
        .map(|i| (std::f64::consts::TAU * hz * i as f64 / rate).sin() as f32 * 0.5)
        .collect()
}

/// The share of a signal's power that is at `hz`.
fn share_at(pcm: &[f32], hz: f64) -> f64 {
    let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
    for (i, sample) in pcm.iter().enumerate() {
        let angle = std::f64::consts::TAU * hz * i as f64 / 48_000.0;
        re += f64::from(*sample) * angle.cos();
        im += f64::from(*sample) * angle.sin();
        power += f64::from(*sample).powi(2);
    }
    2.0 * (re * re + im * im) / (power * pcm.len() as f64)
}

#[test]
fn any_rate_becomes_48_khz() {
    for rate in [16_000_u32, 44_100, 48_000, 96_000] {
        let (mut side, mut tap) = Tap::new(rate, Instant::now()).unwrap();
        let mut heard = Vec::new();
        let block = usize::try_from(rate / 100).unwrap();
        for i in 0..100 {
            let pcm = sine(f64::from(rate), 1000.0, i * block, block);
            capture_callback(&mut side, &pcm, 1, Instant::now());
            let promised = tap.available();
            let mut out = vec![0.0; promised];
            assert_eq!(tap.read(&mut out), promised, "{rate}");
            heard.extend(out);
        }
        assert!(heard.len() > 47_400 && heard.len() <= 48_200, "{rate}: {}", heard.len());
        let share = share_at(&heard[4_800..43_200], 1000.0);
        assert!(share > 0.999, "{rate}: {share}");
        assert_eq!(tap.stats().missing, 0);
        assert_eq!(
            tap.stats().drift_ppm,
            0.0,
            "{rate}: taking all there is needs no correction"
        );
    }
}

#[test]
fn a_fixed_pace_is_kept_against_a_faster_device() {
    // A device 300 ppm fast, for 200 s.
    let (mut side, mut tap) = Tap::new(48_000, Instant::now()).unwrap();
    let (mut out, mut debt) = ([0.0; 480], 0.0);
    capture_callback(&mut side, &[0.0_f32; 960], 1, Instant::now());
    for _ in 0..20_000 {
        debt += 480.0 * 1.000_3;
        let count = debt as usize;
        debt -= count as f64;
        capture_callback(&mut side, &vec![0.0_f32; count], 1, Instant::now());
        assert_eq!(tap.read(&mut out), 480);
    }
    let stats = tap.stats();
    assert_eq!((stats.overruns, stats.missing), (0, 0));
    assert!((600..1_400).contains(&stats.waiting), "{stats:?}");
    assert!((stats.drift_ppm + 300.0).abs() < 60.0, "{stats:?}");
}

#[test]
fn a_read_of_more_than_there_is_gives_what_there_is() {
    let (mut side, mut tap) = Tap::new(48_000, Instant::now()).unwrap();
    assert_eq!(tap.available(), 0);
    assert_eq!(tap.read(&mut []), 0);
    assert_eq!(tap.read(&mut [0.0; 480]), 0);
    assert_eq!(tap.stats().missing, 480);
    capture_callback(&mut side, &[0.5_f32; 1_000], 1, Instant::now());
    let promised = tap.available();
    assert!(promised >= 600, "{promised}");
    assert!(tap.read(&mut [0.0; 2_000]) >= promised);
}
