//! System packages and cargo tools: what is needed is installed, or the command that does it is printed.

use crate::run::{Failed, cargo, program};

/// What the workspace needs to build: (a probe that succeeds when it is there, the Debian package).
const BUILD: &[(&[&str], &str)] = &[
    (&["cc", "--version"], "build-essential"),
    (&["cmake", "--version"], "cmake"),
    (&["pkg-config", "--version"], "pkg-config"),
    (&["pkg-config", "--exists", "alsa"], "libasound2-dev"),
];

/// What the tests need beyond that.
const TEST: &[(&[&str], &str)] = &[
    (&["pkg-config", "--exists", "opus"], "libopus-dev"),
    (&["ip", "-V"], "iproute2"),
    (&["pulseaudio", "--version"], "pulseaudio"),
    (&["pactl", "--version"], "pulseaudio-utils"),
    (&["dpkg", "--status", "libasound2-plugins"], "libasound2-plugins"),
    (&["dpkg", "--status", "coturn"], "coturn"),
    (&["dpkg", "--status", "nftables"], "nftables"),
];

/// What the lab needs.
const LAB: &[(&[&str], &str)] = &[
    (&["ip", "-V"], "iproute2"),
    (&["dpkg", "--status", "nftables"], "nftables"),
    (&["dpkg", "--status", "coturn"], "coturn"),
];

/// What building and testing `web/` needs.
const WEB: &[(&[&str], &str)] = &[(&["node", "--version"], "nodejs"), (&["npm", "--version"], "npm")];

/// What the browser tests need beyond that.
const BROWSERS: &[(&[&str], &str)] = &[
    (&["chromium", "--version"], "chromium"),
    (&["firefox-esr", "--version"], "firefox-esr"),
];

/// Chromium without the browser around it, which calls take where it is packaged: less work for the machine.
const CHROMIUM_SHELL: &[(&[&str], &str)] = &[(&["chromium-headless-shell", "--version"], "chromium-headless-shell")];

/// The version of cargo-deny that CI runs.
const CARGO_DENY: &str = "0.20.2";

/// Everything: `cargo xtask setup`.
pub(crate) fn run() -> Result<(), Failed> {
    build_packages()?;
    test_packages()?;
    web_packages()?;
    browser_packages()?;
    cargo_deny()
}

/// The packages that building needs.
pub(crate) fn build_packages() -> Result<(), Failed> {
    install(BUILD)
}

/// The packages that tests need beyond those.
pub(crate) fn test_packages() -> Result<(), Failed> {
    install(TEST)
}

/// The packages that the lab needs beyond those for building.
pub(crate) fn lab_packages() -> Result<(), Failed> {
    install(LAB)
}

/// Node.js, for `web/`.
pub(crate) fn web_packages() -> Result<(), Failed> {
    install(WEB)
}

/// The browsers that calls are tested with.
pub(crate) fn browser_packages() -> Result<(), Failed> {
    install(BROWSERS)?;
    if let Err(Failed(why)) = install(CHROMIUM_SHELL) {
        println!("{why}; calls are made with the whole Chromium");
    }
    Ok(())
}

/// Brings the loopback interface up when it is down: without it not even two programs of one machine reach each other.
pub(crate) fn loopback() -> Result<(), Failed> {
    // Where there is no such file, there is another way of naming the loopback, and nothing to mend from here.
    let flags = std::fs::read_to_string("/sys/class/net/lo/flags").unwrap_or_default();
    let up = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).map_or(true, |flags| flags & 1 == 1);
    if up {
        return Ok(());
    }
    println!("the loopback interface is down; bringing it up");
    let ip = if is_root()? {
        program("ip")
    } else {
        program("sudo").args(["ip"])
    };
    ip.args(["link", "set", "lo", "up"]).run().map_err(|Failed(why)| {
        Failed(format!(
            "{why}\nThe demo needs the loopback interface. Run this, then try again:\n  sudo ip link set lo up"
        ))
    })
}

fn is_root() -> Result<bool, Failed> {
    Ok(program("id").args(["-u"]).output()?.trim() == "0")
}

/// cargo-deny, at the version that CI runs or whichever is installed already.
pub(crate) fn cargo_deny() -> Result<(), Failed> {
    if program("cargo").args(["deny", "--version"]).succeeds() {
        return Ok(());
    }
    println!("installing cargo-deny {CARGO_DENY} (a few minutes)");
    cargo(["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug"])
}

pub(crate) fn install(wanted: &[(&[&str], &'static str)]) -> Result<(), Failed> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(probe, _)| !program(probe[0]).args(probe[1..].iter().copied()).succeeds())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let by_hand = format!("sudo apt-get update && sudo apt-get install --yes --no-install-recommends {list}");
    if !program("apt-get").args(["--version"]).succeeds() {
        return Err(Failed(format!(
            "these Debian packages are missing, and there is no apt-get here: {list}. Install what your system calls them."
        )));
    }
    let root = is_root()?;
    println!("installing system packages: {list}");
    let apt = |arguments: &[&str]| {
        if root {
            program("apt-get")
                .args(arguments.iter().copied())
                .env("DEBIAN_FRONTEND", "noninteractive")
                .run()
        } else {
            program("sudo").args(["apt-get"]).args(arguments.iter().copied()).run()
        }
    };
    let install: Vec<&str> = ["install", "--yes", "--no-install-recommends"]
        .into_iter()
        .chain(missing.iter().copied())
        .collect();
    apt(&["update", "--quiet"])
        .and_then(|()| apt(&install))
        .map_err(|Failed(why)| {
            Failed(format!(
                "{why}\nThe packages could not be installed from here. Run this, then try again:\n  {by_hand}"
            ))
        })
}
