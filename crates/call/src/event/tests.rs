use super::*;
use crate::{CallState, SetupPhases};

fn event(kind: CallEventKind) -> CallEvent {
    CallEvent {
        at: Instant::now(),
        kind,
    }
}

fn connected() -> CallEventKind {
    let setup = SetupPhases::new(Instant::now());
    CallEventKind::Connected(CallConnectedParam {
        call_start_message: None,
        setup,
    })
}

fn disconnected() -> CallEventKind {
    CallEventKind::Disconnected(DisconnectedParam {
        source: duologue_signaling::DisconnectSource::Caller,
        reason: duologue_signaling::DisconnectReason::Normal.into(),
        by_remote: false,
        user_code: None,
    })
}

#[tokio::test]
async fn a_flood_costs_only_what_is_expendable() {
    let queue = Arc::new(EventQueue::default());
    assert!(queue.push(event(CallEventKind::WaitConnected)));
    assert!(queue.push(event(connected())));
    for _ in 0..10_000 {
        assert!(queue.push(event(CallEventKind::PeerMicMuted)));
    }
    assert!(queue.push(event(disconnected())));
    assert!(
        !queue.push(event(CallEventKind::PeerMicMuted)),
        "nothing follows the last event"
    );

    let mut events = Events::new(queue);
    let mut names = Vec::new();
    while let Some(event) = events.next().await {
        names.push(event.kind.name());
    }
    assert_eq!(names[..2], ["evt_wait_connected", "evt_connected"]);
    assert_eq!(names.last(), Some(&"evt_disconnected"));
    assert_eq!(names.len(), CAPACITY);
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_an_event_and_by_the_end() {
    let queue = Arc::new(EventQueue::default());
    let mut events = Events::new(queue.clone());
    let (next, _) = tokio::join!(events.next(), async {
        tokio::task::yield_now().await;
        queue.push(event(CallEventKind::WaitConnected))
    });
    assert_eq!(next.map(|event| event.kind.name()), Some("evt_wait_connected"));
    let (next, ()) = tokio::join!(events.next(), async {
        tokio::task::yield_now().await;
        queue.close();
    });
    assert!(next.is_none());
}

#[test]
fn a_dropped_reader_stops_the_queue() {
    let queue = Arc::new(EventQueue::default());
    drop(Events::new(queue.clone()));
    assert!(!queue.push(event(CallEventKind::WaitConnected)));
    assert_eq!(CallState::Trying, CallState::default());
}
