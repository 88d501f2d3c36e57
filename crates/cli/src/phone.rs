//! `duologue call` and `duologue answer`.

mod app_server;
mod terminal;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use duologue_call::{
    AcceptParams, AudioParams, Call, CallEvent, CallEventKind, CcParam, Client, Config, Events, MakeCallParams,
    VerifyCallParams,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::args::{AnswerArgs, CallArgs, PhoneArgs};
use crate::events::EventLog;
use crate::outcome::Outcome;
use crate::{demo, sound};
use app_server::{AppServer, Push};
use terminal::{Interrupts, Line};

/// How long a client may go on telling the server what it missed, after the call is over.
const FAREWELL: Duration = Duration::from_secs(20);

/// `duologue call PEER`.
pub(crate) async fn call(arguments: &CallArgs) -> anyhow::Result<Outcome> {
    let phone = &arguments.phone;
    let mut log = EventLog::create(phone.events.as_deref())?;
    let mut interrupts = Interrupts::new()?;
    let access_token = token(phone).await?;
    let client = client(phone)?;
    let params = MakeCallParams {
        my_id: phone.user.clone(),
        my_service_id: phone.service.clone(),
        peer_id: arguments.peer.clone(),
        peer_service_id: arguments.peer_service.clone().unwrap_or_else(|| phone.service.clone()),
        access_token,
        app_server_data: arguments.app_server_data.clone(),
        call_start_message: arguments.message.clone(),
        audio: audio(phone)?,
        ..MakeCallParams::default()
    };
    log.log("make_call", json!({"peer": arguments.peer}));
    let call = client
        .make_call(params)
        .await
        .inspect_err(|error| {
            log.log(
                "make_call_failed",
                json!({"reason": error.reason.name(), "message": error.message}),
            );
        })
        .map_err(|error| explained(error.message.clone(), error.into()))?;
    let line = Line::new(phone.quiet, format!("calling {}", arguments.peer));
    let mut talk = Talk {
        log,
        line,
        seconds: phone.seconds,
        connected: None,
        first_audio: false,
        last: None,
    };
    let events = call.events();
    let outcome = talk.follow(&call, events, &mut interrupts, None).await;
    farewell(client, &mut interrupts).await;
    outcome
}

/// `duologue answer`.
pub(crate) async fn answer(arguments: &AnswerArgs) -> anyhow::Result<Outcome> {
    let phone = &arguments.phone;
    let mut log = EventLog::create(phone.events.as_deref())?;
    let mut interrupts = Interrupts::new()?;
    let line = Line::new(phone.quiet, format!("{} waits for a call", phone.user));
    let push = match &arguments.cc_param {
        Some(cc_param) => Push {
            user: phone.user.clone(),
            service: phone.service.clone(),
            cc_param: cc_param.clone(),
        },
        None => {
            let address = phone.app_server.as_deref().context(
                "who should push incoming calls? Give --app-server URL, or the cc_param that your app server pushed with --cc-param",
            )?;
            let mut app_server = AppServer::listen(address, &phone.user).await?;
            log.log("waiting", json!({"user": phone.user}));
            let patience = sleep(
                arguments
                    .wait
                    .map_or(Duration::from_secs(86_400 * 365), Duration::from_secs_f64),
            );
            tokio::select! {
                push = app_server.next_call() => push?,
                () = patience => {
                    line.finish("nobody called");
                    return Ok(Outcome::NoAnswer);
                }
                () = interrupts.next() => {
                    line.finish("stopped waiting");
                    return Ok(Outcome::Ended);
                }
            }
        }
    };
    log.log("push_received", json!({}));
    let caller = CcParam::peek(&push.cc_param)
        .map(|info| info.caller_id.to_string())
        .unwrap_or_else(|_| "somebody".into());
    line.say(&format!("{caller} is calling"));
    let client = client(phone)?;
    let params = VerifyCallParams {
        my_id: push.user,
        my_service_id: push.service,
        cc_param: push.cc_param,
        access_token: phone.token.clone(),
        audio: audio(phone)?,
        ..VerifyCallParams::default()
    };
    log.log("verify_call", json!({"caller": caller}));
    let call = client
        .verify_call(params)
        .await
        .inspect_err(|error| {
            log.log(
                "verify_call_failed",
                json!({"reason": error.reason.name(), "message": error.message}),
            );
        })
        .map_err(|error| explained(error.message.clone(), error.into()))?;
    let answer = Answer {
        auto: arguments.auto,
        message: arguments.message.clone(),
        caller,
    };
    let mut talk = Talk {
        log,
        line,
        seconds: phone.seconds,
        connected: None,
        first_audio: false,
        last: None,
    };
    let events = call.events();
    let outcome = talk.follow(&call, events, &mut interrupts, Some(answer)).await;
    farewell(client, &mut interrupts).await;
    outcome
}

/// The error, with the way out where the terminal has one.
fn explained(message: String, error: anyhow::Error) -> anyhow::Error {
    if message.contains("cannot be used") {
        error.context("without a microphone or speaker give --input tone|silence|FILE.wav and --output null|FILE.wav")
    } else {
        error
    }
}

/// Lets the client tell the server what it missed; a further Ctrl-C skips that.
async fn farewell(client: Client, interrupts: &mut Interrupts) {
    tokio::select! {
        _ = tokio::time::timeout(FAREWELL, client.close()) => {}
        () = interrupts.next() => {}
    }
}

async fn token(phone: &PhoneArgs) -> anyhow::Result<String> {
    match (&phone.token, &phone.app_server) {
        (Some(token), _) => Ok(token.clone()),
        (None, Some(address)) => app_server::issue_token(address, &phone.user).await,
        (None, None) => bail!(
            "a call needs an access token. Give --app-server URL (the development server has one at /app), or --token T from \
             `duologue token`"
        ),
    }
}

fn client(phone: &PhoneArgs) -> anyhow::Result<Client> {
    // Whoever types ws:// has asked for an open line; wss:// is never downgraded.
    let mut config = Config::new(&phone.server)
        .loopback(phone.loopback)
        .allow_insecure(phone.server.starts_with("ws://"));
    if let Some(control) = phone.relay {
        config = config.candidate_map(Arc::new(move |candidate| demo::rewrite(control, candidate)));
    }
    Ok(Client::new(config))
}

fn audio(phone: &PhoneArgs) -> anyhow::Result<AudioParams> {
    Ok(AudioParams {
        input: sound::input(&phone.input)?,
        output: sound::output(&phone.output)?,
    })
}

/// What to do when the call has been verified.
#[derive(Debug)]
struct Answer {
    auto: bool,
    message: Option<String>,
    caller: String,
}

/// One call from its start to its end, as the terminal and the event log see it.
#[derive(Debug)]
struct Talk {
    log: EventLog,
    line: Line,
    seconds: Option<f64>,
    connected: Option<Instant>,
    first_audio: bool,
    /// The newest statistics, for the summary.
    last: Option<Value>,
}

impl Talk {
    async fn follow(
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
                    self.first_packet(call.setup_phases().first_packet);
                    if let CallEventKind::Verified(_) = &event.kind {
                        self.event(&event);
                        match &answer {
                            Some(answer) if !answer.auto => {
                                decision = Some(terminal::ask(format!("{} is calling. Accept? [Y/n] ", answer.caller)));
                            }
                            _ => self.accept(call, answer.take()),
                        }
                        continue;
                    }
                    if let Some(outcome) = self.event(&event) {
                        return Ok(outcome);
                    }
                    if let (CallEventKind::Connected(_), Some(seconds)) = (&event.kind, self.seconds) {
                        hang_up = Some(event.at + Duration::from_secs_f64(seconds));
                    }
                }
                accepted = decided => {
                    decision = None;
                    if accepted { self.accept(call, answer.take()) } else { self.end(call) }
                }
                () = hang_up_now => {
                    hang_up = None;
                    self.end(call);
                }
                () = interrupts.next() => {
                    hang_up = None;
                    self.end(call);
                }
            }
        }
    }

    fn accept(&mut self, call: &Call, answer: Option<Answer>) {
        self.log.log("accept_call", json!({}));
        let params = AcceptParams {
            call_start_message: answer.and_then(|answer| answer.message),
        };
        if let Err(error) = call.accept_call(params) {
            tracing::warn!(%error, "the call cannot be accepted");
        }
    }

    fn end(&mut self, call: &Call) {
        self.log.log("end_call", json!({}));
        if let Err(error) = call.end_call(None) {
            tracing::debug!(%error, "the call had ended already");
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
                    "code": param.reason.code,
                    "str_code": param.reason.str_code,
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

    fn first_packet(&mut self, at: Option<Instant>) {
        if let Some(at) = at
            && !std::mem::replace(&mut self.first_audio, true)
        {
            self.log.log_at(at, "first_audio", json!({}));
        }
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
