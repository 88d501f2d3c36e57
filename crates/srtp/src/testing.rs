//! Shared by the unit tests.

use crate::{KeyingMaterial, Profile, Receiver, Sender};

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Both ends of one direction.
pub(crate) fn pair(profile: Profile) -> (Sender, Receiver) {
    let material: Vec<u8> = (0..profile.keying_material_len()).map(|i| (i * 7 + 3) as u8).collect();
    let client = KeyingMaterial::from_dtls(profile, &material, true).unwrap();
    let server = KeyingMaterial::from_dtls(profile, &material, false).unwrap();
    (
        Sender::new(profile, &client.local).unwrap(),
        Receiver::new(profile, &server.remote).unwrap(),
    )
}

/// An RTP packet whose payload tells its sequence number.
pub(crate) fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&(u32::from(sequence) * 960).to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend((0..80).map(|i| sequence.wrapping_add(i) as u8));
    packet
}

/// An RTCP receiver report without blocks, then some words.
pub(crate) fn rtcp(ssrc: u32, words: &[u32]) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    packet
}
