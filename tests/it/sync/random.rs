//! Sources that change in every way at once, in runs that follow each other, fail or are dropped.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use okta_aws_sso::sync::{
    Directory, DirectorySync, GroupRemoval, ReadMode, Removal, RemovalLimits,
};
use sandbox::{Fault, Service};
use scim_types::ExternalId;

use super::{
    review::{call, group_id, settled, stranger},
    rig::{Rig, directory},
};

/// What a source looks like after some random changes.
struct Life {
    random: u64,
    next: usize,
    all: Directory,
    /// Those who are out of the source by now.
    gone: Vec<okta_aws_sso::sync::User>,
}

impl Life {
    fn below(&mut self, limit: usize) -> usize {
        // Numerical Recipes' generator is even enough here.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).expect("31 bits") % limit.max(1)
    }

    fn step(&mut self, first: bool) {
        let (users, groups) = (self.all.users.len(), self.all.groups.len());
        let (one, other) = (self.below(users), self.below(users));
        match self.below(13) {
            0 => {
                self.next += 1;
                let name = format!("name.{}@example.com", self.next);
                call(&mut self.all, one, &name);
            }
            1 | 2 if one != other => {
                let (a, b) = (self.name(one), self.name(other));
                call(&mut self.all, one, &b);
                call(&mut self.all, other, &a);
            }
            3 => {
                // Handed on.
                let name = self.name(one);
                self.next += 1;
                let new = format!("name.{}@example.com", self.next);
                call(&mut self.all, one, &new);
                if one != other {
                    call(&mut self.all, other, &name);
                }
            }
            // Who leaves has the name of before: it is not handed on to others.
            4 if first && users > 8 => {
                let gone = self.all.users.remove(one);
                for group in &mut self.all.groups {
                    group.members.remove(&gone.id);
                }
                self.gone.push(gone);
            }
            5 => {
                self.next += 1;
                let mut user = directory(1, 0, 0).users.remove(0);
                user.id = ExternalId::new(format!("00u7{:016}", self.next));
                self.all.users.insert(one, user);
                let name = format!("name.{}@example.com", self.next);
                call(&mut self.all, one, &name);
            }
            6 if !self.gone.is_empty() => {
                let back = self.gone.swap_remove(0);
                self.all.users.push(back);
            }
            7 => {
                let (a, b) = (self.below(groups), self.below(groups));
                let name = self.all.groups[a].name.clone();
                self.all.groups[a].name = std::mem::replace(&mut self.all.groups[b].name, name);
            }
            8 => {
                let a = self.below(groups);
                self.next += 1;
                self.all.groups[a].name = format!("team-{}", self.next);
            }
            9 => self.all.users[one].profile.display_name = format!("Person {other}"),
            10 => {
                let active = &mut self.all.users[one].profile.active;
                *active = !*active;
            }
            _ => {
                let a = self.below(groups);
                let id = self.all.users[one].id.clone();
                if !self.all.groups[a].members.remove(&id) {
                    self.all.groups[a].members.insert(id);
                }
            }
        }
    }

    /// Somebody is deleted and made again under another id, and so is a group.
    fn anew(&mut self) {
        let active = |user: &okta_aws_sso::sync::User| user.profile.active;
        let from = self.below(self.all.users.len());
        let places = (from..self.all.users.len()).chain(0..from);
        let one = places
            .into_iter()
            .find(|place| active(&self.all.users[*place]))
            .expect("somebody who may sign in");
        self.next += 1;
        let id = ExternalId::new(format!("00u8{:016}", self.next));
        let old = std::mem::replace(&mut self.all.users[one].id, id.clone());
        for group in &mut self.all.groups {
            if group.members.remove(&old) {
                group.members.insert(id.clone());
            }
        }
        let one = self.below(self.all.groups.len());
        self.all.groups[one].id = ExternalId::new(format!("00g8{:016}", self.next));
    }

    fn name(&self, place: usize) -> String {
        self.all.users[place].profile.user_name.clone()
    }
}

/// More are tried by hand: `SYNC_SEEDS=500`.
fn seeds() -> u64 {
    let asked = std::env::var("SYNC_SEEDS").ok();
    asked.and_then(|seeds| seeds.parse().ok()).unwrap_or(12)
}

impl Life {
    fn new(seed: u64) -> Self {
        Self {
            random: seed,
            next: 0,
            all: directory(12, 4, 4),
            gone: Vec::new(),
        }
    }

    fn change(&mut self, round: usize) {
        if round % 4 == 3 {
            return self.anew();
        }
        for change in 0..=self.below(5) {
            self.step(change == 0);
        }
    }

    fn sync(&mut self, rig: &Rig) -> DirectorySync {
        let mode = [ReadMode::Cached, ReadMode::Verify, ReadMode::Full][self.below(3)];
        let delete = Removal::Delete {
            after: Duration::ZERO,
        };
        let removal = [Removal::Deactivate, delete][self.below(2)];
        rig.sync(&self.all)
            .mode(mode)
            .removal(removal)
            .group_removal(GroupRemoval::Delete)
            .removal_limits(RemovalLimits {
                max_member_share: 100,
                new_ids: true,
                ..RemovalLimits::at_most(100)
            })
    }
}

/// Somebody of the target: the id, the name and whether they may sign in.
type Account = (String, String, bool);

fn by_external_id(rig: &Rig) -> BTreeMap<String, Account> {
    let users = rig.sandbox.identity_users().into_iter();
    users
        .filter_map(|user| Some((user.external_id?, (user.id, user.user_name, user.active))))
        .collect()
}

/// Asserts that whoever may sign in to the source can, nobody else who is not a stranger, and who is in which group.
#[track_caller]
fn like_the_source(rig: &Rig, all: &Directory, strangers: &[String], what: &str) {
    let there = by_external_id(rig);
    let mut active: BTreeMap<&str, &str> = BTreeMap::new();
    for user in &all.users {
        let found = there.get(user.id.as_str());
        if user.profile.active {
            active.insert(user.id.as_str(), &user.profile.user_name);
        }
        let wanted = (user.profile.user_name.as_str(), user.profile.active);
        let found = found.map_or(("", false), |(_, name, active)| (name.as_str(), *active));
        assert!(
            found == wanted || (found == ("", false) && !wanted.1),
            "{what}: {found:?} and not {wanted:?}"
        );
    }
    let can: BTreeMap<&str, &str> = there
        .iter()
        .filter(|(_, account)| account.2)
        .map(|(id, account)| (id.as_str(), account.1.as_str()))
        .collect();
    assert_eq!(can, active, "{what}");
    let groups = rig.sandbox.identity_groups();
    assert_eq!(groups.len(), all.groups.len(), "{what}");
    for group in &all.groups {
        let found = groups
            .iter()
            .find(|found| found.external_id.as_deref() == Some(group.id.as_str()))
            .unwrap_or_else(|| panic!("{what}: no group {}", group.name));
        assert_eq!(found.display_name, group.name, "{what}");
        let members: BTreeSet<&str> = found
            .members
            .iter()
            .map(String::as_str)
            .filter(|name| strangers.iter().all(|stranger| stranger != name))
            .collect();
        let wanted: BTreeSet<&str> = group
            .members
            .iter()
            .filter_map(|member| Some(there.get(member.as_str())?.1.as_str()))
            .collect();
        assert_eq!(members, wanted, "{what}: {}", group.name);
    }
}

#[tokio::test]
async fn any_changes_in_a_row_end_with_what_the_source_has_last() {
    for seed in 0..seeds() {
        let rig = Rig::new().await;
        let mut life = Life::new(seed);
        rig.run(&rig.sync(&life.all)).await;
        let name = "stranger@example.com";
        let id = stranger(&rig, name).await;
        let group = group_id(&rig, "group-00001");
        let joined = rig.scim.groups().add_members(&group, &[id]).await;
        joined.expect("a member");
        let strangers = [name.to_owned()];
        for round in 0..12 {
            let before = by_external_id(&rig);
            life.change(round);
            let sync = life.sync(&rig);
            let what = format!("seed {seed}, round {round}: {sync:?}");
            let plan = sync.plan().await.expect("a plan");
            let report = sync.apply(&plan).await.expect("a run");
            if let Err(error) = report.complete() {
                panic!("{what}: {}\n{plan}", error.explain());
            }
            like_the_source(&rig, &life.all, &strangers, &what);
            settled(&rig, &life.all).await;
            // Whose account it was it is.
            for (external_id, account) in by_external_id(&rig) {
                if let Some(same) = before.get(&external_id) {
                    assert_eq!(account.0, same.0, "{what}: {external_id}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_fails_or_is_dropped_is_made_good_whatever_the_source_has_by_then() {
    for seed in 0..seeds() {
        let rig = Rig::new().await;
        let mut life = Life::new(seed);
        rig.run(&rig.sync(&life.all)).await;
        for round in 0..6 {
            let before = by_external_id(&rig);
            life.change(round);
            let after = life.below(6);
            let fault = match life.below(4) {
                0 => Fault::stall(Service::Scim, true),
                1 => Fault::stall(Service::Scim, false),
                2 => Fault::fail(Service::Scim, 400, "{}"),
                _ => Fault::refuse(Service::Scim, 500, None),
            };
            let on = ["POST /", "PUT /", "PATCH /", "/"][life.below(4)];
            let sync = life.sync(&rig);
            let plan = sync.plan().await.expect("a plan");
            for _ in 0..30 {
                rig.sandbox.inject(fault.clone().on(on).after(after));
            }
            let run = tokio::time::timeout(Duration::from_millis(100), sync.apply(&plan));
            let ended = run.await;
            rig.sandbox.clear_faults();
            let back = life.below(2) == 0;
            let changed = life.all.clone();
            if back {
                life.change(0);
            }
            let sync = life.sync(&rig);
            let what = format!(
                "seed {seed}, round {round}: {fault:?} {on} {after} {ended:?}\n{plan}\n{changed:?}\n{sync:?}"
            );
            // What was in the way of the first run may be in the way of the names of the second.
            for _ in 0..2 {
                let plan = sync.plan().await.expect("a plan");
                let report = sync.apply(&plan).await.expect("a run");
                if let Err(error) = report.complete() {
                    panic!("{what}: {}\n{plan}", error.explain());
                }
            }
            like_the_source(&rig, &life.all, &[], &what);
            settled(&rig, &life.all).await;
            for (external_id, account) in by_external_id(&rig) {
                if let Some(same) = before.get(&external_id) {
                    assert_eq!(account.0, same.0, "{what}: {external_id}");
                }
            }
        }
    }
}
