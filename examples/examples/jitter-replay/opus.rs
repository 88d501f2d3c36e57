//! Opus as the jitter buffer's decoder, with its time taken.

use std::time::{Duration, Instant};

use anyhow::Result;
use duologue_codec as codec;
use duologue_jitter::{DecodeError, Decoder};

/// The codec, and how long it has worked since the last look.
#[derive(Debug)]
pub(crate) struct Opus {
    inner: codec::Decoder,
    spent: Duration,
}

impl Opus {
    pub(crate) fn new(complexity: u8) -> Result<Self> {
        Ok(Self {
            inner: codec::Decoder::new(codec::DecoderConfig { complexity })?,
            spent: Duration::ZERO,
        })
    }

    pub(crate) fn take_spent(&mut self) -> Duration {
        std::mem::take(&mut self.spent)
    }

    fn timed<T>(
        &mut self,
        work: impl FnOnce(&mut codec::Decoder) -> Result<T, codec::CodecError>,
    ) -> Result<T, DecodeError> {
        let start = Instant::now();
        let result = work(&mut self.inner);
        self.spent += start.elapsed();
        result.map_err(|_| DecodeError)
    }
}

impl Decoder for Opus {
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        self.timed(|codec| codec.decode(payload, out))
    }

    fn recover(&mut self, later_payload: &[u8], samples: usize, out: &mut [f32]) -> Result<usize, DecodeError> {
        self.timed(|codec| codec.decode_fec(later_payload, samples, out))
    }

    fn has_recovery(&self, payload: &[u8]) -> bool {
        codec::has_lbrr(payload)
    }

    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError> {
        self.timed(|codec| codec.conceal(out))
    }

    fn duration(&self, payload: &[u8]) -> Option<usize> {
        codec::packet_samples(payload)
    }

    fn in_dtx(&self) -> bool {
        self.inner.in_dtx()
    }
}
