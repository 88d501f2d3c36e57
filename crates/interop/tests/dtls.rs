//! `transport` in both roles against a peer made wholly of other stacks: ICE by `is`, DTLS by `webrtc-dtls`, SRTP by `rtc-srtp`
//! with the keys that the DTLS oracle exports.
//!
//! The DTLS oracle is asynchronous and has a clock of its own, so this runs in real time; it waits for events only.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use duologue_transport::{Certificate, Config, Event, Fingerprint, Output, Parameters, Setup, Transport};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceCreds};
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};
use webrtc_dtls::config::{ClientAuthType, Config as OracleConfig};
use webrtc_dtls::conn::DTLSConn;
use webrtc_dtls::crypto::Certificate as OracleCertificate;
use webrtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Profile;
use webrtc_util::{Conn, KeyingMaterialExporter as _};

const PATIENCE: Duration = Duration::from_secs(60);
const OURS: &str = "192.0.2.1:5000";
const THEIRS: &str = "192.0.2.2:6000";

/// The oracle's idea of a socket: two queues.
struct Pipe {
    sender: mpsc::UnboundedSender<Vec<u8>>,
    receiver: tokio::sync::Mutex<mpsc::UnboundedReceiver<Vec<u8>>>,
}

#[async_trait]
impl Conn for Pipe {
    async fn connect(&self, _: SocketAddr) -> Result<(), webrtc_util::Error> {
        Ok(())
    }

    async fn recv(&self, buffer: &mut [u8]) -> Result<usize, webrtc_util::Error> {
        let received = self.receiver.lock().await.recv().await;
        // An error would make the oracle spin; a closed socket just never receives again.
        let Some(datagram) = received else {
            return std::future::pending().await;
        };
        buffer[..datagram.len()].copy_from_slice(&datagram);
        Ok(datagram.len())
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), webrtc_util::Error> {
        Ok((self.recv(buffer).await?, OURS.parse().unwrap()))
    }

    async fn send(&self, buffer: &[u8]) -> Result<usize, webrtc_util::Error> {
        let _ = self.sender.send(buffer.to_vec());
        Ok(buffer.len())
    }

    async fn send_to(&self, buffer: &[u8], _: SocketAddr) -> Result<usize, webrtc_util::Error> {
        self.send(buffer).await
    }

    fn local_addr(&self) -> Result<SocketAddr, webrtc_util::Error> {
        Ok(THEIRS.parse().unwrap())
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        OURS.parse().ok()
    }

    async fn close(&self) -> Result<(), webrtc_util::Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn std::any::Any + Send + Sync) {
        self
    }
}

/// The packets that the two sides exchange once they are connected.
fn rtp(payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 111, 0, 1, 0, 0, 3, 0xC0, 0, 0, 0, 9];
    packet.extend(payload);
    packet
}

struct Call {
    ours: Transport,
    agent: IceAgent,
    to_oracle: mpsc::UnboundedSender<Vec<u8>>,
    from_oracle: mpsc::UnboundedReceiver<Vec<u8>>,
    events: Vec<Event>,
    /// What reached the peer's address and is neither STUN nor DTLS.
    media: Vec<Vec<u8>>,
}

impl Call {
    /// Moves everything that waits, until nothing does.
    fn drain(&mut self) {
        let (here, there): (SocketAddr, SocketAddr) = (OURS.parse().unwrap(), THEIRS.parse().unwrap());
        loop {
            let now = Instant::now();
            let mut idle = true;
            while let Some(output) = self.ours.poll_output() {
                idle = false;
                match output {
                    Output::Transmit(sent) => match sent.payload[0] {
                        0..=3 => {
                            let message = StunMessage::parse(&sent.payload).unwrap();
                            let proto = is::Protocol::Udp;
                            let packet = StunPacket {
                                proto,
                                source: here,
                                destination: there,
                                message,
                            };
                            self.agent.handle_packet(now, packet);
                        }
                        20..=63 => self.to_oracle.send(sent.payload).unwrap(),
                        _ => self.media.push(sent.payload),
                    },
                    Output::Event(event) => self.events.push(event),
                    _ => {}
                }
            }
            while let Some(sent) = self.agent.poll_transmit() {
                idle = false;
                self.ours.handle_datagram(here, there, &sent.contents, now);
            }
            while self.agent.poll_event().is_some() {}
            if idle {
                return;
            }
        }
    }

    /// Runs until `done` says so.
    async fn run(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let (here, there): (SocketAddr, SocketAddr) = (OURS.parse().unwrap(), THEIRS.parse().unwrap());
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.drain();
            if done(self) {
                return;
            }
            assert!(Instant::now() < deadline, "no {what}; events so far: {:?}", self.events);
            let wake = self
                .ours
                .poll_timeout()
                .into_iter()
                .chain(self.agent.poll_timeout())
                .chain([deadline])
                .min()
                .unwrap();
            tokio::select! {
                datagram = self.from_oracle.recv() => {
                    if let Some(datagram) = datagram {
                        self.ours.handle_datagram(here, there, &datagram, Instant::now());
                    }
                }
                () = sleep_until(wake.into()) => {
                    let now = Instant::now();
                    self.ours.handle_timeout(now);
                    self.agent.handle_timeout(now);
                }
            }
        }
    }
}

/// Connects and exchanges media. `active`: we are the DTLS client.
async fn exchange(active: bool, profile: Profile, oracle_profile: ProtectionProfile) {
    // The oracle asks the process for its provider, and panics when the build holds two and none is chosen. Whichever test comes
    // first installs it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let now = Instant::now();
    let theirs = OracleCertificate::generate_self_signed(vec!["oracle".to_owned()]).unwrap();
    let mut config = Config::new(Certificate::generate().unwrap());
    config.controlling = !active;
    let mut ours = Transport::new(config, [1; 32], now);
    let creds = IceCreds {
        ufrag: "theirs".into(),
        pass: "aPasswordOfTheirsLongEnough".into(),
    };
    let mut agent = IceAgent::new(creds.clone());
    agent.set_controlling(active);

    let (here, there): (SocketAddr, SocketAddr) = (OURS.parse().unwrap(), THEIRS.parse().unwrap());
    ours.add_local_address(here, now).unwrap();
    ours.end_of_local_addresses(now);
    let candidate = Candidate::host(there, "udp").unwrap();
    ours.add_remote_candidate(&candidate.to_sdp_string(), now).unwrap();
    ours.end_of_remote_candidates(now);
    agent.add_local_candidate(candidate);
    agent.add_remote_candidate(Candidate::host(here, "udp").unwrap());
    let mine = ours.local_parameters();
    agent.set_remote_credentials(IceCreds {
        ufrag: mine.ufrag.clone(),
        pass: mine.pwd.clone(),
    });
    let parameters = Parameters {
        ufrag: creds.ufrag,
        pwd: creds.pass,
        fingerprints: vec![Fingerprint::sha256(&theirs.certificate[0])],
        setup: if active { Setup::ActPass } else { Setup::Active },
    };
    ours.set_remote_parameters(parameters, now).unwrap();

    let (to_oracle, receiver) = mpsc::unbounded_channel();
    let (sender, from_oracle) = mpsc::unbounded_channel();
    let pipe = Arc::new(Pipe {
        sender,
        receiver: tokio::sync::Mutex::new(receiver),
    });
    let presented: Arc<Mutex<Vec<u8>>> = Arc::default();
    let seen = presented.clone();
    let settings = OracleConfig {
        certificates: vec![theirs],
        srtp_protection_profiles: vec![profile],
        client_auth: ClientAuthType::RequireAnyClientCert,
        insecure_skip_verify: true,
        verify_peer_certificate: Some(Arc::new(move |chain, _| {
            *seen.lock().unwrap() = chain.first().cloned().unwrap_or_default();
            Ok(())
        })),
        ..OracleConfig::default()
    };
    let handshake = tokio::spawn(async move {
        let connection = DTLSConn::new(pipe, settings, !active, None).await.unwrap();
        let length = 2 * (oracle_profile.key_len() + oracle_profile.salt_len());
        let state = connection.connection_state().await;
        let material = state
            .export_keying_material("EXTRACTOR-dtls_srtp", &[], length)
            .await
            .unwrap();
        (connection, material)
    });
    let mut call = Call {
        ours,
        agent,
        to_oracle,
        from_oracle,
        events: Vec::new(),
        media: Vec::new(),
    };
    call.run("connection", |call| {
        call.events.iter().any(|event| matches!(event, Event::Connected { .. }))
    })
    .await;
    // The oracle may still wait for our last flight to arrive: keep both running.
    let (connection, material) = tokio::select! {
        done = handshake => done.unwrap(),
        () = call.run("end of the handshake", |_| false) => unreachable!("it never says that it is done"),
    };
    let Some(Event::Connected { dtls_version, .. }) = call
        .events
        .iter()
        .find(|event| matches!(event, Event::Connected { .. }))
    else {
        panic!("not connected")
    };
    assert_eq!(dtls_version, "DTLS 1.2");
    assert!(
        mine.fingerprints[0].matches(&presented.lock().unwrap()),
        "the oracle saw another certificate than was signalled"
    );

    // RFC 5764 §4.2: client key, server key, client salt, server salt.
    let (key, salt) = (oracle_profile.key_len(), oracle_profile.salt_len());
    let pair = |client: bool| {
        let index = usize::from(!client);
        let keys = &material[index * key..(index + 1) * key];
        let salts = &material[2 * key + index * salt..2 * key + (index + 1) * salt];
        let provider = rtc_crypto::default_provider().unwrap();
        Context::new(keys, salts, oracle_profile, None, None, provider.crypto()).unwrap()
    };
    let (mut from_us, mut from_them) = (pair(active), pair(!active));
    call.ours.send_rtp(&rtp(b"from us"), Instant::now()).unwrap();
    call.drain();
    assert_eq!(&from_us.decrypt_rtp(&call.media[0]).unwrap()[..], rtp(b"from us"));
    let protected = from_them.encrypt_rtp(&rtp(b"from them")).unwrap();
    call.ours.handle_datagram(here, there, &protected, Instant::now());
    call.drain();
    let heard = call
        .events
        .iter()
        .any(|event| matches!(event, Event::Rtp(packet) if packet[..] == rtp(b"from them")));
    assert!(heard, "{:?}", call.events);

    // An authenticated close of the oracle's ends the association at our side.
    connection.close().await.unwrap();
    call.run("close", |call| call.events.contains(&Event::Closed)).await;
}

#[tokio::test]
async fn we_are_the_dtls_client_with_the_profile_of_browsers() {
    let work = exchange(
        true,
        Profile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ProtectionProfile::Aes128CmHmacSha1_80,
    );
    timeout(2 * PATIENCE, work).await.unwrap();
}

#[tokio::test]
async fn we_are_the_dtls_server_with_the_profile_of_browsers() {
    let work = exchange(
        false,
        Profile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ProtectionProfile::Aes128CmHmacSha1_80,
    );
    timeout(2 * PATIENCE, work).await.unwrap();
}

#[tokio::test]
async fn we_are_the_dtls_client_with_gcm() {
    timeout(
        2 * PATIENCE,
        exchange(true, Profile::Srtp_Aead_Aes_128_Gcm, ProtectionProfile::AeadAes128Gcm),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn we_are_the_dtls_server_with_gcm() {
    timeout(
        2 * PATIENCE,
        exchange(false, Profile::Srtp_Aead_Aes_128_Gcm, ProtectionProfile::AeadAes128Gcm),
    )
    .await
    .unwrap();
}
