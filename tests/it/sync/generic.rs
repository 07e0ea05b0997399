//! Tests of the sync with a generic SCIM server (RFC 7644): pages by index, groups with members, no limits.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use okta_aws_sso::{
    StateStore,
    scim::{Client, Endpoint},
    sync::{DirectorySync, GroupRemoval, ReadMode, Removal},
};
use rest_core::{Secret, Transport, TransportError};
use scim_types::{PatchOp, filter::Filter, patch::Options};
use serde_json::{Value, json};

use super::fixture::{OktaIdSource, directory, lifted};

/// A fake SCIM server.
#[derive(Debug, Default)]
pub(super) struct Server {
    content: Mutex<Content>,
}

impl Server {
    /// Returns a client of the server.
    pub(super) fn client(self: &Arc<Self>) -> Client {
        let endpoint = Endpoint::parse("https://scim.example/v2").expect("an endpoint");
        Client::builder(&endpoint, Secret::new("token"))
            .transport(self.clone())
            .build()
            .expect("a client")
    }

    /// Returns the resources of a kind.
    pub(super) fn resources(&self, kind: &str) -> Vec<Value> {
        let content = self.content.lock().expect("the server");
        let some = { content.resources.iter() }.filter(|((of, _), _)| of == kind);
        some.map(|(_, resource)| resource.clone()).collect()
    }

    /// Changes a resource, or deletes it if the function returns `None`.
    pub(super) fn edit(&self, kind: &str, id: &str, edit: impl FnOnce(Value) -> Option<Value>) {
        let key = (kind.to_owned(), id.to_owned());
        let mut content = self.content.lock().expect("the server");
        let resource = content.resources.remove(&key).expect("a resource");
        if let Some(edited) = edit(resource) {
            content.resources.insert(key, edited);
        }
    }
}

/// The server's resources by kind and id, and the received requests.
#[derive(Debug, Default)]
struct Content {
    resources: BTreeMap<(String, String), Value>,
    requests: Vec<String>,
    /// The id of a user that the server takes into no group.
    refused_member: String,
    /// The number of the last id.
    next: usize,
}

impl Content {
    /// Handles a request; returns the status and the body.
    fn response(&mut self, request: &Request<Bytes>) -> (u16, Value) {
        let path: Vec<&str> = request
            .uri()
            .path()
            .trim_start_matches("/v2/")
            .split('/')
            .collect();
        self.requests
            .push(format!("{} {}", request.method(), path[0]));
        let body = || serde_json::from_slice::<Value>(request.body()).unwrap_or_default();
        let key = |id: &str| (path[0].to_owned(), id.to_owned());
        match (request.method(), path.as_slice()) {
            (&Method::GET, [kind]) => (
                200,
                self.list(kind, request.uri().query().unwrap_or_default()),
            ),
            (&Method::POST, [kind]) => {
                self.next += 1;
                let id = format!("{}-{}", kind.to_lowercase(), self.next);
                let mut resource = body();
                resource["id"] = id.as_str().into();
                self.resources.insert(key(&id), resource.clone());
                (201, resource)
            }
            (method, [_, id]) => {
                let Some(found) = self.resources.get_mut(&key(id)) else {
                    return (404, json!({"status": "404"}));
                };
                match *method {
                    Method::GET => (200, found.clone()),
                    Method::PUT => {
                        *found = body();
                        found["id"] = (*id).into();
                        (200, found.clone())
                    }
                    Method::PATCH
                        if !self.refused_member.is_empty()
                            && body().to_string().contains(&self.refused_member) =>
                    {
                        (400, json!({"status": "400", "detail": "not this user"}))
                    }
                    Method::PATCH => {
                        let change: PatchOp = serde_json::from_value(body()).expect("a patch");
                        *found = change
                            .apply(found, &Options::default())
                            .expect("an applicable patch");
                        (200, found.clone())
                    }
                    _ => {
                        self.resources.remove(&key(id));
                        (204, Value::Null)
                    }
                }
            }
            _ => (404, json!({"status": "404"})),
        }
    }

    /// Returns a page of the resources that match the query.
    fn list(&self, kind: &str, query: &str) -> Value {
        let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let number = |name: &str, default| {
            query
                .get(name)
                .and_then(|text| text.parse().ok())
                .unwrap_or(default)
        };
        let filter = query
            .get("filter")
            .map(|text| Filter::parse(text).expect("a filter"));
        let matching: Vec<&Value> = self
            .resources
            .iter()
            .filter(|((of, _), _)| of == kind)
            .map(|(_, resource)| resource)
            .filter(|resource| {
                let matches =
                    |filter: &Filter| filter.matches(resource).expect("an applicable filter");
                filter.as_ref().is_none_or(matches)
            })
            .collect();
        let (start, count) = (number("startIndex", 1_usize), number("count", 100_usize));
        let page: Vec<&Value> = matching
            .iter()
            .skip(start - 1)
            .take(count)
            .copied()
            .collect();
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": matching.len(), "startIndex": start, "itemsPerPage": page.len(), "Resources": page,
        })
    }
}

impl Transport for Server {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let (status, body) = self.content.lock().expect("the server").response(&request);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let response = Response::builder().status(status).body(Bytes::from(body));
        Box::pin(async move { Ok(response.expect("a valid response")) })
    }
}

#[tokio::test]
async fn a_generic_server_ends_in_sync_with_fewer_requests() {
    let server = Arc::new(Server::default());
    let scim = server.client();
    let mut source = directory(250, 3, 150);
    let store = StateStore::memory();
    let run = async |source: &okta_aws_sso::sync::Directory, mode, store: &StateStore| {
        let sync = DirectorySync::new(OktaIdSource(source.clone()), &scim)
            .store(store.clone())
            .mode(mode)
            .guard(lifted())
            .removal(Removal::Delete {
                after: std::time::Duration::ZERO,
            })
            .group_removal(GroupRemoval::Delete);
        let prepared = sync.prepare().await.expect("a plan");
        let report = sync.apply(prepared).await.expect("a run");
        report
            .complete()
            .unwrap_or_else(|error| panic!("{}", error.explain()));
        let mut content = server.content.lock().expect("the server");
        std::mem::take(&mut content.requests)
    };
    let first = run(&source, ReadMode::Cached, &store).await;
    // The request that creates a group contains all its members.
    assert_eq!(first.len(), 2 + 250 + 3);
    // One request verifies the token.
    assert_eq!(run(&source, ReadMode::Cached, &store).await.len(), 1);
    // Three pages of users and one page of groups with their members.
    for mode in [ReadMode::Verify, ReadMode::Full] {
        assert_eq!(run(&source, mode, &StateStore::memory()).await.len(), 3 + 1);
    }

    source.groups[0].name = "renamed".to_owned();
    let removed = source.groups[0].members.pop_first().expect("a member");
    let new_member = source.users[249].id.clone();
    source.groups[0].members.insert(new_member);
    source.groups.pop();
    source.users.retain(|user| user.id != removed);
    for group in &mut source.groups {
        group.members.remove(&removed);
    }
    run(&source, ReadMode::Full, &store).await;
    // That run deactivates the user; the next run deletes it.
    let last = run(&source, ReadMode::Full, &store).await;
    assert_eq!(last.last().map(String::as_str), Some("DELETE Users"));
    assert_eq!(server.resources("Users").len(), 249);
    let groups = server.resources("Groups");
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["displayName"], "renamed");
    let members = |group: &Value| group["members"].as_array().map_or(0, Vec::len);
    assert_eq!(members(&groups[0]), source.groups[0].members.len());
    assert_eq!(members(&groups[1]), source.groups[1].members.len());
}

#[tokio::test]
async fn a_member_that_the_target_refuses_is_named_and_the_others_join() {
    let server = Arc::new(Server::default());
    let scim = server.client();
    let mut source = directory(40, 1, 2);
    let store = StateStore::memory();
    let apply = async |source: &okta_aws_sso::sync::Directory| {
        let sync = DirectorySync::new(OktaIdSource(source.clone()), &scim)
            .store(store.clone())
            .guard(lifted());
        let prepared = sync.prepare().await.expect("a plan");
        sync.apply(prepared).await.expect("a run")
    };
    apply(&source).await.complete().expect("a complete run");
    let refused = {
        let mut content = server.content.lock().expect("the server");
        let named = |user: &Value| user["userName"] == "person.00021@example.com";
        let user = content.resources.values().find(|user| named(user));
        let id = user.expect("the user")["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        content.refused_member.clone_from(&id);
        id
    };
    source.groups = directory(40, 1, 40).groups;
    source.groups[0].members.pop_first();
    let report = apply(&source).await;
    let failed: Vec<String> = report
        .failed_memberships
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        failed,
        [
            "user person.00021@example.com was not added to group group-00000: SCIM PATCH /Groups/groups-41: 400 not this user"
        ],
        "{report:?}"
    );
    assert_eq!(report.done.members_added, 37);
    assert_eq!(report.done.members_removed, 1);
    let content = server.content.lock().expect("the server");
    let group = content
        .resources
        .iter()
        .find(|((kind, _), _)| kind == "Groups");
    let members = group.expect("the group").1["members"].to_string();
    assert!(!members.contains(&format!("\"{refused}\"")), "{members}");
    assert_eq!(members.matches("value").count(), 38);
}
