use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn ranges_are_read_and_written() {
    for (text, shown) in [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ] {
        assert_eq!(text.parse::<Cidr>().unwrap().to_string(), shown);
    }
    for text in [
        "",
        "/",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/+8",
        "::/129",
        "192.0.2/24",
        "host/8",
        "1.2.3.4/8/8",
    ] {
        assert!(text.parse::<Cidr>().is_err(), "{text}");
    }
}

#[test]
fn public_addresses_are_allowed() {
    for address in [
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.0.1",
        "172.32.0.0",
        "223.255.255.255",
        "2600::1",
        "2a01::1",
        "2001:4860::1",
    ] {
        assert!(is_allowed(ip(address), &[]), "{address}");
    }
}

proptest! {
    #[test]
    fn a_range_holds_what_shares_its_prefix(own in any::<u32>(), other in any::<u32>(), prefix in 0..=32_u8) {
        let range = Cidr { address: Ipv4Addr::from_bits(own).into(), prefix };
        let shared = (own ^ other).leading_zeros() >= u32::from(prefix);
        prop_assert_eq!(range.contains(Ipv4Addr::from_bits(other).into()), shared);
    }

    #[test]
    fn so_it_is_with_ipv6(own in any::<u128>(), flip in 0..128_u32, prefix in 0..=128_u8) {
        let range = Cidr { address: Ipv6Addr::from_bits(own).into(), prefix };
        let other = own ^ (1 << (127 - flip));
        prop_assert_eq!(range.contains(Ipv6Addr::from_bits(other).into()), flip >= u32::from(prefix));
    }

    #[test]
    fn what_the_standard_library_calls_special_is_denied(bits in any::<u32>()) {
        let address = Ipv4Addr::from_bits(bits);
        let special = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_broadcast() || address.is_documentation() || address.is_multicast() || address.is_unspecified();
        prop_assert!(!special || !is_allowed(address.into(), &[]));
    }
}
