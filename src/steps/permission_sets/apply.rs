//! Applies the changes of permission sets: first the edits of each set, then the provisionings of all of them together.

use std::collections::{BTreeSet, HashMap};

use aws_sso_glue::{
    AccountId, FailedAccount, IdentityCenter, NewPermissionSet, PermissionSet, PermissionSetArn,
    ProvisioningEnd, ProvisioningEvent, ProvisioningRequest, UpdatePermissionSet,
};

use super::{
    Desired, PermissionSets,
    edits::{Edit, Move, order},
    failed, find, set_name,
};
use crate::{
    batch::{Batch, Waiting},
    blueprint::{Blueprint, OWNER_TAG, account_name},
    context::Context,
    error::{Error, ErrorKind, Result},
    outcome::{Cause, Outcome},
    plan::{Action, Change, PolicyRef, Subject},
    step::{Applied, Step as _, unknown_change},
    steps::{adoption::record_owned, estate::InstanceReads, ids, lookup, set_contents::boundary},
    text::abbreviated,
};

impl PermissionSets {
    /// Applies all changes. A set is provisioned only after all of its edits were made, and a set whose edits have failed gets
    /// no new assignment, which would provision it too.
    pub(super) async fn apply_batch(&self, batch: &Batch<'_>, cx: &Context) -> Result<()> {
        let mut provisionings = Vec::new();
        let mut sets: Vec<Vec<usize>> = Vec::new();
        let mut index_of: HashMap<Option<Subject>, usize> = HashMap::new();
        for (index, change) in batch.changes().iter().enumerate() {
            if is_provisioning(change) {
                provisionings.push(index);
                continue;
            }
            let set = *index_of.entry(self.chain(change)).or_insert_with(|| {
                sets.push(Vec::new());
                sets.len() - 1
            });
            sets[set].push(index);
        }
        // The numbers are read before the first edit, because an edit clears the shared reads.
        let mut attached = Vec::new();
        for edits in &sets {
            attached.push(self.attached(batch, edits, cx).await);
        }
        for (edits, attached) in sets.iter().zip(attached) {
            match attached {
                Ok(attached) => self.edit(batch, edits, attached, cx).await?,
                Err(error) => Self::cannot_edit(batch, edits, error).await?,
            }
        }
        self.provision(batch, &provisionings, cx).await
    }

    /// Makes the edits of one set, up to the first failure.
    async fn edit(
        &self,
        batch: &Batch<'_>,
        indexes: &[usize],
        attached: usize,
        cx: &Context,
    ) -> Result<()> {
        let edits = indexes.iter().map(|at| Edit::of(&batch.changes()[*at]));
        let edits: Vec<Edit> = edits.collect();
        let mut failed: Option<Subject> = None;
        for one in order(attached, &edits) {
            let skipped = match one {
                Move::One(at) => vec![indexes[at]],
                Move::Swap { detach, attach } => vec![indexes[detach], indexes[attach]],
            };
            if let Some(subject) = &failed {
                for index in skipped {
                    let because = Cause::Subject(subject.clone());
                    batch
                        .finish(index, Ok(Outcome::Skipped { because }))
                        .await?;
                }
                continue;
            }
            failed = match one {
                Move::One(at) => self.one(batch, indexes[at], cx).await?,
                Move::Swap { detach, attach } => {
                    self.swap(batch, indexes[detach], indexes[attach], cx)
                        .await?
                }
            };
        }
        Ok(())
    }

    /// Fails the first edit of a set, and skips the others.
    async fn cannot_edit(batch: &Batch<'_>, indexes: &[usize], error: Error) -> Result<()> {
        let mut error = Some(error);
        for index in indexes {
            if batch.start(*index).await?
                && let Some(error) = error.take()
            {
                batch.finish(*index, Err(error)).await?;
            }
        }
        Ok(())
    }

    /// Returns the number of policies that are attached to the set of these changes, if one is to be attached.
    async fn attached(&self, batch: &Batch<'_>, indexes: &[usize], cx: &Context) -> Result<usize> {
        let changes: Vec<&Change> = indexes.iter().map(|at| &batch.changes()[*at]).collect();
        let Some(name) = changes.first().and_then(|change| set_name(change)) else {
            return Ok(0);
        };
        let Some(reads) = InstanceReads::new(&self.aws, cx) else {
            return Ok(0);
        };
        let is_new = |change: &&Change| {
            change.action == Action::Create
                && matches!(change.subject, Subject::PermissionSet { .. })
        };
        let attaches = |change: &&Change| Edit::of(change) == Edit::Attach;
        if !changes.iter().any(attaches) || changes.iter().any(is_new) {
            return Ok(0);
        }
        let sets = reads.permission_sets([]).await?;
        let current = match sets.by_name(name) {
            Some(found) => reads.set(found, false).await?,
            None => None,
        };
        Ok(current.map_or(0, |set| {
            set.contents.managed_policies.len() + set.contents.customer_managed_policies.len()
        }))
    }

    /// Makes one edit. Returns its subject if it was not made.
    async fn one(&self, batch: &Batch<'_>, index: usize, cx: &Context) -> Result<Option<Subject>> {
        let change = &batch.changes()[index];
        let not_made = Some(change.subject.clone());
        if !batch.start(index).await? {
            return Ok(not_made);
        }
        let made = self.change(change, cx).await;
        let failed = made.as_ref().err().and(not_made);
        batch.finish(index, made.map(|()| Outcome::Done)).await?;
        Ok(failed)
    }

    /// Detaches a policy of a full set, and attaches another one in its place. If that fails, the set gets back the policy that it
    /// had. Returns the subject of the edit that was not made.
    async fn swap(
        &self,
        batch: &Batch<'_>,
        detach: usize,
        attach: usize,
        cx: &Context,
    ) -> Result<Option<Subject>> {
        let (old, new) = (&batch.changes()[detach], &batch.changes()[attach]);
        let skipped = |because: &Subject| Outcome::Skipped {
            because: Cause::Subject(because.clone()),
        };
        if !batch.start(detach).await? {
            batch.finish(attach, Ok(skipped(&old.subject))).await?;
            return Ok(Some(old.subject.clone()));
        }
        if !batch.start(attach).await? {
            batch.finish(detach, Ok(skipped(&new.subject))).await?;
            return Ok(Some(new.subject.clone()));
        }
        if let Err(error) = self.change(old, cx).await {
            batch.finish(detach, Err(error)).await?;
            batch.finish(attach, Ok(skipped(&old.subject))).await?;
            return Ok(Some(old.subject.clone()));
        }
        let Err(error) = self.change(new, cx).await else {
            batch.finish(detach, Ok(Outcome::Done)).await?;
            batch.finish(attach, Ok(Outcome::Done)).await?;
            return Ok(None);
        };
        batch.finish(attach, Err(error)).await?;
        let attached_again = match self.attach_again(old, cx).await {
            Ok(()) => Ok(skipped(&new.subject)),
            Err(error) => Err(error
                .with_context("it was detached to make room, and AWS did not attach it again")
                .with_help(
                    "run again: no account has lost it, because the set was not provisioned",
                )),
        };
        batch.finish(detach, attached_again).await?;
        Ok(Some(new.subject.clone()))
    }

    /// Makes one change of a set, without a provisioning.
    pub(super) async fn change(&self, change: &Change, cx: &Context) -> Result<()> {
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
            (Subject::PermissionSet { .. }, Action::Create) => self.create(name, desired, cx).await,
            (Subject::PermissionSet { .. }, Action::Adopt) => self.adopt(name, desired, cx).await,
            (Subject::PermissionSet { .. }, _) => self.update(name, desired, cx).await,
            (Subject::Policy { policy, .. }, _) => {
                self.set_policy(name, desired, policy, Edit::of(change), cx)
                    .await
            }
            _ => Err(unknown()),
        }
    }

    /// Attaches the policy again that a change has detached.
    async fn attach_again(&self, change: &Change, cx: &Context) -> Result<()> {
        let unknown = || unknown_change(&self.id(), change);
        let name = set_name(change).ok_or_else(unknown)?;
        let Subject::Policy { policy, .. } = &change.subject else {
            return Err(unknown());
        };
        let desired = self.desired(&lookup::partition(&self.aws, cx));
        let desired = desired.get(&**name).ok_or_else(unknown)?;
        self.set_policy(name, desired, policy, Edit::Attach, cx)
            .await
    }

    /// Creates the permission set, or returns the existing one.
    async fn create(&self, name: &str, desired: &Desired, cx: &Context) -> Result<()> {
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let set = if let Some(set) = find(&center, name).await? {
            set
        } else {
            let new = new_set(name, desired, &self.blueprint);
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
        Ok(())
    }

    /// Records that the permission set is the one of the blueprint.
    async fn adopt(&self, name: &str, desired: &Desired, cx: &Context) -> Result<()> {
        let (_, set) = self.require(name, cx).await?;
        if self.blueprint.ownership.adopt && !desired.set.existing {
            cx.update_ledger(|ledger| ledger.permission_sets.insert(name, &set.arn));
        }
        cx.update_facts(|facts| facts.permission_sets.insert(name.to_owned(), set.arn));
        record_owned(cx, &Subject::permission_set(name));
        Ok(())
    }

    /// Changes the properties and tags of the permission set. Other tags stay, also the one of the owner.
    async fn update(&self, name: &str, desired: &Desired, cx: &Context) -> Result<()> {
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
        Ok(())
    }

    /// Attaches, detaches, writes or deletes one policy of the permission set.
    async fn set_policy(
        &self,
        name: &str,
        desired: &Desired,
        policy: &PolicyRef,
        edit: Edit,
        cx: &Context,
    ) -> Result<()> {
        let arn = &self.require_arn(name, cx).await?;
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let sets = center.permission_sets();
        let is_attached = edit == Edit::Attach;
        let written = match policy {
            PolicyRef::Managed { arn: policy } if is_attached => {
                sets.attach_managed_policy(arn, policy).await
            }
            PolicyRef::Managed { arn: policy } => sets.detach_managed_policy(arn, policy).await,
            PolicyRef::CustomerManaged { name, path } => {
                let policy = format!("{}{}", &**path, &**name);
                if is_attached {
                    sets.attach_customer_managed_policy(arn, &policy).await
                } else {
                    sets.detach_customer_managed_policy(arn, &policy).await
                }
            }
            PolicyRef::Inline {} => match &desired.set.inline_policy {
                Some(policy) => sets.put_inline_policy(arn, policy).await,
                None => sets.delete_inline_policy(arn).await,
            },
            PolicyRef::Boundary {} => match boundary(&desired.set) {
                Some(boundary) => sets.put_boundary(arn, &boundary).await,
                None => sets.delete_boundary(arn).await,
            },
        };
        written.map_err(|error| {
            let summary = format!("AWS did not change {policy} of permission set {name}");
            Error::service(summary, error)
        })
    }

    /// Returns the permission set, which an earlier change of its chain has created.
    async fn require(&self, name: &str, cx: &Context) -> Result<(IdentityCenter, PermissionSet)> {
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let set = find(&center, name).await?.ok_or_else(|| {
            lookup::missing_prerequisite(&format!("permission set {name}"), &ids::PERMISSION_SETS)
        })?;
        Ok((center, set))
    }

    /// Returns the ARN of the permission set. The plan or an earlier change has found it.
    async fn require_arn(&self, name: &str, cx: &Context) -> Result<PermissionSetArn> {
        match cx.facts(|facts| facts.permission_sets.get(name).cloned()) {
            Some(arn) => Ok(arn),
            None => Ok(self.require(name, cx).await?.1.arn),
        }
    }

    /// Provisions all sets of these changes together. A change of a set has no effect in an account before.
    async fn provision(&self, batch: &Batch<'_>, indexes: &[usize], cx: &Context) -> Result<()> {
        let (mut requests, mut of_run) = (Vec::new(), Vec::new());
        for index in indexes {
            match self.request(&batch.changes()[*index], cx).await {
                Ok(request) => {
                    requests.push(request);
                    of_run.push(*index);
                }
                Err(error) => {
                    if batch.start(*index).await? {
                        batch.finish(*index, Err(error)).await?;
                    }
                }
            }
        }
        if requests.is_empty() {
            return Ok(());
        }
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let mut run = center.permission_sets().provision(requests);
        loop {
            match run.next().await {
                ProvisioningEvent::Start(position) => {
                    if batch.start(of_run[position]).await? {
                        run.start(position);
                    } else {
                        run.skip(position);
                    }
                }
                ProvisioningEvent::Ended(position, end) => {
                    let index = of_run[position];
                    let ended = self.provisioned(&batch.changes()[index], end, cx).await;
                    batch.finish(index, ended.map(|()| Outcome::Done)).await?;
                }
                ProvisioningEvent::Progress(progress) => {
                    if progress.moved {
                        batch.progressed();
                    }
                    let on = format!("AWS to provision permission sets: {progress}");
                    let missing = Vec::new();
                    batch.look(Waiting { on, missing }).await?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Provisions the set of one change.
    pub(super) async fn provision_one(&self, change: &Change, cx: &Context) -> Result<Applied> {
        let request = self.request(change, cx).await?;
        let center = lookup::require_identity_center(&self.aws, cx)?;
        let mut run = center.permission_sets().provision(vec![request]);
        loop {
            match run.next().await {
                ProvisioningEvent::Start(position) => run.start(position),
                ProvisioningEvent::Ended(_, end) => {
                    self.provisioned(change, end, cx).await?;
                    return Ok(Applied::Done);
                }
                ProvisioningEvent::Progress(_) => {}
                _ => return Ok(Applied::Done),
            }
        }
    }

    /// Returns the set and the accounts of a change.
    async fn request(&self, change: &Change, cx: &Context) -> Result<ProvisioningRequest> {
        let unknown = || unknown_change(&self.id(), change);
        let name = set_name(change).ok_or_else(unknown)?;
        let accounts = change.known("accounts").ok_or_else(unknown)?.split(", ");
        let accounts: BTreeSet<AccountId> = accounts
            .map(AccountId::parse)
            .collect::<std::result::Result<_, _>>()
            .map_err(|_not_an_id| unknown())?;
        Ok(ProvisioningRequest {
            permission_set: self.require_arn(name, cx).await?,
            accounts,
        })
    }

    /// Returns the result of a provisioning.
    async fn provisioned(&self, change: &Change, end: ProvisioningEnd, cx: &Context) -> Result<()> {
        let name = set_name(change).map_or("", |name| &**name);
        if let Some(reads) = InstanceReads::new(&self.aws, cx) {
            reads.set_changed(name);
        }
        match end {
            ProvisioningEnd::Done => Ok(()),
            ProvisioningEnd::Refused(error) => Err(failed(name, "provisioned", error)),
            ProvisioningEnd::Failed(accounts) => {
                let accounts = self.with_reasons(&accounts, cx).await;
                let message = format!(
                    "AWS could not provision permission set {name} in {}",
                    abbreviated(&accounts, MAX_NAMES)
                );
                Err(Error::new(ErrorKind::Service, message).with_help(
                    "fix the cause in these accounts, then run again; until then, they have an earlier version of the set",
                ))
            }
            _ => Err(unknown_change(&self.id(), change)),
        }
    }

    /// Returns the accounts by name, each with AWS's reason.
    async fn with_reasons(&self, failed: &[FailedAccount], cx: &Context) -> Vec<String> {
        let access = lookup::access(&self.aws, &self.blueprint, cx).await.ok();
        let accounts = failed.iter().map(|failed| {
            let id = &failed.account;
            let known = access
                .as_ref()
                .and_then(|access| access.organization().account(id));
            let account = known.map_or_else(|| id.to_string(), account_name);
            let reason = failed.reason.as_deref().unwrap_or("no reason given");
            format!("{account}: {reason}")
        });
        accounts.collect()
    }
}

/// Returns the set to create, with the tag of its owner.
fn new_set(name: &str, desired: &Desired, blueprint: &Blueprint) -> NewPermissionSet {
    let mut tags = desired.set.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), blueprint.name().to_owned());
    NewPermissionSet {
        name: name.to_owned(),
        description: desired.set.description.clone(),
        session_duration: desired.set.session_duration.clone(),
        relay_state: desired.set.relay_state.clone(),
        tags,
    }
}

fn is_provisioning(change: &Change) -> bool {
    matches!(change.subject, Subject::Provisioning { .. })
}

/// The number of accounts that the problem of a provisioning names.
const MAX_NAMES: usize = 20;
