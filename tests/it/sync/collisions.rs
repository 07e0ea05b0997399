//! Tests of users with one email address or user name, and of other contradictions in the source.

use okta_aws_sso::sync::ReadMode;

use super::fixture::{SyncFixture, directory};

#[tokio::test]
async fn of_two_users_with_one_email_address_the_same_one_is_skipped_in_every_run() {
    for first in [ReadMode::Cached, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let mut source = directory(6, 1, 6);
        // User 5 is in the target before user 2 gets its email address.
        let mut other = source.users.remove(2);
        fixture.run(&fixture.sync(&source).mode(first)).await;
        other.profile.email = Some("Person.00005@Example.com".to_owned());
        source.users.push(other);
        for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
            let sync = fixture.sync(&source).mode(mode);
            let prepared = sync.prepare().await.expect("a plan");
            let plan = prepared.plan().to_string();
            assert!(prepared.plan().is_empty(), "{plan}");
            for text in [
                "person.00002@example.com is skipped",
                "the email address Person.00005@Example.com also belongs to user person.00005@example.com",
                "group group-00000: not added, because skipped: person.00002@example.com",
            ] {
                assert!(plan.contains(text), "{text} in {plan}");
            }
            let report = sync.apply(prepared).await.expect("a run");
            report.complete().expect("no failure");
        }
        source.users[5].profile.email = Some("person.00002@example.com".to_owned());
        fixture.run(&fixture.sync(&source)).await;
        fixture.assert_in_sync(&source);
    }
}

#[tokio::test]
async fn an_inactive_record_beside_the_active_one_of_the_same_name_stops_nobody() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(6, 1, 6);
    let mut inactive = source.users[3].clone();
    inactive.id = scim_types::ExternalId::new("00u99999999999999999");
    inactive.profile.active = false;
    source.users.insert(0, inactive);
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_no_changes(&source).await;
    source.users.remove(0);
    fixture.assert_in_sync(&source);
}

#[tokio::test]
async fn members_of_nested_groups_are_written() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(6, 2, 2);
    let inner = source.groups[1].id.clone();
    source.groups[0].members.insert(inner.clone());
    fixture.run(&fixture.sync(&source)).await;
    fixture.assert_no_changes(&source).await;
    let nested = source.groups[1].members.clone();
    let group = &mut source.groups[0];
    group.members.remove(&inner);
    group.members.extend(nested);
    fixture.assert_in_sync(&source);
}
