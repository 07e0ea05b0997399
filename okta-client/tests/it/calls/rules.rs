//! Requests about group rules.

use okta_client::{GroupRule, GroupRuleStatus, Id, ListGroupRules, NewGroupRule, RuleMembers};
use serde_json::json;

use super::{list, resource, wire};
use crate::{Org, empty, group_id, json, user_id};

fn id() -> Id<GroupRule> {
    Id::parse("0pr1").unwrap()
}

#[tokio::test]
async fn calls_for_group_rules_match_the_api_reference() {
    wire(
        list(),
        async |okta| {
            let options = ListGroupRules {
                search: Some("eng".to_owned()),
                with_group_names: true,
                ..ListGroupRules::default()
            };
            okta.group_rules()
                .list(options)
                .try_collect()
                .await
                .unwrap();
        },
        "GET /api/v1/groups/rules?limit=200&search=eng&expand=groupIdToGroupNameMap",
        None,
    )
    .await;
    wire(
        resource("0pr1"),
        async |okta| drop(okta.group_rules().get(&id()).await.unwrap()),
        "GET /api/v1/groups/rules/0pr1",
        None,
    )
    .await;
    let missing = json!({ "errorCode": "E0000007" });
    wire(
        json(404, missing),
        async |okta| assert_eq!(okta.group_rules().get_opt(&id()).await.unwrap(), None),
        "GET /api/v1/groups/rules/0pr1",
        None,
    )
    .await;
    wire(
        resource("0pr1"),
        async |okta| {
            let rule = NewGroupRule {
                name: "Engineers".to_owned(),
                expression: "user.a==\"b\"".to_owned(),
                groups: vec![group_id()],
                excluded_users: vec![user_id()],
            };
            okta.group_rules().create(&rule).await.unwrap();
        },
        "POST /api/v1/groups/rules",
        json!({
            "type": "group_rule", "name": "Engineers",
            "conditions": {
                "expression": { "type": "urn:okta:expression:1.0", "value": "user.a==\"b\"" },
                "people": { "users": { "exclude": ["00u1"] } }
            },
            "actions": { "assignUserToGroups": { "groupIds": ["00g1"] } }
        }),
    )
    .await;
    wire(
        empty(204),
        async |okta| okta.group_rules().activate(&id()).await.unwrap(),
        "POST /api/v1/groups/rules/0pr1/lifecycle/activate",
        None,
    )
    .await;
    wire(
        empty(204),
        async |okta| okta.group_rules().deactivate(&id()).await.unwrap(),
        "POST /api/v1/groups/rules/0pr1/lifecycle/deactivate",
        None,
    )
    .await;
    for (members, flag) in [(RuleMembers::Keep, "false"), (RuleMembers::Remove, "true")] {
        wire(
            empty(202),
            async |okta| okta.group_rules().delete(&id(), members).await.unwrap(),
            &format!("DELETE /api/v1/groups/rules/0pr1?removeUsers={flag}"),
            None,
        )
        .await;
    }
}

#[tokio::test]
async fn a_rule_is_edited_without_its_read_only_fields() {
    let rule = json!({
        "id": "0pr1", "type": "group_rule", "name": "a", "status": "INACTIVE",
        "conditions": { "expression": { "value": "true", "type": "x" }, "people": null },
        "actions": { "assignUserToGroups": { "groupIds": ["00g1", 7] } }, "lastUpdated": "now"
    });
    let org = Org::responding([json(200, rule.clone()), json(200, rule)]);
    let okta = org.client();
    let rule = okta.group_rules().get(&id()).await.unwrap();
    assert_eq!(rule.status, GroupRuleStatus::Inactive);
    assert_eq!(rule.groups, [group_id()]);
    let mut edit = rule.edit();
    edit.set_rule_name("b");
    edit.set_expression("false");
    okta.group_rules().replace(&id(), &edit).await.unwrap();
    let body = json!({
        "id": "0pr1", "type": "group_rule", "name": "b",
        "conditions": { "expression": { "value": "false", "type": "x" }, "people": null },
        "actions": { "assignUserToGroups": { "groupIds": ["00g1", 7] } }
    });
    assert_eq!(org.requests()[1], "PUT /api/v1/groups/rules/0pr1");
    assert_eq!(org.body(1), Some(body));
}

#[tokio::test]
async fn a_creation_is_retried_while_okta_reorders_rules() {
    let busy = json!({ "errorCode": "E0000239" });
    let org = Org::responding([json(423, busy), resource("0pr1")]);
    let rule = NewGroupRule::default();
    org.client().group_rules().create(&rule).await.unwrap();
    assert_eq!(org.requests().len(), 2);
}
