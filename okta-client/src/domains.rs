//! Custom domains of an org.

use rest_core::{Call, Idempotency, Pager, Secret};
use serde_json::json;

use crate::{
    Brand, Brands, Client, Error, Id, brands, client::join, json::resource, open_enum::open_enum,
};

/// Calls for custom domains.
#[derive(Debug, Clone, Copy)]
pub struct Domains<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for the org's custom domains.
    #[must_use]
    pub fn domains(&self) -> Domains<'_> {
        Domains { client: self }
    }
}

impl Domains<'_> {
    /// Lists the org's own domain, with the id `default`, and the custom domains. By default, an org has at most three of
    /// these. Okta returns them on one page, without their DNS records and certificates; [`get`](Self::get) has both.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # domain(&okta, CertificateSource::OktaManaged).await?;
    /// for domain in okta.domains().list().try_collect().await? {
    ///     println!("{}: {}", domain.name, domain.validation);
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading the page fails if the request fails.
    ///
    /// Scope: `okta.domains.read`.
    pub fn list(&self) -> Pager<Domain, Error> {
        self.client.list_in(Some("domains"), || Call::get(DOMAINS))
    }

    /// Returns a domain.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = domain(&okta, CertificateSource::OktaManaged).await?.id;
    /// let domain = okta.domains().get(&id).await?;
    /// assert_eq!(domain.validation, DomainValidation::NotStarted);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the domain does not exist.
    ///
    /// Scope: `okta.domains.read`.
    pub async fn get(&self, id: &Id<Domain>) -> Result<Domain, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Creates a domain. Publish its [`dns_records`](Domain::dns_records) next.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let new = NewDomain {
    ///     name: "login.example.com".to_owned(),
    ///     certificate: CertificateSource::OktaManaged,
    /// };
    /// let domain = okta.domains().create(&new).await?;
    /// for record in &domain.dns_records {
    ///     println!("{} {} {}", record.name, record.kind, record.values.join(" "));
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the domain already exists, or if the org has too many
    /// domains.
    ///
    /// Scope: `okta.domains.manage`.
    pub async fn create(&self, domain: &NewDomain) -> Result<Domain, Error> {
        let body = json!({
            "domain": domain.name,
            "certificateSourceType": domain.certificate.as_str(),
        });
        let reply = self.client.request(Call::post(DOMAINS).json(&body)).await?;
        if reply.is_empty() {
            // Okta has been observed to create a domain and answer with an empty body.
            let all = self.list().try_collect().await?;
            let is_created = |found: &Domain| found.name.eq_ignore_ascii_case(&domain.name);
            if let Some(found) = all.into_iter().find(is_created) {
                return self.get(&found.id).await;
            }
        }
        reply.read()
    }

    /// Makes Okta check the domain's DNS records now. Okta does not check them automatically.
    ///
    /// A domain with a certificate managed by Okta is ready when its validation is
    /// [`Completed`](DomainValidation::Completed). This may need several calls. Missing DNS records
    /// are not an error: they are reported in [`Domain::validation`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, sandbox| {
    /// # let domain = domain(&okta, CertificateSource::OktaManaged).await?;
    /// # publish(&sandbox, &domain);
    /// let domain = okta.domains().verify(&domain.id).await?;
    /// assert_eq!(domain.validation, DomainValidation::Completed);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.domains.manage`.
    pub async fn verify(&self, id: &Id<Domain>) -> Result<Domain, Error> {
        let call = Call::post(path(id, &["verify"])).with_idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }

    /// Uploads the certificate of a domain, and makes its source [`Manual`](CertificateSource::Manual). Okta cannot manage
    /// the certificate afterwards.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, sandbox| {
    /// # let domain = domain(&okta, CertificateSource::Manual).await?;
    /// # publish(&sandbox, &domain);
    /// # okta.domains().verify(&domain.id).await?;
    /// let certificate = DomainCertificate {
    ///     certificate: "-----BEGIN CERTIFICATE-----…".to_owned(),
    ///     chain: "-----BEGIN CERTIFICATE-----…".to_owned(),
    ///     private_key: Secret::new("-----BEGIN PRIVATE KEY-----…"),
    /// };
    /// okta.domains().upload_certificate(&domain.id, &certificate).await?;
    /// assert_eq!(okta.domains().get(&domain.id).await?.validation, DomainValidation::Completed);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the domain does not exist, or if Okta rejects the certificate.
    ///
    /// Scope: `okta.domains.manage`.
    pub async fn upload_certificate(
        &self,
        id: &Id<Domain>,
        certificate: &DomainCertificate,
    ) -> Result<(), Error> {
        let call = Call::put(path(id, &["certificate"])).json(&json!({
            "type": "PEM",
            "privateKey": certificate.private_key.expose(),
            "certificate": certificate.certificate,
            "certificateChain": certificate.chain,
        }));
        let mut result = self.client.send_discard(call).await;
        if let Err(error) = &mut result {
            error.redact(&certificate.private_key);
        }
        result
    }

    /// Selects the brand whose pages the domain shows.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let domain = domain(&okta, CertificateSource::OktaManaged).await?;
    /// let brand = okta.brands().list().try_next().await?.expect("the default brand");
    /// let domain = okta.domains().set_brand(&domain.id, &brand.id).await?;
    /// assert_eq!(domain.brand, Some(brand.id));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the domain or the brand does not exist.
    ///
    /// Scope: `okta.domains.manage`.
    pub async fn set_brand(&self, id: &Id<Domain>, brand: &Id<Brand>) -> Result<Domain, Error> {
        let call = Call::put(path(id, &[])).json(&json!({ "brandId": brand.as_str() }));
        self.client.read(call).await
    }

    /// Deletes a domain. URLs that used the domain use the org's own domain again.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let domain = domain(&okta, CertificateSource::OktaManaged).await?;
    /// okta.domains().delete(&domain.id).await?;
    /// let left = okta.domains().list().try_collect().await?;
    /// assert!(left.iter().all(|other| other.id != domain.id));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the domain does not exist.
    ///
    /// Scope: `okta.domains.manage`.
    pub async fn delete(&self, id: &Id<Domain>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &[])))
            .await
    }
}

impl Brands<'_> {
    /// Lists the domains of a brand. Okta returns them on one page.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # domain(&okta, CertificateSource::OktaManaged).await?;
    /// # let brand = okta.brands().list().try_collect().await?.remove(0);
    /// let domains = okta.brands().domains(&brand.id).try_collect().await?;
    /// assert_eq!(domains[0].name, "login.example.com");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading the page fails if the request fails or the brand does not exist.
    ///
    /// Scope: `okta.brands.read`.
    pub fn domains(&self, id: &Id<Brand>) -> Pager<Domain, Error> {
        let path = brands::path(id, &["domains"]);
        self.client
            .list_in(Some("domains"), move || Call::get(path.clone()))
    }
}

/// A certificate for [`Domains::upload_certificate`], each part as PEM.
///
/// Okta accepts RSA keys of 2048, 3072 and 4096 bits, and certificates that are not self-signed and valid for at most ten
/// years ("Customize domain and email address").
#[derive(Debug, Clone)]
pub struct DomainCertificate {
    /// The certificate.
    pub certificate: String,
    /// The certificates of the issuers.
    pub chain: String,
    /// The private key (PKCS #8).
    pub private_key: Secret,
}

/// A new custom domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDomain {
    /// The host name: a subdomain such as `login.example.com`, not the apex `example.com`.
    pub name: String,
    /// The source of the certificate.
    pub certificate: CertificateSource,
}

resource! {
    /// A custom domain.
    resource Domain {
        /// The id.
        pub id: Id<Domain> = "/id",
        /// The host name in lower case; empty only if Okta omitted it.
        pub name: String = "/domain",
        /// The source of the certificate.
        pub certificate_source: CertificateSource = "/certificateSourceType",
        /// The progress of the validation.
        pub validation: DomainValidation = "/validationStatus",
        /// The DNS records to publish; empty in a [list](Domains::list).
        pub dns_records: Vec<DnsRecord> = "/dnsRecords",
        /// Expiry time of the certificate in Okta's format, if there is a certificate.
        pub certificate_expires: Option<String> = "/publicCertificate/expiration",
        /// The brand whose pages the domain shows.
        pub brand: Option<Id<Brand>> = "/brandId",
    }
}

resource! {
    /// A DNS record that Okta requires.
    part DnsRecord {
        /// The type, such as `TXT` or `CNAME`.
        pub kind: String = "/recordType",
        /// The fully qualified name.
        pub name: String = "/fqdn",
        /// The values.
        pub values: Vec<String> = "/values",
    }
}

open_enum! {
    /// Source of a domain's certificate.
    CertificateSource {
        /// Okta obtains and renews the certificate.
        OktaManaged = "OKTA_MANAGED",
        /// An admin uploads the certificate.
        Manual = "MANUAL",
    }
}

open_enum! {
    /// Progress of a domain's validation.
    DomainValidation {
        /// Okta has not checked the DNS records yet.
        NotStarted = "NOT_STARTED",
        /// Okta is checking the DNS records or obtaining a certificate.
        InProgress = "IN_PROGRESS",
        /// The DNS records are verified; the certificate is missing.
        Verified = "VERIFIED",
        /// The domain is in use.
        Completed = "COMPLETED",
        /// The DNS records were not found. Okta's specification does not have this value.
        FailedToVerify = "FAILED_TO_VERIFY",
    }
}

fn path(id: &Id<Domain>, rest: &[&str]) -> Vec<String> {
    join(&[&DOMAINS, &[id.as_str()], rest])
}

const DOMAINS: [&str; 3] = ["api", "v1", "domains"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CertificateSource, Domain, DomainValidation};
    use crate::json::decode;

    #[test]
    fn a_domain_is_decoded_with_its_dns_records() {
        let domain = decode::<Domain>(json!({
            "id": "OcD1", "domain": "login.example.com",
            "certificateSourceType": "OKTA_MANAGED", "validationStatus": "FAILED_TO_VERIFY",
            "publicCertificate": null,
            "dnsRecords": [
                { "recordType": "TXT", "fqdn": "_oktaverification.login.example.com",
                  "values": ["0123"], "expiration": null },
                { "recordType": "CNAME", "fqdn": "login.example.com", "values": null }
            ]
        }))
        .expect("a valid domain");
        assert_eq!(domain.certificate_source, CertificateSource::OktaManaged);
        assert_eq!(domain.validation, DomainValidation::FailedToVerify);
        assert_eq!(domain.dns_records[0].values, ["0123"]);
        assert_eq!(domain.dns_records[1].kind, "CNAME");
        assert!(domain.dns_records[1].values.is_empty());
    }
}
