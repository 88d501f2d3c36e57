//! What the demo found out, as text and as a picture.

use std::fmt::Write as _;

use serde_json::Value;

use super::analysis::{Match, Sound};
use super::picture::{Lane, Picture, Series};
use super::side::Side;

const CALLER_COLOUR: &str = "#0969da";
const CALLEE_COLOUR: &str = "#bc4c00";

/// One direction of the call.
#[derive(Debug)]
pub(crate) struct Direction {
    pub(crate) label: &'static str,
    pub(crate) said: Sound,
    pub(crate) heard: Sound,
    pub(crate) found: Match,
    /// Unix milliseconds of the first sample said and of the first of the recording heard.
    pub(crate) said_at: f64,
    pub(crate) heard_at: f64,
}

impl Direction {
    /// Mouth to ear in milliseconds: from the capture of a sound at one end to its playout at the other.
    pub(crate) fn mouth_to_ear(&self) -> f64 {
        self.heard_at + self.found.offset * 1000.0 - self.said_at
    }
}

/// The phases of set-up in order: (what, milliseconds), as far as both sides told them.
pub(crate) fn phases(caller: &Side, callee: &Side) -> Vec<(&'static str, f64)> {
    let between = |from: Option<f64>, to: Option<f64>| Some(to? - from?);
    [
        (
            "make_call -> evt_wait_connected (caller)",
            between(caller.wall_ms("make_call"), caller.wall_ms("evt_wait_connected")),
        ),
        (
            "make_call -> push received (callee)",
            between(caller.wall_ms("make_call"), callee.wall_ms("push_received")),
        ),
        (
            "verify_call -> evt_verified (callee)",
            between(callee.wall_ms("verify_call"), callee.wall_ms("evt_verified")),
        ),
        (
            "accept_call -> evt_connected (callee)",
            between(callee.wall_ms("accept_call"), callee.wall_ms("evt_connected")),
        ),
        (
            "accept_call -> evt_connected (caller)",
            between(callee.wall_ms("accept_call"), caller.wall_ms("evt_connected")),
        ),
        (
            "accept_call -> first audio (caller)",
            between(callee.wall_ms("accept_call"), caller.wall_ms("first_audio")),
        ),
        (
            "accept_call -> first audio (callee)",
            between(callee.wall_ms("accept_call"), callee.wall_ms("first_audio")),
        ),
        (
            "make_call -> evt_connected (caller)",
            between(caller.wall_ms("make_call"), caller.wall_ms("evt_connected")),
        ),
    ]
    .into_iter()
    .filter_map(|(what, value)| Some((what, value?)))
    .collect()
}

/// The report as text.
pub(crate) fn text(caller: &Side, callee: &Side, directions: &[Direction], record: &Value) -> String {
    let mut out = String::from("\nSet-up\n");
    for (what, value) in phases(caller, callee) {
        let _ = writeln!(out, "  {what:<42} {value:>8.1} ms");
    }
    out.push_str("\nWhat was heard\n");
    for direction in directions {
        let _ = writeln!(
            out,
            "  {:<18} likeness {:.3} (needs {:.1}), mouth to ear {:.0} ms  {}",
            direction.label,
            direction.found.correlation,
            super::analysis::HEARD,
            direction.mouth_to_ear(),
            if direction.found.heard() { "heard" } else { "NOT HEARD" }
        );
    }
    out.push_str("\nOver the whole call\n");
    for side in [caller, callee] {
        let Some(stats) = side.latest_stats() else { continue };
        let number = |pointer: &str| stats.pointer(pointer).and_then(Value::as_f64).unwrap_or_default();
        let total = number("/inbound/totalSamplesReceived").max(1.0);
        let _ = writeln!(
            out,
            "  {:<7} received {:.0} packets, lost {:.0}; concealed {:.2} %; buffer {:.0} ms on average; round trip {:.1} ms",
            side.name,
            number("/inbound/packetsReceived"),
            number("/inbound/packetsLost").max(0.0),
            100.0 * number("/inbound/concealedSamples") / total,
            1000.0 * number("/inbound/jitterBufferDelay") / number("/inbound/jitterBufferEmittedCount").max(1.0),
            1000.0 * number("/remoteInbound/roundTripTime"),
        );
    }
    for side in [caller, callee] {
        if let Some(end) = side.event("evt_disconnected") {
            let _ = writeln!(
                out,
                "  {:<7} evt_disconnected {} ({}), source {}",
                side.name,
                end["reason"]["code"],
                end["reason"]["str_code"].as_str().unwrap_or_default(),
                end["source"].as_str().unwrap_or_default()
            );
        }
    }
    let _ = writeln!(out, "\nThe call record\n  {record}");
    out
}

/// The picture of the call.
pub(crate) fn picture<'a>(caller: &Side, callee: &Side, directions: &'a [Direction], subtitle: String) -> Picture<'a> {
    let begin = directions
        .iter()
        .map(|direction| direction.said_at.min(direction.heard_at))
        .fold(f64::MAX, f64::min);
    let axis = |wall_ms: f64| (wall_ms - begin) / 1000.0;
    let mut lanes = Vec::new();
    let mut series = Vec::new();
    for (direction, colour, said_label, heard_label, delay_label) in directions
        .iter()
        .zip([CALLER_COLOUR, CALLEE_COLOUR])
        .zip([
            ("caller says", "callee hears", "mouth to ear, caller to callee"),
            ("callee says", "caller hears", "mouth to ear, callee to caller"),
        ])
        .map(|((direction, colour), (said, heard, delay))| (direction, colour, said, heard, delay))
    {
        lanes.push(Lane {
            label: said_label,
            colour,
            sound: &direction.said,
            begin: axis(direction.said_at),
        });
        lanes.push(Lane {
            label: heard_label,
            colour,
            sound: &direction.heard,
            begin: axis(direction.heard_at),
        });
        let points = direction
            .found
            .track
            .iter()
            .map(|(at, offset)| {
                (
                    axis(direction.said_at) + at,
                    direction.heard_at + offset * 1000.0 - direction.said_at,
                )
            })
            .collect();
        series.push(Series {
            label: delay_label,
            colour,
            dashed: false,
            points,
        });
    }
    for (side, colour, label) in [
        (callee, CALLER_COLOUR, "jitter buffer at the callee"),
        (caller, CALLEE_COLOUR, "jitter buffer at the caller"),
    ] {
        let points = side
            .events
            .iter()
            .filter(|event| event["event"] == "stats")
            .filter_map(|event| {
                Some((
                    axis(event["wall_ms"].as_f64()?),
                    1000.0 * event.pointer("/playout/currentDelay")?.as_f64()?,
                ))
            })
            .filter(|(at, _)| *at >= 0.0)
            .collect();
        series.push(Series {
            label,
            colour,
            dashed: true,
            points,
        });
    }
    let moments: Vec<(f64, String)> = [
        (caller, "evt_connected"),
        (caller, "end_call"),
        (caller, "evt_disconnected"),
    ]
    .into_iter()
    .filter_map(|(side, name)| Some((axis(side.wall_ms(name)?), name.to_owned())))
    .filter(|(at, _)| *at >= 0.0)
    .collect();
    // What would have been said after the end is not shown.
    let ended = moments.iter().map(|(at, _)| *at).fold(1.0, f64::max) + 0.3;
    let recorded = lanes
        .iter()
        .map(|lane| lane.begin + lane.sound.seconds())
        .fold(1.0, f64::max);
    let seconds = ended.min(recorded);
    Picture {
        title: "A call, as both sides said and heard it".into(),
        subtitle,
        lanes,
        series,
        moments,
        seconds,
    }
}
