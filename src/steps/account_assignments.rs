//! Users and groups have their permission sets in their accounts.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{
    AccountId, Assignment, Aws, GroupId, IdentityCenter, Operation, OperationKind, OperationStatus,
    PermissionSetArn, Principal, UserId,
};
use futures::future::BoxFuture;
use okta_client::Client as Okta;

use crate::{
    blueprint::{Blueprint, PrincipalSpec},
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Context, Planned, Step, unknown_change},
};

/// Users and groups have their permission sets in their accounts, as the blueprint says.
///
/// Each assignment is waited for to its end: AWS works on it in the background, and says only then why it failed.
#[derive(Clone, Debug)]
pub struct AccountAssignments {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// One assignment, by the names a person knows.
#[derive(Clone, Debug)]
struct Desired {
    principal: PrincipalSpec,
    account: AccountId,
    account_name: String,
    permission_set: String,
}

impl Desired {
    fn target(&self) -> String {
        format!(
            "{}: {} in {} ({})",
            self.principal, self.permission_set, self.account_name, self.account
        )
    }
}

impl AccountAssignments {
    /// The step for the access that a blueprint gives.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    async fn desired_all(&self, cx: &Context) -> Result<Vec<Desired>> {
        let mut desired_all = Vec::new();
        for access in &self.blueprint.access {
            for named in access.accounts() {
                let account = super::account(&self.aws, cx, named).await?;
                let organization = cx.facts(|facts| facts.organization.clone());
                if organization.is_some_and(|known| {
                    known.caller != known.management_account
                        && known.management_account == account.id
                }) {
                    return Err(Error::new(
                        ErrorKind::UnusableSubject,
                        format!("a delegated administrator cannot assign anybody to the management account {}", account.id),
                    )
                    .with_help("run this line of access with credentials of the management account, or take it out of the blueprint"));
                }
                desired_all.push(Desired {
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
        desired_all.retain(|desired| seen.insert(desired.target()));
        Ok(desired_all)
    }

    /// The principal as the identity store knows it, if it has arrived.
    async fn principal(
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
                let name = super::user_name(&self.okta, &self.blueprint, login, cx).await?;
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

    /// The principal of a change: its id stands in the plan by the time it is applied.
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
                .principal(center, &desired.principal, cx)
                .await?
                .ok_or_else(|| {
                    super::missing(
                        &format!("{} in the identity store", desired.principal),
                        "arrival",
                    )
                }),
        }
    }

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
            .await
            .map_err(|error| {
                Error::service(
                    format!(
                        "whether AWS has assigned {} could not be read",
                        desired.target()
                    ),
                    error,
                )
            })?;
        Ok(assigned.contains(&principal))
    }

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
                super::missing(
                    &format!("permission set {}", desired.permission_set),
                    "permission-sets",
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
                Error::service(format!("AWS did not assign {}", desired.target()), error)
            })
    }
}

impl Step for AccountAssignments {
    fn id(&self) -> StepId {
        StepId::new("account-assignments")
    }

    fn title(&self) -> String {
        "Account assignments".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let desired_all = self.desired_all(cx).await?;
            let mut present = Current {
                center: super::assigning_center(&self.aws, cx),
                pairs: BTreeMap::new(),
                principals: BTreeMap::new(),
            };
            let mut changes = Vec::new();
            for desired in &desired_all {
                let (principal, assigned) = present.lookup(self, desired, cx).await?;
                if assigned {
                    // It is there, whoever has seen to it: what was underway for it is over.
                    cx.update_facts(|facts| {
                        facts.pending_operations.remove(&operation_key(desired))
                    });
                    continue;
                }
                let principal = principal.as_ref().map(id_of);
                changes.push(Change::new(Action::Create, desired.target()).with_value(
                    "principal",
                    Value::known_or_after(principal, &StepId::new("arrival")),
                ));
            }
            Ok(Planned {
                changes,
                notes: present.others(&desired_all),
            })
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let desired_all = self.desired_all(cx).await?;
            let desired = desired_all
                .iter()
                .find(|desired| desired.target() == change.target)
                .ok_or_else(|| unknown_change(&self.id(), change))?;
            let center = super::needed_center(&self.aws, cx)?;
            let key = operation_key(desired);
            let Some(id) = cx.facts(|facts| facts.pending_operations.get(&key).cloned()) else {
                let operation = self.start(&center, desired, change, cx).await?;
                cx.update_facts(|facts| facts.pending_operations.insert(key, operation.id));
                return Ok(Applied::waiting(format!(
                    "AWS to assign {}",
                    desired.target()
                )));
            };
            let status = center
                .assignments()
                .status(&Operation {
                    kind: OperationKind::Create,
                    id,
                })
                .await;
            let status = match status {
                // AWS forgets operations after a while; whether the assignment is there, the next plan sees.
                Err(error) if error.is_not_found() => OperationStatus::Failed {
                    reason: Some("AWS does not know the operation any more".to_owned()),
                },
                status => status.map_err(|error| {
                    Error::service(
                        format!("how far {} is could not be read", desired.target()),
                        error,
                    )
                })?,
            };
            if status == OperationStatus::InProgress {
                return Ok(Applied::waiting(format!(
                    "AWS to assign {}",
                    desired.target()
                )));
            }
            cx.update_facts(|facts| facts.pending_operations.remove(&key));
            match status {
                OperationStatus::Failed { reason } => Err(Error::new(
                    ErrorKind::Service,
                    format!(
                        "AWS could not assign {}: {}",
                        desired.target(),
                        reason.as_deref().unwrap_or("no reason given")
                    ),
                )
                .with_help("see to the reason, then run again")),
                // An id that was left over from an earlier assignment says nothing about this one.
                _ if self.is_assigned(&center, desired, change, cx).await? => Ok(Applied::Done),
                _ => Ok(Applied::waiting(format!(
                    "AWS to show {}",
                    desired.target()
                ))),
            }
        })
    }

    /// AWS takes 10 to 15 assignments at a time (Identity Center quotas); a few are left to other tools.
    fn parallelism(&self) -> usize {
        8
    }
}

fn operation_key(desired: &Desired) -> String {
    format!("assignment {}", desired.target())
}

fn id_of(principal: &Principal) -> String {
    match principal {
        Principal::User(id) => id.to_string(),
        Principal::Group(id) => id.to_string(),
    }
}

/// What is assigned now, asked once for each account and permission set.
struct Current {
    center: Option<IdentityCenter>,
    pairs: BTreeMap<(AccountId, PermissionSetArn), Vec<Principal>>,
    principals: BTreeMap<PrincipalSpec, Option<Principal>>,
}

impl Current {
    /// Who else has these permission sets in these accounts: they keep them.
    fn others(&self, desired_all: &[Desired]) -> Vec<String> {
        let ours: BTreeSet<&Principal> = self.principals.values().flatten().collect();
        let mut notes = Vec::new();
        for ((account, set), principals) in &self.pairs {
            let others: Vec<String> = principals
                .iter()
                .filter(|principal| !ours.contains(principal))
                .map(id_of)
                .collect();
            if !others.is_empty() {
                let name = desired_all
                    .iter()
                    .find(|desired| desired.account == *account)
                    .map_or("", |desired| &desired.account_name);
                notes.push(format!(
                    "others have {set} in {name} ({account}) too, and keep it: {}",
                    others.join(", ")
                ));
            }
        }
        notes
    }

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
            let principal = step.principal(center, &desired.principal, cx).await?;
            self.principals.insert(desired.principal.clone(), principal);
        }
        let principal = self.principals[&desired.principal].clone();
        let arn = cx.facts(|facts| facts.permission_sets.get(&desired.permission_set).cloned());
        let (Some(principal), Some(arn)) = (&principal, arn) else {
            return Ok((principal, false));
        };
        let pair = (desired.account.clone(), arn);
        if !self.pairs.contains_key(&pair) {
            let principals =
                center
                    .assignments()
                    .list(&pair.0, &pair.1)
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
