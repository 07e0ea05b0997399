//! What the tests share: a server on loopback with one tenant, and clients of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{Request, Response};
use mockito::{Mock, Server, ServerGuard};
use rest_core::{ManualClock, Secret, Transport, TransportError};
use scim_client::{Client, Dialect, Endpoint};
use scim_types::ResourceId;

pub(crate) const TOKEN: &str = "token-of-the-tests";
pub(crate) const BASE: &str = "/tenant/scim/v2";

/// A server, and a client of it whose waits take no time.
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
    /// Starts the description of an answer; the path is below the endpoint, the query exact.
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

/// One thing a [`Script`] does with a request.
pub(crate) type Step = Result<(u16, &'static str), fn() -> TransportError>;

/// A transport that answers by a script, and writes down what it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    asked: Arc<Mutex<Vec<String>>>,
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

    /// Returns the method, path and query of every request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let target = request.uri().path_and_query().expect("a path");
        self.asked
            .lock()
            .expect("no panic")
            .push(format!("{} {target}", request.method()));
        let step = self.steps.lock().expect("no panic").pop_front();
        let answer = step
            .expect("the script has an answer")
            .map_err(|error| error());
        let answer = answer.map(|(status, body)| {
            let response = Response::builder().status(status);
            response
                .body(Bytes::from_static(body.as_bytes()))
                .expect("a response")
        });
        async move { answer }.boxed()
    }
}

/// A connection that breaks after the request has left.
pub(crate) fn lost() -> TransportError {
    TransportError::maybe_sent("connection reset")
}
