//! Tests of authorizers.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use rest_core::{
    AuthorizeError, Authorizer, Call, Error, Inspection, ManualClock, Secret, Service, Transport,
    TransportError,
};

use super::{Scripted, builder, clock, response};

/// An authorizer with the secrets `secret-number-1`, `secret-number-2`, …, which has each 401 sent again.
#[derive(Debug, Default)]
struct Numbered {
    authorized: AtomicU32,
    fails_at: Option<u32>,
}

impl Authorizer for Numbered {
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<Vec<Secret>, AuthorizeError>> {
        let number = self.authorized.fetch_add(1, Ordering::Relaxed) + 1;
        let secret = format!("secret-number-{number}");
        Box::pin(async move {
            if self.fails_at == Some(number) {
                return Err("no secret".into());
            }
            let header = HeaderValue::try_from(&secret)?;
            request.headers_mut().insert(AUTHORIZATION, header);
            Ok(vec![Secret::new(secret)])
        })
    }

    fn inspect(&self, secrets: &[Secret], _resent: u32, response: &Response<Bytes>) -> Inspection {
        let number = self.authorized.load(Ordering::Relaxed);
        assert_eq!(secrets[0].expose(), format!("secret-number-{number}"));
        if response.status() == 401 {
            Inspection::SendAgain
        } else {
            Inspection::Keep
        }
    }
}

fn service(transport: &Arc<Scripted>, clock: &ManualClock, authorizer: Numbered) -> Service {
    builder("https://api.example.com/v1")
        .transport(Arc::clone(transport) as Arc<dyn Transport>)
        .clock(Arc::new(clock.clone()))
        .authorizer(Arc::new(authorizer))
        .build()
        .unwrap()
}

fn secrets(transport: &Scripted) -> Vec<String> {
    let header = |request| transport.header(request, "authorization");
    (0..transport.sent()).filter_map(header).collect()
}

#[tokio::test]
async fn each_attempt_is_authorized_anew() {
    let transport = Scripted::new([
        response(503, &[]),
        Err(TransportError::maybe_sent("reset")),
        response(200, &[]),
    ]);
    let service = service(&transport, &clock(), Numbered::default());
    let call = Call::get_link("https://api.example.com/v1/things?after=1");
    service.send(call).await.expect("a response");
    let expected = [1, 2, 3].map(|number| format!("secret-number-{number}"));
    assert_eq!(secrets(&transport), expected);
}

#[tokio::test]
async fn a_rejected_credential_is_replaced_at_once_and_is_no_retry() {
    let transport = Scripted::new([response(401, &[]), response(200, &[])]);
    let clock = clock();
    let service = service(&transport, &clock, Numbered::default());
    let result = service.send(Call::post(["things"])).await;
    assert_eq!(result.expect("a response").attempts(), 1);
    assert!(clock.slept().is_empty());
    assert_eq!(transport.sent(), 2);
}

#[tokio::test]
async fn an_attempt_is_sent_again_at_most_twice_and_a_later_attempt_too() {
    let rejected = || response(401, &[]);
    let transport = Scripted::new([rejected(), rejected(), rejected()]);
    let error = service(&transport, &clock(), Numbered::default())
        .send(Call::get(["things"]))
        .await
        .expect_err("a refusal");
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert_eq!(transport.sent(), 3);

    let transport = Scripted::new([
        rejected(),
        rejected(),
        response(503, &[]),
        rejected(),
        rejected(),
        response(200, &[]),
    ]);
    let service = service(&transport, &clock(), Numbered::default());
    service
        .send(Call::get(["things"]))
        .await
        .expect("a response");
    assert_eq!(transport.sent(), 6);
}

#[tokio::test]
async fn without_a_credential_nothing_is_sent_or_retried() {
    let transport = Scripted::new([response(503, &[])]);
    let authorizer = Numbered {
        fails_at: Some(2),
        ..Numbered::default()
    };
    let error = service(&transport, &clock(), authorizer)
        .send(Call::get(["things"]))
        .await
        .expect_err("no credential");
    let Error::Authorization(cause) = error else {
        panic!("another error: {error:?}");
    };
    assert_eq!(cause.to_string(), "no secret");
    assert_eq!(transport.sent(), 1);
}

#[tokio::test]
async fn the_secrets_of_an_attempt_are_removed_from_its_response() {
    let body = "invalid: secret-number-1";
    let repeated = Response::builder().status(400).body(Bytes::from(body));
    let transport = Scripted::new([Ok(repeated.expect("a response"))]);
    let error = service(&transport, &clock(), Numbered::default())
        .send(Call::get(["things"]))
        .await
        .expect_err("a refusal");
    let Error::Refused(response) = error else {
        panic!("another error: {error:?}");
    };
    assert_eq!(response.body(), "invalid: (a secret)".as_bytes());
}

#[tokio::test]
async fn a_request_to_another_origin_is_not_authorized() {
    for link in [
        "https://evil.example/v1/things",
        "\\\\evil.example\\v1",
        "https://api.example.com./v1/things",
        "https://%D0%B0pi.example.com/v1/things",
        "https://api.example.com@evil.example/v1",
    ] {
        let transport = Scripted::new([]);
        let authorizer = Numbered {
            fails_at: Some(1),
            ..Numbered::default()
        };
        let service = service(&transport, &clock(), authorizer);
        let error = service.send(Call::get_link(link)).await.expect_err(link);
        assert!(matches!(error, Error::Request(_)), "{link}: {error:?}");
    }
}
