use proptest::prelude::*;

use super::{RtpHeader, rtcp_ssrc};

#[test]
fn csrcs_and_extension_count_as_header() {
    let mut packet = vec![0x92, 0x6f, 0x12, 0x34, 0, 0, 0, 1, 0xca, 0xfe, 0xba, 0xbe];
    packet.extend_from_slice(&[0; 8]);
    packet.extend_from_slice(&[0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0]);
    let expected = RtpHeader {
        sequence: 0x1234,
        ssrc: 0xcafe_babe,
        len: 28,
    };
    assert_eq!(RtpHeader::parse(&packet), Some(expected), "an empty payload is allowed");
    assert_eq!(RtpHeader::parse(&packet[..27]), None, "the extension is cut");
    assert_eq!(
        RtpHeader::parse(&packet[..21]),
        None,
        "the extension's own header is cut"
    );
    packet[0] = 0x52;
    assert_eq!(RtpHeader::parse(&packet), None, "version 1");
}

#[test]
fn rtcp_needs_eight_bytes_of_version_two() {
    assert_eq!(rtcp_ssrc(&[0x80, 201, 0, 1, 0, 0, 0, 9]), Some(9));
    assert_eq!(rtcp_ssrc(&[0x80, 201, 0, 1, 0, 0, 0]), None);
    assert_eq!(rtcp_ssrc(&[0x40, 201, 0, 1, 0, 0, 0, 9]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_parsed_header_lies_within_the_packet(packet in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Some(header) = RtpHeader::parse(&packet) {
            prop_assert!((12..=packet.len()).contains(&header.len));
        }
    }
}
