//! Silences in a recording of a tone.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

/// Seconds of a frame.
const FRAME: f64 = 0.010;
/// Effective value from which on a frame counts as tone: 17 dB below the one that phones say (0.2 peak).
const AUDIBLE: f64 = 0.02;

/// Where a recording is silent between its first and its last sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Silences {
    /// When the first sound begins; `None` when there is none.
    pub first_sound: Option<Duration>,
    /// (begin, length) of each silence between sounds.
    pub gaps: Vec<(Duration, Duration)>,
    /// How long the recording goes on after the last sound.
    pub tail: Duration,
}

impl Silences {
    /// The longest silence.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.gaps.iter().map(|(_, length)| *length).max().unwrap_or_default()
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let mut reader = hound::WavReader::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let spec = reader.spec();
        let samples: Vec<f64> = match spec.sample_format {
            hound::SampleFormat::Float => reader
                .samples::<f32>()
                .map(|s| s.map(f64::from))
                .collect::<Result<_, _>>()?,
            hound::SampleFormat::Int => {
                let full = f64::from(1_u32 << (spec.bits_per_sample - 1));
                reader
                    .samples::<i32>()
                    .map(|sample| sample.map(|sample| f64::from(sample) / full))
                    .collect::<Result<_, _>>()?
            }
        };
        Ok(Self::of(
            &samples,
            f64::from(spec.sample_rate) * f64::from(spec.channels),
        ))
    }

    /// Of samples at this rate.
    fn of(samples: &[f64], rate: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "10 ms of samples"
        )]
        let size = ((rate * FRAME) as usize).max(1);
        let at = |frame: usize| Duration::from_millis(10) * u32::try_from(frame).unwrap_or(u32::MAX);
        let sounds: Vec<usize> = samples
            .chunks(size)
            .enumerate()
            .filter(|(_, frame)| {
                #[expect(clippy::cast_precision_loss, reason = "10 ms of samples")]
                let mean = frame.iter().map(|sample| sample * sample).sum::<f64>() / frame.len() as f64;
                mean.sqrt() >= AUDIBLE
            })
            .map(|(index, _)| index)
            .collect();
        let gaps = sounds
            .windows(2)
            .filter(|pair| pair[1] > pair[0] + 1)
            .map(|pair| (at(pair[0] + 1), at(pair[1] - pair[0] - 1)))
            .collect();
        let frames = samples.len().div_ceil(size);
        Self {
            first_sound: sounds.first().map(|frame| at(*frame)),
            gaps,
            tail: at(frames - sounds.last().map_or(0, |last| last + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_between_sounds_are_measured() {
        let rate = 8_000.0;
        let mut samples = vec![0.0; 800];
        let tone = |count: usize| (0..count).map(|i| 0.2 * (i as f64 * 0.345).sin());
        samples.extend(tone(4_000));
        samples.extend(std::iter::repeat_n(0.001, 2_400));
        samples.extend(tone(1_600));
        samples.extend(std::iter::repeat_n(0.0, 1_200));
        let found = Silences::of(&samples, rate);
        let ms = Duration::from_millis;
        assert_eq!(found.first_sound, Some(ms(100)));
        assert_eq!(found.gaps, [(ms(600), ms(300))]);
        assert_eq!((found.longest(), found.tail), (ms(300), ms(150)));
        let nothing = Silences::of(&[0.0; 800], rate);
        assert_eq!(
            (nothing.first_sound, nothing.longest(), nothing.tail),
            (None, ms(0), ms(100))
        );
    }
}
