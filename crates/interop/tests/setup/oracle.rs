//! `is` and `dimpl` in the world of the set-up times, with the settings that they come with, put together as their own documentation
//! does: DTLS begins when ICE names an address to send to. Media are datagrams that nobody protects, which costs no time here.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate};
use duologue_testnet::{EndpointId, Transmit};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceCreds};

use crate::world::{CALLEE, CALLER, Setting, Stackish, own};

pub(crate) struct Oracle {
    agent: IceAgent,
    dtls: Dtls,
    side: EndpointId,
    /// Where to send.
    path: Option<SocketAddr>,
    began: bool,
    connected: bool,
    signals: VecDeque<String>,
    out: VecDeque<Transmit>,
    heard: u64,
    dtls_timeout: Option<Instant>,
    last: Instant,
}

impl Oracle {
    pub(crate) fn new(side: EndpointId, setting: &Setting, now: Instant) -> Self {
        assert!(!setting.relay, "`is` has no TURN client");
        let certificate = rcgen::generate_simple_self_signed(vec!["oracle".to_owned()]).unwrap();
        let certificate = DtlsCertificate {
            certificate: certificate.cert.der().to_vec(),
            private_key: certificate.key_pair.serialize_der(),
        };
        let config = dimpl::Config::builder()
            .with_crypto_provider(dimpl::crypto::aws_lc_rs::default_provider())
            .build()
            .unwrap();
        let mut dtls = Dtls::new_auto(Arc::new(config), certificate, now);
        dtls.set_active(side == CALLEE);
        let credentials = IceCreds {
            ufrag: format!("oracle{side}s{}", setting.seed),
            pass: format!("aPasswordOfTheOracle{:06}", setting.seed),
        };
        let mut agent = IceAgent::new(credentials);
        agent.set_controlling(side == CALLER);
        agent.set_control_tie_breaker(setting.seed);
        agent.handle_timeout(now);
        let mut oracle = Self {
            agent,
            dtls,
            side,
            path: None,
            began: false,
            connected: false,
            signals: VecDeque::new(),
            out: VecDeque::new(),
            heard: 0,
            dtls_timeout: None,
            last: now,
        };
        if side == CALLER {
            oracle.describe();
        }
        oracle
    }

    fn describe(&mut self) {
        let IceCreds { ufrag, pass } = self.agent.local_credentials().clone();
        self.signals.push_back(format!("P {ufrag} {pass}"));
        let candidate = Candidate::host(own(self.side), "udp").unwrap();
        self.signals.push_back(format!("C {}", candidate.to_sdp_string()));
        self.agent.add_local_candidate(candidate);
    }

    fn collect(&mut self, now: Instant) {
        self.last = now;
        while let Some(event) = self.agent.poll_event() {
            if let IceAgentEvent::NominatedSend { destination, .. } = event {
                self.path = Some(destination);
            }
        }
        while let Some(sent) = self.agent.poll_transmit() {
            self.out.push_back(Transmit {
                source: sent.source,
                destination: sent.destination,
                payload: sent.contents.to_vec(),
            });
        }
        if let Some(path) = self.path {
            if !self.began {
                self.began = true;
                self.dtls.handle_timeout(now).unwrap();
            }
            self.collect_dtls(path);
        }
    }

    fn collect_dtls(&mut self, path: SocketAddr) {
        let mut buffer = vec![0; 2048];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => self.out.push_back(Transmit {
                    source: own(self.side),
                    destination: path,
                    payload: packet.to_vec(),
                }),
                dimpl::Output::Connected => self.connected = true,
                dimpl::Output::Timeout(at) => {
                    self.dtls_timeout = Some(at);
                    return;
                }
                _ => {}
            }
        }
    }
}

impl Stackish for Oracle {
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        match payload[0] {
            0..=3 => {
                let message = StunMessage::parse(payload).unwrap();
                let packet = StunPacket {
                    proto: is::Protocol::Udp,
                    source,
                    destination: local,
                    message,
                };
                self.agent.handle_packet(now, packet);
                self.agent.handle_timeout(now);
            }
            20..=63 => {
                if self.began {
                    drop(self.dtls.handle_timeout(now));
                }
                self.began = true;
                // What it cannot use it refuses.
                drop(self.dtls.handle_packet(payload));
            }
            _ if self.connected => self.heard += 1,
            _ => {}
        }
        self.collect(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        if self.dtls_timeout.is_some_and(|at| at <= now) {
            drop(self.dtls.handle_timeout(now));
        }
        self.collect(now);
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit> {
        self.out.pop_front()
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let next = [self.agent.poll_timeout(), self.dtls_timeout.filter(|_| self.began)];
        let next = next.into_iter().flatten().min();
        // Some deadlines lie in the past.
        next.map(|at| at.max(self.last + Duration::from_millis(1)))
    }

    fn handle_signal(&mut self, text: &str, now: Instant) {
        match text.split_at(2) {
            ("P ", rest) => {
                let (ufrag, pass) = rest.split_once(' ').unwrap();
                self.agent.set_remote_credentials(IceCreds {
                    ufrag: ufrag.into(),
                    pass: pass.into(),
                });
                if self.side == CALLEE {
                    self.describe();
                }
            }
            (_, candidate) => self
                .agent
                .add_remote_candidate(Candidate::from_sdp_string(candidate).unwrap()),
        }
        self.agent.handle_timeout(now);
        self.collect(now);
    }

    fn poll_signal(&mut self) -> Option<String> {
        self.signals.pop_front()
    }

    fn is_up(&self) -> bool {
        self.connected && self.path.is_some()
    }

    fn send_media(&mut self, number: u16, _: Instant) {
        let Some(path) = self.path else { return };
        let mut payload = vec![0x80, 111, 0, 0];
        payload[2..].copy_from_slice(&number.to_be_bytes());
        self.out.push_back(Transmit {
            source: own(self.side),
            destination: path,
            payload,
        });
    }

    fn heard(&self) -> u64 {
        self.heard
    }
}
