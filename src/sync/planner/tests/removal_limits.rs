//! Tests of the removal limits.

use super::*;
use crate::sync::{LimitExceeded, RemovalLimits};

fn source_of(range: std::ops::Range<usize>) -> Directory {
    Directory {
        users: range
            .map(|number| {
                let name = format!("user{number}");
                User::new(ext(number), profile(&name))
            })
            .collect(),
        ..Directory::default()
    }
}

fn target(range: std::ops::Range<usize>, prefix: &str) -> TargetSnapshot {
    TargetSnapshot {
        users: range
            .map(|number| {
                target_user(
                    &format!("r{number}"),
                    Some(&format!("{prefix}{number}")),
                    &profile(&format!("user{number}")),
                )
            })
            .collect(),
        ..TargetSnapshot::default()
    }
}

/// Returns the message of the exceeded limit.
fn exceeded(source: &Directory, target: &TargetSnapshot, limits: &RemovalLimits) -> Option<String> {
    let plan = plan(source, target, DELETE, now(), 0);
    limits
        .check(&plan)
        .err()
        .map(|exceeded| exceeded.to_string())
}

#[test]
fn an_empty_source_is_rejected() {
    let message = exceeded(
        &source_of(0..0),
        &target(0..50, ""),
        &RemovalLimits::at_most(1000),
    );
    assert_eq!(
        message.as_deref(),
        Some("the source has no active users, but the target has 50 managed users")
    );
}

#[test]
fn more_than_the_maximum_share_of_removals_is_rejected() {
    let (all, limits) = (target(0..20, ""), RemovalLimits::default());
    assert_eq!(exceeded(&source_of(0..18), &all, &limits), None);
    assert_eq!(
        exceeded(&source_of(0..17), &all, &limits).as_deref(),
        Some(
            "the plan deactivates or deletes 3 of 20 managed users and groups, and the limit is 2: user user17, \
             user user18, user user19"
        )
    );
    assert_eq!(
        exceeded(&source_of(0..14), &all, &RemovalLimits::at_most(6)),
        None
    );
    assert!(exceeded(&source_of(0..14), &all, &RemovalLimits::at_most(5)).is_some());
}

#[test]
fn one_removal_is_always_allowed() {
    assert_eq!(
        exceeded(
            &source_of(0..2),
            &target(0..3, ""),
            &RemovalLimits::default()
        ),
        None
    );
}

#[test]
fn a_source_with_new_ids_for_all_users_is_rejected_even_if_the_names_are_unchanged() {
    let limits = RemovalLimits::at_most(1000);
    let message = exceeded(&source_of(0..20), &target(0..20, "old"), &limits);
    assert_eq!(
        message.as_deref(),
        Some(
            "the source no longer has the ids of 20 of 20 managed users, and 20 users would be created or adopted"
        )
    );
    let allowed = RemovalLimits {
        new_ids: true,
        ..limits
    };
    assert_eq!(
        exceeded(&source_of(0..20), &target(0..20, "old"), &allowed),
        None
    );
}

#[test]
fn a_group_with_a_protected_name_is_not_created_adopted_renamed_or_deleted() {
    let name = "AWSControlTowerAdmins";
    let protected = source(&[], &[("g", name, &[])]);
    let other = source(&[], &[("g", "other", &[])]);
    let group = |external_id, name| TargetSnapshot {
        users: Vec::new(),
        groups: vec![target_group("t", external_id, name, &[])],
        ..TargetSnapshot::default()
    };
    for (source, target) in [
        (&protected, TargetSnapshot::default()),
        (&protected, group(None, name)),
        (&protected, group(Some("g"), "other")),
        (&other, group(Some("g"), name)),
        (&super::source(&[], &[]), group(Some("g"), name)),
    ] {
        assert_eq!(
            exceeded(source, &target, &RemovalLimits::default()).as_deref(),
            Some("the plan changes protected users or groups: group AWSControlTowerAdmins")
        );
    }
    assert_eq!(
        exceeded(
            &protected,
            &group(Some("g"), name),
            &RemovalLimits::default()
        ),
        None
    );
}

#[test]
fn removing_most_memberships_is_rejected() {
    let mut target = target(0..20, "");
    let members: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    target.groups = vec![target_group("t", Some("g"), "team", &members)];
    let mut source = source_of(0..20);
    source.groups = vec![Group {
        id: ext("g"),
        name: "team".into(),
        members: BTreeSet::new(),
    }];
    assert_eq!(
        exceeded(&source, &target, &RemovalLimits::default()).as_deref(),
        Some("the plan removes 20 of 20 memberships, and the limit is 10")
    );
}

#[test]
fn an_exceeded_limit_converts_to_an_error_with_help() {
    let error = crate::Error::from(LimitExceeded::EmptySource { managed: 3 });
    assert_eq!(error.kind(), crate::ErrorKind::GuardRejected);
    assert!(error.help().is_some_and(|help| help.contains("scope")));
}
