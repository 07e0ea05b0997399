//! Step `account-assignments`: users and groups have the permission sets of the blueprint in their accounts.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{
    Account, AccountId, Assignment, Aws, GroupId, IdentityCenter, Operation, OperationStatus,
    PermissionSetArn, Principal, UserId,
};
use futures::future::BoxFuture;
use okta_client::Client as Okta;

use super::{
    access_hazards::{Role, Services, access_hazards},
    ids, lookup,
    operations::Operations,
};
use crate::{
    blueprint::{Blueprint, PrincipalSpec},
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{self, Action, Change, Hazard, Note, Plan, Problem, StepId, Subject, Value},
    step::{Applied, Planned, Step, unknown_change},
};

/// Assigns permission sets in accounts to users and groups.
///
/// AWS creates an assignment in the background and reports a failure only at the end, so the step waits for the result of
/// each assignment. Assignments outside the blueprint are kept.
#[derive(Clone, Debug)]
pub struct AccountAssignments {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// An assignment that the blueprint asks for, by the names that an operator knows.
#[derive(Clone, Debug)]
struct Desired {
    principal: PrincipalSpec,
    account: AccountId,
    account_name: String,
    permission_set: String,
}

impl Desired {
    fn subject(&self) -> Subject {
        Subject::Assignment {
            principal: match &self.principal {
                PrincipalSpec::User(login) => plan::Principal::User { name: login.into() },
                PrincipalSpec::Group(name) => plan::Principal::Group { name: name.into() },
            },
            account: self.account.as_str().into(),
            permission_set: (&self.permission_set).into(),
        }
    }
}

impl AccountAssignments {
    /// Creates the step for the `access` of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    /// Returns the assignments of the blueprint, without duplicates, and the problems of its accounts.
    async fn desired_assignments(&self, cx: &Context) -> Result<(Vec<Desired>, Vec<Problem>)> {
        let (mut all_desired, mut problems) = (Vec::new(), BTreeMap::new());
        for access in &self.blueprint.access {
            for id_or_name in access.accounts() {
                if problems.contains_key(id_or_name) {
                    continue;
                }
                let account = match self.account(id_or_name, cx).await {
                    Ok(account) => account,
                    Err(error) if error.kind() == ErrorKind::UnusableSubject => {
                        let known = lookup::account_id(&self.aws, cx, id_or_name).await?;
                        let id = known.map_or_else(|| id_or_name.into(), |id| id.as_str().into());
                        let problem = Problem::new(Some(Subject::Account { id }), &error);
                        problems.insert(id_or_name, problem);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                all_desired.push(Desired {
                    principal: access.principal(),
                    account: account.id.clone(),
                    account_name: account
                        .name
                        .clone()
                        .unwrap_or_else(|| account.id.to_string()),
                    permission_set: access.permission_set.clone(),
                });
            }
        }
        let mut seen = BTreeSet::new();
        all_desired.retain(|desired| seen.insert(desired.subject()));
        Ok((all_desired, problems.into_values().collect()))
    }

    /// Returns an account that can get assignments.
    async fn account(&self, id_or_name: &str, cx: &Context) -> Result<Account> {
        let account = lookup::account(&self.aws, cx, id_or_name).await?;
        let organization = cx.facts(|facts| facts.organization.clone());
        if organization.is_some_and(|known| {
            known.caller != known.management_account && known.management_account == account.id
        }) {
            return Err(Error::new(
                ErrorKind::UnusableSubject,
                format!("a delegated administrator cannot assign access to the management account {}", account.id),
            )
            .with_help("use credentials of the management account, or remove this account from `access` in the blueprint"));
        }
        Ok(account)
    }

    /// Looks up the principal in the identity store. Returns `None` if the principal has not arrived there.
    async fn find_principal(
        &self,
        center: &IdentityCenter,
        principal: &PrincipalSpec,
        cx: &Context,
    ) -> Result<Option<Principal>> {
        let failed = |error| {
            Error::service(
                format!("{principal} could not be looked up in the identity store"),
                error,
            )
        };
        let store = center.identity_store();
        Ok(match principal {
            PrincipalSpec::User(login) => {
                let name = lookup::aws_user_name(&self.okta, &self.blueprint, login, cx).await?;
                store
                    .user_by_name(&name)
                    .await
                    .map_err(failed)?
                    .map(|user| Principal::User(user.id))
            }
            PrincipalSpec::Group(name) => store
                .group_by_name(name)
                .await
                .map_err(failed)?
                .map(|group| Principal::Group(group.id)),
        })
    }

    /// Returns the principal of a change. If the principal's id was known at planning, the change contains the id.
    /// Otherwise the principal is looked up.
    async fn planned_principal(
        &self,
        center: &IdentityCenter,
        desired: &Desired,
        change: &Change,
        cx: &Context,
    ) -> Result<Principal> {
        let known = change
            .known("principal")
            .and_then(|id| match desired.principal {
                PrincipalSpec::User(_) => UserId::parse(id).ok().map(Principal::User),
                PrincipalSpec::Group(_) => GroupId::parse(id).ok().map(Principal::Group),
            });
        match known {
            Some(known) => Ok(known),
            None => self
                .find_principal(center, &desired.principal, cx)
                .await?
                .ok_or_else(|| {
                    lookup::missing_prerequisite(
                        &format!("{} in the identity store", desired.principal),
                        &ids::ARRIVAL,
                    )
                }),
        }
    }

    /// Returns whether AWS lists the assignment.
    async fn is_assigned(
        &self,
        center: &IdentityCenter,
        desired: &Desired,
        change: &Change,
        cx: &Context,
    ) -> Result<bool> {
        let arn = cx.facts(|facts| facts.permission_sets.get(&desired.permission_set).cloned());
        let Some(arn) = arn else { return Ok(false) };
        let principal = self.planned_principal(center, desired, change, cx).await?;
        let assigned = center
            .assignments()
            .list(&desired.account, &arn)
            .try_collect()
            .await
            .map_err(|error| {
                Error::service(
                    format!("assignment {} could not be verified", desired.subject()),
                    error,
                )
            })?;
        Ok(assigned.contains(&principal))
    }

    /// Starts the creation of an assignment.
    async fn start(
        &self,
        center: &IdentityCenter,
        desired: &Desired,
        change: &Change,
        cx: &Context,
    ) -> Result<Operation> {
        let arn = cx
            .facts(|facts| facts.permission_sets.get(&desired.permission_set).cloned())
            .ok_or_else(|| {
                lookup::missing_prerequisite(
                    &format!("permission set {}", desired.permission_set),
                    &ids::PERMISSION_SETS,
                )
            })?;
        let principal = self.planned_principal(center, desired, change, cx).await?;
        let assignment = Assignment {
            account: desired.account.clone(),
            permission_set: arn,
            principal,
        };
        center
            .assignments()
            .start_create(&assignment)
            .await
            .map_err(|error| {
                Error::service(
                    format!("AWS did not create assignment {}", desired.subject()),
                    error,
                )
            })
    }
}

impl Step for AccountAssignments {
    fn id(&self) -> StepId {
        ids::ACCOUNT_ASSIGNMENTS
    }

    fn title(&self) -> String {
        "Account assignments".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let (all_desired, problems) = self.desired_assignments(cx).await?;
            let mut current = Current {
                center: lookup::assignable_identity_center(&self.aws, cx),
                pairs: BTreeMap::new(),
                principals: BTreeMap::new(),
            };
            let mut changes = Vec::new();
            for desired in &all_desired {
                let (principal, assigned) = current.lookup(self, desired, cx).await?;
                if assigned {
                    continue;
                }
                let principal = principal.as_ref().map(principal_id);
                changes.push(
                    Change::new(Action::Create, desired.subject())
                        .with("account", &desired.account_name)
                        .with_value("principal", Value::known_or_after(principal, &ids::ARRIVAL)),
                );
            }
            Ok(Planned {
                changes,
                problems,
                notes: current.foreign_assignment_notes(&all_desired),
                ..Planned::default()
            })
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let (all_desired, _) = self.desired_assignments(cx).await?;
            let desired = all_desired
                .iter()
                .find(|desired| desired.subject() == change.subject)
                .ok_or_else(|| unknown_change(&self.id(), change))?;
            let center = lookup::require_identity_center(&self.aws, cx)?;
            let operations = cx.run_memory::<Operations<Operation>>();
            let Some(operation) = operations.get(&change.subject) else {
                let operation = self.start(&center, desired, change, cx).await?;
                operations.insert(&change.subject, operation);
                return Ok(Applied::waiting(format!(
                    "AWS to create assignment {}",
                    desired.subject()
                )));
            };
            let status = center.assignments().status(&operation).await;
            let status = match status {
                // AWS deletes operations after some time. The next plan shows whether the assignment exists.
                Err(error) if error.is_not_found() => OperationStatus::Failed {
                    reason: Some("AWS no longer has the operation".to_owned()),
                },
                status => status.map_err(|error| {
                    Error::service(
                        format!(
                            "the status of assignment {} could not be read",
                            desired.subject()
                        ),
                        error,
                    )
                })?,
            };
            if status == OperationStatus::InProgress {
                return Ok(Applied::waiting(format!(
                    "AWS to create assignment {}",
                    desired.subject()
                )));
            }
            operations.remove(&change.subject);
            match status {
                OperationStatus::Failed { reason } => Err(Error::new(
                    ErrorKind::Service,
                    format!(
                        "AWS could not create assignment {}: {}",
                        desired.subject(),
                        reason.as_deref().unwrap_or("no reason given")
                    ),
                )
                .with_help("fix the cause, then run again")),
                // AWS lists a new assignment some time after the operation has ended.
                _ if self.is_assigned(&center, desired, change, cx).await? => Ok(Applied::Done),
                _ => Ok(Applied::waiting(format!(
                    "AWS to list assignment {}",
                    desired.subject()
                ))),
            }
        })
    }

    fn hazards<'a>(
        &'a self,
        plan: &'a Plan,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<Hazard>>> {
        Box::pin(async move {
            let Some(center) = lookup::assignable_identity_center(&self.aws, cx) else {
                return Ok(Vec::new());
            };
            let (all_desired, _) = self.desired_assignments(cx).await?;
            let roles: Vec<Role<'_>> = all_desired
                .iter()
                .map(|desired| Role {
                    principal: &desired.principal,
                    account: &desired.account,
                    permission_set: &desired.permission_set,
                })
                .collect();
            let services = Services {
                okta: &self.okta,
                aws: &self.aws,
                blueprint: &self.blueprint,
                center: &center,
            };
            access_hazards(&services, &roles, plan, cx).await
        })
    }

    /// Each assignment is independent of the others.
    fn chain(&self, change: &Change) -> Option<Subject> {
        Some(change.subject.clone())
    }

    /// Returns 8. AWS processes 10 to 15 assignments at the same time (Identity Center quotas). The remaining
    /// capacity is left to other tools.
    fn parallelism(&self) -> usize {
        8
    }
}

fn principal_id(principal: &Principal) -> String {
    match principal {
        Principal::User(id) => id.to_string(),
        Principal::Group(id) => id.to_string(),
    }
}

/// The assignments that exist now, read once per account and permission set.
struct Current {
    center: Option<IdentityCenter>,
    pairs: BTreeMap<(AccountId, PermissionSetArn), Vec<Principal>>,
    principals: BTreeMap<PrincipalSpec, Option<Principal>>,
}

impl Current {
    /// Returns notes about assignments of these permission sets in these accounts that are not in the blueprint. The step
    /// keeps them.
    fn foreign_assignment_notes(&self, all_desired: &[Desired]) -> Vec<Note> {
        let in_blueprint: BTreeSet<&Principal> = self.principals.values().flatten().collect();
        let mut notes = Vec::new();
        for ((account, set), principals) in &self.pairs {
            let foreign: Vec<String> = principals
                .iter()
                .filter(|principal| !in_blueprint.contains(principal))
                .map(principal_id)
                .collect();
            if !foreign.is_empty() {
                let name = all_desired
                    .iter()
                    .find(|desired| desired.account == *account)
                    .map_or("", |desired| &desired.account_name);
                notes.push(Note::new("other-assignments", format!(
                    "permission set {set} in {name} ({account}) is also assigned outside the blueprint; these assignments are kept: {}",
                    foreign.join(", ")
                )));
            }
        }
        notes
    }

    /// Returns the principal, if it has arrived, and whether the assignment exists.
    async fn lookup(
        &mut self,
        step: &AccountAssignments,
        desired: &Desired,
        cx: &Context,
    ) -> Result<(Option<Principal>, bool)> {
        let Some(center) = &self.center else {
            return Ok((None, false));
        };
        if !self.principals.contains_key(&desired.principal) {
            let principal = step.find_principal(center, &desired.principal, cx).await?;
            self.principals.insert(desired.principal.clone(), principal);
        }
        let principal = self.principals[&desired.principal].clone();
        let arn = cx.facts(|facts| facts.permission_sets.get(&desired.permission_set).cloned());
        let (Some(principal), Some(arn)) = (&principal, arn) else {
            return Ok((principal, false));
        };
        let pair = (desired.account.clone(), arn);
        if !self.pairs.contains_key(&pair) {
            let principals = center
                .assignments()
                .list(&pair.0, &pair.1)
                .try_collect()
                .await
                .map_err(|error| {
                    Error::service(
                        format!(
                            "the assignments of {} in {} could not be listed",
                            desired.permission_set, desired.account
                        ),
                        error,
                    )
                })?;
            self.pairs.insert(pair.clone(), principals);
        }
        let assigned = self.pairs[&pair].contains(principal);
        Ok((Some(principal.clone()), assigned))
    }
}
