//! Fuzz bodies of `duologue-signaling`.

use std::time::{Duration, Instant};

use duologue_signaling::client::{self, ClientCall, Role};
use duologue_signaling::ids::{CallId, PartyId, User};
use duologue_signaling::link::Link;
use duologue_signaling::message::{MakeCall, Message};
use duologue_signaling::server::{self, CallSetup, NotifyResult, ServerCall, WallClock};
use duologue_signaling::{
    CcParam, CcParamError, ClientMessage, Envelope, MediaType, ServerMessage, decode, encode, limits,
};

/// Each line is a message. What decodes must survive encoding, and goes through a link into the state machines:
/// the server's from the device that the line's length names, the clients' from the server.
pub fn signaling_message(data: &[u8]) {
    let now = Instant::now();
    let mut machines = Machines::new(now);
    let mut from_client = Link::<ServerMessage>::new();
    let mut from_server = Link::<ClientMessage>::new();
    for (number, line) in data.split(|byte| *byte == b'\n').take(200).enumerate() {
        let now = now + Duration::from_millis(100 * number as u64);
        if let Some(envelope) = read::<ClientMessage>(line)
            && let Some(message) = from_client.handle(envelope)
        {
            machines.at_server(PartyId(line.len() as u32 % 4), message, now);
        }
        if let Some(envelope) = read::<ServerMessage>(line)
            && let Some(message) = from_server.handle(envelope)
        {
            machines.at_clients(&message, now);
        }
    }
    machines.let_time_pass(now + Duration::from_secs(3_600));
}

fn read<M: Message + PartialEq + std::fmt::Debug>(line: &[u8]) -> Option<Envelope<M>> {
    let envelope = decode::<M>(line).ok()?;
    let text = encode(&envelope);
    if text.len() <= limits::MESSAGE {
        let again = decode::<M>(&text).expect("what was read can be written and read");
        assert_eq!(again, envelope);
    }
    Some(envelope)
}

struct Machines {
    call: ServerCall,
    clients: [ClientCall; 2],
    records: usize,
    ends: [usize; 2],
}

impl Machines {
    fn new(now: Instant) -> Self {
        let user = |id: &str| User {
            service_id: "s".parse().expect("well-formed"),
            user_id: id.parse().expect("well-formed"),
        };
        let setup = CallSetup {
            sid: CallId::from_random([1; 16]),
            caller: user("a"),
            callee: user("b"),
            media_type: MediaType::Audio,
            app_server_data: None,
            call_start_message: None,
            description: None,
            source_address: None,
        };
        let clock = WallClock {
            at: now,
            unix: Duration::from_secs(1_800_000_000),
        };
        let mut call = ServerCall::new(setup, server::Timers::default(), clock, now);
        call.handle_notify_result(NotifyResult::Delivered, now);
        for _ in 0..2 {
            call.verify(None, now).expect("it rings");
        }
        let mut caller = ClientCall::new(Role::Caller, client::Timers::default());
        let make = MakeCall {
            peer_id: "b".parse().expect("well-formed"),
            peer_service_id: "s".parse().expect("well-formed"),
            media_type: MediaType::Audio,
            app_server_data: None,
            call_start_message: None,
            description: None,
        };
        caller.make_call(make, now).expect("a fresh caller");
        let mut callee = ClientCall::new(Role::Callee, client::Timers::default());
        callee.verify_call(String::new(), now).expect("a fresh callee");
        let mut machines = Self {
            call,
            clients: [caller, callee],
            records: 0,
            ends: [0; 2],
        };
        machines.drain();
        machines
    }

    fn at_server(&mut self, party: PartyId, message: ClientMessage, now: Instant) {
        self.call.handle_message(party, message, now);
        self.drain();
        let journal = self
            .call
            .snapshot()
            .map(|snapshot| serde_json::to_string(&snapshot).expect("a snapshot is texts and numbers"));
        if let Some(journal) = journal {
            let snapshot: server::Snapshot = serde_json::from_str(&journal).expect("what was written can be read");
            assert_eq!(Some(snapshot), self.call.snapshot());
        }
    }

    fn at_clients(&mut self, message: &ServerMessage, now: Instant) {
        for client in &mut self.clients {
            client.handle_message(message.clone(), now);
        }
        self.drain();
    }

    /// Every deadline passes, after which everything that is not accepted has ended.
    fn let_time_pass(&mut self, now: Instant) {
        self.call.handle_timeout(now);
        for client in &mut self.clients {
            client.handle_timeout(now);
            assert_eq!(client.poll_timeout(), None);
        }
        self.drain();
        assert!(self.call.is_ended() || self.call.accepted().is_some());
    }

    fn drain(&mut self) {
        let mut outputs = 0;
        while let Some(output) = self.call.poll_output() {
            outputs += 1;
            self.records += usize::from(matches!(output, server::Output::Record(_)));
        }
        for (client, ends) in self.clients.iter_mut().zip(&mut self.ends) {
            while let Some(output) = client.poll_output() {
                outputs += 1;
                assert_eq!(*ends, 0, "{output:?} after the end");
                let end = matches!(output, client::Output::Event(client::Event::Disconnected { .. }));
                *ends += usize::from(end);
            }
        }
        assert!(outputs <= 100, "one input made the machines answer {outputs} times");
        assert!(self.records <= 1);
    }
}

/// What the server opens was sealed with its key. What a client can read can be sealed and read again.
pub fn cc_param(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(info) = CcParam::peek(&text) else {
        let nobody = User {
            service_id: "s".parse().expect("well-formed"),
            user_id: "u".parse().expect("well-formed"),
        };
        assert!(CcParam::open(&text, &nobody, 0, |_, _, _| true).is_err());
        return;
    };
    let opened = CcParam::open(&text, &info.callee(), 0, |_, _, _| false);
    assert!(matches!(opened, Err(CcParamError::Forged | CcParamError::Malformed)));
    let sealed = CcParam::seal(&info, 7, |message| message[..32].to_vec());
    assert!(sealed.len() <= limits::CC_PARAM);
    assert_eq!(CcParam::peek(&sealed).as_ref(), Ok(&info));
    let opened = CcParam::open(&sealed, &info.callee(), 0, |kid, message, mac| {
        kid == 7 && message[..32] == *mac
    });
    match opened {
        Ok(opened) => assert_eq!(opened, info),
        Err(error) => assert!(info.expires == 0 && error == CcParamError::Expired { at: 0 }),
    }
}
