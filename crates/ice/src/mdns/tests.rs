use proptest::prelude::*;

use super::*;

#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn base() -> Instant {
    Instant::now()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const NAME: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
const ON_LINK: &str = "192.0.2.9:5353";

fn transmits(mdns: &mut Mdns) -> Vec<(SocketAddr, Vec<u8>)> {
    std::iter::from_fn(|| mdns.poll_output())
        .filter_map(|output| match output {
            MdnsOutput::Transmit { destination, payload } => Some((destination, payload)),
            _ => None,
        })
        .collect()
}

#[test]
fn one_host_finds_the_other() {
    for address in ["192.0.2.5", "2001:db8::5"] {
        let now = base();
        let (mut asker, mut owner) = (Mdns::new(), Mdns::new());
        owner.publish(NAME, ip(address));
        asker.resolve(&NAME.to_ascii_uppercase(), now);
        asker.resolve(NAME, now);
        let questions = transmits(&mut asker);
        assert_eq!(questions.len(), 2, "one to each group");
        owner.handle_datagram(ON_LINK.parse().unwrap(), &questions[0].1, now);
        owner.handle_datagram(ON_LINK.parse().unwrap(), &questions[1].1, now);
        let answers = transmits(&mut owner);
        assert_eq!(answers.len(), 2, "not again within a second");
        assert_eq!(answers[0].0, SocketAddr::new(GROUPS[0], PORT));
        asker.handle_datagram("192.0.2.5:4000".parse().unwrap(), &answers[0].1, now);
        assert_eq!(asker.poll_output(), None, "from another port than 5353");
        asker.handle_datagram(ON_LINK.parse().unwrap(), &answers[0].1, now);
        let resolved = MdnsOutput::Resolved {
            name: NAME.to_ascii_uppercase(),
            address: ip(address),
        };
        assert_eq!(asker.poll_output(), Some(resolved));
        assert_eq!(asker.poll_timeout(), None);
        asker.handle_datagram(ON_LINK.parse().unwrap(), &answers[0].1, now);
        assert_eq!(asker.poll_output(), None, "nobody asks any more");
        assert_eq!(asker.stats().foreign, 1);
        owner.withdraw(NAME);
        owner.handle_datagram(ON_LINK.parse().unwrap(), &questions[0].1, now + 2 * QUIET);
        assert_eq!(owner.poll_output(), None);
    }
}

/// RFC 6762 §6.7: to a plain resolver, alone, with its id and its question.
#[test]
fn a_plain_resolver_gets_a_plain_answer() {
    let now = base();
    let mut owner = Mdns::new();
    owner.publish(NAME, ip("192.0.2.5"));
    let mut question = wire::query(NAME).unwrap();
    question[..2].copy_from_slice(&[0x12, 0x34]);
    let asker = "192.0.2.9:40000".parse().unwrap();
    owner.handle_datagram(asker, &question, now);
    let answers = transmits(&mut owner);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].0, asker);
    let message = MdnsMessage::parse(&answers[0].1).unwrap();
    assert_eq!(
        (message.id, message.is_response, message.questions.len()),
        (0x1234, true, 1)
    );
    assert_eq!(message.records[0].ttl, 10);
}

#[test]
fn nobody_answers_and_it_ends() {
    let start = base();
    let mut asker = Mdns::new();
    asker.resolve(NAME, start);
    let mut asked = Vec::new();
    let mut now = start;
    loop {
        for output in std::iter::from_fn(|| asker.poll_output()) {
            match output {
                MdnsOutput::Transmit { destination, .. } if destination.is_ipv4() => {
                    asked.push((now - start).as_secs())
                }
                MdnsOutput::Unresolved { name } => assert_eq!(name, NAME),
                _ => {}
            }
        }
        let Some(next) = asker.poll_timeout() else { break };
        now = next;
        asker.handle_timeout(now);
    }
    assert_eq!(asked, [0, 1, 3, 7]);
    assert_eq!((now - start).as_secs(), 15);
    for name in ["example.org", "local", ".local", "a..local", ""] {
        asker.resolve(name, now);
        assert!(
            matches!(asker.poll_output(), Some(MdnsOutput::Unresolved { .. })),
            "{name:?}"
        );
    }
}

/// As other implementations write it: compressed names, other records before, a question repeated.
#[test]
fn a_compressed_answer_is_read() {
    let mut bytes = vec![0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0];
    bytes.extend(b"\x03abc\x05local\x00");
    bytes.extend([0, 16, 0, 1, 0, 0, 0, 120, 0, 2, 1, b'x']);
    bytes.extend(b"\x03xyz\xc0\x10");
    bytes.extend([0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 44]);
    let message = MdnsMessage::parse(&bytes).unwrap();
    assert_eq!(
        message.records,
        [Record {
            name: "xyz.local".into(),
            address: ip("192.0.2.44"),
            ttl: 120
        }]
    );
    // A name that points at itself, or forward.
    for target in [12_u8, 16, 40] {
        let mut bytes = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, target];
        bytes.extend([0, 1, 0, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 44]);
        assert_eq!(MdnsMessage::parse(&bytes), None, "{target}");
    }
}

#[test]
fn names_say_nothing() {
    let mut rng = crate::rng::Rng::new([1; 32]);
    let (first, second) = (random_name(&mut rng), random_name(&mut rng));
    assert_ne!(first, second);
    assert_eq!(first.len(), 42);
    assert!(wire::query(&first).is_some());
    let bytes: Vec<char> = first.chars().collect();
    assert_eq!(bytes[14], '4');
    assert!("89ab".contains(bytes[19]));
}

#[test]
fn tables_are_bounded() {
    let mut mdns = Mdns::new();
    let now = base();
    for number in 0..1000 {
        mdns.resolve(&format!("{number}.local"), now);
        mdns.publish(&format!("{number}.local"), ip("192.0.2.1"));
    }
    assert!(mdns.queries.len() == MAX_QUERIES && mdns.names.len() == MAX_NAMES);
    assert!(mdns.outputs.len() <= MAX_OUTPUTS);
    assert!(mdns.stats().table_full > 0);
}

proptest! {
    #[test]
    fn hostile_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300), tidy in any::<bool>()) {
        let mut bytes = bytes;
        if tidy && bytes.len() > 12 {
            bytes[..12].copy_from_slice(&[0, 0, 0x84, 0, 0, 1, 0, 2, 0, 0, 0, 1]);
        }
        let mut mdns = Mdns::new();
        mdns.resolve(NAME, base());
        transmits(&mut mdns);
        mdns.handle_datagram(ON_LINK.parse().unwrap(), &bytes, base());
        let asks_for_us = MdnsMessage::parse(&bytes).is_some_and(|m| m.records.iter().any(|r| r.name == NAME));
        prop_assert!(mdns.poll_output().is_none() || asks_for_us);
    }

    #[test]
    fn what_is_written_is_read_back(labels in proptest::collection::vec("[a-z0-9-]{1,40}", 1..5), v4 in any::<[u8; 4]>()) {
        let name = format!("{}.local", labels.join("."));
        let message = MdnsMessage::parse(&wire::response(0, true, &name, v4.into()).unwrap()).unwrap();
        prop_assert_eq!(&message.records[0].name, &name);
        prop_assert_eq!(message.records[0].address, IpAddr::from(v4));
        let message = MdnsMessage::parse(&wire::query(&name).unwrap()).unwrap();
        prop_assert_eq!(&message.questions[1], &Question { name, kind: Kind::Aaaa, unicast: false });
    }
}
