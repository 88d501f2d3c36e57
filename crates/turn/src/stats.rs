//! What a server counts.

/// Counters since the server was made. Bytes are those of payloads.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Binding requests answered.
    pub bindings: u64,
    /// Allocations made.
    pub allocations: u64,
    /// Allocations gone.
    pub released: u64,
    /// Requests of TURN that succeeded, allocations among them.
    pub succeeded: u64,
    /// Requests that were answered with an error after they authenticated.
    pub refused: u64,
    /// 401: no credential, or one that is wrong or expired.
    pub unauthenticated: u64,
    /// Of these, requests whose integrity was wrong.
    pub bad_integrity: u64,
    /// Of these, credentials that had expired.
    pub expired_credentials: u64,
    /// 438: a nonce that is too old, forged or another client's.
    pub stale_nonces: u64,
    /// Answers withheld because a network asked too often without authenticating.
    pub braked: u64,
    /// Peers refused with 403, or dropped for it.
    pub forbidden_peers: u64,
    /// Refused for a quota or for want of room: 486 and 508.
    pub over_quota: u64,
    /// Dropped: not STUN, not ChannelData, cut short, or with lengths that do not add up.
    pub malformed: u64,
    /// Dropped: well-formed STUN that no client has a reason to send, such as answers.
    pub unexpected: u64,
    /// Dropped: indications and ChannelData without allocation or channel.
    pub no_allocation: u64,
    /// Dropped: no permission for the peer, in either direction.
    pub no_permission: u64,
    /// Dropped: the user's bandwidth was used up.
    pub over_bandwidth: u64,
    /// Dropped: longer than a datagram can be with its header.
    pub oversized: u64,
    /// Payloads relayed towards peers.
    pub to_peers: u64,
    /// Bytes relayed towards peers.
    pub to_peers_bytes: u64,
    /// Payloads relayed towards clients.
    pub to_clients: u64,
    /// Bytes relayed towards clients.
    pub to_clients_bytes: u64,
    /// Payloads that went from one relay of this server to another without a socket; counted in both directions above too.
    pub switched: u64,
}
