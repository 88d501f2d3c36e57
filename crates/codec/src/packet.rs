//! What a packet says about itself, without decoding it (RFC 6716 §3).

use crate::ffi;

/// Samples per channel at 48 kHz that `payload` decodes to (120..=5760), or `None` when it is no Opus packet by the
/// rules of RFC 6716 §3.4; a decoder refuses exactly those. This reads the framing only: a packet that passes may still
/// hold garbage, which decodes to noise.
pub fn packet_samples(payload: &[u8]) -> Option<usize> {
    ffi::packet_samples(payload)
}

/// Whether `payload` carries in-band FEC: a low-bitrate copy of the frame before it (RFC 6716 §4.2.4). False for
/// packets without a SILK layer and for anything that is no Opus packet.
pub fn has_lbrr(payload: &[u8]) -> bool {
    ffi::has_lbrr(payload)
}

/// Whether `payload` is a DTX packet, one that holds no coded audio: at most one byte after the TOC byte
/// (RFC 6716 §3.1 and RFC 7587 §3.1.3). A decoder fills its time with comfort noise.
pub fn is_dtx(payload: &[u8]) -> bool {
    matches!(payload.len(), 1 | 2) && packet_samples(payload).is_some()
}
