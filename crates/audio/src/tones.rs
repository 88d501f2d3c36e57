//! Tones that a call plays by itself.

use std::f32::consts::{PI, TAU};

use crate::{SAMPLE_RATE, Source};

/// Beginning and length of each note within a round, and its pitch: milliseconds and Hz.
const NOTES: [(usize, usize, f32); 2] = [(0, 260, 440.0), (300, 420, 349.23)];
const ROUND: usize = 3_000;
/// Samples of a millisecond.
const MILLISECOND: usize = SAMPLE_RATE as usize / 1000;
/// Each note swells and fades over this many samples, so that nothing clicks.
const SLOPE: usize = 40 * MILLISECOND;
/// Well below speech: it says that the line is alive, and should not tire anybody.
const LEVEL: f32 = 0.12;

/// What who is put on hold hears: two soft notes downwards every three seconds, without end.
#[derive(Clone, Debug, Default)]
pub struct HoldTone {
    /// Sample within the round.
    at: usize,
}

impl HoldTone {
    /// The tone from the beginning of its first note.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Source for HoldTone {
    fn read(&mut self, out: &mut [f32]) -> usize {
        for sample in out.iter_mut() {
            *sample = NOTES.iter().map(|note| note_at(*note, self.at)).sum();
            self.at = (self.at + 1) % (ROUND * MILLISECOND);
        }
        out.len()
    }
}

fn note_at((begin, length, pitch): (usize, usize, f32), at: usize) -> f32 {
    let (begin, length) = (begin * MILLISECOND, length * MILLISECOND);
    let Some(at) = at.checked_sub(begin).filter(|at| *at < length) else {
        return 0.0;
    };
    // A raised cosine at both ends.
    let edge = at.min(length - at).min(SLOPE) as f32 / SLOPE as f32;
    let envelope = 0.5 - 0.5 * (PI * edge).cos();
    LEVEL * envelope * (TAU * pitch * at as f32 / SAMPLE_RATE as f32).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hold_tone_is_soft_recurs_and_does_not_click() {
        let mut tone = HoldTone::new();
        let mut rounds = vec![0.0; 2 * ROUND * MILLISECOND];
        // In blocks whose length divides nothing here.
        for block in rounds.chunks_mut(997) {
            assert_eq!(tone.read(block), block.len());
        }
        let (first, second) = rounds.split_at(ROUND * MILLISECOND);
        assert_eq!(first, second);
        let peak = first.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        assert!((0.1..=LEVEL).contains(&peak), "{peak}");
        // A sine of 440 Hz moves by 0.007 a sample at this level; a click would be a step.
        let step = rounds
            .windows(2)
            .fold(0.0, |step: f32, pair| step.max((pair[1] - pair[0]).abs()));
        assert!(step < 0.01, "{step}");
        let silent = first.iter().filter(|sample| **sample == 0.0).count();
        assert!(silent > first.len() / 2, "most of it is a pause");
    }
}
