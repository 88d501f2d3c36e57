use super::{Sound, compare};

const CALLER: &[u8] = include_bytes!("../../../assets/speech-caller.wav");
const CALLEE: &[u8] = include_bytes!("../../../assets/speech-callee.wav");

fn clip(bytes: &[u8]) -> Sound {
    Sound::parse(bytes).expect("the clips of the demo are WAV files")
}

/// The clip as it would be recorded: later by `delay` seconds, softer, and with a little noise.
fn recorded(clip: &Sound, delay: f64) -> Sound {
    let mut samples = vec![0.0; (delay * f64::from(clip.rate)) as usize];
    samples.extend(clip.samples.iter().map(|sample| sample * 0.5));
    let mut state = 1_u32;
    for sample in &mut samples {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample += ((state >> 16) as f32 / 65_536.0 - 0.5) * 0.002;
    }
    Sound {
        samples,
        rate: clip.rate,
    }
}

#[test]
fn the_same_speech_is_recognised_and_its_delay_measured() {
    let said = clip(CALLER);
    let found = compare(&said, &recorded(&said, 0.137));
    assert!(found.heard(), "correlation {}", found.correlation);
    assert!((found.offset - 0.137).abs() < 0.003, "offset {}", found.offset);
    assert!(found.track.len() > 10);
    assert!(found.track.iter().all(|(_, offset)| (offset - 0.137).abs() < 0.01));
}

#[test]
fn a_recording_that_begins_late_has_a_negative_offset() {
    let said = clip(CALLEE);
    let late = Sound {
        samples: said.samples[4_000..].to_vec(),
        rate: said.rate,
    };
    let found = compare(&said, &late);
    assert!(found.heard());
    assert!((found.offset + 0.25).abs() < 0.003, "offset {}", found.offset);
}

#[test]
fn silence_is_not_heard() {
    let said = clip(CALLER);
    let silent = Sound {
        samples: vec![0.0; said.samples.len()],
        rate: said.rate,
    };
    assert!(!compare(&said, &silent).heard());
    assert!(
        !compare(&said, &recorded(&silent, 0.1)).heard(),
        "noise alone is not heard either"
    );
    assert!(
        !compare(
            &said,
            &Sound {
                samples: Vec::new(),
                rate: 48_000
            }
        )
        .heard()
    );
}

#[test]
fn another_clip_is_not_heard() {
    let (caller, callee) = (clip(CALLER), clip(CALLEE));
    let found = compare(&caller, &recorded(&callee, 0.1));
    assert!(!found.heard(), "correlation {}", found.correlation);
}

#[test]
fn swapped_sides_are_not_heard() {
    let (caller, callee) = (clip(CALLER), clip(CALLEE));
    // Each side hears itself instead of the other.
    for (said, heard) in [(&callee, &caller), (&caller, &callee)] {
        let found = compare(said, &recorded(heard, 0.2));
        assert!(!found.heard(), "correlation {}", found.correlation);
    }
}

#[test]
fn half_of_the_words_lost_is_not_heard() {
    let said = clip(CALLER);
    let mut heard = recorded(&said, 0.1);
    let piece = heard.rate as usize / 4;
    for (index, chunk) in heard.samples.chunks_mut(piece).enumerate() {
        if index % 2 == 0 {
            chunk.fill(0.0);
        }
    }
    assert!(!compare(&said, &heard).heard());
}

#[test]
fn rates_may_differ() {
    let said = clip(CALLER);
    let tripled: Vec<f32> = said.samples.iter().flat_map(|sample| [*sample; 3]).collect();
    let found = compare(
        &said,
        &Sound {
            samples: tripled,
            rate: 48_000,
        },
    );
    assert!(found.heard());
    assert!(found.offset.abs() < 0.003);
}
