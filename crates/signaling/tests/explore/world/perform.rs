//! Lets things happen, and notes at once what must not.

use super::*;

/// Bits of events that were seen.
const WAIT: u8 = 1;
const VERIFIED: u8 = 2;
const CONNECTED: u8 = 4;

impl World {
    /// Lets one thing happen; the error is a broken invariant.
    pub(crate) fn perform(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Make => {
                let make = MakeCall {
                    peer_id: "b".parse().unwrap(),
                    peer_service_id: "s".parse().unwrap(),
                    media_type: MediaType::Audio,
                    app_server_data: None,
                    call_start_message: None,
                    description: None,
                };
                self.clients[0].call.make_call(make, now()).unwrap();
                self.clients[0].party = Some(PartyId::CALLER);
            }
            Action::Verify(number) => self.clients[number].call.verify_call(String::new(), now()).unwrap(),
            Action::Accept(number) => self.clients[number].call.accept(None, now()).unwrap(),
            Action::End(number) => self.clients[number].call.end(None, None, now()).unwrap(),
            Action::Hold(number) => {
                self.budget.holds -= 1;
                let client = &mut self.clients[number];
                client.holds = !client.holds;
                client.call.hold(client.holds, None).unwrap();
            }
            Action::Connect(number) => {
                self.clients[number].session = Session::Up;
                self.clients[number].call.handle_signal_up(&welcome(false));
            }
            Action::Refuse(number) => {
                let failure = Some(DisconnectReason::ServiceHttpConnectFail);
                self.clients[number].call.handle_signal_down(failure, now());
            }
            Action::Break(number) => {
                self.budget.breaks -= 1;
                self.break_session(number, false);
            }
            Action::Resume(number) => self.resume(number),
            Action::Restart => {
                self.budget.restarts -= 1;
                let snapshot = self.server.as_ref().unwrap().snapshot().unwrap();
                self.server = Some(ServerCall::restore(snapshot, clock(), now()));
                self.notifying = false;
                for number in 0..self.clients.len() {
                    // What the old process had not got through is lost with it.
                    self.clients[number].down.clear();
                    self.break_session(number, true);
                }
            }
            Action::Up(number, at) => {
                let message = self.clients[number].up.remove(at).unwrap();
                self.at_server(number, message);
            }
            Action::DoubleUp(number, at) => {
                self.budget.duplicates -= 1;
                let message = self.clients[number].up[at].clone();
                self.at_server(number, message);
            }
            Action::DropUp(number, at) => {
                self.budget.drops -= 1;
                self.clients[number].up.remove(at).unwrap();
            }
            Action::Down(number, at) => {
                let message = self.clients[number].down.remove(at).unwrap();
                self.at_client(number, message);
            }
            Action::DoubleDown(number, at) => {
                self.budget.duplicates -= 1;
                let message = self.clients[number].down[at].clone();
                self.at_client(number, message);
            }
            Action::DropDown(number, at) => {
                self.budget.drops -= 1;
                self.clients[number].down.remove(at).unwrap();
            }
            Action::Notified(result) => {
                self.notifying = false;
                self.server.as_mut().unwrap().handle_notify_result(result, now());
            }
            Action::ClientTimer(number, timer) => self.clients[number].call.expire(timer, now()),
            Action::ServerTimer(timer) => self.server.as_mut().unwrap().expire(timer, now()),
            Action::PathUp(number, at_caller) => {
                *self.path_state(number, at_caller) = PathState::Up;
                self.on_path(number, at_caller, PathEvent::Up);
            }
            Action::PathFails(number, at_caller, failure) => {
                self.budget.failures -= 1;
                *self.path_state(number, at_caller) = PathState::Gone;
                self.on_path(number, at_caller, PathEvent::Failed(failure));
            }
            Action::Media(number, to_caller) => {
                let media = self.media(number, to_caller).pop_front().unwrap();
                let event = match media {
                    Media::Audio => PathEvent::FirstAudio,
                    Media::Bye(reason) => PathEvent::Bye {
                        reason: Some(reason),
                        user_code: None,
                    },
                    Media::Closed => PathEvent::Closed,
                };
                // A path that is not up yet at this end carries nothing to it.
                if *self.path_state(number, to_caller) == PathState::Up {
                    self.on_path(number, to_caller, event);
                }
            }
            Action::MediaLost(number, to_caller) => {
                self.media(number, to_caller).pop_front();
            }
        }
        self.drain()?;
        self.forget();
        self.check_ends()
    }

    fn path_state(&mut self, number: usize, at_caller: bool) -> &mut PathState {
        let path = &mut self.paths[number - 1];
        if at_caller {
            &mut path.at_caller
        } else {
            &mut path.at_device
        }
    }

    fn media(&mut self, number: usize, to_caller: bool) -> &mut VecDeque<Media> {
        let path = &mut self.paths[number - 1];
        if to_caller {
            &mut path.to_caller
        } else {
            &mut path.to_device
        }
    }

    fn on_path(&mut self, number: usize, at_caller: bool, event: PathEvent) {
        let party = self.clients[number].party.unwrap();
        let client = if at_caller { 0 } else { number };
        self.clients[client].call.handle_path(party, event, now());
    }

    fn break_session(&mut self, number: usize, forgotten: bool) {
        let client = &mut self.clients[number];
        if client.session == Session::Never {
            return;
        }
        client.session = Session::Broken(forgotten);
        client.call.handle_signal_down(None, now());
        if let (Some(server), Some(party)) = (&mut self.server, client.party) {
            server.handle_session_lost(party, now());
        }
    }

    fn resume(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let forgotten = client.session == Session::Broken(true);
        client.session = Session::Up;
        client.call.handle_signal_up(&welcome(!forgotten));
        if let (Some(server), Some(party)) = (&mut self.server, client.party) {
            server.handle_session_resumed(party, !forgotten, now());
        }
    }

    fn at_server(&mut self, number: usize, message: ClientMessage) {
        match message {
            ClientMessage::MakeCall(_) => {
                let setup = CallSetup {
                    sid: CallId::from_random([1; 16]),
                    caller: user("a"),
                    callee: user("b"),
                    media_type: MediaType::Audio,
                    app_server_data: None,
                    call_start_message: None,
                    description: None,
                    source_address: None,
                };
                let timers = server::Timers {
                    max_call: Some(Duration::from_secs(300)),
                    ..server::Timers::default()
                };
                self.server = Some(ServerCall::new(setup, timers, clock(), now()));
            }
            ClientMessage::VerifyCall { .. } => {
                let server = self.server.as_mut().unwrap();
                match server.verify(None, now()) {
                    Ok(party) => self.clients[number].party = Some(party),
                    Err(refusal) => self.clients[number].down.push_back(refusal.message()),
                }
            }
            message => {
                if let (Some(server), Some(party)) = (&mut self.server, self.clients[number].party) {
                    server.handle_message(party, message, now());
                }
            }
        }
    }

    fn at_client(&mut self, number: usize, message: ServerMessage) {
        if let ServerMessage::PeerVerified { party, .. } | ServerMessage::Accepted { party, .. } = &message
            && number == 0
        {
            let device = self
                .clients
                .iter()
                .position(|client| client.party == Some(*party))
                .unwrap();
            self.paths[device - 1].known = true;
        }
        self.clients[number].call.handle_message(message, now());
    }

    /// Carries out what the machines ask for.
    fn drain(&mut self) -> Result<(), String> {
        while let Some(output) = self.server.as_mut().and_then(ServerCall::poll_output) {
            self.on_server_output(output)?;
        }
        for number in 0..self.clients.len() {
            while let Some(output) = self.clients[number].call.poll_output() {
                self.on_client_output(number, output)?;
            }
        }
        // A device sends audio as soon as it has accepted and its path is up.
        for (client, path) in self.clients[1..].iter().zip(&mut self.paths) {
            let speaks = client.call.accepted().is_some() && client.call.state() == CallState::Connected;
            if speaks && path.at_device == PathState::Up && !path.audio_sent {
                path.audio_sent = true;
                path.to_caller.push_back(Media::Audio);
            }
        }
        Ok(())
    }

    fn on_server_output(&mut self, output: server::Output) -> Result<(), String> {
        match output {
            server::Output::Send { party, message } => {
                let rings = matches!(
                    message,
                    ServerMessage::WaitConnected | ServerMessage::Verified(_) | ServerMessage::PeerVerified { .. }
                );
                if rings && self.records > 0 {
                    return Err(format!("rings after the end: {message:?}"));
                }
                if let (0, ServerMessage::Ended { reason, .. }) = (party.0, &message)
                    && reason.is_multidev()
                {
                    return Err(format!("the caller is told {reason}"));
                }
                let number = self
                    .clients
                    .iter()
                    .position(|client| client.party == Some(party))
                    .unwrap();
                self.clients[number].down.push_back(message);
            }
            server::Output::Notify => {
                if self.pushed {
                    return Err("notified twice".into());
                }
                self.notifying = true;
                self.pushed = true;
            }
            server::Output::Accepted { party } => {
                if self.accepted.replace(party).is_some() {
                    return Err("accepted twice".into());
                }
            }
            server::Output::PushCancel => self.cancels += 1,
            server::Output::Record(record) => {
                self.records += 1;
                self.notifying = false;
                self.record = DisconnectReason::from_code(record.disconnect_reason);
            }
            other => return Err(format!("unexpected {other:?}")),
        }
        match (self.records, self.cancels) {
            (0 | 1, 0 | 1) => Ok(()),
            (records, cancels) => Err(format!("{records} records, {cancels} cancels")),
        }
    }

    fn on_client_output(&mut self, number: usize, output: client::Output) -> Result<(), String> {
        let ended = self.clients[number].end.is_some();
        match output {
            client::Output::Send(message) => self.clients[number].up.push_back(message),
            client::Output::Event(event) => {
                if ended {
                    return Err(format!("client {number} is told {event:?} after its end"));
                }
                self.on_event(number, &event)?;
            }
            client::Output::SendBye { reason, .. } => self.leave(number, None, Some(reason)),
            client::Output::CloseMedia => self.leave(number, None, None),
            client::Output::ClosePath { party } => self.leave(number, Some(party), None),
            client::Output::StartAudio { .. } if ended => return Err(format!("client {number} speaks after its end")),
            _ => {}
        }
        Ok(())
    }

    fn on_event(&mut self, number: usize, event: &Event) -> Result<(), String> {
        let client = &mut self.clients[number];
        let (bit, needs, role) = match event {
            Event::WaitConnected => (WAIT, 0, Some(Role::Caller)),
            Event::Verified { .. } => (VERIFIED, 0, Some(Role::Callee)),
            Event::Connected { .. } if number == 0 => (CONNECTED, WAIT, None),
            Event::Connected { .. } => (CONNECTED, VERIFIED, None),
            Event::Disconnected {
                reason,
                source,
                by_remote,
                ..
            } => {
                if *by_remote == (*source == client.call.role().source()) {
                    return Err(format!("client {number}: {source} and by_remote {by_remote}"));
                }
                client.end = Some(*reason);
                return Ok(());
            }
            Event::PeerHeld { .. } | Event::PeerUnheld => {
                let held = matches!(event, Event::PeerHeld { .. });
                if client.peer_holds == held || client.seen & CONNECTED == 0 {
                    return Err(format!("client {number} is told {event:?} at the wrong time"));
                }
                client.peer_holds = held;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let wrong =
            client.seen & bit != 0 || client.seen & needs != needs || role.is_some_and(|it| it != client.call.role());
        client.seen |= bit;
        if wrong {
            Err(format!("client {number} is told {event:?} at the wrong time"))
        } else {
            Ok(())
        }
    }

    /// A client leaves its media paths, all or the one with `party`, with a goodbye or without.
    fn leave(&mut self, number: usize, party: Option<PartyId>, bye: Option<DisconnectReason>) {
        let parties: Vec<Option<PartyId>> = self.clients[1..].iter().map(|client| client.party).collect();
        for (index, path) in self.paths.iter_mut().enumerate() {
            let concerned = if number == 0 {
                party.is_none() || parties[index] == party
            } else {
                index + 1 == number
            };
            if !concerned {
                continue;
            }
            let (state, queue) = match number {
                0 => (&mut path.at_caller, &mut path.to_device),
                _ => (&mut path.at_device, &mut path.to_caller),
            };
            if *state == PathState::Up {
                queue.push_back(bye.map_or(Media::Closed, Media::Bye));
            }
            *state = PathState::Gone;
        }
    }

    /// Drops what would be ignored anyway, so that states that differ in nothing else are one.
    fn forget(&mut self) {
        let ended = self.server.as_ref().is_some_and(ServerCall::is_ended);
        for number in 0..self.clients.len() {
            let over = self.clients[number].end.is_some();
            let client = &mut self.clients[number];
            if over {
                client.down.clear();
            }
            if ended {
                client
                    .up
                    .retain(|message| matches!(message, ClientMessage::VerifyCall { .. }) && !over);
            }
            // It was never let in, so nothing of it gets anywhere.
            if over && client.session == Session::Never {
                client.up.clear();
            }
        }
        let caller_over = self.clients[0].end.is_some();
        for (client, path) in self.clients[1..].iter().zip(&mut self.paths) {
            if caller_over {
                path.to_caller.clear();
            }
            if client.end.is_some() {
                path.to_device.clear();
            }
            if caller_over && client.end.is_some() {
                path.at_caller = PathState::Gone;
                path.at_device = PathState::Gone;
            }
        }
    }
}

fn welcome(resumed: bool) -> Welcome {
    Welcome {
        session: String::new(),
        resume: String::new(),
        heartbeat_ms: 0,
        resumed,
        ice_servers: Vec::new(),
        policy: duologue_signaling::message::Policy::default(),
    }
}
