use super::*;

/// RFC 8439 appendix A.1, test vectors 1 and 2: key and nonce zero, block counters 0 and 1.
#[test]
fn the_key_stream_is_that_of_rfc_8439() {
    let start = |counter| -> Vec<u8> {
        chacha20(&[0; 8], counter)[..4]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect()
    };
    assert_eq!(
        start(0),
        [
            0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28
        ]
    );
    assert_eq!(
        start(1),
        [
            0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d
        ]
    );
}

#[test]
fn the_spread_stays_within_a_fifth() {
    let mut rng = Rng::new([7; 32]);
    for _ in 0..1000 {
        let wait = rng.spread(Duration::from_secs(5));
        assert!(
            wait >= Duration::from_secs(4) && wait <= Duration::from_secs(6),
            "{wait:?}"
        );
    }
}
