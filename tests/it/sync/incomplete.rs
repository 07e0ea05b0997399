//! Tests of sources and targets with items that could not be read: nothing is removed, and everything else is written.

use std::{sync::Arc, time::Duration};

use okta_aws_sso::{
    Blueprint,
    sync::{Directory, DirectorySync, GroupRemoval, OktaSource, ReadMode, Removal, UnreadItem},
};
use sandbox::{Fault, Sandbox, Service};
use serde_json::{Map, Value, json};

use super::fixture::{SyncFixture, directory, rename_user, user_id};

const MODES: [ReadMode; 3] = [ReadMode::Cached, ReadMode::Verify, ReadMode::Full];

fn deleting_sync(fixture: &SyncFixture, source: &Directory, mode: ReadMode) -> DirectorySync {
    let sync = fixture.sync(source).mode(mode).removal(Removal::Delete {
        after: Duration::ZERO,
    });
    sync.group_removal(GroupRemoval::Delete)
}

/// Returns the users and groups of the target, with the active flags and the members.
fn target(fixture: &SyncFixture) -> Vec<String> {
    let users = fixture.sandbox.identity_users().into_iter();
    let users = users.map(|user| format!("{} {}", user.user_name, user.active));
    let groups = fixture.sandbox.identity_groups().into_iter();
    let groups = groups.map(|group| format!("{} {:?}", group.display_name, group.members));
    users.chain(groups).collect()
}

#[tokio::test]
async fn an_incomplete_source_removes_nothing_and_the_next_complete_run_does() {
    for mode in MODES {
        let fixture = SyncFixture::new().await;
        let mut source = directory(20, 3, 4);
        fixture.run(&fixture.sync(&source)).await;
        // One user leaves its group and the source, one is suspended, one group is removed, and one member leaves a group.
        source.users.pop();
        source.users[18].profile.active = false;
        source.groups.pop();
        source.groups[0].members.pop_first();
        source.incomplete = vec![UnreadItem {
            item: format!("user {}", user_id(19)),
            reason: "no `profile`".to_owned(),
        }];
        let before = target(&fixture);
        let report = fixture.apply(&deleting_sync(&fixture, &source, mode)).await;
        assert_eq!(target(&fixture), before, "{mode:?}");
        // A run that could not remove is not complete: a job must not report success.
        assert_eq!((report.unread.len(), report.kept.len()), (1, 5), "{report}");
        let error = report
            .complete()
            .expect_err("an incomplete run")
            .to_string();
        assert!(error.contains("no `profile`"), "{error}");
        assert!(error.contains("5 removals not made"), "{error}");
        // Everything else goes on.
        rename_user(&mut source, 0, "renamed@example.com");
        let report = fixture.apply(&deleting_sync(&fixture, &source, mode)).await;
        assert_eq!(report.done.users_updated, 1);
        source.incomplete.clear();
        let report = fixture.run(&deleting_sync(&fixture, &source, mode)).await;
        assert_eq!(report.done.users_deactivated, 2, "{mode:?}");
        assert_eq!(report.done.groups_deleted, 1, "{mode:?}");
        assert_eq!(report.done.members_removed, 2, "{mode:?}");
    }
}

#[tokio::test]
async fn an_incomplete_source_does_not_rename_the_account_of_an_unread_user() {
    for mode in MODES {
        let fixture = SyncFixture::new().await;
        let mut source = directory(5, 0, 0);
        fixture.run(&fixture.sync(&source)).await;
        let before = target(&fixture);
        // A user with another id has the name of an unread user.
        source.users[4].id = scim_types::ExternalId::new(user_id(9));
        source.incomplete = vec![UnreadItem::default()];
        let sync = fixture.sync(&source).mode(mode);
        let prepared = sync.prepare().await.expect("a plan");
        sync.apply(prepared).await.expect("a run");
        assert_eq!(target(&fixture), before, "{mode:?}");
        let users = fixture.sandbox.identity_users();
        let ids: Vec<String> = users
            .into_iter()
            .filter_map(|user| user.external_id)
            .collect();
        assert!(ids.contains(&user_id(4)), "{mode:?}: {ids:?}");
    }
}

/// Changes the JSON of one user in the next list of users.
async fn spoil_user(fixture: &SyncFixture, name: &str, spoil: impl Fn(&mut Map<String, Value>)) {
    let users = fixture.scim.users().list(None).try_collect().await;
    let mut users = serde_json::to_value(users.expect("the users")).expect("JSON");
    let users = users.as_array_mut().expect("a list");
    for user in users.iter_mut() {
        let user = user.as_object_mut().expect("a user");
        if user["userName"] == name {
            spoil(user);
        }
    }
    let page = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": users.len(), "startIndex": 1, "itemsPerPage": users.len(), "Resources": users,
    });
    let fault = Fault::fail(Service::Scim, 200, page.to_string()).on("/Users");
    fixture.sandbox.inject(fault);
}

#[tokio::test]
async fn a_user_of_the_target_without_an_id_is_named_and_nothing_is_removed_or_created() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(10, 2, 4);
    fixture.run(&fixture.sync(&source)).await;
    let before = target(&fixture);
    let unreadable = source.users[0].profile.user_name.clone();
    source.users.pop();
    let new_user = directory(12, 0, 0).users.pop().expect("a user");
    source.users.push(new_user);
    spoil_user(&fixture, &unreadable, |user| {
        user.remove("id");
    })
    .await;
    let sync = deleting_sync(&fixture, &source, ReadMode::Verify);
    let prepared = sync.prepare().await.expect("a plan");
    assert_eq!(
        prepared.plan().to_string(),
        "Sync: No changes\n  \
           ! person.00000@example.com is skipped: the target could not be read completely, so it may have it already\n  \
           ! person.00011@example.com is skipped: the target could not be read completely, so it may have it already\n  \
           ! group group-00001: 1 member is not in the source: `00u00000000000000009`\n  \
           ! group group-00000: not added, because skipped: person.00000@example.com\n  \
           ! group group-00001: not added, because skipped: person.00000@example.com\n  \
           ! not read from the target: user person.00000@example.com (the target returned it without an id)\n  \
           ! removals deferred to a run that can read everything: user person.00009@example.com, 1 member of group group-00001 (person.00009@example.com (missing in the source))\n"
    );
    let report = sync.apply(prepared).await.expect("a run");
    assert!(!report.is_complete(), "{report}");
    assert_eq!(target(&fixture), before);
    // The next run reads the target again, and finds the user in the cached state.
    let report = fixture
        .run(&deleting_sync(&fixture, &source, ReadMode::Cached))
        .await;
    assert_eq!(report.done.users_created, 1);
    assert_eq!(report.done.users_deactivated, 1);
    assert_eq!(report.done.users_updated, 0);
}

#[tokio::test]
async fn a_user_of_the_target_that_cannot_be_read_is_named_by_its_place_and_nothing_is_removed() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(10, 2, 4);
    fixture.run(&fixture.sync(&source)).await;
    let before = target(&fixture);
    let unreadable = source.users[0].profile.user_name.clone();
    source.users.pop();
    spoil_user(&fixture, &unreadable, |user| {
        user.insert("active".to_owned(), json!([]));
    })
    .await;
    let sync = deleting_sync(&fixture, &source, ReadMode::Verify);
    let prepared = sync.prepare().await.expect("a plan");
    let plan = prepared.plan().to_string();
    let place = " of page 1 of the target's users (invalid type";
    assert!(plan.contains("! not read from the target: item "), "{plan}");
    assert!(plan.contains(place), "{plan}");
    let report = sync.apply(prepared).await.expect("a run");
    assert!(!report.is_complete(), "{report}");
    assert_eq!(target(&fixture), before);
}

#[tokio::test]
async fn a_member_that_cannot_be_read_from_okta_is_named_by_its_place_and_nothing_is_removed() {
    let fixture = SyncFixture::with_sandbox(Sandbox::builder()).await;
    let okta = fixture.okta();
    let blueprint = "[provisioning]\nassign_groups = [\"aws-users\"]";
    let blueprint = Blueprint::from_toml(blueprint).expect("a blueprint");
    let sync = DirectorySync::new(OktaSource::new(&okta, &blueprint), &fixture.scim)
        .store(fixture.store.clone())
        .clock(Arc::new(fixture.clock.clone()));
    fixture.run(&sync).await;

    let groups = okta.groups().named("aws-users").await;
    let group = &groups.expect("groups")[0].id;
    let members = okta.groups().members(group);
    let unreadable = members.try_collect().await.expect("the members").len();
    let page = json!([{"id": 7}]);
    fixture
        .sandbox
        .inject(Fault::fail(Service::Okta, 200, page.to_string()).on(format!("{group}/users")));
    let prepared = sync.prepare().await.expect("a plan");
    let plan = prepared.plan().to_string();
    let place = "! not read from the source: item 1 of page 1 of the members of group aws-users (";
    assert!(plan.contains(place), "{plan}");
    assert_eq!(prepared.plan().kept[0].users.len(), unreadable, "{plan}");
    assert!(plan.starts_with("Sync: No changes"), "{plan}");
}
