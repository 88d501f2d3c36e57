#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod decoder;
mod encoder;
mod error;
mod ffi;
mod packet;

pub use decoder::{Decoder, DecoderConfig};
pub use encoder::{Encoder, EncoderConfig};
pub use error::CodecError;
pub use packet::{has_lbrr, is_dtx, packet_samples};

/// Samples per second of everything this crate takes and gives: 48 kHz, mono.
pub const SAMPLE_RATE: u32 = 48_000;

/// The longest audio one Opus packet can hold, 120 ms (RFC 6716 §3.2.5 \[R5\]): a decoder's output buffer of this
/// many samples fits any packet.
pub const MAX_PACKET_SAMPLES: usize = 5760;

/// Version text of the linked libopus, such as `libopus 1.6.1`.
pub fn version() -> &'static str {
    ffi::version()
}
