//! The call server, and coturn beside it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::system;
use crate::world::{APP_SERVER, COTURN, SERVER, World};

/// What the call server and coturn share; nothing outside of the lab reaches either.
const SECRET: &str = "known-to-the-lab-alone";
/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relays {
    /// The call server, over whatever gets through.
    Embedded,
    /// The call server, over UDP only.
    EmbeddedUdp,
    /// The call server, over TCP only.
    EmbeddedTcp,
    /// The call server, on its HTTPS port only.
    EmbeddedTls,
    /// coturn, over UDP only.
    CoturnUdp,
    /// coturn, over TCP only.
    CoturnTcp,
    /// coturn, over TLS on port 443 only.
    CoturnTls,
}

impl Relays {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Embedded,
        Self::EmbeddedUdp,
        Self::EmbeddedTcp,
        Self::EmbeddedTls,
        Self::CoturnUdp,
        Self::CoturnTcp,
        Self::CoturnTls,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::EmbeddedUdp => "embedded-udp",
            Self::EmbeddedTcp => "embedded-tcp",
            Self::EmbeddedTls => "embedded-tls",
            Self::CoturnUdp => "coturn-udp",
            Self::CoturnTcp => "coturn-tcp",
            Self::CoturnTls => "coturn-tls",
        }
    }

    /// The way to the relay that phones are told to leave the others out for.
    const fn protocol(self) -> Option<&'static str> {
        match self {
            Self::EmbeddedUdp => Some("udp"),
            Self::EmbeddedTcp => Some("tcp"),
            Self::EmbeddedTls => Some("tls"),
            Self::Embedded | Self::CoturnUdp | Self::CoturnTcp | Self::CoturnTls => None,
        }
    }

    /// The one URL that clients get instead of the call server's own.
    fn url(self) -> Option<String> {
        match self {
            Self::Embedded | Self::EmbeddedUdp | Self::EmbeddedTcp | Self::EmbeddedTls => None,
            Self::CoturnUdp => Some(format!("turn:{COTURN}:3478?transport=udp")),
            Self::CoturnTcp => Some(format!("turn:{COTURN}:3478?transport=tcp")),
            Self::CoturnTls => Some(format!("turns:{COTURN}:443?transport=tcp")),
        }
    }
}

impl FromStr for Relays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|relays| relays.name() == text)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::ALL.iter().map(|relays| relays.name()).collect();
                format!("`{text}` is no relay; there are {}", names.join(", "))
            })
    }
}

/// The `duologue` program that the lab looks at: `DUOLOGUE_BIN`, or the one of the last debug build.
///
/// # Errors
/// When there is no such file.
pub fn duologue() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("DUOLOGUE_BIN").map_or_else(|| PathBuf::from("target/debug/duologue"), PathBuf::from);
    named.canonicalize().with_context(|| {
        format!(
            "there is no program {}: `cargo build -p duologue-cli` makes it, DUOLOGUE_BIN names another",
            named.display()
        )
    })
}

/// A call server on the HTTPS port with its app server, and coturn where it was asked for.
#[derive(Debug)]
pub struct Server {
    children: Vec<Child>,
    /// What phones have to trust.
    pub certificate: PathBuf,
    /// Where phones get their tokens and pushes.
    pub app_server: String,
    /// What phones are told beyond who and where they are.
    pub phone_arguments: Vec<String>,
}

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When it does not start; its output is in `folder`.
    pub fn start(world: &World, folder: &Path, relays: Relays) -> anyhow::Result<Self> {
        let data = folder.join("server-data");
        let certificate = data.join("tls-certificate.pem");
        let phone_arguments = relays
            .protocol()
            .map_or_else(Vec::new, |protocol| vec!["--relay-protocols".into(), protocol.into()]);
        match relays.url() {
            None => {
                let mut server = Self {
                    children: Vec::new(),
                    certificate,
                    app_server: format!("https://{SERVER}/app"),
                    phone_arguments,
                };
                server.development(world, SERVER, &data, &folder.join("server.log"))?;
                Ok(server)
            }
            Some(url) => {
                let mut server = Self {
                    children: Vec::new(),
                    certificate,
                    app_server: format!("https://{APP_SERVER}/app"),
                    phone_arguments,
                };
                server.configured(world, folder, &data, &url)?;
                Ok(server)
            }
        }
    }

    /// A development server, which is its own app server.
    fn development(&mut self, world: &World, address: Ipv4Addr, data: &Path, log: &Path) -> anyhow::Result<()> {
        let mut command = world.servers().command(duologue()?);
        command
            .args([
                "server",
                "--dev",
                "--tls-self-signed",
                "--listen",
                &format!("{address}:443"),
            ])
            .args(["--stun-listen", &format!("{address}:3478"), "--data"])
            .arg(data);
        self.children.push(spawn(&mut command, log)?);
        self.announced(log)
    }

    /// A server as operators run it, with a configuration file that names coturn. The app server is a development server at
    /// an address of its own, from whose data folder this one has the service, its key and the certificate.
    fn configured(&mut self, world: &World, folder: &Path, data: &Path, url: &str) -> anyhow::Result<()> {
        let app_data = folder.join("app-server-data");
        self.development(world, APP_SERVER, &app_data, &folder.join("app-server.log"))?;
        std::fs::create_dir_all(data)?;
        for file in std::fs::read_dir(&app_data)? {
            let file = file?;
            if file.file_type()?.is_file() {
                std::fs::copy(file.path(), data.join(file.file_name()))?;
            }
        }
        system::output(
            Command::new(duologue()?)
                .arg("service")
                .arg("--data")
                .arg(data)
                .args([
                    "set-callback",
                    "dev",
                    "--notify",
                    &format!("{}/notify", self.app_server),
                ])
                .args(["--call-event", &format!("{}/call-event", self.app_server)]),
        )?;
        let secret = folder.join("turn-secret");
        std::fs::write(&secret, SECRET)?;
        let config = folder.join("server.toml");
        let quoted = |path: &Path| format!("{:?}", path.display().to_string());
        std::fs::write(
            &config,
            format!(
                "listen = \"{SERVER}:443\"\nstun_listen = \"{SERVER}:3478\"\ndata = {}\n\
                 [tls]\ncertificate = {}\nkey = {}\n\
                 [callbacks]\nextra_roots = {}\n\
                 [turn]\nurls = [\"{url}\"]\nsecrets = [{}]\n",
                quoted(data),
                quoted(&self.certificate),
                quoted(&data.join("tls-key.pem")),
                quoted(&self.certificate),
                quoted(&secret),
            ),
        )?;
        let log = folder.join("server.log");
        let mut command = world.servers().command(duologue()?);
        command.args(["server", "--config"]).arg(&config);
        self.children.push(spawn(&mut command, &log)?);
        self.announced(&log)?;
        self.coturn(world, folder, data)
    }

    fn announced(&mut self, log: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let listens = BufReader::new(File::open(log)?)
                .lines()
                .map_while(Result::ok)
                .any(|line| line.starts_with("listening on "));
            if listens {
                return Ok(());
            }
            self.alive(log, deadline)?;
        }
    }

    fn coturn(&mut self, world: &World, folder: &Path, data: &Path) -> anyhow::Result<()> {
        let log = folder.join("coturn.log");
        let mut command = world.servers().command("turnserver");
        command
            .args(["-n", "--use-auth-secret", "--realm=duologue", "--no-cli", "--no-dtls"])
            .arg(format!("--static-auth-secret={SECRET}"))
            .arg(format!("--listening-ip={COTURN}"))
            .arg(format!("--relay-ip={COTURN}"))
            .args(["--listening-port=3478", "--tls-listening-port=443", "--log-file=stdout"])
            .arg(format!("--pidfile={}", folder.join("coturn.pid").display()))
            .arg(format!("--userdb={}", folder.join("coturn.db").display()))
            .arg(format!("--cert={}", data.join("tls-certificate.pem").display()))
            .arg(format!("--pkey={}", data.join("tls-key.pem").display()));
        self.children
            .push(spawn(&mut command, &log).context("is the Debian package coturn installed?")?);
        let deadline = Instant::now() + PATIENCE;
        let addresses = [3478, 443].map(|port| SocketAddr::from((COTURN, port)));
        while !world.servers().inside(|| {
            Ok(addresses
                .iter()
                .all(|address| TcpStream::connect_timeout(address, Duration::from_secs(1)).is_ok()))
        })? {
            self.alive(&log, deadline)?;
        }
        Ok(())
    }

    /// Waits a moment; an error when the newest program ended or time is up.
    fn alive(&mut self, log: &Path, deadline: Instant) -> anyhow::Result<()> {
        let ended = match self.children.last_mut() {
            Some(child) => child.try_wait()?,
            None => None,
        };
        if ended.is_some() || Instant::now() >= deadline {
            bail!(
                "the server does not start: {}",
                std::fs::read_to_string(log).unwrap_or_default().trim()
            );
        }
        std::thread::park_timeout(Duration::from_millis(20));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a program with its output in a file.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Child> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let errors = file.try_clone()?;
    command
        .stdout(file)
        .stderr(errors)
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("{command:?} could not be started"))
}
