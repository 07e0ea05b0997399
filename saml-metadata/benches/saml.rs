//! Benchmarks of reading, validating and editing: one document of Okta, and aggregates of any size.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use saml_metadata::{EntityStream, Finding, Profile, compare, read, validate};

#[path = "generate/aggregate.rs"]
mod aggregate;
#[cfg(feature = "signature")]
#[path = "generate/signed.rs"]
mod signed;

const OKTA: &str = include_str!("../tests/fixtures/okta.xml");

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

fn generated(bytes: usize) -> (Vec<u8>, usize) {
    let mut aggregate = Vec::with_capacity(bytes + 8192);
    let entities = aggregate::write(bytes, &mut aggregate).expect("writing to memory never fails");
    (aggregate, entities)
}

/// Measures one Okta document, which a provisioning tool reads and validates for AWS.
fn one_document(c: &mut Criterion) {
    let document = read(OKTA.as_bytes()).expect("a document");
    let entity = document.entity().expect("one entity");
    let idp = entity.identity_provider().expect("an identity provider");
    assert_eq!(idp.single_sign_on_services().count(), 2);
    let findings = validate(&document, Profile::AwsIdentityCenter, now());
    assert!(!findings.iter().any(Finding::is_error));
    let edit = || {
        let edit = document.edit();
        edit.set_attribute(entity.element(), "entityID", "http://www.okta.com/exk1&2")
            .apply()
            .expect("an edited document")
    };
    let edited = edit();
    assert_eq!(
        edited.entity().expect("one entity").entity_id(),
        "http://www.okta.com/exk1&2"
    );

    let mut group = c.benchmark_group("okta");
    group.throughput(Throughput::Bytes(OKTA.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| read(black_box(OKTA.as_bytes())));
    });
    group.bench_function("validate", |b| {
        b.iter(|| validate(black_box(&document), Profile::AwsIdentityCenter, now()));
    });
    group.bench_function("edit", |b| b.iter(edit));
    group.finish();
}

/// Measures aggregates of several sizes; the time per byte should not depend on the size.
fn aggregates(c: &mut Criterion) {
    let mut group = c.benchmark_group("aggregate");
    group.sample_size(10);
    for megabytes in [1, 4, 16] {
        let (bytes, entities) = generated(megabytes * 1_000_000);
        let document = read(&bytes).expect("a document");
        assert_eq!(document.entities().count(), entities);
        let findings = validate(&document, Profile::SamlCore, now());
        assert!(!findings.iter().any(Finding::is_error));
        assert_eq!(stream(&bytes), entities);

        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_with_input(BenchmarkId::new("read", megabytes), &bytes, |b, bytes| {
            b.iter_with_large_drop(|| read(black_box(bytes)));
        });
        group.bench_with_input(
            BenchmarkId::new("validate", megabytes),
            &document,
            |b, document| b.iter(|| validate(black_box(document), Profile::SamlCore, now())),
        );
        group.bench_with_input(
            BenchmarkId::new("compare with itself", megabytes),
            &document,
            |b, document| b.iter(|| compare(black_box(document), document, now())),
        );
        group.bench_with_input(
            BenchmarkId::new("stream and validate", megabytes),
            &bytes,
            |b, bytes| b.iter(|| stream(black_box(bytes))),
        );
    }
    group.finish();
}

/// Reads and validates the entities as a stream, and returns their number.
fn stream(bytes: &[u8]) -> usize {
    let mut entities = 0;
    for entity in EntityStream::new(bytes) {
        let entity = entity.expect("an entity");
        let findings = entity.validate(Profile::SamlCore, now());
        assert!(!findings.iter().any(Finding::is_error));
        entities += 1;
    }
    entities
}

/// Measures canonicalization and verification of 4 MB, with the tree and as a stream.
#[cfg(feature = "signature")]
fn signatures(c: &mut Criterion) {
    use saml_metadata::c14n::Method;

    let (bytes, entities) = generated(4_000_000);
    let signed = signed::sign(&bytes);
    let verifier = signed::verifier();
    let document = read(&signed).expect("a document");
    let streamed = |bytes: &[u8]| {
        let mut form = Vec::with_capacity(bytes.len());
        let method = Method::exclusive();
        method.stream(bytes, &mut form).expect("a canonical form");
        form
    };
    let form = Method::exclusive().document(&document);
    assert_eq!(form.expect("a canonical form"), streamed(&signed));
    let verify_stream = |bytes: &[u8]| {
        let stream = verifier.verify_stream(|| Ok(bytes)).expect("verified");
        stream.inspect(|entity| assert!(entity.is_ok())).count()
    };
    assert_eq!(verify_stream(&signed), entities);

    let mut group = c.benchmark_group("signature");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(signed.len() as u64));
    group.bench_function("c14n", |b| {
        b.iter(|| Method::exclusive().document(black_box(&document)));
    });
    group.bench_function("c14n of a stream", |b| {
        b.iter(|| streamed(black_box(&signed)));
    });
    group.bench_function("verify", |b| {
        b.iter(|| assert!(verifier.verify(black_box(&document)).is_ok()));
    });
    group.bench_function("verify, then stream", |b| {
        b.iter(|| verify_stream(black_box(&signed)));
    });
    group.finish();
}

#[cfg(not(feature = "signature"))]
fn signatures(_: &mut Criterion) {}

criterion_group!(benches, one_document, aggregates, signatures);
criterion_main!(benches);
