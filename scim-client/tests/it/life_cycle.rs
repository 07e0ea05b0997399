//! Life cycles of users and groups on the sandbox, with the generic and the AWS profile.

use std::{sync::Arc, time::SystemTime};

use sandbox::{Sandbox, ScimProfile, Stage};
use scim_client::{Client, Created, Dialect, Endpoint, Error, ManualClock, Secret};
use scim_types::{
    ExternalId, Group, MultiValued, Name, PatchOp, PatchOperation, Reference, ResourceId, ScimType,
    User,
    filter::{AttributePath, Filter},
};
use serde_json::json;

/// The number of users in the tests of lists: more than two pages of 100 users.
const USER_COUNT: usize = 205;

async fn generic() -> (Sandbox, Client) {
    let sandbox = Sandbox::builder().scim_profile(ScimProfile::Generic);
    let sandbox = sandbox.start().await.expect("a sandbox");
    let url = sandbox.scim_url().expect("a service");
    let client = client(&url, Sandbox::SCIM_TOKEN, Dialect::Generic);
    (sandbox, client)
}

async fn aws() -> (Sandbox, Client) {
    let sandbox = Sandbox::builder().stage(Stage::Federated);
    let sandbox = sandbox.start().await.expect("a sandbox");
    let shown = sandbox.console().enable_automatic_provisioning();
    let shown = shown.expect("a token");
    let client = client(
        &shown.scim_endpoint,
        &shown.access_token,
        Dialect::AwsIdentityCenter,
    );
    (sandbox, client)
}

fn client(url: &str, token: &str, dialect: Dialect) -> Client {
    let endpoint = Endpoint::parse(url).expect("an endpoint");
    // With a manual clock, the rate limit of AWS causes no real waits.
    let client = Client::builder(&endpoint, Secret::new(token))
        .dialect(dialect)
        .clock(Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH)));
    client.build().expect("a client")
}

fn new_user(name: &str) -> User {
    let email = format!("{name}@example.com");
    User {
        external_id: Some(ExternalId::new(format!("00u-{name}"))),
        name: Some(Name {
            given_name: Some(name.into()),
            family_name: Some("Example".into()),
            ..Name::default()
        }),
        display_name: Some(format!("{name} Example").into()),
        active: Some(true),
        emails: vec![MultiValued::primary(email.as_str())],
        ..User::new(email)
    }
}

async fn create_users(client: &Client, count: usize) -> Vec<ResourceId> {
    let mut ids = Vec::new();
    for number in 0..count {
        let user = client
            .users()
            .create(&new_user(&format!("person-{number}")))
            .await;
        ids.push(user.expect("a user").id.expect("an id"));
    }
    ids.sort();
    ids
}

/// Returns the members of a group. AWS lists them only by a filter for users.
async fn members(client: &Client, group: &ResourceId) -> Vec<ResourceId> {
    let mut members: Vec<ResourceId> = if client.dialect() == Dialect::AwsIdentityCenter {
        let filter = Filter::eq(AttributePath::GROUPS_VALUE, group.as_str());
        let users = client.users().list(filter).try_collect().await;
        let users = users.expect("users").into_iter();
        users.filter_map(|user| user.id).collect()
    } else {
        let group = client.groups().get(group).await.expect("a group");
        let members = group.members.into_iter();
        members.filter_map(|member| member.value).collect()
    };
    members.sort();
    members
}

async fn check_user_life_cycle(client: &Client) {
    let users = client.users();
    let ada = new_user("ada");
    let id = users.create(&ada).await.expect("a user").id;
    let id = id.expect("an id");
    let read = users.get(&id).await.expect("a user");
    assert_eq!(read.display_name, ada.display_name);
    for filter in [
        Filter::eq(AttributePath::USER_NAME, "ada@example.com"),
        Filter::eq(AttributePath::EXTERNAL_ID, "00u-ada"),
    ] {
        let found = users.find(filter).await.expect("a response");
        assert_eq!(found.and_then(|user| user.id), Some(id.clone()));
    }
    let absent = Filter::eq(AttributePath::USER_NAME, "absent");
    assert_eq!(users.find(absent).await.expect("a response"), None);

    let conflict = users.create(&ada).await.expect_err("a conflict");
    assert!(conflict.is_conflict());
    assert!(conflict.request_id().is_some());
    let adopted = users.create_or_adopt(&ada).await.expect("a user");
    assert!(matches!(&adopted, Created::Adopted(user) if user.id.as_ref() == Some(&id)));

    let countess = User {
        title: Some("Countess".into()),
        ..ada
    };
    let replaced = users.replace(&id, &countess).await.expect("a user");
    assert_eq!(replaced.title.as_deref(), Some("Countess"));
    let patch = PatchOp::new(vec![
        PatchOperation::replace("active", false),
        PatchOperation::remove("title"),
    ]);
    users.patch(&id, &patch).await.expect("a response");
    let patched = users.get(&id).await.expect("a user");
    assert_eq!((patched.active, patched.title), (Some(false), None));

    users.delete(&id).await.expect("a response");
    assert_eq!(users.get_opt(&id).await.expect("a response"), None);
    let not_found = users.get(&id).await.expect_err("a deleted user");
    assert!(not_found.is_not_found());
    assert!(not_found.request_id().is_some());
}

async fn check_group_life_cycle(client: &Client) {
    let groups = client.groups();
    let users = create_users(client, 5).await;
    let mut engineers = Group::new("Engineers");
    engineers.members = users[..2].iter().cloned().map(Reference::to).collect();
    let id = groups.create(&engineers).await.expect("a group").id;
    let id = id.expect("an id");
    assert_eq!(members(client, &id).await, users[..2]);
    let by_name = Filter::eq(AttributePath::DISPLAY_NAME, "Engineers");
    let found = groups.find(by_name).await.expect("a response");
    assert_eq!(found.and_then(|group| group.id), Some(id.clone()));

    let added = groups.add_members(&id, &users[1..]).await;
    added.expect("a response");
    assert_eq!(members(client, &id).await, users);
    for _ in 0..2 {
        let removed = groups.remove_members(&id, &users[..3]).await;
        removed.expect("a response");
        assert_eq!(members(client, &id).await, users[3..]);
    }
    let rename = PatchOperation::replace("displayName", "Builders").into();
    groups.patch(&id, &rename).await.expect("a response");
    let renamed = groups.get(&id).await.expect("a group");
    assert_eq!(renamed.display_name.as_deref(), Some("Builders"));
    assert_eq!(members(client, &id).await, users[3..]);

    let replaced = groups.replace(&id, &Group::new("Empty")).await;
    if client.dialect().rules().replaces_groups {
        replaced.expect("a group");
        assert!(members(client, &id).await.is_empty());
    } else {
        assert!(matches!(replaced, Err(Error::Unsupported(_))));
    }
    groups.delete(&id).await.expect("a response");
    assert_eq!(groups.get_opt(&id).await.expect("a response"), None);
}

async fn check_list_of_many_users(client: &Client) {
    let created = create_users(client, USER_COUNT).await;
    let listed = client.users().list(None).try_collect().await;
    let listed = listed.expect("a list").into_iter();
    let mut listed: Vec<ResourceId> = listed.filter_map(|user| user.id).collect();
    listed.sort();
    assert_eq!(listed, created);
}

#[tokio::test]
async fn the_generic_server_supports_the_life_cycle_of_users() {
    let (_sandbox, client) = generic().await;
    check_user_life_cycle(&client).await;
}

#[tokio::test]
async fn aws_supports_the_life_cycle_of_users() {
    let (_sandbox, client) = aws().await;
    check_user_life_cycle(&client).await;
}

#[tokio::test]
async fn the_generic_server_supports_the_life_cycle_of_groups() {
    let (_sandbox, client) = generic().await;
    check_group_life_cycle(&client).await;
}

#[tokio::test]
async fn aws_supports_the_life_cycle_of_groups() {
    let (_sandbox, client) = aws().await;
    check_group_life_cycle(&client).await;
}

#[tokio::test]
async fn a_list_by_index_returns_every_user_once() {
    let (_sandbox, client) = generic().await;
    check_list_of_many_users(&client).await;
}

#[tokio::test]
async fn a_list_by_cursor_returns_every_user_once() {
    let (_sandbox, client) = generic().await;
    check_list_of_many_users(&client.negotiated().await.expect("a response")).await;
}

#[tokio::test]
async fn a_list_by_the_cursor_of_aws_returns_every_user_once() {
    let (_sandbox, client) = aws().await;
    check_list_of_many_users(&client).await;
}

#[tokio::test]
async fn only_the_selected_attributes_are_returned() {
    let (_sandbox, client) = generic().await;
    let created = client.users().create(&new_user("ada")).await;
    let id = created.expect("a user").id.expect("an id");
    let wanted = [AttributePath::DISPLAY_NAME];
    let ada = client.users().get_attributes(&id, &wanted).await;
    let ada = ada.expect("a user");
    assert_eq!(ada.display_name.as_deref(), Some("ada Example"));
    assert_eq!(
        (ada.id, ada.external_id, ada.active),
        (Some(id), None, None)
    );
}

#[tokio::test]
async fn an_attribute_of_no_schema_is_refused_with_the_error_type_of_the_rfc() {
    let (_sandbox, client) = generic().await;
    let created = client.users().create(&new_user("ada")).await;
    let id = created.expect("a user").id.expect("an id");
    let patch = PatchOperation::replace("shoeSize", json!("42")).into();
    let error = client
        .users()
        .patch(&id, &patch)
        .await
        .expect_err("an invalid path");
    assert_eq!(error.scim_type(), Some(&ScimType::InvalidPath));
    let shoes = Filter::eq(AttributePath::parse("shoeSize").expect("a name"), "42");
    let error = client
        .users()
        .find(shoes)
        .await
        .expect_err("an invalid filter");
    assert_eq!(error.scim_type(), Some(&ScimType::InvalidFilter));
}
