//! The packets: read from a file, or made of a trace and speech.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use duologue_audio::{Source as _, WavSource};
use duologue_codec::{Encoder, EncoderConfig};

/// Samples of 20 ms.
pub(crate) const FRAME: usize = 960;

/// One packet that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Extended, from an arbitrary start.
    pub(crate) sequence: u64,
    /// Extended.
    pub(crate) timestamp: u64,
    pub(crate) payload: Bytes,
    /// Milliseconds; `None` is lost.
    pub(crate) arrival: Option<f64>,
}

/// All packets in the order in which they were sent, and the time at which a timestamp of 0 was sent.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) packets: Vec<Sent>,
    pub(crate) epoch_ms: f64,
}

impl Input {
    /// When the audio of this timestamp was sent, in milliseconds of the trace.
    pub(crate) fn sent_ms(&self, timestamp: u64) -> f64 {
        self.epoch_ms + timestamp as f64 / 48.0
    }

    /// Indices of the packets that arrive, in that order.
    pub(crate) fn arriving(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.packets.len())
            .filter(|&n| self.packets[n].arrival.is_some())
            .collect();
        let at = |n: &usize| self.packets[*n].arrival.unwrap_or(f64::INFINITY);
        order.sort_by(|a, b| at(a).total_cmp(&at(b)));
        order
    }

    /// The least delay of the network.
    pub(crate) fn least_delay_ms(&self) -> f64 {
        self.packets
            .iter()
            .filter_map(|packet| Some(packet.arrival? - self.sent_ms(packet.timestamp)))
            .fold(f64::INFINITY, f64::min)
    }
}

/// How speech becomes packets.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) bitrate: u32,
    pub(crate) expected_loss: u8,
    pub(crate) dtx: bool,
}

/// A record's fixed part.
const HEADER: usize = 16;

/// Reads records of arrival, sequence, timestamp, length and payload. Numbers that wrap are extended; what was lost is not there.
pub(crate) fn read_packets(path: &Path) -> Result<Input> {
    let bytes = Bytes::from(std::fs::read(path).with_context(|| path.display().to_string())?);
    let mut packets: Vec<Sent> = Vec::new();
    let mut rest = bytes;
    // Far from 0, so that packets before the first one that arrived have numbers too.
    let (mut sequence, mut timestamp) = (1_u64 << 32, 1_u64 << 40);
    while !rest.is_empty() {
        ensure!(
            rest.len() >= HEADER,
            "{}: {} bytes are left over",
            path.display(),
            rest.len()
        );
        let head = rest.split_to(HEADER);
        let arrival = u64::from_le_bytes(head[..8].try_into()?);
        let wire_sequence = u16::from_le_bytes(head[8..10].try_into()?);
        let wire_timestamp = u32::from_le_bytes(head[10..14].try_into()?);
        let length = usize::from(u16::from_le_bytes(head[14..16].try_into()?));
        ensure!(rest.len() >= length, "{}: the last payload is cut off", path.display());
        if packets.is_empty() {
            sequence += u64::from(wire_sequence);
            timestamp += u64::from(wire_timestamp);
        } else {
            let step = wire_sequence.wrapping_sub(sequence as u16) as i16;
            sequence = sequence.wrapping_add_signed(step.into());
            let step = wire_timestamp.wrapping_sub(timestamp as u32) as i32;
            timestamp = timestamp.wrapping_add_signed(step.into());
        }
        packets.push(Sent {
            sequence,
            timestamp,
            payload: rest.split_to(length),
            arrival: Some(arrival as f64 / 1e3),
        });
    }
    let epoch_ms = packets.first().map_or(0.0, |first| -(first.timestamp as f64) / 48.0);
    packets.sort_by_key(|packet| packet.sequence);
    Ok(Input { packets, epoch_ms })
}

/// Reads `seq,arrival_ms`. Lines that begin with `#` or `{`, and one of names, are passed over.
pub(crate) fn read_trace(path: &Path) -> Result<Vec<(u64, Option<f64>)>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut rows = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        let first = line.split(',').next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with(['#', '{']) || (rows.is_empty() && first.parse::<f64>().is_err()) {
            continue;
        }
        let arrival = line.split(',').nth(1).unwrap_or_default().trim();
        let place = || format!("{}:{}: `{line}` is not `seq,arrival_ms`", path.display(), number + 1);
        let sequence = first.parse().with_context(place)?;
        let arrival: Option<f64> = match arrival {
            "" => None,
            number => Some(number.parse().with_context(place)?),
        };
        if arrival.is_some_and(|at| !at.is_finite()) {
            bail!(place());
        }
        rows.push((sequence, arrival));
    }
    rows.sort_by_key(|row| row.0);
    rows.dedup_by_key(|row| row.0);
    Ok(rows)
}

/// Encodes speech into the packets of a trace. A number that the trace leaves out is a lost packet.
pub(crate) fn encode(
    trace: &[(u64, Option<f64>)],
    speech: &Path,
    seconds: Option<f64>,
    encoding: &Encoding,
) -> Result<Input> {
    let (Some(first), Some(last)) = (trace.first(), trace.last()) else {
        bail!("the trace has no rows");
    };
    let speech = Speech::open(speech, seconds)?;
    let mut encoder = Encoder::new(EncoderConfig {
        bitrate: encoding.bitrate,
        fec: encoding.expected_loss > 0,
        expected_loss_percent: encoding.expected_loss,
        dtx: encoding.dtx,
        ..EncoderConfig::default()
    })?;
    let arrivals: std::collections::HashMap<u64, Option<f64>> = trace.iter().copied().collect();
    let mut packets = Vec::new();
    let mut packet = [0; 1276];
    let mut pcm = [0.0; FRAME];
    for sequence in first.0..=last.0 {
        let index = (sequence - first.0) as usize;
        speech.frame(index, &mut pcm);
        let length = encoder.encode(&pcm, &mut packet)?;
        // What DTX leaves unsaid is not sent.
        if encoding.dtx && length <= 2 && !index.is_multiple_of(20) {
            continue;
        }
        // With DTX the packets that are sent are numbered, not the frames.
        let number = if encoding.dtx { packets.len() as u64 } else { sequence };
        packets.push(Sent {
            sequence: (1 << 32) + number,
            timestamp: (1 << 40) + (index * FRAME) as u64,
            payload: Bytes::copy_from_slice(&packet[..length]),
            arrival: arrivals.get(&sequence).copied().flatten(),
        });
    }
    Ok(Input {
        packets,
        epoch_ms: -((1_u64 << 40) as f64) / 48.0,
    })
}

/// Writes what arrives, in the order of its arrival.
pub(crate) fn write_packets(input: &Input, path: &Path) -> Result<()> {
    let mut out = Vec::new();
    for packet in input.arriving().into_iter().map(|n| &input.packets[n]) {
        let micros = (packet.arrival.unwrap_or(0.0).max(0.0) * 1e3).round() as u64;
        out.extend_from_slice(&micros.to_le_bytes());
        out.extend_from_slice(&(packet.sequence as u16).to_le_bytes());
        out.extend_from_slice(&(packet.timestamp as u32).to_le_bytes());
        out.extend_from_slice(&u16::try_from(packet.payload.len())?.to_le_bytes());
        out.extend_from_slice(&packet.payload);
    }
    std::fs::write(path, out).with_context(|| path.display().to_string())
}

/// Speech at 48 kHz, in a loop.
struct Speech(Vec<f32>);

impl Speech {
    fn open(path: &Path, seconds: Option<f64>) -> Result<Self> {
        let mut source = WavSource::open(path, false)?;
        let mut pcm = Vec::new();
        let mut block = [0.0; FRAME];
        loop {
            let count = source.read(&mut block);
            pcm.extend_from_slice(&block[..count]);
            if count < block.len() {
                break;
            }
        }
        if let Some(seconds) = seconds {
            ensure!(seconds > 0.0, "--speech-seconds must be positive");
            pcm.truncate((seconds * 48_000.0) as usize);
        }
        ensure!(!pcm.is_empty(), "{}: no sound in there", path.display());
        Ok(Self(pcm))
    }

    fn frame(&self, index: usize, out: &mut [f32; FRAME]) {
        for (n, sample) in out.iter_mut().enumerate() {
            *sample = self.0[(index * FRAME + n) % self.0.len()];
        }
    }
}
