//! Step `directory-sync`: writes Okta's users and groups to AWS directly, without Okta's provisioning.

mod progress;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_sso_glue::{Aws, UserId};
use futures::future::BoxFuture;
use okta_client::{Client as Okta, Id, User};
use scim_client::{Client as Scim, Endpoint};
use scim_types::{ExternalId, ResourceId};

use self::progress::{Prepared, cached_state};
use super::{
    app_lists::{self, AppLists},
    catalog::ProvisioningFeatures,
    ids, lookup,
    scim_endpoint::{self, ScimEndpoint, scim_token},
};
use crate::{
    batch::Batch,
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result},
    outcome::{Cause, Outcome},
    plan::{Action, Change, Hazard, Kind, Name, Note, StepId, Subject, Value},
    resolved_scope::is_provisioned,
    step::{Applied, Check, Planned, Step},
    sync::{
        Directory, Engine, Failed, FailedMembership, GroupChange, GroupRemoval, OktaSource,
        PreparedSync, ReadMode, Removal, Settings, StateSink, SyncChange, SyncPlan, SyncReport,
        UserNames, kept_removals, plan_for_new_target, retain_approved, sync_changes,
    },
};

/// The users that have left the scope, by id: the login, if Okta still has the user, and why the user loses access. Read once
/// per context.
#[derive(Default)]
struct LookedUp(Mutex<HashMap<ExternalId, (Option<String>, String)>>);

impl LookedUp {
    fn get(&self, id: &ExternalId) -> Option<(Option<String>, String)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).cloned()
    }

    fn insert(&self, id: &ExternalId, found: &(Option<String>, String)) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.clone(), found.clone());
    }
}

/// Returns the error of a user that the sync skips.
fn skipped_user(change: &Change, reason: &str) -> Error {
    Error::new(
        ErrorKind::UnusableSubject,
        format!("{} is skipped: {reason}", change.subject),
    )
    .with_help("correct the profile of the user in Okta, then run again")
}

/// Describes a removal that the sync does not make.
fn stays(change: &Change, reason: &str) -> String {
    format!("{} stays in AWS: {reason}", change.subject)
}

/// Returns the error of a removal that the sync does not make.
fn not_made(change: &Change, reason: &str) -> Error {
    Error::new(ErrorKind::UnusableSubject, stays(change, reason))
        .with_help("correct what could not be read or contradicts itself, then run again")
}

/// Returns the memberships that a plan removes, with the target's ids of group and user.
fn member_removals(
    plan: &SyncPlan,
    names: &UserNames,
) -> HashMap<Subject, (ResourceId, ResourceId)> {
    let mut removals = HashMap::new();
    for change in &plan.groups {
        let GroupChange::Update {
            id, name, remove, ..
        } = change
        else {
            continue;
        };
        removals.extend(remove.iter().map(|member| {
            let user = names.removed_member(member);
            let subject = Subject::membership(name.as_str(), user);
            (subject, (id.clone(), member.id.clone()))
        }));
    }
    removals
}

/// Returns the memberships that AWS has refused, each with whether it is a removal.
fn failed_memberships<'r>(
    report: &'r SyncReport,
    names: &UserNames,
) -> HashMap<(bool, Subject), &'r FailedMembership> {
    let failed = report.failed_memberships.iter();
    failed
        .filter(|failed| failed.response.is_some())
        .map(|failed| {
            let user = match &failed.external_id {
                Some(id) => names.user(id, &failed.user),
                None => failed.user.as_str().into(),
            };
            let subject = Subject::membership(failed.group.as_str(), user);
            ((failed.removal, subject), failed)
        })
        .collect()
}

/// The subject of the check that saves the cached state of the first run.
fn in_sync() -> Subject {
    Subject::custom(
        ids::DIRECTORY_SYNC,
        "users and groups in AWS are as in Okta",
    )
}

/// The step that writes the blueprint's users and groups from Okta to AWS through SCIM.
///
/// The step caches the written users and groups in a file next to the pipeline's state, so a run without changes sends
/// nothing to AWS and needs no token. With a token ([`Pipeline::scim_token`](crate::Pipeline::scim_token)), every run reads
/// all users and groups and corrects drift. Without a token, the step asks the operator for one if there are changes to
/// write.
///
/// The first run has no cached state. Without a token, its plan reads users, groups and members with AWS's Identity Store API,
/// so that it names what the run adopts and removes.
#[derive(Debug)]
pub struct SyncStep {
    okta: Okta,
    aws: Aws,
    blueprint: Blueprint,
    endpoint: ScimEndpoint,
    source: OktaSource,
    settings: Settings,
}

/// The source and the target of one run.
struct Sides {
    source: OktaSource,
    endpoint: Endpoint,
    /// The client; `None` if the token is missing.
    scim: Option<Scim>,
}

impl SyncStep {
    /// Creates the step. By default it deactivates removed users and keeps removed groups.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            blueprint: blueprint.clone(),
            endpoint: ScimEndpoint::direct(okta, aws),
            source: OktaSource::new(okta, blueprint),
            settings: Settings::default(),
        }
    }

    /// Sets the treatment of users that are no longer in the scope (default: [`Removal::Deactivate`]).
    #[must_use]
    pub fn removal(mut self, removal: Removal) -> Self {
        self.settings.removal = removal;
        self
    }

    /// Sets the treatment of groups that are no longer in the scope (default: [`GroupRemoval::Keep`]).
    #[must_use]
    pub fn group_removal(mut self, removal: GroupRemoval) -> Self {
        self.settings.group_removal = removal;
        self
    }

    /// Returns the source and the target, or `None` if the endpoint is unknown.
    fn sides(&self, cx: &Context) -> Result<Option<Sides>> {
        let (endpoint, app) = cx.facts(|facts| (facts.scim.clone(), facts.app.clone()));
        let Some(endpoint) = endpoint else {
            return Ok(None);
        };
        let token = scim_token(cx);
        let scim = token.map(|token| scim_endpoint::client(&endpoint, token, cx));
        let scim = scim.transpose()?;
        Ok(Some(Sides {
            source: self.source.clone().app(app),
            endpoint,
            scim,
        }))
    }

    fn engine<'a>(&self, sides: &'a Sides, cx: &Context) -> Engine<'a> {
        Engine {
            source: &sides.source,
            endpoint: sides.endpoint.to_string(),
            scim: sides.scim.as_ref(),
            center: None,
            settings: Settings {
                // Without a token, the target cannot be read.
                mode: if sides.scim.is_some() {
                    ReadMode::Verify
                } else {
                    ReadMode::Cached
                },
                ..self.settings.clone()
            },
            clock: cx.clock(),
        }
    }

    /// Returns the users and groups of the blueprint, from the scope that the steps share.
    async fn directory(&self, cx: &Context) -> Result<Directory> {
        let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
        let assigned = AppLists::new(&self.okta, cx).users(app_lists::RUN).await?;
        let provisioning = &self.blueprint.provisioning;
        Ok(OktaSource::directory_of(&scope, &assigned, provisioning))
    }

    /// Plans the sync. Returns `None` if the endpoint is unknown, or both the cached state and the token are missing.
    async fn prepare(&self, cx: &Context) -> Result<Option<PreparedSync>> {
        let (Some(sides), state) = (self.sides(cx)?, cached_state(cx)?) else {
            return Ok(None);
        };
        if state.is_none() && sides.scim.is_none() {
            return Ok(None);
        }
        let directory = self.directory(cx).await?;
        let prepared = self.engine(&sides, cx).prepare(&directory, state).await?;
        Ok(Some(prepared))
    }

    /// Plans the first sync without a token, from AWS's Identity Store API. The result is for review: the run reads the target
    /// with SCIM. Returns `None` if AWS has no instance yet.
    async fn preview(&self, cx: &Context) -> Result<Option<PreparedSync>> {
        let Some(center) = lookup::identity_center(&self.aws, cx) else {
            return Ok(None);
        };
        let (endpoint, app) = cx.facts(|facts| (facts.scim.clone(), facts.app.clone()));
        let source = self.source.clone().app(app);
        let engine = Engine {
            source: &source,
            endpoint: endpoint.map(|url| url.to_string()).unwrap_or_default(),
            scim: None,
            center: Some(center),
            settings: self.settings.clone(),
            clock: cx.clock(),
        };
        let directory = self.directory(cx).await?;
        engine.prepare(&directory, None).await.map(Some)
    }

    /// Returns the hazards of a sync, with the names in Okta and the roles of the blueprint.
    fn sync_hazards(&self, prepared: &PreparedSync, names: &UserNames) -> Vec<Hazard> {
        let adopted = &prepared.plan.members_of_adopted;
        let hazards = prepared.plan.hazards.iter().cloned();
        // The groups of a new blueprint may have no members yet.
        let is_new = |hazard: &Hazard| matches!(hazard, Hazard::EmptySource { managed: 0 });
        hazards
            .filter(|hazard| !is_new(hazard))
            .map(|hazard| match hazard {
                Hazard::GivesAccessTo { group, users, .. } => {
                    let members = adopted.get(&*group);
                    let of_ids = |ids: &Vec<_>| ids.iter().map(|id| names.member_id(id)).collect();
                    Hazard::GivesAccessTo {
                        roles: self.blueprint.roles_of_group(&group),
                        users: members.map_or(users, of_ids),
                        group,
                    }
                }
                hazard => hazard,
            })
            .collect()
    }

    /// Returns the names of the users, and why users lose access.
    async fn names(&self, prepared: Option<&PreparedSync>, cx: &Context) -> Result<UserNames> {
        let scope = lookup::scope(&self.okta, &self.blueprint, cx).await?;
        let mut names = UserNames::default();
        for (id, user) in scope.all_users() {
            let id = ExternalId::new(id.as_str());
            if !is_provisioned(&user.status) {
                names
                    .reasons
                    .insert(id.clone(), format!("{} in Okta", user.status));
            }
            names.logins.insert(id, (&user.profile.login).into());
        }
        let Some(prepared) = prepared else {
            return Ok(names);
        };
        names.external_ids = prepared.external_ids();
        let kept = prepared.plan.members_of_adopted.values().flatten();
        for id in kept.filter(|id| !names.external_ids.contains_key(*id)) {
            names.unmanaged.extend(self.name_in_aws(id, cx).await?);
        }
        // Users that have left the scope are looked up one by one: a reviewer decides by name, not by id.
        let looked_up = cx.run_memory::<LookedUp>();
        for id in prepared.losing_access(&names.external_ids) {
            if names.logins.contains_key(&id) {
                let reason = || "left the group in Okta".to_owned();
                names.reasons.entry(id).or_insert_with(reason);
                continue;
            }
            let (login, reason) = if let Some(known) = looked_up.get(&id) {
                known
            } else {
                let found = self.look_up(&id).await?;
                looked_up.insert(&id, &found);
                found
            };
            // Without a login, the plan has the name that was read from AWS.
            if let Some(login) = login {
                names.logins.insert(id.clone(), login.into());
            }
            names.reasons.insert(id, reason);
        }
        Ok(names)
    }

    /// Returns the name in AWS of a user that the sync does not manage.
    async fn name_in_aws(
        &self,
        id: &ResourceId,
        cx: &Context,
    ) -> Result<Option<(ResourceId, Name)>> {
        let (Some(center), Ok(user)) = (
            lookup::identity_center(&self.aws, cx),
            UserId::parse(id.as_str()),
        ) else {
            return Ok(None);
        };
        let found = center.identity_store().user_opt(&user).await;
        let found = found.map_err(|error| {
            Error::service(format!("user {id} could not be read from AWS"), error)
        })?;
        Ok(found.map(|user| (id.clone(), user.user_name.into())))
    }

    /// Returns the login of a user that has left the scope, if Okta still has the user, and why the user loses access.
    async fn look_up(&self, id: &ExternalId) -> Result<(Option<String>, String)> {
        let unknown = || (None, "no longer in Okta".to_owned());
        let Ok(user) = Id::<User>::parse(id.as_str()) else {
            return Ok(unknown());
        };
        let found = self.okta.users().get_opt(&user.into()).await;
        let found = found.map_err(|error| {
            Error::service(format!("user {id} could not be read from Okta"), error)
        })?;
        Ok(found.map_or_else(unknown, |user| {
            let reason = if is_provisioned(&user.status) {
                "left the scope of the blueprint in Okta".to_owned()
            } else {
                format!("{} in Okta", user.status)
            };
            (Some(user.profile.login), reason)
        }))
    }

    /// Writes the approved changes, and returns the outcome of each.
    async fn write(&self, changes: &[&Change], cx: &Context) -> Result<Vec<Result<Outcome>>> {
        let unknown = || {
            lookup::missing_prerequisite("the SCIM endpoint with its token", &ids::SCIM_ENDPOINT)
        };
        let mut prepared = match cx.run_memory::<Prepared>().take() {
            Some(prepared) => prepared,
            None => self.prepare(cx).await?.ok_or_else(unknown)?,
        };
        let names = self.names(Some(&prepared), cx).await?;
        let approved = changes
            .iter()
            .map(|change| (change.action == Action::Remove, change.subject.clone()))
            .collect();
        retain_approved(&mut prepared.plan, &names, &approved);
        let writes: HashMap<(bool, Subject), String> = sync_changes(&prepared.plan, &names)
            .into_iter()
            .map(|SyncChange { change, write }| {
                ((change.action == Action::Remove, change.subject), write)
            })
            .collect();
        let skipped: HashMap<String, String> = prepared
            .plan
            .skipped
            .iter()
            .map(|skipped| (skipped.name.clone(), skipped.reason.clone()))
            .collect();
        let kept: HashMap<Subject, String> = kept_removals(&prepared.plan, &names)
            .map(|(change, reason)| (change.subject, reason.to_owned()))
            .collect();
        let removals = member_removals(&prepared.plan, &names);
        let sides = self.sides(cx)?.ok_or_else(unknown)?;
        let run = self.engine(&sides, cx).start(prepared).await?;
        let sink = StateSink::Pipeline(cx);
        run.apply(&sink).await?;
        run.finish(&sink).await?;
        let (report, written, removed) = run.into_report();
        let failed = report.failed.iter();
        let failed: HashMap<&str, &Failed> = failed
            .map(|failed| (failed.change.as_str(), failed))
            .collect();
        let memberships = failed_memberships(&report, &names);
        // A group whose rename is refused has another name in the report than in the plan.
        let refused: HashMap<&(ResourceId, ResourceId), &FailedMembership> =
            report.refused_removals().collect();
        let outcomes = changes.iter().map(|change| {
            let key = (change.action == Action::Remove, change.subject.clone());
            let Some(write) = writes.get(&key) else {
                // A change that the sync no longer plans is done, unless the sync skips the user or keeps it.
                let name = change.known("userName");
                let skipped = name.and_then(|name| skipped.get(name));
                let kept = kept.get(&key.1).filter(|_| key.0);
                return match (skipped, kept) {
                    (None, None) => Ok(Outcome::Done),
                    (Some(reason), _) => Err(skipped_user(change, reason)),
                    (None, Some(reason)) => Err(not_made(change, reason)),
                };
            };
            let refused = removals
                .get(&key.1)
                .and_then(|ids| refused.get(ids))
                .filter(|_| key.0);
            if let Some(failed) = refused.or_else(|| memberships.get(&key)) {
                return Err(failed.to_error());
            }
            // A removal does not wait for the other changes of its group.
            if key.0
                && removals
                    .get(&key.1)
                    .is_some_and(|ids| removed.contains(ids))
            {
                return Ok(Outcome::Done);
            }
            if let Some(failed) = failed.get(write.as_str()) {
                return Err(failed.to_error());
            }
            if !written.contains(write) {
                let because = Cause::Stopped;
                return Ok(Outcome::Skipped { because });
            }
            // The group was written without the members whose user could not be written.
            if let (Subject::Membership { user, .. }, Action::Create) =
                (&change.subject, change.action)
            {
                let key = (false, Subject::user(user.clone()));
                if writes
                    .get(&key)
                    .is_some_and(|write| !written.contains(write))
                {
                    let because = Cause::Subject(key.1);
                    return Ok(Outcome::Skipped { because });
                }
            }
            Ok(Outcome::Done)
        });
        Ok(outcomes.collect())
    }
}

impl Step for SyncStep {
    fn id(&self) -> StepId {
        ids::DIRECTORY_SYNC
    }

    fn title(&self) -> String {
        "Directory sync to AWS".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::User, Kind::Group]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let mut prepared = self.prepare(cx).await?;
            let is_preview = prepared.is_none();
            if is_preview {
                prepared = self.preview(cx).await?;
            }
            let names = self.names(prepared.as_ref(), cx).await?;
            let mut planned = Planned::nothing();
            let app = lookup::app(&self.okta, cx).await?;
            if app.is_some_and(|app| ProvisioningFeatures::of(&app).integration_on()) {
                planned = planned.note(
                    "okta-provisions-too",
                    "Okta provisions into AWS too, so Okta and this step would write the same users: switch off API integration in the app's Provisioning tab",
                );
            }
            if let Some(prepared) = &prepared {
                planned.hazards = self.sync_hazards(prepared, &names);
                planned.totals = prepared.plan.totals.of_kinds();
                // A run of the pipeline has no report of its own for the sync, so the next plan says it.
                planned.notes.extend(prepared.not_kept().map(|attribute| {
                    Note::new("not-kept", format!("AWS does not keep {attribute}"))
                }));
            }
            // AWS has no instance yet, so there is nothing to remove.
            let unknown_target;
            let plan = if let Some(prepared) = &prepared {
                prepared.plan()
            } else {
                unknown_target = plan_for_new_target(&self.directory(cx).await?, cx.now())?;
                &unknown_target
            };
            let changes = sync_changes(plan, &names).into_iter();
            planned.changes.extend(changes.map(|sync| sync.change));
            // The first run saves the cached state even if there is nothing to write.
            // So does a run that finds that other users are left out than before: the state has the day.
            let has_token = scim_token(cx).is_some();
            let saves = |prepared: &PreparedSync| {
                plan.serial == 0 || (has_token && prepared.leaves_out_others())
            };
            if planned.changes.is_empty() && prepared.as_ref().is_some_and(saves) {
                planned.changes.push(Change::new(Action::Check, in_sync()));
            }
            let notes = plan.notes.iter().map(|note| Note::new("sync", note));
            let unread = plan.unread.iter().map(|item| Note::new("unread", item));
            let kept = kept_removals(plan, &names);
            let kept = kept.map(|(change, reason)| {
                Note::new("kept", stays(&change, reason)).about(change.subject)
            });
            let notes = notes.chain(unread).chain(kept);
            let skipped = plan.skipped.iter();
            let skipped = skipped.map(|skipped| Note::new("user-skipped", skipped.to_string()));
            planned.notes.extend(notes.chain(skipped));
            let token_missing = scim_token(cx).is_none() && cx.facts(|facts| facts.scim.is_some());
            if token_missing && !planned.changes.is_empty() {
                let token = Change::new(Action::ManualStep, Subject::ScimEndpoint {})
                    .with("asks for", "SCIM endpoint and access token")
                    .with_value("token", Value::Secret);
                planned.changes.insert(0, token);
            }
            cx.run_memory::<Prepared>()
                .set(prepared.filter(|_| !is_preview));
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            if change.action == Action::ManualStep {
                self.endpoint.ask(cx).await?;
                return Ok(Applied::Done);
            }
            let mut outcomes = Box::pin(self.write(&[change], cx)).await?;
            match outcomes.pop().transpose()? {
                Some(Outcome::Skipped { .. }) => Err(Error::new(
                    ErrorKind::Service,
                    format!("the sync has stopped before it could {change}"),
                )
                .with_help("run again")),
                _ => Ok(Applied::Done),
            }
        })
    }

    /// Asks for the token if it is missing, and writes all changes with one run of the sync.
    fn apply_all<'a>(&'a self, batch: &'a Batch<'a>, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (mut indexes, mut changes) = (Vec::new(), Vec::new());
            for (index, change) in batch.changes().iter().enumerate() {
                if !batch.start(index).await? {
                    continue;
                }
                if change.action == Action::ManualStep {
                    let asked = self.endpoint.ask(cx).await;
                    batch.finish(index, asked.map(|()| Outcome::Done)).await?;
                } else {
                    indexes.push(index);
                    changes.push(change);
                }
            }
            if changes.is_empty() {
                return Ok(());
            }
            let outcomes = Box::pin(self.write(&changes, cx)).await?;
            for (index, outcome) in indexes.into_iter().zip(outcomes) {
                batch.finish(index, outcome).await?;
            }
            Ok(())
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let Some(prepared) = self.prepare(cx).await? else {
                return Ok(vec![Check::failed(format!(
                    "{}: no earlier run has saved a state",
                    self.title()
                ))]);
            };
            let names = self.names(Some(&prepared), cx).await?;
            let changes = sync_changes(prepared.plan(), &names).into_iter();
            let mut checks: Vec<Check> = changes
                .map(|sync| Check::failed(format!("not yet written to AWS: {}", sync.change)))
                .collect();
            let plan = prepared.plan();
            let unread = plan.unread.iter();
            checks.extend(unread.map(Check::failed));
            let kept = kept_removals(plan, &names);
            checks.extend(kept.map(|(change, reason)| Check::failed(stays(&change, reason))));
            let skipped = plan.skipped.iter();
            checks.extend(skipped.map(|skipped| Check::failed(skipped.to_string())));
            if scim_token(cx).is_none() {
                checks.push(Check::unverifiable(
                    "users and groups in AWS match the last run: they cannot be read without the SCIM token",
                ));
            } else if checks.is_empty() {
                checks.push(Check::verified(self.title()));
            }
            Ok(checks)
        })
    }
}
