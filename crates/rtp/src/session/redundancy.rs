//! Redundant payloads (RFC 2198): a copy of the packet before in each packet sent, and what to make of those received.

use bytes::{Bytes, BytesMut};

use super::Session;
use crate::wire::{RedBlock, RedPayload, RtpPacket, emit_red};
use crate::{Event, Output, ReceivedPacket};

/// A packet with its copy stays below this, so that no path has to fragment it.
const MAX_PAYLOAD: usize = 1100;

/// The last payload sent, for the next packet to repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    payload: Vec<u8>,
    timestamp: u64,
}

impl History {
    pub(super) fn clear(&mut self) {
        self.payload.clear();
    }

    fn set(&mut self, payload: &[u8], timestamp: u64) {
        self.payload.clear();
        self.payload.extend_from_slice(payload);
        self.timestamp = timestamp;
    }
}

impl Session {
    /// The payload type and payload to send, and how many bytes of it repeat what was sent before.
    pub(super) fn wrap(&mut self, payload: &[u8]) -> (u8, Bytes, usize) {
        let formats = &self.config.formats;
        let Some(red) = formats.red.filter(|red| red.send) else {
            return (formats.payload_type, Bytes::copy_from_slice(payload), 0);
        };
        let offset = u16::try_from(self.timestamp.saturating_sub(self.history.timestamp)).unwrap_or(u16::MAX);
        let copy = RedBlock {
            payload_type: formats.payload_type,
            timestamp_offset: offset,
            payload: &self.history.payload,
        };
        // After a pause the one before is too old to be of use, and its offset does not fit (RFC 2198 §3).
        let useful = !copy.payload.is_empty()
            && offset <= RedBlock::MAX_OFFSET
            && copy.payload.len() <= RedBlock::MAX_LENGTH
            && copy.payload.len() + payload.len() <= MAX_PAYLOAD;
        let redundant = if useful { std::slice::from_ref(&copy) } else { &[] };
        let repeated: usize = redundant
            .iter()
            .map(|block| RedBlock::HEADER + block.payload.len())
            .sum();
        let mut wrapped = BytesMut::with_capacity(repeated + RedBlock::PRIMARY_HEADER + payload.len());
        let result = emit_red(redundant, formats.payload_type, payload, &mut wrapped);
        result.expect("a block that fits and seven bits of payload type");
        self.history.set(payload, self.timestamp);
        (red.payload_type, wrapped.freeze(), repeated)
    }

    /// Delivers a packet whose source and numbers were checked: its own payload, and copies of packets that are missing.
    pub(super) fn deliver(&mut self, packet: &Bytes, view: &RtpPacket<'_>, received: &ReceivedPacket) {
        let red = self.config.formats.red;
        if red.is_none_or(|red| red.payload_type != view.payload_type) {
            self.deliver_block(received.clone());
            return;
        }
        let Ok(red) = RedPayload::parse(view.payload) else {
            self.stats.red_malformed += 1;
            return;
        };
        // The copies first, as they were said first. The last of them is of the packet before this one, and so on.
        let blocks = red.redundant();
        let count = blocks.count_left() as u64;
        for (block, back) in blocks.zip((1..=count).rev()) {
            self.stats.redundant_blocks_received += 1;
            let (Some(sequence), Some(timestamp)) = (
                received.sequence.checked_sub(back),
                received.timestamp.checked_sub(u64::from(block.timestamp_offset)),
            ) else {
                continue;
            };
            // A copy of the packet itself, or of nothing, is no copy.
            if block.timestamp_offset == 0 || block.payload.is_empty() {
                continue;
            }
            if !self.knows(block.payload_type) {
                self.stats.unknown_payload_type += 1;
            } else if self.source.as_mut().is_some_and(|source| source.repair(sequence)) {
                self.stats.redundant_blocks_used += 1;
                self.push(Output::Event(Event::Packet(ReceivedPacket {
                    sequence,
                    timestamp,
                    marker: false,
                    payload_type: block.payload_type,
                    payload: packet.slice_ref(block.payload),
                    redundant: true,
                    ..received.clone()
                })));
            }
        }
        self.deliver_block(ReceivedPacket {
            payload_type: red.primary.payload_type,
            payload: packet.slice_ref(red.primary.payload),
            ..received.clone()
        });
    }

    fn deliver_block(&mut self, received: ReceivedPacket) {
        if !self.knows(received.payload_type) {
            self.stats.unknown_payload_type += 1;
        } else if !received.payload.is_empty() {
            self.push(Output::Event(Event::Packet(received)));
        }
    }

    fn knows(&self, payload_type: u8) -> bool {
        self.config.formats.receive_payload_types.contains(&payload_type)
    }
}
