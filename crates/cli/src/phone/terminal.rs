//! The phone's line on the terminal, its question, and Ctrl-C.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::keys;

/// Ctrl-C and the system's request to end. The first of them ends the call; the second one ends the program at once.
#[derive(Debug)]
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    count: u32,
}

impl Interrupts {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            count: 0,
        })
    }

    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.count += 1;
        if self.count > 1 {
            keys::restore();
            // As a shell reports a program that an interrupt ended.
            std::process::exit(130);
        }
    }
}

/// One line that is kept up to date, or plain lines where there is no terminal.
#[derive(Debug)]
pub(crate) struct Line {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Line {
    pub(crate) fn new(quiet: bool, message: String) -> Self {
        let live = !quiet && std::io::stderr().is_terminal();
        let bar = live.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let line = Self { bar, quiet };
        line.say(&message);
        line
    }

    /// Says that something has changed.
    pub(crate) fn say(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(message.to_owned()),
            None if !self.quiet => println!("{message}"),
            None => {}
        }
    }

    /// Shows statistics, on a terminal only.
    pub(crate) fn statistics(&self, statistics: &Value) {
        let Some(bar) = &self.bar else { return };
        let number = |pointer: &str| statistics.pointer(pointer).and_then(Value::as_f64).unwrap_or_default();
        let lost = number("/inbound/packetsLost").max(0.0);
        let share = 100.0 * lost / (number("/inbound/packetsReceived") + lost).max(1.0);
        bar.set_message(format!(
            "connected  you {:>3.0}  peer {:>3.0}  round trip {:.0} ms  lost {share:.1} %  buffer {:.0} ms  (m mutes, h holds, Ctrl-C hangs up)",
            number("/levels/mine"),
            number("/levels/peer"),
            number("/remoteInbound/roundTripTime") * 1000.0,
            number("/playout/currentDelay") * 1000.0,
        ));
    }

    /// The last word.
    pub(crate) fn finish(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.finish_with_message(message.to_owned()),
            None => self.say(message),
        }
    }
}

/// Asks a question whose default is yes, on a thread of its own because reading the terminal cannot be cancelled.
pub(crate) fn ask(question: String) -> tokio::task::JoinHandle<bool> {
    tokio::task::spawn_blocking(move || {
        eprint!("\n{question}");
        let _ = std::io::stderr().flush();
        let mut reply = String::new();
        // Without anybody to ask, the call is not accepted.
        std::io::stdin().read_line(&mut reply).is_ok_and(|count| count > 0)
            && !reply.trim().to_ascii_lowercase().starts_with('n')
    })
}
