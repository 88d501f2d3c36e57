//! Everything that CI runs, in order, each stage with its time. The test runner comes last, so that the output ends
//! with its summary.

use std::time::Instant;

use crate::run::{Failed, cargo, program};
use crate::{deps, lab, setup, web};

/// Runs all stages; the first that fails ends the run.
pub(crate) fn run() -> Result<(), Failed> {
    let begin = Instant::now();
    stage("system packages", || {
        setup::build_packages()?;
        setup::test_packages()?;
        setup::lab_packages()?;
        setup::browser_packages()
    })?;
    stage("format", format)?;
    stage("arrows", deps::arrows)?;
    let mut node = None;
    stage("web: packages, types, unit tests", || {
        let prepared = web::prepare()?;
        web::unit_tests(&prepared)?;
        node = Some(prepared);
        Ok(())
    })?;
    let node = node.ok_or_else(|| Failed("Node.js was not prepared".into()))?;
    stage("web: the committed build", || web::up_to_date(&node))?;
    stage("lints", || {
        cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ])
    })?;
    stage("every crate alone", deps::each_alone)?;
    stage("documentation", || {
        program("cargo")
            .args([
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
                "--locked",
            ])
            .env(
                "RUSTDOCFLAGS",
                "--deny warnings --allow rustdoc::private_intra_doc_links",
            )
            .run()
    })?;
    stage("licences, bans, sources", || {
        setup::cargo_deny()?;
        cargo([
            "deny",
            "--log-level",
            "error",
            "--all-features",
            "check",
            "bans",
            "licenses",
            "sources",
        ])
    })?;
    stage("benches, once each", || {
        cargo([
            "test",
            "--quiet",
            "--package",
            "duologue-benches",
            "--benches",
            "--locked",
        ])
    })?;
    stage("build of the tests", || {
        cargo(["test", "--workspace", "--no-run", "--quiet", "--locked"])
    })?;
    stage("browsers", || {
        cargo(["build", "--package", "duologue-cli", "--quiet", "--locked"])?;
        web::browsers(&node, None)
    })?;
    stage("calls over real NATs", lab::quick)?;
    println!(
        "== all stages but the last took {:.0} s; now the tests",
        begin.elapsed().as_secs_f64()
    );
    let mut tests = program("cargo").args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    if std::env::var_os("CI").is_some() {
        // Where the tests' needs are installed by ourselves, a test that cannot run is a failure.
        tests = tests.env("DUOLOGUE_REQUIRE_ALL", "1");
    }
    tests.run()
}

fn format() -> Result<(), Failed> {
    cargo(["fmt", "--all", "--check"])?;
    cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])
}

fn stage(name: &str, work: impl FnOnce() -> Result<(), Failed>) -> Result<(), Failed> {
    println!("== {name}");
    let begin = Instant::now();
    let outcome = work();
    let mark = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("== {name}: {mark} after {:.0} s", begin.elapsed().as_secs_f64());
    outcome
}
