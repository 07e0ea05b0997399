//! Shared fixtures: a server on loopback with one tenant, and clients of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{Request, Response};
use mockito::{Mock, Server, ServerGuard};
use scim_client::{
    Client, Dialect, Endpoint, ManualClock, Secret, Transport, TransportError,
    scim_types::ResourceId,
};

pub(crate) const TOKEN: &str = "token-of-the-tests";
pub(crate) const BASE: &str = "/tenant/scim/v2";

/// A server, and a client with a manual clock, so that its waits take no time.
pub(crate) struct Fixture {
    pub(crate) server: ServerGuard,
    pub(crate) client: Client,
    pub(crate) clock: ManualClock,
}

pub(crate) async fn fixture(dialect: Dialect) -> Fixture {
    let server = Server::new_async().await;
    let endpoint = Endpoint::parse(&format!("{}{BASE}/", server.url())).expect("an endpoint");
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
    let client = Client::builder(&endpoint, Secret::new(TOKEN))
        .dialect(dialect)
        .clock(Arc::new(clock.clone()))
        .build()
        .expect("a client");
    Fixture {
        server,
        client,
        clock,
    }
}

impl Fixture {
    /// Returns a mock for a request. The path is relative to the endpoint; the query must match exactly.
    pub(crate) fn mock(&mut self, method: &str, path_and_query: &str) -> Mock {
        let path = format!("{BASE}{path_and_query}");
        self.server
            .mock(method, path.as_str())
            .with_header("content-type", "application/json")
    }
}

pub(crate) fn id(text: &str) -> ResourceId {
    ResourceId::parse(text).expect("an id")
}

/// Result of one request to a [`Script`].
pub(crate) type Step = Result<(u16, &'static str), fn() -> TransportError>;

/// A transport that returns scripted responses and records the requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = Arc::new(Mutex::new(steps.into_iter().collect()));
        Self {
            steps,
            ..Self::default()
        }
    }

    pub(crate) fn client(&self, dialect: Dialect) -> Client {
        let endpoint = Endpoint::parse("https://scim.example/v2").expect("an endpoint");
        Client::builder(&endpoint, Secret::new(TOKEN))
            .dialect(dialect)
            .transport(Arc::new(self.clone()))
            .clock(Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH)))
            .build()
            .expect("a client")
    }

    /// Returns the method, path and query of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let target = request.uri().path_and_query().expect("a path");
        self.requests
            .lock()
            .expect("no panic")
            .push(format!("{} {target}", request.method()));
        let step = self.steps.lock().expect("no panic").pop_front();
        let result = step
            .expect("the script has a response left")
            .map_err(|error| error());
        let result = result.map(|(status, body)| {
            let builder = Response::builder().status(status);
            builder
                .body(Bytes::from_static(body.as_bytes()))
                .expect("a valid response")
        });
        async move { result }.boxed()
    }
}

/// Returns the error of a connection that broke after the request was sent.
pub(crate) fn broken_connection() -> TransportError {
    TransportError::maybe_sent("connection reset")
}
