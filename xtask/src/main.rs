//! Set-up, demo, tests and checks of this workspace: `cargo xtask help`.
//!
//! It only orchestrates other programs and depends on next to nothing, so that it builds on a machine on which the
//! workspace itself does not build yet.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to its terminal"
)]

mod compare;
mod deps;
mod fuzz;
mod lab;
mod run;
mod setup;
mod test;
mod web;

use std::process::ExitCode;

use run::{Failed, cargo};

const HELP: &str = "\
cargo xtask COMMAND [ARGUMENTS]

  demo [ARGUMENTS]   a real call on this machine that you can hear and see; arguments go to `duologue demo`
                     (try --loss 5 --jitter 30 --delay 80; `cargo xtask demo --help` lists them)
  test               everything that CI runs: format, arrows, lints, docs, licences, benches, fuzz corpora, tests
  setup              install the system packages that building and testing need
  web [--check | --test]
                     build web/ into web/dist, which the server embeds; or compare it with what is committed; or run
                     its unit tests (installs Node.js when there is none)
  browsers [NAME]    calls between Chromium, Firefox and the command-line phone, the page, Web Push (installs browsers)
  deps               check which crate may depend on which, and that every crate builds alone
  bench [FILTER]     run the criterion benches
  compare-neteq [--only PARTS] [--seeds N]
                     the jitter buffer beside libwebrtc's NetEq into benches/results (installs Debian's libtgowt and scorers)
  fuzz [TARGET [SECONDS]]
                     run one fuzz target, or each for a minute (needs a nightly toolchain)
  soak [CALLS]       simulated calls on virtual time, 100,000 unless told
  soak browsers [TIMES]
                     every scenario between every pair of browsers and phones, 10 times in a row unless told
  lab [ARGUMENTS]    calls over real NATs, lossy lines and changing networks; any program over such a line (Linux, as root;
                     `cargo xtask lab --help` lists them)
  help               this text

The first build takes some minutes. Nothing is installed outside the system's package manager and cargo.
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_else(|| "help".into());
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_str() {
        "demo" => demo(&rest),
        "test" => test::run(),
        "setup" => setup::run(),
        "web" => web::run(&rest),
        "browsers" => browsers(&rest),
        "deps" => deps::run(),
        "bench" => bench(&rest),
        "compare-neteq" => compare::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "soak" => soak(&rest),
        "lab" => lab::run(&rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Failed(format!("no command `{other}`; `cargo xtask help` lists them"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why)) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn demo(arguments: &[String]) -> Result<(), Failed> {
    setup::build_packages()?;
    setup::loopback()?;
    println!("building (some minutes the first time)");
    cargo(["build", "--package", "duologue-cli"])?;
    cargo(
        ["run", "--quiet", "--package", "duologue-cli", "--", "demo"]
            .into_iter()
            .chain(arguments.iter().map(String::as_str)),
    )
}

fn bench(arguments: &[String]) -> Result<(), Failed> {
    setup::build_packages()?;
    cargo(
        ["bench", "--package", "duologue-benches", "--benches", "--"]
            .into_iter()
            .chain(arguments.iter().map(String::as_str)),
    )
}

fn browsers(arguments: &[String]) -> Result<(), Failed> {
    setup::build_packages()?;
    setup::browser_packages()?;
    let node = web::prepare()?;
    cargo(["build", "--package", "duologue-cli"])?;
    web::browsers(&node, arguments.first().map(String::as_str))
}

fn soak(arguments: &[String]) -> Result<(), Failed> {
    if arguments.first().is_some_and(|what| what == "browsers") {
        return browser_soak(&arguments[1..]);
    }
    let calls = arguments.first().map_or("100000", String::as_str);
    if calls.parse::<u64>().is_err() {
        return Err(Failed(format!(
            "`{calls}` is not a number of calls; try `cargo xtask soak 100000`"
        )));
    }
    setup::build_packages()?;
    run::program("cargo")
        .args([
            "test",
            "--release",
            "--package",
            "duologue-call",
            "--test",
            "sim_calls",
            "--",
            "--nocapture",
        ])
        .env("SIM_CALLS", calls)
        .run()
}

fn browser_soak(arguments: &[String]) -> Result<(), Failed> {
    let times = arguments.first().map_or("10", String::as_str);
    if times.parse::<u32>().is_err() {
        return Err(Failed(format!(
            "`{times}` is not a number of times; try `cargo xtask soak browsers 10`"
        )));
    }
    setup::build_packages()?;
    setup::browser_packages()?;
    cargo(["build", "--package", "duologue-cli"])?;
    web::soak(times)
}
