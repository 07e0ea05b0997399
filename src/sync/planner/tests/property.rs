//! Property test with random sources and targets: the plan makes the target match the source, the next plan is empty, and
//! unmanaged resources are kept.

use proptest::prelude::*;

use super::*;

/// Applies a plan to a model of the target.
fn apply(target: &TargetSnapshot, plan: &SyncPlan) -> TargetSnapshot {
    let mut after = target.clone();
    let mut created_ids: HashMap<ExternalId, ResourceId> = HashMap::new();
    let user = |id: &ResourceId, external_id: &ExternalId, profile: &UserProfile| TargetUser {
        id: id.clone(),
        external_id: Some(external_id.clone()),
        digest: profile.digest(),
        is_read: true,
        owned: profile.attributes(),
        kept: None,
        keys: profile.keys(),
        active: profile.active,
        managed: true,
        adopted: false,
        inactive_since: None,
        cached_external_id: None,
        scim_user: Some(Box::new(
            profile.merge_into(scim_types::User::default(), external_id),
        )),
    };
    for change in &plan.users {
        match change {
            UserChange::Create {
                external_id,
                profile,
            } => {
                let id = rid(format!("new-{external_id}"));
                created_ids.insert(external_id.clone(), id.clone());
                after.users.push(user(&id, external_id, profile));
            }
            UserChange::Update {
                id,
                external_id,
                profile,
                ..
            } => {
                let index = after.users.iter().position(|found| found.id == *id);
                after.users[index.expect("the user exists")] = user(id, external_id, profile);
            }
            UserChange::Deactivate(removed) => {
                let found = after.users.iter_mut().find(|user| user.id == removed.id);
                let found = found.expect("the user exists");
                found.active = false;
                let scim_user = found.scim_user.as_mut().expect("the user was read");
                scim_user.active = Some(false);
                found.digest = UserProfile::of(scim_user).digest();
            }
            UserChange::Delete(removed) => {
                after.users.retain(|user| user.id != removed.id);
                for group in &mut after.groups {
                    let members = group.members.as_mut().expect("the members are known");
                    members.remove(&removed.id);
                }
            }
        }
    }
    let id_of = |member: &Member| {
        let created = created_ids.get(&member.external_id).cloned();
        member.id.clone().or(created).expect("the member exists")
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
                cached_external_id: None,
                members: Some(members.iter().map(id_of).collect()),
                adopted: false,
                other_members: Vec::new(),
            }),
            GroupChange::Update {
                id,
                external_id,
                name,
                add,
                remove,
                ..
            } => {
                let found = after.groups.iter_mut().find(|group| group.id == *id);
                let found = found.expect("the group exists");
                found.external_id = Some(external_id.clone());
                found.name.clone_from(name);
                found.managed = true;
                let members = found.members.as_mut().expect("the members are known");
                members.extend(add.iter().map(id_of));
                members.retain(|id| !remove.iter().any(|member| member.id == *id));
            }
            GroupChange::Delete(removed) => after.groups.retain(|group| group.id != removed.id),
        }
    }
    after
}

/// Users by number: the number of the name, and whether the user is active.
type Users = BTreeMap<u8, (u8, bool)>;
/// Groups by number: the number of the name, and the members.
type Groups = BTreeMap<u8, (u8, BTreeSet<u8>)>;

fn any_users() -> impl Strategy<Value = Users> {
    prop::collection::btree_map(0..12_u8, (0..24_u8, prop::bool::weighted(0.8)), 0..10)
}

fn any_groups() -> impl Strategy<Value = Groups> {
    let members = prop::collection::btree_set(0..12_u8, 0..8);
    prop::collection::btree_map(0..6_u8, (0..12_u8, members), 0..5)
}

/// Keeps the first of several entries with the same name, because names are unique in a directory.
fn with_unique_names<T: Clone>(entries: &BTreeMap<u8, (u8, T)>) -> BTreeMap<u8, (u8, T)> {
    let mut names = BTreeSet::new();
    entries
        .iter()
        .filter(|(_, (name, _))| names.insert(*name))
        .map(|(id, rest)| (*id, rest.clone()))
        .collect()
}

fn directory(users: &Users, groups: &Groups) -> Directory {
    Directory {
        users: with_unique_names(users)
            .iter()
            .map(|(id, (name, active))| {
                let profile = UserProfile {
                    active: *active,
                    ..profile(&format!("u{name}"))
                };
                User::new(ext(id), profile)
            })
            .collect(),
        groups: with_unique_names(groups)
            .iter()
            .map(|(id, (name, members))| Group {
                id: ext(format!("g{id}")),
                name: format!("t{name}"),
                members: members.iter().map(ext).collect(),
            })
            .collect(),
        ..Directory::default()
    }
}

/// Removes the users and groups from a source that cannot have their names, because the target has them in another place.
fn without_collisions(mut source: Directory, target: &TargetSnapshot, policy: Policy) -> Directory {
    loop {
        let plan = plan(&source, target, policy, now(), 0);
        let is_skipped = |name: &str| {
            let note = format!("group {name} is skipped:");
            plan.skipped.iter().any(|skipped| skipped.name == name)
                || plan.notes.iter().any(|found| found.starts_with(&note))
        };
        // An inactive user that cannot be written is deactivated all the same.
        let is_deactivated = |id: &ExternalId| {
            plan.users.iter().any(|change| match change {
                UserChange::Deactivate(removed) => {
                    removed.why != Why::Missing && removed.external_id.as_ref() == Some(id)
                }
                _ => false,
            })
        };
        let before = source.users.len() + source.groups.len();
        source
            .users
            .retain(|user| !is_skipped(&user.profile.user_name) && !is_deactivated(&user.id));
        source.groups.retain(|group| !is_skipped(&group.name));
        let users: BTreeSet<&ExternalId> = source.users.iter().map(|user| &user.id).collect();
        for group in &mut source.groups {
            group.members.retain(|member| users.contains(member));
        }
        if before == source.users.len() + source.groups.len() {
            return source;
        }
    }
}

/// A target with managed users and groups, and with unmanaged ones: every fourth number, if `unmanaged` is below 4.
fn target(users: &Users, groups: &Groups, unmanaged: u8) -> TargetSnapshot {
    let external_id = |number: u8, id: String| (number % 4 != unmanaged).then_some(id);
    let users = with_unique_names(users);
    TargetSnapshot {
        users: users
            .iter()
            .map(|(id, (name, active))| {
                let profile = UserProfile {
                    active: *active,
                    ..profile(&format!("u{name}"))
                };
                let external_id = external_id(*id, id.to_string());
                target_user(&format!("r{id}"), external_id.as_deref(), &profile)
            })
            .collect(),
        groups: with_unique_names(groups)
            .iter()
            .map(|(id, (name, members))| {
                let members: Vec<String> = members
                    .iter()
                    .filter(|member| users.contains_key(member))
                    .map(|member| format!("r{member}"))
                    .collect();
                let members: Vec<&str> = members.iter().map(String::as_str).collect();
                let external_id = external_id(*id, format!("g{id}"));
                target_group(
                    &format!("t{id}"),
                    external_id.as_deref(),
                    &format!("t{name}"),
                    &members,
                )
            })
            .collect(),
        ..TargetSnapshot::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_plans_make_the_target_match_the_source_and_the_next_plan_is_empty(
        users in any_users(), groups in any_groups(),
        target_users in any_users(), target_groups in any_groups(), unmanaged in 0..5_u8, delete: bool,
    ) {
        let before = target(&target_users, &target_groups, unmanaged);
        let policy = if delete { DELETE } else { Policy::default() };
        let source = without_collisions(directory(&users, &groups), &before, policy);
        let first = plan(&source, &before, policy, now(), 0);
        let adopted = apply(&before, &first);
        // A group that the first plan adopts loses no member. The second plan removes its other members, and nothing else.
        for (group, kept) in &first.members_of_adopted {
            let found = adopted.groups.iter().find(|found| found.name == *group).expect("the adopted group");
            let members = found.members.as_ref().expect("the members are known");
            let exists = |id: &&ResourceId| adopted.users.iter().any(|user| user.id == **id);
            prop_assert!(kept.iter().filter(exists).all(|id| members.contains(id)));
        }
        let mut second = plan(&source, &adopted, policy, now(), 1);
        prop_assert!(!first.members_of_adopted.is_empty() || second.groups.is_empty(), "{}", second);
        // The deletions of users are checked below.
        second.users.clear();
        let after = apply(&adopted, &second);

        // Every active user of the source is in the target with the same profile. Inactive users may be missing.
        let mut ids = HashMap::new();
        for user in &source.users {
            let found = after.users.iter().find(|found| found.external_id.as_ref() == Some(&user.id));
            match found {
                Some(found) => {
                    ids.insert(&user.id, &found.id);
                    prop_assert_eq!(UserProfile::of(found.scim_user.as_ref().expect("the user was read")), user.profile.clone());
                }
                None => prop_assert!(!user.profile.active),
            }
        }
        // Every group of the source has the same name and members in the target, except for unmanaged members.
        let unmanaged_users: BTreeSet<&ResourceId> = before.users.iter()
            .filter(|user| !user.managed && !ids.values().any(|id| **id == user.id))
            .map(|user| &user.id)
            .collect();
        for group in &source.groups {
            let found = after.groups.iter().find(|found| found.external_id.as_ref() == Some(&group.id));
            let found = found.expect("the group exists");
            prop_assert_eq!(&found.name, &group.name);
            let present: BTreeSet<&ResourceId> = found.members.iter().flatten()
                .filter(|id| !unmanaged_users.contains(id)).collect();
            let wanted: BTreeSet<&ResourceId> = group.members.iter()
                .filter_map(|member| ids.get(member).copied()).collect();
            prop_assert_eq!(present, wanted);
        }
        // Unmanaged users are unchanged. Unmanaged groups still exist, with their unmanaged members.
        for id in &unmanaged_users {
            let unchanged = before.users.iter().find(|user| user.id == **id);
            prop_assert_eq!(after.users.iter().find(|user| user.id == **id), unchanged);
        }
        for group in before.groups.iter().filter(|group| !group.managed) {
            let found = after.groups.iter().find(|after| after.id == group.id);
            let found = found.expect("the unmanaged group still exists");
            for id in group.members.iter().flatten().filter(|id| unmanaged_users.contains(id)) {
                prop_assert!(found.members.as_ref().expect("the members are known").contains(id));
            }
        }
        // Only users that were inactive before are deleted.
        for change in &first.users {
            if let UserChange::Delete(removed) = change {
                let user = before.users.iter().find(|user| user.id == removed.id).expect("the user existed");
                prop_assert!(user.managed && !user.active);
            }
        }
        // The next plan has no changes, except deletions of users that this run has deactivated.
        let second = plan(&source, &after, policy, now(), 0);
        let unexpected: Vec<&UserChange> = second.users.iter().filter(|change| !matches!(change, UserChange::Delete(_))).collect();
        prop_assert!(unexpected.is_empty() && second.groups.is_empty(), "{}", second);
        let third = plan(&source, &apply(&after, &second), policy, now(), 0);
        prop_assert!(third.is_empty(), "{}", third);
    }
}
