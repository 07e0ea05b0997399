//! What is sent again, and after how long.

use std::{borrow::Cow, sync::Arc, time::Duration, time::SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use rest_core::{
    Call, Error, Idempotency, ManualClock, RateLimit, Service, Transport, TransportError, Vendor,
    headers,
};

use super::{Scripted, answer, builder, clock, scripted};

fn failed<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    result.expect_err("a failure")
}

#[tokio::test]
async fn a_throttled_request_waits_as_long_as_the_server_asks() {
    let transport = Scripted::new([answer(429, &[("retry-after", "7")]), answer(200, &[])]);
    let clock = clock();
    let answer = scripted(&transport, &clock)
        .send(Call::post(["things"]))
        .await
        .expect("an answer");
    assert_eq!(clock.slept(), [Duration::from_secs(7)]);
    assert_eq!(answer.attempts(), 2);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_reported_instead() {
    let transport = Scripted::new([answer(429, &[("retry-after", "86400")])]);
    let clock = clock();
    let error = failed(
        scripted(&transport, &clock)
            .send(Call::get(["things"]))
            .await,
    );
    assert_eq!(
        error.to_string(),
        "the server refused the request with 429 Too Many Requests"
    );
    assert_eq!(clock.slept(), []);
}

#[tokio::test]
async fn a_read_is_repeated_after_a_broken_connection_and_a_create_is_not() {
    let broken = || Err(TransportError::maybe_sent("reset"));
    let transport = Scripted::new([broken(), answer(200, &[])]);
    let service = scripted(&transport, &clock());
    service
        .send(Call::get(["things"]))
        .await
        .expect("an answer");
    assert_eq!(transport.sent(), 2);

    let transport = Scripted::new([broken()]);
    let service = scripted(&transport, &clock());
    let error = failed(service.send(Call::post(["things"])).await);
    assert_eq!(error.to_string(), "no answer arrived");
    assert_eq!(transport.sent(), 1);
}

#[tokio::test]
async fn a_create_is_repeated_if_it_never_left() {
    let transport = Scripted::new([Err(TransportError::not_sent("refused")), answer(201, &[])]);
    let service = scripted(&transport, &clock());
    service
        .send(Call::post(["things"]))
        .await
        .expect("an answer");
    assert_eq!(transport.sent(), 2);
}

#[tokio::test]
async fn a_post_that_is_said_to_be_harmless_is_repeated() {
    let transport = Scripted::new([answer(503, &[]), answer(200, &[])]);
    let service = scripted(&transport, &clock());
    let call = Call::post(["things", "7", "activate"]).idempotency(Idempotency::Idempotent);
    service.send(call).await.expect("an answer");
    assert_eq!(transport.sent(), 2);
}

#[tokio::test]
async fn the_last_answer_is_the_one_reported() {
    let transport = Scripted::new([answer(503, &[]), answer(502, &[]), answer(500, &[])]);
    let service = scripted(&transport, &clock());
    let Error::Refused(answer) = failed(service.send(Call::get(["things"])).await) else {
        panic!("not a refusal")
    };
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.attempts(), 3);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_asked_for_again() {
    let transport = Scripted::new([Err(TransportError::body_too_large(10))]);
    let service = scripted(&transport, &clock());
    let Error::Transport(error) = failed(service.send(Call::get(["things"])).await) else {
        panic!("an answer")
    };
    assert!(error.is_body_too_large());
    assert_eq!(transport.sent(), 1);
}

/// One limit for everything below `/a` and one for the rest.
#[derive(Debug)]
struct Limited;

impl Vendor for Limited {
    fn bucket(&self, _method: &Method, path: &str) -> Cow<'static, str> {
        Cow::Borrowed(if path.starts_with("/a") { "a" } else { "rest" })
    }

    fn rate_limit(&self, answer: &Response<Bytes>, _now: SystemTime) -> Option<RateLimit> {
        let number = |name| headers::smallest_number(answer.headers(), name);
        let resets_in = Duration::from_secs(number("x-reset")?);
        Some(RateLimit {
            limit: number("x-limit")?,
            remaining: number("x-left")?,
            resets_in,
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        headers::text(headers, "x-id").map(str::to_owned)
    }

    fn retry_headers(&self, first: Option<&str>, count: u32) -> HeaderMap {
        let first = first.unwrap_or("none");
        let value = HeaderValue::try_from(format!("{first} {count}")).expect("a value");
        HeaderMap::from_iter([("x-repeats".parse().expect("a name"), value)])
    }
}

fn limited(transport: &Arc<Scripted>, clock: &ManualClock) -> Service {
    builder("https://api.example.com/v1/")
        .transport(Arc::clone(transport) as Arc<dyn Transport>)
        .clock(Arc::new(clock.clone()))
        .vendor(Arc::new(Limited))
        .build()
        .expect("a service")
}

const USED_UP: [(&str, &str); 3] = [("x-limit", "10"), ("x-left", "0"), ("x-reset", "40")];

#[tokio::test]
async fn a_used_up_limit_is_waited_for_before_the_server_has_to_refuse() {
    let transport = Scripted::new([answer(200, &USED_UP), answer(200, &[]), answer(200, &[])]);
    let clock = clock();
    let service = limited(&transport, &clock);
    service.send(Call::get(["a"])).await.expect("an answer");
    service.send(Call::get(["b"])).await.expect("an answer");
    assert_eq!(clock.slept(), [], "the other limit is free");
    clock.advance(Duration::from_secs(10));
    service
        .send(Call::get(["a", "c"]))
        .await
        .expect("an answer");
    assert_eq!(clock.slept(), [Duration::from_secs(30)]);
}

#[tokio::test]
async fn a_repetition_is_marked_with_the_first_request_id() {
    let transport = Scripted::new([
        answer(503, &[("x-id", "first")]),
        answer(503, &[("x-id", "second")]),
        answer(200, &[("x-id", "third")]),
    ]);
    let answer = limited(&transport, &clock())
        .send(Call::get(["a"]))
        .await
        .expect("an answer");
    assert_eq!(answer.request_id(), Some("third"));
    assert_eq!(transport.header(0, "x-repeats"), None);
    assert_eq!(transport.header(1, "x-repeats").as_deref(), Some("first 1"));
    assert_eq!(transport.header(2, "x-repeats").as_deref(), Some("first 2"));
}
