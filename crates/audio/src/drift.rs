//! Clocks that differ: a resampler between a device's clock and the media thread's, and what steers it.
//!
//! The device's crystal and the machine's monotonic clock differ by some 10 to 100 ppm. If the media thread moves 480
//! samples each 10 ms of its own clock, a ring between the two fills up or runs dry within minutes. [`Controller`]
//! watches how many samples wait and changes the resampling ratio by so little that nobody hears it, at most 0.3 %.
//!
//! If the media thread is itself paced by the device (it takes all there is, or writes up to a level), the level does not
//! move, the correction stays at zero, and the drift between the peers is left to the jitter buffer, where it belongs.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable as _, Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

#[cfg(test)]
mod tests;

/// 48 kHz samples that a conversion makes (capture) or takes (playout) at a time: 2.5 ms.
pub(crate) const CHUNK: usize = 120;

/// Which side of a conversion is [`CHUNK`] long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fixed {
    Input,
    Output,
}

/// A resampler whose ratio can be bent a little while it runs. Delay: 0.7 ms at 48 kHz.
pub(crate) struct Resampler {
    inner: Async<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler").finish_non_exhaustive()
    }
}

impl Resampler {
    /// From `from` to `to` samples per second, both above 0; `None` if the ratio is beyond what can be built.
    pub(crate) fn new(from: u32, to: u32, fixed: Fixed) -> Option<Self> {
        // 64 points: no audible roll-off below 20 kHz at 48 kHz, for 0.1 % of a core.
        let parameters = SincInterpolationParameters {
            sinc_len: 64,
            f_cutoff: None,
            oversampling_factor: 128,
            interpolation: SincInterpolationType::Cubic,
            window: WindowFunction::BlackmanHarris2,
        };
        let side = if fixed == Fixed::Input {
            FixedAsync::Input
        } else {
            FixedAsync::Output
        };
        let inner = Async::new_sinc(f64::from(to) / f64::from(from), 1.01, &parameters, CHUNK, 1, side).ok()?;
        let (input, output) = (
            vec![0.0; inner.input_frames_max()],
            vec![0.0; inner.output_frames_max()],
        );
        Some(Self { inner, input, output })
    }

    /// How many samples the next conversion takes.
    pub(crate) fn wants(&self) -> usize {
        self.inner.input_frames_next()
    }

    /// The most samples that a conversion makes.
    pub(crate) fn makes_at_most(&self) -> usize {
        self.output.len()
    }

    /// Where the input of the next conversion goes: exactly [`wants`](Self::wants) samples.
    pub(crate) fn input(&mut self) -> &mut [f32] {
        let wants = self.wants();
        &mut self.input[..wants]
    }

    /// Converts the input; `correction` is how many more samples to make, as a share.
    pub(crate) fn convert(&mut self, correction: f64) -> &[f32] {
        const SIZED: &str = "buffers have the sizes that the resampler itself names";
        // The controller stays far inside the bounds; outside of them the ratio would stay what it was.
        let _ = self.inner.set_resample_ratio_relative(1.0 + correction, true);
        let wants = self.inner.input_frames_next();
        let room = self.output.len();
        let input = InterleavedSlice::new(&self.input[..], 1, wants).expect(SIZED);
        let mut output = InterleavedSlice::new_mut(&mut self.output[..], 1, room).expect(SIZED);
        let (_, made) = self.inner.process_into_buffer(&input, &mut output, None).expect(SIZED);
        &self.output[..made]
    }
}

/// Holds the number of waiting samples where it finds it.
///
/// Level and time are in samples of 48 kHz; it has no clock. A proportional and integral controller, critically damped:
/// `correction = -(e/τ + ∫e/4τ²)`, with `e` in seconds and τ = 10 s, over the level smoothed for 1 s. The first 2 s only
/// look: the level found then (at most 60 ms) is the one that is held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Controller {
    smooth: Option<f64>,
    looked: f64,
    hold: Option<f64>,
    integral: f64,
    correction: f64,
}

const LIMIT: f64 = 0.003;
const TAU: f64 = 10.0;
const LOOK: f64 = 2.0;
const CEILING: f64 = 0.060;
const RATE: f64 = 48_000.0;

impl Controller {
    /// `level` samples wait, and `passed` samples have passed since the last time.
    pub(crate) fn observe(&mut self, level: usize, passed: usize) {
        #[expect(clippy::cast_precision_loss, reason = "rings are short")]
        let (level, passed) = (level as f64 / RATE, passed as f64 / RATE);
        let smooth = self.smooth.get_or_insert(level);
        *smooth += (level - *smooth) * passed.min(1.0);
        let smooth = *smooth;

        self.looked += passed;
        if self.looked < LOOK {
            return;
        }
        let hold = *self.hold.get_or_insert(smooth.min(CEILING));
        let error = smooth - hold;
        self.integral = (self.integral + error * passed / (4.0 * TAU * TAU)).clamp(-LIMIT, LIMIT);
        self.correction = -(error / TAU + self.integral).clamp(-LIMIT, LIMIT);
    }

    /// The other side took all there was, or offered more than there was room for: there is no level to hold. The drift
    /// that is known so far still holds.
    pub(crate) fn rest(&mut self) {
        *self = Self {
            integral: self.integral,
            correction: -self.integral,
            ..Self::default()
        };
    }

    /// How many more samples to make, as a share in ±0.003.
    pub(crate) fn correction(&self) -> f64 {
        self.correction
    }
}
