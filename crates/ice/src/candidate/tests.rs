use proptest::prelude::*;

use super::*;
use crate::ParseError;

fn parse(text: &str) -> Candidate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// As Chrome, Firefox and Safari write them.
#[test]
fn what_browsers_write_is_read() {
    let chrome = parse(
        "candidate:842163049 1 udp 1677729535 203.0.113.7 51000 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag 4ZcD network-id 1 network-cost 10",
    );
    assert_eq!(chrome.kind, CandidateKind::ServerReflexive);
    assert_eq!(chrome.socket_addr(), Some("203.0.113.7:51000".parse().unwrap()));
    assert_eq!(chrome.related, Some("0.0.0.0:0".parse().unwrap()));
    assert_eq!(chrome.ufrag.as_deref(), Some("4ZcD"));
    assert_eq!(chrome.priority, 1_677_729_535);

    let firefox = parse("a=candidate:0 1 UDP 2122252543 2001:db8::1 49203 typ host");
    assert_eq!(firefox.socket_addr(), Some("[2001:db8::1]:49203".parse().unwrap()));

    let safari =
        parse("candidate:1 1 udp 2113937151 8ab6ba7d-d2a2-4a36-9cbe-6a5a1a2a3b4c.local 61765 typ host generation 0");
    assert_eq!(safari.socket_addr(), None);
    assert!(matches!(&safari.address, CandidateAddress::Mdns { name, port: 61765 } if name.ends_with(".local")));

    let tcp = "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active";
    assert_eq!(tcp.parse::<Candidate>(), Err(ParseError::Transport));
}

#[test]
fn what_is_not_a_candidate_is_named() {
    for (text, error) in [
        ("", ParseError::Missing { field: "foundation" }),
        ("candidate:1 1 udp 1 192.0.2.1 1", ParseError::Missing { field: "typ" }),
        (
            "candidate:1 x udp 1 192.0.2.1 1 typ host",
            ParseError::Invalid { field: "component" },
        ),
        (
            "candidate:1 1 udp -1 192.0.2.1 1 typ host",
            ParseError::Invalid { field: "priority" },
        ),
        (
            "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
            ParseError::Invalid { field: "priority" },
        ),
        (
            "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
            ParseError::Invalid { field: "port" },
        ),
        (
            "candidate:1 1 udp 1 example.org 1 typ host",
            ParseError::Invalid { field: "address" },
        ),
        (
            "candidate:1 1 udp 1 192.0.2.1 1 typ fast",
            ParseError::Invalid { field: "type" },
        ),
        (
            "candidate:1! 1 udp 1 192.0.2.1 1 typ host",
            ParseError::Invalid { field: "foundation" },
        ),
    ] {
        assert_eq!(text.parse::<Candidate>(), Err(error), "{text}");
    }
    let long = format!("candidate:1 1 udp 1 192.0.2.1 1 typ host {}", "x ".repeat(1000));
    assert!(matches!(long.parse::<Candidate>(), Err(ParseError::TooLong { .. })));
}

#[test]
fn priorities_are_those_of_the_rfc() {
    // RFC 8445 §5.1.2.1: (2^24) × 126 + (2^8) × 65535 + 255.
    assert_eq!(priority(CandidateKind::Host, 65535), 2_130_706_431);
    assert_eq!(priority(CandidateKind::Relayed, 65535), 16_777_215);
    assert_eq!(pair_priority(2, 1), (1 << 32) + 2 * 2 + 1);
    assert_eq!(pair_priority(1, 2), (1 << 32) + 2 * 2);
    let ip = |text: &str| text.parse().unwrap();
    let order = [
        local_preference(ip("2001:db8::1"), 0),
        local_preference(ip("192.0.2.1"), 0),
        local_preference(ip("2001:db8::2"), 1),
        local_preference(ip("192.0.2.2"), 1),
        local_preference(ip("::1"), 0),
        local_preference(ip("127.0.0.1"), 0),
    ];
    assert!(order.is_sorted_by(|a, b| a > b), "{order:?}");
}

#[test]
fn some_addresses_are_no_candidates() {
    for unusable in [
        "192.0.2.1:0",
        "0.0.0.0:1",
        "0.1.2.3:1",
        "224.0.0.1:1",
        "255.255.255.255:1",
        "[::]:1",
        "[ff02::1]:1",
        "[fe80::1]:1",
        "[fec0::1]:1",
        "[::ffff:192.0.2.1]:1",
        "[::192.0.2.1]:1",
    ] {
        assert!(!is_usable(unusable.parse().unwrap()), "{unusable}");
    }
    for usable in [
        "192.0.2.1:1",
        "127.0.0.1:1",
        "[::1]:1",
        "[2001:db8::1]:1",
        "[fd00::1]:1",
        "169.254.1.1:1",
    ] {
        assert!(is_usable(usable.parse().unwrap()), "{usable}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_taken(text in "\\PC{0,200}") {
        let _ = text.parse::<Candidate>();
    }

    #[test]
    fn text_and_back(
        kind in prop::sample::select(vec![
            CandidateKind::Host, CandidateKind::ServerReflexive, CandidateKind::PeerReflexive, CandidateKind::Relayed,
        ]),
        ip: IpAddr,
        port: u16,
        related: SocketAddrParts,
        priority: u32,
        foundation in "[A-Za-z0-9+/]{1,32}",
        component in 1u16..256,
        ufrag in prop::option::of("[A-Za-z0-9+/]{4,30}"),
        mdns: bool,
    ) {
        let address = if mdns {
            CandidateAddress::Mdns { name: "a-b.local".to_owned(), port }
        } else {
            CandidateAddress::Socket(SocketAddr::new(ip, port))
        };
        let related = (kind != CandidateKind::Host).then(|| SocketAddr::new(related.0, related.1));
        let candidate = Candidate { kind, address, base: None, related, priority, foundation, component, ufrag };
        prop_assert_eq!(parse(&candidate.to_string()), candidate);
    }
}

type SocketAddrParts = (IpAddr, u16);
