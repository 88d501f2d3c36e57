//! A million datagrams that nobody of the call sent cost no memory, get next to no answer and change nothing.
#![expect(unsafe_code, reason = "an allocator that counts, around the system's")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    net::SocketAddr,
    sync::atomic::{AtomicIsize, Ordering},
    time::Duration,
};

use duologue_testnet::{Endpoint, Rng, Trace, Transmit};
use duologue_transport::{Event, PathInfo, Stats};
use support::{CALLEE, CALLER, Pair, Setting, callee_address, caller_address, pair, rtcp, rtp};

/// Forged datagrams, each given to the callee.
const COUNT: usize = 1_000_000;
/// How many arrive between two steps of virtual time: 100,000 in a second.
const BURST: usize = 1000;
/// What the heap may differ by: a few transactions and queues at another moment of their life.
const SLACK: isize = 4 * 1024;

/// What the queues may still grow by until each has been full, whatever is replayed.
const QUEUES: isize = 256 * 1024;

/// Bytes allocated and not yet freed, by Rust code: what libcrypto takes for itself does not pass here.
static LIVE: AtomicIsize = AtomicIsize::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call goes to `System` as it came, and the counter touches no memory it hands out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `GlobalAlloc::alloc`, which is the system's.
        let pointer = unsafe { System.alloc(layout) };
        if !pointer.is_null() {
            LIVE.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn stranger() -> SocketAddr {
    "198.51.100.66:6666".parse().unwrap()
}

/// How many datagrams of each fate were sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    stun: u64,
    dtls: u64,
    srtp: u64,
    unproven: u64,
    unknown: u64,
}

impl Tally {
    fn between(before: &Stats, after: &Stats) -> Self {
        Self {
            stun: after.stun_received - before.stun_received,
            dtls: after.dtls_received - before.dtls_received,
            srtp: after.srtp_rejected - before.srtp_rejected,
            unproven: after.unproven_dropped - before.unproven_dropped,
            unknown: after.unknown_dropped - before.unknown_dropped,
        }
    }

    /// By the first byte (RFC 7983 §7), and by whether a check has proven the source.
    fn count(&mut self, datagram: &[u8], proven: bool) {
        *match datagram[0] {
            0..=3 => &mut self.stun,
            20..=63 | 128..=191 if !proven => &mut self.unproven,
            20..=63 => &mut self.dtls,
            128..=191 => &mut self.srtp,
            _ => &mut self.unknown,
        } += 1;
    }
}

/// Fills `datagram` with noise, a STUN message without valid integrity, a DTLS record that no key made, SRTP or SRTCP
/// with a wrong tag, or a packet that has been delivered already.
fn forge(rng: &mut Rng, username: &str, delivered: &[Vec<u8>], datagram: &mut Vec<u8>) {
    datagram.clear();
    let length = rng.range(1..20) * 8;
    let noise = |rng: &mut Rng, datagram: &mut Vec<u8>| {
        for _ in 0..length / 8 {
            datagram.extend(rng.next_u64().to_le_bytes());
        }
    };
    let sequence = rng.next_u64().to_be_bytes();
    match rng.range(0..8) {
        0 => noise(rng, datagram),
        kind @ 1..=2 => {
            // A request or a success response with the right user name and an integrity made without the password
            // (RFC 8489 §5, §14.3, §14.5). The length is that of what follows the transaction's identifier.
            datagram.extend([kind as u8 - 1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
            datagram.extend(sequence);
            datagram.extend(&sequence[..4]);
            datagram.extend([0, 6, 0, username.len() as u8]);
            datagram.extend(username.as_bytes());
            datagram.resize(datagram.len().next_multiple_of(4), 0);
            // SOFTWARE, for the sake of its length.
            datagram.extend([0x80, 0x22, 0, length as u8]);
            noise(rng, datagram);
            datagram.extend([0, 8, 0, 20]);
            datagram.resize(datagram.len() + 20, 7);
            let rest = datagram.len() as u16 - 20;
            datagram[2..4].copy_from_slice(&rest.to_be_bytes());
        }
        3 => {
            // RFC 6347 §4.1: type, version, epoch 0 or 1, sequence number, length.
            datagram.extend([20 + sequence[0] % 4, 254, 253, 0, sequence[1] % 2]);
            datagram.extend(&sequence[2..]);
            datagram.extend([0, length as u8]);
            noise(rng, datagram);
        }
        4 => {
            // RFC 9147 §4: the header of an encrypted record with sequence number and length, of any epoch.
            datagram.extend([
                0b0010_1100 | (sequence[0] % 4),
                sequence[1],
                sequence[2],
                0,
                length as u8,
            ]);
            noise(rng, datagram);
        }
        kind @ 5..=6 => {
            let packet = if kind == 5 { rtp(1) } else { rtcp(1) };
            datagram.extend(packet);
            datagram[2] = if kind == 5 { sequence[0] } else { 0 };
            // Every other packet is of a source that nobody has heard of.
            if sequence[1].is_multiple_of(2) {
                datagram[4..8].copy_from_slice(&sequence[..4]);
            }
            noise(rng, datagram);
            datagram.extend([0; 14]);
        }
        _ => datagram.extend(&delivered[sequence[0] as usize % delivered.len()]),
    }
}

/// Sends media to the callee; returns the datagrams, which were delivered.
fn record(pair: &mut Pair) -> Vec<Vec<u8>> {
    let now = pair.driver.now();
    for sequence in 100..116 {
        pair.caller().transport.send_rtp(&rtp(sequence), now).unwrap();
        pair.caller().transport.send_rtcp(&rtcp(sequence.into()), now).unwrap();
    }
    let mut sent = Vec::new();
    while let Some(transmit) = pair.caller().poll_transmit() {
        if (128..192).contains(&transmit.payload[0]) {
            pair.callee()
                .handle_datagram(transmit.destination, transmit.source, &transmit.payload, now);
            sent.push(transmit.payload);
        }
    }
    pair.run(Duration::from_millis(100));
    assert_eq!(sent.len(), 32);
    sent
}

/// The callee's path, without the round trip, which consent checks measure anew.
fn path(pair: &Pair) -> PathInfo {
    PathInfo {
        rtt: None,
        ..pair.driver.endpoint(CALLEE).transport.path().unwrap()
    }
}

fn flood(dtls13: bool, count: usize) {
    let mut rng = Rng::new(23);
    let mut pair = pair(&Setting {
        dtls13: [dtls13; 2],
        ..Setting::default()
    });
    assert!(pair.connect());
    pair.exchange(1);
    let delivered = record(&mut pair);
    let mut datagram = Vec::with_capacity(512);
    let (path_before, parameters) = (path(&pair), pair.callee().transport.local_parameters());
    // RFC 8445 §7.2.2: the receiver's fragment first.
    let username = format!(
        "{}:{}",
        parameters.ufrag,
        pair.caller().transport.local_parameters().ufrag
    );
    let before = pair.callee().transport.stats();
    let mut tally = Tally::default();
    let mut forged_bytes = 0;
    // What the simulation itself remembers is not the transport's memory.
    *pair.driver.trace_mut() = Trace::new();
    let live = LIVE.load(Ordering::Relaxed);
    let mut highest = live;
    let mut genuine = 0;
    for _ in 0..count / BURST {
        let now = pair.driver.now();
        let before_burst = pair.callee().transport.stats().stun_received;
        for n in 0..BURST {
            forge(&mut rng, &username, &delivered, &mut datagram);
            let proven = n % 4 != 0;
            let source = if proven { caller_address() } else { stranger() };
            tally.count(&datagram, proven);
            forged_bytes += datagram.len() as u64;
            pair.callee().handle_datagram(callee_address(), source, &datagram, now);
        }
        let after_burst = pair.callee().transport.stats().stun_received;
        highest = highest.max(LIVE.load(Ordering::Relaxed));
        pair.run(Duration::from_millis(10));
        // Consent goes on between the bursts.
        genuine += pair.callee().transport.stats().stun_received - after_burst;
        assert!(after_burst > before_burst);
        *pair.driver.trace_mut() = Trace::new();
    }
    let during = pair.callee().transport.stats();
    pair.run(Duration::from_secs(1));
    *pair.driver.trace_mut() = Trace::new();
    let grown = LIVE.load(Ordering::Relaxed) - live;
    assert!(grown.abs() <= SLACK, "{grown} bytes more after the flood");
    // Queues of dropped datagrams would show here.
    let peak = highest - live;
    assert!(peak <= 16 * 1024, "{peak} bytes more during the flood");

    tally.stun += genuine;
    assert_eq!(Tally::between(&before, &during), tally);
    assert_eq!(
        during.datagrams_received - before.datagrams_received,
        count as u64 + genuine
    );
    assert_eq!(
        (during.rtp_received, during.rtcp_received),
        (before.rtp_received, before.rtcp_received)
    );
    assert_eq!((during.rtp_sent, during.rtcp_sent), (before.rtp_sent, before.rtcp_sent));
    // The consent checks among it.
    let sent = during.bytes_sent - before.bytes_sent;
    assert!(sent <= forged_bytes / 1000, "{sent} bytes answer {forged_bytes}");

    assert!(pair.callee().is_connected());
    assert_eq!(path(&pair), path_before);
    assert_eq!(pair.callee().transport.local_parameters(), parameters);
    assert!(matches!(pair.callee().milestones()[..], [Event::Connected { .. }]));
    // The keys are the same, both ways.
    pair.exchange(2);
    let after = pair.callee().transport.stats();
    assert_eq!(after.rtp_received, before.rtp_received + 1);
    assert_eq!(after.rtcp_received, before.rtcp_received + 1);
    assert_eq!(after.srtp_rejected, during.srtp_rejected);
}

/// Everything that was said on the path comes again and again, from the peer's address and from others, authentic as it is: it
/// fills tables that have an end.
fn replay(dtls_in_stun: bool, count: usize) {
    let mut rng = Rng::new(29);
    let mut pair = pair(&Setting {
        dtls_in_stun,
        ..Setting::default()
    });
    for id in [CALLER, CALLEE] {
        pair.driver.endpoint_mut(id).overheard = Some(Vec::new());
    }
    assert!(pair.connect());
    pair.run(Duration::from_secs(10));
    pair.exchange(1);
    let all: Vec<Transmit> = [CALLER, CALLEE]
        .into_iter()
        .flat_map(|id| pair.driver.endpoint_mut(id).overheard.take().unwrap())
        .filter(|transmit| transmit.destination == callee_address())
        .collect();
    let mut rounds = |pair: &mut Pair, count: usize| {
        let mut highest = isize::MIN;
        for _ in 0..count / BURST {
            let now = pair.driver.now();
            for n in 0..BURST {
                let transmit = &all[rng.range(0..all.len() as u64) as usize];
                let mut source = stranger();
                source.set_port(6000 + n as u16 % 256);
                let source = if n % 2 == 0 { transmit.source } else { source };
                pair.callee()
                    .handle_datagram(callee_address(), source, &transmit.payload, now);
            }
            highest = highest.max(LIVE.load(Ordering::Relaxed));
            pair.run(Duration::from_millis(10));
            *pair.driver.trace_mut() = Trace::new();
        }
        pair.run(Duration::from_secs(30));
        *pair.driver.trace_mut() = Trace::new();
        highest
    };
    // Tables and queues reach their full size first.
    let full = rounds(&mut pair, 20 * BURST);
    let (before, live) = (path(&pair), LIVE.load(Ordering::Relaxed));
    let highest = rounds(&mut pair, count);
    let grown = LIVE.load(Ordering::Relaxed) - live;
    // A queue keeps the room that it has had once, and each has an end.
    assert!(grown <= QUEUES, "{grown} bytes more after the replays");
    // The queue of outputs is full each time, of answers that are not all of one length.
    assert!(
        highest <= full + 2 * QUEUES,
        "{} bytes more than at first",
        highest - full
    );
    assert_eq!(path(&pair), before);
    assert!(pair.callee().is_connected());
    pair.exchange(2);
}

/// One test, for the counter counts all threads. `DUOLOGUE_FLOOD=full` is a million of each; without it DTLS 1.3 gets the
/// million, and the others a part of it.
#[test]
fn a_million_forged_datagrams_leave_no_trace() {
    let full = std::env::var("DUOLOGUE_FLOOD").is_ok_and(|value| value == "full");
    let part = if full { COUNT } else { COUNT / 10 };
    flood(true, COUNT);
    flood(false, part);
    replay(true, part);
    replay(false, part);
}
