use std::time::{Duration, Instant};

use proptest::prelude::*;
use stun_types::attribute::{AttributeType, RawAttribute};

use super::frame::{Desync, Framer};
use super::*;
use crate::rng::Rng;
use crate::stun::{Class, Header, Key, Transaction};
use crate::{RelayFailure, Stats};

#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn base() -> Instant {
    Instant::now()
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

const OURS: &str = "192.0.2.1:5000";
const SERVER: &str = "198.51.100.1:3478";
const RELAYED: &str = "198.51.100.1:50000";
const RELAYED_V6: &str = "[2001:db8::1]:50000";
const PEER: &str = "203.0.113.1:6000";
const REALM: &str = "example.org";

fn key() -> Key {
    Key::long_term("user", REALM, "password")
}

fn entry(transport: TurnTransport) -> TurnServer {
    TurnServer {
        address: addr(SERVER),
        transport,
        username: "user".into(),
        credential: "password".into(),
    }
}

/// A client and what surrounds it.
struct Bench {
    client: Client,
    rng: Rng,
    stats: Stats,
    now: Instant,
}

/// A request as the server reads it.
struct Asked {
    method: u16,
    id: Transaction,
    bytes: Vec<u8>,
}

impl Bench {
    fn new(transport: TurnTransport) -> Self {
        let (mut rng, now) = (Rng::new([5; 32]), base());
        let stream = (transport != TurnTransport::Udp).then_some(StreamId(1));
        let client = Client::new(entry(transport), stream, addr(OURS), addr(SERVER), false, &mut rng, now);
        let stats = Stats::default();
        Self {
            client,
            rng,
            stats,
            now,
        }
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.client.poll_action()).collect()
    }

    /// The requests that were sent; nothing else may have happened.
    fn asked(&mut self) -> Vec<Asked> {
        self.actions()
            .into_iter()
            .map(|action| match action {
                Action::Send(bytes) => {
                    let header = Header::parse(&bytes).unwrap();
                    assert_eq!(header.class, Class::Request);
                    Asked {
                        method: header.method,
                        id: header.transaction,
                        bytes,
                    }
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn hear(&mut self, bytes: &[u8]) -> Option<Inner> {
        self.client
            .handle_message(bytes, &mut self.rng, &mut self.stats, self.now)
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.client.handle_timeout(&mut self.rng, self.now);
    }

    /// Answers the challenge and the request after it.
    fn allocate(&mut self) {
        let first = self.asked().remove(0);
        assert!(!first.bytes.windows(4).any(|window| window == b"user"));
        self.hear(&challenge(first.method, first.id, 401, b"nonce"));
        let second = self.asked().remove(0);
        assert!(second.bytes.windows(4).any(|window| window == b"user"));
        self.hear(&allocated(second.id, Some(&key())));
        assert!(matches!(
            self.actions()[..],
            [Action::Allocated { .. }, Action::Allocated { .. }]
        ));
    }

    fn ready() -> Self {
        let mut bench = Self::new(TurnTransport::Udp);
        bench.allocate();
        bench
    }

    /// Everything of the client.
    fn state(&self) -> String {
        format!("{:?}", self.client)
    }
}

/// A message of a server.
fn message(kind: u16, id: Transaction, attributes: &[(u16, &[u8])], key: Option<&Key>) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend([0, 0, 0x21, 0x12, 0xa4, 0x42]);
    bytes.extend(&id.to_be_bytes()[4..]);
    for (kind, value) in attributes {
        bytes.extend(RawAttribute::new(AttributeType::new(*kind), value).to_bytes());
    }
    let length = (bytes.len() - 20) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    match key {
        Some(key) => key.sign(bytes),
        None => bytes,
    }
}

fn xored(address: &str, id: Transaction) -> Vec<u8> {
    let mut writer = crate::stun::Writer::to_server(1, false, id);
    writer.put_address(0x20, addr(address), id);
    let bytes = writer.finish(None);
    let length = usize::from(u16::from_be_bytes([bytes[22], bytes[23]]));
    bytes[24..24 + length].to_vec()
}

fn allocated(id: Transaction, key: Option<&Key>) -> Vec<u8> {
    let [v4, v6, mapped] = [RELAYED, RELAYED_V6, OURS].map(|text| xored(text, id));
    let attributes: [(u16, &[u8]); 4] = [(0x16, &v4), (0x16, &v6), (0x20, &mapped), (0x0d, &[0, 0, 2, 0x58])];
    message(0x0103, id, &attributes, key)
}

fn success(method: u16, id: Transaction, key: Option<&Key>) -> Vec<u8> {
    message(method | 0x0100, id, &[], key)
}

fn challenge(method: u16, id: Transaction, code: u16, nonce: &[u8]) -> Vec<u8> {
    let code = [0, 0, (code / 100) as u8, (code % 100) as u8];
    let attributes: [(u16, &[u8]); 3] = [(0x09, &code), (0x14, REALM.as_bytes()), (0x15, nonce)];
    message(method | 0x0110, id, &attributes, None)
}

fn error(method: u16, id: Transaction, code: u16, key: Option<&Key>) -> Vec<u8> {
    let code = [0, 0, (code / 100) as u8, (code % 100) as u8];
    message(method | 0x0110, id, &[(0x09, &code)], key)
}

#[test]
fn credentials_follow_a_challenge_and_a_stale_nonce() {
    let mut bench = Bench::ready();
    assert_eq!(bench.client.relayed(), [addr(RELAYED), addr(RELAYED_V6)]);
    bench.client.permit(addr(PEER), &mut bench.rng, bench.now);
    let request = bench.asked().remove(0);
    assert_eq!(request.method, 8);
    bench.hear(&challenge(8, request.id, 438, b"fresher"));
    let again = bench.asked().remove(0);
    assert_ne!(again.id, request.id);
    assert!(again.bytes.windows(7).any(|window| window == b"fresher"));
    bench.hear(&success(8, again.id, Some(&key())));
    assert_eq!(bench.asked().len(), 0);
}

#[test]
fn wrong_credentials_end_it() {
    let mut bench = Bench::new(TurnTransport::Udp);
    let first = bench.asked().remove(0);
    bench.hear(&challenge(3, first.id, 401, b"nonce"));
    let second = bench.asked().remove(0);
    bench.hear(&challenge(3, second.id, 401, b"nonce"));
    let actions = bench.actions();
    assert!(matches!(
        actions[..],
        [Action::Failed(RelayFailure::Refused { code: 401 })]
    ));
    assert!(bench.client.is_settled());
    assert_eq!(bench.client.poll_timeout(), None);
    // Until there are others.
    let other = TurnServer {
        credential: "other".into(),
        ..entry(TurnTransport::Udp)
    };
    bench.client.set_credentials(&other, &mut bench.rng, bench.now);
    assert_eq!(bench.asked().len(), 1);
}

#[test]
fn a_server_full_or_without_ipv4_is_handled() {
    for code in [486, 508] {
        let mut bench = Bench::new(TurnTransport::Udp);
        let first = bench.asked().remove(0);
        bench.hear(&challenge(3, first.id, 401, b"nonce"));
        let second = bench.asked().remove(0);
        bench.hear(&error(3, second.id, code, Some(&key())));
        assert!(matches!(bench.actions()[..], [Action::Failed(_)]));
        // RFC 8656 §7.4: not before a minute has passed.
        bench.pass(Duration::from_secs(59));
        assert_eq!(bench.asked().len(), 0);
        bench.pass(Duration::from_secs(1));
        assert_eq!(bench.asked().len(), 1, "{code}");
    }
    let mut bench = Bench::new(TurnTransport::Udp);
    let first = bench.asked().remove(0);
    bench.hear(&challenge(3, first.id, 401, b"nonce"));
    let second = bench.asked().remove(0);
    assert!(second.bytes.windows(8).any(|w| w == [0x80, 0, 0, 4, 2, 0, 0, 0]));
    bench.hear(&error(3, second.id, 440, Some(&key())));
    let third = bench.asked().remove(0);
    assert!(third.bytes.windows(8).any(|w| w == [0, 0x17, 0, 4, 2, 0, 0, 0]));
}

#[test]
fn a_socket_in_use_is_left_alone_and_a_stream_opened_anew() {
    let mut bench = Bench::new(TurnTransport::Udp);
    let first = bench.asked().remove(0);
    bench.hear(&challenge(3, first.id, 401, b"nonce"));
    let second = bench.asked().remove(0);
    bench.hear(&error(3, second.id, 437, Some(&key())));
    assert!(matches!(
        bench.actions()[..],
        [Action::Failed(RelayFailure::Refused { code: 437 })]
    ));

    let mut bench = Bench::new(TurnTransport::Tcp);
    assert!(matches!(bench.actions()[..], [Action::Open]));
    bench.client.handle_open(&mut bench.rng, bench.now);
    let first = bench.asked().remove(0);
    bench.hear(&error(3, first.id, 437, None));
    assert!(matches!(bench.actions()[..], [Action::Close]));
    bench.pass(Duration::from_secs(1));
    assert!(matches!(bench.actions()[..], [Action::Open]));
}

#[test]
fn an_alternate_server_is_followed_but_not_in_circles() {
    let mut bench = Bench::new(TurnTransport::Udp);
    let mut hops = Vec::new();
    let mut request = bench.asked().remove(0);
    for host in [2, 3, 4, 5] {
        let code: (u16, &[u8]) = (0x09, &[0, 0, 3, 0]);
        let to: [u8; 8] = [0, 1, 0x0d, 0x96, 198, 51, 100, host];
        bench.hear(&message(0x0113, request.id, &[code, (0x8023, &to)], None));
        if bench.client.server == *hops.last().unwrap_or(&addr(SERVER)) {
            assert!(matches!(
                bench.actions()[..],
                [Action::Failed(RelayFailure::Refused { code: 300 })]
            ));
            break;
        }
        hops.push(bench.client.server);
        request = bench.asked().remove(0);
    }
    assert_eq!(
        hops,
        [2, 3, 4].map(|host| SocketAddr::from(([198, 51, 100, host], 3478)))
    );

    // Back to where it came from, or into this host: not followed.
    for ip in [[198, 51, 100, 1], [127, 0, 0, 1]] {
        let mut bench = Bench::new(TurnTransport::Udp);
        let request = bench.asked().remove(0);
        let to = [0, 1, 0x0d, 0x96, ip[0], ip[1], ip[2], ip[3]];
        bench.hear(&message(
            0x0113,
            request.id,
            &[(0x09, &[0, 0, 3, 0]), (0x8023, &to)],
            None,
        ));
        assert!(matches!(bench.actions()[..], [Action::Failed(_)]));
        assert_eq!(bench.client.server, addr(SERVER));
    }
}

/// What somebody sends who sees neither our requests nor the password, and what somebody sends who sees the requests:
/// nothing of it changes the client.
#[test]
fn forged_answers_leave_the_client_as_it_is() {
    let mut bench = Bench::ready();
    bench.client.permit(addr(PEER), &mut bench.rng, bench.now);
    bench.client.bind(addr(PEER), &mut bench.rng, bench.now);
    let asked = bench.asked();
    let before = bench.state();
    let wrong = Key::long_term("user", REALM, "guess");
    let mut forged = Vec::new();
    for request in &asked {
        let (method, id) = (request.method, request.id);
        for key in [None, Some(&wrong)] {
            forged.push(success(method, id, key));
            for code in [400, 403, 437, 441, 486, 508, 500] {
                forged.push(error(method, id, code, key));
            }
        }
        // The right key under another transaction or method, or for a request of another time.
        forged.push(success(method, id ^ 1, Some(&key())));
        forged.push(error(method, id ^ 1, 437, Some(&key())));
        forged.push(success(method ^ 1, id, Some(&key())));
        forged.push(challenge(method, id ^ 1, 438, b"theirs"));
        forged.push(challenge(method, id ^ 1, 401, b"theirs"));
        forged.push(allocated(id, Some(&wrong)));
    }
    forged.push(vec![0x40, 0x09, 0, 4, 1, 2, 3, 4]);
    forged.push(vec![0x40]);
    forged.push(vec![0; 20]);
    let stranger = xored("203.0.113.99:1", 3);
    forged.push(message(0x0017, 3, &[(0x12, &stranger), (0x13, b"data")], None));
    let count = forged.len() as u64;
    for bytes in &forged {
        assert!(bench.hear(bytes).is_none());
    }
    assert_eq!(bench.state(), before);
    assert_eq!(bench.asked().len(), 0);
    let stats = bench.stats;
    let seen = stats.unauthenticated_relay_answers + stats.relay_dropped + stats.malformed;
    assert_eq!(seen, count, "each is counted once: {stats:?}");

    // The true answer still counts, once.
    let answer = success(8, asked[0].id, Some(&key()));
    bench.hear(&answer);
    assert_ne!(bench.state(), before);
    let after = bench.state();
    bench.hear(&answer);
    assert_eq!(bench.state(), after, "replayed");
}

/// Whoever sees the requests can make the server's nonce look stale, but only so often.
#[test]
fn endless_stale_nonces_end() {
    let mut bench = Bench::ready();
    bench.client.permit(addr(PEER), &mut bench.rng, bench.now);
    let mut rounds = 0;
    while let Some(request) = bench.asked().pop() {
        bench.hear(&challenge(request.method, request.id, 438, b"again"));
        rounds += 1;
        assert!(rounds < 10);
    }
    assert_eq!(rounds, 5);
}

#[test]
fn data_takes_the_channel_once_it_is_bound() {
    let mut bench = Bench::ready();
    bench.client.permit(addr(PEER), &mut bench.rng, bench.now);
    bench.client.bind(addr(PEER), &mut bench.rng, bench.now);
    let asked = bench.asked();
    bench.client.send(addr(PEER), b"one", &mut bench.rng, bench.now);
    let Action::Send(bytes) = bench.actions().remove(0) else {
        panic!("sent")
    };
    assert_eq!(bytes[..2], [0x00, 0x16], "an indication");
    bench.hear(&success(9, asked[1].id, Some(&key())));
    bench.client.send(addr(PEER), b"two", &mut bench.rng, bench.now);
    let Action::Send(bytes) = bench.actions().remove(0) else {
        panic!("sent")
    };
    assert_eq!(bytes, [0x40, 0, 0, 3, b't', b'w', b'o']);

    let inner = bench.hear(&[0x40, 0, 0, 2, 8, 9, 0, 0]).unwrap();
    assert_eq!((inner.relayed, inner.peer), (addr(RELAYED), addr(PEER)));
    assert_eq!(inner.payload, [8, 9], "padding is no payload");
    let from = xored("203.0.113.1:777", 4);
    let inner = bench
        .hear(&message(0x0017, 4, &[(0x12, &from), (0x13, b"data")], None))
        .unwrap();
    assert_eq!(inner.peer, addr("203.0.113.1:777"), "another port of a permitted host");
}

#[test]
fn everything_is_renewed_in_time() {
    let mut bench = Bench::ready();
    bench.client.permit(addr(PEER), &mut bench.rng, bench.now);
    bench.client.bind(addr(PEER), &mut bench.rng, bench.now);
    let (mut refreshed, mut permitted, mut bound) = (Vec::new(), Vec::new(), Vec::new());
    let start = bench.now;
    for _ in 0..1800 {
        for action in bench.actions() {
            let Action::Send(bytes) = action else {
                panic!("{action:?}")
            };
            let header = Header::parse(&bytes);
            let Some(header) = header.filter(|header| header.class == Class::Request) else {
                continue;
            };
            match header.method {
                4 => refreshed.push(bench.now - start),
                8 => permitted.push(bench.now - start),
                _ => bound.push(bench.now - start),
            }
            bench.hear(&success(header.method, header.transaction, Some(&key())));
        }
        bench.client.send(addr(PEER), b"audio", &mut bench.rng, bench.now);
        bench.pass(Duration::from_secs(1));
    }
    let longest = |times: &[Duration]| times.windows(2).map(|w| w[1] - w[0]).max().unwrap();
    assert!(longest(&refreshed) < Duration::from_secs(600));
    assert!(longest(&permitted) < Duration::from_secs(300));
    assert!(longest(&bound) < Duration::from_secs(300));
    assert!(refreshed.len() < 6 && permitted.len() < 12 && bound.len() < 12);
}

#[test]
fn a_forgotten_allocation_is_made_again() {
    let mut bench = Bench::ready();
    bench.client.permit(addr(PEER), &mut bench.rng, bench.now);
    let request = bench.asked().remove(0);
    bench.hear(&error(8, request.id, 437, Some(&key())));
    assert!(matches!(&bench.actions()[..], [Action::Lost(gone)] if gone.len() == 2));
    bench.client.send(addr(PEER), b"lost", &mut bench.rng, bench.now);
    assert_eq!(bench.asked().len(), 0);
    bench.pass(Duration::from_secs(1));
    let request = bench.asked().remove(0);
    assert_eq!(request.method, 3);
    bench.hear(&allocated(request.id, Some(&key())));
    assert_eq!(bench.actions().len(), 2);
}

#[test]
fn an_allocation_is_given_back() {
    let mut bench = Bench::ready();
    bench.client.release(&mut bench.rng, bench.now);
    let asked = bench.asked();
    assert_eq!(asked.len(), 2);
    for request in asked {
        assert_eq!(request.method, 4);
        assert!(request.bytes.windows(8).any(|w| w == [0, 0x0d, 0, 4, 0, 0, 0, 0]));
    }
    assert_eq!(bench.client.poll_timeout(), None);
}

#[test]
fn a_refused_peer_gets_nothing() {
    let mut bench = Bench::ready();
    bench.client.permit(addr(PEER), &mut bench.rng, bench.now);
    let request = bench.asked().remove(0);
    bench.hear(&error(8, request.id, 403, Some(&key())));
    assert!(matches!(bench.actions()[..], [Action::Refused(ip)] if ip == addr(PEER).ip()));
    bench.client.send(addr(PEER), b"no", &mut bench.rng, bench.now);
    assert_eq!(bench.asked().len(), 0);
}

#[test]
fn a_stream_that_makes_no_sense_is_closed() {
    let mut bench = Bench::new(TurnTransport::Tcp);
    bench.actions();
    bench.client.handle_open(&mut bench.rng, bench.now);
    bench.actions();
    let heard = bench
        .client
        .handle_bytes(b"\x80\x00\x00\x04none", &mut bench.rng, &mut bench.stats, bench.now);
    assert!(heard.is_empty());
    assert!(matches!(bench.actions()[..], [Action::Close, Action::Failed(_)]));
    assert!(bench.client.poll_timeout().is_some(), "it is tried again");
}

proptest! {
    /// However a stream is cut, the same messages come out.
    #[test]
    fn messages_come_out_of_any_pieces(
        lengths in proptest::collection::vec((any::<bool>(), 0..300_usize), 1..8),
        cuts in proptest::collection::vec(1..50_usize, 1..40),
    ) {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for (is_stun, length) in lengths {
            if is_stun {
                expected.push(message(0x0017, 7, &[(0x13, &vec![1; length])], None));
            } else {
                expected.push(wire::channel_data(0x4001, &vec![2; length], false));
            }
            let whole = expected.last().unwrap();
            stream.extend(whole);
            stream.resize(stream.len() + whole.len().next_multiple_of(4) - whole.len(), 0);
        }
        let (mut framer, mut found, mut rest) = (Framer::default(), Vec::new(), &stream[..]);
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            framer.push(piece);
            while let Some(next) = framer.next().unwrap() {
                found.push(next);
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, expected);
    }

    /// Hostile bytes: no panic, and nothing relayed from nobody.
    #[test]
    fn hostile_messages_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), stun in any::<bool>()) {
        let mut bytes = bytes;
        if stun && bytes.len() >= 20 {
            let length = (bytes.len() - 20) as u16 & !3;
            bytes.truncate(20 + usize::from(length));
            bytes[0] &= 1;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        }
        let mut bench = Bench::ready();
        let before = bench.client.relayed().to_vec();
        prop_assert!(bench.hear(&bytes).is_none());
        prop_assert_eq!(bench.client.relayed(), before);
        let mut framer = Framer::default();
        framer.push(&bytes);
        while let Ok(Some(_)) = framer.next() {}
    }
}

#[test]
fn a_framer_tells_what_it_cannot_read() {
    let mut framer = Framer::default();
    framer.push(&[0x80, 0, 0, 0]);
    assert_eq!(framer.next(), Err(Desync));
    let mut framer = Framer::default();
    framer.push(&[0, 1, 0, 3]);
    assert_eq!(framer.next(), Err(Desync), "no multiple of four");
}
