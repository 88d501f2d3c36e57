//! The client's end of a session: random sequences, and its limits.

use duologue_signaling::ids::PartyId;
use duologue_signaling::link::Link;
use duologue_signaling::{ClientMessage, Envelope, ServerMessage};
use serde_json::{Value, json};

use crate::random::Rng;

const SEQUENCES: u64 = 40;
const STEPS: usize = 60;

struct Recorder {
    link: Link<ClientMessage>,
    steps: Vec<Value>,
    /// The number of the last message sent, and what a well-behaved server sent.
    sent: u64,
    server: u64,
}

impl Recorder {
    fn new() -> Self {
        Self {
            link: Link::new(),
            steps: Vec::new(),
            sent: 0,
            server: 0,
        }
    }

    fn note(&mut self, input: Value, result: Value) {
        let link = &self.link;
        let stats = link.stats();
        let seen = json!([
            link.received(),
            link.is_drained(),
            link.is_open(),
            [stats.duplicates, stats.gaps, stats.bad_acks, stats.replayed]
        ]);
        self.steps.push(json!([input, result, seen]));
    }

    fn send(&mut self, times: usize, message: &ClientMessage) {
        let taken = (0..times).filter(|_| self.link.send(message.clone()).is_ok()).count();
        self.sent += taken as u64;
        self.note(json!(["send", times, message]), json!(taken));
    }

    fn handle(&mut self, seq: u64, ack: u64, msg: ServerMessage) {
        let envelope = Envelope { v: 1, seq, ack, msg };
        let input = json!(["handle", envelope]);
        let given = self.link.handle(envelope);
        self.note(input, json!(given));
    }

    fn transmit(&mut self, most: usize) {
        let link = &mut self.link;
        let sent: Vec<Value> = std::iter::from_fn(|| link.poll_transmit())
            .take(most)
            .map(|it| json!(it))
            .collect();
        self.note(json!(["transmit", most]), json!(sent));
    }

    fn resume(&mut self, ack: u64) {
        let resumed = self.link.resume(ack).is_ok();
        self.note(json!(["resume", ack]), json!(resumed));
    }

    fn restart(&mut self) {
        self.link.restart();
        self.server = 0;
        self.note(json!(["restart"]), Value::Null);
    }

    fn close(&mut self) {
        self.link.close();
        self.note(json!(["close"]), Value::Null);
    }

    fn wrap(&mut self) {
        let wrapped = self.link.wrap(ClientMessage::Ping);
        self.note(json!(["wrap", ClientMessage::Ping]), json!(wrapped));
    }
}

fn random(seed: u64) -> Recorder {
    let mut rng = Rng(seed);
    let mut recorder = Recorder::new();
    recorder.restart();
    while recorder.steps.len() < STEPS {
        match rng.below(20) {
            0..=4 => {
                let party = PartyId(u32::try_from(rng.below(100)).unwrap());
                recorder.send(1, &ClientMessage::Connected { party });
            }
            5..=9 => {
                // Mostly the next number, and an acknowledgement of something that was sent.
                let seq = match rng.below(8) {
                    0 => 0,
                    1 => recorder.server + 2,
                    2 => recorder.server.max(1),
                    _ => {
                        recorder.server += 1;
                        recorder.server
                    }
                };
                let ack = rng.below(recorder.sent + 3);
                let message = if seq == 0 {
                    ServerMessage::Pong
                } else {
                    ServerMessage::WaitConnected
                };
                recorder.handle(seq, ack, message);
            }
            10 => recorder.close(),
            11 => {
                let ack = rng.below(recorder.sent + 2);
                recorder.resume(ack);
            }
            12 if rng.below(3) == 0 => recorder.restart(),
            13 => recorder.wrap(),
            _ => {
                let most = rng.pick(&[1, 2, 50]);
                recorder.transmit(most);
            }
        }
    }
    recorder
}

fn limits() -> Vec<Recorder> {
    let mut messages = Recorder::new();
    messages.send(300, &ClientMessage::Mute { muted: true });
    messages.restart();
    messages.handle(0, 1, ServerMessage::Ack);
    messages.send(2, &ClientMessage::Mute { muted: false });
    let mut bytes = Recorder::new();
    // Bytes of UTF-8 count, with JSON's escapes.
    let message = ClientMessage::Hold {
        held: true,
        reason: Some("\u{1}\n\"\\é保😀\u{7f}\u{2028}".repeat(9)),
    };
    bytes.send(300, &message);
    bytes.send(1, &ClientMessage::Mute { muted: true });
    bytes.restart();
    bytes.handle(0, 1, ServerMessage::Ack);
    bytes.send(2, &message);
    vec![messages, bytes]
}

pub(crate) fn sequences() -> Vec<Value> {
    let random = (0..SEQUENCES).map(|seed| (format!("sequence {seed}"), random(seed)));
    let limits = limits()
        .into_iter()
        .enumerate()
        .map(|(at, it)| (format!("limit {at}"), it));
    random
        .chain(limits)
        .map(|(name, it)| json!({ "name": name, "steps": it.steps }))
        .collect()
}
