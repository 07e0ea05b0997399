//! SAML metadata and signing keys of apps.

use bytes::Bytes;
use rest_core::{Call, Pager};

use super::{App, Apps, path};
use crate::{Error, Id, json::resource};

impl Apps<'_> {
    /// Returns the identity provider metadata of the app, with the key `kid`.
    ///
    /// The bytes are unchanged. Okta's `Content-Type` header names the wrong encoding; the XML
    /// declaration names the right encoding.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let key = okta.apps().keys(&app).try_next().await?.expect("a key");
    /// let metadata = okta.apps().saml_metadata(&app, &key.kid).await?;
    /// assert!(metadata.starts_with(b"<?xml"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app or the key does not exist, or if the response is not SAML metadata, such as the
    /// sign-in page of a proxy.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn saml_metadata(&self, id: &Id<App>, kid: &Id<SigningKey>) -> Result<Bytes, Error> {
        let call = Call::get(path(id, &["sso", "saml", "metadata"]))
            .query("kid", kid.as_str())
            .accept("application/xml");
        self.client.request(call).await?.metadata()
    }

    /// Lists the signing keys of the app. Okta returns them on one page.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// for key in okta.apps().keys(&app).try_collect().await? {
    ///     println!("{} expires {:?}", key.kid, key.expires_at);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading the page fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub fn keys(&self, id: &Id<App>) -> Pager<SigningKey, Error> {
        let path = path(id, &KEYS);
        self.client.list(move || Call::get(path.clone()))
    }

    /// Returns a signing key of the app.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = okta.apps().get(&aws(&okta).await?).await?;
    /// let kid = app.signing_kid().expect("a SAML app has a key");
    /// let key = okta.apps().key(app.id(), kid).await?;
    /// assert_eq!(key.x5c.len(), 1);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the key does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn key(&self, id: &Id<App>, kid: &Id<SigningKey>) -> Result<SigningKey, Error> {
        let [credentials, keys] = KEYS;
        self.client
            .read(Call::get(path(id, &[credentials, keys, kid.as_str()])))
            .await
    }

    /// Generates a new signing key with its own certificate, valid for `validity_years` (Okta accepts 2 to 10).
    ///
    /// The app does not sign with the new key until it is selected with
    /// [`Edit::set_signing_kid`](crate::Edit::set_signing_kid). Keys cannot be
    /// deleted.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let key = okta.apps().generate_key(&app, 3).await?;
    /// let mut edit = okta.apps().get(&app).await?.edit();
    /// edit.set_signing_kid(&key.kid);
    /// let app = okta.apps().replace(&app, &edit).await?;
    /// assert_eq!(app.signing_kid(), Some(&key.kid));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta rejects the number of
    /// years.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn generate_key(
        &self,
        id: &Id<App>,
        validity_years: u8,
    ) -> Result<SigningKey, Error> {
        let call = Call::post(path(id, &["credentials", "keys", "generate"]))
            .query("validityYears", validity_years.to_string());
        self.client.read(call).await
    }

    /// Copies a signing key of the app to another app. Okta does not recommend that apps share a certificate.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let other = okta.apps().by_label("AWS Account Federation").await?[0].id().clone();
    /// let key = okta.apps().generate_key(&app, 3).await?;
    /// let copy = okta.apps().clone_key(&app, &key.kid, &other).await?;
    /// assert_eq!(copy.x5c, key.x5c);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if an app or the key does not exist, or if the other app has the key already.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn clone_key(
        &self,
        id: &Id<App>,
        kid: &Id<SigningKey>,
        target: &Id<App>,
    ) -> Result<SigningKey, Error> {
        let call = Call::post(path(id, &["credentials", "keys", kid.as_str(), "clone"]))
            .query("targetAid", target.as_str());
        self.client.read(call).await
    }
}

resource! {
    /// The public part of an app's signing key.
    resource SigningKey {
        /// The key id.
        pub kid: Id<SigningKey> = "/kid",
        /// Time of the key's creation, in Okta's format.
        pub created: Option<String> = "/created",
        /// Expiry time of the certificate, in Okta's format.
        pub expires_at: Option<String> = "/expiresAt",
        /// The certificate chain, each certificate as Base64 of its DER.
        pub x5c: Vec<String> = "/x5c",
        /// The SHA-256 digest of the certificate, in unpadded URL-safe Base64.
        pub sha256: Option<String> = "/x5t#S256",
    }
}

const KEYS: [&str; 2] = ["credentials", "keys"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::SigningKey;
    use crate::json::{Missing, decode};

    #[test]
    fn a_key_is_decoded_with_its_certificate() {
        let key = decode::<SigningKey>(json!({
            "kty": "RSA", "created": "2026-01-01T00:00:00.000Z", "lastUpdated": null,
            "expiresAt": "2036-01-01T00:00:00.000Z", "x5c": ["MIID"], "kid": "kid-1", "use": "sig",
            "e": "AQAB", "n": "x", "x5t#S256": "abc"
        }))
        .expect("a valid key");
        assert_eq!(key.expires_at.as_deref(), Some("2036-01-01T00:00:00.000Z"));
        assert_eq!(key.x5c, ["MIID"]);
        assert_eq!(key.sha256.as_deref(), Some("abc"));
        assert_eq!(
            decode::<SigningKey>(json!({ "kid": null })),
            Err(Missing("/kid"))
        );
    }
}
