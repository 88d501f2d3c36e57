//! Prints how long calls take to come about, on virtual time: `cargo run --release -p duologue-interop --example setup_table`.
//! An argument is the number of seeds of each cell with loss, 400 without one.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a table of measurements")]

#[path = "../tests/setup/oracle.rs"]
mod oracle;
#[path = "../tests/setup/ours.rs"]
mod ours;
#[path = "../tests/setup/world.rs"]
mod world;

use std::time::Duration;

use world::{Setting, Stack, Times, call};

const ROWS: [(&str, Stack, bool); 5] = [
    ("`is` + `dimpl`, direct", Stack::Oracle, false),
    ("ours, direct", Stack::Ours, false),
    ("ours, direct, DTLS in STUN", Stack::OursInStun, false),
    ("ours, relay", Stack::Ours, true),
    ("ours, relay, DTLS in STUN", Stack::OursInStun, true),
];

fn main() {
    let seeds = std::env::args().nth(1).map_or(400, |text| text.parse().unwrap());
    println!(
        "| | RTT, ms | loss | path up p50, ms | p99 | in RTT | p99 ÷ loss-free | audio at caller p50 / p99 | at callee p50 / p99 | failed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (name, stack, relay) in ROWS {
        for rtt in [20, 100, 300].map(Duration::from_millis) {
            let mut loss_free = Duration::ZERO;
            for loss in [0.0, 0.1] {
                let runs = if loss > 0.0 { seeds } else { 20 };
                let calls: Vec<Option<Times>> = (1..=runs)
                    .map(|seed| {
                        call(&Setting {
                            stack,
                            rtt,
                            loss,
                            relay,
                            seed,
                            lost: None,
                        })
                    })
                    .collect();
                let failed = calls.iter().filter(|call| call.is_none()).count();
                let done: Vec<Times> = calls.into_iter().flatten().collect();
                let of = |which: fn(&Times) -> Duration| {
                    let mut times: Vec<Duration> = done.iter().map(which).collect();
                    times.sort();
                    [50, 99].map(|percent| times[(times.len() - 1) * percent / 100])
                };
                let [up, at_caller, at_callee] = [
                    of(|times| times.up),
                    of(|times| times.audio_at_caller),
                    of(|times| times.audio_at_callee),
                ];
                if loss == 0.0 {
                    loss_free = up[0];
                }
                let ms = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1000.0);
                println!(
                    "| {name} | {} | {:.0} % | {} | {} | {:.2} | {:.1} | {} / {} | {} / {} | {failed} |",
                    rtt.as_millis(),
                    loss * 100.0,
                    ms(up[0]),
                    ms(up[1]),
                    up[0].as_secs_f64() / rtt.as_secs_f64(),
                    up[1].as_secs_f64() / loss_free.as_secs_f64(),
                    ms(at_caller[0]),
                    ms(at_caller[1]),
                    ms(at_callee[0]),
                    ms(at_callee[1]),
                );
            }
        }
    }
}
