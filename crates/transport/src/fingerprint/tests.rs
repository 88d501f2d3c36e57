use proptest::prelude::*;

use super::{Fingerprint, any_matches};

const DER: &[u8] = b"stands for a certificate: the hash does not care";

fn of(algorithm: &'static aws_lc_rs::digest::Algorithm, name: &str) -> Fingerprint {
    Fingerprint {
        algorithm: name.to_owned(),
        value: aws_lc_rs::digest::digest(algorithm, DER).as_ref().to_vec(),
    }
}

#[test]
fn text_form_round_trips() {
    let fingerprint = Fingerprint::sha256(DER);
    let text = fingerprint.to_string();
    assert!(text.starts_with("sha-256 "));
    assert_eq!(text.len(), 8 + 32 * 3 - 1);
    assert_eq!(text.parse::<Fingerprint>().unwrap(), fingerprint);
    // RFC 8122 §5 wants upper case, but peers send lower case too.
    assert_eq!(text.to_lowercase().parse::<Fingerprint>().unwrap(), fingerprint);
    assert!(fingerprint.matches(DER));
    assert!(!fingerprint.matches(b"another certificate"));
}

#[test]
fn malformed_text_is_refused() {
    for bad in [
        "",
        "sha-256",
        "sha-256 ",
        "sha-256 A",
        "sha-256 AB:",
        "sha-256 +1:02",
        "sha 256 AB",
        " AB:CD",
    ] {
        assert!(bad.parse::<Fingerprint>().is_err(), "{bad:?}");
    }
    let long = format!("sha-256 {}", vec!["AB"; 65].join(":"));
    assert!(long.parse::<Fingerprint>().is_err());
}

#[test]
fn the_strongest_hash_decides() {
    let good256 = of(&aws_lc_rs::digest::SHA256, "sha-256");
    let good512 = of(&aws_lc_rs::digest::SHA512, "sha-512");
    let mut bad512 = good512.clone();
    bad512.value[0] ^= 1;
    assert!(any_matches(&[good256.clone(), good512.clone()], DER));
    assert!(
        any_matches(&[bad512.clone(), good512], DER),
        "one of several of the same hash is enough"
    );
    assert!(
        !any_matches(&[good256, bad512], DER),
        "a weaker hash does not override a stronger one"
    );
    assert!(!any_matches(&[], DER));
}

#[test]
fn weak_hashes_never_match() {
    let sha1 = of(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, "sha-1");
    assert!(!sha1.matches(DER));
    assert!(!any_matches(&[sha1], DER));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn parsing_never_panics(text in ".{0,300}") {
        if let Ok(fingerprint) = text.parse::<Fingerprint>() {
            prop_assert_eq!(fingerprint.to_string().parse::<Fingerprint>().unwrap(), fingerprint);
        }
    }
}
