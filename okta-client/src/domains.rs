//! Custom domains of an org.

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Value, json};

use crate::{
    Client, Error, Id,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
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
    /// Lists the custom domains. By default, an org has at most three. Okta returns them on one
    /// page.
    pub fn list(&self) -> Pager<Domain, Error> {
        let client = self.client.clone();
        let call = || Call::get(DOMAINS);
        Pager::new(call().operation(), move |_| {
            let client = client.clone();
            Box::pin(async move { client.request(call()).await?.wrapped_page("domains") })
        })
    }

    /// Returns a domain.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the domain does not exist.
    pub async fn get(&self, id: &Id<Domain>) -> Result<Domain, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Creates a domain. Publish its [`dns_records`](Domain::dns_records) next.
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the domain already exists, or if the org has too many
    /// domains.
    pub async fn create(&self, domain: &NewDomain) -> Result<Domain, Error> {
        let body = json!({
            "domain": domain.name,
            "certificateSourceType": domain.certificate.as_str(),
        });
        let reply = self.client.request(Call::post(DOMAINS).json(&body)).await?;
        if reply.response.body().is_empty() {
            // Okta has been observed to create a domain and answer with an empty body.
            let all = self.list().try_collect().await?;
            let is_created = |found: &Domain| found.name.eq_ignore_ascii_case(&domain.name);
            if let Some(found) = all.into_iter().find(is_created) {
                return Ok(found);
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
    /// # Errors
    ///
    /// Fails if the request fails.
    pub async fn verify(&self, id: &Id<Domain>) -> Result<Domain, Error> {
        let call = Call::post(path(id, &["verify"])).with_idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }

    /// Deletes a domain. URLs that used the domain use the org's own domain again.
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the domain does not exist.
    pub async fn delete(&self, id: &Id<Domain>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &[])))
            .await
    }
}

/// A new custom domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDomain {
    /// The host name: a subdomain such as `login.example.com`, not the apex `example.com`.
    pub name: String,
    /// The source of the certificate.
    pub certificate: CertificateSource,
}

/// A custom domain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// The id.
    pub id: Id<Self>,
    /// The host name in lower case; empty only if Okta omitted it.
    pub name: String,
    /// The source of the certificate.
    pub certificate_source: CertificateSource,
    /// The progress of the validation.
    pub validation: DomainValidation,
    /// The DNS records to publish.
    pub dns_records: Vec<DnsRecord>,
    /// Expiry time of the certificate in Okta's format, if there is a certificate.
    pub certificate_expires: Option<String>,
}

impl FromJson for Domain {
    fn from_json(value: Value) -> Result<Self, Missing> {
        let records = value.get("dnsRecords").and_then(Value::as_array);
        Ok(Self {
            id: json::id(&value, "/id")?,
            name: json::string(&value, "/domain").unwrap_or_default(),
            certificate_source: json::open_enum(&value, "/certificateSourceType"),
            validation: json::open_enum(&value, "/validationStatus"),
            dns_records: records.into_iter().flatten().map(DnsRecord::read).collect(),
            certificate_expires: json::string(&value, "/publicCertificate/expiration"),
        })
    }
}

/// A DNS record that Okta requires.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsRecord {
    /// The type, such as `TXT` or `CNAME`.
    pub kind: String,
    /// The fully qualified name.
    pub name: String,
    /// The values.
    pub values: Vec<String>,
}

impl DnsRecord {
    fn read(value: &Value) -> Self {
        Self {
            kind: json::string(value, "/recordType").unwrap_or_default(),
            name: json::string(value, "/fqdn").unwrap_or_default(),
            values: json::strings(value, "/values"),
        }
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
    let all = DOMAINS
        .iter()
        .copied()
        .chain([id.as_str()])
        .chain(rest.iter().copied());
    all.map(String::from).collect()
}

const DOMAINS: [&str; 3] = ["api", "v1", "domains"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CertificateSource, Domain, DomainValidation};
    use crate::json::FromJson;

    #[test]
    fn a_domain_is_decoded_with_its_dns_records() {
        let domain = Domain::from_json(json!({
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
