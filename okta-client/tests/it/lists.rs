//! Tests of lists with several pages.

use std::error::Error as _;

use okta_client::{
    AppStatus, Id, ListApps, ListGroupRules, ListGroups, ListLogs, ListProfileMappings, ListUsers,
    Pager, PolicyType, PrincipalType,
};
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

/// Reads a list of one item that can be read, one that cannot, and one that can, and checks the item error.
async fn check_item_error<T: std::fmt::Debug>(
    list: impl FnOnce(okta_client::Client) -> Pager<T, okta_client::Error>,
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
    let org = Org::responding([json(200, body), json(200, json!([]))]);
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
    let reason = error.source().expect("a source").to_string();
    assert!(
        reason.starts_with("the response has no valid `"),
        "{reason}"
    );
}

#[tokio::test]
async fn one_unreadable_item_does_not_hide_the_others_in_any_list() {
    macro_rules! check {
        ($operation:literal, $item:tt, $list:expr) => {
            check_item_error($list, json!($item), $operation).await;
        };
    }
    let (app, group, user) = (app_id, super::group_id, super::user_id);
    check!("GET /api/v1/apps", { "id": "1" }, |okta| okta.apps().list(ListApps::default()));
    check!("GET /api/v1/apps/0oa1/users", { "id": "1" }, |okta| okta.apps().users(&app()));
    check!("GET /api/v1/apps/0oa1/groups", { "id": "1" }, |okta| okta.apps().groups(&app()));
    check!("GET /api/v1/apps/0oa1/credentials/keys", { "kid": "1" }, |okta| okta.apps().keys(&app()));
    check!("GET /api/v1/apps/0oa1/credentials/csrs", { "id": "1" }, |okta| okta.apps().csrs(&app()));
    check!("GET /api/v1/apps/0oa1/grants", { "id": "1" }, |okta| okta.apps().grants(&app()));
    check!("GET /api/v1/apps/0oa1/group-push/mappings", { "id": "1", "sourceGroupId": "2" }, |okta| okta.push_mappings(&app()).list());
    check!("GET /api/v1/groups", { "id": "1" }, |okta| okta.groups().list(ListGroups::default()));
    check!("GET /api/v1/groups/00g1/users", { "id": "1" }, |okta| okta.groups().members(&group()));
    check!("GET /api/v1/groups/00g1/apps", { "id": "1" }, |okta| okta.groups().apps(&group()));
    check!("GET /api/v1/groups/rules", { "id": "1" }, |okta| okta.group_rules().list(ListGroupRules::default()));
    check!("GET /api/v1/users", { "id": "1" }, |okta| okta.users().list(ListUsers::default()));
    check!("GET /api/v1/users/00u1/groups", { "id": "1" }, |okta| okta.users().groups(&user()));
    check!("GET /api/v1/mappings", { "id": "1" }, |okta| okta.profile_mappings().list(ListProfileMappings::default()));
    check!("GET /api/v1/domains", { "id": "1" }, |okta| okta.domains().list());
    check!("GET /api/v1/brands", { "id": "1" }, |okta| okta.brands().list());
    check!("GET /api/v1/brands/bnd1/domains", { "id": "1" }, |okta| okta.brands().domains(&Id::parse("bnd1").unwrap()));
    check!("GET /api/v1/policies", { "id": "1" }, |okta| okta.policies().list(&PolicyType::Password));
    check!("GET /api/v1/logs", { "uuid": "1" }, |okta| okta.logs().list(ListLogs::default()));
    check!("GET /api/v1/api-tokens", { "id": "1" }, |okta| okta.api_tokens().list());
    check!("GET /api/v1/principal-rate-limits", { "id": "1" }, |okta| okta.principal_rate_limits().list(&PrincipalType::SswsToken));
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
        { "id": "0oa1", "name": "amazon_aws_sso", "status": "INACTIVE" },
        { "id": "0oa2", "name": "amazon_aws_sso", "status": "ACTIVE" }
    ]);
    let org = Org::responding([json(200, list)]);
    let options = ListApps {
        name: Some("amazon_aws_sso".to_owned()),
        status: Some(AppStatus::Active),
        limit: Some(1),
        ..ListApps::default()
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
async fn groups_are_found_by_their_exact_name() {
    let group = |id: &str, kind: &str, name: &str| json!({ "id": id, "type": kind, "profile": { "name": name } });
    let list = json!([
        group("00g1", "OKTA_GROUP", "admins-eu"),
        group("00g2", "APP_GROUP", "admins"),
        group("00g3", "OKTA_GROUP", "admins"),
        group("00g4", "OKTA_GROUP", "Admins"),
    ]);
    let org = Org::responding([json(200, list), json(200, json!([]))]);
    let client = org.client();
    let named = async |name: &str| {
        let groups = client.groups().named(name).await.unwrap();
        groups
            .iter()
            .map(|group| group.id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(named("admins").await, ["00g2", "00g3"]);
    assert_eq!(named("absent").await, [""; 0]);
    let requests = [
        "GET /api/v1/groups?limit=300&q=admins",
        "GET /api/v1/groups?limit=300&q=absent",
    ];
    assert_eq!(org.requests(), requests);
}

#[tokio::test]
async fn groups_with_a_name_that_is_a_prefix_of_300_other_names_are_found_once() {
    let named = |id: String, name: &str| json!({ "id": id, "profile": { "name": name } });
    let mut first_page: Vec<Value> = (0..299)
        .map(|n| named(format!("00g{n}"), "aws-something"))
        .collect();
    first_page.push(named("00gx".to_owned(), "aws"));
    let exact_match = json!([
        named("00gx".to_owned(), "aws"),
        named("00gy".to_owned(), "aws")
    ]);
    let org = Org::responding([json(200, Value::Array(first_page)), json(200, exact_match)]);
    let groups = org.client().groups().named("aws").await.unwrap();
    let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
    assert_eq!(ids, ["00gx", "00gy"]);
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
