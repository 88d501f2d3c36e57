//! Rounds, and what they come to.

use std::io;
use std::time::Duration;

use crate::load::{self, Load, Pace, Path, Seen};
use crate::servers::Process;

/// How much is measured.
#[derive(Debug)]
pub(crate) struct Settings {
    clients: usize,
    seconds: u64,
    rounds: usize,
    window: u32,
    only: Option<String>,
}

impl Settings {
    pub(crate) fn read(arguments: &[String], measure: bool) -> Self {
        let value = |key: &str| {
            let found = arguments.iter().filter_map(|argument| argument.split_once('='));
            found
                .filter(|(name, _)| *name == key)
                .map(|(_, value)| value)
                .next_back()
        };
        let number = |key, full, short: usize| {
            let given = value(key).and_then(|value| value.parse().ok());
            given.unwrap_or(if measure { full } else { short })
        };
        Self {
            // In pairs.
            clients: number("clients", 200, 2).max(2) & !1,
            seconds: number("seconds", 5, 0) as u64,
            rounds: number("rounds", 5, 1),
            window: number("window", 4, 1) as u32,
            only: value("only").map(str::to_owned),
        }
    }
}

/// Measures, and prints a table.
pub(crate) fn run(settings: &Settings, measure: bool) -> io::Result<()> {
    let echo = load::echo()?;
    let own = Process::duologue()?;
    let other = if measure { Process::coturn()? } else { None };
    if measure && other.is_none() {
        println!("skipped: no `turnserver` to compare with (Debian: coturn)");
    }
    println!("{settings:?}");
    println!("| path | pace | server | relayed per CPU-second | lost | delay, median and p99 |");
    println!("|---|---|---|---:|---:|---:|");
    for pace in [Pace::Calls, Pace::Window(settings.window)] {
        let name = if pace == Pace::Calls { "calls" } else { "window" };
        if settings.only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        for path in [Path::Echo, Path::BothEnds] {
            let (mut owns, mut others) = (Vec::new(), Vec::new());
            for _ in 0..settings.rounds {
                owns.push(round(&own, settings, path, pace, echo)?);
                if let Some(other) = &other {
                    others.push(round(other, settings, path, pace, echo)?);
                }
            }
            row("duologue", path, pace, &owns);
            if !others.is_empty() {
                row("coturn", path, pace, &others);
                let ratios = owns
                    .iter()
                    .zip(&others)
                    .map(|(own, other)| rate(path, own) / rate(path, other));
                let (least, median, most) = spread(ratios.collect());
                println!("| {path:?} | {pace:?} | ratio | {median:.2} ({least:.2} to {most:.2}) | | |");
            }
            // Where nothing was to be measured, it was to be shown that everything works.
            assert!(measure || owns.iter().all(|seen| seen.lost == 0), "packets were lost");
        }
    }
    Ok(())
}

fn round(
    server: &Process,
    settings: &Settings,
    path: Path,
    pace: Pace,
    echo: std::net::SocketAddr,
) -> io::Result<Seen> {
    let mut load = Load::connect(server.address, settings.clients, path, echo)?;
    let seconds = Duration::from_secs(settings.seconds);
    let half = Duration::from_millis(500);
    let seen = if seconds.is_zero() {
        // Nothing is measured; on a busy machine everything may take its time.
        load.run(pace, Duration::ZERO, half / 2, Duration::from_secs(30), || server.cpu())?
    } else {
        load.run(pace, half, seconds, half, || server.cpu())?
    };
    if seen.delivered == 0 && !seconds.is_zero() {
        return Err(io::Error::other("nothing came through"));
    }
    Ok(seen)
}

/// Packets relayed in a second of CPU time.
fn rate(path: Path, seen: &Seen) -> f64 {
    let times = if path == Path::Echo { 2.0 } else { 1.0 };
    // The clock of CPU time has steps of 10 ms.
    times * seen.delivered as f64 / seen.cpu.max(0.01)
}

fn row(name: &str, path: Path, pace: Pace, seen: &[Seen]) {
    let (least, median, most) = spread(seen.iter().map(|seen| rate(path, seen)).collect());
    let lost: u64 = seen.iter().map(|seen| seen.lost).sum();
    let delivered: u64 = seen.iter().map(|seen| seen.delivered).sum();
    let middle = |of: fn(&Seen) -> f64| spread(seen.iter().map(of).collect()).1;
    let (half, tail) = (middle(|seen| seen.delay().0), middle(|seen| seen.delay().1));
    println!(
        "| {path:?} | {pace:?} | {name} | {median:.0} ({least:.0} to {most:.0}) | {lost} of {delivered} | {half:.2} ms, {tail:.2} ms |"
    );
}

/// Least, median, most.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let middle = values[values.len() / 2];
    (values[0], middle, values[values.len() - 1])
}
