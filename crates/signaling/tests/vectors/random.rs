//! Walks through both machines, at random from fixed seeds.

use std::time::Duration;

use duologue_signaling::client::{CallState, PathEvent, PathFailure, Role, Timers};
use duologue_signaling::ids::{CallId, PartyId};
use duologue_signaling::message::{Caller, Policy, Verified, Welcome};
use duologue_signaling::{DisconnectReason, DisconnectSource, MediaType, ServerMessage};
use serde_json::{Value, json};

use crate::record::{Input, Recorder, candidates, description, sid};

const WALKS: u64 = 560;
const STEPS: usize = 40;

/// SplitMix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }

    fn party(&mut self) -> u32 {
        self.pick(&[1, 1, 1, 1, 1, 2, 2, 3, 0, 9])
    }

    fn maybe_party(&mut self) -> Option<u32> {
        self.flag().then(|| self.party())
    }

    fn reason(&mut self) -> DisconnectReason {
        self.pick(DisconnectReason::ALL)
    }

    fn code(&mut self) -> Option<&'static str> {
        self.pick(&[None, Some("e7")])
    }

    fn text(&mut self) -> Option<&'static str> {
        self.pick(&[None, Some("hey"), Some("")])
    }

    /// Also longer than a hold's reason may be, with the limit inside a character.
    fn hold_reason(&mut self) -> Option<String> {
        match self.below(6) {
            0 | 1 => None,
            2 => Some(String::new()),
            3 => Some("lunch".into()),
            4 => Some("保".repeat(86)),
            _ => Some(format!(
                "{}😀",
                "x".repeat(253 + usize::try_from(self.below(4)).unwrap())
            )),
        }
    }
}

pub(crate) fn walks() -> Vec<Value> {
    let mut steps = 0;
    let mut values = Vec::new();
    let walks: Vec<Value> = (0..WALKS)
        .map(|seed| {
            let mut walk = walk(seed);
            let all = walk["steps"].as_array_mut().unwrap();
            steps += all.len();
            all.iter_mut().for_each(|step| share(step, &mut values));
            walk
        })
        .collect();
    assert!(steps >= 10_000, "only {steps} steps");
    let values = values.into_iter().map(|value| json!({ "value": value }));
    values.chain(walks).collect()
}

/// Names what comes again and again by its number among `values`: the input, each output, and the state of a step.
fn share(step: &mut Value, values: &mut Vec<Value>) {
    let mut name = |value: &mut Value| {
        let known = values.iter().position(|it| it == value);
        let number = known.unwrap_or_else(|| {
            values.push(value.clone());
            values.len() - 1
        });
        *value = json!(number);
    };
    for at in [1, 3] {
        name(&mut step[at]);
    }
    match &mut step[2] {
        Value::Array(outputs) => outputs.iter_mut().for_each(name),
        refused => name(refused),
    }
}

fn walk(seed: u64) -> Value {
    let mut rng = Rng(seed);
    let role = if seed.is_multiple_of(2) {
        Role::Caller
    } else {
        Role::Callee
    };
    let timers = match rng.below(4) {
        0 => Some(Timers {
            pre_connect: false,
            ..Timers::default()
        }),
        1 => Some(Timers {
            setup: Duration::from_millis(700),
            verified: Duration::from_millis(700),
            connect: Duration::from_millis(700),
            signal_lost: Duration::from_millis(700),
            closed: Duration::from_millis(700),
            pre_connect: true,
        }),
        _ => None,
    };
    let mut recorder = Recorder::new(&format!("walk {seed}"), role, timers);
    let mut over = 0;
    while recorder.len() < STEPS && over < 3 {
        let (after, input) = next(&mut rng, &recorder, role);
        recorder.step(after, input);
        over += usize::from(recorder.call.state() == CallState::Disconnected);
    }
    recorder.finish()
}

/// What happens next, and after how many ms. Ends are rarer than the rest, so that walks get far.
fn next(rng: &mut Rng, recorder: &Recorder, role: Role) -> (u64, Input) {
    let start = match role {
        Role::Caller => Input::Make,
        Role::Callee => Input::Verify,
    };
    if recorder.call.state() == CallState::Idle && rng.below(8) != 0 {
        return (rng.below(10), start);
    }
    // Time: mostly little, sometimes to the deadline, one short of it, or past it.
    if let Some(deadline) = recorder.deadline()
        && rng.below(14) == 0
    {
        let left = deadline.saturating_sub(recorder.now());
        let after = match rng.below(4) {
            0 => left.saturating_sub(1),
            1 | 2 => left,
            _ => left + rng.below(40_000),
        };
        // A shell that is late may hear something else first.
        let late = rng.below(4) == 0;
        return (after, if late { message(rng, role) } else { Input::Timeout });
    }
    let after = rng.pick(&[0, 0, 1, 20, 60]);
    (after, anything(rng, role, start))
}

fn anything(rng: &mut Rng, role: Role, start: Input) -> Input {
    match rng.below(100) {
        0..=1 => start,
        2 => match role {
            Role::Caller => Input::Verify,
            Role::Callee => Input::Make,
        },
        3..=9 => Input::Accept(rng.text()),
        10 => Input::End((rng.flag()).then(|| rng.reason()), rng.code()),
        11..=14 => Input::Mute(rng.flag()),
        15..=22 => Input::Hold(rng.below(3) != 0, rng.hold_reason()),
        23 => Input::Describe(rng.maybe_party()),
        24 => Input::AddCandidates(rng.maybe_party(), 1, 2, rng.flag()),
        25..=27 => Input::Reveal,
        28..=33 => Input::SignalUp(Box::new(welcome(rng))),
        34..=37 => Input::SignalDown(None),
        38 => Input::SignalDown(Some(rng.reason())),
        39..=58 => Input::Path(rng.party(), path(rng)),
        59 => Input::Timeout,
        _ => message(rng, role),
    }
}

fn path(rng: &mut Rng) -> PathEvent {
    match rng.below(32) {
        0..=14 => PathEvent::Up,
        15..=22 => PathEvent::FirstAudio,
        23..=26 => PathEvent::Failed(PathFailure::Unreachable),
        27 => PathEvent::Failed(PathFailure::Authentication),
        28 => PathEvent::Bye {
            reason: rng.flag().then(|| rng.reason()),
            user_code: rng.code().map(Into::into),
        },
        _ => PathEvent::Closed,
    }
}

pub(crate) fn welcome(rng: &mut Rng) -> Welcome {
    let policy = if rng.flag() {
        Policy::default()
    } else {
        Policy {
            pre_connect: rng.flag(),
            verified_after_ms: 400,
            connect_timeout_ms: 5_000,
        }
    };
    Welcome {
        session: "s".into(),
        resume: "r".into(),
        heartbeat_ms: 5_000,
        resumed: rng.flag(),
        ice_servers: Vec::new(),
        policy,
    }
}

fn message(rng: &mut Rng, role: Role) -> Input {
    // Mostly what this role is told.
    let shared = rng.below(3) == 0;
    let message = if shared {
        shared_message(rng)
    } else if (role == Role::Caller) == (rng.below(20) != 0) {
        match rng.below(12) {
            0 => ServerMessage::CallCreated { sid: sid() },
            1 | 2 => ServerMessage::WaitConnected,
            3..=6 => ServerMessage::PeerVerified {
                party: PartyId(rng.party()),
                describe: rng.flag(),
            },
            7 => ServerMessage::PeerLeft {
                party: PartyId(rng.party()),
            },
            _ => ServerMessage::Accepted {
                party: PartyId(rng.party()),
                call_start_message: rng.text().map(Into::into),
            },
        }
    } else {
        match rng.below(3) {
            0 => ServerMessage::Reveal { nonce: "ab".into() },
            _ => ServerMessage::Verified(Box::new(verified(rng))),
        }
    };
    Input::Message(message)
}

fn verified(rng: &mut Rng) -> Verified {
    Verified {
        sid: CallId::from_random([9; 16]),
        party: PartyId(rng.pick(&[1, 1, 1, 2])),
        caller: Caller {
            user_id: "alice".parse().unwrap(),
            service_id: "s.1".parse().unwrap(),
        },
        media_type: MediaType::Audio,
        call_start_message: rng.text().map(Into::into),
        description: (rng.below(8) == 0).then(|| Box::new(description(3))),
        candidates: candidates(1),
        end_of_candidates: rng.flag(),
    }
}

fn shared_message(rng: &mut Rng) -> ServerMessage {
    match rng.below(24) {
        0 => ServerMessage::Description {
            party: PartyId(rng.party()),
            description: Box::new(description(5)),
        },
        1..=3 => ServerMessage::Candidates {
            party: PartyId(rng.party()),
            generation: 2,
            candidates: candidates(1),
            end: rng.flag(),
        },
        4..=9 => ServerMessage::PeerMuted { muted: rng.flag() },
        10..=18 => ServerMessage::PeerHeld {
            held: rng.below(3) != 0,
            reason: rng.pick(&[None, Some("x".to_owned()), Some(String::new())]),
        },
        19 => ServerMessage::Ended {
            reason: rng.reason(),
            source: DisconnectSource::from_value(u8::try_from(rng.below(7)).unwrap()),
            user_code: rng.code().map(Into::into),
        },
        20 => ServerMessage::Error {
            reason: rng.reason(),
            message: "why".into(),
        },
        21 => ServerMessage::Pong,
        22 => ServerMessage::Ack,
        _ => ServerMessage::Unknown,
    }
}
