//! The verification code within an engine: commit, answer, reveal, check. `VERIFICATION.md` has the rules.

use std::time::Instant;

use duologue_signaling::SessionDescription;
use duologue_signaling::client::{PathEvent, PathFailure};
use duologue_signaling::ids::PartyId;

use super::{Engine, Role};
use crate::CallEventKind;
use crate::verification::{self, Bytes32, Ingredients, VerificationCode};

/// What this end of the call brings, and how far the exchange has come.
#[derive(Debug)]
pub(super) struct Verification {
    fingerprint: Option<Bytes32>,
    nonce: Bytes32,
    /// Caller: the device that was accepted when the nonce was revealed. With any other, there is no code.
    revealed_to: Option<PartyId>,
    /// Callee: the caller's nonce, as it came.
    revealed: Option<String>,
    pub(super) code: Option<VerificationCode>,
}

/// What the first description of the peer on a path says.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct PeerIdentity {
    fingerprint: Option<Bytes32>,
    commit: Option<Bytes32>,
    nonce: Option<Bytes32>,
}

impl PeerIdentity {
    pub(super) fn of(description: &SessionDescription) -> Self {
        let read = |text: &Option<String>| text.as_deref().and_then(verification::from_hex);
        // With several, the one that is compared need not be the one that DTLS was checked against.
        let fingerprint = match description.fingerprints.as_slice() {
            [only] if only.algorithm.eq_ignore_ascii_case("sha-256") => {
                verification::from_hex(&only.value.replace(':', "").to_ascii_lowercase())
            }
            _ => None,
        };
        Self {
            fingerprint,
            commit: read(&description.commit),
            nonce: read(&description.nonce),
        }
    }
}

impl Verification {
    pub(super) fn new(nonce: Bytes32, certificate: &duologue_transport::Certificate) -> Self {
        Self {
            fingerprint: certificate.fingerprint().value.try_into().ok(),
            nonce,
            revealed_to: None,
            revealed: None,
            code: None,
        }
    }

    /// What the caller's descriptions carry.
    pub(super) fn commit(&self) -> Option<String> {
        let fingerprint = self.fingerprint.as_ref()?;
        Some(verification::to_hex(&verification::commitment(
            fingerprint,
            &self.nonce,
        )))
    }

    /// This device is the accepted one from now on. One that came after the reveal could have chosen its nonce to suit.
    pub(super) fn accepted(&mut self, party: PartyId) {
        if self.revealed_to.is_some_and(|to| to != party) {
            self.code = None;
        }
    }

    /// What the callee's descriptions carry.
    pub(super) fn nonce(&self) -> String {
        verification::to_hex(&self.nonce)
    }
}

impl Engine {
    /// The code that both users see, once everything that it says has been checked.
    pub fn verification_code(&self) -> Option<VerificationCode> {
        self.verification.code
    }

    /// Callee: the caller has revealed its nonce. Whoever has not told its own by then could be told one that suits it.
    pub(super) fn on_reveal(&mut self, nonce: String, now: Instant) {
        if self.legs[0].offered && self.verification.revealed.is_none() {
            self.verification.revealed = Some(nonce);
            self.verify(now);
        }
    }

    /// Does what the exchange allows by now.
    pub(super) fn verify(&mut self, now: Instant) {
        let Some(leg) = self.active_leg().filter(|leg| leg.is_connected()) else {
            return;
        };
        let (Some(own), Some(peer), Some(party)) = (self.verification.fingerprint, leg.identity.fingerprint, leg.party)
        else {
            return;
        };
        let identity = leg.identity;
        match self.config.role {
            Role::Caller(_) => {
                let Some(nonce) = identity.nonce.filter(|_| self.verification.revealed_to.is_none()) else {
                    return;
                };
                self.verification.revealed_to = Some(party);
                self.call.reveal(self.verification.nonce());
                let ingredients = Ingredients {
                    caller_fingerprint: own,
                    callee_fingerprint: peer,
                    caller_nonce: self.verification.nonce,
                    callee_nonce: nonce,
                };
                self.show(&ingredients, now);
            }
            Role::Callee(_) => {
                let (Some(commit), Some(revealed)) = (identity.commit, &self.verification.revealed) else {
                    return;
                };
                let nonce = verification::from_hex(revealed);
                match nonce.filter(|nonce| verification::commitment(&peer, nonce) == commit) {
                    Some(nonce) if self.verification.code.is_none() => {
                        let ingredients = Ingredients {
                            caller_fingerprint: peer,
                            callee_fingerprint: own,
                            caller_nonce: nonce,
                            callee_nonce: self.verification.nonce,
                        };
                        self.show(&ingredients, now);
                    }
                    Some(_) => {}
                    None => {
                        tracing::warn!("the caller's nonce is not the one that it committed to");
                        let failure = PathEvent::Failed(PathFailure::Authentication);
                        self.call.handle_path(party, failure, now);
                    }
                }
            }
        }
    }

    fn show(&mut self, ingredients: &Ingredients, now: Instant) {
        let code = VerificationCode::derive(ingredients);
        self.verification.code = Some(code);
        self.emit(CallEventKind::VerificationCode(code), now);
    }
}
