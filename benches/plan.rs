//! Measures comparing, displaying and saving a plan for different numbers of assignments.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use okta_aws_sso::plan::{Action, Change, StepId, StepPlan, Value};

fn assignments(count: usize) -> StepPlan {
    let changes = (0..count).map(|number| {
        Change::new(
            Action::Create,
            format!("group team-{number}: ReadOnlyAccess in Account {number} ({number:012})"),
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

fn plan(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan");
    for count in [100, 1_000, 10_000] {
        let earlier = assignments(count);
        let later = assignments(count);
        assert_eq!(later.deviation_from(&earlier), None);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("compare", count), &count, |b, _| {
            b.iter(|| black_box(&later).deviation_from(black_box(&earlier)));
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
