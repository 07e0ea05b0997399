//! From any source and any target: the plan makes them alike, the next one is empty, and strangers stay.

use proptest::prelude::*;

use super::*;

/// Does to a model of the target what a plan says.
fn apply(known: &TargetSnapshot, plan: &SyncPlan) -> TargetSnapshot {
    let mut after = known.clone();
    let mut made: HashMap<ExternalId, ResourceId> = HashMap::new();
    let user = |id: &ResourceId, external_id: &ExternalId, profile: &UserProfile| TargetUser {
        id: id.clone(),
        external_id: Some(external_id.clone()),
        digest: profile.digest(),
        active: profile.active,
        managed: true,
        inactive_since: None,
        remembered: None,
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
                found.digest = UserProfile::of(read).digest();
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
            } => after.groups.push(TargetGroup {
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
                let profile = UserProfile {
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
fn target(users: &People, groups: &Teams, theirs: u8) -> TargetSnapshot {
    let external_id = |number: u8, id: String| (number % 4 != theirs).then_some(id);
    let users = distinct(users);
    TargetSnapshot {
        users: users
            .iter()
            .map(|(id, (name, active))| {
                let profile = UserProfile {
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
                    prop_assert_eq!(UserProfile::of(found.read.as_ref().expect("read")), user.profile.clone());
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
