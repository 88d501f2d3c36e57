use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::ids::{CallId, PartyId};
use crate::{
    Codec, Direction, DisconnectReason, DisconnectSource, Fingerprint, HeaderExtension, MediaType, SessionDescription,
    Setup, VERSION, limits,
};

fn description() -> impl Strategy<Value = SessionDescription> {
    let texts = (
        "[a-z]{4,8}",
        "[a-z]{22,30}",
        vec("[a-z 0-9]{0,40}", 0..4),
        "[0-9A-F:]{0,95}",
        "[a-z0-9]{0,8}",
    );
    let codec = (
        "[a-z]{1,8}",
        0..128_u8,
        0..96_000_u32,
        1..3_u8,
        "[a-z=;0-9]{0,20}",
        vec("[a-z]{1,8}", 0..3),
    );
    let codecs = vec(codec, 0..4);
    let rest = (
        any::<u32>(),
        any::<bool>(),
        option::of("[0-9a-f]{64}"),
        option::of(any::<u32>()),
        0..4_u8,
    );
    (texts, codecs, rest).prop_map(|((ufrag, pwd, candidates, value, mid), codecs, rest)| {
        let (number, flag, nonce, party, choice) = rest;
        SessionDescription {
            v: 1,
            party: party.map(PartyId),
            generation: number,
            ufrag,
            pwd,
            options: vec!["trickle".into()],
            candidates,
            end_of_candidates: flag,
            fingerprints: vec![Fingerprint {
                algorithm: "sha-256".into(),
                value,
            }],
            setup: [Setup::Active, Setup::Passive, Setup::ActPass, Setup::ActPass][usize::from(choice)],
            commit: nonce.clone(),
            nonce,
            codecs: codecs
                .into_iter()
                .map(|(name, pt, rate, ch, fmtp, rtcp_fb)| Codec {
                    name,
                    pt,
                    rate,
                    ch,
                    fmtp,
                    rtcp_fb,
                })
                .collect(),
            extmap: vec![HeaderExtension {
                id: 1,
                uri: "urn:x".into(),
            }],
            mid: mid.clone(),
            ssrc: number,
            cname: mid,
            direction: [
                Direction::SendRecv,
                Direction::SendOnly,
                Direction::RecvOnly,
                Direction::Inactive,
            ][usize::from(choice)],
            ptime: 20,
        }
    })
}

fn reason() -> impl Strategy<Value = DisconnectReason> {
    prop::sample::select(DisconnectReason::ALL.to_vec())
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    let party = || option::of(any::<u32>().prop_map(PartyId));
    let hello = (
        option::of("\\PC{0,50}"),
        option::of("\\PC{0,50}"),
        option::of("\\PC{0,50}"),
    )
        .prop_map(|(access_token, cc_param, resume)| {
            ClientMessage::Hello(Box::new(Hello {
                version: VERSION,
                service_id: "s.1".parse().unwrap(),
                user_id: "alice".parse().unwrap(),
                access_token,
                cc_param,
                sdk: "test/1".into(),
                resume,
                device_key: None,
            }))
        });
    let make = (
        option::of("\\PC{0,200}"),
        option::of("\\PC{0,40}"),
        option::of(description()),
    )
        .prop_map(|(app_server_data, call_start_message, description)| {
            ClientMessage::MakeCall(Box::new(MakeCall {
                peer_id: "bob".parse().unwrap(),
                peer_service_id: "s".parse().unwrap(),
                media_type: MediaType::Audio,
                app_server_data,
                call_start_message,
                description: description.map(Box::new),
            }))
        });
    prop_oneof![
        hello,
        make,
        "\\PC{0,100}".prop_map(|cc_param| ClientMessage::VerifyCall { cc_param }),
        (party(), description()).prop_map(|(party, it)| ClientMessage::Description {
            party,
            description: Box::new(it)
        }),
        (party(), any::<u32>(), vec("[a-z0-9 .:]{0,60}", 0..6), any::<bool>()).prop_map(
            |(party, generation, candidates, end)| ClientMessage::Candidates {
                party,
                generation,
                candidates,
                end
            }
        ),
        option::of("\\PC{0,40}").prop_map(|call_start_message| ClientMessage::Accept { call_start_message }),
        any::<u32>().prop_map(|party| ClientMessage::AcceptedByMedia { party: PartyId(party) }),
        any::<u32>().prop_map(|party| ClientMessage::Connected { party: PartyId(party) }),
        any::<bool>().prop_map(|muted| ClientMessage::Mute { muted }),
        (any::<bool>(), option::of("\\PC{0,60}")).prop_map(|(held, reason)| ClientMessage::Hold { held, reason }),
        (option::of(reason()), option::of("\\PC{0,20}"), any::<bool>()).prop_map(|(reason, user_code, by_remote)| {
            ClientMessage::End {
                reason,
                user_code,
                by_remote,
            }
        }),
        "[0-9a-f]{64}".prop_map(|nonce| ClientMessage::Reveal { nonce }),
        Just(ClientMessage::Ack),
        Just(ClientMessage::Ping),
    ]
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let party = || any::<u32>().prop_map(PartyId);
    let verified = (
        party(),
        option::of(description()),
        vec("[a-z0-9 ]{0,60}", 0..6),
        any::<bool>(),
    )
        .prop_map(|(party, description, candidates, end_of_candidates)| {
            ServerMessage::Verified(Box::new(Verified {
                sid: CallId::from_random([3; 16]),
                party,
                caller: Caller {
                    user_id: "alice".parse().unwrap(),
                    service_id: "s".parse().unwrap(),
                },
                media_type: MediaType::Audio,
                call_start_message: None,
                description: description.map(Box::new),
                candidates,
                end_of_candidates,
            }))
        });
    let welcome = (any::<bool>(), any::<u32>(), option::of("[a-z]{0,9}")).prop_map(|(resumed, number, username)| {
        ServerMessage::Welcome(Box::new(Welcome {
            session: "x".into(),
            resume: "y".into(),
            heartbeat_ms: number,
            resumed,
            ice_servers: vec![IceServer {
                urls: vec!["stun:h:3478".into()],
                credential: username.clone(),
                username,
            }],
            policy: Policy {
                pre_connect: resumed,
                verified_after_ms: number,
                connect_timeout_ms: 1,
            },
        }))
    });
    prop_oneof![
        welcome,
        Just(ServerMessage::CallCreated {
            sid: CallId::from_random([9; 16])
        }),
        Just(ServerMessage::WaitConnected),
        verified,
        (party(), any::<bool>()).prop_map(|(party, describe)| ServerMessage::PeerVerified { party, describe }),
        party().prop_map(|party| ServerMessage::PeerLeft { party }),
        (party(), description()).prop_map(|(party, it)| ServerMessage::Description {
            party,
            description: Box::new(it)
        }),
        (party(), any::<u32>(), vec("[a-z0-9 ]{0,60}", 0..6), any::<bool>()).prop_map(
            |(party, generation, candidates, end)| ServerMessage::Candidates {
                party,
                generation,
                candidates,
                end
            }
        ),
        (party(), option::of("\\PC{0,40}")).prop_map(|(party, call_start_message)| ServerMessage::Accepted {
            party,
            call_start_message
        }),
        any::<bool>().prop_map(|muted| ServerMessage::PeerMuted { muted }),
        (any::<bool>(), option::of("\\PC{0,60}")).prop_map(|(held, reason)| ServerMessage::PeerHeld { held, reason }),
        "[0-9a-f]{64}".prop_map(|nonce| ServerMessage::Reveal { nonce }),
        (reason(), 0..6_u8, option::of("\\PC{0,20}")).prop_map(|(reason, source, user_code)| {
            ServerMessage::Ended {
                reason,
                source: DisconnectSource::from_value(source),
                user_code,
            }
        }),
        Just(ServerMessage::Ack),
        Just(ServerMessage::Pong),
        (reason(), "\\PC{0,40}").prop_map(|(reason, message)| ServerMessage::Error { reason, message }),
    ]
}

fn round_trip<M: Message + PartialEq + std::fmt::Debug>(msg: M, seq: u64, ack: u64) -> Result<(), TestCaseError> {
    let seq = if msg.numbering() == Numbering::Numbered { seq } else { 0 };
    let envelope = Envelope {
        v: VERSION,
        seq,
        ack,
        msg,
    };
    let text = encode(&envelope);
    let decoded = decode::<M>(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert_eq!(decoded, envelope);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn client_messages_survive_the_wire(msg in client_message(), seq in 1..u64::MAX, ack: u64) {
        round_trip(msg, seq, ack)?;
    }

    #[test]
    fn server_messages_survive_the_wire(msg in server_message(), seq in 1..u64::MAX, ack: u64) {
        round_trip(msg, seq, ack)?;
    }

    #[test]
    fn garbage_is_refused(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(decode::<ClientMessage>(&bytes).is_err());
        prop_assert!(decode::<ServerMessage>(&bytes).is_err());
    }

    /// Whatever still passes with bytes changed can be written and read again.
    #[test]
    fn damaged_messages_are_refused_or_valid(
        msg in client_message(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let seq = u64::from(msg.numbering() == Numbering::Numbered);
        let mut bytes = encode(&Envelope { v: VERSION, seq, ack: 0, msg }).into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(envelope) = decode::<ClientMessage>(&bytes) {
            prop_assert_eq!(decode::<ClientMessage>(encode(&envelope)).unwrap(), envelope);
        }
    }
}

#[test]
fn the_form_on_the_wire_is_flat() {
    let envelope = Envelope {
        v: 1,
        seq: 4,
        ack: 2,
        msg: ClientMessage::AcceptedByMedia { party: PartyId(1) },
    };
    assert_eq!(
        encode(&envelope),
        r#"{"v":1,"seq":4,"ack":2,"type":"accepted_by_media","party":1}"#
    );
    let envelope = Envelope {
        v: 1,
        seq: 9,
        ack: 7,
        msg: ServerMessage::Ended {
            reason: DisconnectReason::Busy,
            source: DisconnectSource::Callee,
            user_code: None,
        },
    };
    assert_eq!(
        encode(&envelope),
        r#"{"v":1,"seq":9,"ack":7,"type":"ended","reason":1202,"source":1,"user_code":null}"#
    );
}

#[test]
fn unknown_fields_and_types_are_for_newer_versions() {
    let text = r#"{"v":1,"seq":1,"type":"mute","muted":true,"colour":{"r":1}}"#;
    assert_eq!(
        decode::<ClientMessage>(text).unwrap().msg,
        ClientMessage::Mute { muted: true }
    );
    let text = r#"{"v":1,"seq":1,"type":"dance","steps":[1,2]}"#;
    assert_eq!(decode::<ClientMessage>(text).unwrap().msg, ClientMessage::Unknown);
}

#[test]
fn the_reason_of_a_hold_is_optional_and_bounded() {
    let hold = |reason: &str| format!(r#"{{"v":1,"seq":1,"type":"hold","held":true{reason}}}"#);
    for (text, reason) in [("", None), (r#","reason":null"#, None), (r#","reason":"x""#, Some("x"))] {
        let reason = reason.map(str::to_owned);
        assert_eq!(
            decode::<ClientMessage>(hold(text)).unwrap().msg,
            ClientMessage::Hold { held: true, reason }
        );
    }
    let of_length = |length: usize| format!(r#","reason":"{}""#, "x".repeat(length));
    assert!(decode::<ClientMessage>(hold(&of_length(limits::HOLD_REASON))).is_ok());
    assert!(matches!(
        decode::<ClientMessage>(hold(&of_length(limits::HOLD_REASON + 1))),
        Err(DecodeError::Invalid(Invalid::TooLong { field: "reason", .. }))
    ));
}

#[test]
fn every_limit_has_its_error() {
    let large = format!(r#"{{"v":1,"type":"ping","x":"{}"}}"#, "x".repeat(limits::MESSAGE));
    assert!(matches!(
        decode::<ClientMessage>(large),
        Err(DecodeError::TooLarge { .. })
    ));
    assert!(matches!(
        decode::<ClientMessage>("{"),
        Err(DecodeError::Malformed { .. })
    ));
    let deep = format!(
        r#"{{"v":1,"type":"ping","x":{}{}}}"#,
        "[".repeat(30_000),
        "]".repeat(30_000)
    );
    assert!(matches!(
        decode::<ClientMessage>(deep),
        Err(DecodeError::Malformed { .. })
    ));
    assert!(matches!(
        decode::<ClientMessage>(r#"{"v":2,"type":"ping"}"#),
        Err(DecodeError::Version { version: 2 })
    ));
    let unnumbered = r#"{"v":1,"type":"mute","muted":true}"#;
    assert!(matches!(
        decode::<ClientMessage>(unnumbered),
        Err(DecodeError::Numbering { seq: 0 })
    ));
    let numbered = r#"{"v":1,"seq":3,"type":"ping"}"#;
    assert!(matches!(
        decode::<ClientMessage>(numbered),
        Err(DecodeError::Numbering { seq: 3 })
    ));

    let fails = |msg: ClientMessage, field: &str| {
        let error = msg.validate().unwrap_err();
        assert!(error.to_string().contains(field), "{error} instead of {field}");
    };
    let text = |length: usize| Some("x".repeat(length));
    assert!(
        ClientMessage::Accept {
            call_start_message: text(199)
        }
        .validate()
        .is_ok()
    );
    fails(
        ClientMessage::Accept {
            call_start_message: text(200),
        },
        "call_start_message",
    );
    assert!(
        ClientMessage::End {
            reason: None,
            user_code: text(127),
            by_remote: false
        }
        .validate()
        .is_ok()
    );
    fails(
        ClientMessage::End {
            reason: None,
            user_code: text(128),
            by_remote: false,
        },
        "user_code",
    );
    fails(
        ClientMessage::VerifyCall {
            cc_param: "x".repeat(1025),
        },
        "cc_param",
    );
    let make = |data: usize| {
        ClientMessage::MakeCall(Box::new(MakeCall {
            peer_id: "b".parse().unwrap(),
            peer_service_id: "s".parse().unwrap(),
            media_type: MediaType::Audio,
            app_server_data: text(data),
            call_start_message: None,
            description: None,
        }))
    };
    assert!(make(4095).validate().is_ok());
    fails(make(4096), "app_server_data");
    let candidates = |number: usize, length: usize| ClientMessage::Candidates {
        party: None,
        generation: 0,
        candidates: vec!["x".repeat(length); number],
        end: false,
    };
    assert!(candidates(64, 512).validate().is_ok());
    fails(candidates(65, 1), "candidates");
    fails(candidates(1, 513), "candidates");
}

#[test]
fn a_description_needs_credentials_and_a_fingerprint() {
    let good = SessionDescription {
        v: 1,
        ufrag: "abcd".into(),
        pwd: "x".repeat(22),
        fingerprints: vec![Fingerprint {
            algorithm: "sha-256".into(),
            value: "AB".into(),
        }],
        ..SessionDescription::default()
    };
    assert_eq!(good.validate(), Ok(()));
    type Spoil = fn(&mut SessionDescription);
    let cases: [(&str, Spoil); 7] = [
        ("v", |it| it.v = 2),
        ("ufrag", |it| it.ufrag = "abc".into()),
        ("pwd", |it| it.pwd = "x".repeat(21)),
        ("pwd", |it| it.pwd = "x".repeat(257)),
        ("fingerprints", |it| it.fingerprints.clear()),
        ("codecs", |it| it.codecs = vec![Codec::default(); 33]),
        ("cname", |it| it.cname = "x".repeat(257)),
    ];
    for (field, spoil) in cases {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert!(bad.validate().unwrap_err().to_string().contains(field), "{field}");
    }
}

#[test]
fn credentials_are_not_printed() {
    let hello = Hello {
        version: 1,
        service_id: "s".parse().unwrap(),
        user_id: "u".parse().unwrap(),
        access_token: Some("secret-token".into()),
        cc_param: Some("secret-param".into()),
        sdk: String::new(),
        resume: Some("secret-resume".into()),
        device_key: None,
    };
    assert!(!format!("{hello:?}").contains("secret"));
    let server = IceServer {
        urls: Vec::new(),
        username: None,
        credential: Some("secret".into()),
    };
    assert!(!format!("{server:?}").contains("secret"));
}
