//! The two callbacks of the call server, with every documented field. Both are GET requests; these types read their
//! query, for example through axum's `Query`.

use serde::{Deserialize, Serialize};

/// Somebody is calling: push [`param`](Self::param) to the callee under the name `cc_param`.
///
/// Answer 2xx when a push is on its way; anything else ends the call with PUSH_ERROR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyCallback {
    /// The call: a UUID of 36 characters.
    pub sid: String,
    /// The caller's service.
    pub from_service_id: String,
    /// The caller.
    pub from_user_id: String,
    /// The callee's service.
    pub to_service_id: String,
    /// The callee.
    pub to_user_id: String,
    /// `A` for audio, `V` for video.
    #[serde(rename = "type")]
    pub call_type: String,
    /// What the callee needs to join, base64, opaque; it reaches the callee as `cc_param`.
    pub param: String,
    /// The caller's data for the app server, under its deprecated name; left out when the URL would become too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stid: Option<String>,
    /// The caller's data for the app server, at most 4,095 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_svr_data: Option<String>,
}

/// A call has ended. Sent at least once per call: the server repeats it until it is answered 2xx, so tell repeats apart by
/// [`sid`](Self::sid).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEventCallback {
    /// The call.
    pub sid: String,
    /// The caller's service.
    pub from_service_id: String,
    /// The caller.
    pub from_user_id: String,
    /// The callee's service.
    pub to_service_id: String,
    /// The callee.
    pub to_user_id: String,
    /// `A` for audio, `V` for video.
    #[serde(rename = "type")]
    pub call_type: String,
    /// The caller's data, under its deprecated name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stid: Option<String>,
    /// When the call was made, in Unix seconds.
    pub setup_time: u64,
    /// When it connected, in Unix seconds; 0 if it never did.
    pub start_time: u64,
    /// When it ended, in Unix seconds.
    pub end_time: u64,
    /// Seconds between connecting and ending; 0 if it never connected.
    pub duration: u64,
    /// The caller's address as the server saw it.
    #[serde(default)]
    pub srcip: String,
    /// The callee's address as the server saw it; empty if no device of the callee came.
    #[serde(default)]
    pub dstip: String,
    /// Q.850 cause: 16 normal, 77 cancelled, 21 rejected, 17 busy, 18 no answer, 127 anything else.
    pub terminate: u16,
    /// For tracing only.
    pub rel_code: u16,
    /// For tracing only.
    pub rel_code_str: String,
    /// What the application gave as the reason of a USER_ERROR, or as its release phrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_rel_code: Option<String>,
    /// Duration rounded up to a whole second.
    pub billing_sec: u64,
    /// A disconnect reason's code, such as 1001.
    pub disconnect_reason: u16,
    /// Who ended it: 1 callee, 2 caller, 4 call server, 5 app server.
    pub releaser_type: u8,
    /// The caller's data for the app server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_svr_data: Option<String>,
}
