//! An engine against peers with the habits of browsers: their payload types, header extensions, goodbyes, DTLS roles and versions.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/bench.rs"]
mod bench;
#[path = "browsers/codes.rs"]
mod codes;
#[path = "browsers/networks.rs"]
mod networks;

use std::time::Duration;

use bench::{Bench, Habits, codec};
use duologue_call::CallEventKind;
use duologue_call::engine::Command;
use duologue_media::{Formats, Red};
use duologue_signaling::ids::PartyId;
use duologue_signaling::{ClientMessage, Codec, HeaderExtension, ServerMessage, Setup};

const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const TRANSPORT_WIDE: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

fn second() -> Duration {
    Duration::from_secs(1)
}

fn extension(id: u8, uri: &str) -> HeaderExtension {
    HeaderExtension { id, uri: uri.into() }
}

fn chromium_codecs() -> Vec<Codec> {
    vec![
        codec("red", 63, "111/111"),
        codec("opus", 111, "minptime=10;useinbandfec=1"),
    ]
}

fn chromium() -> Habits {
    Habits {
        formats: Formats {
            red: Some(Red {
                payload_type: 63,
                send: true,
            }),
            audio_level: Some(1),
            ..Formats::plain(111)
        },
        ..Habits::default()
    }
}

fn firefox() -> Habits {
    Habits {
        formats: Formats::plain(109),
        ..Habits::default()
    }
}

/// The engine called by Chromium, both talking.
fn called_by_chromium() -> Bench {
    let mut bench = Bench::callee();
    bench.add_peer(&chromium());
    let extmap = vec![extension(1, AUDIO_LEVEL), extension(3, TRANSPORT_WIDE)];
    bench.offer(chromium_codecs(), extmap, false);
    bench.accept();
    bench.run(second());
    bench
}

/// The engine calling Chromium, both talking.
fn calling_chromium() -> Bench {
    let mut bench = Bench::caller();
    let peer = bench.add_peer(&chromium());
    bench.verify(peer, chromium_codecs(), vec![extension(1, AUDIO_LEVEL)]);
    bench.accepted(peer);
    bench.run(second());
    bench
}

/// An RTP packet without a media session, of a single byte of Opus: silence.
fn silence(payload_type: u8, sequence: u16, ssrc: u32, elements: &[u8]) -> Vec<u8> {
    let mut packet = vec![if elements.is_empty() { 0x80 } else { 0x90 }, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 960).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    if !elements.is_empty() {
        packet.extend([0xbe, 0xde, 0, (elements.len() / 4) as u8]);
        packet.extend(elements);
    }
    packet.push(0x78);
    packet
}

#[test]
fn chromium_gets_redundancy_and_levels_and_is_heard() {
    for mut bench in [called_by_chromium(), calling_chromium()] {
        assert_eq!(bench.peers[0].payload_types(), [63]);
        let heard = bench.peers[0].media.stats();
        assert!(heard.redundant_blocks_received > 30, "{heard:?}");
        assert!(
            heard.audio_level.is_some_and(|level| (0.2..0.6).contains(&level)),
            "{heard:?}"
        );
        let inbound = bench.engine.statistics(bench.now()).inbound;
        assert!(inbound.redundant_blocks_received > 30, "{inbound:?}");
        assert!(
            inbound.audio_level.is_some_and(|level| (0.2..0.6).contains(&level)),
            "{inbound:?}"
        );
        assert!(bench.played > 0.2, "{}", bench.played);
    }
}

#[test]
fn firefox_keeps_its_payload_types() {
    let mut bench = Bench::callee();
    bench.add_peer(&firefox());
    let codecs = vec![
        codec("opus", 109, "maxplaybackrate=48000;stereo=1;useinbandfec=1"),
        codec("telephone-event", 101, "0-15"),
    ];
    // As to a further device: the offer comes after the confirmation.
    bench.offer(
        codecs,
        vec![
            extension(1, AUDIO_LEVEL),
            extension(2, "urn:ietf:params:rtp-hdrext:csrc-audio-level"),
        ],
        true,
    );
    let answer = bench.description(None).unwrap();
    let told: Vec<_> = answer
        .codecs
        .iter()
        .map(|codec| (codec.name.as_str(), codec.pt))
        .collect();
    assert_eq!(told, [("opus", 109)]);
    assert_eq!(answer.extmap, [extension(1, AUDIO_LEVEL)]);
    bench.accept();
    bench.run(second());
    assert_eq!(bench.peers[0].payload_types(), [109]);
    assert!(bench.played > 0.2, "{}", bench.played);
}

#[test]
fn both_dtls_roles_and_versions_connect() {
    for dtls13 in [true, false] {
        // As the caller's offer has it, and as a callee answers.
        for setup in [Setup::ActPass, Setup::Passive, Setup::Active] {
            let mut bench = Bench::callee();
            bench.add_peer(&Habits {
                setup,
                dtls13,
                ..chromium()
            });
            bench.offer(chromium_codecs(), Vec::new(), false);
            let transport = bench.engine.statistics(bench.now()).transport;
            let version = if dtls13 { "1.3" } else { "1.2" };
            assert!(
                transport
                    .dtls_version
                    .as_ref()
                    .is_some_and(|name| name.contains(version)),
                "{transport:?}"
            );
        }
        for setup in [Setup::Active, Setup::Passive] {
            let mut bench = Bench::caller();
            let peer = bench.add_peer(&Habits {
                setup,
                dtls13,
                ..chromium()
            });
            bench.verify(peer, chromium_codecs(), Vec::new());
            bench.accepted(peer);
        }
    }
}

#[test]
fn a_goodbye_without_a_reason_ends_nothing_and_another_source_is_heard() {
    let mut bench = called_by_chromium();
    let now = bench.now();
    // libwebrtc's words when a track is replaced by none.
    let peer = &mut bench.peers[0];
    peer.media.set_sending(false);
    let goodbye = [0x81, 203, 0, 1, 0, 0, 0x10, 0];
    let report = [0x80, 201, 0, 1, 0, 0, 0x10, 0];
    peer.transport
        .send_rtcp(&[&report[..], &goodbye[..]].concat(), now)
        .unwrap();
    bench.run(second());
    assert!(!bench.has("evt_disconnected"));
    let before = bench.engine.statistics(bench.now());
    assert_eq!(before.shell.goodbyes_ignored, 1);
    for sequence in 0..50 {
        let now = bench.now();
        let packet = silence(111, sequence, 0xbeef, &[]);
        bench.peers[0].transport.send_rtp(&packet, now).unwrap();
        bench.run(Duration::from_millis(20));
    }
    let received = bench.engine.statistics(bench.now()).inbound.packets_received - before.inbound.packets_received;
    // The first one shows that another source begins; the second one proves it.
    assert_eq!(received, 49);
    // A goodbye that gives a reason is the end.
    let mut goodbye = vec![0x81, 203, 0, 3, 0, 0, 0xbe, 0xef, 6];
    goodbye.extend(b"NORMAL");
    goodbye.push(0);
    let now = bench.now();
    let report = [0x80, 201, 0, 1, 0, 0, 0xbe, 0xef];
    bench.peers[0]
        .transport
        .send_rtcp(&[&report[..], &goodbye[..]].concat(), now)
        .unwrap();
    bench.pump();
    assert!(bench.has("evt_disconnected"), "{:?}", bench.names());
}

#[test]
fn a_second_description_is_ignored() {
    let mut bench = called_by_chromium();
    let mut again = bench.description(None).unwrap();
    again.party = Some(PartyId(1));
    for generation in [0, 1] {
        again.generation = generation;
        again.codecs = vec![codec("opus", 96, "")];
        bench.say(ServerMessage::Description {
            party: PartyId(1),
            description: Box::new(again.clone()),
        });
    }
    bench.peers[0].rtp.clear();
    bench.run(second());
    assert_eq!(bench.peers[0].payload_types(), [63]);
    assert!(!bench.has("evt_disconnected"));
    assert_eq!(bench.engine.statistics(bench.now()).shell.descriptions_ignored, 2);
}

#[test]
fn numbered_packets_are_answered_with_feedback() {
    let mut bench = called_by_chromium();
    bench.peers[0].media.set_sending(false);
    bench.peers[0].rtcp.clear();
    let feedback = |bench: &Bench| {
        bench.peers[0]
            .rtcp
            .iter()
            .filter(|packet| packet[..2] == [0x8f, 205])
            .count()
    };
    for number in 0..50u16 {
        let [high, low] = number.to_be_bytes();
        let now = bench.now();
        let packet = silence(111, number, 0xbeef, &[0x31, high, low, 0]);
        bench.peers[0].transport.send_rtp(&packet, now).unwrap();
        bench.run(Duration::from_millis(20));
    }
    // A second of packets, and a message for each tenth of it.
    let count = feedback(&bench);
    assert!((8..=11).contains(&count), "{count}");
    assert_eq!(
        bench.engine.statistics(bench.now()).inbound.transport_feedback_sent,
        count as u64
    );
}

#[test]
fn who_holds_neither_sends_nor_plays() {
    let mut bench = called_by_chromium();
    let reason = Some("the door bell".to_owned());
    bench.command(Command::Hold {
        held: true,
        reason: reason.clone(),
    });
    assert!(bench.told.contains(&ClientMessage::Hold { held: true, reason }));
    bench.peers[0].rtp.clear();
    bench.run(2 * second());
    assert_eq!(bench.peers[0].rtp.len(), 0);
    assert_eq!(bench.played, 0.0);
    let timestamp = |packet: &[u8]| u32::from_be_bytes(packet[4..8].try_into().unwrap());
    let sequence = |packet: &[u8]| u16::from_be_bytes(packet[2..4].try_into().unwrap());
    let before = bench.peers[0].media.stats().packets_received;
    bench.command(Command::Hold {
        held: false,
        reason: None,
    });
    bench.run(second());
    let rtp = &bench.peers[0].rtp;
    assert!(rtp.len() >= 49, "{}", rtp.len());
    assert_eq!(rtp[0][1] & 0x80, 0x80, "a talk spurt begins");
    assert_eq!(timestamp(&rtp[1]).wrapping_sub(timestamp(&rtp[0])), 960);
    assert!(bench.played > 0.2, "{}", bench.played);
    // Time passed, packets did not: nothing counts as lost, and what was said is not heard late.
    let stats = bench.peers[0].media.stats();
    assert_eq!(stats.packets_lost, 0);
    assert_eq!(u64::from(sequence(&rtp[1]).wrapping_sub(sequence(&rtp[0]))), 1);
    assert!(stats.packets_received - before >= 49);
    assert!(
        stats.current_delay < Duration::from_millis(200),
        "{:?}",
        stats.current_delay
    );
}

#[test]
fn who_is_held_hears_a_tone_until_the_peer_goes_on() {
    let mut bench = called_by_chromium();
    bench.say(ServerMessage::PeerHeld {
        held: true,
        reason: Some("a moment".into()),
    });
    let hold = bench.events.iter().rev().find_map(|event| match event {
        CallEventKind::PeerHold(param) => Some(param.reason.clone()),
        _ => None,
    });
    assert_eq!(hold, Some(Some("a moment".into())));
    assert!(bench.engine.wants_hold_tone());
    // Who holds as well hears nothing at all.
    bench.command(Command::Hold {
        held: true,
        reason: None,
    });
    assert!(!bench.engine.wants_hold_tone());
    bench.command(Command::Hold {
        held: false,
        reason: None,
    });
    bench.say(ServerMessage::PeerHeld {
        held: false,
        reason: None,
    });
    assert!(bench.has("evt_peer_unhold"));
    assert!(!bench.engine.wants_hold_tone());
}

#[test]
fn without_the_server_a_closed_connection_ends_the_call_at_once_both_ways() {
    let mut bench = called_by_chromium();
    bench.lose_server();
    let now = bench.now();
    bench.peers[0].transport.close(now);
    bench.pump();
    assert!(bench.has("evt_disconnected"), "{:?}", bench.names());

    let mut bench = calling_chromium();
    bench.lose_server();
    bench.command(Command::End {
        phrase: None,
        error: false,
    });
    assert_eq!(bench.peers[0].goodbyes, ["NORMAL"]);
    // A browser understands no goodbye; it sees the close_notify that follows.
    let took = bench.run_until("the end", |bench| bench.peers[0].transport.is_closed());
    assert!(took <= second(), "{took:?}");
}

#[test]
fn each_device_of_the_callee_has_its_own_path_and_formats() {
    let mut bench = Bench::caller();
    let first = bench.add_peer(&chromium());
    bench.verify(first, chromium_codecs(), vec![extension(1, AUDIO_LEVEL)]);
    let second_device = bench.add_peer(&Habits {
        formats: Formats::plain(111),
        ..firefox()
    });
    bench.verify(second_device, vec![codec("opus", 111, "stereo=1")], Vec::new());
    let descriptions = [
        bench.description(None).unwrap(),
        bench.description(Some(PartyId(2))).unwrap(),
    ];
    assert_eq!(
        descriptions[0].fingerprints, descriptions[1].fingerprints,
        "one certificate"
    );
    assert_ne!(descriptions[0].ufrag, descriptions[1].ufrag, "two paths");
    // Nobody is heard before the server says who accepted.
    bench.peers[second_device].media.set_sending(true);
    bench.run(second());
    assert_eq!(bench.engine.statistics(bench.now()).inbound.packets_received, 0);
    bench.accepted(second_device);
    bench.run(second());
    assert_eq!(bench.peers[second_device].payload_types(), [111]);
    assert_eq!(bench.peers[first].rtp.len(), 0);
    assert!(bench.played > 0.2, "{}", bench.played);
    assert!(bench.peers[first].transport.is_closed());
}

#[test]
fn a_device_without_opus_is_refused() {
    let mut bench = Bench::caller();
    let peer = bench.add_peer(&Habits::default());
    let now = bench.now();
    let offer = bench.description(None).unwrap();
    bench.say(ServerMessage::PeerVerified {
        party: PartyId(1),
        describe: false,
    });
    let description = bench.peers[peer].describe_as(&offer, vec![codec("PCMU", 0, "")], now);
    bench.say(ServerMessage::Description {
        party: PartyId(1),
        description: Box::new(description),
    });
    bench.run(second());
    assert!(!bench.peers[peer].transport.is_connected());
}
