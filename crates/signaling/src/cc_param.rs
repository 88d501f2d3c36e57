//! `cc_param`: the token that the push carries to the callee. It names the call and the callee, expires, and is
//! authenticated by a MAC that the server computes; this crate contains no cryptography.
//!
//! Form: base64url without padding (RFC 4648 §5) of compact JSON
//! `{"v":1,"sid":…,"exp":…,"cu":…,"cs":…,"eu":…,"es":…,"type":"audio","kid":…,"mac":…}`. The MAC covers
//! `duologue cc_param 1`, a zero byte and the same JSON object without `mac`.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use crate::description::MediaType;
use crate::ids::{CallId, ServiceId, User, UserId};
use crate::limits;

const CONTEXT: &[u8] = b"duologue cc_param 1\0";

/// Reads and writes `cc_param`.
#[derive(Debug)]
#[non_exhaustive]
pub struct CcParam;

/// What a `cc_param` says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CcParamInfo {
    /// The call.
    pub sid: CallId,
    /// Who calls.
    pub caller_id: UserId,
    /// The caller's service.
    pub caller_service_id: ServiceId,
    /// Who is called.
    pub callee_id: UserId,
    /// The callee's service.
    pub callee_service_id: ServiceId,
    /// What kind of call.
    pub media_type: MediaType,
    /// Until when it is good, in Unix seconds.
    pub expires: u64,
}

/// A `cc_param` is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CcParamError {
    /// Longer than [`limits::CC_PARAM`].
    #[error("a cc_param of {length} bytes, the limit is {limit}", limit = limits::CC_PARAM)]
    TooLong {
        /// Bytes of the text.
        length: usize,
    },
    /// Not base64url of the expected JSON (DECODE_CALL_PARAM).
    #[error("not a cc_param")]
    Malformed,
    /// A version that is not known (DECODE_CALL_PARAM).
    #[error("a cc_param of version {version}")]
    Version {
        /// The version.
        version: u32,
    },
    /// The MAC is not right, or its key is not known (AUTH_ERROR).
    #[error("a forged cc_param")]
    Forged,
    /// It is for another callee (AUTH_ERROR).
    #[error("a cc_param for another callee")]
    OtherCallee,
    /// Its time is over (RELEASED_CALL).
    #[error("a cc_param that expired at {at}")]
    Expired {
        /// Unix seconds.
        at: u64,
    },
}

/// Short names keep the text short; the order of the fields is part of the form.
#[derive(Serialize, Deserialize)]
struct Body {
    v: u32,
    sid: CallId,
    exp: u64,
    cu: UserId,
    cs: ServiceId,
    eu: UserId,
    es: ServiceId,
    #[serde(rename = "type")]
    media_type: MediaType,
    kid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

impl CcParam {
    /// What a `cc_param` claims, for the incoming-call screen. **Not authenticated**: only the server can tell a forged one.
    ///
    /// # Errors
    /// When it cannot be read: `TooLong`, `Malformed`, `Version`.
    pub fn peek(text: &str) -> Result<CcParamInfo, CcParamError> {
        Ok(parse(text)?.info())
    }

    /// Writes a `cc_param`. `mac` computes a message authentication code of at most 64 bytes with the key `kid`.
    pub fn seal(info: &CcParamInfo, kid: u32, mac: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let mut body = Body {
            v: 1,
            sid: info.sid,
            exp: info.expires,
            cu: info.caller_id.clone(),
            cs: info.caller_service_id.clone(),
            eu: info.callee_id.clone(),
            es: info.callee_service_id.clone(),
            media_type: info.media_type,
            kid,
            mac: None,
        };
        body.mac = Some(BASE64.encode(mac(&body.authenticated())));
        BASE64.encode(body.json())
    }

    /// Reads a `cc_param` and proves it: the MAC first, then the callee, then the time.
    ///
    /// `verify(kid, message, mac)` is true when `mac` is the code of `message` under the key `kid`. It must compare in
    /// constant time, as every MAC verifier of a crypto library does.
    ///
    /// # Errors
    /// Every [`CcParamError`].
    pub fn open(
        text: &str,
        callee: &User,
        now_unix: u64,
        verify: impl FnOnce(u32, &[u8], &[u8]) -> bool,
    ) -> Result<CcParamInfo, CcParamError> {
        let mut body = parse(text)?;
        let mac = body
            .mac
            .take()
            .and_then(|mac| BASE64.decode(mac).ok())
            .ok_or(CcParamError::Malformed)?;
        if !verify(body.kid, &body.authenticated(), &mac) {
            return Err(CcParamError::Forged);
        }
        if body.eu != callee.user_id || body.es != callee.service_id {
            return Err(CcParamError::OtherCallee);
        }
        if now_unix >= body.exp {
            return Err(CcParamError::Expired { at: body.exp });
        }
        Ok(body.info())
    }
}

fn parse(text: &str) -> Result<Body, CcParamError> {
    if text.len() > limits::CC_PARAM {
        return Err(CcParamError::TooLong { length: text.len() });
    }
    let json = BASE64.decode(text).map_err(|_| CcParamError::Malformed)?;
    let body: Body = serde_json::from_slice(&json).map_err(|_| CcParamError::Malformed)?;
    if body.v != 1 {
        return Err(CcParamError::Version { version: body.v });
    }
    Ok(body)
}

impl Body {
    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of texts and numbers is always JSON")
    }

    /// What the MAC covers; `mac` must be taken out before.
    fn authenticated(&self) -> Vec<u8> {
        [CONTEXT, &self.json()].concat()
    }

    fn info(&self) -> CcParamInfo {
        CcParamInfo {
            sid: self.sid,
            caller_id: self.cu.clone(),
            caller_service_id: self.cs.clone(),
            callee_id: self.eu.clone(),
            callee_service_id: self.es.clone(),
            media_type: self.media_type,
            expires: self.exp,
        }
    }
}

impl CcParamInfo {
    /// The callee as a pair.
    pub fn callee(&self) -> User {
        User {
            service_id: self.callee_service_id.clone(),
            user_id: self.callee_id.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
