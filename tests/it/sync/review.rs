//! Whose account is whose, what a run that ends early leaves behind, and what slips past the guard.

use std::{collections::BTreeMap, time::Duration};

use okta_aws_sso::sync::{Directory, GroupRemoval, ReadMode, RemovalLimits};
use sandbox::{Fault, Service};
use scim_types::{ExternalId, ResourceId, User};

use super::rig::{Rig, directory, user_id};

pub(super) fn call(all: &mut Directory, place: usize, name: &str) {
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

pub(super) async fn stranger(rig: &Rig, name: &str) -> ResourceId {
    let stranger: User = serde_json::from_value(serde_json::json!({
        "userName": name, "displayName": "A Stranger", "active": true,
        "name": {"givenName": "A", "familyName": "Stranger"},
    }))
    .expect("a user");
    let made = rig.scim.users().create(&stranger).await.expect("a user");
    made.id.expect("an id")
}

pub(super) fn group_id(rig: &Rig, name: &str) -> ResourceId {
    let groups = rig.sandbox.identity_groups();
    let group = groups.iter().find(|group| group.display_name == name);
    ResourceId::parse(&group.expect("the group").id).expect("an id")
}

/// In no mode anything is left to be done.
pub(super) async fn settled(rig: &Rig, all: &Directory) {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        let left = rig.sync(all).mode(mode).plan().await.expect("a plan");
        assert!(left.is_empty(), "{mode:?}: {left}");
    }
}

#[tokio::test]
async fn who_was_made_anew_in_the_source_keeps_account_access_and_groups_in_every_mode() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
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
        rig.assert_in_sync(&all);
        settled(&rig, &all).await;
    }
}

#[tokio::test]
async fn who_leaves_and_hands_the_name_on_in_one_run_leaves_and_hands_it_on() {
    for swap in [false, true] {
        for mode in [ReadMode::Cached, ReadMode::Full] {
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
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
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
        if mode == ReadMode::Cached {
            // What an account that was taken over is in shows when it is taken over, which is after the plan.
            rig.run(&rig.sync(&all).mode(mode)).await;
        }
        rig.assert_in_sync(&all);
        settled(&rig, &all).await;
    }
}

#[tokio::test]
async fn names_are_protected_in_every_case_of_letters_and_in_every_mode() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
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
            let guard = RemovalLimits {
                protected_users: ["Person.00019@Example.com".to_owned()].into(),
                protected_groups: ["Group-00009".to_owned()].into(),
                ..RemovalLimits::default()
            };
            let sync = rig.sync(&all).mode(mode).removal_limits(guard);
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
    for mode in [ReadMode::Cached, ReadMode::Full] {
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
        rig.assert_in_sync(&all);
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
            rig.assert_in_sync(&before);
        }
    }
}

#[tokio::test]
async fn a_membership_of_a_run_that_was_cut_off_is_taken_back_with_the_source() {
    for mode in [ReadMode::Cached, ReadMode::Verify] {
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
        rig.assert_in_sync(&before);
    }
}

#[tokio::test]
async fn a_membership_whose_answer_was_lost_is_taken_back_with_the_source() {
    for mode in [ReadMode::Cached, ReadMode::Verify] {
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
        rig.assert_in_sync(&before);
    }
}

#[tokio::test]
async fn nobody_is_moved_aside_for_a_ring_that_cannot_be_undone() {
    for mode in [ReadMode::Cached, ReadMode::Full] {
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
        rig.assert_in_sync(&before);
        rig.run(&sync).await;
        rig.assert_in_sync(&all);
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
    let sync = rig.sync(&all).mode(ReadMode::Verify);
    let plan = sync.plan().await.expect("a plan");
    rig.sandbox
        .inject(Fault::fail(Service::Scim, 400, "{}").on("PATCH /").after(1));
    let report = sync.apply(&plan).await.expect("a run");
    assert_eq!(report.failed.len(), 1, "{report:?}");
    for mode in [ReadMode::Verify, ReadMode::Cached] {
        rig.run(&rig.sync(&all).mode(mode)).await;
        rig.assert_in_sync(&all);
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
    rig.assert_in_sync(&all);
    let (reads, writes) = rig.calls();
    assert!(reads + writes < 60 * 6, "{reads} reads and {writes} writes");
}

#[tokio::test]
async fn a_newcomer_gets_not_the_account_of_one_whose_id_somebody_has_taken_off() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
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
        rig.assert_in_sync(&all);
        let found = rig.scim.users().get(&id).await.expect("the user");
        assert_eq!(found.external_id, Some(all.users[1].id.clone()), "{mode:?}");
    }
}
