//! What can go wrong with devices and files.

use std::fmt;
use std::path::PathBuf;

/// Which way a device works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A microphone or another source.
    Input,
    /// A speaker or another sink.
    Output,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Output => "output",
        })
    }
}

/// What kind of trouble a device makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceProblem {
    /// Another program uses it; later it may be free.
    Busy,
    /// It is gone, or the audio server has restarted.
    Lost,
    /// The system lets this program not use it.
    PermissionDenied,
    /// There is no audio system to ask.
    NoAudioSystem,
    /// It cannot deliver or take samples in any form that we know.
    UnsupportedFormat,
    /// The system has run out of something.
    ResourceExhausted,
    /// The audio system says something that has no kind; the message tells.
    Unclassified,
}

impl fmt::Display for DeviceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "in use",
            Self::Lost => "gone",
            Self::PermissionDenied => "not permitted",
            Self::NoAudioSystem => "no audio system",
            Self::UnsupportedFormat => "no usable format",
            Self::ResourceExhausted => "out of resources",
            Self::Unclassified => "failed",
        })
    }
}

/// Why a device or a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// This machine has no device of this direction.
    #[error("there is no {0} device")]
    NoDevice(Direction),
    /// No device of this direction has this id or name.
    #[error("there is no {direction} device `{wanted}`")]
    UnknownDevice {
        /// Which way it should have worked.
        direction: Direction,
        /// The id or name that was asked for.
        wanted: String,
    },
    /// A device, or the audio system as a whole, refused.
    #[error("{device}: {problem}: {message}")]
    Device {
        /// The device's id, or `audio system`.
        device: String,
        /// What kind of trouble.
        problem: DeviceProblem,
        /// The audio system's own words.
        message: String,
    },
    /// A WAV file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Wav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WavProblem,
    },
}

/// What is wrong with a WAV file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavProblem {
    /// The system cannot open, read or write it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a WAV file, or a broken one.
    #[error("not a well-formed WAV file: {0}")]
    Malformed(String),
    /// Its samples are neither integers of 8 to 32 bits nor 32-bit floats, or its rate is outside 1 to 768 kHz.
    #[error("{bits} bits at {rate} Hz in {channels} channels is not supported")]
    Unsupported {
        /// Bits of a sample.
        bits: u16,
        /// Samples per second.
        rate: u32,
        /// Channels.
        channels: u16,
    },
}
