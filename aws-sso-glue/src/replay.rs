//! A fake of AWS for tests: returns prepared responses and records the requests.

use std::{
    collections::VecDeque,
    future::Future,
    io,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_config::{Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use rest_core::ManualClock;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::{Aws, ConnectOptions, IdentityCenter, Instance, InstanceStatus};

pub(crate) const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-1234567890abcdef";
pub(crate) const SET: &str =
    "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef";
pub(crate) const OTHER_SET: &str =
    "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-fedcba0987654321";
pub(crate) const UUID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

/// Runs a future to its end. These tests need no reactor.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Runs `work` and returns the log of this run, at all levels.
pub(crate) fn capture_log(work: impl FnOnce()) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let log = log.0.lock().unwrap();
    String::from_utf8_lossy(&log).into_owned()
}

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An HTTP client that returns prepared responses in order and records the requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replay {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    responses: VecDeque<PreparedResponse>,
    /// Whether the last response answers all later requests.
    is_endless: bool,
    requests: Vec<Request>,
}

#[derive(Debug, Clone)]
enum PreparedResponse {
    Http {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    HangUp,
}

/// A recorded request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) body: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        header.map_or("", |(_, value)| value)
    }

    pub(crate) fn target(&self) -> &str {
        self.header("x-amz-target")
    }
}

impl Replay {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.respond(200, vec![], body)
    }

    pub(crate) fn xml(self, status: u16, body: &str) -> Self {
        self.respond(status, vec![("content-type", "text/xml".to_owned())], body)
    }

    pub(crate) fn refuse(self, status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"__type": code, "Message": message}).to_string();
        self.respond(status, vec![], &body)
    }

    /// Adds an error response with a header that asks to wait for some milliseconds.
    pub(crate) fn refuse_with_retry_after(self, milliseconds: u32, code: &str) -> Self {
        let wait = ("x-amz-retry-after", milliseconds.to_string());
        self.respond(
            400,
            vec![wait],
            &serde_json::json!({ "__type": code }).to_string(),
        )
    }

    pub(crate) fn hang_up(self) -> Self {
        self.state
            .lock()
            .unwrap()
            .responses
            .push_back(PreparedResponse::HangUp);
        self
    }

    /// Answers all later requests with the last response.
    pub(crate) fn endless(self) -> Self {
        self.state.lock().unwrap().is_endless = true;
        self
    }

    pub(crate) fn respond(
        self,
        status: u16,
        mut headers: Vec<(&'static str, String)>,
        body: &str,
    ) -> Self {
        headers.push(("x-amzn-requestid", "request-1".to_owned()));
        let response = PreparedResponse::Http {
            status,
            headers,
            body: body.to_owned(),
        };
        self.state.lock().unwrap().responses.push_back(response);
        self
    }

    /// Returns a connection to this fake, and its clock, which advances only when code sleeps.
    pub(crate) fn connect(&self) -> (Aws, ManualClock) {
        self.connect_with(ConnectOptions::default())
    }

    pub(crate) fn connect_with(&self, options: ConnectOptions) -> (Aws, ManualClock) {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000));
        let connect = ConnectOptions {
            clock: Arc::new(clock.clone()),
            ..options
        };
        let credentials = Credentials::new("AKIDEXAMPLE", "the caller's key", None, None, "test");
        let config = SdkConfig::builder()
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.client())
            .build();
        (
            Aws::assemble(config, &connect).expect("a connection"),
            clock,
        )
    }

    pub(crate) fn center(&self) -> (IdentityCenter, ManualClock) {
        let (aws, clock) = self.connect();
        let instance = Instance {
            arn: INSTANCE.parse().expect("an ARN"),
            identity_store: "d-9067642ac7".parse().expect("an id"),
            owner: "111111111111".parse().expect("an id"),
            status: InstanceStatus::Active,
            primary_region: "us-east-1".to_owned(),
            name: None,
        };
        (aws.identity_center(&instance), clock)
    }

    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Returns the names of the operations that were called, without the service's prefix.
    pub(crate) fn operations(&self) -> Vec<String> {
        let requests = self.requests();
        let targets = requests
            .iter()
            .map(|request| request.target().rsplit('.').next());
        targets
            .map(|target| target.unwrap_or_default().to_owned())
            .collect()
    }
}

impl HttpClient for Replay {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let mut state = self.state.lock().unwrap();
        state.requests.push(Request {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            body: String::from_utf8(body.to_vec()).expect("text"),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        });
        let response = if state.is_endless && state.responses.len() == 1 {
            state.responses.front().cloned()
        } else {
            state.responses.pop_front()
        };
        HttpConnectorFuture::ready(match response {
            Some(PreparedResponse::Http {
                status,
                headers,
                body,
            }) => {
                let status = StatusCode::try_from(status).expect("a status");
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().insert(name, value);
                }
                Ok(response)
            }
            Some(PreparedResponse::HangUp) => Err(ConnectorError::io(
                std::io::Error::other("connection reset by peer").into(),
            )),
            None => panic!("no prepared response is left for {}", request.uri()),
        })
    }
}
