//! What a sender does about losses: redundant packets (RFC 2198) and answers to requests (NACK, RFC 4585), as the network of the trace
//! would deliver them.

use std::collections::BTreeSet;

use crate::input::Input;

/// A packet on its way to the buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) at_ms: f64,
    /// Index into the input's packets.
    pub(crate) packet: usize,
}

/// Everything that will arrive, in order.
#[derive(Debug)]
pub(crate) struct Network<'a> {
    input: &'a Input,
    arriving: Vec<Arrival>,
    next: usize,
    /// Answers that are on their way.
    answers: Vec<Arrival>,
    asked: BTreeSet<u64>,
    rtt_ms: Option<f64>,
    pub(crate) bytes: u64,
}

impl<'a> Network<'a> {
    pub(crate) fn new(input: &'a Input, red: usize, rtt_ms: Option<f64>) -> Self {
        let mut arriving = Vec::new();
        let mut bytes = 0;
        for (index, packet) in input.packets.iter().enumerate() {
            let copies = index.saturating_sub(red)..=index;
            bytes += copies
                .clone()
                .map(|n| input.packets[n].payload.len() as u64)
                .sum::<u64>();
            let Some(at_ms) = packet.arrival else { continue };
            // The oldest copy first, as a receiver takes a RED payload apart.
            arriving.extend(copies.map(|packet| Arrival { at_ms, packet }));
        }
        arriving.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        Self {
            input,
            arriving,
            next: 0,
            answers: Vec::new(),
            asked: BTreeSet::new(),
            rtt_ms,
            bytes,
        }
    }

    pub(crate) fn rtt_ms(&self) -> Option<f64> {
        self.rtt_ms
    }

    pub(crate) fn over(&self) -> bool {
        self.next == self.arriving.len()
    }

    /// The next packet that has arrived by `now_ms`.
    pub(crate) fn poll(&mut self, now_ms: f64) -> Option<Arrival> {
        let planned = self.arriving.get(self.next).copied();
        let answer = self
            .answers
            .iter()
            .enumerate()
            .min_by(|a, b| a.1.at_ms.total_cmp(&b.1.at_ms))
            .map(|(n, answer)| (n, *answer));
        match (planned, answer) {
            (planned, Some((n, answer)))
                if answer.at_ms <= now_ms && planned.is_none_or(|p| answer.at_ms < p.at_ms) =>
            {
                self.answers.swap_remove(n);
                Some(answer)
            }
            (Some(planned), _) if planned.at_ms <= now_ms => {
                self.next += 1;
                Some(planned)
            }
            _ => None,
        }
    }

    /// The buffer wants this packet; true when it is asked for. The answer meets the losses that a packet sent at that time meets.
    pub(crate) fn ask(&mut self, sequence: u64, now_ms: f64) -> bool {
        let Some(rtt) = self.rtt_ms else { return false };
        if !self.asked.insert(sequence) {
            return false;
        }
        let packets = &self.input.packets;
        let Ok(packet) = packets.binary_search_by_key(&sequence, |packet| packet.sequence) else {
            return false;
        };
        // Sent after half a round trip; the trace's times are of the receiver, a network delay later.
        let answered = now_ms + rtt;
        self.bytes += packets[packet].payload.len() as u64;
        let sent = answered - self.input.least_delay_ms();
        let meets = packets.partition_point(|packet| self.input.sent_ms(packet.timestamp) < sent);
        if packets.get(meets).is_some_and(|packet| packet.arrival.is_some()) {
            self.answers.push(Arrival {
                at_ms: answered,
                packet,
            });
        }
        true
    }
}
