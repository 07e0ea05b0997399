//! Authorizes calls with access tokens, which are cached and refreshed.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, InvalidHeaderValue},
};
use rest_core::{AuthorizeError, Authorizer, Inspection, Secret};

use super::{AccessToken, ServerTime, TokenSource, TokenType, dpop::Nonce};
use crate::{TokenError, error::ApiError};

/// An [`Authorizer`] with the access tokens of a [`TokenSource`].
#[derive(Debug)]
pub(crate) struct TokenAuthorizer {
    source: Arc<dyn TokenSource>,
    time: Arc<ServerTime>,
    /// The nonce for proofs of calls. The token endpoint has its own (RFC 9449, sections 8 and 9).
    nonce: Nonce,
    cache: Mutex<Cache>,
    /// Held while a token is requested, so that there is one request at a time.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Cache {
    token: Option<Cached>,
    /// The number of failed requests for a token, and the error of the last one.
    failures: u64,
    error: Option<Arc<TokenError>>,
}

#[derive(Debug)]
struct Cached {
    token: AccessToken,
    /// The elapsed time of the clock from which on a new token is requested.
    refresh_at: Option<Duration>,
    /// The elapsed time of the clock at which Okta no longer accepts the token.
    expires_at: Option<Duration>,
}

impl TokenAuthorizer {
    pub(crate) fn new(source: Arc<dyn TokenSource>, time: Arc<ServerTime>) -> Self {
        Self {
            source,
            time,
            nonce: Nonce::default(),
            cache: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
        }
    }

    /// Returns a token that is not about to expire.
    async fn token(&self) -> Result<AccessToken, Arc<TokenError>> {
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        let failures = self.cache().failures;
        let _turn = self.refreshing.lock().await;
        // Another call may have requested a token while this one waited; its result counts for both.
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        {
            let cache = self.cache();
            if let Some(error) = &cache.error
                && cache.failures != failures
            {
                return Err(Arc::clone(error));
            }
        }
        match self.source.token().await {
            Ok(token) => {
                let now = self.time.clock().elapsed();
                let refresh_at = token.lifetime.map(|lifetime| now + usable(lifetime));
                self.cache().token = Some(Cached {
                    token: token.clone(),
                    refresh_at,
                    expires_at: token.lifetime.map(|lifetime| now + lifetime),
                });
                Ok(token)
            }
            Err(error) => {
                let error = Arc::new(match error.downcast::<TokenError>() {
                    Ok(error) => *error,
                    Err(source) => TokenError::Source { source },
                });
                let now = self.time.clock().elapsed();
                let mut cache = self.cache();
                // The request was early: the old token is still good for a while.
                if let Some(cached) = &mut cache.token
                    && cached.expires_at.is_some_and(|end| now < end)
                {
                    cached.refresh_at = Some(now + REFRESH_PAUSE);
                    return Ok(cached.token.clone());
                }
                cache.failures += 1;
                cache.error = Some(Arc::clone(&error));
                Err(error)
            }
        }
    }

    fn cached(&self) -> Option<AccessToken> {
        let now = self.time.clock().elapsed();
        let cache = self.cache();
        let cached = cache.token.as_ref()?;
        let is_fresh = cached.refresh_at.is_none_or(|refresh_at| now < refresh_at);
        is_fresh.then(|| cached.token.clone())
    }

    /// Drops the cached token if it is the one that was refused. A call that was refused with an older
    /// token changes nothing.
    fn drop_token(&self, refused: &Secret) {
        let mut cache = self.cache();
        let is_current = cache
            .token
            .as_ref()
            .is_some_and(|cached| cached.token.token.expose() == refused.expose());
        if is_current {
            cache.token = None;
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // No code panics while it changes the cache.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authorizer for TokenAuthorizer {
    fn prepare(&self) -> BoxFuture<'_, Result<(), AuthorizeError>> {
        Box::pin(async { Ok(self.token().await.map(drop)?) })
    }

    fn identity(&self) -> Option<Secret> {
        self.source.client_id().map(Secret::new)
    }

    fn authorize<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<Vec<Secret>, AuthorizeError>> {
        Box::pin(async {
            let AccessToken {
                token, token_type, ..
            } = self.token().await?;
            let (scheme, proof) = match token_type {
                TokenType::Bearer => ("Bearer", None),
                TokenType::Dpop(key) => {
                    let nonce = self.nonce.get();
                    let target = (request.method(), request.uri());
                    let proof =
                        key.proof(target, nonce.as_deref(), Some(&token), self.time.now())?;
                    ("DPoP", Some(proof))
                }
            };
            let headers = request.headers_mut();
            headers.insert(
                AUTHORIZATION,
                secret_header(format!("{scheme} {}", token.expose()))?,
            );
            if let Some(proof) = &proof {
                headers.insert(DPOP, secret_header(proof.expose().to_owned())?);
            }
            Ok([Some(token), proof].into_iter().flatten().collect())
        })
    }

    fn inspect(&self, secrets: &[Secret], resent: u32, response: &Response<Bytes>) -> Inspection {
        self.time.learn(response.headers());
        let has_nonce = self.nonce.learn(response.headers());
        let status = response.status();
        if resent > 0 || !matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) {
            return Inspection::Keep;
        }
        match ApiError::code_of(response).as_deref() {
            Some("use_dpop_nonce") if has_nonce => Inspection::SendAgain,
            // The next proof is new, and has the time of Okta's clock.
            Some("invalid_dpop_proof") => Inspection::SendAgain,
            // The org lacks a feature, or the token a scope: another token would not help.
            Some("use_dpop_nonce" | "E0000015" | "insufficient_scope") => Inspection::Keep,
            _ if status == StatusCode::UNAUTHORIZED => {
                if let Some(token) = secrets.first() {
                    self.drop_token(token);
                }
                Inspection::SendAgain
            }
            _ => Inspection::Keep,
        }
    }
}

/// Returns for how long a token with this lifetime is used: until 5 minutes before its end, or for 90 %
/// of a short life.
fn usable(lifetime: Duration) -> Duration {
    lifetime.saturating_sub((lifetime / 10).min(REFRESH_EARLY))
}

/// Returns a header value that `Debug` output does not show.
pub(super) fn secret_header(value: String) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(value)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header of proofs (RFC 9449, section 4.1).
pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");
const REFRESH_EARLY: Duration = Duration::from_mins(5);
// Long enough to spare a token endpoint that fails, and short beside the 5 minutes.
const REFRESH_PAUSE: Duration = Duration::from_secs(30);
