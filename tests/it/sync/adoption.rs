//! Tests of the account that each source user gets: adoption, recreated users, unmanaged resources.

use std::{collections::BTreeMap, time::Duration};

use okta_aws_sso::{
    plan::Hazard,
    sync::{Directory, DirectorySync, GroupRemoval, ReadMode, Removal},
};
use sandbox::{Fault, Service};
use scim_types::{ExternalId, Group, ResourceId, User};

use super::fixture::{SyncFixture, allowing, directory, rename_user};

/// Returns the users of the target: name and active flag by target id.
fn accounts(fixture: &SyncFixture) -> BTreeMap<String, (String, bool)> {
    let users = fixture.sandbox.identity_users().into_iter();
    users
        .map(|user| (user.id, (user.user_name, user.active)))
        .collect()
}

#[tokio::test]
async fn existing_resources_with_the_same_name_are_adopted_and_keep_their_ids() {
    let fixture = SyncFixture::new().await;
    let source = directory(4, 2, 3);
    // This user was created earlier, by hand or by another tool.
    let existing: User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "person.00001@example.com", "displayName": "Existing User",
        "emails": [{"value": "person.00001@example.com", "type": "work", "primary": true}],
        "name": {"givenName": "Existing", "familyName": "User", "middleName": "Any"},
        "phoneNumbers": [{"value": "1", "type": "work"}],
    }))
    .expect("a user");
    let existing = fixture
        .scim
        .users()
        .create(&existing)
        .await
        .expect("a user");
    let group = fixture
        .scim
        .groups()
        .create(&Group::new("group-00001"))
        .await;
    let group = group.expect("a group");
    let ids = [existing.id.clone().expect("an id")];
    fixture
        .scim
        .groups()
        .add_members(group.id.as_ref().expect("an id"), &ids)
        .await
        .expect("a member");
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
    // The cached state has the adopted resources.
    for mode in [ReadMode::Cached, ReadMode::Full] {
        let plan = fixture
            .sync(&source)
            .mode(mode)
            .plan()
            .await
            .expect("a plan");
        assert!(plan.is_empty(), "{plan}");
    }
    let id = existing.id.expect("an id");
    let adopted = fixture.scim.users().get(&id).await.expect("the same user");
    assert_eq!(adopted.external_id, Some(source.users[1].id.clone()));
    assert_eq!(adopted.phone_numbers, existing.phone_numbers);
    let name = adopted.name.expect("a name");
    assert_eq!(name.middle_name.as_deref(), Some("Any"));
    let groups = fixture.sandbox.identity_groups();
    let id = group.id.expect("an id").to_string();
    assert!(groups.iter().any(|group| group.id == id));
}

#[tokio::test]
async fn an_adopted_group_keeps_its_members_until_the_next_run() {
    let fixture = SyncFixture::new().await;
    let source = directory(3, 4, 2);
    let existing: User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "person.00002@example.com", "displayName": "Existing User",
        "emails": [{"value": "person.00002@example.com", "type": "work", "primary": true}],
        "name": {"givenName": "Existing", "familyName": "User"},
    }))
    .expect("a user");
    let existing = fixture
        .scim
        .users()
        .create(&existing)
        .await
        .expect("a user");
    let ids = [existing.id.expect("an id")];
    for number in 0..4 {
        let group = Group::new(format!("group-{number:05}"));
        let group = fixture.scim.groups().create(&group).await.expect("a group");
        let id = group.id.expect("an id");
        let added = fixture.scim.groups().add_members(&id, &ids).await;
        added.expect("a member");
    }
    let plan = fixture.sync(&source).plan().await.expect("a plan");
    assert_eq!(plan.counts().members_removed, 0);
    assert!(!plan.members_of_adopted.is_empty());
    // The guard refuses to give the access of the groups to members that they do not have in the source.
    let prepared = fixture.sync(&source).prepare().await.expect("a plan");
    let refused = fixture.sync(&source).apply(prepared).await;
    let refused = refused.expect_err("a hazard").to_string();
    assert!(refused.contains("person.00002@example.com"), "{refused}");
    let hazards = plan.hazards.iter().filter_map(Hazard::id);
    let hazards: Vec<String> = hazards.collect();
    let guard = allowing(hazards.iter().map(String::as_str));
    fixture.run(&fixture.sync(&source).guard(guard)).await;
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_user_adopted_by_a_later_run_is_removed_from_groups_that_do_not_list_it_in_the_source() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(20, 2, 4);
        let new_user = source.users.pop().expect("a user");
        fixture.run(&fixture.sync(&source)).await;
        let id = fixture
            .create_unmanaged_user(&new_user.profile.user_name)
            .await;
        // The source lists the user in one of the two groups.
        for group in ["group-00000", "group-00001"] {
            let group = fixture.group_id(group);
            let members = [id.clone()];
            let added = fixture.scim.groups().add_members(&group, &members).await;
            added.expect("a member");
        }
        source.users.push(new_user);
        fixture.run(&fixture.sync(&source).mode(mode)).await;
        if mode == ReadMode::Cached {
            // The plan cannot contain the memberships of the account, because the run reads them only when it adopts
            // the account.
            fixture.run(&fixture.sync(&source).mode(mode)).await;
        }
        fixture.assert_in_sync(&source);
        fixture.assert_no_changes(&source).await;
    }
}

#[tokio::test]
async fn an_interrupted_adoption_of_a_group_does_not_lose_members_to_remove() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(260, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    // An administrator created the group by hand. It contains two managed users that the source does not list in it.
    let group = Group::new("group-00000");
    let created = fixture.scim.groups().create(&group).await;
    let id = created.expect("a group").id.expect("an id");
    let users = fixture.sandbox.identity_users();
    let members: Vec<ResourceId> = users
        .iter()
        .filter(|user| user.user_name.as_str() > "person.00257")
        .map(|user| ResourceId::parse(&user.id).expect("an id"))
        .collect();
    fixture
        .scim
        .groups()
        .add_members(&id, &members)
        .await
        .expect("members");
    source.groups = directory(260, 1, 250).groups;
    let sync = fixture.sync(&source).mode(ReadMode::Verify);
    let sync = sync.guard(allowing(["gives-access-to:group-00000"]));
    let prepared = sync.prepare().await.expect("a plan");
    fixture
        .sandbox
        .inject(Fault::fail(Service::Scim, 501, "{}").on("PATCH /").after(1));
    let report = sync.apply(prepared).await.expect("a run");
    assert_eq!(report.failed.len(), 1, "{report:?}");
    for mode in [ReadMode::Verify, ReadMode::Cached] {
        fixture.run(&fixture.sync(&source).mode(mode)).await;
        fixture.assert_in_sync(&source);
    }
}

#[tokio::test]
async fn a_recreated_user_keeps_account_and_groups_in_every_read_mode() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(20, 2, 4);
        fixture.run(&fixture.sync(&source)).await;
        let before = accounts(&fixture);
        let new_id = ExternalId::new("00u90000000000000001");
        let old_id = std::mem::replace(&mut source.users[1].id, new_id.clone());
        for group in &mut source.groups {
            if group.members.remove(&old_id) {
                group.members.insert(new_id.clone());
            }
        }
        let sync = fixture.sync(&source).mode(mode);
        let prepared = sync.prepare().await.expect("a plan");
        let report = sync.apply(prepared).await.expect("a run");
        assert_eq!(accounts(&fixture), before, "{mode:?}: {report:?}");
        fixture.run(&fixture.sync(&source).mode(mode)).await;
        fixture.assert_in_sync(&source);
        fixture.assert_no_changes(&source).await;
    }
}

#[tokio::test]
async fn a_new_user_does_not_get_an_account_whose_external_id_was_removed() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(12, 1, 4);
        let mut new_user = source.users.pop().expect("a user");
        fixture.run(&fixture.sync(&source)).await;
        let before = accounts(&fixture);
        let name = source.users[0].profile.user_name.clone();
        let id = before.iter().find(|(_, (found, _))| *found == name);
        let id = ResourceId::parse(id.expect("the user").0).expect("an id");
        fixture.clear_user_external_id(&name).await;
        new_user.profile.user_name.clone_from(&name);
        new_user.profile.email = Some(name);
        source.users.insert(0, new_user);
        rename_user(&mut source, 1, "another@example.com");
        let sync = fixture.sync(&source).mode(mode);
        let prepared = sync.prepare().await.expect("a plan");
        // The rename of the other user fails at first, so that user still has the name when the sync creates the new
        // user.
        for _ in 0..4 {
            let fault = Fault::refuse(Service::Scim, 503, None);
            fixture.sandbox.inject(fault.on("PUT /"));
        }
        sync.apply(prepared)
            .await
            .expect("a run")
            .complete()
            .expect("a complete run");
        fixture.assert_in_sync(&source);
        let found = fixture.scim.users().get(&id).await.expect("the user");
        assert_eq!(
            found.external_id,
            Some(source.users[1].id.clone()),
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn unmanaged_resources_are_never_changed() {
    let fixture = SyncFixture::new().await;
    let source = directory(20, 2, 3);
    fixture.run(&fixture.sync(&source)).await;
    let unmanaged: User = serde_json::from_value(serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "unmanaged@example.com", "displayName": "Unmanaged",
        "emails": [{"value": "unmanaged@example.com", "type": "work", "primary": true}],
        "name": {"givenName": "Unmanaged", "familyName": "User"},
    }))
    .expect("a user");
    let unmanaged = fixture
        .scim
        .users()
        .create(&unmanaged)
        .await
        .expect("a user");
    let unmanaged = [unmanaged.id.expect("an id")];
    let groups = fixture.sandbox.identity_groups();
    let managed_group = ResourceId::parse(&groups[0].id).expect("an id");
    fixture
        .scim
        .groups()
        .add_members(&managed_group, &unmanaged)
        .await
        .expect("a member");
    fixture
        .scim
        .groups()
        .create(&Group::new("AWSControlTowerAdmins"))
        .await
        .expect("a group");
    fixture.sandbox.clear_requests();
    let sync = fixture
        .stateless_sync(&source)
        .removal(Removal::Delete {
            after: Duration::ZERO,
        })
        .group_removal(GroupRemoval::Delete);
    fixture.run(&sync).await;
    let (_, writes) = fixture.take_request_counts();
    assert_eq!(writes, 0);
}

/// A target with a group made by hand, whose members are an unmanaged user and a user of the source.
async fn group_of_others(fixture: &SyncFixture) -> Directory {
    let source = directory(3, 1, 2);
    fixture.create_unmanaged_user("stranger@example.com").await;
    let members = ["stranger@example.com"];
    let _ = fixture.sandbox.add_identity_group("group-00000", &members);
    fixture.run(&fixture.sync(&source)).await;
    assert_eq!(members_of(fixture).len(), 3);
    source
}

fn members_of(fixture: &SyncFixture) -> Vec<String> {
    let groups = fixture.sandbox.identity_groups();
    groups[0].members.clone()
}

fn deleting(sync: DirectorySync) -> DirectorySync {
    // A group that is kept loses all members that the sync manages.
    let guard = allowing(["emptied-group:group-00000"]);
    sync.group_removal(GroupRemoval::Delete).guard(guard)
}

#[tokio::test]
async fn an_adopted_group_is_not_deleted_but_loses_the_members_that_the_sync_manages() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = group_of_others(&fixture).await;
        let id = fixture.sandbox.identity_groups()[0].id.clone();
        // The last change of the group is not its adoption.
        fixture
            .run(&fixture.sync(&source).mode(ReadMode::Full))
            .await;
        source.groups.clear();
        let sync = deleting(fixture.sync(&source)).mode(mode);
        let plan = sync.plan().await.expect("a plan");
        assert_eq!(plan.counts().groups_deleted, 0, "{plan}");
        assert_eq!(plan.counts().members_removed, 2, "{plan}");
        let note = "group group-00000: not in the source, but not deleted, because it existed before the sync adopted it";
        let found = plan.notes.iter().find(|found| found.starts_with(note));
        assert!(found.is_some(), "{plan}");
        let json = serde_json::to_string(&plan).expect("JSON");
        assert!(
            json.contains("it existed before the sync adopted it"),
            "{json}"
        );
        fixture.run(&sync).await;
        assert_eq!(members_of(&fixture), ["stranger@example.com"]);
        assert_eq!(fixture.sandbox.identity_groups()[0].id, id);
        let plan = sync.plan().await.expect("a plan");
        assert!(plan.is_empty(), "{plan}");
        // Without its state, the sync sees the member of others.
        let stateless = deleting(fixture.stateless_sync(&source));
        let plan = stateless.plan().await.expect("a plan");
        assert!(plan.is_empty(), "{plan}");
        let note = "because it has 1 member that the sync does not manage: stranger@example.com";
        assert!(
            plan.notes.iter().any(|found| found.ends_with(note)),
            "{plan}"
        );
    }
}

#[tokio::test]
async fn a_group_that_the_sync_has_created_is_deleted_unless_others_have_added_members() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(3, 1, 2);
        fixture.create_unmanaged_user("stranger@example.com").await;
        fixture.run(&fixture.sync(&source)).await;
        let set_member = |member| {
            let sandbox = &fixture.sandbox;
            sandbox.set_identity_member("group-00000", "stranger@example.com", member);
        };
        set_member(true);
        source.groups.clear();
        let sync = deleting(fixture.sync(&source)).mode(mode);
        fixture.run(&sync).await;
        assert_eq!(members_of(&fixture), ["stranger@example.com"]);
        set_member(false);
        fixture.run(&sync).await;
        assert_eq!(fixture.sandbox.identity_groups(), []);
    }
}

#[tokio::test]
async fn the_plan_says_that_a_removed_account_was_adopted() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(3, 0, 0);
    let name = source.users[2].profile.user_name.clone();
    fixture.create_unmanaged_user(&name).await;
    fixture.run(&fixture.sync(&source)).await;
    source.users.truncate(1);
    let plan = fixture.sync(&source).plan().await.expect("a plan");
    let text = plan.to_string();
    let adopted = format!(
        "x user {name} (deactivated: missing in the source; the account existed before the sync adopted it)"
    );
    assert!(text.contains(&adopted), "{text}");
    assert_eq!(text.matches("adopted it").count(), 1, "{text}");
}

#[tokio::test]
async fn a_group_that_no_plan_has_seen_is_adopted_only_after_a_plan_that_names_its_members() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(4, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    // An administrator creates the group between two runs, with another member than the source has.
    let stranger = fixture.create_unmanaged_user("stranger@example.com").await;
    let group = Group::new("group-00000");
    let group = fixture.scim.groups().create(&group).await.expect("a group");
    let id = group.id.expect("an id");
    let added = fixture.scim.groups().add_members(&id, &[stranger]).await;
    added.expect("a member");
    source.groups = directory(4, 1, 2).groups;
    let report = fixture.apply(&fixture.sync(&source)).await;
    assert_eq!(report.failed.len(), 1, "{report}");
    let members = |name: &str| {
        let groups = fixture.sandbox.identity_groups();
        let group = groups.into_iter().find(|group| group.display_name == name);
        group.expect("the group").members
    };
    assert_eq!(members("group-00000"), ["stranger@example.com"]);
    // The next run reads the target, and its plan names the member.
    let sync = fixture.sync(&source);
    let plan = sync.plan().await.expect("a plan");
    let hazards: Vec<String> = plan.hazards.iter().map(ToString::to_string).collect();
    assert!(hazards[0].contains("stranger@example.com"), "{plan}");
    fixture
        .run(&sync.guard(allowing(["gives-access-to:group-00000"])))
        .await;
    assert_eq!(members("group-00000").len(), 3);
    assert_eq!(fixture.sandbox.identity_groups().len(), 1);
}
