//! Step `arrival`: the provisioned users and groups have arrived in AWS's identity store.

mod missing;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::{Client as Okta, Group, Id, PushStatus};

use self::missing::{Missing, MissingUser};
use super::{
    accounts::{self, Account, Accounts},
    app_lists::{self, AppLists},
    estate::InstanceReads,
    group_push::{Activations, failed_push},
    identity_view::{self, GroupInAws, IdentityView},
    ids, lookup,
    provisioning_log::{Concern, ProvisioningLog},
};
use crate::{
    batch::{Batch, Waiting},
    blueprint::{Blueprint, ProvisioningMode},
    context::Context,
    error::{Error, ErrorKind, Result},
    outcome::{Cause, Outcome},
    plan::{Action, Change, Kind, StepId, Subject},
    resolved_scope::ResolvedScope,
    step::{Applied, Check, Planned, Step},
};

/// Waits until AWS's identity store has the users, groups and memberships that Okta provisions.
///
/// Okta provisions in the background and confirms nothing, so the step compares the identity store with the blueprint. It
/// lists each missing part with its status in Okta, and with the reason from Okta's System Log if Okta could not provision it.
/// The log is optional: without the scope `okta.logs.read`, the problems say that it could not be read.
#[derive(Clone, Debug)]
pub struct Arrival {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
}

/// The reason why a part is missing.
struct Reason {
    /// The status in Okta.
    text: String,
    /// The outcome if the part cannot arrive in this run.
    end: Option<End>,
    /// The events of the System Log that can have the reason.
    concern: Option<Concern>,
}

/// A change whose part has not arrived.
struct Late {
    index: usize,
    /// The part with its status in Okta.
    text: String,
    /// The failure of the part, if the step waits only for its reason.
    failure: Option<Error>,
    concern: Option<Concern>,
}

/// The end of a wait that would not help.
enum End {
    Failed(Error),
    /// This assignment or push, which the part needs, was not made.
    Skipped(Subject),
}

/// When the groups that were pushed again are compared with AWS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settle {
    BeforeWait,
    AfterWait,
    InVain,
}

impl End {
    fn into_error(self, part: &Subject) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::Skipped(needed) => Error::new(
                ErrorKind::UnusableSubject,
                format!("{part} cannot arrive in AWS, because Okta has no {needed}"),
            )
            .with_help("run the step app-access first"),
        }
    }
}

impl Reason {
    fn waits(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            end: None,
            concern: None,
        }
    }
}

impl Late {
    /// Returns the part with its status, and with the reason that the log has so far.
    fn describe(&self, log: &ProvisioningLog<'_>) -> String {
        let reason = self
            .concern
            .as_ref()
            .and_then(|concern| log.reason(concern));
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        format!("{}{reason}", self.text)
    }

    /// Returns the error of a part that has not arrived within the stall timeout.
    fn into_error(self, log: &ProvisioningLog<'_>) -> Error {
        let text = self.text;
        let timed_out = || {
            Error::new(
                ErrorKind::TimedOut,
                format!("no progress within the stall timeout: {text} has not arrived in AWS"),
            )
            .with_help("resolve what is missing, then run again: the run resumes here")
        };
        log.explain(
            self.failure.unwrap_or_else(timed_out),
            self.concern.as_ref(),
        )
    }
}

impl Arrival {
    /// Creates the step for the users and groups of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
        }
    }

    fn log<'a>(&'a self, cx: &'a Context) -> ProvisioningLog<'a> {
        match self.blueprint.provisioning.mode {
            ProvisioningMode::Okta => ProvisioningLog::new(&self.okta, cx),
            ProvisioningMode::Direct => ProvisioningLog::unused(&self.okta, cx),
        }
    }

    /// Returns the reason of each missing part: its status in Okta, and the outcome if waiting would not help.
    async fn reasons(
        &self,
        scope: &ResolvedScope,
        missing: &Missing,
        cx: &Context,
        max_age: Duration,
    ) -> Result<BTreeMap<Subject, Reason>> {
        let lists = AppLists::new(&self.okta, cx);
        let is_pushed_by_okta = self.blueprint.provisioning.mode == ProvisioningMode::Okta;
        let mut reasons = BTreeMap::new();
        if !missing.users.is_empty() {
            let accounts = Accounts::read(scope, &lists, max_age).await?;
            for (subject, missing_user) in &missing.users {
                let MissingUser {
                    user,
                    disabled,
                    other_name,
                } = missing_user;
                let assigned = accounts.assigned.get(&user.id);
                let concern = Concern::user(assigned);
                let reason = match assigned {
                    _ if *disabled => Reason::waits("exists in AWS, but is disabled"),
                    None => Reason::waits("Okta: not assigned to the app"),
                    Some(assigned) => {
                        Reason::waits(format!("Okta: {}", accounts::status(assigned)))
                    }
                };
                let end = match accounts.of(user) {
                    _ if *disabled || !is_pushed_by_okta => None,
                    Account::Failed(error) => Some(End::Failed(error)),
                    Account::Unassigned(assignment) => Some(End::Skipped(assignment)),
                    Account::Provisioned | Account::Pending(_) => None,
                };
                let text = match (other_name, accounts.assigned.name_id(user)) {
                    (Some(other), Some(name)) => format!(
                        "{}; AWS has the user as `{other}`, so a sign-in as `{name}` (NameID) fails until Okta sends the new name",
                        reason.text
                    ),
                    _ => reason.text,
                };
                let reason = Reason { text, end, concern };
                reasons.insert(subject.clone(), reason);
            }
        }
        if missing.groups.is_empty() && missing.memberships.is_empty() {
            return Ok(reasons);
        }
        let pushes = lists.pushes(max_age).await?;
        let ids = scope.pushed.iter();
        let ids: HashMap<&str, &Id<Group>> = ids
            .map(|members| (members.group.name.as_str(), &members.group.id))
            .collect();
        for subject in missing.groups.iter().chain(missing.memberships.keys()) {
            let (Subject::Group { name: group } | Subject::Membership { group, .. }) = subject
            else {
                continue;
            };
            let reason = match ids.get(&**group).and_then(|id| pushes.get(id)) {
                None => Reason {
                    text: "Okta: not pushed".to_owned(),
                    end: is_pushed_by_okta.then(|| {
                        let group = group.clone();
                        End::Skipped(Subject::GroupPush { group })
                    }),
                    concern: None,
                },
                Some(mapping) => Reason {
                    text: format!("Okta: {}", mapping.status),
                    end: match mapping.status {
                        PushStatus::Error => Some(End::Failed(failed_push(group, mapping))),
                        _ => None,
                    },
                    concern: Some(match missing.memberships.get(subject) {
                        Some(user) => Concern::membership(mapping, user),
                        None => Concern::group(mapping),
                    }),
                },
            };
            reasons.insert(subject.clone(), reason);
        }
        Ok(reasons)
    }

    /// Returns what is missing in AWS according to a view that is younger than `max_age`. Without an instance, everything is.
    async fn look(
        &self,
        scope: &ResolvedScope,
        cx: &Context,
        max_age: Duration,
    ) -> Result<Missing> {
        let assigned = AppLists::new(&self.okta, cx).users(app_lists::RUN).await?;
        let in_aws = identity_view::read(&self.aws, scope, cx, max_age).await?;
        let in_aws = in_aws.unwrap_or_default();
        let missing = Missing::find(scope, &assigned, &in_aws);
        let reads = InstanceReads::new(&self.aws, cx);
        let are_of_the_plan = reads.is_some_and(|reads| reads.principals_are_of_the_plan());
        if !are_of_the_plan || missing.subjects().next().is_none() {
            return Ok(missing);
        }
        // A user or group that the plan has not seen may have arrived since.
        identity_view::forget(cx);
        let in_aws = identity_view::read(&self.aws, scope, cx, app_lists::RUN).await?;
        Ok(Missing::find(scope, &assigned, &in_aws.unwrap_or_default()))
    }

    /// Returns what is missing in AWS now, and the groups of AWS that have all their members. The groups of the last look need
    /// no second one.
    async fn look_again(
        &self,
        scope: &ResolvedScope,
        cx: &Context,
        complete: &BTreeMap<String, GroupInAws>,
    ) -> Result<(Missing, BTreeMap<String, GroupInAws>)> {
        let lists = AppLists::new(&self.okta, cx);
        let assigned = lists.users(app_lists::WHILE_WAITING).await?;
        let mut in_aws = match InstanceReads::new(&self.aws, cx) {
            Some(reads) => IdentityView::read(&reads, scope, complete, app_lists::NOW).await?,
            None => IdentityView::default(),
        };
        let missing = Missing::find(scope, &assigned, &in_aws);
        let incomplete = missing.incomplete_groups(scope);
        in_aws
            .groups
            .retain(|name, _| !incomplete.contains(&**name));
        Ok((missing, in_aws.groups))
    }

    /// Forgets the groups that were pushed again and have all their members now. After a wait in vain, records the members that
    /// are missing.
    async fn settle(&self, scope: &ResolvedScope, cx: &Context, wait: Settle) -> Result<()> {
        let mut activations = Activations::load(cx)?;
        if activations.is_empty() {
            return Ok(());
        }
        let max_age = match wait {
            Settle::BeforeWait => app_lists::RUN,
            Settle::AfterWait | Settle::InVain => app_lists::NOW,
        };
        let missing = self.look(scope, cx, max_age).await?;
        let pushes = AppLists::new(&self.okta, cx).pushes(max_age).await?;
        for members in &scope.pushed {
            let missing: Vec<_> = missing.members_of(&members.group.name).collect();
            if let Some(mapping) = pushes.get(&members.group.id)
                && (wait == Settle::InVain || missing.is_empty())
            {
                activations.settle(mapping, missing);
            }
        }
        activations.save(cx)
    }
}

impl Step for Arrival {
    fn id(&self) -> StepId {
        ids::ARRIVAL
    }

    fn title(&self) -> String {
        "Arrival of users and groups in AWS".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::User, Kind::Group]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let missing = self.look(&scope, cx, app_lists::RUN).await?;
            self.settle(&scope, cx, Settle::BeforeWait).await?;
            let missing = missing.only_awaited(&self.blueprint);
            let waits = missing.subjects().cloned();
            let waits = waits.map(|subject| Change::new(Action::Wait, subject));
            Ok(Planned::changes(waits.collect()))
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let missing = self.look(&scope, cx, app_lists::NOW).await?;
            let missing = missing.only_awaited(&self.blueprint);
            let parts = missing.parts(|subject| *subject == change.subject);
            let Some(part) = parts.get(&change.subject) else {
                return Ok(Applied::Done);
            };
            let reasons = self.reasons(&scope, &missing, cx, app_lists::NOW);
            let reason = reasons.await?.remove(*part);
            let text = match reason {
                Some(Reason {
                    end: Some(end),
                    concern,
                    ..
                }) => {
                    let log = self.log(cx);
                    log.read_if_due(true).await;
                    return Err(log.explain(end.into_error(part), concern.as_ref()));
                }
                reason => reason.map(|reason| reason.text),
            };
            Ok(Applied::Waiting(Waiting {
                on: format!("{part} to arrive in AWS"),
                missing: text.into_iter().collect(),
            }))
        })
    }

    /// Waits for all users and groups together: one look at the identity store serves all of them.
    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut pending = BTreeMap::new();
            for (index, change) in batch.changes().iter().enumerate() {
                if batch.start(index).await? {
                    pending.insert(&change.subject, index);
                }
            }
            let awaited: BTreeSet<&Subject> = pending.keys().copied().collect();
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let mut complete = BTreeMap::new();
            let log = self.log(cx);
            // The time at which each failure was seen first.
            let mut failed: BTreeMap<usize, Duration> = BTreeMap::new();
            while !pending.is_empty() {
                let missing;
                (missing, complete) = self.look_again(&scope, cx, &complete).await?;
                let missing = missing.only_awaited(&self.blueprint);
                let parts = missing.parts(|subject| awaited.contains(subject));
                let max_age = app_lists::WHILE_WAITING;
                let mut reasons = self.reasons(&scope, &missing, cx, max_age).await?;
                let mut ends = parts
                    .values()
                    .filter_map(|part| reasons.get(*part)?.end.as_ref());
                log.read_if_due(ends.any(|end| matches!(end, End::Failed(_))))
                    .await;
                let mut late = Vec::new();
                for (subject, index) in std::mem::take(&mut pending) {
                    let Some(part) = parts.get(subject) else {
                        batch.finish(index, Ok(Outcome::Done)).await?;
                        continue;
                    };
                    let reason = reasons.remove(*part);
                    let text = reason.as_ref().map(|reason| format!(" ({})", reason.text));
                    let text = format!("{part}{}", text.unwrap_or_default());
                    let (end, concern) =
                        reason.map_or((None, None), |reason| (reason.end, reason.concern));
                    let failure = match end {
                        Some(End::Failed(error)) => {
                            let seen = *failed.entry(index).or_insert_with(|| log.now());
                            // The mapping of a group has the reason itself.
                            let is_group = !matches!(part, Subject::User { .. });
                            let is_known = concern
                                .as_ref()
                                .is_none_or(|concern| log.reason(concern).is_some());
                            if is_group || is_known || log.is_settled(seen) {
                                let error = log.explain(error, concern.as_ref());
                                batch.finish(index, Err(error)).await?;
                                continue;
                            }
                            Some(error)
                        }
                        Some(End::Skipped(because)) => {
                            let because = Cause::Subject(because);
                            batch
                                .finish(index, Ok(Outcome::Skipped { because }))
                                .await?;
                            continue;
                        }
                        None => None,
                    };
                    pending.insert(subject, index);
                    late.push(Late {
                        index,
                        text,
                        failure,
                        concern,
                    });
                }
                if late.is_empty() {
                    break;
                }
                // A part that has failed does not arrive: its end is no progress.
                let missing = late.iter().filter(|late| late.failure.is_none());
                let missing: Vec<String> = missing.map(|late| late.describe(&log)).collect();
                let on = if missing.is_empty() {
                    "the reasons of failures in Okta's System Log"
                } else {
                    "users and groups to arrive in AWS"
                };
                let waited = batch.wait(Waiting {
                    on: on.to_owned(),
                    missing,
                });
                match waited.await {
                    Err(error) if error.kind() == ErrorKind::TimedOut => {
                        log.read().await;
                        for late in late {
                            let index = late.index;
                            batch.finish(index, Err(late.into_error(&log))).await?;
                        }
                        return self.settle(&scope, cx, Settle::InVain).await;
                    }
                    waited => waited?,
                }
            }
            self.settle(&scope, cx, Settle::AfterWait).await
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
            let missing = self.look(&scope, cx, app_lists::RUN).await?;
            let reasons = self.reasons(&scope, &missing, cx, app_lists::RUN).await?;
            let log = self.log(cx);
            if !reasons.is_empty() {
                log.read().await;
            }
            let mut checks: Vec<Check> = reasons
                .into_iter()
                .map(|(subject, reason)| {
                    let logged = reason.concern.and_then(|concern| log.reason(&concern));
                    let logged = logged.map_or_else(String::new, |logged| format!(": {logged}"));
                    Check::failed(match reason.end {
                        Some(End::Failed(error)) => format!("{error}{logged}"),
                        _ => format!("missing in AWS: {subject} ({}){logged}", reason.text),
                    })
                })
                .collect();
            for (user, group) in &missing.extra_memberships {
                checks.push(Check::failed(format!(
                    "{user} is a member of group {group} in AWS but not in Okta"
                )));
            }
            Ok(if checks.is_empty() {
                vec![Check::verified(self.title())]
            } else {
                checks
            })
        })
    }
}
