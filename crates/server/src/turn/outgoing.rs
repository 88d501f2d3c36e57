//! Datagrams to clients, gathered until they are worth a system call.

use std::net::SocketAddr;
use std::ops::Range;

use duologue_turn::Forward;

/// Datagrams at a time; with more, the ones that wait are sent first.
pub(super) const MOST: usize = 64;

/// One buffer for many datagrams. The copy into it costs a hundredth of the system call that it saves.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    datagrams: Vec<(SocketAddr, Range<usize>)>,
}

impl Outgoing {
    pub(super) fn push_forward(&mut self, to: SocketAddr, forward: &Forward<'_>) {
        let start = self.bytes.len();
        write(forward, &mut self.bytes);
        self.datagrams.push((to, start..self.bytes.len()));
    }

    pub(super) fn push(&mut self, to: SocketAddr, payload: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend(payload);
        self.datagrams.push((to, start..self.bytes.len()));
    }

    pub(super) fn is_full(&self) -> bool {
        self.datagrams.len() >= MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (SocketAddr, &[u8])> {
        self.datagrams
            .iter()
            .map(|(to, range)| (*to, &self.bytes[range.clone()]))
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.datagrams.clear();
    }
}

/// Header, payload and padding in one piece.
pub(super) fn write(forward: &Forward<'_>, bytes: &mut Vec<u8>) {
    bytes.extend(&*forward.header);
    bytes.extend(forward.payload);
    bytes.resize(bytes.len() + forward.padding, 0);
}
