//! What the guard refuses of a plan.

use super::*;
use crate::sync::{LimitExceeded, RemovalLimits};

fn people(range: std::ops::Range<usize>) -> Directory {
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

fn known(range: std::ops::Range<usize>, prefix: &str) -> TargetSnapshot {
    TargetSnapshot {
        users: range
            .map(|number| {
                known_user(
                    &format!("r{number}"),
                    Some(&format!("{prefix}{number}")),
                    &profile(&format!("user{number}")),
                )
            })
            .collect(),
        groups: Vec::new(),
    }
}

fn refused(source: &Directory, known: &TargetSnapshot, limits: &RemovalLimits) -> Option<String> {
    let plan = plan(source, known, DELETE, now(), 0);
    limits
        .check(&plan)
        .err()
        .map(|exceeded| exceeded.to_string())
}

#[test]
fn an_empty_source_removes_nobody() {
    let exceeded = refused(
        &people(0..0),
        &known(0..50, ""),
        &RemovalLimits::at_most(1000),
    );
    assert_eq!(
        exceeded.as_deref(),
        Some("the source has nobody who may sign in, and the target has 50 managed users")
    );
}

#[test]
fn more_than_a_tenth_is_refused_and_a_tenth_is_not() {
    let (all, limits) = (known(0..20, ""), RemovalLimits::default());
    assert_eq!(refused(&people(0..18), &all, &limits), None);
    assert_eq!(
        refused(&people(0..17), &all, &limits).as_deref(),
        Some(
            "the plan takes away 3 of 20 managed users and groups, and the guard allows 2: user user17, user \
             user18, user user19"
        )
    );
    assert_eq!(
        refused(&people(0..14), &all, &RemovalLimits::at_most(6)),
        None
    );
    assert!(refused(&people(0..14), &all, &RemovalLimits::at_most(5)).is_some());
}

#[test]
fn one_of_a_few_may_leave() {
    assert_eq!(
        refused(&people(0..2), &known(0..3, ""), &RemovalLimits::default()),
        None
    );
}

#[test]
fn a_source_that_has_given_everybody_a_new_id_is_refused_even_if_their_names_are_the_same() {
    let limits = RemovalLimits::at_most(1000);
    let exceeded = refused(&people(0..20), &known(0..20, "old"), &limits);
    assert_eq!(
        exceeded.as_deref(),
        Some(
            "the source does not know the ids of 20 of 20 managed users any more, and has 20 who are new"
        )
    );
    let allowed = RemovalLimits {
        new_ids: true,
        ..limits
    };
    assert_eq!(
        refused(&people(0..20), &known(0..20, "old"), &allowed),
        None
    );
}

#[test]
fn protected_names_are_neither_made_nor_adopted_nor_renamed_nor_deleted() {
    let name = "AWSControlTowerAdmins";
    let named = source(&[], &[("g", name, &[])]);
    let other = source(&[], &[("g", "other", &[])]);
    let group = |external_id, name| TargetSnapshot {
        users: Vec::new(),
        groups: vec![known_group("t", external_id, name, &[])],
    };
    for (source, known) in [
        (&named, TargetSnapshot::default()),
        (&named, group(None, name)),
        (&named, group(Some("g"), "other")),
        (&other, group(Some("g"), name)),
        (&super::source(&[], &[]), group(Some("g"), name)),
    ] {
        assert_eq!(
            refused(source, &known, &RemovalLimits::default()).as_deref(),
            Some("the plan changes what is protected: group AWSControlTowerAdmins")
        );
    }
    assert_eq!(
        refused(&named, &group(Some("g"), name), &RemovalLimits::default()),
        None
    );
}

#[test]
fn groups_that_lose_most_of_their_members_are_refused() {
    let mut known = known(0..20, "");
    let members: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    known.groups = vec![known_group("t", Some("g"), "team", &members)];
    let mut source = people(0..20);
    source.groups = vec![Group {
        id: ext("g"),
        name: "team".into(),
        members: BTreeSet::new(),
    }];
    assert_eq!(
        refused(&source, &known, &RemovalLimits::default()).as_deref(),
        Some("the plan removes 20 of 20 memberships, and the guard allows 10")
    );
}

#[test]
fn every_refusal_is_an_error_with_a_help() {
    let error = crate::Error::from(LimitExceeded::EmptySource { managed: 3 });
    assert_eq!(error.kind(), crate::ErrorKind::GuardRejected);
    assert!(error.help().is_some_and(|help| help.contains("scope")));
}
