//! Tests of lists with items that cannot be read, and of positions.

use std::error::Error as _;

use futures::TryStreamExt;
use scim_client::{
    Dialect, Error, ListPosition, TransportError,
    scim_types::{
        ExternalId, Group, User,
        filter::{AttributePath, Filter},
    },
};

use crate::fixture::{Script, broken_connection, fixture};

/// A page whose second user has a name that is not a string.
const ODD_USERS: &str = r#"{"totalResults":3,"Resources":[{"userName":"ada"},{"id":"u", "userName":7},{"userName":"grace"}]}"#;

#[track_caller]
fn check_item(error: &Error, place: &str, raw: &str, cause: &str) {
    assert_eq!(error.to_string(), place);
    assert_eq!(error.item().expect("an item").raw(), raw);
    assert_eq!(error.source().expect("a cause").to_string(), cause);
    assert!(
        error
            .help()
            .expect("a help text")
            .contains("remove no resource")
    );
}

#[tokio::test]
async fn a_user_that_cannot_be_read_is_an_error_with_its_place_and_json() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Users?startIndex=1&count=100")
        .with_body(ODD_USERS)
        .create_async()
        .await;
    let mut users = fixture.client.users().list(None);
    let ada = users.try_next().await.expect("a user").expect("a user");
    assert_eq!(ada.user_name.as_deref(), Some("ada"));
    let error = users.try_next().await.expect_err("an odd user");
    check_item(
        &error,
        "item 2 of page 1 of GET /Users could not be read",
        r#"{"id":"u", "userName":7}"#,
        "invalid type: integer `7`, expected a string at line 1 column 23",
    );
    assert_eq!(error.operation(), Some("GET /Users"));
    assert!(!format!("{error:?}").contains("userName"));
    let grace = users.try_next().await.expect("a user").expect("a user");
    assert_eq!(grace.user_name.as_deref(), Some("grace"));
    assert!(users.try_next().await.expect("the end").is_none());
}

#[tokio::test]
async fn a_group_that_cannot_be_read_does_not_break_a_list_by_cursor() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    fixture
        .mock("GET", "/Groups?cursor&count=100")
        .with_body(r#"{"nextCursor":"n","Resources":[{"displayName":"a"}]}"#)
        .create_async()
        .await;
    fixture
        .mock("GET", "/Groups?cursor=n&count=100")
        .with_body(r#"{"Resources":[null,{"displayName":"b"}]}"#)
        .create_async()
        .await;
    let list = fixture.client.groups().list(None).collect_partial().await;
    let list = list.expect("a partial list");
    assert_eq!(list.items, [Group::new("a"), Group::new("b")]);
    let error = &list.errors[0];
    assert_eq!((error.page(), error.index(), error.raw()), (2, 0, "null"));

    let strict = fixture.client.groups().list(None).try_collect().await;
    assert!(strict.expect_err("an odd group").item().is_some());
    let stream = fixture.client.groups().list(None).into_stream();
    let streamed: Result<Vec<Group>, Error> = stream.try_collect().await;
    assert!(streamed.expect_err("an odd group").item().is_some());
}

#[tokio::test]
async fn a_schema_that_cannot_be_read_is_an_error_of_its_own() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Schemas")
        .with_body(r#"{"Resources":[7,{"id":"urn:x"}]}"#)
        .create_async()
        .await;
    let schemas = fixture.client.schemas().collect_partial().await;
    let schemas = schemas.expect("a partial list");
    assert_eq!((schemas.items.len(), schemas.errors.len()), (1, 1));
    assert_eq!(schemas.errors[0].operation(), "GET /Schemas");
}

#[tokio::test]
async fn a_list_of_resource_types_with_fewer_than_its_total_is_an_error() {
    let script = Script::new([Ok((
        200,
        r#"{"totalResults":2,"Resources":[{"name":"User"}]}"#,
    ))]);
    let client = script.client(Dialect::Generic);
    let error = client.resource_types().try_collect().await;
    assert_eq!(
        error.expect_err("a short list").to_string(),
        "GET /ResourceTypes returned only 1 of 2 resources"
    );
}

#[tokio::test]
async fn find_never_treats_a_match_that_cannot_be_read_as_absent() {
    let first = r#"{"totalResults":1,"Resources":[{"userName":7}]}"#;
    let second = r#"{"totalResults":2,"Resources":[{"userName":"ada"},{"userName":7}]}"#;
    let script = Script::new([Ok((200, first)), Ok((200, second))]);
    let client = script.client(Dialect::Generic);
    for _ in 0..2 {
        let filter = Filter::eq(AttributePath::USER_NAME, "ada");
        let error = client.users().find(filter).await;
        assert!(error.expect_err("an odd user").item().is_some());
    }
}

fn ada() -> User {
    User {
        external_id: Some(ExternalId::new("00u1")),
        ..User::new("ada")
    }
}

#[tokio::test]
async fn a_conflict_with_a_user_that_cannot_be_read_returns_the_error_of_the_lookup() {
    let script = Script::new([Ok((409, "{}")), Ok((200, ODD_USERS))]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client.users().create_or_adopt(&ada()).await;
    // A second user of the page would make the match ambiguous, so the lookup reads it.
    assert!(error.expect_err("an odd user").item().is_some());
}

#[tokio::test]
async fn if_the_lookup_after_a_lost_response_fails_the_error_says_that_the_server_may_have_acted() {
    let script = Script::new([
        Err(broken_connection as fn() -> TransportError),
        Ok((200, ODD_USERS)),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client.users().create_or_adopt(&ada()).await;
    assert!(error.expect_err("no response").may_have_acted());
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_failed_page_is_requested_again_at_the_same_place() {
    let script = Script::new([
        Ok((
            200,
            r#"{"nextCursor":"n","Resources":[{"userName":"ada"}]}"#,
        )),
        Ok((400, "{}")),
        Ok((200, r#"{"Resources":[{"userName":"grace"}]}"#)),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let mut users = client.users().list(None);
    assert_eq!(
        users.try_next().await.expect("a user"),
        Some(User::new("ada"))
    );
    let error = users.try_next().await.expect_err("a failed page");
    assert_eq!(error.status(), Some(400));
    assert_eq!(
        users.try_next().await.expect("a user"),
        Some(User::new("grace"))
    );
    assert_eq!(script.requests()[1], script.requests()[2]);
}

#[tokio::test]
async fn a_saved_position_is_resumed_in_the_middle_of_a_page() {
    for (dialect, page) in [
        (Dialect::Generic, "startIndex=2&count=100"),
        (Dialect::AwsIdentityCenter, "cursor=n&count=100"),
    ] {
        let mut fixture = fixture(dialect).await;
        let (first, cursor) = match dialect {
            Dialect::Generic => ("startIndex=1&count=100", ""),
            _ => ("cursor&count=100", r#""nextCursor":"n","#),
        };
        fixture
            .mock("GET", &format!("/Users?{first}"))
            .with_body(format!(
                r#"{{{cursor}"totalResults":3,"Resources":[{{"userName":"ada"}}]}}"#
            ))
            .expect(1)
            .create_async()
            .await;
        let second = fixture
            .mock("GET", &format!("/Users?{page}"))
            .with_body(
                r#"{"totalResults":3,"Resources":[{"userName":"grace"},{"userName":"joan"}]}"#,
            )
            .expect(2)
            .create_async()
            .await;
        let mut users = fixture.client.users().list(None);
        for name in ["ada", "grace"] {
            let user = users.try_next().await.expect("a page");
            assert_eq!(user, Some(User::new(name)));
        }
        let saved = serde_json::to_string(&users.position()).expect("JSON");
        let saved: ListPosition = serde_json::from_str(&saved).expect("a position");
        let rest = fixture.client.users().list(None).resume(saved);
        assert_eq!(
            rest.try_collect().await.expect("a list"),
            [User::new("joan")]
        );
        second.assert_async().await;
    }
}

#[tokio::test]
async fn a_position_of_another_service_is_an_error_and_nothing_is_sent() {
    for cursor in ["https://acme.okta.com/api/v1/apps?after=1", "0", ""] {
        let script = Script::default();
        let saved = serde_json::json!({ "cursor": cursor });
        let saved: ListPosition = serde_json::from_value(saved).expect("a position");
        let users = script.client(Dialect::Generic).users().list(None);
        let error = users.resume(saved).try_collect().await;
        let error = error.expect_err("a foreign position");
        assert_eq!(error.to_string(), "GET /Users could not be sent");
        assert_eq!(
            error.source().expect("a cause").to_string(),
            "the saved position is not a position of a SCIM list"
        );
        assert!(script.requests().is_empty());
    }
}
