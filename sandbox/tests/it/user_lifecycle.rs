//! Tests of the transitions between the statuses of a user.

use okta_aws_sandbox::{
    Company, Person,
    PersonStatus::{self, *},
    Sandbox,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, okta, refusal, send};

async fn sandbox_with(status: PersonStatus) -> Sandbox {
    let user = Person::new("user@example.com", "Some", "User").with_status(status);
    let company = Company::empty().person(user);
    builder().company(company).start().await.expect("a sandbox")
}

fn path(verb: &str) -> String {
    format!("/api/v1/users/user@example.com/lifecycle/{verb}")
}

/// Sends an operation that must succeed, and returns the response and the new status.
async fn run(status: PersonStatus, verb: &str) -> (Value, String) {
    let sandbox = sandbox_with(status).await;
    let request = okta(&sandbox, Method::POST, &path(verb)).header("content-length", "0");
    let response = send(request).await;
    assert_eq!(response.status(), 200, "{verb} of {status:?}");
    let body = response.json().await.expect("JSON");
    let user = get(&sandbox, "/api/v1/users/user@example.com").await;
    (body, user["status"].as_str().expect("a status").to_owned())
}

// Source: the operations of the tag UserLifecycle, and of UserCred below `lifecycle`.
#[tokio::test]
async fn each_operation_leads_from_the_documented_statuses_to_one_status() {
    for (verb, from, to) in [
        ("activate", Staged, "PROVISIONED"),
        ("activate", Deprovisioned, "PROVISIONED"),
        ("deactivate", Active, "DEPROVISIONED"),
        ("deactivate", Suspended, "DEPROVISIONED"),
        ("deactivate", Staged, "DEPROVISIONED"),
        ("reactivate", Provisioned, "PROVISIONED"),
        ("reactivate", Recovery, "PROVISIONED"),
        ("suspend", Active, "SUSPENDED"),
        ("unsuspend", Suspended, "ACTIVE"),
        ("unlock", LockedOut, "ACTIVE"),
        ("reset_password?sendEmail=false", Active, "RECOVERY"),
        ("reset_password?sendEmail=true", LockedOut, "RECOVERY"),
        ("expire_password", Active, "PASSWORD_EXPIRED"),
        (
            "expire_password_with_temp_password",
            Active,
            "PASSWORD_EXPIRED",
        ),
    ] {
        assert_eq!(run(from, verb).await.1, to, "{verb} of {from:?}");
    }
}

// Source: the list of error codes: E0000001 (its description names "Suspend User"), E0000016, E0000032, E0000038.
#[tokio::test]
async fn an_operation_in_another_status_is_refused_with_its_own_code() {
    for (verb, from, status, code) in [
        ("activate", Active, 403, "E0000016"),
        ("activate", Suspended, 403, "E0000016"),
        ("deactivate", Deprovisioned, 403, "E0000038"),
        ("reactivate", Active, 403, "E0000038"),
        ("suspend", Staged, 400, "E0000001"),
        ("unsuspend", Active, 400, "E0000001"),
        ("unlock", Active, 403, "E0000032"),
        ("reset_password", Active, 400, "E0000028"),
        ("reset_password?sendEmail=false", Suspended, 403, "E0000038"),
        ("expire_password", Staged, 403, "E0000038"),
        ("suspend", Other("ARCHIVED"), 400, "E0000001"),
    ] {
        let sandbox = sandbox_with(from).await;
        let request = okta(&sandbox, Method::POST, &path(verb)).header("content-length", "0");
        let refused = refusal(request).await;
        assert_eq!(
            (refused.0, refused.1.as_str()),
            (status, code),
            "{verb} of {from:?}"
        );
    }
}

// Source: `UserActivationToken` and `ResetPasswordToken`: a link only if no email is sent.
#[tokio::test]
async fn an_operation_returns_a_link_if_it_sends_no_email() {
    assert_eq!(run(Staged, "activate").await.0, json!({}));
    let (link, _) = run(Staged, "activate?sendEmail=false").await;
    let token = link["activationToken"].as_str().expect("a token");
    assert!(
        link["activationUrl"]
            .as_str()
            .expect("a URL")
            .contains(token)
    );
    assert!(run(Provisioned, "reactivate").await.0["activationToken"].is_string());
    let (link, _) = run(Active, "reset_password?sendEmail=false").await;
    assert!(link["resetPasswordUrl"].is_string());
    assert_eq!(
        run(Active, "expire_password").await.0["status"],
        "PASSWORD_EXPIRED"
    );
    let (password, _) = run(Active, "expire_password_with_temp_password").await;
    assert!(password["tempPassword"].is_string());
}

// Source: "Deactivate a user": the user is removed from the apps; "Suspend a user": the assignments are kept.
#[tokio::test]
async fn a_suspended_user_keeps_the_assignments_and_a_deactivated_user_loses_them() {
    let sandbox = sandbox_with(Active).await;
    let app = crate::client::identity_center(&sandbox).await;
    let id = sandbox.user_id("user@example.com").expect("a user");
    let users = format!("/api/v1/apps/{app}/users");
    crate::client::post(&sandbox, &users, &json!({ "id": id })).await;
    for (verb, expected) in [("suspend", 1), ("deactivate", 0)] {
        let request = okta(&sandbox, Method::POST, &path(verb)).header("content-length", "0");
        assert_eq!(send(request).await.status(), 200);
        let found = get(&sandbox, &users).await;
        assert_eq!(found.as_array().map(Vec::len), Some(expected), "{verb}");
    }
}
