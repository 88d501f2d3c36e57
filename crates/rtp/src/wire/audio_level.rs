/// How loud the audio of a packet is (RFC 6464).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the sender takes it for speech.
    pub voice: bool,
    /// Level below the loudest possible signal, in dB: 0 (loudest) to 127 (silence). -dBov.
    pub below_overload: u8,
}

impl AudioLevel {
    /// The URI by which a session description maps an id to this element.
    pub const URI: &'static str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

    /// Reads the data of an element; `None` when it is empty. RFC 6464 §3: one byte, in either form of header; more are
    /// ignored.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        let &first = data.first()?;
        Some(Self {
            voice: first & 0x80 != 0,
            below_overload: first & 0x7f,
        })
    }

    /// The data of an element.
    #[must_use]
    pub fn to_byte(self) -> u8 {
        (u8::from(self.voice) << 7) | self.below_overload.min(127)
    }

    /// The level of samples in [-1, 1] whose mean square is `mean_square`.
    #[must_use]
    pub fn of_mean_square(mean_square: f64, voice: bool) -> Self {
        // Ten times the logarithm of a square: the 20 of an amplitude. -∞ dB and what is no number saturate to silence.
        let below = -10.0 * mean_square.max(0.0).log10();
        Self {
            voice,
            below_overload: if below.is_nan() {
                127
            } else {
                below.round().clamp(0.0, 127.0) as u8
            },
        }
    }

    /// The same as a share of full scale, 0.0..=1.0, as webrtc-stats has it.
    #[must_use]
    pub fn linear(self) -> f64 {
        if self.below_overload >= 127 {
            return 0.0;
        }
        10f64.powf(-f64::from(self.below_overload) / 20.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_bits_of_the_rfc() {
        let level = AudioLevel {
            voice: true,
            below_overload: 30,
        };
        assert_eq!(level.to_byte(), 0x80 | 30);
        assert_eq!(AudioLevel::parse(&[0x9e, 0]), Some(level));
        assert_eq!(AudioLevel::parse(&[]), None);
    }

    #[test]
    fn levels_are_measured_from_full_scale() {
        for (mean_square, below) in [
            (1.0, 0),
            (4.0, 0),
            (0.5, 3),
            (1e-4, 40),
            (0.0, 127),
            (f64::NAN, 127),
            (-1.0, 127),
        ] {
            assert_eq!(
                AudioLevel::of_mean_square(mean_square, false).below_overload,
                below,
                "{mean_square}"
            );
        }
        let half = AudioLevel::of_mean_square(0.25, false).linear();
        assert!((half - 0.5).abs() < 0.01, "{half}");
        assert_eq!(AudioLevel::of_mean_square(0.0, false).linear(), 0.0);
    }
}
