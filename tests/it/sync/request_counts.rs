//! Tests of the number of requests of a run.

use okta_aws_sso::sync::{Directory, ReadMode};

use super::fixture::{SyncFixture, directory, user_id};

/// The size of a directory, with formulas for the expected number of requests.
#[derive(Debug)]
struct Size {
    users: usize,
    groups: usize,
    members: usize,
}

impl Size {
    /// Returns the expected reads and writes of a first run with an empty target.
    ///
    /// The reads are one page of users and one page of groups. There is one write per user, one per group, and one per
    /// further 100 members of a group: N + G + Σ(⌈m/100⌉−1).
    fn first_run(&self) -> (usize, usize) {
        let chunks = self.members.div_ceil(100).saturating_sub(1);
        (2, self.users + self.groups + self.groups * chunks)
    }

    /// Returns the expected reads in [`ReadMode::Verify`]: one per page of 100 users, and one per page of 100 groups.
    fn verify(&self) -> usize {
        self.users.div_ceil(100) + self.groups.div_ceil(100)
    }
}

/// Asserts the request counts of several runs.
async fn assert_request_counts(size: Size) {
    let fixture = SyncFixture::new().await;
    let source = directory(size.users, size.groups, size.members);
    fixture.sandbox.clear_requests();

    fixture.run(&fixture.sync(&source)).await;
    assert_eq!(
        fixture.take_request_counts(),
        size.first_run(),
        "first run of {size:?}"
    );
    fixture.assert_in_sync(&source);

    fixture.run(&fixture.sync(&source)).await;
    assert_eq!(
        fixture.take_request_counts(),
        (1, 0),
        "run without changes of {size:?}: the check of the token"
    );

    fixture
        .run(&fixture.sync(&source).mode(ReadMode::Verify))
        .await;
    assert_eq!(
        fixture.take_request_counts(),
        (size.verify(), 0),
        "verify {size:?}"
    );

    fixture
        .run(&fixture.stateless_sync(&source).mode(ReadMode::Full))
        .await;
    let by_group = size.groups * size.members.div_ceil(100).max(1);
    let members = by_group.min(size.users);
    assert_eq!(
        fixture.take_request_counts(),
        (size.verify() + members, 0),
        "full read of {size:?}"
    );

    // A new user in three groups: one request for the user and one per group.
    let larger = directory(size.users + 1, size.groups, size.members);
    let mut with_new_user = Directory {
        users: larger.users,
        ..source.clone()
    };
    for group in with_new_user.groups.iter_mut().take(3) {
        group
            .members
            .insert(scim_types::ExternalId::new(user_id(size.users)));
    }
    fixture.run(&fixture.sync(&with_new_user)).await;
    assert_eq!(
        fixture.take_request_counts(),
        (0, 1 + 3),
        "new user in {size:?}"
    );
    fixture.assert_in_sync(&with_new_user);
}

#[tokio::test]
async fn request_counts_of_200_users_200_groups_and_2000_memberships() {
    assert_request_counts(Size {
        users: 200,
        groups: 200,
        members: 10,
    })
    .await;
}

#[tokio::test]
async fn request_counts_of_1000_users_100_groups_and_5000_memberships() {
    assert_request_counts(Size {
        users: 1000,
        groups: 100,
        members: 50,
    })
    .await;
}

#[tokio::test]
async fn a_large_group_is_created_with_100_members_and_extended_by_100_per_request() {
    assert_request_counts(Size {
        users: 260,
        groups: 4,
        members: 250,
    })
    .await;
}

#[tokio::test]
async fn memberships_are_read_by_user_if_that_needs_fewer_requests() {
    let fixture = SyncFixture::new().await;
    let source = directory(5, 40, 3);
    fixture.run(&fixture.stateless_sync(&source)).await;
    fixture.sandbox.clear_requests();
    let plan = fixture
        .stateless_sync(&source)
        .plan()
        .await
        .expect("a plan");
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(fixture.take_request_counts(), (1 + 1 + 5, 0));
}

#[tokio::test]
async fn a_group_rename_with_member_changes_takes_one_request() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(10, 2, 4);
    fixture.run(&fixture.sync(&source)).await;
    fixture.sandbox.clear_requests();
    source.groups[0].name = "renamed".to_owned();
    source.groups[0].members.pop_first();
    let new_member = source.users[9].id.clone();
    source.groups[0].members.insert(new_member);
    fixture.run(&fixture.sync(&source)).await;
    assert_eq!(fixture.take_request_counts(), (0, 1));
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn a_changed_user_is_the_only_one_read_in_cached_mode() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(150, 1, 4);
    fixture.run(&fixture.sync(&source)).await;
    fixture.sandbox.clear_requests();
    source.users[7].profile.user_name = "new.name@example.com".to_owned();
    source.users[7].profile.email = Some("new.name@example.com".to_owned());
    fixture.run(&fixture.sync(&source)).await;
    assert_eq!(fixture.take_request_counts(), (1, 1));
    fixture.assert_in_sync(&source);
}
