//! Every row of the README's table of the client's transitions, in each of its forms.

use std::collections::BTreeSet;
use std::time::Duration;

use duologue_signaling::client::{CallState, Event, Output, PathEvent, PathFailure, Role, Timers};
use duologue_signaling::ids::PartyId;
use duologue_signaling::message::{Caller, Policy, Verified, Welcome};
use duologue_signaling::{DisconnectReason as Reason, DisconnectSource, MediaType, ServerMessage};
use serde_json::Value;

use crate::record::{Input, Recorder, sid};

const README: &str = include_str!("../../README.md");
/// Of no row: states that are told beside the transitions, and what deserves a place of its own.
const HOLD: &str = "hold";
const BESIDE: &str = "beside";

/// A row of the table: state and input name it.
struct Row {
    name: String,
    to: String,
    told: String,
}

fn readme() -> Vec<Row> {
    let table = README
        .split("## Transitions")
        .nth(1)
        .unwrap()
        .split("Server, for each call.")
        .next()
        .unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        Row {
            name: format!("{} | {}", cells[0], cells[1]),
            to: cells[2].trim_matches('`').into(),
            told: cells[3].trim_matches('`').into(),
        }
    })
    .collect()
}

struct Scenario {
    row: &'static str,
    form: &'static str,
    recorder: Recorder,
    /// What came of the last step.
    last: Vec<Output>,
}

fn begin(row: &'static str, form: &'static str, role: Role) -> Scenario {
    with_timers(row, form, role, None)
}

fn with_timers(row: &'static str, form: &'static str, role: Role, timers: Option<Timers>) -> Scenario {
    Scenario {
        row,
        form,
        recorder: Recorder::new(&format!("{row}: {form}"), role, timers),
        last: Vec::new(),
    }
}

impl Scenario {
    fn then(self, input: Input) -> Self {
        self.after(1, input)
    }

    fn after(mut self, ms: u64, input: Input) -> Self {
        self.last = self.recorder.step(ms, input);
        self
    }

    fn says(self, message: ServerMessage) -> Self {
        self.then(Input::Message(message))
    }

    fn path(self, event: PathEvent) -> Self {
        self.then(Input::Path(1, event))
    }

    /// One short of the deadline nothing happens; then it passes.
    fn expires(mut self, expected: u64) -> Self {
        let left = self.recorder.deadline().unwrap() - self.recorder.now();
        assert_eq!(left, expected, "{}", self.row);
        assert_eq!(self.recorder.step(left - 1, Input::Timeout), []);
        self.after(1, Input::Timeout)
    }

    fn up(self) -> Self {
        self.then(Input::SignalUp(Box::new(Welcome {
            session: "s".into(),
            resume: "r".into(),
            heartbeat_ms: 5_000,
            resumed: false,
            ice_servers: Vec::new(),
            policy: Policy::default(),
        })))
    }

    /// A caller whose callee is alerted, or a callee that may accept without a path.
    fn ringing(self) -> Self {
        match self.recorder.call.role() {
            Role::Caller => self
                .then(Input::Make)
                .up()
                .says(ServerMessage::CallCreated { sid: sid() })
                .says(ServerMessage::WaitConnected)
                .says(ServerMessage::PeerVerified {
                    party: PartyId(1),
                    describe: false,
                }),
            Role::Callee => self
                .then(Input::Verify)
                .up()
                .says(confirmed())
                .after(1_000, Input::Timeout),
        }
    }

    fn connected(self) -> Self {
        let ringing = self.ringing().path(PathEvent::Up);
        match ringing.recorder.call.role() {
            Role::Caller => ringing.says(accepted()),
            Role::Callee => ringing.then(Input::Accept(None)),
        }
    }
}

fn confirmed() -> ServerMessage {
    ServerMessage::Verified(Box::new(Verified {
        sid: sid(),
        party: PartyId(1),
        caller: Caller {
            user_id: "alice".parse().unwrap(),
            service_id: "s".parse().unwrap(),
        },
        media_type: MediaType::Audio,
        call_start_message: Some("hi".into()),
        description: None,
        candidates: Vec::new(),
        end_of_candidates: false,
    }))
}

fn accepted() -> ServerMessage {
    ServerMessage::Accepted {
        party: PartyId(1),
        call_start_message: Some("hello".into()),
    }
}

fn ended() -> ServerMessage {
    ServerMessage::Ended {
        reason: Reason::MaxCallTimeExceeded,
        source: DisconnectSource::CloudServer,
        user_code: None,
    }
}

fn bye(reason: Option<Reason>) -> PathEvent {
    PathEvent::Bye {
        reason,
        user_code: Some("e7".into()),
    }
}

fn scenarios() -> Vec<Scenario> {
    use Role::{Callee, Caller};
    let mut all = Vec::new();
    let row = "`Idle` | `make_call`, `verify_call`";
    all.push(begin(row, "make_call", Caller).then(Input::Make));
    all.push(begin(row, "verify_call", Callee).then(Input::Verify));

    let row = "`Trying` (caller) | `wait_connected`, `accepted`, audio of the only device";
    let trying = |form| begin(row, form, Caller).then(Input::Make).up();
    all.push(trying("wait_connected").says(ServerMessage::WaitConnected));
    all.push(trying("accepted").says(accepted()));
    let verified = ServerMessage::PeerVerified {
        party: PartyId(1),
        describe: true,
    };
    all.push(
        trying("audio")
            .says(verified)
            .path(PathEvent::Up)
            .path(PathEvent::FirstAudio),
    );

    let row = "`Trying` (callee) | confirmed, and path up or 1.0 s later (at once without pre-connect)";
    let trying = |form, timers| with_timers(row, form, Callee, timers).then(Input::Verify).up();
    all.push(trying("path", None).says(confirmed()).path(PathEvent::Up));
    all.push(trying("time", None).says(confirmed()).expires(1_000));
    let timers = Timers {
        pre_connect: false,
        ..Timers::default()
    };
    all.push(trying("without pre-connect", Some(timers)).says(confirmed()));

    let row =
        "`WaitAnswer` | accepted (by the server's word, or by audio while exactly one device verified) and path up";
    all.push(
        begin(row, "word, path", Caller)
            .ringing()
            .says(accepted())
            .path(PathEvent::Up),
    );
    all.push(
        begin(row, "path, word", Caller)
            .ringing()
            .path(PathEvent::Up)
            .says(accepted()),
    );
    all.push(
        begin(row, "audio", Caller)
            .ringing()
            .path(PathEvent::Up)
            .path(PathEvent::FirstAudio),
    );

    let row = "`Verified` | `accept` and path up";
    all.push(
        begin(row, "accept, path", Callee)
            .ringing()
            .then(Input::Accept(Some("yes")))
            .path(PathEvent::Up),
    );
    all.push(
        begin(row, "path, accept", Callee)
            .ringing()
            .path(PathEvent::Up)
            .then(Input::Accept(None)),
    );

    let row = "`WaitAnswer`, `Verified` | 15 s after the accept without a path";
    all.push(begin(row, "caller", Caller).ringing().says(accepted()).expires(15_000));
    all.push(
        begin(row, "callee", Callee)
            .ringing()
            .then(Input::Accept(None))
            .expires(15_000),
    );

    let row = "`Trying` | 15 s without a word of the server";
    all.push(begin(row, "caller", Caller).then(Input::Make).expires(15_000));
    all.push(begin(row, "callee", Callee).then(Input::Verify).up().expires(14_999));

    let row = "not accepted | the server is gone for 30 s";
    all.push(
        begin(row, "caller", Caller)
            .ringing()
            .then(Input::SignalDown(None))
            .expires(30_000),
    );
    all.push(
        begin(row, "callee", Callee)
            .ringing()
            .then(Input::SignalDown(None))
            .expires(30_000),
    );

    let row = "`Connected` | the media path is lost for good";
    let lost = PathEvent::Failed(PathFailure::Unreachable);
    all.push(begin(row, "caller", Caller).connected().path(lost.clone()));
    all.push(begin(row, "callee", Callee).connected().path(lost));

    let row = "not accepted, or that device | another certificate than the signalled one";
    let forged = PathEvent::Failed(PathFailure::Authentication);
    all.push(
        begin(row, "caller, not accepted", Caller)
            .ringing()
            .path(forged.clone()),
    );
    all.push(
        begin(row, "callee, not accepted", Callee)
            .ringing()
            .path(forged.clone()),
    );
    all.push(begin(row, "caller, that device", Caller).connected().path(forged));

    let row = "any | `end`";
    let end = Input::End(None, Some("e7"));
    all.push(begin(row, "caller", Caller).ringing().then(end.clone()));
    all.push(begin(row, "callee", Callee).ringing().then(end.clone()));
    all.push(begin(row, "caller, accepted", Caller).connected().then(end.clone()));
    all.push(begin(row, "callee, accepted", Callee).connected().then(end));

    let row = "any | `ended` of the server, BYE of the peer";
    all.push(begin(row, "ended, caller", Caller).ringing().says(ended()));
    all.push(begin(row, "ended, callee", Callee).connected().says(ended()));
    all.push(
        begin(row, "BYE, caller", Caller)
            .connected()
            .path(bye(Some(Reason::UserError))),
    );
    all.push(begin(row, "BYE, callee", Callee).ringing().path(bye(None)));

    let row =
        "callee, or accepted | path closed without BYE, and 2 s without a word of the server (none when it is gone)";
    all.push(
        begin(row, "callee", Callee)
            .ringing()
            .path(PathEvent::Up)
            .path(PathEvent::Closed)
            .expires(2_000),
    );
    all.push(
        begin(row, "accepted", Caller)
            .connected()
            .path(PathEvent::Closed)
            .expires(2_000),
    );
    let gone = begin(row, "the server is gone", Caller)
        .connected()
        .then(Input::SignalDown(None));
    all.push(gone.path(PathEvent::Closed));

    let held = |held, reason: Option<&str>| ServerMessage::PeerHeld {
        held,
        reason: reason.map(Into::into),
    };
    all.push(
        begin(HOLD, "told after connected", Callee)
            .ringing()
            .says(held(true, Some("x")))
            .path(PathEvent::Up)
            .then(Input::Accept(None)),
    );
    all.push(
        begin(HOLD, "over before connected", Callee)
            .ringing()
            .says(held(true, None))
            .says(held(false, None))
            .path(PathEvent::Up)
            .then(Input::Accept(None)),
    );
    all.push(
        begin(HOLD, "told once", Caller)
            .connected()
            .says(held(true, None))
            .says(held(true, None))
            .says(held(true, Some("")))
            .says(held(false, Some("x")))
            .says(held(false, None)),
    );
    all.push(
        begin(HOLD, "not before connected", Caller)
            .ringing()
            .then(Input::Hold(true, None)),
    );
    let long = Some("保".repeat(86));
    all.push(
        begin(HOLD, "own", Caller)
            .connected()
            .then(Input::Hold(false, None))
            .then(Input::Hold(true, long.clone()))
            .then(Input::Hold(true, long))
            .then(Input::Hold(true, None))
            .then(Input::Hold(false, Some("x".into()))),
    );
    // What only the server may say, the peer does not.
    all.push(
        begin(BESIDE, "BYE with the news of another device", Caller)
            .connected()
            .path(bye(Some(Reason::MultidevAnswer))),
    );
    all.push(
        begin(BESIDE, "BYE with an end by the server", Caller)
            .connected()
            .path(bye(Some(Reason::MaxCallTimeExceeded))),
    );
    for reason in [Reason::Decline, Reason::Busy] {
        all.push(
            begin(BESIDE, "BYE with what only another device can have said", Callee)
                .ringing()
                .path(bye(Some(reason))),
        );
    }
    let at_once = Timers {
        verified: Duration::from_secs(1),
        signal_lost: Duration::from_secs(1),
        ..Timers::default()
    };
    let ties = with_timers(BESIDE, "two deadlines at once", Callee, Some(at_once))
        .then(Input::Verify)
        .up()
        .says(confirmed());
    all.push(ties.after(0, Input::SignalDown(None)).after(1_000, Input::Timeout));
    all
}

fn state_name(state: CallState) -> String {
    format!("{state:?}")
}

/// What the application was told last, as the table says it.
fn told(outputs: &[Output]) -> Vec<String> {
    let event = |output: &Output| match output {
        Output::Event(Event::WaitConnected) => Some("evt_wait_connected".to_owned()),
        Output::Event(Event::Verified { .. }) => Some("evt_verified".to_owned()),
        Output::Event(Event::Connected { .. }) => Some("evt_connected".to_owned()),
        Output::Event(Event::Disconnected { reason, .. }) => Some(reason.str_code().to_owned()),
        _ => None,
    };
    outputs.iter().filter_map(event).collect()
}

pub(crate) fn rows() -> Vec<Value> {
    let rows = readme();
    assert!(rows.len() >= 13, "the table has not been found");
    let scenarios = scenarios();
    let known: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let covered: BTreeSet<&str> = scenarios
        .iter()
        .map(|it| it.row)
        .filter(|row| ![HOLD, BESIDE].contains(row))
        .collect();
    assert_eq!(known, covered, "rows of the README and rows with vectors");
    for scenario in &scenarios {
        let Some(row) = rows.iter().find(|row| row.name == scenario.row) else {
            continue;
        };
        let told = told(&scenario.last);
        let state = state_name(scenario.recorder.call.state());
        // Audio over a path that stands leads through WaitAnswer at once.
        let through = row.to == "WaitAnswer" && told.iter().any(|it| it == "evt_connected");
        assert!(
            state == row.to || through,
            "{}: {} leads to {state}",
            scenario.row,
            scenario.form
        );
        let is_said = told.iter().any(|it| row.told.contains(it.as_str()));
        assert!(
            row.told.is_empty() || row.told == "what it says" || is_said,
            "{}: {} tells {told:?}",
            scenario.row,
            scenario.form
        );
    }
    scenarios.into_iter().map(|it| it.recorder.finish()).collect()
}
