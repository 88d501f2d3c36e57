use std::time::Instant;

use bytes::Bytes;

use super::*;
use crate::decoder::DecodeError;

/// Decodes every payload to 20 ms of its first byte's level.
struct Level;

impl Decoder for Level {
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        let level = payload.first().ok_or(DecodeError)?;
        out[..960].fill(f32::from(*level) / 256.0);
        Ok(960)
    }
    fn recover(&mut self, _: &[u8], _: usize, _: &mut [f32]) -> Result<usize, DecodeError> {
        Ok(0)
    }
    fn has_recovery(&self, _: &[u8]) -> bool {
        false
    }
    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError> {
        out.fill(0.0);
        Ok(out.len())
    }
    fn duration(&self, _: &[u8]) -> Option<usize> {
        Some(960)
    }
    fn in_dtx(&self) -> bool {
        false
    }
}

fn packet(sequence: u64, timestamp: u64) -> Packet {
    Packet {
        sequence,
        timestamp,
        payload: Bytes::from_static(&[64]),
        duration_hint: None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "one arbitrary instant as the origin of virtual time"
)]
fn origin() -> Instant {
    Instant::now()
}

#[test]
fn outcomes_say_what_happened() {
    let now = origin();
    let mut buffer = JitterBuffer::new(Config {
        max_packets: 4,
        ..Config::default()
    });
    assert_eq!(buffer.insert(packet(5, 4800), now), InsertOutcome::Queued);
    assert_eq!(buffer.insert(packet(5, 4800), now), InsertOutcome::Duplicate);
    assert_eq!(buffer.insert(packet(4, 3840), now), InsertOutcome::Queued);
    for n in 6..8 {
        assert_eq!(buffer.insert(packet(n, n * 960), now), InsertOutcome::Queued);
    }
    assert_eq!(buffer.insert(packet(8, 8 * 960), now), InsertOutcome::Evicted);
    assert_eq!(buffer.queued_packets(), 4);
    assert_eq!(buffer.insert(packet(1, 1 << 40), now), InsertOutcome::Held);
    assert_eq!(buffer.insert(packet(2, (1 << 40) + 960), now), InsertOutcome::Restarted);
    assert_eq!(buffer.queued_packets(), 2);
    assert_eq!(
        buffer.stats().packets_discarded,
        6,
        "a duplicate, one evicted, four flushed"
    );
}

#[test]
fn starts_after_the_start_delay() {
    let start = origin();
    let at = |millis| start + Duration::from_millis(millis);
    let mut buffer = JitterBuffer::new(Config {
        start_delay: Duration::from_millis(60),
        ..Config::default()
    });
    let mut out = [1.0; 480];
    assert_eq!(buffer.pull(start, &mut Level, &mut out).operation, Operation::Silence);
    assert_eq!(out, [0.0; 480]);
    for tick in 0..8 {
        if tick % 2 == 0 {
            buffer.insert(packet(tick / 2, 7_000 + tick / 2 * 960), at(tick * 10));
        }
        let report = buffer.pull(at(tick * 10), &mut Level, &mut out);
        assert_eq!(report.operation == Operation::Silence, tick < 6, "tick {tick}");
    }
    assert_eq!(buffer.stats().total_samples_received, 960);
}

#[test]
fn a_packet_after_its_time_is_too_late() {
    let start = origin();
    let mut buffer = JitterBuffer::new(Config::default());
    let mut out = [0.0; 480];
    for n in (0..40_u64).filter(|&n| n != 10) {
        let now = start + Duration::from_millis(n * 20);
        buffer.insert(packet(n, n * 960), now);
        buffer.pull(now, &mut Level, &mut out);
        buffer.pull(now + Duration::from_millis(10), &mut Level, &mut out);
    }
    let now = start + Duration::from_millis(800);
    assert_eq!(buffer.insert(packet(10, 9600), now), InsertOutcome::TooLate);
    assert_eq!(buffer.stats().concealment_events, 1);
    // With delay to spare, half of the hole is enough.
    assert!((480..=960).contains(&buffer.stats().concealed_samples));
}

#[test]
fn a_payload_that_cannot_be_decoded_counts_as_lost() {
    let start = origin();
    let mut buffer = JitterBuffer::new(Config::default());
    let mut out = [0.0; 960];
    for n in 0..40_u64 {
        let now = start + Duration::from_millis(n * 20);
        let payload = if n == 20 {
            Bytes::new()
        } else {
            Bytes::from_static(&[64])
        };
        buffer.insert(
            Packet {
                payload,
                ..packet(n, n * 960)
            },
            now,
        );
        assert_eq!(buffer.pull(now, &mut Level, &mut out).samples, 960);
    }
    assert_eq!(buffer.stats().packets_discarded, 1);
    assert!((480..=960).contains(&buffer.stats().concealed_samples));
}

#[test]
fn time_that_runs_backwards_stands_still() {
    let start = origin();
    let mut buffer = JitterBuffer::new(Config::default());
    buffer.set_min_delay(Duration::from_millis(80));
    let later = start + Duration::from_secs(1);
    buffer.insert(packet(1, 0), later);
    buffer.insert(packet(2, 960), start);
    assert_eq!(buffer.pull(start, &mut Level, &mut [0.0; 480]).samples, 480);
    assert_eq!(buffer.queued_packets(), 2);
}

#[test]
fn limits_give_way_to_each_other() {
    let mut buffer = JitterBuffer::new(Config::default());
    buffer.set_min_delay(Duration::from_millis(80));
    assert_eq!(buffer.target_delay(), Duration::from_millis(80));
    buffer.set_max_delay(Duration::from_millis(30));
    assert_eq!(buffer.target_delay(), Duration::from_millis(30));
}
