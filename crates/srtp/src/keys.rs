use std::fmt;

use aws_lc_rs::{
    cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{KeyError, Profile};

/// The master key and salt of one direction (RFC 3711 §3.2.1). Erased from memory when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey {
    /// The key, [`Profile::key_len`] bytes.
    pub key: Vec<u8>,
    /// The salt, [`Profile::salt_len`] bytes.
    pub salt: Vec<u8>,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// The master keys of both directions of one association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyingMaterial {
    /// Ours: for the [`Sender`](crate::Sender).
    pub local: MasterKey,
    /// The peer's: for the [`Receiver`](crate::Receiver).
    pub remote: MasterKey,
}

impl KeyingMaterial {
    /// Splits what DTLS exports under the label `EXTRACTOR-dtls_srtp`: client key, server key, client salt, server
    /// salt (RFC 5764 §4.2). `is_client` says whether we are the DTLS client.
    ///
    /// # Errors
    /// [`KeyError::MaterialLength`] unless `material` has [`Profile::keying_material_len`] bytes.
    pub fn from_dtls(profile: Profile, material: &[u8], is_client: bool) -> Result<Self, KeyError> {
        if material.len() != profile.keying_material_len() {
            return Err(KeyError::MaterialLength {
                expected: profile.keying_material_len(),
                actual: material.len(),
            });
        }
        let (keys, salts) = material.split_at(2 * profile.key_len());
        let (client_key, server_key) = keys.split_at(profile.key_len());
        let (client_salt, server_salt) = salts.split_at(profile.salt_len());
        let master = |key: &[u8], salt: &[u8]| MasterKey {
            key: key.to_vec(),
            salt: salt.to_vec(),
        };
        let client = master(client_key, client_salt);
        let server = master(server_key, server_salt);
        Ok(if is_client {
            Self {
                local: client,
                remote: server,
            }
        } else {
            Self {
                local: server,
                remote: client,
            }
        })
    }
}

/// What a session key is for: the labels of RFC 3711 §4.3.1 and §4.3.2.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Label {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

/// Which of the two protocols a session key protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Rtp,
    Rtcp,
}

/// The key derivation function of RFC 3711 §4.3 with a key derivation rate of zero: every session key is derived once.
pub(crate) struct KeyDerivation {
    prf: EncryptingKey,
    /// The salt times 2^16: in the place that the counter mode's input has it.
    salt: [u8; 16],
}

impl KeyDerivation {
    pub(crate) fn new(profile: Profile, master: &MasterKey) -> Result<Self, KeyError> {
        if master.key.len() != profile.key_len() {
            return Err(KeyError::KeyLength {
                expected: profile.key_len(),
                actual: master.key.len(),
            });
        }
        if master.salt.len() != profile.salt_len() {
            return Err(KeyError::SaltLength {
                expected: profile.salt_len(),
                actual: master.salt.len(),
            });
        }
        // RFC 7714 §11: a 96-bit salt is extended to 112 bits with zeros on the right.
        let mut salt = [0; 16];
        salt[..master.salt.len()].copy_from_slice(&master.salt);
        Ok(Self {
            prf: counter_mode(&master.key)?,
            salt,
        })
    }

    /// Fills `out` with the session key of this purpose.
    pub(crate) fn derive(&self, protocol: Protocol, label: Label, out: &mut [u8]) -> Result<(), KeyError> {
        let label = label as u8 + if protocol == Protocol::Rtcp { 3 } else { 0 };
        // RFC 3711 §4.3.1: key_id = label || r with a 48-bit r, which is zero here; §4.3.3: the keystream under
        // (key_id XOR salt) times 2^16.
        let mut iv = self.salt;
        iv[7] ^= label;
        out.fill(0);
        apply_keystream(&self.prf, iv, out).map_err(|_| KeyError::Refused)
    }
}

impl Drop for KeyDerivation {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

/// AES in counter mode, its key schedule made once.
pub(crate) fn counter_mode(key: &[u8]) -> Result<EncryptingKey, KeyError> {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    UnboundCipherKey::new(algorithm, key)
        .and_then(EncryptingKey::ctr)
        .map_err(|_| KeyError::Refused)
}

/// XORs `data` with the keystream that starts at counter block `iv`.
pub(crate) fn apply_keystream(
    key: &EncryptingKey,
    iv: [u8; 16],
    data: &mut [u8],
) -> Result<(), aws_lc_rs::error::Unspecified> {
    key.less_safe_encrypt(data, EncryptionContext::Iv128(FixedLength::from(iv)))
        .map(|_| ())
}

#[cfg(test)]
mod tests;
