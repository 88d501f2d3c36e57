use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{CandidateError, Config, Output, Parameters, ParametersError, SendError, Stats};

/// One encrypted media path to one peer.
#[derive(Debug)]
pub struct Transport {
    config: Config,
}

#[allow(
    missing_docs,
    unused_variables,
    clippy::needless_pass_by_ref_mut,
    reason = "public shape first"
)]
impl Transport {
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        Self { config }
    }
    pub fn local_parameters(&self) -> Parameters {
        Parameters {
            ufrag: String::new(),
            pwd: String::new(),
            fingerprints: vec![self.config.certificate.fingerprint()],
            setup: crate::Setup::ActPass,
        }
    }
    pub fn set_remote_parameters(&mut self, parameters: Parameters, now: Instant) -> Result<(), ParametersError> {
        parameters.check()
    }
    pub fn add_local_address(&mut self, address: SocketAddr, now: Instant) -> Result<(), CandidateError> {
        Ok(())
    }
    pub fn end_of_local_addresses(&mut self, now: Instant) {}
    pub fn add_remote_candidate(&mut self, candidate: &str, now: Instant) -> Result<(), CandidateError> {
        Ok(())
    }
    pub fn end_of_remote_candidates(&mut self, now: Instant) {}
    pub fn accepts(&self, local: SocketAddr, source: SocketAddr, payload: &[u8]) -> bool {
        false
    }
    pub fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {}
    pub fn handle_timeout(&mut self, now: Instant) {}
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    pub fn send_rtp(&mut self, packet: &[u8], now: Instant) -> Result<(), SendError> {
        Err(SendError::NotConnected)
    }
    pub fn send_rtcp(&mut self, packet: &[u8], now: Instant) -> Result<(), SendError> {
        Err(SendError::NotConnected)
    }
    pub fn close(&mut self, now: Instant) {}
    pub fn is_connected(&self) -> bool {
        false
    }
    pub fn is_closed(&self) -> bool {
        false
    }
    pub fn rtt(&self) -> Option<Duration> {
        None
    }
    pub fn path(&self) -> Option<crate::PathInfo> {
        None
    }
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
