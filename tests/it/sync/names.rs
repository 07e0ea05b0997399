//! Names that change hands, which belong to one at a time.

use std::collections::BTreeMap;

use okta_aws_sso::sync::Directory;
use scim_types::User;

use super::rig::{Rig, directory};

/// Gives each of `places` the name and the address of the next one, and the last those of the first.
fn rotate(all: &mut Directory, places: &[usize]) {
    let names: Vec<String> = places
        .iter()
        .map(|place| all.users[*place].profile.user_name.clone())
        .collect();
    for (at, place) in places.iter().enumerate() {
        call(all, *place, &names[(at + 1) % names.len()]);
    }
}

fn call(all: &mut Directory, place: usize, name: &str) {
    let profile = &mut all.users[place].profile;
    name.clone_into(&mut profile.user_name);
    profile.email = Some(name.to_owned());
}

/// Which account is whose, by the id of the source.
fn accounts(rig: &Rig) -> BTreeMap<Option<String>, String> {
    let users = rig.sandbox.identity_users().into_iter();
    users.map(|user| (user.external_id, user.id)).collect()
}

#[tokio::test]
async fn who_gets_the_name_of_another_waits_until_that_one_has_a_new_name() {
    let rig = Rig::new().await;
    let mut all = directory(8, 1, 4);
    rig.run(&rig.sync(&all)).await;
    rotate(&mut all, &[0, 1, 2, 3, 4]);
    call(&mut all, 4, "new@example.com");
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
    // Everything is read, and in the other order.
    rotate(&mut all, &[4, 3, 2, 1, 0]);
    call(&mut all, 0, "newer@example.com");
    rig.run(&rig.forgetful(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_newcomer_gets_the_name_that_another_gives_up_and_not_their_account() {
    let rig = Rig::new().await;
    let mut all = directory(3, 1, 3);
    let before = all.clone();
    rig.run(&rig.sync(&all)).await;
    let mut more = directory(4, 0, 0).users;
    let newcomer = more.remove(3);
    all.users.insert(0, newcomer);
    call(&mut all, 0, &before.users[0].profile.user_name);
    call(&mut all, 1, "new@example.com");
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn users_who_swap_names_do_and_keep_their_accounts() {
    let rig = Rig::new().await;
    let mut all = directory(10, 2, 4);
    rig.run(&rig.sync(&all)).await;
    let before = accounts(&rig);
    // Two rings at once, one of them with somebody who waits for it.
    rotate(&mut all, &[0, 1]);
    rotate(&mut all, &[2, 3, 4]);
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
    assert_eq!(accounts(&rig), before);
    rotate(&mut all, &[4, 5, 6]);
    rig.run(&rig.forgetful(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn groups_that_swap_names_do_and_keep_their_members() {
    let rig = Rig::new().await;
    let mut all = directory(10, 4, 3);
    rig.run(&rig.sync(&all)).await;
    let names: Vec<String> = all.groups.iter().map(|group| group.name.clone()).collect();
    for (at, group) in all.groups.iter_mut().enumerate() {
        group.name.clone_from(&names[(at + 1) % names.len()]);
    }
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn who_cannot_swap_after_all_has_the_old_name_again() {
    let rig = Rig::new().await;
    let mut all = directory(3, 1, 3);
    rig.run(&rig.sync(&all)).await;
    let before = all.clone();
    // Somebody whom nobody manages has the address that one of the two is to get besides.
    let mut stranger: User = serde_json::from_value(serde_json::json!({
        "userName": "stranger@example.com", "displayName": "A Stranger", "active": true,
        "name": {"givenName": "A", "familyName": "Stranger"},
        "emails": [{"value": "wanted@example.com", "type": "work", "primary": true}],
    }))
    .expect("a user");
    stranger = rig.scim.users().create(&stranger).await.expect("a user");
    rotate(&mut all, &[0, 1]);
    all.users[0].profile.email = Some("wanted@example.com".to_owned());
    let sync = rig.sync(&all);
    let plan = sync.plan().await.expect("a plan");
    let report = sync.apply(&plan).await.expect("a run");
    let failed: Vec<&str> = report
        .failed
        .iter()
        .map(|failed| failed.what.as_str())
        .collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    rig.scim
        .users()
        .delete(stranger.id.as_ref().expect("an id"))
        .await
        .expect("a deletion");
    rig.assert_in_sync(&before);
    // Without the stranger it goes on where it was.
    rig.run(&rig.sync(&all)).await;
    rig.assert_in_sync(&all);
}
