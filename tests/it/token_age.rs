//! Tests of the warning before the end of the SCIM access token, in both provisioning modes.

use std::time::Duration;

use okta_aws_sso::Plan;
use rest_core::Secret;

use crate::fixture::{Fixture, SEED, apply, direct, note};

const DAY: Duration = Duration::from_hours(24);

/// Returns whether the plan warns with the note of this number of days.
fn warns(plan: &Plan, days: u32) -> bool {
    note(plan, &format!("scim-token-expires-{days}-days")).is_some()
}

#[tokio::test]
async fn the_token_that_okta_got_is_warned_about_until_its_latest_end() {
    let fixture = Fixture::new(SEED).await;
    fixture.run().await.expect("the first run");
    for (days, warning) in [(274, None), (1, Some(90)), (60, Some(30)), (25, Some(7))] {
        fixture.pass(DAY * days);
        let plan = fixture.pipeline().plan().await.expect("a plan");
        for limit in [90, 30, 7] {
            assert_eq!(warns(&plan, limit), warning == Some(limit), "{plan}");
        }
    }
    // After its end, Okta must have another token, which no API tells.
    fixture.pass(DAY * 6);
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(!warns(&plan, 7), "{plan}");
}

#[tokio::test]
async fn another_token_of_the_run_ends_the_warning() {
    let fixture = Fixture::new(&direct(SEED)).await;
    fixture.run().await.expect("the first run");
    let token = || {
        let shown = fixture.sandbox.console().enable_automatic_provisioning();
        Secret::new(shown.expect("a token").access_token)
    };
    let second = token();
    let pipeline = || fixture.pipeline().scim_token(second.clone());
    let plan = pipeline().plan().await.expect("a plan");
    apply(&pipeline(), &plan).await.expect("a run");
    fixture.pass(DAY * 280);
    let plan = pipeline().plan().await.expect("a plan");
    assert!(warns(&plan, 90), "{plan}");
    assert_eq!(fixture.sandbox.console().delete_scim_tokens(), 2);
    let third = fixture.pipeline().scim_token(token());
    let plan = third.plan().await.expect("a plan");
    assert!(!warns(&plan, 90), "{plan}");
    // A run without a token does not know which one the next run has.
    let plan = fixture.pipeline().plan().await.expect("a plan");
    assert!(!warns(&plan, 90), "{plan}");
}
