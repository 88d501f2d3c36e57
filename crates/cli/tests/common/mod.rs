//! What the tests of whole programs share: processes that clean up after themselves, and event logs to wait on.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Generous: only a broken program reaches it.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The program under test.
pub const DUOLOGUE: &str = env!("CARGO_BIN_EXE_duologue");

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "duologue-{name}-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program; killed when the test ends.
pub struct Process {
    pub name: String,
    pub child: Child,
    events: Option<PathBuf>,
}

impl Process {
    /// Runs `duologue` with `arguments`, inside network namespace `inside` when one is given.
    pub fn start(name: &str, inside: Option<&str>, arguments: &[&str], events: Option<PathBuf>) -> Self {
        Self::start_with(name, inside, arguments, events, &[])
    }

    /// The same with some of the environment set.
    pub fn start_with(
        name: &str,
        inside: Option<&str>,
        arguments: &[&str],
        events: Option<PathBuf>,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = match inside {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, DUOLOGUE]);
                command
            }
            None => Command::new(DUOLOGUE),
        };
        command.args(arguments).envs(environment.iter().copied());
        if let Some(events) = &events {
            command.arg("--events").arg(events).arg("--quiet");
        }
        let stdin = if arguments.contains(&"--control") {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let child = command.stdin(stdin).stdout(Stdio::piped()).spawn().unwrap();
        Self {
            name: name.into(),
            child,
            events,
        }
    }

    /// Writes an instruction for `--control`.
    pub fn say(&mut self, instruction: &str) {
        let stdin = self.child.stdin.as_mut().expect("started with --control");
        writeln!(stdin, "{instruction}").unwrap();
        stdin.flush().unwrap();
    }

    /// The first line on standard output that starts with `prefix`, without the prefix.
    pub fn announced(&mut self, prefix: &str) -> String {
        let mut lines = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let found = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.trim().strip_prefix(prefix).map(|rest| rest.trim().to_owned()));
        // Whatever follows is read, so that the program never blocks on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        found.unwrap_or_else(|| panic!("{} ended without saying `{prefix}`", self.name))
    }

    pub fn events(&self) -> Vec<Value> {
        let Some(path) = &self.events else { return Vec::new() };
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Waits until an event is logged that `wanted` accepts.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            if let Some(event) = self.events().into_iter().find(|event| wanted(event)) {
                return event;
            }
            let seen: Vec<String> = self
                .events()
                .iter()
                .map(|event| event["event"].to_string())
                .filter(|name| name != "\"stats\"")
                .collect();
            assert!(
                ended.is_none(),
                "{} ended ({ended:?}) before {what}; it said {seen:?}",
                self.name
            );
            assert!(
                Instant::now() < deadline,
                "{} never said {what}; it said {seen:?}",
                self.name
            );
            pause();
        }
    }

    pub fn wait_for_event(&mut self, name: &str) -> Value {
        self.wait_for(name, |event| event["event"] == name)
    }

    /// Waits for the program's end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "{} does not end", self.name);
            pause();
        }
    }

    pub fn exit_code(&mut self) -> i32 {
        self.wait().code().unwrap_or_else(|| panic!("{} was killed", self.name))
    }

    /// Sends a signal by its name, such as `INT`.
    pub fn signal(&self, signal: &str) {
        // `ip netns exec` replaces itself with the program, so the child's process is the program's.
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The step at which conditions are looked at again; nothing is ever concluded from its length.
fn pause() {
    std::thread::park_timeout(Duration::from_millis(50));
}

/// A development server on a free port of `address`, its data in `data`.
pub fn dev_server(inside: Option<&str>, address: &str, data: &Path) -> (Process, String) {
    let data = data.display().to_string();
    let stun = format!("{}:0", address.rsplit_once(':').unwrap().0);
    let arguments = [
        "server",
        "--dev",
        "--listen",
        address,
        "--stun-listen",
        &stun,
        "--data",
        &data,
    ];
    let mut server = Process::start("server", inside, &arguments, None);
    let url = server.announced("listening on ");
    (server, url)
}

/// Arguments of a phone at the server `url`, on loopback.
pub fn phone<'a>(user: &'a str, app: &'a str, ws: &'a str, input: &'a str, output: &'a str) -> Vec<&'a str> {
    vec![
        "--as",
        user,
        "--app-server",
        app,
        "--server",
        ws,
        "--input",
        input,
        "--output",
        output,
    ]
}

/// The app server's and the signalling URL of a development server.
pub fn urls(url: &str) -> (String, String) {
    (format!("{url}/app"), format!("{}/ws", url.replacen("http", "ws", 1)))
}

/// True when this test may be skipped because `why`; where everything must run, that is a failure instead.
pub fn skipped(why: &str) -> bool {
    assert!(
        std::env::var_os("DUOLOGUE_REQUIRE_ALL").is_none(),
        "this test must run here, but {why}"
    );
    eprintln!("skipped: {why}");
    true
}

/// The clips of the demo.
pub fn clip(name: &str) -> String {
    format!("{}/assets/{name}.wav", env!("CARGO_MANIFEST_DIR"))
}

/// The records in a server's data folder.
pub fn records(data: &Path) -> Vec<Value> {
    let output = Command::new(DUOLOGUE)
        .args(["records", "--json", "--data"])
        .arg(data)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
