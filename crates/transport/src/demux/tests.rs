use super::{Kind, classify, is_client_hello};

#[test]
fn every_first_byte_has_its_protocol() {
    for first in 0..=255_u8 {
        let expected = match first {
            0..=3 => Kind::Stun,
            20..=63 => Kind::Dtls,
            128..=191 => Kind::Srtp,
            _ => Kind::Unknown,
        };
        assert_eq!(classify(&[first, 111, 0]), expected, "{first}");
    }
    assert_eq!(classify(&[]), Kind::Unknown);
    assert_eq!(classify(&[0x80]), Kind::Unknown, "one byte is neither RTP nor RTCP");
}

#[test]
fn rtcp_is_told_from_rtp_with_marker() {
    assert_eq!(classify(&[0x80, 200]), Kind::Srtcp);
    assert_eq!(classify(&[0x81, 223]), Kind::Srtcp);
    assert_eq!(classify(&[0x80, 0x80 | 111]), Kind::Srtp);
    assert_eq!(classify(&[0x80, 191]), Kind::Srtp);
    assert_eq!(classify(&[0x80, 224]), Kind::Srtp);
}

#[test]
fn only_a_client_hello_begins_an_association() {
    let mut hello = vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    assert!(is_client_hello(&hello));
    assert!(!is_client_hello(&hello[..13]));
    hello[13] = 2;
    assert!(!is_client_hello(&hello));
    hello[13] = 1;
    hello[4] = 1;
    assert!(!is_client_hello(&hello));
}
