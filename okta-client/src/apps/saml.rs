//! SAML metadata and signing keys of apps.

use bytes::Bytes;
use rest_core::{Call, Pager};
use serde_json::Value;

use super::{App, Apps, path};
use crate::{
    Error, Id,
    json::{self, FromJson, Missing},
};

impl Apps<'_> {
    /// Returns the identity provider metadata of the app, with the key `kid`.
    ///
    /// The bytes are unchanged. Okta's `Content-Type` header names the wrong encoding; the XML
    /// declaration names the right encoding.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the key does not exist.
    pub async fn saml_metadata(&self, id: &Id<App>, kid: &str) -> Result<Bytes, Error> {
        let call = Call::get(path(id, &["sso", "saml", "metadata"]))
            .query("kid", kid)
            .accept("application/xml");
        Ok(self.client.request(call).await?.response.into_body())
    }

    /// Lists the signing keys of the app.
    pub fn keys(&self, id: &Id<App>) -> Pager<SigningKey, Error> {
        let path = path(id, &["credentials", "keys"]);
        self.client.list(move || Call::get(path.clone()))
    }

    /// Generates a new signing key with its own certificate.
    ///
    /// The app does not sign with the new key until it is selected with
    /// [`AppDocument::set_signing_kid`](crate::AppDocument::set_signing_kid). Keys cannot be
    /// deleted.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta rejects the number of
    /// years.
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

/// The public part of an app's signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningKey {
    /// The key id.
    pub kid: String,
    /// Time of the key's creation, in Okta's format.
    pub created: Option<String>,
    /// Expiry time of the certificate, in Okta's format.
    pub expires_at: Option<String>,
    /// The certificate chain, each certificate as Base64 of its DER.
    pub x5c: Vec<String>,
    /// The SHA-256 digest of the certificate, in unpadded URL-safe Base64.
    pub sha256: Option<String>,
}

impl FromJson for SigningKey {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            kid: json::string(&value, "/kid").ok_or(Missing("/kid"))?,
            created: json::string(&value, "/created"),
            expires_at: json::string(&value, "/expiresAt"),
            x5c: json::strings(&value, "/x5c"),
            sha256: json::string(&value, "/x5t#S256"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::SigningKey;
    use crate::json::{FromJson, Missing};

    #[test]
    fn a_key_is_decoded_with_its_certificate() {
        let key = SigningKey::from_json(json!({
            "kty": "RSA", "created": "2026-01-01T00:00:00.000Z", "lastUpdated": null,
            "expiresAt": "2036-01-01T00:00:00.000Z", "x5c": ["MIID"], "kid": "kid-1", "use": "sig",
            "e": "AQAB", "n": "x", "x5t#S256": "abc"
        }))
        .expect("a valid key");
        assert_eq!(key.expires_at.as_deref(), Some("2036-01-01T00:00:00.000Z"));
        assert_eq!(key.x5c, ["MIID"]);
        assert_eq!(key.sha256.as_deref(), Some("abc"));
        assert_eq!(
            SigningKey::from_json(json!({ "kid": null })),
            Err(Missing("/kid"))
        );
    }
}
