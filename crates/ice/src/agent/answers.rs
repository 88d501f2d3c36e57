//! Answers to checks, at once or when the owner has seen what the check carries.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::Agent;
use crate::stun::{self, Key, Transaction};

/// Answers that wait at most: further checks are answered at once, with what there is.
const MAX_WAITING: usize = 16;
/// A datagram to an unproven address is at most so many times as long as the one that asks for it, as RFC 9000 §8.1 has
/// it.
const AMPLIFICATION: usize = 3;
/// Length of an answer without a payload to an IPv6 address, the payload's header included.
const BARE: usize = 20 + 24 + 24 + 8 + 8;

/// Answers that are still to be sent, oldest first.
pub(super) type Answers = VecDeque<Answer>;

/// An authenticated check that is to be answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) local: SocketAddr,
    pub(super) source: SocketAddr,
    pub(super) transaction: Transaction,
    pub(super) key: Key,
    /// Length of the check in bytes.
    pub(super) asked: usize,
    /// Whether it had a payload.
    pub(super) carried: bool,
}

impl Agent {
    pub(super) fn answer_check(&mut self, answer: Answer) {
        if answer.carried && self.answers.len() < MAX_WAITING {
            self.answers.push_back(answer);
        } else {
            self.send_answer(&answer);
        }
    }

    /// The owner has polled everything, the payloads of the checks included.
    pub(super) fn answer_now(&mut self) {
        for answer in std::mem::take(&mut self.answers) {
            self.send_answer(&answer);
        }
        self.service(self.clock);
    }

    fn send_answer(&mut self, answer: &Answer) {
        let (local, source) = (answer.local, answer.source);
        let pair = self.pairs.find_by_address(local, source);
        let proven = pair.is_some_and(|pair| pair.valid_since.is_some());
        let fits = |payload: &&Vec<u8>| proven || BARE + payload.len() <= AMPLIFICATION * answer.asked;
        let payload = self.check_payloads.front().filter(fits).map(Vec::as_slice);
        let bytes = stun::success(answer.transaction, source, payload, Some(&answer.key));
        if payload.is_some() {
            self.turn_payloads();
        }
        self.transmit(local, source, bytes);
        self.stats.responses_sent += 1;
    }

    /// The next message carries the next payload.
    pub(super) fn turn_payloads(&mut self) {
        if self.check_payloads.len() > 1 {
            self.check_payloads.rotate_left(1);
        }
    }
}
