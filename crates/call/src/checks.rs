//! The local checks of `make_call` and `verify_call`, done by `signaling`. What passes can still be refused by the server.

use duologue_signaling::client;
use duologue_signaling::ids::User;

use crate::engine::Role;
use crate::error::StartFail;
use crate::{AudioParams, CallDelegate, MakeCallParams, MediaType, VerifyCallParams};

/// What passed: whose call it is, and what it is started with.
type Checked = (User, Role, AudioParams, Option<Box<dyn CallDelegate>>);

pub(crate) fn make_call(params: MakeCallParams) -> Result<Checked, StartFail> {
    let checked = client::MakeCallParams {
        my_id: params.my_id,
        my_service_id: params.my_service_id,
        peer_id: params.peer_id,
        peer_service_id: params.peer_service_id,
        access_token: params.access_token,
        media_type: match params.media_type {
            MediaType::Audio => duologue_signaling::MediaType::Audio,
        },
        app_server_data: params.app_server_data,
        call_start_message: params.call_start_message,
    }
    .check()?;
    Ok((checked.me.clone(), Role::Caller(checked), params.audio, params.delegate))
}

pub(crate) fn verify_call(params: VerifyCallParams) -> Result<Checked, StartFail> {
    let checked = client::VerifyCallParams {
        my_id: params.my_id,
        my_service_id: params.my_service_id,
        cc_param: params.cc_param,
        access_token: params.access_token,
    }
    .check()?;
    Ok((checked.me.clone(), Role::Callee(checked), params.audio, params.delegate))
}
