//! Step `custom-domain`: makes the Okta org reachable under a host name of the customer.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use okta_client::{CertificateSource, Client as Okta, Domain, DomainValidation, Id, NewDomain};

use super::{ids, lookup};
use crate::{
    batch::Waiting,
    context::Context,
    error::{Error, ErrorKind, Result},
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, StepId, Subject, Value},
    step::{Applied, Planned, Step, unknown_change},
};

/// Sets up a custom domain of the Okta org, with a certificate that Okta manages. An existing domain keeps the source of its
/// certificate.
///
/// Okta looks at the DNS records only on request, and each request writes: it changes the status, and after a look that
/// failed, Okta may require another TXT value. The step requests a look when the operator has published the records, and
/// again every five minutes while Okta has not found them or has no certificate yet. All other polls only read.
#[derive(Clone, Debug)]
pub struct CustomDomain {
    okta: Okta,
    name: String,
}

/// The knowledge of one run about the domain.
#[derive(Default)]
struct Looks(Mutex<Looked>);

#[derive(Default)]
struct Looked {
    /// The id of the domain.
    id: Option<Id<Domain>>,
    /// The elapsed time of the clock at the last look that was requested.
    last: Option<Duration>,
    /// The records that the operator says are published.
    published: Option<Vec<String>>,
}

impl Looks {
    fn lock(&self) -> MutexGuard<'_, Looked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CustomDomain {
    /// Creates the step for a host name, such as `login.example.com`.
    #[must_use]
    pub fn new(okta: &Okta, name: &str) -> Self {
        // Okta returns domain names in lower case, and `find` compares them with this name.
        Self {
            okta: okta.clone(),
            name: name.to_ascii_lowercase(),
        }
    }

    /// Reads the domain. The list of domains has no DNS records, so it only gives the id, once in a run.
    async fn find(&self, cx: &Context) -> Result<Option<Domain>> {
        let looks = cx.run_memory::<Looks>();
        let known = looks.lock().id.clone();
        if let Some(id) = known
            && let Some(domain) = self.get(&id).await?
        {
            return Ok(Some(domain));
        }
        let all = self.okta.domains().list().try_collect().await;
        let mut all = all.map_err(|error| self.unreadable(error))?.into_iter();
        let Some(listed) = all.find(|domain| domain.name == self.name) else {
            return Ok(None);
        };
        let domain = self.get(&listed.id).await?;
        looks.lock().id = Some(listed.id);
        Ok(domain)
    }

    async fn get(&self, id: &Id<Domain>) -> Result<Option<Domain>> {
        match self.okta.domains().get(id).await {
            Err(error) if error.is_not_found() => Ok(None),
            domain => domain.map(Some).map_err(|error| self.unreadable(error)),
        }
    }

    fn unreadable(&self, error: impl Into<okta_client::Error>) -> Error {
        let what = format!(
            "the custom domain {} could not be read from Okta",
            self.name
        );
        Error::service(what, error.into())
    }

    async fn require(&self, cx: &Context) -> Result<Domain> {
        self.find(cx).await?.ok_or_else(|| {
            lookup::missing_prerequisite(
                &format!("custom domain {}", self.name),
                &ids::CUSTOM_DOMAIN,
            )
        })
    }

    /// Requests Okta's look at the DNS records, unless the last one is less than five minutes ago. Okta then also obtains
    /// the certificate that it manages.
    async fn look(&self, domain: Domain, cx: &Context) -> Result<Domain> {
        let looks = cx.run_memory::<Looks>();
        let now = cx.clock().elapsed();
        let last = looks.lock().last;
        if last.is_some_and(|last| now.saturating_sub(last) < LOOK_INTERVAL) {
            return Ok(domain);
        }
        let looked = self.okta.domains().verify(&domain.id).await;
        let looked = looked.map_err(|error| {
            Error::service(
                format!("Okta did not verify the custom domain {}", self.name),
                error,
            )
        })?;
        looks.lock().last = Some(now);
        Ok(looked)
    }

    /// Asks the operator to publish the DNS records of the domain, and allows the next look at once.
    async fn publish(&self, domain: &Domain, warning: Option<&str>, cx: &Context) -> Result<()> {
        let records = record_lines(domain);
        let mut manual_step = ManualStep::new(
            ManualStepKind::DnsRecords,
            format!("Publish the DNS records of {}", self.name),
            "the DNS provider of the domain",
        )
        .instructions([
            "Create these records.",
            "If the domain has CAA records, allow letsencrypt.org, which issues Okta's certificate.",
        ]);
        for record in &domain.dns_records {
            manual_step = manual_step.value(
                &format!("{} {}", record.kind, record.name),
                record.values.join(" "),
            );
        }
        if let Some(warning) = warning {
            manual_step = manual_step.warning(warning);
        }
        // A run without an operator stops here. The next run has Okta look for the records first.
        cx.remember(&ids::CUSTOM_DOMAIN, &records)?;
        cx.manual_step(manual_step, async |_| Ok(())).await?;
        let looks = cx.run_memory::<Looks>();
        let mut looked = looks.lock();
        looked.published = Some(records);
        looked.last = None;
        Ok(())
    }

    /// Has the operator upload a certificate of the customer, because the API needs its private key.
    async fn upload_certificate(&self, cx: &Context) -> Result<Applied> {
        if self.require(cx).await?.validation == DomainValidation::Completed {
            return Ok(Applied::Done);
        }
        let manual_step = ManualStep::new(
            ManualStepKind::DomainCertificate,
            format!("Upload the certificate of {}", self.name),
            "Okta Admin Console > Customizations > Brands > Domains",
        )
        .warning("Okta does not manage the certificate of this domain: it waits for an upload.")
        .instructions([
            "Open the domain, and choose to upload a certificate.",
            "Enter the certificate, its private key and its chain as PEM (RSA with 2048, 3072 or 4096 bits, SHA-256, not self-signed, at most 10 years).",
        ])
        .value("domain", &self.name);
        cx.manual_step(manual_step, async |_| {
            match self.require(cx).await?.validation {
                DomainValidation::Completed => Ok(Applied::Done),
                other => Err(Error::new(
                    ErrorKind::InvalidAnswer,
                    format!("the custom domain {} still has no certificate (status: {other})", self.name),
                )
                .with_help("upload the certificate in the Admin Console, or with PUT /api/v1/domains/ID/certificate")),
            }
        })
        .await
    }

    /// Has Okta verify the domain, until its validation has the status of the change.
    async fn verify_domain(&self, cx: &Context) -> Result<Applied> {
        let mut domain = self.require(cx).await?;
        if is_open(&domain) || is_obtaining(&domain) {
            domain = self.look(domain, cx).await?;
        }
        let records = record_lines(&domain);
        let published = cx.run_memory::<Looks>().lock().published.clone();
        if is_open(&domain) && published.as_ref() != Some(&records) {
            let shown = published.or(cx.memory(&ids::CUSTOM_DOMAIN)?);
            let warning = if shown.is_some_and(|shown| shown != records) {
                "Okta requires other values than before."
            } else {
                "Okta has not found these records."
            };
            self.publish(&domain, Some(warning), cx).await?;
            domain = self.look(domain, cx).await?;
        }
        if domain.validation == target(&domain) || domain.validation == DomainValidation::Completed
        {
            return Ok(Applied::Done);
        }
        let status = &domain.validation;
        Ok(Applied::Waiting(if is_open(&domain) {
            Waiting {
                on: format!(
                    "the DNS records of {} to be visible to Okta (status: {status})",
                    self.name
                ),
                missing: record_lines(&domain),
            }
        } else {
            Waiting {
                on: format!(
                    "Okta to install the certificate of {} (status: {status})",
                    self.name
                ),
                missing: Vec::new(),
            }
        }))
    }

    fn change(&self, action: Action) -> Change {
        let name = (&self.name).into();
        Change::new(action, Subject::CustomDomain { name })
    }

    fn create_change(&self) -> Change {
        self.change(Action::Create)
            .with("certificateSourceType", "OKTA_MANAGED")
    }

    /// Returns the manual step for the DNS records. The records are known only if the domain exists.
    fn dns_records_change(&self, domain: Option<&Domain>) -> Change {
        let records = domain.map(|domain| record_lines(domain).join("; "));
        self.change(Action::ManualStep)
            .with_value("DNS records", Value::known_or_after(records, &self.id()))
    }

    /// Returns the change that has Okta verify the DNS records. It is no wait, because each look of Okta at the records is a
    /// request that writes.
    fn verify_change(&self, status: &DomainValidation) -> Change {
        self.change(Action::Update)
            .with("validationStatus", status.to_string())
    }

    /// Returns the manual step for the certificate of a domain whose certificate Okta does not manage.
    fn certificate_change(&self) -> Change {
        let domain = (&self.name).into();
        Change::new(Action::ManualStep, Subject::DomainCertificate { domain })
            .with("certificateSourceType", "MANUAL")
    }
}

/// Returns the DNS records of a domain, one line each.
fn record_lines(domain: &Domain) -> Vec<String> {
    let lines = domain.dns_records.iter();
    lines
        .map(|record| {
            format!(
                "{} {} {}",
                record.kind,
                record.name,
                record.values.join(" ")
            )
        })
        .collect()
}

/// Returns whether Okta has not found the DNS records of the domain.
fn is_open(domain: &Domain) -> bool {
    matches!(
        domain.validation,
        DomainValidation::NotStarted | DomainValidation::FailedToVerify
    )
}

/// Returns whether Okta has found the DNS records, and another look can bring the certificate.
fn is_obtaining(domain: &Domain) -> bool {
    domain.validation != DomainValidation::Completed && domain.validation != target(domain)
}

/// Returns the status that Okta's looks can lead to. Without a managed certificate, an operator must upload one.
fn target(domain: &Domain) -> DomainValidation {
    match domain.certificate_source {
        CertificateSource::Manual => DomainValidation::Verified,
        _ => DomainValidation::Completed,
    }
}

impl Step for CustomDomain {
    fn id(&self) -> StepId {
        ids::CUSTOM_DOMAIN
    }

    fn title(&self) -> String {
        format!("Okta custom domain {}", self.name)
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let Some(domain) = self.find(cx).await? else {
                return Ok(Planned::changes(vec![
                    self.create_change(),
                    self.dns_records_change(None),
                    self.verify_change(&DomainValidation::Completed),
                ]));
            };
            let mut changes = Vec::new();
            if domain.validation == DomainValidation::Completed {
                return Ok(Planned::nothing());
            }
            let target = target(&domain);
            if is_open(&domain) {
                changes.push(self.dns_records_change(Some(&domain)));
            }
            if domain.validation != target {
                changes.push(self.verify_change(&target));
            }
            if target == DomainValidation::Verified {
                changes.push(self.certificate_change());
            }
            Ok(Planned::changes(changes))
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            match (change.action, &change.subject) {
                (Action::Create, _) => {
                    if self.find(cx).await?.is_none() {
                        let new = NewDomain {
                            name: self.name.clone(),
                            certificate: CertificateSource::OktaManaged,
                        };
                        self.okta.domains().create(&new).await.map_err(|error| {
                            Error::service(
                                format!("Okta did not create the custom domain {}", self.name),
                                error,
                            )
                        })?;
                    }
                    Ok(Applied::Done)
                }
                (Action::ManualStep, Subject::DomainCertificate { .. }) => {
                    self.upload_certificate(cx).await
                }
                (Action::ManualStep, _) => {
                    let domain = self.require(cx).await?;
                    let shown = cx.memory::<Vec<String>>(&ids::CUSTOM_DOMAIN)?;
                    // An earlier run has shown the records. The verification finds out whether they are published.
                    if is_open(&domain) && shown.as_ref() != Some(&record_lines(&domain)) {
                        self.publish(&domain, None, cx).await?;
                    }
                    Ok(Applied::Done)
                }
                (Action::Update, _) => self.verify_domain(cx).await,
                _ => Err(unknown_change(&self.id(), change)),
            }
        })
    }
}

/// The pause between two looks at the DNS records that are requested from Okta, which documents none. Resolvers cache for
/// minutes that a name does not exist (RFC 2308), so that an earlier look would find what the last one has found.
const LOOK_INTERVAL: Duration = Duration::from_mins(5);
