use duologue_codec::CodecError;
use thiserror::Error;

/// Why a [`Media`](crate::Media) cannot be made: its configuration asks for what there is not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The encoder refuses its settings.
    #[error("the encoder cannot be made")]
    Encoder(#[source] CodecError),
    /// The decoder refuses its settings.
    #[error("the decoder cannot be made")]
    Decoder(#[source] CodecError),
    /// The smallest delay of the jitter buffer is above the largest.
    #[error("a jitter buffer of at least {min:?} and at most {max:?}")]
    Delays {
        /// The smallest delay asked for.
        min: std::time::Duration,
        /// The largest delay asked for.
        max: std::time::Duration,
    },
}
