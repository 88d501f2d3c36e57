use std::time::Instant;

use crate::wire::{ReportBlock, RtpPacket};

/// A forward jump in the sequence up to this many packets is loss, beyond it a suspected restart (RFC 3550 A.1).
const MAX_DROPOUT: u64 = 3000;
/// A step back up to this many packets is reordering, beyond it a suspected restart. Larger than the 100 of RFC 3550 A.1,
/// so that two seconds of delayed packets are late and no restart.
const MAX_MISORDER: u64 = 1000;
const WORDS: usize = MAX_MISORDER.div_ceil(64) as usize;

/// What is made of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// New, in the window.
    New,
    /// New, but a copy of it has taken its place.
    Replaced,
    /// Seen before.
    Duplicate,
    /// Out of any order; dropped until a second one follows it.
    Suspect,
    /// The first of a source, or the second in a new order: a source begins here.
    Began,
}

/// An SSRC, or a numbering, that has shown one packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    ssrc: u32,
    next: u16,
}

impl Candidate {
    pub(super) fn after(view: &RtpPacket<'_>) -> Self {
        Self {
            ssrc: view.ssrc,
            next: view.sequence_number.wrapping_add(1),
        }
    }

    pub(super) fn expects(&self, view: &RtpPacket<'_>) -> bool {
        self.ssrc == view.ssrc && self.next == view.sequence_number
    }
}

/// Reception state of one source (RFC 3550 A.1, A.3, A.8).
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) ssrc: u32,
    pub(super) last_arrival: Instant,
    /// Extended sequence number of the first packet.
    base: u64,
    /// Highest extended sequence number.
    highest: u64,
    /// What is subtracted from `highest` to count wraps from zero, as reports do.
    origin: u64,
    /// Bit *n* (from the lowest of the first word): packet `highest - n` has arrived.
    window: [u64; WORDS],
    /// The same for packets whose copy was taken before they arrived.
    repaired: [u64; WORDS],
    /// Packets received, duplicates included.
    received: u64,
    expected_prior: u64,
    received_prior: u64,
    /// Extended timestamp of the packet with the highest sequence number.
    timestamp: u64,
    transit: Option<u32>,
    /// Sixteen times the jitter in clock units.
    jitter: u64,
    candidate: Option<Candidate>,
}

impl Source {
    /// Begins with `view` at extended numbers above `after` (sequence, timestamp), where the previous source ended.
    pub(super) fn new(view: &RtpPacket<'_>, after: (u64, u64), arrival: u64, now: Instant) -> Self {
        // One wrap of room below, so that packets from before the first have numbers too.
        let origin = (after.0 | 0xffff) + 1 + (1 << 16);
        let base = origin + u64::from(view.sequence_number);
        let timestamp = (after.1 | 0xffff_ffff) + 1 + (1 << 32) + u64::from(view.timestamp);
        let mut window = [0; WORDS];
        window[0] = 1;
        Self {
            ssrc: view.ssrc,
            last_arrival: now,
            base,
            highest: base,
            origin,
            window,
            repaired: [0; WORDS],
            received: 1,
            expected_prior: 0,
            received_prior: 0,
            timestamp,
            transit: Some((arrival as u32).wrapping_sub(view.timestamp)),
            jitter: 0,
            candidate: None,
        }
    }

    /// Takes note of a packet of this source.
    pub(super) fn receive(&mut self, view: &RtpPacket<'_>, arrival: u64, now: Instant) -> Verdict {
        let sequence = self.extend_sequence(view);
        let ahead = sequence.saturating_sub(self.highest);
        let behind = self.highest.saturating_sub(sequence);
        if ahead > MAX_DROPOUT || behind >= MAX_MISORDER {
            let restarted = self.candidate.is_some_and(|candidate| candidate.expects(view));
            self.candidate = Some(Candidate::after(view));
            return if restarted { Verdict::Began } else { Verdict::Suspect };
        }
        self.candidate = None;
        self.received += 1;
        self.last_arrival = now;
        if ahead > 0 {
            shift(&mut self.window, ahead);
            shift(&mut self.repaired, ahead);
            self.timestamp = self.extend_timestamp(view);
            self.highest = sequence;
        }
        let (word, bit) = ((behind / 64) as usize, 1 << (behind % 64));
        if self.window[word] & bit != 0 {
            return Verdict::Duplicate;
        }
        self.window[word] |= bit;
        // A packet from before the first counts as expected, else it would hide a loss.
        self.base = self.base.min(sequence);
        self.update_jitter(view.timestamp, arrival);
        if self.repaired[word] & bit != 0 {
            return Verdict::Replaced;
        }
        Verdict::New
    }

    /// Whether a copy of packet `sequence` is worth having: it has neither arrived, nor has another copy of it. Says yes once.
    pub(super) fn repair(&mut self, sequence: u64) -> bool {
        let Some(behind) = self
            .highest
            .checked_sub(sequence)
            .filter(|behind| *behind < MAX_MISORDER)
        else {
            return false;
        };
        let (word, bit) = ((behind / 64) as usize, 1 << (behind % 64));
        if (self.window[word] | self.repaired[word]) & bit != 0 {
            return false;
        }
        self.repaired[word] |= bit;
        true
    }

    /// The sequence number nearest to the highest one.
    pub(super) fn extend_sequence(&self, view: &RtpPacket<'_>) -> u64 {
        let step = view.sequence_number.wrapping_sub(self.highest as u16) as i16;
        self.highest.saturating_add_signed(i64::from(step))
    }

    /// The timestamp nearest to that of the highest packet.
    pub(super) fn extend_timestamp(&self, view: &RtpPacket<'_>) -> u64 {
        let step = view.timestamp.wrapping_sub(self.timestamp as u32) as i32;
        self.timestamp.saturating_add_signed(i64::from(step))
    }

    /// The highest numbers, for the source that follows.
    pub(super) fn end(&self) -> (u64, u64) {
        (self.highest, self.timestamp)
    }

    /// Packets expected less packets received, since the source began (RFC 3550 A.3).
    pub(super) fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// Interarrival jitter in clock units.
    pub(super) fn jitter(&self) -> u32 {
        u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX)
    }

    /// The report since the last one, without LSR and DLSR; `None` when nothing was received since (RFC 3550 §6.4).
    pub(super) fn report(&mut self) -> Option<ReportBlock> {
        if self.received == self.received_prior {
            return None;
        }
        // RFC 3550 A.3.
        let expected = self.expected();
        let expected_interval = expected.saturating_sub(self.expected_prior);
        let received_interval = self.received - self.received_prior;
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction = (lost_interval << 8).checked_div(expected_interval).unwrap_or(0);
        self.expected_prior = expected;
        self.received_prior = self.received;
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction.min(255) as u8,
            cumulative_lost: self.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: (self.highest - self.origin.min(self.highest)) as u32,
            jitter: self.jitter(),
            last_sr: 0,
            delay_since_last_sr: 0,
        })
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    /// RFC 3550 A.8, with its integer arithmetic.
    fn update_jitter(&mut self, timestamp: u32, arrival: u64) {
        let transit = (arrival as u32).wrapping_sub(timestamp);
        if let Some(previous) = self.transit.replace(transit) {
            let difference = u64::from((transit.wrapping_sub(previous) as i32).unsigned_abs());
            self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4);
        }
    }
}

/// Makes room for `by` new packets at the lowest bits.
fn shift(window: &mut [u64; WORDS], by: u64) {
    let (words, bits) = ((by / 64) as usize, by % 64);
    for index in (0..WORDS).rev() {
        let from = |back: usize| index.checked_sub(back).map_or(0, |at| window[at]);
        let high = from(words) << bits;
        let low = if bits == 0 { 0 } else { from(words + 1) >> (64 - bits) };
        window[index] = high | low;
    }
}
