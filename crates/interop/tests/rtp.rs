//! `rtp::wire` against `rtp`/`rtcp` 0.17 and `rtc-rtp`/`rtc-rtcp` 0.21, on valid packets, both ways.
#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::{Bytes, BytesMut};
use duologue_rtp::wire::{
    Compound, CompoundWriter, Extension, NtpTime, ReportBlock, RtcpPacket, RtpHeader, RtpPacket, SenderInfo,
    TransportWideFeedback,
};

const SSRC: u32 = 0xCAFE_0001;
const PEER: u32 = 0xCAFE_0002;

/// A header: marker, payload type, CSRCs, extension elements.
type Shape = (bool, u8, Vec<u32>, Vec<(u8, Vec<u8>)>);

/// Headers of every shape.
fn shapes() -> Vec<Shape> {
    vec![
        (false, 111, vec![], vec![]),
        (true, 63, vec![7], vec![]),
        (false, 127, (0..15).collect(), vec![(1, vec![0x42])]),
        (
            true,
            0,
            vec![1, 2],
            vec![(1, vec![0x85]), (3, vec![1, 2, 3]), (14, vec![9; 16])],
        ),
        // An element that only the two-byte form can carry.
        (false, 96, vec![], vec![(1, vec![0x85]), (200, vec![5; 40])]),
    ]
}

fn emitted(shape: &Shape, sequence_number: u16) -> Vec<u8> {
    let extensions: Vec<Extension<'_>> = shape.3.iter().map(|(id, data)| Extension { id: *id, data }).collect();
    let header = RtpHeader {
        marker: shape.0,
        payload_type: shape.1,
        sequence_number,
        timestamp: 0xFFFF_FFF0,
        ssrc: SSRC,
        csrcs: &shape.2,
        extensions: &extensions,
    };
    let mut packet = BytesMut::new();
    header.emit(&mut packet).unwrap();
    packet.extend_from_slice(b"payload of some length");
    packet.to_vec()
}

fn compound() -> Bytes {
    let info = SenderInfo {
        ntp: NtpTime(0x0123_4567_89AB_CDEF),
        rtp_timestamp: 987_654_321,
        packet_count: 4_000,
        octet_count: 320_000,
    };
    let block = ReportBlock {
        ssrc: PEER,
        fraction_lost: 25,
        cumulative_lost: 4_711,
        highest_sequence: 0x0002_FFFE,
        jitter: 480,
        last_sr: 0x4567_89AB,
        delay_since_last_sr: 65_536,
    };
    CompoundWriter::new()
        .sender_report(SSRC, &info, &[block])
        .cname(SSRC, "duo-cname")
        .generic_nack(SSRC, PEER, &[100, 101, 116, 500])
        .goodbye(&[SSRC], "hung up")
        .finish()
}

macro_rules! against {
    ($name:ident, $rtp:ident, $rtcp:ident, $marshal:path, $unmarshal:path) => {
        mod $name {
            use $marshal as _;
            use $unmarshal as _;

            use super::*;

            #[test]
            fn it_reads_our_rtp() {
                for (index, shape) in shapes().iter().enumerate() {
                    let packet = emitted(shape, 65_530 + index as u16);
                    let read = $rtp::packet::Packet::unmarshal(&mut Bytes::from(packet)).unwrap();
                    let header = &read.header;
                    assert_eq!(
                        (header.marker, header.payload_type, &header.csrc),
                        (shape.0, shape.1, &shape.2)
                    );
                    assert_eq!(
                        (header.sequence_number, header.timestamp, header.ssrc),
                        (65_530 + index as u16, 0xFFFF_FFF0, SSRC)
                    );
                    for (id, data) in &shape.3 {
                        assert_eq!(
                            header.get_extension(*id).as_deref(),
                            Some(&data[..]),
                            "extension {id} of {index}"
                        );
                    }
                    assert_eq!(&read.payload[..], b"payload of some length");
                }
            }

            #[test]
            fn we_read_its_rtp() {
                for (index, shape) in shapes().iter().enumerate() {
                    let mut header = $rtp::header::Header {
                        version: 2,
                        marker: shape.0,
                        payload_type: shape.1,
                        sequence_number: index as u16,
                        timestamp: 48_000,
                        ssrc: PEER,
                        csrc: shape.2.clone(),
                        ..Default::default()
                    };
                    // The oracle takes its form from the first element, so the long one goes first.
                    for (id, data) in shape.3.iter().rev() {
                        header.set_extension(*id, Bytes::from(data.clone())).unwrap();
                    }
                    let payload = Bytes::from_static(b"its payload");
                    let bytes = $rtp::packet::Packet { header, payload }.marshal().unwrap();
                    let read = RtpPacket::parse(&bytes).unwrap();
                    assert_eq!(
                        (read.marker, read.payload_type, read.sequence_number),
                        (shape.0, shape.1, index as u16)
                    );
                    assert_eq!((read.timestamp, read.ssrc), (48_000, PEER));
                    assert_eq!(read.csrcs.collect::<Vec<_>>(), shape.2);
                    let mut elements: Vec<(u8, Vec<u8>)> = read
                        .extensions()
                        .map(|element| (element.id, element.data.to_vec()))
                        .collect();
                    elements.sort();
                    assert_eq!(elements, shape.3);
                    assert_eq!(read.payload, b"its payload");
                }
            }

            #[test]
            fn it_reads_our_rtcp() {
                let packets = $rtcp::packet::unmarshal(&mut compound()).unwrap();
                let [report, description, nack, goodbye] = &packets[..] else {
                    panic!("{} packets", packets.len())
                };
                let report: &$rtcp::sender_report::SenderReport = report.as_any().downcast_ref().unwrap();
                assert_eq!(
                    (report.ssrc, report.ntp_time, report.rtp_time),
                    (SSRC, 0x0123_4567_89AB_CDEF, 987_654_321)
                );
                assert_eq!((report.packet_count, report.octet_count), (4_000, 320_000));
                let block = &report.reports[0];
                assert_eq!(
                    (block.ssrc, block.fraction_lost, block.total_lost, block.jitter),
                    (PEER, 25, 4_711, 480)
                );
                assert_eq!(
                    (block.last_sequence_number, block.last_sender_report, block.delay),
                    (0x0002_FFFE, 0x4567_89AB, 65_536)
                );
                let description: &$rtcp::source_description::SourceDescription =
                    description.as_any().downcast_ref().unwrap();
                assert_eq!(description.chunks[0].source, SSRC);
                assert_eq!(&description.chunks[0].items[0].text[..], b"duo-cname");
                let nack: &$rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack =
                    nack.as_any().downcast_ref().unwrap();
                let named: Vec<u16> = nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
                assert_eq!(
                    (nack.sender_ssrc, nack.media_ssrc, named),
                    (SSRC, PEER, vec![100, 101, 116, 500])
                );
                let goodbye: &$rtcp::goodbye::Goodbye = goodbye.as_any().downcast_ref().unwrap();
                assert_eq!(
                    (&goodbye.sources[..], &goodbye.reason[..]),
                    (&[SSRC][..], &b"hung up"[..])
                );
            }

            #[test]
            fn we_read_its_rtcp() {
                let block = $rtcp::reception_report::ReceptionReport {
                    ssrc: SSRC,
                    fraction_lost: 128,
                    total_lost: 77,
                    last_sequence_number: 0x0001_0003,
                    jitter: 960,
                    last_sender_report: 1,
                    delay: 2,
                };
                let mut bytes = BytesMut::new();
                let report = $rtcp::receiver_report::ReceiverReport {
                    ssrc: PEER,
                    reports: vec![block],
                    ..Default::default()
                };
                bytes.extend_from_slice(&report.marshal().unwrap());
                let goodbye = $rtcp::goodbye::Goodbye {
                    sources: vec![PEER],
                    reason: Bytes::from_static(b"bye"),
                };
                bytes.extend_from_slice(&goodbye.marshal().unwrap());
                let read = Compound::parse(&bytes).unwrap();
                assert!(!read.is_reduced_size());
                let packets: Vec<RtcpPacket<'_>> = read.packets().map(Result::unwrap).collect();
                let [RtcpPacket::ReceiverReport(report), RtcpPacket::Goodbye(goodbye)] = &packets[..] else {
                    panic!("{packets:?}")
                };
                let block = report.reports.clone().next().unwrap();
                assert_eq!(
                    (
                        report.ssrc,
                        block.ssrc,
                        block.fraction_lost,
                        block.cumulative_lost
                    ),
                    (PEER, SSRC, 128, 77)
                );
                assert_eq!(
                    (
                        block.highest_sequence,
                        block.jitter,
                        block.last_sr,
                        block.delay_since_last_sr
                    ),
                    (0x0001_0003, 960, 1, 2)
                );
                assert_eq!(goodbye.reason, Some(&b"bye"[..]));
                assert_eq!(goodbye.sources.clone().collect::<Vec<_>>(), [PEER]);
            }
        }
    };
}

against!(
    old_line,
    rtp,
    rtcp,
    webrtc_marshal::marshal::Marshal,
    webrtc_marshal::marshal::Unmarshal
);
against!(
    new_line,
    rtc_rtp,
    rtc_rtcp,
    rtc_shared::marshal::Marshal,
    rtc_shared::marshal::Unmarshal
);

/// Transport-wide feedback as another stack reads it: numbers, losses and times.
#[test]
fn transport_wide_feedback_is_understood() {
    use rtc_rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};
    use rtc_shared::marshal::Unmarshal as _;

    let mut long = vec![None; 3000];
    long.push(Some(5));
    let mut steady = vec![Some(80); 100];
    steady[50] = Some(-3);
    steady[51] = None;
    let mixed = vec![Some(12), None, Some(255), Some(256), Some(-1), Some(i16::MIN)];
    for arrivals in [vec![Some(0)], mixed, long, steady] {
        let feedback = TransportWideFeedback {
            base: 65_530,
            reference_time: -2,
            count: 200,
            arrivals: arrivals.clone(),
        };
        let mut writer = CompoundWriter::new();
        let mut datagram = writer.transport_wide(SSRC, PEER, &feedback).finish();
        let read = TransportLayerCc::unmarshal(&mut datagram).unwrap();
        assert_eq!((read.sender_ssrc, read.media_ssrc), (SSRC, PEER));
        assert_eq!(
            (
                read.base_sequence_number,
                usize::from(read.packet_status_count),
                read.fb_pkt_count
            ),
            (65_530, arrivals.len(), 200)
        );
        assert_eq!(read.reference_time, 0x00ff_fffe);
        let mut symbols = Vec::new();
        for chunk in &read.packet_chunks {
            match chunk {
                PacketStatusChunk::RunLengthChunk(chunk) => {
                    symbols.extend(vec![chunk.packet_status_symbol; usize::from(chunk.run_length)]);
                }
                PacketStatusChunk::StatusVectorChunk(chunk) => symbols.extend(chunk.symbol_list.clone()),
            }
        }
        let mut deltas = read.recv_deltas.iter();
        let told: Vec<Option<i64>> = symbols[..arrivals.len()]
            .iter()
            .map(|symbol| (*symbol != SymbolTypeTcc::PacketNotReceived).then(|| deltas.next().unwrap().delta / 250))
            .collect();
        let expected: Vec<Option<i64>> = arrivals.iter().map(|arrival| arrival.map(i64::from)).collect();
        assert_eq!(told, expected);
        assert_eq!(deltas.next(), None);
    }
}
