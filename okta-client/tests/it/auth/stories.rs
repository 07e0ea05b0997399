//! Whole runs against the sandbox, which verifies assertions and proofs as Okta does.

use std::{
    collections::HashSet,
    error::Error as _,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use http::{Request, Response};
use okta_client::{Client, ListApps, ListGroups, ListUsers, PrivateKey, ServiceApp};
use rest_core::{HttpTransport, ManualClock, Secret, Transport, TransportError};
use sandbox::{Clock, Company, Fault, Sandbox, Service, ServiceApp as AppOfOrg};

use super::{field, key, part};
use crate::{clock, header, privacy};

/// A sandbox with the app `Automation`, and a client with its own clock.
struct Story {
    org: Sandbox,
    okta: Client,
    clock: ManualClock,
    recorded: Arc<Recording>,
}

impl Story {
    async fn start(app: AppOfOrg) -> Self {
        Self::start_with(app, |app, _| app, clock()).await
    }

    /// Starts a story with changes of the client's app, and with a clock that may differ from Okta's.
    async fn start_with(
        app: AppOfOrg,
        change: impl Fn(ServiceApp, &PrivateKey) -> ServiceApp,
        clock: ManualClock,
    ) -> Self {
        privacy::start_log();
        let now: SystemTime = rest_core::Clock::now(&crate::clock());
        let org = Sandbox::builder()
            .company(Company::small(5, 3))
            .clock(Clock::from(now))
            .page_size(Some(2))
            .service_app(app)
            .start()
            .await
            .unwrap();
        let credentials = org.service_app("Automation");
        let key = PrivateKey::parse(&Secret::new(credentials.private_key())).unwrap();
        let app = ServiceApp::new(credentials.client_id(), key.clone(), credentials.scopes());
        let recorded = Arc::new(Recording::default());
        // A trailing slash of the org URL must not get into a proof.
        let okta = Client::builder(&format!("{}/", org.okta_url()), change(app, &key))
            .transport(Arc::clone(&recorded) as Arc<dyn Transport>)
            .clock(Arc::new(clock.clone()))
            .build()
            .unwrap();
        Self {
            org,
            okta,
            clock,
            recorded,
        }
    }

    async fn read(&self) {
        let users = self.okta.users().list(ListUsers::default());
        users.try_collect().await.unwrap();
    }

    /// Lets the time pass for Okta and for the client.
    fn advance(&self, by: Duration) {
        self.org.advance(by);
        self.clock.advance(by);
    }

    fn token_requests(&self) -> usize {
        let requests = self.recorded.0.lock().unwrap();
        requests
            .iter()
            .filter(|request| is_token_request(request))
            .count()
    }

    /// Checks that no assertion and no proof was sent twice. Returns the number of proofs.
    #[track_caller]
    fn check_ids(&self) -> usize {
        let requests = self.recorded.0.lock().unwrap();
        let proofs = requests
            .iter()
            .filter_map(|request| header(request, "dpop"));
        let token_requests = requests.iter().filter(|request| is_token_request(request));
        let assertions = token_requests.map(|request| field(request, "client_assertion"));
        let (proofs, assertions): (Vec<_>, Vec<_>) = (proofs.collect(), assertions.collect());
        for jwts in [&proofs, &assertions] {
            let ids: HashSet<_> = jwts
                .iter()
                .map(|jwt| part(jwt, 1)["jti"].to_string())
                .collect();
            assert_eq!(ids.len(), jwts.len());
        }
        proofs.len()
    }
}

/// The requests that were sent over HTTP.
#[derive(Debug, Default)]
struct Recording(Mutex<Vec<Request<Bytes>>>, HttpTransport);

impl Transport for Recording {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.0.lock().unwrap().push(request.clone());
        self.1.send(request)
    }
}

fn is_token_request(request: &Request<Bytes>) -> bool {
    request.uri().path() == "/oauth2/v1/token"
}

fn automation() -> AppOfOrg {
    AppOfOrg::new("Automation", ["okta.users.read", "okta.groups.manage"])
}

#[tokio::test]
async fn the_first_sign_in_of_a_new_app() {
    for app in [automation(), automation().rsa_key()] {
        let story = Story::start(app).await;
        story.read().await;
        assert_eq!(
            story.token_requests(),
            2,
            "one without and one with a nonce"
        );
        story.check_ids();
        story.read().await;
        assert_eq!(story.token_requests(), 2);
    }
}

#[tokio::test]
async fn a_nonce_that_is_replaced_during_a_run() {
    let story = Story::start(automation()).await;
    story.read().await;
    story.org.rotate_okta_dpop_nonce();
    story.org.revoke_okta_access_tokens();
    story.read().await;
    assert_eq!(story.token_requests(), 4);
    // After a day, the old nonce is still accepted.
    story.advance(Duration::from_hours(25));
    story.read().await;
    assert_eq!(story.token_requests(), 5);
    story.check_ids();
}

#[tokio::test]
async fn a_token_that_expires_between_two_pages() {
    // Okta's time alone passes if the computer sleeps.
    for both in [true, false] {
        let story = Story::start(automation()).await;
        let mut users = story.okta.users().list(ListUsers::default());
        let mut count = 0;
        while users.try_next().await.unwrap().is_some() {
            count += 1;
            if both {
                story.advance(Duration::from_mins(61));
            } else {
                story.org.advance(Duration::from_mins(61));
            }
        }
        assert_eq!(count, 5);
        assert_eq!(story.token_requests(), 4, "the first one needs a nonce");
        story.check_ids();
    }
}

#[tokio::test]
async fn fifty_parallel_calls_with_revoked_tokens() {
    let story = Story::start(automation()).await;
    let groups = story.okta.groups();
    let group = groups.list(ListGroups::default()).try_next().await.unwrap();
    let group = group.expect("a group").id;
    let before = story.token_requests();
    story.org.revoke_okta_access_tokens();
    for result in join_all((0..50).map(|_| groups.get(&group))).await {
        result.unwrap();
    }
    assert_eq!(story.token_requests(), before + 1);
    story.check_ids();
}

#[tokio::test]
async fn retries_of_calls_and_of_token_requests_have_new_proofs() {
    let story = Story::start(automation()).await;
    for fault in [
        Fault::close_after_processing(Service::Okta).on("POST /oauth2/v1/token"),
        Fault::throttle(Service::Okta, 7)
            .on("POST /oauth2/v1/token")
            .after(1),
        Fault::close_after_processing(Service::Okta).on("GET /api/v1/users"),
        Fault::concurrency().on("GET /api/v1/users").after(1),
        Fault::fail(Service::Okta, 502, "Bad gateway")
            .on("GET /api/v1/users")
            .after(2),
    ] {
        story.org.inject(fault);
    }
    story.read().await;
    // Two token requests and three pages, and five repetitions.
    let requests = story.recorded.0.lock().unwrap().len();
    assert!(requests >= 10, "{requests}");
    assert_eq!(story.check_ids(), requests);
}

#[tokio::test]
async fn a_clock_that_is_wrong() {
    for minutes in [2, 20] {
        let skew = Duration::from_mins(minutes);
        let now = rest_core::Clock::now(&clock());
        for wrong in [now + skew, now - skew] {
            let story =
                Story::start_with(automation(), |app, _| app, ManualClock::new(wrong)).await;
            story.read().await;
            // Two minutes are tolerated; a larger difference costs one more request.
            let expected = if minutes == 2 { 2 } else { 3 };
            assert_eq!(story.token_requests(), expected, "{minutes}");
        }
    }
}

#[tokio::test]
async fn dpop_off_and_on() {
    // The app does not require it: both work.
    for (dpop, scheme) in [(true, "DPoP "), (false, "Bearer ")] {
        let change = |app: ServiceApp, _: &_| app.dpop(dpop);
        let story = Story::start_with(automation().dpop(false), change, clock()).await;
        story.read().await;
        let requests = story.recorded.0.lock().unwrap();
        let last = header(requests.last().unwrap(), "authorization").unwrap();
        assert!(last.starts_with(scheme));
    }
    // The app requires it.
    let story = Story::start_with(automation(), |app, _| app.dpop(false), clock()).await;
    let error = story.okta.users().me().await.expect_err("a refusal");
    assert_eq!(error.code(), Some("invalid_dpop_proof"));
    assert_eq!(
        error.message(),
        Some("The DPoP proof JWT header is missing.")
    );
    assert!(error.help().unwrap().contains("leave DPoP on"));
    assert_eq!(story.token_requests(), 1);
}

#[tokio::test]
async fn a_scope_that_is_not_granted() {
    let story = Story::start(automation()).await;
    let mut apps = story.okta.apps().list(ListApps::default());
    let error = apps.try_next().await.expect_err("a refusal");
    assert!(error.is_permission_denied(), "{error:?}");
    assert!(
        error
            .help()
            .unwrap()
            .starts_with("The access token lacks okta.apps.read")
    );
    assert_eq!(
        story.token_requests(),
        2,
        "another token would have the same scopes"
    );

    let change = |app: ServiceApp, key: &PrivateKey| {
        let scopes = ["okta.users.read", "okta.apps.read"];
        ServiceApp::new(app.client_id(), key.clone(), scopes)
    };
    let story = Story::start_with(automation(), change, clock()).await;
    let error = story
        .okta
        .users()
        .list(ListUsers::default())
        .try_next()
        .await;
    let error = error.expect_err("a refusal");
    assert_eq!(error.code(), Some("invalid_scope"));
    let text = format!("{:?}", error.source().unwrap().to_string());
    assert!(text.contains("okta.users.read okta.apps.read"), "{text}");
}

#[tokio::test]
async fn a_key_that_is_not_registered() {
    let change = |app: ServiceApp, _: &_| {
        let key = key(super::EC256).with_key_id("unknown");
        ServiceApp::new(app.client_id(), key, app.scopes())
    };
    let story = Story::start_with(automation(), change, clock()).await;
    let error = story
        .okta
        .users()
        .list(ListUsers::default())
        .try_next()
        .await;
    let error = error.expect_err("a refusal");
    assert_eq!(
        (error.status(), error.code()),
        (Some(401), Some("invalid_client"))
    );
    assert!(error.is_unauthenticated());
    assert_eq!(story.token_requests(), 1);
}
