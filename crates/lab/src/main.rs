//! `cargo xtask lab`: real networks on one machine.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to its terminal"
)]

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod args;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use clap::Parser as _;
    match args::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("lab: only Linux has network namespaces");
    ExitCode::FAILURE
}
