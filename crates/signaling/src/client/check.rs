//! The local checks of `make_call` and `verify_call`. What passes can still be refused by the server.

use crate::cc_param::{CcParam, CcParamInfo};
use crate::ids::{ServiceId, User, UserId};
use crate::{MediaType, StartFailReason, limits};

/// Parameters of `make_call`, as the application gave them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MakeCallParams {
    /// The own user.
    pub my_id: String,
    /// The own service.
    pub my_service_id: String,
    /// The callee.
    pub peer_id: String,
    /// The callee's service.
    pub peer_service_id: String,
    /// The app server's token.
    pub access_token: String,
    /// What kind of call.
    pub media_type: MediaType,
    /// Text for the app server.
    pub app_server_data: Option<String>,
    /// Text for the callee.
    pub call_start_message: Option<String>,
}

/// Parameters of `verify_call`, as the application gave them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct VerifyCallParams {
    /// The own user.
    pub my_id: String,
    /// The own service.
    pub my_service_id: String,
    /// The push's token of the call.
    pub cc_param: String,
    /// The app server's token, when the service asks for one.
    pub access_token: Option<String>,
}

/// A caller's parameters that passed.
#[derive(Clone, PartialEq, Eq)]
pub struct CallerParams {
    /// The own user.
    pub me: User,
    /// The callee.
    pub peer: User,
    /// The app server's token.
    pub access_token: String,
    /// What kind of call.
    pub media_type: MediaType,
    /// Text for the app server.
    pub app_server_data: Option<String>,
    /// Text for the callee.
    pub call_start_message: Option<String>,
}

/// A callee's parameters that passed.
#[derive(Clone, PartialEq, Eq)]
pub struct CalleeParams {
    /// The own user.
    pub me: User,
    /// The push's token of the call.
    pub cc_param: String,
    /// What that token claims.
    pub info: CcParamInfo,
    /// The app server's token.
    pub access_token: Option<String>,
}

/// A call cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
#[non_exhaustive]
pub struct StartFail {
    /// The documented reason.
    pub reason: StartFailReason,
    /// For a developer.
    pub message: String,
}

impl MakeCallParams {
    /// Checks everything that can be checked on the device.
    ///
    /// # Errors
    /// INVALID_PARAM, INVALID_USER_ID, INVALID_SERVICE_ID, ID_CONFLICT, TOO_LONG_APP_SERVER_DATA.
    pub fn check(self) -> Result<CallerParams, StartFail> {
        let me = user(&self.my_id, &self.my_service_id, "the own")?;
        let peer = user(&self.peer_id, &self.peer_service_id, "the peer's")?;
        if me == peer {
            return fail(StartFailReason::IdConflict, "the callee is the caller".into());
        }
        if self.access_token.is_empty() {
            return fail(StartFailReason::InvalidParam, "there is no access token".into());
        }
        length(
            "the access token",
            Some(&self.access_token),
            limits::ACCESS_TOKEN,
            StartFailReason::InvalidParam,
        )?;
        let data = self.app_server_data.as_deref();
        length(
            "app server data",
            data,
            limits::APP_SERVER_DATA,
            StartFailReason::TooLongAppServerData,
        )?;
        let message = self.call_start_message.as_deref();
        length(
            "the call start message",
            message,
            limits::CALL_START_MESSAGE,
            StartFailReason::InvalidParam,
        )?;
        Ok(CallerParams {
            me,
            peer,
            access_token: self.access_token,
            media_type: self.media_type,
            app_server_data: self.app_server_data,
            call_start_message: self.call_start_message,
        })
    }
}

impl VerifyCallParams {
    /// Checks everything that can be checked on the device. Whether the `cc_param` is genuine, only the server can tell.
    ///
    /// # Errors
    /// INVALID_PARAM, INVALID_USER_ID, INVALID_SERVICE_ID, DECODE_CALL_PARAM, ID_CONFLICT.
    pub fn check(self) -> Result<CalleeParams, StartFail> {
        let me = user(&self.my_id, &self.my_service_id, "the own")?;
        let token = self.access_token.as_deref();
        length(
            "the access token",
            token,
            limits::ACCESS_TOKEN,
            StartFailReason::InvalidParam,
        )?;
        let info = match CcParam::peek(&self.cc_param) {
            Ok(info) => info,
            Err(error) => return fail(StartFailReason::DecodeCallParam, error.to_string()),
        };
        if info.caller_id == me.user_id && info.caller_service_id == me.service_id {
            return fail(StartFailReason::IdConflict, "the call is one's own".into());
        }
        Ok(CalleeParams {
            me,
            cc_param: self.cc_param,
            info,
            access_token: self.access_token,
        })
    }
}

fn user(user: &str, service: &str, whose: &str) -> Result<User, StartFail> {
    let user_id: UserId = match user.parse() {
        Ok(id) => id,
        Err(error) => return fail(StartFailReason::InvalidUserId, format!("{whose} user id: {error}")),
    };
    let service_id: ServiceId = match service.parse() {
        Ok(id) => id,
        Err(error) => {
            return fail(
                StartFailReason::InvalidServiceId,
                format!("{whose} service id: {error}"),
            );
        }
    };
    Ok(User { service_id, user_id })
}

fn length(what: &str, text: Option<&str>, limit: usize, reason: StartFailReason) -> Result<(), StartFail> {
    match text {
        Some(text) if text.len() > limit => {
            fail(reason, format!("{what} has {} bytes, the limit is {limit}", text.len()))
        }
        _ => Ok(()),
    }
}

fn fail<T>(reason: StartFailReason, message: String) -> Result<T, StartFail> {
    Err(StartFail { reason, message })
}

macro_rules! quiet_debug {
    ($($name:ident: $($field:ident)+;)+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // Tokens are credentials and the texts are the users'.
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))+.finish_non_exhaustive()
            }
        })+
    };
}

quiet_debug! {
    MakeCallParams: my_id my_service_id peer_id peer_service_id;
    VerifyCallParams: my_id my_service_id;
    CallerParams: me peer media_type;
    CalleeParams: me info;
}
