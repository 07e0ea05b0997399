//! Step `permission-sets`: the permission sets exist as the blueprint describes them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{
    Aws, IdentityCenter, NewPermissionSet, OperationStatus, PermissionSet, PermissionSetArn,
    RequestId, UpdatePermissionSet,
};
use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use super::{ids, lookup, operations::Operations};
use crate::{
    blueprint::{Blueprint, PermissionSetSpec},
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId},
    state::hex,
    step::{Applied, Planned, Step, unknown_change},
};

/// Creates and updates the permission sets of the blueprint, and provisions changes into the accounts.
///
/// The blueprint may name a permission set without describing it. Such a set is created if it does not exist. An existing
/// set is not changed, unless it has no policy, because an interrupted run or another tool has left it incomplete.
#[derive(Clone, Debug)]
pub struct PermissionSets {
    aws: Aws,
    desired: BTreeMap<String, Desired>,
}

/// A permission set that the blueprint asks for.
#[derive(Clone, Debug)]
struct Desired {
    set: PermissionSetSpec,
    /// Whether the blueprint describes the set, instead of only naming it.
    described: bool,
}

/// A permission set that exists in AWS, with its policies.
struct Current {
    set: PermissionSet,
    policies: BTreeSet<String>,
    customer_managed: Vec<String>,
    inline: Option<String>,
}

impl Current {
    fn has_no_policy(&self) -> bool {
        self.policies.is_empty() && self.customer_managed.is_empty() && self.inline.is_none()
    }
}

impl Desired {
    /// Returns whether the step may change the set: the blueprint describes it, or it has no policy.
    fn may_change(&self, current: &Current) -> bool {
        self.described || current.has_no_policy()
    }

    /// Returns a note about a set that is used unchanged and has other policies than expected.
    fn note(&self, name: &str, current: &Current) -> Option<String> {
        let expected: BTreeSet<String> = self.set.managed_policies.iter().cloned().collect();
        let matches = current.policies == expected
            && current.inline.is_none()
            && current.customer_managed.is_empty();
        if self.may_change(current) || matches {
            return None;
        }
        let inline = current.inline.as_ref().map(|_| "an inline policy");
        let has: Vec<&str> = current
            .policies
            .iter()
            .chain(&current.customer_managed)
            .map(String::as_str)
            .chain(inline)
            .collect();
        Some(format!(
            "permission set {name} already exists and is used unchanged: it has {}; to change it, describe it in the blueprint",
            has.join(", ")
        ))
    }
}

impl PermissionSets {
    /// Creates the step for the permission sets of a blueprint.
    #[must_use]
    pub fn new(aws: &Aws, blueprint: &Blueprint) -> Self {
        let desired = blueprint
            .desired_permission_sets()
            .into_iter()
            .map(|(name, set)| {
                let described = blueprint.permission_sets.contains_key(name);
                (name.to_owned(), Desired { set, described })
            });
        Self {
            aws: aws.clone(),
            desired: desired.collect(),
        }
    }

    /// Creates the permission set or updates it to match `desired`, without removing policies, and provisions the changes.
    async fn reconcile(&self, name: &str, desired: &Desired, cx: &Context) -> Result<Applied> {
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let failed = |error| {
            Error::service(
                format!("permission set {name} could not be created or updated"),
                error,
            )
        };
        let sets = center.permission_sets();
        let set = if let Some(set) = find(&center, name).await? {
            set
        } else {
            let new = NewPermissionSet {
                name: name.to_owned(),
                description: desired.set.description.clone(),
                session_duration: desired.set.session_duration.clone(),
                ..NewPermissionSet::default()
            };
            sets.create(&new).await.map_err(failed)?
        };
        cx.update_facts(|facts| {
            facts
                .permission_sets
                .insert(name.to_owned(), set.arn.clone())
        });
        let current = read(&center, set).await?;
        let arn = &current.set.arn;
        let mut changed = false;
        if !desired.may_change(&current) {
            return self.check_provisioning(&center, name, arn, cx).await;
        }
        if attributes_differ(&current.set, &desired.set) {
            let change = UpdatePermissionSet {
                description: desired.set.description.clone(),
                session_duration: desired.set.session_duration.clone(),
                ..UpdatePermissionSet::default()
            };
            sets.update(arn, &change).await.map_err(failed)?;
            changed = true;
        }
        for policy in desired
            .set
            .managed_policies
            .iter()
            .filter(|policy| !current.policies.contains(*policy))
        {
            sets.attach_managed_policy(arn, policy)
                .await
                .map_err(failed)?;
            changed = true;
        }
        if let Some(policy) = &desired.set.inline_policy
            && !same_json(Some(policy), current.inline.as_deref())
        {
            sets.put_inline_policy(arn, policy).await.map_err(failed)?;
            changed = true;
        }
        if changed {
            self.start_provisioning(&center, name, arn, cx).await
        } else {
            self.check_provisioning(&center, name, arn, cx).await
        }
    }

    /// Removes a policy from the permission set. `policy` is the ARN of a managed policy, or [`INLINE`].
    async fn remove(
        &self,
        name: &str,
        desired: &Desired,
        policy: &str,
        cx: &Context,
    ) -> Result<Applied> {
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let failed = |error| {
            Error::service(
                format!("AWS did not remove {policy} from permission set {name}"),
                error,
            )
        };
        let sets = center.permission_sets();
        let Some(set) = find(&center, name).await? else {
            return Ok(Applied::Done);
        };
        let current = read(&center, set).await?;
        let mut changed = false;
        if policy == INLINE && desired.set.inline_policy.is_none() && current.inline.is_some() {
            sets.delete_inline_policy(&current.set.arn)
                .await
                .map_err(failed)?;
            changed = true;
        } else if current.policies.contains(policy) {
            sets.detach_managed_policy(&current.set.arn, policy)
                .await
                .map_err(failed)?;
            changed = true;
        }
        if changed {
            self.start_provisioning(&center, name, &current.set.arn, cx)
                .await
        } else {
            self.check_provisioning(&center, name, &current.set.arn, cx)
                .await
        }
    }

    /// Starts to provision the changed permission set into its accounts. The change has no effect in an account before AWS
    /// has provisioned it there.
    async fn start_provisioning(
        &self,
        center: &IdentityCenter,
        name: &str,
        arn: &PermissionSetArn,
        cx: &Context,
    ) -> Result<Applied> {
        let failed = |error| {
            Error::service(
                format!("AWS did not provision permission set {name}"),
                error,
            )
        };
        let sets = center.permission_sets();
        if sets
            .accounts(arn)
            .try_collect()
            .await
            .map_err(failed)?
            .is_empty()
        {
            return Ok(Applied::Done);
        }
        let operation = sets.start_provisioning(arn).await.map_err(failed)?;
        cx.run_memory::<Operations<RequestId>>()
            .insert(name, operation);
        Ok(Applied::waiting(format!(
            "permission set {name} to be provisioned into its accounts"
        )))
    }

    /// Checks the provisioning operation that this run has started. If there is no such operation, starts one if accounts
    /// are outdated.
    async fn check_provisioning(
        &self,
        center: &IdentityCenter,
        name: &str,
        arn: &PermissionSetArn,
        cx: &Context,
    ) -> Result<Applied> {
        let operations = cx.run_memory::<Operations<RequestId>>();
        let Some(operation) = operations.get(name) else {
            return if has_outdated_accounts(center, name, arn).await? {
                self.start_provisioning(center, name, arn, cx).await
            } else {
                Ok(Applied::Done)
            };
        };
        let waiting = || {
            Applied::waiting(format!(
                "permission set {name} to be provisioned into its accounts"
            ))
        };
        let status = match center
            .permission_sets()
            .provisioning_status(&operation)
            .await
        {
            Ok(OperationStatus::InProgress) => return Ok(waiting()),
            Ok(status) => status,
            // AWS deletes operations after some time, but still lists the outdated accounts.
            Err(error) if error.is_not_found() => {
                operations.remove(name);
                return Ok(waiting());
            }
            Err(error) => {
                let summary =
                    format!("the provisioning status of permission set {name} could not be read");
                return Err(Error::service(summary, error));
            }
        };
        operations.remove(name);
        match status {
            OperationStatus::Failed { reason } => Err(Error::new(
                ErrorKind::Service,
                format!(
                    "AWS could not provision permission set {name}: {}",
                    reason.as_deref().unwrap_or("no reason given")
                ),
            )
            .with_help("fix the cause, then run again")),
            _ => Ok(Applied::Done),
        }
    }
}

/// Returns whether AWS lists accounts that do not have the latest version of the permission set.
async fn has_outdated_accounts(
    center: &IdentityCenter,
    name: &str,
    arn: &PermissionSetArn,
) -> Result<bool> {
    let accounts = center
        .permission_sets()
        .outdated_accounts(arn)
        .try_collect()
        .await
        .map_err(|error| {
            Error::service(
                format!("the accounts with an outdated permission set {name} could not be listed"),
                error,
            )
        })?;
    Ok(!accounts.is_empty())
}

async fn find(center: &IdentityCenter, name: &str) -> Result<Option<PermissionSet>> {
    center.permission_sets().find(name).await.map_err(|error| {
        Error::service(
            format!("permission set {name} could not be looked up"),
            error,
        )
    })
}

/// Reads the policies of a permission set.
async fn read(center: &IdentityCenter, set: PermissionSet) -> Result<Current> {
    let failed = |error| {
        Error::service(
            format!("permission set {} could not be read", set.name),
            error,
        )
    };
    let sets = center.permission_sets();
    let policies = sets
        .managed_policies(&set.arn)
        .try_collect()
        .await
        .map_err(failed)?
        .into_iter()
        .collect();
    let customer_managed = sets
        .customer_managed_policies(&set.arn)
        .try_collect()
        .await
        .map_err(failed)?;
    let inline = sets.inline_policy(&set.arn).await.map_err(failed)?;
    Ok(Current {
        set,
        policies,
        customer_managed,
        inline,
    })
}

fn attributes_differ(current: &PermissionSet, desired: &PermissionSetSpec) -> bool {
    // An attribute that the blueprint does not set keeps AWS's value.
    let differs = |desired: &Option<String>, current: &Option<String>| {
        desired.is_some() && desired != current
    };
    differs(&desired.description, &current.description)
        || differs(&desired.session_duration, &current.session_duration)
}

/// Compares two policies as JSON, because AWS may change their formatting.
fn same_json(left: Option<&str>, right: Option<&str>) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match (left, right) {
        (Some(left), Some(right)) => {
            left == right || parse(left).is_some_and(|left| Some(left) == parse(right))
        }
        (None, None) => true,
        _ => false,
    }
}

/// Returns the description of a policy in a plan: a digest, which distinguishes policies, and the length.
fn digest(policy: &str) -> String {
    let canonical = serde_json::from_str::<serde_json::Value>(policy)
        .map_or_else(|_not_json| policy.to_owned(), |json| json.to_string());
    let sha256 = hex(&Sha256::digest(&canonical));
    format!(
        "sha256 {} ({} characters)",
        &sha256[..16],
        canonical.chars().count()
    )
}

/// Returns the change that creates a permission set.
fn create_change(name: &str, set: &PermissionSetSpec) -> Change {
    let mut change = Change::new(Action::Create, target(name));
    for (field, value) in [
        ("description", &set.description),
        ("session duration", &set.session_duration),
    ] {
        if let Some(value) = value {
            change = change.with(field, value);
        }
    }
    for policy in &set.managed_policies {
        change = change.with("managed policy", policy);
    }
    if let Some(policy) = &set.inline_policy {
        change = change.with(INLINE, digest(policy));
    }
    change
}

/// Returns the changes that make an existing permission set match `desired`.
fn update_changes(name: &str, desired: &Desired, current: &Current) -> Planned {
    let mut planned = Planned::nothing();
    let mut change = Change::new(Action::Update, target(name));
    let pairs = [
        (
            "description",
            &desired.set.description,
            &current.set.description,
        ),
        (
            "session duration",
            &desired.set.session_duration,
            &current.set.session_duration,
        ),
    ];
    for (field, desired, current) in pairs {
        if let Some(value) = desired
            && Some(value) != current.as_ref()
        {
            change = change.from_to(field, current.clone(), value);
        }
    }
    let policies: BTreeSet<String> = desired.set.managed_policies.iter().cloned().collect();
    for policy in policies.difference(&current.policies) {
        change = change.with("managed policy", policy);
    }
    match (&desired.set.inline_policy, &current.inline) {
        (Some(policy), inline) if !same_json(Some(policy), inline.as_deref()) => {
            change = change.from_to(INLINE, inline.as_deref().map(digest), digest(policy));
        }
        (None, Some(_)) => planned
            .changes
            .push(Change::new(Action::Remove, removal_target(name, INLINE))),
        _ => {}
    }
    if !change.fields.is_empty() {
        planned.changes.insert(0, change);
    }
    for policy in current.policies.difference(&policies) {
        planned
            .changes
            .push(Change::new(Action::Remove, removal_target(name, policy)));
    }
    planned
}

fn target(name: &str) -> String {
    format!("permission set {name}")
}

fn removal_target(name: &str, policy: &str) -> String {
    format!("{policy} from permission set {name}")
}

impl Step for PermissionSets {
    fn id(&self) -> StepId {
        ids::PERMISSION_SETS
    }

    fn title(&self) -> String {
        "Permission sets".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let Some(center) = lookup::assignable_identity_center(&self.aws, cx) else {
                return Ok(Planned::changes(
                    self.desired
                        .iter()
                        .map(|(name, desired)| create_change(name, &desired.set))
                        .collect(),
                ));
            };
            let all = center
                .permission_sets()
                .list()
                .try_collect()
                .await
                .map_err(|error| {
                    Error::service("the permission sets could not be listed", error)
                })?;
            let mut existing: BTreeMap<String, PermissionSet> =
                all.into_iter().map(|set| (set.name.clone(), set)).collect();
            let mut planned = Planned::nothing();
            for (name, desired) in &self.desired {
                let Some(set) = existing.remove(name) else {
                    cx.update_facts(|facts| facts.permission_sets.remove(name));
                    planned.changes.push(create_change(name, &desired.set));
                    continue;
                };
                cx.update_facts(|facts| {
                    facts.permission_sets.insert(name.clone(), set.arn.clone())
                });
                let current = read(&center, set).await?;
                planned.notes.extend(desired.note(name, &current));
                let mut changes = if desired.may_change(&current) {
                    update_changes(name, desired, &current).changes
                } else {
                    Vec::new()
                };
                if changes.is_empty()
                    && has_outdated_accounts(&center, name, &current.set.arn).await?
                {
                    changes.push(Change::new(Action::Wait, target(name)));
                }
                planned.changes.extend(changes);
            }
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            for (name, desired) in &self.desired {
                if change.target == target(name) {
                    return self.reconcile(name, desired, cx).await;
                }
                if change.action == Action::Remove
                    && let Some(policy) = change.target.strip_suffix(&removal_target(name, ""))
                {
                    return self.remove(name, desired, policy, cx).await;
                }
            }
            Err(unknown_change(&self.id(), change))
        })
    }
}

const INLINE: &str = "inline policy";
