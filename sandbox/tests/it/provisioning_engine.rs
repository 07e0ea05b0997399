//! Tests of Okta's provisioning engine, after provisioning is configured.

use std::time::Duration;

use okta_aws_sandbox::{
    Company, IdentityUser, Person, PersonStatus, ProvisioningForm, Sandbox, Stage,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, okta, post, refusal, send, write};

const DELAY: Duration = Duration::from_secs(30);

/// Starts a provisioned company of three users, and a fourth user that AWS rejects.
///
/// Returns the sandbox and the path of the application.
async fn provisioned() -> (Sandbox, String) {
    let company = Company::small(3, 2)
        .person(Person::new("hypatia@example.com", "Hypatia", ""))
        .team(
            "developers",
            &["ada.lovelace@example.com", "person.00002@example.com"],
        );
    let sandbox = builder()
        .company(company)
        .stage(Stage::Provisioned)
        .provisioning_delay(DELAY)
        .start()
        .await
        .expect("a sandbox");
    let app = get(
        &sandbox,
        "/api/v1/apps?filter=name%20eq%20%22amazon_aws_sso%22",
    )
    .await;
    let path = format!("/api/v1/apps/{}", app[0]["id"].as_str().expect("an id"));
    (sandbox, path)
}

async fn assign_group(sandbox: &Sandbox, path: &str, group: &str) {
    let group = sandbox.group_id(group).expect("a group");
    write(
        sandbox,
        Method::PUT,
        &format!("{path}/groups/{group}"),
        &json!({}),
    )
    .await;
}

async fn push(sandbox: &Sandbox, path: &str, group: &str) -> Value {
    let id = sandbox.group_id(group).expect("a group");
    let body = json!({ "sourceGroupId": id, "targetGroupName": group });
    post(sandbox, &format!("{path}/group-push/mappings"), &body).await
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    let users = sandbox.identity_users();
    users.into_iter().map(|user| user.user_name).collect()
}

#[tokio::test]
async fn an_assigned_user_is_provisioned_after_the_delay() {
    let (sandbox, path) = provisioned().await;
    assign_group(&sandbox, &path, "aws-users").await;
    let ada = sandbox.user_id("ada.lovelace@example.com").expect("Ada");
    let user = get(&sandbox, &format!("{path}/users/{ada}")).await;
    assert_eq!(
        (user["status"].as_str(), user["syncState"].as_str()),
        (Some("STAGED"), Some("SYNCING"))
    );
    assert_eq!(names(&sandbox), [""; 0]);

    sandbox.advance(DELAY);
    assert_eq!(
        names(&sandbox),
        [
            "ada.lovelace@example.com",
            "person.00002@example.com",
            "person.00003@example.com"
        ]
    );
    let at_aws = &sandbox.identity_users()[0];
    assert_eq!(at_aws.display_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(at_aws.external_id.as_deref(), Some(ada.as_str()));
    let user = get(&sandbox, &format!("{path}/users/{ada}")).await;
    assert_eq!(
        (user["status"].as_str(), user["syncState"].as_str()),
        (Some("PROVISIONED"), Some("SYNCHRONIZED"))
    );
    assert_eq!(user["externalId"], at_aws.id.as_str());

    let sent = sandbox.provisioning_requests();
    let first: Vec<&str> = sent
        .iter()
        .skip(1)
        .take(2)
        .map(|request| request.method.as_str())
        .collect();
    assert_eq!(first, ["GET", "POST"]);
    let query = sent[1].query.as_deref().expect("a query");
    assert!(
        query.starts_with("filter=userName%20eq%20%22ada.lovelace%40example.com%22"),
        "{query}"
    );
    assert_eq!(
        sandbox
            .requests()
            .iter()
            .filter(|request| request.path.contains("scim"))
            .count(),
        0
    );
}

/// The optional attributes of a user: names in Okta, paths in SCIM, and values.
const ATTRIBUTES: [(&str, &str, &str); 23] = [
    (
        "streetAddress",
        "addresses.streetAddress",
        "12 St James's Square",
    ),
    ("city", "addresses.locality", "London"),
    ("state", "addresses.region", "LDN"),
    ("zipCode", "addresses.postalCode", "SW1Y 4JH"),
    ("countryCode", "addresses.country", "GB"),
    (
        "postalAddress",
        "addresses.formatted",
        "12 St James's Square, London",
    ),
    ("costCenter", "enterprise.costCenter", "1815"),
    ("department", "enterprise.department", "Engines"),
    ("division", "enterprise.division", "Analysis"),
    ("employeeNumber", "enterprise.employeeNumber", "1"),
    (
        "managerId",
        "enterprise.manager.value",
        "charles@example.com",
    ),
    ("organization", "enterprise.organization", "Babbage"),
    ("locale", "locale", "en_GB"),
    ("honorificPrefix", "name.honorificPrefix", "Lady"),
    ("honorificSuffix", "name.honorificSuffix", "II"),
    ("middleName", "name.middleName", "King"),
    ("nickName", "nickName", "Enchantress"),
    ("primaryPhone", "phoneNumbers.value", "+44 20 7946 0000"),
    ("preferredLanguage", "preferredLanguage", "en-GB"),
    ("profileUrl", "profileUrl", "https://example.com/ada"),
    ("timezone", "timezone", "Europe/London"),
    ("title", "title", "Countess"),
    ("userType", "userType", "Employee"),
];

fn full_person() -> Person {
    let person = Person::new("ada@example.com", "Ada", "Lovelace");
    ATTRIBUTES
        .into_iter()
        .fold(person, |person, (name, _, value)| {
            person.with_attribute(name, value)
        })
}

async fn assign(sandbox: &Sandbox, path: &str, person: &Person) -> IdentityUser {
    let id = sandbox.add_user(person);
    let body = json!({ "id": id, "scope": "USER" });
    post(sandbox, &format!("{path}/users"), &body).await;
    sandbox.advance(DELAY);
    assert_eq!(sandbox.console().provisioning_errors(), [""; 0]);
    at_aws(sandbox)
}

fn at_aws(sandbox: &Sandbox) -> IdentityUser {
    let mut users = sandbox.identity_users();
    users.pop().expect("a user in AWS")
}

#[tokio::test]
async fn a_user_arrives_with_every_attribute_of_the_default_mapping() {
    let (sandbox, path) = provisioned().await;
    let user = assign(&sandbox, &path, &full_person()).await;
    for (name, scim, value) in ATTRIBUTES {
        assert_eq!(user.attribute(scim), Some(value), "{name}");
    }
    let others = [
        ("userName", "ada@example.com"),
        ("displayName", "Ada Lovelace"),
        ("name.givenName", "Ada"),
        ("name.familyName", "Lovelace"),
        ("emails.value", "ada@example.com"),
        ("emails.type", "work"),
        ("phoneNumbers.type", "work"),
        ("addresses.type", "work"),
    ];
    for (scim, value) in others {
        assert_eq!(user.attribute(scim), Some(value));
    }
    assert_eq!(user.attributes.len(), ATTRIBUTES.len() + others.len());

    sandbox.set_user_attribute("ada@example.com", "city", "Ockham");
    sandbox.set_user_attribute("ada@example.com", "primaryPhone", "");
    sandbox.advance(DELAY);
    let changed = at_aws(&sandbox);
    assert_eq!(changed.attribute("addresses.locality"), Some("Ockham"));
    assert_eq!(changed.attribute("phoneNumbers.value"), None);
    assert_eq!(changed.id, user.id);
}

#[tokio::test]
async fn a_user_that_is_added_in_aws_has_the_attributes_that_okta_would_send() {
    let (sandbox, path) = provisioned().await;
    let provisioned = assign(&sandbox, &path, &full_person()).await;
    sandbox.delete_identity_user("ada@example.com");
    let _ = sandbox.add_identity_user(&full_person());
    let added = at_aws(&sandbox);
    assert_eq!(added.attributes, provisioned.attributes);
    assert_ne!(added.external_id, provisioned.external_id);
}

#[tokio::test]
async fn aws_refuses_a_user_of_okta_with_an_incomplete_address() {
    let (sandbox, path) = provisioned().await;
    let person = Person::new("ada@example.com", "Ada", "Lovelace").with_attribute("city", "London");
    let id = sandbox.add_user(&person);
    post(
        &sandbox,
        &format!("{path}/users"),
        &json!({ "id": id, "scope": "USER" }),
    )
    .await;
    sandbox.advance(DELAY);
    assert_eq!(names(&sandbox), [""; 0]);
    let errors = sandbox.console().provisioning_errors();
    assert!(errors[0].contains("unparsable"), "{errors:?}");
    for (name, value) in [
        ("streetAddress", "1"),
        ("state", "LDN"),
        ("zipCode", "1"),
        ("countryCode", "GB"),
    ] {
        sandbox.set_user_attribute("ada@example.com", name, value);
    }
    sandbox.advance(DELAY);
    assert_eq!(names(&sandbox), ["ada@example.com"]);
}

#[tokio::test]
async fn a_rejected_user_is_retried_only_after_a_change() {
    let (sandbox, path) = provisioned().await;
    let hypatia = sandbox.user_id("hypatia@example.com").expect("Hypatia");
    post(
        &sandbox,
        &format!("{path}/users"),
        &json!({ "id": hypatia, "scope": "USER" }),
    )
    .await;
    sandbox.advance(DELAY);
    let user = get(&sandbox, &format!("{path}/users/{hypatia}")).await;
    assert_eq!(
        (user["status"].as_str(), user["syncState"].as_str()),
        (Some("STAGED"), Some("ERROR"))
    );
    let errors = sandbox.console().provisioning_errors();
    assert_eq!(
        errors,
        [
            "Automatic provisioning of user hypatia@example.com to app amazon_aws_sso failed: Error while creating \
          user hypatia@example.com: Bad Request. Errors reported by remote server: Request is unparsable, \
          syntactically incorrect, or violates schema."
        ]
    );
    let sent = sandbox.provisioning_requests().len();
    sandbox.advance(DELAY * 10);
    assert_eq!(
        sandbox.provisioning_requests().len(),
        sent,
        "a rejected user is not retried"
    );

    sandbox.set_user_attribute("hypatia@example.com", "lastName", "of Alexandria");
    sandbox.advance(DELAY);
    assert_eq!(names(&sandbox), ["hypatia@example.com"]);
    assert_eq!(sandbox.console().provisioning_errors(), [""; 0]);
}

#[tokio::test]
async fn a_changed_profile_is_updated_and_a_deprovisioned_or_suspended_user_is_deactivated() {
    let (sandbox, path) = provisioned().await;
    assign_group(&sandbox, &path, "aws-users").await;
    sandbox.advance(DELAY);
    sandbox.set_user_attribute(
        "ada.lovelace@example.com",
        "displayName",
        "Countess of Lovelace",
    );
    sandbox.set_user_status("person.00002@example.com", PersonStatus::Deprovisioned);
    sandbox.set_user_status("person.00003@example.com", PersonStatus::Suspended);
    sandbox.clear_requests();
    sandbox.advance(DELAY);
    let users = sandbox.identity_users();
    assert_eq!(
        users[0].display_name.as_deref(),
        Some("Countess of Lovelace")
    );
    assert_eq!(
        users.iter().map(|user| user.active).collect::<Vec<_>>(),
        [true, false, false]
    );
    let sent = sandbox.provisioning_requests();
    let methods: Vec<&str> = sent.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "PUT", "PATCH", "PATCH"]);
}

async fn assign_user(sandbox: &Sandbox, path: &str, login: &str) {
    let id = sandbox.user_id(login).expect("a user");
    let body = json!({ "id": id, "scope": "USER" });
    post(sandbox, &format!("{path}/users"), &body).await;
}

async fn set_push(sandbox: &Sandbox, path: &str, mapping: &Value, status: &str) -> Value {
    let id = mapping["id"].as_str().expect("an id");
    let path = format!("{path}/group-push/mappings/{id}");
    write(sandbox, Method::PATCH, &path, &json!({ "status": status })).await
}

fn members(sandbox: &Sandbox) -> Vec<String> {
    sandbox.identity_groups()[0].members.clone()
}

const ADA: &str = "ada.lovelace@example.com";
const PERSON_2: &str = "person.00002@example.com";

#[tokio::test]
async fn a_push_carries_only_the_members_that_are_provisioned_at_its_moment() {
    let (sandbox, path) = provisioned().await;
    assign_user(&sandbox, &path, ADA).await;
    sandbox.advance(DELAY);
    // The second member is assigned, and not provisioned yet.
    assign_group(&sandbox, &path, "aws-users").await;
    let mapping = push(&sandbox, &path, "developers").await;
    assert!(mapping["id"].as_str().expect("an id").starts_with("gPm"));
    assert_eq!(mapping["status"], "ACTIVE");
    assert_eq!(mapping["created"], "2026-06-01T12:00:30Z");
    assert!(mapping.get("lastPush").is_none() && mapping.get("errorSummary").is_none());

    sandbox.advance(DELAY * 20);
    assert_eq!(names(&sandbox).len(), 3, "all are provisioned");
    assert_eq!(members(&sandbox), [ADA], "no later push heals the group");
    let listed = get(&sandbox, &format!("{path}/group-push/mappings")).await;
    assert_eq!(listed[0]["lastPush"], "2026-06-01T12:01:00Z");
    let target = listed[0]["targetGroupId"].as_str().expect("an id");
    let target = get(&sandbox, &format!("/api/v1/groups/{target}")).await;
    assert_eq!(target["type"], "APP_GROUP");

    set_push(&sandbox, &path, &mapping, "INACTIVE").await;
    sandbox.advance(DELAY);
    assert_eq!(members(&sandbox), [ADA], "the group stays as it is");
    set_push(&sandbox, &path, &mapping, "ACTIVE").await;
    sandbox.advance(DELAY);
    assert_eq!(members(&sandbox), [ADA, PERSON_2]);
    let listed = get(&sandbox, &format!("{path}/group-push/mappings")).await;
    assert_eq!(listed[0]["lastPush"], "2026-06-01T12:11:30Z");
}

#[tokio::test]
async fn later_changes_of_provisioned_members_are_pushed() {
    let (sandbox, path) = provisioned().await;
    assign_group(&sandbox, &path, "aws-users").await;
    sandbox.advance(DELAY);
    push(&sandbox, &path, "developers").await;
    sandbox.advance(DELAY);
    assert_eq!(members(&sandbox), [ADA, PERSON_2]);
    let third = "person.00003@example.com";
    sandbox.set_group_member("developers", third, true);
    sandbox.set_group_member("developers", ADA, false);
    sandbox.advance(DELAY);
    assert_eq!(members(&sandbox), [PERSON_2, third]);
    // A user that is not provisioned when it joins stays out, also after it is provisioned.
    let _id = sandbox.add_user(&Person::new("eve@example.com", "Eve", "Evans"));
    sandbox.set_group_member("developers", "eve@example.com", true);
    assign_user(&sandbox, &path, "eve@example.com").await;
    sandbox.advance(DELAY * 20);
    assert!(names(&sandbox).contains(&"eve@example.com".to_owned()));
    assert_eq!(members(&sandbox), [PERSON_2, third]);
}

#[tokio::test]
async fn a_group_that_is_both_assigned_and_pushed_has_no_members_at_aws() {
    let (sandbox, path) = provisioned().await;
    assign_group(&sandbox, &path, "developers").await;
    sandbox.advance(DELAY);
    push(&sandbox, &path, "developers").await;
    sandbox.advance(DELAY * 2);
    assert_eq!(names(&sandbox).len(), 2);
    let groups = sandbox.identity_groups();
    assert_eq!(groups[0].display_name, "developers");
    assert_eq!(groups[0].members, [""; 0]);
}

#[tokio::test]
async fn only_an_inactive_mapping_can_be_deleted_and_its_group_with_it() {
    let (sandbox, path) = provisioned().await;
    let mapping = push(&sandbox, &path, "developers").await;
    sandbox.advance(DELAY);
    assert_eq!(sandbox.identity_groups().len(), 1);
    let mapping = format!(
        "{path}/group-push/mappings/{}",
        mapping["id"].as_str().expect("an id")
    );
    let (status, ..) = refusal(okta(
        &sandbox,
        Method::DELETE,
        &format!("{mapping}?deleteTargetGroup=true"),
    ))
    .await;
    assert_eq!(status, 400);
    let patched = write(
        &sandbox,
        Method::PATCH,
        &mapping,
        &json!({ "status": "INACTIVE" }),
    )
    .await;
    assert_eq!(patched["status"], "INACTIVE");
    let (status, _, summary, _) = refusal(okta(&sandbox, Method::DELETE, &mapping)).await;
    assert_eq!(
        (status, summary.as_str()),
        (400, "Api validation failed: deleteTargetGroup")
    );
    let response = send(okta(
        &sandbox,
        Method::DELETE,
        &format!("{mapping}?deleteTargetGroup=true"),
    ))
    .await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.expect("a body"), "");
    sandbox.advance(DELAY);
    assert_eq!(sandbox.identity_groups(), []);
}

#[tokio::test]
async fn a_group_can_be_pushed_only_once_and_only_under_its_own_name() {
    let (sandbox, path) = provisioned().await;
    push(&sandbox, &path, "developers").await;
    let mappings = format!("{path}/group-push/mappings");
    let group = sandbox.group_id("developers").expect("a group");
    let body = json!({ "sourceGroupId": group, "targetGroupName": "developers" });
    let (status, _, _, cause) = refusal(okta(&sandbox, Method::POST, &mappings).json(&body)).await;
    assert_eq!(
        (status, cause.as_str()),
        (400, "sourceGroupId: The group is already pushed")
    );
    let users = sandbox.group_id("aws-users").expect("a group");
    for body in [
        json!({ "sourceGroupId": users, "targetGroupName": "people" }),
        json!({ "sourceGroupId": users }),
        json!({ "sourceGroupId": users, "targetGroupId": group }),
    ] {
        let (status, ..) = refusal(okta(&sandbox, Method::POST, &mappings).json(&body)).await;
        assert_eq!(status, 400, "{body}");
    }
}

#[tokio::test]
async fn a_deleted_token_makes_the_next_provisioning_tasks_fail() {
    let (sandbox, path) = provisioned().await;
    assert_eq!(sandbox.console().delete_scim_tokens(), 1);
    let ada = sandbox.user_id("ada.lovelace@example.com").expect("Ada");
    post(
        &sandbox,
        &format!("{path}/users"),
        &json!({ "id": ada, "scope": "USER" }),
    )
    .await;
    let mapping = push(&sandbox, &path, "developers").await;
    sandbox.advance(DELAY);
    assert_eq!(
        sandbox.console().provisioning_errors()[0],
        "Automatic provisioning of user ada.lovelace@example.com to app amazon_aws_sso failed: Error while verifying \
         if user ada.lovelace@example.com exists: Unauthorized. Errors reported by remote server: Unauthorized"
    );
    let mapping = format!(
        "{path}/group-push/mappings/{}",
        mapping["id"].as_str().expect("an id")
    );
    let failed = get(&sandbox, &mapping).await;
    assert_eq!(failed["status"], "ERROR");
    assert!(
        failed["errorSummary"]
            .as_str()
            .expect("a message")
            .starts_with("Error while pushing group developers: Unauthorized")
    );
    for status in ["INACTIVE", "ACTIVE"] {
        let change = okta(&sandbox, Method::PATCH, &mapping).json(&json!({ "status": status }));
        let (code, .., cause) = refusal(change).await;
        assert_eq!(
            (code, cause.as_str()),
            (400, "status: A mapping in error cannot be changed")
        );
    }
}

#[tokio::test]
async fn failed_tasks_succeed_after_the_token_is_renewed() {
    let (sandbox, path) = provisioned().await;
    assert_eq!(sandbox.console().delete_scim_tokens(), 1);
    assign_group(&sandbox, &path, "aws-users").await;
    let mapping = push(&sandbox, &path, "developers").await;
    sandbox.advance(DELAY);
    assert_eq!(sandbox.console().provisioning_errors().len(), 4);

    let provisioning = sandbox
        .console()
        .enable_automatic_provisioning()
        .expect("a token");
    let base_url = provisioning.scim_endpoint.trim_end_matches('/');
    let form = ProvisioningForm::new(base_url, provisioning.access_token);
    sandbox
        .console()
        .configure_provisioning(&form)
        .expect("features");
    sandbox.advance(DELAY * 2);
    assert_eq!(sandbox.console().provisioning_errors(), [""; 0]);
    assert_eq!(names(&sandbox).len(), 3);
    // The group was pushed again before its members were provisioned.
    assert_eq!(members(&sandbox), [""; 0]);
    set_push(&sandbox, &path, &mapping, "INACTIVE").await;
    set_push(&sandbox, &path, &mapping, "ACTIVE").await;
    sandbox.advance(DELAY);
    assert_eq!(members(&sandbox).len(), 2);
}

#[tokio::test]
async fn more_than_a_hundred_members_are_pushed_in_several_requests() {
    let sandbox = builder()
        .company(Company::small(250, 1))
        .stage(Stage::Provisioned)
        .start()
        .await
        .expect("a sandbox");
    let app = get(
        &sandbox,
        "/api/v1/apps?filter=name%20eq%20%22amazon_aws_sso%22",
    )
    .await;
    let path = format!("/api/v1/apps/{}", app[0]["id"].as_str().expect("an id"));
    let everyone = sandbox.group_id("Everyone").expect("a group");
    write(
        &sandbox,
        Method::PUT,
        &format!("{path}/groups/{everyone}"),
        &json!({}),
    )
    .await;
    push(&sandbox, &path, "aws-users").await;
    assert_eq!(sandbox.identity_groups()[0].members.len(), 250);
    let sent = sandbox.provisioning_requests();
    let patches = sent.iter().filter(|request| request.method == "PATCH");
    assert_eq!(patches.count(), 3);
}
