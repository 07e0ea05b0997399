//! Tests of Okta's listener with TLS.

use okta_aws_sandbox::{Fault, Sandbox, Service, ServiceApp};
use reqwest::{Certificate, Client};
use serde_json::{Value, json};

use crate::{
    client::{builder, client, next},
    jose::App,
};

async fn with_tls() -> Sandbox {
    builder().okta_tls(true).start().await.expect("a sandbox")
}

/// Returns a client that trusts only the authority of this sandbox.
fn trusting(sandbox: &Sandbox) -> Client {
    let pem = sandbox.okta_ca_pem().expect("TLS");
    let certificate = Certificate::from_pem(pem.as_bytes()).expect("a certificate");
    Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .expect("a client")
}

#[tokio::test]
async fn okta_is_served_to_clients_that_trust_the_authority() {
    let sandbox = with_tls().await;
    assert!(sandbox.okta_url().starts_with("https://127.0.0.1:"));
    let url = format!("{}/api/v1/users?limit=1", sandbox.okta_url());
    let request = |client: Client| {
        let token = format!("SSWS {}", sandbox.okta_token());
        client.get(&url).header("authorization", token).send()
    };
    let response = request(trusting(&sandbox)).await.expect("a response");
    let link = next(&response).expect("a second page");
    assert!(link.starts_with("https://"), "{link}");
    let users: Value = response.json().await.expect("JSON");
    let link = users[0]["_links"]["self"]["href"].as_str().expect("a link");
    assert!(link.starts_with(&sandbox.okta_url()), "{link}");

    let other = with_tls().await;
    for stranger in [client(), trusting(&other)] {
        let error = request(stranger).await.expect_err("an unknown authority");
        assert!(error.is_connect(), "{error}");
    }
    assert_eq!(sandbox.requests().len(), 1);
}

#[tokio::test]
async fn faults_work_with_tls() {
    let sandbox = with_tls().await;
    let trusting = trusting(&sandbox);
    let url = format!("{}/api/v1/users/me", sandbox.okta_url());
    let request = || {
        let token = format!("SSWS {}", sandbox.okta_token());
        trusting.get(&url).header("authorization", token).send()
    };
    sandbox.inject(Fault::close_after_processing(Service::Okta));
    assert!(request().await.is_err());
    assert_eq!(request().await.expect("a response").status(), 200);
    assert!(
        builder()
            .start()
            .await
            .expect("a sandbox")
            .okta_ca_pem()
            .is_none()
    );
}

#[tokio::test]
async fn the_audience_of_an_assertion_has_the_scheme_of_the_listener() {
    let app = ServiceApp::new("Automation", ["okta.users.read"]).dpop(false);
    let sandbox = builder().okta_tls(true).service_app(app).start().await;
    let sandbox = sandbox.expect("a sandbox");
    let app = App::new(&sandbox);
    let plain = app.token_url().replace("https://", "http://");
    let wrong = json!({ "client_assertion": app.assertion(&json!({ "aud": plain })) });
    for (changes, expected) in [(json!({}), 200), (wrong, 401)] {
        let request = app.token_request(&changes).build().expect("a request");
        let response = trusting(&sandbox).execute(request).await;
        assert_eq!(response.expect("a response").status(), expected);
    }
}
