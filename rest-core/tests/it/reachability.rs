//! Tests of services that a call finds unreachable.

use std::{error::Error as _, sync::Arc};

use bytes::Bytes;
use http::Response;
use rest_core::{Call, Error, Reachability, TransportError};

use super::{Scripted, clock, response, scripted};

type Step = Result<Response<Bytes>, TransportError>;

fn refused_connection() -> Step {
    Err(TransportError::not_sent("connection refused"))
}

fn page(status: u16, body: &'static str) -> Step {
    let mut response = response(status, &[])?;
    *response.body_mut() = Bytes::from_static(body.as_bytes());
    Ok(response)
}

/// Sends the script's three attempts of one call in a new scope, and then another call. Returns the
/// error of the second call.
async fn second_call(first: [Step; 3]) -> (Arc<Scripted>, Result<(), Error>) {
    let transport = Scripted::new(first.into_iter().chain([response(200, &[])]));
    let service = scripted(&transport, &clock());
    let second = Reachability::scope(async {
        service.send(Call::get(["a"])).await.expect_err("no answer");
        service.send(Call::get(["b"])).await.map(drop)
    });
    let second = second.await;
    (transport, second)
}

#[tokio::test]
async fn after_a_call_without_a_usable_response_later_calls_fail_at_once_with_its_cause() {
    for (unreachable, cause) in [
        (refused_connection as fn() -> Step, "connection refused"),
        (|| Err(TransportError::timeout("deadline")), "deadline"),
        (
            || page(502, "<html>Bad gateway"),
            "the server refused the request with 502 Bad Gateway",
        ),
    ] {
        let (transport, second) = second_call([unreachable(), unreachable(), unreachable()]).await;
        assert_eq!(transport.sent(), 3, "{cause}");
        let Err(Error::Unreachable(error)) = second else {
            panic!("{second:?}");
        };
        assert_eq!(
            error.to_string(),
            "an earlier call found https://api.example.com unreachable after all its attempts"
        );
        let causes = std::iter::successors(error.source(), |&error| error.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        assert_eq!(causes.last().map(String::as_str), Some(cause));
    }
}

#[tokio::test]
async fn a_service_that_answered_one_of_the_attempts_is_reachable() {
    for answer in [page(500, r#"{"errorCode":"E0000009"}"#), page(429, "")] {
        let (transport, second) =
            second_call([refused_connection(), answer, refused_connection()]).await;
        second.expect("a response");
        assert_eq!(transport.sent(), 4);
    }
}

#[tokio::test]
async fn one_lost_response_of_a_create_does_not_make_the_service_unreachable() {
    let lost = Err(TransportError::maybe_sent("reset"));
    let transport = Scripted::new([lost, response(200, &[])]);
    let service = scripted(&transport, &clock());
    Reachability::scope(async {
        let create = service.send(Call::post(["a"])).await;
        create.expect_err("no response");
        service.send(Call::get(["b"])).await.expect("a response");
    })
    .await;
}

#[tokio::test]
async fn outside_of_a_scope_and_in_the_next_scope_every_call_has_all_its_attempts() {
    let transport = Scripted::new((0..12).map(|_| refused_connection()));
    let service = scripted(&transport, &clock());
    let call = || async {
        let error = service.send(Call::get(["a"])).await.expect_err("no answer");
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
    };
    call().await;
    call().await;
    Reachability::scope(call()).await;
    Reachability::scope(call()).await;
    assert_eq!(transport.sent(), 12);
}
