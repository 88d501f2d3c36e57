//! The transforms: what each profile does to one packet whose index is known.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::EncryptingKey,
    constant_time, hmac,
};
use zeroize::Zeroizing;

use crate::{
    KeyError, MasterKey, Profile,
    header::RTCP_CLEAR,
    keys::{KeyDerivation, Label, Protocol, apply_keystream, counter_mode},
};

/// Top bit of the word after an SRTCP packet: the packet is encrypted (RFC 3711 §3.4).
const E_BIT: u32 = 1 << 31;
/// Greatest SRTCP index (RFC 3711 §3.4).
pub(crate) const MAX_RTCP_INDEX: u32 = E_BIT - 1;

/// The crypto library failed, or a tag is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CipherError;

impl From<aws_lc_rs::error::Unspecified> for CipherError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

/// Session keys of one protocol and one direction, expanded once.
pub(crate) struct Cipher {
    profile: Profile,
    keys: SessionKeys,
}

enum SessionKeys {
    /// Boxed: an expanded HMAC key and key schedule take more than 1,700 bytes.
    CounterHmac(Box<CounterHmac>),
    Gcm {
        key: LessSafeKey,
        salt: [u8; 12],
    },
}

struct CounterHmac {
    encryption: EncryptingKey,
    authentication: hmac::Key,
    salt: [u8; 14],
}

impl Cipher {
    /// Derives the session keys.
    pub(crate) fn new(profile: Profile, master: &MasterKey, protocol: Protocol) -> Result<Self, KeyError> {
        let derivation = KeyDerivation::new(profile, master)?;
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..profile.key_len()];
        derivation.derive(protocol, Label::Encryption, key)?;
        let mut salt = Zeroizing::new([0; 14]);
        let salt = &mut salt[..profile.salt_len()];
        derivation.derive(protocol, Label::Salt, salt)?;
        // RFC 3711 §5.2: 160 bits whatever the length of the tag.
        let mut authentication = Zeroizing::new([0; 20]);
        derivation.derive(protocol, Label::Authentication, authentication.as_mut_slice())?;
        Self::from_session_keys(profile, key, authentication.as_slice(), salt)
    }

    fn from_session_keys(profile: Profile, key: &[u8], authentication: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        let salt_length = || KeyError::SaltLength {
            expected: profile.salt_len(),
            actual: salt.len(),
        };
        let gcm = |algorithm| -> Result<SessionKeys, KeyError> {
            Ok(SessionKeys::Gcm {
                key: LessSafeKey::new(UnboundKey::new(algorithm, key).map_err(|_| KeyError::Refused)?),
                salt: salt.try_into().map_err(|_| salt_length())?,
            })
        };
        let keys = match profile {
            Profile::Aes128CmHmacSha1_80 => SessionKeys::CounterHmac(Box::new(CounterHmac {
                encryption: counter_mode(key)?,
                authentication: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, authentication),
                salt: salt.try_into().map_err(|_| salt_length())?,
            })),
            Profile::AeadAes128Gcm => gcm(&AES_128_GCM)?,
            Profile::AeadAes256Gcm => gcm(&AES_256_GCM)?,
        };
        Ok(Self { profile, keys })
    }

    /// Replaces `out` by the SRTP form of `packet`, whose first `header` bytes stay in the clear (RFC 3711 §3.1).
    pub(crate) fn seal_rtp(
        &self,
        packet: &[u8],
        header: usize,
        ssrc: u32,
        index: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), CipherError> {
        out.clear();
        out.reserve(packet.len() + self.profile.rtp_overhead());
        out.extend_from_slice(packet);
        match &self.keys {
            SessionKeys::CounterHmac(keys) => {
                apply_keystream(
                    &keys.encryption,
                    counter_iv(&keys.salt, ssrc, index),
                    &mut out[header..],
                )?;
                // RFC 3711 §4.2: the rollover counter is authenticated, but not sent.
                let tag = sign(&keys.authentication, &[out, &rollover_counter(index)]);
                out.extend_from_slice(&tag.as_ref()[..self.profile.tag_len()]);
            }
            SessionKeys::Gcm { key, salt } => {
                let nonce = Nonce::assume_unique_for_key(rtp_nonce(salt, ssrc, index));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&packet[..header]), &mut out[header..])?;
                out.extend_from_slice(tag.as_ref());
            }
        }
        Ok(())
    }

    /// Replaces `out` by the RTP form of `packet`; leaves it empty when the tag is wrong.
    pub(crate) fn open_rtp(
        &self,
        packet: &[u8],
        header: usize,
        ssrc: u32,
        index: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), CipherError> {
        out.clear();
        let end = packet.len().checked_sub(self.profile.tag_len()).ok_or(CipherError)?;
        let (body, tag) = packet.split_at(end);
        if header > end {
            return Err(CipherError);
        }
        match &self.keys {
            SessionKeys::CounterHmac(keys) => {
                verify(&keys.authentication, &[body, &rollover_counter(index)], tag)?;
                out.extend_from_slice(body);
                apply_keystream(
                    &keys.encryption,
                    counter_iv(&keys.salt, ssrc, index),
                    &mut out[header..],
                )?;
            }
            SessionKeys::Gcm { key, salt } => {
                out.extend_from_slice(body);
                let nonce = Nonce::assume_unique_for_key(rtp_nonce(salt, ssrc, index));
                let opened = key.open_in_place_separate_tag(nonce, Aad::from(&body[..header]), tag, &mut out[header..]);
                if opened.is_err() {
                    out.clear();
                    return Err(CipherError);
                }
            }
        }
        Ok(())
    }

    /// Replaces `out` by the SRTCP form of `packet` (RFC 3711 §3.4, RFC 7714 §9).
    pub(crate) fn seal_rtcp(&self, packet: &[u8], ssrc: u32, index: u32, out: &mut Vec<u8>) -> Result<(), CipherError> {
        out.clear();
        out.reserve(packet.len() + self.profile.rtcp_overhead());
        out.extend_from_slice(packet);
        let trailer = (E_BIT | index).to_be_bytes();
        match &self.keys {
            SessionKeys::CounterHmac(keys) => {
                let iv = counter_iv(&keys.salt, ssrc, u64::from(index));
                apply_keystream(&keys.encryption, iv, &mut out[RTCP_CLEAR..])?;
                out.extend_from_slice(&trailer);
                let tag = sign(&keys.authentication, &[out]);
                out.extend_from_slice(&tag.as_ref()[..self.profile.tag_len()]);
            }
            SessionKeys::Gcm { key, salt } => {
                let nonce = Nonce::assume_unique_for_key(rtcp_nonce(salt, ssrc, index));
                let aad = encrypted_rtcp_aad(packet, trailer)?;
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut out[RTCP_CLEAR..])?;
                out.extend_from_slice(tag.as_ref());
                out.extend_from_slice(&trailer);
            }
        }
        Ok(())
    }

    /// The SRTCP index of a received packet: it is sent in the clear. `None` if the packet is too short.
    pub(crate) fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        self.split_rtcp(packet).map(|parts| parts.trailer & MAX_RTCP_INDEX)
    }

    /// Replaces `out` by the RTCP form of `packet`; leaves it empty when the tag is wrong.
    pub(crate) fn open_rtcp(&self, packet: &[u8], ssrc: u32, out: &mut Vec<u8>) -> Result<(), CipherError> {
        out.clear();
        let RtcpParts { body, tag, trailer } = self.split_rtcp(packet).ok_or(CipherError)?;
        let index = trailer & MAX_RTCP_INDEX;
        let encrypted = trailer & E_BIT != 0;
        match &self.keys {
            SessionKeys::CounterHmac(keys) => {
                verify(&keys.authentication, &[body, &trailer.to_be_bytes()], tag)?;
                out.extend_from_slice(body);
                if encrypted {
                    let iv = counter_iv(&keys.salt, ssrc, u64::from(index));
                    apply_keystream(&keys.encryption, iv, &mut out[RTCP_CLEAR..])?;
                }
            }
            SessionKeys::Gcm { key, salt } => {
                let nonce = Nonce::assume_unique_for_key(rtcp_nonce(salt, ssrc, index));
                out.extend_from_slice(body);
                let opened = if encrypted {
                    let aad = encrypted_rtcp_aad(body, trailer.to_be_bytes())?;
                    key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, &mut out[RTCP_CLEAR..])
                        .map(|_| ())
                } else {
                    // RFC 7714 §9.3: nothing is encrypted, all of it is associated data.
                    out.extend_from_slice(&trailer.to_be_bytes());
                    let opened = key
                        .open_in_place_separate_tag(nonce, Aad::from(out.as_slice()), tag, &mut [])
                        .map(|_| ());
                    out.truncate(body.len());
                    opened
                };
                if opened.is_err() {
                    out.clear();
                    return Err(CipherError);
                }
            }
        }
        Ok(())
    }

    /// The two transforms append tag and trailer in opposite order.
    fn split_rtcp<'a>(&self, packet: &'a [u8]) -> Option<RtcpParts<'a>> {
        let end = packet.len().checked_sub(self.profile.rtcp_overhead())?;
        if end < RTCP_CLEAR {
            return None;
        }
        let (body, rest) = packet.split_at(end);
        let (tag, trailer) = match self.keys {
            SessionKeys::CounterHmac(_) => {
                let (trailer, tag) = rest.split_first_chunk::<4>()?;
                (tag, trailer)
            }
            SessionKeys::Gcm { .. } => rest.split_last_chunk::<4>()?,
        };
        Some(RtcpParts {
            body,
            tag,
            trailer: u32::from_be_bytes(*trailer),
        })
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cipher({})", self.profile)
    }
}

struct RtcpParts<'a> {
    body: &'a [u8],
    tag: &'a [u8],
    trailer: u32,
}

/// RFC 3711 §4.1.1: `(k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)`.
pub(crate) fn counter_iv(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    xor(&mut iv[4..8], &ssrc.to_be_bytes());
    xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
    iv
}

/// RFC 7714 §8.1: two zero bytes, SSRC, rollover counter, sequence number.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    nonce
}

/// RFC 7714 §9.1: two zero bytes, SSRC, two zero bytes, index.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u32) -> [u8; 12] {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[8..12], &index.to_be_bytes());
    nonce
}

/// RFC 7714 §9.2: the clear header, then the trailer.
fn encrypted_rtcp_aad(packet: &[u8], trailer: [u8; 4]) -> Result<[u8; RTCP_CLEAR + 4], CipherError> {
    let mut aad = [0; RTCP_CLEAR + 4];
    let (head, tail) = aad.split_at_mut(RTCP_CLEAR);
    head.copy_from_slice(packet.get(..RTCP_CLEAR).ok_or(CipherError)?);
    tail.copy_from_slice(&trailer);
    Ok(aad)
}

fn xor(into: &mut [u8], with: &[u8]) {
    for (a, b) in into.iter_mut().zip(with) {
        *a ^= b;
    }
}

fn rollover_counter(index: u64) -> [u8; 4] {
    // An index has 48 bits, so its upper part fits.
    ((index >> 16) as u32).to_be_bytes()
}

fn sign(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    context.sign()
}

fn verify(key: &hmac::Key, parts: &[&[u8]], tag: &[u8]) -> Result<(), CipherError> {
    let expected = sign(key, parts);
    let cut = expected.as_ref().get(..tag.len()).ok_or(CipherError)?;
    Ok(constant_time::verify_slices_are_equal(cut, tag)?)
}

#[cfg(test)]
mod tests;
