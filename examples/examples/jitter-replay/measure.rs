//! The log of a replay and its figures.

use std::fmt::Write as _;

use duologue_codec::has_lbrr;
use duologue_jitter::Operation;
use serde_json::{Value, json};

use crate::input::Input;
use crate::replay::{Options, Replayed};

/// `t_ms,playout_ts,target_ms,op`, a row per block.
pub(crate) fn log(replayed: &Replayed) -> String {
    let mut out = String::from("t_ms,playout_ts,target_ms,op\n");
    for row in &replayed.rows {
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "{},{},{:.2},{}",
            row.at_ms,
            row.end_timestamp.map_or(0, |timestamp| timestamp as u32),
            row.target_ms,
            name(row.operation)
        );
    }
    out
}

fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Silence => "silence",
        Operation::Normal => "normal",
        Operation::Accelerate => "accelerate",
        Operation::PreemptiveExpand => "expand",
        Operation::ComfortNoise => "comfort",
        Operation::Recover => "recover",
        Operation::Conceal => "conceal",
        _ => "other",
    }
}

/// Everything in one object.
pub(crate) fn summary(input: &Input, replayed: &Replayed, options: &Options) -> Value {
    let least = input.least_delay_ms();
    // The block's last sample is played 10 ms after its first.
    let mut added: Vec<f64> = replayed
        .rows
        .iter()
        .filter(|row| row.at_ms >= 1000.0)
        .filter_map(|row| Some(row.at_ms + 10.0 - input.sent_ms(row.end_timestamp?) - least))
        .collect();
    added.sort_by(f64::total_cmp);
    let stats = &replayed.stats;
    let percent = |samples: u64| round(100.0 * samples as f64 / replayed.audio.len().max(1) as f64, 3);
    let seconds = input.packets.len() as f64 * 0.02;
    json!({
        "added_ms": {
            "mean": round(added.iter().sum::<f64>() / added.len().max(1) as f64, 2),
            "p50": round(quantile(&added, 0.5), 2),
            "p95": round(quantile(&added, 0.95), 2),
            "p99": round(quantile(&added, 0.99), 2),
        },
        // From the first packet's arrival on, silence is counted too.
        "concealed_percent": percent(stats.concealed_samples + waited(input, replayed)),
        "stretched_percent": percent(stats.inserted_samples_for_deceleration + stats.removed_samples_for_acceleration),
        "interruptions": stats.interruptions,
        "fec_usable": fec_usable(input),
        "fec_used": stats.packets_recovered,
        "insert_ns": round(mean(&replayed.insert_ns), 0),
        "pull_ns": { "mean": round(mean(&replayed.pull_ns), 0), "p99": quantile_ns(&replayed.pull_ns) },
        "silent_concealed_percent": percent(stats.silent_concealed_samples),
        "concealment_events": stats.concealment_events,
        "packets": input.packets.len(),
        "packets_discarded": stats.packets_discarded,
        "bits_per_second": round(replayed.sent_bytes as f64 * 8.0 / seconds.max(0.02), 0),
        "complexity": options.complexity,
    })
}

/// Samples of silence between the arrival of the first packet and its playout.
fn waited(input: &Input, replayed: &Replayed) -> u64 {
    let first = input
        .packets
        .iter()
        .filter_map(|packet| packet.arrival)
        .fold(f64::INFINITY, f64::min);
    let waiting = replayed.rows.iter().filter(|row| row.at_ms >= first);
    waiting.take_while(|row| row.operation == Operation::Silence).count() as u64 * 480
}

/// Lost packets whose copy arrives with the packet after them.
fn fec_usable(input: &Input) -> usize {
    let mut usable = 0;
    for pair in input.packets.windows(2) {
        // A file has no record of what was lost.
        let lost = match (pair[0].arrival, pair[1].sequence - pair[0].sequence) {
            (None, 1) => true,
            (_, step) => step > 1,
        };
        usable += usize::from(lost && pair[1].arrival.is_some() && has_lbrr(&pair[1].payload));
    }
    usable
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(0.0)
}

fn quantile_ns(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * 99 / 100).copied().unwrap_or(0)
}

fn mean(values: &[u64]) -> f64 {
    values.iter().sum::<u64>() as f64 / values.len().max(1) as f64
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
