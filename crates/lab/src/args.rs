//! What may be said on the command line, and doing it.

use std::io::stdout;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use duologue_lab::namespace::{Folder, clean_up_when_interrupted, sweep};
use duologue_lab::nat::Kind;
use duologue_lab::server::Relays;
use duologue_lab::world::Line;
use duologue_lab::{matrix, outages, quick, roaming, run, setup, system};
use duologue_testnet::wire::Profile;

/// Networks to try calls and other programs on: namespaces, NATs of every kind, lines that delay and lose.
///
/// Needs root, /dev/net/tun, iproute2 and nftables; coturn for calls through it. The program under test is
/// target/debug/duologue, or DUOLOGUE_BIN. What is built is gone afterwards, also after Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "lab", after_long_help = profiles(), after_help = profiles())]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Keep logs, events and recordings in this folder
    #[arg(long, global = true, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Seed of everything random on the lines
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command in a namespace whose only way out is a line of a profile
    ///
    /// The command's own address is 11.0.0.2 (fd11::2), the far end's 11.0.0.1 (fd11::1); DUO_LAB_NEAR, DUO_LAB_FAR,
    /// DUO_LAB_NEAR_NETNS and DUO_LAB_FAR_NETNS tell it addresses and names.
    Run {
        /// What the line does, each way alike
        #[arg(long, value_name = "NAME", default_value = "clean")]
        profile: String,
        /// A shell command that runs at the far end meanwhile, such as a server
        #[arg(long, value_name = "COMMAND")]
        far: Option<String>,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Call from every kind of network to every other
    Matrix {
        /// Only these, as CALLER:CALLEE with kinds or `*`: open, full-cone, address-restricted, port-restricted, symmetric,
        /// symmetric-no-hairpin, double, cgn, udp-blocked, tcp-443; repeatable
        #[arg(long, value_name = "CALLER:CALLEE")]
        only: Vec<String>,
        /// Who relays, and over what: embedded, embedded-udp, embedded-tcp, embedded-tls, coturn-udp, coturn-tcp, coturn-tls
        #[arg(long, default_value = "embedded")]
        relays: Relays,
        /// What each phone's line does, each way alike
        #[arg(long, value_name = "NAME", default_value = "lan")]
        profile: String,
    },
    /// Change a phone's network while it rings and in the call, and measure the gaps
    Roaming {
        /// Only these: down-2s-up, down-other-up, swapped, renumbered, both-swapped; repeatable
        #[arg(long, value_name = "CHANGE")]
        only: Vec<String>,
        /// The network of each interface. What no audio on the line means is seen at the outermost NAT, so it tells most with
        /// `open`
        #[arg(long, default_value = "open")]
        network: Kind,
        /// What each phone's line does, each way alike
        #[arg(long, value_name = "NAME", default_value = "rtt20")]
        profile: String,
    },
    /// Cut the caller's line in the call, and measure how long audio takes to come back
    Outages {
        /// Lengths in seconds
        #[arg(long, value_delimiter = ',', default_values_t = [1, 3, 10, 29, 31])]
        seconds: Vec<u64>,
        /// Both phones' network
        #[arg(long, default_value = "open")]
        network: Kind,
        /// What each phone's line does, each way alike
        #[arg(long, value_name = "NAME", default_value = "rtt20")]
        profile: String,
    },
    /// Measure how long calls take to be set up, by round trip and loss between the phones
    Setup {
        /// Round trips in milliseconds
        #[arg(long, value_delimiter = ',', default_values_t = [20, 100, 300])]
        rtt: Vec<u64>,
        /// Loss in percent
        #[arg(long, value_delimiter = ',', default_values_t = [0, 10])]
        loss: Vec<u64>,
        /// Calls of each
        #[arg(long, default_value_t = 10)]
        calls: u32,
        /// Phones use nothing but relays
        #[arg(long)]
        relayed: bool,
        /// The caller's network
        #[arg(long, default_value = "open")]
        caller: Kind,
        /// The callee's network
        #[arg(long, default_value = "open")]
        callee: Kind,
    },
    /// What CI runs, in less than a minute; says why when it cannot
    Quick,
}

fn profiles() -> String {
    let list: Vec<String> = Profile::NAMES
        .iter()
        .map(|(name, meaning)| format!("  {name:10} {meaning}"))
        .collect();
    format!("Profiles (rtt, loss and outage- take any number):\n{}", list.join("\n"))
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(why) = system::missing() {
            if matches!(self.command, Command::Quick) && std::env::var_os("DUOLOGUE_REQUIRE_ALL").is_none() {
                println!("skipped: {why}");
                return Ok(ExitCode::SUCCESS);
            }
            bail!("there can be no lab here: {why}");
        }
        clean_up_when_interrupted()?;
        sweep();
        let line = |name: &str| -> anyhow::Result<Line> {
            Ok(Line {
                profile: Profile::named(name)
                    .with_context(|| format!("there is no profile `{name}`; --help lists them"))?,
                seed: self.seed,
            })
        };
        let folder = || Folder::new(self.keep.as_deref());
        match &self.command {
            Command::Run { profile, far, command } => {
                let code = run::run(command, far.as_deref(), line(profile)?)?;
                return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
            }
            Command::Matrix { only, relays, profile } => {
                let plan = matrix::Plan {
                    pairs: matrix::Plan::pairs(only)?,
                    relays: *relays,
                    line: line(profile)?,
                };
                if matrix::run(&plan, &folder()?, &mut stdout().lock())? > 0 {
                    return Ok(ExitCode::FAILURE);
                }
            }
            Command::Roaming { only, network, profile } => {
                let plan = outages::Plan {
                    kind: *network,
                    line: line(profile)?,
                    relays: Relays::Embedded,
                };
                roaming::run(&plan, only, &folder()?, &mut stdout().lock())?;
            }
            Command::Outages {
                seconds,
                network,
                profile,
            } => {
                let plan = outages::Plan {
                    kind: *network,
                    line: line(profile)?,
                    relays: Relays::Embedded,
                };
                outages::run(&plan, seconds, &folder()?, &mut stdout().lock())?;
            }
            Command::Setup {
                rtt,
                loss,
                calls,
                relayed,
                caller,
                callee,
            } => {
                let plan = setup::Plan {
                    rtts: rtt.clone(),
                    losses: loss.clone(),
                    calls: *calls,
                    relayed: *relayed,
                    kinds: [*caller, *callee],
                    seed: self.seed,
                };
                setup::run(&plan, &folder()?, &mut stdout().lock())?;
            }
            Command::Quick => quick::run(&folder()?, &mut stdout().lock())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
