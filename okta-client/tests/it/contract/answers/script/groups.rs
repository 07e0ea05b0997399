//! Groups of each type, their members, and group rules.

use serde_json::{Value, json};

use super::{Org, text};

pub(super) async fn run(org: &mut Org) {
    let groups = org.get("groups").await;
    let types: Vec<&str> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| text(group, "type"))
        .collect();
    for kind in ["OKTA_GROUP", "BUILT_IN", "APP_GROUP"] {
        assert!(types.contains(&kind), "{kind}");
    }
    for query in [
        "expand=stats",
        "expand=app",
        "q=dev",
        "filter=type%20eq%20%22APP_GROUP%22",
        "search=profile.name%20sw%20%22dev%22",
    ] {
        let groups = org.get(&format!("groups?{query}")).await;
        assert!(!groups.as_array().unwrap().is_empty(), "{query}");
    }
    let profile = json!({ "profile": { "name": "auditors" } });
    let created = org.post("groups", profile).await;
    let id = text(&created, "id");
    let group = format!("groups/{id}");
    let profile = json!({ "profile": { "name": "auditors", "description": "Read only" } });
    org.put(&group, profile).await;
    org.get(&group).await;
    let ada = org.user("ada.lovelace@example.com");
    org.put(&format!("{group}/users/{ada}"), Value::Null).await;
    let members = org.get(&format!("{group}/users?limit=200")).await;
    assert_eq!(members.as_array().unwrap().len(), 1);
    org.get(&format!("users/{ada}/groups")).await;
    org.delete(&format!("{group}/users/{ada}")).await;
    rules(org, id).await;
    org.delete(&group).await;
    org.refused("GET", &group, Value::Null).await;
    org.refused("POST", "groups", json!({ "profile": {} }))
        .await;
}

async fn rules(org: &mut Org, group: &str) {
    let rule = json!({
        "type": "group_rule",
        "name": "Engineers",
        "conditions": {
            "people": { "users": { "exclude": [] }, "groups": { "exclude": [] } },
            "expression": {
                "value": "user.department==\"Engineering\"",
                "type": "urn:okta:expression:1.0",
            },
        },
        "actions": { "assignUserToGroups": { "groupIds": [group] } },
    });
    let created = org.post("groups/rules", rule.clone()).await;
    let target = format!("groups/rules/{}", text(&created, "id"));
    org.put(&target, rule.clone()).await;
    org.post(&format!("{target}/lifecycle/activate"), Value::Null)
        .await;
    org.get(&target).await;
    let rules = org.get("groups/rules?expand=groupIdToGroupNameMap").await;
    assert_eq!(rules.as_array().unwrap().len(), 1);
    org.refused("DELETE", &target, Value::Null).await;
    org.post(&format!("{target}/lifecycle/deactivate"), Value::Null)
        .await;
    org.delete(&format!("{target}?removeUsers=true")).await;
}
