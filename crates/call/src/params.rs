//! The parameter objects of the documented methods.

use std::fmt;
use std::path::PathBuf;

use duologue_audio::{Sink, Source};

use crate::CallDelegate;

/// What a call carries. A duologue is audio only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MediaType {
    /// Speech both ways.
    #[default]
    Audio,
}

/// Where the words come from.
pub enum AudioInput {
    /// A capture device by the id or name that [`audio::devices`](crate::audio::devices) tells; `None` is the default one.
    Device(Option<String>),
    /// The application's own source, read in blocks of 480 samples (10 ms of mono at 48 kHz) from the moment the call may send.
    /// When it ends, silence is sent. It runs on the media thread and must not block.
    Source(Box<dyn Source>),
}

/// Where the peer's words go.
pub enum AudioOutput {
    /// A playout device by id or name; `None` is the default one.
    Device(Option<String>),
    /// The application's own sink, given 480 samples (10 ms of mono at 48 kHz) every 10 ms from the moment the call may play, and
    /// finished when the call ends. It runs on the media thread and must not block.
    Sink(Box<dyn Sink>),
}

/// What is played while the peer has put the call on hold.
#[derive(Default)]
pub enum HoldTone {
    /// Two soft notes every three seconds.
    #[default]
    Standard,
    /// A WAV file, from its start and over again.
    File(PathBuf),
    /// The application's own source, read like [`AudioInput::Source`]. When it ends, the rest is silence.
    Source(Box<dyn Source>),
}

impl Default for AudioInput {
    fn default() -> Self {
        Self::Device(None)
    }
}

impl Default for AudioOutput {
    fn default() -> Self {
        Self::Device(None)
    }
}

impl fmt::Debug for AudioInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(name) => f.debug_tuple("Device").field(name).finish(),
            Self::Source(_) => f.write_str("Source"),
        }
    }
}

impl fmt::Debug for AudioOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(name) => f.debug_tuple("Device").field(name).finish(),
            Self::Sink(_) => f.write_str("Sink"),
        }
    }
}

impl fmt::Debug for HoldTone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("Standard"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Source(_) => f.write_str("Source"),
        }
    }
}

/// Both directions of a call's audio; the default devices unless told otherwise.
#[derive(Debug, Default)]
pub struct AudioParams {
    /// What is sent.
    pub input: AudioInput,
    /// Where the peer is heard.
    pub output: AudioOutput,
    /// What is heard while the peer holds the call.
    pub hold_tone: HoldTone,
}

/// What [`Client::make_call`](crate::Client::make_call) needs. All limits are bytes of UTF-8.
#[derive(Default)]
pub struct MakeCallParams {
    /// The caller's user id: 1 to 64 of `a-z A-Z 0-9 - _`.
    pub my_id: String,
    /// The caller's service id.
    pub my_service_id: String,
    /// The callee's user id.
    pub peer_id: String,
    /// The callee's service id; it may differ from the caller's.
    pub peer_service_id: String,
    /// The access token that the app server issued for the caller.
    pub access_token: String,
    /// What the call carries.
    pub media_type: MediaType,
    /// Text for the app server, handed to its callbacks as `app_svr_data`; at most 4,095 bytes.
    pub app_server_data: Option<String>,
    /// Text for the callee, delivered with `evt_verified`; at most 199 bytes.
    pub call_start_message: Option<String>,
    /// Microphone and speaker.
    pub audio: AudioParams,
    /// The handlers. The same events come from [`Call::events`](crate::Call::events).
    pub delegate: Option<Box<dyn CallDelegate>>,
}

/// What [`Client::verify_call`](crate::Client::verify_call) needs.
#[derive(Default)]
pub struct VerifyCallParams {
    /// The callee's user id, as the push told it.
    pub my_id: String,
    /// The callee's service id.
    pub my_service_id: String,
    /// The push's `cc_param`, untouched.
    pub cc_param: String,
    /// An access token of the callee; only services that ask for one in verify need it.
    pub access_token: Option<String>,
    /// What the call carries.
    pub media_type: MediaType,
    /// Microphone and speaker.
    pub audio: AudioParams,
    /// The handlers. The same events come from [`Call::events`](crate::Call::events).
    pub delegate: Option<Box<dyn CallDelegate>>,
}

/// What [`Call::accept_call`](crate::Call::accept_call) may carry.
#[derive(Debug, Clone, Default)]
pub struct AcceptParams {
    /// Text for the caller, delivered with its `evt_connected`; at most 199 bytes.
    pub call_start_message: Option<String>,
}

impl fmt::Debug for MakeCallParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a credential and the texts are private: neither belongs into a log.
        f.debug_struct("MakeCallParams")
            .field("my_id", &self.my_id)
            .field("my_service_id", &self.my_service_id)
            .field("peer_id", &self.peer_id)
            .field("peer_service_id", &self.peer_service_id)
            .field("media_type", &self.media_type)
            .field("audio", &self.audio)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifyCallParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyCallParams")
            .field("my_id", &self.my_id)
            .field("my_service_id", &self.my_service_id)
            .field("media_type", &self.media_type)
            .field("audio", &self.audio)
            .finish_non_exhaustive()
    }
}
