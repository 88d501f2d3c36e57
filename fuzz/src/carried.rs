//! DTLS that a peer carries inside authenticated STUN checks.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use duologue_ice as ice;
use duologue_transport::{Certificate, Config, Event, Output, Parameters, Setup, Transport};

const OURS: &str = "192.0.2.1:4000";
const THEIRS: &str = "192.0.2.2:4000";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A transport whose peer knows the passwords and lets its checks carry anything. The first byte chooses our DTLS role;
/// then come payloads, each after two bytes of length. An empty one stands for a true ClientHello.
pub fn dtls_in_stun(data: &[u8]) {
    let Some((&role, mut rest)) = data.split_first() else {
        return;
    };
    let mut now = Instant::now();
    let certificate = Certificate::generate().expect("a certificate");
    let fingerprint = certificate.fingerprint();
    let mut transport = Transport::new(Config::new(certificate), [1; 32], now);
    transport.set_remote_dtls_in_stun(role & 2 == 0);
    transport
        .add_local_address(address(OURS), now)
        .expect("a usable address");
    let config = ice::Config {
        role: ice::Role::Controlling,
        consent: ice::ConsentConfig {
            interval: Duration::from_millis(10),
            ..ice::ConsentConfig::default()
        },
        ..ice::Config::default()
    };
    let mut peer = ice::Agent::new(config, [2; 32], now);
    peer.add_local_address(address(THEIRS), now).expect("a usable address");
    let (ours, theirs) = (transport.local_parameters(), peer.local_credentials().clone());
    let parameters = Parameters {
        ufrag: theirs.ufrag,
        pwd: theirs.pwd,
        fingerprints: vec![fingerprint],
        setup: if role & 1 == 0 { Setup::Active } else { Setup::Passive },
    };
    transport
        .set_remote_parameters(parameters, now)
        .expect("usable parameters");
    let credentials = ice::Credentials {
        ufrag: ours.ufrag,
        pwd: ours.pwd,
    };
    peer.set_remote_credentials(credentials, now);
    let candidate = format!("candidate:1 1 udp 1 {} typ host", OURS.replace(':', " "));
    peer.add_remote_candidate(candidate.parse().expect("a literal candidate"), now)
        .expect("a usable candidate");
    let hello = client_hello(now);
    while let [high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (payload, tail) = tail.split_at(length);
        rest = tail;
        let payload = if payload.is_empty() {
            hello.clone()
        } else {
            payload.to_vec()
        };
        peer.set_check_payloads([payload]);
        now += Duration::from_millis(15);
        peer.handle_timeout(now);
        transport.handle_timeout(now);
        carry(&mut transport, &mut peer, now);
    }
    assert!(
        !transport.is_connected(),
        "nobody holds the key of the certificate but we"
    );
}

/// What the first check of a client carries.
fn client_hello(now: Instant) -> Vec<u8> {
    let mut client = Transport::new(
        Config::new(Certificate::generate().expect("a certificate")),
        [3; 32],
        now,
    );
    client.set_remote_dtls_in_stun(true);
    client
        .add_local_address(address(THEIRS), now)
        .expect("a usable address");
    client
        .add_remote_candidate("candidate:1 1 udp 1 192.0.2.1 4000 typ host", now)
        .expect("a usable candidate");
    let mut parameters = client.local_parameters();
    parameters.setup = Setup::Passive;
    client
        .set_remote_parameters(parameters, now)
        .expect("usable parameters");
    while let Some(output) = client.poll_output() {
        if let Output::Transmit(sent) = output {
            // RFC 8489 §14: type and length before each value, of which our own type is the one we look for.
            let mut rest = &sent.payload[20..];
            while let [_, _, high, low, value @ ..] = rest {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                if rest[..2] == [0xc0, 0xd5] {
                    return value[..length].to_vec();
                }
                rest = &value[length.next_multiple_of(4)..];
            }
        }
    }
    panic!("no check carries a ClientHello");
}

/// Datagrams take no time.
fn carry(transport: &mut Transport, peer: &mut ice::Agent, now: Instant) {
    for _ in 0..64 {
        let mut quiet = true;
        while let Some(output) = peer.poll_output() {
            quiet = false;
            if let ice::Output::Transmit(sent) = output {
                transport.handle_datagram(sent.destination, sent.source, &sent.payload, now);
            }
        }
        let mut outputs = 0;
        while let Some(output) = transport.poll_output() {
            quiet = false;
            outputs += 1;
            match output {
                Output::Transmit(sent) if sent.payload[0] < 4 => {
                    peer.handle_datagram(sent.destination, sent.source, &sent.payload, now);
                }
                Output::Event(event) => assert!(!matches!(event, Event::Connected { .. } | Event::Rtp(_))),
                _ => {}
            }
        }
        assert!(outputs <= 64, "{outputs} outputs at once");
        if quiet {
            return;
        }
    }
    panic!("the two never come to rest");
}
