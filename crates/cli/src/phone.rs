//! `duologue call` and `duologue answer`.

mod app_server;
mod control;
mod keys;
mod talk;
mod terminal;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use duologue_call::{AudioParams, CcParam, Client, Config, HoldTone, MakeCallParams, VerifyCallParams};
use serde_json::json;
use tokio::time::sleep;

use crate::args::{AnswerArgs, CallArgs, PhoneArgs};
use crate::events::EventLog;
use crate::outcome::Outcome;
use crate::{demo, sound};
use app_server::{AppServer, Push};
use control::Controls;
use talk::{Answer, Decides, Talk};
use terminal::{Interrupts, Line};

/// How long a client may go on telling the server what it missed, after the call is over.
const FAREWELL: Duration = Duration::from_secs(20);

/// `duologue call PEER`.
pub(crate) async fn call(arguments: &CallArgs) -> anyhow::Result<Outcome> {
    let phone = &arguments.phone;
    let mut log = EventLog::create(phone.events.as_deref())?;
    let mut interrupts = Interrupts::new()?;
    let controls = Controls::new(phone.control);
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
    let mut talk = Talk::new(log, line, phone.seconds, controls);
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
    let mut controls = Controls::new(phone.control);
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
            let mut app_server = AppServer::listen(address, &phone.user, &app_server::roots(phone)?).await?;
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
                () = controls.end_before_call() => {
                    line.finish("stopped waiting");
                    return Ok(Outcome::Ended);
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
        decides: match (arguments.auto, phone.control) {
            (true, _) => Decides::Nobody,
            (false, true) => Decides::Script,
            (false, false) => Decides::Person,
        },
        message: arguments.message.clone(),
        caller,
    };
    let mut talk = Talk::new(log, line, phone.seconds, controls);
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
    keys::restore();
    tokio::select! {
        _ = tokio::time::timeout(FAREWELL, client.close()) => {}
        () = interrupts.next() => {}
    }
}

async fn token(phone: &PhoneArgs) -> anyhow::Result<String> {
    match (&phone.token, &phone.app_server) {
        (Some(token), _) => Ok(token.clone()),
        (None, Some(address)) => app_server::issue_token(address, &phone.user, &app_server::roots(phone)?).await,
        (None, None) => bail!(
            "a call needs an access token. Give --app-server URL (the development server has one at /app), or --token T from \
             `duologue token`"
        ),
    }
}

fn client(phone: &PhoneArgs) -> anyhow::Result<Client> {
    // Whoever types ws:// has asked for an open line; wss:// is never downgraded.
    let relay_protocols: Vec<_> = phone
        .relay_protocols
        .iter()
        .map(|protocol| (*protocol).into())
        .collect();
    let mut config = Config::new(&phone.server)
        .loopback(phone.loopback)
        .ice_policy(phone.ice_policy.into())
        .relay_protocols(&relay_protocols)
        .mdns_hiding(phone.mdns_hiding)
        .network_patience(Duration::from_secs(phone.network_patience))
        .allow_insecure(phone.server.starts_with("ws://"));
    for root in app_server::roots(phone)? {
        config = config.extra_root_certificate(root.to_vec());
    }
    if let Some(control) = phone.relay {
        config = config.candidate_map(Arc::new(move |candidate| demo::rewrite(control, candidate)));
    }
    Ok(Client::new(config))
}

fn audio(phone: &PhoneArgs) -> anyhow::Result<AudioParams> {
    Ok(AudioParams {
        input: sound::input(&phone.input)?,
        output: sound::output(&phone.output)?,
        hold_tone: phone.hold_tone.clone().map_or(HoldTone::Standard, HoldTone::File),
    })
}
