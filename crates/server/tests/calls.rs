//! Whole calls over real WebSockets and HTTP.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Bench, SERVICE, candidates, description, hello};
use duologue_signaling::ids::PartyId;
use duologue_signaling::message::Hello;
use duologue_signaling::{ClientMessage, DisconnectReason as Reason, DisconnectSource as Source, ServerMessage};

#[tokio::test]
async fn a_call_from_beginning_to_end() {
    let mut bench = Bench::start().await;
    let mut alice = bench.client("alice").await;
    let welcome = alice.welcome.clone().unwrap();
    assert!(!welcome.resumed && welcome.policy.pre_connect);
    let stun = bench.server().stun_addr().unwrap();
    assert_eq!(welcome.ice_servers[0].urls, [format!("stun:127.0.0.1:{}", stun.port())]);

    alice.make_call_with("bob", Some("order 7 & more".into())).await;
    let Some(ServerMessage::CallCreated { sid }) = alice.next().await else {
        panic!("no call")
    };
    let notify = bench.app.notified().await;
    for (name, value) in [
        ("sid", sid.as_str()),
        ("from_service_id", SERVICE),
        ("from_user_id", "alice"),
        ("to_service_id", SERVICE),
        ("to_user_id", "bob"),
        ("type", "A"),
        ("stid", "order 7 & more"),
        ("app_svr_data", "order 7 & more"),
    ] {
        assert_eq!(notify[name], value, "{name}");
    }
    assert_eq!(alice.next().await, Some(ServerMessage::WaitConnected));

    let param = &notify["param"];
    let mut bob = bench.callee("bob", param).await;
    let verified = bob.verify(param).await;
    assert_eq!((verified.sid, verified.party), (sid, PartyId(1)));
    assert_eq!(verified.caller.user_id.as_str(), "alice");
    assert_eq!(verified.call_start_message.as_deref(), Some("hi"));
    assert_eq!(
        alice.next().await,
        Some(ServerMessage::PeerVerified {
            party: PartyId(1),
            describe: false
        })
    );
    bob.send(ClientMessage::Accept {
        call_start_message: Some("hello".into()),
    })
    .await;
    let accepted = ServerMessage::Accepted {
        party: PartyId(1),
        call_start_message: Some("hello".into()),
    };
    assert_eq!(alice.next().await, Some(accepted));
    assert!(matches!(bob.next().await, Some(ServerMessage::Accepted { .. })));
    alice.send(ClientMessage::Connected { party: PartyId(1) }).await;
    bob.send(ClientMessage::Mute { muted: true }).await;
    assert_eq!(alice.next().await, Some(ServerMessage::PeerMuted { muted: true }));
    for (held, reason) in [(true, Some("昼休み")), (true, None), (false, None)] {
        let reason = reason.map(str::to_owned);
        bob.send(ClientMessage::Hold {
            held,
            reason: reason.clone(),
        })
        .await;
        assert_eq!(alice.next().await, Some(ServerMessage::PeerHeld { held, reason }));
    }

    let end = ClientMessage::End {
        reason: None,
        user_code: Some("bye".into()),
        by_remote: false,
    };
    alice.send(end).await;
    let Some(ServerMessage::Ended {
        reason,
        source,
        user_code,
    }) = bob.next().await
    else {
        panic!("no end")
    };
    assert_eq!(
        (reason, source, user_code.as_deref()),
        (Reason::Normal, Source::Caller, Some("bye"))
    );
    alice.drained().await;

    // The record was on disk before anybody heard of the end.
    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].sid, sid.as_str());
    assert_eq!(
        (
            records[0].disconnect_reason,
            records[0].releaser_type,
            records[0].terminate
        ),
        (1001, 2, 16)
    );
    assert!(records[0].start_time >= records[0].setup_time && records[0].start_time > 0);
    assert_eq!(records[0].srcip.as_deref(), Some("127.0.0.1"));
    assert_eq!(records[0].dstip.as_deref(), Some("127.0.0.1"));

    let event = bench.app.event().await;
    for (name, value) in [
        ("sid", sid.as_str()),
        ("from_user_id", "alice"),
        ("to_user_id", "bob"),
        ("terminate", "16"),
        ("rel_code_str", "NORMAL"),
        ("user_rel_code", "bye"),
        ("disconnect_reason", "1001"),
        ("releaser_type", "2"),
        ("srcip", "127.0.0.1"),
        ("dstip", "127.0.0.1"),
        ("app_svr_data", "order 7 & more"),
        ("stid", "order 7 & more"),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    for name in [
        "setup_time",
        "start_time",
        "end_time",
        "duration",
        "billing_sec",
        "rel_code",
    ] {
        assert!(event[name].parse::<u64>().is_ok(), "{name}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_wanted() {
    let mut bench = Bench::start().await;
    // The caller gives up while it rings.
    let (mut alice, param) = bench.ring("alice", "bob").await;
    let mut bob = bench.callee("bob", &param).await;
    bob.verify(&param).await;
    alice.end().await;
    assert_eq!(bob.ended().await, (Reason::Cancel, Source::Caller));
    let event = bench.app.event().await;
    assert_eq!((event["terminate"].as_str(), event["duration"].as_str()), ("77", "0"));
    // The callee declines, one device for all.
    let (mut alice, param) = bench.ring("alice", "bob").await;
    let mut first = bench.callee("bob", &param).await;
    first.verify(&param).await;
    let mut second = bench.callee("bob", &param).await;
    second.verify(&param).await;
    first.end().await;
    assert_eq!(alice.ended().await, (Reason::Decline, Source::Callee));
    assert_eq!(second.ended().await, (Reason::MultidevDecline, Source::CloudServer));
    assert_eq!(bench.app.event().await["terminate"], "21");
    // Nobody verifies at all, and the caller gives up before the push.
    let (mut alice, _) = bench.ring("alice", "bob").await;
    alice.end().await;
    assert_eq!(bench.app.event().await["dstip"], "");
    assert_eq!(bench.records().await.len(), 3);
}

#[tokio::test]
async fn nobody_answers() {
    let mut bench = Bench::start_with(|config| config.defaults.ring_ms = 300).await;
    let mut alice = bench.client("alice").await;
    alice.make_call("bob").await;
    let param = bench.app.notified().await.remove("param").unwrap();
    assert_eq!(alice.ended().await, (Reason::NoAnswer, Source::Caller));
    assert_eq!(bench.app.event().await["terminate"], "18");
    // Whoever comes now is too late.
    let mut bob = bench.raw().await;
    let refused = match bob
        .hello(Hello {
            cc_param: Some(param.clone()),
            ..hello("bob")
        })
        .await
    {
        Ok(_) => bob.try_verify(&param).await.unwrap_err().0,
        Err(reason) => reason,
    };
    assert_eq!(refused, Reason::ReleasedCall);
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test]
async fn a_call_has_its_longest_time() {
    let mut bench = Bench::start_with(|config| config.defaults.max_call_ms = Some(200)).await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.ended().await, (Reason::MaxCallTimeExceeded, Source::CloudServer));
    }
    assert_eq!(bench.app.event().await["disconnect_reason"], "1208");
}

#[tokio::test]
async fn times_are_settable_per_service() {
    let mut bench = Bench::start_with(|config| {
        let policy = duologue_server::ServicePolicy {
            ring_ms: 200,
            ..config.defaults.clone()
        };
        config.services.insert(SERVICE.into(), policy);
    })
    .await;
    let (mut alice, _) = bench.ring("alice", "bob").await;
    assert_eq!(alice.ended().await.0, Reason::NoAnswer);
}

#[tokio::test]
async fn one_of_several_devices_answers() {
    let mut bench = Bench::start().await;
    let (mut alice, param) = bench.ring("alice", "bob").await;
    let mut devices = Vec::new();
    for number in 1..=8 {
        let mut device = bench.callee("bob", &param).await;
        assert_eq!(device.verify(&param).await.party, PartyId(number));
        devices.push(device);
    }
    let mut ninth = bench.callee("bob", &param).await;
    assert_eq!(
        ninth.try_verify(&param).await.unwrap_err(),
        (Reason::ServiceTooManyRequests, Source::CloudServer)
    );
    devices[4]
        .send(ClientMessage::Accept {
            call_start_message: None,
        })
        .await;
    let accepted = alice
        .expect("accepted", |message| matches!(message, ServerMessage::Accepted { .. }))
        .await;
    assert!(matches!(accepted, ServerMessage::Accepted { party: PartyId(5), .. }));
    for (index, device) in devices.iter_mut().enumerate().filter(|(index, _)| *index != 4) {
        assert_eq!(
            device.ended().await,
            (Reason::MultidevAnswer, Source::CloudServer),
            "device {index}"
        );
    }
    // One that comes after the accept.
    let mut late = bench.callee("bob", &param).await;
    assert_eq!(late.try_verify(&param).await.unwrap_err().0, Reason::MultidevAnswer);
    devices[4].end().await;
    assert_eq!(alice.ended().await, (Reason::Normal, Source::Callee));
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test]
async fn two_who_call_each_other() {
    let mut bench = Bench::start().await;
    let (mut bob, param) = bench.ring("bob", "alice").await;
    let mut alice = bench.client("alice").await;
    alice.make_call("bob").await;
    assert_eq!(alice.ended().await, (Reason::AlreadyGotACall, Source::CloudServer));
    // The first call survives.
    let mut alice = bench.callee("alice", &param).await;
    alice.verify(&param).await;
    alice
        .send(ClientMessage::Accept {
            call_start_message: None,
        })
        .await;
    bob.expect("accepted", |message| matches!(message, ServerMessage::Accepted { .. }))
        .await;
    assert!(
        bench.app.notifies.try_recv().is_err(),
        "the refused call must not be pushed"
    );
}

#[tokio::test]
async fn busy_users() {
    let mut bench = Bench::start().await;
    let (_alice, mut bob) = bench.talk("alice", "bob").await;
    // The callee talks.
    let mut carol = bench.client("carol").await;
    carol.make_call("bob").await;
    assert_eq!(carol.ended().await, (Reason::Busy, Source::Callee));
    assert_eq!(bench.app.event().await["terminate"], "17");
    // The caller's own user talks on another device.
    let mut other = bench.client("alice").await;
    other.make_call("dave").await;
    assert_eq!(other.ended().await, (Reason::MultidevInUse, Source::CloudServer));
    assert!(bench.app.notifies.try_recv().is_err(), "no refused call may be pushed");
    // Both are free again afterwards.
    bob.end().await;
    bob.drained().await;
    let (_carol, _) = bench.ring("carol", "bob").await;
    assert_eq!(bench.records().await.len(), 3);
}

#[tokio::test]
async fn a_user_in_two_calls_cannot_accept_both() {
    let mut bench = Bench::start().await;
    let (mut alice, first) = bench.ring("alice", "bob").await;
    let (_carol, second) = bench.ring("carol", "bob").await;
    let mut one = bench.callee("bob", &first).await;
    one.verify(&first).await;
    let mut two = bench.callee("bob", &second).await;
    two.verify(&second).await;
    one.send(ClientMessage::Accept {
        call_start_message: None,
    })
    .await;
    alice
        .expect("accepted", |message| matches!(message, ServerMessage::Accepted { .. }))
        .await;
    two.send(ClientMessage::Accept {
        call_start_message: None,
    })
    .await;
    assert_eq!(two.ended().await, (Reason::MultidevInUse, Source::CloudServer));
}

#[tokio::test]
async fn the_media_path_can_be_built_while_it_rings() {
    let mut bench = Bench::start().await;
    let mut alice = bench.client("alice").await;
    alice.make_described_call("bob").await;
    alice.send(candidates("candidate:1")).await;
    alice.drained().await;
    let param = bench.app.notified().await.remove("param").unwrap();
    let mut bob = bench.callee("bob", &param).await;
    let verified = bob.verify(&param).await;
    assert_eq!(verified.description.unwrap().ufrag, "ufrag");
    assert_eq!(verified.candidates, ["candidate:1"]);
    bob.send(ClientMessage::Description {
        party: None,
        description: Box::new(description()),
    })
    .await;
    bob.send(candidates("candidate:2")).await;
    let is_answer = |message: &ServerMessage| matches!(message, ServerMessage::Description { party: PartyId(1), .. });
    alice.expect("a description", is_answer).await;
    assert!(matches!(alice.next().await, Some(ServerMessage::Candidates { .. })));
    // A further device gets a description of its own, and candidates that come late.
    let mut second = bench.callee("bob", &param).await;
    assert_eq!(second.verify(&param).await.description, None);
    assert_eq!(
        alice.next().await,
        Some(ServerMessage::PeerVerified {
            party: PartyId(2),
            describe: true
        })
    );
    alice
        .send(ClientMessage::Description {
            party: Some(PartyId(2)),
            description: Box::new(description()),
        })
        .await;
    assert!(matches!(
        second.next().await,
        Some(ServerMessage::Description { party: PartyId(2), .. })
    ));
}

#[tokio::test]
async fn without_pre_connecting_no_address_is_shown_before_the_accept() {
    let mut bench = Bench::start_with(|config| config.defaults.pre_connect = false).await;
    let mut alice = bench.client("alice").await;
    assert!(!alice.welcome.clone().unwrap().policy.pre_connect);
    alice.make_described_call("bob").await;
    alice.send(candidates("candidate:1")).await;
    alice.drained().await;
    let param = bench.app.notified().await.remove("param").unwrap();
    let mut bob = bench.callee("bob", &param).await;
    let verified = bob.verify(&param).await;
    assert_eq!((verified.description, verified.candidates), (None, Vec::new()));
    bob.send(ClientMessage::Description {
        party: None,
        description: Box::new(description()),
    })
    .await;
    bob.send(ClientMessage::Accept {
        call_start_message: None,
    })
    .await;
    let mut heard = Vec::new();
    while heard.last() != Some(&"description") {
        heard.push(match alice.next().await.unwrap() {
            ServerMessage::Accepted { .. } => "accepted",
            ServerMessage::Description { .. } => "description",
            _ => "other",
        });
    }
    assert!(heard.contains(&"accepted"), "{heard:?}");
    assert!(matches!(bob.next().await, Some(ServerMessage::Accepted { .. })));
    assert!(matches!(bob.next().await, Some(ServerMessage::Description { .. })));
    assert!(matches!(bob.next().await, Some(ServerMessage::Candidates { .. })));
}
