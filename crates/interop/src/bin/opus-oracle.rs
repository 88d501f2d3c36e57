//! An Opus codec that is not ours: the system's libopus through `audiopus`, as a filter.
//!
//! `opus-oracle version | encode | encode-stereo | decode`: PCM is 16-bit little-endian, mono (with `encode-stereo`, two
//! interleaved channels), 48 kHz in frames of 20 ms; a packet is a 16-bit little-endian length and its bytes.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{Read, Write};

use audiopus::coder::{Decoder, Encoder};
use audiopus::{Application, Bitrate, Channels, SampleRate};

const FRAME: usize = 960;

fn main() -> Result<(), Box<dyn Error>> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    match mode.as_str() {
        "version" => writeln!(out, "{}", audiopus::version())?,
        "encode" => encode(Channels::Mono, &mut std::io::stdin().lock(), &mut out)?,
        "encode-stereo" => encode(Channels::Stereo, &mut std::io::stdin().lock(), &mut out)?,
        "decode" => decode(&mut std::io::stdin().lock(), &mut out)?,
        other => return Err(format!("`{other}` is none of version, encode, encode-stereo, decode").into()),
    }
    out.flush()?;
    Ok(())
}

fn encode(channels: Channels, input: &mut impl Read, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut encoder = Encoder::new(SampleRate::Hz48000, channels, Application::Voip)?;
    let frame_length = FRAME * if channels == Channels::Stereo { 2 } else { 1 };
    encoder.set_bitrate(Bitrate::BitsPerSecond(32_000))?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(10)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let samples: Vec<i16> = bytes
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let mut packet = [0; 1500];
    for frame in samples.chunks_exact(frame_length) {
        let length = encoder.encode(frame, &mut packet)?;
        out.write_all(&u16::try_from(length)?.to_le_bytes())?;
        out.write_all(&packet[..length])?;
    }
    Ok(())
}

fn decode(input: &mut impl Read, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut decoder = Decoder::new(SampleRate::Hz48000, Channels::Mono)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut pcm = [0_i16; 5760];
    while let [low, high, after @ ..] = rest {
        let (packet, following) = after
            .split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))
            .ok_or("the last packet is cut off")?;
        let count = decoder.decode(Some(packet.try_into()?), (&mut pcm[..]).try_into()?, false)?;
        for sample in &pcm[..count] {
            out.write_all(&sample.to_le_bytes())?;
        }
        rest = following;
    }
    Ok(())
}
