//! Tests of lists and of the requests that they send.

use scim_client::{AttributeRule, Dialect, DocumentRules, Error, FilterRules, Rules};
use scim_types::{
    User,
    filter::{AttributePath, Filter},
};

use crate::fixture::{Fixture, Script, fixture};

async fn names(fixture: &Fixture) -> Result<Vec<String>, Error> {
    let groups = fixture.client.groups().list(None).try_collect().await?;
    Ok(groups
        .into_iter()
        .filter_map(|group| group.display_name.map(String::from))
        .collect())
}

#[tokio::test]
async fn an_empty_page_does_not_end_the_list() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let first = fixture
        .mock("GET", "/Groups?cursor&count=100")
        .match_header("authorization", "Bearer token-of-the-tests")
        .match_header("accept", "application/scim+json, application/json")
        .with_body(
            r#"{"itemsPerPage":100,"nextCursor":"a+/=:b","Resources":[{"displayName":"one"}]}"#,
        )
        .create_async()
        .await;
    let empty = fixture
        .mock("GET", "/Groups?cursor=a%2B%2F%3D%3Ab&count=100")
        .with_body(r#"{"itemsPerPage":100,"nextCursor":"c","Resources":[]}"#)
        .create_async()
        .await;
    let last = fixture
        .mock("GET", "/Groups?cursor=c&count=100")
        .with_body(r#"{"itemsPerPage":100,"Resources":[{"displayName":"two"}]}"#)
        .create_async()
        .await;
    assert_eq!(names(&fixture).await.expect("a list"), ["one", "two"]);
    for mock in [first, empty, last] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_filter_is_the_same_on_every_page() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    let filter = "filter=groups.value%20eq%20%22g%2B1%22";
    let first = fixture
        .mock("GET", &format!("/Users?{filter}&cursor&count=100"))
        .with_body(r#"{"nextCursor":"n","Resources":[]}"#)
        .create_async()
        .await;
    let last = fixture
        .mock("GET", &format!("/Users?{filter}&cursor=n&count=100"))
        .with_body(r#"{"Resources":[{"id":"u"}]}"#)
        .create_async()
        .await;
    let members = fixture
        .client
        .users()
        .list(Filter::eq(AttributePath::GROUPS_VALUE, "g+1"));
    assert_eq!(members.try_collect().await.expect("a list").len(), 1);
    first.assert_async().await;
    last.assert_async().await;
}

#[tokio::test]
async fn lists_of_a_generic_server_are_paginated_by_index() {
    let mut fixture = fixture(Dialect::Generic).await;
    let first = fixture
        .mock("GET", "/Groups?startIndex=1&count=100")
        .with_body(
            r#"{"totalResults":3,"startIndex":1,"Resources":[{"displayName":"a"},{"displayName":"b"}]}"#,
        )
        .create_async()
        .await;
    let last = fixture
        .mock("GET", "/Groups?startIndex=3&count=100")
        .with_body(r#"{"totalResults":"3","startIndex":3,"resources":[{"DISPLAYNAME":"c"}]}"#)
        .create_async()
        .await;
    assert_eq!(names(&fixture).await.expect("a list"), ["a", "b", "c"]);
    first.assert_async().await;
    last.assert_async().await;
}

#[tokio::test]
async fn a_list_that_ends_before_its_total_is_an_error_after_all_items() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Groups?startIndex=1&count=100")
        .with_body(r#"{"totalResults":2,"Resources":[{"displayName":"a"}]}"#)
        .create_async()
        .await;
    fixture
        .mock("GET", "/Groups?startIndex=2&count=100")
        .with_body(r#"{"totalResults":2}"#)
        .create_async()
        .await;
    let mut groups = fixture.client.groups().list(None);
    assert!(groups.try_next().await.expect("a page").is_some());
    let error = groups.try_next().await.expect_err("a short list");
    assert_eq!(
        error.to_string(),
        "GET /Groups returned only 1 of 2 resources"
    );
    assert!(
        error
            .help()
            .expect("a help text")
            .starts_with("the list may have changed")
    );
}

#[tokio::test]
async fn a_repeated_cursor_is_an_error() {
    let page = r#"{"nextCursor":"n","Resources":[]}"#;
    let script = Script::new([Ok((200, page)), Ok((200, page))]);
    let users = script.client(Dialect::AwsIdentityCenter).users().list(None);
    let error = users.try_collect().await.expect_err("a repeated cursor");
    assert_eq!(
        error.to_string(),
        "page 2 of GET /Users repeats the cursor of an earlier page"
    );
    assert_eq!(error.operation(), Some("GET /Users"));
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_filter_that_aws_does_not_support_is_not_sent() {
    let script = Script::default();
    let filter = Filter::parse("userName sw \"a\"").expect("a filter");
    let users = script
        .client(Dialect::AwsIdentityCenter)
        .users()
        .list(filter);
    let error = users.try_collect().await.expect_err("the call fails");
    assert_eq!(
        error.to_string(),
        "GET /Users was not sent: AWS IAM Identity Center supports only `eq` on userName, or on \
         externalId, or on groups.value, or on id, or on id and manager, but the filter is userName \
         sw \"a\""
    );
    assert_eq!(error.operation(), Some("GET /Users"));
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn the_rules_of_a_custom_dialect_are_applied() {
    static SMALL: Rules = Rules {
        name: "the small service",
        page_size: 2,
        user_filters: FilterRules::Only(&[&["userName"]]),
        users: DocumentRules {
            attributes: &[
                AttributeRule::required("userName"),
                AttributeRule::required("title"),
            ],
            ..DocumentRules::NONE
        },
        ..Rules::GENERIC
    };
    let page = r#"{"totalResults":1,"Resources":[{"displayName":"a"}]}"#;
    let refused = r#"{"status":"400"}"#;
    let script = Script::new([Ok((200, page)), Ok((400, refused))]);
    let client = script.client(Dialect::Other(&SMALL));
    let groups = client.groups().list(None).try_collect().await;
    assert_eq!(groups.expect("a list").len(), 1);
    assert!(
        script.requests()[0].ends_with("/Groups?startIndex=1&count=2"),
        "{:?}",
        script.requests()
    );
    let filter = Filter::eq(AttributePath::EXTERNAL_ID, "1");
    let error = client.users().list(filter).try_collect().await;
    let error = error.expect_err("the call fails").to_string();
    assert!(
        error.contains("the small service supports only `eq` on userName,"),
        "{error}"
    );
    let error = client.users().create(&User::new("ada")).await;
    let error = error.expect_err("the call fails");
    let violations = error.error_response().expect("a response").violations();
    assert_eq!(violations[0].to_string(), "title is required");
}

#[tokio::test]
async fn find_fails_if_several_resources_match() {
    let none = r#"{"totalResults":0}"#;
    let one = r#"{"totalResults":1,"Resources":[{"id":"a"}]}"#;
    let two = r#"{"totalResults":2,"Resources":[{"id":"a"},{"id":"b"}]}"#;
    let script = Script::new([Ok((200, none)), Ok((200, one)), Ok((200, two))]);
    let client = script.client(Dialect::Generic);
    let filter = Filter::eq(AttributePath::DISPLAY_NAME, "admins");
    assert!(
        client
            .groups()
            .find(filter.clone())
            .await
            .expect("a response")
            .is_none()
    );
    assert!(
        client
            .groups()
            .find(filter.clone())
            .await
            .expect("a response")
            .is_some()
    );
    let error = client.groups().find(filter).await.expect_err("two groups");
    assert_eq!(
        error.to_string(),
        r#"GET /Groups found several resources with displayName eq "admins""#
    );
}

#[tokio::test]
async fn the_servers_pagination_settings_are_used_if_it_reports_them() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/ServiceProviderConfig")
        .with_body(r#"{"pagination":{"cursor":true,"index":true,"maxPageSize":50}}"#)
        .create_async()
        .await;
    let by_cursor = fixture
        .mock("GET", "/Groups?cursor&count=50")
        .with_body(r#"{"Resources":[{"displayName":"one"}]}"#)
        .create_async()
        .await;
    fixture.client = fixture.client.negotiated().await.expect("a response");
    assert_eq!(names(&fixture).await.expect("a list"), ["one"]);
    by_cursor.assert_async().await;
}

#[tokio::test]
async fn the_dialects_pagination_is_used_if_the_server_reports_no_settings() {
    let mut fixture = fixture(Dialect::AwsIdentityCenter).await;
    fixture
        .mock("GET", "/ServiceProviderConfig")
        .with_body(r#"{"filter":{"supported":true,"maxResults":50}}"#)
        .create_async()
        .await;
    let by_dialect = fixture
        .mock("GET", "/Groups?cursor&count=100")
        .with_body(r#"{"Resources":[]}"#)
        .create_async()
        .await;
    fixture.client = fixture.client.negotiated().await.expect("a response");
    assert!(names(&fixture).await.expect("a list").is_empty());
    by_dialect.assert_async().await;
}

#[tokio::test]
async fn a_list_falls_back_to_pagination_by_index_if_cursors_are_unsupported() {
    let script = Script::new([
        Ok((501, "")),
        Ok((
            200,
            r#"{"totalResults":3,"startIndex":1,"Resources":[{"id":"a"},{"id":"b"}]}"#,
        )),
        Ok((
            200,
            r#"{"totalResults":3,"startIndex":3,"Resources":[{"id":"c"}]}"#,
        )),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let users = client.users().list(None).try_collect().await;
    assert_eq!(users.expect("a list").len(), 3);
    assert_eq!(
        script.requests(),
        [
            "GET /v2/Users?cursor&count=100",
            "GET /v2/Users?startIndex=1&count=100",
            "GET /v2/Users?startIndex=3&count=100",
        ]
    );
}

#[tokio::test]
async fn a_later_page_does_not_fall_back_to_pagination_by_index() {
    let script = Script::new([
        Ok((200, r#"{"nextCursor":"n","Resources":[{"id":"a"}]}"#)),
        Ok((501, "")),
    ]);
    let client = script.client(Dialect::AwsIdentityCenter);
    let error = client.users().list(None).try_collect().await;
    let error = error.expect_err("an incomplete list");
    assert_eq!(error.status(), Some(501));
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn the_error_of_a_short_list_contains_the_last_request_id() {
    let mut fixture = fixture(Dialect::Generic).await;
    fixture
        .mock("GET", "/Groups?startIndex=1&count=100")
        .with_header("x-request-id", "r-1")
        .with_body(r#"{"totalResults":3,"startIndex":1,"Resources":[]}"#)
        .create_async()
        .await;
    let error = names(&fixture).await.expect_err("an incomplete list");
    assert!(matches!(error, Error::ShortList { .. }));
    assert_eq!(error.request_id(), Some("r-1"));
}
