//! Step `directory-sync`: writes Okta's users and groups to AWS directly, without Okta's provisioning.

mod changes;
mod progress;

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use scim_client::{Client as Scim, Dialect, Endpoint};

use self::{
    changes::{
        TOKEN, WRITE, group_target, removal_target, undetermined_write_change, write_change,
    },
    progress::{Progress, Stage, cached_state},
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
        Engine, GroupRemoval, OktaSource, PreparedSync, ReadMode, Removal, RemovalLimits, Run,
        Selection, Settings, Source as _, StateSink, SyncPlan,
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

    /// Sets the limits for removals in one run. They apply in addition to the pipeline's guard.
    #[must_use]
    pub fn removal_limits(mut self, limits: RemovalLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Returns the source and the target, or `None` if the endpoint is unknown.
    fn sides(&self, cx: &Context) -> Result<Option<Sides>> {
        let (endpoint, app) = cx.facts(|facts| (facts.scim.clone(), facts.app.clone()));
        let Some(endpoint) = endpoint else {
            return Ok(None);
        };
        let connect = |token| {
            let client = Scim::builder(&endpoint, token)
                .dialect(Dialect::AwsIdentityCenter)
                .clock(cx.clock());
            client.build().map_err(|error| {
                Error::new(
                    ErrorKind::InvalidAnswer,
                    format!("the SCIM endpoint {endpoint} cannot be used"),
                )
                .with_source(error)
            })
        };
        let scim = scim_token(cx).map(connect).transpose()?;
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

    /// Plans the sync. Returns `None` if the endpoint is unknown, or both the cached state and the token are missing.
    async fn prepare(&self, cx: &Context) -> Result<Option<PreparedSync>> {
        let (Some(sides), state) = (self.sides(cx)?, cached_state(cx)?) else {
            return Ok(None);
        };
        if state.is_none() && sides.scim.is_none() {
            return Ok(None);
        }
        let directory = match lookup::known_scope(cx) {
            Some(scope) => sides.source.directory_of(&scope).await,
            None => sides.source.read().await,
        }?;
        let is_first_run = state.is_none();
        let mut prepared = self.engine(&sides, cx).prepare(&directory, state).await?;
        if is_first_run {
            // The operator could not review the removals.
            prepared
                .plan
                .defer_removals("to the next run, because this run has no cached state");
        }
        Ok(Some(prepared))
    }

    /// Returns the sync that this context runs. The first change starts it.
    async fn run(&self, cx: &Context) -> Result<Box<Run>> {
        let unknown = || {
            lookup::missing_prerequisite("the SCIM endpoint with its token", &ids::SCIM_ENDPOINT)
        };
        let prepared = match cx.run_memory::<Progress>().take() {
            Some(Stage::Running(run)) => return Ok(run),
            Some(Stage::Prepared(prepared)) => *prepared,
            None => self.prepare(cx).await?.ok_or_else(unknown)?,
        };
        let sides = self.sides(cx)?.ok_or_else(unknown)?;
        self.engine(&sides, cx).start(prepared).await.map(Box::new)
    }

    /// Returns the part of the plan that a change stands for, or `None` if the change is already done.
    fn selection(&self, change: &Change, plan: &SyncPlan) -> Result<Option<Selection>> {
        match change.action {
            Action::Update if change.target == WRITE => Ok(Some(Selection::Writes)),
            Action::Remove => {
                let user = plan.users.iter().find_map(|user| {
                    let id = user.removed()?;
                    (removal_target(user) == change.target).then(|| id.clone())
                });
                let group = plan.groups.iter().find_map(|group| {
                    let id = group.removed()?;
                    (group_target(group) == change.target).then(|| id.clone())
                });
                Ok(user
                    .map(Selection::RemoveUser)
                    .or(group.map(Selection::RemoveGroup)))
            }
            _ => Err(unknown_change(&self.id(), change)),
        }
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
            let prepared = self.prepare(cx).await?;
            let mut planned = Planned::nothing();
            let app = lookup::app(&self.okta, cx).await?;
            if app.is_some_and(|app| ProvisioningFeatures::of(&app).integration_on()) {
                planned = planned.note(
                    "Okta provisions into AWS too, so Okta and this step would write the same users: switch off API integration in the app's Provisioning tab",
                );
            }
            match prepared.as_ref().map(PreparedSync::plan) {
                None => planned.changes.push(undetermined_write_change()),
                Some(plan) => {
                    planned.changes.extend(write_change(plan));
                    let users = plan.users.iter().filter(|change| change.removes());
                    let groups = plan
                        .groups
                        .iter()
                        .filter(|change| change.removed().is_some());
                    let targets = users.map(removal_target).chain(groups.map(group_target));
                    let removals = targets.map(|target| Change::new(Action::Remove, target));
                    planned.changes.extend(removals);
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
            cx.run_memory::<Progress>()
                .set(prepared.map(|prepared| Stage::Prepared(Box::new(prepared))));
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            if change.action == Action::ManualStep {
                self.endpoint.ask(cx).await?;
                return Ok(Applied::Done);
            }
            let run = self.run(cx).await?;
            let sink = StateSink::Pipeline(cx);
            if let Some(selection) = self.selection(change, run.plan())? {
                run.apply(&selection, &sink).await?;
            }
            if run.is_over() {
                run.finish(&sink).await?;
            }
            let report = run.take_report();
            cx.run_memory::<Progress>().set(Some(Stage::Running(run)));
            report.complete()?;
            Ok(Applied::Done)
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
            let plan = prepared.plan();
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
