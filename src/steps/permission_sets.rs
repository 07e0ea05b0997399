//! Step `permission-sets`: the permission sets exist as the blueprint describes them.

mod apply;
mod edits;
pub(super) mod owner;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sso_glue::{
    AccountId, AccountState, Aws, IdentityCenter, Partition, PermissionSet, PermissionSetContents,
};
use futures::future::BoxFuture;

use super::{
    adoption::must_adopt,
    caller::{self, ManagementOnly},
    estate::{InstanceReads, SetInAws},
    ids, lookup,
    retired_sets::SetOwner,
    set_contents::{
        adds_limit, adoption, contents_digest, create_changes, other_policies, update_changes,
    },
};
use crate::{
    access::AccessQuery,
    batch::Batch,
    blueprint::{Blueprint, OWNER_TAG, PermissionSetSpec, account_name},
    context::Context,
    drift::{Drift, DriftCode, DriftFinding},
    error::{Error, ErrorKind, Result},
    event::ReadPart,
    plan::{Action, Change, Kind, Name, Note, StepId, Subject},
    state::Facts,
    step::{Applied, Planned, Step},
};
use owner::Other;

/// Creates and updates the permission sets of the blueprint, and provisions changes into the accounts.
///
/// The blueprint may name a permission set without describing it. Such a set is created if it does not exist. An existing
/// set is adopted with the contents that the plan shows. It is not changed, unless it has no policy, because an interrupted run or another tool has left it incomplete.
///
/// A created set has the tag `okta-aws-sso:blueprint` with the name of the blueprint. A set with the tag of another blueprint, and a
/// set that is tagged `managedBy = ControlTower`, is not edited.
///
/// The edits of a set come first, one after the other. A full set loses a policy for each new one. If an edit fails, the set is not
/// provisioned and gets no assignment, so that no account gets less than before.
#[derive(Clone, Debug)]
pub struct PermissionSets {
    aws: Aws,
    blueprint: Blueprint,
    /// The permission sets as the commercial partition has them.
    commercial: BTreeMap<String, Desired>,
}

/// A permission set that the blueprint asks for.
#[derive(Clone, Debug)]
struct Desired {
    set: PermissionSetSpec,
    /// Whether the blueprint describes the set, instead of only naming it.
    described: bool,
    /// The problem of a policy that is in another partition than the instance: the message, and what to do.
    foreign_policy: Option<(String, String)>,
}

impl Desired {
    /// Returns whether the step may change the set: the blueprint describes it, or it has no policy.
    fn may_change(&self, current: &PermissionSetContents) -> bool {
        self.described || !self.set.existing && current.has_no_policy()
    }

    /// Returns whether the set has exactly what the blueprint says of it, when the step has nothing to change.
    fn is_as_said(&self, current: &PermissionSetContents) -> bool {
        self.described || !self.set.existing && other_policies(&self.set, current).is_none()
    }

    /// Returns the error for a set that the step must not create or cannot write as the blueprint describes it.
    fn unusable(&self, name: &str, exists: bool) -> Option<Error> {
        if self.set.existing && !exists {
            let message = format!(
                "permission set {name} does not exist, and the blueprint has `existing = true` for it"
            );
            return Some(
                Error::new(ErrorKind::UnusableSubject, message).with_help(
                    "create the set, or describe it in the blueprint without `existing`",
                ),
            );
        }
        self.foreign_policy.as_ref().map(|(message, help)| {
            let message = format!("permission set {name} cannot be written: {message}");
            Error::new(ErrorKind::UnusableSubject, message).with_help(help.clone())
        })
    }

    /// Returns a note about a set that is used unchanged and has other policies than expected.
    fn note(&self, name: &str, current: &PermissionSetContents) -> Option<Note> {
        if self.may_change(current) {
            return None;
        }
        let has = other_policies(&self.set, current)?;
        let text = format!(
            "permission set {name} already exists and is used unchanged: it has {has}; to change it, describe it in the blueprint"
        );
        Some(Note::new("used-unchanged", text).about(Subject::permission_set(name)))
    }
}

impl PermissionSets {
    /// Creates the step for the permission sets of a blueprint.
    #[must_use]
    pub fn new(aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            aws: aws.clone(),
            commercial: desired(blueprint, &Partition::Aws),
            blueprint: blueprint.clone(),
        }
    }

    /// Returns the permission sets as this partition has them.
    fn desired(&self, partition: &Partition) -> Cow<'_, BTreeMap<String, Desired>> {
        match partition {
            Partition::Aws => Cow::Borrowed(&self.commercial),
            _ => Cow::Owned(desired(&self.blueprint, partition)),
        }
    }

    /// Plans a permission set that exists.
    async fn plan_existing(
        &self,
        reads: &InstanceReads<'_>,
        desired: &Desired,
        mut current: Arc<SetInAws>,
        adopts: bool,
        planned: &mut Planned,
        cx: &Context,
    ) -> Result<()> {
        let set = current.contents.set.clone();
        let (name, arn) = (&*set.name, &set.arn);
        let changes = |current: &SetInAws| {
            if desired.may_change(&current.contents) {
                update_changes(name, &desired.set, &current.contents)
            } else {
                Vec::new()
            }
        };
        let mut needed = changes(&current);
        // A set that is about to be changed is read again, because the shared read may be some minutes old.
        if !needed.is_empty()
            && current.read_at < cx.started()
            && let Some(now) = reads.set_now(arn, true).await?
        {
            current = now;
            needed = changes(&current);
        }
        let mut may_change = desired.may_change(&current.contents);
        if may_change && (!needed.is_empty() || !current.outdated.is_empty()) {
            let other = self.other_owner(reads, &current).await?;
            match other {
                Some(other) if desired.described => {
                    planned.problem(Subject::permission_set(name), &other.error(&set));
                    return Ok(());
                }
                Some(other) => {
                    planned.notes.push(other.note(&set));
                    may_change = false;
                    needed.clear();
                }
                None => {}
            }
        }
        // After a change, every account with the set is outdated.
        let accounts = if needed.is_empty() {
            current.outdated.clone()
        } else {
            let sets = reads.center().permission_sets();
            let accounts = sets.accounts(arn).try_collect().await;
            accounts.map_err(|error| failed(name, "read", error))?
        };
        // A set that is exactly as the blueprint says needs no adoption: the reader of the plan has nothing to decide.
        let is_as_said = needed.is_empty() && desired.is_as_said(&current.contents);
        let is_recorded = |facts: &Facts| facts.permission_sets.get(name) == Some(arn);
        let subject = Subject::permission_set(name);
        if adopts || !is_as_said && must_adopt(cx, &subject, is_recorded) {
            planned.changes.push(adoption(&current.contents));
        }
        planned.notes.extend(desired.note(name, &current.contents));
        if desired.set.existing {
            let digest = contents_digest(&current.contents);
            cx.update_facts(|facts| facts.existing_sets.insert(name.to_owned(), digest));
        }
        if accounts.is_empty() {
            // No account has the set, so a policy that denies takes no access away. An interrupted run leaves such a set, and the
            // next run has to complete it.
            let added = needed.iter_mut().filter(|change| adds_limit(change));
            added.for_each(|change| change.action = Action::Create);
        }
        planned.changes.extend(needed);
        if accounts.is_empty() {
            return Ok(());
        }
        if !may_change {
            planned.notes.push(not_provisioned(name, &accounts));
            return Ok(());
        }
        let (active, others) = self.active(accounts, cx).await;
        if !active.is_empty() {
            planned.changes.push(provisioning_change(name, &active));
        }
        if !others.is_empty() {
            planned.notes.push(left_out(name, &others));
        }
        Ok(())
    }

    /// Returns the owner of a set that is about to be changed, if it is not the blueprint.
    async fn other_owner(
        &self,
        reads: &InstanceReads<'_>,
        set: &SetInAws,
    ) -> Result<Option<Other>> {
        if let Some(tags) = &set.contents.tags {
            return Ok(Other::of(tags, &self.blueprint));
        }
        let PermissionSet { arn, name, .. } = &set.contents.set;
        let tags = reads.center().permission_sets().tags(arn).try_collect();
        let tags = tags.await.map_err(|error| {
            Error::service(
                format!("the tags of permission set {name} could not be read"),
                error,
            )
        })?;
        Ok(Other::of(&tags.into_iter().collect(), &self.blueprint))
    }

    /// Splits accounts into those that AWS can change, and the texts of the others. If the accounts cannot be listed, AWS
    /// decides.
    async fn active(
        &self,
        accounts: Vec<AccountId>,
        cx: &Context,
    ) -> (BTreeSet<AccountId>, Vec<String>) {
        // A box, because the future is large.
        let access = Box::pin(lookup::access(&self.aws, &self.blueprint, cx)).await;
        let Ok(access) = access else {
            return (accounts.into_iter().collect(), Vec::new());
        };
        let mut others = Vec::new();
        let mut active = BTreeSet::new();
        for id in accounts {
            match access.organization().account(&id) {
                Some(account) if account.state == AccountState::Active => _ = active.insert(id),
                Some(account) => others.push(account_name(account)),
                None => others.push(format!("{id}, which is not in the organization")),
            }
        }
        (active, others)
    }
}

/// Returns the permission sets of a blueprint as a partition has them.
fn desired(blueprint: &Blueprint, partition: &Partition) -> BTreeMap<String, Desired> {
    let sets = blueprint.desired_permission_sets_in(partition).into_iter();
    let desired = sets.map(|(name, set)| {
        let described = blueprint.permission_sets.contains_key(&name) && !set.existing;
        let foreign_policy = set.foreign_policies(partition).next().map(|arn| {
            (
                format!("policy {arn} is in another partition of AWS than the instance, which is in {partition}"),
                format!("write the name of the policy, such as `ReadOnlyAccess`, or its ARN in this partition, `{}`", partition.managed_policy_arn("…")),
            )
        });
        let desired = Desired {
            set,
            described,
            foreign_policy,
        };
        (name, desired)
    });
    desired.collect()
}

fn failed(name: &str, action: &str, error: aws_sso_glue::Error) -> Error {
    Error::service(
        format!("permission set {name} could not be {action}"),
        error,
    )
}

async fn find(center: &IdentityCenter, name: &str) -> Result<Option<PermissionSet>> {
    center.permission_sets().find(name).await.map_err(|error| {
        Error::service(
            format!("permission set {name} could not be looked up"),
            error,
        )
    })
}

/// Returns the change that provisions a permission set into these accounts.
fn provisioning_change(name: &str, accounts: &BTreeSet<AccountId>) -> Change {
    let subject = Subject::Provisioning {
        permission_set: name.into(),
    };
    let ids: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    Change::new(Action::Update, subject).with("accounts", ids.join(", "))
}

impl Step for PermissionSets {
    fn id(&self) -> StepId {
        ids::PERMISSION_SETS
    }

    fn title(&self) -> String {
        "Permission sets".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::PermissionSet]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let partition = lookup::partition(&self.aws, cx);
            let desired_sets = self.desired(&partition);
            let mut planned = Planned {
                notes: self.blueprint.warnings_in(&partition),
                ..Planned::default()
            };
            if let Some(error) = caller::without_permission_sets(cx) {
                for name in desired_sets.keys() {
                    planned.problem(Subject::permission_set(name.clone()), &error);
                }
                return Ok(planned);
            }
            let reads = lookup::assignable_identity_center(&self.aws, cx)
                .and_then(|_assignable| InstanceReads::new(&self.aws, cx));
            let Some(reads) = reads else {
                for (name, desired) in &*desired_sets {
                    planned.create(name, desired, &self.blueprint);
                }
                return Ok(planned);
            };
            let ledger = cx.ledger()?;
            let management = ManagementOnly::read(&self.aws, cx).await?;
            planned
                .notes
                .extend(management.as_ref().and_then(ManagementOnly::note));
            let wanted = desired_sets.keys().map(String::as_str);
            let sets = reads.permission_sets(wanted).await?;
            let progress = cx.read_progress(ReadPart::PermissionSets);
            for (number, (name, desired)) in desired_sets.iter().enumerate() {
                progress(number + 1, desired_sets.len());
                let with_tags = !desired.set.tags.is_empty();
                let read = match sets.by_name(name) {
                    Some(found) => reads.set(found, with_tags).await,
                    None => Ok(None),
                };
                let planned_set = match read {
                    Ok(None) => {
                        cx.update_facts(|facts| facts.permission_sets.remove(name));
                        planned.create(name, desired, &self.blueprint);
                        continue;
                    }
                    Ok(Some(current)) => {
                        if let Some(error) = desired.unusable(name, true) {
                            planned.problem(Subject::permission_set(name.clone()), &error);
                            continue;
                        }
                        let arn = current.contents.set.arn.clone();
                        cx.update_facts(|facts| {
                            facts.permission_sets.insert(name.clone(), arn.clone())
                        });
                        let first = planned.changes.len();
                        let adopts = self.blueprint.ownership.adopt
                            && !desired.set.existing
                            && !ledger
                                .as_ref()
                                .is_some_and(|ledger| ledger.permission_sets.contains(name, &arn));
                        let planned_set = self
                            .plan_existing(&reads, desired, current, adopts, &mut planned, cx)
                            .await;
                        if let Some(management) = &management {
                            management.refuse_edits(&mut planned, first, name, &arn);
                        }
                        planned_set
                    }
                    Err(error) => Err(error),
                };
                if let Err(error) = planned_set {
                    planned.problem(Subject::permission_set(name.clone()), &error);
                }
            }
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            if matches!(change.subject, Subject::Provisioning { .. }) {
                return self.provision_one(change, cx).await;
            }
            self.change(change, cx).await?;
            Ok(Applied::Done)
        })
    }

    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.apply_batch(batch, cx))
    }

    fn drift<'a>(&'a self, _: &'a AccessQuery, cx: &'a Context) -> BoxFuture<'a, Result<Drift>> {
        Box::pin(async move {
            let mut drift = Drift::from(self.plan(cx).await?);
            let reads = lookup::assignable_identity_center(&self.aws, cx)
                .and_then(|_assignable| InstanceReads::new(&self.aws, cx));
            let Some(reads) = reads else {
                return Ok(drift);
            };
            let sets = reads.permission_sets([]).await?;
            let desired = self.desired(&lookup::partition(&self.aws, cx));
            let ledger = cx.ledger()?;
            let others = if self.blueprint.may_delete_sets() {
                Some(cx.other_ledgers().await?)
            } else {
                None
            };
            let owner = SetOwner::new(&self.blueprint, ledger.as_deref(), others);
            for set in sets.iter().filter(|set| !desired.contains_key(&set.name)) {
                let text = format!("permission set {} is not in the blueprint", set.name);
                let fix = if owner.removes(set) {
                    "the next run deletes the set, unless it keeps one of its assignments; to keep the set, add it to the blueprint: `existing = true` uses it unchanged"
                } else {
                    "delete the set in AWS, or add it to the blueprint: `existing = true` uses it unchanged"
                };
                drift.add(DriftFinding::new(
                    DriftCode::UnmanagedSet,
                    Subject::permission_set(set.name.clone()),
                    text,
                    fix,
                ));
            }
            let recorded = &cx.facts_at_start().existing_sets;
            cx.facts(|facts| {
                for (name, now) in &facts.existing_sets {
                    if recorded.get(name).is_some_and(|before| before != now) {
                        let text = format!(
                            "permission set {name}, which the blueprint only uses, gives something else than at the last run"
                        );
                        let fix = "review the set; the next run records what it gives";
                        drift.add(DriftFinding::new(
                            DriftCode::ExistingSetChanged,
                            Subject::permission_set(name.clone()),
                            text,
                            fix,
                        ));
                    }
                }
            });
            Ok(drift)
        })
    }

    /// The changes of one set depend on each other: a policy that is not attached keeps the old one from being detached.
    fn chain(&self, change: &Change) -> Option<Subject> {
        set_name(change).map(|name| Subject::permission_set(name.clone()))
    }
}

impl Planned {
    /// Plans a permission set that does not exist.
    fn create(&mut self, name: &str, desired: &Desired, blueprint: &Blueprint) {
        if let Some(error) = desired.unusable(name, false) {
            return self.problem(Subject::permission_set(name), &error);
        }
        let mut set = desired.set.clone();
        set.tags
            .insert(OWNER_TAG.to_owned(), blueprint.name().to_owned());
        self.changes.extend(create_changes(name, &set));
    }
}

/// Returns the name of the permission set that a change is about.
fn set_name(change: &Change) -> Option<&Name> {
    match &change.subject {
        Subject::PermissionSet { name } => Some(name),
        Subject::Policy { permission_set, .. } | Subject::Provisioning { permission_set } => {
            Some(permission_set)
        }
        _ => None,
    }
}

/// Returns the note about a permission set that others have changed and not provisioned. The blueprint does not describe
/// the set, so the step does not carry their changes into the accounts.
fn not_provisioned(name: &str, accounts: &[AccountId]) -> Note {
    let ids: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    let text = format!(
        "permission set {name} has changes that are not provisioned in {}: the blueprint only names the set, so this step does not provision them",
        ids.join(", ")
    );
    Note::new("not-provisioned", text).about(Subject::permission_set(name))
}

/// Returns the note about accounts that keep an earlier version of a set, because AWS changes active accounts only.
fn left_out(name: &str, accounts: &[String]) -> Note {
    let text = format!(
        "permission set {name} is not provisioned into accounts that are not active: {}",
        accounts.join(", ")
    );
    Note::new("not-active", text).about(Subject::permission_set(name))
}
