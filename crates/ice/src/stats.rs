//! Counters.

/// What an agent has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Checks sent, repetitions and consent checks included.
    pub requests_sent: u64,
    /// Of these, consent checks.
    pub consent_requests_sent: u64,
    /// Authenticated requests received.
    pub requests_received: u64,
    /// Success answers sent.
    pub responses_sent: u64,
    /// Authenticated answers received to a request of ours.
    pub responses_received: u64,
    /// Requests sent to STUN servers.
    pub server_requests_sent: u64,
    /// Times the role was reversed by a conflict.
    pub role_switches: u64,
    /// Datagrams that are not a well-formed STUN message of the Binding method, and answers of the peer with an
    /// attribute that must be understood and is not.
    pub malformed: u64,
    /// Requests for another user name, or whose integrity is wrong or absent.
    pub unauthenticated_requests: u64,
    /// Answers that belong to no request of ours, or whose integrity is wrong or absent.
    pub unauthenticated_responses: u64,
    /// Authenticated answers from another address than the one asked.
    pub asymmetric_responses: u64,
    /// Datagrams that arrived on an address that is not ours.
    pub unknown_local: u64,
    /// Binding indications received (keepalives of the peer).
    pub indications_received: u64,
    /// Candidates and early checks refused because a table was full.
    pub table_full: u64,
    /// Messages sent to TURN servers, data included.
    pub relay_sent: u64,
    /// Answers of TURN servers to requests of ours.
    pub relay_responses_received: u64,
    /// Answers in the name of a TURN server that belong to no request of ours, or whose integrity is wrong or absent.
    pub unauthenticated_relay_answers: u64,
    /// Data that a TURN server relayed from nobody we let through, or on a channel that is not ours.
    pub relay_dropped: u64,
    /// Checks on an address that the policy hides: not answered.
    pub hidden: u64,
    /// Outputs dropped because the owner did not drain them.
    pub outputs_dropped: u64,
}
