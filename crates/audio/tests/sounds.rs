//! Sources, sinks and the level meter.
#![allow(clippy::unwrap_used, reason = "tests")]

use duologue_audio::{NullSink, Silence, Sink as _, Source as _, ToneSource, level};

#[test]
fn a_tone_has_its_frequency_and_level_across_blocks() {
    let mut tone = ToneSource::new(1_000.0, 0.5);
    let mut pcm = vec![0.0; 48_000];
    for block in pcm.chunks_mut(481) {
        assert_eq!(tone.read(block), block.len());
    }
    let crossings = pcm.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    assert!((999..=1_000).contains(&crossings), "{crossings}");
    let peak = pcm.iter().copied().fold(0.0, f32::max);
    assert!((peak - 0.5).abs() < 0.001, "{peak}");
    let largest = pcm.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(
        largest < 0.5 * std::f32::consts::TAU / 48.0 + 1e-4,
        "no step between blocks"
    );
}

#[test]
fn odd_tones_are_finite() {
    for (hz, amplitude) in [
        (f32::NAN, 0.5),
        (f32::INFINITY, 0.5),
        (-440.0, 0.5),
        (440.0, 9.0),
        (1e9, 1.0),
    ] {
        let mut out = [9.0; 480];
        assert_eq!(ToneSource::new(hz, amplitude).read(&mut out), 480);
        assert!(out.iter().all(|s| s.abs() <= 1.0), "{hz} {amplitude}");
    }
}

#[test]
fn silence_is_endless_and_nothing_hears_it() {
    let mut out = [1.0; 100];
    assert_eq!(Silence.read(&mut out), 100);
    assert_eq!(out, [0.0; 100]);
    NullSink.write(&out);
    NullSink.finish();
}

#[test]
fn levels_are_decibels_from_0_to_100() {
    assert_eq!((level(&[]), level(&[0.0; 480]), level(&[f32::NAN; 4])), (0, 0, 0));
    assert_eq!((level(&[1.0, -1.0]), level(&[7.0, -7.0])), (100, 100));
    // -20 dB of 60.
    assert_eq!(level(&[0.1; 480]), 67);
    assert_eq!(level(&[0.000_9; 480]), 0);
}
