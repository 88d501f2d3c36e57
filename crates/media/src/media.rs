use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_codec::{self as codec, Encoder};
use duologue_jitter::{JitterBuffer, Packet};
use duologue_rtp::wire::AudioLevel;
use duologue_rtp::{self as rtp, Session};
use tracing::debug;

use crate::decoder::OpusDecoder;
use crate::level::{Meter, mean_square};
use crate::steering::{Steering, Targets};
use crate::{Config, Event, Formats, MediaError, Operation, Output, Playout, Stats};

/// Samples of one encoded frame: 20 ms at 48 kHz.
pub const FRAME_SAMPLES: usize = 960;
/// Samples that one pull plays at a time: 10 ms.
const BLOCK: usize = 480;
/// Outputs that wait to be polled at most; then the oldest is dropped, for old media is worth least.
pub const MAX_OUTPUTS: usize = 512;
/// What a pull may take when it conceals, before the rest of the loss is concealed the classic way. A tick has 10 ms, and
/// the playout ring two ticks.
pub const CONCEALMENT_BUDGET: Duration = Duration::from_millis(4);

/// No frame of 20 ms needs more (RFC 6716 §3.2.1).
const MAX_PACKET: usize = 1276;
/// A packet of at most this many bytes holds no coded audio (RFC 6716 §3.1: a TOC byte, at most a padding byte).
const DTX_BYTES: usize = 2;

/// The media of one call: PCM in, packets out, and back.
///
/// Push what the microphone gave, pull what the loudspeaker wants, hand in datagrams, drain
/// [`poll_output`](Self::poll_output) after each, and call `handle_timeout` when [`poll_timeout`](Self::poll_timeout) is due.
#[derive(Debug)]
pub struct Media {
    session: Session,
    outputs: VecDeque<Output>,
    outputs_dropped: u64,

    encoder: Encoder,
    /// In-band copies are asked for, where no whole ones are sent.
    fec: bool,
    steering: Steering,
    targets: Targets,
    sending: bool,
    muted: bool,
    /// The frame being filled.
    frame: Vec<f32>,
    packet: Box<[u8; MAX_PACKET]>,
    /// The last frame was silence that went, or need not go, unsent.
    silent: bool,
    /// The next packet begins a talk spurt.
    marker: bool,
    capture_meter: Meter,
    frames_encoded: u64,
    frames_not_sent: u64,
    encode_errors: u64,

    jitter: JitterBuffer,
    decoder: OpusDecoder,
    playout_meter: Meter,
    heard: bool,
    invalid_payloads: u64,
    concealed_last: bool,
}

impl Media {
    /// Media that neither sends nor has heard anything. `seed` decides the RTP start values and report times.
    ///
    /// # Errors
    /// [`MediaError`] when the configuration asks for a bitrate, complexity or delay that there is not.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Result<Self, MediaError> {
        if config.min_delay > config.max_delay {
            return Err(MediaError::Delays {
                min: config.min_delay,
                max: config.max_delay,
            });
        }
        let steering = Steering::new(config.bitrate);
        let targets = steering.targets();
        let fec = config.fec;
        let encoder = codec::EncoderConfig {
            fec: wants_fec(fec, &config.formats),
            expected_loss_percent: targets.expected_loss,
            ..config.encoder()
        };
        Ok(Self {
            session: Session::new(config.rtp(), seed, now),
            outputs: VecDeque::new(),
            outputs_dropped: 0,
            encoder: Encoder::new(encoder).map_err(MediaError::Encoder)?,
            fec,
            steering,
            targets,
            sending: false,
            muted: false,
            frame: Vec::with_capacity(FRAME_SAMPLES),
            packet: Box::new([0; MAX_PACKET]),
            silent: false,
            marker: true,
            capture_meter: Meter::default(),
            frames_encoded: 0,
            frames_not_sent: 0,
            encode_errors: 0,
            jitter: JitterBuffer::new(config.jitter()),
            decoder: OpusDecoder::new(config.decoder_complexity).map_err(MediaError::Decoder)?,
            playout_meter: Meter::default(),
            heard: false,
            invalid_payloads: 0,
            concealed_last: false,
        })
    }

    /// Agrees with the peer on other payload types and header extensions, from the next packet on.
    pub fn set_formats(&mut self, formats: Formats) {
        let fec = self.encoder.set_fec(wants_fec(self.fec, &formats));
        self.encode_errors += u64::from(fec.is_err());
        debug!(?formats, "media");
        self.session.set_formats(formats);
    }

    /// Starts or stops sending. While off (the initial state) captured audio is thrown away and no RTP is sent; what was
    /// captured before this call is never sent after it.
    pub fn set_sending(&mut self, sending: bool) {
        if sending && !self.sending {
            self.session.skip(self.frame.len() as u32);
            self.frame.clear();
            self.encode_errors += u64::from(self.encoder.reset().is_err());
            self.silent = false;
            self.marker = true;
        }
        if sending != self.sending {
            debug!(sending, "media");
        }
        self.sending = sending;
    }

    /// Mutes or unmutes. While muted, silence is encoded in place of what is captured: packets go on, so the path stays
    /// open and measured. Exact to the sample pushed.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Whether losses may be concealed by the neural network, and speech enhanced, as far as the configured decoder
    /// complexity has them (the initial state). Off is for machines that cannot keep up.
    pub fn set_deep_plc(&mut self, deep: bool) {
        self.decoder.set_deep(deep);
    }

    /// Tells how long the last [`pull_playout`](Self::pull_playout) took, on the driver's clock, for there is none in here.
    ///
    /// If that pull concealed and took longer than [`CONCEALMENT_BUDGET`], the rest of the present loss is concealed the
    /// classic way; the next packet decoded ends that. Never calling this leaves concealment unguarded.
    pub fn report_pull_time(&mut self, took: Duration) {
        if self.concealed_last && took > CONCEALMENT_BUDGET {
            self.decoder.hurry();
        }
    }

    /// Takes captured audio: mono, 48 kHz, in [-1, 1], any number of samples. Each full frame of 20 ms is encoded and,
    /// while sending, becomes a packet.
    pub fn push_capture(&mut self, pcm: &[f32], now: Instant) {
        let mut rest = pcm;
        while !rest.is_empty() {
            let (block, later) = rest.split_at(rest.len().min(FRAME_SAMPLES - self.frame.len()));
            rest = later;
            if self.muted {
                self.frame.resize(self.frame.len() + block.len(), 0.0);
            } else {
                self.frame.extend_from_slice(block);
            }
            if self.frame.len() == FRAME_SAMPLES {
                self.on_frame(now);
                self.frame.clear();
            }
        }
        self.drain();
    }

    /// Fills `out` with what to play now: mono, 48 kHz, in [-1, 1]. Meant for 10 ms (480 samples) at a time, each 10 ms;
    /// other lengths are served in blocks of that size, a last shorter one included.
    pub fn pull_playout(&mut self, now: Instant, out: &mut [f32]) -> Playout {
        let mut operation = Operation::Silence;
        let mut playout_timestamp = 0;
        for block in out.chunks_mut(BLOCK) {
            let report = self.jitter.pull(now, &mut self.decoder, block);
            operation = operation.max(report.operation);
            playout_timestamp = report.playout_timestamp;
            self.playout_meter.update(block);
        }
        self.concealed_last = self.decoder.take_concealed();
        Playout {
            level: self.playout_meter.level(),
            operation,
            playout_timestamp,
            concealed: self.concealed_last,
        }
    }

    /// Takes one RTP datagram of the peer, decrypted. Whatever is wrong with it is counted.
    pub fn handle_rtp(&mut self, packet: Bytes, now: Instant) {
        self.session.handle_rtp(packet, now);
        self.drain();
    }

    /// Takes one RTCP datagram of the peer, decrypted. Whatever is wrong with it is counted.
    pub fn handle_rtcp(&mut self, packet: &[u8], now: Instant) {
        self.session.handle_rtcp(packet, now);
        self.drain();
    }

    /// Says goodbye with a reason (≤ 255 bytes) and stops sending for good. Playout goes on.
    pub fn bye(&mut self, reason: &str, now: Instant) {
        self.sending = false;
        self.session.bye(reason, now);
        self.drain();
    }

    /// Sends what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
        self.drain();
    }

    /// The next output; `None` when drained. At most [`MAX_OUTPUTS`] wait, the oldest is dropped beyond that.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` while nothing is. Playout has no deadline: it is pulled.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.session.poll_timeout()
    }

    /// Own SSRC now in use.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.session.ssrc()
    }

    /// Everything measured up to now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let rtp = self.session.stats();
        let jitter = self.jitter.stats();
        Stats {
            ssrc: self.session.ssrc(),
            packets_sent: rtp.packets_sent,
            bytes_sent: rtp.bytes_sent,
            redundant_bytes_sent: rtp.redundant_bytes_sent,
            header_bytes_sent: rtp.header_bytes_sent,
            target_bitrate: self.targets.bitrate,
            remote_ssrc: self.session.remote_ssrc(),
            packets_received: rtp.packets_received,
            bytes_received: rtp.bytes_received,
            header_bytes_received: rtp.header_bytes_received,
            packets_lost: rtp.packets_lost,
            jitter: rtp.jitter,
            nack_count: rtp.nack_count,
            audio_level: rtp.audio_level,
            redundant_blocks_received: rtp.redundant_blocks_received,
            redundant_blocks_used: rtp.redundant_blocks_used,
            transport_feedback_sent: rtp.transport_feedback_sent,
            packets_discarded: jitter.packets_discarded,
            jitter_buffer_delay: jitter.jitter_buffer_delay,
            jitter_buffer_target_delay: jitter.jitter_buffer_target_delay,
            jitter_buffer_minimum_delay: jitter.jitter_buffer_minimum_delay,
            jitter_buffer_emitted_count: jitter.jitter_buffer_emitted_count,
            total_samples_received: jitter.total_samples_received,
            concealed_samples: jitter.concealed_samples,
            silent_concealed_samples: jitter.silent_concealed_samples,
            concealment_events: jitter.concealment_events,
            inserted_samples_for_deceleration: jitter.inserted_samples_for_deceleration,
            removed_samples_for_acceleration: jitter.removed_samples_for_acceleration,
            fec_packets_received: jitter.fec_packets_received,
            fec_packets_discarded: jitter.fec_packets_discarded,
            interruptions: jitter.interruptions,
            total_interruption_duration: jitter.total_interruption_duration,
            fraction_lost: rtp.fraction_lost,
            remote_packets_lost: rtp.remote_packets_lost,
            remote_jitter: rtp.remote_jitter,
            round_trip_time: rtp.round_trip_time,
            total_round_trip_time: rtp.total_round_trip_time,
            round_trip_time_measurements: rtp.round_trip_time_measurements,
            current_delay: self.jitter.current_delay(),
            target_delay: self.jitter.target_delay(),
            capture_level: self.capture_meter.level(),
            playout_level: self.playout_meter.level(),
            expected_loss_percent: self.targets.expected_loss,
            frames_encoded: self.frames_encoded,
            frames_not_sent: self.frames_not_sent,
            encode_errors: self.encode_errors,
            decode_errors: self.decoder.errors(),
            invalid_payloads: self.invalid_payloads,
            flushes: jitter.flushes,
            comfort_noise_samples: jitter.comfort_noise_samples,
            packets_recovered: jitter.packets_recovered,
            packets_reordered: jitter.packets_reordered,
            concealment_fallbacks: self.decoder.fallbacks(),
            packets_duplicated: rtp.packets_duplicated,
            source_changes: rtp.source_changes,
            datagrams_rejected: rtp.rtp_malformed
                + rtp.rtcp_malformed
                + rtp.red_malformed
                + rtp.unknown_payload_type
                + rtp.packets_on_probation,
            outputs_dropped: self.outputs_dropped + rtp.outputs_dropped,
        }
    }

    fn on_frame(&mut self, now: Instant) {
        self.capture_meter.update(&self.frame);
        if !self.sending {
            self.session.skip(FRAME_SAMPLES as u32);
            return;
        }
        let Ok(length) = self.encoder.encode(&self.frame, &mut self.packet[..]) else {
            self.encode_errors += 1;
            self.session.skip(FRAME_SAMPLES as u32);
            return;
        };
        self.frames_encoded += 1;
        let was_silent = std::mem::replace(&mut self.silent, length <= DTX_BYTES);
        // The first packet without audio is sent, for it tells the far decoder that what follows is silence and no loss; the
        // rest of the silence passes unsent (RFC 7587 §3.1.3).
        if self.silent && was_silent {
            self.frames_not_sent += 1;
            self.session.skip(FRAME_SAMPLES as u32);
            return;
        }
        // RFC 3551 §4.1: the marker bit on the first packet after silence.
        let marker = std::mem::take(&mut self.marker) || (was_silent && !self.silent);
        let level = AudioLevel::of_mean_square(mean_square(&self.frame), !self.silent);
        self.session.set_level(Some(level));
        self.session
            .send(&self.packet[..length], FRAME_SAMPLES as u32, marker, now);
        self.drain();
    }

    /// Takes what the session has to say, at once, so that packets reach the buffer with their arrival.
    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                rtp::Output::Rtp(packet) => self.push(Output::Rtp(packet)),
                rtp::Output::Rtcp(packet) => self.push(Output::Rtcp(packet)),
                rtp::Output::Event(rtp::Event::Packet(packet)) => self.on_packet(packet),
                rtp::Output::Event(rtp::Event::SourceChanged { .. }) if self.heard => {
                    self.jitter.reset();
                    self.decoder.reset();
                }
                rtp::Output::Event(rtp::Event::Report(report)) => self.on_report(&report),
                rtp::Output::Event(rtp::Event::Bye { reason }) => self.push(Output::Event(Event::Bye { reason })),
                _ => {}
            }
        }
    }

    fn on_packet(&mut self, packet: rtp::ReceivedPacket) {
        let Some(samples) = codec::packet_samples(&packet.payload) else {
            self.invalid_payloads += 1;
            return;
        };
        let buffered = Packet {
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            payload: packet.payload,
            duration_hint: Some(samples as u32),
        };
        self.jitter.insert(buffered, packet.arrival);
        if !std::mem::replace(&mut self.heard, true) {
            self.push(Output::Event(Event::FirstPacket));
        }
    }

    fn on_report(&mut self, report: &rtp::RemoteReport) {
        let targets = self.steering.on_report(report.fraction_lost);
        if targets != self.targets {
            self.targets = targets;
            debug!(?targets, "encoder steered");
            let loss = self.encoder.set_expected_loss(targets.expected_loss);
            let bitrate = self.encoder.set_bitrate(targets.bitrate);
            self.encode_errors += u64::from(loss.is_err()) + u64::from(bitrate.is_err());
        }
        self.push(Output::Event(Event::Report {
            fraction_lost: report.fraction_lost,
            round_trip_time: report.round_trip_time,
            jitter: report.jitter,
        }));
    }

    fn push(&mut self, output: Output) {
        if self.outputs.len() == MAX_OUTPUTS {
            self.outputs.pop_front();
            self.outputs_dropped += 1;
        }
        self.outputs.push_back(output);
    }
}

/// A whole copy of each frame (RFC 2198) leaves nothing to do for one of lower quality within the next frame.
fn wants_fec(fec: bool, formats: &Formats) -> bool {
    fec && !formats.red.is_some_and(|red| red.send)
}
