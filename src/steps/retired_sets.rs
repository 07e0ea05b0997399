//! Step `retired-permission-sets`: the instance has no permission set that the ownership of the blueprint removes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_sso_glue::{
    AccountId, Assignment, Aws, IdentityCenter, PermissionSetArn,
    estate::{PermissionSetTable, Principals, SetInEstate},
};
use futures::future::BoxFuture;

use super::{
    access_drift::account_text,
    caller::{self, ManagementOnly},
    estate::{InstanceReads, SHARED},
    ids, lookup,
    owned_access::principal_text,
    permission_sets::owner::Other,
};
use crate::{
    access::AccessQuery,
    batch::Waiting,
    blueprint::{Blueprint, Expansion, Ownership},
    context::Context,
    drift::Drift,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, Note, StepId, Subject, Value},
    state::{Ledger, OtherLedgers},
    step::{Applied, Planned, Step, unknown_change},
    text::abbreviated,
};

/// Deletes the permission sets that `ownership.permission_sets` of the blueprint removes, and those that it has renamed.
///
/// A set is deleted only if the plan keeps none of its assignments. The step `account-assignments` removes them first; then the
/// step waits until no account has the set.
#[derive(Clone, Debug)]
pub struct RetiredPermissionSets {
    aws: Aws,
    blueprint: Blueprint,
}

/// Why a permission set is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// A run of the blueprint has created it, and the blueprint no longer names it.
    NoLongerNamed,
    /// It is in the scope of mode `exclusive`.
    NotInBlueprint,
    /// The blueprint has another name for it.
    Renamed,
}

/// Why a permission set stays that the ownership would remove.
enum Kept<'a> {
    Protected,
    /// The runs of another blueprint have created it.
    Other(&'a str),
}

/// Decides about the permission sets that the blueprint does not name.
pub(super) struct SetOwner<'a> {
    blueprint: &'a Blueprint,
    named: BTreeSet<String>,
    ledger: Option<&'a Ledger>,
    others: Option<&'a OtherLedgers>,
}

impl<'a> SetOwner<'a> {
    pub(super) fn new(
        blueprint: &'a Blueprint,
        ledger: Option<&'a Ledger>,
        others: Option<&'a OtherLedgers>,
    ) -> Self {
        Self {
            blueprint,
            named: blueprint.desired_permission_sets().into_keys().collect(),
            ledger,
            others,
        }
    }

    /// Returns why the ownership removes a set; `None` if it does not.
    fn reason(&self, set: &SetInEstate) -> Option<Reason> {
        if self.named.contains(&set.name) {
            return None;
        }
        let is_ours = || {
            let ledger = self.ledger;
            ledger.is_some_and(|ledger| ledger.permission_sets.contains(&set.name, &set.arn))
        };
        let mut renamed = self.blueprint.renamed_sets();
        if renamed.any(|(old, _new)| old == set.name) {
            return Some(Reason::Renamed);
        }
        match self.blueprint.ownership.permission_sets {
            Ownership::Managed | Ownership::Exclusive if is_ours() => Some(Reason::NoLongerNamed),
            Ownership::Exclusive if self.blueprint.scope.has_permission_set(&set.name) => {
                Some(Reason::NotInBlueprint)
            }
            _ => None,
        }
    }

    /// Returns why a set stays that the ownership would remove.
    fn kept(&self, set: &SetInEstate) -> Option<Kept<'a>> {
        if self.blueprint.protect.has_permission_set(&set.name) {
            return Some(Kept::Protected);
        }
        let has = |ledger: &Ledger| ledger.permission_sets.contains(&set.name, &set.arn);
        self.others?.owner(has).map(Kept::Other)
    }

    /// Returns whether the next run deletes a set once it has no assignments.
    pub(super) fn removes(&self, set: &SetInEstate) -> bool {
        self.reason(set).is_some() && self.kept(set).is_none()
    }
}

/// The assignments that the step `account-assignments` removes in this context.
#[derive(Default)]
pub(super) struct RemovedAssignments(Mutex<Removals>);

#[derive(Default)]
struct Removals {
    planned: BTreeSet<Assignment>,
    made: BTreeSet<Assignment>,
}

impl RemovedAssignments {
    /// Sets the assignments that a plan removes.
    pub(super) fn plan(&self, planned: BTreeSet<Assignment>) {
        self.lock().planned = planned;
    }

    /// Records that AWS has removed an assignment.
    pub(super) fn made(&self, assignment: &Assignment) {
        self.lock().made.insert(assignment.clone());
    }

    fn lock(&self) -> MutexGuard<'_, Removals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of users, groups and accounts.
struct Names<'a> {
    principals: &'a Principals,
    access: &'a Expansion,
}

impl Names<'_> {
    /// Returns the users and groups with a set, and their accounts.
    fn of(&self, assignments: &[Assignment]) -> String {
        let names = assignments.iter().map(|one| {
            let account = self.access.organization().account(&one.account);
            let principal = principal_text(self.principals, &one.principal);
            format!("{principal} in {}", account_text(&one.account, account))
        });
        abbreviated(&names.collect::<Vec<_>>(), MAX_NAMES)
    }
}

impl RetiredPermissionSets {
    /// Creates the step for the ownership of a blueprint.
    #[must_use]
    pub fn new(aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    /// Plans the deletion of a set, or adds a note with the assignments for which it stays.
    async fn plan_deletion(
        &self,
        reads: &InstanceReads<'_>,
        set: &SetInEstate,
        reason: Reason,
        names: &Names<'_>,
        planned: &mut Planned,
        cx: &Context,
    ) -> Result<()> {
        let subject = Subject::permission_set(set.name.clone());
        let accounts = accounts(reads.center(), &set.name, &set.arn).await?;
        let mut kept = assignments(reads.center(), &set.name, &set.arn, &accounts).await?;
        let removed = cx.run_memory::<RemovedAssignments>();
        kept.retain(|one| !removed.lock().planned.contains(one));
        if !kept.is_empty() {
            let text = format!(
                "permission set {} is not in the blueprint and is kept, because the plan keeps its assignments: {}",
                set.name,
                names.of(&kept)
            );
            planned
                .notes
                .push(Note::new("permission-set-in-use", text).about(subject));
            return Ok(());
        }
        let why = match reason {
            Reason::NoLongerNamed => Note::new(
                "no-longer-named",
                "an earlier run has created it, and the blueprint no longer names it",
            ),
            Reason::NotInBlueprint => {
                Note::new("not-in-blueprint", "the blueprint does not name it")
            }
            Reason::Renamed => Note::new("renamed", "the blueprint has another name for it"),
        };
        let arn = Value::Known(set.arn.to_string());
        let change = Change::new(Action::Remove, subject).field(ARN, arn, Value::Absent);
        planned.changes.push(change.because(why));
        Ok(())
    }

    /// Deletes the set of a change, unless an account still has it.
    async fn delete(&self, change: &Change, cx: &Context) -> Result<Applied> {
        let unknown = || unknown_change(&self.id(), change);
        let Subject::PermissionSet { name } = &change.subject else {
            return Err(unknown());
        };
        let arn = change.fields.iter().find(|field| field.name == ARN);
        let arn = match arn.map(|field| &field.before) {
            Some(Value::Known(arn)) => PermissionSetArn::parse(arn).ok(),
            _ => None,
        };
        let arn = arn.ok_or_else(unknown)?;
        let reads = InstanceReads::new(&self.aws, cx)
            .ok_or_else(|| lookup::missing_prerequisite("the instance", &ids::IDENTITY_CENTER))?;
        let center = reads.center();
        let left = accounts(center, name, &arn).await?;
        if !left.is_empty() {
            self.require_removed(&reads, name, &arn, &left, cx).await?;
            return Ok(Applied::Waiting(Waiting {
                on: format!("permission set {name} to be removed from its accounts"),
                missing: left.iter().map(ToString::to_string).collect(),
            }));
        }
        if let Err(error) = center.permission_sets().delete(&arn).await {
            let is_conflict = error.is_conflict();
            let summary = format!("AWS did not delete permission set {name}");
            let error = Error::service(summary, error);
            if !is_conflict {
                return Err(error);
            }
            let left = accounts(center, name, &arn).await?;
            let left: Vec<String> = left.iter().map(ToString::to_string).collect();
            let help = if left.is_empty() {
                "AWS still uses the set, and lists no account that has it: run again".to_owned()
            } else {
                format!(
                    "these accounts still have the set: {}; run again once AWS has removed it there",
                    left.join(", ")
                )
            };
            return Err(error.with_help(help));
        }
        reads.permission_sets_changed();
        cx.update_facts(|facts| {
            if facts.permission_sets.get(&**name) == Some(&arn) {
                facts.permission_sets.remove(&**name);
            }
            facts.set_names.remove(&arn);
        });
        cx.update_ledger(|ledger| ledger.permission_sets.remove(name));
        Ok(Applied::Done)
    }

    /// Fails if an account has an assignment of the set that this run has not removed: waiting for it would not help.
    async fn require_removed(
        &self,
        reads: &InstanceReads<'_>,
        name: &str,
        arn: &PermissionSetArn,
        accounts: &[AccountId],
        cx: &Context,
    ) -> Result<()> {
        let mut left = assignments(reads.center(), name, arn, accounts).await?;
        let removed = cx.run_memory::<RemovedAssignments>();
        left.retain(|one| !removed.lock().made.contains(one));
        if left.is_empty() {
            return Ok(());
        }
        let principals = reads.principals(SHARED).await?;
        let access = lookup::access(&self.aws, &self.blueprint, cx).await?;
        let names = Names {
            principals: &principals,
            access: &access,
        };
        let message = format!(
            "permission set {name} cannot be deleted, because it still has assignments: {}",
            names.of(&left)
        );
        Err(Error::new(ErrorKind::UnusableSubject, message)
            .with_help("look at the problems of these assignments, then run again"))
    }

    async fn plan_sets(
        &self,
        reads: &InstanceReads<'_>,
        sets: &PermissionSetTable,
        planned: &mut Planned,
        cx: &Context,
    ) -> Result<()> {
        let ledger = cx.ledger()?;
        let others = Some(cx.other_ledgers().await?);
        let owner = SetOwner::new(&self.blueprint, ledger.as_deref(), others);
        let management = ManagementOnly::read(&self.aws, cx).await?;
        let principals = reads.principals(SHARED).await?;
        let access = lookup::access(&self.aws, &self.blueprint, cx).await?;
        let names = Names {
            principals: &principals,
            access: &access,
        };
        let mut sets: Vec<&SetInEstate> = sets.iter().collect();
        sets.sort_by(|one, other| one.name.cmp(&other.name));
        for set in sets {
            let Some(reason) = owner.reason(set) else {
                continue;
            };
            let subject = Subject::permission_set(set.name.clone());
            let note = |code, why: String| {
                let text = format!(
                    "permission set {} is not in the blueprint and is kept: {why}",
                    set.name
                );
                Note::new(code, text).about(subject.clone())
            };
            match owner.kept(set) {
                Some(Kept::Protected) => {
                    planned
                        .notes
                        .push(note("protected-set", "it is protected".to_owned()));
                    continue;
                }
                Some(Kept::Other(other)) => {
                    let why = format!("blueprint {other} has created it");
                    planned.notes.push(note("set-of-another-blueprint", why));
                    continue;
                }
                None => {}
            }
            match tags(reads.center(), set).await {
                Ok(tags) => {
                    if let Some(other) = Other::of(&tags, &self.blueprint) {
                        let other = note("set-of-another-owner", other.reason());
                        planned.notes.push(other);
                        continue;
                    }
                }
                Err(error) => {
                    planned.problem(subject, &error);
                    continue;
                }
            }
            let first = planned.changes.len();
            let deletion = self.plan_deletion(reads, set, reason, &names, planned, cx);
            if let Err(error) = deletion.await {
                planned.problem(subject, &error);
            }
            if let Some(management) = &management {
                management.refuse_edits(planned, first, &set.name, &set.arn);
            }
        }
        Ok(())
    }
}

/// Returns the tags of a set, which tell its owner.
async fn tags(center: &IdentityCenter, set: &SetInEstate) -> Result<BTreeMap<String, String>> {
    let tags = center.permission_sets().tags(&set.arn).try_collect().await;
    let tags = tags.map_err(|error| {
        let summary = format!("the tags of permission set {} could not be read", set.name);
        Error::service(summary, error)
    })?;
    Ok(tags.into_iter().collect())
}

/// Returns the accounts that have a set. One that was deleted meanwhile has none.
async fn accounts(
    center: &IdentityCenter,
    name: &str,
    arn: &PermissionSetArn,
) -> Result<Vec<AccountId>> {
    match center.permission_sets().accounts(arn).try_collect().await {
        Ok(accounts) => Ok(accounts),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(Error::service(
            format!("the accounts of permission set {name} could not be listed"),
            error,
        )),
    }
}

/// Returns the assignments of a set in these accounts, also those of deleted users and groups.
async fn assignments(
    center: &IdentityCenter,
    name: &str,
    arn: &PermissionSetArn,
    accounts: &[AccountId],
) -> Result<Vec<Assignment>> {
    let mut found = BTreeSet::new();
    for account in accounts {
        let principals = center.assignments().list(account, arn).try_collect().await;
        let principals = principals.map_err(|error| {
            let summary = format!(
                "the assignments of permission set {name} in account {account} could not be listed"
            );
            Error::service(summary, error)
        })?;
        found.extend(principals.into_iter().map(|principal| Assignment {
            account: account.clone(),
            permission_set: arn.clone(),
            principal,
        }));
    }
    Ok(found.into_iter().collect())
}

impl Step for RetiredPermissionSets {
    fn id(&self) -> StepId {
        ids::RETIRED_PERMISSION_SETS
    }

    fn title(&self) -> String {
        "Permission sets that are no longer in the blueprint".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let mut planned = Planned::nothing();
            if !self.blueprint.may_delete_sets()
                || caller::without_permission_sets(cx).is_some()
                || lookup::assignable_identity_center(&self.aws, cx).is_none()
            {
                return Ok(planned);
            }
            let Some(reads) = InstanceReads::new(&self.aws, cx) else {
                return Ok(planned);
            };
            let sets = reads.permission_sets([]).await?;
            let total = sets.iter().count() as u64;
            planned.totals.insert(Kind::PermissionSet, total);
            self.plan_sets(&reads, &sets, &mut planned, cx).await?;
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(self.delete(change, cx))
    }

    /// The step `permission-sets` finds the sets that are not in the blueprint.
    fn drift<'a>(&'a self, _: &'a AccessQuery, _: &'a Context) -> BoxFuture<'a, Result<Drift>> {
        Box::pin(async { Ok(Drift::default()) })
    }

    /// Each set is independent of the others.
    fn chain(&self, change: &Change) -> Option<Subject> {
        Some(change.subject.clone())
    }

    fn parallelism(&self) -> usize {
        4
    }
}

/// The name of the field with the ARN of a set.
const ARN: &str = "ARN";

/// Maximum number of assignments that a note names.
const MAX_NAMES: usize = 10;
