//! The events of a call as handlers, and what they carry.

use std::time::Instant;

use duologue_signaling::{DisconnectReason, DisconnectSource};

use crate::{Call, Statistics, VerificationCode};

/// The handlers of a call. Each does nothing unless overridden.
///
/// They run one after the other, in the order of the events, on one task of the runtime that made the call; never on the
/// media thread. Every method of [`Call`] only queues, so it may be called from a handler. A handler should not block: it
/// holds up the later events of its own call, and nothing else.
pub trait CallDelegate: Send + 'static {
    /// Caller only: the server accepted the call and the callee is being alerted.
    fn evt_wait_connected(&mut self, call: &Call) {
        let _ = call;
    }

    /// Callee only: the server confirmed the call. It may now be accepted, or declined by ending it.
    fn evt_verified(&mut self, call: &Call, param: &CallVerifiedParam) {
        let _ = (call, param);
    }

    /// The callee accepted and the media path is up: both may speak.
    fn evt_connected(&mut self, call: &Call, param: &CallConnectedParam) {
        let _ = (call, param);
    }

    /// The call is over. Nothing follows it, and it comes exactly once.
    fn evt_disconnected(&mut self, call: &Call, param: &DisconnectedParam) {
        let _ = (call, param);
    }

    /// The peer switched its microphone off.
    fn evt_peer_mic_muted(&mut self, call: &Call) {
        let _ = call;
    }

    /// The peer switched its microphone on again.
    fn evt_peer_mic_unmuted(&mut self, call: &Call) {
        let _ = call;
    }

    /// The peer put the call on hold: it neither speaks nor listens. Until `evt_peer_unhold`, the hold tone of
    /// [`AudioParams`](crate::AudioParams) is played.
    fn evt_peer_hold(&mut self, call: &Call, param: &PeerHoldParam) {
        let _ = (call, param);
    }

    /// The peer goes on with the call.
    fn evt_peer_unhold(&mut self, call: &Call) {
        let _ = call;
    }

    /// The peer is not heard from on the media path. Unless `evt_network_reavailable` follows in time, the call ends.
    fn evt_network_unavailable(&mut self, call: &Call, param: &NetworkUnavailableParam) {
        let _ = (call, param);
    }

    /// The media path works again.
    fn evt_network_reavailable(&mut self, call: &Call, param: &NetworkReavailableParam) {
        let _ = (call, param);
    }

    /// Both ends have proven what the code is made of: when the two users see the same one, nobody sits between their devices. At most
    /// once in a call, soon after `evt_connected` or just before it; never with a peer of a version without it.
    fn evt_verification_code(&mut self, call: &Call, code: &VerificationCode) {
        let _ = (call, code);
    }

    /// Statistics, each [`interval_of_statistics`](crate::Config::interval_of_statistics) while audio runs.
    fn evt_statistics(&mut self, call: &Call, statistics: &Statistics) {
        let _ = (call, statistics);
    }
}

/// What `evt_verified` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallVerifiedParam {
    /// The call's id, a UUID in its 36-character text form.
    pub sid: String,
    /// Who calls.
    pub caller_id: String,
    /// The caller's service.
    pub caller_service_id: String,
    /// The caller's text, when there is one.
    pub call_start_message: Option<String>,
    /// True when the media path is already up, so that an accept is heard at once.
    pub pre_connected: bool,
}

/// What `evt_connected` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallConnectedParam {
    /// Caller only: the text that the callee gave to its accept.
    pub call_start_message: Option<String>,
    /// When each phase of the set-up was reached.
    pub setup: SetupPhases,
}

/// What `evt_peer_hold` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerHoldParam {
    /// The peer's text, at most 256 bytes, when it gave one.
    pub reason: Option<String>,
}

/// What `evt_network_unavailable` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkUnavailableParam {
    /// True when it is the peer's network: our own way to the server is open.
    pub is_peer: bool,
    /// Seconds until the call ends with UNAVAILABLE_NETWORK.
    pub will_disconnect_sec: u32,
}

/// What `evt_network_reavailable` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkReavailableParam {
    /// As `evt_network_unavailable` said.
    pub is_peer: bool,
}

/// What `evt_disconnected` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DisconnectedParam {
    /// Who ended the call.
    pub source: DisconnectSource,
    /// Why.
    pub reason: Reason,
    /// True when this side did not end it itself.
    pub by_remote: bool,
    /// The release phrase of the side that ended the call, when it gave one.
    pub user_code: Option<String>,
}

/// A disconnect reason as the documentation writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Its number, e.g. 1001.
    pub code: u16,
    /// Its name, e.g. `NORMAL`.
    pub str_code: &'static str,
}

impl From<DisconnectReason> for Reason {
    fn from(reason: DisconnectReason) -> Self {
        Self {
            code: reason.code(),
            str_code: reason.str_code(),
        }
    }
}

/// When the phases of a call's set-up were reached, at this side. `None`: not (yet).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetupPhases {
    /// `make_call` or `verify_call` was called.
    pub started: Instant,
    /// The server answered on the signalling connection.
    pub signalling_open: Option<Instant>,
    /// The server knows the call: it created it for the caller, or proved it to the callee.
    pub call_known: Option<Instant>,
    /// `evt_wait_connected`.
    pub wait_connected: Option<Instant>,
    /// `evt_verified`.
    pub verified: Option<Instant>,
    /// The media path is up: ICE, DTLS, and the peer's fingerprint checked.
    pub path_ready: Option<Instant>,
    /// The accept: left here (callee), or arrived (caller).
    pub accepted: Option<Instant>,
    /// `evt_connected`.
    pub connected: Option<Instant>,
    /// The peer's first packet of audio.
    pub first_packet: Option<Instant>,
    /// The first sample that was sent was captured.
    pub first_sample_in: Option<Instant>,
    /// The first sample was handed to the output.
    pub first_sample_out: Option<Instant>,
}

impl SetupPhases {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            signalling_open: None,
            call_known: None,
            wait_connected: None,
            verified: None,
            path_ready: None,
            accepted: None,
            connected: None,
            first_packet: None,
            first_sample_in: None,
            first_sample_out: None,
        }
    }

    /// The phases that were reached, in ms after the start, under the names of the fields.
    pub fn milliseconds(&self) -> Vec<(&'static str, f64)> {
        [
            ("signalling_open", self.signalling_open),
            ("call_known", self.call_known),
            ("wait_connected", self.wait_connected),
            ("verified", self.verified),
            ("path_ready", self.path_ready),
            ("accepted", self.accepted),
            ("connected", self.connected),
            ("first_packet", self.first_packet),
            ("first_sample_in", self.first_sample_in),
            ("first_sample_out", self.first_sample_out),
        ]
        .into_iter()
        .filter_map(|(name, at)| Some((name, at?.saturating_duration_since(self.started).as_secs_f64() * 1000.0)))
        .collect()
    }
}
