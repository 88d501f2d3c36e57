//! Where samples go, when not to a device.

/// A sink of 48 kHz mono samples in [-1, 1].
///
/// It is written on the media thread, 480 samples each 10 ms: writing must not block for long.
pub trait Sink: Send {
    /// Takes the next samples.
    fn write(&mut self, pcm: &[f32]);

    /// There will be no more. Dropping a sink does the same.
    fn finish(&mut self) {}
}

/// Forgets everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSink;

impl Sink for NullSink {
    fn write(&mut self, _: &[f32]) {}
}
