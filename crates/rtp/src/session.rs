use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use tracing::{debug, trace};

use crate::rng::Rng;
use crate::wire::{AudioLevel, CompoundWriter, DlrrReport, Extension, RtpHeader, RtpPacket};
use crate::{Config, Event, Formats, Output, ReceivedPacket, Stats};
use arrivals::Arrivals;
use clock::{MediaClock, SentTimes};
use redundancy::History;
use source::{Candidate, Source, Verdict};

mod arrivals;
mod clock;
mod redundancy;
mod reports;
mod source;

#[cfg(test)]
mod tests;

/// Outputs that wait to be polled at most; then the oldest is dropped, for old media is worth least.
pub const MAX_OUTPUTS: usize = 512;
/// Sequence numbers in one NACK at most, sent or received.
pub const MAX_NACKS: usize = 128;

/// A peer whose stream continues is not replaced by another SSRC (RFC 3550 A.1 asks for evidence): it must have been
/// silent this long, or have said goodbye.
const TAKEOVER_SILENCE: Duration = Duration::from_millis(50);
/// Own SSRC changes at most; a peer that follows each of them is not running into us by chance.
const MAX_COLLISIONS: u64 = 8;
/// Former SSRCs, own and the peer's, that are remembered each.
const MAX_FORMER: usize = 8;

/// RTP and RTCP with one peer, one stream each way.
///
/// Feed it with `send`, `handle_rtp`, `handle_rtcp` and `handle_timeout`; drain [`poll_output`](Self::poll_output) after
/// each; call `handle_timeout` when [`poll_timeout`](Self::poll_timeout) is due. Late calls only make reports late.
#[derive(Debug)]
pub struct Session {
    config: Config,
    rng: Rng,
    outputs: VecDeque<Output>,
    stats: Stats,

    ssrc: u32,
    former_ssrcs: VecDeque<u32>,
    clock: MediaClock,
    /// Extended sequence number of the next packet.
    sequence: u64,
    /// Extended timestamp of the next packet.
    timestamp: u64,
    /// Timestamp and time of the last packet sent, to place reports on the media clock.
    last_sent: Option<(u64, Instant)>,
    /// Packets and payload bytes sent under the current SSRC.
    sent_packets: u64,
    sent_bytes: u64,
    /// `sent_packets` at the last two reports, older first.
    sent_at_reports: [u64; 2],
    sent_reports: SentTimes,
    sent_references: SentTimes,
    ended: bool,
    history: History,
    /// Told with the packets that follow, where the extension is agreed on.
    level: Option<AudioLevel>,

    source: Option<Source>,
    candidate: Option<Candidate>,
    former_sources: VecDeque<u32>,
    /// Packets lost of sources before the current one.
    lost_before: i64,
    /// The peer's last sender report: SSRC, middle of its NTP time, arrival.
    last_sr: Option<(u32, u32, Instant)>,
    /// The peer's last receiver reference time, until answered.
    last_rr: Option<(DlrrReport, Instant)>,
    /// The reason of the last goodbye that ended the peer's current source; empty when it gave none.
    goodbye: Option<String>,
    remote_cname: Option<String>,
    arrivals: Arrivals,

    next_report: Option<Instant>,
    reports: u64,
}

impl Session {
    /// A session that has sent and received nothing; it stays silent until the first packet of either direction.
    ///
    /// `seed` decides the first sequence number and timestamp, the NTP start and the report intervals.
    #[must_use]
    pub fn new(mut config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut rng = Rng::new(&seed);
        config.formats = config.formats.checked();
        config.clock_rate = config.clock_rate.max(1);
        config.rtcp_interval = config.rtcp_interval.max(Duration::from_millis(10));
        // RFC 3550 §6.4.1: without a wall clock, elapsed time, its high bit zero; not from 0, for an LSR of 0 says
        // "none".
        let epoch = config
            .ntp_epoch
            .unwrap_or_else(|| Duration::from_secs(1 + u64::from(rng.next_u32() >> 12)));
        let clock = MediaClock::new(now, epoch, config.clock_rate);
        let mut session = Self {
            ssrc: config.ssrc,
            config,
            outputs: VecDeque::new(),
            stats: Stats::default(),
            former_ssrcs: VecDeque::new(),
            clock,
            sequence: 0,
            timestamp: u64::from(rng.next_u32()),
            last_sent: None,
            sent_packets: 0,
            sent_bytes: 0,
            sent_at_reports: [0; 2],
            sent_reports: SentTimes::default(),
            sent_references: SentTimes::default(),
            ended: false,
            history: History::default(),
            level: None,
            source: None,
            candidate: None,
            former_sources: VecDeque::new(),
            lost_before: 0,
            last_sr: None,
            last_rr: None,
            goodbye: None,
            remote_cname: None,
            arrivals: Arrivals::default(),
            next_report: None,
            reports: 0,
            rng,
        };
        session.restart_sequence();
        session
    }

    /// Agrees on other payload types and header extensions, from the next packet on.
    pub fn set_formats(&mut self, formats: Formats) {
        self.config.formats = formats.checked();
        self.history.clear();
    }

    /// Says how loud the packets are that follow; `None`: unknown. Told to the peer where that is agreed on (RFC 6464).
    pub fn set_level(&mut self, level: Option<AudioLevel>) {
        self.level = level;
    }

    /// Sends `payload`, whose media lasts `samples` clock units; the time of the next packet is that much later.
    ///
    /// `marker` says that this is the first packet after silence (RFC 3551 §4.1).
    pub fn send(&mut self, payload: &[u8], samples: u32, marker: bool, now: Instant) {
        if self.ended {
            self.stats.sends_after_bye += 1;
            return;
        }
        let (payload_type, payload, repeated) = self.wrap(payload);
        let level = self.level.map(AudioLevel::to_byte);
        let id = self.config.formats.audio_level;
        let level = id.zip(level.as_ref()).map(|(id, level)| Extension {
            id,
            data: std::slice::from_ref(level),
        });
        let header = RtpHeader {
            marker,
            payload_type,
            sequence_number: self.sequence as u16,
            timestamp: self.timestamp as u32,
            ssrc: self.ssrc,
            csrcs: &[],
            extensions: level.as_slice(),
        };
        let header_bytes = header.emitted_len().unwrap_or(RtpPacket::FIXED_HEADER);
        let mut packet = BytesMut::with_capacity(header_bytes + payload.len());
        header
            .emit(&mut packet)
            .expect("seven bits of payload type, no list, an extension of one byte");
        packet.put_slice(&payload);
        trace!(
            sequence = self.sequence,
            timestamp = self.timestamp,
            bytes = payload.len(),
            "send"
        );

        self.last_sent = Some((self.timestamp, now));
        self.sequence += 1;
        self.timestamp += u64::from(samples);
        self.sent_packets += 1;
        self.sent_bytes += payload.len() as u64;
        self.stats.packets_sent += 1;
        self.stats.bytes_sent += payload.len() as u64;
        self.stats.redundant_bytes_sent += repeated as u64;
        self.stats.header_bytes_sent += header_bytes as u64;
        self.push(Output::Rtp(packet.freeze()));
        self.arm_reports(now);
    }

    /// Lets `samples` clock units pass without a packet: silence that is not sent. The sequence goes on without a gap, so
    /// the peer can tell it from loss.
    pub fn skip(&mut self, samples: u32) {
        self.timestamp += u64::from(samples);
    }

    /// Takes one RTP datagram, already decrypted. What is invalid is counted in [`Stats`] and dropped.
    pub fn handle_rtp(&mut self, packet: Bytes, now: Instant) {
        let Ok(view) = RtpPacket::parse(&packet) else {
            self.stats.rtp_malformed += 1;
            return;
        };
        if view.ssrc == self.ssrc {
            self.on_collision(now);
        }
        let Some((sequence, timestamp)) = self.on_packet(&view, now) else {
            return;
        };
        self.read_extensions(&view, now);
        trace!(sequence, timestamp, bytes = view.payload.len(), "receive");
        let received = ReceivedPacket {
            sequence,
            timestamp,
            ssrc: view.ssrc,
            marker: view.marker,
            payload_type: view.payload_type,
            payload: packet.slice_ref(view.payload),
            arrival: now,
            redundant: false,
        };
        self.deliver(&packet, &view, &received);
    }

    /// Asks the peer for packets again, by extended sequence number, at most [`MAX_NACKS`] of them (RFC 4585 §6.2.1).
    ///
    /// Sent at once, alone where reduced size is agreed on, else behind a report. Without a source, nothing happens.
    pub fn nack(&mut self, sequences: &[u64], now: Instant) {
        let Some(media_ssrc) = self.source.as_ref().map(|source| source.ssrc) else {
            return;
        };
        if self.ended || sequences.is_empty() {
            return;
        }
        let mut numbers: Vec<u64> = sequences.iter().copied().take(MAX_NACKS).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let numbers: Vec<u16> = numbers.into_iter().map(|sequence| sequence as u16).collect();
        let mut writer = CompoundWriter::new();
        if !self.config.reduced_size {
            self.write_report(&mut writer, now);
        }
        writer.generic_nack(self.ssrc, media_ssrc, &numbers);
        self.stats.nack_count += 1;
        self.push_rtcp(writer.finish());
    }

    /// Says goodbye with a reason (≤ 255 bytes are sent) in a compound datagram (RFC 3550 §6.6). Nothing is sent after
    /// it; what arrives is still handled. A second call does nothing.
    pub fn bye(&mut self, reason: &str, now: Instant) {
        if self.ended {
            return;
        }
        let mut writer = CompoundWriter::new();
        self.write_report(&mut writer, now);
        writer.goodbye(&[self.ssrc], reason);
        self.push_rtcp(writer.finish());
        self.ended = true;
        self.history.clear();
        self.next_report = None;
        debug!("goodbye sent");
    }

    /// Sends the report and the feedback that are due, if any.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.ended && self.arrivals.due().is_some_and(|due| now >= due) {
            self.send_feedback(now);
        }
        if self.next_report.is_some_and(|due| now >= due) {
            let mut writer = CompoundWriter::new();
            self.write_report(&mut writer, now);
            self.push_rtcp(writer.finish());
            self.reports += 1;
            self.next_report = Some(now + self.report_interval());
        }
    }

    /// The next output; `None` when drained. At most [`MAX_OUTPUTS`] wait, the oldest is dropped beyond that.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the next report or feedback is due; `None` before the first packet and after the goodbye.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let feedback = self.arrivals.due().filter(|_| !self.ended);
        [self.next_report, feedback].into_iter().flatten().min()
    }

    /// Counters and measures up to now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let source = self.source.as_ref();
        Stats {
            packets_lost: self.lost_before + source.map_or(0, Source::lost),
            jitter: source.map_or(0.0, |source| self.clock.seconds(source.jitter())),
            ..self.stats.clone()
        }
    }

    /// Own SSRC: the configured one, unless a collision replaced it.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The peer's SSRC, once a packet of it was accepted.
    #[must_use]
    pub fn remote_ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// The peer's canonical name, once received.
    #[must_use]
    pub fn remote_cname(&self) -> Option<&str> {
        self.remote_cname.as_deref()
    }

    /// Checks source and numbering (RFC 3550 A.1); the extended sequence number and timestamp of a new packet.
    fn on_packet(&mut self, view: &RtpPacket<'_>, now: Instant) -> Option<(u64, u64)> {
        let arrival = self.clock.units(now);
        let verdict = match self.source.as_mut().filter(|source| source.ssrc == view.ssrc) {
            Some(source) => source.receive(view, arrival, now),
            None => self.admit(view, now),
        };
        match verdict {
            Verdict::Suspect => {
                self.stats.packets_on_probation += 1;
                return None;
            }
            Verdict::Began => self.begin_source(view, arrival, now),
            Verdict::New | Verdict::Replaced | Verdict::Duplicate => {}
        }
        self.stats.packets_received += 1;
        self.stats.bytes_received += view.payload.len() as u64;
        self.stats.header_bytes_received += view.header_len() as u64;
        self.arm_reports(now);
        if verdict == Verdict::Duplicate {
            self.stats.packets_duplicated += 1;
            return None;
        }
        if verdict == Verdict::Replaced {
            return None;
        }
        self.source
            .as_ref()
            .map(|source| (source.extend_sequence(view), source.extend_timestamp(view)))
    }

    fn read_extensions(&mut self, view: &RtpPacket<'_>, now: Instant) {
        let formats = &self.config.formats;
        for element in view.extensions() {
            if formats.audio_level == Some(element.id) {
                self.stats.audio_level = AudioLevel::parse(element.data).map(AudioLevel::linear);
            } else if formats.transport_wide == Some(element.id)
                && let Some(&number) = element.data.first_chunk()
            {
                self.arrivals.note(u16::from_be_bytes(number), now);
            }
        }
    }

    /// Judges a packet of an SSRC that is not the current source. The first source is taken at its word,
    /// since its packets are authenticated; a later one must show two packets in sequence and a silent predecessor.
    fn admit(&mut self, view: &RtpPacket<'_>, now: Instant) -> Verdict {
        let Some(source) = &self.source else {
            return Verdict::Began;
        };
        let silent = self.goodbye.is_some() || now.saturating_duration_since(source.last_arrival) >= TAKEOVER_SILENCE;
        let in_sequence = self.candidate.is_some_and(|candidate| candidate.expects(view));
        self.candidate = Some(Candidate::after(view));
        if in_sequence && silent {
            Verdict::Began
        } else {
            Verdict::Suspect
        }
    }

    fn begin_source(&mut self, view: &RtpPacket<'_>, arrival: u64, now: Instant) {
        let (sequence, timestamp) = match &self.source {
            None => (0, 0),
            Some(previous) => {
                self.lost_before += previous.lost();
                self.stats.source_changes += 1;
                if previous.ssrc != view.ssrc {
                    remember(&mut self.former_sources, previous.ssrc);
                }
                previous.end()
            }
        };
        debug!(ssrc = view.ssrc, "source");
        self.former_sources.retain(|ssrc| *ssrc != view.ssrc);
        self.source = Some(Source::new(view, (sequence, timestamp), arrival, now));
        self.candidate = None;
        self.goodbye = None;
        self.push(Output::Event(Event::SourceChanged { ssrc: view.ssrc }));
    }

    /// RFC 3550 §8.2: whoever sees its own SSRC in use says goodbye for it and takes another.
    fn on_collision(&mut self, now: Instant) {
        self.stats.ssrc_collisions += 1;
        if self.stats.ssrc_collisions > MAX_COLLISIONS || self.ended {
            return;
        }
        let mut writer = CompoundWriter::new();
        self.write_report(&mut writer, now);
        writer.goodbye(&[self.ssrc], "ssrc collision");
        self.push_rtcp(writer.finish());
        remember(&mut self.former_ssrcs, self.ssrc);
        let known = self.remote_ssrc();
        while self.former_ssrcs.contains(&self.ssrc) || known == Some(self.ssrc) {
            self.ssrc = self.rng.next_u32();
        }
        debug!(ssrc = self.ssrc, "own source replaced after a collision");
        self.sent_packets = 0;
        self.sent_bytes = 0;
        self.sent_at_reports = [0; 2];
        self.sent_reports = SentTimes::default();
        self.sent_references = SentTimes::default();
        self.history.clear();
        self.restart_sequence();
    }

    /// A random start (RFC 3550 §5.1) in the lower half, so that the first loss cannot hide a wrap from SRTP's roll-over
    /// counter (RFC 3711 §3.3.1).
    fn restart_sequence(&mut self) {
        self.sequence = u64::from(self.rng.next_u32() & 0x7fff);
    }

    fn push(&mut self, output: Output) {
        if self.outputs.len() == MAX_OUTPUTS {
            self.outputs.pop_front();
            self.stats.outputs_dropped += 1;
        }
        self.outputs.push_back(output);
    }

    fn push_rtcp(&mut self, datagram: Bytes) {
        self.stats.rtcp_packets_sent += 1;
        self.push(Output::Rtcp(datagram));
    }
}

/// Keeps the last [`MAX_FORMER`] identifiers.
fn remember(former: &mut VecDeque<u32>, ssrc: u32) {
    if former.len() == MAX_FORMER {
        former.pop_front();
    }
    former.push_back(ssrc);
}
