//! Tests that no output contains a credential.

use std::{
    error::Error as _,
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;

use super::{Answering, EC256, app, field, is_token_request, token};
use crate::{client, clock, group_id, header, json as answer, privacy};

/// An org that repeats every credential of a request in its error, as a careless proxy may do.
#[tokio::test]
async fn no_output_contains_an_access_token_an_assertion_a_proof_or_a_key() {
    const ACCESS_TOKEN: &str = "eyJ-do-not-show-this-access-token";
    let issued = Mutex::new(false);
    let org = Answering::new(move |request| {
        let mut credentials = vec![header(request, "dpop").unwrap_or_default()];
        if !is_token_request(request) {
            credentials.push(header(request, "authorization").unwrap());
        } else if mem::replace(&mut *issued.lock().unwrap(), true) {
            credentials.push(field(request, "client_assertion"));
        } else {
            return token("DPoP", ACCESS_TOKEN, 60);
        }
        let text = credentials.join(" ");
        answer(
            400,
            json!({ "error": "invalid_request", "error_description": text, "errorSummary": text }),
        )
    });
    let clock = clock();
    let app = app();
    let client = client(Arc::new(org.clone()), app.clone(), &clock);
    let call = client
        .groups()
        .get(&group_id())
        .await
        .expect_err("a refusal");
    clock.advance(Duration::from_mins(1));
    let token = client
        .groups()
        .get(&group_id())
        .await
        .expect_err("a refusal");

    assert_eq!(call.message(), Some("(a secret) DPoP (a secret)"));
    assert_eq!(token.message(), Some("(a secret) (a secret)"));
    let log = privacy::log();
    let source = token.source().expect("a source");
    let text = format!("{log}\n{call:?}\n{token:?}\n{token}\n{source}\n{client:?}\n{app:?}");
    assert!(
        text.contains("path=\"/oauth2/v1/token\" status=400"),
        "{text}"
    );
    let mut hidden = vec![ACCESS_TOKEN.to_owned()];
    hidden.extend(
        EC256
            .lines()
            .map(str::to_owned)
            .filter(|line| !line.starts_with('-')),
    );
    for request in org.requests() {
        // Its `Debug` output does not show the value, and HTTP/2 does not index it.
        let credentials = ["authorization", "dpop"].map(|name| request.headers().get(name));
        for value in credentials.into_iter().flatten() {
            assert!(value.is_sensitive());
        }
        hidden.extend(header(&request, "dpop"));
        if is_token_request(&request) {
            hidden.push(field(&request, "client_assertion"));
        }
    }
    assert!(hidden.len() > 7, "{}", hidden.len());
    for hidden in hidden {
        assert!(
            !text.contains(&hidden),
            "the output contains {hidden}: {text}"
        );
    }
}
