//! What fits into a minute of CI.

use std::time::Duration;

use anyhow::bail;
use duologue_testnet::wire::Profile;

use crate::namespace::Folder;
use crate::nat::Kind;
use crate::server::Relays;
use crate::world::Line;
use crate::{matrix, outages, roaming};

/// Pairs that each stand for a kind of way.
const PAIRS: &[(Kind, Kind)] = &[
    (Kind::Open, Kind::Open),
    (Kind::FullCone, Kind::Symmetric),
    (Kind::PortRestricted, Kind::CarrierGrade),
    // Relayed over UDP, TCP, TLS.
    (Kind::Symmetric, Kind::Symmetric),
    (Kind::UdpBlocked, Kind::PortRestricted),
    (Kind::OnlyTcp443, Kind::Open),
];

/// A few calls over real NATs and relays, one through an outage of a second, one through a change of the network.
///
/// # Errors
/// When one of them does not go as it should.
pub fn run(folder: &Folder, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let line = Line {
        profile: Profile::named("lan").unwrap_or_default(),
        seed: 1,
    };
    let plan = matrix::Plan {
        pairs: PAIRS.to_vec(),
        relays: Relays::Embedded,
        line: line.clone(),
    };
    let failed = matrix::run(&plan, folder, out)?;
    let plan = outages::Plan {
        kind: Kind::Open,
        line,
        relays: Relays::Embedded,
    };
    let world = crate::world::World::new()?;
    let own = folder.path().join("outage");
    std::fs::create_dir_all(&own)?;
    let server = crate::server::Server::start(&world, &own, plan.relays)?;
    let outcome = outages::outage(&world, &server, &plan, Duration::from_secs(1), &own)?;
    writeln!(out, "outage of a second: {outcome:?}")?;
    let swapped = roaming::change(
        &world,
        &server,
        &plan,
        (roaming::Change::Swap, roaming::Moment::Talking),
        &own,
    )?;
    writeln!(out, "the caller's interface swapped in the call: {swapped:?}")?;
    let outage_survived = outcome.ended.iter().all(Option::is_none) && outcome.silence.iter().all(Option::is_some);
    if failed > 0 || !outage_survived || swapped.ended.is_some() {
        bail!("not all went as it should");
    }
    Ok(())
}
