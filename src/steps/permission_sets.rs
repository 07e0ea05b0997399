//! Step `permission-sets`: the permission sets exist as the blueprint describes them.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use aws_sso_glue::{
    AccountId, Aws, IdentityCenter, NewPermissionSet, OperationStatus, Partition, PermissionSet,
    PermissionSetContents, RequestId, UpdatePermissionSet,
};
use futures::future::BoxFuture;

use super::{
    adoption::{must_adopt, record_owned},
    caller::{self, ManagementOnly},
    estate::{InstanceReads, SetInAws, outdated_accounts},
    ids, lookup,
    operations::Operations,
    retired_sets::SetOwner,
    set_contents::{
        adds_limit, adoption, boundary, contents_digest, create_changes, other_policies,
        update_changes,
    },
};
use crate::{
    access::AccessQuery,
    blueprint::{Blueprint, Ownership, PermissionSetSpec},
    context::Context,
    drift::{Drift, DriftCode, DriftFinding},
    error::{Error, ErrorKind, Result},
    event::ReadPart,
    plan::{Action, Change, Kind, Name, Note, PolicyRef, StepId, Subject},
    state::Facts,
    step::{Applied, Planned, Step, unknown_change},
};

/// Creates and updates the permission sets of the blueprint, and provisions changes into the accounts.
///
/// The blueprint may name a permission set without describing it. Such a set is created if it does not exist. An existing
/// set is adopted with the contents that the plan shows. It is not changed, unless it has no policy, because an interrupted run or another tool has left it incomplete.
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

    /// Creates the permission set, or returns the existing one.
    async fn create(&self, name: &str, desired: &Desired, cx: &Context) -> Result<Applied> {
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let set = if let Some(set) = find(&center, name).await? {
            set
        } else {
            let new = NewPermissionSet {
                name: name.to_owned(),
                description: desired.set.description.clone(),
                session_duration: desired.set.session_duration.clone(),
                relay_state: desired.set.relay_state.clone(),
                tags: desired.set.tags.clone(),
            };
            // The ledger gets the set before AWS creates it, so that a crash right after the creation does not lose it.
            cx.update_ledger(|ledger| ledger.permission_sets.start(name));
            cx.checkpoint().await?;
            let created = center.permission_sets().create(&new).await;
            created.map_err(|error| {
                if !error.may_have_acted() {
                    cx.update_ledger(|ledger| ledger.permission_sets.remove(name));
                }
                failed(name, "created", error)
            })?
        };
        cx.update_ledger(|ledger| {
            if ledger.permission_sets.has_started(name) {
                ledger.permission_sets.insert(name, &set.arn);
            }
        });
        cx.update_facts(|facts| facts.permission_sets.insert(name.to_owned(), set.arn));
        record_owned(cx, &Subject::permission_set(name));
        Ok(Applied::Done)
    }

    /// Records that the permission set is the one of the blueprint.
    async fn adopt(&self, name: &str, desired: &Desired, cx: &Context) -> Result<Applied> {
        let (_, set) = self.require(name, cx).await?;
        if self.blueprint.ownership.adopt && !desired.set.existing {
            cx.update_ledger(|ledger| ledger.permission_sets.insert(name, &set.arn));
        }
        cx.update_facts(|facts| facts.permission_sets.insert(name.to_owned(), set.arn));
        record_owned(cx, &Subject::permission_set(name));
        Ok(Applied::Done)
    }

    /// Changes the properties and tags of the permission set.
    async fn update(&self, name: &str, desired: &Desired, cx: &Context) -> Result<Applied> {
        let (center, set) = self.require(name, cx).await?;
        let change = UpdatePermissionSet {
            description: desired.set.description.clone(),
            session_duration: desired.set.session_duration.clone(),
            relay_state: desired.set.relay_state.clone(),
        };
        let sets = center.permission_sets();
        let updated = sets.update(&set.arn, &change).await;
        updated.map_err(|error| failed(name, "updated", error))?;
        if !desired.set.tags.is_empty() {
            let tags = desired.set.tags.iter();
            let tags = tags.map(|(key, value)| (key.as_str(), value.as_str()));
            let tagged = sets.tag(&set.arn, tags).await;
            tagged.map_err(|error| failed(name, "tagged", error))?;
        }
        Ok(Applied::Done)
    }

    /// Makes one policy of the permission set as the blueprint has it: attached with this content, or not attached.
    async fn set_policy(
        &self,
        name: &str,
        desired: &Desired,
        policy: &PolicyRef,
        cx: &Context,
    ) -> Result<Applied> {
        let (center, set) = self.require(name, cx).await?;
        let sets = center.permission_sets();
        let written = match policy {
            PolicyRef::Managed { arn }
                if desired.set.managed_policies.iter().any(|p| **p == **arn) =>
            {
                sets.attach_managed_policy(&set.arn, arn).await
            }
            PolicyRef::Managed { arn } => sets.detach_managed_policy(&set.arn, arn).await,
            PolicyRef::Inline {} => match &desired.set.inline_policy {
                Some(policy) => sets.put_inline_policy(&set.arn, policy).await,
                None => sets.delete_inline_policy(&set.arn).await,
            },
            PolicyRef::CustomerManaged { name, path } => {
                let policy = format!("{}{}", &**path, &**name);
                if desired.set.customer_managed_policies.contains(&policy) {
                    sets.attach_customer_managed_policy(&set.arn, &policy).await
                } else {
                    sets.detach_customer_managed_policy(&set.arn, &policy).await
                }
            }
            PolicyRef::Boundary {} => match boundary(&desired.set) {
                Some(boundary) => sets.put_boundary(&set.arn, &boundary).await,
                None => sets.delete_boundary(&set.arn).await,
            },
        };
        written.map_err(|error| {
            let summary = format!("AWS did not change {policy} of permission set {name}");
            Error::service(summary, error)
        })?;
        Ok(Applied::Done)
    }

    /// Returns the permission set, which an earlier change of its chain has created.
    async fn require(&self, name: &str, cx: &Context) -> Result<(IdentityCenter, PermissionSet)> {
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let set = find(&center, name).await?.ok_or_else(|| {
            lookup::missing_prerequisite(&format!("permission set {name}"), &ids::PERMISSION_SETS)
        })?;
        Ok((center, set))
    }

    /// Provisions the permission set into its accounts: starts the operation of this run, or checks it.
    ///
    /// A change has no effect in an account before AWS has provisioned the set there.
    async fn provision(&self, name: &str, subject: &Subject, cx: &Context) -> Result<Applied> {
        let (center, set) = self.require(name, cx).await?;
        let sets = center.permission_sets();
        let waiting = || {
            Applied::waiting(format!(
                "permission set {name} to be provisioned into its accounts"
            ))
        };
        let operations = cx.run_memory::<Operations<RequestId>>();
        let Some(operation) = operations.get(subject) else {
            let accounts = sets.accounts(&set.arn).try_collect().await;
            if accounts
                .map_err(|error| failed(name, "provisioned", error))?
                .is_empty()
            {
                return Ok(Applied::Done);
            }
            let operation = sets.start_provisioning(&set.arn).await;
            let operation = operation.map_err(|error| failed(name, "provisioned", error))?;
            operations.insert(subject, operation);
            return Ok(waiting());
        };
        let status = match sets.provisioning_status(&operation).await {
            Ok(OperationStatus::InProgress) => return Ok(waiting()),
            Ok(status) => status,
            // AWS deletes operations after some time, but still lists the outdated accounts.
            Err(error) if error.is_not_found() => {
                operations.remove(subject);
                let outdated = outdated_accounts(&center, &set).await?;
                return Ok(if outdated.is_empty() {
                    Applied::Done
                } else {
                    waiting()
                });
            }
            Err(error) => {
                let summary =
                    format!("the provisioning status of permission set {name} could not be read");
                return Err(Error::service(summary, error));
            }
        };
        operations.remove(subject);
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
fn provisioning_change(name: &str, accounts: &[AccountId]) -> Change {
    let subject = Subject::Provisioning {
        permission_set: name.into(),
    };
    let mut ids: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    ids.sort_unstable();
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
                    planned.create(name, desired);
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
                        planned.create(name, desired);
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
                        let planned_set =
                            plan_existing(&reads, desired, current, adopts, &mut planned, cx).await;
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
            let unknown = || unknown_change(&self.id(), change);
            let name = set_name(change).ok_or_else(unknown)?;
            let desired = self.desired(&lookup::partition(&self.aws, cx));
            let desired = desired.get(&**name).ok_or_else(unknown)?;
            if let Some(reads) = InstanceReads::new(&self.aws, cx) {
                match &change.subject {
                    Subject::PermissionSet { .. } => reads.permission_sets_changed(),
                    _ => reads.set_changed(name),
                }
            }
            match (&change.subject, change.action) {
                (Subject::PermissionSet { .. }, Action::Create) => {
                    self.create(name, desired, cx).await
                }
                (Subject::PermissionSet { .. }, Action::Adopt) => {
                    self.adopt(name, desired, cx).await
                }
                (Subject::PermissionSet { .. }, _) => self.update(name, desired, cx).await,
                (Subject::Policy { policy, .. }, _) => {
                    self.set_policy(name, desired, policy, cx).await
                }
                (Subject::Provisioning { .. }, _) => {
                    self.provision(name, &change.subject, cx).await
                }
                _ => Err(unknown()),
            }
        })
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
            let others = match self.blueprint.ownership.permission_sets {
                Ownership::Add => None,
                _ => Some(cx.other_ledgers().await?),
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
    fn create(&mut self, name: &str, desired: &Desired) {
        match desired.unusable(name, false) {
            Some(error) => self.problem(Subject::permission_set(name), &error),
            None => self.changes.extend(create_changes(name, &desired.set)),
        }
    }
}

/// Plans a permission set that exists.
async fn plan_existing(
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
    if !needed.is_empty() && current.read_at < cx.started() {
        let with_tags = !desired.set.tags.is_empty();
        if let Some(now) = reads.set_now(arn, with_tags).await? {
            current = now;
            needed = changes(&current);
        }
    }
    let may_change = desired.may_change(&current.contents);
    // After a change, every account with the set is outdated.
    let accounts = if needed.is_empty() {
        current.outdated.clone()
    } else {
        let sets = reads.center().permission_sets();
        let accounts = sets.accounts(arn).try_collect().await;
        accounts.map_err(|error| failed(name, "read", error))?
    };
    let is_recorded = |facts: &Facts| facts.permission_sets.get(name) == Some(arn);
    if adopts || must_adopt(cx, &Subject::permission_set(name), is_recorded) {
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
    if may_change {
        planned.changes.push(provisioning_change(name, &accounts));
    } else {
        planned.notes.push(not_provisioned(name, &accounts));
    }
    Ok(())
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
