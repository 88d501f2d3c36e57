use proptest::prelude::*;

use super::*;

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// The table of RFC 6052 §2.4.
#[test]
fn addresses_are_embedded_as_the_rfc_shows() {
    for (prefix, length, expected) in [
        ("2001:db8::", 32, "2001:db8:c000:221::"),
        ("2001:db8:100::", 40, "2001:db8:1c0:2:21::"),
        ("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33"),
        ("64:ff9b::", 96, "64:ff9b::192.0.2.33"),
    ] {
        let prefix = Nat64Prefix::new(v6(prefix), length).unwrap();
        let ip = Ipv4Addr::new(192, 0, 2, 33);
        assert_eq!(prefix.embed(ip), v6(expected), "{length}");
        assert_eq!(prefix.extract(v6(expected)), Some(ip), "{length}");
        assert_eq!(prefix.extract(v6("2001:db9::1")), None);
    }
    assert_eq!(Nat64Prefix::new(v6("64:ff9b::"), 95), None);
    assert_eq!(
        Nat64Prefix::new(v6("2001:db8:122:344:ff00::"), 96),
        None,
        "bits 64 to 71"
    );
}

#[test]
fn prefixes_are_discovered() {
    let well_known = Nat64Prefix::new(v6("64:ff9b::"), 96).unwrap();
    let records = [v6("64:ff9b::192.0.0.170"), v6("64:ff9b::192.0.0.171")];
    assert_eq!(Nat64Prefix::discover(&records), [well_known]);
    let short = Nat64Prefix::new(v6("2001:db8::"), 32).unwrap();
    assert_eq!(
        Nat64Prefix::discover(&[short.embed(Ipv4Addr::new(192, 0, 0, 170))]),
        [short]
    );
    assert_eq!(Nat64Prefix::discover(&[v6("2001:db8::1"), v6("::1")]), []);
    assert_eq!(Nat64Prefix::discover(&[]), []);
}

/// The well-known address at two places of one record: only one of them has nothing but zeros behind it.
#[test]
fn a_record_fits_one_length_only() {
    let known = Ipv4Addr::new(192, 0, 0, 170);
    let ambiguous = v6("2001:db8:c000:aa::c000:aa");
    let short = Nat64Prefix::new(ambiguous, 32).unwrap();
    assert_ne!(
        short.embed(known),
        ambiguous,
        "a suffix that is not zero is no translation"
    );
    let long = Nat64Prefix::new(ambiguous, 96).unwrap();
    assert_eq!(Nat64Prefix::discover(&[ambiguous]), [long]);
}

proptest! {
    #[test]
    fn whatever_a_resolver_says_is_taken_without_harm(records in proptest::collection::vec(any::<[u8; 16]>(), 0..8)) {
        let records: Vec<Ipv6Addr> = records.into_iter().map(Ipv6Addr::from).collect();
        for prefix in Nat64Prefix::discover(&records) {
            let ip = Ipv4Addr::new(192, 0, 0, 170);
            prop_assert_eq!(prefix.extract(prefix.embed(ip)), Some(ip));
        }
    }

    #[test]
    fn a_translation_is_found_again(bytes in any::<[u8; 16]>(), which in 0..6_usize) {
        let mut bytes = bytes;
        bytes[8] = 0;
        let prefix = Nat64Prefix::new(bytes.into(), LENGTHS[which]).unwrap();
        let records = Nat64Prefix::WELL_KNOWN.map(|ip| prefix.embed(ip));
        prop_assert!(Nat64Prefix::discover(&records).contains(&prefix));
    }
}
