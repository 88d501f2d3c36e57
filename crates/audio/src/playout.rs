//! A device that is played to, as the media thread sees it.

use std::sync::Arc;
use std::time::Instant;

use crate::SAMPLE_RATE;
use crate::backend;
use crate::capture::in_48_khz;
use crate::device::DeviceStats;
use crate::drift::{CHUNK, Controller, Fixed, Resampler};
use crate::error::AudioError;
use crate::rt::{PlayoutSide, RingWriter, Shared, ring};

#[cfg(test)]
mod tests;

/// Samples (48 kHz) that must wait before a device starts to play, and again after it ran dry: 20 ms.
const RESERVE: u32 = 960;

/// An open playout device: 48 kHz mono, whatever the device has.
///
/// The device thread takes samples from a ring of 200 ms. It starts when 20 ms are there, and plays silence (counted)
/// when it finds none. Either write whenever [`fill`](Self::fill) is below [`target`](Self::target), so that the
/// device sets the pace, or write a fixed number at each tick of your own clock: then a resampler keeps the level in the
/// ring where it was after the first 2 s.
///
/// Nothing here blocks. Dropping it closes the device, and what it has not played yet is lost.
#[derive(Debug)]
pub struct Playout {
    // First, so that the device's callback ends before the ring's other half goes.
    stream: backend::Stream,
    feed: Feed,
}

impl Playout {
    /// Opens the device with this id (or, if no id matches, this name), or the default one, and starts it.
    ///
    /// # Errors
    /// [`AudioError::NoDevice`], [`AudioError::UnknownDevice`], or [`AudioError::Device`] with what the system says.
    pub fn open(device: Option<&str>) -> Result<Self, AudioError> {
        let (stream, feed) = backend::open_playout(device, Feed::new)?;
        Ok(Self { stream, feed })
    }

    /// Gives samples to the device and says how many it took: fewer than `pcm.len()` when the ring is full.
    pub fn write(&mut self, pcm: &[f32]) -> usize {
        self.feed.write(pcm)
    }

    /// How many samples were written and not taken by the device yet.
    #[must_use]
    pub fn fill(&self) -> usize {
        self.feed.fill()
    }

    /// The fill to keep so that the device never waits for a writer that wakes up each 10 ms: 20 ms, or two of the blocks
    /// that the device takes at once, and a tick.
    #[must_use]
    pub fn target(&self) -> usize {
        let block = in_48_khz(self.stream.period(), self.feed.rate);
        (block * 2).clamp(960, 7_200) + 480
    }

    /// When the first sample that was written was (or will be) played; `None` before the device took it.
    #[must_use]
    pub fn first_sample(&self) -> Option<Instant> {
        self.feed.shared.first_sample()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> DeviceStats {
        self.feed.stats()
    }
}

/// All of [`Playout`] but the device.
#[derive(Debug)]
pub(crate) struct Feed {
    ring: RingWriter,
    shared: Arc<Shared>,
    rate: u32,
    resampler: Resampler,
    /// How much of the resampler's input is there.
    staged: usize,
    controller: Controller,
    refused: u64,
}

impl Feed {
    /// Both sides for a device of `rate` samples per second; `None` for rates that cannot be resampled.
    pub(crate) fn new(rate: u32, base: Instant) -> Option<(PlayoutSide, Self)> {
        let resampler = Resampler::new(SAMPLE_RATE, rate, Fixed::Input)?;
        let (writer, reader) = ring(usize::try_from(rate / 5).ok()?);
        let shared = Arc::new(Shared::new(base));
        let reserve = u64::from(RESERVE) * u64::from(rate) / u64::from(SAMPLE_RATE);
        let reserve = usize::try_from(reserve).ok()?;
        let side = PlayoutSide {
            ring: reader,
            shared: Arc::clone(&shared),
            reserve,
            playing: false,
        };
        let feed = Self {
            ring: writer,
            shared,
            rate,
            resampler,
            staged: 0,
            controller: Controller::default(),
            refused: 0,
        };
        Some((side, feed))
    }

    pub(crate) fn write(&mut self, pcm: &[f32]) -> usize {
        if pcm.is_empty() {
            return 0;
        }
        let level = self.fill();
        let mut done = 0;
        while done < pcm.len() {
            if self.staged == CHUNK && !self.convert() {
                break;
            }
            let count = (CHUNK - self.staged).min(pcm.len() - done);
            self.resampler.input()[self.staged..self.staged + count].copy_from_slice(&pcm[done..done + count]);
            self.staged += count;
            done += count;
        }
        // What is complete goes at once; what finds no room stays staged and is tried again with the next write.
        if self.staged == CHUNK {
            self.convert();
        }
        if done < pcm.len() {
            self.refused += u64::try_from(pcm.len() - done).unwrap_or(u64::MAX);
            self.controller.rest();
        } else {
            self.controller.observe(level, done);
        }
        done
    }

    pub(crate) fn fill(&self) -> usize {
        in_48_khz(self.ring.len(), self.rate) + self.staged
    }

    pub(crate) fn stats(&self) -> DeviceStats {
        DeviceStats {
            callbacks: self.shared.callbacks(),
            frames: self.shared.frames(),
            xruns: self.shared.xruns(),
            overruns: self.refused,
            missing: self.shared.silence(),
            waiting: self.fill(),
            drift_ppm: self.controller.correction() * 1e6,
            lost: self.shared.is_lost(),
        }
    }

    /// Converts the staged chunk, if the ring has room for what comes of it.
    fn convert(&mut self) -> bool {
        if self.ring.room() < self.resampler.makes_at_most() {
            return false;
        }
        let made = self.resampler.convert(self.controller.correction());
        self.ring.write(made);
        self.staged = 0;
        true
    }
}
