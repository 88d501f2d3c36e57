//! Where samples come from, when not from a device.

use std::f64::consts::TAU;

use crate::SAMPLE_RATE;

/// A source of 48 kHz mono samples in [-1, 1].
///
/// It is read on the media thread, 480 samples each 10 ms: reading must not block.
pub trait Source: Send {
    /// Fills `out` from its start and says how many samples it wrote. Fewer than `out.len()` means that the source has
    /// ended; what the rest of `out` holds is then of no meaning, and later calls give 0.
    fn read(&mut self, out: &mut [f32]) -> usize;
}

/// Endless silence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl Source for Silence {
    fn read(&mut self, out: &mut [f32]) -> usize {
        out.fill(0.0);
        out.len()
    }
}

/// An endless sine.
#[derive(Clone, Debug)]
pub struct ToneSource {
    /// In turns, [0, 1).
    phase: f64,
    step: f64,
    level: f32,
}

impl ToneSource {
    /// A tone of `hz`, which is best below 24,000, with the amplitude `level`, which is cut to [0, 1]. It starts at a
    /// zero crossing.
    #[must_use]
    pub fn new(hz: f32, level: f32) -> Self {
        let step = f64::from(hz) / f64::from(SAMPLE_RATE);
        Self {
            phase: 0.0,
            step: if step.is_finite() { step } else { 0.0 },
            level: level.clamp(0.0, 1.0),
        }
    }
}

impl Source for ToneSource {
    fn read(&mut self, out: &mut [f32]) -> usize {
        for sample in out.iter_mut() {
            #[expect(clippy::cast_possible_truncation, reason = "a sample")]
            let value = (self.phase * TAU).sin() as f32;
            *sample = value * self.level;
            self.phase = (self.phase + self.step).rem_euclid(1.0);
        }
        out.len()
    }
}
