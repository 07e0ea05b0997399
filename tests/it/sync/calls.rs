//! How many requests a run needs: no more than the directory asks for.

use okta_aws_sso::sync::{Directory, ReadMode};

use super::rig::{Rig, directory, user_id};

/// The requests of a run, counted by the sandbox, beside what it may need.
#[derive(Debug)]
struct Size {
    users: usize,
    groups: usize,
    members: usize,
}

impl Size {
    /// "2 + N + G + Σ(⌈m/100⌉−1)": one page of users and one of groups in an empty target, and a request for each.
    fn first_run(&self) -> (usize, usize) {
        let chunks = self.members.div_ceil(100).saturating_sub(1);
        (2, self.users + self.groups + self.groups * chunks)
    }

    fn verify(&self) -> usize {
        self.users.div_ceil(100) + self.groups.div_ceil(100)
    }
}

async fn costs(size: Size) {
    let rig = Rig::new().await;
    let all = directory(size.users, size.groups, size.members);
    rig.sandbox.forget_requests();

    rig.run(&rig.sync(&all)).await;
    assert_eq!(rig.calls(), size.first_run(), "first run of {size:?}");
    rig.assert_in_sync(&all);

    rig.run(&rig.sync(&all)).await;
    assert_eq!(rig.calls(), (0, 0), "nothing changes in {size:?}");

    rig.run(&rig.sync(&all).mode(ReadMode::Verify)).await;
    assert_eq!(rig.calls(), (size.verify(), 0), "verify {size:?}");

    rig.run(&rig.forgetful(&all).mode(ReadMode::Full)).await;
    let by_group = size.groups * size.members.div_ceil(100).max(1);
    let members = by_group.min(size.users);
    assert_eq!(
        rig.calls(),
        (size.verify() + members, 0),
        "everything of {size:?}"
    );

    // One more user, in three groups: one request for the user and one for each group.
    let more = directory(size.users + 1, size.groups, size.members);
    let mut joined = Directory {
        users: more.users,
        ..all.clone()
    };
    for group in joined.groups.iter_mut().take(3) {
        group
            .members
            .insert(scim_types::ExternalId::new(user_id(size.users)));
    }
    rig.run(&rig.sync(&joined)).await;
    assert_eq!(rig.calls(), (0, 1 + 3), "one more in {size:?}");
    rig.assert_in_sync(&joined);
}

#[tokio::test]
async fn a_directory_of_200_users_200_groups_and_2000_memberships() {
    costs(Size {
        users: 200,
        groups: 200,
        members: 10,
    })
    .await;
}

#[tokio::test]
async fn a_directory_of_1000_users_100_groups_and_5000_memberships() {
    costs(Size {
        users: 1000,
        groups: 100,
        members: 50,
    })
    .await;
}

#[tokio::test]
async fn a_group_of_more_than_a_hundred_is_made_with_a_hundred_and_filled_by_the_hundred() {
    costs(Size {
        users: 260,
        groups: 4,
        members: 250,
    })
    .await;
}

#[tokio::test]
async fn who_is_in_which_group_is_asked_by_user_where_that_is_less() {
    let rig = Rig::new().await;
    let all = directory(5, 40, 3);
    rig.run(&rig.forgetful(&all)).await;
    rig.sandbox.forget_requests();
    let plan = rig.forgetful(&all).plan().await.expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(rig.calls(), (1 + 1 + 5, 0));
}

#[tokio::test]
async fn a_rename_rides_along_with_members_and_costs_one_request() {
    let rig = Rig::new().await;
    let mut all = directory(10, 2, 4);
    rig.run(&rig.sync(&all)).await;
    rig.sandbox.forget_requests();
    all.groups[0].name = "renamed".to_owned();
    all.groups[0].members.pop_first();
    let newcomer = all.users[9].id.clone();
    all.groups[0].members.insert(newcomer);
    rig.run(&rig.sync(&all)).await;
    assert_eq!(rig.calls(), (0, 1));
    rig.assert_in_sync(&all);
}

#[tokio::test]
async fn a_change_of_a_user_that_a_memory_sees_reads_that_user_and_no_other() {
    let rig = Rig::new().await;
    let mut all = directory(150, 1, 4);
    rig.run(&rig.sync(&all)).await;
    rig.sandbox.forget_requests();
    all.users[7].profile.user_name = "new.name@example.com".to_owned();
    all.users[7].profile.email = Some("new.name@example.com".to_owned());
    rig.run(&rig.sync(&all)).await;
    assert_eq!(rig.calls(), (1, 1));
    rig.assert_in_sync(&all);
}
