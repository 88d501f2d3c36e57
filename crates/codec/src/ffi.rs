//! The one module with `unsafe`. Why each call is sound: a state pointer is only made by `opus_*_create`, checked for
//! null, owned by exactly one [`RawEncoder`] or [`RawDecoder`], never copied out, and given to `opus_*_destroy` once, in
//! `Drop`; every function that uses one takes `&mut self`, so libopus, which keeps no thread-bound or shared mutable
//! state, sees one caller at a time (hence `Send`). Audio and packet pointers come from slices together with
//! a length that never exceeds the slice's, which libopus neither keeps nor oversteps: inputs are
//! `*const` and only read, outputs are initialised `f32`/`u8` and any bit pattern written is valid. Audio buffers are mono and
//! both states are made with one channel, so "samples per channel" is "samples". Functions that look
//! at a packet's first byte before checking its length are only called with a non-empty slice. The two variadic `ctl` functions
//! are only called with requests that take one `opus_int32` by value, one `*mut opus_int32` to a live local, or nothing, as each
//! private helper's name says. Strings returned by libopus are static and NUL-terminated.
#![allow(
    unsafe_code,
    reason = "calls into libopus; soundness argued above, all of it in this module"
)]

use std::ffi::CStr;
use std::ptr::{self, NonNull};

use opusic_sys as opus;

use crate::error::CodecError;

const CHANNELS: i32 = 1;
/// Frames in one packet at most: 120 ms of 2.5 ms each (RFC 6716 §3.2.5).
const MAX_FRAMES: usize = 48;

/// A setting of the encoder that takes one integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EncoderSetting {
    Bitrate,
    Complexity,
    InbandFec,
    ExpectedLoss,
    Dtx,
}

impl EncoderSetting {
    fn request(self) -> i32 {
        match self {
            Self::Bitrate => opus::OPUS_SET_BITRATE_REQUEST,
            Self::Complexity => opus::OPUS_SET_COMPLEXITY_REQUEST,
            Self::InbandFec => opus::OPUS_SET_INBAND_FEC_REQUEST,
            Self::ExpectedLoss => opus::OPUS_SET_PACKET_LOSS_PERC_REQUEST,
            Self::Dtx => opus::OPUS_SET_DTX_REQUEST,
        }
    }
}

/// Owner of one libopus encoder state.
#[derive(Debug)]
pub(crate) struct RawEncoder(NonNull<opus::OpusEncoder>);

// SAFETY: see the module's first paragraph; the state is plain memory reachable from here only.
unsafe impl Send for RawEncoder {}

impl RawEncoder {
    /// A mono encoder for 48 kHz speech.
    pub(crate) fn new() -> Result<Self, CodecError> {
        let mut code = opus::OPUS_OK;
        // SAFETY: `code` is a live local; the result is checked for null below.
        let state = unsafe {
            opus::opus_encoder_create(
                crate::SAMPLE_RATE as i32,
                CHANNELS,
                opus::OPUS_APPLICATION_VOIP,
                &raw mut code,
            )
        };
        NonNull::new(state).map(Self).ok_or_else(|| creation_error(code))
    }

    pub(crate) fn set(&mut self, setting: EncoderSetting, value: i32) -> Result<(), CodecError> {
        // SAFETY: every `EncoderSetting` takes one `opus_int32` by value.
        check(unsafe { opus::opus_encoder_ctl(self.0.as_ptr(), setting.request(), value) }).map(drop)
    }

    pub(crate) fn lookahead(&mut self) -> Result<usize, CodecError> {
        let mut samples: i32 = 0;
        // SAFETY: OPUS_GET_LOOKAHEAD takes one `*mut opus_int32`, here to a live local.
        let code =
            unsafe { opus::opus_encoder_ctl(self.0.as_ptr(), opus::OPUS_GET_LOOKAHEAD_REQUEST, &raw mut samples) };
        check(code)?;
        Ok(samples.unsigned_abs() as usize)
    }

    pub(crate) fn reset(&mut self) -> Result<(), CodecError> {
        // SAFETY: OPUS_RESET_STATE takes no argument.
        check(unsafe { opus::opus_encoder_ctl(self.0.as_ptr(), opus::OPUS_RESET_STATE) }).map(drop)
    }

    /// Encodes `pcm`, one frame, into `out`; bytes written.
    pub(crate) fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, CodecError> {
        let room = length(out.len());
        // SAFETY: `pcm` has `pcm.len()` mono samples and `out` at least `room` bytes.
        let written = unsafe {
            opus::opus_encode_float(self.0.as_ptr(), pcm.as_ptr(), length(pcm.len()), out.as_mut_ptr(), room)
        };
        check(written).map(|bytes| bytes.min(out.len()))
    }
}

impl Drop for RawEncoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_encoder_create`, owned by us, destroyed once.
        unsafe { opus::opus_encoder_destroy(self.0.as_ptr()) }
    }
}

/// Owner of one libopus decoder state.
#[derive(Debug)]
pub(crate) struct RawDecoder(NonNull<opus::OpusDecoder>);

// SAFETY: see the module's first paragraph; the state is plain memory reachable from here only.
unsafe impl Send for RawDecoder {}

impl RawDecoder {
    /// A decoder that gives 48 kHz mono, whatever the packets hold.
    pub(crate) fn new() -> Result<Self, CodecError> {
        let mut code = opus::OPUS_OK;
        // SAFETY: `code` is a live local; the result is checked for null below.
        let state = unsafe { opus::opus_decoder_create(crate::SAMPLE_RATE as i32, CHANNELS, &raw mut code) };
        NonNull::new(state).map(Self).ok_or_else(|| creation_error(code))
    }

    pub(crate) fn set_complexity(&mut self, value: i32) -> Result<(), CodecError> {
        // SAFETY: OPUS_SET_COMPLEXITY takes one `opus_int32` by value.
        check(unsafe { opus::opus_decoder_ctl(self.0.as_ptr(), opus::OPUS_SET_COMPLEXITY_REQUEST, value) }).map(drop)
    }

    /// Whether packet extensions (DRED and others) are skipped unread.
    pub(crate) fn set_ignore_extensions(&mut self, ignore: bool) -> Result<(), CodecError> {
        let value = i32::from(ignore);
        // SAFETY: OPUS_SET_IGNORE_EXTENSIONS takes one `opus_int32` by value.
        check(unsafe { opus::opus_decoder_ctl(self.0.as_ptr(), opus::OPUS_SET_IGNORE_EXTENSIONS_REQUEST, value) })
            .map(drop)
    }

    pub(crate) fn reset(&mut self) -> Result<(), CodecError> {
        // SAFETY: OPUS_RESET_STATE takes no argument.
        check(unsafe { opus::opus_decoder_ctl(self.0.as_ptr(), opus::OPUS_RESET_STATE) }).map(drop)
    }

    /// Decodes `packet`, or with `None` conceals, filling at most `out`; samples written. With `fec`, decodes the copy of the
    /// frame before `packet` that `packet` carries.
    pub(crate) fn decode(&mut self, packet: Option<&[u8]>, out: &mut [f32], fec: bool) -> Result<usize, CodecError> {
        let (data, bytes) = packet.map_or((ptr::null(), 0), |packet| (packet.as_ptr(), length(packet.len())));
        let room = length(out.len());
        // SAFETY: `data` is null with length 0 (libopus conceals) or a slice of `bytes` bytes; `out` has room for `room` samples.
        let written =
            unsafe { opus::opus_decode_float(self.0.as_ptr(), data, bytes, out.as_mut_ptr(), room, i32::from(fec)) };
        check(written).map(|samples| samples.min(out.len()))
    }
}

impl Drop for RawDecoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_decoder_create`, owned by us, destroyed once.
        unsafe { opus::opus_decoder_destroy(self.0.as_ptr()) }
    }
}

/// Samples at 48 kHz in a packet; `None` when it is no Opus packet.
pub(crate) fn packet_samples(packet: &[u8]) -> Option<usize> {
    if packet.is_empty() {
        return None;
    }
    // The duration follows from the first two bytes; whether the rest is a packet does not.
    let mut sizes = [0; MAX_FRAMES];
    // SAFETY: not empty, the length is at most the slice's, `sizes` has room for as many frames as a packet may have,
    // and libopus leaves out what it is given null for.
    let frames = unsafe {
        opus::opus_packet_parse(
            packet.as_ptr(),
            length(packet.len()),
            ptr::null_mut(),
            ptr::null_mut(),
            sizes.as_mut_ptr(),
            ptr::null_mut(),
        )
    };
    check(frames).ok()?;
    // SAFETY: not empty, and the length is at most the slice's.
    let samples =
        unsafe { opus::opus_packet_get_nb_samples(packet.as_ptr(), length(packet.len()), crate::SAMPLE_RATE as i32) };
    check(samples).ok().filter(|&samples| samples > 0)
}

/// Whether a packet carries a low-bitrate copy of the frame before it.
pub(crate) fn has_lbrr(packet: &[u8]) -> bool {
    if packet.is_empty() {
        return false;
    }
    // SAFETY: not empty, and the length is at most the slice's.
    unsafe { opus::opus_packet_has_lbrr(packet.as_ptr(), length(packet.len())) == 1 }
}

pub(crate) fn version() -> &'static str {
    // SAFETY: a static NUL-terminated string.
    let text = unsafe { CStr::from_ptr(opus::opus_get_version_string()) };
    text.to_str().unwrap_or("libopus")
}

/// A length for libopus, which counts in `int`: longer slices are used up to `i32::MAX`.
fn length(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

fn check(code: i32) -> Result<usize, CodecError> {
    usize::try_from(code).map_err(|_| CodecError::Internal { code })
}

fn creation_error(code: i32) -> CodecError {
    match code {
        opus::OPUS_OK | opus::OPUS_ALLOC_FAIL => CodecError::OutOfMemory,
        code => CodecError::Internal { code },
    }
}

/// `OPUS_INVALID_PACKET`.
pub(crate) const INVALID_PACKET: i32 = opus::OPUS_INVALID_PACKET;
/// `OPUS_BUFFER_TOO_SMALL`.
pub(crate) const BUFFER_TOO_SMALL: i32 = opus::OPUS_BUFFER_TOO_SMALL;
