use super::*;
use crate::{Decoder, DecoderConfig, is_dtx, packet_samples};

#[test]
fn refuses_settings_that_opus_does_not_have() {
    let frame = Duration::from_millis(15);
    let refused = Encoder::new(EncoderConfig {
        frame,
        ..EncoderConfig::default()
    });
    assert_eq!(refused.err(), Some(CodecError::FrameDuration { frame }));
    let mut encoder = Encoder::new(EncoderConfig::default()).unwrap();
    assert!(matches!(
        encoder.set_bitrate(5_999),
        Err(CodecError::OutOfRange { setting: "bitrate", .. })
    ));
    assert!(matches!(
        encoder.set_complexity(11),
        Err(CodecError::OutOfRange {
            setting: "complexity",
            ..
        })
    ));
    assert!(matches!(
        encoder.set_expected_loss(101),
        Err(CodecError::OutOfRange { .. })
    ));
}

#[test]
fn takes_exactly_one_frame() {
    let mut encoder = Encoder::new(EncoderConfig::default()).unwrap();
    let mut packet = [0; 1276];
    let refused = encoder.encode(&[0.0; 480], &mut packet);
    assert_eq!(
        refused,
        Err(CodecError::FrameLength {
            expected: 960,
            got: 480
        })
    );
    assert_eq!(
        encoder.encode(&[0.0; 960], &mut []),
        Err(CodecError::OutputTooSmall { got: 0 })
    );
    assert!(encoder.encode(&[0.0; 960], &mut packet).unwrap() > 0);
}

#[test]
fn every_frame_duration_gives_packets_of_that_duration() {
    for micros in [2_500, 5_000, 10_000, 20_000, 40_000, 60_000] {
        let frame = Duration::from_micros(micros);
        let mut encoder = Encoder::new(EncoderConfig {
            frame,
            ..EncoderConfig::default()
        })
        .unwrap();
        let mut packet = [0; 4000];
        let pcm = vec![0.1; encoder.frame_samples()];
        let length = encoder.encode(&pcm, &mut packet).unwrap();
        assert_eq!(
            packet_samples(&packet[..length]),
            Some(encoder.frame_samples()),
            "{frame:?}"
        );
    }
}

#[test]
fn silence_with_dtx_is_mostly_packets_that_need_not_be_sent() {
    let mut packets = [0, 0];
    for (count, dtx) in packets.iter_mut().zip([false, true]) {
        let mut encoder = Encoder::new(EncoderConfig {
            dtx,
            ..EncoderConfig::default()
        })
        .unwrap();
        let mut packet = [0; 1276];
        for _ in 0..100 {
            let length = encoder.encode(&[0.0; 960], &mut packet).unwrap();
            *count += usize::from(length > 2);
            assert_eq!(length <= 2, is_dtx(&packet[..length]));
        }
    }
    let [without, with] = packets;
    assert_eq!(without, 100);
    assert!(with <= 30, "{with} of 100 packets of silence are sent");
}

#[test]
fn nan_and_infinity_do_no_harm() {
    let mut encoder = Encoder::new(EncoderConfig::default()).unwrap();
    let mut decoder = Decoder::new(DecoderConfig::default()).unwrap();
    let mut packet = [0; 1276];
    let mut pcm = [0.0; 960];
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 0.25] {
        let length = encoder.encode(&[bad; 960], &mut packet).unwrap();
        assert_eq!(decoder.decode(&packet[..length], &mut pcm).unwrap(), 960);
        assert!(pcm.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0));
    }
}
