//! Two [`Media`] joined by links, a speech-like signal, and how alike two signals are.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_media::{Config, Event, Media, Output};
use duologue_testnet::{Clock, Link, LinkConfig, Rng};

const TICK: Duration = Duration::from_millis(10);
const BLOCK: usize = 480;

/// Called before each tick with the first end.
type BeforeTick = Box<dyn FnMut(&mut Media, Instant)>;

pub(crate) struct Ends {
    clock: Clock,
    links: [Link; 2],
    /// Datagrams under way, by arrival and order of sending: receiver, whether RTP, bytes.
    wire: BTreeMap<(Instant, u64), (usize, bool, Bytes)>,
    order: u64,
    pub(crate) before_tick: Option<BeforeTick>,
    pub(crate) media: [Media; 2],
    /// What each end played.
    pub(crate) heard: [Vec<f32>; 2],
    pub(crate) events: [Vec<Event>; 2],
    /// Every datagram sent: when, by whom, bytes.
    pub(crate) trace: Vec<(Duration, usize, Bytes)>,
}

impl Ends {
    /// Both ends with this configuration, sending, over a link of their own each.
    pub(crate) fn new(config: Config, link: &LinkConfig) -> Self {
        let clock = Clock::new();
        let media = [1u8, 2].map(|end| {
            let config = Config {
                ssrc: end.into(),
                cname: format!("end {end}"),
                ..config.clone()
            };
            let mut media = Media::new(config, [end; 32], clock.now()).unwrap();
            media.set_sending(true);
            media
        });
        let links = [Link::new(link.clone(), 11), Link::new(link.clone(), 22)];
        Self {
            clock,
            links,
            wire: BTreeMap::new(),
            order: 0,
            before_tick: None,
            media,
            heard: Default::default(),
            events: Default::default(),
            trace: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Has both ends say what is given, and hear, for as long as the longer lasts.
    pub(crate) fn run(mut self, said: &[Vec<f32>; 2]) -> Self {
        let ticks = said.iter().map(|pcm| pcm.len() / BLOCK).max().unwrap();
        let start = self.now();
        for tick in 0..ticks {
            self.settle_until(start + TICK * tick as u32);
            let now = self.now();
            if let Some(before) = &mut self.before_tick {
                before(&mut self.media[0], now);
            }
            for (end, pcm) in said.iter().enumerate() {
                let silence = [0.0; BLOCK];
                let block = pcm.get(tick * BLOCK..(tick + 1) * BLOCK).unwrap_or(&silence);
                self.media[end].push_capture(block, now);
                let mut out = [0.0; BLOCK];
                self.media[end].pull_playout(now, &mut out);
                self.heard[end].extend_from_slice(&out);
            }
            self.send();
        }
        self.settle_until(start + TICK * ticks as u32);
        self
    }

    /// Delivers and fires everything due before `until`, then stands there.
    fn settle_until(&mut self, until: Instant) {
        loop {
            let arrival = self.wire.keys().next().map(|key| key.0);
            let timers = self.media.iter().filter_map(Media::poll_timeout);
            let Some(next) = timers.chain(arrival).min().filter(|next| *next <= until) else {
                break;
            };
            self.clock.advance_to(next.max(self.now()));
            let now = self.now();
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= now) {
                let (to, is_rtp, datagram) = entry.remove();
                if is_rtp {
                    self.media[to].handle_rtp(datagram, now);
                } else {
                    self.media[to].handle_rtcp(&datagram, now);
                }
            }
            self.media.iter_mut().for_each(|media| media.handle_timeout(now));
            self.send();
        }
        self.clock.advance_to(until);
    }

    fn send(&mut self) {
        let now = self.now();
        for end in 0..2 {
            while let Some(output) = self.media[end].poll_output() {
                let (is_rtp, datagram) = match output {
                    Output::Rtp(datagram) => (true, datagram),
                    Output::Rtcp(datagram) => (false, datagram),
                    Output::Event(event) => {
                        self.events[end].push(event);
                        continue;
                    }
                    _ => continue,
                };
                self.trace.push((self.clock.elapsed(), end, datagram.clone()));
                for arrival in self.links[end].send(datagram.len(), now) {
                    self.order += 1;
                    self.wire
                        .insert((arrival, self.order), (1 - end, is_rtp, datagram.clone()));
                }
            }
        }
    }
}

/// Something that a speech codec takes for speech: a gliding fundamental with formant-weighted harmonics in syllables of
/// uneven length and strength, breath noise, pauses.
pub(crate) fn speech(seed: u64, seconds: f64) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    let total = (seconds * 48_000.0) as usize / BLOCK * BLOCK;
    let mut pcm = Vec::with_capacity(total);
    let mut phase = 0.0f64;
    while pcm.len() < total {
        let length = rng.range(4_800..14_400) as usize;
        if rng.chance(0.25) {
            pcm.resize(pcm.len() + length, 0.0);
            continue;
        }
        let loud = 0.08 + 0.25 * rng.next_f64();
        let (from, to) = (90.0 + 80.0 * rng.next_f64(), 90.0 + 80.0 * rng.next_f64());
        let formants = [
            300.0 + 500.0 * rng.next_f64(),
            900.0 + 1_400.0 * rng.next_f64(),
            2_600.0,
        ];
        for n in 0..length {
            let place = n as f64 / length as f64;
            let pitch = from + (to - from) * place;
            phase += pitch / 48_000.0;
            let envelope = (std::f64::consts::PI * place).sin().sqrt();
            let voice: f64 = (1..24)
                .map(|harmonic| {
                    let frequency = pitch * f64::from(harmonic);
                    let gain: f64 = formants
                        .iter()
                        .map(|formant| (-((frequency - formant) / 200.0).powi(2)).exp())
                        .sum();
                    (gain + 0.03) * (std::f64::consts::TAU * phase * f64::from(harmonic)).sin()
                })
                .sum();
            let breath = 0.01 * (rng.next_f64() - 0.5);
            pcm.push((envelope * loud * (0.4 * voice + breath)).clamp(-1.0, 1.0) as f32);
        }
    }
    pcm.truncate(total);
    pcm
}

pub(crate) fn rms(pcm: &[f32]) -> f64 {
    (pcm.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / pcm.len().max(1) as f64).sqrt()
}

/// Correlation of the 20 ms envelopes of both signals at the best shift up to 400 ms.
pub(crate) fn correlation(said: &[f32], heard: &[f32]) -> f64 {
    best(said, heard).1
}

/// The shift at which the envelopes fit best, to a millisecond.
pub(crate) fn lag(said: &[f32], heard: &[f32]) -> Duration {
    Duration::from_millis(best(said, heard).0 as u64)
}

fn best(said: &[f32], heard: &[f32]) -> (usize, f64) {
    let (said, heard) = (Energy::new(said), Energy::new(heard));
    let said = said.envelope(0);
    let candidates = (0..400).map(|milliseconds| {
        let heard = heard.envelope(48 * milliseconds);
        let length = said.len().min(heard.len());
        (milliseconds, pearson(&said[..length], &heard[..length]))
    });
    candidates.max_by(|one, two| one.1.total_cmp(&two.1)).unwrap()
}

/// Energy up to each sample, so that that of any window is one subtraction.
struct Energy(Vec<f64>);

impl Energy {
    fn new(pcm: &[f32]) -> Self {
        let mut sum = 0.0;
        let sums = pcm.iter().map(|&sample| {
            sum += f64::from(sample).powi(2);
            sum
        });
        Self(std::iter::once(0.0).chain(sums).collect())
    }

    fn envelope(&self, from: usize) -> Vec<f64> {
        let edges = self.0.get(from..).unwrap_or_default().iter().step_by(2 * BLOCK);
        edges
            .clone()
            .zip(edges.skip(1))
            .map(|(start, end)| (end - start).max(0.0).sqrt())
            .collect()
    }
}

fn pearson(one: &[f64], two: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_one, mean_two) = (mean(one), mean(two));
    let product: f64 = one.iter().zip(two).map(|(a, b)| (a - mean_one) * (b - mean_two)).sum();
    let spread = |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    product / (spread(one, mean_one) * spread(two, mean_two)).sqrt().max(1e-12)
}
