//! Step `custom-domain`: makes the Okta org reachable under a host name of the customer.

use futures::future::BoxFuture;
use okta_client::{CertificateSource, Client as Okta, Domain, DomainValidation, NewDomain};

use super::{ids, lookup};
use crate::{
    context::Context,
    error::{Error, Result},
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, StepId, Subject, Value},
    step::{Applied, Planned, Step, unknown_change},
};

/// Sets up a custom domain of the Okta org, with a certificate that Okta manages.
#[derive(Clone, Debug)]
pub struct CustomDomain {
    okta: Okta,
    name: String,
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

    async fn find(&self) -> Result<Option<Domain>> {
        let all = self
            .okta
            .domains()
            .list()
            .try_collect()
            .await
            .map_err(|error| {
                Error::service("the custom domains could not be read from Okta", error)
            })?;
        Ok(all.into_iter().find(|domain| domain.name == self.name))
    }

    async fn require(&self) -> Result<Domain> {
        self.find().await?.ok_or_else(|| {
            lookup::missing_prerequisite(
                &format!("custom domain {}", self.name),
                &ids::CUSTOM_DOMAIN,
            )
        })
    }

    /// Asks Okta to check the DNS records. Okta checks them only on request.
    async fn verify_domain(&self, domain: &Domain) -> Result<Domain> {
        self.okta
            .domains()
            .verify(&domain.id)
            .await
            .map_err(|error| {
                Error::service(
                    format!("Okta did not verify the custom domain {}", self.name),
                    error,
                )
            })
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
        let records = domain.map(|domain| {
            let lines = domain.dns_records.iter().map(|record| {
                format!(
                    "{} {} {}",
                    record.kind,
                    record.name,
                    record.values.join(" ")
                )
            });
            lines.collect::<Vec<_>>().join("; ")
        });
        self.change(Action::ManualStep)
            .with_value("DNS records", Value::known_or_after(records, &self.id()))
    }

    /// Returns the change that has Okta verify the DNS records. It is no wait, because each look of Okta at the records is a
    /// request that writes.
    fn verify_change(&self) -> Change {
        self.change(Action::Update)
            .with("validationStatus", DomainValidation::Completed.to_string())
    }
}

impl Step for CustomDomain {
    fn id(&self) -> StepId {
        ids::CUSTOM_DOMAIN
    }

    fn title(&self) -> String {
        format!("Okta custom domain {}", self.name)
    }

    fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let domain = self.find().await?;
            Ok(Planned::changes(match &domain {
                None => vec![
                    self.create_change(),
                    self.dns_records_change(None),
                    self.verify_change(),
                ],
                Some(found) => match found.validation {
                    DomainValidation::Completed => Vec::new(),
                    DomainValidation::NotStarted | DomainValidation::FailedToVerify => {
                        vec![
                            self.dns_records_change(domain.as_ref()),
                            self.verify_change(),
                        ]
                    }
                    _ => vec![self.verify_change()],
                },
            }))
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            match change.action {
                Action::Create => {
                    if self.find().await?.is_none() {
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
                Action::ManualStep => {
                    let mut domain = self.require().await?;
                    let is_open = |domain: &Domain| {
                        matches!(
                            domain.validation,
                            DomainValidation::NotStarted | DomainValidation::FailedToVerify
                        )
                    };
                    if is_open(&domain) {
                        // The operator may have published the DNS records already. Okta checks them only on request.
                        domain = self.verify_domain(&domain).await?;
                    }
                    if !is_open(&domain) {
                        return Ok(Applied::Done);
                    }
                    let mut manual_step = ManualStep::new(ManualStepKind::DnsRecords, format!("Publish the DNS records of {}", self.name), "the DNS provider of the domain")
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
                    cx.manual_step(manual_step, async |_| Ok(Applied::Done))
                        .await
                }
                Action::Update => {
                    let domain = self.require().await?;
                    let verified = self.verify_domain(&domain).await?;
                    Ok(match verified.validation {
                        DomainValidation::Completed => Applied::Done,
                        other => Applied::waiting(format!(
                            "Okta to verify the DNS records of {} and to install its certificate (status: {other})",
                            self.name
                        )),
                    })
                }
                _ => Err(unknown_change(&self.id(), change)),
            }
        })
    }
}
