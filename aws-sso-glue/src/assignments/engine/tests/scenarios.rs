//! Runs of the engine against a model of AWS.

use std::time::Duration;

use super::{
    super::Skip,
    Action::{Create, Delete},
    End, Item, ItemIx, Settings, creates, item,
    simulator::{Durations, Faults, Report, Scenario},
};

/// The targets of the design for a large run: the time against the bound, and the calls per item.
#[test]
fn a_large_run_is_close_to_the_bound() {
    let equal = large(15, Durations::Constant(10.0)).run();
    check_figures("equal durations", &equal, 1.05, 1.3);
    let spread = large(15, Durations::Uniform(8.0, 12.0)).run();
    check_figures("spread durations", &spread, 1.05, 2.0);
    let small = Scenario::new(creates(47, 47), 15, Durations::Constant(10.0)).run();
    check_figures("few items", &small, 1.06, 1.6);
}

#[track_caller]
fn check_figures(name: &str, report: &Report, time: f64, calls: f64) {
    let (ratio, per_item) = (report.ratio(), report.calls_per_item());
    assert!(
        ratio <= time && per_item <= calls,
        "{name}: {ratio:.3}, {per_item:.2}"
    );
    assert!(
        report.throttled_share() < 0.01,
        "{name}: {}",
        report.throttled
    );
    assert_eq!((report.too_many, report.conflicts), (0, 0), "{name}");
}

fn large(slots: usize, durations: Durations) -> Scenario {
    Scenario::new(creates(5_000, 500), slots, durations)
}

/// Runs a random mix of items and faults and checks the results against the model of AWS.
#[test]
fn random_faults_end_every_item_once_and_truthfully() {
    for seed in 0..200 {
        let scenario = random_scenario(seed);
        let report = scenario.clone().run();
        assert_eq!(report.ends.len(), scenario.items.len(), "seed {seed}");
        check_truth(&scenario, &report, seed);
        // The engine learns the limit at the start, after a change of the foreign operations and
        // once a minute.
        let minutes = usize::try_from(report.makespan.as_secs() / 60).unwrap();
        let unknown = 2 * (scenario.foreign.len() + report.uncertain.len());
        assert!(
            report.too_many <= 15 + unknown + minutes,
            "seed {seed}: {}",
            report.too_many
        );
        assert!(report.peak <= scenario.slots, "seed {seed}");
    }
}

fn random_scenario(seed: u64) -> Scenario {
    let mut random = fastrand::Rng::with_seed(seed);
    let (accounts, principals) = (random.u32(3..40), random.u32(2..60));
    let deletes = random.f64() * 0.6;
    let mut items = Vec::new();
    for _ in 0..random.u32(10..200) {
        let action = if random.f64() < deletes {
            Delete
        } else {
            Create
        };
        items.push(item(
            action,
            random.u32(0..accounts),
            random.u32(0..5),
            random.u32(0..principals),
        ));
    }
    let durations = match random.u32(0..4) {
        0 => Durations::Constant(random.f64() * 15.0),
        1 => Durations::Uniform(2.0, 12.0),
        2 => Durations::Lognormal(10.0, 0.5),
        _ => Durations::Stragglers,
    };
    let mut share = |largest: f64| {
        if random.bool() {
            random.f64() * largest
        } else {
            0.0
        }
    };
    let faults = Faults {
        conflict: share(0.2),
        internal: share(0.2),
        lost: share(0.1),
        denied: share(0.05),
        failed: share(0.1),
        failed_for_now: share(0.2),
        stuck: share(0.02),
        read_error: share(0.2),
        repeated: share(0.2),
        skipped: share(0.02),
    };
    let throttled = share(0.3);
    let foreign = (0..random.u32(0..20))
        .map(|_| {
            let start = Duration::from_secs(random.u64(0..200));
            let end = start + Duration::from_secs(random.u64(5..60));
            (start, end, random.u32(0..accounts + 20))
        })
        .collect();
    let slots = random.u32(1..18);
    Scenario {
        faults,
        throttled,
        foreign,
        failed_shown: if random.u32(0..4) == 0 { 5 } else { 300 },
        seed,
        adopted: adopted(&items, random.u32(0..5).min(slots)),
        settings: Settings {
            item_timeout: Duration::from_mins(3),
            ..Settings::default()
        },
        deadline: Duration::from_hours(3),
        ..Scenario::new(items, slots as usize, durations)
    }
}

/// Returns some items in different accounts.
fn adopted(items: &[Item], count: u32) -> Vec<ItemIx> {
    let first = |account| items.iter().position(|item| item.account == account);
    let found = (0..count)
        .filter_map(first)
        .map(|index| u32::try_from(index).unwrap());
    found.collect()
}

fn check_truth(scenario: &Scenario, report: &Report, seed: u64) {
    for (item, index) in scenario.items.iter().zip(0..) {
        let created = item.action == Create;
        let changed = report.present.contains(&index) == created;
        let certain = !report.uncertain.contains(&index);
        match &report.ends[&index] {
            End::Succeeded => assert!(changed, "seed {seed}: {index} succeeded"),
            End::AlreadyDone => assert!(changed && !created, "seed {seed}: {index}"),
            End::Failed(_) => assert!(!changed || !certain, "seed {seed}: {index} failed"),
            End::Skipped(Skip::ReplacementFailed(create)) => {
                assert!(!changed && !created, "seed {seed}: {index} was skipped");
                let end = &report.ends[create];
                assert!(
                    matches!(
                        end,
                        End::Failed(_) | End::TimedOut | End::Skipped(Skip::ByCaller)
                    ),
                    "seed {seed}: {end:?}"
                );
            }
            End::Skipped(_) => assert!(!changed || !certain, "seed {seed}: {index} was skipped"),
            End::TimedOut => {}
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let [first, second] = [0, 1].map(|_| random_scenario(7).run());
    assert_eq!((first.sent, first.makespan), (second.sent, second.makespan));
}
