//! After it was made, a buffer allocates nothing, whatever the network does.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use bytes::Bytes;
use common::{Rng, Voice, trace};
use duologue_jitter::{Config, JitterBuffer, Packet};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn inserting_and_pulling_allocate_nothing() {
    let mut rng = Rng::new(11);
    let packets = trace(20.0, false, |_, sent| {
        let stall = if (8e3..8.7e3).contains(&sent) {
            8.7e3 - sent
        } else {
            0.0
        };
        (rng.unit() > 0.05).then(|| rng.gauss(30.0).abs() + stall)
    });
    // Payloads that need no counting of references, so that only the buffer's own memory is watched.
    let payloads: Vec<&'static [u8]> = packets
        .iter()
        .map(|packet| &*Box::leak(Voice::payload(packet.timestamp, 960, true).to_vec().into_boxed_slice()))
        .collect();
    common::voice(0);
    #[expect(
        clippy::disallowed_methods,
        reason = "one arbitrary instant as the origin of virtual time"
    )]
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new(Config::default());
    let mut decoder = Voice::new();
    let mut out = [0.0; 480];
    assert_no_alloc(|| {
        let mut next = 0;
        for tick in 0..2_000_u64 {
            while let Some(packet) = packets.get(next).filter(|packet| packet.at <= tick as f64 * 10.0) {
                let payload = Bytes::from_static(payloads[next]);
                let (sequence, timestamp) = (packet.sequence, packet.timestamp);
                let at = origin + Duration::from_micros((packet.at * 1e3) as u64);
                buffer.insert(
                    Packet {
                        sequence,
                        timestamp,
                        payload,
                        duration_hint: None,
                    },
                    at,
                );
                next += 1;
            }
            buffer.pull(origin + Duration::from_millis(tick * 10), &mut decoder, &mut out);
        }
    });
    let stats = buffer.stats();
    assert!(decoder.decoded > 700 && stats.packets_recovered > 10 && stats.removed_samples_for_acceleration > 0);
}
