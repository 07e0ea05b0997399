//! Tests of each call's request: paths, parameters and bodies match Okta's API reference.

mod apps;
mod assignments;
mod domains;
mod groups;
mod keys;
mod logs;
mod mappings;
mod org;
mod provisioning;
mod push;
mod rules;
mod users;

use bytes::Bytes;
use http::Response;
use okta_client::{Client, ListGroups};
use serde_json::{Value, json};

use super::{Org, app_id, empty, json};

/// Asserts that `org` got exactly one request, `line` with `body`.
#[track_caller]
fn check(org: &Org, line: &str, body: impl Into<Option<Value>>) {
    assert_eq!(org.requests(), [line]);
    assert_eq!(org.body(0), body.into(), "{line}");
}

/// Makes one call that Okta answers with `response`, and checks its request.
async fn wire(
    response: Response<Bytes>,
    call: impl AsyncFnOnce(Client),
    line: &str,
    body: impl Into<Option<Value>>,
) {
    let org = Org::responding([response]);
    call(org.client()).await;
    check(&org, line, body);
}

/// Returns a response with a resource that has only an id.
fn resource(id: &str) -> Response<Bytes> {
    json(200, json!({ "id": id }))
}

fn list() -> Response<Bytes> {
    json(200, json!([]))
}

fn user() -> Org {
    Org::responding([json(
        200,
        json!({ "id": "00u1", "profile": { "login": "ada@example.com" } }),
    )])
}

fn group() -> Org {
    Org::responding([json(
        200,
        json!({ "id": "00g1", "profile": { "name": "admins" } }),
    )])
}

fn app(status: u16) -> Org {
    Org::responding([json(status, json!({ "id": "0oa1" }))])
}

fn no_items() -> Org {
    Org::responding([json(200, json!([]))])
}

fn done(status: u16) -> Org {
    Org::responding([empty(status)])
}

#[tokio::test]
async fn the_futures_of_calls_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let client = Org::default().client();
    let mut pager = is_send(client.groups().list(ListGroups::default()));
    drop(is_send(pager.try_next()));
    drop(is_send(pager.into_stream()));
    drop(is_send(client.groups().named("admins")));
    drop(is_send(client.apps().keys(&app_id())));
    drop(is_send(client.users().me()));
}
