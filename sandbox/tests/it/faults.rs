//! Tests of injected faults and recorded requests.

use okta_aws_sandbox::{Fault, Oddity, ScimProfile, Service};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{builder, client, get, next, okta, refusal, sandbox, send};

#[tokio::test]
async fn a_throttled_response_has_the_reset_time_and_the_next_request_succeeds() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::throttle(Service::Okta, 7));
    let response = send(okta(&sandbox, Method::GET, "/api/v1/users/me")).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["x-rate-limit-remaining"], "0");
    assert_eq!(response.headers()["x-rate-limit-reset"], "1780315207");
    get(&sandbox, "/api/v1/users/me").await;

    sandbox.inject(Fault::concurrency());
    let response = send(okta(&sandbox, Method::GET, "/api/v1/users/me")).await;
    assert_eq!(response.headers()["x-rate-limit-limit"], "0");
    let (_, code, ..) = {
        sandbox.inject(Fault::concurrency());
        refusal(okta(&sandbox, Method::GET, "/api/v1/users/me")).await
    };
    assert_eq!(code, "E0000047");
}

#[tokio::test]
async fn the_page_of_a_proxy_is_html() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::fail(Service::Okta, 502, "<h1>Bad gateway</h1>"));
    let response = send(okta(&sandbox, Method::GET, "/api/v1/users/me")).await;
    assert_eq!(response.status(), 502);
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    assert_eq!(
        response.text().await.expect("a body"),
        "<h1>Bad gateway</h1>"
    );
}

#[tokio::test]
async fn a_connection_is_closed_before_or_after_the_request_is_processed() {
    let sandbox = sandbox().await;
    let create = || {
        okta(&sandbox, Method::POST, "/api/v1/groups")
            .json(&json!({ "profile": { "name": "new" } }))
    };
    sandbox.inject(Fault::close_before_processing(Service::Okta).on("POST /api/v1/groups"));
    create().send().await.expect_err("no response");
    assert_eq!(sandbox.group_id("new"), None);
    sandbox.inject(Fault::close_after_processing(Service::Okta));
    create().send().await.expect_err("no response");
    assert!(sandbox.group_id("new").is_some());
    let requests: Vec<String> = sandbox.requests().iter().map(ToString::to_string).collect();
    assert_eq!(requests, ["POST /api/v1/groups -> no response"; 2]);
    assert_eq!(sandbox.writes().len(), 2);
}

#[tokio::test]
async fn a_foreign_next_link_changes_the_origin_of_the_next_link_only() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::foreign_next_link("https://evil.example"));
    get(&sandbox, "/api/v1/users/me").await;
    let response = send(okta(&sandbox, Method::GET, "/api/v1/users?limit=1")).await;
    let foreign = next(&response).expect("another page");
    assert!(
        foreign.starts_with("https://evil.example/api/v1/users?limit=1&after="),
        "{foreign}"
    );
    let own = response.headers()["link"].to_str().expect("text");
    assert!(
        own.starts_with(&format!("<{}/api/v1/users", sandbox.okta_url())),
        "{own}"
    );
}

#[tokio::test]
async fn a_throttled_aws_request_gets_the_exception_of_its_service() {
    let sandbox = sandbox().await;
    let client = client();
    for (target, exception) in [
        ("SWBExternalService.ListInstances", "ThrottlingException"),
        (
            "AWSOrganizationsV20161128.ListAccounts",
            "TooManyRequestsException",
        ),
    ] {
        sandbox.inject(
            Fault::throttle(Service::Aws, 0).on(target.split('.').nth(1).expect("an operation")),
        );
        let request = client
            .post(sandbox.aws_endpoint_url())
            .header("x-amz-target", target);
        let response = send(
            request
                .header("content-type", "application/x-amz-json-1.1")
                .body("{}"),
        )
        .await;
        assert_eq!(response.status(), 400);
        let body: serde_json::Value = response.json().await.expect("JSON");
        let expected = serde_json::json!({ "__type": exception, "Message": "Rate exceeded" });
        assert_eq!(body, expected);
    }
    let recorded = &sandbox.requests()[0];
    assert_eq!(recorded.target.as_deref(), Some("ListInstances"));
    assert!(!recorded.write);
}

#[tokio::test]
#[should_panic(expected = "no request triggered these injected faults")]
async fn an_untriggered_fault_fails_the_test() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::throttle(Service::Okta, 7));
}

#[tokio::test]
async fn the_listeners_stop_when_the_sandbox_is_dropped() {
    let sandbox = sandbox().await;
    get(&sandbox, "/api/v1/users/me").await;
    let address = sandbox.okta_url().replace("http://", "");
    drop(sandbox);
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(&address).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the listener still accepts connections");
}

#[tokio::test]
async fn a_truncated_response_is_sent_after_the_request_is_processed() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::truncated_response(Service::Okta));
    let create = okta(&sandbox, Method::POST, "/api/v1/groups")
        .json(&json!({ "profile": { "name": "new" } }));
    let response = send(create).await;
    assert_eq!(response.status(), 200);
    response.bytes().await.expect_err("half of the body");
    assert!(sandbox.group_id("new").is_some());
}

#[tokio::test]
async fn half_a_body_has_its_own_length_and_no_end() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::half_body(Service::Okta));
    let create = okta(&sandbox, Method::POST, "/api/v1/groups")
        .json(&json!({ "profile": { "name": "new" } }));
    let response = send(create).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = response.text().await.expect("a complete body");
    assert!(body.starts_with("{\"") && !body.ends_with('}'), "{body}");
    assert!(sandbox.group_id("new").is_some());
}

#[tokio::test]
async fn a_given_answer_replaces_the_response_and_the_request_is_processed_if_the_fault_requires_it()
 {
    let sandbox = sandbox().await;
    for process in [false, true] {
        let wait = [("retry-after", "-5")];
        sandbox.inject(Fault::answer(Service::Okta, 429, &wait, "{}", process));
        let create = okta(&sandbox, Method::POST, "/api/v1/groups")
            .json(&json!({ "profile": { "name": "new" } }));
        let response = send(create).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "-5");
        assert_eq!(response.text().await.expect("a body"), "{}");
        assert_eq!(sandbox.group_id("new").is_some(), process);
    }
}

#[tokio::test]
async fn a_repeated_response_arrives_twice_and_its_request_is_processed_once() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::repeated_response(Service::Okta));
    let address = sandbox.okta_url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address)
        .await
        .expect("a connection");
    let request = "GET /api/v1/users/me HTTP/1.1\r\nhost: okta\r\n\r\n";
    // The last request closes the connection, so that the text has an end.
    let last = request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut first = [0; 1];
    stream.read_exact(&mut first).await.expect("a response");
    stream.write_all(last.as_bytes()).await.expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("responses");
    assert_eq!(text.matches("TTP/1.1 401").count(), 3, "{text}");
    assert_eq!(sandbox.requests().len(), 2);
}

#[tokio::test]
async fn a_stalled_request_is_processed_only_if_the_fault_requires_it() {
    let sandbox = sandbox().await;
    let create = |name: &str| {
        okta(&sandbox, Method::POST, "/api/v1/groups")
            .timeout(std::time::Duration::from_millis(200))
            .json(&json!({ "profile": { "name": name } }))
    };
    sandbox.inject(Fault::stall(Service::Okta, false));
    assert!(
        create("one")
            .send()
            .await
            .is_err_and(|error| error.is_timeout())
    );
    assert_eq!(sandbox.group_id("one"), None);
    sandbox.inject(Fault::stall(Service::Okta, true));
    assert!(
        create("two")
            .send()
            .await
            .is_err_and(|error| error.is_timeout())
    );
    assert!(sandbox.group_id("two").is_some());
}

#[tokio::test]
async fn an_error_response_follows_the_given_number_of_requests_and_has_the_given_retry_after() {
    let sandbox = sandbox().await;
    sandbox.inject(Fault::refuse(Service::Okta, 503, Some(7)).after(1));
    get(&sandbox, "/api/v1/users/me").await;
    let response = send(okta(&sandbox, Method::GET, "/api/v1/users/me")).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "7");
    sandbox.inject(Fault::refuse(Service::Scim, 500, None));
    sandbox.clear_faults();
}

#[tokio::test]
async fn a_throttled_scim_service_answers_in_the_format_of_its_profile() {
    let sandbox = builder()
        .scim_profile(ScimProfile::Generic)
        .start()
        .await
        .expect("a sandbox");
    sandbox.inject(Fault::throttle(Service::Scim, 1));
    let url = format!("{}/Users", sandbox.scim_url().expect("the SCIM service"));
    let response = send(client().get(url)).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["content-type"], "application/scim+json");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["status"], "429");
    assert!(body.get("exceptionRequestId").is_none(), "{body}");
}

// Recorded from real orgs: nulls, applications without a sign-on mode, values that no description has.
#[tokio::test]
async fn an_odd_document_has_the_requested_oddity() {
    let sandbox = sandbox().await;
    let read = async |oddity: Oddity, path: &str| {
        sandbox.inject(Fault::odd(oddity));
        get(&sandbox, path).await
    };
    let users = read(Oddity::MissingId, "/api/v1/users").await;
    assert_eq!(users[0].get("id"), None);
    assert_eq!(users[0]["status"], "ACTIVE");
    let user = read(Oddity::UnknownValues, "/api/v1/users/me").await;
    assert_eq!(user["status"], "SOMETHING_NEW");
    let user = read(Oddity::Nulls, "/api/v1/users/me").await;
    assert_eq!(
        (&user["created"], &user["profile"]["email"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(user["profile"]["login"], "ada.lovelace@example.com");
    let apps = read(Oddity::NullSignOnMode, "/api/v1/apps").await;
    assert_eq!(apps[0]["signOnMode"], Value::Null);
}
