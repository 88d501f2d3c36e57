//! WAV files as sources and sinks.

mod reader;
mod writer;

pub use reader::WavSource;
pub use writer::WavSink;

#[cfg(test)]
mod tests;
