//! Was what was heard what was said? Two recordings are aligned by the envelopes of their speech and compared.

use std::path::Path;

use anyhow::{Context, bail};

/// Correlation of the aligned envelopes from which on a direction of a call counts as heard.
pub(crate) const HEARD: f64 = 0.8;

/// Step of the envelope for the coarse search and the score, in seconds.
const COARSE: f64 = 0.010;
/// Step of the envelope for the fine alignment, in seconds.
const FINE: f64 = 0.001;
/// Share of what was said that must overlap with what was heard for a lag to be considered.
const OVERLAP: f64 = 0.6;

/// Mono sound with its sampling rate.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    pub(crate) samples: Vec<f32>,
    pub(crate) rate: u32,
}

impl Sound {
    /// Reads a WAV file of 16-bit or float samples; several channels are averaged.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let reader = hound::WavReader::open(path).with_context(|| format!("cannot read {name}"))?;
        Self::from_reader(reader).with_context(|| format!("cannot read {name}"))
    }

    /// Reads a WAV file that is in memory.
    #[cfg(test)]
    pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        Self::from_reader(hound::WavReader::new(bytes)?)
    }

    fn from_reader<R: std::io::Read>(mut reader: hound::WavReader<R>) -> anyhow::Result<Self> {
        let spec = reader.spec();
        let flat: Vec<f32> = match (spec.sample_format, spec.bits_per_sample) {
            (hound::SampleFormat::Float, 32) => reader.samples::<f32>().collect::<Result<_, _>>()?,
            (hound::SampleFormat::Int, bits @ 8..=32) => {
                let full = (1_u64 << (bits - 1)) as f32;
                reader
                    .samples::<i32>()
                    .map(|sample| Ok(sample? as f32 / full))
                    .collect::<Result<_, hound::Error>>()?
            }
            (format, bits) => bail!("{bits}-bit {format:?} samples are not supported"),
        };
        let channels = usize::from(spec.channels.max(1));
        let samples = flat
            .chunks(channels)
            .map(|frame| frame.iter().sum::<f32>() / channels as f32)
            .collect();
        Ok(Self {
            samples,
            rate: spec.sample_rate,
        })
    }

    /// Length in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// Root mean square per `step` seconds, each over a window of `2.5 × step`, compressed by a square root so that
    /// soft consonants weigh too.
    fn envelope(&self, step: f64) -> Vec<f64> {
        let hop = step * f64::from(self.rate);
        let half = 1.25 * hop;
        let mut energy = Vec::with_capacity(self.samples.len() + 1);
        energy.push(0.0_f64);
        for sample in &self.samples {
            let last = energy.last().copied().unwrap_or_default();
            energy.push(last + f64::from(*sample).powi(2));
        }
        let at = |position: f64| (position.max(0.0) as usize).min(self.samples.len());
        (0..(self.samples.len() as f64 / hop) as usize)
            .map(|index| {
                let middle = (index as f64 + 0.5) * hop;
                let (from, to) = (at(middle - half), at(middle + half));
                let mean = (energy[to] - energy[from]) / (to - from).max(1) as f64;
                mean.max(0.0).powf(0.25)
            })
            .collect()
    }
}

/// How what was heard lies against what was said.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    /// Pearson correlation of the aligned envelopes, −1 to 1; 0 when one of them is silent.
    pub(crate) correlation: f64,
    /// Seconds into the heard recording at which the said one begins; negative when its beginning was not heard.
    pub(crate) offset: f64,
    /// Offset by time: (seconds into the said recording, offset there).
    pub(crate) track: Vec<(f64, f64)>,
}

impl Match {
    /// True when the two are the same speech.
    pub(crate) fn heard(&self) -> bool {
        self.correlation >= HEARD
    }
}

/// Aligns `heard` with `said` and scores the likeness of their envelopes.
pub(crate) fn compare(said: &Sound, heard: &Sound) -> Match {
    let (said_coarse, heard_coarse) = (said.envelope(COARSE), heard.envelope(COARSE));
    let length = said_coarse.len() as i64;
    let shortest = ((length.min(heard_coarse.len() as i64)) as f64 * OVERLAP) as i64;
    let mut best = (0.0, 0_i64);
    for lag in (shortest - length)..=(heard_coarse.len() as i64 - shortest) {
        let score = correlation(&said_coarse, &heard_coarse, lag);
        if score > best.0 {
            best = (score, lag);
        }
    }
    let (score, lag) = best;
    if score <= 0.0 {
        return Match {
            correlation: 0.0,
            offset: 0.0,
            track: Vec::new(),
        };
    }
    let (said_fine, heard_fine) = (said.envelope(FINE), heard.envelope(FINE));
    let around = (lag as f64 * COARSE / FINE).round() as i64;
    let offset = refine(&said_fine, &heard_fine, around, 30);
    let track = track(&said_fine, &heard_fine, offset);
    Match {
        correlation: score,
        offset: offset as f64 * FINE,
        track,
    }
}

/// Pearson correlation of `said[i]` with `heard[i + lag]` where both exist.
fn correlation(said: &[f64], heard: &[f64], lag: i64) -> f64 {
    let from = (-lag).max(0) as usize;
    let to = (heard.len() as i64 - lag).clamp(0, said.len() as i64) as usize;
    if to <= from {
        return 0.0;
    }
    let begin = (from as i64 + lag) as usize;
    let (said, heard) = (&said[from..to], &heard[begin..begin + (to - from)]);
    let count = said.len() as f64;
    let (mean_said, mean_heard) = (said.iter().sum::<f64>() / count, heard.iter().sum::<f64>() / count);
    let (mut product, mut square_said, mut square_heard) = (0.0, 0.0, 0.0);
    for (a, b) in said.iter().zip(heard) {
        let (a, b) = (a - mean_said, b - mean_heard);
        product += a * b;
        square_said += a * a;
        square_heard += b * b;
    }
    // Below this the recording is silence with rounding noise, which must not be scaled up to a likeness.
    if square_said / count < 1e-6 || square_heard / count < 1e-6 {
        return 0.0;
    }
    product / (square_said * square_heard).sqrt()
}

fn refine(said: &[f64], heard: &[f64], around: i64, reach: i64) -> i64 {
    ((around - reach)..=(around + reach))
        .max_by(|a, b| correlation(said, heard, *a).total_cmp(&correlation(said, heard, *b)))
        .unwrap_or(around)
}

/// The offset by time, from windows of one second that hold enough speech to tell.
fn track(said: &[f64], heard: &[f64], around: i64) -> Vec<(f64, f64)> {
    let (window, step, reach) = ((1.0 / FINE) as usize, (0.5 / FINE) as usize, (0.12 / FINE) as i64);
    let mut track = Vec::new();
    for from in (0..said.len().saturating_sub(window)).step_by(step) {
        let piece = &said[from..from + window];
        // A window that was heard in part only would align with what is left of it.
        if from as i64 + around + window as i64 + reach > heard.len() as i64 {
            break;
        }
        let lag = refine(piece, heard, around + from as i64, reach) - from as i64;
        if correlation(piece, heard, lag + from as i64) > 0.7 {
            track.push(((from + window / 2) as f64 * FINE, lag as f64 * FINE));
        }
    }
    track
}

#[cfg(test)]
mod tests;
