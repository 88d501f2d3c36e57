//! A phone's network changes while it rings or in the call.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::namespace::Folder;
use crate::outages::{Plan, shown};
use crate::phone::{Part, pause};
use crate::server::Server;
use crate::session::{Place, Session};
use crate::world::{Access, World};

/// How long a call may take to come back or to end.
const PATIENCE: Duration = Duration::from_secs(45);
/// Packets of audio after the change that count as back: a second.
const BACK: usize = 50;
/// How long an interface is down that comes back.
const AWAY: Duration = Duration::from_secs(2);

/// What changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The only interface goes, and comes back after two seconds.
    Blink,
    /// The interface in use goes while another one is up.
    Fallback,
    /// The interface goes and another one comes, one right after the other.
    Swap,
    /// The interface gets another address.
    Renumber,
    /// A swap at both phones at once.
    BothSwap,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Blink, Self::Fallback, Self::Swap, Self::Renumber, Self::BothSwap];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blink => "down-2s-up",
            Self::Fallback => "down-other-up",
            Self::Swap => "swapped",
            Self::Renumber => "renumbered",
            Self::BothSwap => "both-swapped",
        }
    }

    const fn interfaces(self, part: Part) -> usize {
        match (self, part) {
            (Self::Blink | Self::Renumber, _) | (Self::Fallback | Self::Swap, Part::Callee) => 1,
            _ => 2,
        }
    }

    /// Readies a phone's place before the phone starts.
    fn prepare(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Swap | Self::BothSwap => {
                for access in &place.accesses[1..] {
                    access.down(&place.host)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `used` is the address that the caller's audio goes by, once there is audio.
    fn happen(self, caller: &mut Place, callee: &Place, used: Option<IpAddr>) -> anyhow::Result<()> {
        let swap = |place: &Place| -> anyhow::Result<()> {
            place.accesses[0].down(&place.host)?;
            place.accesses[1].up(&place.host)
        };
        match self {
            Self::Blink => {
                caller.accesses[0].down(&caller.host)?;
                let down = Instant::now();
                while down.elapsed() < AWAY {
                    pause();
                }
                caller.accesses[0].up(&caller.host)
            }
            Self::Fallback => {
                let in_use = |access: &&Access| Some(IpAddr::V4(access.address())) == used;
                let access = caller.accesses.iter().find(in_use).unwrap_or(&caller.accesses[0]);
                access.down(&caller.host)
            }
            Self::Swap => swap(caller),
            Self::Renumber => {
                let Place { accesses, host, .. } = caller;
                accesses[0].renumber(host)
            }
            Self::BothSwap => {
                swap(caller)?;
                swap(callee)
            }
        }
    }
}

/// When it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// While the callee's phone rings.
    Ringing,
    /// In the call.
    Talking,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ringing => "ringing",
            Self::Talking => "in the call",
        })
    }
}

/// What a change did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// From the accept to connected, when it rang.
    pub connected: Option<Duration>,
    /// The longest time without a packet of audio at the caller and the callee from the change on.
    pub gap: [Option<Duration>; 2],
    /// The longest silence in what each heard.
    pub silence: [Duration; 2],
    /// Why the call ended before anybody hung up, at the caller or else at the callee.
    pub ended: Option<String>,
}

/// A call in which something changes.
///
/// # Errors
/// When there is no call to begin with, or the lab does not work.
pub fn change(
    world: &World,
    server: &Server,
    plan: &Plan,
    (change, moment): (Change, Moment),
    folder: &Path,
) -> anyhow::Result<Outcome> {
    let place = |part| -> anyhow::Result<Place> {
        let kinds = vec![plan.kind; change.interfaces(part)];
        let place = Place::new(world, part, &kinds, &plan.line)?;
        change.prepare(&place)?;
        Ok(place)
    };
    let (mut caller, callee) = (place(Part::Caller)?, place(Part::Callee)?);
    let mut session = Session::ring(server, &caller, &callee, folder)?;
    let mut outcome = Outcome::default();
    if moment == Moment::Ringing {
        change.happen(&mut caller, &callee, None)?;
        let route = session.accept()?;
        outcome.connected = Some(Duration::from_secs_f64(route.accept_to_connected.max(0.0) / 1000.0));
        outcome.silence = session.hang_up()?.map(|heard| heard.longest());
        return Ok(outcome);
    }
    session.accept()?;
    let used = session.caller.statistics().and_then(|statistics| {
        statistics["candidatePair"]["local"]
            .as_str()?
            .parse::<SocketAddr>()
            .ok()
    });
    let begin = Instant::now();
    change.happen(&mut caller, &callee, used.map(|used| used.ip()))?;
    let taps = [&caller.tap, &callee.tap];
    let before = taps.map(|tap| tap.count());
    let done = Instant::now();
    while done.elapsed() < PATIENCE {
        outcome.ended = session.caller.end_reason().or_else(|| session.callee.end_reason());
        let back = taps
            .iter()
            .zip(before)
            .all(|(tap, before)| tap.count() >= before + BACK);
        if back || outcome.ended.is_some() {
            break;
        }
        pause();
    }
    outcome.gap = taps.map(|tap| tap.longest_gap_after(begin));
    let heard = if outcome.ended.is_some() {
        outcome.gap = [None, None];
        session.heard()?
    } else {
        session.hang_up()?
    };
    outcome.silence = heard.map(|heard| heard.longest());
    Ok(outcome)
}

/// All changes at both moments, or those named, and the table.
///
/// # Errors
/// When the lab itself does not work.
pub fn run(plan: &Plan, only: &[String], folder: &Folder, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let world = World::new()?;
    let server = Server::start(&world, folder.path(), plan.relays)?;
    writeln!(
        out,
        "| change | when | connected | no audio on the line: caller | callee | longest silence: caller | callee | ended |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for moment in [Moment::Ringing, Moment::Talking] {
        for kind in Change::ALL {
            if !only.is_empty() && !only.iter().any(|name| name == kind.name()) {
                continue;
            }
            let own = folder.path().join(format!("{}-{moment:?}", kind.name()));
            std::fs::create_dir_all(&own)?;
            match change(&world, &server, plan, (kind, moment), &own) {
                Ok(outcome) => writeln!(
                    out,
                    "| {} | {moment} | {} | {} | {} | {} | {} | {} |",
                    kind.name(),
                    shown(outcome.connected),
                    shown(outcome.gap[0]),
                    shown(outcome.gap[1]),
                    shown(Some(outcome.silence[0])),
                    shown(Some(outcome.silence[1])),
                    outcome.ended.as_deref().unwrap_or("no")
                )?,
                Err(error) => writeln!(out, "| {} | {moment} | FAILED: {error:#} | | | | | |", kind.name())?,
            }
            out.flush()?;
        }
    }
    Ok(())
}
