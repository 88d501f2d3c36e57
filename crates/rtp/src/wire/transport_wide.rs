use bytes::{BufMut, BytesMut};

/// The arrival of packets by their transport-wide numbers (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransportWideFeedback {
    /// Number of the first packet told of.
    pub base: u16,
    /// Time that the first arrival is told from, in multiples of 64 ms; 24 bits, signed.
    pub reference_time: i32,
    /// Counts the feedback messages, wrapping.
    pub count: u8,
    /// For each packet from `base` on: `None` when it has not arrived, else the time since the arrival before it (the reference
    /// time for the first), in multiples of 250 µs.
    pub arrivals: Vec<Option<i16>>,
}

/// What a packet status says (§3.1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Lost = 0,
    Small = 1,
    Large = 2,
}

impl TransportWideFeedback {
    /// The URI by which a session description maps an id to the number's header extension.
    pub const URI: &'static str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    /// One step of an arrival, in microseconds.
    pub const STEP_MICROS: i64 = 250;
    /// One step of the reference time, in steps of an arrival: 64 ms.
    pub const REFERENCE_STEPS: i64 = 256;
    /// Packets that one message can tell of at most.
    pub const MAX_PACKETS: usize = 8191;

    /// Writes the feedback control information; of `arrivals`, the first [`MAX_PACKETS`](Self::MAX_PACKETS).
    pub(super) fn emit(&self, out: &mut BytesMut) {
        let start = out.len();
        let arrivals = &self.arrivals[..self.arrivals.len().min(Self::MAX_PACKETS)];
        out.put_u16(self.base);
        out.put_u16(arrivals.len() as u16);
        out.put_slice(&self.reference_time.to_be_bytes()[1..]);
        out.put_u8(self.count);
        let symbols: Vec<Symbol> = arrivals
            .iter()
            .map(|arrival| match arrival {
                None => Symbol::Lost,
                // §3.1.5: one unsigned byte where that is enough.
                Some(0..=255) => Symbol::Small,
                Some(_) => Symbol::Large,
            })
            .collect();
        let mut rest = &symbols[..];
        while let Some(&first) = rest.first() {
            let run = rest.iter().take_while(|symbol| **symbol == first).count();
            if run >= 7 {
                // §3.1.3: run length chunk.
                out.put_u16(((first as u16) << 13) | run as u16);
                rest = &rest[run..];
            } else {
                // §3.1.4: status vector chunk of seven symbols of two bits; what is beyond the count means nothing.
                let (taken, later) = rest.split_at(rest.len().min(7));
                let bits = taken
                    .iter()
                    .enumerate()
                    .fold(0, |bits, (at, symbol)| bits | ((*symbol as u16) << (12 - 2 * at)));
                out.put_u16(0xc000 | bits);
                rest = later;
            }
        }
        for arrival in arrivals.iter().flatten() {
            match u8::try_from(*arrival) {
                Ok(small) => out.put_u8(small),
                Err(_) => out.put_i16(*arrival),
            }
        }
        let length = out.len() - start;
        out.put_bytes(0, length.next_multiple_of(4) - length);
    }
}
