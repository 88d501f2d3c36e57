//! What the buffer says is worth asking for, and what it does with the answer.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use common::{BLOCK, FRAME, Voice};
use duologue_jitter::{Config, JitterBuffer, Packet, Wish};

const LOST: u64 = 200;
/// Sequence number and timestamp of the first packet.
const FIRST: (u64, u64) = (1 << 32, 1 << 40);

struct Call {
    buffer: JitterBuffer,
    decoder: Voice,
    origin: Instant,
}

impl Call {
    fn new(min_delay: Duration) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "one arbitrary instant as the origin of virtual time"
        )]
        let origin = Instant::now();
        Self {
            buffer: JitterBuffer::new(Config {
                min_delay,
                ..Config::default()
            }),
            decoder: Voice::new(),
            origin,
        }
    }

    fn at(&self, millis: u64) -> Instant {
        self.origin + Duration::from_millis(millis)
    }

    fn insert(&mut self, n: u64, millis: u64) {
        let timestamp = FIRST.1 + n * FRAME;
        let packet = Packet {
            sequence: FIRST.0 + n,
            timestamp,
            payload: Voice::payload(timestamp, FRAME, false),
            duration_hint: None,
        };
        let now = self.at(millis);
        self.buffer.insert(packet, now);
    }

    fn wishes(&self, millis: u64, round_trip: u64) -> Vec<Wish> {
        self.buffer
            .wishes(self.at(millis), Duration::from_millis(round_trip))
            .collect()
    }

    /// A call of `end` ms without packet [`LOST`]; `each` runs before each pull.
    fn run(&mut self, end: u64, mut each: impl FnMut(&mut Self, u64)) {
        let mut out = [0.0; BLOCK];
        for now in (0..end).step_by(10) {
            if now % 20 == 0 && now / 20 != LOST {
                self.insert(now / 20, now);
            }
            each(self, now);
            let at = self.at(now);
            self.buffer.pull(at, &mut self.decoder, &mut out);
        }
    }
}

#[test]
fn an_answer_in_time_leaves_no_trace() {
    let mut call = Call::new(Duration::from_millis(100));
    let mut asked = Vec::new();
    call.run(8000, |call, now| {
        for wish in call.wishes(now, 40) {
            assert!(wish.deadline >= call.at(now + 40 - 40), "hopeless");
            asked.push((now, wish.sequence - FIRST.0));
            let until = call.at(now + 40);
            call.buffer.expect(wish.sequence, until);
        }
        if now == LOST * 20 + 60 {
            call.insert(LOST, now);
        }
    });
    // Known when its successor came, 20 ms after its own time; asked for once.
    assert_eq!(asked, [(LOST * 20 + 20, LOST)]);
    assert_eq!(call.buffer.stats().concealed_samples, 0);
}

#[test]
fn what_would_come_too_late_is_not_wished_for() {
    let mut call = Call::new(Duration::ZERO);
    let mut asked = 0;
    call.run(8000, |call, now| asked += call.wishes(now, 200).len());
    assert_eq!(asked, 0);
    assert_eq!(call.buffer.stats().concealment_events, 1);
}

/// An answer that is 20 ms too late for a playout at its normal pace is waited for.
#[test]
fn playout_slows_down_for_an_answer_on_its_way() {
    let concealed = [false, true].map(|announced| {
        let mut call = Call::new(Duration::from_millis(60));
        let answer = LOST * 20 + 80;
        call.run(8000, |call, now| {
            if announced && now == LOST * 20 + 20 {
                let until = call.at(answer);
                call.buffer.expect(FIRST.0 + LOST, until);
            }
            if now == answer {
                call.insert(LOST, now);
            }
        });
        call.buffer.stats().concealed_samples
    });
    assert!(concealed[1] < concealed[0], "concealed {concealed:?} samples");
}

#[test]
fn nothing_is_missing_before_the_first_packet_or_after_a_restart() {
    let mut call = Call::new(Duration::ZERO);
    assert!(call.wishes(0, 0).is_empty());
    call.run(1000, |_, _| ());
    call.buffer.reset();
    assert!(call.wishes(1000, 0).is_empty());
}
