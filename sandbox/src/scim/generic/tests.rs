//! Tests of the service from a client's view.

use serde_json::{Value, json};

use super::*;
use crate::scim::{Resource, Store as _};

const TOKEN: &str = "token";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

struct Service(Directory, Timestamp);

impl Service {
    fn new() -> Self {
        let base = "http://127.0.0.1:1/scim/v2".to_owned();
        Self(
            Directory::new(base, TOKEN, ScimOptions::default()),
            Timestamp::UNIX_EPOCH,
        )
    }

    fn raw(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{ROOT}{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/scim+json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a request");
        self.0.handle(self.1, &request)
    }

    #[track_caller]
    fn send(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let response = self.raw(method, path, &[], &text);
        let body = if response.body().is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(response.body()).expect("JSON")
        };
        (response.status().as_u16(), body)
    }

    #[track_caller]
    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, &Value::Null);
        assert_eq!(status, 200, "{body}");
        body
    }

    #[track_caller]
    fn create(&mut self, endpoint: &str, body: &Value) -> String {
        let (status, body) = self.send("POST", endpoint, body);
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().expect("an id").to_owned()
    }

    #[track_caller]
    fn assert_error(&mut self, method: &str, path: &str, body: &Value, status: u16, kind: &str) {
        let (found, response) = self.send(method, path, body);
        assert_eq!(found, status, "{response}");
        assert_eq!(
            response["scimType"].as_str().unwrap_or_default(),
            kind,
            "{response}"
        );
        assert_eq!(response["status"], status.to_string());
    }

    #[track_caller]
    fn patch(&mut self, path: &str, operations: &Value) -> Value {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        let (status, body) = self.send("PATCH", path, &body);
        assert_eq!(status, 200, "{body}");
        body
    }

    #[track_caller]
    fn assert_patch_error(&mut self, path: &str, operations: &Value, kind: &str) {
        let before = self.get(path);
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.assert_error("PATCH", path, &body, 400, kind);
        assert_eq!(self.get(path), before, "the resource must not change");
    }

    #[track_caller]
    fn found(&mut self, filter: &str) -> Vec<String> {
        let query: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let list = self.get(&format!("/Users?filter={query}"));
        let names = list["Resources"].as_array().expect("a list").iter();
        names
            .map(|user| user["userName"].as_str().expect("a name").to_owned())
            .collect()
    }
}

fn ada() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": "Ada",
        "externalId": "00uAda",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "password": "secret",
        "active": true,
        "emails": [
            { "value": "ada@work.example", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" },
        ],
        ENTERPRISE: { "department": "Engines" },
    })
}

fn user(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name })
}

#[test]
fn a_request_with_a_wrong_token_is_unauthorized() {
    let mut service = Service::new();
    let response = service.raw("GET", "/Users", &[], "");
    assert_eq!(response.status(), 200);
    service.0.token = "another".to_owned();
    service.assert_error("GET", "/Users", &Value::Null, 401, "");
}

#[test]
fn a_resource_is_returned_as_written_but_without_the_password() {
    let mut service = Service::new();
    let id = service.create("/Users", &ada());
    let resource = service.get(&format!("/Users/{id}"));
    for name in [
        "userName",
        "externalId",
        "name",
        "active",
        "emails",
        ENTERPRISE,
    ] {
        assert_eq!(resource[name], ada()[name], "{name}");
    }
    assert_eq!(resource["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(resource["meta"]["version"], "W/\"1\"");
    assert!(resource.get("password").is_none());
    service.assert_error(
        "GET",
        "/Users?filter=password+eq+%22secret%22",
        &Value::Null,
        400,
        "invalidFilter",
    );
}

#[test]
fn names_are_accepted_without_case_and_returned_in_the_schemas_spelling() {
    let mut service = Service::new();
    let mut body = json!({ "SCHEMAS": [USER], "USERNAME": "ada", "Name": { "GIVENNAME": "Ada" } });
    let id = service.create("/Users", &body);
    let resource = service.get(&format!("/Users/{id}"));
    assert_eq!(resource["userName"], "ada");
    assert_eq!(resource["name"], json!({ "givenName": "Ada" }));
    body["userName"] = "ADA".into();
    service.assert_error("POST", "/Users", &user("ADA"), 409, "uniqueness");
}

#[test]
fn a_resource_that_violates_the_schemas_is_rejected() {
    let mut service = Service::new();
    for body in [
        json!({ "userName": "ada" }),
        json!({ "schemas": [GROUP], "userName": "ada" }),
        json!({ "schemas": [USER] }),
        json!({ "schemas": [USER], "userName": "" }),
        json!({ "schemas": [USER], "userName": 1 }),
        json!({ "schemas": [USER], "userName": "ada", "nick": "a" }),
        json!({ "schemas": [USER], "userName": "ada", "active": "true" }),
        json!({ "schemas": [USER], "userName": "ada", "emails": "a@b.example" }),
        json!({ "schemas": [USER], "userName": "ada", "emails": [{ "mail": "a@b.example" }] }),
        json!({ "schemas": [USER], "userName": "ada", "x509Certificates": [{ "value": "no base64!" }] }),
        json!({ "schemas": [USER], "userName": "ada", "emails": [
            { "value": "a", "primary": true }, { "value": "b", "primary": true },
        ] }),
    ] {
        service.assert_error("POST", "/Users", &body, 400, "invalidValue");
    }
    let response = service.raw("POST", "/Users", &[("content-type", "text/plain")], "{}");
    assert!(response.status() == 415 || response.status() == 400);
    assert_eq!(service.raw("POST", "/Users", &[], "[").status(), 400);
}

#[test]
fn read_only_attributes_of_a_request_are_ignored() {
    let mut service = Service::new();
    let mut body = user("ada");
    body["id"] = "mine".into();
    body["meta"] = json!({ "version": "9" });
    body["groups"] = json!([{ "value": "g" }]);
    let id = service.create("/Users", &body);
    assert_ne!(id, "mine");
    assert!(service.get(&format!("/Users/{id}")).get("groups").is_none());
}

#[test]
fn put_replaces_all_attributes_except_the_password() {
    let mut service = Service::new();
    let id = service.create("/Users", &ada());
    let path = format!("/Users/{id}");
    let (status, resource) = service.send("PUT", &path, &user("ada.l"));
    assert_eq!(status, 200);
    assert!(resource.get("emails").is_none() && resource.get(ENTERPRISE).is_none());
    assert_eq!(resource["meta"]["version"], "W/\"2\"");
    let kept = service.0.store.get(Resource::User, &id).expect("a user");
    assert_eq!(kept.attributes["password"], "secret");
}

#[test]
fn a_membership_is_shown_in_the_group_and_in_the_user() {
    let mut service = Service::new();
    let ada = service.create("/Users", &ada());
    let eve = service.create("/Users", &user("eve"));
    let group =
        json!({ "schemas": [GROUP], "displayName": "Engineers", "members": [{ "value": ada }] });
    let group = service.create("/Groups", &group);
    let path = format!("/Groups/{group}");
    let member = &service.get(&path)["members"][0];
    assert_eq!(member["type"], "User");
    assert_eq!(
        member["$ref"],
        format!("http://127.0.0.1:1/scim/v2/Users/{ada}")
    );
    let resource = service.get(&format!("/Users/{ada}"));
    assert_eq!(resource["groups"][0]["value"], group.as_str());
    assert_eq!(
        service.found(&format!("groups.value eq \"{group}\"")),
        ["Ada"]
    );

    let more = json!([
        { "op": "add", "path": "members", "value": [{ "value": ada }, { "value": eve }] },
        { "op": "add", "path": "members", "value": { "value": eve } },
    ]);
    let resource = service.patch(&path, &more);
    assert_eq!(resource["members"].as_array().map(Vec::len), Some(2));
    service.assert_patch_error(
        &path,
        &json!([{ "op": "add", "path": "members", "value": [{ "value": "missing" }] }]),
        "invalidValue",
    );
    service.assert_patch_error(
        &path,
        &json!([{ "op": "remove", "path": "members", "value": [{ "value": eve }] }]),
        "invalidValue",
    );
    let resource = service.patch(
        &path,
        &json!([{ "op": "remove", "path": format!("members[value eq \"{eve}\"]") }]),
    );
    assert_eq!(resource["members"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        service
            .send("DELETE", &format!("/Users/{ada}"), &Value::Null)
            .0,
        204
    );
    assert!(service.get(&path).get("members").is_none());
    service.assert_error("DELETE", &format!("/Users/{ada}"), &Value::Null, 404, "");
}

#[test]
fn patch_follows_the_rfc() {
    let mut service = Service::new();
    let id = service.create("/Users", &ada());
    let path = format!("/Users/{id}");
    let resource = service.patch(&path, &json!([
        { "op": "Replace", "value": { "id": id, "active": false, "name": { "formatted": "Ada L." } } },
        { "op": "replace", "path": "NAME.GIVENNAME", "value": "Augusta" },
        { "op": "add", "path": "emails", "value": [{ "value": "ada@new.example", "primary": true }] },
        { "op": "replace", "path": "emails[type eq \"home\"].value", "value": "home@example.com" },
        { "op": "add", "path": format!("{ENTERPRISE}:manager.value"), "value": "boss" },
        { "op": "remove", "path": format!("{ENTERPRISE}:department") },
        { "op": "replace", "path": format!("{USER}:title"), "value": "Countess" },
    ]));
    assert_eq!(resource["active"], false);
    assert_eq!(
        resource["name"],
        json!({ "givenName": "Augusta", "familyName": "Lovelace", "formatted": "Ada L." })
    );
    assert_eq!(resource["emails"][0]["primary"], false);
    assert_eq!(resource["emails"][1]["value"], "home@example.com");
    assert_eq!(resource["emails"][2]["primary"], true);
    assert_eq!(
        resource[ENTERPRISE],
        json!({ "manager": { "value": "boss" } })
    );
    assert_eq!(resource["title"], "Countess");
    let resource = service.patch(
        &path,
        &json!([
            { "op": "remove", "path": "emails[type eq \"home\" or type eq \"work\"]" },
            { "op": "remove", "path": "emails[type eq \"none\"]" },
            { "op": "remove", "path": ENTERPRISE },
            { "op": "replace", "path": "name", "value": null },
        ]),
    );
    assert_eq!(resource["emails"].as_array().map(Vec::len), Some(1));
    assert_eq!(resource["schemas"], json!([USER]));
    assert!(resource.get("name").is_none());
}

#[test]
fn a_patch_with_a_failing_operation_changes_nothing() {
    let mut service = Service::new();
    let id = service.create("/Users", &ada());
    let path = format!("/Users/{id}");
    let first = json!({ "op": "replace", "path": "title", "value": "Countess" });
    for (operation, kind) in [
        (json!({ "op": "remove" }), "noTarget"),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (
            json!({ "op": "replace", "path": "id", "value": "x" }),
            "mutability",
        ),
        (
            json!({ "op": "replace", "value": { "id": "x" } }),
            "mutability",
        ),
        (
            json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }),
            "mutability",
        ),
        (
            json!({ "op": "replace", "path": "nick", "value": "x" }),
            "invalidPath",
        ),
        (
            json!({ "op": "replace", "value": { "name.givenNames": "x" } }),
            "invalidPath",
        ),
        (
            json!({ "op": "replace", "path": "userName[type eq \"x\"]", "value": "x" }),
            "invalidPath",
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"none\"].value", "value": "x" }),
            "noTarget",
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq none].value", "value": "x" }),
            "invalidFilter",
        ),
        (
            json!({ "op": "replace", "path": "active", "value": "False" }),
            "invalidValue",
        ),
        (json!({ "op": "replace", "path": "title" }), "invalidValue"),
        (
            json!({ "op": "replace", "path": 1, "value": 1 }),
            "invalidPath",
        ),
        (
            json!({ "op": "move", "path": "title", "value": "x" }),
            "invalidSyntax",
        ),
    ] {
        service.assert_patch_error(&path, &json!([first, operation]), kind);
    }
    service.assert_patch_error(&path, &json!([]), "invalidSyntax");
    service.assert_error(
        "PATCH",
        &path,
        &json!({ "Operations": [first] }),
        400,
        "invalidSyntax",
    );
}

#[test]
fn filters_select_the_matching_users() {
    let mut service = Service::new();
    service.create("/Users", &ada());
    service.create("/Users", &user("eve"));
    let both = ["Ada", "eve"];
    for (filter, found) in [
        ("userName eq \"ADA\"", &both[..1]),
        ("externalId eq \"00uada\"", &[]),
        ("externalId eq \"00uAda\"", &both[..1]),
        ("userName sw \"a\" or userName ew \"E\"", &both),
        ("not (userName co \"d\")", &both[1..]),
        ("not(userName co \"d\") and userName pr", &both[1..]),
        ("emails pr", &both[..1]),
        ("emails eq null", &both[1..]),
        (
            "emails.type eq \"home\" and emails.value sw \"ada@work\"",
            &both[..1],
        ),
        ("emails[type eq \"home\" and value sw \"ada@work\"]", &[]),
        (
            "emails[type eq \"home\" and value sw \"ada@home\"]",
            &both[..1],
        ),
        ("emails co \"home.example\"", &both[..1]),
        ("active eq true", &both[..1]),
        ("active ne true", &both[1..]),
        ("meta.created ge \"1970-01-01T00:00:00Z\"", &both),
        ("meta.created gt \"1970-01-01T01:00:00+01:00\"", &[]),
        (
            &format!("{ENTERPRISE}:department eq \"engines\""),
            &both[..1],
        ),
        (
            &format!("{USER}:name.familyName eq \"lovelace\""),
            &both[..1],
        ),
        (
            "userName eq \"x\" or userName eq \"eve\" and not (active eq true)",
            &both[1..],
        ),
    ] {
        assert_eq!(service.found(filter), found, "{filter}");
    }
    let deep = format!("{}userName pr{}", "(".repeat(60), ")".repeat(60));
    for filter in [
        "",
        "userName",
        "userName eq",
        "userName eq ada",
        "userName eq \"a\" and",
        "(userName pr",
        "userName pr)",
        "userName xx \"a\"",
        "nick eq \"a\"",
        "active eq \"true\"",
        "active gt true",
        "emails[type eq \"a\"",
        "userName eq \"a\"and active eq true",
        "not userName pr",
        "userName eq True",
        &deep,
    ] {
        let query: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        service.assert_error(
            "GET",
            &format!("/Users?filter={query}"),
            &Value::Null,
            400,
            "invalidFilter",
        );
    }
}

#[test]
fn a_list_supports_index_pagination() {
    let mut service = Service::new();
    for name in ["a", "b", "c"] {
        service.create("/Users", &user(name));
    }
    let page = service.get("/Users?startIndex=2&count=1");
    assert_eq!(
        (page["totalResults"].as_u64(), page["startIndex"].as_u64()),
        (Some(3), Some(2))
    );
    assert_eq!(page["Resources"][0]["userName"], "b");
    assert_eq!(service.get("/Users?count=0")["Resources"], json!([]));
    assert_eq!(
        service.get("/Users?startIndex=-5&count=-1")["totalResults"],
        3
    );
    assert_eq!(service.get("/Users?startIndex=9")["Resources"], json!([]));
    service.assert_error(
        "GET",
        "/Users?count=many",
        &Value::Null,
        400,
        "invalidCount",
    );
}

#[test]
fn a_cursor_is_valid_for_its_own_list_and_for_one_hour() {
    let mut service = Service::new();
    for name in ["a", "b", "c"] {
        service.create("/Users", &user(name));
    }
    for first in ["/Users?cursor&count=2", "/Users?cursor=&count=2"] {
        let page = service.get(first);
        assert_eq!(page["Resources"].as_array().map(Vec::len), Some(2));
        assert!(page.get("startIndex").is_none());
        let next = page["nextCursor"]
            .as_str()
            .expect("a next cursor")
            .to_owned();
        let last = service.get(&format!("/Users?cursor={next}&count=2"));
        assert_eq!(last["Resources"][0]["userName"], "c");
        assert!(last.get("nextCursor").is_none());
        let other = format!("/Users?cursor={next}&filter=userName+pr");
        service.assert_error("GET", &other, &Value::Null, 400, "invalidCursor");
        service.1 += jiff::SignedDuration::from_secs(3601);
        service.assert_error(
            "GET",
            &format!("/Users?cursor={next}"),
            &Value::Null,
            400,
            "expiredCursor",
        );
    }
    service.assert_error(
        "GET",
        "/Users?cursor=xyz",
        &Value::Null,
        400,
        "invalidCursor",
    );
    service.assert_error(
        "GET",
        "/Users?cursor&count=0",
        &Value::Null,
        400,
        "invalidCount",
    );
}

#[test]
fn a_client_can_select_and_exclude_attributes() {
    let mut service = Service::new();
    let id = service.create("/Users", &ada());
    let part = service.get(&format!(
        "/Users/{id}?attributes=userName,emails.value,{ENTERPRISE}:department"
    ));
    assert_eq!(part["emails"][0], json!({ "value": "ada@work.example" }));
    assert_eq!(part[ENTERPRISE], json!({ "department": "Engines" }));
    assert!(part.get("name").is_none() && part.get("meta").is_none());
    assert!(part.get("id").is_some() && part.get("schemas").is_some());
    let part = service.get(&format!(
        "/Users/{id}?excludedAttributes=emails,name.givenName,{ENTERPRISE},id"
    ));
    assert!(part.get("emails").is_none() && part.get(ENTERPRISE).is_none());
    assert_eq!(part["name"], json!({ "familyName": "Lovelace" }));
    assert!(part.get("id").is_some());
    service.assert_error(
        "GET",
        &format!("/Users/{id}?attributes=a&excludedAttributes=b"),
        &Value::Null,
        400,
        "invalidValue",
    );
}

#[test]
fn a_write_with_an_outdated_version_is_rejected() {
    let mut service = Service::new();
    let id = service.create("/Users", &user("ada"));
    let path = format!("/Users/{id}");
    let body = user("eve").to_string();
    let stale = [("if-match", "W/\"7\"")];
    assert_eq!(service.raw("PUT", &path, &stale, &body).status(), 412);
    assert_eq!(service.raw("DELETE", &path, &stale, "").status(), 412);
    let fresh = [("if-match", "W/\"1\"")];
    assert_eq!(service.raw("PUT", &path, &fresh, &body).status(), 200);
    let known = [("if-none-match", "W/\"2\"")];
    assert_eq!(service.raw("GET", &path, &known, "").status(), 304);
}

#[test]
fn a_search_covers_all_resource_types() {
    let mut service = Service::new();
    service.create("/Users", &ada());
    service.create(
        "/Groups",
        &json!({ "schemas": [GROUP], "displayName": "Ada's" }),
    );
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "displayName co \"ada\"" });
    let (status, found) = service.send("POST", "/.search", &search);
    assert_eq!((status, &found["totalResults"]), (200, &json!(1)));
    let (status, found) = service.send(
        "POST",
        "/Users/.search",
        &json!({ "filter": "userName pr", "attributes": ["userName"] }),
    );
    assert_eq!(
        (status, &found["Resources"][0]["userName"]),
        (200, &json!("Ada"))
    );
    service.assert_error(
        "POST",
        "/.search",
        &json!({ "filter": "nick pr" }),
        400,
        "invalidFilter",
    );
}

#[test]
fn the_service_describes_its_capabilities() {
    let mut service = Service::new();
    assert_eq!(
        service.get("/ServiceProviderConfig")["pagination"]["cursor"],
        true
    );
    assert_eq!(service.get("/Schemas")["totalResults"], 3);
    // These endpoints ignore list parameters.
    let page = service.get("/Schemas?count=1&startIndex=2");
    assert_eq!(
        (&page["itemsPerPage"], &page["startIndex"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(service.get(&format!("/Schemas/{USER}"))["name"], "User");
    assert_eq!(service.get("/ResourceTypes/Group")["endpoint"], "/Groups");
    service.assert_error("GET", "/Schemas/none", &Value::Null, 404, "");
    service.assert_error("GET", "/Schemas?filter=id+pr", &Value::Null, 403, "");
    service.assert_error("POST", "/Schemas", &json!({}), 405, "");
    service.assert_error("PUT", "/Users", &json!({}), 405, "");
    service.assert_error("POST", "/Bulk", &json!({}), 501, "");
    service.assert_error("GET", "/Things", &Value::Null, 404, "");
}
