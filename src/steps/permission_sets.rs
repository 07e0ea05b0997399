//! The permission sets are there, with what the blueprint says.

use std::collections::{BTreeMap, BTreeSet};

use aws_sso_glue::{
    Aws, IdentityCenter, NewPermissionSet, OperationStatus, PermissionSet as Current,
    PermissionSetArn, UpdatePermissionSet,
};
use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use crate::{
    blueprint::{Blueprint, PermissionSetSpec},
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId},
    state::hex,
    step::{Applied, Context, Planned, Step, unknown_change},
};

/// The permission sets of the blueprint are there, and what they allow is provisioned into the accounts.
///
/// A set that the blueprint only names, without describing it, is made if it is absent. One that is there is left alone,
/// unless it allows nothing at all: then somebody, or a run that was interrupted, has left it half made.
#[derive(Clone, Debug)]
pub struct PermissionSets {
    aws: Aws,
    wanted: BTreeMap<String, Wanted>,
}

#[derive(Clone, Debug)]
struct Wanted {
    set: PermissionSetSpec,
    described: bool,
}

/// What a set has now.
struct Found {
    set: Current,
    policies: BTreeSet<String>,
    customer_managed: Vec<String>,
    inline: Option<String>,
}

impl Found {
    fn allows_nothing(&self) -> bool {
        self.policies.is_empty() && self.customer_managed.is_empty() && self.inline.is_none()
    }
}

impl Wanted {
    /// Whether the set is ours to alter.
    fn governs(&self, found: &Found) -> bool {
        self.described || found.allows_nothing()
    }

    /// What a reader should know about a set that is used and not ours to alter.
    fn remark(&self, name: &str, found: &Found) -> Option<String> {
        let expected: BTreeSet<String> = self.set.managed_policies.iter().cloned().collect();
        let same = found.policies == expected
            && found.inline.is_none()
            && found.customer_managed.is_empty();
        if self.governs(found) || same {
            return None;
        }
        let has: Vec<&str> = found
            .policies
            .iter()
            .chain(&found.customer_managed)
            .map(String::as_str)
            .collect();
        let inline = if found.inline.is_some() {
            " and an inline policy"
        } else {
            ""
        };
        Some(format!(
            "permission set {name} is there already and is used as it is: it has {}{inline}; describe it in the blueprint to change that",
            has.join(", ")
        ))
    }
}

impl PermissionSets {
    /// The step for the permission sets of a blueprint.
    #[must_use]
    pub fn new(aws: &Aws, blueprint: &Blueprint) -> Self {
        let wanted = blueprint
            .wanted_permission_sets()
            .into_iter()
            .map(|(name, set)| {
                let described = blueprint.permission_sets.contains_key(name);
                (name.to_owned(), Wanted { set, described })
            });
        Self {
            aws: aws.clone(),
            wanted: wanted.collect(),
        }
    }

    async fn converge(&self, name: &str, wanted: &Wanted, cx: &Context) -> Result<Applied> {
        let center = super::needed_center(&self.aws, cx)?;
        let failed =
            |error| Error::service(format!("AWS did not take permission set {name}"), error);
        let sets = center.permission_sets();
        let found = if let Some(found) = find(&center, name).await? {
            found
        } else {
            let new = NewPermissionSet {
                name: name.to_owned(),
                description: wanted.set.description.clone(),
                session_duration: wanted.set.session_duration.clone(),
                ..NewPermissionSet::default()
            };
            sets.create(&new).await.map_err(failed)?
        };
        cx.update_facts(|facts| {
            facts
                .permission_sets
                .insert(name.to_owned(), found.arn.clone())
        });
        let found = read(&center, found).await?;
        let arn = &found.set.arn;
        let mut altered = false;
        if !wanted.governs(&found) {
            return self.provisioned(&center, name, arn, cx).await;
        }
        if attributes_differ(&found.set, &wanted.set) {
            let change = UpdatePermissionSet {
                description: wanted.set.description.clone(),
                session_duration: wanted.set.session_duration.clone(),
                ..UpdatePermissionSet::default()
            };
            sets.update(arn, &change).await.map_err(failed)?;
            altered = true;
        }
        for policy in wanted
            .set
            .managed_policies
            .iter()
            .filter(|policy| !found.policies.contains(*policy))
        {
            sets.attach_managed_policy(arn, policy)
                .await
                .map_err(failed)?;
            altered = true;
        }
        if let Some(policy) = &wanted.set.inline_policy
            && !same_json(Some(policy), found.inline.as_deref())
        {
            sets.put_inline_policy(arn, policy).await.map_err(failed)?;
            altered = true;
        }
        if altered {
            self.provision(&center, name, arn, cx).await
        } else {
            self.provisioned(&center, name, arn, cx).await
        }
    }

    async fn remove(
        &self,
        name: &str,
        wanted: &Wanted,
        what: &str,
        cx: &Context,
    ) -> Result<Applied> {
        let center = super::needed_center(&self.aws, cx)?;
        let failed = |error| {
            Error::service(
                format!("AWS did not remove {what} from permission set {name}"),
                error,
            )
        };
        let sets = center.permission_sets();
        let Some(found) = find(&center, name).await? else {
            return Ok(Applied::Done);
        };
        let found = read(&center, found).await?;
        let mut altered = false;
        if what == INLINE && wanted.set.inline_policy.is_none() && found.inline.is_some() {
            sets.delete_inline_policy(&found.set.arn)
                .await
                .map_err(failed)?;
            altered = true;
        } else if found.policies.contains(what) {
            sets.detach_managed_policy(&found.set.arn, what)
                .await
                .map_err(failed)?;
            altered = true;
        }
        if altered {
            self.provision(&center, name, &found.set.arn, cx).await
        } else {
            self.provisioned(&center, name, &found.set.arn, cx).await
        }
    }

    /// Carries what was altered into the accounts: until then it does nothing there.
    async fn provision(
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
        if sets.accounts(arn).await.map_err(failed)?.is_empty() {
            return Ok(Applied::Done);
        }
        let operation = sets.start_provisioning(arn).await.map_err(failed)?;
        cx.update_facts(|facts| {
            facts
                .pending_operations
                .insert(operation_key(name), operation)
        });
        Ok(Applied::waiting(format!(
            "permission set {name} to be provisioned into its accounts"
        )))
    }

    /// Looks after a provisioning that was started, in this run or one before, or that somebody has left out.
    async fn provisioned(
        &self,
        center: &IdentityCenter,
        name: &str,
        arn: &PermissionSetArn,
        cx: &Context,
    ) -> Result<Applied> {
        let Some(operation) =
            cx.facts(|facts| facts.pending_operations.get(&operation_key(name)).cloned())
        else {
            return if outdated(center, name, arn).await? {
                self.provision(center, name, arn, cx).await
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
            // AWS forgets operations after a while; which accounts are behind, it still knows.
            Err(error) if error.is_not_found() => {
                cx.update_facts(|facts| facts.pending_operations.remove(&operation_key(name)));
                return Ok(waiting());
            }
            Err(error) => {
                let what =
                    format!("how far permission set {name} is provisioned could not be read");
                return Err(Error::service(what, error));
            }
        };
        cx.update_facts(|facts| facts.pending_operations.remove(&operation_key(name)));
        match status {
            OperationStatus::Failed { reason } => Err(Error::new(
                ErrorKind::Service,
                format!(
                    "AWS could not provision permission set {name}: {}",
                    reason.as_deref().unwrap_or("no reason given")
                ),
            )
            .with_help("see to the reason, then run again")),
            _ => Ok(Applied::Done),
        }
    }

    /// Whether what the set allows has not reached all of its accounts.
    async fn is_unfinished(
        &self,
        center: &IdentityCenter,
        name: &str,
        arn: &PermissionSetArn,
        cx: &Context,
    ) -> Result<bool> {
        Ok(
            cx.facts(|facts| facts.pending_operations.contains_key(&operation_key(name)))
                || outdated(center, name, arn).await?,
        )
    }
}

async fn outdated(center: &IdentityCenter, name: &str, arn: &PermissionSetArn) -> Result<bool> {
    let accounts = center
        .permission_sets()
        .outdated_accounts(arn)
        .await
        .map_err(|error| {
            Error::service(
                format!("where permission set {name} is out of date could not be read"),
                error,
            )
        })?;
    Ok(!accounts.is_empty())
}

fn operation_key(name: &str) -> String {
    format!("permission-set {name}")
}

async fn find(center: &IdentityCenter, name: &str) -> Result<Option<Current>> {
    center.permission_sets().find(name).await.map_err(|error| {
        Error::service(
            format!("permission set {name} could not be looked up"),
            error,
        )
    })
}

async fn read(center: &IdentityCenter, set: Current) -> Result<Found> {
    let failed = |error| {
        Error::service(
            format!("permission set {} could not be read", set.name),
            error,
        )
    };
    let sets = center.permission_sets();
    let policies = sets
        .managed_policies(&set.arn)
        .await
        .map_err(failed)?
        .into_iter()
        .collect();
    let customer_managed = sets
        .customer_managed_policies(&set.arn)
        .await
        .map_err(failed)?;
    let inline = sets.inline_policy(&set.arn).await.map_err(failed)?;
    Ok(Found {
        set,
        policies,
        customer_managed,
        inline,
    })
}

fn attributes_differ(present: &Current, wanted: &PermissionSetSpec) -> bool {
    // What the blueprint does not say is AWS's to choose.
    let differs =
        |wanted: &Option<String>, present: &Option<String>| wanted.is_some() && wanted != present;
    differs(&wanted.description, &present.description)
        || differs(&wanted.session_duration, &present.session_duration)
}

/// Policies are compared as JSON: AWS may format them anew.
fn same_json(one: Option<&str>, other: Option<&str>) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match (one, other) {
        (Some(one), Some(other)) => {
            one == other || parse(one).is_some_and(|one| Some(one) == parse(other))
        }
        (None, None) => true,
        _ => false,
    }
}

/// A policy in a plan: its digest, which tells one from another, and its length.
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

fn creation(name: &str, set: &PermissionSetSpec) -> Change {
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

fn alterations(name: &str, wanted: &Wanted, found: &Found) -> Planned {
    let mut planned = Planned::nothing();
    let mut change = Change::new(Action::Update, target(name));
    let pairs = [
        (
            "description",
            &wanted.set.description,
            &found.set.description,
        ),
        (
            "session duration",
            &wanted.set.session_duration,
            &found.set.session_duration,
        ),
    ];
    for (field, wanted, present) in pairs {
        if let Some(value) = wanted
            && Some(value) != present.as_ref()
        {
            change = change.from_to(field, present.clone(), value);
        }
    }
    let policies: BTreeSet<String> = wanted.set.managed_policies.iter().cloned().collect();
    for policy in policies.difference(&found.policies) {
        change = change.with("managed policy", policy);
    }
    match (&wanted.set.inline_policy, &found.inline) {
        (Some(policy), present) if !same_json(Some(policy), present.as_deref()) => {
            change = change.from_to(INLINE, present.as_deref().map(digest), digest(policy));
        }
        (None, Some(_)) => planned
            .changes
            .push(Change::new(Action::Remove, removal(name, INLINE))),
        _ => {}
    }
    if !change.fields.is_empty() {
        planned.changes.insert(0, change);
    }
    for policy in found.policies.difference(&policies) {
        planned
            .changes
            .push(Change::new(Action::Remove, removal(name, policy)));
    }
    planned
}

fn target(name: &str) -> String {
    format!("permission set {name}")
}

fn removal(name: &str, what: &str) -> String {
    format!("{what} from permission set {name}")
}

impl Step for PermissionSets {
    fn id(&self) -> StepId {
        StepId::new("permission-sets")
    }

    fn title(&self) -> String {
        "Permission sets".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let Some(center) = super::assigning_center(&self.aws, cx) else {
                return Ok(Planned::changes(
                    self.wanted
                        .iter()
                        .map(|(name, wanted)| creation(name, &wanted.set))
                        .collect(),
                ));
            };
            let all = center.permission_sets().list().await.map_err(|error| {
                Error::service("the permission sets could not be listed", error)
            })?;
            let mut present: BTreeMap<String, Current> =
                all.into_iter().map(|set| (set.name.clone(), set)).collect();
            let mut planned = Planned::nothing();
            for (name, wanted) in &self.wanted {
                let Some(set) = present.remove(name) else {
                    cx.update_facts(|facts| facts.permission_sets.remove(name));
                    planned.changes.push(creation(name, &wanted.set));
                    continue;
                };
                cx.update_facts(|facts| {
                    facts.permission_sets.insert(name.clone(), set.arn.clone())
                });
                let found = read(&center, set).await?;
                planned.notes.extend(wanted.remark(name, &found));
                let mut changes = if wanted.governs(&found) {
                    alterations(name, wanted, &found).changes
                } else {
                    Vec::new()
                };
                if changes.is_empty()
                    && self
                        .is_unfinished(&center, name, &found.set.arn, cx)
                        .await?
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
            for (name, wanted) in &self.wanted {
                if change.target == target(name) {
                    return self.converge(name, wanted, cx).await;
                }
                if change.action == Action::Remove
                    && let Some(what) = change.target.strip_suffix(&removal(name, ""))
                {
                    return self.remove(name, wanted, what, cx).await;
                }
            }
            Err(unknown_change(&self.id(), change))
        })
    }
}

const INLINE: &str = "inline policy";
