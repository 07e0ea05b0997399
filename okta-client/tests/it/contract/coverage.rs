//! The operations that the methods call.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use okta_client::{Client, Secret};
use rest_core::{Transport, TransportError};
use serde_json::json;

use super::{CONTRACT, check, methods, operation, operations};
use crate::{TOKEN, clock, json, privacy, text};

/// An org that checks each request, records its operation, and answers with success or refuses.
#[derive(Debug)]
struct Recorder {
    refuses: bool,
    operations: Mutex<BTreeSet<&'static str>>,
}

impl Transport for Recorder {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        check(&request);
        let (name, facts) = operation(request.method().as_str(), request.uri().path()).unwrap();
        self.operations.lock().unwrap().insert(name);
        let resource = json!({
            "id": "x1", "kid": "x1", "uuid": "x1", "name": "x", "label": "x", "status": "ACTIVE",
            "csr": "x", "profile": { "login": "x", "name": "x" }, "domains": [],
        });
        let is_list = facts["response"].is_array();
        let status = u16::try_from(facts["success"][0].as_u64().unwrap()).unwrap();
        let response = match name {
            // Okta answers this to the deletion of an app, which is then read.
            _ if self.refuses => json(403, json!({ "errorCode": "E0000056" })),
            "GET /api/v1/apps/{appId}/sso/saml/metadata" => text(status, "<EntityDescriptor/>"),
            _ if is_list => json(status, json!([resource])),
            _ if facts["response"].is_null() => text(status, ""),
            _ => json(status, resource),
        };
        Box::pin(async { Ok(response) })
    }
}

/// Returns the operations that each method calls.
pub(super) async fn calls() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    privacy::start_log();
    let mut calls: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let runs = methods::all()
        .into_iter()
        .flat_map(|method| [(false, method), (true, method)]);
    for (refuses, (name, call)) in runs {
        let recorder = Arc::new(Recorder {
            refuses,
            operations: Mutex::default(),
        });
        let client = Client::builder("https://acme.okta.com", Secret::new(TOKEN))
            .transport(recorder.clone())
            .clock(Arc::new(clock()))
            .build()
            .unwrap();
        call(client).await;
        calls
            .entry(name)
            .or_default()
            .append(&mut recorder.operations.lock().unwrap());
    }
    calls
}

#[tokio::test]
async fn each_operation_of_the_contract_is_called_by_a_method() {
    let calls = calls().await;
    for (method, called) in &calls {
        assert!(!called.is_empty(), "{method} sends no request");
    }
    let called: BTreeSet<&str> = calls.values().flatten().copied().collect();
    let described: BTreeSet<&str> = operations().keys().map(String::as_str).collect();
    assert_eq!(called, described);
    eprintln!(
        "{} of {} operations of Okta's description {} are covered by {} methods",
        called.len(),
        CONTRACT["description"]["operations"],
        CONTRACT["description"]["version"],
        calls.len(),
    );
}
