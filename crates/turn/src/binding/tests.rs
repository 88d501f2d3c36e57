use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

fn source() -> SocketAddr {
    "192.0.2.1:32853".parse().unwrap()
}

/// A Binding request with the given attributes and a right length.
fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut message = vec![0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend(*b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae");
    for (attribute, value) in attributes {
        message.extend(attribute.to_be_bytes());
        message.extend((value.len() as u16).to_be_bytes());
        message.extend(*value);
        message.resize(message.len().next_multiple_of(4), 0);
    }
    let length = (message.len() - 20) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
    message
}

/// The request of RFC 5769 §2.1, byte for byte.
const RFC5769_REQUEST: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x10STUN test client\
\x00\x24\x00\x04\x6e\x00\x01\xff\
\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\
\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

#[test]
fn the_mapped_address_is_that_of_rfc_5769() {
    // RFC 5769 §2.2: 192.0.2.1:32853 under this cookie.
    let answer = Binding::new().handle_datagram(source(), &request(&[])).unwrap();
    assert_eq!(answer.kind, Answered::Mapped);
    assert_eq!(answer.payload[..4], [0x01, 0x01, 0x00, 0x0c]);
    assert_eq!(
        answer.payload[20..],
        *b"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
    );
    // RFC 5769 §2.3: the same for IPv6.
    let source = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
    let answer = Binding::new().handle_datagram(source, &request(&[])).unwrap();
    assert_eq!(
        answer.payload[20..],
        *b"\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9"
    );
}

#[test]
fn an_ipv4_peer_of_a_dual_stack_socket_hears_its_ipv4_address() {
    let mapped = "[::ffff:192.0.2.1]:32853".parse().unwrap();
    let plain = Binding::new().handle_datagram(source(), &request(&[])).unwrap();
    assert_eq!(Binding::new().handle_datagram(mapped, &request(&[])).unwrap(), plain);
}

#[test]
fn a_fingerprint_is_checked_and_returned() {
    let mut binding = Binding::new();
    // The RFC's request has PRIORITY (0x0024), which is ICE's and unknown to a plain STUN server.
    let answer = binding.handle_datagram(source(), RFC5769_REQUEST).unwrap();
    assert_eq!(answer.kind, Answered::UnknownAttributes);
    let parsed = wire::parse(&answer.payload).unwrap();
    assert!(parsed.fingerprint);
    let mut forged = RFC5769_REQUEST.to_vec();
    forged[25] ^= 1;
    assert_eq!(binding.handle_datagram(source(), &forged), None);
    assert_eq!(binding.stats().bad_fingerprint, 1);
}

#[test]
fn unknown_required_attributes_are_named_once_each() {
    let mut binding = Binding::new();
    let strange = request(&[(0x7001, b"x"), (0x7002, b""), (0x7001, b"again"), (0x8fff, b"optional")]);
    let answer = binding.handle_datagram(source(), &strange).unwrap();
    assert_eq!(answer.kind, Answered::UnknownAttributes);
    assert_eq!(answer.payload[..2], [0x01, 0x11]);
    assert_eq!(answer.payload[20..28], [0x00, 0x09, 0x00, 21, 0, 0, 4, 20]);
    assert!(
        answer
            .payload
            .ends_with(&[0x00, 0x0a, 0x00, 0x04, 0x70, 0x01, 0x70, 0x02])
    );
    assert_eq!(binding.stats().unknown_attributes, 1);
}

#[test]
fn known_and_optional_attributes_do_no_harm() {
    let credentials = request(&[(0x0006, b"user"), (0x0008, &[0; 20]), (0x8022, b"a client")]);
    let answer = Binding::new().handle_datagram(source(), &credentials).unwrap();
    assert_eq!(answer.kind, Answered::Mapped);
}

#[test]
fn only_requests_are_answered() {
    let mut binding = Binding::new();
    // Indication, success, error; Allocate request.
    for kind in [[0x00, 0x11], [0x01, 0x01], [0x01, 0x11], [0x00, 0x03]] {
        let mut message = request(&[]);
        message[..2].copy_from_slice(&kind);
        assert_eq!(binding.handle_datagram(source(), &message), None);
    }
    assert_eq!(binding.stats().not_a_request, 4);
}

#[test]
fn what_is_not_well_formed_is_counted_and_dropped() {
    let mut binding = Binding::new();
    let good = request(&[(0x8022, b"abcd")]);
    let mut bad: Vec<Vec<u8>> = (0..good.len()).map(|length| good[..length].to_vec()).collect();
    for (offset, value) in [(0, 0x80), (0, 0x40), (4, 0x20), (3, 0x07), (3, 0x0c), (23, 0xff)] {
        let mut message = good.clone();
        message[offset] = value;
        bad.push(message);
    }
    // Something after FINGERPRINT.
    let mut late = RFC5769_REQUEST.to_vec();
    late.extend([0x80, 0x22, 0, 0]);
    late[3] += 4;
    for message in &bad {
        assert_eq!(binding.handle_datagram(source(), message), None, "{message:02x?}");
    }
    assert_eq!(binding.handle_datagram(source(), &late), None);
    let stats = binding.stats();
    assert_eq!(stats.malformed + stats.bad_fingerprint, bad.len() as u64 + 1);
    assert_eq!(stats.answered, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    /// Any bytes: no panic, each datagram counted once, and an answer never much longer than the question.
    #[test]
    fn any_bytes(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), stun: bool) {
        if stun && bytes.len() >= 20 {
            bytes.truncate(bytes.len() / 4 * 4);
            bytes[0] = 0;
            bytes[1] = 1;
            let length = (bytes.len() - 20) as u16;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        }
        let mut binding = Binding::new();
        let answer = binding.handle_datagram("[2001:db8::1]:9".parse().unwrap(), &bytes);
        let stats = binding.stats();
        let counted = [stats.answered, stats.unknown_attributes, stats.malformed, stats.bad_fingerprint, stats.not_a_request];
        prop_assert_eq!(counted.iter().sum::<u64>(), 1);
        if let Some(answer) = answer {
            prop_assert!(answer.payload.len() <= bytes.len() + 44);
            prop_assert!(wire::parse(&answer.payload).is_ok());
        }
    }
}
