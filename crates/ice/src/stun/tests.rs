use proptest::prelude::*;

use super::*;

/// RFC 5769 §2.1: a request with ICE attributes. USERNAME `evtj:h6vY`.
const REQUEST: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\
\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

/// RFC 5769 §2.2: the answer, mapped address 192.0.2.1:32853.
const RESPONSE_V4: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x0btest vector\x20\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
\x80\x28\x00\x04\xc0\x7d\x4c\x96";

/// RFC 5769 §2.3: the answer over IPv6.
const RESPONSE_V6: &[u8] = b"\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x0btest vector\x20\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\
\xd2\xb9\xd9\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41\
\x80\x28\x00\x04\xc8\xfb\x0b\x4c";

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

#[test]
fn the_vectors_of_rfc_5769_are_read() {
    let key = Key::new(PASSWORD);
    let request = Message::parse(REQUEST).unwrap();
    assert_eq!(request.class, Class::Request);
    assert_eq!(request.username, Some("evtj:h6vY"));
    assert_eq!(request.priority, Some(0x6e00_01ff));
    assert_eq!(request.role, Some(RoleAttribute::Controlled(0x932f_f9b1_5126_3b36)));
    assert!(!request.use_candidate && request.unknown.is_empty());
    assert!(request.is_signed_by(&key));
    assert!(!request.is_signed_by(&Key::new("VOkJxbRl1RmTxUk/WvJxBT")));

    for (data, mapped) in [
        (RESPONSE_V4, "192.0.2.1:32853"),
        (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let response = Message::parse(data).unwrap();
        assert_eq!(response.class, Class::Success);
        assert_eq!(response.transaction, request.transaction);
        assert_eq!(response.mapped, Some(mapped.parse().unwrap()));
        assert!(response.is_signed_by(&key));
    }
}

#[test]
fn what_is_written_is_read_back() {
    let key = Key::new(PASSWORD);
    let payload = vec![9; 301];
    let data = check(
        7,
        &Check {
            username: "them:us",
            priority: 1234,
            use_candidate: true,
            nomination: Some(3),
            asks: Some(2),
            role: RoleAttribute::Controlling(99),
            payload: Some(&payload),
        },
        &key,
    );
    let message = Message::parse(&data).unwrap();
    assert_eq!(message.username, Some("them:us"));
    assert_eq!((message.transaction, message.priority), (7, Some(1234)));
    assert_eq!(message.role, Some(RoleAttribute::Controlling(99)));
    assert!(message.use_candidate && message.is_signed_by(&key));
    assert_eq!((message.nomination, message.asks), (Some(3), Some(2)));
    assert_eq!(message.payload, Some(payload.as_slice()));

    for source in ["192.0.2.1:5", "[2001:db8::5]:6"] {
        let source = source.parse().unwrap();
        let data = success(8, source, None, Some(&key));
        let message = Message::parse(&data).unwrap();
        assert_eq!((message.class, message.mapped), (Class::Success, Some(source)));
        assert!(message.is_signed_by(&key));
    }
    let data = role_conflict(9, &key);
    let message = Message::parse(&data).unwrap();
    assert_eq!((message.class, message.error), (Class::Error, Some(487)));
    assert!(message.is_signed_by(&key));
    let data = unknown_attributes(9, &[0x7f01, 2], &key);
    assert_eq!(Message::parse(&data).unwrap().error, Some(420));
    let data = server_request(10);
    assert!(!Message::parse(&data).unwrap().is_signed_by(&key), "nothing was signed");
}

/// RFC 8489 §14.5: what comes after the signature is not covered by it.
#[test]
fn attributes_behind_the_signature_are_ignored() {
    let key = Key::new(PASSWORD);
    let mut data = REQUEST[..REQUEST.len() - 8].to_vec();
    data.extend([0x00, 0x25, 0, 0]);
    let length = u16::try_from(data.len() - 20).unwrap().to_be_bytes();
    data[2..4].copy_from_slice(&length);
    let message = Message::parse(&data).unwrap();
    assert!(message.is_signed_by(&key));
    assert!(!message.use_candidate);
}

#[test]
fn unknown_attributes_are_told_by_the_half_they_are_in() {
    let key = Key::new(PASSWORD);
    let mut writer = Writer::new(MessageClass::Request, 1);
    writer.put(0x7f00, &[1, 2, 3]);
    writer.put(0xff00, &[1, 2, 3]);
    let data = writer.finish(Some(&key));
    assert_eq!(Message::parse(&data).unwrap().unknown, [0x7f00]);
}

#[test]
fn what_is_not_one_whole_binding_message_is_refused() {
    assert!(Message::parse(REQUEST).is_some());
    for end in 0..REQUEST.len() {
        assert!(Message::parse(&REQUEST[..end]).is_none(), "cut at {end}");
    }
    let mut longer = REQUEST.to_vec();
    longer.push(0);
    assert!(Message::parse(&longer).is_none(), "bytes behind the end");
    let mut allocate = server_request(1);
    allocate[1] = 3;
    assert!(Message::parse(&allocate).is_none(), "another method");
    // FINGERPRINT, the last 8 bytes, is not signed: turned into an unknown attribute it means nothing.
    for bit in 0..(REQUEST.len() - 8) * 8 {
        let mut forged = REQUEST.to_vec();
        forged[bit / 8] ^= 1 << (bit % 8);
        let accepted = Message::parse(&forged).is_some_and(|m| m.is_signed_by(&Key::new(PASSWORD)));
        assert!(!accepted, "bit {bit}");
    }
}

/// A signed request with a further attribute of this type.
pub(crate) fn request_with(username: &str, kind: u16, key: &Key) -> Vec<u8> {
    let mut writer = Writer::new(MessageClass::Request, 5);
    writer.put(USERNAME, username.as_bytes());
    writer.put(kind, &[1]);
    writer.finish(Some(key))
}

/// A signed success answer with a further attribute of this type.
pub(crate) fn success_with(transaction: Transaction, kind: u16, key: &Key) -> Vec<u8> {
    let mut writer = Writer::new(MessageClass::Success, transaction);
    writer.put_attribute(&XorMappedAddress::new(
        "192.0.2.1:5000".parse().unwrap(),
        transaction.into(),
    ));
    writer.put(kind, &[1]);
    writer.finish(Some(key))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::parse(&data);
    }

    /// A sound header and attributes of every kind with any length and content.
    #[test]
    fn any_attributes_are_taken(
        class in 0u8..4,
        attributes in prop::collection::vec((
            prop::sample::select(vec![1u16, 6, 8, 9, 10, 0x14, 0x1c, 0x20, 0x24, 0x25, 0x8028, 0x8029, 0x802a, 0xc0d5, 0x7fff]),
            prop::collection::vec(any::<u8>(), 0..40),
            -1i32..2,
        ), 0..8),
        by in -1i32..2,
    ) {
        let mut body = Vec::new();
        for (kind, value, off) in attributes {
            // Mostly honest lengths: a lie in each would end the walk at the first attribute.
            let length = if off == 1 { value.len() as u16 + 1 } else { value.len() as u16 };
            body.extend(kind.to_be_bytes());
            body.extend(length.to_be_bytes());
            body.extend(&value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let length = (body.len() as i32 + if by == 1 { 4 } else { 0 }) as u16;
        let mut data = vec![class >> 1, 1 | (class & 1) << 4];
        data.extend(length.to_be_bytes());
        data.extend([0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        data.extend(&body);
        if let Some(message) = Message::parse(&data) {
            prop_assert!(!message.is_signed_by(&Key::new(PASSWORD)));
        }
    }
}
