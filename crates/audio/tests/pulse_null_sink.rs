//! A tone through a real audio server: played to a null sink, captured from its monitor.
//!
//! The test starts a PulseAudio daemon of its own in a temporary folder and stops it again. Without the `pulseaudio`
//! program it says so and passes, unless `DUOLOGUE_REQUIRE_ALL=1`.
#![allow(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::print_stderr, reason = "it tells why it was skipped")]

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use duologue_audio::{AudioError, Capture, Direction, Playout, Source as _, ToneSource, devices};

const HZ: f32 = 997.0;
/// Only ends a test that has failed already.
const PATIENCE: Duration = Duration::from_secs(30);
const NAME: &str = "pulse_null_sink";

struct Daemon {
    child: Child,
    folder: PathBuf,
}

impl Daemon {
    fn start() -> Result<Self, std::io::Error> {
        let folder = std::env::temp_dir().join(format!("duologue-pulse-{}", std::process::id()));
        fs::create_dir_all(folder.join("home"))?;
        let socket = folder.join("native");
        let child = Command::new("pulseaudio")
            .args([
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "--disable-shm=yes",
                "--realtime=no",
            ])
            .arg("--high-priority=no")
            .arg(format!(
                "--load=module-native-protocol-unix auth-anonymous=1 socket={}",
                socket.display()
            ))
            .arg("--load=module-null-sink sink_name=duologue_test rate=48000 channels=2")
            .env("HOME", folder.join("home"))
            .env("XDG_RUNTIME_DIR", &folder)
            .env("PULSE_RUNTIME_PATH", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, folder })
    }

    /// Waits until it listens.
    fn ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while std::os::unix::net::UnixStream::connect(self.folder.join("native")).is_err() {
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "pulseaudio ended before it listened"
            );
            assert!(Instant::now() < deadline, "pulseaudio does not listen");
            pause();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Lets the daemon and the device threads work for a tick. A real audio server keeps real time, so this test polls it;
/// nothing is asserted about how long anything takes.
fn pause() {
    std::thread::park_timeout(Duration::from_millis(10));
}

/// The share of the power of `pcm` that is at `hz`.
fn share_at(pcm: &[f32], hz: f32) -> f64 {
    let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
    for (i, sample) in (0_u32..).zip(pcm) {
        let angle = std::f64::consts::TAU * f64::from(hz) * f64::from(i) / 48_000.0;
        re += f64::from(*sample) * angle.cos();
        im += f64::from(*sample) * angle.sin();
        power += f64::from(*sample).powi(2);
    }
    if power == 0.0 {
        0.0
    } else {
        2.0 * (re * re + im * im) / (power * pcm.len() as f64)
    }
}

/// The part that talks to the server. In a process of its own, whose environment names the server.
fn play_and_listen() {
    let found = devices().unwrap();
    let sink = found
        .iter()
        .find(|d| d.id == "pulseaudio:duologue_test")
        .expect("the null sink is listed");
    let monitor = found
        .iter()
        .find(|d| d.id == "pulseaudio:duologue_test.monitor")
        .expect("its monitor is listed");
    assert!(
        sink.output && !sink.input && monitor.input && !monitor.output,
        "{found:?}"
    );
    assert!(
        sink.default_output && monitor.default_input,
        "the only ones are the default ones"
    );

    let unknown = Playout::open(Some("no such thing")).unwrap_err();
    assert!(
        matches!(
            unknown,
            AudioError::UnknownDevice {
                direction: Direction::Output,
                ..
            }
        ),
        "{unknown}"
    );

    let mut capture = Capture::open(Some(&monitor.id)).unwrap();
    let mut playout = Playout::open(Some(&sink.name)).unwrap();
    let mut tone = ToneSource::new(HZ, 0.5);
    let (mut block, mut heard) = ([0.0; 480], Vec::new());
    let deadline = Instant::now() + PATIENCE;
    let recognised = loop {
        while playout.fill() < playout.target() {
            tone.read(&mut block);
            assert_eq!(playout.write(&block), block.len());
        }
        while capture.available() > 0 {
            let count = capture.read(&mut block);
            heard.extend_from_slice(&block[..count]);
        }
        // A quarter of a second without a glitch is a phase-true tone.
        let latest = &heard[heard.len().saturating_sub(12_000)..];
        if latest.len() == 12_000 && share_at(latest, HZ) > 0.99 {
            break latest.to_vec();
        }
        assert!(
            Instant::now() < deadline,
            "not recognised: {} samples, share {:.3}, {:?} {:?}",
            heard.len(),
            share_at(latest, HZ),
            capture.stats(),
            playout.stats()
        );
        pause();
    };
    // The amplitude too: not clipped, not halved. From the effective value, because the server's own start may ring.
    let power = recognised.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / recognised.len() as f64;
    let amplitude = (2.0 * power).sqrt();
    assert!((amplitude - 0.5).abs() < 0.03, "{amplitude}");
    assert!(share_at(&recognised, HZ * 1.5) < 0.01);
    assert!(capture.first_sample().is_some() && playout.first_sample().is_some());
    assert!(!capture.stats().lost && !playout.stats().lost);
    eprintln!(
        "captured {} samples; {:?}; {:?}",
        heard.len(),
        capture.stats(),
        playout.stats()
    );
}

#[test]
fn pulse_null_sink() {
    if std::env::var_os("DUOLOGUE_PULSE_CHILD").is_some() {
        return play_and_listen();
    }
    let mut daemon = match Daemon::start() {
        Ok(daemon) => daemon,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(
                std::env::var("DUOLOGUE_REQUIRE_ALL").as_deref() != Ok("1"),
                "DUOLOGUE_REQUIRE_ALL=1, but there is no `pulseaudio` program"
            );
            eprintln!("skipped: there is no `pulseaudio` program (`cargo xtask setup` installs it)");
            return;
        }
        Err(error) => panic!("pulseaudio cannot be started: {error}"),
    };
    daemon.ready();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("DUOLOGUE_PULSE_CHILD", "1")
        .env(
            "PULSE_SERVER",
            format!("unix:{}", daemon.folder.join("native").display()),
        )
        .env("HOME", daemon.folder.join("home"))
        .env("XDG_RUNTIME_DIR", &daemon.folder)
        .output()
        .unwrap();
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
