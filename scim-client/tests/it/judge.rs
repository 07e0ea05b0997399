//! Tests of the example `life_cycle`, the judge of a service, on the sandbox and on services with a fault.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{Request, Response};
use sandbox::{Sandbox, ScimProfile, Stage};
use scim_client::{
    Client, Dialect, Endpoint, HttpOptions, HttpTransport, ManualClock, Secret, Transport,
    TransportError,
};

#[path = "../../examples/life_cycle/judge.rs"]
mod example;

use self::example::{Judge, Verdict};

/// A transport that changes the requests and responses of a service.
#[derive(Debug)]
struct Faulty {
    service: HttpTransport,
    fault: Fault,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The service does not keep the display name of a user.
    DropsDisplayNames,
    /// The service refuses every patch.
    RefusesPatches,
    /// The response to the creation of a user has no id.
    DropsIds,
}

impl Transport for Faulty {
    fn send(
        &self,
        mut request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        match self.fault {
            Fault::DropsDisplayNames if request.uri().path().contains("/Users") => {
                if let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(request.body()) {
                    body.as_object_mut()
                        .expect("an object")
                        .remove("displayName");
                    let body = serde_json::to_vec(&body).expect("JSON");
                    request.headers_mut().remove("content-length");
                    *request.body_mut() = body.into();
                }
                self.service.send(request)
            }
            Fault::RefusesPatches if request.method() == "PATCH" => {
                let body = Bytes::from_static(br#"{"status":"501","detail":"no patches"}"#);
                let response = Response::builder().status(501).body(body);
                async move { Ok(response.expect("a response")) }.boxed()
            }
            Fault::DropsIds if request.method() == "POST" => {
                let response = self.service.send(request);
                let without_id = |body: &Bytes| {
                    let mut body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
                    body.as_object_mut().expect("an object").remove("id");
                    Bytes::from(serde_json::to_vec(&body).expect("JSON"))
                };
                let response = response.map(move |response| {
                    response.map(|response| response.map(|body| without_id(&body)))
                });
                response.boxed()
            }
            _ => self.service.send(request),
        }
    }
}

fn client(sandbox: &Sandbox, fault: Option<Fault>) -> Client {
    let url = sandbox.scim_url().expect("a service");
    let endpoint = Endpoint::parse(&url).expect("an endpoint");
    let builder = Client::builder(&endpoint, Secret::new(Sandbox::SCIM_TOKEN))
        .dialect(Dialect::Generic)
        .clock(Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH)));
    let builder = match fault {
        Some(fault) => builder.transport(Arc::new(Faulty {
            service: HttpTransport::new(HttpOptions::default()),
            fault,
        })),
        None => builder,
    };
    builder.build().expect("a client")
}

async fn generic() -> Sandbox {
    let sandbox = Sandbox::builder().scim_profile(ScimProfile::Generic);
    sandbox.start().await.expect("a sandbox")
}

async fn judge(client: &Client, run: &str) -> Verdict {
    Judge::new(client, run, &mut |_line| ()).run(12).await
}

/// Checks that the service has no user and no group of a run.
async fn check_empty(sandbox: &Sandbox) {
    let client = client(sandbox, None);
    let users = client
        .users()
        .list(None)
        .try_collect()
        .await
        .expect("users");
    let groups = client
        .groups()
        .list(None)
        .try_collect()
        .await
        .expect("groups");
    assert_eq!((users.len(), groups.len()), (0, 0), "{users:?} {groups:?}");
}

#[tokio::test]
async fn a_service_without_a_fault_passes_every_check() {
    let sandbox = generic().await;
    let verdict = judge(&client(&sandbox, None), "1").await;
    assert_eq!(verdict.failed, [""; 0]);
    assert_eq!(verdict.passed, 27);
    check_empty(&sandbox).await;
}

#[tokio::test]
async fn the_service_of_aws_passes_every_check_that_concerns_it() {
    let sandbox = Sandbox::builder().stage(Stage::Federated);
    let sandbox = sandbox.start().await.expect("a sandbox");
    let shown = sandbox.console().enable_automatic_provisioning();
    let shown = shown.expect("a token");
    let endpoint = Endpoint::parse(&shown.scim_endpoint).expect("an endpoint");
    let client = Client::builder(&endpoint, Secret::new(shown.access_token))
        .dialect(Dialect::AwsIdentityCenter)
        .clock(Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH)))
        .build()
        .expect("a client");
    let verdict = judge(&client, "1").await;
    assert_eq!(verdict.failed, [""; 0]);
    assert_eq!(verdict.passed, 26);
}

#[tokio::test]
async fn every_unmet_check_is_listed_the_others_go_on_and_nothing_is_left_behind() {
    let sandbox = generic().await;
    let lossy = client(&sandbox, Some(Fault::DropsDisplayNames));
    // The second run finds the same as the first.
    for run in ["1", "2"] {
        let verdict = judge(&lossy, run).await;
        assert_eq!(
            verdict.failed,
            ["a user keeps its display name: found None, expected Some(\"Ada Lovelace (ada)\")"]
        );
        assert_eq!(verdict.passed, 26);
        check_empty(&sandbox).await;
    }
}

#[tokio::test]
async fn a_refused_call_is_a_finding_with_the_answer_of_the_service() {
    let sandbox = generic().await;
    let verdict = judge(&client(&sandbox, Some(Fault::RefusesPatches)), "1").await;
    let rules: Vec<&str> = verdict
        .failed
        .iter()
        .filter_map(|failed| Some(failed.split_once(':')?.0))
        .collect();
    assert_eq!(
        rules,
        [
            "a user can be patched",
            "members can be added",
            "members can be removed",
            "members can be removed",
            "a group can be renamed",
        ]
    );
    assert!(
        verdict.failed[0].contains("501 Not Implemented: no patches"),
        "{verdict:?}"
    );
    check_empty(&sandbox).await;
}

#[tokio::test]
async fn a_user_whose_id_was_not_returned_is_deleted_by_its_name() {
    let sandbox = generic().await;
    let verdict = judge(&client(&sandbox, Some(Fault::DropsIds)), "1").await;
    let finding = "a created user has an id: the response has none".to_owned();
    assert!(verdict.failed.contains(&finding), "{verdict:?}");
    check_empty(&sandbox).await;
}
