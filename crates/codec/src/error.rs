use std::time::Duration;

/// Why a codec call was refused. The state of the encoder or decoder is still good after any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Opus frames last 2.5, 5, 10, 20, 40 or 60 ms.
    #[error("an Opus frame cannot last {frame:?}")]
    FrameDuration {
        /// The duration asked for.
        frame: Duration,
    },
    /// A setting lies outside what Opus takes.
    #[error("{setting} cannot be {value}: it lies in {min}..={max}")]
    OutOfRange {
        /// Name of the setting, as in [`EncoderConfig`](crate::EncoderConfig).
        setting: &'static str,
        /// The value asked for.
        value: u32,
        /// Smallest value accepted.
        min: u32,
        /// Largest value accepted.
        max: u32,
    },
    /// `encode` wants exactly one frame of samples.
    #[error("one frame is {expected} samples, not {got}")]
    FrameLength {
        /// Samples in a frame of this encoder.
        expected: usize,
        /// Samples given.
        got: usize,
    },
    /// Concealment works in steps of 2.5 ms (120 samples), up to 120 ms (5760 samples) at a time.
    #[error("cannot conceal {samples} samples: it takes a multiple of 120 in 120..=5760")]
    ConcealLength {
        /// Samples asked for.
        samples: usize,
    },
    /// The output buffer is shorter than the result.
    #[error("the output buffer of {got} is too small")]
    OutputTooSmall {
        /// Length of the buffer given: samples when decoding, bytes when encoding.
        got: usize,
    },
    /// The bytes are no Opus packet.
    #[error("{length} bytes that are no Opus packet")]
    InvalidPacket {
        /// Length of the payload.
        length: usize,
    },
    /// libopus could not allocate its state.
    #[error("no memory for the codec state")]
    OutOfMemory,
    /// libopus reported a fault of its own.
    #[error("libopus error {code}")]
    Internal {
        /// The `OPUS_*` code.
        code: i32,
    },
}
