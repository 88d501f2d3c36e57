/// What the encoder is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Targets {
    /// Bits per second.
    pub(crate) bitrate: u32,
    /// Loss to be armed against, in percent.
    pub(crate) expected_loss: u8,
}

/// Turns the loss that the peer reports into encoder settings.
///
/// The expected loss follows reports upwards at once and downwards slowly, for losses come in spells, with a quarter on
/// top. It never falls below [`LEAST_LOSS`]: the copies that repair the first loss of a spell were sent before it.
///
/// The bitrate falls when the mean of some seven reports passes 15 % of loss and recovers below 5 %, after the loss-based half of Google
/// congestion control (draft-ietf-rmcat-gcc-02 §6), whose 10 % and 2 % are moved up: at this rate a call is seldom what fills
/// a link, and the copies need the bits. It never falls below what carries wideband speech and its copies.
#[derive(Clone, Debug)]
pub(crate) struct Steering {
    most_bitrate: f64,
    least_bitrate: f64,
    bitrate: f64,
    /// Smoothed loss, 0..=1, quick to rise.
    loss: f64,
    /// Smoothed loss, 0..=1, slow both ways: a report covers few packets, and one bad one is no congestion.
    mean_loss: f64,
}

/// Percent.
const LEAST_LOSS: f64 = 5.0;
/// Percent; more makes the copies no better.
const MOST_LOSS: f64 = 35.0;
const LEAST_BITRATE: f64 = 24_000.0;

impl Steering {
    pub(crate) fn new(bitrate: u32) -> Self {
        let bitrate = f64::from(bitrate);
        Self {
            most_bitrate: bitrate,
            least_bitrate: bitrate.min(LEAST_BITRATE),
            bitrate,
            loss: 0.0,
            mean_loss: 0.0,
        }
    }

    /// Takes the share lost (0..=1) of one report.
    pub(crate) fn on_report(&mut self, fraction_lost: f32) -> Targets {
        let reported = f64::from(fraction_lost).clamp(0.0, 1.0);
        let weight = if reported > self.loss { 0.5 } else { 0.1 };
        self.loss += weight * (reported - self.loss);
        self.mean_loss += 0.15 * (reported - self.mean_loss);
        if self.mean_loss > 0.15 {
            self.bitrate = (self.bitrate * (1.0 - 0.5 * self.mean_loss)).max(self.least_bitrate);
        } else if self.mean_loss < 0.05 {
            self.bitrate = (self.bitrate * 1.05).min(self.most_bitrate);
        }
        self.targets()
    }

    pub(crate) fn targets(&self) -> Targets {
        let expected_loss = (self.loss * 125.0).clamp(LEAST_LOSS, MOST_LOSS).round() as u8;
        Targets {
            bitrate: self.bitrate.round() as u32,
            expected_loss,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_path_keeps_the_bitrate_and_a_little_redundancy() {
        let mut steering = Steering::new(32_000);
        assert_eq!(
            steering.targets(),
            Targets {
                bitrate: 32_000,
                expected_loss: 5
            }
        );
        for _ in 0..100 {
            assert_eq!(
                steering.on_report(0.0),
                Targets {
                    bitrate: 32_000,
                    expected_loss: 5
                }
            );
        }
    }

    #[test]
    fn redundancy_rises_fast_and_falls_slowly() {
        let mut steering = Steering::new(32_000);
        steering.on_report(0.2);
        let risen = steering.on_report(0.2).expected_loss;
        assert!(risen >= 18, "{risen} after two reports");
        for _ in 0..20 {
            steering.on_report(0.2);
        }
        let held = steering.on_report(0.2).expected_loss;
        assert!((24..=25).contains(&held), "{held}");
        assert!(
            steering.on_report(0.0).expected_loss >= 22,
            "one good report is no all-clear"
        );
        for _ in 0..40 {
            steering.on_report(0.0);
        }
        assert_eq!(steering.targets().expected_loss, 5);
    }

    #[test]
    fn bitrate_stays_within_its_bounds_and_comes_back() {
        for configured in [12_000, 24_000, 32_000, 64_000] {
            let mut steering = Steering::new(configured);
            for _ in 0..50 {
                steering.on_report(1.0);
            }
            assert_eq!(
                steering.targets(),
                Targets {
                    bitrate: configured.min(24_000),
                    expected_loss: 35
                }
            );
            for _ in 0..200 {
                steering.on_report(0.0);
            }
            assert_eq!(steering.targets().bitrate, configured);
        }
    }

    #[test]
    fn moderate_loss_leaves_the_bitrate_alone() {
        let mut steering = Steering::new(32_000);
        for report in 0..200u16 {
            // 10 % on average, from 2 % to 18 %.
            steering.on_report(f32::from(report * 7 % 17 + 2) / 100.0);
        }
        assert_eq!(steering.targets().bitrate, 32_000);
        assert!((12..=23).contains(&steering.targets().expected_loss));
    }

    #[test]
    fn nonsense_is_clamped() {
        let mut steering = Steering::new(32_000);
        for fraction in [-1.0, 7.0, f32::INFINITY] {
            let targets = steering.on_report(fraction);
            assert!((5..=35).contains(&targets.expected_loss) && (24_000..=32_000).contains(&targets.bitrate));
        }
    }
}
