//! How long a call takes to be set up, by round trip and loss.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use duologue_testnet::wire::Profile;
use duologue_testnet::{LinkConfig, Loss};
use serde_json::Value;

use crate::namespace::Folder;
use crate::nat::Kind;
use crate::phone::{Part, Phone};
use crate::server::{Relays, Server};
use crate::session::{Place, Session};
use crate::world::{Line, World};

/// Beyond this a call does not connect any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be tried.
#[derive(Debug)]
pub struct Plan {
    /// Round trips between the phones, in milliseconds.
    pub rtts: Vec<u64>,
    /// Loss on the way between the phones, in percent.
    pub losses: Vec<u64>,
    /// Calls of each.
    pub calls: u32,
    /// Both phones' networks.
    pub kinds: [Kind; 2],
    /// Whether phones use nothing but relays.
    pub relayed: bool,
    /// Where choices come from.
    pub seed: u64,
}

/// How one call was set up.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// From the server's word to the callee that there is such a call to its path being up and proven.
    path: Duration,
    /// From the accept to the first packet of audio at the caller.
    audio: Duration,
}

/// Calls over each round trip and loss, and the table.
///
/// # Errors
/// When the lab itself does not work. A call that fails is counted.
pub fn run(plan: &Plan, folder: &Folder, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let world = World::new()?;
    let mut server = Server::start(&world, folder.path(), Relays::Embedded)?;
    if plan.relayed {
        server
            .phone_arguments
            .extend(["--ice-policy", "relay-only"].map(String::from));
    }
    writeln!(
        out,
        "{} to {}{}, {} calls each; median and worst\n\n\
         | RTT | loss | call known -> path up at the callee | in RTT | accept -> first audio packet at the caller | failed |\n\
         |---|---|---|---|---|---|",
        plan.kinds[0],
        plan.kinds[1],
        if plan.relayed { " by relays alone" } else { "" },
        plan.calls
    )?;
    for rtt in &plan.rtts {
        for loss in &plan.losses {
            let mut times = Vec::new();
            for call in 0..plan.calls {
                let line = line(*rtt, *loss, plan.seed + u64::from(call));
                let own = folder.path().join(format!("rtt{rtt}-loss{loss}-{call}"));
                std::fs::create_dir_all(&own)?;
                match set_up(&world, &server, plan.kinds, &line, &own) {
                    Ok(one) => times.push(one),
                    Err(error) => writeln!(out, "| {rtt} ms | {loss} % | FAILED: {error:#} | | | |")?,
                }
            }
            let path = spread(times.iter().map(|times| times.path).collect());
            let audio = spread(times.iter().map(|times| times.audio).collect());
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a round trip")]
            let in_rtts = path.map(|time| time.as_secs_f64() * 1000.0 / *rtt as f64);
            writeln!(
                out,
                "| {rtt} ms | {loss} % | {:.0}, {:.0} ms | {:.1}, {:.1} | {:.0}, {:.0} ms | {} of {} |",
                ms(path[0]),
                ms(path[1]),
                in_rtts[0],
                in_rtts[1],
                ms(audio[0]),
                ms(audio[1]),
                plan.calls as usize - times.len(),
                plan.calls
            )?;
            out.flush()?;
        }
    }
    Ok(())
}

/// Each phone's line has half of the round trip, and the loss that makes the whole of it with the other's.
fn line(rtt: u64, loss: u64, seed: u64) -> Line {
    #[expect(clippy::cast_precision_loss, reason = "at most 100")]
    let each = 1.0 - (1.0 - loss.min(100) as f64 / 100.0).sqrt();
    let link = LinkConfig {
        delay: Duration::from_millis(rtt) / 4,
        loss: Loss::Bernoulli(each),
        mtu: 1500,
        ..LinkConfig::default()
    };
    Line {
        profile: Profile {
            link,
            ..Profile::default()
        },
        // The two lines of a call take neighbouring seeds.
        seed: seed * 1_000,
    }
}

fn set_up(world: &World, server: &Server, kinds: [Kind; 2], line: &Line, folder: &Path) -> anyhow::Result<Times> {
    let caller = Place::new(world, Part::Caller, &kinds[..1], line)?;
    let callee = Place::new(world, Part::Callee, &kinds[1..], line)?;
    let mut session = Session::ring(server, &caller, &callee, folder)?;
    session.callee.say("accept")?;
    let accepted = session.callee.wait_for("accept_call", PATIENCE)?["wall_ms"]
        .as_f64()
        .context("events have a time")?;
    let connected = session.callee.wait_for("evt_connected", PATIENCE)?;
    let first = session.caller.wait_until("audio", PATIENCE, |_: &Phone| {
        caller.tap.first_after(Instant::now() - PATIENCE)
    })?;
    session.hang_up()?;
    let phase = |name: &str| phase(&connected, name);
    Ok(Times {
        path: Duration::from_secs_f64((phase("path_ready")? - phase("call_known")?).max(0.0) / 1000.0),
        audio: Duration::from_secs_f64((wall_ms(first) - accepted).max(0.0) / 1000.0),
    })
}

fn phase(connected: &Value, name: &str) -> anyhow::Result<f64> {
    connected["setup_ms"][name]
        .as_f64()
        .with_context(|| format!("the phone does not tell when it was `{name}`"))
}

/// An instant by the clock of the event logs.
fn wall_ms(at: Instant) -> f64 {
    let ago = Instant::now().saturating_duration_since(at);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_secs_f64() - ago.as_secs_f64()) * 1000.0
}

/// Median and worst.
fn spread(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort_unstable();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    [at(times.len() / 2), at(times.len().saturating_sub(1))]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
