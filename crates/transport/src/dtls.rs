//! The DTLS association: `dimpl`, and what it leaves to its user.

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use duologue_srtp::{KeyingMaterial, Profile};

use crate::Config;

/// Datagrams kept while they cannot be used or sent yet, in each direction. A handshake has four.
pub(crate) const MAX_HELD: usize = 16;
/// Certificates longer than this are not kept and so never match: ours have 300 bytes, RSA-4096 ones 1,300.
const MAX_CERTIFICATE: usize = 16 * 1024;
/// First timeout while no round trip is known.
const DEFAULT_RTO: Duration = Duration::from_millis(500);
/// Longest pause between repetitions once the path's own timeout is shorter.
const MAX_REPEAT: Duration = Duration::from_millis(500);
/// How often the last flight is repeated after our side has finished, while the peer gives no sign that it has too.
const REPEATS_AFTER_FINISH: u32 = 10;
/// How often `dimpl` may send one flight. Only time limits it here: repetitions of ours make the peer's `dimpl` send
/// again too, and count there.
const RETRIES: usize = 10_000;
/// Timeouts later than this mean that nothing is scheduled.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// What a handshake yields. The certificate is proven by then, but not yet compared with the signalled one.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// The peer's certificate in DER.
    pub(crate) certificate: Vec<u8>,
    /// Keys, unless no SRTP profile was negotiated.
    pub(crate) srtp: Option<(Profile, KeyingMaterial)>,
    /// `DTLS 1.2` or `DTLS 1.3`.
    pub(crate) version: &'static str,
}

/// The engine gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defeat {
    Engine,
    Timeout,
}

/// One DTLS association in one role.
///
/// It adds three things to `dimpl`. Datagrams that come before the engine can tell which version the server chose wait
/// for the one that says it. An engine error is not an end, because anybody who forges a source address could cause
/// one; only time is. And the datagrams of the last flight are repeated at a nearly constant pace, as they are, while
/// `dimpl`'s own timer backs off exponentially: on a path that loses every fifth datagram the back-off alone needs
/// 15 s once in a hundred handshakes. The repetitions are what a network that duplicates would deliver, so the peer
/// needs to know nothing of them; ICE has proven that it wants to hear from us.
pub(crate) struct Association {
    engine: dimpl::Dtls,
    is_client: bool,
    buffer: Vec<u8>,
    /// Datagrams to send, oldest first.
    outgoing: VecDeque<Vec<u8>>,
    /// Datagrams received before the version is known.
    held: VecDeque<Vec<u8>>,
    certificate: Option<Vec<u8>>,
    srtp: Option<(dimpl::SrtpProfile, dimpl::KeyingMaterial)>,
    finished: bool,
    /// The engine failed at something that only the peer can mend.
    defeat: Option<Defeat>,
    peer_closed: bool,
    engine_timeout: Option<Instant>,
    repeat: Repeat,
    rejected: u64,
}

/// When to send the last flight again.
struct Repeat {
    flight: Vec<Vec<u8>>,
    /// Counts the flights, so that a new one is told from the one before.
    number: u64,
    rto: Duration,
    count: u32,
    at: Option<Instant>,
    total: u64,
}

impl Association {
    /// Starts an association; the client's first flight is ready to be taken at once.
    pub(crate) fn new(
        config: &Config,
        mtu: usize,
        is_client: bool,
        rtt: Option<Duration>,
        now: Instant,
    ) -> Result<Self, Defeat> {
        let rto = rtt.map_or(DEFAULT_RTO, rto_of);
        let mut builder = dimpl::Config::builder()
            .with_crypto_provider(dimpl::crypto::aws_lc_rs::default_provider())
            // RFC 9147 §5.1 allows to do without: ICE has proven that the client receives what we send.
            .use_server_cookie(false)
            .mtu(mtu)
            .flight_start_rto(rto)
            .flight_retries(RETRIES)
            .handshake_timeout(config.handshake_timeout.saturating_add(NEVER));
        if !config.dtls13 {
            builder = builder.dtls13_cipher_suites(&[]);
        }
        let engine_config = Arc::new(builder.build().map_err(|_| Defeat::Engine)?);
        let certificate = config.certificate.for_dtls();
        let mut engine = if config.dtls13 {
            // The version is the server's choice: 1.3 with us and with current browsers, else 1.2.
            dimpl::Dtls::new_auto(engine_config, certificate, now)
        } else {
            dimpl::Dtls::new_12(engine_config, certificate, now)
        };
        engine.set_active(is_client);
        let mut association = Self {
            engine,
            is_client,
            buffer: vec![0; 2048],
            outgoing: VecDeque::new(),
            held: VecDeque::new(),
            certificate: None,
            srtp: None,
            finished: false,
            defeat: None,
            peer_closed: false,
            engine_timeout: None,
            repeat: Repeat {
                flight: Vec::new(),
                rto,
                count: 0,
                at: None,
                number: 0,
                total: 0,
            },
            rejected: 0,
        };
        association.handle_timeout(now);
        Ok(association)
    }

    pub(crate) fn is_client(&self) -> bool {
        self.is_client
    }

    /// Whether our side of the handshake is complete.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Why the handshake cannot complete any more, if so.
    pub(crate) fn defeat(&self) -> Option<Defeat> {
        self.defeat
    }

    /// Whether an authenticated close_notify of the peer arrived.
    pub(crate) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Datagrams that the engine refused.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Datagrams sent again on top of the engine's own.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeat.total
    }

    /// Takes what the handshake yielded, once it is complete.
    pub(crate) fn take_secrets(&mut self) -> Option<Secrets> {
        if !self.finished {
            return None;
        }
        let certificate = self.certificate.take()?;
        let srtp = self.srtp.take().and_then(|(profile, material)| {
            let profile = match profile {
                dimpl::SrtpProfile::AES128_CM_SHA1_80 => Profile::Aes128CmHmacSha1_80,
                dimpl::SrtpProfile::AEAD_AES_128_GCM => Profile::AeadAes128Gcm,
                dimpl::SrtpProfile::AEAD_AES_256_GCM => Profile::AeadAes256Gcm,
                _ => return None,
            };
            let keys = KeyingMaterial::from_dtls(profile, &material, self.is_client).ok()?;
            Some((profile, keys))
        });
        let version = match self.engine.protocol_version() {
            Some(dimpl::ProtocolVersion::DTLS1_3) => "DTLS 1.3",
            _ => "DTLS 1.2",
        };
        Some(Secrets {
            certificate,
            srtp,
            version,
        })
    }

    /// The path's round trip is known by now: repetitions keep time with it.
    pub(crate) fn set_rtt(&mut self, rtt: Duration, now: Instant) {
        self.repeat.rto = rto_of(rtt);
        self.repeat.count = 0;
        let sooner = now + self.repeat.rto;
        self.repeat.at = self.repeat.at.map(|at| at.min(sooner));
    }

    /// The datagrams that the peer is to have next, and which of all flights they are. None once nothing is repeated.
    pub(crate) fn flight(&self) -> (u64, &[Vec<u8>]) {
        (self.repeat.number, &self.repeat.flight)
    }

    /// Whether the peer has shown that its side is complete too, or need not.
    pub(crate) fn is_settled(&self) -> bool {
        self.finished && self.repeat.flight.is_empty()
    }

    /// Takes in a datagram.
    pub(crate) fn handle_datagram(&mut self, payload: &[u8], now: Instant) {
        self.advance(now);
        if self.finished && self.is_client && is_application_epoch(payload) {
            // The server has our last flight: it acknowledges it, or uses the keys it unlocks.
            self.stop_repeating();
        }
        let undecided = self.engine.protocol_version().is_none();
        match self.engine.handle_packet(payload) {
            Ok(()) => {}
            // Part of the server's flight overtook the datagram that names the version.
            Err(_) if undecided && self.is_client && self.held.len() < MAX_HELD => {
                self.held.push_back(payload.to_vec());
            }
            Err(error) => self.on_engine_error(&error),
        }
        if undecided && self.engine.protocol_version().is_some() {
            for held in std::mem::take(&mut self.held) {
                if let Err(error) = self.engine.handle_packet(&held) {
                    self.on_engine_error(&error);
                }
            }
        }
        self.drain(now);
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        self.drain(now);
        if self.repeat.at.is_some_and(|at| at <= now) {
            self.repeat.total += self.repeat.flight.len() as u64;
            for datagram in self.repeat.flight.clone() {
                self.send(datagram);
            }
            self.repeat.count += 1;
            self.schedule_repeat(now);
        }
    }

    /// When [`Self::handle_timeout`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [self.engine_timeout, self.repeat.at].into_iter().flatten().min()
    }

    /// Length of the next datagram to send.
    pub(crate) fn next_len(&self) -> Option<usize> {
        self.outgoing.front().map(Vec::len)
    }

    /// The next datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    /// The peer has keys: authentic media came. The last flight has arrived then.
    pub(crate) fn on_peer_finished(&mut self) {
        self.stop_repeating();
    }

    /// Ends the association. The datagrams still to be sent hold an authenticated close_notify, if the handshake was
    /// complete, and nothing else.
    pub(crate) fn close(&mut self, now: Instant) {
        self.outgoing.clear();
        if let Err(error) = self.engine.close() {
            self.on_engine_error(&error);
        }
        self.drain(now);
        self.stop_repeating();
        self.engine_timeout = None;
    }

    /// Tells the engine the time; it wants to know before anything else happens.
    fn advance(&mut self, now: Instant) {
        if let Err(error) = self.engine.handle_timeout(now)
            && !self.finished
        {
            tracing::debug!(%error, "DTLS handshake ended");
            self.defeat = Some(match error {
                dimpl::Error::Timeout(_) => Defeat::Timeout,
                _ => Defeat::Engine,
            });
        }
    }

    fn on_engine_error(&mut self, error: &dimpl::Error) {
        self.rejected += 1;
        tracing::debug!(%error, finished = self.finished, "DTLS datagram refused");
    }

    /// Takes everything out of the engine.
    fn drain(&mut self, now: Instant) {
        let mut sent = Vec::new();
        let mut stalled = 0;
        loop {
            match self.engine.poll_output(&mut self.buffer) {
                dimpl::Output::Packet(packet) => sent.push(packet.to_vec()),
                dimpl::Output::BufferTooSmall { needed } if needed <= usize::from(u16::MAX) => {
                    self.buffer.resize(needed, 0);
                }
                dimpl::Output::PeerCert(der) if der.len() <= MAX_CERTIFICATE => {
                    self.certificate = Some(der.to_vec());
                }
                dimpl::Output::KeyingMaterial(material, profile) => self.srtp = Some((profile, material)),
                dimpl::Output::Connected => self.finished = true,
                dimpl::Output::CloseNotify => self.peer_closed = true,
                dimpl::Output::Timeout(at) if at <= now && stalled < 3 => {
                    stalled += 1;
                    self.advance(now);
                }
                dimpl::Output::Timeout(at) => {
                    let idle = at.saturating_duration_since(now) > NEVER;
                    self.engine_timeout = (!idle).then(|| at.max(now + Duration::from_millis(1)));
                    break;
                }
                dimpl::Output::BufferTooSmall { .. } => break,
                _ => {}
            }
        }
        if sent.is_empty() {
            return;
        }
        if self.peer_closed {
            self.stop_repeating();
        } else {
            self.repeat.number += 1;
            self.repeat.flight.clone_from(&sent);
            self.repeat.flight.truncate(MAX_HELD);
            self.repeat.count = 0;
            self.schedule_repeat(now);
        }
        for datagram in sent {
            self.send(datagram);
        }
    }

    fn send(&mut self, datagram: Vec<u8>) {
        if self.outgoing.len() >= MAX_HELD {
            self.outgoing.pop_front();
        }
        self.outgoing.push_back(datagram);
    }

    fn schedule_repeat(&mut self, now: Instant) {
        // A server that has finished need not: the client asks again until it has what it needs.
        let over = self.finished && (!self.is_client || self.repeat.count >= REPEATS_AFTER_FINISH);
        if over || self.defeat.is_some() {
            self.stop_repeating();
            return;
        }
        let slower = self.repeat.rto.mul_f64(1.25_f64.powi(self.repeat.count.min(32) as i32));
        self.repeat.at = Some(now + slower.min(self.repeat.rto.max(MAX_REPEAT)));
    }

    fn stop_repeating(&mut self) {
        self.repeat.at = None;
        self.repeat.number += 1;
        self.repeat.flight.clear();
    }
}

/// When a flight is sent again: soon after its answer could have come. A repetition in vain is one or two datagrams, and a call
/// waits for each.
fn rto_of(rtt: Duration) -> Duration {
    (3 * rtt / 2).clamp(Duration::from_millis(30), Duration::from_secs(3))
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association")
            .field("engine", &self.engine)
            .field("finished", &self.finished)
            .field("peer_closed", &self.peer_closed)
            .finish_non_exhaustive()
    }
}

/// Whether a datagram begins with a DTLS 1.3 record of application epoch (RFC 9147 §4: `001` and the low bits of the
/// epoch, 3 at first).
fn is_application_epoch(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 0b1110_0011 == 0b0010_0011)
}

#[cfg(test)]
mod tests;
