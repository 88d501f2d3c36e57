use super::*;

fn filled(pcm: impl Fn(usize) -> f32) -> SyncBuffer {
    let mut sync = SyncBuffer::new(48_000);
    let all: Vec<f32> = (0..4800).map(pcm).collect();
    assert_eq!(sync.append(&all), 4800);
    // So much played that there is a history to look back to.
    sync.play(&mut [0.0; 2400]);
    sync
}

fn tone(n: usize) -> f32 {
    0.5 * (n as f32 * std::f32::consts::TAU / 330.0).sin()
}

#[test]
fn plays_what_was_appended_whatever_has_to_move() {
    let mut sync = SyncBuffer::new(48_000);
    let mut next = 0;
    let mut out = [0.0; 480];
    for block in 0..500 {
        let pcm: Vec<f32> = (0..480).map(|n| (block * 480 + n) as f32).collect();
        assert_eq!(sync.append(&pcm), 480);
        assert_eq!(sync.play(&mut out), 480);
        assert!(out.iter().enumerate().all(|(n, &sample)| sample == (next + n) as f32));
        next += 480;
    }
    assert!(sync.samples.capacity() <= sync.capacity);
}

#[test]
fn a_tone_is_stretched_without_a_seam() {
    for accelerate in [true, false] {
        let mut sync = filled(tone);
        let done = if accelerate {
            sync.accelerate(700, 480, 0.88)
        } else {
            sync.expand(700, 0.88)
        }
        .unwrap();
        assert!(
            done.speech && done.samples.is_multiple_of(330) || done.samples.abs_diff(330) <= 2,
            "{done:?}"
        );
        let expected = if accelerate {
            2400 - done.samples
        } else {
            2400 + done.samples
        };
        assert_eq!(sync.pending(), expected);
        let mut out = vec![0.0; expected];
        sync.play(&mut out);
        let step = out.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.012, "{step}");
        assert!((out[0] - tone(2400)).abs() < 0.02);
    }
}

#[test]
fn noise_is_left_alone_and_silence_gives_all() {
    let mut state = 1_u32;
    let noise: Vec<f32> = (0..4800)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect();
    assert_eq!(filled(|n| noise[n]).accelerate(700, 480, 0.88), None);
    assert_eq!(filled(|n| noise[n]).expand(700, 0.88), None);
    assert_eq!(
        filled(|_| 0.0).accelerate(700, 480, 0.88),
        Some(Stretched {
            samples: 700,
            speech: false
        })
    );
    assert_eq!(
        filled(|_| 0.0).expand(700, 0.88),
        Some(Stretched {
            samples: 700,
            speech: false
        })
    );
}

#[test]
fn keeps_what_must_be_played() {
    let mut sync = filled(|_| 0.0);
    sync.accelerate(720, 2200, 0.88);
    assert!(sync.pending() >= 2200);
}
