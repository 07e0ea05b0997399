use std::{
    convert::Infallible,
    error::Error as _,
    io::{Read as _, Write as _},
    net::TcpListener,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    thread,
    time::{Duration, SystemTime},
};

use aws_config::{Region, SdkConfig};
use aws_smithy_async::rt::sleep::{AsyncSleep as _, Sleep};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::FutureExt as _;
use http_body::{Body, Frame};
use rest_core::{Clock, ManualClock, Secret, SystemClock};

use super::{CheckedClient, Limits, check_url};
use crate::{
    Aws, ConnectOptions, Credentials,
    https::{Https, Proxy},
    rate_limit::SlidingWindow,
    replay::block_on,
    time::SdkClock,
};

/// Sends one call to a server that sends `response` and then keeps the connection open. Returns the
/// error with its sources.
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
fn call(response: Vec<u8>, limits: Limits) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = [0; 8192];
        let _length = stream.read(&mut request).expect("a request");
        // The client may close the connection while the response is sent.
        let _result = stream.write_all(&response);
        stream
    });
    let client = CheckedClient {
        client: SharedHttpClient::new(Https::new(Proxy::Never)),
        clock: Arc::new(SystemClock),
        limiter: None,
        limits,
    };
    let config = aws_sdk_organizations::config::Builder::new()
        .behavior_version(aws_sdk_organizations::config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_organizations::config::Region::new("us-east-1"))
        .endpoint_url(url)
        .http_client(client)
        .retry_config(aws_sdk_organizations::config::retry::RetryConfig::disabled())
        .timeout_config(aws_sdk_organizations::config::timeout::TimeoutConfig::disabled())
        .allow_no_auth()
        .build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let result = runtime.block_on(async {
        aws_sdk_organizations::Client::from_conf(config)
            .list_roots()
            .send()
            .await
    });
    drop(server.join().expect("the server"));
    format!("{result:?}")
}

#[test]
fn a_response_that_stalls_in_its_body_ends_the_attempt() {
    let limits = Limits {
        attempt_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let stalled = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{".to_vec();
    let error = call(stalled, limits);
    assert!(error.contains("Time { timeout: 200ms }"), "{error}");
}

#[test]
fn a_response_that_is_too_large_is_not_read_to_its_end() {
    let limits = Limits {
        max_body: 1000,
        ..Limits::default()
    };
    let mut large = b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n".to_vec();
    large.extend(vec![b' '; 2_000_000]);
    let error = call(large, limits);
    assert!(error.contains("Size { max_body: 1000 }"), "{error}");
}

#[test]
fn a_refusal_that_repeats_secrets_of_the_request_is_read_without_them() {
    let mut request = HttpRequest::new(SdkBody::from(
        r#"{"clientId":"client-1","clientSecret":"a client secret","deviceCode":"a device code"}"#,
    ));
    request
        .headers_mut()
        .insert("x-amz-security-token", "a session token");
    let secrets = super::secrets(&request);
    let body = "a session token of client-1: a client secret, a device code";
    for (status, shown) in [
        (400, "(a secret) of client-1: (a secret), (a secret)"),
        (200, body),
    ] {
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        super::redact(&mut response, &secrets);
        assert_eq!(response.body().bytes(), Some(shown.as_bytes()));
    }
}

#[test]
fn a_page_or_an_error_with_a_status_of_success_is_no_answer() {
    let response = |kind: &str, body: &str| {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}");
        format!("{head}\r\n\r\n{body}").into_bytes()
    };
    let json = "application/x-amz-json-1.1";
    for response in [
        response("text/html; charset=utf-8", "<h1>Please sign in</h1>"),
        response(json, r#"{"__type":"InternalServerException"}"#),
    ] {
        let error = call(response, Limits::default());
        assert!(error.contains("ForeignResponse"), "{error}");
    }
    // moto sends its JSON as HTML.
    let result = call(
        response("text/html; charset=utf-8", "{}"),
        Limits::default(),
    );
    assert!(result.starts_with("Ok("), "{result}");
}

#[test]
fn a_url_is_https_or_on_this_machine() {
    for allowed in [
        "https://sso.us-east-1.amazonaws.com/",
        "http://127.0.0.1:8080/",
        "http://localhost/",
        "http://[::1]:1/",
    ] {
        check_url(allowed).expect(allowed);
    }
    for (refused, why) in [
        (
            "http://user:hunter2@aws.example.com/",
            "the endpoint override for `aws.example.com` is neither https nor on this machine",
        ),
        (
            "http://127.0.0.1.example.com/",
            "the endpoint override for `127.0.0.1.example.com` is neither https nor on this machine",
        ),
        (
            "nonsense",
            "an endpoint is not a URL: relative URL without a base",
        ),
    ] {
        assert_eq!(check_url(refused), Err(why.to_owned()));
    }
}

/// The body of a response that never ends. Each part of one byte arrives after a pause.
struct Endless {
    clock: SdkClock,
    pause: Duration,
    part: usize,
    next: Sleep,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        ready!(self.next.poll_unpin(context));
        self.next = self.clock.sleep(self.pause);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b' '; self.part])))))
    }
}

/// An HTTP client that a caller brings. It has no limits of its own.
#[derive(Debug, Clone)]
struct Unlimited {
    clock: Arc<dyn Clock>,
    /// The pause between the parts of the body; `None`: the body is complete.
    pause: Option<Duration>,
    part: usize,
}

impl HttpClient for Unlimited {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Unlimited {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let body = match self.pause {
            None => SdkBody::from("{}"),
            Some(pause) => {
                let clock = SdkClock(Arc::clone(&self.clock));
                SdkBody::from_body_1_x(Endless {
                    next: clock.sleep(Duration::ZERO),
                    clock,
                    pause,
                    part: self.part,
                })
            }
        };
        let status = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

/// A caller's client, with checks and limits whose timeouts use `timer`.
fn caller(
    pause: Option<Duration>,
    part: usize,
    limiter: Option<SlidingWindow>,
    [configured, timer]: [&ManualClock; 2],
) -> SharedHttpConnector {
    let client = CheckedClient {
        client: SharedHttpClient::new(Unlimited {
            clock: Arc::new(timer.clone()),
            pause,
            part,
        }),
        clock: Arc::new(configured.clone()),
        limiter,
        limits: Limits {
            clock: Arc::new(timer.clone()),
            ..Limits::default()
        },
    };
    let components = RuntimeComponentsBuilder::for_tests()
        .build()
        .expect("components");
    client.http_connector(&HttpConnectorSettings::default(), &components)
}

fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH)
}

fn request() -> HttpRequest {
    HttpRequest::get("https://sso.us-east-1.amazonaws.com/").expect("a request")
}

#[track_caller]
fn check_limit(pause: Duration, part: usize, expected: &str, after: Duration) {
    // The configured clock does not move while a request is in flight.
    let (configured, timer) = (clock(), clock());
    let connector = caller(Some(pause), part, None, [&configured, &timer]);
    let error = block_on(connector.call(request())).expect_err("a limit");
    let limit = error.source().expect("a source").to_string();
    assert_eq!((limit.as_str(), timer.elapsed()), (expected, after));
}

#[test]
fn the_limits_hold_for_the_http_client_of_a_caller() {
    check_limit(
        Duration::from_hours(1),
        1,
        "no data arrived for 30 s",
        Duration::from_secs(30),
    );
    check_limit(
        Duration::from_secs(7),
        1,
        "the response did not arrive completely within 60 s",
        Duration::from_mins(1),
    );
    check_limit(
        Duration::ZERO,
        1024 * 1024,
        "the response has more than 16777216 bytes",
        Duration::ZERO,
    );
}

#[test]
fn the_wait_for_the_rate_limiter_is_not_part_of_the_attempt() {
    let (configured, timer) = (clock(), clock());
    let limiter = SlidingWindow::new(NonZeroU32::MIN);
    block_on(limiter.acquire(&configured));
    let connector = caller(None, 0, Some(limiter), [&configured, &timer]);
    block_on(connector.call(request())).expect("a response");
    assert_eq!(configured.elapsed(), Duration::from_secs(1));
    assert_eq!(timer.elapsed(), Duration::ZERO);
}

#[test]
fn the_configured_clock_does_not_move_while_a_request_is_in_flight() {
    let (configured, timer) = (clock(), clock());
    let pause = Some(Duration::from_secs(7));
    let connector = caller(pause, 1, None, [&configured, &timer]);
    let call = async {
        let response = connector.call(request()).await;
        response.expect_err("a limit");
        configured.elapsed()
    };
    let sleep = configured.sleep(Duration::from_secs(5));
    let (elapsed, ()) = block_on(futures::future::join(call, sleep));
    assert_eq!(elapsed, Duration::ZERO);
    assert_eq!(configured.elapsed(), Duration::from_secs(5));
}

#[test]
fn a_connection_with_the_configuration_of_a_caller_has_the_limits() {
    let client = Unlimited {
        clock: Arc::new(SystemClock),
        pause: Some(Duration::from_hours(1)),
        part: 1,
    };
    let config = SdkConfig::builder()
        .region(Region::new("us-east-1"))
        .http_client(client)
        .build();
    let options = ConnectOptions {
        sdk_config: Some(config),
        credentials: Some(
            Credentials {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: Secret::new("hunter2"),
                session_token: None,
            }
            .into(),
        ),
        max_attempts: NonZeroU32::MIN,
        attempt_timeout: Duration::from_millis(50),
        ..ConnectOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let error = runtime.block_on(async {
        let aws = Aws::connect(options).await.expect("a connection");
        let instances = aws.instances().try_collect().await;
        instances.expect_err("a limit")
    });
    let error = format!("{error:?}");
    assert!(error.contains("Time { timeout: 50ms }"), "{error}");
}
