//! Tests of the calls for permission sets and their policies.

use std::collections::BTreeMap;

use super::{NewPermissionSet, UpdatePermissionSet};
use crate::{
    AccountId, OperationStatus, PermissionSetArn,
    replay::{OTHER_SET, Replay, SET, UUID, block_on},
};

fn arn() -> PermissionSetArn {
    PermissionSetArn::parse(SET).expect("an ARN")
}

fn arns() -> String {
    format!(r#"{{"PermissionSets": ["{SET}", "{OTHER_SET}"]}}"#)
}

fn described(arn: &str, name: &str) -> String {
    format!(
        r#"{{"PermissionSet": {{"PermissionSetArn": "{arn}", "Name": "{name}",
            "Description": "old", "SessionDuration": "PT1H", "RelayState": "https://example.com/"}}}}"#
    )
}

#[test]
fn a_list_describes_every_set_in_order() {
    let replay = Replay::new()
        .json(&format!(
            r#"{{"PermissionSets": ["{SET}"], "NextToken": "t"}}"#
        ))
        .json(&described(SET, "Admin"))
        .json(&format!(r#"{{"PermissionSets": ["{OTHER_SET}"]}}"#))
        .json(&described(OTHER_SET, "Reader"));
    let (center, _) = replay.center();
    let sets = block_on(center.permission_sets().list().try_collect()).expect("sets");
    let names: Vec<_> = sets.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(names, ["Admin", "Reader"]);
}

#[test]
fn a_set_that_is_deleted_during_the_listing_is_left_out() {
    let replay = Replay::new()
        .json(&arns())
        .refuse(400, "ResourceNotFoundException", "gone")
        .json(&described(OTHER_SET, "Reader"));
    let (center, _) = replay.center();
    let sets = block_on(center.permission_sets().list().try_collect()).expect("sets");
    assert_eq!(sets.len(), 1);
    assert_eq!(sets[0].name, "Reader");
}

#[test]
fn a_cached_name_is_found_with_two_calls() {
    let replay = Replay::new()
        .json(&arns())
        .json(&described(SET, "Admin"))
        .json(&described(OTHER_SET, "Reader"))
        .json(&arns())
        .json(&described(OTHER_SET, "Reader"));
    let (center, _) = replay.center();
    for _ in 0..2 {
        let found = block_on(center.permission_sets().find("Reader")).expect("a response");
        assert_eq!(found.expect("a set").arn.as_str(), OTHER_SET);
    }
    assert_eq!(replay.requests().len(), 5);
}

#[test]
fn an_unknown_name_is_none() {
    let replay = Replay::new()
        .json(&arns())
        .json(&described(SET, "Admin"))
        .json(&described(OTHER_SET, "Reader"))
        .json(&arns());
    let (center, _) = replay.center();
    for _ in 0..2 {
        assert_eq!(
            block_on(center.permission_sets().find("admin")).expect("a response"),
            None
        );
    }
}

#[test]
fn a_creation_request_contains_the_given_properties() {
    let replay = Replay::new().json(&described(SET, "Admin"));
    let (center, _) = replay.center();
    let new = NewPermissionSet {
        name: "Admin".to_owned(),
        description: None,
        session_duration: Some("PT8H".to_owned()),
        relay_state: Some("https://console.aws.amazon.com/".to_owned()),
        tags: BTreeMap::from([("owner".to_owned(), "us".to_owned())]),
    };
    let set = block_on(center.permission_sets().create(&new)).expect("a set");
    assert_eq!(set.arn, arn());
    let body: serde_json::Value = serde_json::from_str(&replay.requests()[0].body).expect("JSON");
    assert_eq!(body["Name"], "Admin");
    assert_eq!(body["SessionDuration"], "PT8H");
    assert_eq!(body["RelayState"], "https://console.aws.amazon.com/");
    assert_eq!(
        body["Tags"],
        serde_json::json!([{"Key": "owner", "Value": "us"}])
    );
    assert!(body.get("Description").is_none());
}

#[test]
fn creating_an_existing_name_returns_the_existing_set_without_a_retry() {
    let replay = Replay::new()
        .refuse(
            400,
            "ConflictException",
            "PermissionSet with name Admin already exists.",
        )
        .json(&arns())
        .json(&described(SET, "Admin"))
        .json(&described(OTHER_SET, "Reader"));
    let (center, clock) = replay.center();
    let new = NewPermissionSet {
        name: "Admin".to_owned(),
        ..NewPermissionSet::default()
    };
    let set = block_on(center.permission_sets().create(&new)).expect("a set");
    assert_eq!(set.arn, arn());
    assert_eq!(
        replay.operations()[..2],
        ["CreatePermissionSet", "ListPermissionSets"]
    );
    assert!(clock.slept().is_empty());
}

#[test]
fn a_creation_conflict_without_a_set_of_that_name_is_an_error() {
    let replay = Replay::new()
        .refuse(400, "ConflictException", "something else")
        .json(r#"{"PermissionSets": []}"#);
    let (center, _) = replay.center();
    let new = NewPermissionSet {
        name: "Admin".to_owned(),
        ..NewPermissionSet::default()
    };
    let error = block_on(center.permission_sets().create(&new)).expect_err("a conflict");
    assert!(error.is_conflict());
    assert_eq!(error.message(), Some("something else"));
}

#[test]
fn an_update_also_sends_the_unchanged_fields() {
    let replay = Replay::new().json(&described(SET, "Admin")).json("{}");
    let (center, _) = replay.center();
    let change = UpdatePermissionSet {
        description: Some("new".to_owned()),
        ..Default::default()
    };
    let set = block_on(center.permission_sets().update(&arn(), &change)).expect("a set");
    assert_eq!(set.relay_state.as_deref(), Some("https://example.com/"));
    let body: serde_json::Value = serde_json::from_str(&replay.requests()[1].body).expect("JSON");
    assert_eq!(body["Description"], "new");
    assert_eq!(body["SessionDuration"], "PT1H");
    assert_eq!(body["RelayState"], "https://example.com/");
}

#[test]
fn an_update_that_changes_nothing_writes_nothing() {
    let replay = Replay::new().json(&described(SET, "Admin"));
    let (center, _) = replay.center();
    let change = UpdatePermissionSet {
        description: Some("old".to_owned()),
        ..Default::default()
    };
    block_on(center.permission_sets().update(&arn(), &change)).expect("a set");
    assert_eq!(replay.operations(), ["DescribePermissionSet"]);
}

#[test]
fn attaching_an_attached_policy_is_no_error() {
    const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let replay = Replay::new()
        .refuse(400, "ConflictException", "already attached")
        .json(&format!(
            r#"{{"AttachedManagedPolicies": [{{"Name": "R", "Arn": "{POLICY}"}}]}}"#
        ));
    let (center, clock) = replay.center();
    block_on(
        center
            .permission_sets()
            .attach_managed_policy(&arn(), POLICY),
    )
    .expect("no error");
    assert!(clock.slept().is_empty());
}

#[test]
fn attaching_during_a_concurrent_write_is_a_conflict() {
    let replay = Replay::new()
        .refuse(400, "ConflictException", "try again")
        .json(r#"{"AttachedManagedPolicies": []}"#);
    let (center, _) = replay.center();
    let attach = center.permission_sets();
    let error = block_on(attach.attach_managed_policy(&arn(), "arn:aws:iam::aws:policy/X"))
        .expect_err("a conflict");
    assert!(error.is_conflict());
}

#[test]
fn detaching_and_deleting_missing_resources_is_no_error() {
    let replay = Replay::new()
        .refuse(400, "ResourceNotFoundException", "no such policy")
        .json(r#"{"AttachedManagedPolicies": []}"#)
        .refuse(400, "ResourceNotFoundException", "no policy")
        .json(r#"{"InlinePolicy": ""}"#)
        .refuse(400, "ResourceNotFoundException", "no set");
    let (center, _) = replay.center();
    let sets = center.permission_sets();
    block_on(sets.detach_managed_policy(&arn(), "arn:aws:iam::aws:policy/X")).expect("no error");
    block_on(sets.delete_inline_policy(&arn())).expect("no error");
    block_on(sets.delete(&arn())).expect("no error");
}

#[test]
fn detaching_from_a_missing_set_is_an_error() {
    let replay = Replay::new()
        .refuse(400, "ResourceNotFoundException", "no set")
        .refuse(400, "ResourceNotFoundException", "no set");
    let (center, _) = replay.center();
    let detach = center.permission_sets();
    let error = block_on(detach.detach_managed_policy(&arn(), "arn:aws:iam::aws:policy/X"))
        .expect_err("no set");
    assert!(error.is_not_found());
}

#[test]
fn an_empty_inline_policy_is_none() {
    let replay = Replay::new()
        .json(r#"{"InlinePolicy": ""}"#)
        .json(r#"{"InlinePolicy": "{}"}"#);
    let (center, _) = replay.center();
    assert_eq!(
        block_on(center.permission_sets().inline_policy(&arn())).expect("a response"),
        None
    );
    let policy = block_on(center.permission_sets().inline_policy(&arn())).expect("a response");
    assert_eq!(policy.as_deref(), Some("{}"));
}

#[test]
fn outdated_accounts_are_listed_by_provisioning_status() {
    let replay = Replay::new().json(r#"{"AccountIds": ["111111111111"]}"#);
    let (center, _) = replay.center();
    let accounts = block_on(
        center
            .permission_sets()
            .outdated_accounts(&arn())
            .try_collect(),
    )
    .expect("accounts");
    assert_eq!(accounts[0].as_str(), "111111111111");
    assert!(
        replay.requests()[0]
            .body
            .contains(r#""ProvisioningStatus":"LATEST_PERMISSION_SET_NOT_PROVISIONED""#)
    );
}

#[test]
fn the_permission_sets_of_an_account_are_listed_page_by_page() {
    let replay = Replay::new()
        .json(&format!(
            r#"{{"PermissionSets": ["{SET}"], "NextToken": "n"}}"#
        ))
        .json(&format!(r#"{{"PermissionSets": ["{OTHER_SET}"]}}"#));
    let (center, _) = replay.center();
    let account = AccountId::parse("111111111111").expect("an id");
    let sets = center.permission_sets().provisioned_in(&account);
    let sets = block_on(sets.try_collect()).expect("permission sets");
    assert_eq!(
        sets.iter()
            .map(PermissionSetArn::as_str)
            .collect::<Vec<_>>(),
        [SET, OTHER_SET]
    );
    let requests = replay.requests();
    assert!(requests[0].body.contains(r#""AccountId":"111111111111""#));
    assert!(requests[1].body.contains(r#""NextToken":"n""#));
}

#[test]
fn provisioning_targets_all_accounts_and_its_status_is_read_by_request_id() {
    let response = |status: &str| {
        format!(
            r#"{{"PermissionSetProvisioningStatus": {{"RequestId": "{UUID}", "Status": "{status}",
                "FailureReason": "no role"}}}}"#
        )
    };
    let replay = Replay::new()
        .json(&response("IN_PROGRESS"))
        .json(&response("IN_PROGRESS"))
        .json(&response("SUCCEEDED"))
        .json(&response("FAILED"));
    let (center, _) = replay.center();
    let sets = center.permission_sets();
    let id = block_on(sets.start_provisioning(&arn())).expect("an id");
    assert!(
        replay.requests()[0]
            .body
            .contains(r#""TargetType":"ALL_PROVISIONED_ACCOUNTS""#)
    );
    for expected in [
        OperationStatus::InProgress,
        OperationStatus::Succeeded,
        OperationStatus::Failed {
            reason: Some("no role".to_owned()),
        },
    ] {
        assert_eq!(
            block_on(sets.provisioning_status(&id)).expect("a status"),
            expected
        );
    }
}
