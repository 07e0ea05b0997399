//! Tests of the System Log: its queries, and the events of administrators and of the provisioning engine.

use std::time::Duration;

use okta_aws_sandbox::{Company, Person, Sandbox, Stage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{builder, get, next, okta, post, refusal, sandbox, send, status, text};

const ADA: &str = "ada.lovelace@example.com";

fn kinds(events: &Value) -> Vec<&str> {
    let events = events.as_array().expect("a list").iter();
    events
        .map(|event| event["eventType"].as_str().expect("a type"))
        .collect()
}

async fn unlimited() -> Sandbox {
    builder().page_size(None).start().await.expect("a sandbox")
}

async fn lifecycle(sandbox: &Sandbox, verb: &str) {
    let path = format!("/api/v1/users/{ADA}/lifecycle/{verb}");
    assert_eq!(status(sandbox, Method::POST, &path).await, 200);
}

// Source: `LogEvent` in the API description.
#[tokio::test]
async fn an_event_names_its_actor_its_targets_and_its_outcome() {
    let sandbox = unlimited().await;
    lifecycle(&sandbox, "suspend").await;
    let events = get(&sandbox, "/api/v1/logs").await;
    let event = &events[0];
    assert_eq!(event["eventType"], "user.lifecycle.suspend");
    assert_eq!(event["published"], "2026-06-01T12:00:00.000Z");
    assert_eq!(event["outcome"]["result"], "SUCCESS");
    assert_eq!(event["actor"]["alternateId"], ADA);
    assert_eq!(
        event["target"][0]["id"].as_str(),
        sandbox.user_id(ADA).as_deref()
    );
    assert_eq!(text(event, "uuid").len(), 36);
}

// Source: parameters of "List all System Log events". `since` defaults to 7 days before.
#[tokio::test]
async fn a_query_selects_by_time_filter_and_keywords() {
    let sandbox = unlimited().await;
    lifecycle(&sandbox, "suspend").await;
    sandbox.advance(Duration::from_hours(8 * 24));
    lifecycle(&sandbox, "unsuspend").await;
    assert_eq!(
        kinds(&get(&sandbox, "/api/v1/logs").await),
        ["user.lifecycle.unsuspend"]
    );
    let all = "/api/v1/logs?since=2026-01-01T00:00:00.000Z";
    let both = ["user.lifecycle.suspend", "user.lifecycle.unsuspend"];
    assert_eq!(kinds(&get(&sandbox, all).await), both);
    let descending = get(&sandbox, &format!("{all}&sortOrder=DESCENDING")).await;
    assert_eq!(kinds(&descending), [both[1], both[0]]);
    let until = get(&sandbox, &format!("{all}&until=2026-06-02T00:00:00Z")).await;
    assert_eq!(kinds(&until), [both[0]]);
    let ada = sandbox.user_id(ADA).expect("Ada");
    let filter = format!(
        "{all}&filter=target.id%20eq%20%22{ada}%22%20and%20eventType%20eq%20%22{}%22",
        both[0]
    );
    assert_eq!(kinds(&get(&sandbox, &filter).await), [both[0]]);
    assert_eq!(
        kinds(&get(&sandbox, &format!("{all}&q=LOVELACE%20unsuspend")).await),
        [both[1]]
    );
    let refused = refusal(okta(&sandbox, Method::GET, "/api/v1/logs?since=yesterday")).await;
    assert_eq!((refused.0, refused.1.as_str()), (400, "E0000030"));
}

// Source: "end = no `next` (System Log always has one)" for polling; a bounded query ends.
#[tokio::test]
async fn a_polling_query_always_has_a_next_page_and_a_bounded_query_ends() {
    let sandbox = sandbox().await;
    lifecycle(&sandbox, "suspend").await;
    let follow = async |path: String| {
        let response = send(okta(&sandbox, Method::GET, &path)).await;
        let next = next(&response).map(|next| next.replace(&sandbox.okta_url(), ""));
        let events: Value = response.json().await.expect("JSON");
        (events.as_array().map_or(0, Vec::len), next)
    };
    let (count, poll) = follow("/api/v1/logs".to_owned()).await;
    assert_eq!(count, 1);
    let (count, poll) = follow(poll.expect("a next page")).await;
    assert_eq!(count, 0);
    lifecycle(&sandbox, "unsuspend").await;
    let (count, _) = follow(poll.expect("a next page")).await;
    assert_eq!(count, 1, "the next poll returns the new event");
    let (_, bounded) = follow("/api/v1/logs?until=2026-06-03T00:00:00Z".to_owned()).await;
    let (count, end) = follow(bounded.expect("a second page")).await;
    assert_eq!((count, end), (1, None));
}

// Source: the event types `application.provision.*` of Okta's event catalog.
#[tokio::test]
async fn the_provisioning_engine_records_successes_and_failures() {
    let company = Company::small(1, 1)
        .person(Person::new("hypatia@example.com", "Hypatia", ""))
        .team("all", &[ADA, "hypatia@example.com"]);
    let builder = builder()
        .company(company)
        .page_size(None)
        .stage(Stage::Provisioned);
    let sandbox = builder.start().await.expect("a sandbox");
    let apps = get(
        &sandbox,
        "/api/v1/apps?filter=name%20eq%20%22amazon_aws_sso%22",
    )
    .await;
    let app = format!("/api/v1/apps/{}", text(&apps[0], "id"));
    for login in [ADA, "hypatia@example.com"] {
        let body = json!({ "id": sandbox.user_id(login) });
        post(&sandbox, &format!("{app}/users"), &body).await;
    }
    let body = json!({ "sourceGroupId": sandbox.group_id("all"), "targetGroupName": "all" });
    post(&sandbox, &format!("{app}/group-push/mappings"), &body).await;
    sandbox.set_user_attribute(ADA, "title", "Countess");
    let assigned = format!("{app}/users/{}", sandbox.user_id(ADA).expect("Ada"));
    assert_eq!(status(&sandbox, Method::DELETE, &assigned).await, 204);
    let filter = "/api/v1/logs?filter=eventType%20sw%20%22application.provision.%22";
    let events = get(&sandbox, filter).await;
    let found: Vec<(&str, &str)> = kinds(&events)
        .into_iter()
        .zip(
            events
                .as_array()
                .expect("a list")
                .iter()
                .map(|event| event["outcome"]["result"].as_str().expect("a result")),
        )
        .collect();
    for expected in [
        ("application.provision.user.push", "SUCCESS"),
        ("application.provision.user.push", "FAILURE"),
        (
            "application.provision.group_push.mapping.created",
            "SUCCESS",
        ),
        ("application.provision.group_push.pushed", "SUCCESS"),
        ("application.provision.user.push_profile", "SUCCESS"),
        ("application.provision.user.deactivate", "SUCCESS"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    let failed = format!("{filter}%20and%20outcome.result%20eq%20%22FAILURE%22");
    let failed = get(&sandbox, &failed).await;
    assert_eq!(targets(&failed[0]), ["AppUser", "AppInstance", "User"]);
    let [app_user, _, user] = [0, 1, 2].map(|index| text(&failed[0]["target"][index], "id"));
    assert_eq!(Some(user), sandbox.user_id("hypatia@example.com"));
    assert!(app_user.starts_with("0ua"), "{app_user}");
    let reason = text(&failed[0]["outcome"], "reason");
    assert!(
        reason.starts_with("Bad Request. Errors reported by remote server: "),
        "{reason}"
    );
}

fn targets(event: &Value) -> Vec<String> {
    let targets = event["target"].as_array().expect("targets").iter();
    targets.map(|target| text(target, "type")).collect()
}

// Source: `application.provision.user.verify_exists` in "Provisioning Integration Error Events". A public record of an
// org has the event of a group that could not be created, with the app as its only target.
#[tokio::test]
async fn a_refused_token_is_a_failure_of_the_first_request_of_each_job() {
    let company = Company::small(1, 1).team("all", &[ADA]);
    let builder = builder().company(company).page_size(None);
    let builder = builder.stage(Stage::Provisioned);
    let sandbox = builder.start().await.expect("a sandbox");
    assert_eq!(sandbox.console().delete_scim_tokens(), 1);
    let apps = "/api/v1/apps?filter=name%20eq%20%22amazon_aws_sso%22";
    let apps = get(&sandbox, apps).await;
    let app = format!("/api/v1/apps/{}", text(&apps[0], "id"));
    let assigned = json!({ "id": sandbox.user_id(ADA) });
    post(&sandbox, &format!("{app}/users"), &assigned).await;
    let push = json!({ "sourceGroupId": sandbox.group_id("all"), "targetGroupName": "all" });
    post(&sandbox, &format!("{app}/group-push/mappings"), &push).await;
    let failed = "/api/v1/logs?filter=outcome.result%20eq%20%22FAILURE%22";
    let events = get(&sandbox, failed).await;
    let events = events.as_array().expect("a list");
    let mut found: Vec<String> = events
        .iter()
        .map(|event| {
            let reason = text(&event["outcome"], "reason");
            assert!(reason.starts_with("Unauthorized"), "{event}");
            let kind = text(event, "eventType").replace("application.provision.", "");
            format!("{kind}: {}", targets(event).join(", "))
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "group.add: AppInstance",
            "user.verify_exists: AppUser, AppInstance, User",
        ]
    );
}

// Source: "Some events may be delayed" and the parameters of "System Log query".
#[tokio::test]
async fn a_late_event_is_not_found_before_it_is_stored() {
    let builder = builder()
        .page_size(None)
        .system_log_delay(Duration::from_mins(1));
    let sandbox = builder.start().await.expect("a sandbox");
    lifecycle(&sandbox, "suspend").await;
    let bounded = "/api/v1/logs?sortOrder=DESCENDING&since=2026-06-01T00:00:00Z";
    let polling = "/api/v1/logs?since=2026-06-01T12:00:30Z";
    let count = async |path| kinds(&get(&sandbox, path).await).len();
    assert_eq!([count(bounded).await, count(polling).await], [0, 0]);
    sandbox.advance(Duration::from_mins(1));
    // A polling query selects by the time at which the event was stored.
    assert_eq!([count(bounded).await, count(polling).await], [1, 1]);
    let later = bounded.replace("T00:00:00Z", "T12:00:30Z");
    assert_eq!(kinds(&get(&sandbox, &later).await).len(), 0);
}
