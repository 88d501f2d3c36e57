//! Published vectors, and the formats they do not cover.

use super::Cipher;
use crate::{Profile, header::RtpHeader, testing::hex};

const SALT: &str = "517569642070726f2071756f";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn gcm(profile: Profile) -> Cipher {
    Cipher::from_session_keys(profile, &hex(KEY)[..profile.key_len()], &[], &hex(SALT)).unwrap()
}

fn rtp_vector(profile: Profile, expected: &str) {
    let plain = hex("8040f17b8041f8d35501a0b2
        47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573");
    let expected = hex(expected);
    let cipher = gcm(profile);
    let header = RtpHeader::parse(&plain).unwrap();
    let mut out = Vec::new();
    cipher
        .seal_rtp(&plain, header.len, header.ssrc, u64::from(header.sequence), &mut out)
        .unwrap();
    assert_eq!(out, expected);
    cipher
        .open_rtp(&expected, header.len, header.ssrc, u64::from(header.sequence), &mut out)
        .unwrap();
    assert_eq!(out, plain);
}

/// RFC 7714 §16.1.
#[test]
fn rtp_aead_aes_128_gcm() {
    rtp_vector(
        Profile::AeadAes128Gcm,
        "8040f17b8041f8d35501a0b2
         f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833
         899d7f27beb16a9152cf765ee4390cce",
    );
}

/// RFC 7714 §16.2.
#[test]
fn rtp_aead_aes_256_gcm() {
    rtp_vector(
        Profile::AeadAes256Gcm,
        "8040f17b8041f8d35501a0b2
         32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b
         7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
}

const RTCP: &str = "81c8000d4d617273
    4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
const MARS: u32 = 0x4d61_7273;

fn rtcp_vector(profile: Profile, expected: &str) {
    let (plain, expected) = (hex(RTCP), hex(expected));
    let cipher = gcm(profile);
    let mut out = Vec::new();
    cipher.seal_rtcp(&plain, MARS, 0x5d4, &mut out).unwrap();
    assert_eq!(out, expected);
    assert_eq!(cipher.rtcp_index(&expected), Some(0x5d4));
    cipher.open_rtcp(&expected, MARS, &mut out).unwrap();
    assert_eq!(out, plain);
}

/// RFC 7714 §17.1.
#[test]
fn rtcp_aead_aes_128_gcm() {
    rtcp_vector(
        Profile::AeadAes128Gcm,
        "81c8000d4d617273
         63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b
         c84aa45896cf4d2fc5abf87245d9eade 800005d4",
    );
}

/// RFC 7714 §17.2.
#[test]
fn rtcp_aead_aes_256_gcm() {
    rtcp_vector(
        Profile::AeadAes256Gcm,
        "81c8000d4d617273
         d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad
         1d1eb30c4446839f57ff6f6cb26ac3be 800005d4",
    );
}

/// RFC 7714 §17.3: authenticated, not encrypted.
#[test]
fn rtcp_without_encryption() {
    let cipher = gcm(Profile::AeadAes128Gcm);
    let mut packet = hex(RTCP);
    packet.extend(hex("841dd9683dd78ec92ae58790125f62b3 000005d4"));
    let mut out = Vec::new();
    cipher.open_rtcp(&packet, MARS, &mut out).unwrap();
    assert_eq!(out, hex(RTCP));
    packet[20] ^= 1;
    assert!(cipher.open_rtcp(&packet, MARS, &mut out).is_err());
    assert!(out.is_empty(), "nothing unauthentic is left behind");
}

/// RFC 3711 §3.4: with the counter mode, the word with the E bit comes before the tag, and E = 0 leaves the rest as is.
#[test]
fn rtcp_counter_mode_without_encryption() {
    let profile = Profile::Aes128CmHmacSha1_80;
    let authentication = [7; 20];
    let cipher = Cipher::from_session_keys(profile, &[1; 16], &authentication, &[2; 14]).unwrap();
    let plain = hex(RTCP);
    let mut packet = plain.clone();
    packet.extend_from_slice(&0x5d4_u32.to_be_bytes());
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &authentication);
    let tag = aws_lc_rs::hmac::sign(&key, &packet);
    packet.extend_from_slice(&tag.as_ref()[..10]);
    let mut out = Vec::new();
    cipher.open_rtcp(&packet, MARS, &mut out).unwrap();
    assert_eq!(out, plain);

    cipher.seal_rtcp(&plain, MARS, 0x5d4, &mut out).unwrap();
    assert_eq!(out.len(), plain.len() + profile.rtcp_overhead());
    assert_eq!(out[plain.len()..][..4], [0x80, 0, 0x05, 0xd4]);
    assert_ne!(out[8..plain.len()], plain[8..]);
}
