mod property;
mod removal_limits;

use std::collections::BTreeMap;

use super::*;

fn ext(id: impl std::fmt::Display) -> ExternalId {
    ExternalId::new(id.to_string())
}

fn rid(id: impl std::fmt::Display) -> ResourceId {
    ResourceId::parse(id.to_string()).expect("an id")
}

fn profile(name: &str) -> UserProfile {
    UserProfile {
        user_name: name.to_owned(),
        given_name: "G".into(),
        family_name: "F".into(),
        display_name: name.to_owned(),
        email: None,
        active: true,
        more: BTreeMap::new(),
    }
}

fn known_user(id: &str, external_id: Option<&str>, profile: &UserProfile) -> TargetUser {
    let external_id = external_id.map(ext);
    let read = profile.written_onto(scim_types::User::default(), &ext("x"));
    TargetUser {
        id: rid(id),
        digest: profile.digest(),
        active: profile.active,
        managed: external_id.is_some(),
        external_id,
        inactive_since: None,
        remembered: None,
        read: Some(Box::new(read)),
    }
}

fn known_group(id: &str, external_id: Option<&str>, name: &str, members: &[&str]) -> TargetGroup {
    TargetGroup {
        id: rid(id),
        external_id: external_id.map(ext),
        name: name.to_owned(),
        managed: external_id.is_some(),
        members: Some(members.iter().map(rid).collect()),
    }
}

fn source(users: &[(&str, &str)], groups: &[(&str, &str, &[&str])]) -> Directory {
    Directory {
        users: users
            .iter()
            .map(|(id, name)| User::new(ext(id), profile(name)))
            .collect(),
        groups: groups
            .iter()
            .map(|(id, name, members)| Group {
                id: ext(id),
                name: (*name).to_owned(),
                members: members.iter().map(ext).collect(),
            })
            .collect(),
        remarks: Vec::new(),
    }
}

fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().expect("a moment")
}

#[track_caller]
fn check(source: &Directory, known: &TargetSnapshot, policy: Policy, expected: &[&str]) {
    let plan = plan(source, known, policy, now(), 0);
    let changes = plan.users.iter().map(ToString::to_string);
    let changes: Vec<String> = changes
        .chain(plan.groups.iter().map(ToString::to_string))
        .collect();
    assert_eq!(changes, expected, "{plan}");
}

const DELETE: Policy = Policy {
    users: Removal::Delete {
        after: Duration::ZERO,
    },
    groups: GroupRemoval::Delete,
    dialect: Dialect::Generic,
};

#[test]
fn an_empty_target_gets_everybody_and_every_group_with_its_members() {
    let source = source(&[("1", "ada"), ("2", "bob")], &[("g", "team", &["1", "2"])]);
    check(
        &source,
        &TargetSnapshot::default(),
        Policy::default(),
        &["+ user ada", "+ user bob", "+ group team with 2 members"],
    );
}

#[test]
fn a_rename_and_a_new_login_are_updates_and_never_a_deletion_and_a_creation() {
    let source = source(&[("1", "ada.king")], &[("g", "engines", &["1"])]);
    let known = TargetSnapshot {
        users: vec![known_user("a", Some("1"), &profile("ada"))],
        groups: vec![known_group("t", Some("g"), "team", &["a"])],
    };
    check(
        &source,
        &known,
        DELETE,
        &[
            "~ user ada.king (was ada): displayName, userName",
            "~ group engines (was team)",
        ],
    );
}

#[test]
fn who_is_there_under_the_name_is_adopted() {
    let source = source(&[("1", "Ada"), ("2", "bob")], &[("g", "team", &[])]);
    let known = TargetSnapshot {
        users: vec![
            known_user("a", None, &profile("ada")),
            // Made anew in the source, under another id.
            known_user("b", Some("9"), &profile("bob")),
        ],
        groups: vec![known_group("t", None, "team", &[])],
    };
    check(
        &source,
        &known,
        DELETE,
        &[
            "~ user Ada (was ada): displayName, userName (is there already, gets its id)",
            "~ user bob (is there already, gets its id)",
            "~ group team (is there already, gets its id)",
        ],
    );
}

#[test]
fn a_name_that_somebody_else_of_the_source_has_is_not_adopted() {
    // 1 was `ada` and is `bob` now; 2 is a new `ada`.
    let source = source(&[("2", "ada"), ("1", "bob")], &[]);
    let known = TargetSnapshot {
        users: vec![known_user("a", Some("1"), &profile("ada"))],
        groups: Vec::new(),
    };
    check(
        &source,
        &known,
        DELETE,
        &["+ user ada", "~ user bob (was ada): displayName, userName"],
    );
}

#[test]
fn who_is_gone_is_deactivated_first_and_deleted_by_a_later_run_if_that_is_wanted() {
    let source = source(&[("1", "ada")], &[]);
    let gone = |active| {
        let profile = UserProfile {
            active,
            ..profile("bob")
        };
        TargetSnapshot {
            users: vec![
                known_user("a", Some("1"), &self::profile("ada")),
                known_user("b", Some("2"), &profile),
            ],
            groups: Vec::new(),
        }
    };
    let deactivate = ["x user bob (deactivated: gone from the source)"];
    check(&source, &gone(true), Policy::default(), &deactivate);
    check(&source, &gone(true), DELETE, &deactivate);
    check(&source, &gone(false), Policy::default(), &[]);
    check(
        &source,
        &gone(false),
        DELETE,
        &["- user bob (deleted: gone from the source)"],
    );
    let keep = Policy {
        users: Removal::Keep,
        ..DELETE
    };
    check(&source, &gone(true), keep, &[]);
    let patient = Policy {
        users: Removal::Delete {
            after: Duration::from_hours(24),
        },
        ..DELETE
    };
    check(&source, &gone(false), patient, &[]);
    let mut since = gone(false);
    since.users[1].inactive_since = Some(now() - jiff::SignedDuration::from_hours(25));
    check(
        &source,
        &since,
        patient,
        &["- user bob (deleted: gone from the source)"],
    );
    since.users[1].inactive_since = Some(now() - jiff::SignedDuration::from_hours(23));
    check(&source, &since, patient, &[]);
}

#[test]
fn what_others_have_made_is_never_removed() {
    let known = TargetSnapshot {
        users: vec![known_user("a", None, &profile("theirs"))],
        groups: vec![known_group("t", None, "theirs", &["a"])],
    };
    check(&source(&[], &[]), &known, DELETE, &[]);
    // Nor is their user taken out of a group of ours.
    let ours = TargetSnapshot {
        groups: vec![known_group("t", Some("g"), "ours", &["a"])],
        ..known
    };
    check(&source(&[], &[("g", "ours", &[])]), &ours, DELETE, &[]);
}

#[test]
fn who_may_not_sign_in_is_deactivated_and_not_created() {
    let mut source = source(&[("1", "ada"), ("2", "new")], &[("g", "team", &["1", "2"])]);
    for user in &mut source.users {
        user.profile.active = false;
    }
    let known = TargetSnapshot {
        users: vec![known_user("a", Some("1"), &profile("ada"))],
        groups: vec![known_group("t", Some("g"), "team", &["a"])],
    };
    check(
        &source,
        &known,
        Policy::default(),
        &["x user ada: active (deactivated: may not sign in to the source)"],
    );
}

#[test]
fn one_whom_the_target_would_refuse_stops_nobody_and_is_not_taken_for_gone() {
    let mut source = source(&[("1", "ada"), ("2", "bob"), ("3", "eve")], &[]);
    source.users[0].profile.family_name.clear();
    source.users[1].problems = vec!["login is no email address".into()];
    let known = TargetSnapshot {
        users: vec![known_user("a", Some("1"), &profile("ada"))],
        groups: Vec::new(),
    };
    let policy = Policy {
        dialect: Dialect::AwsIdentityCenter,
        ..DELETE
    };
    check(&source, &known, policy, &["+ user eve"]);
    let plan = plan(&source, &known, policy, now(), 0);
    let skipped: Vec<&str> = plan.skipped.iter().map(|skipped| &*skipped.name).collect();
    assert_eq!(skipped, ["ada", "bob"]);
}

#[test]
fn a_gone_group_is_kept_unless_its_deletion_is_wanted() {
    let source = source(&[], &[]);
    let known = TargetSnapshot {
        users: Vec::new(),
        groups: vec![known_group("t", Some("g"), "team", &[])],
    };
    check(&source, &known, Policy::default(), &[]);
    check(
        &source,
        &known,
        DELETE,
        &["- group team (deleted: gone from the source)"],
    );
}
