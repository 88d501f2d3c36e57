//! How a call, or a device's part in it, ends.

use std::time::Instant;

use super::call::{End, Phase};
use super::{CallRecord, Output, ServerCall, Timer};
use crate::ids::PartyId;
use crate::message::ServerMessage;
use crate::{DisconnectReason, DisconnectSource};

impl ServerCall {
    /// A device says that the call is over for it.
    pub(super) fn on_end(
        &mut self,
        party: PartyId,
        reason: Option<DisconnectReason>,
        user_code: Option<String>,
        by_remote: bool,
        now: Instant,
    ) {
        let is_caller = party.is_caller();
        // What was heard over the media path was said by the other side.
        let by_caller = is_caller != by_remote;
        let source = if by_caller {
            DisconnectSource::Caller
        } else {
            DisconnectSource::Callee
        };
        let reason = match reason {
            Some(reason) if is_client_reason(reason) && reason.may_come_from(source) => reason,
            // Not a client's to say, but surely no decision of its user.
            Some(_) => DisconnectReason::InternalError,
            None => self.ordinary_end(by_caller),
        };
        let end = End {
            reason,
            source,
            user_code,
        };
        let ends_call = match self.phase {
            Phase::Ended => return,
            Phase::Accepted(_) => true,
            // Before the accept a device ends the call when its user decided, and only leaves when it failed.
            Phase::Notifying | Phase::Ringing => is_caller || by_remote || is_decision(reason),
        };
        if ends_call {
            self.end(end, Some(party), now);
        } else {
            self.drop_device(party, end, false);
        }
    }

    fn ordinary_end(&self, by_caller: bool) -> DisconnectReason {
        match (self.phase, by_caller) {
            (Phase::Accepted(_), _) => DisconnectReason::Normal,
            (_, true) => DisconnectReason::Cancel,
            (_, false) => DisconnectReason::Decline,
        }
    }

    /// A device of the callee no longer takes part; the call goes on.
    pub(super) fn drop_device(&mut self, party: PartyId, end: End, tell: bool) {
        self.disarm(Timer::Lost(party));
        let Some(device) = self.device_mut(party) else { return };
        device.end = Some(end.clone());
        if tell {
            self.send(party, end.message());
        }
        if !matches!(self.phase, Phase::Accepted(_)) {
            // The caller closes the path; after an accept it does so by itself.
            self.send(PartyId::CALLER, ServerMessage::PeerLeft { party });
        }
    }

    /// The only way into the last phase. `by` is the device that is out already and need not be told.
    pub(super) fn end(&mut self, end: End, by: Option<PartyId>, now: Instant) {
        if self.phase == Phase::Ended {
            return;
        }
        let accepted = self.accepted();
        self.phase = Phase::Ended;
        self.deadlines.clear();
        // A device that decided before anybody accepted decided for the other devices too, also when the caller, who heard it over
        // the media path, is the first to say so.
        let decided = accepted.is_none() && end.source == DisconnectSource::Callee && by.is_some();
        let elsewhere = End {
            reason: DisconnectReason::MultidevDecline,
            source: DisconnectSource::CloudServer,
            user_code: None,
        };
        let mut outputs = Vec::new();
        for device in self.devices.iter_mut().filter(|device| device.end.is_none()) {
            let told = if decided && !device.party.is_caller() {
                &elsewhere
            } else {
                &end
            };
            if by != Some(device.party) {
                outputs.push(Output::Send {
                    party: device.party,
                    message: told.message(),
                });
            }
            device.end = Some(told.clone());
        }
        self.outputs.extend(outputs);
        if accepted.is_none() && (self.notified || self.devices.len() > 1) {
            self.output(Output::PushCancel);
        }
        tracing::debug!(sid = %self.setup.sid, reason = end.reason.str_code(), "call ended");
        let destination = self
            .devices
            .iter()
            .rfind(|device| accepted.map_or(!device.party.is_caller(), |party| party == device.party))
            .and_then(|device| device.source_address.clone());
        let record = CallRecord::new(
            &self.setup,
            self.setup_at,
            self.connected_at,
            self.clock.unix_ms(now),
            destination,
            &end,
        );
        self.output(Output::Record(Box::new(record)));
    }
}

/// What a client may say. The rest is the server's to say, or is never told to it.
fn is_client_reason(reason: DisconnectReason) -> bool {
    use DisconnectReason as R;
    matches!(
        reason,
        R::Normal
            | R::Decline
            | R::CellCall
            | R::InternalError
            | R::UserError
            | R::InternalKitError
            | R::AudioTxNoSrc
            | R::Cancel
            | R::Busy
            | R::NetworkUnstable
            | R::AuthError
            | R::UnavailableNetwork
            | R::AppDestroy
            | R::SystemSleep
            | R::SystemLogoff
            | R::MtuExceeded
            | R::DesktopScreenLocked
            | R::ServiceHttpError
            | R::ServiceHttpConnectionTimeOut
            | R::ServiceHttpInvalidPeerCert
            | R::ServiceHttpConnectFail
            | R::ServiceHttpInvalidUrl
    )
}

/// A decision about the call rather than a failure of one device. A certificate that is not the signalled one is an
/// attack on the call, and ends it.
fn is_decision(reason: DisconnectReason) -> bool {
    use DisconnectReason as R;
    matches!(
        reason,
        R::Normal | R::Decline | R::Busy | R::UserError | R::CellCall | R::AuthError
    )
}
