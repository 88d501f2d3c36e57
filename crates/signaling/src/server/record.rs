//! The one record of a call, which is also what the call event callback carries.

use serde::{Deserialize, Serialize};

use super::call::{CallSetup, End};
use crate::DisconnectReason;

/// A call that is over, with the field names of the documented call event callback.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallRecord {
    /// The call's id.
    pub sid: String,
    /// The caller's service.
    pub from_service_id: String,
    /// The caller.
    pub from_user_id: String,
    /// The callee's service.
    pub to_service_id: String,
    /// The callee.
    pub to_user_id: String,
    /// `A`: audio.
    #[serde(rename = "type")]
    pub media_type: String,
    /// When the call was made, in Unix seconds.
    pub setup_time: u64,
    /// When both sides were connected, in Unix seconds; 0 when they never were.
    pub start_time: u64,
    /// When the call ended, in Unix seconds.
    pub end_time: u64,
    /// `end_time - start_time`, 0 when both sides never were connected.
    pub duration: u64,
    /// Address of the caller's connection.
    pub srcip: Option<String>,
    /// Address of the callee's connection, when a device verified.
    pub dstip: Option<String>,
    /// Cause of Q.850: 16 normal, 77 cancelled, 21 rejected, 17 busy, 18 no answer, 127 anything else.
    pub terminate: u16,
    /// For tracing only; the same as `disconnect_reason`.
    pub rel_code: u16,
    /// For tracing only; the string of `disconnect_reason`.
    pub rel_code_str: String,
    /// The application's release phrase.
    pub user_rel_code: Option<String>,
    /// Connected time, rounded up to a second.
    pub billing_sec: u64,
    /// The documented code.
    pub disconnect_reason: u16,
    /// The documented number of who ended it.
    pub releaser_type: u8,
    /// What the caller gave for the app server.
    pub app_svr_data: Option<String>,
}

impl CallRecord {
    /// All times in Unix ms.
    pub(super) fn new(
        setup: &CallSetup,
        setup_at: u64,
        connected_at: Option<u64>,
        ended_at: u64,
        destination: Option<String>,
        end: &End,
    ) -> Self {
        // A wall clock can be set back across a restart.
        let ended_at = ended_at.max(connected_at.unwrap_or(setup_at));
        let duration = connected_at.map_or(0, |at| ended_at / 1000 - at / 1000);
        Self {
            sid: setup.sid.to_string(),
            from_service_id: setup.caller.service_id.to_string(),
            from_user_id: setup.caller.user_id.to_string(),
            to_service_id: setup.callee.service_id.to_string(),
            to_user_id: setup.callee.user_id.to_string(),
            media_type: setup.media_type.letter().to_string(),
            setup_time: setup_at / 1000,
            start_time: connected_at.unwrap_or(0) / 1000,
            end_time: ended_at / 1000,
            duration,
            srcip: setup.source_address.clone(),
            dstip: destination,
            terminate: terminate(end.reason, duration),
            rel_code: end.reason.code(),
            rel_code_str: end.reason.str_code().to_owned(),
            user_rel_code: end.user_code.clone(),
            billing_sec: connected_at.map_or(0, |at| (ended_at - at).div_ceil(1000)),
            disconnect_reason: end.reason.code(),
            releaser_type: end.source.value(),
            app_svr_data: setup.app_server_data.clone(),
        }
    }
}

/// Cause of Q.850, as documented: always 16 when the call was connected.
fn terminate(reason: DisconnectReason, duration: u64) -> u16 {
    match reason {
        _ if duration > 0 => 16,
        DisconnectReason::Normal => 16,
        DisconnectReason::Cancel => 77,
        DisconnectReason::Decline => 21,
        DisconnectReason::Busy => 17,
        DisconnectReason::NoAnswer => 18,
        _ => 127,
    }
}
