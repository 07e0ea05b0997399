//! Tests of this crate with complete exchanges.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking")]

mod authorizer;
mod origin;
mod privacy;
mod reachability;
mod retrying;
mod wire;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use rest_core::{
    ManualClock, RetryPolicy, Secret, Service, ServiceBuilder, Transport, TransportError,
};

/// The secret of all services in these tests. No output may contain it.
const TOKEN: &str = "hunter2-do-not-show";

/// A transport that returns scripted responses and records the requests.
#[derive(Debug, Default)]
struct Scripted {
    responses: Mutex<VecDeque<Result<Response<Bytes>, TransportError>>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Scripted {
    fn new(
        responses: impl IntoIterator<Item = Result<Response<Bytes>, TransportError>>,
    ) -> Arc<Self> {
        let responses = Mutex::new(responses.into_iter().collect());
        Arc::new(Self {
            responses,
            requests: Mutex::default(),
        })
    }

    fn sent(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn header(&self, request: usize, name: &str) -> Option<String> {
        let requests = self.requests.lock().unwrap();
        requests[request]
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

impl Transport for Scripted {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.requests.lock().unwrap().push(request);
        let result = self
            .responses
            .lock()
            .unwrap()
            .pop_front()
            .expect("the script has no response left");
        Box::pin(async move { result })
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a script contains responses and errors"
)]
fn response(status: u16, headers: &[(&str, &str)]) -> Result<Response<Bytes>, TransportError> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    Ok(builder.body(Bytes::new()).unwrap())
}

fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000))
}

fn builder(base: &str) -> ServiceBuilder {
    // This must run before the first trace event, because a callsite that is first reached without
    // a subscriber stays disabled.
    privacy::start_log();
    Service::builder(base.parse().unwrap()).authorization("Bearer", Secret::new(TOKEN))
}

fn scripted(transport: &Arc<Scripted>, clock: &ManualClock) -> Service {
    builder("https://api.example.com/v1")
        .transport(Arc::clone(transport) as Arc<dyn Transport>)
        .clock(Arc::new(clock.clone()))
        .retry(RetryPolicy {
            max_attempts: 3,
            ..RetryPolicy::default()
        })
        .build()
        .unwrap()
}
