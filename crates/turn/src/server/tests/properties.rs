use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Advance(u64),
    Allocate(usize, bool),
    Refresh(usize, u32),
    Permit(usize, usize),
    Bind(usize, u16, usize),
    Channel(usize, u16),
    Send(usize, usize),
    Incoming(usize, usize),
    Disconnect(usize),
    Noise(usize, Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (phone, peer) = (0..4_usize, 0..7_usize);
    let number = 0x4000..0x4004_u16;
    let step = prop_oneof![
        (0..700_u64).prop_map(Step::Advance),
        (phone.clone(), any::<bool>()).prop_map(|(p, broken)| Step::Allocate(p, broken)),
        (phone.clone(), prop_oneof![Just(0), 0..5_000_u32]).prop_map(|(p, s)| Step::Refresh(p, s)),
        (phone.clone(), peer.clone()).prop_map(|(p, q)| Step::Permit(p, q)),
        (phone.clone(), number.clone(), peer.clone()).prop_map(|(p, n, q)| Step::Bind(p, n, q)),
        (phone.clone(), number).prop_map(|(p, n)| Step::Channel(p, n)),
        (phone.clone(), peer.clone()).prop_map(|(p, q)| Step::Send(p, q)),
        (phone.clone(), peer).prop_map(|(p, q)| Step::Incoming(p, q)),
        phone.clone().prop_map(Step::Disconnect),
        (phone, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(p, b)| Step::Noise(p, b)),
    ];
    prop::collection::vec(step, 1..80)
}

/// What a correct server permits, kept by the test.
#[derive(Default)]
struct Model {
    relay: Option<SocketAddr>,
    expires: Option<Instant>,
    permitted: BTreeMap<IpAddr, Instant>,
}

const PEERS: [&str; 7] = [
    "91.0.0.1:1000",
    "91.0.0.1:2000",
    "91.0.0.2:1000",
    "10.0.0.1:1000",
    "127.0.0.1:80",
    "[2a02::1]:1000",
    "45.9.8.7:22",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever clients do in whatever order: nothing reaches a peer that was not permitted by the very client within the
    /// last five minutes, nothing special is ever reached, sockets and allocations match, and the next deadline is true.
    #[test]
    fn nothing_passes_without_a_permission(steps in steps()) {
        let mut lab = Lab::new(config());
        let mut phones: Vec<Phone> = (0..4)
            .map(|n| match n {
                0..3 => Phone::new(&format!("198.7.6.5:{}", 40_000 + n), &format!("user{}", n / 2)),
                _ => Phone::stream("198.7.6.5:40000", "user1", 1),
            })
            .collect();
        let mut models: Vec<Model> = (0..4).map(|_| Model::default()).collect();
        for phone in &mut phones {
            phone.greet(&mut lab);
        }
        for step in steps {
            let now = lab.now;
            match step {
                Step::Advance(seconds) => lab.advance(seconds),
                Step::Allocate(p, broken) => {
                    phones[p].greet(&mut lab);
                    lab.broken_sockets = if broken { 16 } else { 0 };
                    let request = phones[p].request(method::ALLOCATE, udp);
                    let answer = lab.ask(phones[p].client, &request).unwrap();
                    lab.broken_sockets = 0;
                    let model = &mut models[p];
                    prop_assert_eq!(said(&answer) == Said::Success, model.relay.is_none() && !broken);
                    if said(&answer) == Said::Success {
                        model.relay = Some(address_in(&answer, attribute::XOR_RELAYED_ADDRESS));
                        model.expires = Some(now + Duration::from_secs(600));
                    }
                }
                Step::Refresh(p, seconds) => {
                    phones[p].greet(&mut lab);
                    let done = phones[p].refresh(&mut lab, seconds) == Said::Success;
                    prop_assert_eq!(done, models[p].relay.is_some());
                    if done {
                        let granted = u64::from(seconds).clamp(600, 3_600);
                        models[p].expires = Some(now + Duration::from_secs(granted));
                        if seconds == 0 {
                            models[p] = Model::default();
                        }
                    }
                }
                Step::Permit(p, q) => {
                    phones[p].greet(&mut lab);
                    if phones[p].permit(&mut lab, PEERS[q]) == Said::Success {
                        prop_assert!(models[p].relay.is_some() && matches!(q, 0..=2 | 6));
                        models[p].permitted.insert(addr(PEERS[q]).ip(), now + Duration::from_secs(300));
                    }
                }
                Step::Bind(p, number, q) => {
                    phones[p].greet(&mut lab);
                    if phones[p].bind(&mut lab, number, PEERS[q]) == Said::Success {
                        prop_assert!(models[p].relay.is_some() && matches!(q, 0..=2 | 6));
                        models[p].permitted.insert(addr(PEERS[q]).ip(), now + Duration::from_secs(300));
                    }
                }
                Step::Channel(p, number) => {
                    let message = channel_data(number, b"channel");
                    if let Some(forward) = lab.server.handle_client(phones[p].client, &message, now) {
                        prop_assert!(models[p].relay.is_some());
                        let Target::Peer { address, .. } = forward.to else { panic!("{forward:?}") };
                        prop_assert!(PEERS[..3].contains(&&*address.to_string()));
                    }
                }
                Step::Send(p, q) => {
                    let message = send_indication(PEERS[q], b"send");
                    let sent = lab.server.handle_client(phones[p].client, &message, now).is_some();
                    let permitted = models[p].permitted.get(&addr(PEERS[q]).ip()).is_some_and(|until| *until > now);
                    prop_assert_eq!(sent, permitted && q != 6);
                }
                Step::Incoming(p, q) => {
                    let socket = lab.sockets.values().find(|(_, bound)| Some(*bound) == models[p].relay);
                    let socket = socket.map(|(relay, _)| *relay);
                    prop_assert_eq!(socket.is_some(), models[p].relay.is_some());
                    if let Some(relay) = socket {
                        let passed = lab.peer_says(relay, PEERS[q], b"in").is_some();
                        let permitted = models[p].permitted.get(&addr(PEERS[q]).ip()).is_some_and(|until| *until > now);
                        prop_assert_eq!(passed, permitted);
                    }
                }
                Step::Disconnect(p) => {
                    lab.server.handle_disconnected(phones[p].client, now);
                    models[p] = Model::default();
                }
                Step::Noise(p, bytes) => {
                    prop_assert_eq!(lab.server.handle_client(phones[p].client, &bytes, now), None);
                }
            }
            lab.pump();
            for model in &mut models {
                if model.expires.is_some_and(|expires| expires <= lab.now) {
                    *model = Model::default();
                }
            }
            let alive = models.iter().filter(|model| model.relay.is_some()).count();
            prop_assert_eq!(lab.server.allocations(), alive);
            prop_assert_eq!(lab.sockets.len(), alive);
            prop_assert_eq!(lab.server.poll_timeout(), models.iter().filter_map(|model| model.expires).min());
        }
    }
}
