//! Lists of several pages.

use std::error::Error as _;

use okta_client::{AppStatus, ListApps, ListGroups};
use rest_core::TransportError;
use serde_json::{Value, json};

use super::{Org, app_id, empty, json, text, with};

fn page(ids: &[&str], next: Option<&str>) -> http::Response<bytes::Bytes> {
    let list: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    let mut answer = json(200, Value::Array(list));
    answer = with(
        answer,
        "Link",
        "<https://acme.okta.com/api/v1/groups?limit=1>; rel=\"self\"",
    );
    match next {
        Some(next) => with(answer, "link", &format!("<{next}>; rel=\"next\"")),
        None => answer,
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
async fn a_list_follows_the_links_as_they_are() {
    let org = Org::answering([page(&["00g1"], Some(NEXT)), page(&["00g2"], None)]);
    assert_eq!(ids(&org).await.unwrap(), ["00g1", "00g2"]);
    let lines = [
        "GET /api/v1/groups?limit=200",
        "GET /api/v1/groups?after=00g%2B1&limit=1",
    ];
    assert_eq!(org.asked(), lines);
}

#[tokio::test]
async fn links_may_be_joined_in_one_header() {
    let joined = format!("<https://acme.okta.com/x>; rel=\"self\", <{NEXT}>; rel=\"next\"");
    let first = with(json(200, json!([{ "id": "00g1" }])), "link", &joined);
    let org = Org::answering([first, page(&["00g2"], None)]);
    assert_eq!(ids(&org).await.unwrap(), ["00g1", "00g2"]);
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let org = Org::answering([page(&[], Some(NEXT)), page(&["00g2"], None)]);
    assert_eq!(ids(&org).await.unwrap(), ["00g2"]);
}

#[tokio::test]
async fn a_link_that_leads_to_a_stranger_is_not_followed() {
    let stranger = "https://acme.okta.com.evil.example/api/v1/groups?after=1";
    let org = Org::answering([page(&["00g1"], Some(stranger))]);
    let client = org.client();
    let mut groups = client.groups().list(ListGroups::default());
    assert!(groups.try_next().await.unwrap().is_some());
    let error = groups.try_next().await.expect_err("an error");
    assert_eq!(error.to_string(), "GET /api/v1/groups could not be sent");
    assert_eq!(
        error.source().expect("a source").to_string(),
        "a link leads away from https://acme.okta.com to https://acme.okta.com.evil.example, and \
         was not followed"
    );
    assert_eq!(org.asked().len(), 1);
}

#[tokio::test]
async fn a_list_that_leads_back_is_given_up() {
    let org = Org::answering([page(&["00g1"], Some(NEXT)), page(&["00g2"], Some(NEXT))]);
    let error = ids(&org).await.expect_err("an error");
    assert_eq!(error.to_string(), "a list of Okta's was given up");
    let source = error.source().expect("a source").to_string();
    assert_eq!(
        source,
        "page 2 of the list repeats the cursor of an earlier page"
    );
}

#[tokio::test]
async fn an_error_keeps_the_place() {
    let org = Org::answering([
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
            .expect_err("an error")
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
async fn one_odd_element_does_not_break_a_page() {
    let odd = json!([
        { "id": "0oa1", "signOnMode": null, "settings": null, "status": "OF TOMORROW" },
        { "id": "0oa2", "label": 7, "features": "all" },
        { "id": "0oa3", "label": "fine" }
    ]);
    let org = Org::answering([json(200, odd)]);
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

#[tokio::test]
async fn an_element_that_cannot_be_named_is_an_error_and_not_left_out() {
    let org = Org::answering([json(200, json!([{ "id": "0oa1" }, { "label": "who?" }]))]);
    let error = org
        .client()
        .apps()
        .list(ListApps::default())
        .try_collect()
        .await
        .expect_err("an error");
    assert_eq!(
        error.to_string(),
        "Okta's answer to GET /api/v1/apps could not be read"
    );
    assert_eq!(
        error.source().expect("a source").to_string(),
        "it has no usable `id`"
    );
    assert_eq!(error.request_id(), Some("request-1"));
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_an_error() {
    for (body, reason) in [
        ("{}", "it is not a list"),
        ("", "it is not the JSON that was expected"),
        ("<html>", "it is not the JSON that was expected"),
    ] {
        let org = Org::answering([text(200, body)]);
        let error = ids(&org).await.expect_err("an error");
        assert_eq!(error.source().expect("a source").to_string(), reason);
        assert_eq!(error.status().expect("a status"), 200);
    }
}

#[tokio::test]
async fn a_link_header_that_cannot_be_read_is_not_the_end() {
    let answer = with(
        json(200, json!([])),
        "link",
        "<https://acme.okta.com/x; rel=next",
    );
    let error = ids(&Org::answering([answer])).await.expect_err("an error");
    let reason = error.source().expect("a source").to_string();
    assert_eq!(
        reason,
        "it does not say clearly whether there is a next page"
    );
}

#[tokio::test]
async fn apps_are_listed_by_name_and_status_together() {
    let list = json!([
        { "id": "0oa1", "status": "INACTIVE" }, { "id": "0oa2", "status": "ACTIVE" }
    ]);
    let org = Org::answering([json(200, list)]);
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
    assert_eq!(org.asked(), [line]);
}

#[tokio::test]
async fn a_group_is_found_by_its_exact_name() {
    let list = json!([
        { "id": "00g1", "type": "OKTA_GROUP", "profile": { "name": "admins-eu" } },
        { "id": "00g2", "type": "OKTA_GROUP", "profile": { "name": "admins" } }
    ]);
    let org = Org::answering([json(200, list), json(200, json!([]))]);
    let client = org.client();
    let group = client
        .groups()
        .find_by_name("admins")
        .await
        .unwrap()
        .expect("a group");
    assert_eq!(group.id.as_str(), "00g2");
    assert_eq!(client.groups().find_by_name("nobody").await.unwrap(), None);
    let asked = [
        "GET /api/v1/groups?limit=300&q=admins",
        "GET /api/v1/groups?limit=300&q=nobody",
    ];
    assert_eq!(org.asked(), asked);
}

#[tokio::test]
async fn a_name_that_very_many_begin_with_is_searched_for() {
    let named = |id: String, name: &str| json!({ "id": id, "profile": { "name": name } });
    let many = (0..300)
        .map(|n| named(format!("00g{n}"), "aws-something"))
        .collect();
    let found = json!([named("00gx".to_owned(), "aws")]);
    let org = Org::answering([json(200, Value::Array(many)), json(200, found)]);
    let group = org
        .client()
        .groups()
        .find_by_name("aws")
        .await
        .unwrap()
        .expect("a group");
    assert_eq!(group.id.as_str(), "00gx");
    assert_eq!(
        org.asked()[1],
        "GET /api/v1/groups?limit=200&search=profile.name%20eq%20%22aws%22"
    );
}

#[tokio::test]
async fn a_broken_connection_in_the_middle_of_a_list_is_got_over() {
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
    assert_eq!(org.asked().len(), 2);
}
