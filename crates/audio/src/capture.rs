//! A device that is captured from, as the media thread sees it.

use std::sync::Arc;
use std::time::Instant;

use crate::SAMPLE_RATE;
use crate::backend;
use crate::device::DeviceStats;
use crate::drift::{CHUNK, Controller, Fixed, Resampler};
use crate::error::AudioError;
use crate::rt::{CaptureSide, RingReader, Shared, ring};

#[cfg(test)]
mod tests;

/// An open capture device: 48 kHz mono, whatever the device has.
///
/// The device thread puts samples into a ring of 200 ms; if nobody reads, newer ones are dropped and counted. Either read
/// all that is [`available`](Self::available) at each tick, so that the device sets the pace, or read a fixed number at each
/// tick of your own clock: then a resampler keeps the level in the ring where it was after the first 2 s.
///
/// Nothing here blocks. Dropping it closes the device.
#[derive(Debug)]
pub struct Capture {
    // First, so that the device's callback ends before the ring's other half goes.
    _stream: backend::Stream,
    tap: Tap,
}

impl Capture {
    /// Opens the device with this id (or, if no id matches, this name), or the default one, and starts it.
    ///
    /// # Errors
    /// [`AudioError::NoDevice`], [`AudioError::UnknownDevice`], or [`AudioError::Device`] with what the system says.
    pub fn open(device: Option<&str>) -> Result<Self, AudioError> {
        let (stream, tap) = backend::open_capture(device, Tap::new)?;
        Ok(Self { _stream: stream, tap })
    }

    /// How many samples [`read`](Self::read) gives now, at least.
    #[must_use]
    pub fn available(&self) -> usize {
        self.tap.available()
    }

    /// Fills `out` from its start and says how many samples it wrote: fewer than `out.len()` when there are no more yet.
    pub fn read(&mut self, out: &mut [f32]) -> usize {
        self.tap.read(out)
    }

    /// When the first sample was captured; `None` before that.
    #[must_use]
    pub fn first_sample(&self) -> Option<Instant> {
        self.tap.shared.first_sample()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> DeviceStats {
        self.tap.stats()
    }
}

/// All of [`Capture`] but the device.
#[derive(Debug)]
pub(crate) struct Tap {
    ring: RingReader,
    shared: Arc<Shared>,
    rate: u32,
    resampler: Resampler,
    /// Converted and not read yet: the first `ready` of the last chunk's end.
    staged: [f32; CHUNK],
    ready: usize,
    controller: Controller,
    missing: u64,
}

impl Tap {
    /// Both sides for a device of `rate` samples per second; `None` for rates that cannot be resampled.
    pub(crate) fn new(rate: u32, base: Instant) -> Option<(CaptureSide, Self)> {
        let resampler = Resampler::new(rate, SAMPLE_RATE, Fixed::Output)?;
        let (writer, reader) = ring(usize::try_from(rate / 5).ok()?);
        let shared = Arc::new(Shared::new(base));
        let tap = Self {
            ring: reader,
            shared: Arc::clone(&shared),
            rate,
            resampler,
            staged: [0.0; CHUNK],
            ready: 0,
            controller: Controller::default(),
            missing: 0,
        };
        Some((CaptureSide { ring: writer, shared }, tap))
    }

    pub(crate) fn available(&self) -> usize {
        let waiting = self.ring.len();
        let wants = self.resampler.wants();
        if waiting < wants {
            return self.ready;
        }
        // Later chunks may want one sample more than the next one.
        self.ready + (1 + (waiting - wants) / (wants + 1)) * CHUNK
    }

    pub(crate) fn read(&mut self, out: &mut [f32]) -> usize {
        if out.is_empty() {
            return 0;
        }
        let level = self.waiting();
        let mut done = 0;
        while done < out.len() {
            if self.ready == 0 && !self.convert() {
                break;
            }
            let count = self.ready.min(out.len() - done);
            let start = CHUNK - self.ready;
            out[done..done + count].copy_from_slice(&self.staged[start..start + count]);
            self.ready -= count;
            done += count;
        }
        if done < out.len() {
            self.missing += u64::try_from(out.len() - done).unwrap_or(u64::MAX);
            self.controller.rest();
        } else {
            self.controller.observe(level, done);
        }
        done
    }

    pub(crate) fn stats(&self) -> DeviceStats {
        DeviceStats {
            callbacks: self.shared.callbacks(),
            frames: self.shared.frames(),
            xruns: self.shared.xruns(),
            overruns: self.shared.dropped(),
            missing: self.missing,
            waiting: self.waiting(),
            drift_ppm: self.controller.correction() * 1e6,
            lost: self.shared.is_lost(),
        }
    }

    fn waiting(&self) -> usize {
        in_48_khz(self.ring.len(), self.rate) + self.ready
    }

    /// Converts one more chunk, if the ring holds enough.
    fn convert(&mut self) -> bool {
        if self.ring.len() < self.resampler.wants() {
            return false;
        }
        self.ring.read(self.resampler.input());
        let made = self.resampler.convert(self.controller.correction());
        self.ready = made.len();
        self.staged[CHUNK - made.len()..].copy_from_slice(made);
        true
    }
}

/// How long `samples` at `rate` last, in samples of 48 kHz.
pub(crate) fn in_48_khz(samples: usize, rate: u32) -> usize {
    let scaled = u64::try_from(samples)
        .unwrap_or(u64::MAX)
        .saturating_mul(u64::from(SAMPLE_RATE))
        / u64::from(rate.max(1));
    usize::try_from(scaled).unwrap_or(usize::MAX)
}
