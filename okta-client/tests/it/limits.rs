//! Tests of rate limits and retries.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use okta_client::{Error, ListApps};
use rest_core::TransportError;
use serde_json::json;

use super::{Org, app_id, auth, clock, empty, group_id, json, user_id, with};

// The start time of the manual clock: 1,800,000,000 seconds after the epoch.
const DATE: &str = "Fri, 15 Jan 2027 08:00:00 GMT";

fn limits(response: Response<Bytes>, limit: &str, remaining: &str, reset: &str) -> Response<Bytes> {
    let response = with(response, "x-rate-limit-limit", limit);
    let response = with(response, "x-rate-limit-remaining", remaining);
    with(with(response, "x-rate-limit-reset", reset), "date", DATE)
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
    // The local clock is one hour ahead of Okta's clock. The difference has no effect.
    clock.advance(Duration::from_hours(1));
    let app = json(200, json!({ "id": "0oa1" }));
    let org = Org::responding([limits(throttled(), "50", "0", "1800000030"), app]);
    org.client_at(&clock).apps().get(&app_id()).await.unwrap();
    assert_eq!(clock.slept(), [Duration::from_secs(31)]);
    assert_eq!(
        org.header(1, "x-okta-retry-for").as_deref(),
        Some("request-1")
    );
    assert_eq!(org.header(1, "x-okta-retry-count").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_call_over_the_concurrency_limit_waits_only_for_the_backoff() {
    let clock = clock();
    let app = json(200, json!({ "id": "0oa1" }));
    let org = Org::responding([limits(throttled(), "0", "0", "1800000060"), app]);
    org.client_at(&clock).apps().get(&app_id()).await.unwrap();
    let slept = clock.slept();
    assert_eq!(slept.len(), 1);
    let short = Duration::from_millis(250)..=Duration::from_millis(500);
    assert!(short.contains(&slept[0]), "{slept:?}");
}

#[tokio::test]
async fn a_reset_that_is_far_away_is_waited_for() {
    let clock = clock();
    let app = json(200, json!({ "id": "0oa1" }));
    let org = Org::responding([limits(throttled(), "50", "0", "1800000600"), app]);
    org.client_at(&clock).apps().get(&app_id()).await.unwrap();
    assert_eq!(clock.slept(), [Duration::from_secs(601)]);
}

#[tokio::test]
async fn a_limit_that_lasts_longer_than_the_client_waits_is_an_error_with_its_end() {
    let clock = clock();
    let org = Org::responding([limits(throttled(), "50", "0", "1800003600")]);
    let client = org.client_at(&clock);
    let get = || async {
        client
            .apps()
            .get(&app_id())
            .await
            .expect_err("a used up limit")
    };
    let refused = get().await;
    assert_eq!(
        refused.api().expect("Okta's error").to_string(),
        "429 Too Many Requests: API call exceeded rate limit due to too many requests.; the rate limit is used up until \
         Fri, 15 Jan 2027 09:00:00 GMT (E0000047, request request-1)"
    );
    let not_sent = get().await;
    assert_eq!(
        not_sent.to_string(),
        "Okta's rate limit for GET /api/v1/apps/0oa1 is used up until Fri, 15 Jan 2027 09:00:01 GMT, so it was not sent"
    );
    for error in [&refused, &not_sent] {
        assert!(error.is_throttled() && !error.may_have_acted());
        assert!(error.throttled_until().is_some());
        assert!(
            error
                .help()
                .expect("advice")
                .starts_with("The org's rate limit")
        );
    }
    assert_eq!((org.requests().len(), clock.slept()), (1, vec![]));
}

#[tokio::test]
async fn a_call_that_stays_throttled_fails_after_five_attempts() {
    let org = Org::responding((0..5).map(|_| limits(throttled(), "50", "0", "1800000010")));
    let error = org
        .client()
        .apps()
        .get(&app_id())
        .await
        .expect_err("the call fails");
    assert_eq!(error.code(), Some("E0000047"));
    assert!(
        error
            .help()
            .expect("a help text")
            .starts_with("The org's rate limit for this call")
    );
    assert_eq!(org.requests().len(), 5);
}

#[tokio::test]
async fn a_call_waits_only_for_the_rate_limit_of_its_own_bucket() {
    let clock = clock();
    let org = Org::responding([
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
    assert!(
        clock.slept().is_empty(),
        "a single app has its own rate limit"
    );
    client.apps().users(&app_id()).try_collect().await.unwrap();
    assert_eq!(clock.slept(), [Duration::from_secs(41)]);
}

#[tokio::test]
async fn clients_of_one_service_app_count_together() {
    let clock = clock();
    let token = || auth::token("Bearer", "access", 3600);
    let org = Org::responding([
        token(),
        limits(json(200, json!([])), "10", "0", "1800000040"),
        token(),
        json(200, json!([])),
    ]);
    let clients = [(), ()].map(|()| org.client_with(auth::app(), &clock));
    for (client, slept) in clients.iter().zip([vec![], vec![Duration::from_secs(41)]]) {
        let apps = client.apps().list(ListApps::default());
        apps.try_collect().await.unwrap();
        assert_eq!(clock.slept(), slept);
    }
}

#[tokio::test]
async fn a_create_without_a_response_is_not_retried() {
    let org = Org::default().then(Err(TransportError::maybe_sent("reset")));
    let error = org
        .client()
        .groups()
        .create("admins", None)
        .await
        .expect_err("the call fails");
    assert!(matches!(error, Error::Transport { .. }));
    assert_eq!(error.to_string(), "Okta did not answer POST /api/v1/groups");
    assert_eq!(org.requests().len(), 1);
}

#[tokio::test]
async fn idempotent_calls_are_retried() {
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
    assert_eq!(org.requests().len(), 3);

    let org = Org::default().then(broken()).then(Ok(json(200, json!({}))));
    org.client().apps().activate(&app_id()).await.unwrap();
    assert_eq!(org.requests().len(), 2);

    let assigned = json(200, json!({ "id": "00u1" }));
    let org = Org::default().then(broken()).then(Ok(assigned));
    let okta = org.client();
    let apps = okta.apps();
    apps.assign_user(&app_id(), &user_id()).await.unwrap();
    assert_eq!(org.requests().len(), 2);
}

#[tokio::test]
async fn a_deletion_succeeds_if_a_retry_finds_nothing_to_delete() {
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
    assert_eq!(org.requests().len(), 2);

    let org = Org::responding([absent()]);
    let error = org
        .client()
        .apps()
        .delete(&app_id())
        .await
        .expect_err("the call fails");
    assert!(error.is_not_found());
}
