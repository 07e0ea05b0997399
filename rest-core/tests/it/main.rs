//! Rules of this crate that only show in a whole exchange.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

mod origin;
mod privacy;
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

/// The secret of every service here; no output may ever show it.
const TOKEN: &str = "hunter2-do-not-show";

/// A transport that answers from a list and writes down what it was asked.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<Response<Bytes>, TransportError>>>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Scripted {
    fn new(
        answers: impl IntoIterator<Item = Result<Response<Bytes>, TransportError>>,
    ) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self {
            answers,
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
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("no answer was left");
        Box::pin(async move { answer })
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "an element of a script, next to errors"
)]
fn answer(status: u16, headers: &[(&str, &str)]) -> Result<Response<Bytes>, TransportError> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(Bytes::new()).unwrap())
}

fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000))
}

fn builder(base: &str) -> ServiceBuilder {
    // Before anything can be traced: a callsite that was met without a subscriber stays silent.
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
