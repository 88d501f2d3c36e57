//! Network namespaces that are gone when their value is, when the process is interrupted, and at the latest when the next
//! lab starts.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::system;

/// What all names of ours begin with; then comes the process that owns the namespace.
const PREFIX: &str = "duo-";
/// How long processes in a namespace may take to end once they are asked to.
const FAREWELL: Duration = Duration::from_secs(3);

/// Names and folders that are to be removed when the process is interrupted.
static LIVE: Mutex<Vec<String>> = Mutex::new(Vec::new());
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A network namespace with its loopback up; whatever runs in it ends with it.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one; `role` is for people who look at `ip netns list`.
    ///
    /// # Errors
    /// What `ip` says.
    pub fn new(role: &str) -> anyhow::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{role}", std::process::id());
        // Listed before it exists, and locked until it does: an interruption finds all of them, and no new one is made after.
        let mut live = lock(&LIVE);
        live.push(name.clone());
        let made = system::ip(&format!("netns add {name}"));
        drop(live);
        let namespace = Self { name };
        made?;
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Its name, as `ip netns` knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` inside.
    ///
    /// # Errors
    /// What it wrote when it failed.
    pub fn ip(&self, words: &str) -> anyhow::Result<()> {
        system::ip(&format!("-n {} {words}", self.name))
    }

    /// A program to be run inside.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Makes it a router.
    ///
    /// # Errors
    /// What the system says.
    pub fn forward(&self) -> anyhow::Result<()> {
        system::output(
            self.command("sh")
                .args(["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]),
        )
        .map(drop)
    }

    /// Loads nftables rules.
    ///
    /// # Errors
    /// What `nft` says.
    pub fn rules(&self, text: &str) -> anyhow::Result<()> {
        system::feed(self.command("nft").args(["--file", "-"]), text)
    }

    /// Runs `work` on a thread inside, such as one that opens sockets there.
    ///
    /// # Errors
    /// What the system says; what `work` says.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
        let path = format!("/run/netns/{}", self.name);
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let file = File::open(&path).with_context(|| format!("cannot open {path}"))?;
                setns(file, CloneFlags::CLONE_NEWNET).with_context(|| format!("cannot enter {path}"))?;
                work()
            });
            match thread.join() {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
        lock(&LIVE).retain(|name| *name != self.name);
    }
}

/// A folder for logs and recordings; removed with the value unless it was asked for by name.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// `wanted`, which stays, or a temporary one.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(wanted: Option<&Path>) -> anyhow::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = wanted.map_or_else(
            || std::env::temp_dir().join(format!("duologue-lab-{}-{number}", std::process::id())),
            Path::to_path_buf,
        );
        let kept = wanted.is_some();
        if !kept {
            lock(&FOLDERS).push(path.clone());
        }
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        // Programs in namespaces are started from anywhere.
        let path = path.canonicalize()?;
        Ok(Self { path, kept })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.path);
            lock(&FOLDERS).retain(|path| *path != self.path);
        }
    }
}

/// Watches for Ctrl-C and its like, and then removes everything and ends the process. Call it before any other thread
/// starts, so that none of them takes the signal.
///
/// # Errors
/// What the system says.
pub fn clean_up_when_interrupted() -> anyhow::Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block()?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let code = signals.wait().map_or(1, |signal| 128 + signal as i32);
        let names = lock(&LIVE);
        names.iter().for_each(|name| remove(name));
        for folder in lock(&FOLDERS).drain(..) {
            let _ = std::fs::remove_dir_all(folder);
        }
        std::process::exit(code);
    })?;
    Ok(())
}

/// Removes what labs left behind that were killed: namespaces whose process is no more.
pub fn sweep() {
    let Ok(list) = system::output(Command::new("ip").args(["netns", "list"])) else {
        return;
    };
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        if owner(name).is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists()) {
            remove(name);
        }
    }
}

/// The process that made the namespace of this name, if it is one of ours.
fn owner(name: &str) -> Option<u32> {
    let (owner, rest) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let (number, _role) = rest.split_once('-')?;
    number.parse::<u32>().ok()?;
    owner.parse().ok()
}

fn remove(name: &str) {
    let deadline = Instant::now() + FAREWELL;
    let mut signal = Signal::SIGTERM;
    // A namespace lives as long as a process is in it.
    while let Some(processes) = Some(processes(name)).filter(|processes| !processes.is_empty()) {
        for process in processes {
            let _ = kill(process, signal);
        }
        if signal == Signal::SIGKILL {
            break;
        }
        if Instant::now() >= deadline {
            signal = Signal::SIGKILL;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let _ = system::ip(&format!("netns delete {name}"));
}

fn processes(name: &str) -> Vec<Pid> {
    // `ip netns pids` names this process too while a thread of it is inside.
    let own = Pid::this();
    system::output(Command::new("ip").args(["netns", "pids", name]))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.trim().parse().ok().map(Pid::from_raw))
        .filter(|process| *process != own)
        .collect()
}

/// What is guarded here is a list of names, whole at any moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn only_names_of_labs_have_an_owner() {
        assert_eq!(owner("duo-4711-0-phone"), Some(4711));
        for name in [
            "duo-a-4711",
            "duo-4711",
            "duo-4711-0",
            "duo-4711-x-phone",
            "duo--1-a",
            "other-1-0-a",
            "",
        ] {
            assert_eq!(owner(name), None, "{name}");
        }
    }
}
