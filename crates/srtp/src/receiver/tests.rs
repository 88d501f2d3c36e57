use proptest::prelude::*;

use crate::{
    KeyingMaterial, MAX_SOURCES, Profile, Receiver, Sender, UnprotectError,
    testing::{pair, rtcp, rtp},
};

fn any_profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(Profile::ALL.as_slice())
}

#[test]
fn what_is_protected_comes_out_again() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let (mut wire, mut out) = (Vec::new(), Vec::new());
        for sequence in 0..200 {
            let packet = rtp(1, sequence);
            sender.protect_rtp(&packet, &mut wire).unwrap();
            assert_eq!(wire.len(), packet.len() + profile.rtp_overhead());
            assert_eq!(wire[..12], packet[..12]);
            assert_ne!(wire[12..packet.len()], packet[12..]);
            receiver.unprotect_rtp(&wire, &mut out).unwrap();
            assert_eq!(out, packet);
            let report = rtcp(1, &[u32::from(sequence); 6]);
            sender.protect_rtcp(&report, &mut wire).unwrap();
            assert_eq!(wire.len(), report.len() + profile.rtcp_overhead());
            receiver.unprotect_rtcp(&wire, &mut out).unwrap();
            assert_eq!(out, report);
        }
        assert_eq!(receiver.stats().rtp_accepted, 200);
        assert_eq!(receiver.stats().rtcp_accepted, 200);
    }
}

#[test]
fn csrcs_extension_and_empty_payload() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let (mut wire, mut out) = (Vec::new(), Vec::new());
        let mut packet = vec![0x91, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4];
        packet.extend_from_slice(&[0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
        sender.protect_rtp(&packet, &mut wire).unwrap();
        assert_eq!(wire[..24], packet[..], "header, source and extension stay in the clear");
        receiver.unprotect_rtp(&wire, &mut out).unwrap();
        assert_eq!(out, packet);
        packet[3] = 2;
        packet.extend_from_slice(b"payload");
        sender.protect_rtp(&packet, &mut wire).unwrap();
        assert_eq!(wire[..24], packet[..24]);
        assert_ne!(wire[24..31], packet[24..31]);
        receiver.unprotect_rtp(&wire, &mut out).unwrap();
        assert_eq!(out, packet);
    }
}

#[test]
fn the_rollover_counter_follows_the_wrap_with_loss_and_reordering() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let mut wire = Vec::new();
        let mut sent = Vec::new();
        for n in 0..200_000_u32 {
            let packet = rtp(7, (n + 30_000) as u16);
            sender.protect_rtp(&packet, &mut wire).unwrap();
            // Around each wrap everything is kept, elsewhere one packet of 1,000 arrives.
            if n % 1000 == 0 || (n + 30_000 + 30) % 0x1_0000 < 60 {
                sent.push((packet, wire.clone()));
            }
        }
        // Neighbours arrive the wrong way round.
        for n in (1..sent.len()).step_by(2) {
            let sequence = |n: usize| u16::from_be_bytes([sent[n].0[2], sent[n].0[3]]);
            if sequence(n).wrapping_sub(sequence(n - 1)) == 1 {
                sent.swap(n - 1, n);
            }
        }
        let mut out = Vec::new();
        for (packet, wire) in &sent {
            let result = receiver.unprotect_rtp(wire, &mut out);
            assert_eq!(result, Ok(()), "{profile} sequence {:?}", &packet[2..4]);
            assert_eq!(&out, packet);
        }
        assert!(sent.len() > 350, "three wraps of 60 and 200 in between");
    }
}

#[test]
fn replays_are_refused_inside_and_behind_the_window() {
    let (mut sender, mut receiver) = pair(Profile::AeadAes128Gcm);
    let mut out = Vec::new();
    let wires: Vec<Vec<u8>> = (0..300)
        .map(|sequence| {
            let mut wire = Vec::new();
            sender.protect_rtp(&rtp(1, sequence), &mut wire).unwrap();
            wire
        })
        .collect();
    receiver.unprotect_rtp(&wires[0], &mut out).unwrap();
    for wire in &wires[100..] {
        receiver.unprotect_rtp(wire, &mut out).unwrap();
    }
    for (index, wire) in wires.iter().enumerate() {
        let expected = match index as u64 {
            index @ 0..172 => UnprotectError::TooOld { index },
            index => UnprotectError::Replayed { index },
        };
        assert_eq!(receiver.unprotect_rtp(wire, &mut out), Err(expected));
        assert!(out.is_empty());
    }
    let stats = receiver.stats();
    assert_eq!((stats.rtp_accepted, stats.too_old, stats.replayed), (201, 172, 128));
}

#[test]
fn rtcp_replays_are_refused() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let (mut wire, mut out) = (Vec::new(), Vec::new());
        sender.protect_rtcp(&rtcp(1, &[9; 5]), &mut wire).unwrap();
        receiver.unprotect_rtcp(&wire, &mut out).unwrap();
        assert_eq!(
            receiver.unprotect_rtcp(&wire, &mut out),
            Err(UnprotectError::Replayed { index: 1 })
        );
    }
}

#[test]
fn one_direction_does_not_open_the_other() {
    for profile in Profile::ALL {
        let material: Vec<u8> = (0..profile.keying_material_len()).map(|i| i as u8).collect();
        let client = KeyingMaterial::from_dtls(profile, &material, true).unwrap();
        let mut sender = Sender::new(profile, &client.local).unwrap();
        // What we sent, thrown back at us.
        let mut own = Receiver::new(profile, &client.remote).unwrap();
        let mut peer = Receiver::new(profile, &client.local).unwrap();
        let (mut wire, mut out) = (Vec::new(), Vec::new());
        sender.protect_rtp(&rtp(1, 1), &mut wire).unwrap();
        assert_eq!(own.unprotect_rtp(&wire, &mut out), Err(UnprotectError::Unauthentic));
        assert_eq!(peer.unprotect_rtp(&wire, &mut out), Ok(()));
    }
}

/// RTP is not RTCP and the reverse: the labels of the session keys differ.
#[test]
fn rtcp_keys_are_not_rtp_keys() {
    let (mut sender, mut receiver) = pair(Profile::Aes128CmHmacSha1_80);
    let (mut wire, mut out) = (Vec::new(), Vec::new());
    sender.protect_rtcp(&rtcp(1, &[9; 5]), &mut wire).unwrap();
    assert_eq!(
        receiver.unprotect_rtp(&wire, &mut out),
        Err(UnprotectError::Unauthentic)
    );
}

#[test]
fn authentic_sources_are_bounded_and_forged_ones_take_no_room() {
    let (mut sender, mut receiver) = pair(Profile::AeadAes128Gcm);
    let (mut wire, mut out) = (Vec::new(), Vec::new());
    for ssrc in 1000..3000 {
        let mut forged = rtp(ssrc, 5);
        forged.extend_from_slice(&[0; 16]);
        assert_eq!(
            receiver.unprotect_rtp(&forged, &mut out),
            Err(UnprotectError::Unauthentic)
        );
        let forged = rtcp(ssrc, &[0x8000_0001; 5]);
        assert_eq!(
            receiver.unprotect_rtcp(&forged, &mut out),
            Err(UnprotectError::Unauthentic)
        );
    }
    assert!(receiver.rtp_sources.is_empty() && receiver.rtcp_sources.is_empty());
    for ssrc in 0..MAX_SOURCES as u32 {
        sender.protect_rtp(&rtp(ssrc, 1), &mut wire).unwrap();
        receiver.unprotect_rtp(&wire, &mut out).unwrap();
    }
    // A second sender with the same keys stands for a peer that changes its SSRC too often.
    let (mut other, _) = pair(Profile::AeadAes128Gcm);
    other.protect_rtp(&rtp(999, 1), &mut wire).unwrap();
    assert_eq!(
        receiver.unprotect_rtp(&wire, &mut out),
        Err(UnprotectError::TooManySources { ssrc: 999 })
    );
    assert!(out.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn garbage_changes_nothing(
        profile in any_profile(),
        garbage in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
    ) {
        let (mut sender, mut receiver) = pair(profile);
        let (mut wire, mut out) = (Vec::new(), Vec::new());
        sender.protect_rtp(&rtp(1, 1), &mut wire).unwrap();
        receiver.unprotect_rtp(&wire, &mut out).unwrap();
        let before = (receiver.rtp_sources.clone(), receiver.rtcp_sources.clone());
        for packet in &garbage {
            prop_assert!(receiver.unprotect_rtp(packet, &mut out).is_err());
            prop_assert!(out.is_empty());
            prop_assert!(receiver.unprotect_rtcp(packet, &mut out).is_err());
            prop_assert!(out.is_empty());
        }
        prop_assert_eq!(before, (receiver.rtp_sources.clone(), receiver.rtcp_sources.clone()));
        sender.protect_rtp(&rtp(1, 2), &mut wire).unwrap();
        prop_assert!(receiver.unprotect_rtp(&wire, &mut out).is_ok());
    }

    #[test]
    fn one_changed_bit_is_noticed(profile in any_profile(), position: prop::sample::Index, bit in 0..8_u32, is_rtcp: bool) {
        let (mut sender, mut receiver) = pair(profile);
        let (mut wire, mut out) = (Vec::new(), Vec::new());
        if is_rtcp {
            sender.protect_rtcp(&rtcp(1, &[1, 2, 3]), &mut wire).unwrap();
        } else {
            sender.protect_rtp(&rtp(1, 40), &mut wire).unwrap();
        }
        let intact = wire.clone();
        let at = position.index(wire.len());
        wire[at] ^= 1 << bit;
        let mut open = |wire: &[u8]| if is_rtcp {
            receiver.unprotect_rtcp(wire, &mut out)
        } else {
            receiver.unprotect_rtp(wire, &mut out)
        };
        prop_assert!(open(&wire).is_err());
        prop_assert!(open(&intact).is_ok(), "a forgery must not use the index up");
    }

    #[test]
    fn any_order_and_duplication_is_delivered_once(
        profile in any_profile(),
        start: u16,
        order in prop::collection::vec(0..60_usize, 1..120),
    ) {
        // Start below 2^15, as a sender should.
        let start = start & 0x7fff;
        let (mut sender, mut receiver) = pair(profile);
        let wires: Vec<Vec<u8>> = (0..60).map(|n| {
            let mut wire = Vec::new();
            sender.protect_rtp(&rtp(3, start + n), &mut wire).unwrap();
            wire
        }).collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut out = Vec::new();
        for n in order {
            let fresh = seen.insert(n);
            let result = receiver.unprotect_rtp(&wires[n], &mut out);
            prop_assert_eq!(result.is_ok(), fresh, "{:?}", result);
        }
    }
}
