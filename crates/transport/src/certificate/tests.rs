use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};

use super::Certificate;

/// Splits one DER value off: tag, contents, rest.
fn split(input: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, header) = match input[1] {
        short @ ..=0x7f => (usize::from(short), 2),
        0x81 => (usize::from(input[2]), 3),
        0x82 => (usize::from(u16::from_be_bytes([input[2], input[3]])), 4),
        other => panic!("length form {other:#x}"),
    };
    (input[0], &input[header..header + length], &input[header + length..])
}

#[test]
fn the_certificate_is_well_formed_and_signed_with_its_own_key() {
    let certificate = Certificate::generate().unwrap();
    let (0x30, body, []) = split(certificate.der()) else {
        panic!("one sequence")
    };
    let (_, to_be_signed, rest) = split(body);
    let to_be_signed_der = &body[..body.len() - rest.len()];
    let (_, _, rest) = split(rest);
    let (0x03, signature, []) = split(rest) else {
        panic!("a bit string ends it")
    };

    let mut fields = Vec::new();
    let mut rest = to_be_signed;
    while !rest.is_empty() {
        let before = rest;
        let (_, _, after) = split(rest);
        fields.push(&before[..before.len() - after.len()]);
        rest = after;
    }
    assert_eq!(fields.len(), 7);
    assert_eq!(fields[3], fields[5], "issuer and subject are the same");
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, fields[6]).unwrap();
    key.verify_sig(to_be_signed_der, &signature[1..]).unwrap();
}

#[test]
fn every_certificate_is_another() {
    let (a, b) = (Certificate::generate().unwrap(), Certificate::generate().unwrap());
    assert_ne!(a.fingerprint(), b.fingerprint());
    assert_eq!(a.fingerprint(), a.clone().fingerprint());
    assert!(a.fingerprint().matches(a.der()));
    assert!(!a.fingerprint().matches(b.der()));
}

#[test]
fn debug_shows_no_key() {
    let certificate = Certificate::generate().unwrap();
    let text = format!("{certificate:?}");
    assert!(text.contains(&certificate.fingerprint().to_string()));
    assert!(text.len() < 160, "{text}");
}
