//! The token endpoint of the org authorization server.

use std::{
    error, iter,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use rest_core::{
    AuthorizeError, Authorizer, Call, Idempotency, Inspection, Secret, Service, ServiceBuilder,
};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    AccessToken, DpopKey, KeyError, ServerTime, ServiceApp, TokenSource, TokenType,
    dpop::Nonce,
    key::new_jti,
    token_authorizer::{DPOP, secret_header},
};
use crate::{
    Error, TokenError,
    error::{ApiError, Reason},
    json::{self, Missing},
};

/// A [`TokenSource`] that requests access tokens for a service app.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    service: Service,
    app: ServiceApp,
    dpop: Option<DpopKey>,
}

impl TokenEndpoint {
    /// Returns the endpoint of the org that `service` describes. Token requests have the transport, the
    /// retries and the rate limits of that service, and their own bucket.
    pub(crate) fn new(
        service: ServiceBuilder,
        app: ServiceApp,
        time: Arc<ServerTime>,
    ) -> Result<Self, EndpointError> {
        let dpop = app.dpop.then(DpopKey::generate).transpose()?;
        let authorizer = ClientAssertion {
            app: app.clone(),
            dpop: dpop.clone(),
            time,
            nonce: Nonce::default(),
            had_nonce: AtomicBool::new(false),
        };
        let service = service.authorizer(Arc::new(authorizer)).build()?;
        Ok(Self { service, app, dpop })
    }

    async fn request(&self) -> Result<AccessToken, TokenError> {
        // A second token does no harm.
        let call = Call::post(["oauth2", "v1", "token"]).with_idempotency(Idempotency::Idempotent);
        let operation = call.operation();
        let failed = |source| TokenError::Endpoint {
            client_id: self.app.client_id.clone(),
            scopes: self.app.scopes.clone(),
            source: Box::new(source),
        };
        let response = match self.service.send(call).await {
            Ok(response) => response,
            Err(error) => {
                let error = Error::from_rest(operation, Idempotency::Idempotent, error);
                return Err(failed(error));
            }
        };
        let invalid =
            |reason: Reason| failed(Error::body(operation.clone(), &response, false, reason));
        let body: Value = response.json().map_err(|error| invalid(error.into()))?;
        let token = json::str_at(&body, "/access_token")
            .ok_or_else(|| invalid(Missing("/access_token").into()))?;
        // RFC 6749, section 7.1: the type is not case-sensitive.
        let token_type = json::str_at(&body, "/token_type").unwrap_or("Bearer");
        let token_type = match (token_type.to_ascii_lowercase().as_str(), &self.dpop) {
            ("bearer", _) => TokenType::Bearer,
            ("dpop", Some(key)) => TokenType::Dpop(key.clone()),
            _ => return Err(invalid(Missing("/token_type").into())),
        };
        let lifetime = body.get("expires_in").and_then(Value::as_u64);
        Ok(AccessToken::new(
            Secret::new(token),
            token_type,
            lifetime.map(Duration::from_secs),
        ))
    }
}

impl TokenSource for TokenEndpoint {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Box<dyn error::Error + Send + Sync>>> {
        Box::pin(async { Ok(self.request().await?) })
    }

    fn client_id(&self) -> Option<String> {
        Some(self.app.client_id().to_owned())
    }
}

/// The error of [`TokenEndpoint::new`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndpointError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Service(#[from] rest_core::BuildError),
}

/// Adds a new assertion and a new proof to each attempt of a token request.
///
/// There is only one token request at a time: see [`TokenAuthorizer`](super::TokenAuthorizer).
#[derive(Debug)]
struct ClientAssertion {
    app: ServiceApp,
    dpop: Option<DpopKey>,
    time: Arc<ServerTime>,
    nonce: Nonce,
    /// Whether the last proof had a nonce.
    had_nonce: AtomicBool,
}

impl ClientAssertion {
    /// Returns a JWT that authenticates the app (Okta, "Build a JWT for client authentication").
    fn assertion(&self, endpoint: &str) -> Result<Secret, KeyError> {
        let key = &self.app.key;
        let mut header = json!({ "typ": "JWT", "alg": key.algorithm().as_str() });
        if let Some(key_id) = key.key_id() {
            header["kid"] = key_id.into();
        }
        let now = self.time.now();
        let claims = json!({
            "iss": self.app.client_id, "sub": self.app.client_id, "aud": endpoint,
            "iat": now, "exp": now + ASSERTION_LIFETIME, "jti": new_jti()?,
        });
        key.sign(&header, &claims)
    }

    fn add_to(&self, request: &mut Request<Bytes>) -> Result<Vec<Secret>, AuthorizeError> {
        let assertion = self.assertion(&request.uri().to_string())?;
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.app.scopes.join(" "))
            .append_pair("client_assertion_type", ASSERTION_TYPE)
            .append_pair("client_assertion", assertion.expose())
            .finish();
        let proof = match &self.dpop {
            Some(key) => {
                let nonce = self.nonce.get();
                self.had_nonce.store(nonce.is_some(), Ordering::Relaxed);
                let target = (request.method(), request.uri());
                Some(key.proof(target, nonce.as_deref(), None, self.time.now())?)
            }
            None => None,
        };
        let headers = request.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if let Some(proof) = &proof {
            headers.insert(DPOP, secret_header(proof.expose().to_owned())?);
        }
        *request.body_mut() = body.into();
        Ok(iter::once(assertion).chain(proof).collect())
    }
}

impl Authorizer for ClientAssertion {
    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<Vec<Secret>, AuthorizeError>> {
        Box::pin(async { self.add_to(request) })
    }

    fn inspect(&self, _secrets: &[Secret], resent: u32, response: &Response<Bytes>) -> Inspection {
        let corrected = self.time.learn(response.headers());
        let has_nonce = self.nonce.learn(response.headers());
        if !matches!(
            response.status(),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED
        ) {
            return Inspection::Keep;
        }
        match ApiError::code_of(response).as_deref() {
            // A second demand in one attempt is answered only if the first request had no nonce.
            Some("use_dpop_nonce")
                if has_nonce && (resent == 0 || !self.had_nonce.load(Ordering::Relaxed)) =>
            {
                Inspection::SendAgain
            }
            // Okta refuses times that are too far from its own.
            Some("invalid_client" | "invalid_dpop_proof" | "invalid_request") if corrected => {
                Inspection::SendAgain
            }
            _ => Inspection::Keep,
        }
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The life of an assertion in seconds. Okta accepts at most one hour, and each one is used once.
const ASSERTION_LIFETIME: i64 = 300;
