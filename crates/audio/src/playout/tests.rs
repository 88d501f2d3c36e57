use super::*;
use crate::rt::playout_callback;

#[test]
fn what_is_written_is_played_at_the_devices_rate() {
    for rate in [16_000_u32, 44_100, 48_000, 96_000] {
        let (mut side, mut feed) = Feed::new(rate, Instant::now()).unwrap();
        let block = usize::try_from(rate / 100).unwrap();
        let mut heard = Vec::new();
        for _ in 0..100 {
            while feed.fill() < 1_440 {
                assert_eq!(feed.write(&[0.5; 480]), 480, "{rate}");
            }
            let mut out = vec![9.0_f32; block];
            playout_callback(&mut side, &mut out, 1, Instant::now());
            heard.extend(out);
        }
        let middle = &heard[block * 10..block * 90];
        assert!(middle.iter().all(|s| (s - 0.5).abs() < 0.01), "{rate}");
        let stats = feed.stats();
        assert_eq!((stats.xruns, stats.missing, stats.overruns), (0, 0, 0), "{rate}");
        assert!(stats.drift_ppm.abs() < 50.0, "{rate}: {stats:?}");
    }
}

#[test]
fn a_fixed_pace_is_kept_against_a_slower_device() {
    let (mut side, mut feed) = Feed::new(48_000, Instant::now()).unwrap();
    let mut debt = 0.0;
    feed.write(&[0.1; 1_440]);
    for _ in 0..20_000 {
        assert_eq!(feed.write(&[0.1; 480]), 480);
        debt += 480.0 * 0.999_8;
        let count = debt as usize;
        debt -= count as f64;
        playout_callback(&mut side, &mut vec![0.0_f32; count], 1, Instant::now());
    }
    let stats = feed.stats();
    assert_eq!((stats.xruns, stats.overruns), (0, 0));
    assert!((1_000..1_900).contains(&stats.waiting), "{stats:?}");
    assert!((stats.drift_ppm + 200.0).abs() < 60.0, "{stats:?}");
}

#[test]
fn a_full_ring_refuses_and_nothing_is_lost_or_bent() {
    let (mut side, mut feed) = Feed::new(48_000, Instant::now()).unwrap();
    let ramp: Vec<f32> = (0..48_000).map(|i| i as f32 / 48_000.0).collect();
    let mut heard = Vec::new();
    let mut rest = &ramp[..];
    while !rest.is_empty() {
        rest = &rest[feed.write(rest)..];
        let mut out = [0.0_f32; 512];
        playout_callback(&mut side, &mut out, 1, Instant::now());
        heard.extend(out);
    }
    assert!(feed.stats().overruns > 0);
    assert_eq!(feed.stats().drift_ppm, 0.0);
    // A ramp stays a ramp: no sample left out, none twice.
    let steps = heard[2_000..].windows(2).map(|pair| pair[1] - pair[0]);
    assert!(steps.into_iter().all(|step| (step - 1.0 / 48_000.0).abs() < 1e-5));
    assert_eq!(feed.write(&[]), 0);
}

#[test]
fn the_first_sample_has_a_time_when_the_device_takes_it() {
    let base = Instant::now();
    let (mut side, mut feed) = Feed::new(48_000, base).unwrap();
    let at = base + std::time::Duration::from_millis(70);
    playout_callback(&mut side, &mut [0.0_f32; 480], 1, base);
    assert_eq!(feed.shared.first_sample(), None);
    feed.write(&[0.1; 960]);
    // The reserve counts what has been converted.
    feed.write(&[0.1; 480]);
    playout_callback(&mut side, &mut [0.0_f32; 480], 1, at);
    assert_eq!(feed.shared.first_sample(), Some(at));
}
