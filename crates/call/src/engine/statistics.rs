//! Statistics of an engine under their W3C names.

use std::time::{Duration, Instant};

use super::Engine;
use crate::{
    CandidatePairStatistics, InboundStatistics, Levels, OutboundStatistics, PlayoutStatistics, RemoteInboundStatistics,
    ShellStatistics, Statistics, TransportStatistics,
};

impl Engine {
    /// A snapshot; what only the shell can know is left at 0.
    pub fn statistics(&self, _now: Instant) -> Statistics {
        let media = self.media.stats();
        let leg = self
            .active
            .or(self.legs.iter().position(|leg| leg.is_connected()))
            .and_then(|index| self.legs.get(index));
        let path = leg.and_then(|leg| leg.path.clone());
        let protection = leg.and_then(|leg| leg.protection.clone());
        let (dtls_version, srtp_cipher) = protection.unzip();
        Statistics {
            outbound: OutboundStatistics {
                ssrc: media.ssrc,
                packets_sent: media.packets_sent,
                bytes_sent: media.bytes_sent,
                redundant_bytes_sent: media.redundant_bytes_sent,
                target_bitrate: f64::from(media.target_bitrate),
            },
            inbound: InboundStatistics {
                packets_received: media.packets_received,
                bytes_received: media.bytes_received,
                packets_lost: media.packets_lost,
                jitter: media.jitter,
                packets_discarded: media.packets_discarded,
                jitter_buffer_delay: media.jitter_buffer_delay.as_secs_f64(),
                jitter_buffer_emitted_count: media.jitter_buffer_emitted_count,
                jitter_buffer_target_delay: media.jitter_buffer_target_delay.as_secs_f64(),
                total_samples_received: media.total_samples_received,
                concealed_samples: media.concealed_samples,
                silent_concealed_samples: media.silent_concealed_samples,
                concealment_events: media.concealment_events,
                inserted_samples_for_deceleration: media.inserted_samples_for_deceleration,
                removed_samples_for_acceleration: media.removed_samples_for_acceleration,
                fec_packets_received: media.fec_packets_received,
                redundant_blocks_received: media.redundant_blocks_received,
                redundant_blocks_used: media.redundant_blocks_used,
                audio_level: media.audio_level,
                transport_feedback_sent: media.transport_feedback_sent,
            },
            remote_inbound: RemoteInboundStatistics {
                fraction_lost: media.fraction_lost.map(f64::from),
                round_trip_time: media.round_trip_time.map(|rtt| rtt.as_secs_f64()),
                jitter: media.remote_jitter,
            },
            candidate_pair: CandidatePairStatistics {
                local: path.as_ref().map(|path| path.local),
                remote: path.as_ref().map(|path| path.remote),
                local_kind: path.as_ref().map(|path| path.local_kind),
                remote_kind: path.as_ref().map(|path| path.remote_kind),
                relay_protocol: path.as_ref().and_then(|path| path.relay),
                restarts: self.restarts,
                current_round_trip_time: leg
                    .and_then(|leg| leg.transport.rtt())
                    .map(|rtt: Duration| rtt.as_secs_f64()),
            },
            transport: TransportStatistics {
                dtls_version,
                srtp_cipher,
            },
            playout: PlayoutStatistics {
                current_delay: media.current_delay.as_secs_f64(),
                target_delay: media.target_delay.as_secs_f64(),
            },
            levels: Levels {
                mine: media.capture_level,
                peer: media.playout_level,
            },
            shell: ShellStatistics {
                datagrams_ignored: self.datagrams_ignored,
                goodbyes_ignored: self.goodbyes_ignored,
                descriptions_ignored: self.descriptions_ignored,
                ..ShellStatistics::default()
            },
        }
    }
}
