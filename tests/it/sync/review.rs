//! Sources that change in every way at once, and what a run that ends early leaves behind.

use std::{collections::BTreeMap, time::Duration};

use okta_aws_sso::sync::{Directory, GroupRemoval, Guard, Mode, Removal};
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
        let group = group_id(&rig, "group-00000");
        let joined = rig.scim.groups().add_members(&group, &[id]).await;
        joined.expect("a member");
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
        .filter(|user| user.user_name > "person.00257".to_owned())
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
        match self.below(12) {
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
        let one = self.below(self.all.users.len());
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

#[tokio::test]
async fn any_changes_in_a_row_end_with_what_the_source_has_last() {
    for seed in 0..seeds() {
        let rig = Rig::new().await;
        let mut life = Life {
            random: seed,
            next: 0,
            all: directory(12, 4, 4),
            gone: Vec::new(),
        };
        rig.run(&rig.sync(&life.all)).await;
        for round in 0..12 {
            if round % 4 == 3 {
                life.anew();
            } else {
                for change in 0..=life.below(5) {
                    life.step(change == 0);
                }
            }
            let mode = [Mode::Remember, Mode::Verify, Mode::Full][life.below(3)];
            let sync = rig
                .sync(&life.all)
                .mode(mode)
                .removal(Removal::Deactivate)
                .group_removal(GroupRemoval::Delete)
                .guard(Guard {
                    max_member_share: 100,
                    new_ids: true,
                    ..Guard::at_most(100)
                });
            let plan = sync.plan().await.expect("a plan");
            let report = sync.apply(&plan).await.expect("a run");
            if let Err(error) = report.complete() {
                panic!(
                    "seed {seed}, round {round}, {mode:?}: {}\n{plan}",
                    error.explain()
                );
            }
            rig.holds(&life.all);
            settled(&rig, &life.all).await;
        }
    }
}
