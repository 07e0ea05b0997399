//! Tests of the credentials.

mod assertions;
mod configuration;
mod connection;
mod keys;
mod origins;
mod proofs;
mod refusals;
mod secrets;
mod stories;
mod tokens;

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
use okta_client::{PrivateKey, ServiceApp};
use rest_core::{Secret, Transport, TransportError};
use serde_json::{Value, json};

use super::{header, json as answer, with};

const EC256: &str = include_str!("auth/keys/ec256.pkcs8.pem");
const EC256_PUBLIC: &str = include_str!("auth/keys/ec256.public.jwk.json");
const TOKEN_URL: &str = "https://acme.okta.com/oauth2/v1/token";

fn key(text: &str) -> PrivateKey {
    PrivateKey::parse(&Secret::new(text)).unwrap()
}

/// Returns a service app with a key on P-256 and two scopes.
pub(super) fn app() -> ServiceApp {
    ServiceApp::new(
        "0oaservice",
        key(EC256),
        ["okta.users.read", "okta.groups.manage"],
    )
}

/// Returns a response of the token endpoint. Its token type is `Bearer` or `DPoP`.
pub(super) fn token(token_type: &str, token: &str, expires_in: u64) -> Response<Bytes> {
    answer(
        200,
        json!({
            "token_type": token_type, "expires_in": expires_in, "access_token": token,
            "scope": "okta.users.read okta.groups.manage"
        }),
    )
}

fn oauth_error(error: &str, description: &str) -> Response<Bytes> {
    answer(
        400,
        json!({ "error": error, "error_description": description }),
    )
}

/// Returns the demand of a proof with this nonce, as the token endpoint sends it.
fn nonce_demand(nonce: &str) -> Response<Bytes> {
    let demand = oauth_error(
        "use_dpop_nonce",
        "Authorization server requires nonce in DPoP proof.",
    );
    with(demand, "dpop-nonce", nonce)
}

/// A refusal of an access token or a proof, with an empty body as Okta sends it.
fn challenge(status: u16, error: &str) -> Response<Bytes> {
    let text =
        format!(r#"DPoP realm="OktaDPoP", error="{error}", error_description="It is refused.""#);
    with(super::empty(status), "www-authenticate", &text)
}

/// The fields of a token request.
fn form(request: &Request<Bytes>) -> Vec<(String, String)> {
    assert_eq!(
        header(request, "content-type").as_deref(),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(header(request, "content-length"), None);
    url::form_urlencoded::parse(request.body())
        .into_owned()
        .collect()
}

fn field(request: &Request<Bytes>, name: &str) -> String {
    let fields = form(request);
    let found = fields.into_iter().find(|(known, _)| known == name);
    found.expect("the field").1
}

/// Verifies a JWT with an independent implementation, and returns its header and its claims.
fn verified(jwt: &str, public: &Value) -> (Value, Value) {
    let header = part(jwt, 0);
    let algorithm: Algorithm = header["alg"].as_str().unwrap().parse().unwrap();
    let public: Jwk = serde_json::from_value(public.clone()).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let public = DecodingKey::from_jwk(&public).unwrap();
    let claims = jsonwebtoken::decode::<Value>(jwt, &public, &validation);
    (header, claims.expect("a valid signature").claims)
}

/// Verifies the assertion of a token request, and returns its claims.
fn assertion(request: &Request<Bytes>) -> Value {
    let public = serde_json::from_str(EC256_PUBLIC).unwrap();
    verified(&field(request, "client_assertion"), &public).1
}

/// Verifies the proof of a request with the key in it, and returns its claims.
fn proof(request: &Request<Bytes>) -> Value {
    let proof = header(request, "dpop").expect("a proof");
    verified(&proof, &part(&proof, 0)["jwk"]).1
}

/// Returns one of the JSON parts of a JWT: 0 is the header, and 1 are the claims.
fn part(jwt: &str, number: usize) -> Value {
    let text = jwt.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

type Answer = dyn Fn(&Request<Bytes>) -> Response<Bytes> + Send + Sync;

/// An org that computes its responses, and answers only after all other tasks had a turn.
#[derive(Clone)]
struct Answering(Arc<Exchanges>);

struct Exchanges {
    answer: Box<Answer>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Answering {
    fn new(answer: impl Fn(&Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Exchanges {
            answer: Box::new(answer),
            requests: Mutex::default(),
        }))
    }

    fn requests(&self) -> Vec<Request<Bytes>> {
        self.0.requests.lock().unwrap().clone()
    }

    fn token_requests(&self) -> Vec<Request<Bytes>> {
        let mut requests = self.requests();
        requests.retain(is_token_request);
        requests
    }

    fn calls(&self) -> Vec<Request<Bytes>> {
        let mut requests = self.requests();
        requests.retain(|request| !is_token_request(request));
        requests
    }
}

fn is_token_request(request: &Request<Bytes>) -> bool {
    request.uri() == TOKEN_URL
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

impl Transport for Answering {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let response = (self.0.answer)(&request);
        self.0.requests.lock().unwrap().push(request);
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(response)
        })
    }
}
