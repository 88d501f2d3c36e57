use super::encrypt::LONGEST;
use super::endpoint::EndpointError;

/// Why a push message has not been handed to the push service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebPushError {
    /// The message does not fit into the one record that a push service takes.
    #[error("the message has {length} bytes, and a push message holds {LONGEST}: leave something out")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The subscription's address is none that may be sent to.
    #[error("the endpoint: {0}")]
    Endpoint(#[from] EndpointError),
    /// The subscription is over (404 or 410): forget it. RFC 8030 §7.3.
    #[error("the subscription is over: forget it")]
    Gone,
    /// The push service answered something else than success; a redirect is such an answer too.
    #[error("the push service answered {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The push service did not answer in time, also not to the second attempt if there was time for one.
    #[error("no answer in time")]
    Timeout,
    /// No connection, for example because the endpoint's name has no public address.
    #[error("no connection")]
    Connect,
    /// Something else went wrong on the way.
    #[error("failed on the way")]
    Transfer,
    /// The message was given up before it was delivered, because what it tells is no longer so.
    #[error("given up: the call has ended")]
    Superseded,
    /// The crypto library failed, which it does when the system has no randomness.
    #[error("the crypto library failed")]
    Crypto,
    /// The HTTPS client cannot be made.
    #[error("cannot make an HTTPS client: {0}")]
    Client(String),
}
