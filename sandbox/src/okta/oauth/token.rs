//! The token endpoint of the org authorization server: `POST /oauth2/v1/token`.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    AccessToken, OAuth, TOKEN_PATH,
    app::Client,
    dpop::{Proof, Target},
    jwt::Jwt,
    token_hash,
};
use crate::{
    clock::after,
    okta::{Org, query::Call, reply::Reply},
};

/// An error of the token endpoint (RFC 6749 5.2). Its JSON is not that of the management API.
#[derive(Debug)]
struct TokenError {
    status: StatusCode,
    error: &'static str,
    description: String,
    nonce: Option<String>,
}

type Form = BTreeMap<String, String>;

impl Org {
    /// Handles a request below `/oauth2`.
    pub(in crate::okta) fn oauth_endpoint(&mut self, call: &Call<'_>) -> Reply {
        let text = self.ids.opaque(86);
        let url = self.url(call, TOKEN_PATH);
        let issued = check_request(call)
            .and_then(|form| self.oauth.issue(call, &form, &url, &format!("eyJ{text}")));
        issued.unwrap_or_else(TokenError::into_reply)
    }
}

fn check_request(call: &Call<'_>) -> Result<Form, TokenError> {
    if call.path != TOKEN_PATH {
        let mut error = TokenError::request("The requested endpoint does not exist.");
        error.status = StatusCode::NOT_FOUND;
        return Err(error);
    }
    if call.method != Method::POST {
        let mut error =
            TokenError::request("The endpoint does not support the provided HTTP method.");
        error.status = StatusCode::METHOD_NOT_ALLOWED;
        return Err(error);
    }
    call.form().ok_or_else(|| {
        TokenError::request(
            "Accept and/or Content-Type headers likely do not match supported values.",
        )
    })
}

impl OAuth {
    /// Issues the access token `text`, if the request is valid.
    fn issue(
        &mut self,
        call: &Call<'_>,
        form: &Form,
        url: &str,
        text: &str,
    ) -> Result<Reply, TokenError> {
        let now = call.now;
        if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
            return Err(TokenError::new(
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server.",
            ));
        }
        // The assertion is used up before the proof is checked: the request that repeats a proof with the nonce
        // needs a new assertion.
        let client = self.authenticate(call, form, url)?;
        let (id, requires_dpop) = (client.id.clone(), client.requires_dpop);
        let thumbprint = match call.header("dpop") {
            None if requires_dpop => {
                return Err(TokenError::proof("The DPoP proof JWT header is missing."));
            }
            None => None,
            Some(proof) => Some(self.check_proof(proof, url, now)?),
        };
        let scopes = self.clients[&id].grant(form)?;
        let kind = if thumbprint.is_some() {
            "DPoP"
        } else {
            "Bearer"
        };
        let reply = Reply::ok(json!({
            "token_type": kind,
            "expires_in": LIFETIME.as_secs(),
            "access_token": text,
            "scope": scopes.join(" "),
        }));
        let token = AccessToken {
            client: id,
            scopes: scopes.into_iter().map(str::to_owned).collect(),
            expires: after(now, LIFETIME),
            thumbprint,
        };
        self.tokens.insert(token_hash(text), token);
        Ok(reply.with_header("cache-control", "no-cache, no-store"))
    }

    /// Authenticates the app with its assertion (`private_key_jwt`).
    fn authenticate(
        &mut self,
        call: &Call<'_>,
        form: &Form,
        url: &str,
    ) -> Result<&Client, TokenError> {
        let now = call.now;
        let field = |name: &str| form.get(name).map(String::as_str);
        let kind = field("client_assertion_type");
        let Some(assertion) = field("client_assertion").filter(|_| kind == Some(ASSERTION_TYPE))
        else {
            return Err(TokenError::client(
                "Client Credentials requests to the Org Authorization Server must use the private_key_jwt \
                 token_endpoint_auth_method.",
            ));
        };
        let jwt = Jwt::parse(assertion)
            .ok_or_else(|| TokenError::client("The client_assertion token is invalid."))?;
        let issuer = jwt.text("iss").unwrap_or_default();
        let client = self.clients.get(issuer);
        let client = client.filter(|_| field("client_id").is_none_or(|id| id == issuer));
        let Some(client) = client else {
            return Err(TokenError::client(
                "Invalid value for 'client_id' parameter.",
            ));
        };
        check_signature(&jwt, client)?;
        check_claims(&jwt, client, url, now)?;
        if let Some(id) = jwt.text("jti")
            && !self.used.insert(
                format!("assertion {issuer} {id}"),
                jwt.time("exp").unwrap_or(now),
                now,
            )
        {
            return Err(TokenError::client(
                "The client_assertion token has already been used.",
            ));
        }
        Ok(client)
    }

    /// Checks the proof of a token request, and returns the thumbprint of its key.
    fn check_proof(
        &mut self,
        proof: &str,
        url: &str,
        now: Timestamp,
    ) -> Result<String, TokenError> {
        let target = Target {
            method: &Method::POST,
            url,
            token_hash: None,
        };
        let proof = Proof::check(proof, target, now).map_err(TokenError::proof)?;
        self.use_proof(&proof, now).map_err(TokenError::proof)?;
        let nonce = proof.nonce.as_deref().unwrap_or_default();
        if !self.nonces.accepts(nonce, now) {
            let mut error = TokenError::new(
                "use_dpop_nonce",
                "Authorization server requires nonce in DPoP proof.",
            );
            error.nonce = Some(self.nonces.current(now).to_owned());
            return Err(error);
        }
        Ok(proof.thumbprint)
    }
}

impl Client {
    /// Returns the requested scopes, if all of them are granted to the app.
    fn grant<'a>(&self, form: &'a Form) -> Result<Vec<&'a str>, TokenError> {
        let requested = form.get("scope").map(String::as_str).unwrap_or_default();
        let requested: Vec<&str> = requested.split_whitespace().collect();
        if requested.is_empty() {
            return Err(TokenError::new(
                "invalid_scope",
                "The authorization server resource does not have any configured default scopes, 'scope' must be provided.",
            ));
        }
        if requested.iter().any(|scope| !self.scopes.contains(*scope)) {
            return Err(TokenError::new(
                "invalid_scope",
                "One or more scopes are not configured for the authorization server resource.",
            ));
        }
        Ok(requested)
    }
}

fn check_signature(jwt: &Jwt<'_>, client: &Client) -> Result<(), TokenError> {
    let kid = jwt.header.kid.as_deref();
    let key = match (kid, client.keys.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (kid, keys) => keys.iter().find(|key| key.common.key_id.as_deref() == kid),
    };
    let key = key.ok_or_else(|| TokenError::client("The client_assertion JWT kid is invalid."))?;
    if !jwt.is_signed_by(key) {
        return Err(TokenError::client(
            "The client_assertion signature is invalid.",
        ));
    }
    Ok(())
}

fn check_claims(
    jwt: &Jwt<'_>,
    client: &Client,
    url: &str,
    now: Timestamp,
) -> Result<(), TokenError> {
    if jwt.text("sub") != Some(&client.id) {
        return Err(TokenError::client(
            "The client_assertion token must have the client_id as its issuer and its subject.",
        ));
    }
    if !jwt.contains("aud", url) {
        return Err(TokenError::client(
            "The audience claim for client_assertion must be the endpoint invoked for the request.",
        ));
    }
    let Some(expires) = jwt.time("exp") else {
        return Err(TokenError::client(
            "The client_assertion token must have an expiration.",
        ));
    };
    if expires <= now {
        return Err(TokenError::client("The client_assertion token is expired."));
    }
    if expires > after(now, LIFETIME) {
        return Err(TokenError::client(
            "The client_assertion token has an expiration too far into the future.",
        ));
    }
    let issued = jwt.time("iat");
    if issued.is_some_and(|issued| issued > after(now, super::dpop::TOLERANCE)) {
        return Err(TokenError::client(
            "The client_assertion token is issued in the future.",
        ));
    }
    Ok(())
}

impl TokenError {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            nonce: None,
        }
    }

    fn request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    fn proof(description: &str) -> Self {
        Self::new("invalid_dpop_proof", description)
    }

    fn client(description: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::new("invalid_client", description)
        }
    }

    fn into_reply(self) -> Reply {
        let body = json!({ "error": self.error, "error_description": self.description });
        let reply = Reply::with_status(self.status, body);
        match self.nonce {
            None => reply,
            Some(nonce) => reply.with_header("dpop-nonce", nonce),
        }
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The lifetime of an access token, and the longest one of an assertion.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);
