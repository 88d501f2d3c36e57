//! The WebSocket end of the push channel.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{App, TOKEN_AGE, unix_now};
use crate::verify_token;

/// How long a device may take to show its token.
const FIRST_MESSAGE: Duration = Duration::from_secs(5);
/// A ping goes out this often, so that a dead connection is noticed.
const PING: Duration = Duration::from_secs(20);
/// A device that has not been heard for this long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Devices send a token and pongs, nothing large.
const MESSAGE: usize = 8 * 1024;
/// Close code of RFC 6455 §7.4.1: policy violation.
const POLICY: u16 = 1008;

#[derive(Deserialize)]
pub(super) struct Who {
    user: Option<String>,
}

#[derive(Deserialize)]
struct Credentials {
    access_token: String,
}

pub(super) async fn open(State(app): State<Arc<App>>, Query(who): Query<Who>, upgrade: WebSocketUpgrade) -> Response {
    if app.config.dev && who.user.as_ref().is_none_or(String::is_empty) {
        return (StatusCode::BAD_REQUEST, "user=… is missing").into_response();
    }
    upgrade
        .read_buffer_size(4096)
        .write_buffer_size(4096)
        .max_message_size(MESSAGE)
        .on_upgrade(async move |socket| serve(&app, who.user, socket).await)
}

async fn serve(app: &App, claimed: Option<String>, mut socket: WebSocket) {
    let user = match claimed {
        Some(user) if app.config.dev => Some(user),
        _ => proven_user(app, &mut socket).await,
    };
    let Some(user) = user else {
        return close(&mut socket, "a valid access token must come first").await;
    };
    let Some(mut subscription) = app.hub.subscribe((app.config.service_id.clone(), user)) else {
        return close(&mut socket, "too many users").await;
    };
    let mut ping = tokio::time::interval(PING);
    let mut heard = tokio::time::Instant::now();
    loop {
        let sent = tokio::select! {
            message = subscription.next() => {
                let Some(message) = message else {
                    return close(&mut socket, "replaced by a newer device").await;
                };
                // A push message is strings only, which always serialise.
                let Ok(text) = serde_json::to_string(&message) else { return };
                socket.send(Message::text(text)).await
            }
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE {
                    return;
                }
                socket.send(Message::Ping(axum::body::Bytes::new())).await
            }
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {
                    heard = tokio::time::Instant::now();
                    Ok(())
                }
            },
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn proven_user(app: &App, socket: &mut WebSocket) -> Option<String> {
    let first = tokio::time::timeout(FIRST_MESSAGE, socket.recv()).await.ok()??.ok()?;
    let credentials: Credentials = serde_json::from_str(first.to_text().ok()?).ok()?;
    let config = &app.config;
    verify_token(
        &credentials.access_token,
        &config.service_id,
        &config.api_key,
        &config.api_secret,
        unix_now(),
        TOKEN_AGE,
    )
    .inspect_err(|error| tracing::debug!(%error, "push channel refused"))
    .ok()
}

async fn close(socket: &mut WebSocket, reason: &'static str) {
    let frame = CloseFrame {
        code: POLICY,
        reason: reason.into(),
    };
    // The device may be gone already, which is as good.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
