//! Tests of a target that accepts attributes and does not keep them.

use okta_aws_sso::sync::ReadMode;
use sandbox::Sandbox;

use super::fixture::{SyncFixture, directory};
use crate::fixture::company;

#[tokio::test]
async fn an_attribute_that_the_target_does_not_keep_is_reported_once_and_written_only_after_a_change()
 {
    let sandbox = Sandbox::builder().company(company()).page_size(None);
    let fixture = SyncFixture::with_sandbox(sandbox.drop_user_attribute("displayName")).await;
    let mut source = directory(5, 1, 3);
    let report = fixture.run(&fixture.sync(&source)).await;
    let notes = report.notes;
    assert_eq!(notes, ["the target does not keep displayName (5 users)"]);
    fixture.assert_no_changes(&source).await;
    source.users[2].profile.display_name = "Another".to_owned();
    let report = fixture
        .run(&fixture.sync(&source).mode(ReadMode::Verify))
        .await;
    assert_eq!(report.done.users_updated, 1);
    assert_eq!(report.notes.len(), 0);
    fixture.assert_no_changes(&source).await;
    // Drift of another attribute is corrected.
    let id = fixture.sandbox.identity_users()[0].id.clone();
    let id = scim_types::ResourceId::parse(id).expect("an id");
    let change = scim_types::PatchOperation::replace("title", "Changed by hand");
    let changed = fixture.scim.users().patch(&id, &change.into()).await;
    changed.expect("a change");
    let report = fixture
        .run(&fixture.sync(&source).mode(ReadMode::Full))
        .await;
    assert_eq!(report.done.users_updated, 1);
    fixture.assert_no_changes(&source).await;
}

#[tokio::test]
async fn external_ids_that_the_target_does_not_keep_are_written_once() {
    let sandbox = Sandbox::builder().company(company()).page_size(None);
    let sandbox = sandbox
        .drop_user_attribute("externalId")
        .drop_group_attribute("externalId");
    let fixture = SyncFixture::with_sandbox(sandbox).await;
    let source = directory(5, 1, 3);
    let report = fixture.run(&fixture.sync(&source)).await;
    let notes = report.notes;
    assert_eq!(
        notes,
        [
            "the target does not keep externalId (5 users)",
            "the target does not keep externalId of groups (1 group)"
        ]
    );
    fixture.assert_no_changes(&source).await;
}
