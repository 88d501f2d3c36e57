//! The virtual clock: packets in when they arrive, 10 ms of audio out every 10 ms.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use duologue_jitter::{Config, JitterBuffer, Operation, Packet, Stats};

use crate::input::Input;
use crate::opus::Opus;
use crate::recovery::Network;

/// Samples of 10 ms.
const BLOCK: usize = 480;

/// What is played how.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) config: Config,
    pub(crate) complexity: u8,
    pub(crate) red: usize,
    pub(crate) nack_rtt_ms: Option<f64>,
    pub(crate) drift_ppm: f64,
}

/// One block of 10 ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// On the clock of the trace.
    pub(crate) at_ms: f64,
    /// After the block's last sample; `None` before the first packet.
    pub(crate) end_timestamp: Option<u64>,
    pub(crate) target_ms: f64,
    pub(crate) operation: Operation,
}

/// Everything that was seen.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) rows: Vec<Row>,
    pub(crate) audio: Vec<f32>,
    pub(crate) stats: Stats,
    pub(crate) insert_ns: Vec<u64>,
    /// Without the codec's share.
    pub(crate) pull_ns: Vec<u64>,
    pub(crate) sent_bytes: u64,
}

pub(crate) fn run(input: &Input, options: &Options) -> Result<Replayed> {
    // Only differences to it count, so that every run is the same.
    let origin = Instant::now();
    let instant = |millis: f64| origin + Duration::from_nanos((millis.max(0.0) * 1e6) as u64);
    let mut network = Network::new(input, options.red, options.nack_rtt_ms);
    let mut buffer = JitterBuffer::new(options.config.clone());
    let mut decoder = Opus::new(options.complexity)?;
    let mut replayed = Replayed {
        rows: Vec::new(),
        audio: Vec::new(),
        stats: Stats::default(),
        insert_ns: Vec::new(),
        pull_ns: Vec::new(),
        sent_bytes: 0,
    };
    let mut out = [0.0; BLOCK];
    let mut wishes = Vec::new();
    // The buffer's clock is the one that plays; on it the trace's times are stretched.
    let pace = 1.0 - options.drift_ppm * 1e-6;
    for tick in 0_u64.. {
        let now_ms = tick as f64 * 10.0 * pace;
        let local = |millis: f64| instant(millis / pace);
        while let Some(arrival) = network.poll(now_ms) {
            let sent = &input.packets[arrival.packet];
            let packet = Packet {
                sequence: sent.sequence,
                timestamp: sent.timestamp,
                payload: sent.payload.clone(),
                duration_hint: None,
            };
            let start = Instant::now();
            buffer.insert(packet, local(arrival.at_ms));
            replayed.insert_ns.push(start.elapsed().as_nanos() as u64);
        }
        if network.over() {
            break;
        }
        if let Some(rtt_ms) = network.rtt_ms() {
            let rtt = Duration::from_secs_f64(rtt_ms / 1e3);
            wishes.clear();
            wishes.extend(buffer.wishes(local(now_ms), rtt).map(|wish| wish.sequence));
            for &sequence in &wishes {
                if network.ask(sequence, now_ms) {
                    buffer.expect(sequence, local(now_ms + rtt_ms));
                }
            }
        }
        let start = Instant::now();
        let report = buffer.pull(local(now_ms), &mut decoder, &mut out);
        let took = start.elapsed().saturating_sub(decoder.take_spent());
        replayed.pull_ns.push(took.as_nanos() as u64);
        replayed.audio.extend_from_slice(&out);
        replayed.rows.push(Row {
            at_ms: now_ms,
            end_timestamp: (report.end_timestamp != 0).then_some(report.end_timestamp),
            target_ms: buffer.target_delay().as_secs_f64() * 1e3,
            operation: report.operation,
        });
    }
    replayed.stats = buffer.stats().clone();
    replayed.sent_bytes = network.bytes;
    Ok(replayed)
}

/// Writes 16-bit mono.
pub(crate) fn write_wav(audio: &[f32], path: &Path) -> Result<()> {
    let place = || path.display().to_string();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).with_context(place)?;
    for sample in audio {
        writer
            .write_sample((sample * 32_767.0).round() as i16)
            .with_context(place)?;
    }
    writer.finalize().with_context(place)
}
