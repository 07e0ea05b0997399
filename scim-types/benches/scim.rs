//! Benchmarks of user lists, filters and patches.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scim_types::{
    Group, ListResponse, PatchOp, PatchOperation, Reference, ResourceId, User, filter::Filter,
    patch,
};
use serde_json::{Value, json};

#[path = "generate/users.rs"]
mod users;

use users::Shape;

const SIMPLE: &str = r#"userName eq "user.7@example.com""#;
const COMPLEX: &str = r#"userType eq "Employee" and (emails[type eq "work" and value co "@example.com"] or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "Res") and not (active eq false)"#;

fn read(json: &str) -> ListResponse<User> {
    serde_json::from_str(json).expect("a list")
}

fn documents(c: &mut Criterion) {
    let mut group = c.benchmark_group("list");
    group.sample_size(10);
    for (name, users, shape) in [
        ("100 small", 100, Shape::Small),
        ("10k small", 10_000, Shape::Small),
        ("10k full", 10_000, Shape::Full),
    ] {
        let json = users::list(users, shape);
        let list = read(&json);
        assert_eq!(list.resources.len(), users);
        // Decoding is lossless: encoding the list gives the same JSON.
        let written = serde_json::to_string(&list).expect("a list");
        let [sent, back] =
            [&json, &written].map(|json| serde_json::from_str::<Value>(json).expect("JSON"));
        assert_eq!(sent, back);

        group.throughput(Throughput::Bytes(json.len() as u64));
        group.bench_function(format!("decode {name}"), |b| {
            b.iter_with_large_drop(|| read(black_box(&json)));
        });
        group.bench_function(format!("encode {name}"), |b| {
            b.iter_with_large_drop(|| serde_json::to_string(black_box(&list)));
        });
    }
    group.finish();
}

fn filters(c: &mut Criterion) {
    let list: Value = serde_json::from_str(&users::list(10_000, Shape::Full)).expect("JSON");
    let users = list["Resources"].as_array().expect("a list");
    let found = |filter: &Filter| {
        let fits = |user: &&Value| filter.matches_json(user).expect("a filter that fits users");
        users.iter().filter(fits).count()
    };
    let mut group = c.benchmark_group("filter");
    for (name, text, expected) in [("simple", SIMPLE, 1), ("complex", COMPLEX, 0)] {
        let filter = Filter::parse(text).expect("a filter");
        assert_eq!(
            Filter::parse(&filter.to_string()).expect("a filter"),
            filter
        );
        assert_eq!(found(&filter), expected);
        group.bench_function(format!("parse {name}"), |b| {
            b.iter(|| Filter::parse(black_box(text)));
        });
        group.sample_size(10);
        group.bench_function(format!("evaluate {name} on 10k users"), |b| {
            b.iter(|| found(black_box(&filter)));
        });
    }
    group.finish();
}

fn member(number: usize) -> ResourceId {
    ResourceId::parse(format!("9067642af1-{number:08x}-4c1a-8b5e-1f2e3d4c5b6a")).expect("an id")
}

fn large_group(members: usize) -> Value {
    let mut group = Group::new("Everyone");
    group.members = (0..members)
        .map(|number| Reference::to(member(number)))
        .collect();
    serde_json::to_value(group).expect("a group")
}

fn patches(c: &mut Criterion) {
    let user: Value = serde_json::from_str(&users::list(1, Shape::Full)).expect("JSON");
    let user = user["Resources"][0].clone();
    let everyone = large_group(50_000);
    let added: Vec<ResourceId> = (50_000..50_100).map(member).collect();
    let removed = |members: usize| -> Vec<PatchOperation> {
        let ids = (0..members).map(member);
        ids.map(|id| PatchOperation::remove_member(&id)).collect()
    };
    let options = patch::Options::default();
    let mut group = c.benchmark_group("patch");
    group.sample_size(10);
    for (name, document, patch, members) in [
        (
            "one attribute of a user",
            &user,
            PatchOp::new(vec![PatchOperation::replace("active", false)]),
            None,
        ),
        (
            "100 members to 50k",
            &everyone,
            PatchOperation::add_members(&added).into(),
            Some(50_100),
        ),
        (
            "100 members from 50k by filter",
            &everyone,
            PatchOp::new(removed(100)),
            Some(49_900),
        ),
        (
            "1,000 members from 50k by filter",
            &everyone,
            PatchOp::new(removed(1_000)),
            Some(49_000),
        ),
    ] {
        let apply = || {
            patch
                .apply(document, &options)
                .expect("a patch that can be applied")
        };
        let after = apply();
        match members {
            None => assert_eq!(after["active"], json!(false)),
            Some(members) => assert_eq!(after["members"].as_array().map(Vec::len), Some(members)),
        }
        // `apply` leaves the original resource unchanged, so the measured time includes copying it.
        group.bench_function(name, |b| b.iter_with_large_drop(apply));
    }
    let (before, after) = (large_group(10_000), large_group(10_100));
    let diff = || PatchOp::diff(&before, &after, &options).expect("a patch");
    assert_eq!(diff().expect("a change").operations.len(), 1);
    group.bench_function("diff between 10,000 and 10,100 members", |b| b.iter(diff));
    group.finish();
}

criterion_group!(benches, documents, filters, patches);
criterion_main!(benches);
