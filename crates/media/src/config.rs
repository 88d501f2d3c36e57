use std::time::Duration;

use crate::Formats;

/// What a [`Media`](crate::Media) is told once. [`Default`] is what a call uses, but for `ssrc` and `cname`, which are
/// the call's to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Own synchronisation source, as signalled.
    pub ssrc: u32,
    /// Payload types and header extensions before the peer has agreed on any; [`Media::set_formats`](crate::Media::set_formats)
    /// changes them.
    pub formats: Formats,
    /// Canonical name in RTCP, ≤ 255 bytes.
    pub cname: String,
    /// Mean time between RTCP reports.
    pub rtcp_interval: Duration,
    /// Whether RTCP without a leading report is agreed on (RFC 5506).
    pub reduced_size: bool,

    /// Bits per second of the encoder at best, 6000..=510000; heavy loss lowers it to no less than 24,000, or this if that
    /// is less.
    pub bitrate: u32,
    /// Encoder complexity, 0 (cheap) ..= 10 (best).
    pub encoder_complexity: u8,
    /// Whether packets carry a copy of the frame before them, sized by the loss that the peer reports.
    pub fec: bool,
    /// Whether silence is sent as an occasional packet instead of a steady stream.
    pub dtx: bool,
    /// Decoder complexity, 0..=10: from 5 on losses are concealed by a neural network (deep PLC), from 6 on speech is
    /// enhanced (LACE), from 7 on with NoLACE.
    pub decoder_complexity: u8,

    /// Least delay that the jitter buffer aims at.
    pub min_delay: Duration,
    /// Largest delay that the jitter buffer aims at.
    pub max_delay: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let jitter = duologue_jitter::Config::default();
        let encoder = duologue_codec::EncoderConfig::default();
        Self {
            ssrc: 1,
            formats: Formats::default(),
            cname: "duologue".into(),
            rtcp_interval: Duration::from_secs(1),
            reduced_size: true,
            bitrate: encoder.bitrate,
            encoder_complexity: encoder.complexity,
            fec: encoder.fec,
            dtx: encoder.dtx,
            decoder_complexity: duologue_codec::DecoderConfig::default().complexity,
            min_delay: jitter.min_delay,
            max_delay: jitter.max_delay,
        }
    }
}

impl Config {
    pub(crate) fn rtp(&self) -> duologue_rtp::Config {
        duologue_rtp::Config {
            formats: self.formats.clone(),
            rtcp_interval: self.rtcp_interval,
            reduced_size: self.reduced_size,
            ..duologue_rtp::Config::new(self.ssrc, self.cname.clone())
        }
    }

    pub(crate) fn encoder(&self) -> duologue_codec::EncoderConfig {
        duologue_codec::EncoderConfig {
            bitrate: self.bitrate,
            complexity: self.encoder_complexity,
            fec: self.fec,
            dtx: self.dtx,
            ..duologue_codec::EncoderConfig::default()
        }
    }

    pub(crate) fn jitter(&self) -> duologue_jitter::Config {
        duologue_jitter::Config {
            sample_rate: duologue_codec::SAMPLE_RATE,
            min_delay: self.min_delay,
            max_delay: self.max_delay,
            ..duologue_jitter::Config::default()
        }
    }
}
