//! The IAM policy in AWS that a plan needs.

mod actions;
mod conditions;
mod policy;
mod resources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use aws_sso_glue::{
    AccountId, IdentityStoreId, Instance, InstanceArn, Partition, PermissionSetArn,
};

use self::{
    actions::{Use, uses},
    conditions::Input,
    policy::{Actions, Resource},
    resources::{resource_types, resources},
};
use crate::{
    blueprint::Blueprint,
    plan::{Action, Plan, StepId, Subject},
    state::Facts,
};

pub use policy::{AwsPolicy, AwsStatement, Collapsed};

/// The objects of AWS that a policy names: the instance, its permission sets, and the accounts with a role in the run.
///
/// An object that is not known is a pattern in the policy, such as `arn:aws:sso:::permissionSet/*/*`. The facts of the state
/// have what an earlier run has found. For a first run, [`instance`](Self::instance) and
/// [`management_account`](Self::management_account) make the policy narrower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsTarget {
    partition: Partition,
    instance: Option<InstanceArn>,
    identity_store: Option<IdentityStoreId>,
    owner: Option<AccountId>,
    organization: Option<String>,
    management_account: Option<AccountId>,
    caller: Option<AccountId>,
    account_scoped: bool,
    permission_sets: BTreeMap<String, PermissionSetArn>,
}

/// The rights in AWS that a plan needs, as statements of an IAM policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AwsRights {
    /// The statements that planning and verifying need.
    pub read: Vec<AwsStatement>,
    /// The statements that applying needs besides.
    pub write: Vec<AwsStatement>,
    /// The actions of these statements without which the plan can be applied, too.
    pub optional: Vec<OptionalAction>,
    /// The resources that are one pattern, because the policy would be too long with each of them.
    pub collapsed: Vec<Collapsed>,
}

/// An action without which a plan can be applied, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct OptionalAction {
    /// The action, such as `sso:ListAccountAssignmentsForPrincipal`.
    pub action: &'static str,
    /// The purpose of the action, and the effect without it.
    pub effect: &'static str,
}

/// An action of a step, for documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepAction {
    /// The step.
    pub step: StepId,
    /// The part of a run that needs the action.
    pub part: ActionPart,
    /// The action, such as `sso:ListInstances`.
    pub action: &'static str,
    /// The types of the resources that a policy must allow, such as `instance` and `permission set`.
    pub resources: Vec<&'static str>,
    /// The plans and blueprints that need the action.
    pub when: &'static str,
    /// The effect without the action, if the step does without it.
    pub optional: Option<&'static str>,
}

/// The part of a run that needs an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ActionPart {
    /// Planning and verifying, which applying includes.
    Read,
    /// Applying.
    Write,
}

impl fmt::Display for ActionPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "plan and verify",
            Self::Write => "apply",
        })
    }
}

impl AwsTarget {
    /// Creates a target of which only the partition is known: the one of this Region, or else `aws`.
    #[must_use]
    pub fn in_region(region: &str) -> Self {
        Self {
            partition: Partition::of_region(region).unwrap_or(Partition::Aws),
            instance: None,
            identity_store: None,
            owner: None,
            organization: None,
            management_account: None,
            caller: None,
            account_scoped: false,
            permission_sets: BTreeMap::new(),
        }
    }

    /// Adds what the facts of the state have: the organization, the caller, the instance and the permission sets.
    #[must_use]
    pub fn facts(mut self, facts: &Facts) -> Self {
        if let Some(organization) = &facts.organization {
            self.organization = Some(organization.id.clone());
            self.management_account = Some(organization.management_account.clone());
            self.caller = Some(organization.caller.clone());
            self.account_scoped = organization.account_scoped;
        }
        if let Some(instance) = &facts.instance {
            self = self.instance(&instance.instance());
        }
        let sets = facts.names_of_sets().into_iter();
        self.permission_sets
            .extend(sets.map(|(arn, name)| (name, arn)));
        self
    }

    /// Sets the instance, which also tells the partition.
    #[must_use]
    pub fn instance(mut self, instance: &Instance) -> Self {
        self.partition = instance.arn.partition();
        self.instance = Some(instance.arn.clone());
        self.identity_store = Some(instance.identity_store.clone());
        self.owner = Some(instance.owner.clone());
        self
    }

    /// Sets the management account. Without it, the policy has the IAM actions for roles in the management account as optional
    /// actions of each plan that changes assignments.
    #[must_use]
    pub fn management_account(mut self, account: AccountId) -> Self {
        self.management_account = Some(account);
        self
    }

    /// Sets the account of the credentials (default: the one of the facts, or else the management account).
    #[must_use]
    pub fn caller(mut self, account: AccountId) -> Self {
        self.caller = Some(account);
        self
    }

    /// Returns whether the caller is another account than the management account.
    fn is_delegated(&self) -> bool {
        match (&self.caller, &self.management_account) {
            (Some(caller), Some(management)) => caller != management,
            _ => false,
        }
    }

    /// Returns whether an account is the management account, or `None` if that is not known.
    fn is_management(&self, account: &str) -> Option<bool> {
        let management = self.management_account.as_ref()?;
        Some(management.as_str() == account)
    }
}

/// Returns the rights in AWS that planning, applying and verifying this plan needs, as statements of an IAM policy.
///
/// The resources of the writing actions are exactly the instance, the accounts and the permission sets of the changes, as far as
/// `target` knows them. IAM has no pairs of resources, so a statement allows each of its permission sets in each of its accounts. The
/// reading actions have all permission sets and accounts of the instance, because a plan reads them. If the policy would have more
/// than [`AwsPolicy::MAX_CHARACTERS`], the accounts and then the permission sets become a pattern ([`AwsRights::collapsed`]). The
/// longest policy then has about 5,000 characters.
///
/// Steps of other crates are not known here. The table of the actions by step is in `docs/AWS_RIGHTS.md` and in [`aws_actions`].
///
/// ```
/// # async fn doc(pipeline: okta_aws_sso::Pipeline, blueprint: okta_aws_sso::Blueprint) -> Result<(), okta_aws_sso::Error> {
/// use okta_aws_sso::rights::{AwsTarget, aws_rights};
///
/// let plan = pipeline.plan().await?;
/// let mut target = AwsTarget::in_region("eu-central-1");
/// if let Some(state) = pipeline.state_store().load().await? {
///     target = target.facts(&state.facts);
/// }
/// let rights = aws_rights(&plan, &blueprint, &target);
/// println!("{}", rights.policy());
/// # Ok(()) }
/// ```
#[must_use]
pub fn aws_rights(plan: &Plan, blueprint: &Blueprint, target: &AwsTarget) -> AwsRights {
    let sets = blueprint.desired_permission_sets_in(&target.partition);
    let created = plan
        .changes()
        .filter_map(|(_, change)| match &change.subject {
            Subject::PermissionSet { name } if change.action == Action::Create => Some(&**name),
            _ => None,
        });
    // A set that the plan creates is not the one that the target knows.
    let created: BTreeSet<&str> = created.collect();
    let uses = uses();
    let (mut read, mut write) = (Actions::new(), Actions::new());
    let (mut required, mut optional) = (BTreeSet::new(), BTreeMap::new());
    for step in &plan.steps {
        let input = Input {
            plan,
            step,
            blueprint,
            target,
            sets: &sets,
            created: &created,
        };
        for known in uses.iter().filter(|known| known.step == step.step) {
            let Some((needed, effect)) = needed(known, &input) else {
                continue;
            };
            let part = match known.part {
                ActionPart::Read => &mut read,
                ActionPart::Write => &mut write,
            };
            part.entry(known.action).or_default().extend(needed);
            match effect {
                None => _ = required.insert(known.action),
                Some(effect) => _ = optional.entry(known.action).or_insert(effect),
            }
        }
    }
    let optional = optional.into_iter();
    let optional = optional.filter(|(action, _)| !required.contains(action));
    let optional = optional.map(|(action, effect)| OptionalAction { action, effect });
    let (read, write, collapsed) = policy::statements(&read, &write, target);
    AwsRights {
        read,
        write,
        optional: optional.collect(),
        collapsed,
    }
}

/// Returns the resources of an action that a step of a plan needs, and the effect without it if the step does without it. `None` if
/// the step does not need the action.
fn needed(known: &Use, input: &Input<'_>) -> Option<(Vec<Resource>, Option<&'static str>)> {
    let found = known.condition.of(input);
    let effect = if found.iter().all(|needed| needed.is_certain) {
        known.optional
    } else {
        Some(known.optional.unwrap_or(MAY_BE_MANAGEMENT))
    };
    let resources = found
        .iter()
        .flat_map(|needed| resources(known.action, input, needed.change));
    let resources: Vec<Resource> = resources.collect();
    (!found.is_empty()).then_some((resources, effect))
}

/// Returns the actions in AWS of each step of this crate, in the order of the steps. Other steps need none.
///
/// ```
/// let actions = okta_aws_sso::rights::aws_actions();
/// assert!(actions.iter().any(|row| row.action == "sso:CreateAccountAssignment"));
/// ```
#[must_use]
pub fn aws_actions() -> Vec<StepAction> {
    let rows = uses().into_iter().map(|known| StepAction {
        step: known.step,
        part: known.part,
        action: known.action,
        resources: resource_types(known.action),
        when: known.when,
        optional: known.optional,
    });
    rows.collect()
}

impl AwsRights {
    /// Returns the policy of a run: the statements for reading and those for writing.
    #[must_use]
    pub fn policy(&self) -> AwsPolicy {
        AwsPolicy::new(self.read.iter().chain(&self.write).cloned().collect())
    }

    /// Returns the policy that is sufficient to plan and to verify.
    #[must_use]
    pub fn read_policy(&self) -> AwsPolicy {
        AwsPolicy::new(self.read.clone())
    }

    /// Returns the policy of a run without the optional actions.
    #[must_use]
    pub fn required_policy(&self) -> AwsPolicy {
        let is_required = |action: &&'static str| {
            let mut optional = self.optional.iter();
            !optional.any(|optional| optional.action == *action)
        };
        let statements = self.policy().statements.into_iter().map(|mut statement| {
            statement.actions.retain(is_required);
            statement
        });
        AwsPolicy::new(statements.filter(|one| !one.actions.is_empty()).collect())
    }
}

/// The effect without an action that only assignments in the management account need, if that account is not known.
const MAY_BE_MANAGEMENT: &str = "changes the role of a permission set in the management account; not needed if the plan changes no assignment there";

#[cfg(test)]
mod tests;
