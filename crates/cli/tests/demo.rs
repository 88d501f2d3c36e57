//! The demo as a user runs it.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::process::Command;

use common::{DUOLOGUE, Folder};

fn demo(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let out = folder.path("out");
    let output = Command::new(DUOLOGUE)
        .arg("demo")
        .args(arguments)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

fn shows_a_whole_call(folder: &Folder, text: &str) {
    for part in [
        "evt_wait_connected",
        "evt_verified",
        "evt_connected",
        "mouth to ear",
        "concealed",
        "\"disconnect_reason\":1001",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    for file in ["caller-heard.wav", "callee-heard.wav", "call.svg"] {
        assert!(
            folder
                .path("out")
                .join(file)
                .metadata()
                .is_ok_and(|file| file.len() > 1_000),
            "{file}"
        );
    }
}

#[test]
fn a_clean_call_is_heard_by_both_sides() {
    let folder = Folder::new("demo");
    let (code, text) = demo(&folder, &["--seconds", "6"]);
    assert_eq!(code, Some(0), "{text}");
    shows_a_whole_call(&folder, &text);
}

#[test]
fn a_call_over_a_bad_path_is_heard_by_both_sides() {
    let folder = Folder::new("demo-impaired");
    let (code, text) = demo(
        &folder,
        &["--seconds", "8", "--loss", "5", "--jitter", "30", "--delay", "80"],
    );
    assert_eq!(code, Some(0), "{text}");
    shows_a_whole_call(&folder, &text);
}

#[test]
fn a_side_that_says_nothing_fails_the_check() {
    let folder = Folder::new("demo-silent");
    let silence = folder.path("silence.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&silence, spec).unwrap();
    (0..16_000 * 5).for_each(|_| writer.write_sample(0_i16).unwrap());
    writer.finalize().unwrap();
    let (code, text) = demo(&folder, &["--seconds", "5", "--caller-says", silence.to_str().unwrap()]);
    assert_eq!(code, Some(9), "{text}");
    assert!(text.contains("NOT HEARD"), "{text}");
}

#[test]
fn impossible_arguments_are_refused_with_the_allowed_range() {
    let folder = Folder::new("demo-arguments");
    let (code, text) = demo(&folder, &["--loss", "150"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("from 0 to 100"), "{text}");
}
