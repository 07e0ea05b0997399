//! The org authorization server, and the authorization of API requests by its access tokens.

mod app;
mod dpop;
mod jwt;
mod scopes;
mod token;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use self::app::{ServiceApp, ServiceAppCredentials};
pub(crate) use self::scopes::Rights;
pub(super) use self::scopes::Route;
use self::{
    app::Client,
    dpop::{Nonces, Proof, Target},
};
use super::{
    Org,
    id_generator::IdGenerator,
    query::Call,
    reply::{Refusal, Reply},
};
use crate::clock::after;

pub(super) const TOKEN_PATH: &str = "/oauth2/v1/token";

/// The service apps, their tokens, and the ids that must not be used again.
#[derive(Debug)]
pub(crate) struct OAuth {
    clients: BTreeMap<String, Client>,
    /// The access tokens by their hashes. Expired ones stay, and are refused.
    tokens: HashMap<String, AccessToken>,
    used: UsedIds,
    nonces: Nonces,
}

#[derive(Debug)]
struct AccessToken {
    client: String,
    scopes: BTreeSet<String>,
    expires: Timestamp,
    /// The thumbprint of the key to which the token is bound.
    thumbprint: Option<String>,
}

/// Ids of assertions and proofs (`jti`), each of which is accepted once.
#[derive(Debug, Default)]
struct UsedIds(HashMap<String, Timestamp>);

impl UsedIds {
    /// Remembers an id until it expires. Returns `false` if it was used before.
    fn insert(&mut self, id: String, expires: Timestamp, now: Timestamp) -> bool {
        self.0.retain(|_, expires| *expires > now);
        self.0.insert(id, expires).is_none()
    }
}

impl OAuth {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            clients: BTreeMap::new(),
            tokens: HashMap::new(),
            used: UsedIds::default(),
            nonces: Nonces::new(now),
        }
    }

    pub(super) fn register(&mut self, app: ServiceApp, ids: &mut IdGenerator) {
        let client = Client::new(app, ids);
        self.clients.insert(client.id.clone(), client);
    }

    /// Returns the app that got an access token.
    pub(super) fn client_of(&self, token: &str) -> Option<String> {
        let token = self.tokens.get(&token_hash(token))?;
        Some(token.client.clone())
    }

    /// Revokes all access tokens.
    pub(crate) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Replaces the DPoP nonce, and refuses all earlier ones.
    pub(crate) fn revoke_nonces(&mut self, now: Timestamp) {
        self.nonces.revoke(now);
    }

    /// Marks a proof as used.
    fn use_proof(&mut self, proof: &Proof, now: Timestamp) -> Result<(), &'static str> {
        let id = format!("proof {} {}", proof.thumbprint, proof.id);
        // After twice the tolerance, the proof is too old even if its clock was ahead.
        let expires = after(now, dpop::TOLERANCE + dpop::TOLERANCE);
        if self.used.insert(id, expires, now) {
            Ok(())
        } else {
            Err("The DPoP proof JWT has already been used.")
        }
    }
}

/// The scheme of the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Bearer,
    Dpop,
}

impl Scheme {
    /// Returns the scheme and the token of an `Authorization` header, unless it is one of Okta's API tokens.
    pub(super) fn parse(authorization: &str) -> Option<(Self, &str)> {
        let (scheme, token) = authorization.split_once(' ')?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Self::Bearer,
            "dpop" => Self::Dpop,
            _ => return None,
        };
        Some((scheme, token.trim()))
    }
}

impl Org {
    /// Returns the names and credentials of the service apps, oldest first.
    pub(crate) fn service_apps(&self) -> impl Iterator<Item = (&str, ServiceAppCredentials)> {
        let clients = self.oauth.clients.values();
        clients.map(|client| (client.name.as_str(), client.credentials()))
    }

    /// Checks the access token of an API request: that it is known, its proof, and its scopes.
    pub(super) fn check_access_token(
        &mut self,
        call: &Call<'_>,
        scheme: Scheme,
        token: &str,
    ) -> Result<(), Reply> {
        let route = Route::of(call.method, call.path);
        let scope = route.and_then(|route| route.scopes.first().copied());
        let challenge = Challenge {
            scheme,
            host: &call.host,
            scope: scope.unwrap_or_default(),
            resource: call.path,
        };
        let hash = token_hash(token);
        let known = self.oauth.tokens.get(&hash);
        let known = known.filter(|token| call.now < token.expires);
        let bound_to = known.map(|token| token.thumbprint.clone());
        let is_usable = match (&bound_to, scheme) {
            (None, _) => false,
            // RFC 9449 7.2: a bound token is not accepted as a bearer token. The converse has no key to compare.
            (Some(None), scheme) => scheme == Scheme::Bearer,
            (Some(Some(_)), scheme) => scheme == Scheme::Dpop,
        };
        if !is_usable {
            let reply = self.refuse(&Refusal::token());
            return Err(challenge.add(reply, "invalid_token", "The access token is invalid."));
        }
        if let Some(Some(thumbprint)) = bound_to
            && let Err(description) = self.check_api_proof(call, &hash, &thumbprint)
        {
            // The body of this refusal is empty.
            let reply = Reply::empty(StatusCode::BAD_REQUEST);
            return Err(challenge.add(reply, "invalid_dpop_proof", description));
        }
        let granted = self.oauth.tokens.get(&hash);
        let allowed = route
            .is_none_or(|route| granted.is_some_and(|token| route.is_allowed_with(&token.scopes)));
        if !allowed {
            let reply = self.refuse(&Refusal::permission());
            let description = "The access token provided does not contain the required scopes.";
            return Err(challenge.add(reply, "insufficient_scope", description));
        }
        let client = granted.and_then(|token| self.oauth.clients.get(&token.client));
        let has_role =
            client.is_some_and(|client| route.is_none_or(|route| client.rights.allow(route)));
        if !has_role {
            return Err(self.refuse(&Refusal::permission()));
        }
        Ok(())
    }

    fn check_api_proof(
        &mut self,
        call: &Call<'_>,
        token_hash: &str,
        thumbprint: &str,
    ) -> Result<(), &'static str> {
        let proof = call.header("dpop");
        let proof = proof.ok_or("The DPoP proof JWT header is missing.")?;
        let target = Target {
            method: call.method,
            // Okta removes double slashes from the path before it compares.
            url: &self.url(call, &call.path.replace("//", "/")),
            token_hash: Some(token_hash),
        };
        let proof = Proof::check(proof, target, call.now)?;
        if proof.thumbprint != thumbprint {
            return Err("'jwk' header in the DPoP proof JWT is invalid.");
        }
        self.oauth.use_proof(&proof, call.now)
    }
}

/// The `WWW-Authenticate` header of a refusal.
#[derive(Clone, Copy, Debug)]
struct Challenge<'a> {
    scheme: Scheme,
    host: &'a str,
    scope: &'a str,
    resource: &'a str,
}

impl Challenge<'_> {
    fn add(self, reply: Reply, error: &str, description: &str) -> Reply {
        let Self {
            scheme,
            host,
            scope,
            resource,
        } = self;
        let scheme = match scheme {
            Scheme::Bearer => "Bearer",
            Scheme::Dpop => r#"DPoP algs="RS256 RS384 RS512 ES256 ES384 ES512","#,
        };
        // The recorded headers name URLs with `http`, although the org is served with `https`.
        let header = format!(
            r#"{scheme} authorization_uri="http://{host}/oauth2/v1/authorize", realm="http://{host}", scope="{scope}", error="{error}", error_description="{description}", resource="{resource}""#
        );
        reply.with_header("www-authenticate", header)
    }
}

/// Returns the hash of an access token, as the claim `ath` has it (RFC 9449 4.2).
fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}
