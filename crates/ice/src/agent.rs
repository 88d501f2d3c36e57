//! The agent.

use std::net::SocketAddr;
use std::time::Instant;

use crate::{
    Candidate, CandidateError, Config, Credentials, Output, PairInfo, State, Stats,
};

/// An ICE agent for one component of one data stream.
#[derive(Debug)]
pub struct Agent {
    local: Credentials,
    remote: Option<Credentials>,
    stats: Stats,
}

#[allow(missing_docs, clippy::needless_pass_by_ref_mut, reason = "public shape first")]
impl Agent {
    pub fn new(config: Config, seed: [u8; 32], _now: Instant) -> Self {
        let mut rng = crate::rng::Rng::new(seed);
        Self {
            local: config.local_credentials.unwrap_or_else(|| Credentials::generate(&mut rng)),
            remote: None,
            stats: Stats::default(),
        }
    }
    pub fn local_credentials(&self) -> &Credentials {
        &self.local
    }
    pub fn set_remote_credentials(&mut self, credentials: Credentials, _now: Instant) {
        self.remote = Some(credentials);
    }
    pub fn remote_credentials(&self) -> Option<&Credentials> {
        self.remote.as_ref()
    }
    pub fn add_local_address(&mut self, _address: SocketAddr, _now: Instant) -> Result<(), CandidateError> {
        Ok(())
    }
    pub fn add_relayed_address(
        &mut self,
        _relayed: SocketAddr,
        _mapped: SocketAddr,
        _now: Instant,
    ) -> Result<(), CandidateError> {
        Ok(())
    }
    pub fn end_of_local_addresses(&mut self, _now: Instant) {}
    pub fn add_remote_candidate(&mut self, _candidate: Candidate, _now: Instant) -> Result<(), CandidateError> {
        Ok(())
    }
    pub fn end_of_remote_candidates(&mut self, _now: Instant) {}
    pub fn handle_datagram(&mut self, _local: SocketAddr, _source: SocketAddr, _payload: &[u8], _now: Instant) {}
    pub fn accepts(&self, _payload: &[u8]) -> bool {
        false
    }
    pub fn handle_timeout(&mut self, _now: Instant) {}
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    pub fn best_pair(&self) -> Option<PairInfo> {
        None
    }
    pub fn is_validated(&self, _local: SocketAddr, _remote: SocketAddr) -> bool {
        false
    }
    pub fn restart(&mut self, _credentials: Option<Credentials>, _now: Instant) {}
    pub fn set_check_payload(&mut self, _payload: Option<Vec<u8>>) {}
    pub fn close(&mut self, _now: Instant) {}
    pub fn state(&self) -> State {
        State::New
    }
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
