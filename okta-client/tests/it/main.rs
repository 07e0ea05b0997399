//! Tests of this crate with complete exchanges.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking")]

mod auth;
mod calls;
mod contract;
mod documents;
mod error_responses;
mod limits;
mod lists;
mod metered;
mod privacy;
mod throughput;
mod wire;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use okta_client::{App, Client, Credential, Group, Id, User};
use rest_core::{ManualClock, Secret, Transport, TransportError};
use serde_json::Value;

/// The token of all clients in these tests. No output may contain it.
const TOKEN: &str = "00-do-not-show-this-token";
/// A token for an app's external service, which is sent in a request body.
const SCIM_TOKEN: &str = "11-do-not-show-this-one-either";

/// A fake org that returns scripted responses and records the requests.
#[derive(Debug, Clone, Default)]
struct Org(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    responses: Mutex<VecDeque<Result<Response<Bytes>, TransportError>>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Org {
    fn responding(responses: impl IntoIterator<Item = Response<Bytes>>) -> Self {
        let org = Self::default();
        org.0
            .responses
            .lock()
            .unwrap()
            .extend(responses.into_iter().map(Ok));
        org
    }

    fn then(self, result: Result<Response<Bytes>, TransportError>) -> Self {
        self.0.responses.lock().unwrap().push_back(result);
        self
    }

    fn client(&self) -> Client {
        self.client_at(&clock())
    }

    fn client_at(&self, clock: &ManualClock) -> Client {
        self.client_with(Secret::new(TOKEN), clock)
    }

    fn client_with(&self, credential: impl Into<Credential>, clock: &ManualClock) -> Client {
        client(Arc::new(self.clone()), credential, clock)
    }

    /// Returns the method and the target of all requests so far.
    fn requests(&self) -> Vec<String> {
        let requests = self.0.requests.lock().unwrap();
        let line = |request: &Request<Bytes>| {
            let url = request.uri().to_string();
            let target = url
                .strip_prefix("https://acme.okta.com")
                .expect("a URL of this org");
            format!("{} {target}", request.method())
        };
        requests.iter().map(line).collect()
    }

    fn body(&self, request: usize) -> Option<Value> {
        let requests = self.0.requests.lock().unwrap();
        let body = requests[request].body();
        (!body.is_empty()).then(|| serde_json::from_slice(body).expect("JSON"))
    }

    /// Returns the body of a request as text.
    fn text(&self, request: usize) -> String {
        let requests = self.0.requests.lock().unwrap();
        String::from_utf8(requests[request].body().to_vec()).expect("UTF-8")
    }

    fn header(&self, request: usize, name: &str) -> Option<String> {
        header(&self.0.requests.lock().unwrap()[request], name)
    }
}

fn header(request: &Request<Bytes>, name: &str) -> Option<String> {
    let value = request.headers().get(name);
    value.map(|value| value.to_str().unwrap().to_owned())
}

/// Returns a client of an org behind `transport`.
fn client(
    transport: Arc<dyn Transport>,
    credential: impl Into<Credential>,
    clock: &ManualClock,
) -> Client {
    // This must run before the first trace event, because a callsite that is first reached without a
    // subscriber stays disabled.
    privacy::start_log();
    Client::builder("https://acme.okta.com", credential)
        .transport(transport)
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap()
}

impl Transport for Org {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        contract::check(&request);
        self.0.requests.lock().unwrap().push(request);
        let result = self
            .0
            .responses
            .lock()
            .unwrap()
            .pop_front()
            .expect("the script has no response left");
        Box::pin(async move { result })
    }
}

/// Returns a response without a body.
fn empty(status: u16) -> Response<Bytes> {
    text(status, "")
}

fn text(status: u16, body: &str) -> Response<Bytes> {
    let builder = Response::builder()
        .status(status)
        .header("X-Okta-Request-Id", "request-1");
    builder
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller passes a new `json!` value"
)]
fn json(status: u16, body: Value) -> Response<Bytes> {
    text(status, &body.to_string())
}

fn with(mut response: Response<Bytes>, name: &'static str, value: &str) -> Response<Bytes> {
    response.headers_mut().append(name, value.parse().unwrap());
    response
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
