//! Step `organization`: the AWS organization meets the requirements of Identity Center.

use std::sync::Arc;

use aws_sso_glue::{AccountId, Aws, OrganizationDetails};
use futures::future::BoxFuture;

use super::{app_lists::Cached, estate::SHARED, ids};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, StepId, Subject},
    state::OrganizationFact,
    step::{Applied, Planned, Step},
};

/// The organization that meets all requirements. A run and its check use what the plan has read.
#[derive(Default)]
struct Ready(Cached<(), OrganizationFact>);

/// Checks that the organization has all features and that the credentials may act for it, and enables trusted access for
/// Identity Center.
///
/// The credentials may also be of a member account that has an account instance of Identity Center. Such an instance has users and
/// groups, so the steps for them go on.
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

    /// Reads the caller and the organization, and checks the requirements. Returns the organization, or `None` if the caller may
    /// use only the account instance of its own account.
    async fn preflight(&self, cx: &Context) -> Result<Option<OrganizationDetails>> {
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
        let save = |account_scoped: bool| {
            cx.update_facts(|facts| {
                facts.organization = Some(OrganizationFact {
                    id: organization.id.clone(),
                    management_account: organization.management_account.clone(),
                    caller: caller.account.clone(),
                    account_scoped,
                });
            });
        };
        if caller.account != organization.management_account
            && let Err(refused) = self.check_delegated(&caller.account, &organization).await
        {
            if !self.has_account_instance(&caller.account).await? {
                return Err(refused);
            }
            save(true);
            return Ok(None);
        }
        if !organization.all_features {
            return Err(Error::new(ErrorKind::UnusableSubject, format!("organization {} has only the consolidated billing features", organization.id)).with_help(
                "Identity Center needs all features: enable them in AWS Organizations > Settings (every invited account must approve), then run again",
            ));
        }
        save(false);
        Ok(Some(organization))
    }

    /// Fails if the account is not a delegated administrator of Identity Center.
    async fn check_delegated(
        &self,
        caller: &AccountId,
        organization: &OrganizationDetails,
    ) -> Result<()> {
        let delegated = self.aws.organizations().delegated_administrators(SERVICE);
        let delegated = delegated.try_collect().await.map_err(|error| {
            Error::service(
                "the delegated administrators of Identity Center could not be read",
                error,
            )
        })?;
        if delegated.contains(caller) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "account {caller} is neither the management account of organization {} ({}) nor a delegated administrator of Identity Center",
                organization.id, organization.management_account
            ),
        )
        .with_help("use credentials of the management account, or register this account as a delegated administrator of sso.amazonaws.com"))
    }

    /// Returns whether the account has an account instance of Identity Center.
    async fn has_account_instance(&self, caller: &AccountId) -> Result<bool> {
        let instances = self.aws.instances().try_collect().await.map_err(|error| {
            Error::service(
                "the instances of Identity Center could not be listed",
                error,
            )
        })?;
        Ok(instances.iter().any(|instance| instance.owner == *caller))
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
            let shared = cx.shared_reads::<Ready>();
            if let Some(organization) = shared.0.known(&(), cx, SHARED) {
                cx.update_facts(|facts| facts.organization = Some((*organization).clone()));
                return Ok(Planned::nothing());
            }
            // An account instance needs no trusted access.
            let Some(organization) = self.preflight(cx).await? else {
                return Ok(Planned::nothing());
            };
            if self.is_trusted().await? {
                if let Some(known) = cx.facts(|facts| facts.organization.clone()) {
                    shared.0.set((), cx, Arc::new(known));
                }
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
