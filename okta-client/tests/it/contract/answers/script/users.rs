//! Users in each status, and the transitions between the statuses.

use serde_json::{Value, json};

use super::{Org, text};

pub(super) async fn run(org: &mut Org) {
    read(org).await;
    activate_and_delete(org).await;
    suspend_and_reset(org).await;
    org.refused("GET", "users/nobody@example.com", Value::Null)
        .await;
    org.refused("POST", "users", json!({ "profile": { "login": "x" } }))
        .await;
}

async fn read(org: &mut Org) {
    let users = org.get("users?limit=200").await;
    assert_eq!(users.as_array().unwrap().len(), 11);
    for query in [
        "q=Grace",
        "filter=status%20eq%20%22SUSPENDED%22",
        "search=status%20eq%20%22DEPROVISIONED%22&sortBy=id&sortOrder=desc",
    ] {
        let users = org.get(&format!("users?{query}")).await;
        assert!(!users.as_array().unwrap().is_empty(), "{query}");
    }
    for status in [
        "active",
        "staged",
        "provisioned",
        "recovery",
        "password_expired",
        "locked_out",
        "suspended",
        "deprovisioned",
    ] {
        let id = org.user(&format!("{status}@example.com"));
        let user = org.get(&format!("users/{id}")).await;
        assert_eq!(user["status"], status.to_uppercase());
        org.get(&format!("users/{id}/groups")).await;
    }
    org.get("users/me").await;
    org.get("users/ada.lovelace@example.com").await;
}

async fn activate_and_delete(org: &mut Org) {
    let grace = json!({
        "profile": {
            "login": "grace@example.com", "email": "grace@example.com",
            "firstName": "Grace", "lastName": "Hopper", "mobilePhone": "+1 555 0100",
        },
    });
    let created = org.post("users?activate=false", grace.clone()).await;
    let user = format!("users/{}", text(&created, "id"));
    org.post(&user, json!({ "profile": { "title": "Rear admiral" } }))
        .await;
    org.put(&user, grace).await;
    let transition = async |org: &mut Org, verb: &str| {
        org.post(&format!("{user}/lifecycle/{verb}"), Value::Null)
            .await
    };
    transition(org, "activate?sendEmail=false").await;
    transition(org, "reactivate?sendEmail=false").await;
    transition(org, "reactivate?sendEmail=true").await;
    transition(org, "deactivate?sendEmail=false").await;
    org.get(&user).await;
    transition(org, "activate?sendEmail=true").await;
    org.delete(&user).await;
    org.delete(&user).await;
    org.refused("GET", &user, Value::Null).await;
}

async fn suspend_and_reset(org: &mut Org) {
    let alan = json!({
        "profile": {
            "login": "alan@example.com", "email": "alan@example.com",
            "firstName": "Alan", "lastName": "Turing",
        },
        "credentials": {
            "password": { "value": "correct horse" },
            "recovery_question": { "question": "Which machine?", "answer": "Bombe" },
        },
        "groupIds": [org.group("developers")],
    });
    let created = org.post("users?activate=true", alan).await;
    let user = format!("users/{}", text(&created, "id"));
    let transition = async |org: &mut Org, verb: &str| {
        let answer = org
            .post(&format!("{user}/lifecycle/{verb}"), Value::Null)
            .await;
        org.get(&user).await;
        answer
    };
    transition(org, "suspend").await;
    let target = format!("{user}/lifecycle/suspend");
    org.refused("POST", &target, Value::Null).await;
    transition(org, "unsuspend").await;
    transition(org, "reset_password?sendEmail=false").await;
    transition(org, "reset_password?sendEmail=true").await;
    transition(org, "expire_password").await;
    transition(org, "expire_password_with_temp_password").await;
    let locked = org.user("locked_out@example.com");
    org.post(&format!("users/{locked}/lifecycle/unlock"), Value::Null)
        .await;
}
