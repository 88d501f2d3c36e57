//! The two servers, each a process of its own, and what they cost.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use duologue_server::{Config, Server};

pub(crate) const SECRET: &[u8] = b"a secret that both servers have";
/// Argument that makes this program the server.
pub(crate) const SERVE: &str = "--serve";
/// A server that does not answer so long will not.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Duologue's call server, whole, in a second process of this program.
    pub(crate) fn duologue() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { child, address })
    }

    /// Debian's coturn, as its package runs it but for the log; `None` where it is not installed.
    pub(crate) fn coturn() -> io::Result<Option<Self>> {
        let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let secret = String::from_utf8_lossy(SECRET);
        let spawned = Command::new("turnserver")
            .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"])
            .args(["--allow-loopback-peers", "--realm=duologue", "--use-auth-secret"])
            .args(["--static-auth-secret", &*secret, "--no-cli", "--no-tls", "--no-dtls"])
            .args(["--no-stdout-log", "--log-file=/dev/null", "--pidfile=/dev/null"])
            .args(["-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match spawned {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            child => child?,
        };
        let server = Self { child, address };
        server.wait()?;
        Ok(Some(server))
    }

    /// Waits until it answers.
    fn wait(&self) -> io::Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[5; 12]].concat();
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            socket.send_to(&request, self.address)?;
            if socket.recv(&mut [0; 512]).is_ok() {
                return Ok(());
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// CPU time of every thread until now, user and system, in seconds (proc(5), `stat`).
    pub(crate) fn cpu(&self) -> io::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold anything; utime and stime are the 12th and 13th field after it.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
        match (ticks(11), ticks(12)) {
            // 100 ticks are a second on every Linux.
            (Some(user), Some(system)) => Ok((user + system) / 100.0),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The data folder, which goes with the server.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs Duologue's server until standard input ends, or the other process kills this one.
#[allow(clippy::print_stdout, reason = "the address is what the other process reads")]
pub(crate) fn serve() -> io::Result<()> {
    let folder = Folder(std::env::temp_dir().join(format!("duologue-turn-rate-{}", std::process::id())));
    fs::create_dir_all(&folder.0)?;
    let secret = folder.0.join("secret");
    fs::write(&secret, SECRET)?;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config {
        listen: any,
        stun_listen: Some(any),
        data: folder.0.clone(),
        ..Config::default()
    };
    config.turn.secrets = vec![secret];
    config.turn.allow_peers = vec!["127.0.0.0/8".parse().map_err(io::Error::other)?];
    config.turn.user_bytes_per_second = 1_000_000_000;
    config.turn.unauthenticated_per_second = 1_000_000;
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(Server::start(config)).map_err(io::Error::other)?;
    let address = server.stun_addr().ok_or(io::ErrorKind::AddrNotAvailable)?;
    println!("{address}");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
