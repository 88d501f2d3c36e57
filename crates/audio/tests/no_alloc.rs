//! The callbacks of the device thread allocate nothing: this binary's allocator aborts when they do.
//!
//! That they take no lock needs no run: they touch their arguments, atomics and the halves of an SPSC ring, none of
//! which has one.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Instant;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use duologue_audio::rt::{CaptureSide, DeviceSample, PlayoutSide, Shared, capture_callback, playout_callback, ring};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

fn exercise<T: DeviceSample>(value: f32) {
    let shared = Arc::new(Shared::new(Instant::now()));
    let (writer, mut reader) = ring(4_000);
    let mut capture = CaptureSide {
        ring: writer,
        shared: Arc::clone(&shared),
    };
    let block = vec![T::from_f32(value); 1_024];
    // Less than the callbacks move on average, so that the ring gets full, or dry.
    let mut out = vec![0.0; 500];
    for i in 0..1_000 {
        // Fits, and does not fit, in turns.
        assert_no_alloc(|| capture_callback(&mut capture, &block, 1 + i % 3, Instant::now()));
        reader.read(&mut out);
    }
    assert!(shared.dropped() > 0 && shared.dropped() < shared.frames());

    let (mut writer, reader) = ring(4_000);
    let played = Arc::new(Shared::new(Instant::now()));
    let mut playout = PlayoutSide {
        ring: reader,
        shared: Arc::clone(&played),
        reserve: 960,
        playing: false,
    };
    let mut block = vec![T::SILENCE; 1_024];
    for i in 0..1_000 {
        writer.write(&out);
        assert_no_alloc(|| playout_callback(&mut playout, &mut block, 1 + i % 3, Instant::now()));
    }
    // It has played, run dry and started again.
    assert!(played.first_sample().is_some() && played.xruns() > 0 && played.silence() < played.frames());
    assert_no_alloc(|| {
        played.note_xrun();
        played.note_lost();
    });
}

#[test]
fn callbacks_allocate_nothing() {
    exercise::<f32>(0.5);
    exercise::<i16>(-0.5);
    exercise::<i32>(0.1);
}

#[test]
fn the_guard_is_armed() {
    // In a process of its own, because the guard aborts.
    if std::env::var_os("DUOLOGUE_ALLOCATE").is_some() {
        let block = assert_no_alloc(|| vec![0_u8; 100]);
        assert_eq!(block.len(), 100);
        return;
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_guard_is_armed"])
        .env("DUOLOGUE_ALLOCATE", "1")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
}
