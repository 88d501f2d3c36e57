//! `srtp` against `rtc-srtp`, every profile, both ways.
#![allow(clippy::unwrap_used, reason = "tests")]

use duologue_srtp::{MasterKey, Profile, Receiver, Sender};
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

const PROFILES: [(Profile, ProtectionProfile); 3] = [
    (Profile::Aes128CmHmacSha1_80, ProtectionProfile::Aes128CmHmacSha1_80),
    (Profile::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm),
    (Profile::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm),
];

/// Packets enough for the sequence number to wrap twice.
const PACKETS: u32 = 140_000;
/// Every so many of them are checked; the others only move the sequence number on.
const STEP: u32 = 97;

fn bytes(count: usize, seed: u8) -> Vec<u8> {
    (0..count)
        .map(|index| (index as u8).wrapping_mul(31).wrapping_add(seed))
        .collect()
}

fn key(profile: ProtectionProfile) -> MasterKey {
    MasterKey {
        key: bytes(profile.key_len(), 7),
        salt: bytes(profile.salt_len(), 99),
    }
}

fn oracle(key: &MasterKey, profile: ProtectionProfile) -> Context {
    let provider = rtc_crypto::default_provider().unwrap();
    Context::new(&key.key, &key.salt, profile, None, None, provider.crypto()).unwrap()
}

/// An RTP packet; every third has a CSRC, every fifth a header extension, so that the header's length varies.
fn rtp(number: u32) -> Vec<u8> {
    let (csrc, extension) = (number.is_multiple_of(3), number.is_multiple_of(5));
    let mut packet = vec![0x80 | u8::from(csrc) | u8::from(extension) << 4, 111];
    packet.extend((number as u16).to_be_bytes());
    packet.extend(number.wrapping_mul(960).to_be_bytes());
    packet.extend(0xD00D_F00D_u32.to_be_bytes());
    if csrc {
        packet.extend(0x1234_5678_u32.to_be_bytes());
    }
    if extension {
        packet.extend([0xBE, 0xDE, 0, 1, 0x10, 0x55, 0, 0]);
    }
    packet.extend(bytes(1 + (number % 120) as usize, number as u8));
    packet
}

fn rtcp(number: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(0xD00D_F00D_u32.to_be_bytes());
    packet.extend(bytes(20, number as u8));
    packet
}

#[test]
fn the_oracle_reads_the_rtp_that_we_protect() {
    for (ours, theirs) in PROFILES {
        let key = key(theirs);
        let (mut sender, mut oracle) = (Sender::new(ours, &key).unwrap(), oracle(&key, theirs));
        let mut protected = Vec::new();
        for number in (0..PACKETS).step_by(STEP as usize) {
            let packet = rtp(number);
            sender.protect_rtp(&packet, &mut protected).unwrap();
            assert_eq!(
                &oracle.decrypt_rtp(&protected).unwrap()[..],
                packet,
                "{ours:?}, packet {number}"
            );
        }
    }
}

#[test]
fn we_read_the_rtp_that_the_oracle_protects() {
    for (ours, theirs) in PROFILES {
        let key = key(theirs);
        let (mut receiver, mut oracle) = (Receiver::new(ours, &key).unwrap(), oracle(&key, theirs));
        let mut plain = Vec::new();
        for number in (0..PACKETS).step_by(STEP as usize) {
            let packet = rtp(number);
            let protected = oracle.encrypt_rtp(&packet).unwrap();
            receiver.unprotect_rtp(&protected, &mut plain).unwrap();
            assert_eq!(plain, packet, "{ours:?}, packet {number}");
        }
    }
}

#[test]
fn rtcp_goes_both_ways() {
    for (ours, theirs) in PROFILES {
        let key = key(theirs);
        let (mut sender, mut receiver) = (Sender::new(ours, &key).unwrap(), Receiver::new(ours, &key).unwrap());
        let (mut reads, mut writes) = (oracle(&key, theirs), oracle(&key, theirs));
        let (mut protected, mut plain) = (Vec::new(), Vec::new());
        for number in 0..500 {
            let packet = rtcp(number);
            sender.protect_rtcp(&packet, &mut protected).unwrap();
            assert_eq!(
                &reads.decrypt_rtcp(&protected).unwrap()[..],
                packet,
                "{ours:?}, packet {number}"
            );
            let protected = writes.encrypt_rtcp(&packet).unwrap();
            receiver.unprotect_rtcp(&protected, &mut plain).unwrap();
            assert_eq!(plain, packet, "{ours:?}, packet {number}");
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused_as_the_oracle_refuses_it() {
    for (ours, theirs) in PROFILES {
        let key = key(theirs);
        let mut writes = oracle(&key, theirs);
        let protected = writes.encrypt_rtp(&rtp(1)).unwrap();
        for bit in 0..protected.len() * 8 {
            let mut forged = protected.to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            let refused = oracle(&key, theirs).decrypt_rtp(&forged).is_err();
            let mut plain = Vec::new();
            let ours_refused = Receiver::new(ours, &key)
                .unwrap()
                .unprotect_rtp(&forged, &mut plain)
                .is_err();
            assert!(
                refused && ours_refused,
                "{ours:?}, bit {bit}: oracle {refused}, ours {ours_refused}"
            );
        }
    }
}
