//! Prints the CPU time of the assignment engine alone for each item, for 1,000 to 100,000 creations against a model of AWS, and the
//! ratio of the largest number to the smallest. `cargo bench -p aws-sso-glue --bench engine`; with `-- --test`, a tenth of 1,000
//! and 1,000 only.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::time::Duration;

use assignments::engine::{Action, Engine, FailedList, Item, Next, Settings};
use cpu_time::ThreadTime;

// The engine is not public: this benchmark compiles it as its own module.
#[path = "../src/assignments"]
mod assignments {
    #[allow(
        dead_code,
        unused_imports,
        reason = "this benchmark needs a part of the engine"
    )]
    pub(crate) mod engine;
}

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let sizes: &[u32] = if is_test {
        &[100, 1_000]
    } else {
        &[1_000, 10_000, 100_000]
    };
    println!("creations  µs each  calls each");
    let mut each = Vec::new();
    for &creations in sizes {
        let begin = ThreadTime::now();
        let calls = run(creations);
        let microseconds = begin.elapsed().as_secs_f64() * 1e6 / f64::from(creations);
        let calls = f64::from(calls) / f64::from(creations);
        println!("{creations:>9}  {microseconds:>7.2}  {calls:>10.2}");
        each.push(microseconds);
    }
    let [first, .., last] = each[..] else { return };
    println!("the largest against the smallest: {:.2}", last / first);
}

/// Creates this number of assignments and returns the number of calls.
fn run(creations: u32) -> u32 {
    let accounts = (creations / 10).clamp(1, 1_000);
    let items: Vec<Item> = (0..creations)
        .map(|index| Item {
            action: Action::Create,
            account: index % accounts,
            permission_set: index / accounts % 50,
            principal: index / accounts,
        })
        .collect();
    let mut engine: Engine<u32, ()> = Engine::new(&items, Settings::default());
    let (mut now, mut calls, mut ended) = (Duration::ZERO, 0, 0);
    // The operations in progress, with their ends.
    let mut running: Vec<(u32, Duration)> = Vec::new();
    loop {
        let next = engine.next(now);
        ended += engine.drain_ended().count();
        match next {
            Next::Send(item) => {
                assert!(running.len() < SLOTS, "too many operations");
                // 8 to 12 s.
                let millis = 8_000 + u64::from(item).wrapping_mul(0x9E37_79B9) % 4_001;
                running.push((item, now + Duration::from_millis(millis)));
                engine.on_started(now, item, item);
            }
            Next::ListInProgress(action) => {
                running.retain(|(_, end)| *end > now);
                let listed = running.iter().map(|(id, _)| *id).collect();
                engine.on_in_progress(now, action, Some(listed));
            }
            Next::ListFailed(action) => {
                let (ids, complete) = (Vec::new(), true);
                now += Duration::from_millis(1);
                engine.on_failed_list(now, action, Some(FailedList { ids, complete }));
            }
            Next::Wait(until) => {
                now = until.expect("no request is in flight");
                continue;
            }
            Next::Done => break,
            Next::Describe(..) | Next::ReadPair(_) => unreachable!("nothing fails"),
        }
        calls += 1;
    }
    assert_eq!(ended, items.len(), "each item ends once");
    calls
}

/// The number of operations that AWS carries out at a time.
const SLOTS: usize = 15;
