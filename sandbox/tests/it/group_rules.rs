//! Tests of group rules: their lifecycle, and the members that they add and remove.

use okta_aws_sandbox::{Fault, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{get, okta, post, refusal, sandbox, status, text, write};

const RULES: &str = "/api/v1/groups/rules";
const ADA: &str = "ada.lovelace@example.com";

fn rule(name: &str, expression: &str, group: &str) -> Value {
    json!({
        "type": "group_rule",
        "name": name,
        "conditions": { "expression": { "type": "urn:okta:expression:1.0", "value": expression } },
        "actions": { "assignUserToGroups": { "groupIds": [group] } },
    })
}

/// Creates an active rule for a new group, and returns the paths of the rule and the group.
async fn active_rule(sandbox: &Sandbox, expression: &str) -> (String, String) {
    let group = sandbox.add_group("target", &[]);
    let created = post(sandbox, RULES, &rule("rule", expression, &group)).await;
    // "Group rules are created with the status set to `INACTIVE`" ("Create a group rule").
    assert_eq!(created["status"], "INACTIVE");
    let path = format!("{RULES}/{}", text(&created, "id"));
    let activate = format!("{path}/lifecycle/activate");
    assert_eq!(status(sandbox, Method::POST, &activate).await, 204);
    (path, format!("/api/v1/groups/{group}"))
}

async fn members(sandbox: &Sandbox, group: &str) -> usize {
    let mut count = 0;
    for login in [ADA, "person.00002@example.com", "person.00003@example.com"] {
        let id = sandbox.user_id(login).expect("a user");
        let groups = get(sandbox, &format!("/api/v1/users/{id}/groups")).await;
        count += usize::from(groups.to_string().contains(group));
    }
    count
}

#[tokio::test]
async fn an_active_rule_adds_the_users_that_match_and_removes_them_when_they_do_not() {
    let sandbox = sandbox().await;
    sandbox.set_user_attribute(ADA, "department", "Platform");
    let (_, group) = active_rule(&sandbox, r#"user.department=="Platform""#).await;
    assert_eq!(members(&sandbox, &group).await, 1);
    sandbox.set_user_attribute("person.00002@example.com", "department", "Platform");
    assert_eq!(members(&sandbox, &group).await, 2);
    sandbox.set_user_attribute(ADA, "department", "Research");
    assert_eq!(members(&sandbox, &group).await, 1);
}

#[tokio::test]
async fn a_rule_reads_memberships_and_functions() {
    let sandbox = sandbox().await;
    let aws_users = sandbox.group_id("aws-users").expect("a group");
    let expression =
        format!(r#"isMemberOfAnyGroup("{aws_users}") AND String.startsWith(user.login, "person")"#);
    let (_, group) = active_rule(&sandbox, &expression).await;
    assert_eq!(members(&sandbox, &group).await, 2);
    sandbox.set_group_member("aws-users", "person.00002@example.com", false);
    assert_eq!(members(&sandbox, &group).await, 1);
}

// Source: "Replace a group rule": "You can only update rules with a group whose status is set to `INACTIVE`".
#[tokio::test]
async fn an_active_rule_cannot_be_changed_or_deleted() {
    let sandbox = sandbox().await;
    let (path, group) = active_rule(&sandbox, r#"user.title=="x""#).await;
    let body = rule(
        "renamed",
        r#"user.title=="y""#,
        group.rsplit('/').next().expect("an id"),
    );
    assert_eq!(
        refusal(okta(&sandbox, Method::PUT, &path).json(&body))
            .await
            .0,
        400
    );
    assert_eq!(status(&sandbox, Method::DELETE, &path).await, 400);
    let deactivate = format!("{path}/lifecycle/deactivate");
    assert_eq!(status(&sandbox, Method::POST, &deactivate).await, 204);
    let changed = write(&sandbox, Method::PUT, &path, &body).await;
    assert_eq!(changed["name"], "renamed");
    let other = rule(
        "renamed",
        r#"user.title=="y""#,
        &sandbox.group_id("aws-users").expect("a group"),
    );
    assert_eq!(
        refusal(okta(&sandbox, Method::PUT, &path).json(&other))
            .await
            .0,
        400
    );
}

// Source: "Delete a group rule": 202, and `removeUsers`.
#[tokio::test]
async fn a_deleted_rule_keeps_its_users_or_removes_them_on_request() {
    for (query, expected) in [("", 3), ("?removeUsers=true", 0)] {
        let sandbox = sandbox().await;
        let (path, group) = active_rule(&sandbox, "user.title == null").await;
        let deactivate = format!("{path}/lifecycle/deactivate");
        assert_eq!(status(&sandbox, Method::POST, &deactivate).await, 204);
        assert_eq!(members(&sandbox, &group).await, 3);
        assert_eq!(
            status(&sandbox, Method::DELETE, &format!("{path}{query}")).await,
            202
        );
        assert_eq!(members(&sandbox, &group).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_user_that_is_removed_by_hand_is_excluded_from_the_rule() {
    let sandbox = sandbox().await;
    let (path, group) = active_rule(&sandbox, "user.title == null").await;
    let ada = sandbox.user_id(ADA).expect("Ada");
    assert_eq!(
        status(&sandbox, Method::DELETE, &format!("{group}/users/{ada}")).await,
        204
    );
    assert_eq!(members(&sandbox, &group).await, 2);
    let found = get(&sandbox, &path).await;
    assert_eq!(
        found["conditions"]["people"]["users"]["exclude"],
        json!([ada])
    );
}

// Source: recorded refusals of rules: a name in use, an expression that does not parse.
#[tokio::test]
async fn an_invalid_rule_is_refused() {
    let sandbox = sandbox().await;
    let group = sandbox.group_id("aws-users").expect("a group");
    post(&sandbox, RULES, &rule("one", "user.title == null", &group)).await;
    let everyone = sandbox.group_id("Everyone").expect("a group");
    for (body, cause) in [
        (
            rule("one", "user.title == null", &group),
            "name: Policy rule name already in use",
        ),
        (
            rule("two", "user.title ==", &group),
            "expression: The expression is not complete",
        ),
        (
            rule("two", "user.title == null", &everyone),
            "groupIds: Each group must exist and be of type OKTA_GROUP",
        ),
        (
            rule(&"x".repeat(51), "user.title == null", &group),
            "name: The field is too long",
        ),
    ] {
        let refused = refusal(okta(&sandbox, Method::POST, RULES).json(&body)).await;
        assert_eq!((refused.0, refused.3.as_str()), (400, cause));
    }
}

// Source: "INVALID" in `GroupRuleStatus`, and `expand=groupIdToGroupNameMap`.
#[tokio::test]
async fn a_rule_without_its_group_is_invalid() {
    let sandbox = sandbox().await;
    let (path, group) = active_rule(&sandbox, "user.title == null").await;
    let expanded = get(&sandbox, &format!("{path}?expand=groupIdToGroupNameMap")).await;
    let id = group.rsplit('/').next().expect("an id");
    assert_eq!(expanded["_embedded"]["groupIdToGroupNameMap"][id], "target");
    assert_eq!(status(&sandbox, Method::DELETE, &group).await, 204);
    assert_eq!(get(&sandbox, &path).await["status"], "INVALID");
    let activate = format!("{path}/lifecycle/activate");
    assert_eq!(status(&sandbox, Method::POST, &activate).await, 400);
}

// Recorded: 423 while the priorities of the policies are reconciled.
#[tokio::test]
async fn a_rule_is_refused_for_a_moment_on_request() {
    let sandbox = sandbox().await;
    let summary = "Policy priorities are being reconciled. Please try again later.";
    sandbox.inject(Fault::okta_error(423, "E0000239", summary).on("POST /api/v1/groups/rules"));
    let group = sandbox.group_id("aws-users").expect("a group");
    let body = rule("one", "user.title == null", &group);
    let refused = refusal(okta(&sandbox, Method::POST, RULES).json(&body)).await;
    assert_eq!(
        (refused.0, refused.1.as_str(), refused.2.as_str()),
        (423, "E0000239", summary)
    );
    post(&sandbox, RULES, &body).await;
}
