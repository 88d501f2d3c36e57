//! Redundant payloads and header extensions.

use super::*;
use crate::Red;

/// Packets that `session` sends.
fn sent(session: &mut Session) -> Vec<Bytes> {
    std::iter::from_fn(|| session.poll_output())
        .filter_map(|output| {
            if let Output::Rtp(packet) = output {
                Some(packet)
            } else {
                None
            }
        })
        .collect()
}

fn with_red(send: bool) -> Formats {
    Formats {
        red: Some(Red { payload_type: 63, send }),
        ..Formats::plain(111)
    }
}

fn red_session(ssrc: u32, send: bool, now: Instant) -> Session {
    let config = Config {
        formats: with_red(send),
        ..Config::new(ssrc, "red")
    };
    Session::new(config, [7; 32], now)
}

/// Sequence, timestamp, payload, and whether it is a copy.
fn delivered(session: &mut Session) -> Vec<(u64, u64, Bytes, bool)> {
    events(session)
        .into_iter()
        .filter_map(|event| match event {
            Event::Packet(packet) => Some((packet.sequence, packet.timestamp, packet.payload, packet.redundant)),
            _ => None,
        })
        .collect()
}

#[test]
fn each_packet_repeats_the_one_before_it_and_repairs_its_loss() {
    let now = base();
    let mut alice = red_session(1, true, now);
    let mut bob = red_session(2, true, now);
    for payload in [&b"one"[..], b"two", b"three", b"four", b"five"] {
        alice.send(payload, 960, false, now);
    }
    let packets = sent(&mut alice);
    let first = RtpPacket::parse(&packets[0]).unwrap();
    assert_eq!((first.payload_type, first.payload), (63, &b"\x6fone"[..]));
    let second = RtpPacket::parse(&packets[1]).unwrap();
    // 960 units back, three bytes.
    assert_eq!(second.payload, b"\xef\x0f\x00\x03\x6fonetwo");
    let stats = alice.stats();
    assert_eq!(stats.redundant_bytes_sent, 4 * 4 + 3 + 3 + 5 + 4);
    assert_eq!(stats.bytes_sent, stats.redundant_bytes_sent + 5 + 3 + 3 + 5 + 4 + 4);

    // The third is lost; the second comes after the fourth, and the fourth twice.
    for index in [0, 3, 1, 3, 4] {
        bob.handle_rtp(packets[index].clone(), now);
    }
    let heard = delivered(&mut bob);
    let base = heard[0].0;
    let told: Vec<_> = heard
        .iter()
        .map(|(at, _, payload, copy)| (at - base, &payload[..], *copy))
        .collect();
    assert_eq!(
        told,
        [
            (0, &b"one"[..], false),
            (2, b"three", true),
            (3, b"four", false),
            (1, b"two", false),
            (4, b"five", false),
        ]
    );
    assert!(
        heard
            .iter()
            .all(|(at, timestamp, ..)| timestamp - heard[0].1 == 960 * (at - base))
    );
    let stats = bob.stats();
    assert_eq!((stats.redundant_blocks_received, stats.redundant_blocks_used), (3, 1));
    // What the network lost stays lost in the reports, whatever was repaired.
    assert_eq!((stats.packets_lost, stats.packets_duplicated), (0, 1));
}

#[test]
fn a_packet_whose_copy_was_taken_is_not_delivered_again() {
    let now = base();
    let mut alice = red_session(1, true, now);
    let mut bob = red_session(2, true, now);
    for payload in [&b"one"[..], b"two", b"three"] {
        alice.send(payload, 960, false, now);
    }
    let packets = sent(&mut alice);
    for index in [0, 2, 1, 1] {
        bob.handle_rtp(packets[index].clone(), now);
    }
    let payloads: Vec<_> = delivered(&mut bob)
        .into_iter()
        .map(|(_, _, payload, _)| payload)
        .collect();
    assert_eq!(payloads, [&b"one"[..], b"two", b"three"]);
    let stats = bob.stats();
    assert_eq!(
        (stats.packets_received, stats.packets_duplicated, stats.packets_lost),
        (4, 1, -1)
    );
}

#[test]
fn silence_ends_the_repetition() {
    let now = base();
    let mut alice = red_session(1, true, now);
    alice.send(b"one", 960, false, now);
    // Just too long for fourteen bits.
    alice.skip(16_384 - 960);
    alice.send(b"two", 960, true, now);
    alice.send(b"three", 960, false, now);
    let lengths: Vec<_> = sent(&mut alice).iter().map(|packet| packet.len() - 12).collect();
    assert_eq!(lengths, [1 + 3, 1 + 3, 5 + 3 + 5]);
}

#[test]
fn redundancy_is_understood_without_being_sent_and_refused_without_being_agreed_on() {
    let now = base();
    let mut alice = red_session(1, true, now);
    alice.send(b"one", 960, false, now);
    let packet = sent(&mut alice).remove(0);

    let mut modest = red_session(2, false, now);
    modest.handle_rtp(packet.clone(), now);
    assert_eq!(delivered(&mut modest).len(), 1);
    modest.send(b"answer", 960, false, now);
    let answer = sent(&mut modest).remove(0);
    let answer = RtpPacket::parse(&answer).unwrap();
    assert_eq!((answer.payload_type, answer.payload), (111, &b"answer"[..]));

    let mut plain = session(now);
    plain.handle_rtp(packet.clone(), now);
    assert_eq!(delivered(&mut plain).len(), 0);
    assert_eq!(plain.stats().unknown_payload_type, 1);
    // Agreed on later: Firefox's number of Opus, within the same redundant format.
    plain.set_formats(Formats {
        payload_type: 109,
        receive_payload_types: vec![109, 111],
        ..with_red(true)
    });
    plain.send(b"answer", 960, false, now);
    let answer = sent(&mut plain).remove(0);
    assert_eq!(&answer[12..], b"\x6danswer");
}

#[test]
fn redundant_payloads_that_are_none_are_counted() {
    let now = base();
    let mut session = red_session(1, true, now);
    let packet = |sequence_number: u16, payload: &[u8]| {
        let mut out = BytesMut::new();
        let header = RtpHeader {
            payload_type: 63,
            sequence_number,
            timestamp: 960 * u32::from(sequence_number),
            ssrc: 7,
            ..RtpHeader::default()
        };
        header.emit(&mut out).unwrap();
        out.extend_from_slice(payload);
        out.freeze()
    };
    session.handle_rtp(packet(1, b"\x80"), now);
    session.handle_rtp(packet(2, b""), now);
    // Copies of the packet itself, of nothing, and of what was not agreed on; at last one with a copy from before the first packet.
    session.handle_rtp(packet(5, b"\xef\x00\x00\x01\x6fab"), now);
    session.handle_rtp(packet(7, b"\xef\x0f\x00\x00\x6fb"), now);
    session.handle_rtp(packet(9, b"\xe0\x0f\x00\x01\x6fab"), now);
    session.handle_rtp(packet(10, b"\x6f"), now);
    assert_eq!(delivered(&mut session).len(), 3);
    let stats = session.stats();
    assert_eq!((stats.red_malformed, stats.unknown_payload_type), (2, 1));
    assert_eq!((stats.redundant_blocks_received, stats.redundant_blocks_used), (3, 0));
}

#[test]
fn levels_travel_in_the_header_where_agreed_on() {
    let now = base();
    let agreed = Formats {
        audio_level: Some(1),
        ..Formats::default()
    };
    let (mut alice, mut bob) = (session(now), Session::new(Config::new(2, "two"), [8; 32], now));
    let loud = AudioLevel {
        voice: true,
        below_overload: 20,
    };
    alice.set_level(Some(loud));
    alice.send(b"x", 960, false, now);
    assert_eq!(sent(&mut alice)[0].len(), 13, "not agreed on");
    alice.set_formats(agreed.clone());
    bob.set_formats(agreed);
    alice.send(b"x", 960, false, now);
    let packet = sent(&mut alice).remove(0);
    assert_eq!(alice.stats().header_bytes_sent, 12 + 20);
    bob.handle_rtp(packet, now);
    let level = bob.stats().audio_level.unwrap();
    assert!((level - 0.1).abs() < 1e-9, "{level}");
}

#[test]
fn packets_with_a_transport_wide_number_are_answered() {
    let now = base();
    let mut session = session(now);
    session.set_formats(Formats {
        transport_wide: Some(3),
        ..Formats::default()
    });
    for (number, at) in [(500u16, 0), (501, 20), (503, 60)] {
        let mut out = BytesMut::new();
        let header = RtpHeader {
            payload_type: 111,
            sequence_number: number,
            timestamp: 960 * u32::from(number),
            ssrc: 7,
            // `mid`, which says nothing that is not known, and the number.
            extensions: &[
                Extension { id: 4, data: b"0" },
                Extension {
                    id: 3,
                    data: &number.to_be_bytes(),
                },
            ],
            ..RtpHeader::default()
        };
        header.emit(&mut out).unwrap();
        out.extend_from_slice(b"frame");
        session.handle_rtp(out.freeze(), now + ms(at));
    }
    let mut feedback = Vec::new();
    while let Some(due) = session.poll_timeout().filter(|due| *due <= now + ms(150)) {
        session.handle_timeout(due);
        while let Some(output) = session.poll_output() {
            let Output::Rtcp(datagram) = output else { continue };
            let compound = Compound::parse(&datagram).unwrap();
            for packet in compound.packets() {
                if let Ok(RtcpPacket::TransportFeedback(message)) = packet {
                    feedback.push((due - now, message.format, message.media_ssrc, message.control.to_vec()));
                }
            }
        }
    }
    // Base 500, four packets, reference 0, message 0; a vector of two small deltas, a loss and a small delta: 0, 20 and 40 ms.
    let control = vec![0x01, 0xf4, 0, 4, 0, 0, 0, 0, 0xd4, 0x40, 0, 80, 160, 0, 0, 0];
    assert_eq!(feedback, [(ms(100), 15, 7, control)]);
    assert_eq!(session.stats().transport_feedback_sent, 1);
}
