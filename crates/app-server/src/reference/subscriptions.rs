//! The requests by which browsers subscribe to Web Push.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{App, TOKEN_AGE, body, refuse, unix_now};
use crate::push::web::SubscriptionJson;
use crate::verify_token;

/// Longest body, in bytes: the longest endpoint with its keys and a user.
const BODY: usize = 8 * 1024;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/app/push-key", get(push_key))
        .route("/app/subscribe", post(subscribe).layer(DefaultBodyLimit::max(BODY)))
        .route("/app/unsubscribe", post(unsubscribe).layer(DefaultBodyLimit::max(BODY)))
}

#[derive(Deserialize)]
struct Subscribe {
    user_id: Option<String>,
    subscription: SubscriptionJson,
}

#[derive(Deserialize)]
struct Unsubscribe {
    endpoint: String,
}

async fn push_key(State(app): State<Arc<App>>) -> Response {
    Json(json!({ "public_key": app.web.public_key() })).into_response()
}

async fn subscribe(State(app): State<Arc<App>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let shape = "{\"user_id\": …, \"subscription\": {\"endpoint\", \"keys\": {\"p256dh\", \"auth\"}}}";
    let request: Subscribe = match body(request, shape).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    let user = if app.config.dev {
        match request.user_id.filter(|user| !user.is_empty()) {
            Some(user) => user,
            None => return refuse(StatusCode::BAD_REQUEST, "user_id is missing"),
        }
    } else {
        match proven_user(&app, &headers) {
            Some(user) if request.user_id.is_none_or(|claimed| claimed == user) => user,
            _ => return refuse(StatusCode::FORBIDDEN, "nobody vouches for this user"),
        }
    };
    let address = (app.config.service_id.clone(), user);
    match app.web.subscribe(address, &request.subscription).await {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => refuse(StatusCode::SERVICE_UNAVAILABLE, "too many subscriptions"),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn unsubscribe(State(app): State<Arc<App>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let request: Unsubscribe = match body(request, "{\"endpoint\": …}").await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    if app.config.dev {
        app.web.unsubscribe(&request.endpoint, None).await;
        return StatusCode::NO_CONTENT.into_response();
    }
    let Some(user) = proven_user(&app, &headers) else {
        return refuse(StatusCode::FORBIDDEN, "nobody vouches for this user");
    };
    let address = (app.config.service_id.clone(), user);
    app.web.unsubscribe(&request.endpoint, Some(&address)).await;
    StatusCode::NO_CONTENT.into_response()
}

/// Who asks: by the application's own login, or by an access token.
fn proven_user(app: &App, headers: &HeaderMap) -> Option<String> {
    if let Some(user) = (app.authenticator)(headers) {
        return Some(user);
    }
    // RFC 6750 §2.1, whose scheme is compared without case (RFC 9110 §11.1).
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let config = &app.config;
    verify_token(
        token.trim(),
        &config.service_id,
        &config.api_key,
        &config.api_secret,
        unix_now(),
        TOKEN_AGE,
    )
    .inspect_err(|error| tracing::debug!(%error, "subscription refused"))
    .ok()
}
