//! Message encryption for Web Push: RFC 8291 on the `aes128gcm` coding of RFC 8188.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::{aead, error::Unspecified};

use super::error::WebPushError;
use super::subscription::{AUTH, POINT, PushSubscription};

/// Record size. RFC 8291 §4: a push message is one record, and push services need not take more than 4096 bytes of body.
const RECORD: usize = 4_096;
const SALT: usize = 16;
/// RFC 8188 §2.1: salt, record size, length of the key id, and the key id, which RFC 8291 §4 makes our public key.
const HEADER: usize = SALT + 4 + 1 + POINT;
const TAG: usize = 16;
/// RFC 8188 §2: the delimiter that ends the last record's content.
const LAST: u8 = 2;

/// Most bytes that one push message holds.
pub(super) const LONGEST: usize = RECORD - HEADER - TAG - 1;

/// Encrypts `plaintext` for one subscription, under a key and a salt that are used this once.
pub(super) fn encrypt(subscription: &PushSubscription, plaintext: &[u8]) -> Result<Vec<u8>, WebPushError> {
    if plaintext.len() > LONGEST {
        return Err(WebPushError::TooLong {
            length: plaintext.len(),
        });
    }
    let key = PrivateKey::generate(&ECDH_P256).map_err(|_| WebPushError::Crypto)?;
    let mut salt = [0; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| WebPushError::Crypto)?;
    seal(&subscription.p256dh, &subscription.auth, plaintext, &key, &salt).map_err(|_| WebPushError::Crypto)
}

fn seal(
    theirs: &[u8; POINT],
    auth: &[u8; AUTH],
    plaintext: &[u8],
    key: &PrivateKey,
    salt: &[u8; SALT],
) -> Result<Vec<u8>, Unspecified> {
    let ours = key.compute_public_key()?;
    // RFC 8291 §3.3 and §3.4: the authentication secret is the salt, both public keys stand in the info.
    let prk = agree(
        key,
        UnparsedPublicKey::new(&ECDH_P256, theirs.as_slice()),
        Unspecified,
        |secret| Ok(Salt::new(HKDF_SHA256, auth).extract(secret)),
    )?;
    let ikm: [u8; 32] = expand(&prk, &[b"WebPush: info\0", theirs, ours.as_ref()])?;
    // RFC 8188 §2.2 and §2.3. There is one record, so the nonce is not varied.
    let prk = Salt::new(HKDF_SHA256, salt).extract(&ikm);
    let cek: [u8; 16] = expand(&prk, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = expand(&prk, &[b"Content-Encoding: nonce\0"])?;

    let mut content = Vec::with_capacity(plaintext.len() + 1 + TAG);
    content.extend_from_slice(plaintext);
    content.push(LAST);
    aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &cek)?).seal_in_place_append_tag(
        aead::Nonce::assume_unique_for_key(nonce),
        aead::Aad::empty(),
        &mut content,
    )?;

    let mut body = Vec::with_capacity(HEADER + content.len());
    body.extend_from_slice(salt);
    body.extend_from_slice(&(RECORD as u32).to_be_bytes());
    body.push(POINT as u8);
    body.extend_from_slice(ours.as_ref());
    body.extend_from_slice(&content);
    Ok(body)
}

fn expand<const N: usize>(prk: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = [0; N];
    prk.expand(info, Length(N))?.fill(&mut out)?;
    Ok(out)
}

#[cfg(test)]
#[path = "encrypt/tests.rs"]
mod tests;
