//! Tests of lists with several pages.

use std::error::Error as _;

use okta_client::{AppStatus, ListApps, ListGroups};
use rest_core::TransportError;
use serde_json::{Value, json};

use super::{Org, app_id, empty, json, text, with};

fn page(ids: &[&str], next: Option<&str>) -> http::Response<bytes::Bytes> {
    let list: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    let mut response = json(200, Value::Array(list));
    response = with(
        response,
        "Link",
        "<https://acme.okta.com/api/v1/groups?limit=1>; rel=\"self\"",
    );
    match next {
        Some(next) => with(response, "link", &format!("<{next}>; rel=\"next\"")),
        None => response,
    }
}

const NEXT: &str = "https://acme.okta.com/api/v1/groups?after=00g%2B1&limit=1";

async fn ids(org: &Org) -> Result<Vec<String>, okta_client::Error> {
    let groups = org
        .client()
        .groups()
        .list(ListGroups::default())
        .try_collect()
        .await?;
    Ok(groups
        .into_iter()
        .map(|group| group.id.to_string())
        .collect())
}

#[tokio::test]
async fn a_list_follows_the_links_unchanged() {
    let org = Org::responding([page(&["00g1"], Some(NEXT)), page(&["00g2"], None)]);
    assert_eq!(ids(&org).await.unwrap(), ["00g1", "00g2"]);
    let lines = [
        "GET /api/v1/groups?limit=200",
        "GET /api/v1/groups?after=00g%2B1&limit=1",
    ];
    assert_eq!(org.requests(), lines);
}

#[tokio::test]
async fn links_may_be_comma_separated_in_one_header() {
    let joined = format!("<https://acme.okta.com/x>; rel=\"self\", <{NEXT}>; rel=\"next\"");
    let first = with(json(200, json!([{ "id": "00g1" }])), "link", &joined);
    let org = Org::responding([first, page(&["00g2"], None)]);
    assert_eq!(ids(&org).await.unwrap(), ["00g1", "00g2"]);
}

#[tokio::test]
async fn an_empty_page_does_not_end_the_list() {
    let org = Org::responding([page(&[], Some(NEXT)), page(&["00g2"], None)]);
    assert_eq!(ids(&org).await.unwrap(), ["00g2"]);
}

#[tokio::test]
async fn a_link_to_another_origin_is_not_followed() {
    let foreign = "https://acme.okta.com.evil.example/api/v1/groups?after=1";
    let org = Org::responding([page(&["00g1"], Some(foreign))]);
    let client = org.client();
    let mut groups = client.groups().list(ListGroups::default());
    assert!(groups.try_next().await.unwrap().is_some());
    let error = groups.try_next().await.expect_err("the call fails");
    assert_eq!(error.to_string(), "GET /api/v1/groups could not be sent");
    assert_eq!(
        error.source().expect("a source").to_string(),
        "the link leads from https://acme.okta.com to another origin, \
         https://acme.okta.com.evil.example, and was not followed"
    );
    assert_eq!(org.requests().len(), 1);
}

#[tokio::test]
async fn a_list_that_repeats_a_cursor_is_an_error() {
    let org = Org::responding([page(&["00g1"], Some(NEXT)), page(&["00g2"], Some(NEXT))]);
    let error = ids(&org).await.expect_err("the call fails");
    assert_eq!(
        error.to_string(),
        "page 2 of GET /api/v1/groups repeats the cursor of an earlier page"
    );
}

#[tokio::test]
async fn after_an_error_the_same_page_is_requested_again() {
    let org = Org::responding([
        page(&["00g1"], Some(NEXT)),
        empty(403),
        page(&["00g2"], None),
    ]);
    let client = org.client();
    let mut groups = client.groups().list(ListGroups::default());
    assert!(groups.try_next().await.unwrap().is_some());
    assert_eq!(
        groups
            .try_next()
            .await
            .expect_err("the call fails")
            .status()
            .unwrap(),
        403
    );
    assert_eq!(
        groups
            .try_next()
            .await
            .unwrap()
            .expect("a group")
            .id
            .as_str(),
        "00g2"
    );
}

#[tokio::test]
async fn elements_with_invalid_fields_do_not_break_a_page() {
    let odd = json!([
        { "id": "0oa1", "signOnMode": null, "settings": null, "status": "NEW STATUS" },
        { "id": "0oa2", "label": 7, "features": "all" },
        { "id": "0oa3", "label": "fine" }
    ]);
    let org = Org::responding([json(200, odd)]);
    let apps = org
        .client()
        .apps()
        .list(ListApps::default())
        .try_collect()
        .await
        .unwrap();
    let labels: Vec<&str> = apps.iter().map(okta_client::App::label).collect();
    assert_eq!(labels, ["", "", "fine"]);
}

/// Reads a list of one item with an id, one without, and one with an id, and checks the item error.
async fn check_item_error<T: std::fmt::Debug>(
    list: impl FnOnce(okta_client::Client) -> okta_client::Pager<T, okta_client::Error>,
    item: Value,
    operation: &str,
) {
    let unreadable = json!({ "label": "who?" });
    let body = json!([item, unreadable, item]);
    let body = if operation.ends_with("domains") {
        json!({ "domains": body })
    } else {
        body
    };
    let org = Org::responding([json(200, body)]);
    let found = list(org.client()).collect_partial().await.expect("a list");
    assert_eq!(found.items.len(), 2, "{operation}");
    let [error] = found.errors.as_slice() else {
        panic!("{operation}: {:?}", found.errors);
    };
    assert_eq!(
        error.to_string(),
        format!("item 2 of page 1 of {operation} could not be read")
    );
    assert_eq!(error.raw(), unreadable.to_string());
    assert_eq!((error.page(), error.index()), (1, 1));
    assert_eq!(
        error.source().expect("a source").to_string(),
        "the response has no valid `id`"
    );
}

#[tokio::test]
async fn one_unreadable_item_does_not_hide_the_others_in_any_list() {
    let id = || json!({ "id": "0oa1" });
    check_item_error(
        |okta| okta.apps().list(ListApps::default()),
        id(),
        "GET /api/v1/apps",
    )
    .await;
    check_item_error(
        |okta| okta.groups().list(ListGroups::default()),
        id(),
        "GET /api/v1/groups",
    )
    .await;
    check_item_error(
        |okta| okta.users().list(okta_client::ListUsers::default()),
        id(),
        "GET /api/v1/users",
    )
    .await;
    check_item_error(
        |okta| okta.groups().members(&super::group_id()),
        id(),
        "GET /api/v1/groups/00g1/users",
    )
    .await;
    check_item_error(
        |okta| okta.apps().users(&app_id()),
        id(),
        "GET /api/v1/apps/0oa1/users",
    )
    .await;
    check_item_error(
        |okta| okta.apps().groups(&app_id()),
        id(),
        "GET /api/v1/apps/0oa1/groups",
    )
    .await;
    let domain = json!({ "id": "0oa1", "domain": "login.example.com" });
    check_item_error(|okta| okta.domains().list(), domain, "GET /api/v1/domains").await;
    let mapping = json!({ "id": "gPm1", "sourceGroupId": "00g1", "targetGroupId": "00g2" });
    check_item_error(
        |okta| okta.push_mappings(&app_id()).list(),
        mapping,
        "GET /api/v1/apps/0oa1/group-push/mappings",
    )
    .await;
}

#[tokio::test]
async fn an_item_error_is_an_error_of_the_client_with_operation_and_help() {
    let org = Org::responding([json(200, json!([{ "label": "who?" }]))]);
    let apps = org.client().apps().list(ListApps::default());
    let error = apps.try_collect().await.expect_err("an item error");
    assert_eq!(
        error.to_string(),
        "item 1 of page 1 of GET /api/v1/apps could not be read"
    );
    assert_eq!(error.operation(), Some("GET /api/v1/apps"));
    assert_eq!(error.item().expect("an item").raw(), r#"{"label":"who?"}"#);
    assert!(error.help().expect("help").contains("raw text"));
}

#[tokio::test]
async fn a_saved_position_resumes_the_list_in_another_process() {
    let org = Org::responding([
        page(&["00g1", "00g2"], Some(NEXT)),
        page(&["00g3", "00g4"], None),
        page(&["00g3", "00g4"], None),
    ]);
    let client = org.client();
    let mut groups = client.groups().list(ListGroups::default());
    for _ in 0..3 {
        groups.try_next().await.unwrap().expect("a group");
    }
    let saved = serde_json::to_string(&groups.position()).unwrap();
    let rest = client
        .groups()
        .list(ListGroups::default())
        .resume(serde_json::from_str(&saved).unwrap())
        .try_collect()
        .await
        .unwrap();
    let ids: Vec<&str> = rest.iter().map(|group| group.id.as_str()).collect();
    assert_eq!(ids, ["00g4"]);
    assert_eq!(org.requests()[1], org.requests()[2]);
}

#[tokio::test]
async fn a_response_that_is_not_a_list_is_an_error() {
    for (body, reason) in [
        ("{}", "the response is not a list"),
        ("", "the response is not the expected JSON"),
        ("<html>", "the response is not the expected JSON"),
    ] {
        let org = Org::responding([text(200, body)]);
        let error = ids(&org).await.expect_err("the call fails");
        assert_eq!(error.source().expect("a source").to_string(), reason);
        assert_eq!(error.status().expect("a status"), 200);
    }
}

#[tokio::test]
async fn a_malformed_link_header_is_an_error() {
    let response = with(
        json(200, json!([])),
        "link",
        "<https://acme.okta.com/x; rel=next",
    );
    let error = ids(&Org::responding([response]))
        .await
        .expect_err("the call fails");
    let reason = error.source().expect("a source").to_string();
    assert_eq!(reason, "the link to the next page could not be parsed");
}

#[tokio::test]
async fn apps_are_filtered_by_both_name_and_status() {
    let list = json!([
        { "id": "0oa1", "status": "INACTIVE" }, { "id": "0oa2", "status": "ACTIVE" }
    ]);
    let org = Org::responding([json(200, list)]);
    let options = ListApps {
        name: Some("amazon_aws_sso".to_owned()),
        status: Some(AppStatus::Active),
        limit: Some(1),
    };
    let apps = org
        .client()
        .apps()
        .list(options)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(apps.len(), 1);
    assert_eq!(apps[0].id().as_str(), "0oa2");
    let line = "GET /api/v1/apps?limit=1&filter=name%20eq%20%22amazon_aws_sso%22";
    assert_eq!(org.requests(), [line]);
}

#[tokio::test]
async fn a_group_is_found_by_its_exact_name() {
    let list = json!([
        { "id": "00g1", "type": "OKTA_GROUP", "profile": { "name": "admins-eu" } },
        { "id": "00g2", "type": "OKTA_GROUP", "profile": { "name": "admins" } }
    ]);
    let org = Org::responding([json(200, list), json(200, json!([]))]);
    let client = org.client();
    let group = client
        .groups()
        .find_by_name("admins")
        .await
        .unwrap()
        .expect("a group");
    assert_eq!(group.id.as_str(), "00g2");
    assert_eq!(client.groups().find_by_name("absent").await.unwrap(), None);
    let requests = [
        "GET /api/v1/groups?limit=300&q=admins",
        "GET /api/v1/groups?limit=300&q=absent",
    ];
    assert_eq!(org.requests(), requests);
}

#[tokio::test]
async fn a_group_name_that_is_a_prefix_of_300_other_names_is_found() {
    let named = |id: String, name: &str| json!({ "id": id, "profile": { "name": name } });
    let first_page = (0..300)
        .map(|n| named(format!("00g{n}"), "aws-something"))
        .collect();
    let exact_match = json!([named("00gx".to_owned(), "aws")]);
    let org = Org::responding([json(200, Value::Array(first_page)), json(200, exact_match)]);
    let group = org
        .client()
        .groups()
        .find_by_name("aws")
        .await
        .unwrap()
        .expect("a group");
    assert_eq!(group.id.as_str(), "00gx");
    assert_eq!(
        org.requests()[1],
        "GET /api/v1/groups?limit=200&search=profile.name%20eq%20%22aws%22"
    );
}

#[tokio::test]
async fn a_list_continues_after_a_broken_connection() {
    let org = Org::default()
        .then(Err(TransportError::maybe_sent("reset")))
        .then(Ok(json(200, json!([{ "id": "00u1" }]))));
    assert_eq!(
        org.client()
            .apps()
            .users(&app_id())
            .try_collect()
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(org.requests().len(), 2);
}
