//! One of the two processes of the demo, as seen through its event log.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context;
use serde_json::Value;
use tokio::process::{Child, Command};

/// A running phone and what it has told so far.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) name: &'static str,
    pub(crate) events: Vec<Value>,
    pub(crate) child: Child,
    path: PathBuf,
    reader: Option<BufReader<File>>,
    partial: String,
}

impl Side {
    /// Starts this very program with `arguments`, its events going to `events`.
    pub(crate) fn start(name: &'static str, arguments: &[String], events: PathBuf) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot find itself")?;
        // What an earlier run left must not be read as this one's.
        if events.exists() {
            std::fs::remove_file(&events).with_context(|| format!("cannot replace {}", events.display()))?;
        }
        let child = Command::new(program)
            .args(arguments)
            .arg("--events")
            .arg(&events)
            .arg("--quiet")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the {name}"))?;
        Ok(Self {
            name,
            events: Vec::new(),
            child,
            path: events,
            reader: None,
            partial: String::new(),
        })
    }

    /// Reads what has been logged since the last time; true when there was something.
    pub(crate) fn refresh(&mut self) -> bool {
        if self.reader.is_none() {
            self.reader = File::open(&self.path).ok().map(BufReader::new);
        }
        let Some(reader) = &mut self.reader else { return false };
        let before = self.events.len();
        while reader.read_line(&mut self.partial).is_ok_and(|count| count > 0) {
            if !self.partial.ends_with('\n') {
                break;
            }
            if let Ok(event) = serde_json::from_str(&self.partial) {
                self.events.push(event);
            }
            self.partial.clear();
        }
        self.events.len() > before
    }

    /// The first event of this name.
    pub(crate) fn event(&self, name: &str) -> Option<&Value> {
        self.events.iter().find(|event| event["event"] == name)
    }

    /// When that event happened, in Unix milliseconds.
    pub(crate) fn wall_ms(&self, name: &str) -> Option<f64> {
        self.event(name)?["wall_ms"].as_f64()
    }

    /// The latest statistics.
    pub(crate) fn latest_stats(&self) -> Option<&Value> {
        self.events.iter().rev().find(|event| event["event"] == "stats")
    }

    /// A word for the state of the call at this side.
    pub(crate) fn state(&self) -> &'static str {
        const STATES: &[(&str, &str)] = &[
            ("evt_disconnected", "ended"),
            ("evt_connected", "connected"),
            ("accept_call", "connecting"),
            ("evt_verified", "ringing"),
            ("verify_call", "verifying"),
            ("evt_wait_connected", "ringing there"),
            ("make_call", "calling"),
            ("waiting", "waiting for a call"),
        ];
        STATES
            .iter()
            .find(|(event, _)| self.event(event).is_some())
            .map_or("starting", |(_, state)| state)
    }

    /// One line for a person.
    pub(crate) fn line(&self) -> String {
        let stats = self.latest_stats();
        let number = |pointer: &str| stats.and_then(|stats| stats.pointer(pointer)).and_then(Value::as_f64);
        let shown = |value: Option<f64>, unit: &str| match value {
            Some(value) => format!("{value:.0} {unit}"),
            None => format!("- {unit}"),
        };
        let lost = number("/inbound/packetsLost").unwrap_or_default().max(0.0);
        let received = number("/inbound/packetsReceived").unwrap_or_default();
        let loss = (received + lost > 0.0).then(|| 100.0 * lost / (received + lost));
        format!(
            "{:<7} {:<18} says {} hears {}  round trip {:>7}  lost {:>5}  buffer {:>6}",
            self.name,
            self.state(),
            meter(number("/levels/mine")),
            meter(number("/levels/peer")),
            shown(
                number("/remoteInbound/roundTripTime").map(|seconds| seconds * 1000.0),
                "ms"
            ),
            loss.map_or("- %".into(), |loss| format!("{loss:.1} %")),
            shown(number("/playout/currentDelay").map(|seconds| seconds * 1000.0), "ms"),
        )
    }
}

/// A level from 0 to 100 as a bar of ten.
fn meter(level: Option<f64>) -> String {
    let filled = (level.unwrap_or_default() / 10.0).round().clamp(0.0, 10.0) as usize;
    format!("[{}{}]", "#".repeat(filled), ".".repeat(10 - filled))
}
