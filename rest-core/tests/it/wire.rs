//! Tests over a real connection.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use rest_core::{Call, HttpOptions, HttpTransport, Reached, Transport, TransportError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::builder;

fn get(url: &str) -> Request<Bytes> {
    Request::builder()
        .method(Method::GET)
        .uri(url)
        .body(Bytes::new())
        .unwrap()
}

fn limited_to_10_bytes() -> HttpTransport {
    let options = HttpOptions {
        max_body: 10,
        ..HttpOptions::default()
    };
    HttpTransport::new(options)
}

/// Starts a server that reads one request, writes `response` and closes the connection.
async fn raw_server(response: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(response.as_bytes()).await.unwrap();
    });
    url
}

async fn failure(transport: &HttpTransport, url: &str) -> TransportError {
    transport
        .send(get(url))
        .await
        .expect_err("the request fails")
}

#[tokio::test]
async fn a_call_arrives_with_its_headers_and_its_body() {
    let mut server = mockito::Server::new_async().await;
    let mock = server
        .mock("PUT", "/v1/things/a%2Fb?q=x%20y")
        .match_header("authorization", "Bearer hunter2-do-not-show")
        .match_header("user-agent", "tester/1")
        .match_header("accept", "application/json")
        .match_header("content-type", "application/json")
        .match_header("content-length", "9")
        .match_body(r#"{"a":"b"}"#)
        .with_status(201)
        .with_header("x-anything", "7")
        .with_body("[1]")
        .create_async()
        .await;
    let service = builder(&format!("{}/v1", server.url()))
        .user_agent("tester/1")
        .build()
        .unwrap();
    let call = Call::put(["things", "a/b"])
        .query("q", "x y")
        .json(&serde_json::json!({ "a": "b" }));
    let response = service.send(call).await.expect("a response");
    mock.assert_async().await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["x-anything"], "7");
    assert_eq!(response.json::<Vec<u8>>().expect("a list"), [1]);
}

#[tokio::test]
async fn a_write_without_a_body_has_content_length_zero() {
    let mut server = mockito::Server::new_async().await;
    let mock = server
        .mock("POST", "/x")
        .match_header("content-length", "0")
        .create_async()
        .await;
    builder(&server.url())
        .build()
        .unwrap()
        .send(Call::post(["x"]))
        .await
        .expect("a response");
    mock.assert_async().await;
}

#[tokio::test]
async fn a_response_has_every_header_as_the_server_sent_it() {
    let url = raw_server(
        "HTTP/1.1 200 OK\r\nlink: <a>\r\nx-name: Zo\u{eb}\r\nlink: <b>\r\nx-empty:\r\ncontent-length: 2\r\n\r\n{}",
    )
    .await;
    let response = HttpTransport::default().send(get(&url)).await;
    let response = response.expect("a response");
    let values = |name| {
        let values = response.headers().get_all(name).into_iter();
        values
            .map(|value| value.as_bytes().to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(values("link"), [b"<a>", b"<b>"]);
    assert_eq!(values("x-name"), ["Zo\u{eb}".as_bytes()]);
    assert_eq!(values("x-empty"), [b""]);
    assert_eq!(response.headers().len(), 5);
    assert_eq!(response.body(), "{}");
}

#[tokio::test]
async fn a_redirect_is_returned_as_the_response() {
    let mut server = mockito::Server::new_async().await;
    let target = server.mock("GET", "/target").expect(0).create_async().await;
    server
        .mock("GET", "/")
        .with_status(302)
        .with_header("location", &format!("{}/target", server.url()))
        .create_async()
        .await;
    let response = limited_to_10_bytes()
        .send(get(&server.url()))
        .await
        .expect("a response");
    assert_eq!(response.status(), 302);
    target.assert_async().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_error_even_if_its_length_is_not_announced() {
    let announced = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n01234567890").await;
    let streamed = raw_server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n01234567890").await;
    for url in [announced, streamed] {
        let error = failure(&limited_to_10_bytes(), &url).await;
        assert!(error.is_body_too_large(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the response body is larger than 10 bytes"
        );
    }
    let enough = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789").await;
    let response = limited_to_10_bytes()
        .send(get(&enough))
        .await
        .expect("a response");
    assert_eq!(response.body(), "0123456789");
}

#[tokio::test]
async fn a_refused_connection_is_reported_as_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?key=hunter2", listener.local_addr().unwrap());
    drop(listener);
    let error = failure(&limited_to_10_bytes(), &url).await;
    assert_eq!(error.reached(), Reached::NotSent);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_failed_tls_handshake_is_reported_as_not_sent() {
    let plain = raw_server("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = failure(&limited_to_10_bytes(), &plain.replace("http:", "https:")).await;
    assert_eq!(error.reached(), Reached::NotSent, "{error:?}");
}

#[tokio::test]
async fn a_broken_connection_is_reported_as_maybe_sent() {
    let error = failure(&limited_to_10_bytes(), &raw_server("").await).await;
    assert_eq!(error.reached(), Reached::MaybeSent);
    assert!(!error.is_timeout());
    let half = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n0").await;
    assert_eq!(
        failure(&limited_to_10_bytes(), &half).await.reached(),
        Reached::MaybeSent
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_causes_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let options = HttpOptions {
        total_timeout: Duration::from_millis(50),
        ..HttpOptions::default()
    };
    let error = failure(&HttpTransport::new(options), &url).await;
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.reached(), Reached::MaybeSent);
}

#[tokio::test]
async fn a_client_of_the_caller_follows_no_redirect_and_keeps_its_settings() {
    let mut own = mockito::Server::new_async().await;
    let mut other = mockito::Server::new_async().await;
    let moved = own
        .mock("GET", "/things")
        .match_header("x-from-caller", "yes")
        .match_header("authorization", "Bearer a-token")
        .with_status(302)
        .with_header("location", &format!("{}/things", other.url()))
        .create_async()
        .await;
    let foreign = other.mock("GET", "/things").expect(0).create_async().await;
    let mut headers = http::HeaderMap::new();
    headers.insert("x-from-caller", "yes".parse().unwrap());
    // The caller's own policy would follow redirects.
    let client = reqwest::Client::builder()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::limited(5));
    let service = rest_core::Service::builder(own.url().parse().unwrap())
        .authorization("Bearer", rest_core::Secret::new("a-token"))
        .http(client)
        .build()
        .unwrap();
    let error = service
        .send(Call::get(["things"]))
        .await
        .expect_err("a redirect");
    assert_eq!(
        error.to_string(),
        "the server refused the request with 302 Found"
    );
    moved.assert_async().await;
    foreign.assert_async().await;
}
