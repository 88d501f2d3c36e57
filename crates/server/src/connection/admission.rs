//! Who may come in.

use std::time::Instant;

use duologue_signaling::DisconnectReason;
use duologue_signaling::VERSION;
use duologue_signaling::ids::User;
use duologue_signaling::message::Hello;

use super::{Peer, random, refused_cc_param};
use crate::clock::{unix_ms, unix_seconds};
use crate::hub::Hub;
use crate::store::StoreError;
use crate::token;

/// A client that was let in.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) user: User,
    pub(super) session: String,
    /// It showed an access token.
    pub(super) may_call: bool,
    /// It wants to take up an earlier session.
    pub(super) resumes: bool,
}

/// A client that was not.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: DisconnectReason,
    /// For a developer.
    pub(super) message: &'static str,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a client cannot be let in");
        Self {
            reason: DisconnectReason::ServiceInternalError,
            message: "the database does not answer",
        }
    }
}

fn no<T>(reason: DisconnectReason, message: &'static str) -> Result<T, Refused> {
    Err(Refused { reason, message })
}

fn too_many<T>() -> Result<T, Refused> {
    no(
        DisconnectReason::ServiceTooManyRequests,
        "too many sessions of this user",
    )
}

/// Whether the hello has an access token that is good for this user.
async fn has_token(hub: &Hub, hello: &Hello, user: &User) -> Result<bool, Refused> {
    let Some(access_token) = &hello.access_token else {
        return Ok(false);
    };
    let service_id = user.service_id.as_str();
    let keys = hub.store.keys(service_id).await?;
    let verified = token::verify(access_token, user, &keys, hub.config.policy(service_id), unix_ms());
    if let Err(error) = &verified {
        tracing::debug!(service = service_id, %error, "access token refused");
    }
    Ok(verified.is_ok())
}

/// Checks a hello.
pub(super) async fn admit(hub: &Hub, hello: &Hello, peer: &Peer) -> Result<Identity, Refused> {
    if hello.version != VERSION {
        return no(
            DisconnectReason::ServiceIncompatiblePlanetkitVer,
            "another version of the protocol",
        );
    }
    let user = User {
        service_id: hello.service_id.clone(),
        user_id: hello.user_id.clone(),
    };
    let service_id = user.service_id.as_str();
    let Some(service) = hub.store.service(service_id).await? else {
        return no(DisconnectReason::ServiceInvalidId, "there is no such service");
    };
    // Only browsers send an origin, and only of a browser it proves anything.
    if let Some(origin) = &peer.origin
        && !hub.config.dev
        && !service.origins.contains(origin)
    {
        return no(DisconnectReason::AuthError, "the service does not know this web origin");
    }
    if let Some(resume) = hello
        .resume
        .as_ref()
        .and_then(|token| hub.keys.open_resume(token, unix_seconds()))
        && resume.user == user
    {
        // A call that is known goes on, however old the proof. Without one the token only serves to hear that: else it
        // would be an access token that never ends, and a way around the limit of sessions.
        let known = hub.session(&resume.session).is_some();
        if !known && !hub.users.take(user.clone(), Instant::now()) {
            return too_many();
        }
        let may_call = resume.may_call && (known || has_token(hub, hello, &user).await?);
        return Ok(Identity {
            user,
            session: resume.session,
            may_call,
            resumes: true,
        });
    }
    let policy = hub.config.policy(service_id);
    if hello.access_token.is_some() {
        if !has_token(hub, hello, &user).await? {
            return no(
                DisconnectReason::ServiceAccessTokenError,
                "the access token is not valid",
            );
        }
    } else if let Some(cc_param) = &hello.cc_param {
        if policy.token_in_verify {
            return no(
                DisconnectReason::ServiceAccessTokenError,
                "this service wants an access token from callees too",
            );
        }
        if let Err(error) = hub.keys.open_cc_param(cc_param, &user, unix_seconds()) {
            return no(refused_cc_param(&error), "the cc_param is not valid");
        }
    } else {
        return no(
            DisconnectReason::ServiceAccessTokenError,
            "neither an access token nor a cc_param",
        );
    }
    // After the proof of identity, so that nobody can use up another user's share.
    if !hub.users.take(user.clone(), Instant::now()) {
        return too_many();
    }
    let session = random().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Identity {
        user,
        session,
        may_call: hello.access_token.is_some(),
        resumes: false,
    })
}
