//! What runs on the device thread, all of it: two plain functions over a ring's half and some atomics.
//!
//! They allocate nothing (`tests/no_alloc.rs` proves it with an allocator that aborts), and they take no lock: everything
//! they touch is owned by them, or an atomic, or a single-producer single-consumer ring, whose halves share two atomic
//! indices and nothing else. They log nothing, wake nobody, and free nothing: the ring and the counters are owned by
//! the media thread's side too, which outlives the device's callback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ringbuf::traits::{Consumer as _, Observer as _, Producer as _, Split as _};
use ringbuf::{HeapCons, HeapProd, HeapRb};

#[cfg(test)]
mod tests;

/// The writing half of a ring of mono samples.
pub struct RingWriter(HeapProd<f32>);

/// The reading half of a ring of mono samples.
pub struct RingReader(HeapCons<f32>);

/// A ring for `capacity` samples, at least one.
#[must_use]
pub fn ring(capacity: usize) -> (RingWriter, RingReader) {
    let (writer, reader) = HeapRb::new(capacity.max(1)).split();
    (RingWriter(writer), RingReader(reader))
}

impl RingWriter {
    /// How many samples there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.0.vacant_len()
    }

    /// How many samples wait in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.occupied_len()
    }

    /// Whether none wait.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes as many of `samples` as there is room for, and says how many.
    pub fn write(&mut self, samples: &[f32]) -> usize {
        self.0.push_slice(samples)
    }
}

impl RingReader {
    /// How many samples wait in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.occupied_len()
    }

    /// Whether none wait.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads as many samples as there are and as `out` holds, and says how many.
    pub fn read(&mut self, out: &mut [f32]) -> usize {
        self.0.pop_slice(out)
    }
}

impl std::fmt::Debug for RingWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RingWriter")
            .field("len", &self.len())
            .field("room", &self.room())
            .finish()
    }
}

impl std::fmt::Debug for RingReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RingReader").field("len", &self.len()).finish()
    }
}

/// What the device thread tells the other side, in atomics. Counters only; no other memory is published through them, so
/// relaxed order is enough.
#[derive(Debug)]
pub struct Shared {
    base: Instant,
    /// Nanoseconds after `base` of the first sample, plus one; 0 is none yet.
    first: AtomicU64,
    callbacks: AtomicU64,
    frames: AtomicU64,
    xruns: AtomicU64,
    dropped: AtomicU64,
    silence: AtomicU64,
    lost: AtomicBool,
}

impl Shared {
    /// Counters at zero; `base` must not be after any time told to a callback by much: earlier times count as `base`.
    #[must_use]
    pub fn new(base: Instant) -> Self {
        Self {
            base,
            first: AtomicU64::new(0),
            callbacks: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            xruns: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            silence: AtomicU64::new(0),
            lost: AtomicBool::new(false),
        }
    }

    /// When the first sample was captured, or when the first sample that was written was played.
    #[must_use]
    pub fn first_sample(&self) -> Option<Instant> {
        let nanoseconds = self.first.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.base + Duration::from_nanos(nanoseconds))
    }

    /// Times that a callback ran.
    #[must_use]
    pub fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed)
    }

    /// Frames that the callbacks were given.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Times that the ring was full or ran dry, or that the audio system reported such.
    #[must_use]
    pub fn xruns(&self) -> u64 {
        self.xruns.load(Ordering::Relaxed)
    }

    /// Captured samples that found no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Samples of silence that were played since the start of the first written ones.
    #[must_use]
    pub fn silence(&self) -> u64 {
        self.silence.load(Ordering::Relaxed)
    }

    /// Whether the device has gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// The audio system reported an overrun or underrun.
    pub fn note_xrun(&self) {
        self.xruns.fetch_add(1, Ordering::Relaxed);
    }

    /// The audio system reported that the device has gone.
    pub fn note_lost(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    fn note_block(&self, frames: usize) {
        self.callbacks.fetch_add(1, Ordering::Relaxed);
        self.frames.fetch_add(count(frames), Ordering::Relaxed);
    }

    fn note_first(&self, at: Instant) {
        if self.first.load(Ordering::Relaxed) == 0 {
            let nanoseconds = at.saturating_duration_since(self.base).as_nanos();
            self.first.store(
                u64::try_from(nanoseconds).unwrap_or(u64::MAX - 1) + 1,
                Ordering::Relaxed,
            );
        }
    }
}

/// A sample as devices have it.
pub trait DeviceSample: Copy {
    /// Silence.
    const SILENCE: Self;
    /// To [-1, 1].
    fn to_f32(self) -> f32;
    /// From [-1, 1]; beyond that it is cut.
    fn from_f32(value: f32) -> Self;
}

impl DeviceSample for f32 {
    const SILENCE: Self = 0.0;
    fn to_f32(self) -> f32 {
        self
    }
    fn from_f32(value: f32) -> Self {
        if value.is_nan() { 0.0 } else { value.clamp(-1.0, 1.0) }
    }
}

impl DeviceSample for i16 {
    const SILENCE: Self = 0;
    fn to_f32(self) -> f32 {
        f32::from(self) / 32_768.0
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast cuts to the range, and makes 0 of a NaN"
    )]
    fn from_f32(value: f32) -> Self {
        (value * 32_768.0).round() as Self
    }
}

impl DeviceSample for i32 {
    const SILENCE: Self = 0;
    #[expect(clippy::cast_precision_loss, reason = "24 bits are enough for audio")]
    fn to_f32(self) -> f32 {
        self as f32 / 2_147_483_648.0
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast cuts to the range, and makes 0 of a NaN"
    )]
    fn from_f32(value: f32) -> Self {
        (value * 2_147_483_648.0) as Self
    }
}

/// The device thread's side of a capture.
#[derive(Debug)]
pub struct CaptureSide {
    /// Where samples go.
    pub ring: RingWriter,
    /// Where counters are.
    pub shared: Arc<Shared>,
}

/// A block of interleaved samples has been captured, the first of them at `captured`: mixes the channels and puts the
/// samples into the ring. A block that does not fit is dropped whole and counted: a producer cannot drop the oldest
/// samples, and half a block would click twice.
pub fn capture_callback<T: DeviceSample>(side: &mut CaptureSide, block: &[T], channels: usize, captured: Instant) {
    let channels = channels.max(1);
    let frames = block.len() / channels;
    side.shared.note_block(frames);
    if frames == 0 {
        return;
    }
    if side.ring.room() < frames {
        side.shared.note_xrun();
        side.shared.dropped.fetch_add(count(frames), Ordering::Relaxed);
        return;
    }
    side.shared.note_first(captured);
    #[expect(clippy::cast_precision_loss, reason = "a few channels")]
    let share = 1.0 / channels as f32;
    let mixed = block
        .chunks_exact(channels)
        .map(|frame| frame.iter().map(|s| s.to_f32()).sum::<f32>() * share);
    side.ring.0.push_iter(mixed);
}

/// The device thread's side of a playout.
#[derive(Debug)]
pub struct PlayoutSide {
    /// Where samples come from.
    pub ring: RingReader,
    /// Where counters are.
    pub shared: Arc<Shared>,
    /// Samples that must wait in the ring before playing starts, and starts again after it ran dry: without such a
    /// reserve the ring would run dry at the next late wake-up of the writer again.
    pub reserve: usize,
    /// Whether samples flow.
    pub playing: bool,
}

/// A block of interleaved samples is wanted, the first of them to be heard at `played`: takes samples from the ring and
/// puts each into all channels. Silence where there are none.
pub fn playout_callback<T: DeviceSample>(side: &mut PlayoutSide, block: &mut [T], channels: usize, played: Instant) {
    let channels = channels.max(1);
    let frames = block.len() / channels;
    side.shared.note_block(frames);
    side.playing |= side.ring.len() >= side.reserve.max(1);

    let mut taken = 0;
    if side.playing {
        side.shared.note_first(played);
        for (frame, sample) in block.chunks_exact_mut(channels).zip(side.ring.0.pop_iter()) {
            frame.fill(T::from_f32(sample));
            taken += 1;
        }
        if taken < frames {
            side.playing = false;
            side.shared.note_xrun();
        }
    }
    if taken < frames {
        block[taken * channels..].fill(T::SILENCE);
        if side.shared.first.load(Ordering::Relaxed) != 0 {
            side.shared.silence.fetch_add(count(frames - taken), Ordering::Relaxed);
        }
    }
}

fn count(frames: usize) -> u64 {
    u64::try_from(frames).unwrap_or(u64::MAX)
}
