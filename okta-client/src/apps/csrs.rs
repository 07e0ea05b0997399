//! Certificate signing requests for an app's signing keys.

use bytes::Bytes;
use rest_core::{Call, Pager};
use serde_json::{Value, json};

use super::{App, Apps, SigningKey, path};
use crate::{Error, Id, json::resource};

impl Apps<'_> {
    /// Lists the certificate signing requests of the app that have no certificate yet. Okta returns them on one page.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # okta.apps().create_csr(&app, &CsrSubject::default()).await?;
    /// let mut waiting = okta.apps().csrs(&app);
    /// while let Some(csr) = waiting.try_next().await? {
    ///     println!("created {:?}, no certificate yet", csr.created);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading the page fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub fn csrs(&self, id: &Id<App>) -> Pager<Csr, Error> {
        let path = csr_path(id, &[]);
        self.client.list(move || Call::get(path.clone()))
    }

    /// Creates a key pair at Okta, and a certificate signing request for it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let subject = CsrSubject {
    ///     common_name: Some("saml.example.com".to_owned()),
    ///     ..CsrSubject::default()
    /// };
    /// let csr = okta.apps().create_csr(&app, &subject).await?;
    /// println!("to be signed by a certification authority: {}", csr.csr);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta rejects the subject.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn create_csr(&self, id: &Id<App>, subject: &CsrSubject) -> Result<Csr, Error> {
        let call = Call::post(csr_path(id, &[])).json(&subject.body());
        self.client.read(call).await
    }

    /// Returns a certificate signing request.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let id = okta.apps().create_csr(&app, &CsrSubject::default()).await?.id;
    /// let csr = okta.apps().csr(&app, &id).await?;
    /// assert_eq!(csr.key_type.as_deref(), Some("RSA"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the request for a certificate does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn csr(&self, id: &Id<App>, csr: &Id<Csr>) -> Result<Csr, Error> {
        self.client
            .read(Call::get(csr_path(id, &[csr.as_str()])))
            .await
    }

    /// Uploads the certificate (X.509, DER) for a certificate signing request. The request is then a signing key.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, sandbox| {
    /// # let app = aws(&okta).await?;
    /// # let csr = okta.apps().create_csr(&app, &CsrSubject::default()).await?;
    /// # let certificate = sandbox.issue_certificate(&csr.csr);
    /// let key = okta.apps().publish_csr(&app, &csr.id, certificate).await?;
    /// let mut edit = okta.apps().get(&app).await?.edit();
    /// edit.set_signing_kid(&key.kid);
    /// okta.apps().replace(&app, &edit).await?;
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the certificate does not match, or if it is valid for less than 90 days
    /// (`E0000001`).
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn publish_csr(
        &self,
        id: &Id<App>,
        csr: &Id<Csr>,
        certificate: impl Into<Bytes>,
    ) -> Result<SigningKey, Error> {
        let call = Call::post(csr_path(id, &[csr.as_str(), "lifecycle", "publish"]))
            .body("application/pkix-cert", certificate);
        self.client.read(call).await
    }

    /// Deletes a certificate signing request and its key pair.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let csr = okta.apps().create_csr(&app, &CsrSubject::default()).await?;
    /// okta.apps().revoke_csr(&app, &csr.id).await?;
    /// assert!(okta.apps().csrs(&app).try_collect().await?.is_empty());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the request for a certificate does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn revoke_csr(&self, id: &Id<App>, csr: &Id<Csr>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(csr_path(id, &[csr.as_str()])))
            .await
    }
}

resource! {
    /// A certificate signing request.
    resource Csr {
        /// The id.
        pub id: Id<Csr> = "/id",
        /// Time of the creation, in Okta's format.
        pub created: Option<String> = "/created",
        /// The request (PKCS #10) as Base64 of its DER.
        pub csr: String = "/csr",
        /// The type of the key, such as `RSA`.
        pub key_type: Option<String> = "/kty",
    }
}

/// The subject of a certificate. Fields may be added: end with `..CsrSubject::default()`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CsrSubject {
    /// The common name, such as `saml.example.com`.
    pub common_name: Option<String>,
    /// The country as two letters.
    pub country: Option<String>,
    /// The state or province.
    pub state: Option<String>,
    /// The city.
    pub locality: Option<String>,
    /// The legal name of the organization.
    pub organization: Option<String>,
    /// The unit of the organization.
    pub organizational_unit: Option<String>,
    /// The DNS names (subject alternative names).
    pub dns_names: Vec<String>,
}

impl CsrSubject {
    fn body(&self) -> Value {
        let fields = [
            ("commonName", &self.common_name),
            ("countryName", &self.country),
            ("stateOrProvinceName", &self.state),
            ("localityName", &self.locality),
            ("organizationName", &self.organization),
            ("organizationalUnitName", &self.organizational_unit),
        ];
        let set = |(name, value): (&str, &Option<String>)| {
            Some((name.to_owned(), Value::from(value.clone()?)))
        };
        let subject: Value = fields.into_iter().filter_map(set).collect();
        let mut body = json!({ "subject": subject });
        if !self.dns_names.is_empty() {
            body["subjectAltNames"] = json!({ "dnsNames": self.dns_names });
        }
        body
    }
}

fn csr_path(id: &Id<App>, rest: &[&str]) -> Vec<String> {
    let mut path = path(id, &["credentials", "csrs"]);
    path.extend(rest.iter().copied().map(String::from));
    path
}
