//! `duologue demo`: a real call between two processes on this machine, watched, recorded and judged.

pub(crate) mod analysis;
mod picture;
mod relay;
pub(crate) use relay::rewrite;
mod report;
mod side;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::args::DemoArgs;
use crate::outcome::Outcome;
use crate::server::DevServer;
use analysis::Sound;
use report::Direction;
use side::Side;

const CALLER_CLIP: &[u8] = include_bytes!("../assets/speech-caller.wav");
const CALLEE_CLIP: &[u8] = include_bytes!("../assets/speech-callee.wav");

/// How long the callee may take to be ready, and the call to connect and to end, beyond the time the two talk.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the event logs are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the demo; the outcome says whether both sides heard each other.
pub(crate) async fn run(arguments: &DemoArgs) -> anyhow::Result<Outcome> {
    check(arguments)?;
    let out = &arguments.out;
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let said = [
        clip(
            arguments.caller_says.as_deref(),
            CALLER_CLIP,
            out.join("caller-said.wav"),
        )?,
        clip(
            arguments.callee_says.as_deref(),
            CALLEE_CLIP,
            out.join("callee-said.wav"),
        )?,
    ];
    let data = out.join("server-data");
    if data.exists() {
        std::fs::remove_dir_all(&data).with_context(|| format!("cannot empty {}", data.display()))?;
    }
    let server = DevServer::start("127.0.0.1:0".parse()?, &data).await?;
    let relay = relay::Control::start(arguments)?;
    println!("call server with the reference app server: {}", server.http_url());
    if relay.is_some() {
        println!(
            "path between the two: {} % loss, {} ms jitter, {} ms delay each way (seed {})",
            arguments.loss, arguments.jitter, arguments.delay, arguments.seed
        );
    }

    let heard = [out.join("caller-heard.wav"), out.join("callee-heard.wav")];
    let phone = |user: &str, input: &Path, output: &Path| {
        let mut list: Vec<String> = ["--as", user, "--loopback"].map(Into::into).to_vec();
        for (name, value) in [
            ("--app-server", server.app_url()),
            ("--server", server.ws_url()),
            ("--service", server.service_id().to_owned()),
            ("--input", input.display().to_string()),
            ("--output", output.display().to_string()),
        ] {
            list.extend([name.to_owned(), value]);
        }
        if let Some(relay) = &relay {
            list.extend(["--relay".to_owned(), relay.address().to_string()]);
        }
        list
    };
    let mut answer: Vec<String> = ["answer", "--auto", "--wait", "60"].map(Into::into).to_vec();
    answer.extend(phone("bob", &said[1], &heard[1]));
    let mut callee = Side::start("callee", &answer, out.join("callee-events.jsonl"))?;
    wait_for(&mut callee, "waiting").await?;
    let mut call: Vec<String> = ["call", "bob", "--seconds", &arguments.seconds.to_string()]
        .map(Into::into)
        .to_vec();
    call.extend(phone("alice", &said[0], &heard[0]));
    let mut caller = Side::start("caller", &call, out.join("caller-events.jsonl"))?;

    let finished = watch(&mut caller, &mut callee, arguments.seconds).await;
    let record = server.newest_record().await;
    server.stop().await;
    finished?;

    let directions = [
        direction("caller to callee", &said[0], &heard[1], &caller, &callee)?,
        direction("callee to caller", &said[1], &heard[0], &callee, &caller)?,
    ];
    let record = record.context("the server wrote no call record")?;
    println!("{}", report::text(&caller, &callee, &directions, &record));
    let subtitle = format!(
        "{:.0} s, path with {} % loss, {} ms jitter, {} ms delay each way; likeness {:.3} and {:.3}; record {}",
        arguments.seconds,
        arguments.loss,
        arguments.jitter,
        arguments.delay,
        directions[0].found.correlation,
        directions[1].found.correlation,
        record["sid"].as_str().unwrap_or_default()
    );
    let picture = out.join("call.svg");
    std::fs::write(
        &picture,
        report::picture(&caller, &callee, &directions, subtitle).to_svg(),
    )
    .with_context(|| format!("cannot write {}", picture.display()))?;
    println!(
        "Listen and look\n  {}\n  {}\n  {}",
        heard[1].display(),
        heard[0].display(),
        picture.display()
    );
    if arguments.play {
        play(&heard[0]).await?;
    }
    if directions.iter().all(|direction| direction.found.heard()) {
        println!("\nBoth sides heard what the other said.");
        Ok(Outcome::Ended)
    } else {
        println!("\nFAILED: what was heard is not what was said.");
        Ok(Outcome::Other)
    }
}

fn check(arguments: &DemoArgs) -> anyhow::Result<()> {
    if !(0.0..=100.0).contains(&arguments.loss) {
        bail!("--loss is a share in percent, from 0 to 100; it is {}", arguments.loss);
    }
    for (name, value) in [("--jitter", arguments.jitter), ("--delay", arguments.delay)] {
        if !(0.0..=10_000.0).contains(&value) {
            bail!("{name} is in milliseconds, from 0 to 10000; it is {value}");
        }
    }
    if !(3.0..=3_600.0).contains(&arguments.seconds) {
        bail!(
            "--seconds must be from 3 to 3600, so that there is speech to compare; it is {}",
            arguments.seconds
        );
    }
    Ok(())
}

/// The WAV file to be said: the user's own, or the built-in one written to `path`.
fn clip(own: Option<&Path>, builtin: &[u8], path: PathBuf) -> anyhow::Result<PathBuf> {
    if let Some(own) = own {
        Sound::read(own)?;
        return Ok(own.to_path_buf());
    }
    std::fs::write(&path, builtin).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Waits until `side` has logged `event`.
async fn wait_for(side: &mut Side, event: &str) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        side.refresh();
        if side.event(event).is_some() {
            return Ok(());
        }
        if let Some(status) = side.child.try_wait()? {
            bail!(
                "the {} ended early ({status}); run with --log debug to see why",
                side.name
            );
        }
        if tokio::time::Instant::now() > deadline {
            bail!("the {} was not ready within {} s", side.name, PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Shows both sides until both processes have ended.
async fn watch(caller: &mut Side, callee: &mut Side, seconds: f64) -> anyhow::Result<()> {
    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{msg}")?;
    let bar = || bars.add(ProgressBar::new_spinner().with_style(style.clone()));
    let (upper, lower) = (bar(), bar());
    let deadline = tokio::time::Instant::now() + PATIENCE + Duration::from_secs_f64(seconds);
    let plain = !console_is_live();
    let mut states = (String::new(), String::new());
    loop {
        caller.refresh();
        callee.refresh();
        if plain {
            // Without a terminal only changes of state are worth a line.
            let now = (caller.state().to_owned(), callee.state().to_owned());
            if now != states {
                println!("caller: {:<18} callee: {}", now.0, now.1);
                states = now;
            }
        } else {
            upper.set_message(caller.line());
            lower.set_message(callee.line());
        }
        let ended = (caller.child.try_wait()?, callee.child.try_wait()?);
        if let (Some(first), Some(second)) = ended {
            caller.refresh();
            callee.refresh();
            upper.finish();
            lower.finish();
            if !first.success() || !second.success() {
                bail!("the call failed: caller {first}, callee {second}; the event logs in the output folder say more");
            }
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            bail!("the call did not end in time");
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn console_is_live() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal()
}

fn direction(label: &'static str, said: &Path, heard: &Path, from: &Side, to: &Side) -> anyhow::Result<Direction> {
    let missing = |side: &Side, event: &str| format!("the {} logged no {event}", side.name);
    let said_at = from
        .wall_ms("first_sample_in")
        .with_context(|| missing(from, "first_sample_in"))?;
    let heard_at = to
        .wall_ms("first_sample_out")
        .with_context(|| missing(to, "first_sample_out"))?;
    let (said, heard) = (Sound::read(said)?, Sound::read(heard)?);
    let found = analysis::compare(&said, &heard);
    Ok(Direction {
        label,
        said,
        heard,
        found,
        said_at,
        heard_at,
    })
}

/// Plays a recording on this machine's speaker.
async fn play(path: &Path) -> anyhow::Result<()> {
    println!("playing {}", path.display());
    let path = path.to_path_buf();
    tokio::task::spawn_blocking(move || crate::sound::play(&path)).await?
}
