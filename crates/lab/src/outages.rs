//! The line of one phone carries nothing for a while.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::namespace::Folder;
use crate::nat::Kind;
use crate::phone::{Part, pause};
use crate::server::{Relays, Server};
use crate::session::{Place, Session};
use crate::world::{Line, World};

/// How long a call may take after the outage to come back or to end: the phones' patience of 30 s and some.
const PATIENCE: Duration = Duration::from_secs(40);
/// Packets of audio after the outage that count as back: half a second.
const BACK: usize = 25;

/// What an outage did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How long the line was cut.
    pub length: Duration,
    /// From the line's return to the first packet of audio at the caller and the callee; `None` when none was seen: the call
    /// had ended, or audio goes over TCP or TLS to a relay.
    pub back: [Option<Duration>; 2],
    /// The longest silence in what each heard, between sounds: none where the call ended in silence.
    pub silence: [Option<Duration>; 2],
    /// What the caller was told first: seconds until the call would be ended.
    pub countdown: Option<u64>,
    /// Why the call ended at each side before anybody hung up.
    pub ended: [Option<String>; 2],
    /// From the cut to that end, at the caller.
    pub ended_after: Option<Duration>,
}

/// A call in which the caller's line is cut for `length`.
///
/// # Errors
/// When there is no call to begin with, or the lab does not work.
pub fn outage(world: &World, server: &Server, plan: &Plan, length: Duration, folder: &Path) -> anyhow::Result<Outcome> {
    let caller = Place::new(world, Part::Caller, &[plan.kind], &plan.line)?;
    let callee = Place::new(world, Part::Callee, &[plan.kind], &plan.line)?;
    let mut session = Session::ring(server, &caller, &callee, folder)?;
    session.accept()?;
    let line = &caller.accesses[0].cable;
    line.set_cut(true);
    let cut = Instant::now();
    let mut ended_after = None;
    while cut.elapsed() < length {
        if ended_after.is_none() && session.caller.end_reason().is_some() {
            ended_after = Some(cut.elapsed());
        }
        pause();
    }
    line.set_cut(false);
    let mended = Instant::now();
    let taps = [&caller.tap, &callee.tap];
    let before = taps.map(|tap| tap.count());
    let mut ended = [None, None];
    while mended.elapsed() < PATIENCE {
        ended = [session.caller.end_reason(), session.callee.end_reason()];
        if ended[0].is_some() && ended_after.is_none() {
            ended_after = Some(cut.elapsed());
        }
        let back = taps
            .iter()
            .zip(before)
            .all(|(tap, before)| tap.count() >= before + BACK);
        if back || ended.iter().all(Option::is_some) {
            break;
        }
        pause();
    }
    let countdown = session
        .caller
        .event("evt_network_unavailable")
        .and_then(|event| event["will_disconnect_sec"].as_u64());
    let back = taps.map(|tap| tap.first_after(mended).map(|at| at - mended));
    let heard = if ended.iter().all(Option::is_some) {
        session.heard()?
    } else {
        session.hang_up()?
    };
    Ok(Outcome {
        length,
        back: if ended[0].is_some() { [None, None] } else { back },
        silence: heard.map(|heard| ended[0].is_none().then(|| heard.longest())),
        countdown,
        ended,
        ended_after,
    })
}

/// What is to be tried.
#[derive(Debug)]
pub struct Plan {
    /// Both phones' networks.
    pub kind: Kind,
    /// Both phones' lines.
    pub line: Line,
    /// Who relays.
    pub relays: Relays,
}

/// An outage of each length, and the table.
///
/// # Errors
/// When the lab itself does not work.
pub fn run(plan: &Plan, lengths: &[u64], folder: &Folder, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let world = World::new()?;
    let server = Server::start(&world, folder.path(), plan.relays)?;
    writeln!(
        out,
        "| outage | audio back after: caller | callee | longest silence: caller | callee | countdown | ended |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for seconds in lengths {
        let own = folder.path().join(format!("outage-{seconds}"));
        std::fs::create_dir_all(&own)?;
        match outage(&world, &server, plan, Duration::from_secs(*seconds), &own) {
            Ok(outcome) => writeln!(
                out,
                "| {seconds} s | {} | {} | {} | {} | {} | {} |",
                shown(outcome.back[0]),
                shown(outcome.back[1]),
                shown(outcome.silence[0]),
                shown(outcome.silence[1]),
                outcome.countdown.map_or("-".into(), |seconds| format!("{seconds} s")),
                ending(&outcome)
            )?,
            Err(error) => writeln!(out, "| {seconds} s | FAILED: {error:#} | | | | | |")?,
        }
        out.flush()?;
    }
    Ok(())
}

fn ending(outcome: &Outcome) -> String {
    match &outcome.ended {
        [None, None] => "no".into(),
        [caller, callee] => {
            let name = |reason: &Option<String>| reason.clone().unwrap_or_else(|| "no".into());
            let after = outcome.ended_after.map_or(String::new(), |after| {
                format!(", {:.1} s after the cut", after.as_secs_f64())
            });
            format!("{} / {}{after}", name(caller), name(callee))
        }
    }
}

/// A time for a table.
pub(crate) fn shown(time: Option<Duration>) -> String {
    time.map_or("-".into(), |time| format!("{:.0} ms", time.as_secs_f64() * 1000.0))
}
