//! Compares this crate with other software on the same bytes: `benches/peers/run`.
//!
//! Each row is the median of many rounds. In each round every implementation runs once, so that other load on the machine
//! affects all of them.

use std::{collections::BTreeMap, env, fs, hint::black_box, time::Instant};

use scim_types::{ListResponse, User, filter::Filter};
use scim_v2::models::{others::ListResponse as TheirList, user::User as TheirUser};
use serde_json::Value;

#[path = "../../generate/users.rs"]
mod users;

use users::Shape;

const SIMPLE: &str = r#"userName eq "user.7@example.com""#;
const COMPLEX: &str = r#"userType eq "Employee" and (emails[type eq "work" and value co "@example.com"] or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "Res") and not (active eq false)"#;

type Work<'a> = (&'static str, Box<dyn Fn() + 'a>);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Writes the files that the Python program reads.
        ["generate", folder] => {
            for (name, shape) in [("small", Shape::Small), ("full", Shape::Full)] {
                fs::write(format!("{folder}/{name}.json"), users::list(10_000, shape)).expect("a file");
            }
        }
        // Runs one implementation once, for a profiler.
        ["only", implementation, shape] => {
            let json = users::list(10_000, if shape == "full" { Shape::Full } else { Shape::Small });
            match implementation {
                "ours" => drop(black_box(ours(&json))),
                "scim_v2" => drop(black_box(theirs(&json))),
                _ => {}
            }
        }
        _ => compare(),
    }
}

fn ours(json: &str) -> ListResponse<User> {
    serde_json::from_str(json).expect("a list")
}

fn theirs(json: &str) -> TheirList<TheirUser> {
    serde_json::from_str(json).expect("a list")
}

fn compare() {
    for (name, shape) in [("small", Shape::Small), ("full", Shape::Full)] {
        let json = users::list(10_000, shape);
        // Both implementations find all users, but only scim-types keeps unknown attributes.
        assert_eq!(ours(&json).resources.len(), 10_000);
        assert_eq!(theirs(&json).total_results, 10_000);
        let kept = |written: String| written.contains("\"lot\"");
        assert_eq!(kept(serde_json::to_string(&ours(&json)).expect("JSON")), shape == Shape::Full);
        assert!(!kept(serde_json::to_string(&theirs(&json)).expect("JSON")));

        println!("\n### Decode a list of 10,000 {name} users, {:.2} MB\n", json.len() as f64 / 1e6);
        table(
            21,
            json.len(),
            vec![
                ("scim-types, lossless", Box::new(|| drop(black_box(ours(black_box(&json)))))),
                (
                    "scim_v2 1.0.0, unknown attributes dropped",
                    Box::new(|| drop(black_box(theirs(black_box(&json))))),
                ),
                (
                    "serde_json::Value",
                    Box::new(|| {
                        let value: Value = serde_json::from_str(black_box(&json)).expect("JSON");
                        drop(black_box(value));
                    }),
                ),
            ],
        );
    }
    for (name, text) in [("simple", SIMPLE), ("complex", COMPLEX)] {
        assert!(Filter::parse(text).is_ok() && text.parse::<scim_v2::filter::Filter>().is_ok());
        println!("\n### Parse a {name} filter of {} bytes, 1,000 times\n", text.len());
        table(
            101,
            text.len() * 1000,
            vec![
                (
                    "scim-types",
                    Box::new(|| (0..1000).for_each(|_| drop(black_box(Filter::parse(black_box(text)))))),
                ),
                (
                    "scim_v2 1.0.0",
                    Box::new(|| {
                        (0..1000).for_each(|_| drop(black_box(black_box(text).parse::<scim_v2::filter::Filter>())));
                    }),
                ),
            ],
        );
    }
}

/// Prints the median time of each row. In each round every row runs once; the first row is the baseline.
fn table(rounds: usize, bytes: usize, work: Vec<Work<'_>>) {
    let mut times: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for round in 0..=rounds {
        for (at, (_, run)) in work.iter().enumerate() {
            let start = Instant::now();
            run();
            // The first round warms up.
            if round > 0 {
                times.entry(at).or_default().push(start.elapsed().as_secs_f64());
            }
        }
    }
    let medians: Vec<f64> = times
        .into_values()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect();
    println!("| | time | MB/s | time relative to scim-types |\n|---|---|---|---|");
    for ((name, _), time) in work.iter().zip(&medians) {
        println!(
            "| {name} | {:.2} ms | {:.0} | {:.2} |",
            time * 1e3,
            bytes as f64 / time / 1e6,
            time / medians[0]
        );
    }
}
