//! The devices of this machine, and how one that is open is doing.

use crate::backend;
use crate::error::AudioError;

/// A device that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// What to give to [`Capture::open`](crate::Capture::open) or [`Playout::open`](crate::Playout::open): the audio
    /// system and its name for the device, such as `pulseaudio:alsa_output.pci-0000_00_1f.3.analog-stereo`.
    pub id: String,
    /// A name for people. Several devices may have the same.
    pub name: String,
    /// It can be captured from.
    pub input: bool,
    /// It can be played to.
    pub output: bool,
    /// It is what `Capture::open(None)` opens.
    pub default_input: bool,
    /// It is what `Playout::open(None)` opens.
    pub default_output: bool,
}

/// The devices of this machine, in the audio system's order.
///
/// # Errors
/// [`AudioError::Device`] if the audio system does not answer. A machine without devices is no error.
pub fn devices() -> Result<Vec<DeviceInfo>, AudioError> {
    backend::devices()
}

/// Counters of an open device, since it was opened. Taken from atomics one after the other, so they may be a block apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DeviceStats {
    /// Times that the device thread handed over or asked for samples.
    pub callbacks: u64,
    /// Frames (a sample of each channel) that the device thread delivered or asked for.
    pub frames: u64,
    /// Times that something was lost: capture found the ring full, playout found it empty after it had started, or the
    /// audio system reported an overrun or underrun of its own.
    pub xruns: u64,
    /// Capture: samples thrown away because the ring was full. Playout: samples offered to `write` that found no room.
    pub overruns: u64,
    /// Playout: samples of silence played for want of others, from the first one written on. Capture: samples asked of
    /// `read` that were not there yet.
    pub missing: u64,
    /// Samples waiting now, in 48 kHz.
    pub waiting: usize,
    /// The present correction of the clock drift, in parts per million; positive when more samples are made than came.
    pub drift_ppm: f64,
    /// The device has gone; nothing will move any more.
    pub lost: bool,
}
