//! Fuzz bodies of `duologue-transport`.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use duologue_transport::{Certificate, Config, Event, Output, Transport};

/// Feeds the receive path of a transport: demultiplexing, ICE, DTLS, SRTP.
///
/// The first byte chooses how far the transport has got: new, with its peer's parameters, in the middle of the
/// handshake, connected. Then come datagrams, each after a byte that says who seems to have sent it and how much time
/// has passed, and two bytes of length.
pub fn transport_datagram(data: &[u8]) {
    let Some((&stage, mut rest)) = data.split_first() else {
        return;
    };
    let mut pair = Pair::new();
    match stage % 4 {
        0 => {}
        1 => pair.signal(),
        // So many datagrams are exchanged that the handshake has begun, but is not over.
        2 => {
            pair.signal();
            pair.exchange(usize::from(stage / 4 % 16));
        }
        _ => {
            pair.signal();
            pair.exchange(usize::MAX);
            assert!(pair.sides.iter().all(Transport::is_connected));
        }
    }
    let connected = pair.sides[0].is_connected();
    let before = pair.sides[0].stats();
    while let [kind, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (datagram, tail) = tail.split_at(length);
        rest = tail;
        let source = if kind & 1 == 0 { ADDRESSES[1] } else { "198.51.100.9:9" };
        pair.now += Duration::from_millis(u64::from(kind >> 4));
        let side = &mut pair.sides[0];
        side.handle_datagram(address(ADDRESSES[0]), address(source), datagram, pair.now);
        side.handle_timeout(pair.now);
        assert!(
            side.poll_timeout().is_none_or(|at| at > pair.now || side.is_closed()),
            "a timer that never rests"
        );
        let mut outputs = 0;
        while let Some(output) = side.poll_output() {
            outputs += 1;
            assert!(
                !matches!(output, Output::Event(Event::Rtp(_) | Event::Rtcp(_))),
                "forged media"
            );
        }
        assert!(outputs <= 64, "{outputs} outputs for one datagram");
    }
    let after = pair.sides[0].stats();
    assert_eq!(
        (after.rtp_received, after.rtcp_received),
        (before.rtp_received, before.rtcp_received)
    );
    if connected {
        assert!(pair.sides[0].is_connected(), "forged datagrams ended the transport");
        let rtp = [0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3];
        pair.sides[1].send_rtp(&rtp, pair.now).expect("connected");
        pair.exchange(usize::MAX);
        assert_eq!(pair.sides[0].stats().rtp_received, after.rtp_received + 1);
    }
}

const ADDRESSES: [&str; 2] = ["192.0.2.1:4000", "192.0.2.2:4000"];

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Two transports whose datagrams take no time.
struct Pair {
    sides: [Transport; 2],
    now: Instant,
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let make = |side: usize| {
            let mut config = Config::new(Certificate::generate().expect("a certificate"));
            config.controlling = side == 0;
            let mut transport = Transport::new(config, [side as u8; 32], now);
            transport
                .add_local_address(address(ADDRESSES[side]), now)
                .expect("a usable address");
            transport.end_of_local_addresses(now);
            transport
        };
        Self {
            sides: [make(0), make(1)],
            now,
        }
    }

    fn signal(&mut self) {
        let offer = self.sides[0].local_parameters();
        self.sides[1]
            .set_remote_parameters(offer, self.now)
            .expect("our own parameters");
        let answer = self.sides[1].local_parameters();
        self.sides[0]
            .set_remote_parameters(answer, self.now)
            .expect("our own parameters");
    }

    /// Carries outputs back and forth, `limit` datagrams at most, until nothing happens for a while.
    fn exchange(&mut self, limit: usize) {
        let mut carried = 0;
        for _ in 0..60 {
            loop {
                let mut quiet = true;
                for at in [0, 1] {
                    while let Some(output) = self.sides[at].poll_output() {
                        quiet = false;
                        match output {
                            Output::Transmit(sent) if carried < limit => {
                                carried += 1;
                                self.sides[1 - at].handle_datagram(
                                    sent.destination,
                                    sent.source,
                                    &sent.payload,
                                    self.now,
                                );
                            }
                            Output::Event(Event::LocalCandidate(candidate)) => self.sides[1 - at]
                                .add_remote_candidate(&candidate, self.now)
                                .expect("a candidate of our own"),
                            _ => {}
                        }
                    }
                }
                if quiet {
                    break;
                }
            }
            if carried >= limit {
                return;
            }
            let next = self.sides.iter().filter_map(Transport::poll_timeout).min();
            if next.is_none_or(|at| at > self.now + Duration::from_secs(1)) {
                return;
            }
            self.now = next.unwrap_or(self.now).max(self.now);
            for side in &mut self.sides {
                side.handle_timeout(self.now);
            }
        }
    }
}
