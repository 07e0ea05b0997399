use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};

use crate::aws::Harness;

const NONE: Value = Value::Null;
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn person(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": format!("id of {name}"),
        "userName": name,
        "name": { "givenName": "G", "familyName": "F" },
        "displayName": "G F",
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "active": true,
        "groups": [],
    })
}

fn user(harness: &mut Harness, name: &str) -> String {
    let (status, user) = harness.scim("POST", "/Users", &person(name));
    assert_eq!(status, 201, "{user}");
    user["id"].as_str().expect("an id").to_owned()
}

fn group(harness: &mut Harness, name: &str, members: &[&str]) -> String {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id, "type": "User" })).collect();
    let (status, group) = harness.scim("POST", "/Groups", &json!({ "displayName": name, "members": members }));
    assert_eq!(status, 201, "{group}");
    group["id"].as_str().expect("an id").to_owned()
}

fn patch(operations: &Value) -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": operations })
}

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
fn refusals_have_the_envelope_of_aws() {
    let mut harness = Harness::provisioned();
    let (status, body) = harness.scim("GET", "/Users/unknown", &NONE);
    assert_eq!(status, 404);
    let error = "urn:ietf:params:scim:api:messages:2.0:Error";
    assert_eq!(body["schema"], json!([error]));
    assert_eq!(body["schemas"], json!([error]));
    assert_eq!(body["status"], "404");
    assert_eq!(body["timeStamp"], "2026-11-24 10:57:08.014");
    assert_eq!(body["exceptionRequestId"].as_str().map(str::len), Some(36));
    assert!(body.get("scimType").is_none());
}

#[test]
fn a_wrong_token_and_a_wrong_tenant_are_refused_alike() {
    let mut harness = Harness::provisioned();
    let (endpoint, token) = harness.scim.clone().expect("a SCIM endpoint");
    let mut ask = |path: &str, authorization: Option<&str>| {
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let request = request.body(Bytes::new()).expect("a request");
        let response = crate::scim::handle(&mut harness.cloud, harness.now, &request);
        assert_eq!(response.headers()["x-amzn-requestid"].len(), 36);
        response.status().as_u16()
    };
    let users = format!("{}Users", endpoint.strip_prefix("http://127.0.0.1:1").expect("the listener"));
    assert_eq!(ask(&users, Some(&format!("Bearer {token}"))), 200);
    assert_eq!(ask(&users, None), 401);
    assert_eq!(ask(&users, Some("Bearer wrong")), 401);
    assert_eq!(ask(&users, Some(&format!("Basic {token}"))), 401);
    assert_eq!(ask("/another/scim/v2/Users", Some(&format!("Bearer {token}"))), 401);
    // A base URL with its slash forgotten.
    assert_eq!(ask(&users.replace("v2/", "v2"), Some(&format!("Bearer {token}"))), 404);
}

#[test]
fn bodies_are_json_objects_of_a_known_type() {
    let mut harness = Harness::provisioned();
    let (endpoint, token) = harness.scim.clone().expect("a SCIM endpoint");
    let users = format!("{}Users", endpoint.strip_prefix("http://127.0.0.1:1").expect("the listener"));
    let mut send = |content_type: &str, body: &str| {
        let request = Request::post(&users)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type)
            .body(Bytes::from(body.to_owned()))
            .expect("a request");
        crate::scim::handle(&mut harness.cloud, harness.now, &request).status().as_u16()
    };
    assert_eq!(send("application/scim+json; charset=utf-8", &person("a@example.com").to_string()), 201);
    assert_eq!(send("application/json", &person("b@example.com").to_string()), 201);
    assert_eq!(send("text/plain", &person("c@example.com").to_string()), 400);
    assert_eq!(send("application/json", "[]"), 400);
    assert_eq!(send("application/json", "{"), 400);
}

#[test]
fn a_user_comes_back_as_it_was_sent() {
    let mut harness = Harness::provisioned();
    let mut sent = person("ada@example.com");
    sent["profileUrl"] = "https://example.com/ada".into();
    let (status, created) = harness.scim("POST", "/Users", &sent);
    assert_eq!(status, 201);
    assert_eq!(created["userName"], "ada@example.com");
    assert_eq!(created["externalId"], "id of ada@example.com");
    assert_eq!(created["active"], true);
    assert_eq!(created["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:User"]));
    assert_eq!(
        created["meta"],
        json!({ "resourceType": "User", "created": "2026-11-24T10:57:08Z", "lastModified": "2026-11-24T10:57:08Z" })
    );
    assert!(created.get("profileUrl").is_none());
    let id = created["id"].as_str().expect("an id");
    let (_, read) = harness.scim("GET", &format!("/Users/{id}"), &NONE);
    assert_eq!(read["profileUrl"], "https://example.com/ada");
    assert_eq!(read["emails"], sent["emails"]);
}

#[test]
fn a_refused_user_has_the_words_for_everything() {
    let mut harness = Harness::provisioned();
    let mut sent = person("ada@example.com");
    sent["displayName"] = "".into();
    let (status, body) = harness.scim("POST", "/Users", &sent);
    assert_eq!(status, 400);
    assert_eq!(body["detail"], "Request is unparsable, syntactically incorrect, or violates schema.");
}

#[test]
fn names_addresses_and_external_ids_are_taken_once() {
    let mut harness = Harness::provisioned();
    user(&mut harness, "ada@example.com");
    for (name, value) in [
        ("userName", json!("ADA@example.com")),
        ("emails", json!([{ "value": "ada@example.com", "primary": true }])),
        ("externalId", json!("id of ada@example.com")),
    ] {
        let mut other = person("eve@example.com");
        other[name] = value;
        let (status, body) = harness.scim("POST", "/Users", &other);
        assert_eq!(status, 409, "{name}");
        assert_eq!(body["detail"], "Refused to create a new, duplicate resource.");
    }
    group(&mut harness, "admins", &[]);
    assert_eq!(harness.scim("POST", "/Groups", &json!({ "displayName": "admins" })).0, 409);
}

#[test]
fn a_put_replaces_the_whole_user() {
    let mut harness = Harness::provisioned();
    let id = user(&mut harness, "ada@example.com");
    let mut sent = person("ada.king@example.com");
    sent["title"] = "Countess".into();
    let (status, body) = harness.scim("PUT", &format!("/Users/{id}"), &sent);
    assert_eq!(status, 200);
    assert_eq!(body["userName"], "ada.king@example.com");
    assert_eq!(body["id"], id);
    let (_, body) = harness.scim("PUT", &format!("/Users/{id}"), &person("ada.king@example.com"));
    assert!(body.get("title").is_none());
    assert_eq!(harness.scim("PUT", "/Users/unknown", &sent).0, 404);
    sent["id"] = "another".into();
    assert_eq!(harness.scim("PUT", &format!("/Users/{id}"), &sent).0, 400);
}

#[test]
fn a_patch_answers_with_the_user() {
    let mut harness = Harness::provisioned();
    let id = user(&mut harness, "ada@example.com");
    let off = patch(&json!([{ "op": "replace", "value": { "active": false } }]));
    let (status, body) = harness.scim("PATCH", &format!("/Users/{id}"), &off);
    assert_eq!(status, 200);
    assert_eq!(body["active"], false);
    assert_eq!(harness.scim("PATCH", "/Users/unknown", &off).0, 404);
}

#[test]
fn what_is_deleted_is_gone() {
    let mut harness = Harness::provisioned();
    let id = user(&mut harness, "ada@example.com");
    let group = group(&mut harness, "admins", &[&id]);
    for path in [format!("/Users/{id}"), format!("/Groups/{group}")] {
        assert_eq!(harness.scim("DELETE", &path, &NONE), (204, NONE));
        assert_eq!(harness.scim("DELETE", &path, &NONE).0, 404);
        assert_eq!(harness.scim("GET", &path, &NONE).0, 404);
    }
}

#[test]
fn what_is_not_supported_is_refused() {
    let mut harness = Harness::provisioned();
    let group = group(&mut harness, "admins", &[]);
    for (method, path, status) in [
        ("PUT", format!("/Groups/{group}"), 400),
        ("POST", "/Bulk".to_owned(), 400),
        ("GET", "/Me".to_owned(), 400),
        ("POST", "/.search".to_owned(), 400),
        ("DELETE", "/Users".to_owned(), 400),
        ("GET", "/Users/".to_owned(), 404),
        ("GET", "/Devices".to_owned(), 404),
    ] {
        assert_eq!(harness.scim(method, &path, &json!({ "displayName": "x" })).0, status, "{method} {path}");
    }
}

#[test]
fn the_endpoint_describes_itself() {
    let mut harness = Harness::provisioned();
    let (_, config) = harness.scim("GET", "/ServiceProviderConfig", &NONE);
    assert_eq!(config["patch"]["supported"], true);
    assert_eq!(config["bulk"]["supported"], false);
    assert_eq!(config["filter"]["maxResults"], 50);
    let (_, types) = harness.scim("GET", "/ResourceTypes", &NONE);
    assert_eq!(types["totalResults"], 2);
    let (_, schemas) = harness.scim("GET", "/Schemas", &NONE);
    assert_eq!(schemas["totalResults"], 3);
    let (status, schema) = harness.scim("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group", &NONE);
    assert_eq!((status, &schema["name"]), (200, &json!("Group")));
    assert_eq!(harness.scim("GET", "/Schemas/nonsense", &NONE).0, 404);
}

#[test]
fn without_a_cursor_there_is_one_page_and_no_way_on() {
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
fn with_a_cursor_the_walk_goes_to_the_end_and_has_no_total() {
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
        let changed = harness.scim("GET", &format!("/Users?cursor={cursor}&filter={filter}"), &NONE);
        assert_eq!(changed.0, 400);
    }
    assert_eq!(harness.scim("GET", "/Users?cursor=nonsense", &NONE).0, 400);
}

#[test]
fn a_page_has_one_to_a_hundred_items() {
    let mut harness = Harness::provisioned();
    for count in ["0", "101", "-1", "many"] {
        assert_eq!(harness.scim("GET", &format!("/Users?count={count}"), &NONE).0, 400, "{count}");
    }
    assert_eq!(harness.scim("GET", "/Groups?count=100", &NONE).0, 200);
}

#[test]
fn members_are_found_from_both_sides_and_never_shown() {
    let mut harness = Harness::provisioned();
    let (ada, eve) = (user(&mut harness, "ada@example.com"), user(&mut harness, "eve@example.com"));
    let (admins, readers) = (group(&mut harness, "admins", &[&ada]), group(&mut harness, "readers", &[&ada, &eve]));
    let (_, shown) = harness.scim("GET", &format!("/Groups/{readers}"), &NONE);
    assert_eq!(shown["members"], json!([]));
    let mut find = |kind: &str, filter: &str| harness.scim("GET", &format!("/{kind}?cursor&filter={}", encode(filter)), &NONE);
    let (_, found) = find("Users", &format!("groups.value eq \"{readers}\""));
    assert_eq!(ids(&found), [&ada, &eve]);
    let (_, found) = find("Groups", &format!("members.value eq \"{eve}\""));
    assert_eq!(ids(&found), [&readers]);
    let (_, found) = find("Groups", &format!("id eq \"{admins}\" and members eq \"{ada}\""));
    assert_eq!(ids(&found), [&admins]);
    let (_, found) = find("Groups", &format!("id eq \"{admins}\" and members eq \"{eve}\""));
    assert_eq!(ids(&found), Vec::<&str>::new());
    assert_eq!(find("Groups", "members.value eq \"unknown\"").0, 404);
    assert_eq!(find("Users", "groups.value eq \"unknown\"").0, 404);
}

#[test]
fn filters_find_by_name_and_external_id() {
    let mut harness = Harness::provisioned();
    let ada = user(&mut harness, "ada@example.com");
    let body = json!({ "displayName": "admins", "externalId": "00g1" });
    let (_, admins) = harness.scim("POST", "/Groups", &body);
    assert!(admins.get("members").is_none());
    let admins = admins["id"].as_str().expect("an id").to_owned();
    let mut find = |kind: &str, filter: &str| {
        let (status, list) = harness.scim("GET", &format!("/{kind}?filter={}", encode(filter)), &NONE);
        assert_eq!(status, 200, "{filter}");
        list["Resources"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(find("Users", "userName eq \"Ada@Example.com\""), [ada.as_str()]);
    assert_eq!(find("Users", "externalId eq \"id of ada@example.com\""), [ada.as_str()]);
    assert_eq!(find("Users", &format!("id eq \"{ada}\"")), [ada.as_str()]);
    assert_eq!(find("Users", "userName eq \"eve@example.com\""), Vec::<String>::new());
    assert_eq!(find("Groups", "displayName eq \"admins\""), [admins.as_str()]);
    assert_eq!(find("Groups", "externalId eq \"00g1\""), [admins.as_str()]);
    let (status, _) = harness.scim("GET", &format!("/Users?filter={}", encode("userName sw \"a\"")), &NONE);
    assert_eq!(status, 400);
}

#[test]
fn members_are_added_and_removed_and_nothing_is_answered() {
    let mut harness = Harness::provisioned();
    let (ada, eve) = (user(&mut harness, "ada@example.com"), user(&mut harness, "eve@example.com"));
    let id = group(&mut harness, "admins", &[&ada]);
    let path = format!("/Groups/{id}");
    let add = patch(&json!([
        { "op": "remove", "path": format!("members[value eq \"{ada}\"]") },
        { "op": "add", "path": "members", "value": [{ "value": eve, "display": "Eve" }] },
    ]));
    assert_eq!(harness.scim("PATCH", &path, &add), (204, NONE));
    assert_eq!(harness.cloud.groups()[0].members, ["eve@example.com"]);
    let remove = patch(&json!([{ "op": "remove", "path": "members", "value": [{ "value": eve }] }]));
    assert_eq!(harness.scim("PATCH", &path, &remove), (204, NONE));
    assert_eq!(harness.scim("PATCH", &path, &remove), (204, NONE));
    assert_eq!(harness.cloud.groups()[0].members, Vec::<String>::new());
}

#[test]
fn memberships_cannot_be_replaced_or_removed_all_at_once() {
    let mut harness = Harness::provisioned();
    let ada = user(&mut harness, "ada@example.com");
    let id = group(&mut harness, "admins", &[&ada]);
    let path = format!("/Groups/{id}");
    for value in [json!([{ "value": ada }]), json!([])] {
        let replace = patch(&json!([{ "op": "replace", "path": "members", "value": value }]));
        let (status, body) = harness.scim("PATCH", &path, &replace);
        assert_eq!(status, 400);
        assert_eq!(body["detail"], "Replacing group memberships is not supported.");
    }
    for operation in [
        json!({ "op": "remove", "path": "members" }),
        json!({ "op": "remove", "path": "members", "value": [] }),
        json!({ "op": "remove", "path": "members[display eq \"Ada\"]" }),
        json!({ "op": "remove", "path": "displayName" }),
        json!({ "op": "replace", "path": "owners", "value": "x" }),
        json!({ "op": "add", "path": "members", "value": [{ "value": ada, "type": "Group" }] }),
    ] {
        assert_eq!(harness.scim("PATCH", &path, &patch(&json!([operation]))).0, 400, "{operation}");
    }
    let stranger = patch(&json!([{ "op": "add", "path": "members", "value": [{ "value": "unknown" }] }]));
    assert_eq!(harness.scim("PATCH", &path, &stranger).0, 404);
    assert_eq!(harness.cloud.groups()[0].members, ["ada@example.com"]);
}

#[test]
fn a_request_changes_a_hundred_memberships_at_most() {
    let mut harness = Harness::provisioned();
    let all: Vec<String> = (0..101).map(|number| user(&mut harness, &format!("u{number}@example.com"))).collect();
    let members = |ids: &[String]| ids.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>();
    let too_many = json!({ "displayName": "all", "members": members(&all) });
    assert_eq!(harness.scim("POST", "/Groups", &too_many).0, 400);
    let most = json!({ "displayName": "all", "members": members(&all[..100]) });
    let (status, group) = harness.scim("POST", "/Groups", &most);
    assert_eq!(status, 201);
    let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));
    let both = patch(&json!([
        { "op": "add", "path": "members", "value": members(&all[100..]) },
        { "op": "remove", "path": "members", "value": members(&all[..100]) },
    ]));
    assert_eq!(harness.scim("PATCH", &path, &both).0, 400);
    assert_eq!(harness.cloud.groups()[0].members.len(), 100);
    let one = patch(&json!([{ "op": "add", "path": "members", "value": members(&all[100..]) }]));
    assert_eq!(harness.scim("PATCH", &path, &one).0, 204);
}

#[test]
fn a_group_is_renamed_with_a_path_or_alone() {
    let mut harness = Harness::provisioned();
    let id = group(&mut harness, "admins", &[]);
    group(&mut harness, "readers", &[]);
    let path = format!("/Groups/{id}");
    let two = patch(&json!([
        { "op": "replace", "path": "displayName", "value": "owners" },
        { "op": "replace", "path": "externalId", "value": "00g1" },
    ]));
    assert_eq!(harness.scim("PATCH", &path, &two).0, 204);
    let alone = patch(&json!([{ "op": "replace", "value": { "id": id, "displayName": "keepers" } }]));
    assert_eq!(harness.scim("PATCH", &path, &alone).0, 204);
    let shown = &harness.cloud.groups()[0];
    assert_eq!((shown.display_name.as_str(), shown.external_id.as_deref()), ("keepers", Some("00g1")));
    let both = patch(&json!([{ "op": "replace", "value": { "displayName": "x", "externalId": "y" } }]));
    let (status, body) = harness.scim("PATCH", &path, &both);
    assert_eq!(status, 400);
    assert_eq!(
        body["detail"],
        "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations modifying a \
         single attribute."
    );
    let taken = patch(&json!([{ "op": "replace", "path": "displayName", "value": "readers" }]));
    assert_eq!(harness.scim("PATCH", &path, &taken).0, 409);
}

#[test]
fn a_group_needs_a_name_and_nothing_unknown() {
    let mut harness = Harness::provisioned();
    for body in [
        json!({}),
        json!({ "displayName": "" }),
        json!({ "displayName": "a\u{0000}" }),
        json!({ "displayName": "a", "description": "x" }),
        json!({ "displayName": "a", "externalId": "" }),
        json!({ "displayName": "a", "members": [{ "value": "g", "type": "Group" }] }),
        json!({ "displayName": "a", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"] }),
    ] {
        assert_eq!(harness.scim("POST", "/Groups", &body).0, 400, "{body}");
    }
    let stranger = json!({ "displayName": "a", "members": [{ "value": "unknown" }] });
    assert_eq!(harness.scim("POST", "/Groups", &stranger).0, 404);
    assert_eq!(harness.cloud.groups(), []);
}
