use super::*;

const ALL: [RelayProtocol; 3] = [RelayProtocol::Udp, RelayProtocol::Tcp, RelayProtocol::Tls];

fn server(urls: &[&str]) -> IceServer {
    IceServer {
        urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        username: Some("name".into()),
        credential: Some("secret".into()),
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn stun_servers_are_read_from_their_urls() {
    for (url, expected) in [
        ("stun:192.0.2.1:3479", Some("192.0.2.1:3479")),
        ("stun:192.0.2.1", Some("192.0.2.1:3478")),
        ("stun:[2001:db8::1]:3478", Some("[2001:db8::1]:3478")),
        ("stun:[2001:db8::1]", Some("[2001:db8::1]:3478")),
        ("stun:2001:db8::1", Some("[2001:db8::1]:3478")),
        ("stun:Calls.example.com:3479", Some("192.0.2.9:3479")),
        ("stun:calls.example.com", Some("192.0.2.9:3478")),
        ("stun:calls.example.com:port", None),
        ("stun:stun.example.com:3478", None),
        ("turn:192.0.2.1:3478?transport=udp", None),
        ("stun:", None),
        ("stun:[2001:db8::1", None),
        ("stun:[2001:db8::1]x", None),
        ("", None),
    ] {
        let mut servers = Servers::default();
        servers.know("calls.example.com", vec!["192.0.2.9".parse().unwrap()]);
        assert_eq!(servers.set(vec![server(&[url])]), Vec::<String>::new(), "{url}");
        assert_eq!(servers.stun().first().copied(), expected.map(address), "{url}");
    }
}

#[test]
fn turn_servers_are_used_as_soon_as_their_address_is_known() {
    let mut servers = Servers::default();
    servers.know("calls.example.com", vec!["192.0.2.9".parse().unwrap()]);
    let names = servers.set(vec![
        server(&["stun:stun.example.com"]),
        server(&[
            "turn:calls.example.com:3478?transport=udp",
            "turn:calls.example.com?transport=tcp",
            "turns:calls.example.com:443?transport=tcp",
            "turn:relay.example.net",
            "turns:relay.example.net?transport=tcp",
            "turns:relay.example.net",
        ]),
    ]);
    assert_eq!(names, ["relay.example.net"]);
    assert!(servers.is_pending());
    let found: Vec<_> = servers
        .turn(&ALL)
        .into_iter()
        .map(|turn| (turn.address, turn.transport))
        .collect();
    let tls = |name: &str| TurnTransport::Tls {
        server_name: name.into(),
    };
    let own = [
        (address("192.0.2.9:3478"), TurnTransport::Udp),
        (address("192.0.2.9:3478"), TurnTransport::Tcp),
        (address("192.0.2.9:443"), tls("calls.example.com")),
    ];
    assert_eq!(found, own);
    assert_eq!(servers.turn(&[RelayProtocol::Tcp]).len(), 1);
    // Said again, nothing is looked up twice.
    let again = servers.named.clone();
    assert!(servers.set(again).is_empty());

    servers.know("relay.example.net", vec!["2001:db8::5".parse().unwrap()]);
    assert!(!servers.is_pending());
    let found: Vec<_> = servers
        .turn(&ALL)
        .into_iter()
        .map(|turn| (turn.address, turn.transport))
        .collect();
    assert_eq!(found[3], (address("[2001:db8::5]:3478"), TurnTransport::Udp));
    assert_eq!(found[4], (address("[2001:db8::5]:5349"), tls("relay.example.net")));
    assert_eq!(found.len(), 5);
}

#[test]
fn a_server_cannot_make_a_client_look_up_more_than_a_few_names() {
    let urls: Vec<String> = (0..100)
        .map(|number| format!("turn:relay{number}.example.net"))
        .collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut servers = Servers::default();
    assert_eq!(servers.set(vec![server(&urls)]).len(), MOST_NAMES);
    assert!(servers.set(vec![server(&["turn:other.example.net"])]).is_empty());
    // Without credentials a relay is of no use.
    let mut open = server(&["turn:192.0.2.1"]);
    open.credential = None;
    servers.set(vec![open]);
    assert!(servers.turn(&ALL).is_empty());
}

#[test]
fn no_url_breaks_the_reader() {
    const PIECES: [&str; 16] = [
        "stun:",
        "turn:",
        "turns:",
        "[",
        "]",
        ":",
        "?",
        "transport=tcp",
        "transport=udp",
        "&",
        "::1",
        "192.0.2.1",
        "99999",
        "443",
        "host",
        "é",
    ];
    let seed = duologue_testnet::seed_from_env(1);
    let mut rng = duologue_testnet::Rng::new(seed);
    for _ in 0..20_000 {
        let text: String = (0..rng.range(0..8))
            .map(|_| PIECES[rng.range(0..16) as usize])
            .collect();
        if let Some(url) = Url::parse(&text) {
            assert!(!url.host.is_empty() && text.contains(url.host), "seed {seed}: {text}");
        }
    }
}
