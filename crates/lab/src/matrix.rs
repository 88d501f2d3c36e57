//! Every kind of network calls every kind of network.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;

use crate::namespace::Folder;
use crate::nat::Kind;
use crate::phone::Part;
use crate::server::{Relays, Server};
use crate::session::{Place, Route, Session};
use crate::world::{Line, World};

/// What is to be tried.
#[derive(Debug)]
pub struct Plan {
    /// (caller's, callee's) networks.
    pub pairs: Vec<(Kind, Kind)>,
    /// Who relays where there is no direct path.
    pub relays: Relays,
    /// Each phone's line.
    pub line: Line,
}

impl Plan {
    /// Reads `A:B` with kinds or `*` on either side; nothing is everything.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn pairs(only: &[String]) -> anyhow::Result<Vec<(Kind, Kind)>> {
        let all = || Kind::ALL.into_iter().flat_map(|a| Kind::ALL.map(|b| (a, b)));
        if only.is_empty() {
            return Ok(all().collect());
        }
        let mut wanted = Vec::new();
        for pair in only {
            let Some((a, b)) = pair.split_once(':') else {
                bail!("`{pair}` is no pair; write CALLER:CALLEE, such as port-restricted:symmetric or *:tcp-443");
            };
            let side = |text: &str| -> anyhow::Result<Vec<Kind>> {
                match text {
                    "*" => Ok(Kind::ALL.to_vec()),
                    name => Ok(vec![name.parse().map_err(anyhow::Error::msg)?]),
                }
            };
            let (callers, callees) = (side(a)?, side(b)?);
            wanted.extend(callers.iter().flat_map(|a| callees.iter().map(|b| (*a, *b))));
        }
        Ok(all().filter(|pair| wanted.contains(pair)).collect())
    }
}

/// Tries all pairs, tells each as it comes, and then the table; the number that failed.
///
/// # Errors
/// When the lab itself does not work. A call that fails is a result.
pub fn run(plan: &Plan, folder: &Folder, out: &mut impl std::io::Write) -> anyhow::Result<usize> {
    let world = World::new()?;
    let server = Server::start(&world, folder.path(), plan.relays)?;
    let mut cells = BTreeMap::new();
    let mut failed = 0;
    for (a, b) in plan.pairs.iter().copied() {
        let own = folder.path().join(format!("{a}-{b}"));
        std::fs::create_dir_all(&own)?;
        let cell = match call(&world, &server, (a, b), &plan.line, &own) {
            Ok(route) => {
                let way = if route.relayed() { "relay" } else { "direct" };
                let right = route.relayed() != a.direct(b);
                failed += usize::from(!right);
                let verdict = if right { "ok" } else { "WRONG WAY" };
                writeln!(
                    out,
                    "{verdict:9} {a:>20} -> {b:20} {way:6} {:>5.0} ms  ({} / {})",
                    route.accept_to_connected, route.kinds[0], route.kinds[1]
                )?;
                format!("{way}{}", if right { "" } else { "!" })
            }
            Err(error) => {
                failed += 1;
                writeln!(out, "{:9} {a:>20} -> {b:20} {error:#}", "FAILED")?;
                "FAILED".into()
            }
        };
        out.flush()?;
        cells.insert((a.name(), b.name()), cell);
    }
    table(&cells, out)?;
    writeln!(
        out,
        "\n{} of {} calls went as they should, relays by {}",
        plan.pairs.len() - failed,
        plan.pairs.len(),
        plan.relays.name()
    )?;
    Ok(failed)
}

fn call(world: &World, server: &Server, kinds: (Kind, Kind), line: &Line, folder: &Path) -> anyhow::Result<Route> {
    let caller = Place::new(world, Part::Caller, &[kinds.0], line)?;
    let callee = Place::new(world, Part::Callee, &[kinds.1], line)?;
    let mut session = Session::ring(server, &caller, &callee, folder)?;
    let route = session.accept()?;
    let heard = session.hang_up()?;
    for (part, heard) in [Part::Caller, Part::Callee].into_iter().zip(heard) {
        if heard.first_sound.is_none() {
            bail!("the {} heard nothing", part.name());
        }
    }
    Ok(route)
}

fn table(cells: &BTreeMap<(&str, &str), String>, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let present = |name: &str, column: bool| {
        cells
            .keys()
            .any(|(caller, callee)| name == if column { *callee } else { *caller })
    };
    let names = |column| {
        Kind::ALL
            .into_iter()
            .map(Kind::name)
            .filter(move |name| present(name, column))
    };
    let columns: Vec<&str> = names(true).collect();
    writeln!(out, "\n| caller \\ callee | {} |", columns.join(" | "))?;
    writeln!(out, "|---|{}", "---|".repeat(columns.len()))?;
    for row in names(false) {
        let cells: Vec<&str> = columns
            .iter()
            .map(|column| cells.get(&(row, *column)).map_or("", String::as_str))
            .collect();
        writeln!(out, "| {row} | {} |", cells.join(" | "))?;
    }
    Ok(())
}
