//! Tests of the calls for account assignments.

use std::{error::Error as _, time::Duration};

use super::{Assignment, Operation, OperationKind, Principal};
use crate::{
    OperationStatus,
    replay::{Replay, SET, UUID, block_on},
};

fn assignment() -> Assignment {
    Assignment {
        account: "111111111111".parse().expect("an id"),
        permission_set: SET.parse().expect("an ARN"),
        principal: Principal::Group(UUID.parse().expect("an id")),
    }
}

fn operation(kind: OperationKind) -> Operation {
    Operation {
        kind,
        id: UUID.parse().expect("an id"),
    }
}

#[test]
fn a_list_contains_users_and_groups() {
    let replay = Replay::new().json(&format!(
        r#"{{"AccountAssignments": [{{"PrincipalType": "USER", "PrincipalId": "{UUID}"}},
            {{"PrincipalType": "GROUP", "PrincipalId": "{UUID}"}}]}}"#
    ));
    let (center, _) = replay.center();
    let Assignment {
        account,
        permission_set,
        ..
    } = assignment();
    let principals = block_on(
        center
            .assignments()
            .list(&account, &permission_set)
            .try_collect(),
    )
    .expect("principals");
    let id = || UUID.to_owned();
    assert_eq!(
        principals,
        [
            Principal::User(id().try_into().expect("an id")),
            Principal::Group(id().try_into().expect("an id"))
        ]
    );
}

#[test]
fn each_assignment_keeps_the_principal_of_its_own_row() {
    let replay = Replay::new()
        .json(r#"{"AccountAssignments": [], "NextToken": "t"}"#)
        .json(&format!(
            r#"{{"AccountAssignments": [{{"AccountId": "111111111111", "PermissionSetArn": "{SET}",
                "PrincipalType": "GROUP", "PrincipalId": "{UUID}"}}]}}"#
        ));
    let (center, _) = replay.center();
    let user = Principal::User(UUID.parse().expect("an id"));
    let assignments =
        block_on(center.assignments().for_principal(&user).try_collect()).expect("assignments");
    assert_eq!(assignments, [assignment()]);
    assert!(replay.requests()[1].body.contains(r#""NextToken":"t""#));
}

#[test]
fn a_creation_request_contains_account_permission_set_and_principal() {
    let replay = Replay::new().json(&format!(
        r#"{{"AccountAssignmentCreationStatus": {{"RequestId": "{UUID}", "Status": "IN_PROGRESS"}}}}"#
    ));
    let (center, _) = replay.center();
    let started = block_on(center.assignments().start_create(&assignment())).expect("an operation");
    assert_eq!(started, operation(OperationKind::Create));
    let body: serde_json::Value = serde_json::from_str(&replay.requests()[0].body).expect("JSON");
    assert_eq!(body["TargetId"], "111111111111");
    assert_eq!(body["TargetType"], "AWS_ACCOUNT");
    assert_eq!(body["PermissionSetArn"], SET);
    assert_eq!(body["PrincipalType"], "GROUP");
    assert_eq!(body["PrincipalId"], UUID);
}

#[test]
fn a_conflict_with_an_earlier_write_is_retried_until_it_is_over() {
    let replay = Replay::new()
        .refuse(400, "ConflictException", "a previous write")
        .refuse(400, "ConflictException", "a previous write")
        .json(&format!(
            r#"{{"AccountAssignmentDeletionStatus": {{"RequestId": "{UUID}"}}}}"#
        ));
    let (center, clock) = replay.center();
    let started = block_on(center.assignments().start_delete(&assignment())).expect("an operation");
    assert_eq!(started, operation(OperationKind::Delete));
    let slept = clock.slept();
    assert_eq!(slept.len(), 2);
    assert!(
        slept[0] <= Duration::from_secs(1) && slept[1] <= Duration::from_secs(2),
        "{slept:?}"
    );
}

#[test]
fn a_persistent_conflict_fails_after_six_attempts() {
    let mut replay = Replay::new();
    for _ in 0..6 {
        replay = replay.refuse(400, "ConflictException", "a previous write");
    }
    let (center, clock) = replay.center();
    let error = block_on(center.assignments().start_create(&assignment())).expect_err("a conflict");
    assert_eq!(
        error.to_string(),
        "AWS refused sso-admin CreateAccountAssignment"
    );
    assert!(error.is_conflict());
    let help =
        "AWS is still carrying out another change of the same resource: try again in a minute";
    assert_eq!(error.help(), Some(help));
    assert_eq!(replay.requests().len(), 6);
    assert!(clock.slept().len() >= 5);
}

#[test]
fn each_kind_of_operation_has_its_own_status_call() {
    let replay = Replay::new()
        .json(r#"{"AccountAssignmentCreationStatus": {"Status": "IN_PROGRESS"}}"#)
        .json(r#"{"AccountAssignmentDeletionStatus": {"Status": "FAILED", "FailureReason": "no"}}"#)
        .json(r#"{"AccountAssignmentDeletionStatus": {"Status": "PAUSED"}}"#);
    let (center, _) = replay.center();
    let assignments = center.assignments();
    let (create, delete) = (
        operation(OperationKind::Create),
        operation(OperationKind::Delete),
    );
    assert_eq!(
        block_on(assignments.status(&create)).expect("a status"),
        OperationStatus::InProgress
    );
    assert_eq!(
        block_on(assignments.status(&delete)).expect("a status"),
        OperationStatus::Failed {
            reason: Some("no".to_owned())
        }
    );
    let error = block_on(assignments.status(&delete)).expect_err("an unknown status");
    assert_eq!(
        error.source().expect("a source").to_string(),
        "the response's Status is PAUSED"
    );
    assert_eq!(
        replay.operations()[..2],
        [
            "DescribeAccountAssignmentCreationStatus",
            "DescribeAccountAssignmentDeletionStatus"
        ]
    );
}

#[test]
fn operations_in_progress_are_listed_by_kind() {
    let replay = Replay::new()
        .json(&format!(
            r#"{{"AccountAssignmentsCreationStatus": [{{"RequestId": "{UUID}", "Status": "IN_PROGRESS"}}]}}"#
        ))
        .json(r#"{"AccountAssignmentsDeletionStatus": []}"#);
    let (center, _) = replay.center();
    for (kind, expected) in [
        (
            OperationKind::Create,
            vec![operation(OperationKind::Create)],
        ),
        (OperationKind::Delete, vec![]),
    ] {
        let listed = center.assignments().in_progress(kind);
        assert_eq!(
            block_on(listed.try_collect()).expect("operations"),
            expected
        );
    }
    assert!(
        replay.requests()[0]
            .body
            .contains(r#""Filter":{"Status":"IN_PROGRESS"}"#)
    );
}

#[test]
fn an_assignment_round_trips_through_json() {
    let json = serde_json::to_string(&assignment()).expect("JSON");
    assert_eq!(
        json,
        format!(
            r#"{{"account":"111111111111","permission_set":"{SET}","principal":{{"group":"{UUID}"}}}}"#
        )
    );
    assert_eq!(
        serde_json::from_str::<Assignment>(&json).expect("an assignment"),
        assignment()
    );
}
