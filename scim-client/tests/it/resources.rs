//! Tests of calls that read, create, replace, patch and delete resources.

use std::sync::{Arc, Mutex};

use scim_client::{Client, Dialect, Endpoint, Error};
use scim_types::{
    Group, Op, PatchOp, PatchOperation, User,
    filter::{AttributePath, Filter},
};
use serde_json::json;

use crate::fixture::{BASE, Script, TOKEN, fixture, id};

#[tokio::test]
async fn unknown_attributes_are_written_back() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Users/u%2F1")
        .with_body(r#"{"id":"u/1","userName":"ada","active":"True","badge":{"n":1.50},"urn:x:U":{"y":null}}"#)
        .create_async()
        .await;
    let written = fixture
        .mock("PUT", "/Users/u%2F1")
        .match_header("content-type", "application/scim+json")
        .match_body(concat!(
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:x:U"],"id":"u/1","#,
            r#""userName":"ada","title":"Countess","active":true,"#,
            r#""badge":{"n":1.50},"urn:x:U":{"y":null}}"#
        ))
        .with_body(r#"{"id":"u/1"}"#)
        .create_async()
        .await;
    let mut user = fixture
        .client
        .users()
        .get(&id("u/1"))
        .await
        .expect("a user");
    user.title = Some("Countess".into());
    fixture
        .client
        .users()
        .replace(&id("u/1"), &user)
        .await
        .expect("a user");
    written.assert_async().await;
}

#[tokio::test]
async fn optional_reads_return_none_for_absent_resources() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Groups/g")
        .with_status(404)
        .expect(2)
        .create_async()
        .await;
    let groups = fixture.client.groups();
    assert!(
        groups
            .get_opt(&id("g"))
            .await
            .expect("a response")
            .is_none()
    );
    assert!(
        groups
            .get(&id("g"))
            .await
            .expect_err("no group")
            .is_not_found()
    );
}

#[tokio::test]
async fn a_patch_returns_the_resource_if_the_server_does() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    fixture
        .mock("PATCH", "/Users/u")
        .match_header("content-type", "application/scim+json")
        .match_body(concat!(
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"#,
            r#""Operations":[{"op":"replace","path":"active","value":false}]}"#
        ))
        .with_body(r#"{"id":"u","active":false}"#)
        .create_async()
        .await;
    fixture
        .mock("PATCH", "/Groups/g")
        .with_status(204)
        .create_async()
        .await;
    let patch = PatchOperation::replace("active", false).into();
    let user = fixture
        .client
        .users()
        .patch(&id("u"), &patch)
        .await
        .expect("a user");
    assert_eq!(user.and_then(|user| user.active), Some(false));
    let patch = PatchOperation::replace("displayName", "admins").into();
    assert_eq!(
        fixture
            .client
            .groups()
            .patch(&id("g"), &patch)
            .await
            .expect("a response"),
        None
    );
}

#[tokio::test]
async fn membership_changes_are_sent_to_aws_in_requests_of_100_as_lists() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&bodies);
    fixture
        .mock("PATCH", "/Groups/g")
        .match_request(move |request| {
            let body = request.body().expect("a body").clone();
            recorded
                .lock()
                .expect("no panic")
                .push(serde_json::from_slice(&body).expect("JSON"));
            true
        })
        .with_status(204)
        .expect(3)
        .create_async()
        .await;
    let users: Vec<_> = (0..101).map(|number| id(&format!("u{number}"))).collect();
    let groups = fixture.client.groups();
    groups
        .add_members(&id("g"), &users)
        .await
        .expect("a response");
    groups
        .remove_members(&id("g"), &users[..1])
        .await
        .expect("a response");
    let bodies: Vec<PatchOp> = bodies.lock().expect("no panic").clone();
    let counts: Vec<_> = bodies
        .iter()
        .map(|patch| {
            let operation = &patch.operations[0];
            let members = operation.value.as_ref().and_then(|value| value.as_array());
            (
                operation.op,
                operation.path.as_deref(),
                members.map(Vec::len),
            )
        })
        .collect();
    let members = Some("members");
    assert_eq!(
        counts,
        [
            (Op::Add, members, Some(100)),
            (Op::Add, members, Some(1)),
            (Op::Remove, members, Some(1))
        ]
    );
}

#[tokio::test]
async fn members_of_a_generic_server_are_removed_by_one_path_each() {
    let mut fixture = fixture(Dialect::Generic).await;
    let removed = fixture
        .mock("PATCH", "/Groups/g")
        .match_body(mockito::Matcher::Json(json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [
                {"op": "remove", "path": "members[value eq \"a\"]"},
                {"op": "remove", "path": "members[value eq \"b\"]"}
            ]
        })))
        .with_status(204)
        .create_async()
        .await;
    fixture
        .client
        .groups()
        .remove_members(&id("g"), &[id("a"), id("b")])
        .await
        .expect("a response");
    removed.assert_async().await;
}

#[tokio::test]
async fn a_patch_that_the_server_would_misread_is_not_sent() {
    let script = Script::default();
    let patch = PatchOperation::remove_listed_members([&id("a")]).into();
    let client = script.client(Dialect::Generic);
    let error = client
        .groups()
        .patch(&id("g"), &patch)
        .await
        .expect_err("the call fails");
    assert!(matches!(error, Error::Unsupported(_)));
    assert_eq!(
        error.to_string(),
        "PATCH /Groups/g was not sent: a server that follows RFC 7644 ignores the list of members to \
         remove, and removes all members; remove each member by its own path"
    );
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_probe_reads_the_configuration_and_one_user() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let config = fixture
        .mock("GET", "/ServiceProviderConfig")
        .with_body(r#"{"patch":{"supported":true}}"#)
        .create_async()
        .await;
    let users = fixture
        .mock("GET", "/Users?cursor&count=1")
        .with_body(r#"{"itemsPerPage":1,"Resources":[]}"#)
        .create_async()
        .await;
    let probe = fixture.client.probe().await.expect("a probe");
    assert!(!probe.has_users);
    assert_eq!(
        probe
            .service_provider_config
            .patch
            .and_then(|patch| patch.supported),
        Some(true)
    );
    config.assert_async().await;
    users.assert_async().await;
}

#[tokio::test]
async fn schemas_and_resource_types_are_lists() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Schemas")
        .with_body(r#"{"Resources":[{"id":"urn:x","attributes":[{"name":"a"}]}]}"#)
        .create_async()
        .await;
    fixture
        .mock("GET", "/ResourceTypes")
        .with_body(r#"{"Resources":[{"name":"User","endpoint":"/Users"}]}"#)
        .create_async()
        .await;
    let schemas = fixture
        .client
        .schemas()
        .try_collect()
        .await
        .expect("schemas");
    assert_eq!(schemas[0].attributes[0].name.as_deref(), Some("a"));
    let kinds = fixture
        .client
        .resource_types()
        .try_collect()
        .await
        .expect("kinds");
    assert_eq!(kinds[0].endpoint.as_deref(), Some("/Users"));
}

#[tokio::test]
async fn trailing_slashes_of_an_endpoint_are_ignored() {
    let mut fixture = fixture(Dialect::Generic).await;
    let read = fixture
        .mock("GET", "/Users/u")
        .with_body("{}")
        .expect(3)
        .create_async()
        .await;
    for slash in ["", "/", "//"] {
        let endpoint = Endpoint::parse(&format!("{}{BASE}{slash}", fixture.server.url()));
        let token = scim_client::Secret::new(TOKEN);
        let client = Client::builder(&endpoint.expect("an endpoint"), token).build();
        client
            .expect("a client")
            .users()
            .get(&id("u"))
            .await
            .expect("a user");
    }
    read.assert_async().await;
}

#[tokio::test]
async fn no_debug_output_contains_the_token() {
    let script = Script::new([Ok((401, ""))]);
    let client = script.client(Dialect::Generic);
    let error = client
        .users()
        .create(&User::new("ada"))
        .await
        .expect_err("the call fails");
    let filter = Filter::eq(AttributePath::USER_NAME, "ada");
    let pager = client.users().list(filter);
    for shown in [
        format!("{client:?}"),
        format!("{error:?}"),
        format!("{pager:?}"),
        format!("{:?}", client.users()),
    ] {
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_is_not_sent_there() {
    let mut fixture = fixture(Dialect::Generic).await;
    let mut foreign = mockito::Server::new_async().await;
    let untouched = foreign
        .mock("GET", mockito::Matcher::Any)
        .expect(0)
        .create_async()
        .await;
    fixture
        .mock("GET", "/Users/u")
        .with_status(307)
        .with_header("location", &format!("{}/Users/u", foreign.url()))
        .create_async()
        .await;
    let error = fixture
        .client
        .users()
        .get(&id("u"))
        .await
        .expect_err("a redirect");
    assert_eq!(error.status(), Some(307));
    assert!(
        error
            .help()
            .expect("a help text")
            .contains("and the token is not sent there")
    );
    untouched.assert_async().await;
}

#[tokio::test]
async fn a_group_is_replaced_if_the_server_supports_it() {
    let mut fixture = fixture(Dialect::Generic).await;
    let written = fixture
        .mock("PUT", "/Groups/g")
        .match_body(r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Builders"}"#)
        .with_body(r#"{"id":"g","displayName":"Builders"}"#)
        .create_async()
        .await;
    let builders = Group::new("Builders");
    let replaced = fixture.client.groups().replace(&id("g"), &builders).await;
    assert_eq!(replaced.expect("a group").id, Some(id("g")));
    written.assert_async().await;
}

#[tokio::test]
async fn a_replacement_of_a_group_is_not_sent_to_aws() {
    let fixture = fixture(Dialect::AwsIdentityCenter).await;
    let builders = Group::new("Builders");
    let refused = fixture.client.groups().replace(&id("g"), &builders).await;
    assert_eq!(
        refused.expect_err("the call fails").to_string(),
        "PUT /Groups/g was not sent: AWS IAM Identity Center cannot replace groups; patch the group"
    );
}

#[tokio::test]
async fn a_resource_is_read_with_selected_attributes() {
    let mut fixture = fixture(Dialect::Generic).await;
    let read = fixture
        .mock("GET", "/Users/u?attributes=userName%2Cgroups.value")
        .with_body(r#"{"id":"u","userName":"ada","groups":[{"value":"g"}]}"#)
        .create_async()
        .await;
    let attributes = [AttributePath::USER_NAME, AttributePath::GROUPS_VALUE];
    let users = fixture.client.users();
    let ada = users.get_attributes(&id("u"), &attributes).await;
    assert_eq!(ada.expect("a user").user_name.as_deref(), Some("ada"));
    read.assert_async().await;
}

#[tokio::test]
async fn a_selection_of_attributes_is_not_sent_to_aws() {
    let script = Script::default();
    let client = script.client(Dialect::AwsIdentityCenter);
    let wanted = [AttributePath::USER_NAME];
    let refused = client.users().get_attributes(&id("u"), &wanted).await;
    assert_eq!(
        refused.expect_err("the call fails").to_string(),
        "GET /Users/u was not sent: AWS IAM Identity Center does not support the selection of \
         attributes; get the whole resource"
    );
    assert!(script.requests().is_empty());
}
