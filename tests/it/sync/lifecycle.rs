//! Tests of the removal of users and groups, of drift in the target, and of the cached state between runs.

use std::time::Duration;

use okta_aws_sso::{
    ErrorKind, StateStore,
    sync::{GroupRemoval, ReadMode, Removal, SyncPlan, SyncState},
};
use scim_types::{PatchOperation, ResourceId};

use super::fixture::{SyncFixture, directory};

#[tokio::test]
async fn a_removed_user_is_deactivated_first_and_deleted_only_after_the_retention_period() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 1, 20);
    fixture.run(&fixture.sync(&source)).await;
    let removed = source.users.pop().expect("a user");
    source.groups[0].members.remove(&removed.id);
    let day = Duration::from_hours(24);
    let sync = fixture
        .sync(&source)
        .removal(Removal::Delete { after: day });
    fixture.sandbox.clear_requests();
    fixture.run(&sync).await;
    let methods: Vec<String> = fixture
        .take_requests()
        .iter()
        .map(|r| r.method.clone())
        .collect();
    // The plan reads the name of the removed user. The membership is removed first, then the user is deactivated.
    assert_eq!(methods, ["GET", "PATCH", "PATCH"]);
    assert_eq!(fixture.sandbox.identity_users().len(), 20);
    fixture.assert_in_sync(&source);
    fixture.run(&sync).await;
    assert_eq!(fixture.take_request_counts(), (1, 0));
    rest_core::Clock::sleep(&fixture.clock, day).await;
    fixture.run(&sync).await;
    assert_eq!(fixture.take_request_counts(), (1, 1));
    assert_eq!(fixture.sandbox.identity_users().len(), 19);
    // A user that comes back is created again.
    source.users.push(removed);
    fixture.run(&sync).await;
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_user_that_comes_back_before_deletion_is_reactivated() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 1, 3);
    fixture.run(&fixture.sync(&source)).await;
    let removed = source.users.pop().expect("a user");
    fixture.run(&fixture.sync(&source)).await;
    source.users.push(removed);
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_removed_group_is_kept_unless_deletion_is_enabled() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 2, 3);
    fixture.run(&fixture.sync(&source)).await;
    source.groups.pop();
    fixture.run(&fixture.sync(&source)).await;
    assert_eq!(fixture.sandbox.identity_groups().len(), 2);
    let sync = fixture.sync(&source).group_removal(GroupRemoval::Delete);
    fixture.run(&sync).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn drift_is_detected_and_corrected_in_verify_mode() {
    let fixture = SyncFixture::new().await;
    let source = directory(20, 1, 3);
    fixture.run(&fixture.sync(&source)).await;
    let users = fixture.sandbox.identity_users();
    let id = |index: usize| ResourceId::parse(&users[index].id).expect("an id");
    let deactivation = PatchOperation::replace("active", false);
    fixture
        .scim
        .users()
        .patch(&id(0), &deactivation.into())
        .await
        .expect("a change");
    fixture
        .scim
        .users()
        .delete(&id(5))
        .await
        .expect("a deletion");
    // The cached state alone does not show the drift.
    assert!(
        fixture
            .sync(&source)
            .plan()
            .await
            .expect("a plan")
            .is_empty()
    );
    let sync = fixture.sync(&source).mode(ReadMode::Verify);
    let plan = sync.plan().await.expect("a plan");
    assert_eq!(
        plan.summary(),
        "1 user to create, 1 user to update",
        "{plan}"
    );
    fixture.run(&sync).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_user_deleted_in_the_target_is_created_again_by_the_run_that_changes_it() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 2, 3);
    // The user is in two groups: it stays in the first, and leaves the second.
    let id = source.users[0].id.clone();
    source.groups[1].members.insert(id.clone());
    fixture.run(&fixture.sync(&source)).await;
    let name = source.users[0].profile.user_name.clone();
    fixture.sandbox.delete_identity_user(&name);
    source.users[0].profile.display_name = "Another".to_owned();
    source.groups[1].members.remove(&id);
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
    fixture.assert_no_changes(&source).await;
}

#[tokio::test]
async fn a_group_deleted_in_the_target_is_reported_and_recreated_by_the_next_run() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 2, 3);
    fixture.run(&fixture.sync(&source)).await;
    let groups = fixture.sandbox.identity_groups();
    let group = groups
        .iter()
        .find(|group| group.display_name == "group-00000");
    let id = ResourceId::parse(&group.expect("the group").id).expect("an id");
    fixture.scim.groups().delete(&id).await.expect("a deletion");
    let new_member = source.users[19].id.clone();
    source.groups[0].members.insert(new_member);
    source.groups[0].members.pop_first();
    let sync = fixture.sync(&source);
    let prepared = sync.prepare().await.expect("a plan");
    let report = sync.apply(prepared).await.expect("a run");
    assert_eq!(report.failed.len(), 1, "{report:?}");
    assert!(report.failed_memberships.is_empty(), "{report:?}");
    fixture.run(&sync).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_saved_plan_is_applied_only_if_it_is_not_stale() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(5, 1, 3);
    let sync = fixture.sync(&source);
    let plan = sync.plan().await.expect("a plan");
    let json = serde_json::to_string(&plan).expect("JSON");
    let saved: SyncPlan = serde_json::from_str(&json).expect("a plan");
    assert_eq!(saved, plan);
    source.users[0].profile.display_name = "Another".to_owned();
    let error = fixture
        .sync(&source)
        .apply_plan(&saved)
        .await
        .expect_err("a stale plan");
    assert_eq!(error.kind(), ErrorKind::StalePlan);
    assert_eq!(fixture.sandbox.identity_users().len(), 0);
    let report = sync.apply_plan(&saved).await.expect("a run");
    report.complete().expect("a complete run");
    let error = sync.apply_plan(&saved).await.expect_err("a stale plan");
    assert_eq!(
        error.to_string(),
        "the plan is stale: the state has changed since the plan was created"
    );
}

#[tokio::test]
async fn planning_writes_nothing_and_is_repeatable() {
    let fixture = SyncFixture::new().await;
    let source = directory(5, 1, 3);
    fixture.sandbox.clear_requests();
    let first = fixture.sync(&source).plan().await.expect("a plan");
    assert_eq!(fixture.sync(&source).plan().await.expect("a plan"), first);
    assert_eq!(fixture.take_request_counts().1, 0);
    assert_eq!(
        fixture.store.read(SyncState::FILE).await.expect("a store"),
        None
    );
}

#[tokio::test]
async fn the_state_holds_no_personal_data_except_ids_and_digests() {
    let fixture = SyncFixture::new().await;
    let source = directory(5, 1, 3);
    fixture.run(&fixture.sync(&source)).await;
    let json = fixture.store.read(SyncState::FILE).await.expect("a store");
    let json = String::from_utf8(json.expect("a state")).expect("text");
    for secret in [
        "person.",
        "Number0",
        "Engines",
        sandbox::Sandbox::SCIM_TOKEN_MARK,
    ] {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
}

#[tokio::test]
async fn a_state_of_another_target_is_rejected() {
    let (one, other) = (SyncFixture::new().await, SyncFixture::new().await);
    let source = directory(5, 1, 3);
    one.run(&one.sync(&source)).await;
    let sync = other.stateless_sync(&source).store(one.store.clone());
    let error = sync.plan().await.expect_err("another target");
    assert_eq!(error.kind(), ErrorKind::State);
}

#[tokio::test]
async fn a_lost_state_costs_reads_but_no_writes() {
    let fixture = SyncFixture::new().await;
    let source = directory(5, 1, 3);
    fixture.run(&fixture.sync(&source)).await;
    fixture.sandbox.clear_requests();
    let sync = fixture.stateless_sync(&source).store(StateStore::memory());
    fixture.run(&sync).await;
    assert_eq!(fixture.take_request_counts(), (1 + 1 + 1, 0));
    fixture.run(&sync).await;
    assert_eq!(fixture.take_request_counts(), (1, 0));
}

#[tokio::test]
async fn a_run_without_changes_fails_if_the_token_is_no_longer_accepted() {
    let fixture = SyncFixture::new().await;
    let source = directory(2, 1, 1);
    let sync = fixture.sync(&source);
    fixture.run(&sync).await;
    assert!(sync.plan().await.expect("a plan").is_empty());
    assert_eq!(fixture.sandbox.console().delete_scim_tokens(), 1);
    let error = sync.plan().await.expect_err("a deleted token");
    let text = error.explain();
    assert!(text.contains("nothing has changed"), "{text}");
    assert!(text.contains("401"), "{text}");
    assert!(text.contains("token"), "{text}");
}

#[tokio::test]
async fn a_user_or_group_whose_external_id_was_removed_in_the_target_stays_managed() {
    for mode in [ReadMode::Verify, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(20, 2, 3);
        fixture.run(&fixture.sync(&source)).await;
        let leaver = source.users.pop().expect("a user").profile.user_name;
        source.groups.pop();
        fixture.clear_user_external_id(&leaver).await;
        for name in ["group-00000", "group-00001"] {
            let patch = PatchOperation::remove("externalId");
            let id = fixture.group_id(name);
            let cleared = fixture.scim.groups().patch(&id, &patch.into()).await;
            cleared.expect("a group without an external id");
        }
        let sync = fixture.sync(&source).mode(mode);
        let sync = sync.group_removal(GroupRemoval::Delete);
        let report = fixture.run(&sync).await;
        assert_eq!(report.done.users_deactivated, 1, "{mode:?}");
        assert_eq!(report.done.groups_deleted, 1, "{mode:?}");
        // The other group gets its id again, and keeps its members.
        fixture.assert_in_sync(&source);
        fixture.assert_no_changes(&source).await;
    }
}

#[tokio::test]
async fn an_update_of_an_inactive_user_does_not_start_the_retention_period_again() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    source.users[0].profile.active = false;
    let day = Duration::from_hours(24);
    let removal = Removal::Delete { after: day * 2 };
    fixture.run(&fixture.sync(&source).removal(removal)).await;
    rest_core::Clock::sleep(&fixture.clock, day).await;
    source.users[0].profile.display_name = "Another Name".to_owned();
    fixture.run(&fixture.sync(&source).removal(removal)).await;
    rest_core::Clock::sleep(&fixture.clock, day).await;
    source.users.remove(0);
    let report = fixture.run(&fixture.sync(&source).removal(removal)).await;
    assert_eq!(report.done.users_deleted, 1);
}

#[tokio::test]
async fn a_plan_of_an_unfinished_run_leads_to_another_reading_of_the_target() {
    let fixture = SyncFixture::new().await;
    let source = directory(5, 1, 2);
    fixture.run(&fixture.sync(&source)).await;
    // The run that was killed after its first write has left this state.
    let lock = fixture
        .store
        .lock(std::sync::Arc::new(fixture.clock.clone()))
        .await;
    let lock = lock.expect("the lock");
    let json = fixture
        .store
        .read(SyncState::FILE)
        .await
        .expect("a state")
        .expect("a state");
    let mut state: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    state["dirty"] = true.into();
    lock.put(SyncState::FILE, state.to_string().into_bytes())
        .await
        .expect("a state");
    lock.release().await.expect("released");
    fixture.sandbox.clear_requests();
    fixture.run(&fixture.sync(&source)).await;
    // Users, groups, and the members of the group.
    assert_eq!(fixture.take_request_counts(), (3, 0));
}
