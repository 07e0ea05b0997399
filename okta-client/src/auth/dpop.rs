//! Proofs of possession (DPoP, RFC 9449).

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use http::{HeaderMap, Method, Uri};
use rest_core::{Secret, headers};
use serde_json::{Value, json};

use super::{
    KeyError, PrivateKey,
    key::{base64, new_jti},
};

/// The key that an access token of the type `DPoP` is bound to.
///
/// Each request with such a token has a proof that this key has signed. The key is not the one that
/// authenticates the service app (Okta, "Configure OAuth 2.0 Demonstrating Proof-of-Possession").
#[derive(Debug, Clone)]
pub struct DpopKey {
    key: PrivateKey,
    public: Value,
}

impl DpopKey {
    /// Returns a new key on the curve P-256.
    ///
    /// # Errors
    ///
    /// Fails if the operating system has no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        Self::new(PrivateKey::generate()?)
    }

    /// Returns an EC key as the key of proofs, for a [`TokenSource`](crate::TokenSource) with tokens that
    /// are bound to it.
    ///
    /// # Errors
    ///
    /// Fails for an RSA key.
    pub fn new(key: PrivateKey) -> Result<Self, KeyError> {
        let public = key.public_ec_jwk().ok_or(KeyError::Unsupported)?;
        Ok(Self { key, public })
    }

    /// Returns a new proof for one request at the time `now`. A proof is valid for one request only:
    /// Okta refuses a second use.
    pub(super) fn proof(
        &self,
        (method, url): (&Method, &Uri),
        nonce: Option<&str>,
        token: Option<&Secret>,
        now: i64,
    ) -> Result<Secret, KeyError> {
        let header = json!({
            "typ": "dpop+jwt", "alg": self.key.algorithm().as_str(), "jwk": self.public,
        });
        let mut claims = json!({
            "htm": method.as_str(), "htu": target(url), "iat": now, "jti": new_jti()?,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if let Some(token) = token {
            let hash = digest::digest(&digest::SHA256, token.expose().as_bytes());
            claims["ath"] = base64(hash.as_ref()).into();
        }
        self.key.sign(&header, &claims)
    }
}

/// Returns the URL of a request without its query, and without an empty segment in its path.
fn target(url: &Uri) -> String {
    let mut target = format!(
        "{}://{}",
        url.scheme_str().unwrap_or("https"),
        url.authority().map_or("", http::uri::Authority::as_str)
    );
    let path = url.path();
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    for segment in segments {
        target.push('/');
        target.push_str(segment);
    }
    if path.ends_with('/') {
        target.push('/');
    }
    target
}

/// The nonce that the server demands in proofs. The one of the last response counts.
#[derive(Debug, Default)]
pub(super) struct Nonce(Mutex<Option<String>>);

impl Nonce {
    pub(super) fn get(&self) -> Option<String> {
        self.lock().clone()
    }

    /// Learns the nonce of a response. Returns whether the response has one.
    pub(super) fn learn(&self, headers: &HeaderMap) -> bool {
        let nonce = headers::text(headers, "dpop-nonce");
        if let Some(nonce) = nonce {
            *self.lock() = Some(nonce.to_owned());
        }
        nonce.is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn the_target_has_no_query_and_no_double_slash() {
        for (url, expected) in [
            (
                "https://a.okta.com/oauth2/v1/token",
                "https://a.okta.com/oauth2/v1/token",
            ),
            (
                "https://a.okta.com//api/v1//users?limit=2",
                "https://a.okta.com/api/v1/users",
            ),
            (
                "https://a.okta.com:8443/api/v1/?q=a//b",
                "https://a.okta.com:8443/api/v1/",
            ),
            (
                "https://a.okta.com/api/a%2Fb",
                "https://a.okta.com/api/a%2Fb",
            ),
            ("https://a.okta.com", "https://a.okta.com/"),
        ] {
            assert_eq!(target(&url.parse().expect("a URL")), expected, "{url}");
        }
    }
}
