//! Replays a packet trace through the jitter buffer on a virtual clock: the same input gives the same audio and the same log, every
//! time. What it was is written as a WAV file, a row per 10 ms, and one JSON object on the last line.
//!
//! ```sh
//! cargo run --release -p duologue-examples --example jitter-replay -- \
//!     --trace T.csv --speech IN.wav --out OUT.wav --log LOG.csv
//! ```

mod input;
mod measure;
mod opus;
mod recovery;
mod replay;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use duologue_jitter::Config;

/// Replays packets through the jitter buffer on a virtual clock.
#[derive(Debug, Parser)]
struct Arguments {
    /// Packets: records of arrival (u64, µs), sequence (u16), RTP timestamp (u32), length (u16), payload; little endian.
    #[arg(
        long,
        value_name = "F.bin",
        conflicts_with = "trace",
        required_unless_present = "trace"
    )]
    packets: Option<PathBuf>,
    /// Arrival times: `seq,arrival_ms` for packets of 20 ms, nothing after the comma for a lost one. Needs --speech.
    #[arg(long, value_name = "T.csv", requires = "speech")]
    trace: Option<PathBuf>,
    /// What is said, as WAV of any rate; repeated where the trace is longer.
    #[arg(long, value_name = "IN.wav")]
    speech: Option<PathBuf>,
    /// Only the first so many seconds of the speech are said.
    #[arg(long, value_name = "N")]
    speech_seconds: Option<f64>,
    /// What was heard, 48 kHz mono.
    #[arg(long, value_name = "OUT.wav")]
    out: Option<PathBuf>,
    /// A row per 10 ms: `t_ms,playout_ts,target_ms,op`.
    #[arg(long, value_name = "LOG.csv")]
    log: Option<PathBuf>,
    /// Also writes the packets of a trace in the form that --packets takes, for another engine.
    #[arg(long, value_name = "F.bin")]
    write_packets: Option<PathBuf>,
    /// Stops after writing them.
    #[arg(long, requires = "write_packets")]
    encode_only: bool,
    /// Bits per second of the encoder.
    #[arg(long, default_value_t = 32_000)]
    bitrate: u32,
    /// Loss that the encoder arms its in-band copies against, in percent; 0 sends none.
    #[arg(long, default_value_t = 10)]
    expected_loss: u8,
    /// Silence is sent as an occasional packet.
    #[arg(long)]
    dtx: bool,
    /// Complexity of the decoder, 0 to 10: from 5 losses are concealed by a neural network, from 7 speech is enhanced.
    #[arg(long, default_value_t = 7)]
    complexity: u8,
    /// Each packet brings the whole packets of so many before it (RFC 2198).
    #[arg(long, value_name = "DISTANCE", default_value_t = 0)]
    red: usize,
    /// A lost packet that the buffer asks for comes after this round trip, through the same losses.
    #[arg(long, value_name = "RTT_MS")]
    nack: Option<f64>,
    /// Clock of the receiver against the trace's, in parts per million: positive plays faster.
    #[arg(long, value_name = "PPM", default_value_t = 0.0, allow_negative_numbers = true)]
    drift: f64,
    /// Delay that the buffer accepts to conceal one percent less, in ms.
    #[arg(long, value_name = "MS")]
    delay_per_percent: Option<f64>,
    /// Least target delay, in ms.
    #[arg(long, value_name = "MS", default_value_t = 0.0)]
    min_delay: f64,
    /// Greatest delay, in ms.
    #[arg(long, value_name = "MS", default_value_t = 2000.0)]
    max_delay: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let input = match (&arguments.packets, &arguments.trace, &arguments.speech) {
        (Some(packets), ..) => input::read_packets(packets)?,
        (None, Some(trace), Some(speech)) => {
            let encoding = input::Encoding {
                bitrate: arguments.bitrate,
                expected_loss: arguments.expected_loss,
                dtx: arguments.dtx,
            };
            input::encode(&input::read_trace(trace)?, speech, arguments.speech_seconds, &encoding)?
        }
        _ => unreachable!("clap asks for one of them"),
    };
    ensure!(!input.arriving().is_empty(), "no packet of this input ever arrives");
    if let Some(path) = &arguments.write_packets {
        input::write_packets(&input, path)?;
    }
    if arguments.encode_only {
        return Ok(());
    }
    let millis = |millis: f64| Duration::from_secs_f64(millis.max(0.0) / 1e3);
    let mut config = Config {
        min_delay: millis(arguments.min_delay),
        max_delay: millis(arguments.max_delay),
        ..Config::default()
    };
    if let Some(delay) = arguments.delay_per_percent {
        config.delay_per_percent = millis(delay);
    }
    let options = replay::Options {
        config,
        complexity: arguments.complexity,
        red: arguments.red,
        nack_rtt_ms: arguments.nack,
        drift_ppm: arguments.drift,
    };
    let replayed = replay::run(&input, &options)?;
    if let Some(path) = &arguments.out {
        replay::write_wav(&replayed.audio, path)?;
    }
    if let Some(path) = &arguments.log {
        std::fs::write(path, measure::log(&replayed)).with_context(|| path.display().to_string())?;
    }
    println!("{}", measure::summary(&input, &replayed, &options));
    Ok(())
}
