//! Custom domains of the org.

use rest_core::{Call, Idempotency};
use serde_json::{Value, json};

use crate::{
    Client, Error, Id,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

/// The calls about custom domains.
#[derive(Debug, Clone, Copy)]
pub struct Domains<'a> {
    client: &'a Client,
}

impl<'a> Domains<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Returns every custom domain; there are few (three per org unless Okta grants more).
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails.
    pub async fn list(&self) -> Result<Vec<Domain>, Error> {
        let all: All = self.client.read(Call::get(DOMAINS)).await?;
        Ok(all.0)
    }

    /// Returns a domain.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such domain.
    pub async fn get(&self, id: &Id<Domain>) -> Result<Domain, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }

    /// Creates a domain; its [`dns_records`](Domain::dns_records) are to be published next.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if the domain exists, or if the org has too many.
    pub async fn create(&self, domain: &NewDomain) -> Result<Domain, Error> {
        let body = json!({
            "domain": domain.name,
            "certificateSourceType": domain.certificate.as_str(),
        });
        let reply = self.client.send(Call::post(DOMAINS).json(&body)).await?;
        if reply.answer.body().is_empty() {
            // Okta has been seen to create a domain without telling anything about it.
            let all = self.list().await?;
            let ours = |found: &Domain| found.name.eq_ignore_ascii_case(&domain.name);
            if let Some(found) = all.into_iter().find(ours) {
                return Ok(found);
            }
        }
        reply.read()
    }

    /// Has Okta look for the domain's DNS records now; it never looks by itself.
    ///
    /// A domain whose certificate Okta looks after is ready when it is
    /// [`Completed`](DomainValidation::Completed); this may take several calls.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails; records that are not found are no error but a validation of
    /// the domain.
    pub async fn verify(&self, id: &Id<Domain>) -> Result<Domain, Error> {
        let call = Call::post(path(id, &["verify"])).idempotency(Idempotency::Idempotent);
        self.client.read(call).await
    }

    /// Deletes a domain; what was issued under its name goes back to the org's own.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such domain.
    pub async fn delete(&self, id: &Id<Domain>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &[])))
            .await
    }
}

/// A domain to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDomain {
    /// The host name, such as `login.example.com`; not the bare `example.com`.
    pub name: String,
    /// Who looks after the certificate.
    pub certificate: CertificateSource,
}

/// A custom domain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// The id.
    pub id: Id<Self>,
    /// The host name in lower case; empty only if Okta left it out.
    pub name: String,
    /// Who looks after the certificate.
    pub certificate_source: CertificateSource,
    /// How far the domain is.
    pub validation: DomainValidation,
    /// What has to be published in DNS.
    pub dns_records: Vec<DnsRecord>,
    /// When the certificate ends, as Okta writes it, if there is one.
    pub certificate_expires: Option<String>,
}

impl FromJson for Domain {
    fn from_json(value: Value) -> Result<Self, Missing> {
        let records = value.get("dnsRecords").and_then(Value::as_array);
        Ok(Self {
            id: json::id(&value, "/id")?,
            name: json::text(&value, "/domain").unwrap_or_default(),
            certificate_source: json::word(&value, "/certificateSourceType"),
            validation: json::word(&value, "/validationStatus"),
            dns_records: records.into_iter().flatten().map(DnsRecord::read).collect(),
            certificate_expires: json::text(&value, "/publicCertificate/expiration"),
        })
    }
}

/// A record that Okta wants to see in DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsRecord {
    /// The type, such as `TXT` or `CNAME`.
    pub kind: String,
    /// The full name.
    pub name: String,
    /// The values.
    pub values: Vec<String>,
}

impl DnsRecord {
    fn read(value: &Value) -> Self {
        Self {
            kind: json::text(value, "/recordType").unwrap_or_default(),
            name: json::text(value, "/fqdn").unwrap_or_default(),
            values: json::texts(value, "/values"),
        }
    }
}

open_enum! {
    /// Who looks after the certificate of a domain.
    CertificateSource {
        /// Okta gets one and renews it.
        OktaManaged = "OKTA_MANAGED",
        /// It is uploaded by hand.
        Manual = "MANUAL",
    }
}

open_enum! {
    /// How far a domain is.
    DomainValidation {
        /// Okta has not looked at DNS yet.
        NotStarted = "NOT_STARTED",
        /// Okta is looking at DNS, or getting a certificate.
        InProgress = "IN_PROGRESS",
        /// The domain is the org's; the certificate is missing.
        Verified = "VERIFIED",
        /// The domain is in use.
        Completed = "COMPLETED",
        /// The DNS records were not found. Okta's specification does not have this value.
        FailedToVerify = "FAILED_TO_VERIFY",
    }
}

/// The list of domains, which is not paged and wrapped in an object.
struct All(Vec<Domain>);

impl FromJson for All {
    fn from_json(mut value: Value) -> Result<Self, Missing> {
        let Some(Value::Array(list)) = value.get_mut("domains").map(Value::take) else {
            return Err(Missing("/domains"));
        };
        list.into_iter()
            .map(Domain::from_json)
            .collect::<Result<_, _>>()
            .map(Self)
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
    fn a_domain_is_read_with_its_records() {
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
        .expect("a domain");
        assert_eq!(domain.certificate_source, CertificateSource::OktaManaged);
        assert_eq!(domain.validation, DomainValidation::FailedToVerify);
        assert_eq!(domain.dns_records[0].values, ["0123"]);
        assert_eq!(domain.dns_records[1].kind, "CNAME");
        assert!(domain.dns_records[1].values.is_empty());
    }
}
