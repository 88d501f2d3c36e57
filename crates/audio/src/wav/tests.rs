use std::path::PathBuf;

use hound::{SampleFormat, WavSpec, WavWriter};

use super::*;
use crate::{AudioError, Sink as _, Source as _, WavProblem};

/// A file that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("duologue-wav-{}-{name}.wav", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn write(name: &str, rate: u32, channels: u16, bits: u16, format: SampleFormat, seconds: f64) -> Scratch {
    let scratch = Scratch::new(name);
    let spec = WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: bits,
        sample_format: format,
    };
    let mut writer = WavWriter::create(&scratch.0, spec).unwrap();
    for i in 0..(f64::from(rate) * seconds) as u32 {
        let value = (std::f64::consts::TAU * 500.0 * f64::from(i) / f64::from(rate)).sin() * 0.5;
        for _ in 0..channels {
            match format {
                SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                SampleFormat::Int => writer
                    .write_sample((value * 2_f64.powi(i32::from(bits) - 1)) as i32)
                    .unwrap(),
            }
        }
    }
    writer.finalize().unwrap();
    scratch
}

fn read_all(source: &mut WavSource) -> Vec<f32> {
    let mut all = Vec::new();
    loop {
        let mut block = [0.0; 480];
        let count = source.read(&mut block);
        all.extend(&block[..count]);
        if count < block.len() {
            assert_eq!(source.read(&mut block), 0, "ended is ended");
            return all;
        }
    }
}

#[test]
fn every_rate_and_format_becomes_the_same_48_khz_mono() {
    let cases = [
        (48_000, 1, 16, SampleFormat::Int),
        (48_000, 2, 24, SampleFormat::Int),
        (44_100, 2, 16, SampleFormat::Int),
        (16_000, 1, 8, SampleFormat::Int),
        (8_000, 1, 32, SampleFormat::Float),
        (96_000, 1, 32, SampleFormat::Int),
    ];
    for (rate, channels, bits, format) in cases {
        let scratch = write(&format!("{rate}-{bits}"), rate, channels, bits, format, 0.5);
        let mut source = WavSource::open(&scratch.0, false).unwrap();
        assert!((source.duration() - 0.5).abs() < 1e-6);
        let all = read_all(&mut source);
        assert_eq!(all.len(), 24_000, "{rate} {bits}");
        // Not at the very edges, where a resampler rings. The phase says that its delay has been taken out.
        // A delay that is no whole number of samples is taken out to the nearest half: 0.017 at the steepest point.
        let tolerance = if bits == 8 { 0.012 } else { 0.003 } + if rate == 44_100 { 0.017 } else { 0.0 };
        for (i, sample) in all.iter().enumerate().take(23_000).skip(1_000) {
            let expected = (std::f64::consts::TAU * 500.0 * i as f64 / 48_000.0).sin() as f32 * 0.5;
            assert!(
                (sample - expected).abs() < tolerance,
                "{rate} {bits} at {i}: {sample} not {expected}"
            );
        }
    }
}

#[test]
fn a_looped_file_goes_on() {
    let scratch = write("loop", 16_000, 1, 16, SampleFormat::Int, 0.1);
    let mut source = WavSource::open(&scratch.0, true).unwrap();
    let mut out = vec![0.0; 48_000];
    assert_eq!(source.read(&mut out), out.len());
    let middle = &out[24_000..];
    assert!(crate::level(middle) > 80, "{}", crate::level(middle));
}

#[test]
fn an_empty_file_ends_at_once_even_looped() {
    for (looped, rate) in [(true, 48_000), (false, 48_000), (true, 16_000), (false, 16_000)] {
        let scratch = write(&format!("empty-{looped}-{rate}"), rate, 1, 16, SampleFormat::Int, 0.0);
        let mut source = WavSource::open(&scratch.0, looped).unwrap();
        assert_eq!(source.read(&mut [0.0; 480]), 0);
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    let scratch = Scratch::new("back");
    let pcm: Vec<f32> = (0..1_000).map(|i| (i as f32 - 500.0) / 512.0).collect();
    let mut sink = WavSink::create(&scratch.0).unwrap();
    sink.write(&pcm[..300]);
    sink.write(&pcm[300..]);
    sink.finish();
    sink.write(&[1.0]);
    sink.finish();
    assert_eq!(read_all(&mut WavSource::open(&scratch.0, false).unwrap()), pcm);
}

#[test]
fn a_recording_of_a_killed_program_can_be_read() {
    let scratch = Scratch::new("killed");
    let mut sink = WavSink::create(&scratch.0).unwrap();
    for _ in 0..150 {
        sink.write(&[0.25; 480]);
    }
    // The second half of a second has not been announced in the header yet.
    let so_far = read_all(&mut WavSource::open(&scratch.0, false).unwrap());
    assert_eq!(so_far.len(), 48_000);
    drop(sink);
    assert_eq!(read_all(&mut WavSource::open(&scratch.0, false).unwrap()).len(), 72_000);
}

#[test]
fn what_is_no_wav_file_is_refused_with_a_reason() {
    let missing = WavSource::open("/nonexistent/file.wav", false).unwrap_err();
    assert!(
        matches!(
            missing,
            AudioError::Wav {
                source: WavProblem::Io(_),
                ..
            }
        ),
        "{missing}"
    );
    let scratch = Scratch::new("nonsense");
    for content in [
        &b""[..],
        b"RIFF",
        b"hello, this is not sound at all, but long enough to look",
    ] {
        std::fs::write(&scratch.0, content).unwrap();
        assert!(matches!(
            WavSource::open(&scratch.0, false),
            Err(AudioError::Wav { .. })
        ));
    }
    assert!(matches!(
        WavSink::create("/nonexistent/file.wav"),
        Err(AudioError::Wav { .. })
    ));
}

#[test]
fn a_truncated_file_ends_where_it_ends() {
    let scratch = write("cut", 48_000, 1, 16, SampleFormat::Int, 0.1);
    let bytes = std::fs::read(&scratch.0).unwrap();
    std::fs::write(&scratch.0, &bytes[..bytes.len() / 2 + 1]).unwrap();
    let all = read_all(&mut WavSource::open(&scratch.0, false).unwrap());
    assert!((2_000..2_500).contains(&all.len()), "{}", all.len());
}
