//! `cargo xtask compare-neteq`: our jitter buffer beside libwebrtc's NetEq, on the same packets. Not part of CI.

use std::fs;

use crate::run::{Failed, cargo, program, root};
use crate::setup;

/// What Debian packages the other engine, the speech, and what builds and scores in.
const PACKAGES: &[(&[&str], &str)] = &[
    (&["test", "-f", "/usr/lib/x86_64-linux-gnu/libtg_owt.a"], "libtgowt-dev"),
    (
        &["test", "-d", "/usr/share/pocketsphinx/test/data/librivox"],
        "pocketsphinx-testdata",
    ),
    (&["g++", "--version"], "g++"),
    (&["cmake", "--version"], "cmake"),
    (&["flite", "-lv"], "flite"),
    (&["espeak-ng", "--version"], "espeak-ng"),
    (&["python3", "-c", "import ensurepip"], "python3-venv"),
    (&["test", "-f", "/usr/include/python3.11/Python.h"], "python3-dev"),
];

/// `cargo xtask compare-neteq [--only PARTS] [--seeds N]`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failed> {
    setup::build_packages()?;
    setup::install(PACKAGES)?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root().join("target"), |dir| root().join(dir));
    let work = target.join("compare-neteq");
    fs::create_dir_all(&work).map_err(|error| Failed(format!("{}: {error}", work.display())))?;
    let path = |name: &str| work.join(name).display().to_string();

    cargo([
        "build",
        "--release",
        "--package",
        "duologue-examples",
        "--example",
        "jitter-replay",
    ])?;
    let (sources, build) = (root().join("benches/neteq").display().to_string(), path("build"));
    program("cmake").args(["-S", &sources, "-B", &build]).run()?;
    program("cmake").args(["--build", &build]).run()?;

    let venv = path("venv");
    let python = format!("{venv}/bin/python");
    if !program(&python).args(["-c", "import pesq, speechmos"]).succeeds() {
        println!("making a Python environment for the scorers");
        program("python3").args(["-m", "venv", &venv]).run()?;
        let requirements = format!("{sources}/requirements.txt");
        program(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement", &requirements])
            .run()?;
    }
    let (ours, neteq) = (
        target.join("release/examples/jitter-replay").display().to_string(),
        format!("{build}/neteq_replay"),
    );
    let (compare, runs, results) = (
        format!("{sources}/compare.py"),
        path("runs"),
        root().join("benches/results").display().to_string(),
    );
    program(&python)
        .args([
            compare.as_str(),
            "--ours",
            &ours,
            "--neteq",
            &neteq,
            "--work",
            &runs,
            "--results",
            &results,
        ])
        .args(arguments.iter().map(String::as_str))
        .run()
}
