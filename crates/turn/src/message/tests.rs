use proptest::prelude::*;

use super::*;

#[test]
fn what_is_written_is_read() {
    for address in ["192.0.2.1:5000", "[2001:db8::1]:1"] {
        let address: SocketAddr = address.parse().unwrap();
        let mut builder = Builder::new(method::CHANNEL_BIND, Class::Request, [3; 12]);
        builder.push(attribute::CHANNEL_NUMBER, &[0x40, 0x01, 0, 0]);
        builder.push_address(attribute::XOR_PEER_ADDRESS, address);
        builder.push(attribute::DATA, b"odd");
        builder.push(attribute::LIFETIME, &77_u32.to_be_bytes());
        builder.push_fingerprint();
        let bytes = builder.finish();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.method, message.class), (method::CHANNEL_BIND, Class::Request));
        assert_eq!(message.channel, Some(0x4001));
        assert_eq!(message.peer, Some(address));
        assert_eq!(message.data, Some(&b"odd"[..]));
        assert_eq!(message.lifetime, Some(77));
        assert!(message.fingerprint && !message.bad_value && message.unknown.is_empty());
    }
}

#[test]
fn all_peers_are_found_and_none_after_the_integrity() {
    let mut builder = Builder::new(method::CREATE_PERMISSION, Class::Request, [3; 12]);
    let peers: Vec<SocketAddr> = (1..5).map(|n| ([91, 0, 0, n], 0).into()).collect();
    for peer in &peers[..3] {
        builder.push_address(attribute::XOR_PEER_ADDRESS, *peer);
    }
    builder.push_integrity(attribute::MESSAGE_INTEGRITY, 20, |_| vec![0; 20]);
    builder.push_address(attribute::XOR_PEER_ADDRESS, peers[3]);
    builder.push(0x7abc, &[]);
    let bytes = builder.finish();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.peers().collect::<Vec<_>>(), peers[..3]);
    assert!(message.unknown.is_empty(), "what is not authenticated does not count");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut message = vec![0, 3];
        message.extend(((bytes.len() / 4 * 4) as u16).to_be_bytes());
        message.extend(COOKIE);
        message.extend([0; 12]);
        message.extend(&bytes[..bytes.len() / 4 * 4]);
        for bytes in [&bytes, &message] {
            if let Ok(message) = Message::parse(bytes) {
                prop_assert!(message.peers().count() <= bytes.len() / 12);
            }
        }
    }
}
