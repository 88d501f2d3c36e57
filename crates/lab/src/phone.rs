//! A phone in a namespace, watched by its event log and told what to do by its standard input.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::gaps::Silences;
use crate::namespace::Namespace;
use crate::server::{Server, duologue};
use crate::world::SERVER;

/// Which part a phone plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Calls bob as alice.
    Caller,
    /// Answers as bob, when told to.
    Callee,
}

impl Part {
    /// Its name in files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
        }
    }
}

/// A running phone that says a tone; killed with the value.
#[derive(Debug)]
pub struct Phone {
    part: Part,
    child: Child,
    events: PathBuf,
    heard: PathBuf,
    log: PathBuf,
}

impl Phone {
    /// Starts one; its logs and its recording go to `folder`.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(part: Part, namespace: &Namespace, server: &Server, folder: &Path) -> anyhow::Result<Self> {
        let file = |ending: &str| folder.join(format!("{}{ending}", part.name()));
        let (events, heard, log) = (file(".jsonl"), file(".wav"), file(".log"));
        // A kept folder may have those of an earlier call, and this one's are waited for from now on.
        for stale in [&events, &heard] {
            match std::fs::remove_file(stale) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let mut command = namespace.command(duologue()?);
        match part {
            Part::Caller => command.args(["call", "bob", "--as", "alice"]),
            Part::Callee => command.args(["answer", "--as", "bob", "--wait", "60"]),
        };
        command
            .args(["--app-server", &server.app_server])
            .args(["--server", &format!("wss://{SERVER}/ws"), "--root-certificate"])
            .arg(&server.certificate)
            .args(["--input", "tone", "--quiet", "--control", "--output"])
            .arg(&heard)
            .arg("--events")
            .arg(&events)
            .args(&server.phone_arguments);
        let output = File::create(&log)?;
        let child = command
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{command:?} could not be started"))?;
        Ok(Self {
            part,
            child,
            events,
            heard,
            log,
        })
    }

    /// Tells it something, such as `accept` or `end`.
    ///
    /// # Errors
    /// When it does not listen any more.
    pub fn say(&mut self, instruction: &str) -> anyhow::Result<()> {
        let stdin = self.child.stdin.as_mut().context("phones are started with a pipe")?;
        writeln!(stdin, "{instruction}").with_context(|| format!("the {} has ended", self.part.name()))?;
        Ok(())
    }

    /// What it logged so far.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        std::fs::read_to_string(&self.events)
            .unwrap_or_default()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The first event of this name, if it was logged.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<Value> {
        self.events().into_iter().find(|event| event["event"] == name)
    }

    /// The newest statistics.
    #[must_use]
    pub fn statistics(&self) -> Option<Value> {
        self.events().into_iter().rev().find(|event| event["event"] == "stats")
    }

    /// Waits for an event of this name.
    ///
    /// # Errors
    /// When the call ends before, the phone does, or patience does.
    pub fn wait_for(&mut self, name: &str, patience: Duration) -> anyhow::Result<Value> {
        self.wait_until(name, patience, |phone| phone.event(name))
    }

    /// Waits until `found` gives something.
    ///
    /// # Errors
    /// When the call ends before, the phone does, or patience does.
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        patience: Duration,
        found: impl Fn(&Self) -> Option<T>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + patience;
        let part = self.part.name();
        loop {
            let ended = self.child.try_wait()?;
            if let Some(value) = found(self) {
                return Ok(value);
            }
            if let Some(reason) = self.end_reason() {
                bail!("the {part}'s call ended ({reason}) before `{what}`");
            }
            if let Some(status) = ended {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!("the {part} ended ({status}) before `{what}`: {}", log.trim());
            }
            if Instant::now() >= deadline {
                bail!("the {part} had no `{what}` within {} s", patience.as_secs());
            }
            pause();
        }
    }

    /// Why its call ended, if it did.
    #[must_use]
    pub fn end_reason(&self) -> Option<String> {
        let event = self.event("evt_disconnected")?;
        Some(event["reason"]["str_code"].as_str().unwrap_or("?").to_owned())
    }

    /// Waits for its end and reads its recording.
    ///
    /// # Errors
    /// When it does not end, or recorded nothing readable.
    pub fn finish(&mut self, patience: Duration) -> anyhow::Result<Silences> {
        let deadline = Instant::now() + patience;
        while self.child.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                bail!("the {} does not end", self.part.name());
            }
            pause();
        }
        Silences::read(&self.heard)
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Until conditions are looked at again; nothing is ever concluded from its length.
pub(crate) fn pause() {
    std::thread::park_timeout(Duration::from_millis(20));
}
