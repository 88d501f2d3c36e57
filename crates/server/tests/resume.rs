//! A whole call over the real server, with the connection of one side broken at each of its messages: both applications must
//! be told the same as without the break, the app server too, and there is one record.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Instant;

use common::{Bench, Client, PATIENCE, SERVICE, description, hello};
use duologue_signaling::client::{CallState, ClientCall, Event, Output, PathEvent, Role, Timers};
use duologue_signaling::ids::PartyId;
use duologue_signaling::message::{Hello, MakeCall};
use duologue_signaling::{
    ClientMessage, DisconnectReason, DisconnectSource, Envelope, MediaType, ServerMessage, decode, encode,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// Where the connection breaks: at the message of this number among those of one direction, greetings and bare
/// acknowledgements included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    Never,
    /// The message never leaves.
    BeforeSending(usize),
    /// It may arrive, or be lost on its way.
    AfterSending(usize),
    /// It was on its way.
    BeforeReading(usize),
    /// It was understood, and nothing that it causes was said.
    AfterReading(usize),
}

/// A device: the state machine and the link that native clients have, over a real connection.
struct Phone {
    call: ClientCall,
    client: Client,
    hello: Hello,
    open: bool,
    plan: Break,
    sent: usize,
    read: usize,
    breaks: usize,
    events: Vec<Event>,
    /// The device at the callee's end of the media path.
    party: Option<PartyId>,
    described: bool,
}

impl Phone {
    async fn new(bench: &Bench, role: Role, hello: Hello, plan: Break) -> Self {
        Self {
            call: ClientCall::new(role, Timers::default()),
            client: bench.raw().await,
            hello,
            open: false,
            plan,
            sent: 0,
            read: 0,
            breaks: 0,
            events: Vec::new(),
            party: None,
            described: false,
        }
    }

    /// Greets on the present connection.
    async fn greet(&mut self, bench: &Bench) {
        self.open = true;
        let hello = Box::new(self.hello.clone());
        let envelope = Envelope::unnumbered(ClientMessage::Hello(hello), self.client.link.received());
        self.send(bench, encode(&envelope)).await;
    }

    async fn send(&mut self, bench: &Bench, text: String) {
        let number = self.sent;
        self.sent += 1;
        if self.plan == Break::BeforeSending(number) {
            return self.lose(bench).await;
        }
        // A refusal to send is found out by reading.
        let _ = self.client.socket.send(Message::text(text)).await;
        if self.plan == Break::AfterSending(number) {
            self.lose(bench).await;
        }
    }

    /// The connection is reset; a moment later there is another one.
    async fn lose(&mut self, bench: &Bench) {
        self.breaks += 1;
        self.open = false;
        self.client.socket.get_mut().set_zero_linger().unwrap();
        self.client.socket = bench.raw().await.socket;
        self.client.link.close();
        self.call.handle_signal_down(None, now());
        Box::pin(self.greet(bench)).await;
    }

    async fn receive(&mut self) -> String {
        loop {
            match self.client.socket.next().await {
                Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => panic!("the server closed: {:?}", self.events),
                Some(Ok(_)) => {}
            }
        }
    }

    async fn read(&mut self, bench: &Bench, text: String) {
        let number = self.read;
        self.read += 1;
        if self.plan == Break::BeforeReading(number) {
            return self.lose(bench).await;
        }
        self.handle(decode(text).unwrap());
        if self.plan == Break::AfterReading(number) {
            self.lose(bench).await;
        }
    }

    fn handle(&mut self, envelope: Envelope<ServerMessage>) {
        if let ServerMessage::Welcome(welcome) = &envelope.msg {
            if welcome.resumed {
                self.client.link.resume(envelope.ack).unwrap();
            } else {
                self.client.link.restart();
            }
            self.hello.resume = Some(welcome.resume.clone());
            self.call.handle_signal_up(welcome);
        } else if let Some(message) = self.client.link.handle(envelope) {
            assert!(!matches!(message, ServerMessage::Error { .. }), "{message:?}");
            self.call.handle_message(message, now());
        }
    }

    /// Does what the state machine wants, then says what is to be said.
    async fn flush(&mut self, bench: &Bench) {
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::Send(message) => self.client.link.send(message).unwrap(),
                Output::Event(event) => self.events.push(event),
                Output::Confirmed(verified) => {
                    self.party = Some(verified.party);
                    self.call.describe(None, description());
                }
                Output::RemoteDescription { party, .. } => {
                    assert!(!self.described, "told once");
                    self.described = true;
                    self.party = Some(party);
                }
                _ => {}
            }
        }
        while self.open
            && let Some(envelope) = self.client.link.poll_transmit()
        {
            self.send(bench, encode(&envelope)).await;
        }
    }

    fn is_done(&self) -> bool {
        self.call.state() == CallState::Disconnected && self.client.link.is_drained()
    }

    fn is_connected(&self) -> bool {
        self.call.state() == CallState::Connected
    }
}

fn now() -> Instant {
    Instant::now()
}

/// What came of a call.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    caller: Vec<Event>,
    callee: Vec<Event>,
    record: (u16, u8, Option<String>, bool),
}

struct Run {
    told: Told,
    /// Messages of each side in each direction, and breaks.
    caller: (usize, usize, usize),
    callee: (usize, usize, usize),
}

/// What the two users do next, each waiting for what the other did before. False when there is nothing left to do.
fn act(step: &mut usize, caller: &mut Phone, callee: &mut Phone) -> bool {
    let told = |phone: &Phone, event: &Event| phone.events.contains(event);
    let held = |reason: &str| Event::PeerHeld {
        reason: Some(reason.into()),
    };
    match *step {
        // The media path comes up on both ends once the caller knows how the callee is reached.
        0 if caller.described => {
            for phone in [&mut *caller, &mut *callee] {
                phone.call.handle_path(phone.party.unwrap(), PathEvent::Up, now());
            }
        }
        1 if callee.call.state() == CallState::Verified => callee.call.accept(Some("hello".into()), now()).unwrap(),
        2 if caller.is_connected() && callee.is_connected() => caller.call.mute(true).unwrap(),
        3 if told(callee, &Event::PeerMuted(true)) => callee.call.hold(true, Some("lunch".into())).unwrap(),
        4 if told(caller, &held("lunch")) => caller.call.hold(true, Some("too".into())).unwrap(),
        5 if told(callee, &held("too")) => callee.call.hold(false, None).unwrap(),
        6 if told(caller, &Event::PeerUnheld) => {
            caller.call.mute(false).unwrap();
            callee.call.mute(true).unwrap();
        }
        7 if told(callee, &Event::PeerMuted(false)) && told(caller, &Event::PeerMuted(true)) => {
            let reason = Some(DisconnectReason::UserError);
            caller.call.end(reason, Some("bye".into()), now()).unwrap();
        }
        _ => return false,
    }
    *step += 1;
    true
}

async fn call(bench: &mut Bench, number: usize, plans: [Break; 2]) -> Run {
    let names = [format!("alice{number}"), format!("bob{number}")];
    let proven = Hello {
        access_token: Some(bench.token(&names[0])),
        ..hello(&names[0])
    };
    let mut caller = Phone::new(bench, Role::Caller, proven, plans[0]).await;
    let make = MakeCall {
        peer_id: names[1].parse().unwrap(),
        peer_service_id: SERVICE.parse().unwrap(),
        media_type: MediaType::Audio,
        app_server_data: None,
        call_start_message: Some("hi".into()),
        description: Some(Box::new(description())),
    };
    caller.call.make_call(make, now()).unwrap();
    caller.greet(bench).await;
    // Until the app server is told, the caller is alone.
    while !matches!(caller.events.first(), Some(Event::WaitConnected)) {
        caller.flush(bench).await;
        let text = caller.receive().await;
        caller.read(bench, text).await;
        caller.flush(bench).await;
    }
    let notify = bench.app.notified().await;
    assert_eq!(notify["from_user_id"], names[0], "notified once for each call");
    let param = &notify["param"];
    let verifying = Hello {
        cc_param: Some(param.clone()),
        ..hello(&names[1])
    };
    let mut callee = Phone::new(bench, Role::Callee, verifying, plans[1]).await;
    callee.call.verify_call(param.clone(), now()).unwrap();
    callee.greet(bench).await;
    let mut step = 0;
    loop {
        caller.flush(bench).await;
        callee.flush(bench).await;
        while act(&mut step, &mut caller, &mut callee) {
            caller.flush(bench).await;
            callee.flush(bench).await;
        }
        if caller.is_done() && callee.is_done() {
            break;
        }
        let open = [!caller.is_done(), !callee.is_done()];
        tokio::select! {
            biased;
            text = caller.receive(), if open[0] => caller.read(bench, text).await,
            text = callee.receive(), if open[1] => callee.read(bench, text).await,
        }
    }
    let records = bench.records().await;
    let [record] = records
        .iter()
        .filter(|it| it.from_user_id == names[0])
        .collect::<Vec<_>>()[..]
    else {
        panic!("not one record of one call")
    };
    let told = Told {
        record: (
            record.disconnect_reason,
            record.releaser_type,
            record.user_rel_code.clone(),
            record.start_time > 0,
        ),
        caller: caller.events,
        callee: callee.events,
    };
    Run {
        told,
        caller: (caller.sent, caller.read, caller.breaks),
        callee: (callee.sent, callee.read, callee.breaks),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_wherever_the_connection_breaks() {
    let mut bench = Bench::start_with(|config| {
        // The callee is told of the call with its path up, however slow this machine is.
        config.defaults.verified_after_ms = 30_000;
        config.limits.address_burst = 100_000;
    })
    .await;
    let mut number = 0;
    let mut run = async |plans: [Break; 2]| {
        number += 1;
        timeout(PATIENCE, call(&mut bench, number, plans))
            .await
            .unwrap_or_else(|_| panic!("{plans:?}: the call does not come to its end"))
    };
    let whole = run([Break::Never; 2]).await;
    assert_eq!(whole.told.record, (1110, 2, Some("bye".into()), true));
    let connected = |text: Option<&str>| Event::Connected {
        call_start_message: text.map(Into::into),
    };
    let held = |reason: &str| Event::PeerHeld {
        reason: Some(reason.into()),
    };
    let (reason, source) = (DisconnectReason::UserError, DisconnectSource::Caller);
    let ended = |by_remote: bool| Event::Disconnected {
        reason,
        source,
        by_remote,
        user_code: by_remote.then(|| "bye".into()),
    };
    let muted = Event::PeerMuted;
    let expected = [
        vec![
            Event::WaitConnected,
            connected(Some("hello")),
            held("lunch"),
            Event::PeerUnheld,
            muted(true),
            ended(false),
        ],
        vec![
            Event::Verified { pre_connected: true },
            connected(None),
            muted(true),
            held("too"),
            muted(false),
            ended(true),
        ],
    ];
    assert_eq!([&whole.told.caller, &whole.told.callee], [&expected[0], &expected[1]]);

    let mut lost = 0;
    for side in [0, 1] {
        let (sent, read, _) = [whole.caller, whole.callee][side];
        assert!(sent >= 10 && read >= 8, "{sent} sent, {read} read");
        let plans = (0..sent).flat_map(|number| [Break::BeforeSending(number), Break::AfterSending(number)]);
        let plans =
            plans.chain((0..read).flat_map(|number| [Break::BeforeReading(number), Break::AfterReading(number)]));
        for plan in plans {
            let mut both = [Break::Never; 2];
            both[side] = plan;
            let broken = run(both).await;
            assert_eq!(broken.told, whole.told, "{both:?}");
            let (.., breaks) = [broken.caller, broken.callee][side];
            // Bare acknowledgements may travel with something else, so that the last ones may not come.
            lost += breaks;
        }
    }
    assert!(lost >= 60, "only {lost} connections broke");
}
