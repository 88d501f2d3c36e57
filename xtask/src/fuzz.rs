//! Running the fuzz targets with cargo-fuzz on a nightly toolchain.

use crate::run::{Failed, program, root};
use crate::setup;

const SECONDS: &str = "60";

/// `fuzz [TARGET [SECONDS]]`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failed> {
    setup::build_packages()?;
    if !program("rustup")
        .args(["run", "nightly", "rustc", "--version"])
        .succeeds()
    {
        return Err(Failed(
            "fuzzing needs a nightly toolchain: `rustup toolchain install nightly`".into(),
        ));
    }
    if !program("cargo").args(["fuzz", "--version"]).succeeds() {
        println!("installing cargo-fuzz (a minute)");
        program("cargo").args(["install", "cargo-fuzz", "--locked"]).run()?;
    }
    let known = targets()?;
    let seconds = arguments.get(1).map_or(SECONDS, String::as_str);
    let chosen: Vec<&String> = match arguments.first() {
        None => known.iter().collect(),
        Some(name) if known.contains(name) => known.iter().filter(|target| *target == name).collect(),
        Some(name) => {
            return Err(Failed(format!(
                "no fuzz target `{name}`; there are: {}",
                known.join(", ")
            )));
        }
    };
    for target in chosen {
        println!("== fuzzing {target} for {seconds} s");
        let limit = format!("-max_total_time={seconds}");
        program("cargo")
            .args(["+nightly", "fuzz", "run", target, "--", &limit, "-max_len=4096"])
            .run()?;
    }
    Ok(())
}

fn targets() -> Result<Vec<String>, Failed> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).map_err(|error| Failed(format!("fuzz/fuzz_targets: {error}")))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}
