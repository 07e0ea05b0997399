//! What is kept: what others have made, what was made before, and what goes on after an interruption.

use okta_aws_sso::{
    ErrorKind, StateStore,
    sync::{GroupRemoval, ReadMode, Removal, RemovalLimits, SyncPlan, SyncState},
};
use scim_types::{Group, User};

use super::rig::{Rig, directory};

#[tokio::test]
async fn what_was_there_under_its_name_is_adopted_and_keeps_its_id() {
    let rig = Rig::new().await;
    let all = directory(4, 2, 3);
    // Made by hand or by another tool, before.
    let theirs: User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "person.00001@example.com", "displayName": "Somebody",
        "name": {"givenName": "Some", "familyName": "Body", "middleName": "Any"},
        "phoneNumbers": [{"value": "1", "type": "work"}],
    }))
    .expect("a user");
    let theirs = rig.scim.users().create(&theirs).await.expect("a user");
    let group = rig.scim.groups().create(&Group::new("group-00001")).await;
    let group = group.expect("a group");
    let ids = [theirs.id.clone().expect("an id")];
    rig.scim
        .groups()
        .add_members(group.id.as_ref().expect("an id"), &ids)
        .await
        .expect("a member");
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
    // What was adopted is remembered as it is.
    for mode in [ReadMode::Cached, ReadMode::Full] {
        let again = rig.sync(&all).mode(mode).plan().await.expect("a plan");
        assert!(again.is_empty(), "{again}");
    }
    let id = theirs.id.expect("an id");
    let adopted = rig.scim.users().get(&id).await.expect("the same user");
    assert_eq!(adopted.external_id, Some(all.users[1].id.clone()));
    assert_eq!(adopted.phone_numbers, theirs.phone_numbers);
    let name = adopted.name.expect("a name");
    assert_eq!(name.middle_name.as_deref(), Some("Any"));
    let groups = rig.sandbox.identity_groups();
    let id = group.id.expect("an id").to_string();
    assert!(groups.iter().any(|group| group.id == id));
}

#[tokio::test]
async fn who_is_adopted_leaves_the_groups_that_they_are_not_in() {
    let rig = Rig::new().await;
    let all = directory(3, 4, 2);
    let theirs: User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "person.00002@example.com", "displayName": "Somebody",
        "name": {"givenName": "Some", "familyName": "Body"},
    }))
    .expect("a user");
    let theirs = rig.scim.users().create(&theirs).await.expect("a user");
    let ids = [theirs.id.expect("an id")];
    for number in 0..4 {
        let group = Group::new(format!("group-{number:05}"));
        let group = rig.scim.groups().create(&group).await.expect("a group");
        let id = group.id.expect("an id");
        let joined = rig.scim.groups().add_members(&id, &ids).await;
        joined.expect("a member");
    }
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn what_others_have_made_is_never_touched() {
    let rig = Rig::new().await;
    let all = directory(20, 2, 3);
    rig.run(&rig.sync(&all)).await;
    let theirs: User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "theirs@example.com", "displayName": "Theirs",
        "name": {"givenName": "The", "familyName": "Irs"},
    }))
    .expect("a user");
    let theirs = rig.scim.users().create(&theirs).await.expect("a user");
    let theirs = [theirs.id.expect("an id")];
    let ours = rig.sandbox.identity_groups();
    let ours = scim_types::ResourceId::parse(&ours[0].id).expect("an id");
    rig.scim
        .groups()
        .add_members(&ours, &theirs)
        .await
        .expect("a member");
    rig.scim
        .groups()
        .create(&Group::new("AWSControlTowerAdmins"))
        .await
        .expect("a group");
    rig.sandbox.forget_requests();
    let sync = rig
        .forgetful(&all)
        .removal(Removal::Delete {
            after: std::time::Duration::ZERO,
        })
        .group_removal(GroupRemoval::Delete);
    rig.run(&sync).await;
    let (_, writes) = rig.calls();
    assert_eq!(writes, 0);
}

#[tokio::test]
async fn who_is_gone_is_deactivated_and_deleted_by_a_later_run_only() {
    let rig = Rig::new().await;
    let mut all = directory(20, 1, 20);
    rig.run(&rig.sync(&all)).await;
    let gone = all.users.pop().expect("a user");
    all.groups[0].members.remove(&gone.id);
    let day = std::time::Duration::from_hours(24);
    let sync = rig.sync(&all).removal(Removal::Delete { after: day });
    rig.sandbox.forget_requests();
    rig.run(&sync).await;
    let asked: Vec<String> = rig.requests().iter().map(|r| r.method.clone()).collect();
    // Out of the group first, then out of the door.
    assert_eq!(asked, ["PATCH", "PATCH"]);
    assert_eq!(rig.sandbox.identity_users().len(), 20);
    rig.assert_in_sync(&all);
    rig.run(&sync).await;
    assert_eq!(rig.calls(), (0, 0));
    rest_core::Clock::sleep(&rig.clock, day).await;
    rig.run(&sync).await;
    assert_eq!(rig.calls(), (0, 1));
    assert_eq!(rig.sandbox.identity_users().len(), 19);
    // And who comes back is made again.
    all.users.push(gone);
    rig.run(&sync).await;
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn who_comes_back_in_time_can_sign_in_again() {
    let rig = Rig::new().await;
    let mut all = directory(20, 1, 3);
    rig.run(&rig.sync(&all)).await;
    let gone = all.users.pop().expect("a user");
    rig.run(&rig.sync(&all)).await;
    all.users.push(gone);
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_gone_group_is_kept_unless_its_deletion_is_wanted() {
    let rig = Rig::new().await;
    let mut all = directory(20, 2, 3);
    rig.run(&rig.sync(&all)).await;
    all.groups.pop();
    rig.run(&rig.sync(&all)).await;
    assert_eq!(rig.sandbox.identity_groups().len(), 2);
    let sync = rig.sync(&all).group_removal(GroupRemoval::Delete);
    rig.run(&sync).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn what_somebody_has_changed_in_the_target_is_found_by_verifying_and_put_right() {
    let rig = Rig::new().await;
    let all = directory(20, 1, 3);
    rig.run(&rig.sync(&all)).await;
    let users = rig.sandbox.identity_users();
    let id = |place: usize| scim_types::ResourceId::parse(&users[place].id).expect("an id");
    let off = scim_types::PatchOperation::replace("active", false);
    rig.scim
        .users()
        .patch(&id(0), &off.into())
        .await
        .expect("a change");
    rig.scim.users().delete(&id(5)).await.expect("a deletion");
    // A memory alone does not see it.
    assert!(rig.sync(&all).plan().await.expect("a plan").is_empty());
    let sync = rig.sync(&all).mode(ReadMode::Verify);
    let plan = sync.plan().await.expect("a plan");
    assert_eq!(
        plan.summary(),
        "1 user to create, 1 user to update",
        "{plan}"
    );
    rig.run(&sync).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_user_whom_somebody_has_deleted_is_reported_and_made_by_the_next_run() {
    let rig = Rig::new().await;
    let mut all = directory(20, 1, 3);
    rig.run(&rig.sync(&all)).await;
    let users = rig.sandbox.identity_users();
    let user = users
        .iter()
        .find(|user| user.user_name == all.users[0].profile.user_name);
    let id = scim_types::ResourceId::parse(&user.expect("the user").id).expect("an id");
    rig.scim.users().delete(&id).await.expect("a deletion");
    all.users[0].profile.display_name = "Another".to_owned();
    let sync = rig.sync(&all);
    let plan = sync.plan().await.expect("a plan");
    let report = sync.apply(&plan).await.expect("a run");
    let failed: Vec<&str> = report.failed.iter().map(|failed| &*failed.what).collect();
    assert_eq!(failed, ["update user person.00000@example.com"]);
    assert_eq!(report.failed[0].response.status, Some(404));
    rig.run(&sync).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn one_bad_user_stops_one_user() {
    let rig = Rig::new().await;
    let mut all = directory(20, 1, 20);
    // AWS wants addresses to be unique too.
    all.users[3].profile.email = Some("person.00004@example.com".to_owned());
    all.users[8].profile.display_name = "R&D; all of it".to_owned();
    let sync = rig.sync(&all);
    let plan = sync.plan().await.expect("a plan");
    assert_eq!(plan.skipped.len(), 1, "{plan}");
    let report = sync.apply(&plan).await.expect("a run");
    assert_eq!(report.done.users_created, 18);
    assert_eq!(report.done.members_added, 18);
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.members_left_out.len(), 1);
    let answer = &report.failed[0].response;
    assert_eq!(answer.status, Some(409));
    assert!(answer.request_id.is_some());
    let error = report.complete().expect_err("an incomplete run");
    assert!(
        error.to_string().contains("create user person.0000"),
        "{error}"
    );
    // Once it is put right, the rest is done.
    all.users[3].profile.email = None;
    all.users[4].profile.email = Some("person.00004@example.com".to_owned());
    all.users[8].profile.display_name = "Research".to_owned();
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn names_that_move_on_from_one_to_another_all_arrive() {
    let rig = Rig::new().await;
    let mut all = directory(10, 0, 0);
    rig.run(&rig.sync(&all)).await;
    // Each gets the name of the next, the last a new one.
    for place in 0..10 {
        let name = format!("person.{:05}@example.com", place + 1);
        all.users[place].profile.user_name.clone_from(&name);
        all.users[place].profile.email = Some(name);
    }
    let sync = rig.sync(&all);
    // One at a time comes free, so it may take more than one run, and never a deletion.
    for _ in 0..10 {
        let plan = sync.plan().await.expect("a plan");
        assert_eq!(plan.counts().users_created, 0);
        sync.apply(&plan).await.expect("a run");
    }
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_ends_the_run() {
    let rig = Rig::new().await;
    let all = directory(50, 5, 5);
    let sync = rig.sync(&all);
    let plan = sync.plan().await.expect("a plan");
    assert_eq!(rig.sandbox.console().delete_scim_tokens(), 1);
    rig.sandbox.forget_requests();
    let report = sync.apply(&plan).await.expect("a run");
    assert!(report.failed.len() < 25, "{}", report.failed.len());
    assert_eq!(report.failed.len() + report.not_tried, 55);
    let error = report.complete().expect_err("an incomplete run");
    assert!(
        error.to_string().contains("does not take the token"),
        "{error}"
    );
}

#[tokio::test]
async fn a_plan_is_saved_and_applied_later_if_it_still_holds() {
    let rig = Rig::new().await;
    let mut all = directory(5, 1, 3);
    let sync = rig.sync(&all);
    let plan = sync.plan().await.expect("a plan");
    let json = serde_json::to_string(&plan).expect("JSON");
    let saved: SyncPlan = serde_json::from_str(&json).expect("a plan");
    assert_eq!(saved, plan);
    all.users[0].profile.display_name = "Another".to_owned();
    let error = rig
        .sync(&all)
        .apply(&saved)
        .await
        .expect_err("a stale plan");
    assert_eq!(error.kind(), ErrorKind::StalePlan);
    assert_eq!(rig.sandbox.identity_users().len(), 0);
    let report = sync.apply(&saved).await.expect("a run");
    report.complete().expect("everything");
    let error = sync.apply(&saved).await.expect_err("a stale plan");
    assert_eq!(
        error.to_string(),
        "the plan is stale: another run has written since it was made"
    );
}

#[tokio::test]
async fn planning_writes_nothing_and_says_the_same_twice() {
    let rig = Rig::new().await;
    let all = directory(5, 1, 3);
    rig.sandbox.forget_requests();
    let first = rig.sync(&all).plan().await.expect("a plan");
    assert_eq!(rig.sync(&all).plan().await.expect("a plan"), first);
    assert_eq!(rig.calls().1, 0);
    assert_eq!(
        rig.store.read(SyncState::FILE).await.expect("a store"),
        None
    );
}

#[tokio::test]
async fn the_memory_holds_ids_and_digests_and_nothing_else_of_a_person() {
    let rig = Rig::new().await;
    let all = directory(5, 1, 3);
    rig.run(&rig.sync(&all)).await;
    let kept = rig.store.read(SyncState::FILE).await.expect("a store");
    let kept = String::from_utf8(kept.expect("a memory")).expect("text");
    for secret in [
        "person.",
        "Number0",
        "Engines",
        sandbox::Sandbox::SCIM_TOKEN_MARK,
    ] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
}

#[tokio::test]
async fn a_memory_of_another_target_is_refused() {
    let (one, other) = (Rig::new().await, Rig::new().await);
    let all = directory(5, 1, 3);
    one.run(&one.sync(&all)).await;
    let sync = other.forgetful(&all).store(one.store.clone());
    let error = sync.plan().await.expect_err("another target");
    assert_eq!(error.kind(), ErrorKind::State);
}

#[tokio::test]
async fn a_memory_that_is_lost_costs_reads_and_nothing_else() {
    let rig = Rig::new().await;
    let all = directory(5, 1, 3);
    rig.run(&rig.sync(&all)).await;
    rig.sandbox.forget_requests();
    let sync = rig.forgetful(&all).store(StateStore::memory());
    rig.run(&sync).await;
    assert_eq!(rig.calls(), (1 + 1 + 1, 0));
    rig.run(&sync).await;
    assert_eq!(rig.calls(), (0, 0));
}

#[tokio::test]
async fn a_guard_that_allows_it_lets_it_happen() {
    let rig = Rig::new().await;
    let mut all = directory(20, 0, 0);
    rig.run(&rig.sync(&all)).await;
    all.users.truncate(5);
    rig.run(&rig.sync(&all).removal_limits(RemovalLimits::at_most(15)))
        .await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_group_that_somebody_has_deleted_is_reported_and_made_by_the_next_run() {
    let rig = Rig::new().await;
    let mut all = directory(20, 2, 3);
    rig.run(&rig.sync(&all)).await;
    let groups = rig.sandbox.identity_groups();
    let group = groups
        .iter()
        .find(|group| group.display_name == "group-00000");
    let id = scim_types::ResourceId::parse(&group.expect("the group").id).expect("an id");
    rig.scim.groups().delete(&id).await.expect("a deletion");
    let newcomer = all.users[19].id.clone();
    all.groups[0].members.insert(newcomer);
    let sync = rig.sync(&all);
    let plan = sync.plan().await.expect("a plan");
    let report = sync.apply(&plan).await.expect("a run");
    assert_eq!(report.failed.len(), 1, "{report:?}");
    rig.run(&sync).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_member_whom_somebody_has_deleted_is_found_out_and_made_by_the_next_run() {
    for makes_the_group in [true, false] {
        let rig = Rig::new().await;
        let mut all = directory(20, 1, 3);
        rig.run(&rig.sync(&all)).await;
        let users = rig.sandbox.identity_users();
        let name = &all.users[19].profile.user_name;
        let user = users.iter().find(|user| user.user_name == *name);
        let id = scim_types::ResourceId::parse(&user.expect("the user").id).expect("an id");
        rig.scim.users().delete(&id).await.expect("a deletion");
        let lost = all.users[19].id.clone();
        if makes_the_group {
            all.groups = directory(20, 2, 3).groups;
        }
        all.groups.last_mut().expect("a group").members.insert(lost);
        let sync = rig.sync(&all);
        let plan = sync.plan().await.expect("a plan");
        let report = sync.apply(&plan).await.expect("a run");
        assert_eq!(report.failed.len(), 1, "{report:?}");
        rig.run(&sync).await;
        rig.assert_in_sync(&all);
    }
}
