//! Tests of renames that depend on each other: user names, email addresses and group names are unique in the target.

use std::{collections::BTreeMap, time::Duration};

use okta_aws_sso::sync::{Directory, ReadMode};
use sandbox::{Fault, Service};
use scim_types::{ResourceId, User};

use super::fixture::{SyncFixture, directory, rename_user};

/// Gives each user the name and the email address of the next user. The last user gets those of the first user.
fn rotate(source: &mut Directory, indexes: &[usize]) {
    let names: Vec<String> = indexes
        .iter()
        .map(|index| source.users[*index].profile.user_name.clone())
        .collect();
    for (position, index) in indexes.iter().enumerate() {
        rename_user(source, *index, &names[(position + 1) % names.len()]);
    }
}

/// Returns the target ids of the users by external id.
fn accounts(fixture: &SyncFixture) -> BTreeMap<Option<String>, String> {
    let users = fixture.sandbox.identity_users().into_iter();
    users.map(|user| (user.external_id, user.id)).collect()
}

/// Creates an unmanaged user with an email address, and returns its target id.
async fn create_user_with_email(fixture: &SyncFixture, email: &str) -> ResourceId {
    let user: User = serde_json::from_value(serde_json::json!({
        "userName": "unmanaged@example.com", "displayName": "An Unmanaged User", "active": true,
        "name": {"givenName": "Unmanaged", "familyName": "User"},
        "emails": [{"value": email, "type": "work", "primary": true}],
    }))
    .expect("a valid user");
    let created = fixture.scim.users().create(&user).await;
    created.expect("a user").id.expect("an id")
}

#[tokio::test]
async fn a_user_gets_a_name_after_its_holder_is_renamed() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(8, 1, 4);
    fixture.run(&fixture.sync(&source)).await;
    rotate(&mut source, &[0, 1, 2, 3, 4]);
    rename_user(&mut source, 4, "new@example.com");
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
    // The sync also resolves the renames in the opposite order, and if it reads the whole target.
    rotate(&mut source, &[4, 3, 2, 1, 0]);
    rename_user(&mut source, 0, "newer@example.com");
    fixture.run(&fixture.stateless_sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_chain_of_passed_on_names_is_resolved() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(10, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    // Each user gets the name of the next user; the last user gets a new name.
    for index in 0..10 {
        let name = format!("person.{:05}@example.com", index + 1);
        source.users[index].profile.user_name.clone_from(&name);
        source.users[index].profile.email = Some(name);
    }
    let sync = fixture.sync(&source);
    // More than one run is allowed, but no user is created again.
    for _ in 0..10 {
        let prepared = sync.prepare().await.expect("a plan");
        let plan = prepared.plan();
        assert_eq!(plan.counts().users_created, 0);
        sync.apply(prepared).await.expect("a run");
    }
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_long_chain_of_passed_on_names_takes_few_requests_per_user() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(60, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    for index in 0..60 {
        rename_user(
            &mut source,
            index,
            &format!("person.{:05}@example.com", index + 1),
        );
    }
    fixture.take_request_counts();
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
    let (reads, writes) = fixture.take_request_counts();
    assert!(reads + writes < 60 * 6, "{reads} reads and {writes} writes");
}

#[tokio::test]
async fn a_new_user_gets_a_released_name_but_not_the_account() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(3, 1, 3);
    let before = source.clone();
    fixture.run(&fixture.sync(&source)).await;
    let mut more = directory(4, 0, 0).users;
    let new_user = more.remove(3);
    source.users.insert(0, new_user);
    rename_user(&mut source, 0, &before.users[0].profile.user_name);
    rename_user(&mut source, 1, "new@example.com");
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_deactivated_user_can_pass_on_its_name_in_the_same_run() {
    for swap in [false, true] {
        for mode in [ReadMode::Cached, ReadMode::Full] {
            let fixture = SyncFixture::new().await;
            let mut source = directory(20, 1, 4);
            fixture.run(&fixture.sync(&source)).await;
            let name = source.users[0].profile.user_name.clone();
            let other = if swap {
                source.users[1].profile.user_name.clone()
            } else {
                "deactivated@example.com".to_owned()
            };
            rename_user(&mut source, 0, &other);
            source.users[0].profile.active = false;
            rename_user(&mut source, 1, &name);
            fixture.run(&fixture.sync(&source).mode(mode)).await;
            fixture.assert_no_changes(&source).await;
            let users = fixture.sandbox.identity_users().into_iter();
            let active: Vec<bool> = users
                .filter(|user| user.user_name == other)
                .map(|user| user.active)
                .collect();
            assert_eq!(active, [false]);
        }
    }
}

#[tokio::test]
async fn users_that_swap_names_keep_their_accounts() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(10, 2, 4);
    fixture.run(&fixture.sync(&source)).await;
    let before = accounts(&fixture);
    // The source contains two cycles of renames at once.
    rotate(&mut source, &[0, 1]);
    rotate(&mut source, &[2, 3, 4]);
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
    assert_eq!(accounts(&fixture), before);
    rotate(&mut source, &[4, 5, 6]);
    fixture.run(&fixture.stateless_sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn users_can_swap_names_and_change_email_addresses_in_one_run() {
    for mode in [ReadMode::Cached, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(6, 1, 4);
        fixture.run(&fixture.sync(&source)).await;
        let names: Vec<String> = source
            .users
            .iter()
            .map(|u| u.profile.user_name.clone())
            .collect();
        for index in 0..3 {
            let profile = &mut source.users[index].profile;
            profile.user_name.clone_from(&names[(index + 1) % 3]);
            profile.email = Some(format!("new.{index}@example.com"));
        }
        fixture.run(&fixture.sync(&source).mode(mode)).await;
        fixture.assert_in_sync(&source);
        fixture.assert_no_changes(&source).await;
    }
}

#[tokio::test]
async fn groups_that_swap_names_keep_their_members() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(10, 4, 3);
    fixture.run(&fixture.sync(&source)).await;
    let names: Vec<String> = source
        .groups
        .iter()
        .map(|group| group.name.clone())
        .collect();
    for (position, group) in source.groups.iter_mut().enumerate() {
        group.name.clone_from(&names[(position + 1) % names.len()]);
    }
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_failed_swap_restores_the_old_names() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(3, 1, 3);
    fixture.run(&fixture.sync(&source)).await;
    let before = source.clone();
    // An unmanaged user has the email address that one of the two users should get.
    let unmanaged = create_user_with_email(&fixture, "wanted@example.com").await;
    rotate(&mut source, &[0, 1]);
    source.users[0].profile.email = Some("wanted@example.com".to_owned());
    let sync = fixture.sync(&source);
    let prepared = sync.prepare().await.expect("a plan");
    let report = sync.apply(prepared).await.expect("a run");
    let failed: Vec<&str> = report
        .failed
        .iter()
        .map(|failed| failed.change.as_str())
        .collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    let deleted = fixture.scim.users().delete(&unmanaged).await;
    deleted.expect("a deletion");
    fixture.assert_in_sync(&before);
    // The next run succeeds without the unmanaged user.
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_cycle_that_cannot_be_resolved_leaves_all_names_unchanged() {
    for mode in [ReadMode::Cached, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(6, 1, 4);
        fixture.run(&fixture.sync(&source)).await;
        let before = source.clone();
        let unmanaged = create_user_with_email(&fixture, "taken@example.com").await;
        let name = |index: usize| before.users[index].profile.user_name.clone();
        // Users 3 and 5 swap names, and user 5 gets the email address of the unmanaged user; users 3 and 4 swap email
        // addresses.
        source.users[3].profile.user_name = name(5);
        source.users[3].profile.email = Some(name(4));
        source.users[4].profile.email = Some(name(3));
        source.users[5].profile.user_name = name(3);
        source.users[5].profile.email = Some("taken@example.com".to_owned());
        let sync = fixture.sync(&source).mode(mode);
        let prepared = sync.prepare().await.expect("a plan");
        // With the target read, the plan skips all three: each has a value of an account that stays as it is.
        let skipped = prepared.plan().skipped.len();
        let report = sync.apply(prepared).await.expect("a run");
        assert_eq!(report.failed.len() + skipped, 3, "{report:?}");
        assert_eq!(skipped > 0, mode == ReadMode::Full);
        let deleted = fixture.scim.users().delete(&unmanaged).await;
        deleted.expect("a deletion");
        fixture.assert_in_sync(&before);
        fixture.run(&sync).await;
        fixture.assert_in_sync(&source);
    }
}

#[tokio::test]
async fn an_interrupted_and_reverted_swap_leaves_no_temporary_name() {
    for groups in [false, true] {
        for writes in 4..8 {
            let fixture = SyncFixture::new().await;
            let before = directory(6, 2, 4);
            fixture.run(&fixture.sync(&before)).await;
            let mut source = before.clone();
            if groups {
                source.groups[0].name.clone_from(&before.groups[1].name);
                source.groups[1].name.clone_from(&before.groups[0].name);
            } else {
                rename_user(&mut source, 0, &before.users[1].profile.user_name);
                rename_user(&mut source, 1, &before.users[0].profile.user_name);
            }
            let on = if groups { "PATCH /" } else { "PUT /" };
            for _ in 0..20 {
                let fault = Fault::stall(Service::Scim, true).on(on).after(writes);
                fixture.sandbox.inject(fault);
            }
            let sync = fixture.sync(&source);
            let run = async {
                let prepared = sync.prepare().await?;
                sync.apply(prepared).await
            };
            let result = tokio::time::timeout(Duration::from_millis(300), run).await;
            fixture.sandbox.clear_faults();
            if writes == 4 {
                assert!(
                    result.is_err(),
                    "the run did not stop after {writes} writes"
                );
            }
            fixture.run(&fixture.sync(&before)).await;
            fixture.assert_in_sync(&before);
        }
    }
}

#[tokio::test]
async fn a_rename_that_is_not_written_says_who_cannot_sign_in() {
    for mode in [ReadMode::Cached, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(2, 0, 0);
        fixture.run(&fixture.sync(&source)).await;
        rename_user(&mut source, 0, "new@example.com");
        let refused = Fault::fail(Service::Scim, 400, "{}").on("PUT /");
        fixture.sandbox.inject(refused);
        let sync = fixture.sync(&source).mode(mode);
        let prepared = sync.prepare().await.expect("a plan");
        let report = sync.apply(prepared).await.expect("a run");
        let help = report.failed[0].help.clone().unwrap_or_default();
        assert!(
            help.contains(
                "so a sign-in as `new@example.com` (NameID) fails until the rename is written"
            ),
            "{help}"
        );
        // A name that the target refuses is not sent.
        rename_user(&mut source, 0, "new;@example.com");
        let plan = fixture.sync(&source).mode(mode).plan().await;
        let plan = plan.expect("a plan");
        let reason = &plan.skipped[0].reason;
        assert!(
            reason.contains("userName contains `;`")
                && reason.contains("so a sign-in as `new;@example.com` (NameID) fails"),
            "{reason}"
        );
        // Another user with a profile that is refused has its name still.
        source.users[1].profile.family_name.clear();
        let plan = fixture.sync(&source).mode(mode).plan().await;
        let plan = plan.expect("a plan");
        assert_eq!(plan.skipped[1].reason, "name.familyName is required");
    }
}
