use std::time::{Duration, Instant};

use duologue_testnet::Clock;

use super::{Association, MAX_HELD};
use crate::{Certificate, Config};

fn config() -> Config {
    Config::new(Certificate::generate().unwrap())
}

fn start(is_client: bool, now: Instant) -> Association {
    Association::new(&config(), 1150, is_client, Some(Duration::from_millis(100)), now).unwrap()
}

fn outgoing(association: &mut Association) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| association.poll_transmit()).collect()
}

/// Part of the server's flight that comes before the ServerHello waits for it.
#[test]
fn a_reversed_server_flight_completes_without_a_timeout() {
    let now = Clock::new().now();
    let (mut client, mut server) = (start(true, now), start(false, now));
    for datagram in outgoing(&mut client) {
        server.handle_datagram(&datagram, now);
    }
    // Split into records, so that there is something to reverse whatever the engine packs together.
    let flight = outgoing(&mut server);
    let records: Vec<Vec<u8>> = flight.iter().flat_map(|datagram| split_records(datagram)).collect();
    assert!(records.len() > 1);
    for record in records.iter().rev() {
        client.handle_datagram(record, now);
    }
    assert!(client.is_finished(), "{client:?}");
    for datagram in outgoing(&mut client) {
        server.handle_datagram(&datagram, now);
    }
    let (client, server) = (client.take_secrets().unwrap(), server.take_secrets().unwrap());
    let ((_, client), (_, server)) = (client.srtp.unwrap(), server.srtp.unwrap());
    assert_eq!(client.local, server.remote);
    assert_eq!(client.remote, server.local);
}

fn split_records(mut datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while !datagram.is_empty() {
        let length = |at: usize| usize::from(u16::from_be_bytes([datagram[at], datagram[at + 1]]));
        // RFC 9147 §4: the unified header of our engine has a 16-bit sequence number and a length.
        let len = if datagram[0] >> 5 == 1 {
            5 + length(3)
        } else {
            13 + length(11)
        };
        records.push(datagram[..len].to_vec());
        datagram = &datagram[len..];
    }
    records
}

/// Nobody answers: the flight is repeated at a nearly constant pace for as long as the transport lets it.
#[test]
fn an_unanswered_flight_is_repeated_for_ever() {
    let start_at = Clock::new().now();
    let mut client = start(true, start_at);
    let mut now = start_at;
    let mut sent = vec![(now, outgoing(&mut client).len())];
    while now < start_at + Duration::from_secs(15) {
        now = client.poll_timeout().expect("something is scheduled");
        client.handle_timeout(now);
        sent.push((now, outgoing(&mut client).len()));
    }
    assert_eq!(client.defeat(), None);
    let sent: Vec<Instant> = sent.iter().filter(|(_, count)| *count > 0).map(|(at, _)| *at).collect();
    let longest = sent.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest <= Duration::from_millis(500), "{longest:?}");
    assert!((30..=80).contains(&sent.len()), "{}", sent.len());
}

#[test]
fn nothing_grows_without_bound() {
    let now = Clock::new().now();
    let mut client = start(true, now);
    let mut server = start(false, now);
    let hello = outgoing(&mut client);
    for n in 0..1000_u32 {
        // A record of the handshake epoch, which nobody can read yet.
        let mut record = vec![0b0010_1110, 0, 1, 0, 32];
        record.extend(n.to_be_bytes().repeat(8));
        client.handle_datagram(&record, now);
        server.handle_datagram(&hello[0], now);
        assert!(client.held.len() <= MAX_HELD && client.outgoing.len() <= MAX_HELD);
        assert!(server.outgoing.len() <= MAX_HELD && server.repeat.flight.len() <= MAX_HELD);
    }
    assert_eq!(client.held.len(), MAX_HELD);
    assert!(client.rejected() > 900);
}

#[test]
fn closing_an_unfinished_association_sends_nothing() {
    let now = Clock::new().now();
    let mut client = start(true, now);
    client.close(now);
    assert!(outgoing(&mut client).is_empty());
    assert_eq!(client.poll_timeout(), None);
}
