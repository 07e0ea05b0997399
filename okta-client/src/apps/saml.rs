//! SAML metadata and the keys that apps sign with.

use bytes::Bytes;
use rest_core::Call;
use serde_json::Value;

use super::{App, Apps, path};
use crate::{
    Error, Id,
    json::{self, FromJson, Missing},
};

impl Apps<'_> {
    /// Returns the metadata of the app as an identity provider, with the key `kid`.
    ///
    /// The bytes are those that Okta sent: its `Content-Type` header names another encoding than
    /// the document does, and the document is right.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, or if there is no such app or key.
    pub async fn saml_metadata(&self, id: &Id<App>, kid: &str) -> Result<Bytes, Error> {
        let call = Call::get(path(id, &["sso", "saml", "metadata"]))
            .query("kid", kid)
            .accept("application/xml");
        Ok(self.client.send(call).await?.answer.into_body())
    }

    /// Returns every key that the app can sign with.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app.
    pub async fn keys(&self, id: &Id<App>) -> Result<Vec<SigningKey>, Error> {
        let path = path(id, &["credentials", "keys"]);
        self.client
            .list(move || Call::get(path.clone()))
            .try_collect()
            .await
    }

    /// Makes a new key with a certificate of its own; the app does not sign with it yet, see
    /// [`AppDocument::set_signing_kid`](crate::AppDocument::set_signing_kid).
    ///
    /// Keys cannot be deleted.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if there is no such app, or if Okta does not accept the number
    /// of years.
    pub async fn generate_key(
        &self,
        id: &Id<App>,
        validity_years: u8,
    ) -> Result<SigningKey, Error> {
        let call = Call::post(path(id, &["credentials", "keys", "generate"]))
            .query("validityYears", validity_years.to_string());
        self.client.read(call).await
    }
}

/// A key that an app can sign with, as far as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningKey {
    /// The id.
    pub kid: String,
    /// When the key was made, as Okta writes it.
    pub created: Option<String>,
    /// When its certificate ends, as Okta writes it.
    pub expires_at: Option<String>,
    /// The certificate and those it depends on, each as Base64 of its DER.
    pub x5c: Vec<String>,
    /// The SHA-256 of the certificate, as unpadded Base64 for URLs.
    pub sha256: Option<String>,
}

impl FromJson for SigningKey {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            kid: json::text(&value, "/kid").ok_or(Missing("/kid"))?,
            created: json::text(&value, "/created"),
            expires_at: json::text(&value, "/expiresAt"),
            x5c: json::texts(&value, "/x5c"),
            sha256: json::text(&value, "/x5t#S256"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::SigningKey;
    use crate::json::{FromJson, Missing};

    #[test]
    fn a_key_is_read_with_its_certificate() {
        let key = SigningKey::from_json(json!({
            "kty": "RSA", "created": "2026-01-01T00:00:00.000Z", "lastUpdated": null,
            "expiresAt": "2036-01-01T00:00:00.000Z", "x5c": ["MIID"], "kid": "kid-1", "use": "sig",
            "e": "AQAB", "n": "x", "x5t#S256": "abc"
        }))
        .expect("a key");
        assert_eq!(key.expires_at.as_deref(), Some("2036-01-01T00:00:00.000Z"));
        assert_eq!(key.x5c, ["MIID"]);
        assert_eq!(key.sha256.as_deref(), Some("abc"));
        assert_eq!(
            SigningKey::from_json(json!({ "kid": null })),
            Err(Missing("/kid"))
        );
    }
}
