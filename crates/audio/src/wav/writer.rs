//! Writes WAV files.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

use super::reader::wav_problem;
use crate::SAMPLE_RATE;
use crate::error::AudioError;
use crate::rt::DeviceSample as _;
use crate::sink::Sink;

/// A WAV file of 48 kHz mono, 16 bits.
///
/// The header is brought up to date each second, so that a file whose program was killed can be played up to then. When the
/// disk is full the rest is lost; that is logged once.
pub struct WavSink {
    path: PathBuf,
    writer: Option<WavWriter<BufWriter<File>>>,
    since_flush: usize,
}

const FLUSH: usize = 48_000;

impl std::fmt::Debug for WavSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WavSink")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl WavSink {
    /// Creates a file, or empties the one that is there.
    ///
    /// # Errors
    /// [`AudioError::Wav`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, AudioError> {
        let path = path.as_ref().to_owned();
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        match WavWriter::create(&path, spec) {
            Ok(writer) => Ok(Self {
                path,
                writer: Some(writer),
                since_flush: 0,
            }),
            Err(error) => Err(AudioError::Wav {
                path,
                source: wav_problem(error),
            }),
        }
    }

    fn try_write(&mut self, pcm: &[f32]) -> Result<(), hound::Error> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        for sample in pcm {
            writer.write_sample(i16::from_f32(*sample))?;
        }
        self.since_flush += pcm.len();
        if self.since_flush >= FLUSH {
            self.since_flush = 0;
            writer.flush()?;
        }
        Ok(())
    }

    fn told(&mut self, result: Result<(), hound::Error>) {
        if let Err(error) = result {
            tracing::warn!(%error, path = %self.path.display(), "a recording cannot be written on");
            self.writer = None;
        }
    }
}

impl Sink for WavSink {
    fn write(&mut self, pcm: &[f32]) {
        let result = self.try_write(pcm);
        self.told(result);
    }

    fn finish(&mut self) {
        if let Some(writer) = self.writer.take() {
            let result = writer.finalize();
            self.told(result);
        }
    }
}

impl Drop for WavSink {
    fn drop(&mut self) {
        self.finish();
    }
}
