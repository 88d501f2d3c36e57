use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

/// The example of RFC 2198 §5 with its two DVI4 blocks: F=1, type 5, 160 units back, 84 bytes; F=0, type 5.
#[test]
fn the_example_of_the_rfc_is_read() {
    let mut payload = vec![0x85, 0x02, 0x80, 0x54, 0x05];
    payload.extend([0xaa; 84]);
    payload.extend([0xbb; 80]);
    let red = RedPayload::parse(&payload).unwrap();
    let blocks: Vec<_> = red.redundant().collect();
    assert_eq!(
        blocks,
        [RedBlock {
            payload_type: 5,
            timestamp_offset: 160,
            payload: &[0xaa; 84],
        }]
    );
    assert_eq!((red.primary.payload_type, red.primary.timestamp_offset), (5, 0));
    assert_eq!(red.primary.payload, [0xbb; 80]);

    let mut written = BytesMut::new();
    emit_red(&blocks, 5, &[0xbb; 80], &mut written).unwrap();
    assert_eq!(written, payload);
}

#[test]
fn a_primary_block_alone_has_one_byte_of_header() {
    let red = RedPayload::parse(&[111, 1, 2, 3]).unwrap();
    assert_eq!((red.redundant().count(), red.primary.payload), (0, &[1, 2, 3][..]));
    let empty = RedPayload::parse(&[111]).unwrap();
    assert_eq!(empty.primary.payload, []);
}

#[test]
fn promises_that_are_not_kept_are_errors() {
    let truncated = |needed, available| Err(ParseError::Truncated { needed, available });
    // Nothing; a header that ends early; no header of a primary block; a block that ends early.
    assert_eq!(RedPayload::parse(&[]).map(|_| ()), truncated(1, 0));
    assert_eq!(RedPayload::parse(&[0x80 | 111, 0, 0]).map(|_| ()), truncated(4, 3));
    assert_eq!(RedPayload::parse(&[0x80 | 111, 0, 0, 0]).map(|_| ()), truncated(5, 4));
    assert_eq!(
        RedPayload::parse(&[0x80 | 111, 0, 0, 2, 111, 9]).map(|_| ()),
        truncated(7, 6)
    );
    // Headers without end.
    assert!(RedPayload::parse(&[0xff; 1200]).is_err());
}

#[test]
fn what_does_not_fit_a_header_is_not_written() {
    let mut out = BytesMut::new();
    let block = RedBlock {
        payload_type: 111,
        timestamp_offset: 960,
        payload: &[0; 1023],
    };
    let long = [0; 1024];
    for bad in [
        RedBlock {
            timestamp_offset: 0x4000,
            ..block
        },
        RedBlock {
            payload: &long,
            ..block
        },
        RedBlock {
            payload_type: 128,
            ..block
        },
    ] {
        assert!(emit_red(&[block, bad], 111, b"x", &mut out).is_err());
    }
    assert!(emit_red(&[], 200, b"x", &mut out).is_err());
    assert!(out.is_empty());
    emit_red(&[block], 111, b"x", &mut out).unwrap();
    assert_eq!(out.len(), 4 + 1 + 1023 + 1);
}

proptest! {
    #[test]
    fn red_round_trips(
        blocks in prop::collection::vec((0u8..128, 0u16..0x4000, prop::collection::vec(any::<u8>(), 0..80)), 0..6),
        payload_type in 0u8..128,
        primary in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let blocks: Vec<_> = blocks
            .iter()
            .map(|(payload_type, timestamp_offset, payload)| RedBlock {
                payload_type: *payload_type,
                timestamp_offset: *timestamp_offset,
                payload,
            })
            .collect();
        let mut out = BytesMut::new();
        emit_red(&blocks, payload_type, &primary, &mut out).unwrap();
        let read = RedPayload::parse(&out).unwrap();
        prop_assert_eq!(read.redundant().count_left(), blocks.len());
        prop_assert_eq!(read.redundant().collect::<Vec<_>>(), blocks);
        prop_assert_eq!((read.primary.payload_type, read.primary.payload), (payload_type, &primary[..]));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(read) = RedPayload::parse(&bytes) {
            let redundant: usize = read.redundant().map(|block| RedBlock::HEADER + block.payload.len()).sum();
            prop_assert_eq!(redundant + RedBlock::PRIMARY_HEADER + read.primary.payload.len(), bytes.len());
        }
    }
}
