//! When a phone's line delivered audio, seen on the line itself.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most arrivals kept: an hour and more of audio.
const KEPT: usize = 200_000;

/// Notes the arrival of each RTP packet at a phone, over all the lines that it has.
#[derive(Debug, Default)]
pub struct Tap {
    arrivals: Mutex<Vec<Instant>>,
}

impl Tap {
    /// Looks at an IP packet that is being delivered.
    pub fn see(&self, packet: &[u8], now: Instant) {
        if is_rtp(packet) {
            let mut arrivals = self.lock();
            if arrivals.len() < KEPT {
                arrivals.push(now);
            }
        }
    }

    /// How many packets of audio came.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// The first arrival at or after `moment`.
    #[must_use]
    pub fn first_after(&self, moment: Instant) -> Option<Instant> {
        self.lock().iter().copied().find(|at| *at >= moment)
    }

    /// The last arrival before `moment`.
    #[must_use]
    pub fn last_before(&self, moment: Instant) -> Option<Instant> {
        self.lock().iter().copied().rev().find(|at| *at < moment)
    }

    /// The longest time without audio, of the gaps that end after `moment`.
    #[must_use]
    pub fn longest_gap_after(&self, moment: Instant) -> Option<Duration> {
        let arrivals = self.lock();
        arrivals
            .windows(2)
            .filter(|pair| pair[1] >= moment)
            .map(|pair| pair[1].saturating_duration_since(pair[0]))
            .max()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an IP packet carries RTP over UDP, on its own or in ChannelData of TURN.
fn is_rtp(packet: &[u8]) -> bool {
    let Some(first) = packet.first() else { return false };
    let (protocol, header) = match first >> 4 {
        4 => (packet.get(9), usize::from(first & 15) * 4),
        6 => (packet.get(6), 40),
        _ => return false,
    };
    let Some(payload) = packet.get(header + 8..).filter(|_| protocol == Some(&17)) else {
        return false;
    };
    // RFC 8656 §12: channel numbers begin with 0x40 to 0x4F, and four bytes come before the data.
    let inner = match payload.first() {
        Some(0x40..=0x4f) => payload.get(4..).unwrap_or_default(),
        _ => payload,
    };
    // RFC 7983 §7: 128 to 191 is RTP or RTCP; RFC 5761 §4: RTCP's packet types are 192 to 223.
    matches!(inner, [128..=191, kind, ..] if !(192..=223).contains(kind) && inner.len() >= 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 28];
        packet[0] = 0x45;
        packet[9] = 17;
        packet.extend_from_slice(payload);
        packet
    }

    #[test]
    fn rtp_is_told_from_everything_else() {
        let mut rtp = vec![0x80, 111];
        rtp.resize(40, 0);
        assert!(is_rtp(&udp(&rtp)));
        let mut channel = vec![0x40, 0, 0, 40];
        channel.extend_from_slice(&rtp);
        assert!(is_rtp(&udp(&channel)));
        let mut six = vec![0; 48];
        (six[0], six[6]) = (0x60, 17);
        six.extend_from_slice(&rtp);
        assert!(is_rtp(&six));

        let mut rtcp = rtp.clone();
        rtcp[1] = 200;
        let mut stun = rtp.clone();
        stun[0] = 0;
        let mut tcp = udp(&rtp);
        tcp[9] = 6;
        for other in [
            udp(&rtcp),
            udp(&stun),
            udp(&rtp[..8]),
            udp(&[]),
            tcp,
            vec![],
            vec![0x45; 3],
        ] {
            assert!(!is_rtp(&other), "{other:?}");
        }
    }

    #[test]
    fn gaps_are_between_arrivals() {
        let tap = Tap::default();
        let start = Instant::now();
        let mut rtp = vec![0x80, 111];
        rtp.resize(40, 0);
        for ms in [0, 20, 40, 340, 360, 380, 480] {
            tap.see(&udp(&rtp), start + Duration::from_millis(ms));
        }
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(tap.count(), 7);
        assert_eq!(tap.longest_gap_after(at(100)), Some(Duration::from_millis(300)));
        assert_eq!(tap.longest_gap_after(at(350)), Some(Duration::from_millis(100)));
        assert_eq!(
            (tap.first_after(at(41)), tap.last_before(at(41))),
            (Some(at(340)), Some(at(40)))
        );
        assert_eq!(tap.longest_gap_after(at(481)), None);
    }
}
