//! What can happen in a world.

use super::*;

impl World {
    /// Everything that can happen now.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for (number, client) in self.clients.iter().enumerate() {
            let running = self.is_running(number);
            match client.call.state() {
                CallState::Idle if number == 0 => actions.push(Action::Make),
                // Devices are alike: the second verifies after the first, which halves what there is to explore.
                CallState::Idle if self.may_verify(number) => actions.push(Action::Verify(number)),
                CallState::Verified if client.call.accepted().is_none() => actions.push(Action::Accept(number)),
                _ => {}
            }
            if running {
                actions.push(Action::End(number));
            }
            if self.budget.holds > 0 && client.call.state() == CallState::Connected {
                actions.push(Action::Hold(number));
            }
            let has_to_tell = running || !client.up.is_empty();
            match client.session {
                Session::Never if running => actions.extend([Action::Connect(number), Action::Refuse(number)]),
                Session::Up => {
                    if self.budget.breaks > 0 && has_to_tell {
                        actions.push(Action::Break(number));
                    }
                    self.push_deliveries(number, client, &mut actions);
                }
                Session::Broken(_) if has_to_tell => actions.push(Action::Resume(number)),
                _ => {}
            }
            actions.extend(client.call.armed().map(|timer| Action::ClientTimer(number, timer)));
        }
        for (index, path) in self.paths.iter().enumerate() {
            self.push_path(index + 1, path, &mut actions);
        }
        if self.notifying {
            let results = [NotifyResult::Delivered, NotifyResult::Failed];
            actions.extend(results.map(Action::Notified));
        }
        if let Some(server) = &self.server {
            actions.extend(server.armed().map(Action::ServerTimer));
            if self.budget.restarts > 0 && !server.is_ended() {
                actions.push(Action::Restart);
            }
        }
        actions
    }

    fn may_verify(&self, number: usize) -> bool {
        self.pushed && (number == 1 || self.clients[number - 1].call.state() != CallState::Idle)
    }

    fn push_deliveries(&self, number: usize, client: &Client, actions: &mut Vec<Action>) {
        let raw = self.mode == Mode::Raw;
        let reach = |length: usize| if raw { length } else { length.min(1) };
        for at in 0..reach(client.up.len()) {
            actions.push(Action::Up(number, at));
            // The first message makes the call; without it there is none to test.
            let first = matches!(
                client.up[at],
                ClientMessage::MakeCall(_) | ClientMessage::VerifyCall { .. }
            );
            if raw && self.budget.drops > 0 && !first {
                actions.push(Action::DropUp(number, at));
            }
            if raw && self.budget.duplicates > 0 && !first {
                actions.push(Action::DoubleUp(number, at));
            }
        }
        for at in 0..reach(client.down.len()) {
            actions.push(Action::Down(number, at));
            if raw && self.budget.drops > 0 {
                actions.push(Action::DropDown(number, at));
            }
            if raw && self.budget.duplicates > 0 {
                actions.push(Action::DoubleDown(number, at));
            }
        }
    }

    fn push_path(&self, number: usize, path: &Path, actions: &mut Vec<Action>) {
        let possible = path.known && self.clients[number].call.sid().is_some();
        for (end, state, client) in [(true, path.at_caller, 0), (false, path.at_device, number)] {
            if !possible || !self.is_running(client) {
                continue;
            }
            if state == PathState::Down {
                actions.push(Action::PathUp(number, end));
            }
            if self.budget.failures > 0 && state != PathState::Gone {
                actions.push(Action::PathFails(number, end, PathFailure::Unreachable));
                if state == PathState::Down {
                    actions.push(Action::PathFails(number, end, PathFailure::Authentication));
                }
            }
        }
        for (end, queue) in [(true, &path.to_caller), (false, &path.to_device)] {
            if !queue.is_empty() {
                actions.push(Action::Media(number, end));
                if self.budget.lossy_media {
                    actions.push(Action::MediaLost(number, end));
                }
            }
        }
    }
}
