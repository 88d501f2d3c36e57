//! Counters for `GET /metrics`, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::turn::Snapshot;

/// Upper bounds of the histogram's buckets, in seconds.
const BOUNDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections: Gauge,
    pub(crate) calls: Gauge,
    pub(crate) connections_refused: Counter,
    pub(crate) sessions_started: Counter,
    pub(crate) sessions_resumed: Counter,
    pub(crate) sessions_refused: Counter,
    pub(crate) messages: Counter,
    pub(crate) bad_messages: Counter,
    pub(crate) sessions_closed_for_bad_messages: Counter,
    pub(crate) sessions_closed_for_rate: Counter,
    pub(crate) call_events_delivered: Counter,
    pub(crate) call_event_failures: Counter,
    pub(crate) notify_failures: Counter,
    pub(crate) notify_seconds: Histogram,
    ended: Mutex<BTreeMap<(u16, String), u64>>,
}

/// Goes up.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// Goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

/// How long something took.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Gauge {
    pub(crate) fn add(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }
}

impl Histogram {
    pub(crate) fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        for (bucket, _) in self.buckets.iter().zip(BOUNDS).filter(|(_, bound)| seconds <= *bound) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(duration.as_micros() as u64, Ordering::Relaxed);
    }
}

impl Metrics {
    /// A call ended.
    pub(crate) fn ended(&self, code: u16, name: &str) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        *ended.entry((code, name.to_owned())).or_default() += 1;
    }

    /// Everything as text, with what the STUN port has counted.
    pub(crate) fn render(&self, turn: Option<Snapshot>) -> String {
        let mut out = String::new();
        if let Some(turn) = turn {
            render_turn(&turn, &mut out);
        }
        for (name, help, gauge) in [
            ("duologue_connections", "WebSocket connections now.", &self.connections),
            ("duologue_calls", "Calls now.", &self.calls),
        ] {
            let value = gauge.0.load(Ordering::Relaxed);
            // Writing to a String cannot fail, here and below.
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        }
        for (name, help, counter) in [
            (
                "duologue_connections_refused_total",
                "Connections refused for their rate or number.",
                &self.connections_refused,
            ),
            (
                "duologue_sessions_started_total",
                "Sessions let in.",
                &self.sessions_started,
            ),
            (
                "duologue_sessions_resumed_total",
                "Sessions taken up again.",
                &self.sessions_resumed,
            ),
            (
                "duologue_sessions_refused_total",
                "Clients not let in.",
                &self.sessions_refused,
            ),
            ("duologue_messages_total", "Messages of clients.", &self.messages),
            (
                "duologue_bad_messages_total",
                "Messages that could not be read.",
                &self.bad_messages,
            ),
            (
                "duologue_sessions_closed_bad_messages_total",
                "Connections closed for unreadable messages.",
                &self.sessions_closed_for_bad_messages,
            ),
            (
                "duologue_sessions_closed_rate_total",
                "Connections closed for too many messages.",
                &self.sessions_closed_for_rate,
            ),
            (
                "duologue_call_events_delivered_total",
                "Call event callbacks answered 2xx.",
                &self.call_events_delivered,
            ),
            (
                "duologue_call_event_failures_total",
                "Attempts at call event callbacks that failed.",
                &self.call_event_failures,
            ),
            (
                "duologue_notify_failures_total",
                "Notify callbacks that failed.",
                &self.notify_failures,
            ),
        ] {
            let value = counter.0.load(Ordering::Relaxed);
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n");
        }
        out.push_str(
            "# HELP duologue_calls_ended_total Calls by how they ended.\n# TYPE duologue_calls_ended_total counter\n",
        );
        for ((code, name), count) in self.ended.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(
                out,
                "duologue_calls_ended_total{{code=\"{code}\",reason=\"{name}\"}} {count}"
            );
        }
        let name = "duologue_notify_seconds";
        let _ = write!(
            out,
            "# HELP {name} Time to the answer of the notify callback.\n# TYPE {name} histogram\n"
        );
        for (bucket, bound) in self.notify_seconds.buckets.iter().zip(BOUNDS) {
            let _ = writeln!(
                out,
                "{name}_bucket{{le=\"{bound}\"}} {}",
                bucket.load(Ordering::Relaxed)
            );
        }
        let count = self.notify_seconds.count.load(Ordering::Relaxed);
        let sum = self.notify_seconds.micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = write!(
            out,
            "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}\n"
        );
        out
    }
}

/// STUN and TURN.
fn render_turn(turn: &Snapshot, out: &mut String) {
    let Snapshot {
        stats,
        allocations,
        unsent,
    } = turn;
    let name = "duologue_turn_allocations";
    let _ = write!(
        out,
        "# HELP {name} Relays now.\n# TYPE {name} gauge\n{name} {allocations}\n"
    );
    let single = [
        (
            "duologue_stun_answered_total",
            "Binding requests answered.",
            stats.bindings,
        ),
        (
            "duologue_stun_dropped_total",
            "Messages on the STUN port that were neither STUN nor ChannelData, or no client's.",
            stats.malformed + stats.unexpected,
        ),
        ("duologue_turn_allocations_total", "Relays made.", stats.allocations),
        (
            "duologue_turn_requests_total",
            "TURN requests that succeeded.",
            stats.succeeded,
        ),
        (
            "duologue_turn_switched_total",
            "Payloads from one relay of this server to another.",
            stats.switched,
        ),
    ];
    for (name, help, value) in single {
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n");
    }
    let by = [
        (
            "duologue_turn_packets_total",
            "Payloads relayed.",
            "to",
            &[("peers", stats.to_peers), ("clients", stats.to_clients)][..],
        ),
        (
            "duologue_turn_bytes_total",
            "Bytes relayed.",
            "to",
            &[("peers", stats.to_peers_bytes), ("clients", stats.to_clients_bytes)],
        ),
        (
            "duologue_turn_refused_total",
            "TURN requests refused.",
            "reason",
            &[
                ("unauthenticated", stats.unauthenticated),
                ("bad_integrity", stats.bad_integrity),
                ("expired_credential", stats.expired_credentials),
                ("stale_nonce", stats.stale_nonces),
                ("braked", stats.braked),
                ("forbidden_peer", stats.forbidden_peers),
                ("quota", stats.over_quota),
                ("any_authenticated", stats.refused),
            ],
        ),
        (
            "duologue_turn_dropped_total",
            "Payloads not relayed.",
            "reason",
            &[
                ("no_allocation", stats.no_allocation),
                ("no_permission", stats.no_permission),
                ("bandwidth", stats.over_bandwidth),
                ("oversized", stats.oversized),
                ("socket", *unsent),
            ],
        ),
    ];
    for (name, help, label, values) in by {
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} counter\n");
        for (value, count) in values {
            let _ = writeln!(out, "{name}{{{label}=\"{value}\"}} {count}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.calls.add(2);
        metrics.calls.add(-1);
        metrics.ended(1001, "NORMAL");
        metrics.ended(1001, "NORMAL");
        metrics.notify_seconds.observe(Duration::from_millis(20));
        let text = metrics.render(Some(Snapshot::default()));
        assert!(text.contains("\nduologue_calls 1\n"));
        assert!(text.contains("\nduologue_calls_ended_total{code=\"1001\",reason=\"NORMAL\"} 2\n"));
        assert!(text.contains("_bucket{le=\"0.01\"} 0\n"));
        assert!(text.contains("_bucket{le=\"0.025\"} 1\n"));
        assert!(text.contains("_sum 0.02\n"));
        for line in text.lines() {
            assert!(
                line.starts_with("# ") || line.split_once(' ').unwrap().1.parse::<f64>().is_ok(),
                "{line}"
            );
        }
    }
}
