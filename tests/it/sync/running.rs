//! Tests of scheduled runs: drift that is found every n-th run, the end of the token, and for how long a user is left out.

use std::{num::NonZeroU32, time::Duration};

use okta_aws_sso::{
    Document,
    plan::Note,
    sync::{Directory, SyncPlan},
};
use rest_core::Secret;
use scim_types::ResourceId;

use super::fixture::{SyncFixture, directory};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn every_third_run_reads_the_whole_target_and_corrects_drift() {
    let fixture = SyncFixture::new().await;
    let source = directory(5, 1, 2);
    let sync = || {
        let every = NonZeroU32::new(3).expect("not 0");
        fixture.sync(&source).verify_every(every)
    };
    fixture.run(&sync()).await;
    fixture
        .sandbox
        .delete_identity_user("person.00004@example.com");
    fixture.sandbox.clear_requests();
    for (run, reads, created) in [
        (2, 1, 0),
        (3, 1, 0),
        (4, 3, 1),
        (5, 1, 0),
        (6, 1, 0),
        (7, 3, 0),
    ] {
        let report = fixture.run(&sync()).await;
        let requests = fixture.take_request_counts();
        assert_eq!(report.done.users_created, created, "run {run}");
        assert_eq!(requests, (reads, created), "run {run}");
    }
    fixture.assert_in_sync(&source);
    // An administrator adds a managed user to a group.
    let group = fixture.group_id("group-00000");
    let users = fixture.sandbox.identity_users();
    let user = users
        .iter()
        .find(|user| user.user_name == "person.00003@example.com");
    let user = ResourceId::parse(&user.expect("the user").id).expect("an id");
    let added = fixture.scim.groups().add_members(&group, &[user]).await;
    added.expect("a member");
    for _ in 8..=10 {
        fixture.run(&sync()).await;
    }
    fixture.assert_in_sync(&source);
    fixture.take_requests();
    // A dry run does not count.
    for _ in 0..3 {
        sync().plan().await.expect("a plan");
    }
    assert_eq!(fixture.take_request_counts(), (3, 0));
}

/// Returns the code of the warning before the end of the token.
fn warning(plan: &SyncPlan) -> Option<String> {
    let plan = plan.to_plan();
    let mut notes = plan.steps.iter().flat_map(|step| &step.notes);
    let is_warning = |note: &&Note| note.code.as_str().starts_with("scim-token-expires");
    notes.find(is_warning).map(|note| note.code.to_string())
}

#[tokio::test]
async fn a_run_warns_before_the_end_of_the_token_and_a_new_token_ends_the_warning() {
    let mut fixture = SyncFixture::new().await;
    let source = directory(2, 0, 0);
    fixture.run(&fixture.sync(&source)).await;
    for (days, expected) in [
        (274, None),
        (1, Some("scim-token-expires-90-days")),
        (60, Some("scim-token-expires-30-days")),
        (25, Some("scim-token-expires-7-days")),
    ] {
        fixture.clock.advance(DAY * days);
        let plan = fixture.sync(&source).plan().await.expect("a plan");
        assert_eq!(warning(&plan).as_deref(), expected, "{plan}");
        let report = fixture.run(&fixture.sync(&source)).await;
        let is_noted = report
            .notes
            .iter()
            .any(|note| note.contains("at the latest"));
        assert_eq!(is_noted, expected.is_some(), "{report}");
    }
    let token = fixture.sandbox.console().enable_automatic_provisioning();
    fixture.set_token(Secret::new(token.expect("a second token").access_token));
    let report = fixture.run(&fixture.sync(&source)).await;
    assert!(report.notes.is_empty(), "{report}");
    let age = report.token.expect("the age of the token");
    let now = jiff::Timestamp::try_from(rest_core::Clock::now(&fixture.clock));
    let today = jiff::tz::TimeZone::UTC
        .to_datetime(now.expect("a time"))
        .date();
    assert_eq!(age.first_used, today);
    // The state has the day and nothing of the token but 32 bits of a digest.
    let state = fixture
        .store
        .read("directory.json")
        .await
        .expect("the state");
    let state = String::from_utf8(state.expect("a state")).expect("JSON");
    assert!(
        state.contains(&format!("\"fingerprint\":\"{}\"", age.fingerprint)),
        "{state}"
    );
    assert!(
        !state.contains(fixture.token()),
        "the token is in the state"
    );
}

#[tokio::test]
async fn a_user_who_is_left_out_is_reported_with_the_number_of_days() {
    let fixture = SyncFixture::new().await;
    let mut source: Directory = directory(3, 0, 0);
    source.users[1].profile.family_name.clear();
    for (days, text) in [
        (0, "person.00001@example.com is skipped: "),
        (5, "person.00001@example.com is skipped (for 5 days, since "),
        (1, "person.00001@example.com is skipped (for 6 days, since "),
    ] {
        fixture.clock.advance(DAY * days);
        let report = fixture.run(&fixture.sync(&source)).await;
        assert!(report.to_string().contains(text), "{report}");
        let json = Document::sync_report(&report).to_string();
        let left_out = "\"name\":\"person.00001@example.com\"";
        assert!(json.contains(left_out), "{json}");
    }
    // After the correction, a later reason starts again.
    source.users[1].profile.family_name = "Number".to_owned();
    fixture.run(&fixture.sync(&source)).await;
    source.users[1].profile.family_name.clear();
    fixture.clock.advance(DAY);
    let report = fixture.run(&fixture.sync(&source)).await;
    assert_eq!(report.left_out.len(), 1);
    assert_eq!(report.left_out[0].since, None);
}
