use proptest::prelude::*;

use super::*;

#[test]
fn lengths_that_opus_cannot_conceal_are_refused() {
    let mut decoder = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    for samples in [0, 1, 119, 121, 5761, 5880] {
        assert_eq!(
            decoder.conceal(&mut vec![0.0; samples]),
            Err(CodecError::ConcealLength { samples })
        );
    }
    let mut out = [1.0; 480];
    assert_eq!(decoder.conceal(&mut out), Ok(480));
    assert_eq!(
        out, [0.0; 480],
        "nothing was heard yet, so there is nothing to continue"
    );
}

#[test]
fn complexity_is_checked() {
    assert!(matches!(
        Decoder::new(DecoderConfig { complexity: 11 }),
        Err(CodecError::OutOfRange { .. })
    ));
}

/// RFC 6716 §3.4 beyond the first two bytes: what the decoder refuses must not announce a duration.
#[test]
fn what_the_framing_rules_forbid_is_no_packet() {
    let long = [vec![9 << 3], vec![0; 1276]].concat();
    let cases: [&[u8]; 6] = [
        // R3: two frames of equal size from an odd number of bytes.
        &[4 << 3 | 1, 0],
        // R4: the first of two frames is longer than what is there.
        &[4 << 3 | 2, 9, 1],
        // R6: three equal frames from two bytes.
        &[4 << 3 | 3, 3, 1, 2],
        // R6: more padding than bytes.
        &[4 << 3 | 3, 0x41, 9, 1],
        // R7: the sizes of variable frames run over the end.
        &[4 << 3 | 3, 0x82, 200, 1],
        // R2: no frame is longer than 1275 bytes.
        &long,
    ];
    let mut decoder = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    for payload in cases {
        let invalid = CodecError::InvalidPacket { length: payload.len() };
        assert_eq!(
            decoder.decode(payload, &mut [0.0; MAX_PACKET_SAMPLES]),
            Err(invalid.clone())
        );
        assert_eq!(packet_samples(payload), None, "{:?}", &payload[..2]);
        assert!(!is_dtx(payload));
        assert_eq!(decoder.decode_fec(payload, 960, &mut [0.0; 960]), Err(invalid));
    }
}

#[test]
fn a_stereo_packet_decodes_to_mono() {
    // TOC: configuration 31 (CELT, fullband, 20 ms), stereo, one frame; then arbitrary coded bytes.
    let mut packet = vec![31 << 3 | 1 << 2];
    packet.extend((0..80_u8).map(|byte| byte.wrapping_mul(37)));
    let mut decoder = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    let mut out = [0.0; 960];
    assert_eq!(decoder.decode(&packet, &mut out), Ok(960));
}

#[test]
fn too_small_a_buffer_is_refused_and_changes_nothing() {
    let packet = [31 << 3, 1, 2, 3, 4];
    let mut decoder = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    assert_eq!(
        decoder.decode(&packet, &mut [0.0; 959]),
        Err(CodecError::OutputTooSmall { got: 959 })
    );
    let mut fresh = Decoder::new(DecoderConfig { complexity: 0 }).unwrap();
    let (mut a, mut b) = ([0.0; 960], [0.0; 960]);
    assert_eq!(decoder.decode(&packet, &mut a), fresh.decode(&packet, &mut b));
    assert_eq!(a, b);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    /// Any sequence of arbitrary payloads, recoveries and concealments of any size: typed errors or audio in range, and the length
    /// that was announced.
    #[test]
    fn any_bytes_are_taken(
        complexity in prop_oneof![Just(0_u8), Just(7_u8)],
        steps in prop::collection::vec((0..4_u8, prop::collection::vec(any::<u8>(), 0..200), 0..50_usize), 1..12),
    ) {
        let mut decoder = Decoder::new(DecoderConfig { complexity }).unwrap();
        for (kind, payload, size) in steps {
            let mut out = vec![0.0; size * STEP];
            match kind {
                0 | 1 => match decoder.decode(&payload, &mut out) {
                    Ok(samples) => prop_assert_eq!(Some(samples), packet_samples(&payload)),
                    Err(CodecError::OutputTooSmall { got }) => {
                        prop_assert_eq!(got, out.len());
                        prop_assert!(packet_samples(&payload).unwrap() > got);
                    }
                    Err(error) => {
                        prop_assert_eq!(error, CodecError::InvalidPacket { length: payload.len() });
                        prop_assert_eq!(packet_samples(&payload), None);
                    }
                },
                2 => {
                    let samples = out.len();
                    if let Ok(written) = decoder.decode_fec(&payload, samples, &mut out) {
                        prop_assert_eq!(written, if has_lbrr(&payload) { samples } else { 0 });
                    }
                }
                _ => match decoder.conceal(&mut out) {
                    Ok(written) => prop_assert_eq!(written, size * STEP),
                    Err(error) => prop_assert_eq!(error, CodecError::ConcealLength { samples: size * STEP }),
                },
            }
            prop_assert!(out.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0));
        }
    }

    /// The framing rules never read past the payload nor promise more than 120 ms.
    #[test]
    fn packet_questions_take_any_bytes(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Some(samples) = packet_samples(&payload) {
            prop_assert!(samples.is_multiple_of(STEP) && (STEP..=MAX_PACKET_SAMPLES).contains(&samples));
        }
        let _ = has_lbrr(&payload);
        prop_assert!(!is_dtx(&payload) || payload.len() <= 2);
    }
}
