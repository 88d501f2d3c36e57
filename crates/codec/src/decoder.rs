use crate::MAX_PACKET_SAMPLES;
use crate::encoder::finite;
use crate::error::CodecError;
use crate::ffi::{BUFFER_TOO_SMALL, INVALID_PACKET, RawDecoder};
use crate::packet::{has_lbrr, is_dtx, packet_samples};

/// Concealment works in steps of 2.5 ms.
const STEP: usize = 120;

/// How to decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoderConfig {
    /// 0..=10. From 5 on losses are concealed by a neural network (deep PLC), from 6 on speech is enhanced as well (LACE), from 7
    /// on with the better NoLACE. Concealment then costs milliseconds per lost frame instead of tens of microseconds.
    pub complexity: u8,
}

impl Default for DecoderConfig {
    /// NoLACE and deep PLC.
    fn default() -> Self {
        Self { complexity: 7 }
    }
}

/// Opus decoder: packets in, 48 kHz mono out, whatever number of channels the packets claim.
///
/// Takes any bytes: what is no Opus packet is refused with [`CodecError::InvalidPacket`], everything else decodes to something
/// finite in [-1, 1]. DRED and other packet extensions are skipped unread. After [`Decoder::new`] nothing allocates.
#[derive(Debug)]
pub struct Decoder {
    raw: RawDecoder,
    in_dtx: bool,
}

impl Decoder {
    /// A decoder in its initial state.
    ///
    /// # Errors
    /// [`CodecError::OutOfRange`] for a complexity above 10; [`CodecError::OutOfMemory`].
    pub fn new(config: DecoderConfig) -> Result<Self, CodecError> {
        let mut raw = RawDecoder::new()?;
        raw.set_ignore_extensions(true)?;
        let mut decoder = Self { raw, in_dtx: false };
        decoder.set_complexity(config.complexity)?;
        Ok(decoder)
    }

    /// Decodes one packet to the start of `out`; samples written, which is what
    /// [`packet_samples`] says.
    ///
    /// # Errors
    /// [`CodecError::InvalidPacket`], [`CodecError::OutputTooSmall`]; the decoder's state is then as before.
    pub fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        let samples = packet_samples(payload).ok_or(CodecError::InvalidPacket { length: payload.len() })?;
        if samples > out.len() {
            return Err(CodecError::OutputTooSmall { got: out.len() });
        }
        let written = self
            .raw
            .decode(Some(payload), out, false)
            .map_err(|error| name(error, payload, out))?;
        self.in_dtx = is_dtx(payload);
        sanitise(&mut out[..written]);
        Ok(written)
    }

    /// Decodes the last `samples` samples before `later` from the copy that `later`, the packet right after the hole, carries.
    /// `samples` is the length of the hole, a multiple of 120 up to 5760; the copy covers one frame, and
    /// what lies before that frame is concealed. Returns the samples written: `samples`, or 0 with nothing changed when `later`
    /// has no copy.
    ///
    /// # Errors
    /// [`CodecError::InvalidPacket`], [`CodecError::ConcealLength`], [`CodecError::OutputTooSmall`].
    pub fn decode_fec(&mut self, later: &[u8], samples: usize, out: &mut [f32]) -> Result<usize, CodecError> {
        packet_samples(later).ok_or(CodecError::InvalidPacket { length: later.len() })?;
        check_step(samples)?;
        let got = out.len();
        let out = out.get_mut(..samples).ok_or(CodecError::OutputTooSmall { got })?;
        if !has_lbrr(later) {
            return Ok(0);
        }
        let written = self
            .raw
            .decode(Some(later), out, true)
            .map_err(|error| name(error, later, out))?;
        self.in_dtx = false;
        sanitise(&mut out[..written]);
        Ok(written)
    }

    /// Fills `out`, a multiple of 120 samples up to 5760, with what the talker might have said: loss
    /// concealment, or comfort noise after a DTX packet. Returns `out.len()`.
    ///
    /// # Errors
    /// [`CodecError::ConcealLength`].
    pub fn conceal(&mut self, out: &mut [f32]) -> Result<usize, CodecError> {
        check_step(out.len())?;
        let written = self.raw.decode(None, out, false)?;
        sanitise(&mut out[..written]);
        Ok(written)
    }

    /// Whether the last packet decoded was a DTX packet, so that what follows without packets is comfort noise and not loss.
    pub fn in_dtx(&self) -> bool {
        self.in_dtx
    }

    /// Changes the complexity, 0..=10, from the next call on.
    ///
    /// # Errors
    /// [`CodecError::OutOfRange`].
    pub fn set_complexity(&mut self, complexity: u8) -> Result<(), CodecError> {
        if complexity > 10 {
            let value = complexity.into();
            return Err(CodecError::OutOfRange {
                setting: "complexity",
                value,
                min: 0,
                max: 10,
            });
        }
        self.raw.set_complexity(complexity.into())
    }

    /// Forgets everything heard so far, for a new stream; the settings stay.
    ///
    /// # Errors
    /// [`CodecError::Internal`] only.
    pub fn reset(&mut self) -> Result<(), CodecError> {
        self.in_dtx = false;
        self.raw.reset()
    }
}

fn check_step(samples: usize) -> Result<(), CodecError> {
    if samples == 0 || samples > MAX_PACKET_SAMPLES || !samples.is_multiple_of(STEP) {
        return Err(CodecError::ConcealLength { samples });
    }
    Ok(())
}

fn name(error: CodecError, payload: &[u8], out: &[f32]) -> CodecError {
    match error {
        CodecError::Internal { code: INVALID_PACKET } => CodecError::InvalidPacket { length: payload.len() },
        CodecError::Internal { code: BUFFER_TOO_SMALL } => CodecError::OutputTooSmall { got: out.len() },
        other => other,
    }
}

/// Keeps whatever a hostile packet decoded to from reaching a loudspeaker as NaN or beyond full scale.
fn sanitise(pcm: &mut [f32]) {
    for sample in pcm {
        *sample = finite(*sample);
    }
}

#[cfg(test)]
mod tests;
