//! Measures listing users from pages in memory, and prints how the CPU time compares to decoding the same pages as
//! `serde_json::Value`, which keeps no text.
//!
//! The page comes from the sandbox; each page of the list is the same one. `benches/peers/run` compares whole processes over
//! HTTP, with Okta's SDKs beside.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::future::BoxFuture;
use http::{Request, Response};
use okta_client::{Client, ListUsers, Secret};
use rest_core::{Transport, TransportError};
use sandbox::{Company, Person, Sandbox};
use serde_json::Value;

const PAGES: usize = 20;
const USERS: usize = 200;

/// Serves a list of [`PAGES`] pages.
#[derive(Debug)]
struct Pages {
    body: Bytes,
}

impl Transport for Pages {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let query = request.uri().query().unwrap_or_default();
        let after = query.split_once("after=").map_or("0", |(_, after)| after);
        let next = after.parse::<usize>().expect("a number") + 1;
        let mut response = Response::builder();
        if next < PAGES {
            let link = format!(
                "<https://acme.okta.com/api/v1/users?limit=200&after={next}>; rel=\"next\""
            );
            response = response.header("link", link);
        }
        let response = response.body(self.body.clone()).expect("a response");
        Box::pin(async { Ok(response) })
    }
}

/// Returns a page of users of about `bytes` bytes each, as the sandbox sends it.
async fn page(bytes: usize) -> Bytes {
    let mut company = Company::empty();
    company.people = (0..USERS).map(|number| person(number, bytes)).collect();
    let sandbox = Sandbox::builder()
        .company(company)
        .page_size(None)
        .start()
        .await;
    let sandbox = sandbox.expect("a sandbox");
    let okta = Client::builder(&sandbox.okta_url(), Secret::new(sandbox.okta_token()));
    let okta = okta.build().expect("a client");
    let call = okta_client::Call::get(["api", "v1", "users"]).query("limit", USERS.to_string());
    okta.send(call).await.expect("a page").into_body()
}

/// Returns a user with a document of about `bytes` bytes.
fn person(number: usize, bytes: usize) -> Person {
    let mut person = Person::new(&format!("person-{number}@example.com"), "Ada", "Lovelace")
        .with_display_name("Ada Lovelace");
    // Without attributes of the company, the document has about 570 bytes.
    for index in 0..bytes.saturating_sub(570) / 72 {
        let value = "value ".repeat(8);
        person
            .attributes
            .push((format!("companyAttribute{index:02}"), value));
    }
    person
}

async fn list(okta: &Client) -> usize {
    let mut users = okta.users().list(ListUsers::default());
    let mut letters = 0;
    while let Some(user) = users.try_next().await.expect("a user") {
        letters += user.profile.login.len();
    }
    letters
}

fn values(body: &Bytes) -> usize {
    let mut letters = 0;
    for _ in 0..PAGES {
        let users: Vec<Value> = serde_json::from_slice(body).expect("users");
        let logins = users
            .iter()
            .filter_map(|user| user["profile"]["login"].as_str());
        letters += logins.map(str::len).sum::<usize>();
    }
    letters
}

/// Returns the shortest time of several runs.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures the real time"
)]
fn best(mut run: impl FnMut() -> usize) -> Duration {
    let times = (0..20).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn users(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let mut group = c.benchmark_group("users");
    for bytes in [700, 3_000] {
        let body = runtime.block_on(page(bytes));
        let pages = Arc::new(Pages { body: body.clone() });
        let okta = Client::builder("https://acme.okta.com", Secret::new("00token"));
        let okta = okta.transport(pages).build().expect("a client");
        assert_eq!(runtime.block_on(list(&okta)), values(&body));

        group.throughput(Throughput::Elements((PAGES * USERS) as u64));
        group.bench_function(BenchmarkId::new("okta-client", bytes), |b| {
            b.iter(|| runtime.block_on(list(&okta)));
        });
        group.bench_function(BenchmarkId::new("serde_json::Value", bytes), |b| {
            b.iter(|| values(&body));
        });
        let (ours, theirs) = (
            best(|| runtime.block_on(list(&okta))),
            best(|| values(&body)),
        );
        println!(
            "users of {} bytes: okta-client takes {:.2} × the time of serde_json::Value",
            body.len() / USERS,
            ours.as_secs_f64() / theirs.as_secs_f64()
        );
    }
    group.finish();
}

criterion_group!(benches, users);
criterion_main!(benches);
