//! The reference app server: tokens, callbacks, and push by a WebSocket channel of its own and by Web Push.

mod channel;
mod subscriptions;

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::push::web::WebPush;
use crate::push::{Address, Hub, PushMessage};
use crate::{CallEventCallback, NotifyCallback, PushStoreError, SIGNATURE_HEADER, issue_token, verify_signature};

/// How long a notify callback waits for a first device of the callee, well within the call server's 5 s.
const DEVICE_PATIENCE: Duration = Duration::from_millis(1_500);
/// How old a callback's signature may be, in seconds. The call server signs each attempt anew.
const SIGNATURE_AGE: u64 = 300;
/// How many callbacks `GET /app/events` remembers.
const EVENTS: usize = 256;
/// Longest body of a token request, in bytes, and longest time for it to come: anybody may ask.
const BODY: usize = 4 * 1024;
const BODY_PATIENCE: Duration = Duration::from_secs(3);
/// Q.850 causes of a call that nobody took: no answer, and cancelled by the caller.
const MISSED: [u16; 2] = [18, 77];
/// How long a token opens the push channel, in seconds.
const TOKEN_AGE: u64 = 7_200;

/// What the reference app server runs with.
#[derive(Clone)]
pub struct AppServerConfig {
    /// The service that it is the app server of.
    pub service_id: String,
    /// The API key that its tokens name.
    pub api_key: String,
    /// The secret that signs tokens and that callbacks are signed with.
    pub api_secret: String,
    /// Anybody gets a token for any user and may listen to any user's pushes. For development only.
    pub dev: bool,
    /// The folder where `web-push.json` keeps the key of Web Push and the subscriptions; it must exist. Without one both
    /// end with the process.
    pub data: Option<PathBuf>,
    /// A `mailto:` or `https:` address for the operators of push services, some of which ask for one.
    pub contact: Option<String>,
}

impl fmt::Debug for AppServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppServerConfig")
            .field("service_id", &self.service_id)
            .field("dev", &self.dev)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// Says which user a request comes from, by whatever session or login the application has; `None` refuses.
pub type Authenticator = Arc<dyn Fn(&HeaderMap) -> Option<String> + Send + Sync>;

/// The reference app server for development, or, with `dev` off, one that issues no tokens; see [`router_with`].
///
/// # Errors
///
/// As [`router_with`].
pub fn router(config: AppServerConfig) -> Result<Router, PushStoreError> {
    router_with(config, Arc::new(|_| None))
}

/// The reference app server.
///
/// | request | answer |
/// |---|---|
/// | `POST /app/token {"user_id"}` | `{"access_token"}`. Outside development the user is the one that `authenticator` names, and `user_id` must agree |
/// | `GET /app/notify?…` | 204 when the call was pushed to at least one device or browser, 404 when the callee has none within 1.5 s or no push service took it, 403 when the signature is wrong |
/// | `GET /app/call-event?…` | 204; the callee's devices and browsers are told to stop ringing |
/// | `GET /app/push?user=U` | WebSocket: each text message is a [`PushMessage`]. Outside development the first message from the client must be `{"access_token"}`, within 5 s, and names the user |
/// | `GET /app/push-key` | `{"public_key"}`: what browsers subscribe to Web Push with, base64url |
/// | `POST /app/subscribe {"user_id", "subscription"}` | 204; `subscription` is `PushSubscription.toJSON()`. Outside development the user is the one that `authenticator` or `Authorization: Bearer <access token>` names, and `user_id` must agree or be absent |
/// | `POST /app/unsubscribe {"endpoint"}` | 204, also when there is no such subscription. Outside development only the user's own |
/// | `GET /app/events` | development only: the newest 256 callbacks, oldest first |
///
/// # Errors
///
/// [`PushStoreError`] when the file in `config.data` cannot be used.
pub fn router_with(config: AppServerConfig, authenticator: Authenticator) -> Result<Router, PushStoreError> {
    let web = WebPush::open(config.data.as_deref(), config.contact.clone(), config.dev)?;
    let app = Arc::new(App {
        config,
        authenticator,
        hub: Hub::default(),
        web,
        events: Mutex::default(),
    });
    Ok(Router::new()
        .route("/app/token", post(token).layer(DefaultBodyLimit::max(BODY)))
        .route("/app/notify", get(notify))
        .route("/app/call-event", get(call_event))
        .route("/app/push", get(channel::open))
        .route("/app/events", get(events))
        .merge(subscriptions::routes())
        .with_state(app))
}

pub(crate) struct App {
    config: AppServerConfig,
    authenticator: Authenticator,
    hub: Hub,
    web: WebPush,
    events: Mutex<VecDeque<Value>>,
}

#[derive(Deserialize)]
struct TokenRequest {
    user_id: String,
}

async fn token(State(app): State<Arc<App>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let request: TokenRequest = match body(request, "{\"user_id\": …}").await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    let allowed = app.config.dev || (app.authenticator)(&headers).as_ref() == Some(&request.user_id);
    if !allowed {
        return refuse(StatusCode::FORBIDDEN, "nobody vouches for this user");
    }
    let config = &app.config;
    match issue_token(
        &config.service_id,
        &request.user_id,
        &config.api_key,
        &config.api_secret,
        unix_now(),
    ) {
        Ok(access_token) => Json(json!({ "access_token": access_token })).into_response(),
        Err(_) => refuse(StatusCode::BAD_REQUEST, "the user id is empty"),
    }
}

async fn notify(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    query: Result<Query<NotifyCallback>, QueryRejection>,
) -> Response {
    let Ok(Query(callback)) = query else {
        return refuse(StatusCode::BAD_REQUEST, "a documented field is missing");
    };
    if !app.is_from_call_server(&uri, &headers) {
        return refuse(StatusCode::FORBIDDEN, "the signature is missing, wrong or old");
    }
    app.remember("notify", &callback);
    let callee: Address = (callback.to_service_id.clone(), callback.to_user_id.clone());
    let message = PushMessage::Call {
        sid: callback.sid.clone(),
        app_callee_uid: callback.to_user_id,
        app_callee_sid: callback.to_service_id,
        app_call_type: if callback.call_type == "V" { "video" } else { "audio" }.into(),
        cc_param: callback.param,
        app_caller_uid: callback.from_user_id,
        app_caller_sid: callback.from_service_id,
        app_svr_data: callback.app_svr_data.or(callback.stid),
    };
    if app.ring(&callback.sid, callee, message).await {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refuse(
            StatusCode::NOT_FOUND,
            "the callee has no device or browser that took the call",
        )
    }
}

async fn call_event(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    query: Result<Query<CallEventCallback>, QueryRejection>,
) -> Response {
    let Ok(Query(callback)) = query else {
        return refuse(StatusCode::BAD_REQUEST, "a documented field is missing");
    };
    if !app.is_from_call_server(&uri, &headers) {
        return refuse(StatusCode::FORBIDDEN, "the signature is missing, wrong or old");
    }
    app.remember("call-event", &callback);
    app.hub
        .cancel(&callback.sid, &(callback.to_service_id, callback.to_user_id));
    app.web.cancel(&callback.sid, MISSED.contains(&callback.terminate));
    StatusCode::NO_CONTENT.into_response()
}

async fn events(State(app): State<Arc<App>>) -> Response {
    if !app.config.dev {
        return StatusCode::NOT_FOUND.into_response();
    }
    let events = app.events.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({ "events": *events })).into_response()
}

impl App {
    /// Rings by both ways at once, and returns as soon as one has reached somebody. The other goes on.
    async fn ring(&self, sid: &str, callee: Address, message: PushMessage) -> bool {
        let browsers = self.web.ring(sid, &callee, message.clone());
        let browsers = async {
            match browsers {
                Some(first) => first.await.is_ok(),
                None => false,
            }
        };
        let devices = self.hub.ring(sid, callee, message, DEVICE_PATIENCE);
        tokio::pin!(browsers, devices);
        let reached = tokio::select! {
            // In this order: the first look at the devices is what tells them.
            biased;
            reached = &mut devices => reached || browsers.await,
            reached = &mut browsers => reached || devices.await,
        };
        if !reached {
            self.hub.forget(sid);
        }
        reached
    }

    fn is_from_call_server(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let Some(header) = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        verify_signature(&self.config.api_secret, target, header, unix_now(), SIGNATURE_AGE)
            .inspect_err(|error| tracing::debug!(%error, "callback refused"))
            .is_ok()
    }

    fn remember(&self, name: &str, callback: &impl serde::Serialize) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == EVENTS {
            events.pop_front();
        }
        events.push_back(json!({ "event": name, "query": callback }));
    }
}

/// Reads a JSON body that is short and comes in time; `shape` is what it should have been.
async fn body<T: DeserializeOwned>(request: Request, shape: &str) -> Result<T, Response> {
    match tokio::time::timeout(BODY_PATIENCE, Json::<T>::from_request(request, &())).await {
        Err(_) => Err(refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        Ok(Err(_)) => Err(refuse(
            StatusCode::BAD_REQUEST,
            &format!("the body must be {shape} with content-type application/json"),
        )),
        Ok(Ok(Json(value))) => Ok(value),
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
