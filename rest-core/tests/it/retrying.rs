//! Tests of retries and of waits for rate limits.

use std::{
    borrow::Cow,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{
    channel::oneshot,
    future::{BoxFuture, join, join_all},
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use rest_core::{
    Call, Clock as _, Error, Idempotency, LimitWait, ManualClock, RateLimit, Reachability, Secret,
    Service, Transport, TransportError, Vendor, headers,
};

use super::{Scripted, builder, clock, response, scripted};

fn failed<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    result.expect_err("the call fails")
}

#[tokio::test]
async fn a_throttled_request_waits_as_long_as_the_server_asks() {
    let transport = Scripted::new([response(429, &[("retry-after", "7")]), response(200, &[])]);
    let clock = clock();
    let response = scripted(&transport, &clock)
        .send(Call::post(["things"]))
        .await
        .expect("a response");
    assert_eq!(clock.slept(), [Duration::from_secs(7)]);
    assert_eq!(response.attempts(), 2);
}

#[tokio::test]
async fn a_request_is_not_retried_if_the_server_asks_for_too_long_a_wait() {
    let transport = Scripted::new([response(429, &[("retry-after", "86400")])]);
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
async fn after_a_broken_connection_a_read_is_retried_but_a_create_is_not() {
    let broken = || Err(TransportError::maybe_sent("reset"));
    let transport = Scripted::new([broken(), response(200, &[])]);
    let service = scripted(&transport, &clock());
    service
        .send(Call::get(["things"]))
        .await
        .expect("a response");
    assert_eq!(transport.sent(), 2);

    let transport = Scripted::new([broken()]);
    let service = scripted(&transport, &clock());
    let error = failed(service.send(Call::post(["things"])).await);
    assert_eq!(error.to_string(), "no response was received");
    assert_eq!(transport.sent(), 1);
}

#[tokio::test]
async fn a_create_that_was_not_sent_is_retried() {
    let transport = Scripted::new([Err(TransportError::not_sent("refused")), response(201, &[])]);
    let service = scripted(&transport, &clock());
    service
        .send(Call::post(["things"]))
        .await
        .expect("a response");
    assert_eq!(transport.sent(), 2);
}

#[tokio::test]
async fn a_post_that_is_marked_idempotent_is_retried() {
    let transport = Scripted::new([response(503, &[]), response(200, &[])]);
    let service = scripted(&transport, &clock());
    let call = Call::post(["things", "7", "activate"]).with_idempotency(Idempotency::Idempotent);
    service.send(call).await.expect("a response");
    assert_eq!(transport.sent(), 2);
}

#[tokio::test]
async fn the_error_contains_the_last_response() {
    let transport = Scripted::new([response(503, &[]), response(502, &[]), response(500, &[])]);
    let service = scripted(&transport, &clock());
    let Error::Refused(response) = failed(service.send(Call::get(["things"])).await) else {
        panic!("not a refused request")
    };
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.attempts(), 3);
}

#[tokio::test]
async fn a_request_with_too_large_a_response_is_not_retried() {
    let transport = Scripted::new([Err(TransportError::body_too_large(10))]);
    let service = scripted(&transport, &clock());
    let Error::Transport(error) = failed(service.send(Call::get(["things"])).await) else {
        panic!("not a transport error")
    };
    assert!(error.is_body_too_large());
    assert_eq!(transport.sent(), 1);
}

/// A vendor with one rate limit for paths that start with `/a` and one for all other paths.
#[derive(Debug)]
struct Limited;

impl Vendor for Limited {
    fn bucket(&self, _method: &Method, path: &str) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(if path.starts_with("/a") {
            "a"
        } else {
            "rest"
        }))
    }

    fn rate_limit(&self, response: &Response<Bytes>, now: SystemTime) -> Option<RateLimit> {
        let number = |name| headers::smallest_number(response.headers(), name);
        let resets_in = Duration::from_secs(number("x-reset")?);
        Some(RateLimit {
            limit: number("x-limit")?,
            remaining: number("x-left")?,
            reset: now + resets_in,
            resets_in,
            window: None,
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        headers::text(headers, "x-id").map(str::to_owned)
    }

    fn retry_headers(&self, first: Option<&str>, count: u32) -> HeaderMap {
        let first = first.unwrap_or("none");
        let value = HeaderValue::try_from(format!("{first} {count}")).expect("a valid value");
        HeaderMap::from_iter([("x-repeats".parse().expect("a valid name"), value)])
    }
}

fn limited(transport: &Arc<Scripted>, clock: &ManualClock) -> Service {
    builder("https://api.example.com/v1/")
        .transport(Arc::clone(transport) as Arc<dyn Transport>)
        .clock(Arc::new(clock.clone()))
        .vendor(Arc::new(Limited))
        .build()
        .expect("a valid service")
}

const USED_UP: [(&str, &str); 3] = [("x-limit", "10"), ("x-left", "0"), ("x-reset", "40")];

#[tokio::test]
async fn a_request_waits_for_a_used_up_rate_limit_before_it_is_sent() {
    let transport = Scripted::new([
        response(200, &USED_UP),
        response(200, &[]),
        response(200, &[]),
    ]);
    let clock = clock();
    let service = limited(&transport, &clock);
    service.send(Call::get(["a"])).await.expect("a response");
    service.send(Call::get(["b"])).await.expect("a response");
    assert_eq!(clock.slept(), [], "the other rate limit is not used up");
    clock.advance(Duration::from_secs(10));
    service
        .send(Call::get(["a", "c"]))
        .await
        .expect("a response");
    assert_eq!(clock.slept(), [Duration::from_secs(30)]);
}

#[tokio::test]
async fn a_rate_limit_that_lasts_longer_than_max_wait_is_an_error_with_its_end() {
    let transport = Scripted::new([response(
        200,
        &[("x-limit", "10"), ("x-left", "0"), ("x-reset", "901")],
    )]);
    let clock = clock();
    let service = limited(&transport, &clock);
    service.send(Call::get(["a"])).await.expect("a response");
    let error = failed(service.send(Call::get(["a"])).await);
    assert_eq!(
        error.to_string(),
        "the request was not sent, because its rate limit is used up until Fri, 15 Jan 2027 08:15:01 GMT"
    );
    assert!(!error.may_have_acted(Idempotency::NotIdempotent));
    assert_eq!((transport.sent(), clock.slept()), (1, vec![]));
}

#[tokio::test]
async fn the_waits_of_one_call_are_together_at_most_max_wait() {
    let throttled = || response(429, &[("retry-after", "400")]);
    let transport = Scripted::new([throttled(), throttled(), throttled()]);
    let clock = clock();
    failed(
        limited(&transport, &clock)
            .send(Call::get(["things"]))
            .await,
    );
    assert_eq!(clock.slept(), [Duration::from_secs(400); 2]);
}

#[tokio::test]
async fn a_wait_for_a_rate_limit_is_shorter_by_the_waits_before_it() {
    let limit = [("x-limit", "10"), ("x-left", "0"), ("x-reset", "901")];
    let headers: Vec<_> = limit.into_iter().chain([("retry-after", "400")]).collect();
    let transport = Scripted::new([response(429, &headers)]);
    let clock = clock();
    let error = failed(limited(&transport, &clock).send(Call::get(["a"])).await);
    assert!(matches!(error, Error::RateLimited { .. }), "{error}");
    assert_eq!(clock.slept(), [Duration::from_secs(400)]);
}

#[tokio::test]
async fn a_wait_that_is_over_already_does_not_use_up_the_attempts_at_once() {
    let throttled = || response(429, &[("retry-after", "0")]);
    let transport = Scripted::new([throttled(), throttled(), response(200, &[])]);
    let clock = clock();
    let service = scripted(&transport, &clock);
    service
        .send(Call::get(["things"]))
        .await
        .expect("a response");
    assert!(
        clock
            .slept()
            .iter()
            .all(|wait| *wait >= Duration::from_millis(250))
    );
}

#[tokio::test]
async fn a_call_that_waited_is_not_sent_to_a_service_that_was_found_unreachable_meanwhile() {
    let refused = || Err(TransportError::not_sent("refused"));
    let script = [response(200, &USED_UP)]
        .into_iter()
        .chain((0..5).map(|_| refused()));
    let transport = Scripted::new(script);
    let service = limited(&transport, &clock());
    Reachability::scope(async {
        service.send(Call::get(["a"])).await.expect("a response");
        let (waiting, failing) = join(
            service.send(Call::get(["a"])),
            service.send(Call::get(["b"])),
        )
        .await;
        assert!(matches!(failed(failing), Error::Transport(_)));
        assert!(matches!(failed(waiting), Error::Unreachable(_)));
    })
    .await;
    assert_eq!(transport.sent(), 6);
}

#[tokio::test]
async fn a_wait_is_reported_with_the_time_of_its_end() {
    let transport = Scripted::new([response(200, &USED_UP), response(200, &[])]);
    let clock = clock();
    let service = limited(&transport, &clock);
    service.send(Call::get(["a"])).await.expect("a response");
    clock.advance(Duration::from_secs(7));
    let waits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&waits);
    let observer = move |wait: &LimitWait| log.lock().expect("no panic").push(wait.clone());
    LimitWait::scope(observer, async {
        service.send(Call::get(["a"])).await.expect("a response");
    })
    .await;
    let waits = waits.lock().expect("no panic");
    let [wait] = waits.as_slice() else {
        panic!("{waits:?}")
    };
    assert_eq!(
        (&*wait.origin, &*wait.limit),
        ("https://api.example.com", "a")
    );
    assert_eq!(wait.until, clock.now());
    let line = r#"origin="https://api.example.com" limit="a" wait=33s until="Fri, 15 Jan 2027 08:00:40 GMT""#;
    assert!(super::privacy::log().contains(line));
}

#[tokio::test]
async fn each_wait_of_a_call_that_ends_later_is_reported() {
    let short = [("x-limit", "10"), ("x-left", "0"), ("x-reset", "1")];
    let script = [response(200, &short)].into_iter();
    let transport = Scripted::new(script.chain((0..3).map(|_| response(200, &USED_UP))));
    let clock = clock();
    let start = clock.now();
    // Each service sends one call of a limit at a time. The first call of each window uses it up.
    let services: Vec<Service> = (0..3)
        .map(|_| limited_with(("https://api.example.com/v1/", "one"), &transport, &clock))
        .collect();
    services[0]
        .send(Call::get(["a"]))
        .await
        .expect("a response");
    clock.advance(Duration::from_millis(400));
    let waits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&waits);
    let observer = move |wait: &LimitWait| log.lock().expect("no panic").push(wait.until);
    let calls = services
        .iter()
        .map(|service| service.send(Call::get(["a"])));
    for sent in LimitWait::scope(observer, join_all(calls)).await {
        sent.expect("a response");
    }
    // All calls waited for 600 ms first, which is not reported.
    let [end, next_end] = [41, 81].map(|seconds| start + Duration::from_secs(seconds));
    assert_eq!(*waits.lock().expect("no panic"), [end, end, next_end]);
    assert_eq!(transport.sent(), 4);
}

/// Returns a service with a rate limit of its own origin and token.
fn limited_with(
    (base, token): (&str, &str),
    transport: &Arc<Scripted>,
    clock: &ManualClock,
) -> Service {
    builder(base)
        .authorization("Bearer", Secret::new(token))
        .transport(Arc::clone(transport) as Arc<dyn Transport>)
        .clock(Arc::new(clock.clone()))
        .vendor(Arc::new(Limited))
        .build()
        .expect("a valid service")
}

#[tokio::test]
async fn services_share_a_rate_limit_if_origin_token_and_clock_are_the_same() {
    let (own, other) = (clock(), clock());
    let transport = Scripted::new([response(200, &USED_UP)]);
    let (com, org) = ("https://api.example.com/v1/", "https://api.example.org/v1/");
    let first = limited_with((com, "one"), &transport, &own);
    first.send(Call::get(["a"])).await.expect("a response");
    for (principal, clock, slept) in [
        ((com, "two"), &own, vec![]),
        ((org, "one"), &own, vec![]),
        ((com, "one"), &other, vec![]),
        ((com, "one"), &own, vec![Duration::from_secs(40)]),
    ] {
        let transport = Scripted::new([response(200, &[])]);
        let service = limited_with(principal, &transport, clock);
        service.send(Call::get(["a"])).await.expect("a response");
        assert_eq!(clock.slept(), slept, "{principal:?}");
    }
}

#[tokio::test]
async fn a_retry_is_marked_with_the_first_request_id() {
    let transport = Scripted::new([
        response(503, &[("x-id", "first")]),
        response(503, &[("x-id", "second")]),
        response(200, &[("x-id", "third")]),
    ]);
    let response = limited(&transport, &clock())
        .send(Call::get(["a"]))
        .await
        .expect("a response");
    assert_eq!(response.request_id(), Some("third"));
    assert_eq!(transport.header(0, "x-repeats"), None);
    assert_eq!(transport.header(1, "x-repeats").as_deref(), Some("first 1"));
    assert_eq!(transport.header(2, "x-repeats").as_deref(), Some("first 2"));
}

/// A transport that counts the requests in flight, and answers after all other tasks had a turn.
#[derive(Debug, Default)]
struct Counting {
    in_flight: AtomicUsize,
    most: AtomicUsize,
}

impl Transport for Counting {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(in_flight, Ordering::Relaxed);
        Box::pin(async {
            tokio::task::yield_now().await;
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            response(200, &[])
        })
    }
}

#[tokio::test]
async fn at_most_the_given_number_of_requests_are_in_flight() {
    let transport = Arc::new(Counting::default());
    let service = builder("https://api.example.com/v1")
        .transport(Arc::clone(&transport) as Arc<dyn Transport>)
        .clock(Arc::new(clock()))
        .max_in_flight(3)
        .build()
        .unwrap();
    let calls = (0..10).map(|_| service.send(Call::get(["things"])));
    for result in join_all(calls).await {
        result.expect("a response");
    }
    assert_eq!(transport.most.load(Ordering::Relaxed), 3);
}

/// A transport whose response arrives when the test sends it.
#[derive(Debug, Default)]
struct Slow(Mutex<Option<oneshot::Receiver<Response<Bytes>>>>);

impl Transport for Slow {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let response = self.0.lock().unwrap().take().expect("one request");
        Box::pin(async move { response.await.map_err(TransportError::maybe_sent) })
    }
}

#[tokio::test]
async fn the_time_of_a_manual_clock_does_not_move_while_a_request_is_in_flight() {
    let (respond, response) = oneshot::channel();
    let clock = clock();
    let service = builder("https://api.example.com/v1")
        .transport(Arc::new(Slow(Mutex::new(Some(response)))))
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let (call, sleep) = (
        service.send(Call::get(["things"])),
        clock.sleep(Duration::from_secs(5)),
    );
    let mut both = pin!(join(call, sleep));
    for _ in 0..100 {
        assert!(futures::poll!(&mut both).is_pending());
    }
    assert_eq!(clock.elapsed(), Duration::ZERO);
    respond.send(Response::new(Bytes::new())).unwrap();
    let (response, ()) = both.await;
    response.expect("a response");
    assert_eq!(clock.elapsed(), Duration::from_secs(5));
}
