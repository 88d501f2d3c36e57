//! What has to hold in every state, and in those at rest.

use super::*;

/// What the server ends a call with when nobody asked it to.
const DECIDED_BY_SERVER: [DisconnectReason; 5] = [
    DisconnectReason::PushError,
    DisconnectReason::NoAnswer,
    DisconnectReason::Cancel,
    DisconnectReason::UnavailableNetwork,
    DisconnectReason::MaxCallTimeExceeded,
];

impl World {
    /// Both sides' reasons suit each other, and nobody of the callee's devices shows in the caller's.
    pub(super) fn check_ends(&self) -> Result<(), String> {
        let Some(caller) = self.clients[0].end else {
            return Ok(());
        };
        for (index, client) in self.clients[1..].iter().enumerate() {
            let Some(device) = client.end else { continue };
            // The device that accepted, for the server and for the caller alike; with one device there is no other.
            let accepted = self
                .accepted
                .filter(|accepted| self.clients[0].call.accepted() == Some(*accepted));
            let decides = self.clients.len() == 2 || (accepted.is_some() && client.party == accepted);
            let allowed = if decides {
                is_allowed_pair(caller, device)
            } else {
                is_allowed_other_device(caller, device)
            };
            let alone_and_multidev = self.clients.len() == 2 && device.is_multidev();
            if !allowed || alone_and_multidev {
                return Err(format!("caller {caller}, device {} {device}", index + 1));
            }
        }
        Ok(())
    }

    /// Nothing is under way and no deadline is armed: either a call runs with both sides connected, or it is over for all.
    pub(crate) fn check_quiet(&self) -> Result<(), String> {
        let running: Vec<usize> = (0..self.clients.len())
            .filter(|client| self.is_running(*client))
            .collect();
        let Some(server) = &self.server else {
            return if running.is_empty() {
                Ok(())
            } else {
                Err(format!("{running:?} wait for a call that is not"))
            };
        };
        if server.is_ended() {
            if self.records != 1 {
                return Err(format!("{} records", self.records));
            }
            // What the server decided may cross both sides' own ends, and then nobody was told what the record says.
            let told = self.clients.iter().any(|client| client.end == self.record);
            let alone = self.record.is_some_and(|reason| DECIDED_BY_SERVER.contains(&reason));
            if !told && !alone {
                return Err(format!("nobody was told {:?}, which the record says", self.record));
            }
            // Without a link, the news of the end may be lost.
            if !running.is_empty() && self.mode == Mode::Linked {
                return Err(format!("{running:?} run after the end"));
            }
            return Ok(());
        }
        if self.mode == Mode::Raw {
            return Ok(());
        }
        let connected = running
            .iter()
            .all(|client| self.clients[*client].call.state() == CallState::Connected);
        let both = running.len() == 2 && running[0] == 0 && self.clients[running[1]].party == server.accepted();
        if !connected || !both {
            return Err(format!("{running:?} run, connected: {connected}"));
        }
        let [caller, device] = [0, running[1]].map(|client| &self.clients[client]);
        if caller.holds == device.peer_holds && device.holds == caller.peer_holds {
            Ok(())
        } else {
            Err("one side does not know that the other holds, or does not".into())
        }
    }
}
