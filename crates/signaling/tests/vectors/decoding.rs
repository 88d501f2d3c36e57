//! What the client reads of the server, and what it refuses: messages with each of their parts missing, of another type, at
//! a limit and above it.
//!
//! Left out is what JavaScript cannot tell apart or what serde takes beside the documented form: `1.0` for 1, numbers above
//! 2^53, a key that comes twice, a list in place of an object.

use duologue_signaling::ids::PartyId;
use duologue_signaling::message::{Caller, IceServer, Policy, Verified, Welcome};
use duologue_signaling::{
    Codec, DisconnectReason, DisconnectSource, Envelope, HeaderExtension, MediaType, ServerMessage, SessionDescription,
    decode, limits,
};
use serde_json::{Value, json};

use crate::record::{candidates, description, sid};

/// A message given as text, or as JSON, which is shorter in a file of JSON.
fn case(given: Value) -> Value {
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    let envelope = decode::<ServerMessage>(text).ok().map(|envelope| {
        let mut value = json!(envelope);
        // Rust leaves them out where they are none.
        for server in value
            .get_mut("ice_servers")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            for name in ["username", "credential"] {
                if server.get(name).is_none() {
                    server[name] = Value::Null;
                }
            }
        }
        value
    });
    json!([given, envelope])
}

fn full_description() -> SessionDescription {
    SessionDescription {
        party: Some(PartyId(1)),
        options: vec!["trickle".into()],
        candidates: candidates(1),
        commit: Some("00".into()),
        nonce: Some("ff".into()),
        codecs: vec![Codec {
            name: "opus".into(),
            pt: 111,
            rate: 48_000,
            ch: 2,
            fmtp: "a=1".into(),
            rtcp_fb: vec!["nack".into()],
        }],
        extmap: vec![HeaderExtension {
            id: 1,
            uri: "urn:x".into(),
        }],
        mid: "0".into(),
        cname: "c".into(),
        ptime: 20,
        ..description(9)
    }
}

fn messages() -> Vec<ServerMessage> {
    let party = PartyId(2);
    vec![
        ServerMessage::Welcome(Box::new(Welcome {
            session: "s".into(),
            resume: "r".into(),
            heartbeat_ms: 5_000,
            resumed: true,
            ice_servers: vec![IceServer {
                urls: vec!["turn:192.0.2.1:9".into()],
                username: Some("u".into()),
                credential: Some("c".into()),
            }],
            policy: Policy::default(),
        })),
        ServerMessage::CallCreated { sid: sid() },
        ServerMessage::WaitConnected,
        ServerMessage::Verified(Box::new(Verified {
            sid: sid(),
            party,
            caller: Caller {
                user_id: "alice".parse().unwrap(),
                service_id: "s.1".parse().unwrap(),
            },
            media_type: MediaType::Audio,
            call_start_message: Some("hi".into()),
            description: None,
            candidates: candidates(1),
            end_of_candidates: true,
        })),
        ServerMessage::PeerVerified { party, describe: true },
        ServerMessage::PeerLeft { party },
        ServerMessage::Description {
            party,
            description: Box::new(full_description()),
        },
        ServerMessage::Candidates {
            party,
            generation: 1,
            candidates: candidates(1),
            end: false,
        },
        ServerMessage::Accepted {
            party,
            call_start_message: Some("hello".into()),
        },
        ServerMessage::PeerMuted { muted: true },
        ServerMessage::PeerHeld {
            held: true,
            reason: Some("x".into()),
        },
        ServerMessage::Reveal { nonce: "00".into() },
        ServerMessage::Ended {
            reason: DisconnectReason::Busy,
            source: DisconnectSource::Callee,
            user_code: Some("e7".into()),
        },
        ServerMessage::Ack,
        ServerMessage::Pong,
        ServerMessage::Error {
            reason: DisconnectReason::ServiceBusy,
            message: "why".into(),
        },
    ]
}

/// The pointers (RFC 6901) to every value inside.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    let mut visit = |key: &str, value: &Value| {
        let at = format!("{at}/{key}");
        pointers(value, &at, into);
        into.push(at);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| visit(key, value)),
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .for_each(|(at, value)| visit(&at.to_string(), value)),
        _ => {}
    }
}

fn without(value: &Value, pointer: &str) -> Value {
    let mut value = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.remove(key);
        }
        Value::Array(entries) => {
            entries.remove(key.parse().unwrap());
        }
        _ => unreachable!("only these have parts"),
    }
    value
}

fn with(value: &Value, pointer: &str, part: Value) -> Value {
    let mut value = value.clone();
    *value.pointer_mut(pointer).unwrap() = part;
    value
}

/// Other values in the place of one.
fn substitutes(part: &Value) -> Vec<Value> {
    let mut values = vec![Value::Null];
    match part {
        Value::Number(_) => values.extend([
            json!(-1),
            json!(0.5),
            json!(255),
            json!(256),
            json!(65_535),
            json!(65_536),
            json!(u32::MAX),
            json!(u64::from(u32::MAX) + 1),
            json!("1"),
        ]),
        Value::String(_) => values.extend([json!(""), json!("A b"), json!(1), json!({})]),
        Value::Bool(_) => values.extend([json!(0), json!("true"), json!(false)]),
        Value::Array(_) => values.extend([json!({}), json!("x"), json!([1])]),
        Value::Object(_) => values.extend([json!({}), json!("x"), json!({ "x": [] })]),
        Value::Null => values.extend([json!(1), json!("x"), json!([])]),
    }
    values
}

fn mutations() -> Vec<Value> {
    let mut cases = Vec::new();
    for message in messages() {
        let numbered = !matches!(
            message,
            ServerMessage::Welcome(_) | ServerMessage::Ack | ServerMessage::Pong | ServerMessage::Error { .. }
        );
        let good = json!(Envelope {
            v: 1,
            seq: u64::from(numbered),
            ack: 3,
            msg: message,
        });
        cases.push(case(good.clone()));
        cases.push(case(with(&good, "/seq", json!(u64::from(!numbered)))));
        let mut all = Vec::new();
        pointers(&good, "", &mut all);
        // The envelope's own fields are the same in every message; its type is a case of its own.
        all.retain(|at| !["/v", "/seq", "/ack", "/type"].contains(&at.as_str()));
        for at in all {
            let part = good.pointer(&at).unwrap();
            cases.push(case(without(&good, &at)));
            cases.extend(substitutes(part).into_iter().map(|value| case(with(&good, &at, value))));
        }
    }
    cases
}

/// The longest text and list that pass, and one more.
fn at_limits() -> Vec<Value> {
    let all: Vec<Value> = messages()
        .into_iter()
        .map(|message| {
            json!(Envelope {
                v: 1,
                seq: 1,
                ack: 0,
                msg: message
            })
        })
        .collect();
    let of = |kind: &str| {
        let mut value = all.iter().find(|it| it["type"] == kind).unwrap().clone();
        if ["welcome", "error"].contains(&kind) {
            value["seq"] = json!(0);
        }
        value
    };
    let mut cases = Vec::new();
    let texts = [
        ("welcome", "/session", limits::TOKEN),
        ("welcome", "/resume", limits::TOKEN),
        ("welcome", "/ice_servers/0/urls/0", limits::TOKEN),
        ("welcome", "/ice_servers/0/username", limits::TOKEN),
        ("welcome", "/ice_servers/0/credential", limits::TOKEN),
        ("error", "/message", limits::TOKEN),
        ("verified", "/call_start_message", limits::CALL_START_MESSAGE),
        ("verified", "/caller/user_id", limits::ID),
        ("verified", "/caller/service_id", limits::ID),
        ("verified", "/candidates/0", limits::CANDIDATE),
        ("accepted", "/call_start_message", limits::CALL_START_MESSAGE),
        ("candidates", "/candidates/0", limits::CANDIDATE),
        ("peer_held", "/reason", limits::HOLD_REASON),
        ("reveal", "/nonce", limits::TEXT),
        ("ended", "/user_code", limits::RELEASE_PHRASE),
        ("description", "/description/ufrag", limits::TEXT),
        ("description", "/description/pwd", limits::TEXT),
        ("description", "/description/options/0", limits::TEXT),
        ("description", "/description/candidates/0", limits::CANDIDATE),
        ("description", "/description/fingerprints/0/algorithm", limits::TEXT),
        ("description", "/description/fingerprints/0/value", limits::TEXT),
        ("description", "/description/commit", limits::TEXT),
        ("description", "/description/nonce", limits::TEXT),
        ("description", "/description/codecs/0/name", limits::TEXT),
        ("description", "/description/codecs/0/fmtp", limits::TEXT),
        ("description", "/description/codecs/0/rtcp_fb/0", limits::TEXT),
        ("description", "/description/extmap/0/uri", limits::TEXT),
        ("description", "/description/mid", limits::TEXT),
        ("description", "/description/cname", limits::TEXT),
    ];
    for (kind, at, limit) in texts {
        for text in [
            "x".repeat(limit),
            "x".repeat(limit + 1),
            "é".repeat(limit / 2),
            "é".repeat(limit / 2 + 1),
        ] {
            cases.push(case(with(&of(kind), at, json!(text))));
        }
    }
    for (at, least) in [("/description/ufrag", 4), ("/description/pwd", 22)] {
        for text in [
            "x".repeat(least),
            "x".repeat(least - 1),
            "é".repeat(least / 2),
            "é".repeat(least / 2 - 1),
        ] {
            cases.push(case(with(&of("description"), at, json!(text))));
        }
    }
    let lists = [
        ("welcome", "/ice_servers", limits::ICE_SERVERS),
        ("welcome", "/ice_servers/0/urls", limits::ICE_SERVERS),
        ("verified", "/candidates", limits::CANDIDATES),
        ("candidates", "/candidates", limits::CANDIDATES),
        ("description", "/description/candidates", limits::CANDIDATES),
        ("description", "/description/options", limits::LIST),
        ("description", "/description/fingerprints", limits::LIST),
        ("description", "/description/codecs", limits::LIST),
        ("description", "/description/codecs/0/rtcp_fb", limits::LIST),
        ("description", "/description/extmap", limits::LIST),
    ];
    for (kind, at, limit) in lists {
        let entry = of(kind).pointer(at).unwrap()[0].clone();
        for length in [0, limit, limit + 1] {
            cases.push(case(with(&of(kind), at, json!(vec![entry.clone(); length]))));
        }
    }
    for setup in ["active", "passive", "actpass", "holdconn"] {
        cases.push(case(with(&of("description"), "/description/setup", json!(setup))));
    }
    for direction in ["sendrecv", "sendonly", "recvonly", "inactive", "SendRecv"] {
        cases.push(case(with(
            &of("description"),
            "/description/direction",
            json!(direction),
        )));
    }
    for reason in DisconnectReason::ALL {
        cases.push(case(with(&of("ended"), "/reason", json!(reason))));
    }
    for id in [
        "01010101-0101-4101-8101-01010101010F",
        "01010101-0101-4101-8101-0101010101",
        "0101010g-0101-4101-8101-010101010101",
        "010101010-101-4101-8101-010101010101",
    ] {
        cases.push(case(with(&of("call_created"), "/sid", json!(id))));
    }
    cases.push(case(with(&of("verified"), "/description", json!(description(1)))));
    cases
}

/// The envelope, and what is no message at all.
fn envelopes() -> Vec<Value> {
    let long = |length: usize| {
        let rest = r#"{"v":1,"type":"pong","x":""}"#.len();
        format!(
            r#"{{"v":1,"type":"pong","x":"{}"}}"#,
            "é".repeat((length - rest) / 2) + &"x".repeat((length - rest) % 2)
        )
    };
    let mut texts: Vec<String> = [
        r#"{"v":1,"seq":1,"type":"peer_muted","muted":true,"colour":{"r":[1,null,{"x":"😀"}]}}"#,
        r#"{"v":1,"seq":7,"ack":2,"type":"dance","steps":[1,2]}"#,
        r#"{"v":1,"type":"dance"}"#,
        r#"{"v":1,"seq":1,"type":"constructor"}"#,
        r#"{"v":1,"seq":1,"type":"__proto__"}"#,
        r#"{"v":1,"seq":1,"type":"toString","toString":1}"#,
        r#"{"v":1,"seq":1,"type":"unknown"}"#,
        r#"{"v":1,"seq":1,"type":"Wait_connected"}"#,
        r#"{"v":1,"seq":1}"#,
        r#"{"v":1,"seq":1,"type":null}"#,
        r#"{"v":1,"seq":1,"type":[]}"#,
        r#"{"v":1,"seq":1,"type":{"wait_connected":null}}"#,
        r#"{"type":"pong"}"#,
        r#"{"v":2,"type":"pong"}"#,
        r#"{"v":0,"type":"pong"}"#,
        r#"{"v":"1","type":"pong"}"#,
        r#"{"v":null,"type":"pong"}"#,
        r#"{"v":1,"seq":null,"type":"pong"}"#,
        r#"{"v":1,"ack":null,"type":"pong"}"#,
        r#"{"v":1,"seq":-1,"type":"wait_connected"}"#,
        r#"{"v":1,"seq":1.5,"type":"wait_connected"}"#,
        r#"{"v":1,"seq":"1","type":"wait_connected"}"#,
        r#"{"v":1,"seq":9007199254740991,"ack":9007199254740991,"type":"wait_connected"}"#,
        r#"{"v":1,"seq":1,"type":"wait_connected"} "#,
        "\t{\"v\":1,\n\"seq\":1,\r\"type\":\"wait_connected\"}",
        r#"{"v":1,"seq":1,"type":"wait_connected"}x"#,
        r#"{"v":1,"seq":1,"type":"wait_connected",}"#,
        r#"{'v':1,"type":"pong"}"#,
        r#"{"v":01,"type":"pong"}"#,
        r#"{"v":1,"type":"pong","x":NaN}"#,
        r#"{"v":1,"type":"pong","x":"\x"}"#,
        r#"{"v":1,"seq":1,"type":"reveal","nonce":"\ud83d\ude00"}"#,
        r#"{"v":1,"seq":1,"type":"reveal","nonce":"\ud83d"}"#,
        r#"{"v":1,"seq":1,"type":"reveal","nonce":"\ude00\ud83d"}"#,
        r#"{"v":1,"seq":1,"type":"reveal","nonce":"00","x":{"y":["\udfff"]}}"#,
        r#"{"v":1,"seq":1,"type":"reveal","nonce":"00","\ud800":1}"#,
        r#"{"v":1,"seq":1,"type":"reveal","nonce":"\u0000"}"#,
        "{\"v\":1,\"seq\":1,\"type\":\"reveal\",\"nonce\":\"\u{1}\"}",
        "{\"v\":1,\"seq\":1,\"type\":\"reveal\",\"nonce\":\"\u{7f}\u{2028}\"}",
        "\u{feff}{\"v\":1,\"type\":\"pong\"}",
        "",
        "null",
        "1",
        "\"pong\"",
        "[]",
        r#"[{"v":1,"type":"pong"}]"#,
        "{}",
        "{",
    ]
    .map(str::to_owned)
    .into();
    texts.extend([long(limits::MESSAGE), long(limits::MESSAGE + 1)]);
    texts.iter().map(|text| case(json!(text))).collect()
}

pub(crate) fn cases() -> Vec<Value> {
    [envelopes(), mutations(), at_limits()].concat()
}
