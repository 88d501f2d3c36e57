//! Any program over any line.

use std::process::Command;

use anyhow::Context;

use crate::cable::Cable;
use crate::namespace::{Folder, Namespace};
use crate::server::spawn;
use crate::world::Line;

/// The addresses of the near end, where the command runs.
const NEAR: [&str; 2] = ["11.0.0.2", "fd11::2"];
/// Those of the far end.
const FAR: [&str; 2] = ["11.0.0.1", "fd11::1"];

/// Runs `command` in a namespace whose only way out is a line to another one, in which `far` (a shell command) runs
/// meanwhile; the exit code of `command`.
///
/// # Errors
/// What the system says.
pub fn run(command: &[String], far: Option<&str>, line: Line) -> anyhow::Result<i32> {
    let (program, arguments) = command.split_first().context("there is no command to run")?;
    let folder = Folder::new(None)?;
    let (near, other) = (Namespace::new("near")?, Namespace::new("far")?);
    let _cable = Cable::plug((&near, "eth0"), (&other, "eth0"), line.profile, line.seed, None)?;
    for (namespace, own, peer) in [(&near, NEAR, FAR), (&other, FAR, NEAR)] {
        for (address, length) in own.into_iter().zip([24, 64]) {
            namespace.ip(&format!("address add {address}/{length} dev eth0"))?;
        }
        namespace.ip(&format!("route add default via {} dev eth0", peer[0]))?;
    }
    let tell = |command: &mut Command| {
        command
            .env("DUO_LAB_NEAR", NEAR[0])
            .env("DUO_LAB_FAR", FAR[0])
            .env("DUO_LAB_NEAR_NETNS", near.name())
            .env("DUO_LAB_FAR_NETNS", other.name());
    };
    let log = folder.path().join("far.log");
    let mut server = match far {
        Some(text) => {
            let mut shell = other.command("sh");
            shell.args(["-c", text]);
            tell(&mut shell);
            Some(spawn(&mut shell, &log)?)
        }
        None => None,
    };
    let mut command = near.command(program);
    command.args(arguments);
    tell(&mut command);
    let status = command.status();
    if let Some(server) = &mut server {
        let ended_early = server.try_wait()?;
        let _ = server.kill();
        let _ = server.wait();
        if let Some(status) = ended_early.filter(|status| !status.success()) {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            anyhow::bail!("the far side ended by itself ({status}): {}", said.trim());
        }
    }
    Ok(status
        .with_context(|| format!("`{program}` could not be started"))?
        .code()
        .unwrap_or(1))
}
