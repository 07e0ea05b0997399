//! Group push: a group is pushed once its members are provisioned, and pushed again if members are missing in AWS.
//!
//! A push carries the members that are provisioned at its moment, and Okta adds no member that is provisioned later. Only a
//! mapping that is deactivated and activated again pushes the whole group.
//!
//! Source: Okta, "Group Push troubleshooting" and the reference of `group-push/mappings`.

mod activations;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use okta_client::{
    App, Client as Okta, Group, Id, NewPushMapping, PushActivation, PushMapping, PushStatus,
    PushTarget, User,
};

pub(super) use self::activations::{Activations, Finding};
use super::{
    accounts::{Account, Accounts},
    adoption::MEMBERS_ONLY_IN_AWS,
    app_lists::{self, AppLists},
    identity_view::{self, IdentityView},
    ids,
    provisioning_log::{Concern, ProvisioningLog},
};
use crate::{
    batch::{Batch, Waiting},
    context::Context,
    error::{Error, ErrorKind, Result},
    outcome::Outcome,
    plan::{Action, Change, Note, Subject, Value, count},
    resolved_scope::{GroupWithMembers, ResolvedScope},
    text::abbreviated,
};

/// A push to make, with the index of its change in the batch.
pub(super) struct Push<'a> {
    pub(super) index: usize,
    pub(super) change: &'a Change,
    pub(super) members: &'a GroupWithMembers,
}

/// A member that Okta has not provisioned, so that its groups are pushed without it.
struct FailedMember {
    user: Subject,
    error: Error,
    concern: Option<Concern>,
}

/// Compares the pushed groups with AWS.
pub(super) struct PushPlanner<'a> {
    scope: &'a ResolvedScope,
    accounts: &'a Accounts<'a>,
    in_aws: Option<&'a IdentityView>,
    activations: Activations,
    cx: &'a Context,
}

impl<'a> PushPlanner<'a> {
    pub(super) fn new(
        scope: &'a ResolvedScope,
        accounts: &'a Accounts<'a>,
        in_aws: Option<&'a IdentityView>,
        cx: &'a Context,
    ) -> Result<Self> {
        Ok(Self {
            scope,
            accounts,
            in_aws,
            activations: Activations::load(cx)?,
            cx,
        })
    }

    /// Returns the change that activates the push of a group again, if it is inactive or if members are missing in AWS. Returns
    /// a note if an earlier run has pushed the group again for the same members.
    pub(super) fn plan(
        &self,
        members: &GroupWithMembers,
        mapping: &PushMapping,
    ) -> (Option<Change>, Option<Note>) {
        let missing = self.missing(members, mapping);
        let finding = Finding::new(missing.iter().map(|user| &user.id), mapping);
        let group = &members.group.name;
        let logins = missing.iter().map(|user| user.profile.login.clone());
        let logins = abbreviated(&logins.collect::<Vec<_>>(), MAX_NAMES);
        match mapping.status {
            PushStatus::Active if missing.is_empty() => return (None, None),
            PushStatus::Active if self.activations.contains(&mapping.id, &finding) => {
                let text = format!(
                    "group {group} was pushed again for {}, which AWS does not have in the group: {logins} (look at Push Groups of the app in Okta)",
                    count(missing.len(), "member"),
                );
                return (None, Some(Note::new("group-pushed-again", text)));
            }
            PushStatus::Active | PushStatus::Inactive => {}
            _ => return (None, None),
        }
        finding.keep_for_apply(self.cx, &mapping.id);
        (Some(self.change(members, mapping, &logins)), None)
    }

    /// Returns the change that activates a push again. It is a removal if Okta would take members out of the group of AWS.
    fn change(&self, members: &GroupWithMembers, mapping: &PushMapping, missing: &str) -> Change {
        let subject = Subject::GroupPush {
            group: (&members.group.name).into(),
        };
        let status = match mapping.status {
            PushStatus::Active => "INACTIVE, then ACTIVE",
            _ => "ACTIVE",
        };
        let others = self
            .in_aws
            .map(|in_aws| in_aws.other_members(members, &self.accounts.assigned));
        let others = others.unwrap_or_default();
        let action = if others.is_empty() {
            Action::Update
        } else {
            Action::Remove
        };
        let last_push = Value::from(mapping.last_push.clone());
        let mut change = Change::new(action, subject)
            .from_to("status", Some(mapping.status.to_string()), status)
            .field("lastPush", last_push, Value::AfterApply(ids::APP_ACCESS));
        let mut why = Vec::new();
        if !missing.is_empty() {
            why.push(format!(
                "missing in AWS: {missing}; Okta adds a member that was provisioned after the push only if it pushes the group again"
            ));
        }
        if !others.is_empty() {
            let others = Value::Known(others.join(", "));
            change = change.field(MEMBERS_ONLY_IN_AWS, others, Value::Absent);
            why.push("Okta pushes the members of the group again, and can take the other members out of the group in AWS".to_owned());
        }
        if why.is_empty() {
            return change;
        }
        change.because(Note::new("pushes-members-again", why.join("; ")))
    }

    /// Returns the members that only another push brings into the group of AWS.
    fn missing<'m>(
        &'m self,
        members: &'m GroupWithMembers,
        mapping: &PushMapping,
    ) -> Vec<&'m User> {
        let group = self
            .in_aws
            .and_then(|in_aws| in_aws.groups.get(&members.group.name));
        // Okta may still push a change of the members.
        let group = group.filter(|_| !self.is_in_progress(&members.group, mapping));
        let is_missing = |user: &&User| match self.accounts.of(user) {
            Account::Provisioned => group.zip(self.in_aws).is_some_and(|(group, in_aws)| {
                let user = in_aws.user(user, &self.accounts.assigned);
                user.is_some_and(|user| !group.members.contains(&user.id))
            }),
            Account::Pending(_) | Account::Unassigned(_) => true,
            Account::Failed(_) => false,
        };
        let users = self.scope.provisionable_members(members);
        users.filter(is_missing).collect()
    }

    /// Returns whether the members in Okta have changed since the last push, and not long ago.
    fn is_in_progress(&self, group: &Group, mapping: &PushMapping) -> bool {
        let time = |text: &Option<String>| text.as_ref()?.parse::<Timestamp>().ok();
        let Some(pushed) = time(&mapping.last_push) else {
            return true;
        };
        let changed = time(&group.last_membership_updated);
        changed.is_some_and(|changed| {
            changed > pushed && self.cx.now().duration_since(changed) < TIME_TO_PUSH
        })
    }
}

/// The time within which Okta pushes a change of the members ("within minutes").
const TIME_TO_PUSH: SignedDuration = SignedDuration::from_mins(15);

/// Maximum number of names of missing members in a plan.
const MAX_NAMES: usize = 10;

/// The calls that push groups of one app.
pub(super) struct Pusher<'a> {
    pub(super) okta: &'a Okta,
    pub(super) app: &'a Id<App>,
    pub(super) scope: &'a ResolvedScope,
    pub(super) lists: &'a AppLists<'a>,
    pub(super) cx: &'a Context,
}

impl Pusher<'_> {
    /// Pushes each group once all its members are provisioned or have failed, or after the stall timeout. Members that are
    /// missing then are problems, with the reasons from Okta's System Log.
    ///
    /// One look at the users of the app serves all groups.
    pub(super) async fn push_all(&self, pending: Vec<Push<'_>>, batch: &Batch<'_>) -> Result<()> {
        let mut failed = BTreeMap::new();
        let pushed = self.push_when_ready(pending, batch, &mut failed).await;
        if !failed.is_empty() {
            let log = ProvisioningLog::new(self.okta, self.cx);
            log.read().await;
            for FailedMember {
                user,
                error,
                concern,
            } in failed.into_values()
            {
                batch.problem(user, &log.explain(error, concern.as_ref()));
            }
        }
        pushed
    }

    /// Pushes each group when it is ready, and adds the members that are not provisioned to `failed`.
    async fn push_when_ready(
        &self,
        mut pending: Vec<Push<'_>>,
        batch: &Batch<'_>,
        failed: &mut BTreeMap<Id<User>, FailedMember>,
    ) -> Result<()> {
        let (mut max_age, mut has_stalled) = (app_lists::RUN, false);
        while !pending.is_empty() {
            let accounts = Accounts::read(self.scope, self.lists, max_age).await?;
            max_age = app_lists::NOW;
            let mut awaited = BTreeSet::new();
            for push in std::mem::take(&mut pending) {
                let mut is_ready = true;
                for user in self.scope.provisionable_members(push.members) {
                    let login = &user.profile.login;
                    let error = match accounts.of(user) {
                        Account::Provisioned | Account::Unassigned(_) => continue,
                        Account::Pending(status) if has_stalled => not_provisioned(login, &status),
                        Account::Pending(status) => {
                            is_ready = false;
                            awaited.insert(format!("user {login} (Okta: {status})"));
                            continue;
                        }
                        Account::Failed(error) => error,
                    };
                    let member = || FailedMember {
                        user: Subject::user(login),
                        error,
                        concern: Concern::user(accounts.assigned.get(&user.id)),
                    };
                    failed.entry(user.id.clone()).or_insert_with(member);
                }
                if is_ready {
                    let pushed = self.push(push.change, push.members).await;
                    let pushed = pushed.map(|()| Outcome::Done);
                    batch.finish(push.index, pushed).await?;
                } else {
                    pending.push(push);
                }
            }
            if pending.is_empty() {
                break;
            }
            let waited = batch.wait(Waiting {
                on: "the members of pushed groups to be provisioned".to_owned(),
                missing: awaited.into_iter().collect(),
            });
            match waited.await {
                Err(error) if error.kind() == ErrorKind::TimedOut => has_stalled = true,
                waited => waited?,
            }
        }
        Ok(())
    }

    /// Returns the members that a push must wait for, each with its status in Okta.
    pub(super) async fn awaited(&self, members: &GroupWithMembers) -> Result<Vec<String>> {
        let accounts = Accounts::read(self.scope, self.lists, app_lists::NOW).await?;
        let users = self.scope.provisionable_members(members);
        let awaited = users.filter_map(|user| match accounts.of(user) {
            Account::Pending(status) => {
                Some(format!("user {} (Okta: {status})", user.profile.login))
            }
            _ => None,
        });
        Ok(awaited.collect())
    }

    /// Creates the mapping of a group, or activates it again.
    pub(super) async fn push(&self, change: &Change, members: &GroupWithMembers) -> Result<()> {
        let group = &members.group;
        let failed =
            |error| Error::service(format!("Okta did not push group {}", group.name), error);
        let known = self.lists.pushes(app_lists::RUN).await?;
        identity_view::forget(self.cx);
        let mappings = self.okta.push_mappings(self.app);
        let Some(mapping) = known.get(&group.id) else {
            let new = NewPushMapping {
                source_group: group.id.clone(),
                target: PushTarget::NewGroup(group.name.clone()),
            };
            match mappings.create(&new).await {
                Ok(created) => self.lists.push_changed(created),
                Err(error) if error.may_have_acted() => {
                    let known = self.lists.pushes(app_lists::NOW).await?;
                    if !known.contains_key(&group.id) {
                        return Err(failed(error));
                    }
                }
                Err(error) => return Err(failed(error)),
            }
            return Ok(());
        };
        if mapping.status == PushStatus::Error {
            return Err(failed_push(&group.name, mapping));
        }
        if change.action == Action::Create {
            return Ok(());
        }
        // Recorded first: a run that is killed in between finds the mapping inactive.
        Activations::record(self.cx, mapping)?;
        if mapping.status == PushStatus::Active {
            let off = mappings.set_status(&mapping.id, PushActivation::Inactive);
            self.lists.push_changed(off.await.map_err(failed)?);
        }
        let on = mappings.set_status(&mapping.id, PushActivation::Active);
        self.lists.push_changed(on.await.map_err(failed)?);
        Ok(())
    }
}

/// Returns the error of a group that Okta could not push. A failed push needs the operator, so waiting would not help.
pub(super) fn failed_push(group: &str, mapping: &PushMapping) -> Error {
    let why = mapping.error_summary.as_deref();
    Error::new(
        ErrorKind::UnusableSubject,
        format!(
            "Okta could not push group {group} to AWS: {}",
            why.unwrap_or("no reason given")
        ),
    )
    .with_help("fix the cause in Okta under Push Groups of the app, push the group again there, then run again")
}

fn not_provisioned(login: &str, status: &str) -> Error {
    Error::new(
        ErrorKind::TimedOut,
        format!("no progress within the stall timeout: Okta has not provisioned user {login} to AWS ({status})"),
    )
    .with_help("resolve what is missing in Okta, then run again: the plan then pushes the groups of the user again")
}
