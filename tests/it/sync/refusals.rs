//! Tests of group changes of which the target refuses a part.

use okta_aws_sso::sync::{Directory, SyncReport};
use sandbox::{Fault, Sandbox, Service, UnknownMembers};
use scim_types::ExternalId;

use super::fixture::{SyncFixture, directory, user_id};
use crate::fixture::company;

const BOTH: [(UnknownMembers, u16); 2] = [
    (UnknownMembers::NotFound, 404),
    (UnknownMembers::Invalid, 400),
];

async fn fixture(unknown_members: UnknownMembers) -> SyncFixture {
    let sandbox = Sandbox::builder().company(company()).page_size(None);
    SyncFixture::with_sandbox(sandbox.unknown_members(unknown_members)).await
}

/// Returns the names of the members of a group in the target.
fn members(fixture: &SyncFixture, group: &str) -> Vec<String> {
    let groups = fixture.sandbox.identity_groups();
    let group = groups.into_iter().find(|found| found.display_name == group);
    let mut members = group.expect("the group exists").members;
    members.sort();
    members
}

fn names(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let names = numbers.into_iter();
    names
        .map(|number| format!("person.{number:05}@example.com"))
        .collect()
}

async fn apply(fixture: &SyncFixture, source: &Directory) -> SyncReport {
    fixture.apply(&fixture.sync(source)).await
}

/// Asserts that exactly one membership failed, of a user that the target no longer has.
#[track_caller]
fn assert_one_failed(report: &SyncReport, group: &str, user: usize, status: u16) {
    let [failed] = report.failed_memberships.as_slice() else {
        panic!("{report:?}");
    };
    assert!(report.failed.is_empty(), "{report:?}");
    assert_eq!(failed.group, group);
    assert_eq!(failed.user, format!("person.{user:05}@example.com"));
    assert!(!failed.removal);
    let response = failed.response.as_ref().expect("a response");
    assert_eq!(response.status, Some(status));
    let text = failed.to_string();
    assert!(
        text.starts_with(&format!(
            "user {} was not added to group {group}: ",
            failed.user
        )),
        "{text}"
    );
    let error = report.clone().complete().expect_err("a failed membership");
    assert!(error.to_string().contains(&failed.user), "{error}");
}

#[tokio::test]
async fn a_missing_member_keeps_no_other_member_from_joining_or_leaving_a_group() {
    for (answer, status) in BOTH {
        let fixture = fixture(answer).await;
        let mut source = directory(20, 1, 3);
        fixture.run(&fixture.sync(&source)).await;
        fixture
            .sandbox
            .delete_identity_user("person.00019@example.com");
        let group = &mut source.groups[0];
        group.name = "renamed".to_owned();
        group.members.remove(&ExternalId::new(user_id(0)));
        group.members.insert(ExternalId::new(user_id(18)));
        group.members.insert(ExternalId::new(user_id(19)));
        let report = apply(&fixture, &source).await;
        assert_one_failed(&report, "renamed", 19, status);
        assert_eq!(members(&fixture, "renamed"), names([1, 2, 18]));
        assert_eq!(report.done.members_added, 1);
        assert_eq!(report.done.members_removed, 1);
        // The next run creates the user and the membership again.
        fixture.run(&fixture.sync(&source)).await;
        fixture.assert_in_sync(&source);
    }
}

#[tokio::test]
async fn a_missing_member_keeps_no_other_member_out_of_a_new_group() {
    for (answer, status) in BOTH {
        let fixture = fixture(answer).await;
        let mut source = directory(150, 0, 0);
        fixture.run(&fixture.sync(&source)).await;
        fixture
            .sandbox
            .delete_identity_user("person.00007@example.com");
        source.groups = directory(150, 1, 150).groups;
        let report = apply(&fixture, &source).await;
        assert_one_failed(&report, "group-00000", 7, status);
        let present = (0..150).filter(|number| *number != 7);
        assert_eq!(members(&fixture, "group-00000"), names(present));
        assert_eq!(report.done.members_added, 149);
        fixture.run(&fixture.sync(&source)).await;
        fixture.assert_in_sync(&source);
    }
}

#[tokio::test]
async fn a_leaver_that_the_target_no_longer_has_leaves_with_the_others() {
    for (answer, _) in BOTH {
        let fixture = fixture(answer).await;
        let mut source = directory(20, 1, 4);
        fixture.run(&fixture.sync(&source)).await;
        fixture
            .sandbox
            .delete_identity_user("person.00000@example.com");
        for leaver in 0..2 {
            let leaver = ExternalId::new(user_id(leaver));
            source.groups[0].members.remove(&leaver);
        }
        // AWS may refuse the removal of an unknown user, too.
        let refused = Fault::fail(Service::Scim, 400, "{}").on("PATCH /");
        fixture.sandbox.inject(refused);
        let report = apply(&fixture, &source).await;
        report.complete().expect("a complete run");
        assert_eq!(members(&fixture, "group-00000"), names([2, 3]));
    }
}

#[tokio::test]
async fn a_leaver_leaves_its_groups_although_users_cannot_be_written() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(40, 2, 4);
    let added = source.users.split_off(20);
    fixture.run(&fixture.sync(&source)).await;
    source.users.extend(added);
    source.groups[0]
        .members
        .remove(&ExternalId::new(user_id(0)));
    source.groups[0]
        .members
        .insert(ExternalId::new(user_id(30)));
    for _ in 0..500 {
        let fault = Fault::refuse(Service::Scim, 503, None);
        fixture.sandbox.inject(fault.on("POST /"));
    }
    let report = apply(&fixture, &source).await;
    assert!(report.stopped_early.is_some(), "{report:?}");
    assert_eq!(members(&fixture, "group-00000"), names([1, 2, 3]));
    fixture.sandbox.clear_faults();
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_leaver_leaves_its_group_although_the_group_cannot_be_renamed() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 1, 4);
    fixture.run(&fixture.sync(&source)).await;
    let taken = fixture.sandbox.add_identity_group("taken", &[]);
    assert!(!taken.is_empty());
    source.groups[0].name = "taken".to_owned();
    source.groups[0]
        .members
        .remove(&ExternalId::new(user_id(0)));
    let report = apply(&fixture, &source).await;
    assert_eq!(report.failed.len(), 1, "{report:?}");
    assert_eq!(members(&fixture, "group-00000"), names([1, 2, 3]));
    assert_eq!(report.done.members_removed, 1);
    // The rename is still planned.
    let plan = fixture.sync(&source).plan().await.expect("a plan");
    assert_eq!(plan.counts().groups_updated, 1, "{plan}");
    assert_eq!(plan.counts().members_removed, 0, "{plan}");
}
