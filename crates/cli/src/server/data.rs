//! Commands on a server's data folder: services, tokens, records. They work while the server runs.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use duologue_app_server::issue_token;
use duologue_server::{ApiKey, CallRecord, ServiceStore};

use crate::args::{ServiceCommand, TokenArgs};

async fn open(data: &Path) -> anyhow::Result<ServiceStore> {
    ServiceStore::open(data)
        .await
        .with_context(|| format!("the data folder {} cannot be used", data.display()))
}

/// Opens a data folder that must exist already: a slip in its name must not make a new one.
async fn existing(data: &Path) -> anyhow::Result<ServiceStore> {
    if !data.is_dir() {
        bail!(
            "there is no data folder {}; give the server's with --data",
            data.display()
        );
    }
    open(data).await
}

/// `duologue service …`.
pub(crate) async fn service(data: &Path, command: &ServiceCommand) -> anyhow::Result<()> {
    match command {
        ServiceCommand::Add {
            id,
            notify_callback,
            call_event_callback,
        } => {
            let store = open(data).await?;
            let key = store
                .add(id, notify_callback.as_deref(), call_event_callback.as_deref())
                .await?;
            println!("service {id} is made. Its key and secret, shown this once:");
            show(&key);
            if notify_callback.is_none() {
                println!("Calls need a notify callback: duologue service set-callback {id} --notify URL");
            }
        }
        ServiceCommand::List => {
            let store = existing(data).await?;
            for service in store.list().await? {
                println!(
                    "{}\n  notify callback: {}\n  call event callback: {}\n  origins: {}",
                    service.id,
                    service.notify_callback.as_deref().unwrap_or("none"),
                    service.call_event_callback.as_deref().unwrap_or("none"),
                    if service.origins.is_empty() {
                        "none".to_owned()
                    } else {
                        service.origins.join(" ")
                    }
                );
            }
        }
        ServiceCommand::RotateKey { id } => {
            let store = existing(data).await?;
            let key = store.rotate_key(id).await?;
            println!("service {id} has a new key; the one before it stays valid until the next rotation:");
            show(&key);
        }
        ServiceCommand::SetCallback { id, notify, call_event } => {
            if notify.is_none() && call_event.is_none() {
                bail!("nothing to set: give --notify URL, --call-event URL or both");
            }
            let store = existing(data).await?;
            store
                .set_callbacks(id, notify.as_deref(), call_event.as_deref())
                .await?;
            println!("the callbacks of service {id} are set");
        }
        ServiceCommand::SetOrigins { id, origins } => {
            let store = existing(data).await?;
            store.set_origins(id, origins).await?;
            println!("the origins of service {id} are set");
        }
    }
    Ok(())
}

fn show(key: &ApiKey) {
    println!("  API key:    {}\n  API secret: {}", key.key, key.secret);
}

/// `duologue token`.
pub(crate) async fn token(arguments: &TokenArgs) -> anyhow::Result<()> {
    let (key, secret) = match (&arguments.api_key, &arguments.api_secret) {
        (Some(key), Some(secret)) => (key.clone(), secret.clone()),
        _ => {
            let store = existing(&arguments.data).await?;
            let keys = store.keys(&arguments.service).await?;
            let Some(newest) = keys.into_iter().next() else {
                bail!(
                    "service {} has no key in {}",
                    arguments.service,
                    arguments.data.display()
                );
            };
            (newest.key, newest.secret)
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    println!(
        "{}",
        issue_token(&arguments.service, &arguments.user, &key, &secret, now)?
    );
    Ok(())
}

/// `duologue records`.
pub(crate) async fn records(data: &Path, limit: u32, json: bool) -> anyhow::Result<()> {
    let records = existing(data).await?.records(limit).await?;
    if json {
        for record in &records {
            println!("{}", serde_json::to_string(record)?);
        }
        return Ok(());
    }
    if records.is_empty() {
        println!("no calls yet");
    }
    for record in &records {
        println!("{}", line(record));
    }
    Ok(())
}

fn line(record: &CallRecord) -> String {
    format!(
        "{}  {} -> {}  {} s  {} ({})  terminate {}",
        record.sid,
        record.from_user_id,
        record.to_user_id,
        record.duration,
        record.rel_code_str,
        record.disconnect_reason,
        record.terminate
    )
}
