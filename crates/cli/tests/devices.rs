//! A call through real audio devices: two PulseAudio null sinks stand for the caller's microphone and the callee's
//! speaker, and cpal carries the sound in and out.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, PATIENCE, Process, dev_server, skipped, urls};

const TONE: f32 = 700.0;
const RATE: u32 = 48_000;

/// A program that ends with the test.
struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A PulseAudio daemon of the test's own, with the sinks `mic` and `ear`.
struct Pulse {
    _daemon: Helper,
    server: String,
    home: String,
}

impl Pulse {
    fn start(folder: &Folder) -> Self {
        let socket = folder.path("native");
        let protocol = format!(
            "module-native-protocol-unix socket={} auth-anonymous=1",
            socket.display()
        );
        let sink = |name: &str| format!("module-null-sink sink_name={name} rate={RATE} channels=1");
        let daemon = Command::new("pulseaudio")
            .args([
                "--daemonize=no",
                "-n",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "--log-level=error",
            ])
            .args(["-L", &protocol, "-L", &sink("mic"), "-L", &sink("ear")])
            .env("HOME", folder.path(""))
            .env("XDG_RUNTIME_DIR", folder.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pulse = Self {
            _daemon: Helper(daemon),
            server: format!("unix:{}", socket.display()),
            home: folder.path("").display().to_string(),
        };
        let deadline = Instant::now() + PATIENCE;
        while !pulse
            .command("pactl")
            .args(["info"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
        {
            assert!(Instant::now() < deadline, "PulseAudio does not answer");
            std::thread::park_timeout(Duration::from_millis(50));
        }
        pulse
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("PULSE_SERVER", &self.server).env("HOME", &self.home);
        command
    }
}

fn write_tone(path: &Path, seconds: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for index in 0..RATE * seconds {
        let phase = std::f32::consts::TAU * TONE * index as f32 / RATE as f32;
        writer.write_sample((phase.sin() * 8_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// Tenths of a second in which the tone holds most of the energy.
fn tenths_of_tone(pcm: &[f32]) -> usize {
    let block = RATE as usize / 10;
    pcm.chunks_exact(block)
        .filter(|chunk| {
            let energy: f32 = chunk.iter().map(|sample| sample * sample).sum();
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (index, sample) in chunk.iter().enumerate() {
                let phase = std::f32::consts::TAU * TONE * index as f32 / RATE as f32;
                real += sample * phase.cos();
                imaginary += sample * phase.sin();
            }
            let tone = 2.0 * (real * real + imaginary * imaginary) / block as f32;
            energy / block as f32 > 1e-4 && tone > 0.5 * energy
        })
        .count()
}

#[test]
fn sound_goes_from_a_microphone_to_a_speaker() {
    if Command::new("pulseaudio").arg("--version").output().is_err() {
        skipped("the program `pulseaudio` is missing (cargo xtask setup installs it)");
        return;
    }
    let folder = Folder::new("devices");
    let pulse = Pulse::start(&folder);
    let (_server, url) = dev_server(None, "127.0.0.1:0", &folder.path("data"));
    let (app, ws) = urls(&url);
    // The other programs ask for small blocks as we do: a null sink moves sound in blocks of the largest that is asked for.
    let tone = folder.path("tone.wav");
    write_tone(&tone, 120);
    let _player = Helper(
        pulse
            .command("paplay")
            .args(["--latency-msec=20", "--device=mic"])
            .arg(&tone)
            .spawn()
            .unwrap(),
    );
    let heard = folder.path("heard.raw");
    let recorder = pulse
        .command("parec")
        .args([
            "--device=ear.monitor",
            "--format=s16le",
            "--rate=48000",
            "--channels=1",
            "--raw",
        ])
        .stdout(File::create(&heard).unwrap())
        .spawn()
        .unwrap();
    let recorder = Helper(recorder);

    let phone = |name: &str, command: &[&str], user: &str| {
        let events = folder.path(&format!("{name}.jsonl"));
        let environment = [("PULSE_SERVER", pulse.server.as_str()), ("HOME", pulse.home.as_str())];
        let mut arguments = command.to_vec();
        arguments.extend(["--as", user, "--loopback", "--app-server", &app, "--server", &ws]);
        Process::start_with(name, None, &arguments, Some(events), &environment)
    };
    let mut callee = phone(
        "callee",
        &["answer", "--auto", "--input", "silence", "--output", "speaker:ear"],
        "bob",
    );
    callee.wait_for_event("waiting");
    let mut caller = phone(
        "caller",
        &[
            "call",
            "bob",
            "--input",
            "mic:mic.monitor",
            "--output",
            "null",
            "--seconds",
            "5",
        ],
        "alice",
    );
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));

    drop(recorder);
    let bytes = std::fs::read(&heard).unwrap();
    let pcm: Vec<f32> = bytes
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    let tenths = tenths_of_tone(&pcm);
    assert!(
        tenths >= 25,
        "the tone was heard for {tenths} tenths of a second of about 50"
    );
}
