//! The packets that wait, in timestamp order.

use std::collections::VecDeque;

use bytes::Bytes;

/// A packet that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) sequence: u64,
    pub(crate) timestamp: i64,
    pub(crate) payload: Bytes,
    pub(crate) arrival: i64,
    /// What became of the copy of the packet before it.
    pub(crate) copy: Copy,
}

/// Use of a packet's copy of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    Untouched,
    Used,
    Broken,
}

/// Packets sorted by timestamp, bounded, no two with the same timestamp. Never allocates after it was made.
#[derive(Debug)]
pub(crate) struct Queue {
    packets: VecDeque<Waiting>,
    max: usize,
}

impl Queue {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            packets: VecDeque::with_capacity(max + 1),
            max,
        }
    }

    /// Queues a packet; false when its timestamp is there already.
    pub(crate) fn insert(&mut self, packet: Waiting) -> bool {
        let mut at = self.packets.len();
        while at > 0 && self.packets[at - 1].timestamp >= packet.timestamp {
            if self.packets[at - 1].timestamp == packet.timestamp {
                return false;
            }
            at -= 1;
        }
        self.packets.insert(at, packet);
        true
    }

    /// Takes the oldest out if there is one packet too many.
    pub(crate) fn evict(&mut self) -> Option<Waiting> {
        if self.packets.len() > self.max {
            self.packets.pop_front()
        } else {
            None
        }
    }

    pub(crate) fn front(&self) -> Option<&Waiting> {
        self.packets.front()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.packets.iter()
    }

    pub(crate) fn second(&self) -> Option<&Waiting> {
        self.packets.get(1)
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut Waiting> {
        self.packets.front_mut()
    }

    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        self.packets.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(crate) fn clear(&mut self) {
        self.packets.clear();
    }
}
