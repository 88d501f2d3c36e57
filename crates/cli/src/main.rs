//! The `duologue` command: call server and command-line phone. `duologue help` explains itself.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to its terminal"
)]

mod args;
mod demo;
mod events;
mod outcome;
mod phone;
mod server;
mod sound;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use outcome::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log);
    match filter {
        Ok(filter) => tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init(),
        Err(error) => {
            eprintln!(
                "duologue: --log {}: {error}; try error, warn, info, debug or trace",
                cli.log
            );
            return ExitCode::from(2);
        }
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("duologue: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(&cli.command));
    // A question that nobody has answered yet must not keep the program alive.
    runtime.shutdown_background();
    match result {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            eprintln!("duologue: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Server(arguments) => server::run(arguments).await?,
        Command::Service { data, command } => server::service(data, command).await?,
        Command::Token(arguments) => server::token(arguments).await?,
        Command::Records { data, limit, json } => server::records(data, *limit, *json).await?,
        Command::Devices => sound::list()?,
        Command::Call(arguments) => return phone::call(arguments).await,
        Command::Answer(arguments) => return phone::answer(arguments).await,
        Command::Demo(arguments) => return demo::run(arguments).await,
    }
    Ok(Outcome::Ended)
}
