//! Tests of the calls for users and groups.

use std::time::Duration;

use super::ExternalId;
use crate::{
    GroupId, UserId,
    replay::{Replay, UUID, block_on},
};

const OTHER: &str = "0a0a0a0a-7dec-11d0-a765-00a0c91e6bf6";

fn user(status: &str) -> String {
    format!(
        r#"{{"IdentityStoreId": "d-9067642ac7", "UserId": "{UUID}", "UserName": "ada@example.com",
            "DisplayName": "Ada", "UserStatus": "{status}",
            "Emails": [{{"Value": "old@example.com"}}, {{"Value": "ada@example.com", "Primary": true}}],
            "ExternalIds": [{{"Issuer": "https://scim", "Id": "00u1"}}]}}"#
    )
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

#[test]
fn a_user_is_looked_up_by_user_name_and_then_described() {
    let replay = Replay::new()
        .json(&format!(
            r#"{{"IdentityStoreId": "d-9067642ac7", "UserId": "{UUID}"}}"#
        ))
        .json(&user("ENABLED"));
    let (center, _) = replay.center();
    let found = block_on(center.identity_store().user_by_name("ada@example.com"))
        .expect("a response")
        .expect("a user");
    assert_eq!(found.id.as_str(), UUID);
    assert_eq!(found.user_name, "ada@example.com");
    assert_eq!(found.emails, ["ada@example.com", "old@example.com"]);
    let external = ExternalId {
        issuer: "https://scim".to_owned(),
        id: "00u1".to_owned(),
    };
    assert_eq!(found.external_ids, [external]);
    assert_eq!(found.active, Some(true));
    assert_eq!(
        replay.requests()[0].body,
        r#"{"IdentityStoreId":"d-9067642ac7","AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"userName","AttributeValue":"ada@example.com"}}}"#
    );
    assert_eq!(replay.operations(), ["GetUserId", "DescribeUser"]);
}

#[test]
fn an_unknown_user_and_a_user_deleted_during_the_look_up_are_none() {
    let replay = Replay::new()
        .refuse(404, "ResourceNotFoundException", "USER not found.")
        .json(&format!(
            r#"{{"IdentityStoreId": "d-9067642ac7", "UserId": "{UUID}"}}"#
        ))
        .refuse(404, "ResourceNotFoundException", "USER not found.");
    let (center, _) = replay.center();
    for _ in 0..2 {
        let found = block_on(center.identity_store().user_by_name("ada@example.com"));
        assert_eq!(found.expect("a response"), None);
    }
}

#[test]
fn a_group_is_looked_up_by_its_display_name() {
    let replay = Replay::new()
        .json(&format!(
            r#"{{"IdentityStoreId": "d-9067642ac7", "GroupId": "{UUID}"}}"#
        ))
        .json(&format!(
            r#"{{"IdentityStoreId": "d-9067642ac7", "GroupId": "{UUID}", "DisplayName": "Admins"}}"#
        ));
    let (center, _) = replay.center();
    let found = block_on(center.identity_store().group_by_name("Admins")).expect("a response");
    assert_eq!(found.expect("a group").display_name, "Admins");
    assert!(
        replay.requests()[0]
            .body
            .contains(r#""AttributePath":"displayName""#)
    );
}

#[test]
fn users_and_groups_are_listed_over_pages() {
    let replay = Replay::new()
        .json(r#"{"Users": [], "NextToken": "t"}"#)
        .json(&format!(r#"{{"Users": [{}]}}"#, user("DISABLED")))
        .json(&format!(
            r#"{{"Groups": [{{"IdentityStoreId": "d-9067642ac7", "GroupId": "{UUID}", "DisplayName": "A"}}]}}"#
        ));
    let (center, _) = replay.center();
    let users = block_on(center.identity_store().users().try_collect()).expect("users");
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].active, Some(false));
    let groups = block_on(center.identity_store().groups().try_collect()).expect("groups");
    assert_eq!(groups[0].display_name, "A");
}

#[test]
fn members_are_listed_over_pages() {
    let replay = Replay::new()
        .json(&format!(
            r#"{{"GroupMemberships": [{{"IdentityStoreId": "d-9067642ac7", "MembershipId": "m1",
                "MemberId": {{"UserId": "{UUID}"}}}}], "NextToken": "t"}}"#
        ))
        .json(&format!(
            r#"{{"GroupMemberships": [{{"IdentityStoreId": "d-9067642ac7", "MembershipId": "m2",
                "MemberId": {{"UserId": "{OTHER}"}}}}]}}"#
        ));
    let (center, _) = replay.center();
    let members = block_on(
        center
            .identity_store()
            .members(&id::<GroupId>(UUID))
            .try_collect(),
    )
    .expect("members");
    assert_eq!(members, [id::<UserId>(UUID), id::<UserId>(OTHER)]);
}

#[test]
fn membership_is_read_from_the_row_of_the_requested_group() {
    let response = |group: &str| {
        format!(r#"{{"Results": [{{"GroupId": "{group}", "MembershipExists": true}}]}}"#)
    };
    let replay = Replay::new().json(&response(UUID)).json(&response(OTHER));
    let (center, _) = replay.center();
    let (user, group) = (id::<UserId>(OTHER), id::<GroupId>(UUID));
    for expected in [true, false] {
        let is_member = block_on(center.identity_store().is_member(&user, &group));
        assert_eq!(is_member.expect("a response"), expected);
    }
}

#[test]
fn a_throttled_look_up_waits_for_the_retry_after_seconds_of_the_body() {
    let throttled =
        r#"{"__type": "ThrottlingException", "Message": "slow", "RetryAfterSeconds": 7}"#;
    let replay = Replay::new().respond(429, vec![], throttled).refuse(
        404,
        "ResourceNotFoundException",
        "USER not found.",
    );
    let (center, clock) = replay.center();
    let found = block_on(center.identity_store().user_by_name("ada@example.com"));
    assert_eq!(found.expect("a response"), None);
    assert_eq!(clock.slept(), [Duration::from_secs(7)]);
}
