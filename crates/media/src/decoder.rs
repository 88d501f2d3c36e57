use duologue_codec as codec;
use duologue_jitter::{DecodeError, Decoder};

/// Complexity up to which libopus conceals the classic way, in tens of microseconds.
const CLASSIC: u8 = 4;

/// The Opus decoder as the jitter buffer wants it, with a choice of how to conceal.
#[derive(Debug)]
pub(crate) struct OpusDecoder {
    decoder: codec::Decoder,
    /// Complexity asked for.
    complexity: u8,
    deep: bool,
    /// Classic concealment until the next packet is decoded.
    hurried: bool,
    /// Nothing was decoded since the last concealment.
    in_loss: bool,
    concealed: bool,
    errors: u64,
    fallbacks: u64,
}

impl OpusDecoder {
    pub(crate) fn new(complexity: u8) -> Result<Self, codec::CodecError> {
        let decoder = codec::Decoder::new(codec::DecoderConfig { complexity })?;
        Ok(Self {
            decoder,
            complexity,
            deep: true,
            hurried: false,
            in_loss: false,
            concealed: false,
            errors: 0,
            fallbacks: 0,
        })
    }

    /// Whether losses are concealed by the neural network and speech is enhanced, as far as the complexity allows.
    pub(crate) fn set_deep(&mut self, deep: bool) {
        self.deep = deep;
        self.apply();
    }

    /// Conceals the rest of the present loss the classic way.
    pub(crate) fn hurry(&mut self) {
        if self.deep && self.in_loss && !self.hurried && self.complexity > CLASSIC {
            self.hurried = true;
            self.fallbacks += 1;
            self.apply();
        }
    }

    /// Forgets the stream; the settings stay.
    pub(crate) fn reset(&mut self) {
        self.relax();
        let result = self.decoder.reset();
        self.note(result);
    }

    /// Whether there was a concealment since the last call.
    pub(crate) fn take_concealed(&mut self) -> bool {
        std::mem::take(&mut self.concealed)
    }

    pub(crate) fn errors(&self) -> u64 {
        self.errors
    }

    pub(crate) fn fallbacks(&self) -> u64 {
        self.fallbacks
    }

    fn relax(&mut self) {
        if std::mem::take(&mut self.hurried) {
            self.apply();
        }
    }

    fn apply(&mut self) {
        let complexity = if self.deep && !self.hurried {
            self.complexity
        } else {
            self.complexity.min(CLASSIC)
        };
        let result = self.decoder.set_complexity(complexity);
        self.note(result);
    }

    fn note<T>(&mut self, result: Result<T, codec::CodecError>) -> Option<T> {
        self.errors += u64::from(result.is_err());
        result.ok()
    }
}

impl Decoder for OpusDecoder {
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        self.in_loss = false;
        self.relax();
        let result = self.decoder.decode(payload, out);
        self.note(result).ok_or(DecodeError)
    }

    fn recover(&mut self, later_payload: &[u8], samples: usize, out: &mut [f32]) -> Result<usize, DecodeError> {
        let result = self.decoder.decode_fec(later_payload, samples, out);
        self.note(result).ok_or(DecodeError)
    }

    fn has_recovery(&self, payload: &[u8]) -> bool {
        codec::has_lbrr(payload)
    }

    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError> {
        self.concealed = true;
        self.in_loss = true;
        let result = self.decoder.conceal(out);
        self.note(result).ok_or(DecodeError)
    }

    fn duration(&self, payload: &[u8]) -> Option<usize> {
        codec::packet_samples(payload)
    }

    fn in_dtx(&self) -> bool {
        self.decoder.in_dtx()
    }
}
