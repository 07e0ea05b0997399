//! Helpers of the tests: keys, client assertions, DPoP proofs, and a client of the token endpoint.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use okta_aws_sandbox::{Sandbox, ServiceApp};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{builder, client, send};

/// A P-256 key that signs tokens.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    pub(crate) kid: Option<String>,
}

impl Key {
    pub(crate) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { pair, kid: None }
    }

    /// Reads a private JWK.
    fn from_jwk(jwk: &str) -> Self {
        let jwk: Value = serde_json::from_str(jwk).expect("JSON");
        let member = |name: &str| {
            let text = jwk[name].as_str().expect("a member");
            URL_SAFE_NO_PAD.decode(text).expect("base64url")
        };
        let point = [vec![4], member("x"), member("y")].concat();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &member("d"),
            &point,
        );
        Self {
            pair: pair.expect("a key"),
            kid: jwk["kid"].as_str().map(str::to_owned),
        }
    }

    /// Returns the public key as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let mut jwk =
            json!({ "kty": "EC", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) });
        if let Some(kid) = &self.kid {
            jwk["kid"] = kid.as_str().into();
        }
        jwk
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            b64(header.to_string().as_bytes()),
            b64(claims.to_string().as_bytes())
        );
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes());
        let signature = signature.expect("a signature");
        format!("{message}.{}", b64(signature.as_ref()))
    }
}

/// A client of one service app, with a key for its proofs.
pub(crate) struct App<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) id: String,
    pub(crate) key: Key,
    pub(crate) proof_key: Key,
}

/// Starts a sandbox with this app and a manual clock.
pub(crate) async fn sandbox_with(app: ServiceApp) -> Sandbox {
    builder().service_app(app).start().await.expect("a sandbox")
}

impl<'a> App<'a> {
    /// Returns a client of the app `Automation`.
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        let credentials = sandbox.service_app("Automation");
        Self {
            sandbox,
            id: credentials.client_id().to_owned(),
            key: Key::from_jwk(credentials.private_key()),
            proof_key: Key::generate(),
        }
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}/oauth2/v1/token", self.sandbox.okta_url())
    }

    fn seconds(&self) -> i64 {
        self.sandbox.now().as_second()
    }

    /// Returns a valid assertion, with `changes` of its claims. A null removes a claim.
    pub(crate) fn assertion(&self, changes: &Value) -> String {
        let mut claims = json!({
            "iss": self.id,
            "sub": self.id,
            "aud": self.token_url(),
            "iat": self.seconds(),
            "exp": self.seconds() + 300,
            "jti": unique(),
        });
        change(&mut claims, changes);
        let mut header = json!({ "alg": "ES256" });
        if let Some(kid) = &self.key.kid {
            header["kid"] = kid.as_str().into();
        }
        self.key.sign(&header, &claims)
    }

    /// Returns a valid proof, with `changes` of its claims. A null removes a claim.
    pub(crate) fn proof(&self, method: &str, url: &str, changes: &Value) -> String {
        let mut claims =
            json!({ "htm": method, "htu": url, "iat": self.seconds(), "jti": unique() });
        change(&mut claims, changes);
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.proof_key.jwk() });
        self.proof_key.sign(&header, &claims)
    }

    /// Returns a token request, with `changes` of its fields. A null removes a field.
    pub(crate) fn token_request(&self, changes: &Value) -> RequestBuilder {
        let mut fields = json!({
            "grant_type": "client_credentials",
            "scope": "okta.users.read",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(&json!({})),
        });
        change(&mut fields, changes);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields.as_object().expect("fields") {
            form.append_pair(name, value.as_str().expect("text"));
        }
        client()
            .post(self.token_url())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.finish())
    }

    /// Sends a token request with a proof for this nonce.
    pub(crate) async fn request_with_nonce(&self, nonce: &str, scope: &str) -> Response {
        let proof = self.proof("POST", &self.token_url(), &json!({ "nonce": nonce }));
        let request = self.token_request(&json!({ "scope": scope }));
        send(request.header("dpop", proof)).await
    }

    /// Returns the nonce that the token endpoint demands.
    pub(crate) async fn nonce(&self) -> String {
        let response = self.request_with_nonce("none", "okta.users.read").await;
        assert_eq!(response.status(), 400);
        let nonce = response.headers()["dpop-nonce"].to_str().expect("text");
        nonce.to_owned()
    }

    /// Gets an access token that is bound to the key of the proofs.
    pub(crate) async fn bound_token(&self, scope: &str) -> String {
        let nonce = self.nonce().await;
        let response = self.request_with_nonce(&nonce, scope).await;
        assert_eq!(response.status(), 200);
        access_token(response).await
    }

    /// Returns a request to the API with a bound token and a proof, with `changes` of the proof's claims.
    pub(crate) fn api(
        &self,
        method: Method,
        path: &str,
        token: &str,
        changes: &Value,
    ) -> RequestBuilder {
        let url = format!("{}{path}", self.sandbox.okta_url());
        let mut claims = json!({ "ath": b64(&Sha256::digest(token)) });
        change(&mut claims, changes);
        let htu = url.split('?').next().expect("a URL");
        let proof = self.proof(method.as_str(), htu, &claims);
        client()
            .request(method, &url)
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof)
    }
}

pub(crate) async fn access_token(response: Response) -> String {
    let body: Value = response.json().await.expect("JSON");
    body["access_token"].as_str().expect("a token").to_owned()
}

/// Sends a token request that must fail, and returns the status, the error and its description.
pub(crate) async fn token_error(request: RequestBuilder) -> (u16, String, String) {
    let response = send(request).await;
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("error"), text("error_description"))
}

fn change(object: &mut Value, changes: &Value) {
    let object = object.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("changes") {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}

/// Returns an id that no other token of this process has.
fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("id-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
