//! Which crate may depend on which (the arrows of the README), checked from `cargo metadata`.

use serde_json::Value;

use crate::run::{Failed, cargo, program};

/// The allowed arrows between crates of the workspace, by folder name. What is not here is forbidden.
const ARROWS: &[(&str, &[&str])] = &[
    ("cli", &["call", "server", "app-server", "testnet"]),
    ("call", &["media", "transport", "signaling", "audio"]),
    ("server", &["signaling", "turn"]),
    ("media", &["rtp", "jitter", "codec"]),
    ("transport", &["ice", "srtp"]),
    ("app-server", &[]),
    ("signaling", &[]),
    ("ice", &[]),
    ("srtp", &[]),
    ("rtp", &[]),
    ("jitter", &[]),
    ("codec", &[]),
    ("audio", &[]),
    ("turn", &[]),
    ("testnet", &[]),
    ("lab", &["testnet"]),
];

/// Packages that may reach for any crate of ours: tests against other stacks, benches, examples.
const FREE: &[&str] = &[
    "duologue-interop",
    "duologue-benches",
    "duologue-examples",
    "duologue-fuzz",
];

const PREFIX: &str = "duologue-";

/// `cargo xtask deps`.
pub(crate) fn run() -> Result<(), Failed> {
    arrows()?;
    each_alone()
}

/// Checks the arrows of every package of the workspace.
pub(crate) fn arrows() -> Result<(), Failed> {
    let text = program("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output()?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| Failed(format!("cargo metadata is not JSON: {error}")))?;
    let wrong = violations(&metadata);
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failed(format!("forbidden dependencies:\n  {}", wrong.join("\n  "))))
    }
}

/// `cargo check`s every crate by itself, without what the rest of the workspace would switch on.
pub(crate) fn each_alone() -> Result<(), Failed> {
    ARROWS.iter().try_for_each(|(folder, _)| {
        let package = format!("{PREFIX}{folder}");
        cargo(["check", "--quiet", "--locked", "--package", &package])
    })
}

fn violations(metadata: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(folder) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if FREE.contains(&name) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == folder) else {
            wrong.push(format!("{name} has no line in the table of arrows"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(target) = dependency["name"].as_str().and_then(|name| name.strip_prefix(PREFIX)) else {
                continue;
            };
            let in_tests_only = dependency["kind"] == "dev";
            if !(allowed.contains(&target) || in_tests_only && target == "testnet") {
                wrong.push(format!("{folder} -> {target}"));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::violations;

    fn one(name: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
        violations(&json!({"packages": [{"name": name, "dependencies": [{"name": dependency, "kind": kind}]}]}))
    }

    #[test]
    fn an_arrow_of_the_table_is_allowed() {
        assert!(one("duologue-media", "duologue-rtp", None).is_empty());
        assert!(one("duologue-media", "bytes", None).is_empty());
    }

    #[test]
    fn every_other_arrow_is_named() {
        assert_eq!(one("duologue-rtp", "duologue-media", None), ["rtp -> media"]);
        assert_eq!(
            one("duologue-jitter", "duologue-codec", Some("dev")),
            ["jitter -> codec"]
        );
        assert_eq!(
            one("duologue-new", "bytes", None),
            ["duologue-new has no line in the table of arrows"]
        );
    }

    #[test]
    fn any_crate_may_test_over_testnet_and_none_may_link_it() {
        assert!(one("duologue-ice", "duologue-testnet", Some("dev")).is_empty());
        assert_eq!(one("duologue-ice", "duologue-testnet", None), ["ice -> testnet"]);
    }
}
