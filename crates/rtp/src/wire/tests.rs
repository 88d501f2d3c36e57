use super::*;
use bytes::BytesMut;
use proptest::prelude::*;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        cases: 256,
        ..ProptestConfig::default()
    }
}

/// An RTP packet written out by hand: padding, marker, two CSRCs and a one-byte extension with padding between elements.
const FULL: [u8; 44] = [
    0xb2, 0xef, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe, // fixed header
    0, 0, 0, 1, 0, 0, 0, 2, // two CSRCs
    0xbe, 0xde, 0, 2, 0x10, 0xaa, 0x00, 0x00, 0x31, 0xbb, 0xcc, 0x00, // extension: id 1 one byte, id 3 two bytes
    1, 2, 3, 4, 5, 6, 7, 8, // payload
    0, 0, 0, 4, // padding
];

#[test]
fn rtp_packet_is_read_field_by_field() {
    let packet = RtpPacket::parse(&FULL).unwrap();
    assert!(packet.marker);
    assert_eq!(packet.payload_type, 111);
    assert_eq!(packet.sequence_number, 0x1234);
    assert_eq!(packet.timestamp, 0xdead_beef);
    assert_eq!(packet.ssrc, 0xcafe_babe);
    assert_eq!(packet.csrcs.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(packet.payload, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(packet.padding, 4);
    assert_eq!(packet.header_len(), 32);
    let elements: Vec<_> = packet.extensions().map(|element| (element.id, element.data)).collect();
    assert_eq!(elements, [(1, &[0xaa][..]), (3, &[0xbb, 0xcc][..])]);
}

#[test]
fn every_truncation_of_an_rtp_packet_is_an_error_or_a_shorter_payload() {
    for length in 0..FULL.len() {
        match RtpPacket::parse(&FULL[..length]) {
            Ok(packet) => assert!(
                packet.payload.len() + usize::from(packet.padding) <= length - 32,
                "{length}"
            ),
            Err(error) => assert!(
                matches!(error, ParseError::Truncated { .. } | ParseError::Padding(_)),
                "{length}: {error}"
            ),
        }
    }
}

#[test]
fn rtp_padding_must_fit_and_count_itself() {
    for (count, fits) in [(0, false), (1, true), (12, true), (13, false), (255, false)] {
        let mut packet = FULL;
        packet[43] = count;
        assert_eq!(RtpPacket::parse(&packet).is_ok(), fits, "{count}");
    }
}

#[test]
fn one_byte_ids_0_and_15_end_the_elements_and_two_byte_form_allows_empty_ones() {
    let one = HeaderExtension {
        profile: 0xbede,
        data: &[0x10, 1, 0xf0, 2, 0x20, 3],
    };
    assert_eq!(one.elements().map(|element| element.id).collect::<Vec<_>>(), [1]);
    let two = HeaderExtension {
        profile: 0x1007,
        data: &[200, 0, 0, 15, 2, 8, 9, 77, 99],
    };
    let elements: Vec<_> = two.elements().map(|element| (element.id, element.data)).collect();
    assert_eq!(
        elements,
        [(200, &[][..]), (15, &[8, 9][..])],
        "the last one promises 99 bytes that are not there"
    );
    assert_eq!(
        HeaderExtension {
            profile: 0x1234,
            data: &[0x10, 1]
        }
        .elements()
        .count(),
        0
    );
}

#[test]
fn headers_that_do_not_fit_are_refused_and_leave_nothing() {
    let long = [0u8; 256];
    let cases = [
        RtpHeader {
            payload_type: 128,
            ..RtpHeader::default()
        },
        RtpHeader {
            csrcs: &[0; 16],
            ..RtpHeader::default()
        },
        RtpHeader {
            extensions: &[Extension { id: 0, data: &[1] }],
            ..RtpHeader::default()
        },
        RtpHeader {
            extensions: &[Extension { id: 1, data: &long }],
            ..RtpHeader::default()
        },
    ];
    for header in cases {
        let mut out = BytesMut::new();
        assert!(header.emit(&mut out).is_err(), "{header:?}");
        assert!(out.is_empty());
    }
}

/// RFC 3550 §6.4.1 and §6.5 laid out by hand.
#[test]
fn compound_layout_is_that_of_the_rfc() {
    let info = SenderInfo {
        ntp: NtpTime(0x0102_0304_0506_0708),
        rtp_timestamp: 9,
        packet_count: 10,
        octet_count: 11,
    };
    let block = ReportBlock {
        ssrc: 0x22,
        fraction_lost: 0x80,
        cumulative_lost: -2,
        highest_sequence: 0x1_0003,
        jitter: 4,
        last_sr: 5,
        delay_since_last_sr: 6,
    };
    let mut writer = CompoundWriter::new();
    writer
        .sender_report(0x11, &info, &[block])
        .cname(0x11, "ab")
        .goodbye(&[0x11], "bye");
    let expected: Vec<u8> = [
        &[
            0x81, 200, 0, 12, 0, 0, 0, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9, 0, 0, 0, 10, 0, 0, 0, 11,
        ][..],
        &[
            0, 0, 0, 0x22, 0x80, 0xff, 0xff, 0xfe, 0, 1, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6,
        ],
        &[0x81, 202, 0, 3, 0, 0, 0, 0x11, 1, 2, b'a', b'b', 0, 0, 0, 0],
        &[0x81, 203, 0, 2, 0, 0, 0, 0x11, 3, b'b', b'y', b'e'],
    ]
    .concat();
    let datagram = writer.finish();
    assert_eq!(&datagram[..], &expected[..]);

    let compound = Compound::parse(&datagram).unwrap();
    assert!(!compound.is_reduced_size());
    let packets: Vec<_> = compound.packets().map(Result::unwrap).collect();
    let [
        RtcpPacket::SenderReport(report),
        RtcpPacket::SourceDescription(sdes),
        RtcpPacket::Goodbye(goodbye),
    ] = packets[..]
    else {
        panic!("{packets:?}")
    };
    assert_eq!((report.ssrc, report.info), (0x11, info));
    assert_eq!(report.reports.collect::<Vec<_>>(), [block]);
    let items: Vec<_> = sdes.items().collect();
    assert_eq!(
        items,
        [SdesItem {
            ssrc: 0x11,
            kind: SdesItem::CNAME,
            text: b"ab"
        }]
    );
    assert_eq!(goodbye.reason, Some(&b"bye"[..]));
}

#[test]
fn framing_of_rtcp_is_checked() {
    let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
    assert!(Compound::parse(&report).is_ok());
    assert_eq!(
        Compound::parse(&[]),
        Err(ParseError::Truncated {
            needed: 4,
            available: 0
        })
    );
    assert_eq!(
        Compound::parse(&[0x40, 201, 0, 1, 0, 0, 0, 1]),
        Err(ParseError::Version(1))
    );
    assert!(matches!(
        Compound::parse(&report[..7]),
        Err(ParseError::Truncated {
            needed: 8,
            available: 7
        })
    ));
    assert_eq!(
        Compound::parse(&[&report[..], &[0x80]].concat()),
        Err(ParseError::Trailing(1))
    );
    // Padding: on the last packet only, in words, and no longer than the packet.
    let padded = |count| [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, count];
    assert!(Compound::parse(&padded(4)).is_ok());
    for count in [0, 3, 12] {
        assert_eq!(Compound::parse(&padded(count)), Err(ParseError::Padding(count)));
    }
    assert!(Compound::parse(&[&padded(4)[..], &report].concat()).is_err());
}

#[test]
fn a_broken_packet_does_not_hide_the_next() {
    // A receiver report that promises one block and has none, then a goodbye.
    let datagram = [0x81, 201, 0, 1, 0, 0, 0, 1, 0x81, 203, 0, 1, 0, 0, 0, 1];
    let packets: Vec<_> = Compound::parse(&datagram).unwrap().packets().collect();
    assert!(packets[0].is_err());
    assert!(matches!(packets[1], Ok(RtcpPacket::Goodbye(_))));
    assert_eq!(packets.len(), 2);
}

/// The datagrams on which other stacks were seen to panic.
#[test]
fn known_killers_are_only_errors() {
    for datagram in [
        &[0x81, 0xcd, 0, 1, 0, 0, 0x2d, 0][..],
        &[0x80, 0xc8, 0, 0],
        &[0x80, 0xc8, 0, 0, 0, 0, 0, 0],
    ] {
        if let Ok(compound) = Compound::parse(datagram) {
            assert!(compound.packets().all(|packet| packet.is_err()), "{datagram:?}");
        }
    }
    // A header extension whose two-byte element points behind the packet.
    let rtp = [0x90, 0x6f, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x10, 0, 0, 1, 1, 255, 0, 0];
    assert_eq!(RtpPacket::parse(&rtp).unwrap().extensions().count(), 0);
}

#[test]
fn extended_reports_round_trip_and_skip_the_unknown() {
    let answers = [
        DlrrReport {
            ssrc: 7,
            last_rr: 8,
            delay_since_last_rr: 9,
        },
        DlrrReport::default(),
    ];
    let mut writer = CompoundWriter::new();
    writer
        .receiver_reference_time(1, NtpTime(0xabc))
        .delay_since_last_rr(1, &answers);
    let datagram = writer.finish();
    let mut blocks = Vec::new();
    for packet in Compound::parse(&datagram).unwrap().packets() {
        let Ok(RtcpPacket::ExtendedReport(report)) = packet else {
            panic!("{packet:?}")
        };
        assert_eq!(report.ssrc, 1);
        blocks.extend(report.blocks());
    }
    assert_eq!(blocks[0], XrBlock::ReceiverReferenceTime(NtpTime(0xabc)));
    let XrBlock::DelaySinceLastRr(read) = blocks[1] else {
        panic!("{blocks:?}")
    };
    assert_eq!(read.collect::<Vec<_>>(), answers);

    // An unknown block, then one that promises more words than there are.
    let odd = [0x80, 207, 0, 4, 0, 0, 0, 1, 99, 0, 0, 1, 1, 2, 3, 4, 4, 0, 0, 2];
    let Some(Ok(RtcpPacket::ExtendedReport(report))) = Compound::parse(&odd).unwrap().packets().next() else {
        panic!()
    };
    assert_eq!(
        report.blocks().collect::<Vec<_>>(),
        [XrBlock::Unknown {
            block_type: 99,
            data: &[1, 2, 3, 4]
        }]
    );
}

#[test]
fn demultiplexing_follows_rfc_5761_and_7983() {
    assert_eq!(demultiplex(&[0x80, 111]), Some(Kind::Rtp));
    assert_eq!(demultiplex(&[0x80, 0x80 | 111]), Some(Kind::Rtp));
    for packet_type in 192..=223 {
        assert_eq!(demultiplex(&[0xbf, packet_type]), Some(Kind::Rtcp));
    }
    for first in [0, 3, 20, 63, 64, 127, 192, 255] {
        assert_eq!(demultiplex(&[first, 200]), None, "{first}");
    }
    assert_eq!(demultiplex(&[0x80]), None);
}

#[test]
fn long_texts_are_cut_between_characters() {
    let text = "ä".repeat(200);
    let mut writer = CompoundWriter::new();
    writer.receiver_report(1, &[]).goodbye(&[1], &text);
    let datagram = writer.finish();
    let Some(Ok(RtcpPacket::Goodbye(goodbye))) = Compound::parse(&datagram).unwrap().packets().nth(1) else {
        panic!()
    };
    assert_eq!(goodbye.reason.unwrap(), "ä".repeat(127).as_bytes());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rtp_round_trips(
        marker: bool, payload_type in 0u8..128, sequence_number: u16, timestamp: u32, ssrc: u32,
        csrcs in prop::collection::vec(any::<u32>(), 0..=15),
        elements in prop::collection::vec((1u8..=255, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let extensions: Vec<_> = elements.iter().map(|(id, data)| Extension { id: *id, data }).collect();
        let header = RtpHeader { marker, payload_type, sequence_number, timestamp, ssrc, csrcs: &csrcs, extensions: &extensions };
        let mut out = BytesMut::new();
        header.emit(&mut out).unwrap();
        prop_assert_eq!(out.len(), header.emitted_len().unwrap());
        out.extend_from_slice(&payload);
        let packet = RtpPacket::parse(&out).unwrap();
        prop_assert_eq!(packet.header_len() + packet.payload.len(), out.len());
        prop_assert_eq!(packet.payload, &payload[..]);
        prop_assert_eq!(
            (packet.marker, packet.payload_type, packet.sequence_number, packet.timestamp, packet.ssrc),
            (marker, payload_type, sequence_number, timestamp, ssrc)
        );
        prop_assert_eq!(packet.csrcs.collect::<Vec<_>>(), csrcs);
        prop_assert_eq!(packet.extensions().collect::<Vec<_>>(), extensions);
    }

    #[test]
    fn nacks_round_trip(start: u16, gaps in prop::collection::vec(1u16..40, 1..100)) {
        let mut numbers = vec![start];
        for gap in gaps {
            numbers.push(numbers[numbers.len() - 1].wrapping_add(gap));
        }
        let mut writer = CompoundWriter::new();
        let datagram = writer.generic_nack(1, 2, &numbers).finish();
        let compound = Compound::parse(&datagram).unwrap();
        prop_assert!(compound.is_reduced_size());
        let Some(Ok(RtcpPacket::TransportFeedback(feedback))) = compound.packets().next() else { panic!() };
        prop_assert_eq!(feedback.nacks().collect::<Vec<_>>(), numbers);
    }

    #[test]
    fn report_blocks_round_trip(
        ssrc: u32, fraction_lost: u8, cumulative_lost in -0x80_0000..0x80_0000i32, highest_sequence: u32, jitter: u32, last_sr: u32,
        count in 0usize..40,
    ) {
        let block = ReportBlock { ssrc, fraction_lost, cumulative_lost, highest_sequence, jitter, last_sr, delay_since_last_sr: 1 };
        let mut writer = CompoundWriter::new();
        let datagram = writer.receiver_report(1, &vec![block; count]).finish();
        let Some(Ok(RtcpPacket::ReceiverReport(report))) = Compound::parse(&datagram).unwrap().packets().next() else { panic!() };
        prop_assert_eq!(report.reports.collect::<Vec<_>>(), vec![block; count.min(31)]);
    }

    #[test]
    fn any_bytes_are_read_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), packet_type in 199u8..=208) {
        if let Ok(packet) = RtpPacket::parse(&bytes) {
            prop_assert!(packet.header_len() + packet.payload.len() + usize::from(packet.padding) == bytes.len());
            prop_assert!(packet.extensions().count() <= bytes.len());
        }
        // Made to look like RTCP that fills the datagram, so that the packets inside are reached.
        bytes.truncate(bytes.len() / 4 * 4);
        if bytes.len() >= 4 {
            bytes[0] = 0x80 | (bytes[0] & 0x1f);
            bytes[1] = packet_type;
            let words = (bytes.len() / 4 - 1) as u16;
            bytes[2..4].copy_from_slice(&words.to_be_bytes());
            let compound = Compound::parse(&bytes).unwrap();
            for packet in compound.packets().flatten() {
                match packet {
                    RtcpPacket::SourceDescription(sdes) => prop_assert!(sdes.items().count() <= bytes.len()),
                    RtcpPacket::ExtendedReport(report) => prop_assert!(report.blocks().count() <= bytes.len() / 4),
                    RtcpPacket::TransportFeedback(feedback) => prop_assert!(feedback.nacks().count() <= 17 * bytes.len() / 4),
                    _ => {}
                }
            }
        }
    }
}
