//! One call from its start to its end, as the terminal, the instructions and the event log see it.

use std::time::{Duration, Instant};

use anyhow::bail;
use duologue_call::{AcceptParams, Call, CallError, CallEvent, CallEventKind, Events};
use serde_json::{Value, json};

use super::control::{Controls, Instruction};
use super::terminal::{self, Interrupts, Line};
use crate::events::EventLog;
use crate::outcome::Outcome;

/// What to do when the call has been verified.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) decides: Decides,
    pub(super) message: Option<String>,
    pub(super) caller: String,
}

/// Who says whether a call is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decides {
    /// It is.
    Nobody,
    /// Whoever sits at the terminal is asked.
    Person,
    /// Whoever writes the instructions.
    Script,
}

/// One call from its start to its end, as the terminal and the event log see it.
#[derive(Debug)]
pub(super) struct Talk {
    log: EventLog,
    line: Line,
    controls: Controls,
    seconds: Option<f64>,
    connected: Option<Instant>,
    /// The newest statistics, for the summary.
    last: Option<Value>,
}

impl Talk {
    pub(super) fn new(log: EventLog, line: Line, seconds: Option<f64>, controls: Controls) -> Self {
        Self {
            log,
            line,
            controls,
            seconds,
            connected: None,
            last: None,
        }
    }

    /// Carries the call through to its end.
    pub(super) async fn follow(
        &mut self,
        call: &Call,
        mut events: Events,
        interrupts: &mut Interrupts,
        mut answer: Option<Answer>,
    ) -> anyhow::Result<Outcome> {
        let mut hang_up: Option<Instant> = None;
        let mut decision: Option<tokio::task::JoinHandle<bool>> = None;
        loop {
            let hang_up_now = async {
                match hang_up {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let decided = async {
                match &mut decision {
                    Some(task) => task.await.unwrap_or(false),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.next() => {
                    let Some(event) = event else { bail!("the call ended without saying why") };
                    if let CallEventKind::Verified(_) = &event.kind {
                        self.event(&event);
                        match answer.as_ref().map(|answer| answer.decides) {
                            Some(Decides::Person) => {
                                let caller = answer.as_ref().map_or("", |answer| &answer.caller);
                                decision = Some(terminal::ask(format!("{caller} is calling. Accept? [Y/n] ")));
                            }
                            Some(Decides::Script) => {}
                            Some(Decides::Nobody) | None => {
                                let message = answer.take().and_then(|answer| answer.message);
                                self.accept(call, message);
                            }
                        }
                        continue;
                    }
                    if let Some(outcome) = self.event(&event) {
                        return Ok(outcome);
                    }
                    if matches!(event.kind, CallEventKind::Connected(_)) {
                        hang_up = self.seconds.map(|seconds| event.at + Duration::from_secs_f64(seconds));
                        // Not before: until then the question has the keyboard.
                        self.controls.watch_keys();
                    }
                }
                accepted = decided => {
                    decision = None;
                    if accepted {
                        let message = answer.take().and_then(|answer| answer.message);
                        self.accept(call, message);
                    } else {
                        self.end(call, None);
                    }
                }
                instruction = self.controls.next() => {
                    let message = answer.as_ref().and_then(|answer| answer.message.clone());
                    self.obey(call, instruction, message);
                }
                () = hang_up_now => {
                    hang_up = None;
                    self.end(call, None);
                }
                () = interrupts.next() => {
                    hang_up = None;
                    self.end(call, None);
                }
            }
        }
    }

    /// Carries out an instruction, and logs whether it could be.
    fn obey(&mut self, call: &Call, instruction: Result<Instruction, String>, message: Option<String>) {
        let instruction = match instruction {
            Ok(instruction) => instruction,
            Err(error) => {
                self.log.log("control_refused", json!({"error": error}));
                self.line.say(&error);
                return;
            }
        };
        let result = match instruction {
            Instruction::Accept(own) => {
                self.accept(call, own.or(message));
                return;
            }
            Instruction::Decline => {
                self.end(call, None);
                return;
            }
            Instruction::End(phrase) => {
                self.end(call, phrase.as_deref());
                return;
            }
            Instruction::Mute(mute) => self.mute(call, mute),
            Instruction::SwitchMute => self.mute(call, !call.is_my_audio_muted()),
            Instruction::Hold(reason) => self.hold(call, reason.as_deref()),
            Instruction::Unhold => self.unhold(call),
            Instruction::SwitchHold if call.hold_status().held => self.unhold(call),
            Instruction::SwitchHold => self.hold(call, None),
        };
        if let Err(error) = result {
            self.log.log("control_refused", json!({"error": error.to_string()}));
        }
    }

    fn mute(&mut self, call: &Call, mute: bool) -> Result<(), CallError> {
        call.mute_my_audio(mute)?;
        self.log.log("mute_my_audio", json!({"mute": mute}));
        self.line.say(if mute {
            "microphone off; m switches it on"
        } else {
            "microphone on"
        });
        Ok(())
    }

    fn hold(&mut self, call: &Call, reason: Option<&str>) -> Result<(), CallError> {
        call.hold(reason)?;
        self.log.log("hold", json!({"reason": call.hold_status().reason}));
        self.line.say("on hold; h goes on");
        Ok(())
    }

    fn unhold(&mut self, call: &Call) -> Result<(), CallError> {
        call.unhold()?;
        self.log.log("unhold", json!({}));
        self.line.say("no longer on hold");
        Ok(())
    }

    fn accept(&mut self, call: &Call, message: Option<String>) {
        self.log.log("accept_call", json!({}));
        let params = AcceptParams {
            call_start_message: message,
        };
        if let Err(error) = call.accept_call(params) {
            self.log.log("control_refused", json!({"error": error.to_string()}));
            tracing::warn!(%error, "the call cannot be accepted");
        }
    }

    fn end(&mut self, call: &Call, phrase: Option<&str>) {
        self.log.log("end_call", json!({}));
        if let Err(error) = call.end_call(phrase) {
            self.log.log("control_refused", json!({"error": error.to_string()}));
            tracing::debug!(%error, "the call cannot be ended so");
        }
    }

    /// Logs and shows an event; the outcome when it was the last.
    fn event(&mut self, event: &CallEvent) -> Option<Outcome> {
        let name = event.kind.name();
        match &event.kind {
            CallEventKind::WaitConnected => {
                self.log.log_at(event.at, name, json!({}));
                self.line.say("ringing");
            }
            CallEventKind::Verified(param) => {
                let data = json!({
                    "sid": param.sid,
                    "caller_id": param.caller_id,
                    "call_start_message": param.call_start_message,
                    "pre_connected": param.pre_connected,
                });
                self.log.log_at(event.at, name, data);
                if let Some(message) = &param.call_start_message {
                    self.line.say(&format!("{}: {message}", param.caller_id));
                }
            }
            CallEventKind::Connected(param) => {
                self.connected = Some(event.at);
                let setup: serde_json::Map<String, Value> = param
                    .setup
                    .milliseconds()
                    .into_iter()
                    .map(|(phase, at)| (phase.into(), at.into()))
                    .collect();
                self.log.log_at(
                    event.at,
                    name,
                    json!({"call_start_message": param.call_start_message, "setup_ms": setup}),
                );
                self.line.say("connected; Ctrl-C hangs up");
            }
            CallEventKind::PeerHold(param) => {
                self.log.log_at(event.at, name, json!({"reason": param.reason}));
                let reason = param
                    .reason
                    .as_deref()
                    .map_or(String::new(), |reason| format!(": {reason}"));
                self.line.say(&format!("the peer holds the call{reason}"));
            }
            CallEventKind::PeerUnhold => {
                self.log.log_at(event.at, name, json!({}));
                self.line.say("the peer goes on");
            }
            CallEventKind::NetworkUnavailable(param) => {
                let data = json!({"is_peer": param.is_peer, "will_disconnect_sec": param.will_disconnect_sec});
                self.log.log_at(event.at, name, data);
                self.line.say("the network is gone; waiting for it");
            }
            CallEventKind::NetworkReavailable(param) => {
                self.log.log_at(event.at, name, json!({"is_peer": param.is_peer}));
                self.line.say("the network is back");
            }
            CallEventKind::VerificationCode(code) => {
                let data = json!({
                    "emoji": code.emoji(),
                    "english": code.english(),
                    "japanese": code.japanese(),
                });
                self.log.log_at(event.at, name, data);
                self.line.say(&format!(
                    "verification code: {code}  {}; the peer sees the same one if nobody sits in between",
                    code.english()
                ));
            }
            CallEventKind::Statistics(statistics) => {
                let data = serde_json::to_value(statistics).unwrap_or_default();
                self.line.statistics(&data);
                self.last = Some(data.clone());
                self.log.log_at(event.at, name, data);
            }
            CallEventKind::Disconnected(param) => {
                let source = source_name(param.source);
                let data = json!({
                    "source": source,
                    "reason": {"code": param.reason.code, "str_code": param.reason.str_code},
                    "by_remote": param.by_remote,
                    "user_code": param.user_code,
                });
                self.log.log_at(event.at, name, data);
                let talked = self
                    .connected
                    .map(|since| event.at.saturating_duration_since(since).as_secs_f64());
                self.log.log(
                    "summary",
                    json!({"talked_seconds": talked, "reason": param.reason.str_code, "stats": self.last}),
                );
                let talked = talked.map_or(String::new(), |seconds| format!(" after {seconds:.0} s"));
                self.line.finish(&format!(
                    "ended{talked}: {} ({}), by the {source}",
                    param.reason.str_code, param.reason.code
                ));
                return Some(Outcome::from_reason(param.reason.code, self.connected.is_some()));
            }
            _ => self.log.log_at(event.at, name, json!({})),
        }
        None
    }
}

fn source_name(source: duologue_call::DisconnectSource) -> &'static str {
    use duologue_call::DisconnectSource as Source;
    match source {
        Source::Callee => "callee",
        Source::Caller => "caller",
        Source::Participant => "participant",
        Source::CloudServer => "cloud_server",
        Source::AppServer => "app_server",
        _ => "undefined",
    }
}
