//! Step `organization`: the AWS organization meets the requirements of Identity Center.

use aws_sso_glue::{Aws, OrganizationDetails};
use futures::future::BoxFuture;

use super::ids;
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, StepId, Subject},
    state::OrganizationFact,
    step::{Applied, Planned, Step},
};

/// Checks that the organization has all features and that the credentials may act for it, and enables trusted access for
/// Identity Center.
#[derive(Clone, Debug)]
pub struct Organization {
    aws: Aws,
}

impl Organization {
    /// Creates the step for the organization of the credentials.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self { aws: aws.clone() }
    }

    /// Reads the caller and the organization, and checks the requirements.
    async fn preflight(&self, cx: &Context) -> Result<OrganizationDetails> {
        let caller =
            self.aws.caller().await.map_err(|error| {
                Error::service("the AWS credentials could not be verified", error)
            })?;
        let organization = self.aws.organizations().describe().await.map_err(|error| {
            Error::service(
                format!(
                    "the organization of account {} could not be read",
                    caller.account
                ),
                error,
            )
        })?;
        if !organization.all_features {
            return Err(Error::new(ErrorKind::UnusableSubject, format!("organization {} has only the consolidated billing features", organization.id)).with_help(
                "Identity Center needs all features: enable them in AWS Organizations > Settings (every invited account must approve), then run again",
            ));
        }
        if caller.account != organization.management_account {
            let delegated = self
                .aws
                .organizations()
                .delegated_administrators(SERVICE)
                .try_collect()
                .await
                .map_err(|error| {
                    Error::service(
                        "the delegated administrators of Identity Center could not be read",
                        error,
                    )
                })?;
            if !delegated.contains(&caller.account) {
                return Err(Error::new(
                    ErrorKind::UnusableSubject,
                    format!(
                        "account {} is neither the management account of organization {} ({}) nor a delegated administrator of Identity Center",
                        caller.account, organization.id, organization.management_account
                    ),
                )
                .with_help("use credentials of the management account, or register this account as a delegated administrator of sso.amazonaws.com"));
            }
        }
        cx.update_facts(|facts| {
            facts.organization = Some(OrganizationFact {
                id: organization.id.clone(),
                management_account: organization.management_account.clone(),
                caller: caller.account.clone(),
            });
        });
        Ok(organization)
    }

    async fn is_trusted(&self) -> Result<bool> {
        let trusted = self
            .aws
            .organizations()
            .trusted_services()
            .try_collect()
            .await
            .map_err(|error| {
                Error::service(
                    "the trusted services of the organization could not be read",
                    error,
                )
            })?;
        Ok(trusted.iter().any(|service| service == SERVICE))
    }
}

impl Step for Organization {
    fn id(&self) -> StepId {
        ids::ORGANIZATION
    }

    fn title(&self) -> String {
        "AWS organization".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::TrustedAccess]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let organization = self.preflight(cx).await?;
            if self.is_trusted().await? {
                return Ok(Planned::nothing());
            }
            let service = SERVICE.into();
            Ok(Planned::one(
                Change::new(Action::Create, Subject::TrustedAccess { service })
                    .with("organization", organization.id),
            ))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, _: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            self.aws
                .organizations()
                .enable_trusted_access(SERVICE)
                .await
                .map_err(|error| {
                    Error::service(
                        format!("AWS did not enable trusted access for {SERVICE}"),
                        error,
                    )
                })?;
            Ok(Applied::Done)
        })
    }
}

/// The service principal of Identity Center.
const SERVICE: &str = "sso.amazonaws.com";
