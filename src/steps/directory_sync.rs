//! Step `directory-sync`: writes Okta's users and groups to AWS directly, without Okta's provisioning.

mod changes;

use std::sync::Mutex;

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use scim_client::{Client as Scim, Dialect, Endpoint};

use self::changes::{
    TOKEN, WRITE, defer_removals, removal_target, undetermined_write_change, write_change,
};
use super::{
    catalog::ProvisioningFeatures,
    ids, lookup,
    scim_endpoint::{ScimEndpoint, scim_token},
};
use crate::{
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Check, Planned, Step, unknown_change},
    sync::{
        Directory, GroupChange, GroupRemoval, OktaSource, PlanInput, ReadMode, Removal,
        RemovalLimits, Run, Settings, Source, StateSink, SyncPlan, SyncState, UserChange,
    },
};

/// The step that writes the blueprint's users and groups from Okta to AWS through SCIM.
///
/// The step caches the written users and groups in a file next to the pipeline's state, so a run without changes sends
/// nothing to AWS and needs no token. With a token ([`Pipeline::scim_token`](crate::Pipeline::scim_token)), every run reads
/// all users and groups and corrects drift. Without a token, the step asks the operator for one if there are changes to
/// write.
///
/// The first run has no cached state and removes nothing, because its plan could not show the removals for review.
#[derive(Debug)]
pub struct SyncStep {
    okta: Okta,
    endpoint: ScimEndpoint,
    blueprint: Blueprint,
    settings: Settings,
    prepared: Mutex<Option<SyncPlan>>,
}

/// The facts about the target that are known before the target is read.
struct TargetStatus {
    /// The client; `None` if the endpoint or the token is missing.
    scim: Option<Scim>,
    endpoint: Option<Endpoint>,
    state: Option<SyncState>,
}

impl SyncStep {
    /// Creates the step. By default it deactivates removed users and keeps removed groups.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            endpoint: ScimEndpoint::direct(okta, aws),
            blueprint: blueprint.clone(),
            settings: Settings::default(),
            prepared: Mutex::default(),
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

    /// Sets the limits for removals in one run. They apply in addition to the pipeline's guard.
    #[must_use]
    pub fn removal_limits(mut self, limits: RemovalLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Returns the endpoint, the client and the cached state.
    fn status(cx: &Context) -> Result<TargetStatus> {
        let state = cx.file(SyncState::FILE);
        let state = state.as_deref().map(SyncState::from_json).transpose()?;
        let endpoint = cx.facts(|facts| facts.scim.clone());
        let scim = match (&endpoint, scim_token(cx)) {
            (Some(endpoint), Some(token)) => {
                let client = Scim::builder(endpoint, token)
                    .dialect(Dialect::AwsIdentityCenter)
                    .clock(cx.clock())
                    .build();
                Some(client.map_err(|error| {
                    Error::new(
                        ErrorKind::InvalidAnswer,
                        format!("the SCIM endpoint {endpoint} cannot be used"),
                    )
                    .with_source(error)
                })?)
            }
            _ => None,
        };
        Ok(TargetStatus {
            scim,
            endpoint,
            state,
        })
    }

    /// Returns the source and its users and groups.
    async fn directory(&self, cx: &Context) -> Result<(OktaSource, Directory)> {
        let app = cx.facts(|facts| facts.app.clone());
        let source = OktaSource::new(&self.okta, &self.blueprint).app(app);
        let directory = match lookup::known_scope(cx) {
            Some(scope) => source.directory_of(&scope).await,
            None => source.read().await,
        }?;
        Ok((source, directory))
    }

    /// Returns the sync plan, or `None` if the endpoint is unknown, or both the cached state and the token are missing.
    async fn sync_plan(&self, cx: &Context) -> Result<Option<SyncPlan>> {
        let status = Self::status(cx)?;
        let Some(endpoint) = status.endpoint.as_ref() else {
            return Ok(None);
        };
        let mode = match (&status.state, &status.scim) {
            (None, None) => return Ok(None),
            (Some(_), None) => ReadMode::Cached,
            (Some(_), Some(_)) => ReadMode::Verify,
            (None, Some(_)) => ReadMode::Full,
        };
        let (source, directory) = self.directory(cx).await?;
        let settings = Settings {
            mode,
            ..self.settings.clone()
        };
        let input = PlanInput {
            source: &source,
            directory: &directory,
            scim: status.scim.as_ref(),
            target: &endpoint.to_string(),
            state: status.state.as_ref(),
            now: cx.now(),
        };
        let mut plan = settings.plan(input).await?;
        if status.state.is_none() {
            defer_removals(&mut plan);
        }
        Ok(Some(plan))
    }

    /// Returns the client of the target.
    ///
    /// # Errors
    ///
    /// Fails if this run has no SCIM access token.
    fn scim(cx: &Context) -> Result<Scim> {
        Self::status(cx)?.scim.ok_or_else(|| {
            Error::new(
                ErrorKind::ManualStep,
                "this run has no SCIM access token of AWS",
            )
            .with_help("pass the token to the pipeline, or run with an operator who can provide it")
        })
    }

    /// Writes changes of users and groups. A change in `removals` is written only if it releases a name that another change
    /// needs.
    async fn write(
        &self,
        users: &[&UserChange],
        removals: &[&UserChange],
        groups: &[&GroupChange],
        plan: &SyncPlan,
        cx: &Context,
    ) -> Result<()> {
        self.settings.limits.check(plan)?;
        let scim = Self::scim(cx)?;
        self.settings.check_protected(&scim, plan).await?;
        let mut state = match cx.file(SyncState::FILE) {
            // An earlier change of this plan was written and has updated the state.
            Some(json) if SyncState::from_json(&json)?.serial > plan.serial => {
                SyncState::from_json(&json)?
            }
            _ => plan
                .next_state
                .0
                .as_deref()
                .cloned()
                .unwrap_or_else(|| SyncState::empty(&scim.endpoint().to_string())),
        };
        state.serial = state.serial.max(plan.serial + 1);
        let run = Run::new(&scim, cx.clock(), StateSink::Context(cx), state, plan);
        run.start().await?;
        run.write_users(users, removals).await?;
        run.write_groups(groups).await?;
        run.finish().await?;
        run.into_parts().0.complete()?;
        Ok(())
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, Option<SyncPlan>> {
        self.prepared
            .lock()
            .expect("no thread panics while it holds the lock of the plan")
    }
}

impl Step for SyncStep {
    fn id(&self) -> StepId {
        ids::DIRECTORY_SYNC
    }

    fn title(&self) -> String {
        "Directory sync to AWS".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let plan = self.sync_plan(cx).await?;
            let mut planned = Planned::nothing();
            let app = lookup::app(&self.okta, cx).await?;
            if app.is_some_and(|app| ProvisioningFeatures::of(&app).integration_on()) {
                planned = planned.note(
                    "Okta provisions into AWS too, so Okta and this step would write the same users: switch off API integration in the app's Provisioning tab",
                );
            }
            match &plan {
                None => planned.changes.push(undetermined_write_change()),
                Some(plan) => {
                    planned.changes.extend(write_change(plan));
                    let users = plan.users.iter().filter(|change| change.removes());
                    planned.changes.extend(
                        users.map(|change| Change::new(Action::Remove, removal_target(change))),
                    );
                    let groups = plan.groups.iter().filter_map(|change| match change {
                        GroupChange::Delete(removed) => Some(format!("group {removed}")),
                        GroupChange::Create { .. } | GroupChange::Update { .. } => None,
                    });
                    planned
                        .changes
                        .extend(groups.map(|group| Change::new(Action::Remove, group)));
                    planned.notes.extend(plan.notes.iter().cloned());
                    planned.notes.extend(
                        plan.skipped.iter().map(|skipped| {
                            format!("{} is skipped: {}", skipped.name, skipped.reason)
                        }),
                    );
                    if let Err(exceeded) = self.settings.limits.check(plan) {
                        planned
                            .notes
                            .push(format!("this plan cannot be applied: {exceeded}"));
                    }
                }
            }
            let token_missing = scim_token(cx).is_none() && cx.facts(|facts| facts.scim.is_some());
            if token_missing && !planned.changes.is_empty() {
                let token = Change::new(Action::ManualStep, TOKEN)
                    .with("asks for", "SCIM endpoint and access token")
                    .with_value("token", Value::Secret);
                planned.changes.insert(0, token);
            }
            *self.prepared() = plan;
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            if change.action == Action::ManualStep {
                self.endpoint.ask(cx).await?;
                return Ok(Applied::Done);
            }
            let prepared = self.prepared().clone();
            let plan = match prepared {
                Some(plan) => plan,
                None => self.sync_plan(cx).await?.ok_or_else(|| {
                    lookup::missing_prerequisite(
                        "the SCIM endpoint with its token",
                        &ids::SCIM_ENDPOINT,
                    )
                })?,
            };
            let (user_removals, user_writes): (Vec<_>, Vec<_>) =
                plan.users.iter().partition(|change| change.removes());
            let (group_removals, group_writes): (Vec<_>, Vec<_>) = plan
                .groups
                .iter()
                .partition(|change| matches!(change, GroupChange::Delete(_)));
            match change.action {
                Action::Update if change.target == WRITE => {
                    if plan.serial == 0 || !user_writes.is_empty() || !group_writes.is_empty() {
                        self.write(&user_writes, &user_removals, &group_writes, &plan, cx)
                            .await?;
                    }
                }
                Action::Remove => {
                    let users: Vec<_> = user_removals
                        .into_iter()
                        .filter(|user| removal_target(user) == change.target)
                        .collect();
                    let groups: Vec<_> = group_removals
                        .into_iter()
                        .filter(|group| format!("group {}", group.name()) == change.target)
                        .collect();
                    // A removal that is missing in the current plan is already done.
                    if !users.is_empty() || !groups.is_empty() {
                        self.write(&users, &[], &groups, &plan, cx).await?;
                    }
                }
                _ => return Err(unknown_change(&self.id(), change)),
            }
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let Some(plan) = self.sync_plan(cx).await? else {
                return Ok(vec![Check::failed(format!(
                    "{}: no earlier run has saved a state",
                    self.title()
                ))]);
            };
            let users = plan.users.iter().map(ToString::to_string);
            let groups = plan.groups.iter().map(ToString::to_string);
            let mut checks: Vec<Check> = users
                .chain(groups)
                .map(|change| Check::failed(format!("not yet written to AWS: {change}")))
                .collect();
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
