//! The URLs of the callbacks.

use duologue_signaling::server::{CallRecord, CallSetup};

/// Longest URL with the deprecated `stid` in it: many servers stop at 8 kB.
const LONGEST_WITH_STID: usize = 8_000;

/// The notify callback. `param` is the sealed `cc_param`.
pub(crate) fn notify(base: &str, setup: &CallSetup, param: &str) -> String {
    let media_type = setup.media_type.letter().to_string();
    let mut url = Url::new(base);
    url.push("sid", setup.sid.as_str());
    url.push("from_service_id", setup.caller.service_id.as_str());
    url.push("from_user_id", setup.caller.user_id.as_str());
    url.push("to_service_id", setup.callee.service_id.as_str());
    url.push("to_user_id", setup.callee.user_id.as_str());
    url.push("type", &media_type);
    url.push("param", param);
    url.push_app_server_data(setup.app_server_data.as_deref());
    url.text
}

/// The call event callback.
pub(crate) fn call_event(base: &str, record: &CallRecord) -> String {
    let mut url = Url::new(base);
    for (name, value) in [
        ("sid", &record.sid),
        ("from_service_id", &record.from_service_id),
        ("from_user_id", &record.from_user_id),
        ("to_service_id", &record.to_service_id),
        ("to_user_id", &record.to_user_id),
        ("type", &record.media_type),
    ] {
        url.push(name, value);
    }
    for (name, value) in [
        ("setup_time", record.setup_time),
        ("start_time", record.start_time),
        ("end_time", record.end_time),
        ("duration", record.duration),
        ("billing_sec", record.billing_sec),
        ("terminate", record.terminate.into()),
        ("rel_code", record.rel_code.into()),
        ("disconnect_reason", record.disconnect_reason.into()),
        ("releaser_type", record.releaser_type.into()),
    ] {
        url.push(name, &value.to_string());
    }
    url.push("srcip", record.srcip.as_deref().unwrap_or_default());
    url.push("dstip", record.dstip.as_deref().unwrap_or_default());
    url.push("rel_code_str", &record.rel_code_str);
    if let Some(code) = &record.user_rel_code {
        url.push("user_rel_code", code);
    }
    url.push_app_server_data(record.app_svr_data.as_deref());
    url.text
}

struct Url {
    text: String,
    separator: char,
}

impl Url {
    /// `base` may have a query already, and a fragment, which is not sent.
    fn new(base: &str) -> Self {
        let text = base.split('#').next().unwrap_or_default().to_owned();
        let separator = if text.contains('?') { '&' } else { '?' };
        Self { text, separator }
    }

    fn push(&mut self, name: &str, value: &str) {
        self.text.push(self.separator);
        self.separator = '&';
        self.text.push_str(name);
        self.text.push('=');
        encode(value, &mut self.text);
    }

    fn push_app_server_data(&mut self, data: Option<&str>) {
        let Some(data) = data else { return };
        self.push("app_svr_data", data);
        let length = self.text.len();
        self.push("stid", data);
        if self.text.len() > LONGEST_WITH_STID {
            self.text.truncate(length);
        }
    }
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 §2.3), so that neither form decoding nor plain
/// percent decoding reads it wrongly.
fn encode(value: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)].into());
            out.push(HEX[usize::from(byte & 15)].into());
        }
    }
}
