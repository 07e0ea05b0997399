//! Sources that change in every way at once, and what a run that ends early leaves behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use okta_aws_sso::sync::{Directory, DirectorySync, GroupRemoval, Guard, Mode, Removal};
use sandbox::{Fault, Service};
use scim_types::{ExternalId, ResourceId, User};

use super::rig::{Rig, directory, user_id};

fn call(all: &mut Directory, place: usize, name: &str) {
    let profile = &mut all.users[place].profile;
    name.clone_into(&mut profile.user_name);
    profile.email = Some(name.to_owned());
}

/// Everybody of the sandbox: the name, by the id of the target, and whether they may sign in.
fn accounts(rig: &Rig) -> BTreeMap<String, (String, bool)> {
    let users = rig.sandbox.identity_users().into_iter();
    users
        .map(|user| (user.id, (user.user_name, user.active)))
        .collect()
}

async fn stranger(rig: &Rig, name: &str) -> ResourceId {
    let stranger: User = serde_json::from_value(serde_json::json!({
        "userName": name, "displayName": "A Stranger", "active": true,
        "name": {"givenName": "A", "familyName": "Stranger"},
    }))
    .expect("a user");
    let made = rig.scim.users().create(&stranger).await.expect("a user");
    made.id.expect("an id")
}

fn group_id(rig: &Rig, name: &str) -> ResourceId {
    let groups = rig.sandbox.identity_groups();
    let group = groups.iter().find(|group| group.display_name == name);
    ResourceId::parse(&group.expect("the group").id).expect("an id")
}

/// In no mode anything is left to be done.
async fn settled(rig: &Rig, all: &Directory) {
    for mode in [Mode::Remember, Mode::Verify, Mode::Full] {
        let left = rig.sync(all).mode(mode).plan().await.expect("a plan");
        assert!(left.is_empty(), "{mode:?}: {left}");
    }
}

#[tokio::test]
async fn who_was_made_anew_in_the_source_keeps_account_access_and_groups_in_every_mode() {
    for mode in [Mode::Remember, Mode::Verify, Mode::Full] {
        let rig = Rig::new().await;
        let mut all = directory(20, 2, 4);
        rig.run(&rig.sync(&all)).await;
        let before = accounts(&rig);
        let again = ExternalId::new("00u90000000000000001");
        let old = std::mem::replace(&mut all.users[1].id, again.clone());
        for group in &mut all.groups {
            if group.members.remove(&old) {
                group.members.insert(again.clone());
            }
        }
        let sync = rig.sync(&all).mode(mode);
        let plan = sync.plan().await.expect("a plan");
        let report = sync.apply(&plan).await.expect("a run");
        assert_eq!(accounts(&rig), before, "{mode:?}: {report:?}");
        rig.run(&rig.sync(&all).mode(mode)).await;
        rig.holds(&all);
        settled(&rig, &all).await;
    }
}

#[tokio::test]
async fn who_leaves_and_hands_the_name_on_in_one_run_leaves_and_hands_it_on() {
    for swap in [false, true] {
        for mode in [Mode::Remember, Mode::Full] {
            let rig = Rig::new().await;
            let mut all = directory(20, 1, 4);
            rig.run(&rig.sync(&all)).await;
            let name = all.users[0].profile.user_name.clone();
            let other = if swap {
                all.users[1].profile.user_name.clone()
            } else {
                "left@example.com".to_owned()
            };
            call(&mut all, 0, &other);
            all.users[0].profile.active = false;
            call(&mut all, 1, &name);
            rig.run(&rig.sync(&all).mode(mode)).await;
            settled(&rig, &all).await;
            let active = accounts(&rig).into_values();
            let active: Vec<bool> = active
                .filter(|(at, _)| *at == other)
                .map(|at| at.1)
                .collect();
            assert_eq!(active, [false]);
        }
    }
}

#[tokio::test]
async fn who_is_adopted_later_leaves_the_groups_that_they_are_not_in() {
    for mode in [Mode::Remember, Mode::Verify, Mode::Full] {
        let rig = Rig::new().await;
        let mut all = directory(20, 2, 4);
        let newcomer = all.users.pop().expect("a user");
        rig.run(&rig.sync(&all)).await;
        let id = stranger(&rig, &newcomer.profile.user_name).await;
        // In one where they are not to be, and in one where they are.
        for group in ["group-00000", "group-00001"] {
            let group = group_id(&rig, group);
            let members = [id.clone()];
            let joined = rig.scim.groups().add_members(&group, &members).await;
            joined.expect("a member");
        }
        all.users.push(newcomer);
        rig.run(&rig.sync(&all).mode(mode)).await;
        if mode == Mode::Remember {
            // What an account that was taken over is in shows when it is taken over, which is after the plan.
            rig.run(&rig.sync(&all).mode(mode)).await;
        }
        rig.holds(&all);
        settled(&rig, &all).await;
    }
}

#[tokio::test]
async fn names_are_protected_in_every_case_of_letters_and_in_every_mode() {
    for mode in [Mode::Remember, Mode::Verify, Mode::Full] {
        for what in 0..4 {
            let rig = Rig::new().await;
            let mut all = directory(20, 2, 4);
            rig.run(&rig.sync(&all)).await;
            rig.sandbox.forget_requests();
            match what {
                0 => drop(all.users.pop()),
                1 => call(&mut all, 19, "another@example.com"),
                2 => all.users[19].profile.display_name = "Another".to_owned(),
                _ => all.groups[1].name = "GROUP-00009".to_owned(),
            }
            let guard = Guard {
                protected_users: ["Person.00019@Example.com".to_owned()].into(),
                protected_groups: ["Group-00009".to_owned()].into(),
                ..Guard::default()
            };
            let sync = rig.sync(&all).mode(mode).guard(guard);
            let plan = sync.plan().await.expect("a plan");
            let refused = sync.apply(&plan).await;
            assert!(refused.is_err(), "{mode:?} {what}: {plan}");
            assert_eq!(rig.sandbox.writes().len(), 0);
        }
    }
}

#[tokio::test]
async fn a_source_that_has_everybody_and_no_groups_deletes_not_all_groups() {
    let rig = Rig::new().await;
    let mut all = directory(200, 6, 30);
    rig.run(&rig.sync(&all)).await;
    rig.sandbox.forget_requests();
    all.groups.clear();
    let sync = rig.sync(&all).group_removal(GroupRemoval::Delete);
    let plan = sync.plan().await.expect("a plan");
    let refused = sync.apply(&plan).await;
    assert!(refused.is_err(), "{plan}");
    assert_eq!(rig.sandbox.writes().len(), 0);
}

#[tokio::test]
async fn users_who_swap_names_and_get_new_addresses_do() {
    for mode in [Mode::Remember, Mode::Full] {
        let rig = Rig::new().await;
        let mut all = directory(6, 1, 4);
        rig.run(&rig.sync(&all)).await;
        let names: Vec<String> = all
            .users
            .iter()
            .map(|u| u.profile.user_name.clone())
            .collect();
        for place in 0..3 {
            let profile = &mut all.users[place].profile;
            profile.user_name.clone_from(&names[(place + 1) % 3]);
            profile.email = Some(format!("new.{place}@example.com"));
        }
        rig.run(&rig.sync(&all).mode(mode)).await;
        rig.holds(&all);
        settled(&rig, &all).await;
    }
}

#[tokio::test]
async fn a_swap_that_was_cut_off_and_taken_back_leaves_nobody_moved_aside() {
    for groups in [false, true] {
        for puts in 4..8 {
            let rig = Rig::new().await;
            let before = directory(6, 2, 4);
            rig.run(&rig.sync(&before)).await;
            let mut all = before.clone();
            if groups {
                all.groups[0].name.clone_from(&before.groups[1].name);
                all.groups[1].name.clone_from(&before.groups[0].name);
            } else {
                call(&mut all, 0, &before.users[1].profile.user_name);
                call(&mut all, 1, &before.users[0].profile.user_name);
            }
            let on = if groups { "PATCH /" } else { "PUT /" };
            for _ in 0..20 {
                let fault = Fault::stall(Service::Scim, true).on(on).after(puts);
                rig.sandbox.inject(fault);
            }
            let sync = rig.sync(&all);
            let run = async {
                let plan = sync.plan().await?;
                sync.apply(&plan).await
            };
            let ended = tokio::time::timeout(Duration::from_millis(300), run).await;
            rig.sandbox.clear_faults();
            if puts == 4 {
                assert!(ended.is_err(), "it went past {puts} writes");
            }
            rig.run(&rig.sync(&before)).await;
            rig.holds(&before);
        }
    }
}

#[tokio::test]
async fn a_membership_of_a_run_that_was_cut_off_is_taken_back_with_the_source() {
    for mode in [Mode::Remember, Mode::Verify] {
        let rig = Rig::new().await;
        let before = directory(6, 1, 4);
        rig.run(&rig.sync(&before)).await;
        let mut all = before.clone();
        all.groups[0].members.insert(ExternalId::new(user_id(5)));
        for _ in 0..20 {
            let fault = Fault::stall(Service::Scim, true).on("PATCH /");
            rig.sandbox.inject(fault);
        }
        let sync = rig.sync(&all);
        let run = async {
            let plan = sync.plan().await?;
            sync.apply(&plan).await
        };
        let ended = tokio::time::timeout(Duration::from_millis(300), run).await;
        assert!(ended.is_err());
        rig.sandbox.clear_faults();
        rig.run(&rig.sync(&before).mode(mode)).await;
        rig.holds(&before);
    }
}

#[tokio::test]
async fn a_membership_whose_answer_was_lost_is_taken_back_with_the_source() {
    for mode in [Mode::Remember, Mode::Verify] {
        let rig = Rig::new().await;
        let before = directory(6, 1, 4);
        rig.run(&rig.sync(&before)).await;
        let mut all = before.clone();
        all.groups[0].members.insert(ExternalId::new(user_id(5)));
        for _ in 0..50 {
            let fault = Fault::hang_up_after_acting(Service::Scim).on("PATCH /");
            rig.sandbox.inject(fault);
        }
        let sync = rig.sync(&all);
        let plan = sync.plan().await.expect("a plan");
        let report = sync.apply(&plan).await.expect("a run");
        assert_eq!(report.failed.len(), 1, "{report:?}");
        rig.sandbox.clear_faults();
        rig.run(&rig.sync(&before).mode(mode)).await;
        rig.holds(&before);
    }
}

#[tokio::test]
async fn nobody_is_moved_aside_for_a_ring_that_cannot_be_undone() {
    for mode in [Mode::Remember, Mode::Full] {
        let rig = Rig::new().await;
        let mut all = directory(6, 1, 4);
        rig.run(&rig.sync(&all)).await;
        let before = all.clone();
        let taken: User = serde_json::from_value(serde_json::json!({
            "userName": "stranger@example.com", "displayName": "A Stranger", "active": true,
            "name": {"givenName": "A", "familyName": "Stranger"},
            "emails": [{"value": "taken@example.com", "type": "work", "primary": true}],
        }))
        .expect("a user");
        let taken = rig.scim.users().create(&taken).await.expect("a user");
        let name = |place: usize| before.users[place].profile.user_name.clone();
        // 3 and 5 swap names and 5 is to get an address that a stranger has; 3 and 4 swap addresses.
        all.users[3].profile.user_name = name(5);
        all.users[3].profile.email = Some(name(4));
        all.users[4].profile.email = Some(name(3));
        all.users[5].profile.user_name = name(3);
        all.users[5].profile.email = Some("taken@example.com".to_owned());
        let sync = rig.sync(&all).mode(mode);
        let plan = sync.plan().await.expect("a plan");
        let report = sync.apply(&plan).await.expect("a run");
        assert_eq!(report.failed.len(), 3, "{report:?}");
        let id = taken.id.expect("an id");
        rig.scim.users().delete(&id).await.expect("a deletion");
        rig.holds(&before);
        rig.run(&sync).await;
        rig.holds(&all);
    }
}

#[tokio::test]
async fn an_adoption_that_stops_half_way_forgets_nobody_who_is_to_leave() {
    let rig = Rig::new().await;
    let mut all = directory(260, 0, 0);
    rig.run(&rig.sync(&all)).await;
    // Made by hand: two of ours are in it who are not to be.
    let group = scim_types::Group::new("group-00000");
    let made = rig.scim.groups().create(&group).await;
    let id = made.expect("a group").id.expect("an id");
    let users = rig.sandbox.identity_users();
    let ours: Vec<ResourceId> = users
        .iter()
        .filter(|user| user.user_name.as_str() > "person.00257")
        .map(|user| ResourceId::parse(&user.id).expect("an id"))
        .collect();
    rig.scim
        .groups()
        .add_members(&id, &ours)
        .await
        .expect("members");
    all.groups = directory(260, 1, 250).groups;
    let sync = rig.sync(&all).mode(Mode::Verify);
    let plan = sync.plan().await.expect("a plan");
    rig.sandbox
        .inject(Fault::fail(Service::Scim, 400, "{}").on("PATCH /").after(1));
    let report = sync.apply(&plan).await.expect("a run");
    assert_eq!(report.failed.len(), 1, "{report:?}");
    for mode in [Mode::Verify, Mode::Remember] {
        rig.run(&rig.sync(&all).mode(mode)).await;
        rig.holds(&all);
    }
}

#[tokio::test]
async fn names_that_move_on_along_a_long_line_cost_a_few_requests_each() {
    let rig = Rig::new().await;
    let mut all = directory(60, 0, 0);
    rig.run(&rig.sync(&all)).await;
    for place in 0..60 {
        call(
            &mut all,
            place,
            &format!("person.{:05}@example.com", place + 1),
        );
    }
    rig.calls();
    rig.run(&rig.sync(&all)).await;
    rig.holds(&all);
    let (reads, writes) = rig.calls();
    assert!(reads + writes < 60 * 6, "{reads} reads and {writes} writes");
}

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
        let mode = [Mode::Remember, Mode::Verify, Mode::Full][self.below(3)];
        let delete = Removal::Delete {
            after: Duration::ZERO,
        };
        let removal = [Removal::Deactivate, delete][self.below(2)];
        rig.sync(&self.all)
            .mode(mode)
            .removal(removal)
            .group_removal(GroupRemoval::Delete)
            .guard(Guard {
                max_member_share: 100,
                new_ids: true,
                ..Guard::at_most(100)
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

#[tokio::test]
async fn a_newcomer_gets_not_the_account_of_one_whose_id_somebody_has_taken_off() {
    for mode in [Mode::Remember, Mode::Verify, Mode::Full] {
        let rig = Rig::new().await;
        let mut all = directory(12, 1, 4);
        let mut newcomer = all.users.pop().expect("a user");
        rig.run(&rig.sync(&all)).await;
        let before = accounts(&rig);
        let name = all.users[0].profile.user_name.clone();
        let id = before.iter().find(|(_, (found, _))| *found == name);
        let id = ResourceId::parse(id.expect("the user").0).expect("an id");
        let mut user = rig.scim.users().get(&id).await.expect("the user");
        user.external_id = None;
        user.meta = None;
        rig.scim
            .users()
            .replace(&id, &user)
            .await
            .expect("the user");
        newcomer.profile.user_name.clone_from(&name);
        newcomer.profile.email = Some(name);
        all.users.insert(0, newcomer);
        call(&mut all, 1, "another@example.com");
        let sync = rig.sync(&all).mode(mode);
        let plan = sync.plan().await.expect("a plan");
        // The name is not free yet when the newcomer asks for it.
        for _ in 0..4 {
            let fault = Fault::refuse(Service::Scim, 503, None);
            rig.sandbox.inject(fault.on("PUT /"));
        }
        sync.apply(&plan)
            .await
            .expect("a run")
            .complete()
            .expect("all");
        rig.holds(&all);
        let found = rig.scim.users().get(&id).await.expect("the user");
        assert_eq!(found.external_id, Some(all.users[1].id.clone()), "{mode:?}");
    }
}
