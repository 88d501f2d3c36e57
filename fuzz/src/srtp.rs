//! Fuzz bodies of `duologue-srtp`.

use duologue_srtp::{KeyingMaterial, Profile, Receiver, Sender};

/// Feeds a receiver with fixed keys. The first byte chooses the profile; then come packets, each after a byte that
/// says whether it is RTCP and two bytes of length. The corpus holds authentic ones for the mutator to start from.
pub fn srtp_unprotect(data: &[u8]) {
    let Some((&choice, mut rest)) = data.split_first() else {
        return;
    };
    let profile = Profile::ALL[usize::from(choice) % Profile::ALL.len()];
    let keys = keys(profile);
    let mut receiver = Receiver::new(profile, &keys.local).expect("keys of the profile's length");
    let mut out = Vec::new();
    let mut fed = 0;
    while let [kind, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (packet, tail) = tail.split_at(length);
        rest = tail;
        let is_rtcp = kind & 1 == 1;
        let open = |receiver: &mut Receiver, out: &mut Vec<u8>| {
            if is_rtcp {
                receiver.unprotect_rtcp(packet, out)
            } else {
                receiver.unprotect_rtp(packet, out)
            }
        };
        fed += 1;
        if open(&mut receiver, &mut out).is_ok() {
            let overhead = if is_rtcp {
                profile.rtcp_overhead()
            } else {
                profile.rtp_overhead()
            };
            assert_eq!(out.len() + overhead, packet.len());
            assert_eq!(out[..8], packet[..8], "the clear part stays");
            fed += 1;
            assert!(open(&mut receiver, &mut out).is_err(), "a replay was accepted");
        }
        let stats = receiver.stats();
        let refused = stats.malformed + stats.replayed + stats.too_old + stats.unauthentic + stats.too_many_sources;
        assert_eq!(stats.rtp_accepted + stats.rtcp_accepted + refused, fed);
    }
    // Whatever came, the next honest packet of a source that the input cannot have used is accepted. (Inputs are too
    // short to fill the table with authentic sources.)
    let mut sender = Sender::new(profile, &keys.local).expect("keys of the profile's length");
    let mut packet = vec![0x80, 111, 0, 1, 0, 0, 0, 0, 0xfe, 0xed, 0xfa, 0xce];
    packet.extend_from_slice(b"honest");
    let mut wire = Vec::new();
    sender.protect_rtp(&packet, &mut wire).expect("a valid packet");
    if data.windows(4).all(|window| window != [0xfe, 0xed, 0xfa, 0xce]) {
        receiver
            .unprotect_rtp(&wire, &mut out)
            .expect("an honest packet is accepted");
        assert_eq!(out, packet);
    }
}

/// The keys of [`srtp_unprotect`] and of its corpus.
pub fn keys(profile: Profile) -> KeyingMaterial {
    let material: Vec<u8> = (0..profile.keying_material_len()).map(|n| n as u8).collect();
    KeyingMaterial::from_dtls(profile, &material, true).expect("material of the profile's length")
}
