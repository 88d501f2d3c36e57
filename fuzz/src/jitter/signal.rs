//! The signal fuzzer: a steady stream of hostile sound over a hostile network.

use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_jitter::{Config, DecodeError, Decoder, JitterBuffer, Operation, Packet};

use super::Input;

const FRAME: usize = 960;
/// Packets of one run at most.
const MAX_PACKETS: u64 = 600;

/// Decodes (amplitude, noise) to a sine with noise, conceals with the last of it.
struct Signal {
    phase: f32,
    state: u32,
    last: (f32, f32),
}

impl Signal {
    fn fill(&mut self, out: &mut [f32]) {
        let (amplitude, noise) = self.last;
        for sample in out {
            self.phase = (self.phase + 0.013) % 1.0;
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = (self.state >> 8) as f32 / 8_388_608.0 - 1.0;
            *sample = amplitude * (self.phase * std::f32::consts::TAU).sin() + noise * white;
        }
    }
}

impl Decoder for Signal {
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        let [amplitude, noise] = payload else {
            return Err(DecodeError);
        };
        self.last = (f32::from(*amplitude) / 128.0, f32::from(*noise) / 255.0);
        self.fill(&mut out[..FRAME]);
        Ok(FRAME)
    }
    fn recover(&mut self, _: &[u8], _: usize, _: &mut [f32]) -> Result<usize, DecodeError> {
        Ok(0)
    }
    fn has_recovery(&self, _: &[u8]) -> bool {
        false
    }
    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError> {
        self.fill(out);
        Ok(out.len())
    }
    fn duration(&self, _: &[u8]) -> Option<usize> {
        Some(FRAME)
    }
    fn in_dtx(&self) -> bool {
        false
    }
}

/// Each packet takes three bytes: loudness of a sine, loudness of noise, and an offset of its arrival (-128 is lost). Blocks of 9, 10
/// or 11 ms are pulled, as the first byte says.
///
/// Invariants: every block is filled with finite audio in range; timestamps do not go back; the counters add up; little is held;
/// the delay stays below its maximum, a packet, and what the scale of delays may have moved by.
pub fn jitter_signal(data: &[u8]) {
    let mut input = Input(data);
    let block_ms = 9 + u64::from(input.byte() % 3);
    let max_delay = Duration::from_millis(500);
    let mut buffer = JitterBuffer::new(Config {
        max_delay,
        ..Config::default()
    });
    let mut signal = Signal {
        phase: 0.0,
        state: 1,
        last: (0.0, 0.0),
    };
    let mut arriving = Vec::new();
    for n in 0..MAX_PACKETS {
        if input.0.is_empty() {
            break;
        }
        let (amplitude, noise, offset) = (input.byte(), input.byte(), input.byte() as i8);
        if offset != i8::MIN {
            let at = (n * 20 + 150).saturating_add_signed(offset.into());
            arriving.push((at, n, Bytes::copy_from_slice(&[amplitude, noise])));
        }
    }
    arriving.sort_by_key(|packet| packet.0);
    let Some(end) = arriving.last().map(|packet| packet.0 + 1000) else {
        return;
    };
    let origin = Instant::now();
    let mut packets = arriving.into_iter().peekable();
    let mut out = vec![0.0; 48 * block_ms as usize];
    let mut last = (0, 0);
    let mut now_ms = 0;
    while now_ms < end {
        let now = origin + Duration::from_millis(now_ms);
        while let Some((at, n, payload)) = packets.next_if(|packet| packet.0 <= now_ms) {
            let packet = Packet {
                sequence: 70_000 + n,
                timestamp: (1 << 33) + n * FRAME as u64,
                payload,
                duration_hint: None,
            };
            buffer.insert(packet, origin + Duration::from_millis(at));
        }
        out.fill(f32::NAN);
        let report = buffer.pull(now, &mut signal, &mut out);
        assert_eq!(report.samples, out.len());
        assert!(out.iter().all(|sample| sample.abs() <= 1.0));
        if report.operation != Operation::Silence {
            assert!(report.playout_timestamp >= last.0 && report.end_timestamp >= last.1);
            last = (report.playout_timestamp, report.end_timestamp);
        }
        // A packet that came faster than all before it moves the scale of delays by up to 255 ms at once.
        assert!(buffer.current_delay() <= max_delay + Duration::from_millis(255 + 20 + 20));
        assert!(buffer.pending_samples() <= 48_000 && buffer.queued_packets() <= 200);
        let stats = buffer.stats();
        assert_eq!(
            stats.jitter_buffer_emitted_count
                + stats.concealed_samples
                + stats.comfort_noise_samples
                + stats.inserted_samples_for_deceleration,
            stats.total_samples_received + stats.removed_samples_for_acceleration + buffer.pending_samples() as u64,
        );
        now_ms += block_ms;
    }
}
