//! Tests of sources that cannot be read or whose plans the guard refuses: nothing is written to the target.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    Blueprint, ErrorKind, Guard,
    guard::{Excess, KindLimit},
    plan::Kind,
    sync::{Directory, DirectorySync, GroupRemoval, OktaSource, ReadMode, Removal},
};
use sandbox::{Fault, Sandbox, Service};

use super::fixture::{SyncFixture, directory, lifted, rename_user};

/// Asserts the kind and a part of the message of an error, and that it has help.
#[track_caller]
fn assert_error(error: &okta_aws_sso::Error, kind: ErrorKind, text: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "{error}");
    assert!(error.help().is_some(), "{error}");
}

/// Asserts that a guard rejects a synchronized source after a change, with and without a cached state.
async fn assert_rejected(guard: Guard, change: impl Fn(&mut Directory), text: &str) {
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
            .guard(guard.clone())
            .removal(Removal::Delete {
                after: Duration::ZERO,
            })
            .group_removal(GroupRemoval::Delete);
        let prepared = sync.prepare().await.expect("a plan");
        let error = sync
            .apply(prepared)
            .await
            .expect_err("the guard refuses the plan");
        assert_error(&error, ErrorKind::GuardRejected, text);
        assert_eq!(fixture.sandbox.writes().len(), 0, "{text}");
    }
}

#[tokio::test]
async fn a_source_without_active_users_is_rejected() {
    let text = "the source has no active users, and AWS has 40 managed users";
    assert_rejected(lifted(), |source| *source = Directory::default(), text).await;
    assert_rejected(
        lifted(),
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
        Guard::daily(),
        |source| {
            let removed = source.users.split_off(28);
            for group in &mut source.groups {
                group
                    .members
                    .retain(|member| removed.iter().all(|user| user.id != *member));
            }
        },
        "the plan removes 12 users of 40, and the guard allows 0 in this run",
    )
    .await;
}

#[tokio::test]
async fn a_source_with_a_third_of_its_users_inactive_is_rejected() {
    assert_rejected(
        Guard::daily(),
        |source| {
            for user in &mut source.users[28..] {
                user.profile.active = false;
            }
        },
        "the plan removes 12 users of 40, and the guard allows 0 in this run",
    )
    .await;
}

#[tokio::test]
async fn a_source_with_empty_groups_is_rejected() {
    assert_rejected(
        lifted(),
        |source| {
            for group in &mut source.groups {
                group.members.clear();
            }
        },
        "group-00000",
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
    let sync = fixture
        .sync(&source)
        .guard(Guard::daily())
        .group_removal(GroupRemoval::Delete);
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
    let text = "40 of 40";
    assert_rejected(lifted(), change_ids, text).await;
    // The names are new too.
    assert_rejected(
        lifted(),
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
        lifted(),
        |source| source.groups[0].name = "AWSControlTowerAdmins".to_owned(),
        "AWSControlTowerAdmins",
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
    let guard = Guard {
        protected: [removed.name].into(),
        ..lifted()
    };
    let sync = fixture
        .sync(&source)
        .group_removal(GroupRemoval::Delete)
        .guard(guard);
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
            let protected = ["Person.00019@Example.com", "Group-00009"];
            let guard = Guard {
                protected: protected.map(str::to_owned).into(),
                ..lifted()
            };
            let sync = fixture.sync(&source).mode(mode).guard(guard);
            let prepared = sync.prepare().await.expect("a plan");
            let plan = prepared.plan().clone();
            let result = sync.apply(prepared).await;
            assert!(result.is_err(), "{mode:?} {case}: {plan}");
            assert_eq!(fixture.sandbox.writes().len(), 0);
        }
    }
}

#[tokio::test]
async fn a_raised_limit_or_the_approval_of_the_plan_allows_its_removals() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    source.users.truncate(15);
    let limit = Guard {
        limits: [(Kind::User, KindLimit::per_run(5))].into(),
        ..Guard::default()
    };
    fixture.run(&fixture.sync(&source).guard(limit)).await;
    fixture.assert_in_sync(&source);

    source.users.truncate(5);
    let plan = fixture.sync(&source).plan().await.expect("a plan");
    let approval = plan.to_plan().removals_id().expect("an id");
    assert!(plan.to_string().contains(&format!("--approve {approval}")));
    let approved = |id: &str| Guard {
        approved: [id.to_owned()].into(),
        ..Guard::default()
    };
    let other = fixture.sync(&source).guard(approved("00000000"));
    let prepared = other.prepare().await.expect("a plan");
    let error = other.apply(prepared).await.expect_err("another approval");
    assert_error(&error, ErrorKind::GuardRejected, "10 users of 15");
    let sync = fixture.sync(&source).guard(approved(&approval));
    fixture.run(&sync).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn withheld_removals_are_named_and_the_rest_is_written() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 2, 5);
    fixture.run(&fixture.sync(&source)).await;
    // One user leaves a group, one joins it, and one leaves the source.
    let group = &mut source.groups[0];
    let leaver = group.members.pop_first().expect("a member");
    group.members.insert(source.users[9].id.clone());
    let gone = source.users.pop().expect("a user");
    let guard = Guard {
        excess: Excess::WithholdRemovals,
        ..Guard::default()
    };
    let sync = fixture.sync(&source).guard(guard);
    let prepared = sync.prepare().await.expect("a plan");
    let withheld = sync.check(&prepared).expect("the guard withholds");
    let report = sync.apply(prepared).await.expect("a run");
    assert_eq!(report.withheld, withheld);
    let names: Vec<String> = withheld.iter().map(ToString::to_string).collect();
    assert!(
        names
            .iter()
            .any(|name| name.contains(&gone.profile.user_name))
    );
    let leaver = source.users.iter().find(|user| user.id == leaver);
    let leaver = &leaver.expect("a user").profile.user_name;
    assert!(
        names
            .iter()
            .any(|name| name.contains(leaver) && name.contains("group-00000"))
    );
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(report.done.members_added, 1);
    assert_eq!(report.done.members_removed, 0);
    assert!(
        report.to_string().contains("withheld by the guard"),
        "{report}"
    );
    let error = report.complete().expect_err("removals are withheld");
    assert!(
        error.to_string().contains("the guard withheld 3 changes"),
        "{error}"
    );
    let members = &fixture.sandbox.identity_groups()[0].members;
    assert_eq!(members.len(), 6, "{members:?}");
    // The next run plans exactly what was withheld.
    let plan = fixture.sync(&source).plan().await.expect("a plan");
    assert_eq!(plan.to_plan().removals().count(), 3, "{plan}");
    assert_eq!(plan.to_plan().changes().count(), 3, "{plan}");
}

#[tokio::test]
async fn the_limits_of_a_week_count_the_removals_of_earlier_runs_and_not_those_that_failed() {
    const DAY: Duration = Duration::from_hours(24);
    let fixture = SyncFixture::new().await;
    let mut source = directory(100, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    let guard = || Guard {
        limits: [(
            Kind::User,
            KindLimit {
                per_window: 3,
                ..KindLimit::per_run(2)
            },
        )]
        .into(),
        ..Guard::default()
    };
    let is_refused = async |source: &Directory| {
        let sync = fixture.sync(source).guard(guard());
        let prepared = sync.prepare().await.expect("a plan");
        sync.check(&prepared).is_err()
    };
    source.users.truncate(98);
    assert!(is_refused(&source).await, "the history is too short");
    fixture.clock.advance(DAY * 8);
    // A removal that fails does not count.
    let refused = Fault::fail(Service::Scim, 400, "{}").on("PATCH /");
    fixture.sandbox.inject(refused);
    let sync = fixture.sync(&source).guard(guard());
    let prepared = sync.prepare().await.expect("a plan");
    let report = sync.apply(prepared).await.expect("a run");
    assert_eq!(report.done.users_deactivated, 1, "{report}");
    fixture.run(&fixture.sync(&source).guard(guard())).await;
    // Two of three are used up.
    source.users.truncate(96);
    assert!(is_refused(&source).await, "2 + 2 removals in a week");
    source.users.push(directory(97, 0, 0).users.remove(96));
    assert!(!is_refused(&source).await, "2 + 1 removals in a week");
    source.users.truncate(96);
    fixture.clock.advance(DAY * 8);
    assert!(!is_refused(&source).await, "a week later");
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
    assert!(plan.unread.iter().any(|item| item == missing), "{plan}");
}
