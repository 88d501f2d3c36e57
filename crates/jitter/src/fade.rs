//! How loud invented audio is: what a codec invents is good for about 100 ms and turns to noise or buzzing after that.

/// Gain of a concealment run by its length.
#[derive(Debug)]
pub(crate) struct Fade {
    run: i64,
    rate: i64,
}

/// Length of a concealment that counts as an interruption.
const INTERRUPTION_MILLIS: i64 = 150;
const FULL_MILLIS: i64 = 100;
const SILENT_MILLIS: i64 = 350;

impl Fade {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            run: 0,
            rate: rate.into(),
        }
    }

    /// Samples concealed since the last real audio.
    pub(crate) fn run(&self) -> i64 {
        self.run
    }

    pub(crate) fn gain(&self) -> f32 {
        self.gain_at(self.run)
    }

    fn gain_at(&self, run: i64) -> f32 {
        let full = FULL_MILLIS * self.rate / 1000;
        let silent = SILENT_MILLIS * self.rate / 1000;
        (((silent - run) as f32) / ((silent - full) as f32)).clamp(0.0, 1.0)
    }

    /// Applies the gain to the next `pcm` of the run.
    pub(crate) fn apply(&mut self, pcm: &mut [f32]) {
        let (from, to) = (self.gain(), self.gain_at(self.run + pcm.len() as i64));
        if from < 1.0 || to < 1.0 {
            let step = (to - from) / pcm.len().max(1) as f32;
            for (n, sample) in pcm.iter_mut().enumerate() {
                *sample *= from + step * n as f32;
            }
        }
        self.run += pcm.len() as i64;
    }

    /// Samples by which the run, now `samples` longer, has lengthened an interruption, and whether it became one just now.
    pub(crate) fn interruption(&self, samples: i64) -> (i64, bool) {
        let limit = INTERRUPTION_MILLIS * self.rate / 1000;
        let before = self.run - samples;
        match (before >= limit, self.run >= limit) {
            (true, _) => (samples, false),
            (false, true) => (self.run, true),
            (false, false) => (0, false),
        }
    }

    /// As after a concealment that has become silent: the next audio is faded in from silence.
    pub(crate) fn mute(&mut self) {
        self.run = self.run.max(SILENT_MILLIS * self.rate / 1000);
    }

    pub(crate) fn end(&mut self) {
        self.run = 0;
    }
}
