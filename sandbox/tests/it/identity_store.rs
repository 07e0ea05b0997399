//! Tests of the identity store: changes by hand, the SCIM service's settings, and its view.

use std::time::Duration;

use okta_aws_sandbox::{
    Company, IdentityUser, Person, Sandbox, SandboxBuilder, ScimProfile, Stage, UnknownMembers,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, client};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The URL and a token of a SCIM service.
struct Scim {
    url: String,
    token: String,
}

impl Scim {
    /// Returns the SCIM endpoint of AWS with a new token.
    fn of_aws(sandbox: &Sandbox) -> Self {
        let provisioning = sandbox.console().enable_automatic_provisioning();
        let provisioning = provisioning.expect("a token");
        Self {
            url: provisioning.scim_endpoint.trim_end_matches('/').to_owned(),
            token: provisioning.access_token,
        }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = client()
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .header("content-type", "application/scim+json")
            .body(body.to_string());
        let response = request.send().await.expect("a response");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn create(&self, endpoint: &str, body: &Value) -> String {
        let (status, body) = self.send(Method::POST, endpoint, body).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().expect("an id").to_owned()
    }
}

async fn start(builder: SandboxBuilder) -> (Sandbox, Scim) {
    let builder = builder.company(Company::empty()).stage(Stage::Provisioned);
    let sandbox = builder.start().await.expect("a sandbox");
    let scim = Scim::of_aws(&sandbox);
    (sandbox, scim)
}

fn user(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "displayName": "Ada Lovelace",
        "title": "Countess",
        "emails": [{ "value": name, "primary": true }],
    })
}

fn patch(operations: &Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

fn members(sandbox: &Sandbox) -> Vec<(String, Vec<String>)> {
    let groups = sandbox.identity_groups().into_iter();
    groups
        .map(|group| (group.display_name, group.members))
        .collect()
}

fn only_user(sandbox: &Sandbox) -> IdentityUser {
    let users = sandbox.identity_users();
    let [user] = <[_; 1]>::try_from(users).expect("one user");
    user
}

#[tokio::test]
async fn a_group_change_with_an_unknown_user_is_refused_as_a_whole() {
    for (answer, expected) in [
        (UnknownMembers::NotFound, 404),
        (UnknownMembers::Invalid, 400),
    ] {
        let (sandbox, scim) = start(builder().unknown_members(answer)).await;
        let mut ids = Vec::new();
        for name in ["ada@example.com", "eve@example.com", "gone@example.com"] {
            ids.push(scim.create("/Users", &user(name)).await);
        }
        let body = json!({ "displayName": "admins", "members": [{ "value": ids[0] }] });
        let group = scim.create("/Groups", &body).await;
        sandbox.delete_identity_user("gone@example.com");
        let changes = patch(&json!([
            { "op": "replace", "path": "displayName", "value": "owners" },
            { "op": "remove", "path": "members", "value": [{ "value": ids[0] }] },
            { "op": "add", "path": "members", "value": [{ "value": ids[1] }, { "value": ids[2] }] },
        ]));
        let path = format!("/Groups/{group}");
        let (status, error) = scim.send(Method::PATCH, &path, &changes).await;
        assert_eq!(status, expected, "{error}");
        let unchanged = vec![("admins".to_owned(), vec!["ada@example.com".to_owned()])];
        assert_eq!(members(&sandbox), unchanged);
        let body = json!({ "displayName": "owners", "members": [{ "value": ids[2] }] });
        assert_eq!(scim.send(Method::POST, "/Groups", &body).await.0, expected);
        assert_eq!(members(&sandbox), unchanged);
    }
}

#[tokio::test]
async fn a_dropped_attribute_is_accepted_and_neither_kept_nor_returned() {
    let builder = builder()
        .drop_user_attribute("displayName")
        .drop_user_attribute(ENTERPRISE)
        .drop_group_attribute("externalId");
    let (sandbox, scim) = start(builder).await;
    let mut sent = user("ada@example.com");
    sent[ENTERPRISE] = json!({ "department": "Engines" });
    let (status, created) = scim.send(Method::POST, "/Users", &sent).await;
    assert_eq!(status, 201, "{created}");
    let path = format!("/Users/{}", created["id"].as_str().expect("an id"));
    let put = scim.send(Method::PUT, &path, &sent).await;
    let title = patch(&json!([
        { "op": "replace", "path": "title", "value": "Lady" },
        { "op": "replace", "path": "displayName", "value": "Lady Ada" },
    ]));
    let patched = scim.send(Method::PATCH, &path, &title).await;
    let read = scim.send(Method::GET, &path, &Value::Null).await;
    for (status, body) in [(200, created), put, patched, read] {
        assert_eq!(status, 200, "{body}");
        assert_eq!(body.get("displayName"), None);
        assert_eq!(body.get(ENTERPRISE), None);
        assert!(body["title"].is_string(), "other attributes are kept");
    }
    let kept = only_user(&sandbox);
    assert_eq!(kept.display_name, None);
    assert_eq!(kept.attribute("enterprise.department"), None);
    assert_eq!(kept.attribute("title"), Some("Lady"));
    let body = json!({ "displayName": "admins", "externalId": "00g1" });
    scim.create("/Groups", &body).await;
    assert_eq!(sandbox.identity_groups()[0].external_id, None);
    // A required attribute must still be sent.
    sent.as_object_mut()
        .expect("an object")
        .remove("displayName");
    assert_eq!(scim.send(Method::PUT, &path, &sent).await.0, 400);
}

#[tokio::test]
async fn the_generic_service_drops_attributes_too() {
    let sandbox = builder()
        .scim_profile(ScimProfile::Generic)
        .drop_user_attribute("displayName")
        .start()
        .await
        .expect("a sandbox");
    let scim = Scim {
        url: sandbox.scim_url().expect("a URL"),
        token: Sandbox::SCIM_TOKEN.to_owned(),
    };
    let id = scim.create("/Users", &user("ada@example.com")).await;
    let path = format!("/Users/{id}");
    let (_, read) = scim.send(Method::GET, &path, &Value::Null).await;
    assert_eq!(read.get("displayName"), None);
    assert_eq!(read["title"], "Countess");
}

#[tokio::test]
async fn users_and_groups_are_added_changed_and_deleted_by_hand() {
    let (sandbox, scim) = start(builder()).await;
    let ada = sandbox.add_identity_user(&Person::new("ada@example.com", "Ada", "Lovelace"));
    let _ = sandbox.add_identity_user(&Person::new("eve@example.com", "Eve", "Moneypenny"));
    let group = sandbox.add_identity_group("admins", &["ada@example.com"]);
    let path = format!("/Users/{ada}");
    let (status, read) = scim.send(Method::GET, &path, &Value::Null).await;
    assert_eq!(
        (status, &read["userName"]),
        (200, &json!("ada@example.com"))
    );
    assert_eq!(read.get("externalId"), None);
    sandbox.set_identity_member("admins", "eve@example.com", true);
    let both = vec!["ada@example.com".to_owned(), "eve@example.com".to_owned()];
    assert_eq!(members(&sandbox), [("admins".to_owned(), both)]);
    sandbox.set_identity_member("admins", "eve@example.com", false);
    sandbox.delete_identity_user("ada@example.com");
    assert_eq!(members(&sandbox), [("admins".to_owned(), Vec::new())]);
    assert_eq!(scim.send(Method::GET, &path, &Value::Null).await.0, 404);
    sandbox.delete_identity_group("admins");
    let path = format!("/Groups/{group}");
    assert_eq!(scim.send(Method::GET, &path, &Value::Null).await.0, 404);
    assert_eq!(only_user(&sandbox).user_name, "eve@example.com");
}

#[tokio::test]
async fn the_view_of_a_user_has_all_attributes() {
    let (sandbox, scim) = start(builder()).await;
    let sent = json!({
        "externalId": "00u1",
        "userName": "ada@example.com",
        "name": {
            "formatted": "Lady Ada King", "familyName": "Lovelace", "givenName": "Ada", "middleName": "King",
            "honorificPrefix": "Lady", "honorificSuffix": "II",
        },
        "displayName": "Ada",
        "nickName": "A",
        "profileUrl": "https://example.com/ada",
        "title": "Countess",
        "userType": "Employee",
        "preferredLanguage": "en-GB",
        "locale": "en_GB",
        "timezone": "Europe/London",
        "active": false,
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
        "phoneNumbers": [{ "value": "+44 1", "type": "work" }],
        "addresses": [{
            "streetAddress": "12 St James", "locality": "London", "region": "LDN", "postalCode": "SW1", "country": "GB",
        }],
        ENTERPRISE: {
            "employeeNumber": "1", "costCenter": "2", "organization": "3", "division": "4", "department": "5",
            "manager": { "value": "00u2" },
        },
    });
    scim.create("/Users", &sent).await;
    let user = only_user(&sandbox);
    let expected = [
        ("addresses.country", "GB"),
        ("addresses.locality", "London"),
        ("addresses.postalCode", "SW1"),
        ("addresses.region", "LDN"),
        ("addresses.streetAddress", "12 St James"),
        ("displayName", "Ada"),
        ("emails.type", "work"),
        ("emails.value", "ada@example.com"),
        ("enterprise.costCenter", "2"),
        ("enterprise.department", "5"),
        ("enterprise.division", "4"),
        ("enterprise.employeeNumber", "1"),
        ("enterprise.manager.value", "00u2"),
        ("enterprise.organization", "3"),
        ("locale", "en_GB"),
        ("name.familyName", "Lovelace"),
        ("name.formatted", "Lady Ada King"),
        ("name.givenName", "Ada"),
        ("name.honorificPrefix", "Lady"),
        ("name.honorificSuffix", "II"),
        ("name.middleName", "King"),
        ("nickName", "A"),
        ("phoneNumbers.type", "work"),
        ("phoneNumbers.value", "+44 1"),
        ("preferredLanguage", "en-GB"),
        ("profileUrl", "https://example.com/ada"),
        ("timezone", "Europe/London"),
        ("title", "Countess"),
        ("userName", "ada@example.com"),
        ("userType", "Employee"),
    ];
    let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(user.attributes.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(user.external_id.as_deref(), Some("00u1"));
    assert!(!user.active);
}

#[tokio::test]
async fn every_request_with_an_expired_or_deleted_token_is_unauthorized() {
    for expired in [true, false] {
        let (sandbox, scim) = start(builder()).await;
        let id = scim.create("/Users", &user("ada@example.com")).await;
        let group = scim
            .create("/Groups", &json!({ "displayName": "admins" }))
            .await;
        if expired {
            sandbox.advance(Duration::from_hours(365 * 24));
        } else {
            assert_eq!(sandbox.console().delete_scim_tokens(), 2);
        }
        let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
        let renamed = patch(&json!([{ "op": "replace", "path": "displayName", "value": "x" }]));
        let (ada, admins) = (format!("/Users/{id}"), format!("/Groups/{group}"));
        for (method, path, body) in [
            (Method::GET, "/Users?cursor", Value::Null),
            (Method::GET, "/Users?count=1", Value::Null),
            (Method::GET, "/Groups?cursor", Value::Null),
            (Method::GET, &ada, Value::Null),
            (Method::GET, "/Users/unknown", Value::Null),
            (Method::GET, "/ServiceProviderConfig", Value::Null),
            (Method::GET, "/Schemas", Value::Null),
            (Method::POST, "/Users", user("eve@example.com")),
            (Method::POST, "/Users", json!({})),
            (Method::PUT, &ada, user("eve@example.com")),
            (Method::PATCH, &ada, off),
            (Method::PATCH, &admins, renamed),
            (Method::DELETE, &ada, Value::Null),
            (Method::DELETE, &admins, Value::Null),
        ] {
            let (status, error) = scim.send(method.clone(), path, &body).await;
            assert_eq!(status, 401, "{method} {path}: {error}");
            assert_eq!(error["detail"], "Unauthorized");
        }
        let kept = only_user(&sandbox);
        assert!(kept.active && kept.user_name == "ada@example.com");
        assert_eq!(members(&sandbox), [("admins".to_owned(), Vec::new())]);
        let renewed = Scim::of_aws(&sandbox);
        assert_eq!(
            renewed.send(Method::GET, "/Users", &Value::Null).await.0,
            200
        );
    }
}
