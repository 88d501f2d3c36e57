//! `duologue server`, `service`, `token` and `records`: the call server and its data folder.

mod certificate;
mod data;
mod dev;

use std::net::SocketAddr;
use std::time::SystemTime;

use anyhow::Context;
use duologue_server::{Config, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ServerArgs;
pub(crate) use data::{records, service, token};
pub(crate) use dev::DevServer;

/// Where a development server listens unless told otherwise: this machine only.
const DEV_LISTEN: &str = "127.0.0.1:8080";
/// Where it answers STUN.
const DEV_STUN: &str = "127.0.0.1:3478";
/// The same with TLS, where phones of the local network shall come too.
const DEV_TLS_LISTEN: &str = "0.0.0.0:8443";
const DEV_TLS_STUN: &str = "0.0.0.0:3478";

/// `duologue server`.
pub(crate) async fn run(arguments: &ServerArgs) -> anyhow::Result<()> {
    let config = config(arguments)?;
    config.check()?;
    if arguments.check {
        print!("{}", config.effective());
        println!("# The configuration is in order.");
        return Ok(());
    }
    if arguments.dev {
        let server = DevServer::with_config(config).await?;
        println!("listening on {}", server.http_url());
        server.explain();
        stop_requested().await?;
        println!("stopping; a second Ctrl-C ends at once");
        return ended(server.stop()).await;
    }
    let server = Server::start(config).await?;
    println!("listening on {}", server.http_url());
    if server.store().list().await?.is_empty() {
        println!("There is no service yet: make one with `duologue service add ID --notify-callback URL`.");
    }
    stop_requested().await?;
    println!("stopping: no new calls, waiting for those that are going on; a second Ctrl-C ends at once");
    ended(server.shutdown()).await
}

fn config(arguments: &ServerArgs) -> anyhow::Result<Config> {
    let mut config = if arguments.dev {
        let (listen, stun) = match arguments.tls_self_signed {
            true => (DEV_TLS_LISTEN, DEV_TLS_STUN),
            false => (DEV_LISTEN, DEV_STUN),
        };
        let mut config = Config::dev(parsed(listen)?, "duologue-data");
        config.stun_listen = Some(parsed(stun)?);
        config.web_folder.clone_from(&arguments.web_folder);
        config
    } else {
        Config::load(arguments.config.as_deref())?
    };
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    if let Some(stun_listen) = arguments.stun_listen {
        config.stun_listen = Some(stun_listen);
    }
    if !arguments.turn_external_ip.is_empty() {
        config.turn.external_ip.clone_from(&arguments.turn_external_ip);
    }
    config.turn.allow_peers.extend(&arguments.turn_allow_peer);
    if let Some(ports) = &arguments.turn_ports {
        config.turn.ports.clone_from(ports);
    }
    config.turn.enabled &= !arguments.no_turn;
    if let Some(data) = &arguments.data {
        config.data.clone_from(data);
    }
    if arguments.tls_self_signed && !arguments.check {
        let tls = certificate::self_signed(&config.data, &certificate::own_names(), SystemTime::now())?;
        // The server is its own app server, so its callbacks must trust it.
        config.callbacks.extra_roots = Some(tls.certificate.clone());
        config.tls = Some(tls);
    }
    Ok(config)
}

fn parsed(address: &str) -> anyhow::Result<SocketAddr> {
    address.parse().context("a built-in address is wrong")
}

/// Waits for Ctrl-C or for the system's request to end.
async fn stop_requested() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Waits for the server's end, or for a second request.
async fn ended(shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    tokio::select! {
        () = shutdown => Ok(()),
        again = stop_requested() => again,
    }
}
