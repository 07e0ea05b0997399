//! Tests of lists, filters and pagination.

use serde_json::{Value, json};

use super::{NONE, group, user};
use crate::aws::Harness;

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn ids(list: &Value) -> Vec<&str> {
    list["Resources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|resource| resource["id"].as_str().expect("an id"))
        .collect()
}

#[test]
fn without_a_cursor_only_the_first_page_is_available() {
    let mut harness = Harness::provisioned();
    user(&mut harness, "a@example.com");
    user(&mut harness, "b@example.com");
    let (_, list) = harness.scim("GET", "/Users?count=1&startIndex=2", &NONE);
    assert_eq!(list["totalResults"], 1);
    assert_eq!(list["itemsPerPage"], 1);
    assert_eq!(list["startIndex"], 1);
    assert_eq!(list["Resources"][0]["userName"], "a@example.com");
    assert!(list.get("nextCursor").is_none());
}

#[test]
fn cursor_pagination_returns_every_user_and_no_total() {
    let mut harness = Harness::provisioned();
    for name in ["a@example.com", "b@example.com", "c@example.com"] {
        user(&mut harness, name);
    }
    for start in ["/Users?cursor&count=2", "/Users?cursor=&count=2"] {
        let (_, first) = harness.scim("GET", start, &NONE);
        assert_eq!(first["itemsPerPage"], 2);
        assert!(first.get("totalResults").is_none() && first.get("startIndex").is_none());
        let cursor = encode(first["nextCursor"].as_str().expect("a cursor"));
        let (_, last) = harness.scim("GET", &format!("/Users?cursor={cursor}&count=2"), &NONE);
        assert_eq!(last["Resources"][0]["userName"], "c@example.com");
        assert!(last.get("nextCursor").is_none());
        let filter = encode("userName eq \"a@example.com\"");
        let changed = harness.scim(
            "GET",
            &format!("/Users?cursor={cursor}&filter={filter}"),
            &NONE,
        );
        assert_eq!(changed.0, 400);
    }
    assert_eq!(harness.scim("GET", "/Users?cursor=nonsense", &NONE).0, 400);
}

#[test]
fn a_page_has_1_to_100_resources() {
    let mut harness = Harness::provisioned();
    for count in ["0", "101", "-1", "many"] {
        assert_eq!(
            harness
                .scim("GET", &format!("/Users?count={count}"), &NONE)
                .0,
            400,
            "{count}"
        );
    }
    assert_eq!(harness.scim("GET", "/Groups?count=100", &NONE).0, 200);
}

#[test]
fn memberships_are_available_only_through_filters() {
    let mut harness = Harness::provisioned();
    let (ada, eve) = (
        user(&mut harness, "ada@example.com"),
        user(&mut harness, "eve@example.com"),
    );
    let (admins, readers) = (
        group(&mut harness, "admins", &[&ada]),
        group(&mut harness, "readers", &[&ada, &eve]),
    );
    let (_, shown) = harness.scim("GET", &format!("/Groups/{readers}"), &NONE);
    assert_eq!(shown["members"], json!([]));
    let mut find = |kind: &str, filter: &str| {
        harness.scim(
            "GET",
            &format!("/{kind}?cursor&filter={}", encode(filter)),
            &NONE,
        )
    };
    let (_, found) = find("Users", &format!("groups.value eq \"{readers}\""));
    assert_eq!(ids(&found), [&ada, &eve]);
    let (_, found) = find("Groups", &format!("members.value eq \"{eve}\""));
    assert_eq!(ids(&found), [&readers]);
    let (_, found) = find(
        "Groups",
        &format!("id eq \"{admins}\" and members eq \"{ada}\""),
    );
    assert_eq!(ids(&found), [&admins]);
    let (_, found) = find(
        "Groups",
        &format!("id eq \"{admins}\" and members eq \"{eve}\""),
    );
    assert_eq!(ids(&found), Vec::<&str>::new());
    assert_eq!(find("Groups", "members.value eq \"unknown\"").0, 404);
    assert_eq!(find("Users", "groups.value eq \"unknown\"").0, 404);
}

#[test]
fn users_and_groups_can_be_filtered_by_name_and_external_id() {
    let mut harness = Harness::provisioned();
    let ada = user(&mut harness, "ada@example.com");
    let body = json!({ "displayName": "admins", "externalId": "00g1" });
    let (_, admins) = harness.scim("POST", "/Groups", &body);
    assert!(admins.get("members").is_none());
    let admins = admins["id"].as_str().expect("an id").to_owned();
    let mut find = |kind: &str, filter: &str| {
        let (status, list) =
            harness.scim("GET", &format!("/{kind}?filter={}", encode(filter)), &NONE);
        assert_eq!(status, 200, "{filter}");
        list["Resources"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|resource| resource["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        find("Users", "userName eq \"Ada@Example.com\""),
        [ada.as_str()]
    );
    assert_eq!(
        find("Users", "externalId eq \"id-of-ada@example.com\""),
        [ada.as_str()]
    );
    assert_eq!(find("Users", &format!("id eq \"{ada}\"")), [ada.as_str()]);
    assert_eq!(
        find("Users", "userName eq \"eve@example.com\""),
        Vec::<String>::new()
    );
    assert_eq!(
        find("Groups", "displayName eq \"admins\""),
        [admins.as_str()]
    );
    assert_eq!(find("Groups", "externalId eq \"00g1\""), [admins.as_str()]);
    let (status, _) = harness.scim(
        "GET",
        &format!("/Users?filter={}", encode("userName sw \"a\"")),
        &NONE,
    );
    assert_eq!(status, 400);
}
