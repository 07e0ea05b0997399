//! Rules of this crate that only show in a whole exchange.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod calls;
mod documents;
mod limits;
mod lists;
mod privacy;
mod refusals;
mod wire;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use okta_client::{App, Client, Group, Id, User};
use rest_core::{ManualClock, Secret, Transport, TransportError};
use serde_json::Value;

/// The token of every client here; no output may ever show it.
const TOKEN: &str = "00-do-not-show-this-token";
/// A token for the other side of an app, which goes into a body.
const SCIM_TOKEN: &str = "11-do-not-show-this-one-either";

/// An org that answers from a list and writes down what it was asked.
#[derive(Debug, Clone, Default)]
struct Org(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<VecDeque<Result<Response<Bytes>, TransportError>>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Org {
    fn answering(answers: impl IntoIterator<Item = Response<Bytes>>) -> Self {
        let org = Self::default();
        org.0
            .answers
            .lock()
            .unwrap()
            .extend(answers.into_iter().map(Ok));
        org
    }

    fn then(self, answer: Result<Response<Bytes>, TransportError>) -> Self {
        self.0.answers.lock().unwrap().push_back(answer);
        self
    }

    fn client(&self) -> Client {
        self.client_at(&clock())
    }

    fn client_at(&self, clock: &ManualClock) -> Client {
        // Before anything can be traced: a callsite that was met without a subscriber stays silent.
        privacy::start_log();
        Client::builder("https://acme.okta.com", Secret::new(TOKEN))
            .transport(Arc::new(self.clone()))
            .clock(Arc::new(clock.clone()))
            .build()
            .unwrap()
    }

    /// Returns method and target of every request so far.
    fn asked(&self) -> Vec<String> {
        let requests = self.0.requests.lock().unwrap();
        let line = |request: &Request<Bytes>| {
            let url = request.uri().to_string();
            let target = url
                .strip_prefix("https://acme.okta.com")
                .expect("our own origin");
            format!("{} {target}", request.method())
        };
        requests.iter().map(line).collect()
    }

    fn body(&self, request: usize) -> Option<Value> {
        let requests = self.0.requests.lock().unwrap();
        let body = requests[request].body();
        (!body.is_empty()).then(|| serde_json::from_slice(body).expect("JSON"))
    }

    fn header(&self, request: usize, name: &str) -> Option<String> {
        let requests = self.0.requests.lock().unwrap();
        requests[request]
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

impl Transport for Org {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.0.requests.lock().unwrap().push(request);
        let answer = self
            .0
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("no answer was left");
        Box::pin(async move { answer })
    }
}

/// An answer without a body.
fn empty(status: u16) -> Response<Bytes> {
    text(status, "")
}

fn text(status: u16, body: &str) -> Response<Bytes> {
    let answer = Response::builder()
        .status(status)
        .header("X-Okta-Request-Id", "request-1");
    answer
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "made by `json!` at every call"
)]
fn json(status: u16, body: Value) -> Response<Bytes> {
    text(status, &body.to_string())
}

fn with(mut answer: Response<Bytes>, name: &'static str, value: &str) -> Response<Bytes> {
    answer.headers_mut().append(name, value.parse().unwrap());
    answer
}

fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000))
}

fn app_id() -> Id<App> {
    Id::parse("0oa1").unwrap()
}

fn group_id() -> Id<Group> {
    Id::parse("00g1").unwrap()
}

fn user_id() -> Id<User> {
    Id::parse("00u1").unwrap()
}
