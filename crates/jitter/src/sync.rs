//! Audio between the decoder and the caller: a little of what was played, and what is to be played next.

use crate::stretch::{Direction, cross_fade, search};

/// Sample store with a playout position. Never allocates after it was made: what is played is
/// moved out in bulk.
#[derive(Debug)]
pub(crate) struct SyncBuffer {
    samples: Vec<f32>,
    /// Index of the next sample to play; at least `history` before it are kept.
    position: usize,
    history: usize,
    capacity: usize,
    rate: usize,
    /// Mean square of the quietest audio of late: what counts as silence is measured against it.
    floor: f32,
}

/// What came of trying to stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretched {
    /// Samples put in or taken out.
    pub(crate) samples: usize,
    /// Whether it was done in speech, where too much of it is heard.
    pub(crate) speech: bool,
}

/// Shortest and longest lag, in units of 0.5 ms: 2.5 ms and 15 ms.
const MIN_LAG: usize = 5;
const MAX_LAG: usize = 30;
/// Compared length, 10 ms, and cross-fade, 5 ms, in the same units.
const WINDOW: usize = 20;
const FADE: usize = 10;
/// Longest piece of silence taken out or put in at once, 40 ms in the same units.
const MAX_SILENCE: usize = 80;

impl SyncBuffer {
    pub(crate) fn new(rate: u32) -> Self {
        let rate = rate as usize;
        let history = rate / 40;
        // 120 ms packets, a 10 ms block and a stretch fit with room to spare before anything has to move.
        let capacity = history + rate;
        let mut samples = Vec::with_capacity(capacity);
        samples.resize(history, 0.0);
        Self {
            samples,
            position: history,
            history,
            capacity,
            rate,
            floor: 1e-4,
        }
    }

    /// Samples to be played.
    pub(crate) fn pending(&self) -> usize {
        self.samples.len() - self.position
    }

    /// Appends audio; what exceeds the store's second of audio is cut off (callers never come near it). Samples appended.
    pub(crate) fn append(&mut self, pcm: &[f32]) -> usize {
        if self.samples.len() + pcm.len() > self.capacity {
            let cut = self.position - self.history;
            self.samples.copy_within(cut.., 0);
            self.samples.truncate(self.samples.len() - cut);
            self.position = self.history;
        }
        let room = self.capacity - self.samples.len();
        let pcm = &pcm[..pcm.len().min(room)];
        self.samples.extend_from_slice(pcm);
        pcm.len()
    }

    /// Plays the next samples into `out`; samples played.
    pub(crate) fn play(&mut self, out: &mut [f32]) -> usize {
        let count = out.len().min(self.pending());
        out[..count].copy_from_slice(&self.samples[self.position..self.position + count]);
        self.position += count;
        if count > 0 {
            let energy = mean_square(&out[..count]);
            // Rises by a factor of two in about 1.5 s of 10 ms blocks.
            let rise = 1.0 + 0.5 * count as f32 / self.rate as f32;
            self.floor = energy.min(self.floor * rise).clamp(1e-8, 1e-3);
        }
        count
    }

    /// Lets the audio to be played end in silence, over its last 5 ms.
    pub(crate) fn fade_out(&mut self) {
        let length = (self.rate / 200).min(self.pending());
        let from = self.samples.len() - length;
        for (n, sample) in self.samples[from..].iter_mut().enumerate() {
            *sample *= 1.0 - (n as f32 + 0.5) / length as f32;
        }
    }

    /// Takes a period of at most `most` samples out of the audio to be played, leaving at least `keep`. Speech must be `like` itself
    /// a period later.
    pub(crate) fn accelerate(&mut self, most: usize, keep: usize, like: f32) -> Option<Stretched> {
        let unit = self.rate / 2000;
        let window = WINDOW * unit;
        let spare = self.pending().saturating_sub(keep.max(window));
        let found = self.find(window, most.min(spare), Direction::Ahead, like)?;
        let lag = found.samples;
        let (at, fade) = (self.position, FADE * unit);
        let (head, tail) = self.samples.split_at_mut(at + lag);
        // The fade may reach into the tail when the period is shorter than it; it then stops at the period.
        let fade = fade.min(lag).min(tail.len());
        cross_fade(&mut head[at..at + fade], tail[..fade].iter().copied());
        self.samples.copy_within(at + lag + fade.., at + fade);
        self.samples.truncate(self.samples.len() - lag);
        Some(found)
    }

    /// Repeats the last period played, of at most `most` samples. Speech must be `like` itself a period before.
    pub(crate) fn expand(&mut self, most: usize, like: f32) -> Option<Stretched> {
        let unit = self.rate / 2000;
        let window = (WINDOW * unit).min(self.pending());
        let room = self.capacity - self.samples.len();
        let found = self.find(window, most.min(room), Direction::Back, like)?;
        let lag = found.samples;
        let (at, end) = (self.position, self.samples.len());
        self.samples.resize(end + lag, 0.0);
        self.samples.copy_within(at..end, at + lag);
        self.samples.copy_within(at - lag..at, at);
        // The first samples come from what would have been played, and fade to the period repeated.
        let fade = (FADE * unit).min(lag).min(end - at);
        let (head, tail) = self.samples.split_at_mut(at + lag);
        for n in 0..fade {
            let share = (n as f32 + 0.5) / fade as f32;
            head[at + n] = tail[n] + (head[at + n] - tail[n]) * share;
        }
        Some(found)
    }

    fn find(&self, window: usize, most: usize, direction: Direction, like: f32) -> Option<Stretched> {
        let unit = self.rate / 2000;
        if window < FADE * unit || most < MIN_LAG * unit {
            return None;
        }
        let reach = match direction {
            Direction::Ahead => MAX_SILENCE * unit,
            Direction::Back => MAX_LAG * unit,
        };
        if !self.is_speech(self.position, window) {
            for silence in [most.min(reach), most.min(MAX_LAG * unit)] {
                if self.rest_is_quiet(silence, window, direction) {
                    return Some(Stretched {
                        samples: silence,
                        speech: false,
                    });
                }
            }
        }
        if like > 1.0 {
            return None;
        }
        let most = most.min(MAX_LAG * unit);
        let found = search(&self.samples, self.position, window, (MIN_LAG * unit, most), direction)?;
        (found.likeness >= like).then_some(Stretched {
            samples: found.lag,
            speech: true,
        })
    }

    fn rest_is_quiet(&self, lag: usize, window: usize, direction: Direction) -> bool {
        match direction {
            Direction::Ahead => {
                let end = (self.position + lag + window).min(self.samples.len());
                self.position + lag < end && !self.is_speech(self.position, end - self.position)
            }
            Direction::Back => lag <= self.position && !self.is_speech(self.position - lag, lag),
        }
    }

    fn is_speech(&self, from: usize, length: usize) -> bool {
        let end = (from + length).min(self.samples.len());
        mean_square(&self.samples[from..end]) > (self.floor * 4.0).clamp(1e-7, 1e-4)
    }
}

fn mean_square(pcm: &[f32]) -> f32 {
    pcm.iter().map(|sample| sample * sample).sum::<f32>() / pcm.len().max(1) as f32
}

#[cfg(test)]
mod tests;
