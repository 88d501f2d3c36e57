/// The level of a block of samples, 0..=100: its root mean square in decibels, from -60 dBFS or less (0) to full scale (100).
#[must_use]
pub fn level(pcm: &[f32]) -> u8 {
    scale(mean_square(pcm))
}

/// Follows the level of a stream with a time constant of 100 ms.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    mean_square: f64,
}

impl Meter {
    /// Samples after which an old level has faded to 1/e.
    const CONSTANT: f64 = 4_800.0;

    pub(crate) fn update(&mut self, pcm: &[f32]) {
        let weight = 1.0 - (-(pcm.len() as f64) / Self::CONSTANT).exp();
        self.mean_square += weight * (mean_square(pcm) - self.mean_square);
    }

    pub(crate) fn level(&self) -> u8 {
        scale(self.mean_square)
    }
}

/// Mean square of samples in [-1, 1]; what is no number counts as silence.
pub(crate) fn mean_square(pcm: &[f32]) -> f64 {
    let finite = pcm.iter().filter(|sample| sample.is_finite());
    let sum: f64 = finite.map(|&sample| f64::from(sample.clamp(-1.0, 1.0)).powi(2)).sum();
    sum / pcm.len().max(1) as f64
}

fn scale(mean_square: f64) -> u8 {
    let decibels = 10.0 * mean_square.log10();
    // `as` takes the minus infinity of silence to 0.
    (100.0 + decibels / 0.6).clamp(0.0, 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(amplitude: f32) -> Vec<f32> {
        (0..4800).map(|n| amplitude * (n as f32 * 0.05).sin()).collect()
    }

    #[test]
    fn levels_are_decibels_on_a_scale_of_sixty() {
        assert_eq!(level(&[]), 0);
        assert_eq!(level(&[0.0; 480]), 0);
        assert_eq!(level(&[1.0; 480]), 100);
        assert_eq!(level(&[f32::NAN; 480]), 0);
        // A sine is 3 dB under its peak; -20 dB is a third of the scale.
        assert_eq!(level(&sine(1.0)), 95);
        assert_eq!(level(&sine(0.1)), 62);
        assert_eq!(level(&sine(0.0001)), 0);
    }

    #[test]
    fn the_meter_follows_within_its_time_constant() {
        let mut meter = Meter::default();
        meter.update(&sine(0.5));
        let after_one = meter.level();
        for _ in 0..5 {
            meter.update(&sine(0.5));
        }
        assert!(after_one >= meter.level() - 4, "63 % of the power is 2 dB");
        assert_eq!(meter.level(), level(&sine(0.5)));
        for _ in 0..20 {
            meter.update(&[0.0; 4800]);
        }
        assert_eq!(meter.level(), 0);
    }
}
