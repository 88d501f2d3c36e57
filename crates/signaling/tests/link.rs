//! Two links over connections that break at every possible moment: everything arrives once and in order.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::print_stdout, reason = "the number of states is a result")]

use std::collections::{HashSet, VecDeque};

use duologue_signaling::ids::PartyId;
use duologue_signaling::link::Link;
use duologue_signaling::{ClientMessage, Envelope, ServerMessage};

const MESSAGES: u32 = 3;
const BREAKS: u8 = 3;

/// Both ends, what is on the wire, and what arrived.
#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    client: Link<ClientMessage>,
    server: Link<ServerMessage>,
    up: VecDeque<Envelope<ClientMessage>>,
    down: VecDeque<Envelope<ServerMessage>>,
    client_sent: u32,
    server_sent: u32,
    at_server: u32,
    at_client: u32,
    breaks: u8,
}

#[derive(Clone, Copy)]
enum Step {
    ClientSends,
    ServerSends,
    Up,
    Down,
    Break,
    Resume,
}

impl World {
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.client_sent < MESSAGES {
            steps.push(Step::ClientSends);
        }
        if self.server_sent < MESSAGES {
            steps.push(Step::ServerSends);
        }
        if !self.up.is_empty() {
            steps.push(Step::Up);
        }
        if !self.down.is_empty() {
            steps.push(Step::Down);
        }
        if !self.client.is_open() {
            steps.push(Step::Resume);
        } else if self.breaks > 0 {
            steps.push(Step::Break);
        }
        steps
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::ClientSends => {
                self.client_sent += 1;
                self.client
                    .send(ClientMessage::Connected {
                        party: PartyId(self.client_sent),
                    })
                    .unwrap();
            }
            Step::ServerSends => {
                self.server_sent += 1;
                self.server
                    .send(ServerMessage::PeerLeft {
                        party: PartyId(self.server_sent),
                    })
                    .unwrap();
            }
            Step::Up => match self.server.handle(self.up.pop_front().unwrap()) {
                Some(ClientMessage::Connected { party }) => {
                    self.at_server += 1;
                    assert_eq!(party.0, self.at_server, "once and in order");
                }
                Some(ClientMessage::Ack) | None => {}
                Some(other) => panic!("{other:?} was never sent"),
            },
            Step::Down => match self.client.handle(self.down.pop_front().unwrap()) {
                Some(ServerMessage::PeerLeft { party }) => {
                    self.at_client += 1;
                    assert_eq!(party.0, self.at_client, "once and in order");
                }
                Some(ServerMessage::Ack) | None => {}
                Some(other) => panic!("{other:?} was never sent"),
            },
            Step::Break => {
                self.breaks -= 1;
                self.client.close();
                self.server.close();
                self.up.clear();
                self.down.clear();
            }
            Step::Resume => {
                let (client, server) = (self.client.received(), self.server.received());
                self.client.resume(server).unwrap();
                self.server.resume(client).unwrap();
            }
        }
        while let Some(envelope) = self.client.poll_transmit() {
            self.up.push_back(envelope);
        }
        while let Some(envelope) = self.server.poll_transmit() {
            self.down.push_back(envelope);
        }
    }
}

#[test]
fn everything_arrives_once_and_in_order() {
    let start = World {
        client: Link::new(),
        server: Link::new(),
        up: VecDeque::new(),
        down: VecDeque::new(),
        client_sent: 0,
        server_sent: 0,
        at_server: 0,
        at_client: 0,
        breaks: BREAKS,
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut frontier = vec![start];
    let mut rests = 0;
    while let Some(world) = frontier.pop() {
        let steps = world.steps();
        if steps.iter().all(|step| matches!(step, Step::Break)) {
            rests += 1;
            assert_eq!((world.at_server, world.at_client), (MESSAGES, MESSAGES));
            assert!(world.client.is_drained() && world.server.is_drained());
            assert_eq!((world.client.stats().gaps, world.server.stats().gaps), (0, 0));
        }
        for step in steps {
            let mut next = world.clone();
            next.perform(step);
            if seen.insert(next.clone()) {
                frontier.push(next);
            }
        }
    }
    println!("{} states, {rests} at rest", seen.len());
    assert!(seen.len() > 1_000 && rests > 0);
}
