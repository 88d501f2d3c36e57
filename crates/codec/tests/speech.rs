//! Encoding and decoding something that sounds like speech: what comes back is what went in, and lost packets are better
//! recovered from the next packet than concealed.
#![allow(clippy::unwrap_used, reason = "tests")]

use duologue_codec::{Decoder, DecoderConfig, Encoder, EncoderConfig, has_lbrr, version};

const FRAME: usize = 960;

/// A voice-like signal: a pitch that glides between 110 and 170 Hz, 30 harmonics under two formants, syllables of 250 ms.
fn voice(samples: usize) -> Vec<f32> {
    let mut phase = 0.0_f64;
    (0..samples)
        .map(|n| {
            let t = n as f64 / 48_000.0;
            let pitch = 140.0 + 30.0 * (t * 2.3).sin();
            phase += std::f64::consts::TAU * pitch / 48_000.0;
            let formant = 600.0 + 250.0 * (t * 5.1).sin();
            let sum: f64 = (1..=30)
                .map(|k| {
                    let hertz = pitch * f64::from(k);
                    let gain = 1.0 / (1.0 + ((hertz - formant) / 150.0).powi(2))
                        + 0.4 / (1.0 + ((hertz - 1800.0) / 250.0).powi(2))
                        + 0.01;
                    gain * (phase * f64::from(k)).sin()
                })
                .sum();
            let syllable = (std::f64::consts::PI * t / 0.25).sin().abs().sqrt();
            (0.12 * sum * syllable) as f32
        })
        .collect()
}

/// Best normalised correlation of `heard` with `said` over lags of up to 20 ms.
fn correlation(said: &[f32], heard: &[f32]) -> f64 {
    let window = said.len() - FRAME;
    (0..FRAME)
        .map(|lag| {
            let (mut xy, mut xx, mut yy) = (0.0, 1e-9, 1e-9);
            for n in (0..window).step_by(2) {
                let (x, y) = (f64::from(said[n]), f64::from(heard[n + lag]));
                xy += x * y;
                xx += x * x;
                yy += y * y;
            }
            xy / (xx * yy).sqrt()
        })
        .fold(-1.0, f64::max)
}

fn encode(pcm: &[f32], config: EncoderConfig) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(config).unwrap();
    let mut buffer = [0; 1276];
    pcm.chunks_exact(FRAME)
        .map(|frame| {
            let length = encoder.encode(frame, &mut buffer).unwrap();
            buffer[..length].to_vec()
        })
        .collect()
}

#[test]
fn the_library_is_the_one_the_manifest_asks_for() {
    assert!(version().starts_with("libopus 1.6"), "{}", version());
}

#[test]
fn what_is_said_is_heard() {
    let said = voice(FRAME * 100);
    let packets = encode(&said, EncoderConfig::default());
    let rate = packets.iter().map(|packet| packet.len() * 8).sum::<usize>() / 2;
    assert!((20_000..40_000).contains(&rate), "{rate} bits per second");
    for complexity in [0, 7] {
        let mut decoder = Decoder::new(DecoderConfig { complexity }).unwrap();
        let mut heard = Vec::new();
        let mut frame = [0.0; FRAME];
        for packet in &packets {
            assert_eq!(decoder.decode(packet, &mut frame), Ok(FRAME));
            heard.extend_from_slice(&frame);
        }
        let found = correlation(&said[FRAME * 20..FRAME * 60], &heard[FRAME * 20..FRAME * 60]);
        assert!(found > 0.9, "complexity {complexity}: correlation {found:.3}");
    }
}

/// Signal-to-error ratio, in dB, of the frames that `repair` filled in for every 7th packet, measured against a decoder that got
/// everything.
fn repaired(packets: &[Vec<u8>], repair: impl Fn(&mut Decoder, &[u8], &mut [f32])) -> f64 {
    let mut whole = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    let mut lossy = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    let (mut want, mut got) = ([0.0; FRAME], [0.0; FRAME]);
    let (mut signal, mut error) = (0.0, 1e-12);
    for (n, packet) in packets.iter().enumerate() {
        whole.decode(packet, &mut want).unwrap();
        match packets.get(n + 1) {
            Some(next) if n > 20 && n % 7 == 0 && has_lbrr(next) => {
                repair(&mut lossy, next, &mut got);
                for (want, got) in want.iter().zip(&got) {
                    signal += f64::from(*want).powi(2);
                    error += f64::from(want - got).powi(2);
                }
            }
            _ => drop(lossy.decode(packet, &mut got).unwrap()),
        }
    }
    assert!(signal > 0.0, "no packet was repaired");
    10.0 * (signal / error).log10()
}

#[test]
fn recovery_is_better_than_concealment() {
    let packets = encode(
        &voice(FRAME * 200),
        EncoderConfig {
            expected_loss_percent: 20,
            ..EncoderConfig::default()
        },
    );
    let copies = packets.iter().filter(|packet| has_lbrr(packet)).count();
    assert!(
        copies > packets.len() / 2,
        "{copies} of {} packets carry a copy",
        packets.len()
    );
    let recovered = repaired(&packets, |decoder, next, out| {
        assert_eq!(decoder.decode_fec(next, FRAME, out), Ok(FRAME));
    });
    let concealed = repaired(&packets, |decoder, _, out| {
        assert_eq!(decoder.conceal(out), Ok(FRAME));
    });
    assert!(
        recovered > concealed + 2.0,
        "recovered {recovered:.1} dB, concealed {concealed:.1} dB"
    );
}

#[test]
fn without_fec_no_packet_carries_a_copy() {
    let packets = encode(
        &voice(FRAME * 50),
        EncoderConfig {
            fec: false,
            ..EncoderConfig::default()
        },
    );
    assert!(packets.iter().all(|packet| !has_lbrr(packet)));
    let mut decoder = Decoder::new(DecoderConfig::default()).unwrap();
    assert_eq!(decoder.decode_fec(&packets[9], FRAME, &mut [0.0; FRAME]), Ok(0));
}

#[test]
fn a_reset_decoder_is_a_new_decoder() {
    let packets = encode(&voice(FRAME * 30), EncoderConfig::default());
    let run = |decoder: &mut Decoder| {
        let mut out = vec![0.0; FRAME * packets.len()];
        for (packet, frame) in packets.iter().zip(out.chunks_exact_mut(FRAME)) {
            decoder.decode(packet, frame).unwrap();
        }
        out
    };
    let mut used = Decoder::new(DecoderConfig::default()).unwrap();
    let first = run(&mut used);
    used.reset().unwrap();
    assert_eq!(first, run(&mut used));
}
