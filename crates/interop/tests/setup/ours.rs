//! Our stack in the world of the set-up times.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use duologue_testnet::{EndpointId, Transmit};
use duologue_transport::{
    Certificate, Config, Event, Output, Parameters, Policy, Setup, Transport, TurnServer, TurnTransport,
};

use crate::world::{CALLEE, CALLER, Setting, Stack, Stackish, TURN, addr, credential, own};

pub(crate) struct Ours {
    transport: Transport,
    side: EndpointId,
    signals: VecDeque<String>,
    heard: u64,
}

impl Ours {
    pub(crate) fn new(side: EndpointId, setting: &Setting, now: Instant) -> Self {
        let mut config = Config::new(Certificate::generate().unwrap());
        config.controlling = side == CALLER;
        config.dtls_in_stun = setting.stack == Stack::OursInStun;
        if setting.relay {
            let (username, credential) = credential();
            config.policy = Policy::Relay;
            config.turn_servers = vec![TurnServer {
                address: addr(TURN),
                transport: TurnTransport::Udp,
                username,
                credential,
            }];
        }
        let mut seed = [side as u8 + 1; 32];
        seed[..8].copy_from_slice(&setting.seed.to_le_bytes());
        let mut ours = Self {
            transport: Transport::new(config, seed, now),
            side,
            signals: VecDeque::new(),
            heard: 0,
        };
        // What the descriptions' options say.
        ours.transport
            .set_remote_dtls_in_stun(setting.stack == Stack::OursInStun);
        ours.transport.set_remote_renomination(true);
        if side == CALLER {
            ours.gather(now);
            ours.describe();
        }
        ours
    }

    fn gather(&mut self, now: Instant) {
        self.transport.add_local_address(own(self.side), now).unwrap();
        self.transport.end_of_local_addresses(now);
    }

    fn describe(&mut self) {
        let Parameters {
            ufrag,
            pwd,
            fingerprints,
            setup,
        } = self.transport.local_parameters();
        let text = format!("P {ufrag} {pwd} {setup}\n{}", fingerprints[0]);
        self.signals.push_front(text);
    }
}

impl Stackish for Ours {
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        self.transport.handle_datagram(local, source, payload, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.transport.handle_timeout(now);
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit> {
        loop {
            match self.transport.poll_output()? {
                Output::Transmit(sent) => {
                    return Some(Transmit {
                        source: sent.source,
                        destination: sent.destination,
                        payload: sent.payload,
                    });
                }
                Output::Event(Event::LocalCandidate(candidate)) => self.signals.push_back(format!("C {candidate}")),
                Output::Event(Event::GatheringComplete) => self.signals.push_back("E".into()),
                Output::Event(Event::Rtp(_)) => self.heard += 1,
                _ => {}
            }
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.transport.poll_timeout()
    }

    fn handle_signal(&mut self, text: &str, now: Instant) {
        match text.split_at(1) {
            ("P", rest) => {
                let (line, fingerprint) = rest.trim_start().split_once('\n').unwrap();
                let words: Vec<&str> = line.split(' ').collect();
                let parameters = Parameters {
                    ufrag: words[0].into(),
                    pwd: words[1].into(),
                    setup: words[2].parse::<Setup>().unwrap(),
                    fingerprints: vec![fingerprint.parse().unwrap()],
                };
                if self.side == CALLEE {
                    self.gather(now);
                }
                self.transport.set_remote_parameters(parameters, now).unwrap();
                if self.side == CALLEE {
                    self.describe();
                }
            }
            ("C", candidate) => self.transport.add_remote_candidate(candidate.trim(), now).unwrap(),
            _ => self.transport.end_of_remote_candidates(now),
        }
    }

    fn poll_signal(&mut self) -> Option<String> {
        self.signals.pop_front()
    }

    fn is_up(&self) -> bool {
        self.transport.is_connected()
    }

    fn send_media(&mut self, number: u16, now: Instant) {
        let mut packet = vec![0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        packet[2..4].copy_from_slice(&number.to_be_bytes());
        packet.extend_from_slice(&[0x5a; 80]);
        self.transport.send_rtp(&packet, now).unwrap();
    }

    fn heard(&self) -> u64 {
        self.heard
    }
}
