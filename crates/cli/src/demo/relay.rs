//! The impaired path of the demo: a relay between the two phones, and the small control port through which each phone
//! learns which relay address stands for one of its own.
//!
//! A phone connects to the control port over TCP and writes a line with one of its own UDP addresses; it is answered
//! with a line that holds the address to offer to the peer instead.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use duologue_testnet::relay::PairRelay;
use duologue_testnet::{LinkConfig, Loss};

use crate::args::DemoArgs;

/// How long a phone waits for the control port; it is on the same machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// The relay with its control port.
#[derive(Debug)]
pub(crate) struct Control {
    address: SocketAddr,
}

impl Control {
    /// Starts a relay as the arguments ask for; none when they ask for a clean path.
    pub(crate) fn start(arguments: &DemoArgs) -> anyhow::Result<Option<Self>> {
        if arguments.loss == 0.0 && arguments.jitter == 0.0 && arguments.delay == 0.0 {
            return Ok(None);
        }
        let milliseconds = |value: f64| Duration::from_secs_f64(value / 1000.0);
        let link = LinkConfig {
            delay: milliseconds(arguments.delay),
            jitter: milliseconds(arguments.jitter),
            loss: if arguments.loss > 0.0 {
                Loss::Bernoulli(arguments.loss / 100.0)
            } else {
                Loss::None
            },
            ..LinkConfig::default()
        };
        let relay = Arc::new(PairRelay::start(link, arguments.seed).context("cannot start the relay")?);
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot open the relay's control port")?;
        let address = listener.local_addr()?;
        thread::Builder::new()
            .name("relay-control".into())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    // A phone that says nonsense is answered with nothing and loses only its own call.
                    if let Err(error) = serve(stream, &relay) {
                        tracing::warn!(%error, "the relay's control port was misused");
                    }
                }
            })
            .context("cannot start the relay's control thread")?;
        Ok(Some(Self { address }))
    }

    /// The control port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(stream: TcpStream, relay: &PairRelay) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    let real: SocketAddr = line.trim().parse()?;
    let standing = relay.stand_for(real)?;
    writeln!(&stream, "{standing}")?;
    Ok(())
}

/// Asks the control port at `control` which address stands for `real`.
pub(crate) fn standing_for(control: SocketAddr, real: SocketAddr) -> anyhow::Result<SocketAddr> {
    let stream = TcpStream::connect_timeout(&control, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    writeln!(&stream, "{real}")?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    Ok(line.trim().parse()?)
}

/// Rewrites a candidate (RFC 8839 §5.1) so that it names the relay's address instead of the phone's own. One that cannot
/// be rewritten is left out: offering it would lead around the impairments.
pub(crate) fn rewrite(control: SocketAddr, candidate: &str) -> Option<String> {
    let mut fields: Vec<String> = candidate.split(' ').map(str::to_owned).collect();
    let ip = fields.get(4)?.parse().ok()?;
    let port = fields.get(5)?.parse().ok()?;
    let standing = standing_for(control, SocketAddr::new(ip, port))
        .inspect_err(|error| tracing::warn!(%error, "the relay gave no address"))
        .ok()?;
    fields[4] = standing.ip().to_string();
    fields[5] = standing.port().to_string();
    Some(fields.join(" "))
}
