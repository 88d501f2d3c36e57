//! Feeds a machine and notes everything it does, in the form of `web/src/signaling/types.ts`.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use duologue_signaling::client::{
    CallState, ClientCall, CommandError, Event, Output, PathEvent, PathFailure, Role, Timers,
};
use duologue_signaling::ids::{CallId, PartyId};
use duologue_signaling::message::{MakeCall, Message as _, Welcome};
use duologue_signaling::{DisconnectReason, Fingerprint, MediaType, ServerMessage, SessionDescription};
use serde_json::{Value, json};

/// Times of vectors are ms from here.
#[expect(clippy::disallowed_methods, reason = "one base instant; its value does not matter")]
static BASE: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What goes into a machine.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Make,
    Verify,
    Accept(Option<&'static str>),
    End(Option<DisconnectReason>, Option<&'static str>),
    Mute(bool),
    Hold(bool, Option<String>),
    Describe(Option<u32>),
    AddCandidates(Option<u32>, u32, usize, bool),
    Reveal,
    Message(ServerMessage),
    SignalUp(Box<Welcome>),
    SignalDown(Option<DisconnectReason>),
    Path(u32, PathEvent),
    Timeout,
}

/// A machine and what it did.
pub(crate) struct Recorder {
    pub(crate) call: ClientCall,
    name: String,
    timers: Option<Value>,
    now: u64,
    steps: Vec<Value>,
}

impl Recorder {
    pub(crate) fn new(name: &str, role: Role, timers: Option<Timers>) -> Self {
        Self {
            call: ClientCall::new(role, timers.unwrap_or_default()),
            name: name.into(),
            timers: timers.map(|timers| {
                json!({
                    "setup": ms(timers.setup), "verified": ms(timers.verified), "connect": ms(timers.connect),
                    "signalLost": ms(timers.signal_lost), "closed": ms(timers.closed), "preConnect": timers.pre_connect,
                })
            }),
            now: 0,
            steps: Vec::new(),
        }
    }

    /// Ms since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The next deadline.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.call.poll_timeout().map(|at| ms(at - *BASE))
    }

    /// Lets one thing happen `after` ms; gives back what came of it.
    pub(crate) fn step(&mut self, after: u64, input: Input) -> Vec<Output> {
        self.now += after;
        let now = *BASE + Duration::from_millis(self.now);
        let call = &mut self.call;
        let told = input_value(&input);
        let result = match input {
            Input::Make => call.make_call(make(), now),
            Input::Verify => call.verify_call(CC_PARAM.into(), now),
            Input::Accept(text) => call.accept(text.map(Into::into), now),
            Input::End(reason, code) => call.end(reason, code.map(Into::into), now),
            Input::Mute(muted) => call.mute(muted),
            Input::Hold(held, reason) => call.hold(held, reason),
            Input::Describe(party) => {
                call.describe(party.map(PartyId), description(7));
                Ok(())
            }
            Input::AddCandidates(party, generation, count, end) => {
                call.add_candidates(party.map(PartyId), generation, candidates(count), end);
                Ok(())
            }
            Input::Reveal => {
                call.reveal(NONCE.into());
                Ok(())
            }
            Input::Message(message) => {
                assert!(message.validate().is_ok());
                call.handle_message(message, now);
                Ok(())
            }
            Input::SignalUp(welcome) => {
                call.handle_signal_up(&welcome);
                Ok(())
            }
            Input::SignalDown(reason) => {
                call.handle_signal_down(reason, now);
                Ok(())
            }
            Input::Path(party, event) => {
                call.handle_path(PartyId(party), event, now);
                Ok(())
            }
            Input::Timeout => {
                call.handle_timeout(now);
                Ok(())
            }
        };
        let outputs: Vec<Output> = std::iter::from_fn(|| self.call.poll_output()).collect();
        let said: Value = match result {
            Ok(()) => outputs.iter().map(output).collect(),
            Err(error) => {
                assert!(outputs.is_empty(), "a refused command does nothing");
                refusal(error)
            }
        };
        let accepted = self.call.accepted().map(|party| party.0);
        self.steps.push(json!([
            self.now,
            told,
            said,
            state(self.call.state()),
            self.deadline(),
            accepted
        ]));
        outputs
    }

    pub(crate) fn finish(self) -> Value {
        let mut walk = json!({ "name": self.name, "role": role(self.call.role()), "steps": self.steps });
        if let Some(timers) = self.timers {
            walk["timers"] = timers;
        }
        walk
    }
}

pub(crate) const CC_PARAM: &str = "cc";
const NONCE: &str = "00ff";

pub(crate) fn sid() -> CallId {
    CallId::from_random([7; 16])
}

fn make() -> MakeCall {
    MakeCall {
        peer_id: "bob".parse().unwrap(),
        peer_service_id: "s".parse().unwrap(),
        media_type: MediaType::Audio,
        app_server_data: None,
        call_start_message: Some("hi".into()),
        description: None,
    }
}

/// The smallest description that passes.
pub(crate) fn description(ssrc: u32) -> SessionDescription {
    SessionDescription {
        v: 1,
        ufrag: "frag".into(),
        pwd: "p".repeat(22),
        fingerprints: vec![Fingerprint {
            algorithm: "sha-256".into(),
            value: "00".into(),
        }],
        ssrc,
        ..SessionDescription::default()
    }
}

pub(crate) fn candidates(count: usize) -> Vec<String> {
    (0..count)
        .map(|at| format!("{at} 1 udp 1 192.0.2.1 9 typ host"))
        .collect()
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap()
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Caller => "caller",
        Role::Callee => "callee",
    }
}

fn state(state: CallState) -> &'static str {
    match state {
        CallState::Idle => "idle",
        CallState::Trying => "trying",
        CallState::WaitAnswer => "wait_answer",
        CallState::Verified => "verified",
        CallState::Connected => "connected",
        CallState::Disconnected => "disconnected",
    }
}

fn refusal(error: CommandError) -> Value {
    match error {
        CommandError::State { state: it } => json!({ "state": state(it) }),
        CommandError::Role { role: it } => json!({ "role": role(it) }),
        other => panic!("{other:?} has no form"),
    }
}

fn input_value(input: &Input) -> Value {
    match input {
        Input::Make => json!(["make_call", make()]),
        Input::Verify => json!(["verify_call", CC_PARAM]),
        Input::Accept(text) => json!(["accept", text]),
        Input::End(reason, code) => json!(["end", reason, code]),
        Input::Mute(muted) => json!(["mute", muted]),
        Input::Hold(held, reason) => json!(["hold", held, reason]),
        Input::Describe(party) => json!(["describe", party, description(7)]),
        Input::AddCandidates(party, generation, count, end) => {
            json!(["add_candidates", party, generation, candidates(*count), end])
        }
        Input::Reveal => json!(["reveal", NONCE]),
        Input::Message(message) => json!(["message", message]),
        Input::SignalUp(welcome) => json!(["signal_up", ServerMessage::Welcome(welcome.clone())]),
        Input::SignalDown(reason) => json!(["signal_down", reason]),
        Input::Path(party, event) => json!(["path", party, path(event)]),
        Input::Timeout => json!(["timeout"]),
    }
}

fn path(event: &PathEvent) -> Value {
    match event {
        PathEvent::Up => json!({ "type": "up" }),
        PathEvent::Failed(PathFailure::Unreachable) => json!({ "type": "failed", "failure": "unreachable" }),
        PathEvent::Failed(PathFailure::Authentication) => json!({ "type": "failed", "failure": "authentication" }),
        PathEvent::FirstAudio => json!({ "type": "first_audio" }),
        PathEvent::Bye { reason, user_code } => json!({ "type": "bye", "reason": reason, "user_code": user_code }),
        PathEvent::Closed => json!({ "type": "closed" }),
        other => panic!("{other:?} has no form"),
    }
}

fn output(output: &Output) -> Value {
    match output {
        Output::Send(message) => json!({ "type": "send", "message": message }),
        Output::Event(it) => json!({ "type": "event", "event": event(it) }),
        Output::Created { sid } => json!({ "type": "created", "sid": sid }),
        Output::Confirmed(verified) => json!({ "type": "confirmed", "verified": verified }),
        Output::Describe { party } => json!({ "type": "describe", "party": party }),
        Output::RemoteDescription { party, description } => {
            json!({ "type": "remote_description", "party": party, "description": description })
        }
        Output::RemoteCandidates {
            party,
            generation,
            candidates,
            end,
        } => json!({
            "type": "remote_candidates", "party": party, "generation": generation, "candidates": candidates, "end": end,
        }),
        Output::StartAudio { party } => json!({ "type": "start_audio", "party": party }),
        Output::ClosePath { party } => json!({ "type": "close_path", "party": party }),
        Output::Reveal { nonce } => json!({ "type": "reveal", "nonce": nonce }),
        Output::SendBye { reason, user_code } => {
            json!({ "type": "send_bye", "reason": reason, "user_code": user_code })
        }
        Output::CloseMedia => json!({ "type": "close_media" }),
        other => panic!("{other:?} has no form"),
    }
}

fn event(event: &Event) -> Value {
    match event {
        Event::WaitConnected => json!({ "type": "wait_connected" }),
        Event::Verified { pre_connected } => json!({ "type": "verified", "pre_connected": pre_connected }),
        Event::Connected { call_start_message } => {
            json!({ "type": "connected", "call_start_message": call_start_message })
        }
        Event::PeerMuted(muted) => json!({ "type": "peer_muted", "muted": muted }),
        Event::PeerHeld { reason } => json!({ "type": "peer_held", "reason": reason }),
        Event::PeerUnheld => json!({ "type": "peer_unheld" }),
        Event::Disconnected {
            reason,
            source,
            by_remote,
            user_code,
        } => json!({
            "type": "disconnected", "reason": reason, "source": source.name(), "by_remote": by_remote,
            "user_code": user_code,
        }),
        other => panic!("{other:?} has no form"),
    }
}
