//! Tests of Okta's limits: requests per minute (Okta's rate-limit documentation), requests in flight, and admin roles.

use std::time::Duration;

use okta_aws_sandbox::{OktaBucket, OktaRateLimits, ServiceApp};
use reqwest::{Method, Response};
use serde_json::json;

use crate::{
    client::{builder, client, get, okta, refusal, send},
    jose::{App, access_token},
};

const APPS: &str = "/api/v1/apps";

/// Returns the status, the limit and the remaining requests of a response.
fn status(response: &Response) -> (u16, u32, u32) {
    let number = |name: &str| {
        let text = response.headers()[name].to_str().expect("text");
        text.parse().expect("a number")
    };
    (
        response.status().as_u16(),
        number("x-rate-limit-limit"),
        number("x-rate-limit-remaining"),
    )
}

#[tokio::test]
async fn a_token_and_an_app_each_have_half_of_the_limit_of_the_org() {
    let sandbox = builder()
        .rate_limits(OktaRateLimits::Integrator)
        .service_app(ServiceApp::with_all_scopes("Automation").dpop(false))
        .start()
        .await
        .expect("a sandbox");
    let app = App::new(&sandbox);
    let fields = json!({ "scope": "okta.apps.read" });
    let token = access_token(send(app.token_request(&fields)).await).await;
    let by_app = || {
        let url = format!("{}{APPS}", sandbox.okta_url());
        client().get(url).bearer_auth(&token)
    };
    for left in (0..10).rev() {
        let response = send(okta(&sandbox, Method::GET, APPS)).await;
        assert_eq!(status(&response), (200, 10, left));
    }
    let response = send(okta(&sandbox, Method::GET, APPS)).await;
    assert_eq!(status(&response), (429, 10, 0));
    for left in (0..10).rev() {
        assert_eq!(status(&send(by_app()).await), (200, 10, left));
    }
}

#[tokio::test]
async fn other_clients_use_the_limit_of_the_org() {
    let sandbox = builder()
        .bucket_limit(OktaBucket::Apps, 30)
        .foreign_traffic(OktaBucket::Apps, 50)
        .start()
        .await
        .expect("a sandbox");
    let apps = || send(okta(&sandbox, Method::GET, APPS));
    // The org's limit is 60.
    assert_eq!(status(&apps().await), (200, 30, 9));
    sandbox.use_okta_bucket(OktaBucket::Apps, 8);
    assert_eq!(status(&apps().await), (200, 30, 0));
    assert_eq!(status(&apps().await), (429, 30, 0));
    sandbox.advance(Duration::from_mins(1));
    assert_eq!(status(&apps().await), (200, 30, 9));
}

#[tokio::test]
async fn a_window_starts_with_its_first_request() {
    let sandbox = builder().start().await.expect("a sandbox");
    let reset = || async {
        let response = send(okta(&sandbox, Method::GET, APPS)).await;
        let reset = response.headers()["x-rate-limit-reset"].to_str();
        reset.expect("text").parse::<i64>().expect("a number")
    };
    sandbox.advance(Duration::from_secs(17));
    let start = sandbox.now().as_second();
    assert_eq!(reset().await, start + 60);
    sandbox.advance(Duration::from_secs(59));
    assert_eq!(reset().await, start + 60);
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(reset().await, start + 64 + 60);
}

/// The headers of the refusal are zero (Okta's rate-limit documentation).
#[tokio::test]
async fn more_requests_in_flight_than_the_limit_are_refused_at_once() {
    let sandbox = builder()
        .okta_concurrency(2)
        .start()
        .await
        .expect("a sandbox");
    let held = sandbox.hold_okta();
    let request = || okta(&sandbox, Method::GET, APPS);
    let first = tokio::spawn(request().send());
    let second = tokio::spawn(request().send());
    held.wait_for(2).await;
    let third = tokio::select! {
        response = send(request()) => response,
        () = held.wait_for(3) => panic!("a third request is in flight"),
    };
    assert_eq!(status(&third), (429, 0, 0));
    let (_, code, ..) = refusal(request()).await;
    assert_eq!(code, "E0000047");
    drop(held);
    for task in [first, second] {
        let response = task.await.expect("no panic").expect("a response");
        assert_eq!(response.status(), 200);
    }
    get(&sandbox, APPS).await;
    assert_eq!(
        sandbox.requests().len(),
        5,
        "refused requests are recorded too"
    );
}

#[tokio::test]
async fn a_client_that_gives_up_frees_its_place() {
    let sandbox = builder()
        .okta_concurrency(1)
        .start()
        .await
        .expect("a sandbox");
    let held = sandbox.hold_okta();
    let task = tokio::spawn(okta(&sandbox, Method::GET, APPS).send());
    held.wait_for(1).await;
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    held.wait_until_at_most(0).await;
    drop(held);
    get(&sandbox, APPS).await;
}

#[tokio::test]
async fn a_token_has_the_rights_of_the_role_of_its_owner() {
    let sandbox = builder()
        .okta_token_role(["okta.users.manage", "okta.groups.read"])
        .start()
        .await
        .expect("a sandbox");
    for path in ["/api/v1/users", "/api/v1/groups"] {
        get(&sandbox, path).await;
    }
    let create = okta(&sandbox, Method::POST, "/api/v1/groups").json(&json!({}));
    for request in [okta(&sandbox, Method::GET, APPS), create] {
        let (status, code, ..) = refusal(request).await;
        assert_eq!((status, code.as_str()), (403, "E0000006"));
    }
}

/// An app needs an admin role beside its scopes (Okta's guide for service apps).
#[tokio::test]
async fn an_app_needs_the_scope_and_the_role() {
    let app = ServiceApp::new("Automation", ["okta.users.read", "okta.apps.read"])
        .dpop(false)
        .admin_role(["okta.users.manage"]);
    let sandbox = builder().service_app(app).start().await;
    let sandbox = sandbox.expect("a sandbox");
    let app = App::new(&sandbox);
    let fields = json!({ "scope": "okta.users.read okta.apps.read" });
    let token = access_token(send(app.token_request(&fields)).await).await;
    let request = |path: &str| {
        let url = format!("{}{path}", sandbox.okta_url());
        client().get(url).bearer_auth(&token)
    };
    assert_eq!(send(request("/api/v1/users")).await.status(), 200);
    let response = send(request(APPS)).await;
    assert!(!response.headers().contains_key("www-authenticate"));
    let (status, code, ..) = refusal(request(APPS)).await;
    assert_eq!((status, code.as_str()), (403, "E0000006"));
}
