use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

use crate::{Fingerprint, error::CertificateError};

/// A self-signed ECDSA P-256 certificate with its private key. Cheap to clone: clones share the key.
///
/// It names nobody and never expires: a peer recognises it by its [fingerprint](Certificate::fingerprint) alone, which
/// signalling carries (RFC 5763 §5). Make one per call, so that calls cannot be linked by it.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    /// X.509, DER.
    certificate: Vec<u8>,
    /// PKCS #8 v1, DER.
    private_key: Vec<u8>,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Makes a new key pair and certificate from the operating system's random numbers.
    ///
    /// # Errors
    /// [`CertificateError`] when the crypto library fails, which it does only without a source of random numbers.
    pub fn generate() -> Result<Self, CertificateError> {
        let random = SystemRandom::new();
        let private_key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(|_| CertificateError::KeyGeneration)?;
        let key_pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, private_key.as_ref())
            .map_err(|_| CertificateError::KeyGeneration)?;
        let public_key = AsDer::<PublicKeyX509Der<'_>>::as_der(key_pair.public_key())
            .map_err(|_| CertificateError::KeyGeneration)?;
        let mut serial = [0; 16];
        random.fill(&mut serial).map_err(|_| CertificateError::KeyGeneration)?;

        let to_sign = der::to_be_signed(serial, public_key.as_ref());
        let signature = key_pair
            .sign(&random, &to_sign)
            .map_err(|_| CertificateError::Signing)?;
        let certificate = der::certificate(&to_sign, signature.as_ref());
        Ok(Self {
            inner: Arc::new(Inner {
                fingerprint: Fingerprint::sha256(&certificate),
                private_key: private_key.as_ref().to_vec(),
                certificate,
            }),
        })
    }

    /// The SHA-256 fingerprint, which the peer has to be told.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.inner.fingerprint.clone()
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.inner.certificate
    }

    pub(crate) fn for_dtls(&self) -> dimpl::DtlsCertificate {
        dimpl::DtlsCertificate {
            certificate: self.inner.certificate.clone(),
            private_key: self.inner.private_key.clone(),
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.inner.fingerprint).finish()
    }
}

/// The few ASN.1 structures of one fixed form of certificate (RFC 5280 §4.1).
mod der {
    const SEQUENCE: u8 = 0x30;
    const SET: u8 = 0x31;
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    const UTF8_STRING: u8 = 0x0c;
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    /// Context tag 0, constructed: the version.
    const VERSION: u8 = 0xa0;

    /// 1.2.840.10045.4.3.2, ecdsa-with-SHA256 (RFC 5758 §3.2).
    const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    /// 2.5.4.3, commonName.
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

    pub(super) fn to_be_signed(mut serial: [u8; 16], public_key_info: &[u8]) -> Vec<u8> {
        // RFC 5280 §4.1.2.2: positive, and in DER's shortest form.
        serial[0] = serial[0] & 0x7f | 0x40;
        let name = wrap(
            SEQUENCE,
            &[&wrap(
                SET,
                &[&wrap(
                    SEQUENCE,
                    &[
                        &wrap(OBJECT_IDENTIFIER, &[COMMON_NAME]),
                        &wrap(UTF8_STRING, &[b"WebRTC"]),
                    ],
                )],
            )],
        );
        // RFC 5280 §4.1.2.5: the last date stands for "no expiry". There is no clock here, and none is needed: the
        // fingerprint decides, not a date.
        let validity = wrap(
            SEQUENCE,
            &[
                &wrap(UTC_TIME, &[b"000101000000Z"]),
                &wrap(GENERALIZED_TIME, &[b"99991231235959Z"]),
            ],
        );
        wrap(
            SEQUENCE,
            &[
                &wrap(VERSION, &[&wrap(INTEGER, &[&[2]])]),
                &wrap(INTEGER, &[&serial]),
                &algorithm(),
                &name,
                &validity,
                &name,
                public_key_info,
            ],
        )
    }

    pub(super) fn certificate(to_be_signed: &[u8], signature: &[u8]) -> Vec<u8> {
        wrap(
            SEQUENCE,
            &[to_be_signed, &algorithm(), &wrap(BIT_STRING, &[&[0], signature])],
        )
    }

    fn algorithm() -> Vec<u8> {
        wrap(SEQUENCE, &[&wrap(OBJECT_IDENTIFIER, &[ECDSA_WITH_SHA256])])
    }

    /// Tag, length, contents.
    fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut out = Vec::with_capacity(length + 4);
        out.push(tag);
        let bytes = length.to_be_bytes();
        if length < 0x80 {
            out.push(bytes[7]);
        } else {
            let start = bytes.iter().position(|&b| b != 0).unwrap_or(7);
            let count = u8::try_from(bytes.len() - start).unwrap_or(u8::MAX);
            out.push(0x80 | count);
            out.extend_from_slice(&bytes[start..]);
        }
        for part in parts {
            out.extend_from_slice(part);
        }
        out
    }
}

#[cfg(test)]
mod tests;
