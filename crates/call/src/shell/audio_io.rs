//! Where the media thread gets and puts samples: devices, or the application's own source and sink.

use std::time::{Duration, Instant};

use duologue_audio::{Capture, Playout, Sink, Source, WavSource};
use duologue_signaling::StartFailReason;

use crate::engine::{self, Engine};
use crate::error::StartFail;
use crate::{AudioInput, AudioOutput, AudioParams, HoldTone};

/// Samples of one tick: 10 ms of mono at 48 kHz.
const BLOCK: usize = 480;
const SAMPLES_PER_SECOND: f64 = 48_000.0;

enum Input {
    Device(Box<Capture>),
    Source { source: Box<dyn Source>, ended: bool },
}

enum Output {
    Device(Box<Playout>),
    Sink(Box<dyn Sink>),
}

/// Both directions of a call's audio.
pub(super) struct AudioIo {
    input: Input,
    output: Output,
    hold_tone: Box<dyn Source>,
    block: [f32; BLOCK],
    slow_pulls: u64,
}

/// What a tick did for the first time, if it did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Ticked {
    /// When the first sample handed to the engine in this tick was captured.
    pub(super) captured_at: Option<Instant>,
    /// When the first sample of this tick was handed to the output.
    pub(super) played_at: Option<Instant>,
}

impl AudioIo {
    /// Opens devices where devices are asked for. To be called on the thread that uses them.
    pub(super) fn open(params: AudioParams) -> Result<Self, StartFail> {
        let input = match params.input {
            AudioInput::Source(source) => Input::Source { source, ended: false },
            AudioInput::Device(name) => Input::Device(Box::new(Capture::open(name.as_deref()).map_err(|error| {
                StartFail::new(
                    StartFailReason::Internal,
                    format!("the microphone cannot be used: {error}"),
                )
            })?)),
        };
        let output = match params.output {
            AudioOutput::Sink(sink) => Output::Sink(sink),
            AudioOutput::Device(name) => Output::Device(Box::new(Playout::open(name.as_deref()).map_err(|error| {
                StartFail::new(
                    StartFailReason::Internal,
                    format!("the speaker cannot be used: {error}"),
                )
            })?)),
        };
        let hold_tone: Box<dyn Source> = match params.hold_tone {
            HoldTone::Standard => Box::new(duologue_audio::HoldTone::new()),
            HoldTone::Source(source) => source,
            HoldTone::File(path) => Box::new(WavSource::open(&path, true).map_err(|error| {
                StartFail::new(
                    StartFailReason::InvalidParam,
                    format!("the hold tone {} cannot be used: {error}", path.display()),
                )
            })?),
        };
        Ok(Self {
            input,
            output,
            hold_tone,
            block: [0.0; BLOCK],
            slow_pulls: 0,
        })
    }

    /// Moves one tick's audio both ways. `clock` is read around each pull.
    pub(super) fn tick(&mut self, engine: &mut Engine, now: Instant, clock: fn() -> Instant) -> Ticked {
        Ticked {
            captured_at: self.capture(engine, now),
            played_at: self.play(engine, clock),
        }
    }

    fn capture(&mut self, engine: &mut Engine, now: Instant) -> Option<Instant> {
        let wanted = engine.wants_capture();
        match &mut self.input {
            Input::Device(capture) => {
                // What was said before the call may send is nobody's business, and would only be late.
                let waiting = capture.available();
                let mut first = None;
                let mut left = waiting;
                while left > 0 {
                    let count = capture.read(&mut self.block[..left.min(BLOCK)]);
                    if count == 0 {
                        break;
                    }
                    left = left.saturating_sub(count);
                    if wanted {
                        first = first
                            .or_else(|| now.checked_sub(Duration::from_secs_f64(waiting as f64 / SAMPLES_PER_SECOND)));
                        engine.push_capture(&self.block[..count], now);
                    }
                }
                first
            }
            Input::Source { source, ended } => {
                if !wanted {
                    return None;
                }
                let count = if *ended {
                    0
                } else {
                    source.read(&mut self.block).min(BLOCK)
                };
                *ended |= count < BLOCK;
                self.block[count..].fill(0.0);
                engine.push_capture(&self.block, now);
                Some(now)
            }
        }
    }

    fn play(&mut self, engine: &mut Engine, clock: fn() -> Instant) -> Option<Instant> {
        if !engine.wants_playout() {
            return None;
        }
        match &mut self.output {
            Output::Sink(sink) => {
                let at = pull(
                    engine,
                    &mut self.block,
                    &mut self.slow_pulls,
                    clock,
                    &mut *self.hold_tone,
                );
                sink.write(&self.block);
                Some(at)
            }
            Output::Device(playout) => {
                let mut first = None;
                while playout.fill() < playout.target() {
                    let at = pull(
                        engine,
                        &mut self.block,
                        &mut self.slow_pulls,
                        clock,
                        &mut *self.hold_tone,
                    );
                    first = first.or(Some(at));
                    if playout.write(&self.block) == 0 {
                        break;
                    }
                }
                first
            }
        }
    }

    /// Pulls that took too long.
    pub(super) fn slow_pulls(&self) -> u64 {
        self.slow_pulls
    }

    /// Samples that the capture device delivered and nobody read in time.
    pub(super) fn capture_overruns(&self) -> u64 {
        match &self.input {
            Input::Device(capture) => capture.stats().overruns,
            Input::Source { .. } => 0,
        }
    }

    /// Times that the playout device ran dry.
    pub(super) fn playout_underruns(&self) -> u64 {
        match &self.output {
            Output::Device(playout) => playout.stats().xruns,
            Output::Sink(_) => 0,
        }
    }

    /// The call is over: a sink may complete what it wrote.
    pub(super) fn finish(mut self) {
        if let Output::Sink(sink) = &mut self.output {
            sink.finish();
        }
    }
}

/// Pulls one block, and tells the engine how long that took: a loss that takes too long to conceal goes on in the cheap way.
fn pull(
    engine: &mut Engine,
    block: &mut [f32; BLOCK],
    slow_pulls: &mut u64,
    clock: fn() -> Instant,
    hold_tone: &mut dyn Source,
) -> Instant {
    let begin = clock();
    engine.pull_playout(begin, block);
    let took = clock().saturating_duration_since(begin);
    *slow_pulls += u64::from(took > engine::SLOW_PULL);
    engine.report_pull_time(took);
    if engine.wants_hold_tone() {
        let count = hold_tone.read(block).min(BLOCK);
        block[count..].fill(0.0);
    }
    begin
}
