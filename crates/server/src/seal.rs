//! What the server gives away and wants to know again: `cc_param` and resume tokens, authenticated with HMAC-SHA256.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use duologue_signaling::ids::User;
use duologue_signaling::{CcParam, CcParamError, CcParamInfo};
use serde::{Deserialize, Serialize};

/// Separates this use of the keys from `cc_param`, which has a context of its own.
const CONTEXT: &[u8] = b"duologue resume 1\0";

/// The server's keys.
pub(crate) struct Keys {
    /// By number; new tokens are made with the last.
    keys: Vec<(u32, hmac::Key)>,
}

/// What a resume token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resume {
    /// The session.
    #[serde(rename = "s")]
    pub(crate) session: String,
    /// Whose it is.
    #[serde(rename = "u")]
    pub(crate) user: User,
    /// The user showed an access token, and so may make calls.
    #[serde(rename = "c")]
    pub(crate) may_call: bool,
    /// Until when it is good, in Unix seconds.
    #[serde(rename = "e")]
    pub(crate) expires: u64,
}

impl Keys {
    /// `keys` are the stored ones, the newest last; there is at least one.
    pub(crate) fn new(keys: Vec<(u32, Vec<u8>)>) -> Self {
        Self {
            keys: keys
                .into_iter()
                .map(|(kid, key)| (kid, hmac::Key::new(hmac::HMAC_SHA256, &key)))
                .collect(),
        }
    }

    pub(crate) fn seal_cc_param(&self, info: &CcParamInfo) -> String {
        let (kid, key) = self.newest();
        CcParam::seal(info, *kid, |message| hmac::sign(key, message).as_ref().to_vec())
    }

    pub(crate) fn open_cc_param(&self, text: &str, callee: &User, now: u64) -> Result<CcParamInfo, CcParamError> {
        CcParam::open(text, callee, now, |kid, message, mac| self.verify(kid, message, mac))
    }

    pub(crate) fn seal_resume(&self, resume: &Resume) -> String {
        let (kid, key) = self.newest();
        let body = serde_json::to_vec(resume).expect("texts and numbers are always JSON");
        let mac = hmac::sign(key, &[CONTEXT, &body].concat());
        format!("{kid}.{}.{}", BASE64.encode(body), BASE64.encode(mac))
    }

    /// `None`: forged, damaged or expired.
    pub(crate) fn open_resume(&self, text: &str, now: u64) -> Option<Resume> {
        let (kid, rest) = text.split_once('.')?;
        let (body, mac) = rest.split_once('.')?;
        let (body, mac) = (BASE64.decode(body).ok()?, BASE64.decode(mac).ok()?);
        if !self.verify(kid.parse().ok()?, &[CONTEXT, &body].concat(), &mac) {
            return None;
        }
        let resume: Resume = serde_json::from_slice(&body).ok()?;
        (now < resume.expires).then_some(resume)
    }

    fn newest(&self) -> &(u32, hmac::Key) {
        self.keys.last().expect("the store makes a key when there is none")
    }

    /// The comparison of `hmac::verify` takes constant time.
    fn verify(&self, kid: u32, message: &[u8], mac: &[u8]) -> bool {
        let key = self.keys.iter().find(|(known, _)| *known == kid);
        key.is_some_and(|(_, key)| hmac::verify(key, message, mac).is_ok())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("count", &self.keys.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
