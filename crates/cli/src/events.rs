//! The event log: one JSON object a line, for scripts and for the demo.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde_json::{Map, Value};

/// Writes events to a file, or nowhere.
#[derive(Debug)]
pub(crate) struct EventLog {
    file: Option<File>,
    /// The same moment on both clocks, so that an `Instant` can be told in wall-clock time.
    anchor: (Instant, SystemTime),
}

impl EventLog {
    /// Opens `path` for writing; without one, events go nowhere.
    pub(crate) fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let file = match path {
            Some(path) => {
                Some(File::create(path).with_context(|| format!("cannot write events to {}", path.display()))?)
            }
            None => None,
        };
        Ok(Self {
            file,
            anchor: (Instant::now(), SystemTime::now()),
        })
    }

    /// Unix milliseconds of `at`, with fraction.
    pub(crate) fn wall_ms(&self, at: Instant) -> f64 {
        let (instant, wall) = self.anchor;
        let base = wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let offset = match at.checked_duration_since(instant) {
            Some(later) => later.as_secs_f64(),
            None => -instant.duration_since(at).as_secs_f64(),
        };
        (base + offset) * 1000.0
    }

    /// Logs `event` as happening now.
    pub(crate) fn log(&mut self, event: &str, data: Value) {
        self.log_at(Instant::now(), event, data);
    }

    /// Logs `event` as having happened at `at`. A line that cannot be written is dropped: a full disk ends no call.
    pub(crate) fn log_at(&mut self, at: Instant, event: &str, data: Value) {
        let wall_ms = self.wall_ms(at);
        let Some(file) = &mut self.file else { return };
        let mut line = Map::new();
        line.insert("wall_ms".into(), wall_ms.into());
        line.insert("event".into(), event.into());
        if let Value::Object(data) = data {
            line.extend(data);
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::warn!(%error, "an event could not be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_json_objects_with_time_and_name() {
        let path = std::env::temp_dir().join(format!("duologue-events-{}.jsonl", std::process::id()));
        let mut log = EventLog::create(Some(&path)).unwrap();
        let begin = Instant::now();
        log.log_at(begin, "evt_connected", json!({"party": 1}));
        log.log_at(begin + Duration::from_millis(250), "stats", json!({}));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (lines[0]["event"].as_str(), lines[0]["party"].as_u64()),
            (Some("evt_connected"), Some(1))
        );
        let apart = lines[1]["wall_ms"].as_f64().unwrap() - lines[0]["wall_ms"].as_f64().unwrap();
        assert!((apart - 250.0).abs() < 0.1);
        assert!(lines[0]["wall_ms"].as_f64().unwrap() > 1.6e12);
    }
}
