//! Reads WAV files.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::error::{AudioError, WavProblem};
use crate::source::Source;
use crate::{SAMPLE_RATE, rt::DeviceSample as _};

/// A WAV file as 48 kHz mono: channels are averaged, other rates resampled (FFT, the resampler's delay taken out to within half
/// a sample).
///
/// It reads as it goes, so the file may be of any length. A file that ends in the middle of a sample, or cannot be read any
/// further, ends there.
pub struct WavSource {
    path: PathBuf,
    reader: WavReader<BufReader<File>>,
    looped: bool,
    converter: Option<Converter>,
    /// What is left of the last block.
    block: Vec<f32>,
    next: usize,
    /// No more blocks will come.
    ended: bool,
}

/// From the file's rate to ours.
struct Converter {
    inner: Fft<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    /// Samples at the start that are only the resampler's delay.
    skip: usize,
    rate: u64,
    /// Samples in from the file and out to the user, for the right length.
    read: u64,
    made: u64,
}

const BLOCK: usize = 480;

impl std::fmt::Debug for WavSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WavSource")
            .field("path", &self.path)
            .field("looped", &self.looped)
            .finish_non_exhaustive()
    }
}

impl WavSource {
    /// Opens a file of integer samples of 8 to 32 bits or of 32-bit floats. A `looped` source starts again at the end and
    /// never ends, unless the file has no samples.
    ///
    /// # Errors
    /// [`AudioError::Wav`].
    pub fn open(path: impl AsRef<Path>, looped: bool) -> Result<Self, AudioError> {
        let path = path.as_ref().to_owned();
        Self::read_header(&path, looped).map_err(|source| AudioError::Wav { path, source })
    }

    fn read_header(path: &Path, looped: bool) -> Result<Self, WavProblem> {
        let reader = WavReader::new(BufReader::new(File::open(path)?)).map_err(wav_problem)?;
        let spec = reader.spec();
        let unsupported = WavProblem::Unsupported {
            bits: spec.bits_per_sample,
            rate: spec.sample_rate,
            channels: spec.channels,
        };
        let known = match spec.sample_format {
            SampleFormat::Int => (8..=32).contains(&spec.bits_per_sample),
            SampleFormat::Float => spec.bits_per_sample == 32,
        };
        if !known || spec.channels == 0 || !(1..=768_000).contains(&spec.sample_rate) {
            return Err(unsupported);
        }
        let converter = match spec.sample_rate {
            SAMPLE_RATE => None,
            rate => Some(Converter::new(rate).ok_or(unsupported)?),
        };
        Ok(Self {
            path: path.to_owned(),
            reader,
            looped,
            converter,
            block: Vec::new(),
            next: 0,
            ended: false,
        })
    }

    /// How long the file lasts, in seconds.
    #[must_use]
    pub fn duration(&self) -> f64 {
        f64::from(self.reader.duration()) / f64::from(self.reader.spec().sample_rate)
    }

    /// Up to `out.len()` frames of the file, mixed; fewer at its end.
    fn read_frames(reader: &mut WavReader<BufReader<File>>, path: &Path, out: &mut [f32]) -> usize {
        let spec = reader.spec();
        let channels = usize::from(spec.channels);
        let mut done = 0;
        match spec.sample_format {
            SampleFormat::Float => {
                let mut samples = reader.samples::<f32>();
                mix(
                    std::iter::from_fn(|| usable(samples.next(), path)),
                    channels,
                    out,
                    &mut done,
                );
            }
            SampleFormat::Int => {
                let shift = 32 - u32::from(spec.bits_per_sample);
                let mut samples = reader.samples::<i32>();
                let scaled = std::iter::from_fn(|| Some((usable(samples.next(), path)? << shift).to_f32()));
                mix(scaled, channels, out, &mut done);
            }
        }
        done
    }

    /// As [`read_frames`](Self::read_frames), and from the start again where that is wanted.
    fn read_looped(&mut self, out: &mut [f32]) -> usize {
        let mut done = 0;
        loop {
            done += Self::read_frames(&mut self.reader, &self.path, &mut out[done..]);
            if done == out.len() || !self.looped || self.reader.duration() == 0 {
                return done;
            }
            if let Err(error) = self.reader.seek(0) {
                tracing::warn!(%error, "cannot start a sound file again");
                self.looped = false;
                return done;
            }
        }
    }

    /// Makes the next block; leaves it empty at the end.
    fn refill(&mut self) {
        self.next = 0;
        self.block.clear();
        let Some(mut converter) = self.converter.take() else {
            self.block.resize(BLOCK, 0.0);
            let mut block = std::mem::take(&mut self.block);
            let count = self.read_looped(&mut block);
            self.ended = count < BLOCK;
            block.truncate(count);
            self.block = block;
            return;
        };
        while self.block.is_empty() && !self.ended {
            let count = self.read_looped(&mut converter.input);
            let at_end = count < converter.input.len();
            self.ended = converter.convert(count, at_end, &mut self.block);
        }
        self.converter = Some(converter);
    }
}

impl Source for WavSource {
    fn read(&mut self, out: &mut [f32]) -> usize {
        let mut done = 0;
        while done < out.len() {
            if self.next == self.block.len() {
                if self.ended {
                    break;
                }
                self.refill();
                continue;
            }
            let count = (self.block.len() - self.next).min(out.len() - done);
            out[done..done + count].copy_from_slice(&self.block[self.next..self.next + count]);
            self.next += count;
            done += count;
        }
        done
    }
}

impl Converter {
    fn new(rate: u32) -> Option<Self> {
        let inner = Fft::new(
            usize::try_from(rate).ok()?,
            usize::try_from(SAMPLE_RATE).ok()?,
            1024,
            1,
            FixedSync::Both,
        )
        .ok()?;
        let (input, output) = (
            vec![0.0; inner.input_frames_max()],
            vec![0.0; inner.output_frames_max()],
        );
        let skip = inner.output_delay();
        Some(Self {
            inner,
            input,
            output,
            skip,
            rate: u64::from(rate),
            read: 0,
            made: 0,
        })
    }

    /// Converts the first `count` samples of the input, and what is needed to get the last of them out if these are the
    /// last. Appends to `block`; true when nothing more will come.
    fn convert(&mut self, count: usize, at_end: bool, block: &mut Vec<f32>) -> bool {
        const SIZED: &str = "buffers have the sizes that the resampler itself names";
        self.read += u64::try_from(count).expect("a length fits 64 bits");
        self.input[count..].fill(0.0);
        let (frames_in, frames_out) = (self.input.len(), self.output.len());
        let input = InterleavedSlice::new(&self.input[..], 1, frames_in).expect(SIZED);
        let mut output = InterleavedSlice::new_mut(&mut self.output[..], 1, frames_out).expect(SIZED);
        let (_, made) = self.inner.process_into_buffer(&input, &mut output, None).expect(SIZED);

        let skipped = self.skip.min(made);
        self.skip -= skipped;
        let fresh = &self.output[skipped..made];
        if !at_end {
            self.made += u64::try_from(fresh.len()).expect("a length fits 64 bits");
            block.extend_from_slice(fresh);
            return false;
        }
        let total = (self.read * u64::from(SAMPLE_RATE)).div_ceil(self.rate);
        let left = usize::try_from(total.saturating_sub(self.made)).unwrap_or(usize::MAX);
        let taken = left.min(fresh.len());
        self.made += u64::try_from(taken).expect("a length fits 64 bits");
        block.extend_from_slice(&fresh[..taken]);
        taken == left
    }
}

fn mix(mut samples: impl Iterator<Item = f32>, channels: usize, out: &mut [f32], done: &mut usize) {
    #[expect(clippy::cast_precision_loss, reason = "at most 65,535 channels")]
    let share = 1.0 / channels as f32;
    for slot in out {
        let mut sum = 0.0;
        for _ in 0..channels {
            let Some(sample) = samples.next() else { return };
            sum += sample;
        }
        // Floats in files may be anything.
        let mean = sum * share;
        *slot = if mean.is_nan() { 0.0 } else { mean.clamp(-1.0, 1.0) };
        *done += 1;
    }
}

fn usable<T>(sample: Option<Result<T, hound::Error>>, path: &Path) -> Option<T> {
    sample?
        .inspect_err(|error| tracing::warn!(%error, path = %path.display(), "a sound file ends early"))
        .ok()
}

pub(super) fn wav_problem(error: hound::Error) -> WavProblem {
    match error {
        hound::Error::IoError(error) => WavProblem::Io(error),
        other => WavProblem::Malformed(other.to_string()),
    }
}
