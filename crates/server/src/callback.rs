//! The callbacks to app servers: HTTP GET with every documented field, signed, never redirected.

mod client;
mod query;

pub(crate) use client::CallbackClient;
pub use client::CallbackError;
pub(crate) use query::{call_event, notify};

/// Carries `t=<Unix seconds>,v1=<hex>[,v1=<hex>…]`: HMAC-SHA256 over `<t>.<path and query>` under each valid API secret.
pub(crate) const SIGNATURE_HEADER: &str = "duologue-signature";

#[cfg(test)]
mod tests;
