//! Tests of the planner: source, target and policy, with the expected changes of the plan.

mod guard;
mod property;

use std::collections::BTreeMap;

use super::*;
use crate::sync::{
    UserNames,
    collisions::leave_out_collisions,
    directory::{Group, UnreadItem, User},
    kept_removals, records,
    snapshot::TargetGroup,
};

fn ext(id: impl std::fmt::Display) -> ExternalId {
    ExternalId::new(id.to_string())
}

fn rid(id: impl std::fmt::Display) -> ResourceId {
    ResourceId::parse(id.to_string()).expect("a valid id")
}

fn profile(name: &str) -> UserProfile {
    UserProfile {
        user_name: name.to_owned(),
        given_name: "G".into(),
        family_name: "F".into(),
        display_name: name.to_owned(),
        email: None,
        active: true,
        optional: BTreeMap::new(),
    }
}

fn target_user(id: &str, external_id: Option<&str>, profile: &UserProfile) -> TargetUser {
    let external_id = external_id.map(ext);
    let scim_user = profile.merge_into(scim_types::User::default(), &ext("x"));
    TargetUser {
        id: rid(id),
        digest: profile.digest(),
        is_read: true,
        owned: BTreeSet::new(),
        kept: None,
        keys: profile.keys(),
        active: profile.active,
        managed: external_id.is_some(),
        external_id,
        adopted: false,
        inactive_since: None,
        cached_external_id: None,
        scim_user: Some(Box::new(scim_user)),
    }
}

fn target_group(id: &str, external_id: Option<&str>, name: &str, members: &[&str]) -> TargetGroup {
    TargetGroup {
        id: rid(id),
        external_id: external_id.map(ext),
        name: name.to_owned(),
        managed: external_id.is_some(),
        cached_external_id: None,
        members: Some(members.iter().map(rid).collect()),
        adopted: false,
        other_members: Vec::new(),
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
        ..Directory::default()
    }
}

/// Plans like a run: without the records that contradict each other, and without collisions.
fn plan(
    source: &Directory,
    target: &TargetSnapshot,
    policy: Policy,
    now: Timestamp,
    serial: u64,
) -> SyncPlan {
    let usable = records::usable(source).expect("a usable source");
    let usable = leave_out_collisions(usable, target);
    super::plan(&usable, &mut target.clone(), policy, now, serial)
}

fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().expect("a timestamp")
}

/// Asserts the changes of a plan, as displayed.
#[track_caller]
fn check(source: &Directory, target: &TargetSnapshot, policy: Policy, expected: &[&str]) {
    let plan = plan(source, target, policy, now(), 0);
    let changes = plan.users.iter().map(ToString::to_string);
    let changes: Vec<String> = changes
        .chain(plan.groups.iter().map(ToString::to_string))
        .collect();
    assert_eq!(changes, expected, "{plan}");
}

/// Deletes removed users and groups. Users have no retention period.
const DELETE: Policy = Policy {
    users: Removal::Delete {
        after: Duration::ZERO,
    },
    groups: GroupRemoval::Delete,
    dialect: Dialect::Generic,
};

#[test]
fn an_empty_target_gets_all_users_and_groups_with_their_members() {
    let source = source(&[("1", "ada"), ("2", "bob")], &[("g", "team", &["1", "2"])]);
    check(
        &source,
        &TargetSnapshot::default(),
        Policy::default(),
        &["+ user ada", "+ user bob", "+ group team with 2 members"],
    );
}

#[test]
fn a_renamed_user_or_group_is_updated_and_not_recreated() {
    let source = source(&[("1", "ada.king")], &[("g", "engines", &["1"])]);
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada"))],
        groups: vec![target_group("t", Some("g"), "team", &["a"])],
        ..TargetSnapshot::default()
    };
    check(
        &source,
        &target,
        DELETE,
        &[
            "~ user ada.king (was ada): displayName, userName",
            "~ group engines (was team)",
        ],
    );
}

#[test]
fn an_existing_resource_with_the_same_name_is_adopted() {
    let source = source(&[("1", "Ada"), ("2", "bob")], &[("g", "team", &[])]);
    let target = TargetSnapshot {
        users: vec![
            target_user("a", None, &profile("ada")),
            // Recreated in the source under another id.
            target_user("b", Some("9"), &profile("bob")),
        ],
        groups: vec![target_group("t", None, "team", &[])],
        ..TargetSnapshot::default()
    };
    check(
        &source,
        &target,
        DELETE,
        &[
            "~ user Ada (was ada): displayName, userName (already exists, adopted)",
            "~ user bob (already exists, adopted)",
            "~ group team (already exists, adopted)",
        ],
    );
}

#[test]
fn a_resource_that_matches_another_source_user_by_id_is_not_adopted_by_name() {
    // User 1 was renamed from `ada` to `bob`; user 2 is new and has the name `ada`.
    let source = source(&[("2", "ada"), ("1", "bob")], &[]);
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada"))],
        ..TargetSnapshot::default()
    };
    check(
        &source,
        &target,
        DELETE,
        &["+ user ada", "~ user bob (was ada): displayName, userName"],
    );
}

#[test]
fn a_removed_user_is_deactivated_first_and_deleted_only_by_a_later_run_if_deletion_is_enabled() {
    let source = source(&[("1", "ada")], &[]);
    let target = |active| {
        let profile = UserProfile {
            active,
            ..profile("bob")
        };
        TargetSnapshot {
            users: vec![
                target_user("a", Some("1"), &self::profile("ada")),
                target_user("b", Some("2"), &profile),
            ],
            ..TargetSnapshot::default()
        }
    };
    let deactivate = ["x user bob (deactivated: missing in the source)"];
    check(&source, &target(true), Policy::default(), &deactivate);
    check(&source, &target(true), DELETE, &deactivate);
    check(&source, &target(false), Policy::default(), &[]);
    check(
        &source,
        &target(false),
        DELETE,
        &["- user bob (deleted: missing in the source)"],
    );
    let keep = Policy {
        users: Removal::Keep,
        ..DELETE
    };
    check(&source, &target(true), keep, &[]);
    let retention = Policy {
        users: Removal::Delete {
            after: Duration::from_hours(24),
        },
        ..DELETE
    };
    check(&source, &target(false), retention, &[]);
    let mut deactivated = target(false);
    deactivated.users[1].inactive_since = Some(now() - jiff::SignedDuration::from_hours(25));
    check(
        &source,
        &deactivated,
        retention,
        &["- user bob (deleted: missing in the source)"],
    );
    deactivated.users[1].inactive_since = Some(now() - jiff::SignedDuration::from_hours(23));
    check(&source, &deactivated, retention, &[]);
}

#[test]
fn unmanaged_users_groups_and_members_are_never_removed() {
    let target = TargetSnapshot {
        users: vec![target_user("a", None, &profile("unmanaged"))],
        groups: vec![target_group("t", None, "unmanaged", &["a"])],
        ..TargetSnapshot::default()
    };
    check(&source(&[], &[]), &target, DELETE, &[]);
    // An unmanaged member of a managed group is kept too.
    let managed_group = TargetSnapshot {
        groups: vec![target_group("t", Some("g"), "managed", &["a"])],
        ..target
    };
    check(
        &source(&[], &[("g", "managed", &[])]),
        &managed_group,
        DELETE,
        &[],
    );
}

#[test]
fn an_inactive_user_is_deactivated_but_not_created() {
    let mut source = source(&[("1", "ada"), ("2", "new")], &[("g", "team", &["1", "2"])]);
    for user in &mut source.users {
        user.profile.active = false;
    }
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada"))],
        groups: vec![target_group("t", Some("g"), "team", &["a"])],
        ..TargetSnapshot::default()
    };
    check(
        &source,
        &target,
        Policy::default(),
        &["x user ada: active (deactivated: inactive in the source)"],
    );
}

#[test]
fn a_user_with_an_unacceptable_profile_is_skipped_and_not_removed() {
    let mut source = source(&[("1", "ada"), ("2", "bob"), ("3", "eve")], &[]);
    for user in &mut source.users {
        user.profile.email = Some(format!("{}@example.com", user.profile.user_name));
    }
    source.users[0].profile.family_name.clear();
    source.users[1].problems = vec!["login is not an email address".into()];
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada"))],
        ..TargetSnapshot::default()
    };
    let policy = Policy {
        dialect: Dialect::AwsIdentityCenter,
        ..DELETE
    };
    check(&source, &target, policy, &["+ user eve"]);
    let plan = plan(&source, &target, policy, now(), 0);
    let skipped: Vec<&str> = plan.skipped.iter().map(|skipped| &*skipped.name).collect();
    assert_eq!(skipped, ["ada", "bob"]);
}

#[test]
fn a_removed_group_is_kept_unless_deletion_is_enabled() {
    let source = source(&[], &[]);
    let target = TargetSnapshot {
        users: Vec::new(),
        groups: vec![target_group("t", Some("g"), "team", &[])],
        ..TargetSnapshot::default()
    };
    check(&source, &target, Policy::default(), &[]);
    check(
        &source,
        &target,
        DELETE,
        &["- group team (deleted: missing in the source)"],
    );
}

fn unread(item: &str) -> UnreadItem {
    UnreadItem {
        item: item.to_owned(),
        reason: "no `profile`".to_owned(),
    }
}

/// A directory in which user 1 is inactive, user 3 is new and user 4 is missing, and the target of earlier runs.
fn with_every_kind_of_removal() -> (Directory, TargetSnapshot) {
    let groups: [(&str, &str, &[&str]); 2] = [("g", "team", &["1"]), ("h", "renamed", &["3"])];
    let mut source = source(&[("1", "ada"), ("2", "bob"), ("3", "new")], &groups);
    source.users[0].profile.active = false;
    let inactive = UserProfile {
        active: false,
        ..profile("old")
    };
    let target = TargetSnapshot {
        users: vec![
            target_user("a", Some("1"), &profile("ada")),
            target_user("b", Some("2"), &profile("bob.before")),
            target_user("d", Some("4"), &profile("missing")),
            target_user("e", Some("5"), &inactive),
        ],
        groups: vec![
            target_group("t", Some("g"), "team", &["a", "b"]),
            target_group("u", Some("h"), "before", &["b"]),
            target_group("v", Some("i"), "missing", &["a"]),
        ],
        ..TargetSnapshot::default()
    };
    (source, target)
}

#[test]
fn an_incomplete_source_removes_nothing_and_everything_else_goes_on() {
    let (mut source, target) = with_every_kind_of_removal();
    let complete = plan(&source, &target, DELETE, now(), 0);
    assert_eq!(
        complete.removals().collect::<Vec<_>>(),
        ["user ada", "user missing", "user old", "group missing"],
        "{complete}"
    );
    assert_eq!(complete.counts().members_removed, 2);
    source.incomplete = vec![unread("user 00u4 in the members of group team")];
    let partial = plan(&source, &target, DELETE, now(), 0);
    assert_eq!(
        partial.to_string(),
        "Sync: 1 user to create, 1 user to update, 1 group to update, 1 member to add\n  \
           ~ user bob (was bob.before): displayName, userName\n  \
           + user new\n  \
           ~ group renamed (was before): +1 -0 members\n  \
           ! not read from the source: user 00u4 in the members of group team (no `profile`)\n  \
           ! removals deferred to a run that can read everything: user ada, user missing, user old, 1 member of group team (bob (not a member in the source)), 1 member of group renamed (bob (not a member in the source)), group missing\n"
    );
}

#[test]
fn an_incomplete_target_removes_nothing_and_creates_nothing_that_may_exist() {
    let (source, target) = with_every_kind_of_removal();
    let mut unread_user = target.clone();
    unread_user.unread_users = vec![unread("user new")];
    check(
        &source,
        &unread_user,
        DELETE,
        &[
            "~ user bob (was bob.before): displayName, userName",
            "~ group renamed (was before)",
        ],
    );
    let mut unread_group = target;
    unread_group.groups.remove(1);
    unread_group.unread_groups = vec![unread("group renamed")];
    check(
        &source,
        &unread_group,
        DELETE,
        &[
            "~ user bob (was bob.before): displayName, userName",
            "+ user new",
        ],
    );
}

#[test]
fn an_incomplete_source_does_not_give_the_account_of_an_unread_user_to_another_user() {
    let mut source = source(&[("9", "ada")], &[("k", "team", &["9"])]);
    source.incomplete = vec![unread("user 1")];
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada"))],
        groups: vec![target_group("t", Some("g"), "team", &["a"])],
        ..TargetSnapshot::default()
    };
    check(&source, &target, DELETE, &[]);
    let plan = plan(&source, &target, DELETE, now(), 0);
    assert_eq!(plan.skipped[0].reason, MAY_BELONG_TO_ANOTHER);
    assert_eq!(
        plan.notes[0],
        format!("group team is skipped: {MAY_BELONG_TO_ANOTHER}")
    );
}

#[test]
fn a_plan_is_the_same_after_it_was_saved_and_loaded() {
    let (source, target) = with_every_kind_of_removal();
    let plan = plan(&source, &target, DELETE, now(), 3);
    let json = serde_json::to_string(&plan).expect("JSON");
    let loaded: SyncPlan = serde_json::from_str(&json).expect("a plan");
    assert_eq!(loaded, plan);
    assert_eq!(serde_json::to_string(&loaded).expect("JSON"), json);
}

fn with_email(name: &str, email: &str) -> UserProfile {
    UserProfile {
        email: Some(email.to_owned()),
        ..profile(name)
    }
}

#[test]
fn of_two_users_with_one_email_address_the_one_that_has_it_in_the_target_stays() {
    let mut source = source(&[("1", "ada"), ("2", "bob")], &[("g", "team", &["1", "2"])]);
    source.users[0].profile.email = Some("Team@example.com".into());
    source.users[1].profile.email = Some("team@example.com".into());
    check(
        &source,
        &TargetSnapshot::default(),
        DELETE,
        &["+ user ada", "+ group team with 1 member"],
    );
    let mut target = TargetSnapshot {
        users: vec![target_user(
            "b",
            Some("2"),
            &with_email("bob", "team@example.com"),
        )],
        groups: vec![target_group("t", Some("g"), "team", &["b"])],
        ..TargetSnapshot::default()
    };
    check(&source, &target, DELETE, &[]);
    let found = plan(&source, &target, DELETE, now(), 0);
    assert_eq!(
        found.to_string(),
        "Sync: No changes\n  \
           ! ada is skipped: the email address Team@example.com also belongs to user bob (2), which keeps it; change it for one of the two users in the source\n  \
           ! group team: not added, because skipped: ada\n"
    );
    // The cached state has digests only, and finds the same.
    target.users[0].scim_user = None;
    let cached = plan(&source, &target, DELETE, now(), 0);
    assert_eq!(cached.skipped, found.skipped);
}

#[test]
fn a_new_user_with_the_email_address_of_a_kept_account_is_skipped_and_both_are_named() {
    let mut source = source(&[("1", "ada")], &[]);
    source.users[0].profile.email = Some("it@example.com".into());
    let inactive = UserProfile {
        active: false,
        ..with_email("leaver", "IT@example.com")
    };
    let target = TargetSnapshot {
        users: vec![target_user("z", Some("9"), &inactive)],
        ..TargetSnapshot::default()
    };
    let plan = plan(&source, &target, Policy::default(), now(), 0);
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.skipped[0].reason,
        "the email address it@example.com belongs to the account leaver (9) in the target; change it in the source, or change or delete that account"
    );
}

#[test]
fn a_user_recreated_in_the_source_keeps_its_account_although_the_state_has_digests_only() {
    let source = source(&[("2", "ada")], &[]);
    let mut target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("Ada"))],
        ..TargetSnapshot::default()
    };
    target.users[0].scim_user = None;
    let plan = plan(&source, &target, Policy::default(), now(), 0);
    assert!(plan.skipped.is_empty(), "{plan}");
}

#[test]
fn an_inactive_record_beside_the_active_one_with_the_same_name_stops_nobody() {
    let mut source = source(&[("1", "ada"), ("2", "Ada"), ("3", "bob")], &[]);
    source.users[0].profile.active = false;
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada.old"))],
        ..TargetSnapshot::default()
    };
    // The account of the inactive record is not removed: the records contradict each other.
    check(&source, &target, DELETE, &["+ user Ada", "+ user bob"]);
    let kept = plan(&source, &target, DELETE, now(), 0).kept;
    assert_eq!(
        kept[0].to_string(),
        "kept, because the records in the source contradict each other: user ada.old"
    );
}

#[test]
fn a_record_without_id_removes_no_account_and_no_member() {
    let source = source(&[("", "ada"), ("3", "bob")], &[("g", "team", &["3"])]);
    let target = TargetSnapshot {
        users: vec![
            target_user("a", Some("1"), &profile("Ada")),
            target_user("b", Some("3"), &profile("bob")),
        ],
        groups: vec![target_group("t", Some("g"), "team", &["a", "b"])],
        ..TargetSnapshot::default()
    };
    check(&source, &target, DELETE, &[]);
}

#[test]
fn two_groups_with_one_name_concern_only_each_other() {
    let groups: [(&str, &str, &[&str]); 3] = [
        ("g", "team", &["1"]),
        ("h", "team", &[]),
        ("i", "other", &["1"]),
    ];
    let source = source(&[("1", "ada")], &groups);
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada"))],
        groups: vec![target_group("u", Some("h"), "team", &["a"])],
        ..TargetSnapshot::default()
    };
    check(
        &source,
        &target,
        DELETE,
        &[
            "~ group team: +0 -1 members; removes ada (not a member in the source)",
            "+ group other with 1 member",
        ],
    );
}

#[test]
fn removals_are_named_with_their_reason() {
    let mut source = source(
        &[("1", "ada"), ("2", "bob"), ("3", "eve"), ("5", "")],
        &[("g", "team", &["3"])],
    );
    source.users[1].profile.active = false;
    source.users[1].profile.family_name.clear();
    source.users[1].profile.email = Some("bob@example.com".into());
    source.users.pop();
    for user in &mut source.users {
        user.profile.email = Some(format!("{}@example.com", user.profile.user_name));
    }
    let mut target = TargetSnapshot {
        users: vec![
            target_user("a", Some("1"), &source.users[0].profile),
            target_user("b", Some("2"), &with_email("bob", "bob@example.com")),
            target_user("c", Some("3"), &source.users[2].profile),
            target_user("d", Some("4"), &with_email("dan", "dan@example.com")),
        ],
        groups: vec![target_group("t", Some("g"), "team", &["a", "b", "c", "d"])],
        ..TargetSnapshot::default()
    };
    // The cached state has no names. The source has those of its users.
    for user in &mut target.users {
        user.scim_user = None;
    }
    let policy = Policy {
        dialect: Dialect::AwsIdentityCenter,
        ..Policy::default()
    };
    check(
        &source,
        &target,
        policy,
        &[
            "x user bob (deactivated: inactive in the source; name.familyName is required)",
            "x user 4 (target id d) (deactivated: missing in the source)",
            "~ group team: +0 -3 members; removes ada (not a member in the source), bob (inactive in the source), 4 (missing in the source)",
        ],
    );
}

#[test]
fn a_group_with_another_letter_case_is_adopted_unless_the_exact_name_exists() {
    let source = source(&[], &[("g", "team", &[])]);
    let mut target = TargetSnapshot {
        users: Vec::new(),
        groups: vec![target_group("t", None, "Team", &[])],
        ..TargetSnapshot::default()
    };
    let adopted = "~ group team (was Team) (already exists, adopted)";
    check(&source, &target, DELETE, &[adopted]);
    target.groups.push(target_group("u", None, "team", &[]));
    check(
        &source,
        &target,
        DELETE,
        &["~ group team (already exists, adopted)"],
    );
}

#[test]
fn a_removal_that_a_contradiction_prevents_is_kept_or_unread() {
    // A left-out group keeps a member that has left it, and a group with two records keeps all members.
    let mut source = source(
        &[("1", "ada"), ("2", "bob")],
        &[("g", "team", &["1"]), ("h", "Team", &[]), ("i", "two", &[])],
    );
    let mut second = source.groups[2].clone();
    second.name = "three".to_owned();
    source.groups.push(second);
    let members: &[&str] = &["a", "b"];
    let target = TargetSnapshot {
        users: vec![
            target_user("a", Some("1"), &profile("ada")),
            target_user("b", Some("2"), &profile("bob")),
        ],
        groups: vec![
            target_group("t", Some("g"), "old team", members),
            target_group("u", Some("h"), "team", members),
            target_group("v", Some("i"), "two", members),
        ],
        ..TargetSnapshot::default()
    };
    let plan = plan(&source, &target, DELETE, now(), 0);
    let kept: Vec<String> = plan.kept.iter().map(ToString::to_string).collect();
    assert_eq!(
        kept,
        [
            "kept, because the group is skipped: 1 member of group team (bob (not a member in the source))"
        ],
        "{plan}"
    );
    assert_eq!(
        plan.unread,
        ["group two: the records in the source contradict each other, so it keeps its members"]
    );
}

#[test]
fn a_kept_member_has_the_name_that_the_group_has_in_a_reviewed_plan() {
    let groups: [(&str, &str, &[&str]); 1] = [("g", "new name", &[])];
    let mut source = source(&[("1", "ada")], &groups);
    source.incomplete = vec![unread("user 00u4")];
    let target = TargetSnapshot {
        users: vec![target_user("a", Some("1"), &profile("ada"))],
        groups: vec![target_group("t", Some("g"), "old name", &["a"])],
        ..TargetSnapshot::default()
    };
    let plan = plan(&source, &target, DELETE, now(), 0);
    let names = UserNames::default();
    let kept: Vec<String> = kept_removals(&plan, &names)
        .map(|(change, _)| change.subject.to_string())
        .collect();
    assert_eq!(kept, ["membership of ada in group new name"]);
}
