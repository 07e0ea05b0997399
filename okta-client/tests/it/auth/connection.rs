//! Tests of the settings of the connection.

use std::time::Duration;

use okta_client::{BuildError, Client, ClientBuilder, PrivateKey, ServiceApp};
use rest_core::{RetryPolicy, Secret};

use super::{EC256, key};
use crate::{TOKEN, privacy};

fn builder(org_url: &str) -> ClientBuilder {
    privacy::start_log();
    Client::builder(org_url, Secret::new(TOKEN)).retry(RetryPolicy {
        max_attempts: 1,
        ..RetryPolicy::default()
    })
}

fn problem(builder: ClientBuilder) -> BuildError {
    builder.build().expect_err("a problem")
}

#[test]
fn a_ca_bundle_must_have_a_certificate() {
    let acme = || builder("https://acme.okta.com");
    for pem in ["", "no PEM", EC256] {
        let error = problem(acme().ca_bundle(pem));
        assert!(matches!(error, BuildError::CaBundle { .. }), "{error:?}");
    }
    let pem = include_str!("keys/certificate.pem");
    acme().ca_bundle(pem.repeat(2)).build().expect("a client");
}

#[test]
fn the_error_for_a_proxy_does_not_repeat_its_password() {
    let error = problem(builder("https://acme.okta.com").proxy("http://ada:hunter2@[x"));
    assert_eq!(
        error.to_string(),
        "the proxy is not a URL, such as http://proxy.example.com:8080"
    );
    assert!(!format!("{error:?}").contains("hunter2"));
    let builder = builder("https://acme.okta.com").proxy("http://ada:hunter2@proxy:8080");
    assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
}

/// The proxy gets the name of the org, and neither the token nor the request.
#[tokio::test]
async fn calls_go_through_the_proxy() {
    let mut proxy = mockito::Server::new_async().await;
    let connect = proxy
        .mock("CONNECT", mockito::Matcher::Any)
        .match_header("authorization", mockito::Matcher::Missing)
        .with_status(407)
        .create_async()
        .await;
    let client = builder("https://acme.okta.com")
        .proxy(proxy.url())
        .build()
        .unwrap();
    let error = client.users().me().await.expect_err("the proxy refuses");
    assert_eq!(error.status(), None);
    connect.assert_async().await;
}

#[tokio::test]
async fn a_response_after_the_request_timeout_is_an_error() {
    // The listener accepts the connection and sends no response.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let timeout = Duration::from_millis(50);
    for http in [None, Some(reqwest::ClientBuilder::new())] {
        let mut builder = builder(&format!("http://{address}"));
        builder = builder.connect_timeout(timeout).request_timeout(timeout);
        if let Some(http) = http {
            builder = builder.http(http);
        }
        let error = builder
            .build()
            .unwrap()
            .users()
            .me()
            .await
            .expect_err("a timeout");
        let okta_client::Error::Transport { source, .. } = error else {
            panic!("another error: {error:?}");
        };
        assert!(source.is_timeout(), "{source:?}");
    }
}

#[test]
fn a_service_app_without_a_client_id_or_a_scope_is_refused() {
    let no_scope = ServiceApp::new("0oa1", key(EC256), [""; 0]);
    let no_id = ServiceApp::new("", key(EC256), ["okta.users.read"]);
    for app in [no_scope, no_id] {
        let error = problem(Client::builder("https://acme.okta.com", app));
        assert!(matches!(error, BuildError::ServiceApp), "{error:?}");
    }
}

#[test]
fn debug_output_of_a_builder_has_no_secret() {
    let jwk = include_str!("keys/ec256.jwk.json");
    let private: serde_json::Value = serde_json::from_str(jwk).unwrap();
    let key = PrivateKey::parse(&Secret::new(jwk)).unwrap();
    let app = ServiceApp::new("0oa1", key, ["okta.users.read"]);
    let text = format!("{:?}", Client::builder("https://acme.okta.com", app));
    assert!(text.contains("0oa1"), "{text}");
    assert!(!text.contains(private["d"].as_str().unwrap()), "{text}");
}
