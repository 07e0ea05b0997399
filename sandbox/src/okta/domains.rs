//! `/api/v1/domains`: custom domains, and the DNS records that verify them.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Org,
    admin::DEFAULT_BRAND,
    id_generator::hex_text,
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};
use crate::clock::after;

/// One custom domain.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) id: String,
    /// The name, in lower case.
    pub(crate) name: String,
    managed: bool,
    pub(crate) validation: Validation,
    /// The number of values that the TXT record has had so far.
    token_number: u32,
}

/// The verification status of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validation {
    NotStarted,
    /// The DNS records are correct. Okta obtains the certificate by the time `until`.
    InProgress {
        until: Timestamp,
    },
    Verified,
    Completed {
        since: Timestamp,
    },
    FailedToVerify,
}

/// One published DNS record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DnsRecord {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

impl DnsRecord {
    /// Creates a record with normalized name and value, as DNS compares them.
    pub(crate) fn new(kind: &str, name: &str, value: &str) -> Self {
        let normalize = |text: &str| text.trim_end_matches('.').to_lowercase();
        Self {
            kind: kind.to_uppercase(),
            name: normalize(name),
            value: normalize(value),
        }
    }
}

impl Domain {
    /// Returns whether Okta serves users on this domain.
    pub(super) fn is_in_use(&self) -> bool {
        matches!(self.validation, Validation::Completed { .. })
    }

    /// Returns the value of the TXT record: 32 hexadecimal digits that depend only on the domain name and the number.
    fn token(&self) -> String {
        hex_text(&format!("domain/{}/{}", self.name, self.token_number), 32)
    }

    fn records(&self, subdomain: &str) -> [DnsRecord; 2] {
        let verification_name = format!("_oktaverification.{}", self.name);
        let target = format!("{subdomain}.customdomains.okta.com");
        [
            DnsRecord::new("TXT", &verification_name, &self.token()),
            DnsRecord::new("CNAME", &self.name, &target),
        ]
    }

    /// Installs a certificate of the customer. Returns whether the status of the domain allows it.
    pub(crate) fn install_certificate(&mut self, now: Timestamp) -> bool {
        let is_verified = self.validation == Validation::Verified;
        if is_verified {
            self.managed = false;
            self.validation = Validation::Completed { since: now };
        }
        is_verified
    }

    fn complete_if_due(&mut self, now: Timestamp) {
        match self.validation {
            Validation::InProgress { until } if until <= now => {
                self.validation = Validation::Completed { since: until };
            }
            _ => {}
        }
    }

    pub(super) fn document(&self, subdomain: &str, host: &str) -> Value {
        let link = |below: &str| format!("http://{host}/api/v1/domains/{}{below}", self.id);
        let records: Vec<Value> = self
            .records(subdomain)
            .into_iter()
            .map(|record| json!({ "recordType": record.kind, "fqdn": record.name, "values": [record.value] }))
            .collect();
        let status = match self.validation {
            Validation::NotStarted => "NOT_STARTED",
            Validation::InProgress { .. } => "IN_PROGRESS",
            Validation::Verified => "VERIFIED",
            Validation::Completed { .. } => "COMPLETED",
            Validation::FailedToVerify => "FAILED_TO_VERIFY",
        };
        let mut document = json!({
            "id": self.id,
            "domain": self.name,
            "certificateSourceType": if self.managed { "OKTA_MANAGED" } else { "MANUAL" },
            "validationStatus": status,
            "brandId": DEFAULT_BRAND,
            "dnsRecords": records,
            "_links": {
                "self": { "href": link(""), "hints": { "allow": ["GET", "PUT", "DELETE"] } },
                "verify": { "href": link("/verify"), "hints": { "allow": ["POST"] } },
            },
        });
        if let Validation::Completed { since } = self.validation {
            document["publicCertificate"] = json!({
                "subject": format!("CN={}", self.name),
                "fingerprint": hex_text(&format!("certificate/{}", self.name), 64),
                "expiration": millis(after(since, SignedDuration::from_hours(90 * 24))),
            });
        }
        document
    }
}

impl Org {
    pub(super) fn domains_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => {
                // Unlike all other lists, this one is wrapped in an object and has no pages. It begins with the org's own
                // domain, and lacks the DNS records and the certificates (recorded with the Terraform provider).
                let own = json!({
                    "id": "default",
                    "domain": format!("{}.okta.com", self.subdomain),
                    "certificateSourceType": "OKTA_MANAGED",
                    "validationStatus": "COMPLETED",
                    "brandId": DEFAULT_BRAND,
                });
                let custom = self.domains.values().map(|domain| {
                    let mut document = domain.document(&self.subdomain, &call.host);
                    for detail in ["dnsRecords", "publicCertificate"] {
                        document
                            .as_object_mut()
                            .map(|members| members.remove(detail));
                    }
                    document
                });
                let domains: Vec<Value> = [own].into_iter().chain(custom).collect();
                Ok(Reply::ok(json!({ "domains": domains })))
            }
            (&Method::POST, []) => self.create_domain(call),
            (&Method::GET, [id]) => {
                let missing = || Refusal::not_found(id, "Domain");
                let domain = self.domains.get(*id).ok_or_else(missing)?;
                Ok(Reply::ok(domain.document(&self.subdomain, &call.host)))
            }
            (&Method::DELETE, [id]) => {
                let missing = || Refusal::not_found(id, "Domain");
                self.domains.remove(*id).ok_or_else(missing)?;
                Ok(Reply::no_content())
            }
            (&Method::PUT, [id]) => self.set_brand(call, id),
            (&Method::POST, [id, "verify"]) => self.verify_domain(call, id),
            (&Method::PUT, [id, "certificate"]) => self.put_certificate(call, id),
            (_, [] | [_] | [_, "verify" | "certificate"]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    /// Completes the domains whose certificate is due.
    pub(super) fn complete_due_domains(&mut self, now: Timestamp) {
        self.domains
            .values_mut()
            .for_each(|domain| domain.complete_if_due(now));
    }

    fn create_domain(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let body = call.json_object()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let name = text("domain").unwrap_or_default().to_lowercase();
        let managed = match text("certificateSourceType") {
            Some("OKTA_MANAGED") => true,
            Some("MANUAL") => false,
            _ => {
                return Err(Refusal::invalid(
                    "certificateSourceType",
                    "certificateSourceType: Not one of the allowed values.",
                ));
            }
        };
        check_name(&name)?;
        if self.domains.values().any(|domain| domain.name == name) {
            return Err(Refusal::invalid(
                "domain",
                "domain: The domain already exists",
            ));
        }
        if self.domains.len() >= MAX_DOMAINS {
            let summary = "The maximum number of custom domains is reached.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "E0000165", summary));
        }
        let domain = Domain {
            id: self.ids.id("OcD"),
            name,
            token_number: 0,
            managed,
            validation: Validation::NotStarted,
        };
        let document = domain.document(&self.subdomain, &call.host);
        self.domains.insert(domain.id.clone(), domain);
        // The reference documents 200, but the service answers 201.
        Ok(Reply::with_status(StatusCode::CREATED, document))
    }

    /// Selects the brand of a domain. The org has the default brand only, which every domain has already.
    fn set_brand(&self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        let missing = || Refusal::not_found(id, "Domain");
        let domain = self.domains.get(id).ok_or_else(missing)?;
        let body = call.json_object()?;
        match body.get("brandId").and_then(Value::as_str) {
            Some(DEFAULT_BRAND) => Ok(Reply::ok(domain.document(&self.subdomain, &call.host))),
            Some(brand) => Err(Refusal::not_found(brand, "Brand")),
            None => Err(Refusal::blank("brandId")),
        }
    }

    fn verify_domain(&mut self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        let missing = || Refusal::not_found(id, "Domain");
        let delay = self.certificate_delay;
        let domain = self.domains.get_mut(id).ok_or_else(missing)?;
        let records = domain.records(&self.subdomain);
        let verified = records.iter().all(|record| self.dns.contains(record));
        domain.validation = match (domain.validation, verified, domain.managed) {
            (status @ (Validation::Completed { .. } | Validation::InProgress { .. }), ..) => status,
            (_, false, _) => Validation::FailedToVerify,
            (_, true, true) => Validation::InProgress {
                until: after(call.now, delay),
            },
            (_, true, false) => Validation::Verified,
        };
        if domain.validation == Validation::FailedToVerify && self.behavior.new_dns_values {
            domain.token_number += 1;
        }
        domain.complete_if_due(call.now);
        Ok(Reply::ok(domain.document(&self.subdomain, &call.host)))
    }

    fn put_certificate(&mut self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        let missing = || Refusal::not_found(id, "Domain");
        let domain = self.domains.get_mut(id).ok_or_else(missing)?;
        let body = call.json_object()?;
        let required = ["type", "privateKey", "certificate", "certificateChain"];
        if let Some(field) = required.iter().find(|name| !body.contains_key(**name)) {
            return Err(Refusal::blank(field));
        }
        if !domain.install_certificate(call.now) {
            return Err(Refusal::forbidden_in_status("The domain is not verified"));
        }
        Ok(Reply::no_content())
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let is_valid_label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-')
    };
    // Okta rejects an apex domain and accepts only names below it.
    let is_subdomain = name.split('.').count() >= 3;
    if !is_subdomain || !name.split('.').all(is_valid_label) || name.starts_with("drapp.") {
        return Err(Refusal::invalid(
            "domain",
            "domain: The domain is not valid",
        ));
    }
    Ok(())
}

/// The limit of an org. Okta's support can raise it.
const MAX_DOMAINS: usize = 3;
