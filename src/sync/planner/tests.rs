use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::sync::{Guard, Refusal};

fn ext(id: impl std::fmt::Display) -> ExternalId {
    ExternalId::new(id.to_string())
}

fn rid(id: impl std::fmt::Display) -> ResourceId {
    ResourceId::parse(id.to_string()).expect("an id")
}

fn profile(name: &str) -> Profile {
    Profile {
        user_name: name.to_owned(),
        given_name: "G".into(),
        family_name: "F".into(),
        display_name: name.to_owned(),
        email: None,
        active: true,
        more: BTreeMap::new(),
    }
}

fn known_user(id: &str, external_id: Option<&str>, profile: &Profile) -> KnownUser {
    let external_id = external_id.map(ext);
    let read = profile.written_onto(scim_types::User::default(), &ext("x"));
    KnownUser {
        id: rid(id),
        digest: profile.digest(),
        active: profile.active,
        managed: external_id.is_some(),
        external_id,
        inactive_since: None,
        read: Some(Box::new(read)),
    }
}

fn known_group(id: &str, external_id: Option<&str>, name: &str, members: &[&str]) -> KnownGroup {
    KnownGroup {
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
fn check(source: &Directory, known: &Known, policy: Policy, expected: &[&str]) {
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
        &Known::default(),
        Policy::default(),
        &["+ user ada", "+ user bob", "+ group team with 2 members"],
    );
}

#[test]
fn a_rename_and_a_new_login_are_updates_and_never_a_deletion_and_a_creation() {
    let source = source(&[("1", "ada.king")], &[("g", "engines", &["1"])]);
    let known = Known {
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
    let known = Known {
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
    let known = Known {
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
        let profile = Profile {
            active,
            ..profile("bob")
        };
        Known {
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
    let known = Known {
        users: vec![known_user("a", None, &profile("theirs"))],
        groups: vec![known_group("t", None, "theirs", &["a"])],
    };
    check(&source(&[], &[]), &known, DELETE, &[]);
    // Nor is their user taken out of a group of ours.
    let ours = Known {
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
    let known = Known {
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
    let known = Known {
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
    let known = Known {
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

mod guards {
    use super::*;

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

    fn known(range: std::ops::Range<usize>, prefix: &str) -> Known {
        Known {
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

    fn refused(source: &Directory, known: &Known, guard: &Guard) -> Option<String> {
        let plan = plan(source, known, DELETE, now(), 0);
        guard.check(&plan).err().map(|refusal| refusal.to_string())
    }

    #[test]
    fn an_empty_source_removes_nobody() {
        let refusal = refused(&people(0..0), &known(0..50, ""), &Guard::at_most(1000));
        assert_eq!(
            refusal.as_deref(),
            Some("the source has nobody who may sign in, and the target has 50 managed users")
        );
    }

    #[test]
    fn more_than_a_tenth_is_refused_and_a_tenth_is_not() {
        let (all, guard) = (known(0..20, ""), Guard::default());
        assert_eq!(refused(&people(0..18), &all, &guard), None);
        assert_eq!(
            refused(&people(0..17), &all, &guard).as_deref(),
            Some(
                "the plan takes away 3 of 20 managed users and groups, and the guard allows 2: user user17, user \
                 user18, user user19"
            )
        );
        assert_eq!(refused(&people(0..14), &all, &Guard::at_most(6)), None);
        assert!(refused(&people(0..14), &all, &Guard::at_most(5)).is_some());
    }

    #[test]
    fn one_of_a_few_may_leave() {
        assert_eq!(
            refused(&people(0..2), &known(0..3, ""), &Guard::default()),
            None
        );
    }

    #[test]
    fn a_source_that_has_given_everybody_a_new_id_is_refused_even_if_their_names_are_the_same() {
        let guard = Guard::at_most(1000);
        let refusal = refused(&people(0..20), &known(0..20, "old"), &guard);
        assert_eq!(
            refusal.as_deref(),
            Some(
                "the source does not know the ids of 20 of 20 managed users any more, and has 20 who are new"
            )
        );
        let allowed = Guard {
            new_ids: true,
            ..guard
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
        let group = |external_id, name| Known {
            users: Vec::new(),
            groups: vec![known_group("t", external_id, name, &[])],
        };
        for (source, known) in [
            (&named, Known::default()),
            (&named, group(None, name)),
            (&named, group(Some("g"), "other")),
            (&other, group(Some("g"), name)),
            (&super::source(&[], &[]), group(Some("g"), name)),
        ] {
            assert_eq!(
                refused(source, &known, &Guard::default()).as_deref(),
                Some("the plan changes what is protected: group AWSControlTowerAdmins")
            );
        }
        assert_eq!(
            refused(&named, &group(Some("g"), name), &Guard::default()),
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
            refused(&source, &known, &Guard::default()).as_deref(),
            Some("the plan removes 20 of 20 memberships, and the guard allows 10")
        );
    }

    #[test]
    fn every_refusal_is_an_error_with_a_way_out() {
        let error = crate::Error::from(Refusal::EmptySource { managed: 3 });
        assert_eq!(error.kind(), crate::ErrorKind::Guarded);
        assert!(error.way_out().is_some_and(|help| help.contains("scope")));
    }
}

/// Does to a model of the target what a plan says.
fn apply(known: &Known, plan: &SyncPlan) -> Known {
    let mut after = known.clone();
    let mut made: HashMap<ExternalId, ResourceId> = HashMap::new();
    let user = |id: &ResourceId, external_id: &ExternalId, profile: &Profile| KnownUser {
        id: id.clone(),
        external_id: Some(external_id.clone()),
        digest: profile.digest(),
        active: profile.active,
        managed: true,
        inactive_since: None,
        read: Some(Box::new(
            profile.written_onto(scim_types::User::default(), external_id),
        )),
    };
    for change in &plan.users {
        match change {
            UserChange::Create {
                external_id,
                profile,
            } => {
                let id = rid(format!("new-{external_id}"));
                made.insert(external_id.clone(), id.clone());
                after.users.push(user(&id, external_id, profile));
            }
            UserChange::Update {
                id,
                external_id,
                profile,
                ..
            } => {
                let place = after.users.iter().position(|known| known.id == *id);
                after.users[place.expect("a user")] = user(id, external_id, profile);
            }
            UserChange::Deactivate(gone) => {
                let found = after.users.iter_mut().find(|known| known.id == gone.id);
                let found = found.expect("a user");
                found.active = false;
                let read = found.read.as_mut().expect("a user who was read");
                read.active = Some(false);
                found.digest = Profile::of(read).digest();
            }
            UserChange::Delete(gone) => {
                after.users.retain(|known| known.id != gone.id);
                for group in &mut after.groups {
                    group.members.as_mut().expect("members").remove(&gone.id);
                }
            }
        }
    }
    let id_of = |member: &Member| {
        let made = made.get(&member.external_id).cloned();
        member.id.clone().or(made).expect("somebody who is there")
    };
    for change in &plan.groups {
        match change {
            GroupChange::Create {
                external_id,
                name,
                members,
            } => after.groups.push(KnownGroup {
                id: rid(format!("new-{external_id}")),
                external_id: Some(external_id.clone()),
                name: name.clone(),
                managed: true,
                members: Some(members.iter().map(id_of).collect()),
            }),
            GroupChange::Update {
                id,
                external_id,
                name,
                add,
                remove,
                ..
            } => {
                let found = after.groups.iter_mut().find(|known| known.id == *id);
                let found = found.expect("a group");
                found.external_id = Some(external_id.clone());
                found.name.clone_from(name);
                found.managed = true;
                let members = found.members.as_mut().expect("members");
                members.extend(add.iter().map(id_of));
                members.retain(|id| !remove.contains(id));
            }
            GroupChange::Delete(gone) => after.groups.retain(|known| known.id != gone.id),
        }
    }
    after
}

/// Users by number: their name and whether they are active. Groups by number: their name and members.
type People = BTreeMap<u8, (u8, bool)>;
type Teams = BTreeMap<u8, (u8, BTreeSet<u8>)>;

fn people() -> impl Strategy<Value = People> {
    prop::collection::btree_map(0..12_u8, (0..24_u8, prop::bool::weighted(0.8)), 0..10)
}

fn teams() -> impl Strategy<Value = Teams> {
    let members = prop::collection::btree_set(0..12_u8, 0..8);
    prop::collection::btree_map(0..6_u8, (0..12_u8, members), 0..5)
}

/// Names are unique in any directory: of two with one name the first is taken.
fn distinct<T: Clone>(all: &BTreeMap<u8, (u8, T)>) -> BTreeMap<u8, (u8, T)> {
    let mut names = BTreeSet::new();
    all.iter()
        .filter(|(_, (name, _))| names.insert(*name))
        .map(|(id, rest)| (*id, rest.clone()))
        .collect()
}

fn directory(users: &People, groups: &Teams) -> Directory {
    Directory {
        users: distinct(users)
            .iter()
            .map(|(id, (name, active))| {
                let profile = Profile {
                    active: *active,
                    ..profile(&format!("u{name}"))
                };
                User::new(ext(id), profile)
            })
            .collect(),
        groups: distinct(groups)
            .iter()
            .map(|(id, (name, members))| Group {
                id: ext(format!("g{id}")),
                name: format!("t{name}"),
                members: members.iter().map(ext).collect(),
            })
            .collect(),
        remarks: Vec::new(),
    }
}

/// A target in which some are managed and some were made by others.
fn target(users: &People, groups: &Teams, theirs: u8) -> Known {
    let external_id = |number: u8, id: String| (number % 4 != theirs).then_some(id);
    let users = distinct(users);
    Known {
        users: users
            .iter()
            .map(|(id, (name, active))| {
                let profile = Profile {
                    active: *active,
                    ..profile(&format!("u{name}"))
                };
                let external_id = external_id(*id, id.to_string());
                known_user(&format!("r{id}"), external_id.as_deref(), &profile)
            })
            .collect(),
        groups: distinct(groups)
            .iter()
            .map(|(id, (name, members))| {
                let members: Vec<String> = members
                    .iter()
                    .filter(|member| users.contains_key(member))
                    .map(|member| format!("r{member}"))
                    .collect();
                let members: Vec<&str> = members.iter().map(String::as_str).collect();
                let external_id = external_id(*id, format!("g{id}"));
                known_group(
                    &format!("t{id}"),
                    external_id.as_deref(),
                    &format!("t{name}"),
                    &members,
                )
            })
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_makes_the_target_like_the_source_and_the_next_plan_is_empty(
        users in people(), groups in teams(), there in people(), grouped in teams(), theirs in 0..5_u8, delete: bool,
    ) {
        let (source, known) = (directory(&users, &groups), target(&there, &grouped, theirs));
        let policy = if delete { DELETE } else { Policy::default() };
        let first = plan(&source, &known, policy, now(), 0);
        let after = apply(&known, &first);

        // Everybody of the source who is active is there, as the source says; who is not active cannot sign in.
        let mut ids = HashMap::new();
        for user in &source.users {
            let found = after.users.iter().find(|known| known.external_id.as_ref() == Some(&user.id));
            match found {
                Some(found) => {
                    ids.insert(&user.id, &found.id);
                    prop_assert_eq!(Profile::of(found.read.as_ref().expect("read")), user.profile.clone());
                }
                None => prop_assert!(!user.profile.active),
            }
        }
        // Every group of the source has its name, and the members who are there and nobody else, strangers apart.
        let strangers: BTreeSet<&ResourceId> = known.users.iter()
            .filter(|user| !user.managed && !ids.values().any(|id| **id == user.id))
            .map(|user| &user.id)
            .collect();
        for group in &source.groups {
            let found = after.groups.iter().find(|known| known.external_id.as_ref() == Some(&group.id));
            let found = found.expect("a group");
            prop_assert_eq!(&found.name, &group.name);
            let present: BTreeSet<&ResourceId> = found.members.iter().flatten()
                .filter(|id| !strangers.contains(id)).collect();
            let wanted: BTreeSet<&ResourceId> = group.members.iter()
                .filter_map(|member| ids.get(member).copied()).collect();
            prop_assert_eq!(present, wanted);
        }
        // What others have made is there still, and as it was unless the source has it too.
        for stranger in &strangers {
            let before = known.users.iter().find(|user| user.id == **stranger);
            prop_assert_eq!(after.users.iter().find(|user| user.id == **stranger), before);
        }
        for group in known.groups.iter().filter(|group| !group.managed) {
            let found = after.groups.iter().find(|after| after.id == group.id);
            let found = found.expect("a group of others");
            for stranger in group.members.iter().flatten().filter(|id| strangers.contains(id)) {
                prop_assert!(found.members.as_ref().expect("members").contains(stranger));
            }
        }
        // Users first are deactivated, never deleted at once.
        for change in &first.users {
            if let UserChange::Delete(gone) = change {
                let before = known.users.iter().find(|user| user.id == gone.id).expect("a user");
                prop_assert!(before.managed && !before.active);
            }
        }
        // A user who is deactivated in this run may be deleted by the next; nothing else is left.
        let second = plan(&source, &after, policy, now(), 0);
        let left: Vec<&UserChange> = second.users.iter().filter(|change| !matches!(change, UserChange::Delete(_))).collect();
        prop_assert!(left.is_empty() && second.groups.is_empty(), "{}", second);
        let third = plan(&source, &apply(&after, &second), policy, now(), 0);
        prop_assert!(third.is_empty(), "{}", third);
    }
}
