//! Measures comparing, displaying and saving a plan for different numbers of assignments.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use okta_aws_sso::plan::{Action, Change, Principal, StepId, StepPlan, Subject, Value};

fn assignments(count: usize) -> StepPlan {
    let changes = (0..count).map(|number| {
        Change::new(
            Action::Create,
            Subject::Assignment {
                principal: Principal::Group {
                    name: format!("team-{number}").into(),
                },
                account: format!("{number:012}").into(),
                permission_set: "ReadOnlyAccess".into(),
            },
        )
        .with_value("principal", Value::AfterApply(StepId::new("arrival")))
    });
    serde_json::from_value(serde_json::json!({
        "step": "account-assignments",
        "title": "Account assignments",
        "changes": changes.collect::<Vec<_>>(),
    }))
    .expect("a step's plan")
}

/// Returns the number of changes of a later plan that differ from the reviewed ones.
fn deviations(later: &StepPlan, earlier: &StepPlan) -> usize {
    let pairs = later.changes.iter().zip(&earlier.changes);
    pairs
        .filter(|(later, earlier)| later.deviation_from(earlier).is_some())
        .count()
}

fn plan(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan values");
    for count in [100, 1_000, 10_000] {
        let earlier = assignments(count);
        let later = assignments(count);
        assert_eq!(deviations(&later, &earlier), 0);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("compare", count), &count, |b, _| {
            b.iter(|| deviations(black_box(&later), black_box(&earlier)));
        });
        group.bench_with_input(BenchmarkId::new("display", count), &count, |b, _| {
            b.iter(|| black_box(&later).to_string());
        });
        group.bench_with_input(BenchmarkId::new("save", count), &count, |b, _| {
            b.iter(|| serde_json::to_vec(black_box(&later)).expect("JSON"));
        });
    }
    group.finish();
}

criterion_group!(benches, plan);
criterion_main!(benches);
