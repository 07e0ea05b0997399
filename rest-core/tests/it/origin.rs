//! Tests that the secret is sent only to the service's own origin.

use std::error::Error as _;

use rest_core::{Call, Error, RequestError};

use super::{Scripted, clock, response, scripted};

#[track_caller]
fn foreign_origin(result: Result<rest_core::Response, Error>) -> String {
    match result.expect_err("the link is rejected") {
        error @ Error::Request(RequestError::ForeignOrigin { .. }) => {
            error.source().expect("a source").to_string()
        }
        other => panic!("unexpected error: {other:?}"),
    }
}

#[tokio::test]
async fn the_secret_is_sent_to_its_own_origin() {
    let transport = Scripted::new([response(200, &[]), response(200, &[])]);
    let service = scripted(&transport, &clock());
    service
        .send(Call::get(["things"]))
        .await
        .expect("a response");
    let link = "https://API.example.com:443/v1/things?after=7";
    service
        .send(Call::get_link(link))
        .await
        .expect("a response");
    for request in [0, 1] {
        let header = transport.header(request, "authorization");
        assert_eq!(header.as_deref(), Some("Bearer hunter2-do-not-show"));
    }
}

#[tokio::test]
async fn a_link_to_another_origin_is_not_followed() {
    for link in [
        "https://evil.example/v1/things",
        "http://api.example.com/v1/things",
        "https://api.example.com:8443/v1/things",
        "https://api.example.com.evil.example/v1",
        "https://api.example.com@evil.example/v1",
        "//evil.example/v1/things",
        "ftp://api.example.com/v1/things",
        "data:text/plain,x",
    ] {
        let transport = Scripted::new([]);
        let service = scripted(&transport, &clock());
        let text = foreign_origin(service.send(Call::get_link(link)).await);
        assert!(
            text.starts_with("the link leads from https://api.example.com to another origin, "),
            "{link}: {text}"
        );
        assert_eq!(transport.sent(), 0, "{link}");
    }
}

#[tokio::test]
async fn a_link_with_a_user_name_is_not_followed() {
    let transport = Scripted::new([]);
    let service = scripted(&transport, &clock());
    foreign_origin(
        service
            .send(Call::get_link("https://ada:pw@api.example.com/v1/things"))
            .await,
    );
    assert_eq!(transport.sent(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_error_and_is_not_followed() {
    let location = ("location", "https://evil.example/");
    let transport = Scripted::new([response(302, &[location])]);
    let service = scripted(&transport, &clock());
    let error = service
        .send(Call::get(["things"]))
        .await
        .expect_err("a redirect is an error");
    assert_eq!(
        error.to_string(),
        "the server refused the request with 302 Found"
    );
    assert_eq!(transport.sent(), 1);
}
