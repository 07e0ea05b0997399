//! Step `permission-sets`: the permission sets exist as the blueprint describes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sso_glue::{
    AccountId, Aws, IdentityCenter, NewPermissionSet, OperationStatus, PermissionSet,
    PermissionSetArn, RequestId, UpdatePermissionSet, estate::SetInEstate,
};
use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use super::{
    adoption::{must_adopt, record_owned},
    estate::InstanceReads,
    ids, lookup,
    operations::Operations,
    policy_document::{same, takes_access_away},
};
use crate::{
    blueprint::{Blueprint, PermissionSetSpec},
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Field, Kind, Name, Note, PolicyRef, StepId, Subject, Value},
    step::{Applied, Planned, Step, unknown_change},
    text::hex,
};

/// Creates and updates the permission sets of the blueprint, and provisions changes into the accounts.
///
/// The blueprint may name a permission set without describing it. Such a set is created if it does not exist. An existing
/// set is adopted with the contents that the plan shows. It is not changed, unless it has no policy, because an interrupted run or another tool has left it incomplete.
#[derive(Clone, Debug)]
pub struct PermissionSets {
    aws: Aws,
    desired: BTreeMap<String, Desired>,
    warnings: Vec<Note>,
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
    /// Returns the change that takes over a set of this name. The blueprint's access depends on its contents.
    fn adoption(&self) -> Change {
        let subject = Subject::permission_set(self.set.name.clone());
        let list = |policies: &mut dyn Iterator<Item = &String>| {
            let policies: Vec<&str> = policies.map(String::as_str).collect();
            match policies.as_slice() {
                [] => "none".to_owned(),
                some => some.join(", "),
            }
        };
        let inline = self.inline.as_deref().map(digest);
        let change = Change::new(Action::Adopt, subject)
            .with("managed policies", list(&mut self.policies.iter()))
            .with(
                "customer-managed policies",
                list(&mut self.customer_managed.iter()),
            )
            .with("inline policy", inline.unwrap_or_else(|| "none".to_owned()));
        match &self.set.session_duration {
            Some(duration) => change.with("session duration", duration),
            None => change,
        }
    }

    /// Returns what the step does not change, for the reviewer of a provisioning.
    fn others(&self) -> String {
        if self.customer_managed.is_empty() {
            "as they are now".to_owned()
        } else {
            format!("as they are now: {}", self.customer_managed.join(", "))
        }
    }

    fn has_no_policy(&self) -> bool {
        self.policies.is_empty() && self.customer_managed.is_empty() && self.inline.is_none()
    }
}

impl Desired {
    /// Returns whether the step may change the set: the blueprint describes it, or it has no policy.
    fn may_change(&self, current: &Current) -> bool {
        self.described || !self.set.existing && current.has_no_policy()
    }

    /// Returns the error for a set that this version cannot create or update as the blueprint describes it.
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
        let parts = [
            (
                "customer_managed_policies",
                !self.set.customer_managed_policies.is_empty(),
            ),
            (
                "permissions_boundary",
                self.set.permissions_boundary.is_some(),
            ),
            ("relay_state", self.set.relay_state.is_some()),
            ("tags", !self.set.tags.is_empty()),
        ];
        let parts: Vec<&str> = parts
            .into_iter()
            .filter(|(_, used)| *used)
            .map(|(key, _)| key)
            .collect();
        (!parts.is_empty()).then(|| {
            let message = format!(
                "permission set {name} cannot be written: this version does not write {} yet",
                parts.join(", ")
            );
            Error::new(ErrorKind::UnusableSubject, message).with_help(
                "create the set in AWS, and replace its description in the blueprint by `existing = true`",
            )
        })
    }

    /// Returns a note about a set that is used unchanged and has other policies than expected.
    fn note(&self, name: &str, current: &Current) -> Option<Note> {
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
        let text = format!(
            "permission set {name} already exists and is used unchanged: it has {}; to change it, describe it in the blueprint",
            has.join(", ")
        );
        Some(Note::new("used-unchanged", text).about(Subject::permission_set(name)))
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
                let described = blueprint.permission_sets.contains_key(&name) && !set.existing;
                (name, Desired { set, described })
            });
        Self {
            aws: aws.clone(),
            desired: desired.collect(),
            warnings: blueprint.warnings(),
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
                ..NewPermissionSet::default()
            };
            let created = center.permission_sets().create(&new).await;
            created.map_err(|error| failed(name, "created", error))?
        };
        cx.update_facts(|facts| facts.permission_sets.insert(name.to_owned(), set.arn));
        record_owned(cx, &Subject::permission_set(name));
        Ok(Applied::Done)
    }

    /// Records that the permission set is the one of the blueprint.
    async fn adopt(&self, name: &str, cx: &Context) -> Result<Applied> {
        let (_, set) = self.require(name, cx).await?;
        cx.update_facts(|facts| facts.permission_sets.insert(name.to_owned(), set.arn));
        record_owned(cx, &Subject::permission_set(name));
        Ok(Applied::Done)
    }

    /// Changes the attributes of the permission set.
    async fn update(&self, name: &str, desired: &Desired, cx: &Context) -> Result<Applied> {
        let (center, set) = self.require(name, cx).await?;
        let change = UpdatePermissionSet {
            description: desired.set.description.clone(),
            session_duration: desired.set.session_duration.clone(),
            ..UpdatePermissionSet::default()
        };
        let updated = center.permission_sets().update(&set.arn, &change).await;
        updated.map_err(|error| failed(name, "updated", error))?;
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
            _ => {
                return Err(Error::new(
                    ErrorKind::StalePlan,
                    format!("{policy} of permission set {name} cannot be changed"),
                ));
            }
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
                let outdated = outdated_accounts(&center, name, &set.arn).await?;
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

/// Returns the accounts that do not have the latest version of the permission set.
async fn outdated_accounts(
    center: &IdentityCenter,
    name: &str,
    arn: &PermissionSetArn,
) -> Result<Vec<AccountId>> {
    let accounts = center.permission_sets().outdated_accounts(arn);
    accounts.try_collect().await.map_err(|error| {
        Error::service(
            format!("the accounts with an outdated permission set {name} could not be listed"),
            error,
        )
    })
}

fn failed(name: &str, action: &str, error: aws_sso_glue::Error) -> Error {
    Error::service(
        format!("permission set {name} could not be {action}"),
        error,
    )
}

/// Returns the properties of a set, or `None` if it was deleted meanwhile.
async fn details(center: &IdentityCenter, found: &SetInEstate) -> Result<Option<PermissionSet>> {
    if let Some(set) = &found.details {
        return Ok(Some(set.clone()));
    }
    let set = center.permission_sets().get_opt(&found.arn).await;
    set.map_err(|error| failed(&found.name, "read", error))
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

/// Returns the changes that create a permission set with its policies.
fn create_changes(name: &str, set: &PermissionSetSpec) -> Vec<Change> {
    let mut change = Change::new(Action::Create, Subject::permission_set(name));
    for (field, value) in [
        ("description", &set.description),
        ("session duration", &set.session_duration),
    ] {
        if let Some(value) = value {
            change = change.with(field, value);
        }
    }
    let managed = set.managed_policies.iter().collect::<BTreeSet<_>>();
    let managed = managed
        .into_iter()
        .map(|arn| Change::new(Action::Create, managed_policy(name, arn)));
    let inline = set.inline_policy.iter();
    let inline = inline.map(|policy| {
        Change::new(Action::Create, inline_policy(name)).with("policy", digest(policy))
    });
    std::iter::once(change)
        .chain(managed)
        .chain(inline)
        .collect()
}

/// Returns the changes that make an existing permission set match `desired`: what is added comes before what is removed.
fn update_changes(name: &str, desired: &Desired, current: &Current) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut change = Change::new(Action::Update, Subject::permission_set(name));
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
    // An attribute that the blueprint does not set keeps AWS's value.
    for (field, desired, current) in pairs {
        if let Some(value) = desired
            && Some(value) != current.as_ref()
        {
            change = change.from_to(field, current.clone(), value);
        }
    }
    if !change.fields.is_empty() {
        changes.push(change);
    }
    let policies: BTreeSet<String> = desired.set.managed_policies.iter().cloned().collect();
    for arn in policies.difference(&current.policies) {
        // This policy denies everything, so attaching it takes access away.
        let action = if arn.ends_with(DENY_ALL) {
            Action::Remove
        } else {
            Action::Create
        };
        changes.push(Change::new(action, managed_policy(name, arn)).with("attached", "yes"));
    }
    let inline = Change::new(Action::Create, inline_policy(name));
    match (&desired.set.inline_policy, &current.inline) {
        (Some(policy), None) => {
            let action = if takes_access_away(EMPTY, policy) {
                Action::Remove
            } else {
                Action::Create
            };
            changes.push(Change { action, ..inline }.with("policy", digest(policy)));
        }
        (Some(policy), Some(before)) if !same(policy, before) => {
            let action = if takes_access_away(before, policy) {
                Action::Remove
            } else {
                Action::Update
            };
            let change = Change { action, ..inline };
            changes.push(change.from_to("policy", Some(digest(before)), digest(policy)));
        }
        (None, Some(before)) => {
            let change = Change {
                action: Action::Remove,
                ..inline
            };
            changes.push(change.field("policy", Value::Known(digest(before)), Value::Absent));
        }
        _ => {}
    }
    for arn in current.policies.difference(&policies) {
        let change = Change::new(Action::Remove, managed_policy(name, arn));
        changes.push(change.field("attached", Value::Known("yes".to_owned()), Value::Absent));
    }
    changes
}

/// Returns the change that provisions a permission set into these accounts.
fn provisioning_change(name: &str, current: &Current, accounts: &[AccountId]) -> Change {
    let subject = Subject::Provisioning {
        permission_set: name.into(),
    };
    let mut ids: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    ids.sort_unstable();
    Change::new(Action::Update, subject)
        .with("accounts", ids.join(", "))
        .with("boundary and customer-managed policies", current.others())
}

/// Returns whether a change is a removal because the policy that it adds denies.
fn adds_denial(change: &Change) -> bool {
    let adds = |field: &Field| field.before == Value::Absent;
    change.action == Action::Remove && change.fields.iter().all(adds)
}

fn managed_policy(name: &str, arn: &str) -> Subject {
    Subject::Policy {
        permission_set: name.into(),
        policy: PolicyRef::Managed { arn: arn.into() },
    }
}

fn inline_policy(name: &str) -> Subject {
    Subject::Policy {
        permission_set: name.into(),
        policy: PolicyRef::Inline {},
    }
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
            let mut planned = Planned {
                notes: self.warnings.clone(),
                ..Planned::default()
            };
            let Some(center) = lookup::assignable_identity_center(&self.aws, cx) else {
                for (name, desired) in &self.desired {
                    planned.create(name, desired);
                }
                return Ok(planned);
            };
            let wanted = self.desired.keys().map(String::as_str);
            let sets = match InstanceReads::new(&self.aws, cx) {
                Some(reads) => reads.permission_sets(wanted).await?,
                None => Arc::default(),
            };
            for (name, desired) in &self.desired {
                let found = match sets.by_name(name) {
                    Some(found) => details(&center, found).await?,
                    None => None,
                };
                let Some(set) = found else {
                    cx.update_facts(|facts| facts.permission_sets.remove(name));
                    planned.create(name, desired);
                    continue;
                };
                if let Some(error) = desired.unusable(name, true) {
                    planned.problem(Subject::permission_set(name.clone()), &error);
                    continue;
                }
                cx.update_facts(|facts| {
                    facts.permission_sets.insert(name.clone(), set.arn.clone())
                });
                if let Err(error) = plan_existing(&center, desired, set, &mut planned, cx).await {
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
            let desired = self.desired.get(&**name).ok_or_else(unknown)?;
            if let (Subject::PermissionSet { .. }, Some(reads)) =
                (&change.subject, InstanceReads::new(&self.aws, cx))
            {
                reads.permission_sets_changed();
            }
            match (&change.subject, change.action) {
                (Subject::PermissionSet { .. }, Action::Create) => {
                    self.create(name, desired, cx).await
                }
                (Subject::PermissionSet { .. }, Action::Adopt) => self.adopt(name, cx).await,
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
    center: &IdentityCenter,
    desired: &Desired,
    set: PermissionSet,
    planned: &mut Planned,
    cx: &Context,
) -> Result<()> {
    let current = read(center, set).await?;
    let (name, arn) = (&*current.set.name, &current.set.arn);
    let may_change = desired.may_change(&current);
    let mut changes = if may_change {
        update_changes(name, desired, &current)
    } else {
        Vec::new()
    };
    // After a change, every account with the set is outdated.
    let accounts = if changes.is_empty() {
        outdated_accounts(center, name, arn).await?
    } else {
        let accounts = center.permission_sets().accounts(arn).try_collect().await;
        accounts.map_err(|error| failed(name, "read", error))?
    };
    if must_adopt(cx, &Subject::permission_set(name), |facts| {
        facts.permission_sets.get(name) == Some(arn)
    }) {
        planned.changes.push(current.adoption());
    }
    planned.notes.extend(desired.note(name, &current));
    if accounts.is_empty() {
        // No account has the set, so a policy that denies takes no access away. An interrupted run leaves such a set, and the
        // next run has to complete it.
        let added = changes.iter_mut().filter(|change| adds_denial(change));
        added.for_each(|change| change.action = Action::Create);
    }
    planned.changes.extend(changes);
    if accounts.is_empty() {
        return Ok(());
    }
    if may_change {
        let change = provisioning_change(name, &current, &accounts);
        planned.changes.push(change);
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

/// The end of the ARN of AWS's policy that denies everything.
const DENY_ALL: &str = ":policy/AWSDenyAll";
/// A policy document without statements.
const EMPTY: &str = r#"{"Statement":[]}"#;
