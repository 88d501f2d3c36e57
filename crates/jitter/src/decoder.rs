/// What the buffer asks of a codec. Implemented by the user of this crate; called only from within
/// [`JitterBuffer::pull`](crate::JitterBuffer::pull), on the caller's thread.
///
/// Samples are mono `f32` in [-1, 1] at the buffer's rate. An implementation may fail at any call: the buffer then conceals,
/// and where even concealing fails it plays silence.
pub trait Decoder {
    /// Decodes one packet to the start of `out`, which holds 120 ms; samples written.
    ///
    /// # Errors
    /// The payload cannot be decoded; it then counts as lost.
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError>;

    /// Decodes, from the copy in `later_payload` (the packet right after a hole), the last `samples` samples of the hole to the
    /// start of `out`; samples written, which is `samples`, or 0 when there is no copy.
    ///
    /// # Errors
    /// The copy cannot be decoded; the hole is then concealed.
    fn recover(&mut self, later_payload: &[u8], samples: usize, out: &mut [f32]) -> Result<usize, DecodeError>;

    /// Whether `payload` carries a copy of the frame before it.
    fn has_recovery(&self, payload: &[u8]) -> bool;

    /// Fills `out`, a multiple of 2.5 ms, with a plausible continuation (or comfort noise, when [`in_dtx`](Self::in_dtx));
    /// samples written.
    ///
    /// # Errors
    /// Nothing can be continued; silence is played.
    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError>;

    /// Samples in this packet; `None` when it is no packet of this codec.
    fn duration(&self, payload: &[u8]) -> Option<usize>;

    /// Whether the sender has announced silence, so that missing packets are no loss.
    fn in_dtx(&self) -> bool;
}

/// A decoder could not do what was asked. It carries no detail: the buffer's answer is always the same, to conceal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError;

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the decoder could not decode")
    }
}

impl std::error::Error for DecodeError {}
