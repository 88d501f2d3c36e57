//! `cargo xtask lab`: builds the lab and the phone, and hands over.

use crate::run::{Failed, cargo, program};
use crate::setup;

/// Runs the lab with these arguments.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failed> {
    setup::build_packages()?;
    setup::lab_packages()?;
    build()?;
    lab(arguments.iter().map(String::as_str))
}

/// A few calls over real NATs, in less than a minute; says why when there can be no lab here.
pub(crate) fn quick() -> Result<(), Failed> {
    build()?;
    // What is measured there in real time, a machine that does other work too may spoil.
    lab(["quick"]).or_else(|Failed(why)| {
        println!("-- UNSTABLE: {why}; once more");
        lab(["quick"])
    })
}

fn build() -> Result<(), Failed> {
    if std::env::var_os("DUOLOGUE_BIN").is_none() {
        cargo(["build", "--quiet", "--locked", "--package", "duologue-cli"])?;
    }
    cargo(["build", "--quiet", "--locked", "--package", "duologue-lab"])
}

/// The program itself and not `cargo run`, so that Ctrl-C reaches the one that has to clean up.
fn lab<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<(), Failed> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let mut lab = program(&format!("{target}/debug/duologue-lab")).args(arguments);
    if std::env::var_os("DUOLOGUE_BIN").is_none() {
        lab = lab.env("DUOLOGUE_BIN", &format!("{target}/debug/duologue"));
    }
    lab.run()
}
