//! `codec` (libopus 1.6.1) against the system's libopus, both ways. The oracle is a program of its own, because two
//! copies of libopus in one executable silently become one.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use duologue_codec::{Decoder, DecoderConfig, Encoder, EncoderConfig};

const FRAME: usize = 960;
const FRAMES: usize = 150;

/// Runs the oracle as a filter.
fn oracle(mode: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_opus-oracle"))
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed");
    output.stdout
}

/// Three seconds of a gliding, voice-like sum of harmonics with syllables.
fn speech() -> Vec<f32> {
    let mut phase = 0.0_f32;
    (0..FRAME * FRAMES)
        .map(|index| {
            let time = index as f32 / 48_000.0;
            phase += (120.0 + 40.0 * (time * 2.1).sin()) / 48_000.0;
            let voice: f32 = (1..12)
                .map(|k| (phase * k as f32 * std::f32::consts::TAU).sin() / k as f32)
                .sum();
            voice * 0.15 * (0.5 - 0.5 * (time * 4.0 * std::f32::consts::TAU).cos())
        })
        .collect()
}

fn to_bytes(pcm: &[f32]) -> Vec<u8> {
    pcm.iter()
        .flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes())
        .collect()
}

fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect()
}

/// Our decoding of a stream of packets, at complexity 0: what the standard says, without neural enhancement.
fn decode(stream: &[u8]) -> Vec<f32> {
    let mut decoder = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    let (mut rest, mut decoded, mut pcm) = (stream, Vec::new(), [0.0; 5760]);
    while let [low, high, after @ ..] = rest {
        let (packet, following) = after.split_at(usize::from(u16::from_le_bytes([*low, *high])));
        let count = decoder.decode(packet, &mut pcm).unwrap();
        decoded.extend(&pcm[..count]);
        rest = following;
    }
    decoded
}

/// How far `a` stands above its difference from `b`, in dB.
fn agreement(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let energy: f32 = a.iter().map(|sample| sample * sample).sum();
    let difference: f32 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    10.0 * (energy / difference.max(1e-12)).log10()
}

#[test]
fn the_oracle_is_another_libopus_than_ours() {
    let theirs = String::from_utf8(oracle("version", b"")).unwrap();
    assert!(theirs.starts_with("libopus"), "{theirs}");
    assert!(
        duologue_codec::version().contains("1.6"),
        "{}",
        duologue_codec::version()
    );
    assert_ne!(theirs.trim(), duologue_codec::version());
}

#[test]
fn the_oracle_decodes_what_we_encode() {
    let speech = speech();
    let mut encoder = Encoder::new(EncoderConfig::default()).unwrap();
    let mut stream = Vec::new();
    for frame in speech.chunks_exact(FRAME) {
        let mut packet = [0; 1500];
        let length = encoder.encode(frame, &mut packet).unwrap();
        stream.extend((length as u16).to_le_bytes());
        stream.extend(&packet[..length]);
    }
    both_decode_alike(&stream);
}

#[test]
fn we_decode_what_the_oracle_encodes() {
    both_decode_alike(&oracle("encode", &to_bytes(&speech())));
}

/// RFC 7587 §6.1: a receiver takes stereo packets whatever it prefers. Both channels are heard, each at half its level.
#[test]
fn stereo_packets_are_decoded_to_mono() {
    let tone = |frequency: f32, index: usize| (index as f32 / 48_000.0 * frequency * std::f32::consts::TAU).sin();
    let pairs: Vec<f32> = (0..FRAME * FRAMES)
        .flat_map(|index| [0.4 * tone(440.0, index), 0.4 * tone(1_100.0, index)])
        .collect();
    let stream = oracle("encode-stereo", &to_bytes(&pairs));
    let second = 2 + usize::from(u16::from_le_bytes([stream[0], stream[1]]));
    // RFC 6716 §3.1: the bit of the first byte that says stereo.
    assert_ne!(stream[second + 2] & 0x04, 0);
    let (theirs, ours) = (from_bytes(&oracle("decode", &stream)), decode(&stream));
    assert_eq!(ours.len(), FRAME * FRAMES);
    let agreement = agreement(&ours, &theirs);
    assert!(agreement > 40.0, "{agreement} dB");
    // A second from the middle, where the encoder has settled.
    let amplitude = |frequency: f32| {
        let part = &ours[48_000..96_000];
        let quarter = 12_000.0 / frequency;
        let (sine, cosine) = part
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |(sine, cosine), (index, sample)| {
                let at = index as f32 + quarter;
                (
                    sine + sample * tone(frequency, index),
                    cosine + sample * (at / 48_000.0 * frequency * std::f32::consts::TAU).sin(),
                )
            });
        2.0 / part.len() as f32 * f32::hypot(sine, cosine)
    };
    for frequency in [440.0, 1_100.0] {
        let heard = amplitude(frequency);
        assert!((0.15..0.25).contains(&heard), "{heard} of {frequency} Hz");
    }
    assert!(amplitude(700.0) < 0.02);
}

/// Decoders of the standard may differ in rounding only (RFC 6716 §6).
fn both_decode_alike(stream: &[u8]) {
    let (theirs, ours) = (from_bytes(&oracle("decode", stream)), decode(stream));
    assert_eq!(ours.len(), FRAME * FRAMES);
    let energy: f32 = ours.iter().map(|sample| sample * sample).sum();
    assert!(energy > 10.0, "what was decoded is silence");
    let agreement = agreement(&ours, &theirs);
    assert!(agreement > 40.0, "{agreement} dB");
}
