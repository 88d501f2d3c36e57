//! Fuzz bodies of `duologue-rtp`.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use duologue_rtp::wire::{Compound, Extension, RedBlock, RedPayload, RtcpPacket, RtpHeader, RtpPacket, emit_red};
use duologue_rtp::{Config, Event, Formats, MAX_OUTPUTS, Output, Red, Session};

/// Reads one RTP packet; what is read makes up the whole datagram and survives being written and read again.
pub fn rtp_packet(data: &[u8]) {
    let Ok(packet) = RtpPacket::parse(data) else { return };
    assert_eq!(
        packet.header_len() + packet.payload.len() + usize::from(packet.padding),
        data.len()
    );
    let csrcs: Vec<u32> = packet.csrcs.collect();
    let extensions: Vec<Extension<'_>> = packet.extensions().collect();
    let header = RtpHeader {
        marker: packet.marker,
        payload_type: packet.payload_type,
        sequence_number: packet.sequence_number,
        timestamp: packet.timestamp,
        ssrc: packet.ssrc,
        csrcs: &csrcs,
        extensions: &extensions,
    };
    let mut written = BytesMut::new();
    // Elements that were read may together need more room than the extension has, written one after the other.
    if header.emit(&mut written).is_err() {
        return;
    }
    assert_eq!(Ok(written.len()), header.emitted_len());
    written.extend_from_slice(packet.payload);
    let again = RtpPacket::parse(&written).expect("what was written can be read");
    assert_eq!(again.payload, packet.payload);
    assert_eq!(again.csrcs.collect::<Vec<_>>(), csrcs);
    assert_eq!(again.extensions().collect::<Vec<_>>(), extensions);
    assert_eq!(
        (again.sequence_number, again.timestamp),
        (packet.sequence_number, packet.timestamp)
    );
}

/// Reads one redundant payload; what is read makes up all of it and is written the same way again.
pub fn red_payload(data: &[u8]) {
    let Ok(red) = RedPayload::parse(data) else { return };
    let blocks: Vec<RedBlock<'_>> = red.redundant().collect();
    assert_eq!(red.redundant().count_left(), blocks.len());
    let mut written = BytesMut::new();
    emit_red(&blocks, red.primary.payload_type, red.primary.payload, &mut written).expect("what was read fits");
    assert_eq!(written, data);
}

/// Reads one RTCP datagram to the last item; nothing yields more than its bytes can hold.
pub fn rtcp_packet(data: &[u8]) {
    let Ok(compound) = Compound::parse(data) else { return };
    let mut packets = 0;
    for packet in compound.packets() {
        packets += 1;
        match packet {
            Ok(RtcpPacket::SenderReport(report)) => assert!(report.reports.count() <= 31),
            Ok(RtcpPacket::ReceiverReport(report)) => assert!(report.reports.count() <= 31),
            Ok(RtcpPacket::SourceDescription(description)) => {
                assert!(description.items().map(|item| 2 + item.text.len()).sum::<usize>() <= data.len());
            }
            Ok(RtcpPacket::Goodbye(goodbye)) => {
                assert!(goodbye.sources.count() <= 31);
                assert!(goodbye.reason.is_none_or(|reason| reason.len() <= 255));
            }
            Ok(RtcpPacket::TransportFeedback(feedback)) => assert!(feedback.nacks().count() <= data.len() / 4 * 17),
            Ok(RtcpPacket::ExtendedReport(report)) => assert!(report.blocks().count() <= data.len() / 4),
            Ok(_) | Err(_) => {}
        }
    }
    assert!(packets >= 1 && packets <= data.len() / 4);
}

/// Drives a session with any datagrams at any times: outputs stay bounded, delivered numbers are unique, what it sends
/// can be read, and nothing follows its goodbye.
pub fn rtp_session(data: &[u8]) {
    let start = Instant::now();
    let mut now = start;
    let config = Config {
        formats: Formats {
            red: Some(Red {
                payload_type: 63,
                send: true,
            }),
            audio_level: Some(1),
            transport_wide: Some(3),
            ..Formats::default()
        },
        ..Config::new(0x0102_0304, "fuzz")
    };
    let mut session = Session::new(config, [3; 32], now);
    let mut delivered = std::collections::HashSet::new();
    let (mut ended, mut copies) = (false, 0);
    let mut rest = data;
    while let Some((&[operation, argument], after)) = rest.split_first_chunk() {
        let taken = after.len().min(usize::from(argument));
        let (datagram, after) = after.split_at(taken);
        rest = after;
        let mut goodbye_now = false;
        match operation % 8 {
            0..=2 => session.handle_rtp(Bytes::copy_from_slice(datagram), now),
            3 | 4 => session.handle_rtcp(datagram, now),
            5 => session.send(datagram, 960, argument & 1 != 0, now),
            6 => now += Duration::from_millis(u64::from(argument) * 8),
            _ => match argument % 16 {
                0 => {
                    session.bye("end", now);
                    goodbye_now = !ended;
                }
                1 => session.nack(&[0, 1, u64::from(argument)], now),
                _ => session.skip(u32::from(argument) * 960),
            },
        }
        if session.poll_timeout().is_some_and(|due| due <= now) {
            session.handle_timeout(now);
        }
        let mut outputs = 0;
        while let Some(output) = session.poll_output() {
            outputs += 1;
            match output {
                Output::Rtp(packet) => {
                    assert!(!ended);
                    RtpPacket::parse(&packet).expect("a valid packet");
                }
                Output::Rtcp(packet) => {
                    assert!(!ended || goodbye_now);
                    let compound = Compound::parse(&packet).expect("a valid datagram");
                    assert!(compound.packets().all(|packet| packet.is_ok()));
                }
                Output::Event(Event::Packet(packet)) => {
                    assert!(delivered.insert(packet.sequence), "{} delivered twice", packet.sequence);
                    copies += u64::from(packet.redundant);
                }
                _ => {}
            }
        }
        assert!(outputs <= MAX_OUTPUTS);
        ended |= goodbye_now;
    }
    let stats = session.stats();
    assert!(stats.packets_received + copies >= stats.packets_duplicated + delivered.len() as u64);
    assert_eq!(stats.redundant_blocks_used, copies);
    assert!(stats.fraction_lost.is_none_or(|lost| (0.0..1.0).contains(&lost)));
}
