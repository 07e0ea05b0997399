//! Tests of sources that cannot be read or whose plans exceed the removal limits: nothing is written to the target.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    Blueprint, ErrorKind,
    sync::{Directory, DirectorySync, GroupRemoval, OktaSource, ReadMode, Removal, RemovalLimits},
};
use sandbox::{Fault, Sandbox, Service};

use super::fixture::{SyncFixture, directory, rename_user};

/// Asserts the kind and a part of the message of an error, and that it has help.
#[track_caller]
fn assert_error(error: &okta_aws_sso::Error, kind: ErrorKind, text: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "{error}");
    assert!(error.help().is_some(), "{error}");
}

/// Asserts that a synchronized source is rejected after a change, with and without a cached state.
async fn assert_rejected(change: impl Fn(&mut Directory), text: &str) {
    for cached in [true, false] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(40, 4, 20);
        fixture.run(&fixture.sync(&source)).await;
        fixture.sandbox.clear_requests();
        change(&mut source);
        let sync = if cached {
            fixture.sync(&source)
        } else {
            fixture.stateless_sync(&source)
        };
        let sync = sync
            .removal(Removal::Delete {
                after: Duration::ZERO,
            })
            .group_removal(GroupRemoval::Delete);
        let prepared = sync.prepare().await.expect("a plan");
        let error = sync
            .apply(prepared)
            .await
            .expect_err("the plan exceeds a limit");
        assert_error(&error, ErrorKind::GuardRejected, text);
        assert_eq!(fixture.sandbox.writes().len(), 0, "{text}");
    }
}

#[tokio::test]
async fn a_source_without_active_users_is_rejected() {
    let text = "the source has no active users, but the target has 40 managed users";
    assert_rejected(|source| *source = Directory::default(), text).await;
    assert_rejected(
        |source| {
            for user in &mut source.users {
                user.profile.active = false;
            }
        },
        text,
    )
    .await;
}

#[tokio::test]
async fn a_source_that_lost_a_third_of_its_users_is_rejected() {
    assert_rejected(
        |source| {
            let removed = source.users.split_off(28);
            for group in &mut source.groups {
                group
                    .members
                    .retain(|member| removed.iter().all(|user| user.id != *member));
            }
        },
        "the plan deactivates or deletes 12 of 44 managed users and groups, and the limit is 4",
    )
    .await;
}

#[tokio::test]
async fn a_source_with_a_third_of_its_users_inactive_is_rejected() {
    assert_rejected(
        |source| {
            for user in &mut source.users[28..] {
                user.profile.active = false;
            }
        },
        "the plan deactivates or deletes 12 of 44 managed users and groups, and the limit is 4",
    )
    .await;
}

#[tokio::test]
async fn a_source_with_empty_groups_is_rejected() {
    assert_rejected(
        |source| {
            for group in &mut source.groups {
                group.members.clear();
            }
        },
        "the plan removes 80 of 80 memberships, and the limit is 24",
    )
    .await;
}

#[tokio::test]
async fn a_source_without_groups_is_rejected_although_all_users_are_present() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(200, 6, 30);
    fixture.run(&fixture.sync(&source)).await;
    fixture.sandbox.clear_requests();
    source.groups.clear();
    let sync = fixture.sync(&source).group_removal(GroupRemoval::Delete);
    let prepared = sync.prepare().await.expect("a plan");
    let plan = prepared.plan().clone();
    let result = sync.apply(prepared).await;
    assert!(result.is_err(), "{plan}");
    assert_eq!(fixture.sandbox.writes().len(), 0);
}

#[tokio::test]
async fn a_source_with_new_ids_for_all_users_is_rejected() {
    let change_ids = |source: &mut Directory| {
        for user in &mut source.users {
            let id = user.id.as_str().replacen("00u0", "00u9", 1);
            user.id = scim_types::ExternalId::new(id);
        }
        source.groups.clear();
    };
    let text = "the source no longer has the ids of 40 of 40 managed users, and 40 users would be created or adopted";
    assert_rejected(change_ids, text).await;
    // The names are new too.
    assert_rejected(
        |source| {
            change_ids(source);
            for user in &mut source.users {
                user.profile.user_name.insert(0, 'x');
                user.profile.email = Some(user.profile.user_name.clone());
            }
        },
        text,
    )
    .await;
}

#[tokio::test]
async fn renaming_a_group_to_a_protected_name_is_rejected() {
    assert_rejected(
        |source| source.groups[0].name = "AWSControlTowerAdmins".to_owned(),
        "the plan changes protected users or groups: group AWSControlTowerAdmins",
    )
    .await;
}

#[tokio::test]
async fn deleting_a_protected_group_is_rejected() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 2, 5);
    fixture.run(&fixture.sync(&source)).await;
    fixture.sandbox.clear_requests();
    let removed = source.groups.pop().expect("a group");
    let limits = RemovalLimits {
        protected_groups: [removed.name].into(),
        ..RemovalLimits::default()
    };
    let sync = fixture
        .sync(&source)
        .group_removal(GroupRemoval::Delete)
        .removal_limits(limits);
    let prepared = sync.prepare().await.expect("a plan");
    let error = sync
        .apply(prepared)
        .await
        .expect_err("the group is protected");
    assert_error(&error, ErrorKind::GuardRejected, "group group-00001");
    assert_eq!(fixture.sandbox.writes().len(), 0);
}

#[tokio::test]
async fn protected_names_match_in_any_letter_case_and_read_mode() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        for case in 0..4 {
            let fixture = SyncFixture::new().await;
            let mut source = directory(20, 2, 4);
            fixture.run(&fixture.sync(&source)).await;
            fixture.sandbox.clear_requests();
            match case {
                0 => drop(source.users.pop()),
                1 => rename_user(&mut source, 19, "another@example.com"),
                2 => source.users[19].profile.display_name = "Another".to_owned(),
                _ => source.groups[1].name = "GROUP-00009".to_owned(),
            }
            let limits = RemovalLimits {
                protected_users: ["Person.00019@Example.com".to_owned()].into(),
                protected_groups: ["Group-00009".to_owned()].into(),
                ..RemovalLimits::default()
            };
            let sync = fixture.sync(&source).mode(mode).removal_limits(limits);
            let prepared = sync.prepare().await.expect("a plan");
            let plan = prepared.plan().clone();
            let result = sync.apply(prepared).await;
            assert!(result.is_err(), "{mode:?} {case}: {plan}");
            assert_eq!(fixture.sandbox.writes().len(), 0);
        }
    }
}

#[tokio::test]
async fn a_raised_limit_allows_more_removals() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    source.users.truncate(5);
    fixture
        .run(
            &fixture
                .sync(&source)
                .removal_limits(RemovalLimits::at_most(15)),
        )
        .await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_source_that_cannot_be_read_completely_is_an_error() {
    let company = sandbox::Company::small(20, 2).team("deployers", &["person.00002@example.com"]);
    let fixture =
        SyncFixture::with_sandbox(Sandbox::builder().company(company).page_size(Some(2))).await;
    let okta = fixture.okta();
    let blueprint =
        "[provisioning]\nassign_groups = [\"aws-users\"]\npush_groups = [\"deployers\"]";
    let blueprint = Blueprint::from_toml(blueprint).expect("a blueprint");
    let sync = DirectorySync::new(OktaSource::new(&okta, &blueprint), &fixture.scim)
        .store(fixture.store.clone())
        .removal_limits(RemovalLimits::at_most(1000))
        .clock(Arc::new(fixture.clock.clone()));
    let report = fixture.run(&sync).await;
    assert_eq!(report.done.users_created, 20);
    assert_eq!(fixture.sandbox.identity_groups()[0].members.len(), 1);

    // The first pages of members are read; then a page fails with every retry.
    fixture.sandbox.clear_requests();
    let paths: Vec<String> = {
        sync.plan().await.expect("a plan");
        fixture
            .take_requests()
            .iter()
            .filter(|request| request.path.ends_with("/users"))
            .map(|request| request.path.clone())
            .collect()
    };
    assert!(paths.len() > 5, "{paths:?}");
    for status in [403, 500, 503] {
        let tries = if status == 403 { 1 } else { 5 };
        for _ in 0..tries {
            fixture.sandbox.inject(
                Fault::fail(Service::Okta, status, "<html>")
                    .on("/users")
                    .after(3),
            );
        }
        let error = sync.plan().await.expect_err("an incomplete source");
        assert_error(
            &error,
            ErrorKind::Service,
            "the members of group `aws-users` could not be read from Okta",
        );
        assert_eq!(fixture.sandbox.writes().len(), 0);
    }
    // A group that does not exist in Okta is named, and does not count as an empty group.
    let blueprint = Blueprint::from_toml("[provisioning]\npush_groups = [\"vanished\"]");
    let source = OktaSource::new(&okta, &blueprint.expect("a blueprint"));
    let sync = DirectorySync::new(source, &fixture.scim);
    let plan = sync.plan().await.expect("a plan");
    assert_eq!(plan.removals().count(), 0, "{plan}");
    let missing = "not read from the source: group vanished (Okta has no group `vanished`)";
    assert!(plan.notes.iter().any(|note| note == missing), "{plan}");
}
