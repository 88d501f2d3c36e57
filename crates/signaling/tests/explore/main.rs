//! Every order in which anything can happen to a call, up to small budgets of faults.
//!
//! The world is a caller, the server and one or two devices of the callee, with everything that is under way between them.
//! From the beginning on, each state is continued by each thing that can happen next: a message arrives, a connection
//! breaks or is taken up again (with the server's memory of it or without), the server restarts from its journal, a
//! deadline passes, the notify callback is answered, a user decides, a media path comes up or breaks, audio or a goodbye
//! arrives on it or is lost. Time stands still: any armed deadline may pass at any moment, which covers every duration.
//!
//! In the first mode connections keep their order and the session replays what was lost, as `link` guarantees
//! (`tests/link.rs` explores that). In the second, messages overtake each other, arrive twice and are lost, as if there
//! were no link; nothing may break then either, but a side that was never told of the end is not expected to know.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::print_stdout, reason = "the number of states is a result")]

mod world;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};

use world::{Action, Budget, Mode, World};

/// Mixes eight bytes at a time, several times faster than the standard hasher. Two different states of a million share a
/// value with a chance of one in ten million; then one of them would not be continued.
#[derive(Default)]
struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, value: u64) {
        let product = u128::from(self.0.rotate_left(23) ^ value ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93_u128;
        self.0 ^= (product as u64) ^ ((product >> 64) as u64).wrapping_add(value.rotate_left(31));
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word) ^ (chunk.len() as u64) << 60);
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn finish(&self) -> u64 {
        let mut end = Self(self.0);
        end.mix(0);
        end.mix(1);
        end.0
    }
}

fn hash(world: &World) -> u64 {
    let mut hasher = Mixer::default();
    world.hash(&mut hasher);
    hasher.finish()
}

/// How each state was reached, so that a violation can be told as a story.
type Seen = HashMap<u64, Option<(u64, Action)>>;

fn story(seen: &Seen, mut state: u64, last: Option<Action>) -> String {
    let mut actions: Vec<Action> = last.into_iter().collect();
    while let Some(Some((before, action))) = seen.get(&state) {
        actions.push(*action);
        state = *before;
    }
    actions.reverse();
    actions.iter().map(|action| format!("\n  {action:?}")).collect()
}

struct Explored {
    states: usize,
    transitions: usize,
    quiet: usize,
    over: usize,
}

fn explore(name: &str, devices: usize, mode: Mode, budget: Budget) -> Explored {
    let start = World::new(devices, mode, budget);
    let mut seen = Seen::new();
    seen.insert(hash(&start), None);
    let mut frontier = VecDeque::from([(hash(&start), start)]);
    let mut explored = Explored {
        states: 0,
        transitions: 0,
        quiet: 0,
        over: 0,
    };
    while let Some((here, world)) = frontier.pop_front() {
        explored.states += 1;
        let actions = world.actions();
        if actions.iter().all(|action| action.is_choice()) {
            explored.quiet += 1;
            if let Err(violation) = world.check_quiet() {
                panic!("{name}: {violation}{}", story(&seen, here, None));
            }
        }
        explored.over += usize::from(world.is_over());
        for action in actions {
            let mut next = world.clone();
            if let Err(violation) = next.perform(action) {
                panic!("{name}: {violation}{}", story(&seen, here, Some(action)));
            }
            explored.transitions += 1;
            let there = hash(&next);
            if let Entry::Vacant(vacant) = seen.entry(there) {
                vacant.insert(Some((here, action)));
                frontier.push_back((there, next));
            }
        }
    }
    println!(
        "{name}: {} states, {} transitions, {} at rest, {} with the call over",
        explored.states, explored.transitions, explored.quiet, explored.over
    );
    assert!(explored.over > 0 && explored.quiet > 0);
    explored
}

#[test]
fn one_device() {
    let budget = Budget {
        breaks: 1,
        failures: 1,
        lossy_media: true,
        ..Budget::default()
    };
    let explored = explore("one device, connections break", 1, Mode::Linked, budget);
    assert!(explored.states > 1_000);
}

#[test]
fn one_device_and_a_restart_of_the_server() {
    let budget = Budget {
        restarts: 1,
        lossy_media: true,
        ..Budget::default()
    };
    explore("one device, the server restarts", 1, Mode::Linked, budget);
}

#[test]
fn one_device_and_holds() {
    let broken = Budget {
        breaks: 2,
        holds: 2,
        ..Budget::default()
    };
    explore("one device, holds, connections break", 1, Mode::Linked, broken);
    let restarted = Budget {
        restarts: 1,
        holds: 3,
        ..Budget::default()
    };
    explore("one device, holds, the server restarts", 1, Mode::Linked, restarted);
}

#[test]
fn two_devices() {
    explore("two devices", 2, Mode::Linked, Budget::default());
}

#[test]
fn one_device_without_a_link() {
    let budget = Budget {
        drops: 1,
        duplicates: 1,
        lossy_media: true,
        ..Budget::default()
    };
    explore("one device, messages lost, doubled, reordered", 1, Mode::Raw, budget);
}
