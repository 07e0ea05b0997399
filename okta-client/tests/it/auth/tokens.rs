//! Tests of the cache of access tokens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{
    FutureExt as _,
    future::{BoxFuture, join, join_all},
};
use http::{Request, Response};
use okta_client::{AccessToken, Credential, DpopKey, Id, ListGroups, TokenSource, TokenType};
use rest_core::{ManualClock, Secret, Transport, TransportError};
use serde_json::json;
use tokio::sync::watch;

use super::{Answering, EC256, app, challenge, is_token_request, key, oauth_error, proof, token};
use crate::{Org, client, clock, group_id, header, json as answer, with};

fn group() -> Response<Bytes> {
    answer(
        200,
        json!({ "id": "00g1", "profile": { "name": "admins" } }),
    )
}

/// Returns an org that issues the tokens `access-1`, `access-2`, … and accepts those from `valid_from` on.
fn issuer(valid_from: Arc<AtomicU64>, lifetime: u64) -> Answering {
    let issued = AtomicU64::new(0);
    Answering::new(move |request| {
        if is_token_request(request) {
            let number = issued.fetch_add(1, Ordering::Relaxed) + 1;
            return token("DPoP", &format!("access-{number}"), lifetime);
        }
        if number_of(request) < valid_from.load(Ordering::Relaxed) {
            challenge(401, "invalid_token")
        } else {
            group()
        }
    })
}

/// Returns the number of the access token of a call.
fn number_of(request: &Request<Bytes>) -> u64 {
    let authorization = header(request, "authorization").unwrap();
    authorization
        .strip_prefix("DPoP access-")
        .unwrap()
        .parse()
        .unwrap()
}

fn connect(org: &Answering, clock: &ManualClock) -> okta_client::Client {
    client(Arc::new(org.clone()), app(), clock)
}

#[tokio::test]
async fn clones_and_parallel_calls_share_one_token_request() {
    let org = issuer(Arc::default(), 3600);
    let client = connect(&org, &clock());
    let calls = (0..50).map(|_| {
        let client = client.clone();
        async move { client.groups().get(&group_id()).await.map(drop) }
    });
    for result in join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(org.token_requests().len(), 1);
    assert_eq!(org.calls().len(), 50);
}

#[tokio::test]
async fn a_token_is_refreshed_before_it_expires() {
    for (lifetime, used_for) in [(3600, 3300), (86_400, 86_100), (600, 540), (60, 54)] {
        let org = issuer(Arc::default(), lifetime);
        let clock = clock();
        let client = connect(&org, &clock);
        for (wait, requests) in [(0, 1), (used_for - 1, 1), (1, 2), (used_for - 1, 2)] {
            clock.advance(Duration::from_secs(wait));
            client.groups().get(&group_id()).await.unwrap();
            assert_eq!(org.token_requests().len(), requests, "{lifetime}");
        }
        let numbers: Vec<_> = org.calls().iter().map(number_of).collect();
        assert_eq!(numbers, [1, 1, 2, 2]);
    }
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_the_old_token_until_it_expires() {
    let issued = AtomicU64::new(0);
    let org = Answering::new(move |request| {
        if !is_token_request(request) {
            return group();
        }
        match issued.fetch_add(1, Ordering::Relaxed) {
            0 => token("DPoP", "access-1", 3600),
            _ => oauth_error("invalid_client", "The client_assertion is invalid."),
        }
    });
    let clock = clock();
    let client = connect(&org, &clock);
    for (wait, token_requests) in [(0, 1), (3301, 2), (29, 2), (1, 3)] {
        clock.advance(Duration::from_secs(wait));
        client.groups().get(&group_id()).await.unwrap();
        assert_eq!(org.token_requests().len(), token_requests);
    }
    clock.advance(Duration::from_mins(5));
    let error = client.groups().get(&group_id()).await;
    assert_eq!(error.expect_err("a refusal").code(), Some("invalid_client"));
}

/// The time of the day may be set, and says nothing about the age of a token.
#[tokio::test]
async fn a_clock_that_is_set_does_not_change_the_age_of_a_token() {
    let org = issuer(Arc::default(), 3600);
    let clock = clock();
    let client = connect(&org, &clock);
    client.groups().get(&group_id()).await.unwrap();
    clock.set(std::time::UNIX_EPOCH);
    client.groups().get(&group_id()).await.unwrap();
    assert_eq!(org.token_requests().len(), 1);
}

#[tokio::test]
async fn fifty_parallel_calls_with_a_revoked_token_refresh_it_once() {
    let valid_from = Arc::new(AtomicU64::new(0));
    let org = issuer(Arc::clone(&valid_from), 3600);
    let client = connect(&org, &clock());
    client.groups().get(&group_id()).await.unwrap();
    valid_from.store(2, Ordering::Relaxed);
    let groups = client.groups();
    let id = group_id();
    for result in join_all((0..50).map(|_| groups.get(&id))).await {
        result.unwrap();
    }
    assert_eq!(org.token_requests().len(), 2);
    let calls = org.calls();
    let refused = calls
        .iter()
        .skip(1)
        .filter(|call| number_of(call) == 1)
        .count();
    assert_eq!(calls.len(), 1 + refused + 50);
    let mut ids: Vec<_> = org
        .requests()
        .iter()
        .map(|request| proof(request)["jti"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), calls.len() + 2);
}

/// An org whose answers about the group `00g2` arrive only after their release.
#[derive(Debug)]
struct Late {
    org: Answering,
    released: watch::Receiver<bool>,
}

impl Transport for Late {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let is_late = request.uri().path().ends_with("/00g2");
        let response = self.org.send(request);
        let mut released = self.released.clone();
        Box::pin(async move {
            if is_late {
                released.wait_for(|released| *released).await.unwrap();
            }
            response.await
        })
    }
}

#[tokio::test]
async fn a_late_refusal_of_an_old_token_does_not_replace_the_new_one() {
    let valid_from = Arc::new(AtomicU64::new(0));
    let org = issuer(Arc::clone(&valid_from), 3600);
    let (release, released) = watch::channel(false);
    let transport = Late {
        org: org.clone(),
        released,
    };
    let client = client(Arc::new(transport), app(), &clock());
    let (groups, late_id) = (client.groups(), Id::parse("00g2").unwrap());
    groups.get(&group_id()).await.unwrap();
    valid_from.store(2, Ordering::Relaxed);
    let early = async {
        groups.get(&group_id()).await.unwrap();
        release.send(true).unwrap();
    };
    let ((), late) = join(early, groups.get(&late_id)).await;
    late.unwrap();
    assert_eq!(org.token_requests().len(), 2);
}

#[tokio::test]
async fn a_call_that_is_refused_with_a_new_token_is_not_sent_again() {
    let org = issuer(Arc::new(AtomicU64::new(u64::MAX)), 3600);
    let client = connect(&org, &clock());
    let error = client
        .groups()
        .get(&group_id())
        .await
        .expect_err("a refusal");
    assert!(error.is_unauthenticated());
    assert_eq!(error.code(), Some("invalid_token"));
    assert_eq!(org.calls().len(), 2);
    assert_eq!(org.token_requests().len(), 2);
}

#[tokio::test]
async fn a_401_for_a_missing_feature_or_scope_refreshes_nothing() {
    for refused in [
        answer(
            401,
            json!({ "errorCode": "E0000015", "errorSummary": "You do not have permission to access the feature you are requesting" }),
        ),
        challenge(401, "insufficient_scope"),
    ] {
        let org = Org::responding([token("DPoP", "access-1", 3600), refused, group()]);
        let client = org.client_with(app(), &clock());
        client
            .groups()
            .get(&group_id())
            .await
            .expect_err("a refusal");
        client.groups().get(&group_id()).await.unwrap();
        assert_eq!(org.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_token_that_expires_within_a_list_is_replaced_between_its_pages() {
    let page = |next: &str| {
        let link = format!("<https://acme.okta.com/api/v1/groups?after={next}>; rel=\"next\"");
        with(
            answer(
                200,
                json!([{ "id": format!("00g{next}"), "profile": { "name": next } }]),
            ),
            "link",
            &link,
        )
    };
    let last = answer(
        200,
        json!([{ "id": "00g9", "profile": { "name": "last" } }]),
    );
    let org = Org::responding([
        token("DPoP", "access-1", 3600),
        page("1"),
        token("DPoP", "access-2", 3600),
        page("2"),
        challenge(401, "invalid_token"),
        token("DPoP", "access-3", 3600),
        last,
    ]);
    let clock = clock();
    let client = org.client_with(app(), &clock);
    let mut groups = client.groups().list(ListGroups::default());
    let mut names = Vec::new();
    // Before the second page, the token is about to expire; before the third, Okta revokes it.
    let mut waits = [3400, 60, 0].into_iter();
    while let Some(group) = groups.try_next().await.unwrap() {
        names.push(group.name);
        clock.advance(Duration::from_secs(waits.next().unwrap()));
    }
    assert_eq!(names, ["1", "2", "last"]);
    let tokens = [1, 3, 4, 6].map(|request| org.header(request, "authorization").unwrap());
    assert_eq!(
        tokens,
        [
            "DPoP access-1",
            "DPoP access-2",
            "DPoP access-2",
            "DPoP access-3"
        ]
    );
}

#[tokio::test]
async fn parallel_calls_share_the_error_of_a_token_request_and_a_later_call_asks_again() {
    let org = Answering::new(|_| oauth_error("invalid_client", "The client_assertion is invalid."));
    let client = connect(&org, &clock());
    let groups = client.groups();
    let id = group_id();
    for result in join_all((0..50).map(|_| groups.get(&id))).await {
        assert_eq!(
            result.expect_err("a refusal").code(),
            Some("invalid_client")
        );
    }
    assert_eq!(org.requests().len(), 1);
    groups.get(&id).await.expect_err("a refusal");
    assert_eq!(org.requests().len(), 2);
}

#[tokio::test]
async fn a_cancelled_token_request_is_made_by_the_next_call() {
    let org = issuer(Arc::default(), 3600);
    let client = connect(&org, &clock());
    let groups = client.groups();
    let id = group_id();
    let mut cancelled = Box::pin(groups.get(&id));
    assert!((&mut cancelled).now_or_never().is_none());
    drop(cancelled);
    groups.get(&id).await.unwrap();
    assert_eq!(org.token_requests().len(), 2);
}

/// A source that counts how often it was asked.
#[derive(Debug)]
struct Counting {
    asked: AtomicU64,
    token_type: TokenType,
}

impl TokenSource for Counting {
    fn token(
        &self,
    ) -> BoxFuture<'_, Result<AccessToken, Box<dyn std::error::Error + Send + Sync>>> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        Box::pin(async move {
            if number == 3 {
                return Err("the vault is sealed".into());
            }
            let token = Secret::new(format!("own-{number}"));
            let lifetime = Some(Duration::from_secs(100));
            Ok(AccessToken::new(token, self.token_type.clone(), lifetime))
        })
    }
}

#[tokio::test]
async fn the_tokens_of_a_callers_source_are_cached_and_its_error_is_the_cause() {
    let org = Org::responding([group(), group(), challenge(401, "invalid_token"), group()]);
    let source = Arc::new(Counting {
        asked: AtomicU64::new(0),
        token_type: TokenType::Bearer,
    });
    let clock = clock();
    let client = org.client_with(Arc::clone(&source), &clock);
    for _ in 0..3 {
        client.groups().get(&group_id()).await.unwrap();
    }
    let tokens = [0, 1, 2, 3].map(|request| org.header(request, "authorization").unwrap());
    assert_eq!(
        tokens,
        [
            "Bearer own-1",
            "Bearer own-1",
            "Bearer own-1",
            "Bearer own-2"
        ]
    );
    clock.advance(Duration::from_secs(100));
    let error = client
        .groups()
        .get(&group_id())
        .await
        .expect_err("no token");
    let causes = [
        error.to_string(),
        std::error::Error::source(&error).unwrap().to_string(),
        std::error::Error::source(&error)
            .unwrap()
            .source()
            .unwrap()
            .to_string(),
    ];
    assert_eq!(
        causes,
        [
            "GET /api/v1/groups/00g1 could not be authorized",
            "the token source has no access token",
            "the vault is sealed"
        ]
    );
    assert_eq!(error.status(), None);
    assert_eq!(source.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_token_of_a_callers_source_may_be_bound_to_its_key() {
    let org = Org::responding([group()]);
    let key = DpopKey::new(key(EC256)).unwrap();
    let source = Counting {
        asked: AtomicU64::new(0),
        token_type: TokenType::Dpop(key),
    };
    let client = org.client_with(Arc::new(source), &clock());
    client.groups().get(&group_id()).await.unwrap();
    assert_eq!(
        org.header(0, "authorization").as_deref(),
        Some("DPoP own-1")
    );
    proof(&org.0.requests.lock().unwrap()[0]);
}

#[tokio::test]
async fn a_token_that_was_obtained_elsewhere_is_sent_as_it_is() {
    let org = Org::responding([answer(401, json!({ "errorCode": "E0000011" }))]);
    let credential = Credential::Bearer(Secret::new("Bearer eyJx\n"));
    let client = org.client_with(credential, &clock());
    let error = client
        .groups()
        .get(&group_id())
        .await
        .expect_err("a refusal");
    assert!(error.is_unauthenticated());
    assert_eq!(
        org.header(0, "authorization").as_deref(),
        Some("Bearer eyJx")
    );
}
