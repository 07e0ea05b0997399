use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
    time::Duration,
};

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::{CheckedClient, Limits, check_url};
use crate::https::{Https, Proxy};

/// Sends one call to a server that sends `response` and then keeps the connection open. Returns the
/// error with its sources.
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
    format!("{:?}", result.expect_err("a limit"))
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
