use super::*;

fn capture(capacity: usize) -> (CaptureSide, RingReader) {
    let (writer, reader) = ring(capacity);
    (
        CaptureSide {
            ring: writer,
            shared: Arc::new(Shared::new(Instant::now())),
        },
        reader,
    )
}

fn playout(capacity: usize, reserve: usize) -> (PlayoutSide, RingWriter) {
    let (writer, reader) = ring(capacity);
    let shared = Arc::new(Shared::new(Instant::now()));
    (
        PlayoutSide {
            ring: reader,
            shared,
            reserve,
            playing: false,
        },
        writer,
    )
}

#[test]
fn capture_mixes_channels() {
    let (mut side, mut reader) = capture(16);
    let at = side.shared.base + Duration::from_millis(5);
    assert_eq!(side.shared.first_sample(), None);
    capture_callback(&mut side, &[0.5_f32, -0.25, 1.0, 1.0], 2, at);
    let mut out = [0.0; 16];
    assert_eq!(reader.read(&mut out), 2);
    assert_eq!(out[..2], [0.125, 1.0]);
    assert_eq!(side.shared.first_sample(), Some(at));
    capture_callback(&mut side, &[0.0_f32; 2], 2, at + Duration::from_secs(1));
    assert_eq!(side.shared.first_sample(), Some(at), "the first one stays the first");
}

#[test]
fn capture_drops_a_block_that_does_not_fit_whole() {
    let (mut side, mut reader) = capture(10);
    let now = Instant::now();
    capture_callback(&mut side, &[1_i16; 8], 1, now);
    capture_callback(&mut side, &[2_i16; 4], 1, now);
    capture_callback(&mut side, &[3_i16; 2], 1, now);
    let mut out = [0.0; 16];
    assert_eq!(reader.read(&mut out), 10);
    assert_eq!((side.shared.xruns(), side.shared.dropped()), (1, 4));
    assert_eq!((side.shared.callbacks(), side.shared.frames()), (3, 14));
    assert!((out[9] - 3.0 / 32_768.0).abs() < 1e-9);
}

#[test]
fn playout_waits_for_its_reserve_and_again_after_it_ran_dry() {
    let (mut side, mut writer) = playout(100, 10);
    let now = side.shared.base + Duration::from_millis(1);
    let mut block = [9.0_f32; 8];
    writer.write(&[0.5; 9]);
    playout_callback(&mut side, &mut block, 2, now);
    assert_eq!(block, [0.0; 8], "9 of 10 are there");
    assert_eq!(
        (side.shared.silence(), side.shared.xruns()),
        (0, 0),
        "nothing is missing before the start"
    );

    writer.write(&[0.25; 1]);
    playout_callback(&mut side, &mut block, 2, now);
    assert_eq!(block, [0.5; 8], "each sample goes to both channels");
    assert_eq!(side.shared.first_sample(), Some(now));

    playout_callback(&mut side, &mut block, 1, now);
    assert_eq!(block, [0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.0, 0.0]);
    assert_eq!((side.shared.silence(), side.shared.xruns()), (2, 1));
    writer.write(&[0.5; 4]);
    playout_callback(&mut side, &mut block, 1, now);
    assert_eq!(
        (block, side.shared.silence(), side.shared.xruns()),
        ([0.0; 8], 10, 1),
        "one glitch, not one per block"
    );
    writer.write(&[0.5; 8]);
    playout_callback(&mut side, &mut block, 1, now);
    assert_eq!(block, [0.5; 8]);
}

#[test]
fn odd_blocks_do_no_harm() {
    let (mut side, mut reader) = capture(8);
    let now = Instant::now();
    capture_callback::<f32>(&mut side, &[], 2, now);
    capture_callback(&mut side, &[1.0_f32; 3], 2, now);
    capture_callback(&mut side, &[1.0_f32; 2], 0, now);
    assert_eq!(reader.read(&mut [0.0; 8]), 3);

    let (mut side, mut writer) = playout(8, 0);
    writer.write(&[1.0; 8]);
    let mut block = [9.0_f32; 5];
    playout_callback(&mut side, &mut block, 2, now);
    assert_eq!(block, [1.0, 1.0, 1.0, 1.0, 9.0], "half a frame is nobody's");
    playout_callback::<f32>(&mut side, &mut [], 0, now);
    assert_eq!(writer.len(), 6);
}

#[test]
fn samples_convert_and_are_cut_to_their_range() {
    assert_eq!(
        (i16::from_f32(1.5), i16::from_f32(-1.5), i16::from_f32(f32::NAN)),
        (i16::MAX, i16::MIN, 0)
    );
    assert_eq!((i32::from_f32(2.0), i32::from_f32(-1.0)), (i32::MAX, i32::MIN));
    assert_eq!((f32::from_f32(-7.0), f32::from_f32(f32::NAN)), (-1.0, 0.0));
    for value in [-1.0_f32, -0.5, 0.0, 0.25] {
        assert_eq!(
            (i16::from_f32(value).to_f32(), i32::from_f32(value).to_f32()),
            (value, value)
        );
    }
}

#[test]
fn trouble_is_told_through_atomics() {
    let shared = Shared::new(Instant::now());
    shared.note_xrun();
    shared.note_lost();
    assert_eq!((shared.xruns(), shared.is_lost()), (1, true));
}
