//! When a step of a plan needs an action.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::AccountId;

use super::AwsTarget;
use crate::{
    blueprint::{Accounts, Blueprint, PermissionSetSpec, ProvisioningMode},
    plan::{Action, Change, Kind, Plan, Principal, StepPlan, Subject},
};

/// A step of a plan, with what decides about its actions.
pub(super) struct Input<'a> {
    pub(super) plan: &'a Plan,
    pub(super) step: &'a StepPlan,
    pub(super) blueprint: &'a Blueprint,
    pub(super) target: &'a AwsTarget,
    /// The permission sets of the blueprint.
    pub(super) sets: &'a BTreeMap<String, PermissionSetSpec>,
    /// The permission sets that the plan creates.
    pub(super) created: &'a BTreeSet<&'a str>,
}

/// When a step needs an action.
pub(super) enum Condition {
    /// Once for a step.
    Step(fn(&Input<'_>) -> bool),
    /// For each change of subjects of a kind. `None`: it is not known whether the change needs the action.
    Change(Kind, fn(&Input<'_>, &Change) -> Option<bool>),
}

/// A need of a step for an action: for a change, or for the step as a whole.
pub(super) struct Needed<'a> {
    pub(super) change: Option<&'a Change>,
    pub(super) is_certain: bool,
}

impl Condition {
    /// Returns the needs of a step for the action.
    pub(super) fn of<'a>(&self, input: &Input<'a>) -> Vec<Needed<'a>> {
        match self {
            Self::Step(holds) => {
                let whole = Needed {
                    change: None,
                    is_certain: true,
                };
                holds(input).then_some(whole).into_iter().collect()
            }
            Self::Change(kind, holds) => {
                let changes = input.step.changes.iter();
                let changes = changes.filter(|change| change.subject.kind() == *kind);
                let needed = changes.filter_map(|change| {
                    let holds = holds(input, change);
                    (holds != Some(false)).then_some(Needed {
                        change: Some(change),
                        is_certain: holds.is_some(),
                    })
                });
                needed.collect()
            }
        }
    }
}

impl Input<'_> {
    pub(super) fn has_set_tags(&self) -> bool {
        self.sets.values().any(|set| !set.tags.is_empty())
    }

    /// Returns whether a permission set that AWS has is changed or provisioned.
    pub(super) fn edits_a_set(&self) -> bool {
        let mut changes = self.step.changes.iter();
        changes.any(|change| match &change.subject {
            Subject::PermissionSet { .. } => change.action == Action::Update,
            Subject::Policy { permission_set, .. } => !self.created.contains(&**permission_set),
            Subject::Provisioning { .. } => true,
            _ => false,
        })
    }

    pub(super) fn has_change(&self, action: Action, kind: Kind) -> bool {
        let mut changes = self.step.changes.iter();
        changes.any(|change| change.action == action && change.subject.kind() == kind)
    }

    pub(super) fn has_change_of(&self, kind: Kind) -> bool {
        let mut changes = self.step.changes.iter();
        changes.any(|change| change.subject.kind() == kind)
    }

    /// Returns the accounts with a problem.
    pub(super) fn problem_accounts(&self) -> impl Iterator<Item = &str> {
        let problems = self.step.problems.iter();
        problems.filter_map(|problem| match &problem.subject {
            Some(Subject::Account { id }) => AccountId::parse(id).ok().map(|_is_id| &**id),
            _ => None,
        })
    }

    pub(super) fn tags_of(&self, set: &str) -> bool {
        self.sets.get(set).is_some_and(|set| !set.tags.is_empty())
    }

    /// Returns whether a change writes a role in the management account. `None`: the management account is not known.
    pub(super) fn is_in_management(&self, change: &Change) -> Option<bool> {
        // Only the management account may make these changes.
        if self.target.is_delegated() {
            return Some(false);
        }
        match &change.subject {
            Subject::Assignment { account, .. } => self.target.is_management(account),
            Subject::Provisioning { .. } => {
                let accounts = change.known("accounts").unwrap_or_default();
                let mut accounts = accounts.split(", ");
                self.target.management_account.as_ref()?;
                Some(accounts.any(|account| self.target.is_management(account) == Some(true)))
            }
            _ => Some(false),
        }
    }
}

/// Returns whether the step creates or removes so many assignments that the run chooses their order.
pub(super) fn changes_many(input: &Input<'_>) -> bool {
    let changes = input.step.changes.iter();
    let writes = |change: &&Change| matches!(change.action, Action::Create | Action::Remove);
    changes.filter(writes).count() > MANY
}

/// Returns whether the caller acts for the organization, and not only for an account instance.
pub(super) fn is_organization(input: &Input<'_>) -> bool {
    !input.target.account_scoped
}

pub(super) fn pushes_groups(input: &Input<'_>) -> bool {
    let blueprint = input.blueprint;
    blueprint.provisioning.push_groups.is_open() || !blueprint.pushed_groups().is_empty()
}

/// Returns whether the step compares the identity store with Okta's pushes.
pub(super) fn is_okta_mode(input: &Input<'_>) -> bool {
    input.blueprint.provisioning.mode == ProvisioningMode::Okta
}

pub(super) fn has_units(input: &Input<'_>) -> bool {
    is_organization(input) && input.blueprint.needs_units()
}

pub(super) fn has_account_tags(input: &Input<'_>) -> bool {
    let mut entries = input.blueprint.entries();
    let scope = input.blueprint.scope.accounts.as_ref();
    is_organization(input)
        && (scope.is_some_and(has_tags) || entries.any(|(_, access)| has_tags(&access.selector())))
}

/// Returns whether the plan removes access, so that its hazards are looked up.
pub(super) fn removes_access(input: &Input<'_>) -> bool {
    let mut removals = input.plan.removals();
    removals.any(|(_, change)| {
        matches!(
            change.subject,
            Subject::User { .. }
                | Subject::AppUser { .. }
                | Subject::AppGroup { .. }
                | Subject::Membership { .. }
                | Subject::Assignment { .. }
                | Subject::Policy { .. }
        )
    })
}

/// Returns whether the plan removes access, and a group has access.
pub(super) fn removes_access_of_groups(input: &Input<'_>) -> bool {
    let mut removals = input.plan.removals();
    let of_group = |subject: &Subject| {
        matches!(
            subject,
            Subject::Assignment {
                principal: Principal::Group { .. },
                ..
            }
        )
    };
    removes_access(input)
        && (pushes_groups(input) || removals.any(|(_, change)| of_group(&change.subject)))
}

fn has_tags(accounts: &Accounts) -> bool {
    match accounts {
        Accounts::Where(filter) => {
            !filter.tag.is_empty() || filter.except.as_deref().is_some_and(has_tags)
        }
        Accounts::Named(_) => false,
    }
}

/// The number of assignments that AWS may carry out at the same time.
const MANY: usize = 15;
