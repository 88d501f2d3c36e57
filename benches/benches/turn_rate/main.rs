//! Relayed packets per CPU-second of the call server's TURN, next to coturn's in the same run.
//!
//! `cargo bench -p duologue-benches --bench turn_rate -- [turn_rate] [KEY=VALUE…]`, with `clients`, `seconds`, `rounds`,
//! `window` and `only` (`calls` or `window`). Both servers run as processes of their own, take turns, and get the same
//! packets from the same clients; CPU time is theirs alone, all threads, user and system.
#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
#[path = "../turn/wire.rs"]
mod wire;

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == servers::SERVE) {
        return servers::serve();
    }
    // `cargo xtask bench FILTER` gives the filter to every bench.
    let filters = || {
        arguments
            .iter()
            .filter(|argument| !argument.starts_with("--") && !argument.contains('='))
    };
    if filters().next().is_some() && !filters().any(|filter| "turn_rate".contains(filter.as_str())) {
        return Ok(());
    }
    // Without `--bench` this is `cargo test`: once, and short.
    let measure = arguments.iter().any(|argument| argument == "--bench");
    table::run(&table::Settings::read(&arguments, measure), measure)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("turn_rate: skipped, for it reads CPU times from Linux's /proc");
}
