//! What may be said on the command line. The texts here are the manual.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use duologue_server::{Cidr, Ports};

/// 1-to-1 audio calls that you host yourself: call server and command-line phone.
#[derive(Debug, Parser)]
#[command(
    name = "duologue",
    version,
    after_help = "A first call on one machine, in three terminals:\n  \
        duologue server --dev\n  \
        duologue answer --as bob --auto --app-server http://127.0.0.1:8080/app\n  \
        duologue call bob --as alice --app-server http://127.0.0.1:8080/app\n\n\
        `duologue demo` does all three by itself and shows what was heard."
)]
pub(crate) struct Cli {
    /// What to log to standard error: error, warn, info, debug, trace, or filters such as `duologue_ice=debug`
    #[arg(long, global = true, env = "DUOLOGUE_LOG", default_value = "warn")]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the call server
    Server(ServerArgs),
    /// Manage the services (customers) of a call server's data folder
    Service {
        /// The server's data folder
        #[arg(long, default_value = "duologue-data", env = "DUOLOGUE_DATA")]
        data: PathBuf,
        #[command(subcommand)]
        command: ServiceCommand,
    },
    /// Make an access token, as an app server would
    Token(TokenArgs),
    /// Call somebody
    Call(CallArgs),
    /// Wait for a call and answer it
    Answer(AnswerArgs),
    /// List the audio devices
    Devices,
    /// Show the call records in a server's data folder
    Records {
        /// The server's data folder
        #[arg(long, default_value = "duologue-data", env = "DUOLOGUE_DATA")]
        data: PathBuf,
        /// How many of the newest to show
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// One JSON object a line instead of a table
        #[arg(long)]
        json: bool,
    },
    /// A real call on this machine between two processes, with what each side heard
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Without --dev the server reads one TOML file (--config) and DUOLOGUE_* environment variables, which win.\n\
    Services are made with `duologue service add`. `--check` prints the effective configuration and ends."
)]
pub(crate) struct ServerArgs {
    /// No configuration needed: makes a service with its keys, runs the reference app server and the demo page on the same
    /// port, and lets anybody sign in. For trying things out
    #[arg(long)]
    pub(crate) dev: bool,
    /// With --dev: HTTPS with a certificate made here, on every interface, so that a phone on the local network may use its
    /// microphone. Browsers warn about it once
    #[arg(long, requires = "dev")]
    pub(crate) tls_self_signed: bool,
    /// With --dev: serve the SDK and the page from this folder (a `dist` of web/) instead of those built in
    #[arg(long, value_name = "DIR", env = "DUOLOGUE_WEB_DIST")]
    pub(crate) web_folder: Option<PathBuf>,
    /// Address and port for HTTP and WebSocket
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address and port that answers STUN and TURN, over UDP and TCP
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) stun_listen: Option<SocketAddr>,
    /// Public address of relays, when a NAT before this machine maps their ports to it unchanged; twice for both families
    #[arg(long, value_name = "IP")]
    pub(crate) turn_external_ip: Vec<IpAddr>,
    /// Let relays reach this range although it is private, such as 10.1.0.0/16; repeatable
    #[arg(long, value_name = "CIDR")]
    pub(crate) turn_allow_peer: Vec<Cidr>,
    /// UDP ports of relays (default 49152-65535)
    #[arg(long, value_name = "FIRST-LAST")]
    pub(crate) turn_ports: Option<Ports>,
    /// No relays: calls then need a direct path
    #[arg(long)]
    pub(crate) no_turn: bool,
    /// Where the database and the keys live
    #[arg(long, value_name = "DIR", env = "DUOLOGUE_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Check the configuration, print what is in force, and end
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Make a service with a first API key; prints the key and its secret once
    Add {
        /// 1 to 64 letters, digits, `-`, `_` or `.`
        id: String,
        /// Called (GET) when somebody is being called; it pushes `cc_param` to the callee
        #[arg(long, value_name = "URL")]
        notify_callback: Option<String>,
        /// Called (GET) when a call has ended
        #[arg(long, value_name = "URL")]
        call_event_callback: Option<String>,
    },
    /// List the services
    List,
    /// Make a second API key; the older one stays valid until the next rotation
    RotateKey {
        /// The service
        id: String,
    },
    /// Set the callback URLs
    SetCallback {
        /// The service
        id: String,
        /// Called (GET) when somebody is being called
        #[arg(long, value_name = "URL")]
        notify: Option<String>,
        /// Called (GET) when a call has ended
        #[arg(long, value_name = "URL")]
        call_event: Option<String>,
    },
    /// Set the web origins that browsers may connect from; none given means none
    SetOrigins {
        /// The service
        id: String,
        /// Such as `https://app.example.org`
        origins: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The user that the token is for
    #[arg(long = "as", value_name = "USER")]
    pub(crate) user: String,
    /// The service
    #[arg(long, value_name = "ID", default_value = "dev")]
    pub(crate) service: String,
    /// The API key; with --api-secret, instead of the keys in the data folder
    #[arg(
        long,
        env = "DUOLOGUE_API_KEY",
        requires = "api_secret",
        allow_hyphen_values = true,
        hide_env_values = true
    )]
    pub(crate) api_key: Option<String>,
    /// The API secret, 64 characters of 0-9 a-f
    #[arg(long, env = "DUOLOGUE_API_SECRET", requires = "api_key", hide_env_values = true)]
    pub(crate) api_secret: Option<String>,
    /// The server's data folder to take the keys from
    #[arg(long, default_value = "duologue-data", env = "DUOLOGUE_DATA")]
    pub(crate) data: PathBuf,
}

/// Which of its addresses a phone shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IcePolicy {
    /// All of them
    All,
    /// Only those of relays
    RelayOnly,
    /// All of them, but none before the accept
    NothingBeforeAccept,
}

impl From<IcePolicy> for duologue_call::IcePolicy {
    fn from(policy: IcePolicy) -> Self {
        match policy {
            IcePolicy::All => Self::All,
            IcePolicy::RelayOnly => Self::RelayOnly,
            IcePolicy::NothingBeforeAccept => Self::NothingBeforeAccept,
        }
    }
}

/// How a relay is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RelayProtocol {
    /// UDP
    Udp,
    /// TCP
    Tcp,
    /// TLS over TCP
    Tls,
}

impl From<RelayProtocol> for duologue_call::RelayProtocol {
    fn from(protocol: RelayProtocol) -> Self {
        match protocol {
            RelayProtocol::Udp => Self::Udp,
            RelayProtocol::Tcp => Self::Tcp,
            RelayProtocol::Tls => Self::Tls,
        }
    }
}

/// What `call` and `answer` share.
#[derive(Debug, Args, Clone)]
pub(crate) struct PhoneArgs {
    /// Who you are
    #[arg(long = "as", value_name = "USER")]
    pub(crate) user: String,
    /// Your service
    #[arg(long, value_name = "ID", default_value = "dev")]
    pub(crate) service: String,
    /// The call server
    #[arg(
        long,
        value_name = "URL",
        default_value = "ws://127.0.0.1:8080/ws",
        env = "DUOLOGUE_SERVER"
    )]
    pub(crate) server: String,
    /// An access token, for an app server of your own (see `duologue token`)
    #[arg(long, value_name = "T", env = "DUOLOGUE_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// The app server, which issues a token and pushes incoming calls
    #[arg(long, value_name = "URL", env = "DUOLOGUE_APP_SERVER")]
    pub(crate) app_server: Option<String>,
    /// Trust this certificate (PEM) too, such as the one that `duologue server --dev --tls-self-signed` makes
    #[arg(long, value_name = "FILE", env = "DUOLOGUE_ROOT_CERTIFICATE")]
    pub(crate) root_certificate: Option<PathBuf>,
    /// What you say: a WAV file, mic, mic:DEVICE, tone or silence
    #[arg(long, value_name = "SOURCE", default_value = "mic")]
    pub(crate) input: String,
    /// What you hear goes to: a WAV file, speaker, speaker:DEVICE or null
    #[arg(long, value_name = "SINK", default_value = "speaker")]
    pub(crate) output: String,
    /// What you hear while the peer holds the call, over and over, instead of the built-in tone
    #[arg(long, value_name = "FILE.wav")]
    pub(crate) hold_tone: Option<PathBuf>,
    /// End the call this many seconds after it connected
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<f64>,
    /// Write what happens as JSON lines: wall_ms, event and its data
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Obey standard input, a line each: accept, decline, end, mute, unmute, hold or unhold; a text may follow accept, end and
    /// hold. For scripts; without it, the keys of the terminal are obeyed during the call: m mutes and unmutes, h holds and goes on
    #[arg(long)]
    pub(crate) control: bool,
    /// Offer loopback addresses, for calls within one machine
    #[arg(long)]
    pub(crate) loopback: bool,
    /// Which of your addresses the peer may learn: all, only those of relays, or all but none before the accept
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = IcePolicy::All)]
    pub(crate) ice_policy: IcePolicy,
    /// How relays may be reached
    #[arg(
        long,
        value_name = "LIST",
        value_enum,
        value_delimiter = ',',
        default_value = "udp,tcp,tls"
    )]
    pub(crate) relay_protocols: Vec<RelayProtocol>,
    /// Hide the addresses of this machine's interfaces behind mDNS names, as browsers do
    #[arg(long)]
    pub(crate) mdns_hiding: bool,
    /// How long a connected call waits for a network that is gone (20 to 600 seconds)
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(20..=600))]
    pub(crate) network_patience: u64,
    /// No live line on the terminal
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Send through the impairing relay of the demo at this address
    #[arg(long, value_name = "ADDR:PORT", hide = true)]
    pub(crate) relay: Option<SocketAddr>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the call connected and ended without a fault, 1 error before the call, 2 wrong usage,\n\
    3 not answered, 4 declined, 5 busy, 6 refused by the server (token, identifiers, limits), 7 network fault,\n\
    8 app server or push fault, 9 other end.\n\
    Ctrl-C ends the call cleanly; a second Ctrl-C ends at once."
)]
pub(crate) struct CallArgs {
    /// Whom to call
    pub(crate) peer: String,
    /// The peer's service, when it is not yours
    #[arg(long, value_name = "ID")]
    pub(crate) peer_service: Option<String>,
    /// Text for the app server (at most 4,095 bytes)
    #[arg(long, value_name = "TEXT")]
    pub(crate) app_server_data: Option<String>,
    /// Text that the callee sees while it rings (at most 199 bytes)
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    #[command(flatten)]
    pub(crate) phone: PhoneArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes are those of `duologue call`; 3 also when nobody called within --wait.\n\
    Ctrl-C declines or ends the call cleanly; a second Ctrl-C ends at once."
)]
pub(crate) struct AnswerArgs {
    /// Accept without asking. Without it the terminal is asked, or the script of --control
    #[arg(long)]
    pub(crate) auto: bool,
    /// Verify this cc_param instead of waiting for a push
    #[arg(long, value_name = "TEXT")]
    pub(crate) cc_param: Option<String>,
    /// Give up when nobody has called after this many seconds
    #[arg(long, value_name = "N")]
    pub(crate) wait: Option<f64>,
    /// Text that the caller sees when you accept (at most 199 bytes)
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    #[command(flatten)]
    pub(crate) phone: PhoneArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 0 only when each side heard what the other said: after alignment the envelopes of both\n\
    recordings must correlate by 0.8 or more."
)]
pub(crate) struct DemoArgs {
    /// Packets lost on the path between the two, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub(crate) loss: f64,
    /// Jitter of that path in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0.0)]
    pub(crate) jitter: f64,
    /// One-way delay of that path in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0.0)]
    pub(crate) delay: f64,
    /// Seed of the impairments
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How long the two talk
    #[arg(long, value_name = "SECONDS", default_value_t = 15.0)]
    pub(crate) seconds: f64,
    /// What the caller says instead of the built-in clip
    #[arg(long, value_name = "FILE.wav")]
    pub(crate) caller_says: Option<PathBuf>,
    /// What the callee says instead of the built-in clip
    #[arg(long, value_name = "FILE.wav")]
    pub(crate) callee_says: Option<PathBuf>,
    /// Also play what the caller hears on this machine's speaker after the call, if it has one
    #[arg(long)]
    pub(crate) play: bool,
    /// Where recordings, events and the picture go
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    pub(crate) out: PathBuf,
}
