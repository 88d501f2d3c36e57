use std::time::Duration;

use crate::SAMPLE_RATE;
use crate::error::CodecError;
use crate::ffi::{BUFFER_TOO_SMALL, EncoderSetting, RawEncoder};

/// How to encode. [`Default`] is what a call uses: 32 kb/s, 20 ms frames, complexity 9, in-band FEC for 10 % loss, no DTX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Mean bits per second, 6000..=510000. The rate varies from packet to packet.
    pub bitrate: u32,
    /// 0 (cheap) ..= 10 (best).
    pub complexity: u8,
    /// Whether packets carry a low-bitrate copy of the frame before them. Takes effect when a loss is expected.
    pub fec: bool,
    /// Loss, in percent (0..=100), that the encoder arms itself against: more loss, more bits for the copies.
    pub expected_loss_percent: u8,
    /// Whether silence is sent as an occasional packet instead of a steady stream.
    pub dtx: bool,
    /// Audio per packet: 2.5, 5, 10, 20, 40 or 60 ms.
    pub frame: Duration,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            bitrate: 32_000,
            complexity: 9,
            fec: true,
            expected_loss_percent: 10,
            dtx: false,
            frame: Duration::from_millis(20),
        }
    }
}

/// Opus encoder for speech: 48 kHz mono in, one packet per frame out.
///
/// After [`Encoder::new`] nothing allocates.
#[derive(Debug)]
pub struct Encoder {
    raw: RawEncoder,
    frame_samples: usize,
    lookahead: usize,
    /// The frame with every sample finite and in range.
    scratch: Vec<f32>,
}

impl Encoder {
    /// An encoder with these settings.
    ///
    /// # Errors
    /// [`CodecError::FrameDuration`] or [`CodecError::OutOfRange`] for settings that Opus does not have;
    /// [`CodecError::OutOfMemory`].
    pub fn new(config: EncoderConfig) -> Result<Self, CodecError> {
        let frame_samples = frame_samples(config.frame)?;
        let mut raw = RawEncoder::new()?;
        let lookahead = raw.lookahead()?;
        let mut encoder = Self {
            raw,
            frame_samples,
            lookahead,
            scratch: vec![0.0; frame_samples],
        };
        encoder.set_bitrate(config.bitrate)?;
        encoder.set_complexity(config.complexity)?;
        encoder.set_fec(config.fec)?;
        encoder.set_expected_loss(config.expected_loss_percent)?;
        encoder.set_dtx(config.dtx)?;
        Ok(encoder)
    }

    /// Encodes one frame: `pcm` is exactly [`frame_samples`](Self::frame_samples) samples in [-1, 1] (others are clamped,
    /// NaN counts as 0). Writes one packet to `out` and returns its length in bytes. At most 2 bytes means DTX: the
    /// packet need not be sent. `out` limits the packet's size; 1276 bytes never limit a frame of up to 20 ms.
    ///
    /// # Errors
    /// [`CodecError::FrameLength`]; [`CodecError::OutputTooSmall`] when not even the smallest packet fits.
    pub fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, CodecError> {
        if pcm.len() != self.frame_samples {
            return Err(CodecError::FrameLength {
                expected: self.frame_samples,
                got: pcm.len(),
            });
        }
        if out.is_empty() {
            return Err(CodecError::OutputTooSmall { got: 0 });
        }
        for (to, &from) in self.scratch.iter_mut().zip(pcm) {
            *to = finite(from);
        }
        self.raw.encode(&self.scratch, out).map_err(|error| match error {
            CodecError::Internal { code: BUFFER_TOO_SMALL } => CodecError::OutputTooSmall { got: out.len() },
            other => other,
        })
    }

    /// Samples of one frame.
    pub fn frame_samples(&self) -> usize {
        self.frame_samples
    }

    /// Samples by which the encoder's output lags behind its input (its look-ahead, 6.5 ms).
    pub fn lookahead(&self) -> usize {
        self.lookahead
    }

    /// Changes the mean bitrate, 6000..=510000 bits per second, from the next frame on.
    ///
    /// # Errors
    /// [`CodecError::OutOfRange`].
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), CodecError> {
        self.set("bitrate", EncoderSetting::Bitrate, bitrate, 6_000, 510_000)
    }

    /// Changes the complexity, 0..=10, from the next frame on.
    ///
    /// # Errors
    /// [`CodecError::OutOfRange`].
    pub fn set_complexity(&mut self, complexity: u8) -> Result<(), CodecError> {
        self.set("complexity", EncoderSetting::Complexity, complexity.into(), 0, 10)
    }

    /// Changes the expected loss, 0..=100 percent, from the next frame on.
    ///
    /// # Errors
    /// [`CodecError::OutOfRange`].
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), CodecError> {
        self.set(
            "expected_loss_percent",
            EncoderSetting::ExpectedLoss,
            percent.into(),
            0,
            100,
        )
    }

    /// Turns in-band FEC on or off.
    ///
    /// # Errors
    /// [`CodecError::Internal`] only.
    pub fn set_fec(&mut self, fec: bool) -> Result<(), CodecError> {
        self.raw.set(EncoderSetting::InbandFec, fec.into())
    }

    /// Turns DTX on or off.
    ///
    /// # Errors
    /// [`CodecError::Internal`] only.
    pub fn set_dtx(&mut self, dtx: bool) -> Result<(), CodecError> {
        self.raw.set(EncoderSetting::Dtx, dtx.into())
    }

    /// Forgets everything heard so far; the settings stay.
    ///
    /// # Errors
    /// [`CodecError::Internal`] only.
    pub fn reset(&mut self) -> Result<(), CodecError> {
        self.raw.reset()
    }

    fn set(
        &mut self,
        setting: &'static str,
        request: EncoderSetting,
        value: u32,
        min: u32,
        max: u32,
    ) -> Result<(), CodecError> {
        let error = CodecError::OutOfRange {
            setting,
            value,
            min,
            max,
        };
        if !(min..=max).contains(&value) {
            return Err(error);
        }
        self.raw.set(request, i32::try_from(value).map_err(|_| error)?)
    }
}

fn frame_samples(frame: Duration) -> Result<usize, CodecError> {
    match frame.as_micros() {
        micros @ (2_500 | 5_000 | 10_000 | 20_000 | 40_000 | 60_000) => {
            Ok(micros as usize * (SAMPLE_RATE as usize / 1000) / 1000)
        }
        _ => Err(CodecError::FrameDuration { frame }),
    }
}

/// A sample that libopus takes without trouble.
pub(crate) fn finite(sample: f32) -> f32 {
    if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) }
}

#[cfg(test)]
mod tests;
