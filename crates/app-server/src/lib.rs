#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod callback;
mod push;
mod reference;
mod signature;
mod token;

pub use callback::{CallEventCallback, NotifyCallback};
pub use push::PushMessage;
pub use push::web::{
    EndpointError, EndpointPolicy, PushStoreError, PushSubscription, SubscriptionError, VapidKey, VapidKeyError,
    WebPushError, WebPushSender,
};
pub use reference::{AppServerConfig, Authenticator, router, router_with};
pub use signature::{SIGNATURE_HEADER, SignatureError, verify_signature};
pub use token::{TokenError, issue_token, verify_token};
