//! The checks of `ice` as the `stun` crate reads and writes them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::time::Instant;

use duologue_ice::{Agent, Candidate, Config, Credentials, Output, Role};
use stun::attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USERNAME};
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Getter as _, Message, Setter as _};
use stun::xoraddr::XorMappedAddress;

const PEER_PASSWORD: &str = "a password of the peer's";

fn addresses() -> (SocketAddr, SocketAddr) {
    (
        "[2001:db8::1]:5000".parse().unwrap(),
        "[2001:db8::2]:6000".parse().unwrap(),
    )
}

fn agent(now: Instant) -> Agent {
    let (here, there) = addresses();
    let mut agent = Agent::new(
        Config {
            role: Role::Controlling,
            ..Config::default()
        },
        [7; 32],
        now,
    );
    agent.add_local_address(here, now).unwrap();
    let line = format!("candidate:1 1 udp 2130706431 {} {} typ host", there.ip(), there.port());
    agent
        .add_remote_candidate(line.parse::<Candidate>().unwrap(), now)
        .unwrap();
    agent.set_remote_credentials(
        Credentials {
            ufrag: "peer".into(),
            pwd: PEER_PASSWORD.into(),
        },
        now,
    );
    agent
}

fn transmitted(agent: &mut Agent) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| agent.poll_output())
        .filter_map(|output| match output {
            Output::Transmit(sent) => Some(sent.payload),
            _ => None,
        })
        .collect()
}

fn read(bytes: &[u8]) -> Message {
    let mut message = Message::new();
    message.unmarshal_binary(bytes).unwrap();
    message
}

#[test]
fn the_oracle_reads_and_verifies_our_check() {
    let now = Instant::now();
    let mut agent = agent(now);
    agent.handle_timeout(now);
    let sent = transmitted(&mut agent);
    let mut check = read(sent.first().expect("a check leaves at once"));
    assert_eq!(check.typ, BINDING_REQUEST);
    let username = String::from_utf8(check.get(ATTR_USERNAME).unwrap()).unwrap();
    assert_eq!(username, format!("peer:{}", agent.local_credentials().ufrag));
    assert_eq!(check.get(ATTR_PRIORITY).unwrap().len(), 4);
    assert_eq!(check.get(ATTR_ICE_CONTROLLING).unwrap().len(), 8);
    FINGERPRINT.check(&check).unwrap();
    MessageIntegrity::new_short_term_integrity(PEER_PASSWORD.into())
        .check(&mut check)
        .unwrap();
    assert!(
        MessageIntegrity::new_short_term_integrity("another".into())
            .check(&mut check)
            .is_err()
    );
}

#[test]
fn we_answer_the_oracles_check_and_it_verifies_the_answer() {
    let now = Instant::now();
    let (here, there) = addresses();
    let mut agent = agent(now);
    let own = agent.local_credentials().clone();
    let mut check = Message::new();
    check
        .build(&[
            Box::new(stun::agent::TransactionId([9; 12])),
            Box::new(BINDING_REQUEST),
            Box::new(stun::textattrs::Username::new(
                ATTR_USERNAME,
                format!("{}:peer", own.ufrag),
            )),
            Box::new(stun::attributes::RawAttribute {
                typ: ATTR_PRIORITY,
                length: 4,
                value: vec![0x6E, 0, 1, 0xFF],
            }),
            Box::new(stun::attributes::RawAttribute {
                typ: stun::attributes::ATTR_ICE_CONTROLLED,
                length: 8,
                value: vec![1; 8],
            }),
        ])
        .unwrap();
    MessageIntegrity::new_short_term_integrity(own.pwd.clone())
        .add_to(&mut check)
        .unwrap();
    FINGERPRINT.add_to(&mut check).unwrap();
    agent.handle_datagram(here, there, &check.raw, now);
    let mut answer = transmitted(&mut agent)
        .iter()
        .map(|sent| read(sent))
        .find(|message| message.typ == BINDING_SUCCESS)
        .expect("a check that is in order is answered");
    assert_eq!(answer.transaction_id.0, [9; 12]);
    FINGERPRINT.check(&answer).unwrap();
    MessageIntegrity::new_short_term_integrity(own.pwd)
        .check(&mut answer)
        .unwrap();
    let mut mapped = XorMappedAddress::default();
    mapped.get_from(&answer).unwrap();
    assert_eq!(SocketAddr::new(mapped.ip, mapped.port), there);
}
