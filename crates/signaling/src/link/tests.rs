use super::*;
use crate::ids::PartyId;
use crate::{ClientMessage, ServerMessage};

fn connected(party: u32) -> ClientMessage {
    ClientMessage::Connected { party: PartyId(party) }
}

fn numbered(seq: u64) -> Envelope<ServerMessage> {
    Envelope {
        v: VERSION,
        seq,
        ack: 0,
        msg: ServerMessage::WaitConnected,
    }
}

#[test]
fn nothing_goes_out_without_a_connection() {
    let mut link = Link::new();
    link.send(connected(1)).unwrap();
    assert_eq!(link.poll_transmit(), None);
    link.restart();
    assert_eq!(link.poll_transmit().map(|envelope| envelope.seq), Some(1));
    assert_eq!(link.poll_transmit(), None);
    assert!(!link.is_drained());
}

#[test]
fn duplicates_and_gaps_are_dropped_and_counted() {
    let mut link = Link::<ClientMessage>::new();
    link.restart();
    assert!(link.handle(numbered(1)).is_some());
    assert!(link.handle(numbered(1)).is_none());
    assert!(link.handle(numbered(3)).is_none());
    assert_eq!(link.received(), 1);
    assert_eq!(
        link.stats(),
        Stats {
            duplicates: 1,
            gaps: 1,
            ..Stats::default()
        }
    );
    assert_eq!(link.poll_transmit(), Some(Envelope::unnumbered(ClientMessage::Ack, 1)));
    assert_eq!(link.poll_transmit(), None);
}

#[test]
fn a_message_carries_the_acknowledgement_along() {
    let mut link = Link::new();
    link.restart();
    link.handle(numbered(1));
    link.send(connected(1)).unwrap();
    assert_eq!(
        link.poll_transmit().map(|envelope| (envelope.seq, envelope.ack)),
        Some((1, 1))
    );
    assert_eq!(link.poll_transmit(), None);
}

#[test]
fn a_restart_gives_new_numbers_to_what_is_left() {
    let mut link = Link::new();
    link.restart();
    for party in 1..=3 {
        link.send(connected(party)).unwrap();
    }
    while link.poll_transmit().is_some() {}
    link.handle(Envelope::unnumbered(ServerMessage::Ack, 2));
    link.close();
    link.restart();
    assert_eq!(
        link.poll_transmit().map(|envelope| (envelope.seq, envelope.msg)),
        Some((1, connected(3)))
    );
    assert_eq!(link.stats().replayed, 1);
}

#[test]
fn a_peer_with_another_memory_is_found_out() {
    let mut link = Link::new();
    link.restart();
    link.send(connected(1)).unwrap();
    link.send(connected(2)).unwrap();
    link.handle(Envelope::unnumbered(ServerMessage::Ack, 1));
    link.close();
    assert_eq!(
        link.resume(0),
        Err(LinkError::OutOfStep {
            ack: 0,
            first: 1,
            last: 2
        })
    );
    assert_eq!(
        link.resume(3),
        Err(LinkError::OutOfStep {
            ack: 3,
            first: 1,
            last: 2
        })
    );
    assert_eq!(link.resume(2), Ok(()));
    assert!(link.is_drained());
}

#[test]
fn an_acknowledgement_of_the_future_is_ignored() {
    let mut link = Link::new();
    link.restart();
    link.send(connected(1)).unwrap();
    link.handle(Envelope::unnumbered(ServerMessage::Ack, 9));
    assert!(!link.is_drained());
    assert_eq!(link.stats().bad_acks, 1);
}

#[test]
fn the_queue_is_bounded_in_messages_and_bytes() {
    let mut link = Link::new();
    for party in 0..256 {
        link.send(connected(party)).unwrap();
    }
    assert!(matches!(
        link.send(connected(0)),
        Err(LinkError::Full { messages: 256, .. })
    ));

    let mut link = Link::new();
    let long = ClientMessage::Reveal {
        nonce: "x".repeat(10_000),
    };
    let sent = (0..10).take_while(|_| link.send(long.clone()).is_ok()).count();
    assert_eq!(sent, 6);
}
