use std::time::{Duration, Instant};

use tracing::debug;

use super::{MAX_NACKS, Session};
use crate::wire::ntp::{duration_from_short, short_from_duration};
use crate::wire::{
    Compound, CompoundWriter, DlrrReport, ExtendedReport, Feedback, Goodbye, ReportBlock, RtcpPacket, SdesItem,
    SenderInfo, SenderReport, XrBlock,
};
use crate::{Event, Output, RemoteReport};

/// Reports at the start that come four times as often.
const EARLY_REPORTS: u64 = 4;

/// The RTCP half of a session: what is reported, and what reports tell.
impl Session {
    /// Takes one RTCP datagram, already decrypted. What is invalid is counted in [`Stats`](crate::Stats) and dropped.
    pub fn handle_rtcp(&mut self, packet: &[u8], now: Instant) {
        let Ok(compound) = Compound::parse(packet) else {
            self.stats.rtcp_malformed += 1;
            return;
        };
        // RFC 3550 A.2 wants a report first; RFC 5506 §4.2 wants an agreement to leave it out.
        if compound.is_reduced_size() && !self.config.reduced_size {
            self.stats.rtcp_malformed += 1;
            return;
        }
        self.stats.rtcp_packets_received += 1;
        for packet in compound.packets() {
            match packet {
                Ok(RtcpPacket::SenderReport(report)) => self.on_sender_report(&report, now),
                Ok(RtcpPacket::ReceiverReport(report)) => {
                    self.on_rtcp_source(report.ssrc, now);
                    self.on_report_blocks(report.reports, now);
                }
                Ok(RtcpPacket::SourceDescription(description)) => {
                    let cname = description.items().find(|item| item.kind == SdesItem::CNAME);
                    if let Some(cname) = cname.filter(|item| item.ssrc != self.ssrc) {
                        self.remote_cname = Some(String::from_utf8_lossy(cname.text).into_owned());
                    }
                }
                Ok(RtcpPacket::Goodbye(goodbye)) => self.on_goodbye(&goodbye),
                Ok(RtcpPacket::TransportFeedback(feedback)) => self.on_transport_feedback(&feedback),
                Ok(RtcpPacket::ExtendedReport(report)) => self.on_extended_report(&report, now),
                Ok(_) => {}
                Err(_) => self.stats.rtcp_malformed += 1,
            }
        }
    }

    /// The first report comes 20 to 60 ms after the first packet of either direction: on a unicast session it may come
    /// at once (RFC 3550 §6.2), and behind a few packets it says more.
    pub(super) fn arm_reports(&mut self, now: Instant) {
        if self.next_report.is_none() && !self.ended {
            let delay = Duration::from_millis(20) + Duration::from_millis(40).mul_f64(self.rng.next_f64());
            self.next_report = Some(now + delay);
        }
    }

    /// RFC 3550 §6.3.1: uniform from half to one and a half of the mean, lest both ends fall into step. Timer
    /// reconsideration is left out: between two members there is no crowd that joins.
    pub(super) fn report_interval(&mut self) -> Duration {
        let mean = if self.reports < EARLY_REPORTS {
            self.config.rtcp_interval / 4
        } else {
            self.config.rtcp_interval
        };
        mean.mul_f64(0.5 + self.rng.next_f64())
    }

    /// Writes what every compound datagram has: a report, the CNAME, and extended reports where due.
    pub(super) fn write_report(&mut self, writer: &mut CompoundWriter, now: Instant) {
        let mut block = self.source.as_mut().and_then(super::Source::report);
        if let Some(block) = &mut block
            && let Some((ssrc, middle, arrival)) = self.last_sr
            && ssrc == block.ssrc
        {
            block.last_sr = middle;
            block.delay_since_last_sr = short_from_duration(now.saturating_duration_since(arrival));
        }
        let blocks = block.as_slice();
        let ntp = self.clock.ntp(now);
        // RFC 3550 §6.4: a sender report from whoever sent since the last report but one.
        let sending = self.sent_packets != self.sent_at_reports[0];
        self.sent_at_reports = [self.sent_at_reports[1], self.sent_packets];
        match self.last_sent.filter(|_| sending) {
            Some((timestamp, at)) => {
                // RFC 3550 §6.4.1: the same moment on both clocks, also between two packets.
                let since = self.clock.duration_units(now.saturating_duration_since(at));
                let info = SenderInfo {
                    ntp,
                    rtp_timestamp: timestamp.wrapping_add(since) as u32,
                    packet_count: self.sent_packets as u32,
                    octet_count: self.sent_bytes as u32,
                };
                writer.sender_report(self.ssrc, &info, blocks);
                self.sent_reports.record(ntp, now);
                writer.cname(self.ssrc, &self.config.cname);
            }
            None => {
                writer.receiver_report(self.ssrc, blocks);
                writer.cname(self.ssrc, &self.config.cname);
                if self.config.extended_reports {
                    writer.receiver_reference_time(self.ssrc, ntp);
                    self.sent_references.record(ntp, now);
                }
            }
        }
        if let Some((mut answer, arrival)) = self.last_rr.take() {
            answer.delay_since_last_rr = short_from_duration(now.saturating_duration_since(arrival));
            writer.delay_since_last_rr(self.ssrc, &[answer]);
        }
    }

    /// Tells when packets with a transport-wide number arrived, alone where reduced size is agreed on, else behind a report.
    pub(super) fn send_feedback(&mut self, now: Instant) {
        let Some(media_ssrc) = self.remote_ssrc() else { return };
        while let Some(feedback) = self.arrivals.take(self.clock.origin(), now) {
            let mut writer = CompoundWriter::new();
            if !self.config.reduced_size {
                self.write_report(&mut writer, now);
            }
            writer.transport_wide(self.ssrc, media_ssrc, &feedback);
            self.stats.transport_feedback_sent += 1;
            self.push_rtcp(writer.finish());
        }
    }

    fn on_sender_report(&mut self, report: &SenderReport<'_>, now: Instant) {
        self.on_rtcp_source(report.ssrc, now);
        self.last_sr = Some((report.ssrc, report.info.ntp.middle(), now));
        self.stats.reports_sent += 1;
        self.stats.remote_packets_sent = u64::from(report.info.packet_count);
        self.stats.remote_bytes_sent = u64::from(report.info.octet_count);
        self.on_report_blocks(report.reports, now);
    }

    /// RFC 3550 §8.2: a collision shows in RTCP as well.
    fn on_rtcp_source(&mut self, ssrc: u32, now: Instant) {
        if ssrc == self.ssrc {
            self.on_collision(now);
        }
    }

    fn on_report_blocks(&mut self, blocks: impl Iterator<Item = ReportBlock>, now: Instant) {
        // Own SSRC once per packet: a report that repeats it thirty times is heard once.
        let Some(block) = { blocks }.find(|block| block.ssrc == self.ssrc) else {
            return;
        };
        let round_trip_time = if block.last_sr == 0 {
            None
        } else {
            // RFC 3550 §6.4.1: A - LSR - DLSR.
            let held = duration_from_short(block.delay_since_last_sr);
            let round_trip = self.sent_reports.round_trip(block.last_sr, held, now);
            self.on_round_trip(round_trip);
            round_trip
        };
        let fraction_lost = f32::from(block.fraction_lost) / 256.0;
        let packets_lost = i64::from(block.cumulative_lost);
        let jitter = self.clock.seconds(block.jitter);
        self.stats.fraction_lost = Some(fraction_lost);
        self.stats.remote_packets_lost = Some(packets_lost);
        self.stats.remote_jitter = Some(jitter);
        self.push(Output::Event(Event::Report(RemoteReport {
            fraction_lost,
            packets_lost,
            round_trip_time,
            jitter: Duration::from_secs_f64(jitter),
        })));
    }

    fn on_round_trip(&mut self, round_trip: Option<Duration>) {
        match round_trip {
            Some(round_trip) => {
                self.stats.round_trip_time = Some(round_trip);
                self.stats.total_round_trip_time += round_trip;
                self.stats.round_trip_time_measurements += 1;
            }
            None => self.stats.round_trip_time_rejected += 1,
        }
    }

    /// A goodbye ends the peer's stream when it names its current source, or one never seen: the peer may have changed
    /// it unheard. One for a source that either side has given up clears up after a change; that includes a source
    /// that was ours once, for both sides leave an SSRC that they collide on.
    fn on_goodbye(&mut self, goodbye: &Goodbye<'_>) {
        let current = self.remote_ssrc();
        let ours = |ssrc: u32| ssrc == self.ssrc || self.former_ssrcs.contains(&ssrc);
        let theirs = |ssrc: u32| current == Some(ssrc) || !self.former_sources.contains(&ssrc);
        let leaves = { goodbye.sources }.any(|ssrc| theirs(ssrc) && !ours(ssrc));
        let reason = String::from_utf8_lossy(goodbye.reason.unwrap_or_default()).into_owned();
        if !leaves || self.goodbye.as_ref() == Some(&reason) {
            return;
        }
        self.goodbye = Some(reason.clone());
        debug!("goodbye received");
        self.push(Output::Event(Event::Bye { reason }));
    }

    fn on_transport_feedback(&mut self, feedback: &Feedback<'_>) {
        if feedback.format != Feedback::GENERIC_NACK || feedback.media_ssrc != self.ssrc {
            return;
        }
        let next = self.sequence;
        let sequences: Vec<u64> = feedback
            .nacks()
            .filter_map(|number| {
                // The nearest sequence number before the next one.
                let back = (next as u16).wrapping_sub(number);
                next.checked_sub(if back == 0 { 1 << 16 } else { u64::from(back) })
            })
            .filter(|sequence| next - sequence <= self.sent_packets)
            .take(MAX_NACKS)
            .collect();
        if !sequences.is_empty() {
            self.push(Output::Event(Event::Nack(sequences)));
        }
    }

    fn on_extended_report(&mut self, report: &ExtendedReport<'_>, now: Instant) {
        for block in report.blocks() {
            match block {
                XrBlock::ReceiverReferenceTime(ntp) if self.config.extended_reports => {
                    let answer = DlrrReport {
                        ssrc: report.ssrc,
                        last_rr: ntp.middle(),
                        delay_since_last_rr: 0,
                    };
                    self.last_rr = Some((answer, now));
                }
                XrBlock::DelaySinceLastRr(mut answers) => {
                    // RFC 3611 §4.5: as LSR and DLSR, the other way round.
                    if let Some(answer) = answers.find(|answer| answer.ssrc == self.ssrc && answer.last_rr != 0) {
                        let held = duration_from_short(answer.delay_since_last_rr);
                        let round_trip = self.sent_references.round_trip(answer.last_rr, held, now);
                        self.on_round_trip(round_trip);
                    }
                }
                _ => {}
            }
        }
    }
}
