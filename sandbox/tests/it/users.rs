//! Tests of the users' profiles: creation, partial update, replacement and deletion.

use okta_aws_sandbox::{Company, Person, PersonStatus};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, okta, post, refusal, sandbox, send, status, text, write};

fn profile() -> Value {
    json!({ "login": "new@example.com", "email": "new@example.com", "firstName": "New", "lastName": "User" })
}

// Source: "Create a user". Without credentials, the user has to follow the link of the activation.
#[tokio::test]
async fn a_user_is_created_active_staged_or_provisioned() {
    let sandbox = sandbox().await;
    let create = async |query: &str, number: u8, credentials: Value| {
        let mut profile = profile();
        profile["login"] = format!("new{number}@example.com").into();
        let body = json!({ "profile": profile, "credentials": credentials });
        text(
            &post(&sandbox, &format!("/api/v1/users{query}"), &body).await,
            "status",
        )
    };
    let password = json!({ "password": { "value": "correct horse" } });
    let provider = json!({ "provider": { "type": "FEDERATION", "name": "FEDERATION" } });
    assert_eq!(create("", 1, json!({})).await, "PROVISIONED");
    assert_eq!(create("", 2, password.clone()).await, "ACTIVE");
    assert_eq!(
        create("?activate=false", 3, password.clone()).await,
        "STAGED"
    );
    assert_eq!(create("?provider=true", 4, provider).await, "ACTIVE");
    let expired = create("?nextLogin=changePassword", 5, password).await;
    assert_eq!(expired, "PASSWORD_EXPIRED");
    let body = json!({ "profile": profile() });
    let path = "/api/v1/users?nextLogin=changePassword";
    let (status, ..) = refusal(okta(&sandbox, Method::POST, path).json(&body)).await;
    assert_eq!(status, 400);
    let short =
        json!({ "profile": profile(), "credentials": { "password": { "value": "1234567" } } });
    let request = okta(&sandbox, Method::POST, "/api/v1/users").json(&short);
    let (status, code, ..) = refusal(request).await;
    assert_eq!((status, code.as_str()), (403, "E0000014"));
}

// Source: `User` in the API description: read-only members, and timestamps with milliseconds.
#[tokio::test]
async fn a_new_user_has_the_members_that_the_system_sets() {
    let sandbox = sandbox().await;
    let mut profile = profile();
    profile["title"] = Value::Null;
    let body = json!({ "profile": profile, "id": "00uMine", "status": "SUSPENDED", "groupIds": [sandbox.group_id("aws-users")] });
    let user = post(&sandbox, "/api/v1/users?activate=false", &body).await;
    let id = text(&user, "id");
    assert!(id.starts_with("00u1"), "{id}");
    assert_eq!(user["created"], "2026-06-01T12:00:00.000Z");
    assert_eq!(
        (&user["status"], &user["activated"]),
        (&"STAGED".into(), &Value::Null)
    );
    assert_eq!(user["credentials"]["provider"]["type"], "OKTA");
    assert_eq!(user["profile"].get("title"), None);
    assert!(user["_links"]["activate"]["href"].is_string());
    let groups = get(&sandbox, &format!("/api/v1/users/{id}/groups")).await;
    let names: Vec<&Value> = groups
        .as_array()
        .expect("a list")
        .iter()
        .map(|group| &group["profile"]["name"])
        .collect();
    assert_eq!(names, ["Everyone", "aws-users"]);
}

// Source: `UserProfile` in the API description, and the causes in recorded refusals.
#[tokio::test]
async fn each_invalid_attribute_is_one_cause() {
    let sandbox = sandbox().await;
    let ada = "ada.lovelace@example.com";
    for (name, value, cause) in [
        (
            "login",
            "ada".into(),
            "login: Username must be in the form of an email address",
        ),
        (
            "login",
            ada.to_uppercase().into(),
            "login: An object with this field already exists in the current organization",
        ),
        (
            "email",
            "x".into(),
            "email: Does not match required pattern",
        ),
        (
            "firstName",
            "".into(),
            "firstName: The field cannot be left blank",
        ),
        (
            "lastName",
            Value::Null,
            "lastName: The field cannot be left blank",
        ),
        (
            "countryCode",
            "GBR".into(),
            "countryCode: The field is too long",
        ),
        (
            "badge",
            "1".into(),
            "badge: The attribute is not in the user schema",
        ),
        (
            "title",
            1.into(),
            "title: The value does not have the type of the attribute",
        ),
    ] {
        let mut profile = profile();
        profile[name] = value;
        let request = okta(&sandbox, Method::POST, "/api/v1/users");
        let refused = refusal(request.json(&json!({ "profile": profile }))).await;
        assert_eq!((refused.0, refused.1.as_str()), (400, "E0000001"), "{name}");
        assert_eq!(refused.2, format!("Api validation failed: {name}"));
        assert_eq!(refused.3, cause);
    }
    let request = okta(&sandbox, Method::POST, "/api/v1/users").json(&json!({ "profile": {} }));
    let body: Value = send(request).await.json().await.expect("JSON");
    assert_eq!(body["errorCauses"].as_array().map(Vec::len), Some(4));
}

// Source: "Update a user" and "Replace a user": "Unspecified properties are set to null with `PUT`".
#[tokio::test]
async fn a_partial_update_keeps_and_a_replacement_removes_the_other_attributes() {
    let sandbox = sandbox().await;
    let body = json!({ "profile": profile() });
    let id = text(&post(&sandbox, "/api/v1/users", &body).await, "id");
    let path = format!("/api/v1/users/{id}");
    let changed = json!({ "profile": { "title": "Fellow", "login": "renamed@example.com" } });
    let changed = post(&sandbox, &path, &changed).await;
    assert_eq!(changed["profile"]["title"], "Fellow");
    assert_eq!(changed["profile"]["lastName"], "User");
    assert_eq!(
        get(&sandbox, "/api/v1/users/renamed@example.com").await["id"],
        id.as_str()
    );
    assert_eq!(
        status(&sandbox, Method::GET, "/api/v1/users/new@example.com").await,
        404
    );
    let replaced = write(&sandbox, Method::PUT, &path, &body).await;
    assert_eq!(replaced["profile"].get("title"), None);
    let incomplete =
        json!({ "profile": { "login": "new@example.com", "email": "new@example.com" } });
    let (status, _, _, cause) = refusal(okta(&sandbox, Method::PUT, &path).json(&incomplete)).await;
    assert_eq!(
        (status, cause.as_str()),
        (400, "firstName: The field cannot be left blank")
    );
}

// Source: header `If-Match` of "Update a user", and RFC 9110.
#[tokio::test]
async fn an_update_with_the_tag_of_another_version_is_refused() {
    let sandbox = sandbox().await;
    let path = "/api/v1/users/me";
    let response = send(okta(&sandbox, Method::GET, path)).await;
    let tag = response.headers()["etag"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let body = json!({ "profile": { "title": "Countess" } });
    let update = || {
        okta(&sandbox, Method::POST, path)
            .header("if-match", &tag)
            .json(&body)
    };
    assert_eq!(send(update()).await.status(), 200);
    assert_eq!(refusal(update()).await.0, 412);
}

// Source: "Delete a user": "A second delete operation is required to delete the user".
#[tokio::test]
async fn the_first_deletion_deactivates_and_the_second_deletes() {
    let sandbox = sandbox().await;
    let id = sandbox.user_id("person.00002@example.com").expect("a user");
    let path = format!("/api/v1/users/{id}");
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 204);
    assert_eq!(get(&sandbox, &path).await["status"], "DEPROVISIONED");
    let body = json!({ "profile": { "title": "x" } });
    let (refused, code, ..) = refusal(okta(&sandbox, Method::POST, &path).json(&body)).await;
    assert_eq!((refused, code.as_str()), (403, "E0000038"));
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 204);
    assert_eq!(status(&sandbox, Method::GET, &path).await, 404);
    let group = sandbox.group_id("aws-users").expect("a group");
    let members = get(&sandbox, &format!("/api/v1/groups/{group}/users?limit=200")).await;
    assert!(!members.to_string().contains(&id));
}

// Source: "Retrieve a user": by login, by an unambiguous short login, and not by a login with a slash.
#[tokio::test]
async fn a_login_with_a_slash_and_an_ambiguous_short_login_find_no_user() {
    let company = Company::small(1, 1)
        .person(Person::new("team/ops@example.com", "Team", "Ops"))
        .person(Person::new("ops@example.com", "One", "Ops"))
        .person(Person::new("ops@example.org", "Two", "Ops"));
    let sandbox = builder().company(company).start().await.expect("a sandbox");
    let id = sandbox.user_id("team/ops@example.com").expect("a user");
    let found =
        async |name: &str| status(&sandbox, Method::GET, &format!("/api/v1/users/{name}")).await;
    assert_eq!(found(&id).await, 200);
    assert_eq!(found("team%2Fops%40example.com").await, 404);
    assert_eq!(found("ops%40example.org").await, 200);
    assert_eq!(found("ops").await, 404);
    assert_eq!(found("ada.lovelace").await, 200);
}

// Source: header `Content-Type` of "Retrieve a user".
#[tokio::test]
async fn a_request_can_omit_the_credentials() {
    let sandbox = sandbox().await;
    let kind = "application/json; okta-response=omitCredentials,omitCredentialsLinks";
    let request = okta(&sandbox, Method::GET, "/api/v1/users/me").header("content-type", kind);
    let user: Value = send(request).await.json().await.expect("JSON");
    assert_eq!(user.get("credentials"), None);
    assert_eq!(user["_links"].get("resetPassword"), None);
    assert!(user["_links"]["suspend"].is_object());
}

// Source: `UserStatus` in the API description.
#[tokio::test]
async fn a_company_has_users_of_every_status_and_of_an_unknown_one() {
    use PersonStatus::*;
    let statuses = [
        Active,
        Staged,
        Provisioned,
        Recovery,
        PasswordExpired,
        LockedOut,
        Suspended,
        Deprovisioned,
        Other("ARCHIVED"),
    ];
    let mut company = Company::empty();
    for (number, status) in statuses.into_iter().enumerate() {
        let login = format!("user{number}@example.com");
        company = company.person(Person::new(&login, "Some", "User").with_status(status));
    }
    let sandbox = builder().company(company).start().await.expect("a sandbox");
    for (number, expected) in statuses.into_iter().enumerate() {
        let user = get(&sandbox, &format!("/api/v1/users/user{number}")).await;
        assert_eq!(user["status"], expected.name());
    }
}

// Source: "List all assigned app links".
#[tokio::test]
async fn the_links_of_a_user_are_those_of_the_assigned_apps() {
    let sandbox = sandbox().await;
    let app = crate::client::identity_center(&sandbox).await;
    let id = sandbox.user_id("ada.lovelace@example.com").expect("Ada");
    let links = format!("/api/v1/users/{id}/appLinks");
    assert_eq!(get(&sandbox, &links).await, json!([]));
    post(
        &sandbox,
        &format!("/api/v1/apps/{app}/users"),
        &json!({ "id": id }),
    )
    .await;
    let found = get(&sandbox, &links).await;
    assert_eq!(found[0]["appInstanceId"], app.as_str());
    assert_eq!(found[0]["appName"], "amazon_aws_sso");
}
