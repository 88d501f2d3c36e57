//! Running other programs from the workspace's root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a command of ours failed, in words for the terminal.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// A program to be run in the workspace's root, with its output shown.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    command: Command,
}

/// Starts describing a run of `name`.
pub(crate) fn program(name: &str) -> Program {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::inherit());
    Program {
        name: name.into(),
        command,
    }
}

impl Program {
    pub(crate) fn args<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        for argument in arguments {
            self.name.push(' ');
            self.name.push_str(argument);
            self.command.arg(argument);
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it; a non-zero exit is a failure that names the command.
    pub(crate) fn run(mut self) -> Result<(), Failed> {
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failed(format!("`{}` failed: {status}", self.name))),
            Err(error) => Err(Failed(format!("`{}` could not be started: {error}", self.name))),
        }
    }

    /// Runs it and returns what it printed; its errors are shown.
    pub(crate) fn output(mut self) -> Result<String, Failed> {
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| Failed(format!("`{}` could not be started: {error}", self.name)))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(Failed(format!("`{}` failed: {}", self.name, output.status)))
        }
    }

    /// Runs it silently; true when it could be started and succeeded.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// Runs cargo with `arguments` in the workspace's root.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<(), Failed> {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(arguments)
        .run()
}
