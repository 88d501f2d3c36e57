//! Limits of the contract and of the protocol. Text is counted in bytes of UTF-8, without a closing NUL.

/// Longest text for the app server. The contract says 4,096 bytes with the closing NUL.
pub const APP_SERVER_DATA: usize = 4095;
/// Longest call start message. The contract says 200 bytes with the closing NUL.
pub const CALL_START_MESSAGE: usize = 199;
/// Longest release phrase of the application. The contract says 128 bytes with the closing NUL.
pub const RELEASE_PHRASE: usize = 127;
/// Longest reason of a hold. A client cuts a longer one.
pub const HOLD_REASON: usize = 256;
/// Longest `cc_param`, so that every push system carries it.
pub const CC_PARAM: usize = 1024;
/// Longest user id and service id, in characters.
pub const ID: usize = 64;
/// Longest access token. A token of the documented claims has some 400 bytes.
pub const ACCESS_TOKEN: usize = 4096;
/// Longest resume token, session name, device key and SDK name.
pub const TOKEN: usize = 1024;
/// Most candidates of one side that are kept, and most in one message.
pub const CANDIDATES: usize = 64;
/// Longest candidate in the form of RFC 8839 §5.1.
pub const CANDIDATE: usize = 512;
/// Longest message on the wire, in bytes.
pub const MESSAGE: usize = 64 * 1024;
/// Most devices of the callee that may verify one call.
pub const DEVICES: usize = 8;
/// Most entries of one list inside a session description (codecs, extensions, fingerprints, options).
pub const LIST: usize = 32;
/// Longest text inside a session description (ICE credentials of RFC 8839 §5.4 may have 256 characters).
pub const TEXT: usize = 256;
/// Most ICE servers in a welcome.
pub const ICE_SERVERS: usize = 16;
/// Most messages that wait for an acknowledgement.
pub const UNACKNOWLEDGED: usize = 256;
/// Most bytes that wait for an acknowledgement.
pub const UNACKNOWLEDGED_BYTES: usize = 64 * 1024;
