//! Requests about the System Log.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use okta_client::{EventType, FollowLogs, ListLogs, OutcomeResult, SortOrder};
use serde_json::{Value, json};

use super::{list, wire};
use crate::{Org, clock, empty, json, with};

#[tokio::test]
async fn calls_for_the_system_log_match_the_api_reference() {
    wire(
        list(),
        async |okta| {
            let options = ListLogs {
                since: Some("2026-01-01T00:00:00.000Z".to_owned()),
                until: Some("2026-01-02T00:00:00.000Z".to_owned()),
                filter: Some("severity eq \"WARN\"".to_owned()),
                query: Some("aws".to_owned()),
                sort_order: Some(SortOrder::Descending),
                limit: Some(10),
            };
            okta.logs().list(options).try_collect().await.unwrap();
        },
        "GET /api/v1/logs?limit=10&since=2026-01-01T00%3A00%3A00.000Z&until=2026-01-02T00%3A00%3A00.000Z\
         &filter=severity%20eq%20%22WARN%22&q=aws&sortOrder=DESCENDING",
        None,
    )
    .await;
}

fn events(ids: &[&str], next: &str) -> Response<Bytes> {
    let events: Vec<Value> = ids.iter().map(|id| json!({ "uuid": id })).collect();
    let next = format!("<https://acme.okta.com/api/v1/logs?after={next}>; rel=\"next\"");
    with(json(200, Value::Array(events)), "link", &next)
}

#[tokio::test]
async fn a_list_of_events_ends_although_the_log_always_has_a_next_page() {
    let org = Org::responding([events(&["a", "b"], "1"), events(&[], "1")]);
    let events = org.client().logs().list(ListLogs::default());
    assert_eq!(events.try_collect().await.unwrap().len(), 2);
    assert_eq!(
        org.requests(),
        ["GET /api/v1/logs?limit=1000", "GET /api/v1/logs?after=1"]
    );
}

#[tokio::test]
async fn a_follower_waits_for_new_events_and_reads_no_page_twice() {
    let org = Org::responding([
        events(&[], "1"),
        events(&[], "1"),
        events(&["a"], "2"),
        empty(403),
        events(&["b", "c"], "3"),
        events(&["d"], "3"),
        events(&["e"], "3"),
    ]);
    let clock = clock();
    let client = org.client_at(&clock);
    let mut events = client.logs().follow(FollowLogs {
        filter: Some("eventType eq \"x\"".to_owned()),
        query: Some("aws".to_owned()),
        interval: Duration::from_secs(7),
        ..FollowLogs::since("2026-01-01T00:00:00.000Z")
    });
    let next = async |events: &mut okta_client::Pager<_, _>| {
        let event: okta_client::LogEvent = events.try_next().await?.expect("an event");
        Ok::<_, okta_client::Error>(event.id.to_string())
    };
    assert_eq!(next(&mut events).await.unwrap(), "a");
    assert_eq!(clock.slept(), [Duration::from_secs(7); 2]);
    next(&mut events).await.expect_err("the page fails");
    for id in ["b", "c", "d", "e"] {
        assert_eq!(next(&mut events).await.unwrap(), id);
    }
    let first = "GET /api/v1/logs?limit=1000&since=2026-01-01T00%3A00%3A00.000Z\
                 &filter=eventType%20eq%20%22x%22&q=aws&sortOrder=ASCENDING";
    let after = |cursor| format!("GET /api/v1/logs?after={cursor}");
    let lines = [
        first.to_owned(),
        after(1),
        after(1),
        after(2),
        after(2),
        after(3),
        after(3),
    ];
    assert_eq!(org.requests(), lines);
}

#[tokio::test]
async fn an_event_is_decoded_with_its_targets() {
    let event = json!({
        "uuid": "f790999f-fe87", "eventType": "application.provision.user.push_profile", "severity": "WARN",
        "outcome": { "result": "FAILURE", "reason": "No user returned" },
        "actor": { "id": "spr1", "type": "SystemPrincipal", "displayName": "Okta System" },
        "target": [
            null, 7,
            { "id": "0ua1", "type": "AppUser" },
            { "id": "00u1", "type": "User", "alternateId": "ada@example.com" },
            { "id": "0oa1", "type": "AppInstance", "displayName": "AWS", "detailEntry": null },
            { "id": "00g1", "type": "UserGroup" }
        ]
    });
    let org = Org::responding([
        json(
            200,
            json!([event, { "uuid": "x", "eventType": "new.type", "target": null }]),
        ),
        list(),
    ]);
    let events = org.client().logs().list(ListLogs::default());
    let [event, new] = events.try_collect().await.unwrap().try_into().unwrap();
    assert_eq!(event.event_type, EventType::UserPushProfile);
    assert_eq!(
        (event.outcome.clone(), event.reason.as_deref()),
        (OutcomeResult::Failure, Some("No user returned"))
    );
    assert_eq!(event.user_id(), Some(crate::user_id()));
    assert_eq!(
        event.user().unwrap().alternate_id.as_deref(),
        Some("ada@example.com")
    );
    assert_eq!(
        (event.app_id(), event.group_id()),
        (Some(crate::app_id()), Some(crate::group_id()))
    );
    assert_eq!(new.event_type, EventType::Other("new.type".to_owned()));
    assert_eq!(
        (new.app_id(), new.outcome),
        (None, OutcomeResult::Other(String::new()))
    );
}
