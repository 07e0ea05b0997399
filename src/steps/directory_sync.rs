//! Okta's users and groups are in AWS, written by this run.

mod changes;

use std::sync::Mutex;

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use scim_client::{Client as Scim, Dialect, Endpoint};

use self::changes::{TOKEN, WRITE, leave_everybody, removed_user, unknown, written};
use super::{ProvisioningFeatures, ScimEndpoint};
use crate::{
    blueprint::Blueprint,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Check, Context, Planned, Step, not_ours},
    sync::{
        Directory, GroupChange, GroupRemoval, OktaSource, PlanInput, ReadMode, Removal,
        RemovalLimits, Run, Settings, Source, StateSink, SyncPlan, SyncState, UserChange,
    },
};

/// The users and groups of the blueprint are in AWS as they are in Okta, written through SCIM by this run.
///
/// What was written is remembered beside the state, so that a run in which nothing changes asks AWS nothing and needs no
/// token. With a token ([`Pipeline::scim_token`](crate::Pipeline::scim_token)) every run looks at all users and groups,
/// and puts right what somebody else has changed. Without one a person is asked for it, when something is to be written.
///
/// The first run, which remembers nothing, takes nothing away: it could not show before what that would be.
#[derive(Debug)]
pub struct SyncStep {
    okta: Okta,
    endpoint: ScimEndpoint,
    blueprint: Blueprint,
    settings: Settings,
    prepared: Mutex<Option<SyncPlan>>,
}

/// What can be said about the target now.
struct TargetStatus {
    scim: Option<Scim>,
    endpoint: Option<Endpoint>,
    state: Option<SyncState>,
}

impl SyncStep {
    /// The step for the people of a blueprint; who is gone from it is deactivated, and groups are kept.
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

    /// What becomes of users who are gone from the scope.
    #[must_use]
    pub fn removal(mut self, removal: Removal) -> Self {
        self.settings.removal = removal;
        self
    }

    /// What becomes of groups that are gone from the scope.
    #[must_use]
    pub fn group_removal(mut self, removal: GroupRemoval) -> Self {
        self.settings.group_removal = removal;
        self
    }

    /// What a run may take away, besides what the pipeline's own guard allows.
    #[must_use]
    pub fn removal_limits(mut self, limits: RemovalLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    fn status(cx: &Context) -> Result<TargetStatus> {
        let state = cx.file(SyncState::FILE);
        let state = state.as_deref().map(SyncState::from_json).transpose()?;
        let endpoint = cx.facts(|facts| facts.scim.clone());
        let scim = match (&endpoint, cx.scim_token()) {
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

    async fn directory(&self, cx: &Context) -> Result<(OktaSource, Directory)> {
        let app = cx.facts(|facts| facts.app.clone());
        let source = OktaSource::new(&self.okta, &self.blueprint).app(app);
        let directory = match cx.scope.get() {
            Some(scope) => source.of_roster(scope).await,
            None => source.read().await,
        }?;
        Ok((source, directory))
    }

    /// What would be written, or `None` where nobody can say yet.
    async fn input(&self, cx: &Context) -> Result<Option<SyncPlan>> {
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
            leave_everybody(&mut plan);
        }
        Ok(Some(plan))
    }

    /// The client, which the token of this run has made possible.
    fn scim(cx: &Context) -> Result<Scim> {
        Self::status(cx)?.scim.ok_or_else(|| {
            Error::new(
                ErrorKind::ManualStep,
                "the SCIM access token of AWS is not known to this run",
            )
            .with_help("give it to the pipeline, or run with a person who hands it over")
        })
    }

    async fn write(
        &self,
        users: &[&UserChange],
        leaving: &[&UserChange],
        groups: &[&GroupChange],
        plan: &SyncPlan,
        cx: &Context,
    ) -> Result<()> {
        self.settings.limits.check(plan)?;
        let scim = Self::scim(cx)?;
        self.settings.check_protected(&scim, plan).await?;
        let mut state = match cx.file(SyncState::FILE) {
            // An earlier change of this plan has been written, and kept.
            Some(kept) if SyncState::from_json(&kept)?.serial > plan.serial => {
                SyncState::from_json(&kept)?
            }
            _ => plan
                .next_state
                .0
                .as_deref()
                .cloned()
                .unwrap_or_else(|| SyncState::of(&scim.endpoint().to_string())),
        };
        state.serial = state.serial.max(plan.serial + 1);
        let run = Run::new(&scim, cx.clock(), StateSink::Context(cx), state, plan);
        run.start().await?;
        run.users(users, leaving).await?;
        run.groups(groups).await?;
        run.finish().await?;
        run.end().0.complete()?;
        Ok(())
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, Option<SyncPlan>> {
        self.prepared
            .lock()
            .expect("nobody panics while holding a plan")
    }
}

impl Step for SyncStep {
    fn id(&self) -> StepId {
        StepId::new("directory-sync")
    }

    fn title(&self) -> String {
        "Users and groups written to AWS".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let plan = self.input(cx).await?;
            let mut planned = Planned::nothing();
            let app = super::app(&self.okta, cx).await?;
            if app.is_some_and(|app| ProvisioningFeatures::of(&app).integration_on()) {
                planned = planned.note(
                    "Okta provisions into AWS too, and both would write the same users: switch off API integration in the app's Provisioning tab",
                );
            }
            match &plan {
                None => planned.changes.push(unknown()),
                Some(plan) => {
                    planned.changes.extend(written(plan));
                    let users = plan.users.iter().filter(|change| change.removes());
                    planned.changes.extend(
                        users.map(|change| Change::new(Action::Remove, removed_user(change))),
                    );
                    let groups = plan.groups.iter().filter_map(|change| match change {
                        GroupChange::Delete(gone) => Some(format!("group {gone}")),
                        GroupChange::Create { .. } | GroupChange::Update { .. } => None,
                    });
                    planned
                        .changes
                        .extend(groups.map(|group| Change::new(Action::Remove, group)));
                    planned.notes.extend(plan.notes.iter().cloned());
                    planned.notes.extend(plan.skipped.iter().map(|skipped| {
                        format!("{} is left as it is: {}", skipped.name, skipped.why)
                    }));
                    if let Err(exceeded) = self.settings.limits.check(plan) {
                        planned
                            .notes
                            .push(format!("the guard will refuse this: {exceeded}"));
                    }
                }
            }
            let asks = cx.scim_token().is_none() && cx.facts(|facts| facts.scim.is_some());
            if asks && !planned.changes.is_empty() {
                let token = Change::new(Action::ManualStep, TOKEN)
                    .with("hands back", "SCIM endpoint and access token")
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
                None => self.input(cx).await?.ok_or_else(|| {
                    super::missing("the SCIM endpoint with its token", "scim-endpoint")
                })?,
            };
            let (removed, kept): (Vec<_>, Vec<_>) =
                plan.users.iter().partition(|change| change.removes());
            let (gone, changed): (Vec<_>, Vec<_>) = plan
                .groups
                .iter()
                .partition(|change| matches!(change, GroupChange::Delete(_)));
            match change.action {
                Action::Update if change.target == WRITE => {
                    if plan.serial == 0 || !kept.is_empty() || !changed.is_empty() {
                        self.write(&kept, &removed, &changed, &plan, cx).await?;
                    }
                }
                Action::Remove => {
                    let users: Vec<_> = removed
                        .into_iter()
                        .filter(|user| removed_user(user) == change.target)
                        .collect();
                    let groups: Vec<_> = gone
                        .into_iter()
                        .filter(|group| format!("group {}", group.name()) == change.target)
                        .collect();
                    // Whoever is not in the plan any more is gone already.
                    if !users.is_empty() || !groups.is_empty() {
                        self.write(&users, &[], &groups, &plan, cx).await?;
                    }
                }
                _ => return Err(not_ours(&self.id(), change)),
            }
            Ok(Applied::Done)
        })
    }

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Check>>> {
        Box::pin(async move {
            let Some(plan) = self.input(cx).await? else {
                return Ok(vec![Check::failed(format!(
                    "{}: nothing is remembered of a run",
                    self.title()
                ))]);
            };
            let users = plan.users.iter().map(ToString::to_string);
            let groups = plan.groups.iter().map(ToString::to_string);
            let mut checks: Vec<Check> = users
                .chain(groups)
                .map(|change| Check::failed(format!("to be written to AWS: {change}")))
                .collect();
            if cx.scim_token().is_none() {
                checks.push(Check::unverifiable(
                    "users and groups in AWS are as they were written: without the SCIM token they are not read there",
                ));
            } else if checks.is_empty() {
                checks.push(Check::verified(self.title()));
            }
            Ok(checks)
        })
    }
}
