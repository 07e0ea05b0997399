//! Step `identity-center`: the organization has an Identity Center instance with permission sets.

use std::sync::Arc;

use aws_sso_glue::{Aws, Instance, InstanceStatus, Partition};
use futures::future::BoxFuture;

use super::{app_lists::Cached, caller, estate::SHARED, ids, lookup};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, Kind, StepId, Subject},
    state::InstanceFact,
    step::{Applied, Planned, Step, unknown_change},
};

/// The active instance with permission sets. A run and its check use what the plan has read.
#[derive(Default)]
struct Ready(Cached<(), Instance>);

/// Finds the organization's Identity Center instance in any Region, or has the operator enable one, and enables
/// permission sets.
///
/// For credentials of a member account that may not act for the organization, it finds the account instance of this account. Such an
/// instance has users and groups, and cannot have permission sets.
#[derive(Clone, Debug)]
pub struct IdentityCenterInstance {
    aws: Aws,
    region: Option<String>,
}

impl IdentityCenterInstance {
    /// Creates the step. If the organization has no instance, one is enabled in this Region (default: the Region of the AWS
    /// client).
    #[must_use]
    pub fn new(aws: &Aws, region: Option<&str>) -> Self {
        Self {
            aws: aws.clone(),
            region: region.map(ToOwned::to_owned),
        }
    }

    fn region(&self) -> &str {
        self.region.as_deref().unwrap_or_else(|| self.aws.region())
    }

    /// Returns the organization's instance, or the account instance of a caller that may use only this one.
    async fn find(&self, cx: &Context) -> Result<Option<Instance>> {
        let all = self.aws.instances().try_collect().await.map_err(|error| {
            Error::service(
                "the instances of Identity Center could not be listed",
                error,
            )
        })?;
        let owner = cx.facts(|facts| {
            let known = facts.organization.as_ref()?;
            let owner = if known.account_scoped {
                &known.caller
            } else {
                &known.management_account
            };
            Some(owner.clone())
        });
        let is_usable = |instance: &Instance| {
            let owner = owner.as_ref();
            owner.is_none_or(|owner| instance.owner == *owner)
        };
        let mut found: Vec<Instance> = all.into_iter().filter(is_usable).collect();
        if found.len() > 1 {
            let arns: Vec<String> = found.iter().map(|found| found.arn.to_string()).collect();
            return Err(Error::new(
                ErrorKind::UnusableSubject,
                format!(
                    "AWS has {} instances of IAM Identity Center that can serve the organization: {}",
                    arns.len(),
                    arns.join(", ")
                ),
            )
            .with_help("run with credentials of the management account, or delete the account instances that no application uses"));
        }
        Ok(found.pop())
    }

    /// Fails if the Region of a new instance is in another partition than the credentials.
    fn check_partition(&self) -> Result<()> {
        let (region, credentials) = (self.region(), self.aws.region());
        match (
            Partition::of_region(region),
            Partition::of_region(credentials),
        ) {
            (Some(wanted), Some(partition)) if wanted != partition => Err(Error::new(
                ErrorKind::UnusableSubject,
                format!(
                    "IAM Identity Center cannot be enabled in {region}: this Region is in partition {wanted}, and the AWS credentials are of {partition} (Region {credentials})"
                ),
            )
            .with_help("set aws.region in the blueprint to a Region of this partition, or use credentials of the other partition")),
            _ => Ok(()),
        }
    }

    /// Adds a note if the instance is in another Region than the blueprint says.
    fn note_region(&self, planned: Planned, instance: &Instance) -> Planned {
        match &self.region {
            Some(region) if *region != instance.primary_region => planned.note("other-region", format!("the instance is in {}, but the blueprint says {region}; an instance cannot be moved", instance.primary_region)),
            _ => planned,
        }
    }

    async fn lacks_permission_sets(&self, instance: &Instance) -> Result<bool> {
        let details = self
            .aws
            .in_region(&instance.primary_region)
            .describe_instance(&instance.arn)
            .await
            .map_err(|error| {
                Error::service(
                    format!("the details of instance {} could not be read", instance.arn),
                    error,
                )
            })?;
        // The field is absent in Regions that do not have this setting yet. There, every instance has permission sets.
        Ok(details.permission_sets_enabled == Some(false))
    }

    async fn enable_permission_sets(&self, instance: &Instance) -> Result<()> {
        self.aws
            .in_region(&instance.primary_region)
            .enable_permission_sets(&instance.arn)
            .await
            .map_err(|error| {
                Error::service(
                    format!(
                        "AWS did not enable permission sets for instance {}",
                        instance.arn
                    ),
                    error,
                )
            })?;
        Ok(())
    }

    async fn enable_manually(&self, cx: &Context) -> Result<Instance> {
        if let Some(found) = self.find(cx).await? {
            return Ok(found);
        }
        let region = self.region();
        let manual_step = ManualStep::new(
            ManualStepKind::EnableIdentityCenter,
            format!("Enable IAM Identity Center for the organization in {region}"),
            format!(
                "AWS console of the management account > IAM Identity Center > Enable{}",
                lookup::console(&lookup::partition(&self.aws, cx), region)
            ),
        )
        .warning(format!("The Region is permanent: make sure that the console shows {region}."))
        .instructions([
            "Sign in to the management account of the organization.",
            "Choose Enable, and \"with AWS Organizations\" (an organization instance, not an account instance).",
            "Keep permission sets (multi-account permissions) on.",
            "Wait until the console says that it is enabled.",
        ]);
        cx.manual_step(manual_step, async |_| {
            self.find(cx).await?.ok_or_else(|| {
                Error::new(ErrorKind::InvalidAnswer, "the organization still has no instance of IAM Identity Center in any Region")
                    .with_help("enable it in the management account, as an organization instance; an account instance does not count")
            })
        })
        .await
    }
}

impl Step for IdentityCenterInstance {
    fn id(&self) -> StepId {
        ids::IDENTITY_CENTER
    }

    fn title(&self) -> String {
        "IAM Identity Center instance".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::IdentityCenter]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let shared = cx.shared_reads::<Ready>();
            if let Some(instance) = shared.0.known(&(), cx, SHARED) {
                save_instance(cx, &instance, true);
                return Ok(self.note_region(Planned::nothing(), &instance));
            }
            let Some(instance) = self.find(cx).await? else {
                cx.update_facts(|facts| facts.instance = None);
                self.check_partition()?;
                return Ok(Planned::one(
                    Change::new(Action::ManualStep, Subject::IdentityCenter {})
                        .with("Region", self.region())
                        .with("permission sets", "on (cannot be turned off again)"),
                ));
            };
            let mut planned = Planned::nothing();
            match instance.status {
                InstanceStatus::Active if is_account_instance(cx, &instance) => {
                    save_instance(cx, &instance, false);
                    let text = caller::account_instance(&InstanceFact::of(&instance, false));
                    planned = planned.note("account-instance", text);
                }
                InstanceStatus::Active => {
                    let lacks_permission_sets = self.lacks_permission_sets(&instance).await?;
                    save_instance(cx, &instance, !lacks_permission_sets);
                    if lacks_permission_sets {
                        caller::plans_permission_sets(cx);
                        planned = planned.note(
                            "permission-sets-off",
                            format!(
                                "instance {} of the organization has no permission sets, so it can give no access to accounts; the run turns them on, and they cannot be turned off again",
                                instance.arn
                            ),
                        );
                        planned.changes.push(
                            Change::new(Action::Update, Subject::IdentityCenter {})
                                .with("instance", instance.arn.to_string())
                                .from_to("permission sets", Some("off".into()), "on"),
                        );
                    } else {
                        shared.0.set((), cx, Arc::new(instance.clone()));
                    }
                }
                InstanceStatus::CreateInProgress => {
                    save_instance(cx, &instance, false);
                    caller::plans_permission_sets(cx);
                    planned.changes.push(
                        Change::new(Action::Wait, Subject::IdentityCenter {})
                            .with("instance", instance.arn.to_string())
                            .with("status", "ACTIVE"),
                    );
                }
                other => {
                    return Err(Error::new(
                        ErrorKind::UnusableSubject,
                        format!("instance {} is {other}", instance.arn),
                    )
                    .with_help(
                        "check the instance in the AWS console; only an active instance can be used",
                    ));
                }
            }
            Ok(self.note_region(planned, &instance))
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let instance = match change.action {
                Action::ManualStep => self.enable_manually(cx).await?,
                Action::Update | Action::Wait => self.find(cx).await?.ok_or_else(|| {
                    lookup::missing_prerequisite(
                        "the instance of IAM Identity Center",
                        &ids::IDENTITY_CENTER,
                    )
                })?,
                _ => return Err(unknown_change(&self.id(), change)),
            };
            if instance.status != InstanceStatus::Active {
                return Ok(Applied::waiting(format!(
                    "instance {} to become active",
                    instance.arn
                )));
            }
            if is_account_instance(cx, &instance) {
                save_instance(cx, &instance, false);
                return Ok(Applied::Done);
            }
            if self.lacks_permission_sets(&instance).await? {
                self.enable_permission_sets(&instance).await?;
            }
            save_instance(cx, &instance, true);
            Ok(Applied::Done)
        })
    }
}

/// Returns whether the instance belongs to a member account, and not to the organization.
fn is_account_instance(cx: &Context, instance: &Instance) -> bool {
    let instance = InstanceFact::of(instance, false);
    cx.facts(|facts| {
        let organization = facts.organization.as_ref();
        organization.is_some_and(|known| caller::is_account_instance(&instance, known))
    })
}

/// Forgets the instance of the plan after a change that gives it another identity store.
pub(super) fn forget(cx: &Context) {
    cx.shared_reads::<Ready>().0.forget();
}

fn save_instance(cx: &Context, instance: &Instance, permission_sets: bool) {
    cx.update_facts(|facts| facts.instance = Some(InstanceFact::of(instance, permission_sets)));
}
