use super::*;

/// A controlled peer that lost its path is followed to another valid pair, and a check that is sent again, from there or
/// from elsewhere, does not move the path a second time.
#[test]
fn a_wish_for_a_pair_is_granted_once() {
    let start = base();
    let config = Config {
        role: Role::Controlling,
        ..Config::default()
    };
    for agreed in [true, false] {
        let mut agent = Agent::new(config.clone(), [3; 32], start);
        agent.set_remote_renomination(agreed);
        agent.add_local_address(addr(OURS), start).unwrap();
        let theirs = [addr(THEIRS), addr("203.0.113.2:6000")];
        for (address, priority) in theirs.iter().zip([2, 1]) {
            let candidate = format!(
                "candidate:1 1 udp {priority} {} {} typ host",
                address.ip(),
                address.port()
            );
            agent.add_remote_candidate(candidate.parse().unwrap(), start).unwrap();
        }
        agent.set_remote_credentials(peer(), start);
        let mut now = start;
        let answer = |agent: &mut Agent, now| {
            for transmit in transmits(agent) {
                let message = Message::parse(&transmit.payload).unwrap();
                if message.class == Class::Request {
                    let key = Key::new(&peer().pwd);
                    let answer = stun::success(message.transaction, transmit.source, None, Some(&key));
                    agent.handle_datagram(transmit.source, transmit.destination, &answer, now);
                }
            }
        };
        for _ in 0..10 {
            agent.handle_timeout(now);
            answer(&mut agent, now);
            now += Duration::from_millis(5);
        }
        let remote = |agent: &Agent| agent.best_pair().unwrap().remote;
        assert_eq!(remote(&agent), theirs[0]);
        let username = format!("{}:peer", agent.local_credentials().ufrag);
        let wish = |count| {
            let check = Check {
                username: &username,
                priority: 1,
                use_candidate: false,
                nomination: None,
                asks: Some(count),
                role: RoleAttribute::Controlled(1),
                payload: None,
            };
            stun::check(u128::from(count), &check, &Key::new(&agent.local_credentials().pwd))
        };
        let (first, second) = (wish(1), wish(2));
        // The other pair is made valid by what this check triggers.
        let mut ask = |bytes: &[u8], from| {
            agent.handle_datagram(addr(OURS), from, bytes, now);
            for _ in 0..4 {
                answer(&mut agent, now);
                now += Duration::from_millis(5);
                agent.handle_timeout(now);
            }
            remote(&agent)
        };
        if agreed {
            assert_eq!(ask(&first, theirs[1]), theirs[1]);
            assert_eq!(ask(&first, theirs[0]), theirs[1], "sent again");
            assert_eq!(ask(&second, theirs[0]), theirs[0]);
            assert_eq!(ask(&first, theirs[1]), theirs[0], "an old one");
        } else {
            assert_eq!(ask(&first, theirs[1]), theirs[0]);
        }
    }
}
