//! Rate limits, and what is sent again.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use okta_client::{Error, ListApps};
use rest_core::TransportError;
use serde_json::json;

use super::{Org, app_id, clock, empty, group_id, json, user_id, with};

// 1,800,000,000 seconds after the epoch, the moment that the manual clock shows.
const DATE: &str = "Fri, 15 Jan 2027 08:00:00 GMT";

fn limits(answer: Response<Bytes>, limit: &str, remaining: &str, reset: &str) -> Response<Bytes> {
    let answer = with(answer, "x-rate-limit-limit", limit);
    let answer = with(answer, "x-rate-limit-remaining", remaining);
    with(with(answer, "x-rate-limit-reset", reset), "date", DATE)
}

fn throttled() -> Response<Bytes> {
    json(
        429,
        json!({
            "errorCode": "E0000047",
            "errorSummary": "API call exceeded rate limit due to too many requests.",
            "errorCauses": []
        }),
    )
}

#[tokio::test]
async fn a_throttled_call_waits_for_the_reset_on_oktas_clock() {
    let clock = clock();
    // Our clock is an hour ahead, which changes nothing.
    clock.advance(Duration::from_hours(1));
    let app = json(200, json!({ "id": "0oa1" }));
    let org = Org::answering([limits(throttled(), "50", "0", "1800000030"), app]);
    org.client_at(&clock).apps().get(&app_id()).await.unwrap();
    assert_eq!(clock.slept(), [Duration::from_secs(31)]);
    assert_eq!(
        org.header(1, "x-okta-retry-for").as_deref(),
        Some("request-1")
    );
    assert_eq!(org.header(1, "x-okta-retry-count").as_deref(), Some("1"));
}

#[tokio::test]
async fn too_many_calls_at_once_wait_for_a_moment_only() {
    let clock = clock();
    let app = json(200, json!({ "id": "0oa1" }));
    let org = Org::answering([limits(throttled(), "0", "0", "1800000060"), app]);
    org.client_at(&clock).apps().get(&app_id()).await.unwrap();
    let slept = clock.slept();
    assert_eq!(slept.len(), 1);
    let short = Duration::from_millis(250)..=Duration::from_millis(500);
    assert!(short.contains(&slept[0]), "{slept:?}");
}

#[tokio::test]
async fn a_limit_that_stays_used_up_is_reported_in_the_end() {
    let org = Org::answering((0..5).map(|_| limits(throttled(), "50", "0", "1800000010")));
    let error = org
        .client()
        .apps()
        .get(&app_id())
        .await
        .expect_err("an error");
    assert_eq!(error.code(), Some("E0000047"));
    assert!(
        error
            .help()
            .expect("help")
            .starts_with("The org's limit for this kind of call")
    );
    assert_eq!(org.asked().len(), 5);
}

#[tokio::test]
async fn a_bucket_that_is_used_up_is_waited_for_and_others_are_not() {
    let clock = clock();
    let org = Org::answering([
        limits(json(200, json!([])), "10", "0", "1800000040"),
        json(200, json!({ "id": "0oa1" })),
        json(200, json!([])),
    ]);
    let client = org.client_at(&clock);
    client
        .apps()
        .list(ListApps::default())
        .try_collect()
        .await
        .unwrap();
    client.apps().get(&app_id()).await.unwrap();
    assert_eq!(clock.slept(), [], "an app by its id has a limit of its own");
    client.apps().users(&app_id()).try_collect().await.unwrap();
    assert_eq!(clock.slept(), [Duration::from_secs(41)]);
}

#[tokio::test]
async fn a_create_that_got_no_answer_is_not_sent_again() {
    let org = Org::default().then(Err(TransportError::maybe_sent("reset")));
    let error = org
        .client()
        .groups()
        .create("admins", None)
        .await
        .expect_err("an error");
    assert!(matches!(error, Error::Transport { .. }));
    assert_eq!(error.to_string(), "Okta did not answer POST /api/v1/groups");
    assert_eq!(org.asked().len(), 1);
}

#[tokio::test]
async fn what_sets_a_state_is_sent_again() {
    let broken = || Err(TransportError::maybe_sent("reset"));
    let org = Org::default()
        .then(broken())
        .then(Ok(empty(503)))
        .then(Ok(empty(204)));
    org.client()
        .groups()
        .add_member(&group_id(), &user_id())
        .await
        .unwrap();
    assert_eq!(org.asked().len(), 3);

    let org = Org::default().then(broken()).then(Ok(json(200, json!({}))));
    org.client().apps().activate(&app_id()).await.unwrap();
    assert_eq!(org.asked().len(), 2);
}

#[tokio::test]
async fn a_deletion_that_finds_nothing_after_a_lost_answer_has_succeeded() {
    let absent = || {
        json(
            404,
            json!({ "errorCode": "E0000007", "errorSummary": "Not found" }),
        )
    };
    let org = Org::default()
        .then(Err(TransportError::maybe_sent("reset")))
        .then(Ok(absent()));
    org.client().apps().delete(&app_id()).await.unwrap();
    assert_eq!(org.asked().len(), 2);

    let org = Org::answering([absent()]);
    let error = org
        .client()
        .apps()
        .delete(&app_id())
        .await
        .expect_err("an error");
    assert!(error.is_not_found());
}
