//! Okta's users and groups are in AWS, written by this run.

mod changes;

use std::sync::Mutex;

use aws_sso_glue::Aws;
use futures::future::BoxFuture;
use okta_client::Client as Okta;
use scim_client::{Client as Scim, Dialect, Endpoint};

use self::changes::{TOKEN, WRITE, leave_everybody, removed_user, unknown, written};
use super::{ScimEndpoint, Switches};
use crate::{
    blueprint::Blueprint,
    error::{Error, ErrorKind, Outcome},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Check, Context, Planned, Step, not_ours},
    sync::{
        Directory, GroupChange, GroupRemoval, Guard, Keep, Look, Memory, Mode, OktaSource, Removal,
        Run, Settings, Source, SyncPlan, UserChange,
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
pub struct DirectorySync {
    okta: Okta,
    endpoint: ScimEndpoint,
    blueprint: Blueprint,
    settings: Settings,
    prepared: Mutex<Option<SyncPlan>>,
}

/// What can be said about the target now.
struct Sight {
    scim: Option<Scim>,
    endpoint: Option<Endpoint>,
    memory: Option<Memory>,
}

impl DirectorySync {
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
    pub fn guard(mut self, guard: Guard) -> Self {
        self.settings.guard = guard;
        self
    }

    fn sight(cx: &Context) -> Outcome<Sight> {
        let memory = cx.file(Memory::FILE);
        let memory = memory.as_deref().map(Memory::from_json).transpose()?;
        let endpoint = cx.know(|facts| facts.scim.clone());
        let scim = match (&endpoint, cx.scim_token()) {
            (Some(endpoint), Some(token)) => {
                let client = Scim::builder(endpoint, token)
                    .dialect(Dialect::AwsIdentityCenter)
                    .clock(cx.clock())
                    .build();
                Some(client.map_err(|error| {
                    Error::new(
                        ErrorKind::Proof,
                        format!("the SCIM endpoint {endpoint} cannot be used"),
                    )
                    .because(error)
                })?)
            }
            _ => None,
        };
        Ok(Sight {
            scim,
            endpoint,
            memory,
        })
    }

    async fn directory(&self, cx: &Context) -> Outcome<(OktaSource, Directory)> {
        let app = cx.know(|facts| facts.app.clone());
        let source = OktaSource::new(&self.okta, &self.blueprint).app(app);
        let directory = match cx.roster.get() {
            Some(roster) => source.of_roster(roster).await,
            None => source.read().await,
        }?;
        Ok((source, directory))
    }

    /// What would be written, or `None` where nobody can say yet.
    async fn look(&self, cx: &Context) -> Outcome<Option<SyncPlan>> {
        let sight = Self::sight(cx)?;
        let Some(endpoint) = sight.endpoint.as_ref() else {
            return Ok(None);
        };
        let mode = match (&sight.memory, &sight.scim) {
            (None, None) => return Ok(None),
            (Some(_), None) => Mode::Remember,
            (Some(_), Some(_)) => Mode::Verify,
            (None, Some(_)) => Mode::Full,
        };
        let (source, directory) = self.directory(cx).await?;
        let settings = Settings {
            mode,
            ..self.settings.clone()
        };
        let look = Look {
            source: &source,
            directory: &directory,
            scim: sight.scim.as_ref(),
            target: &endpoint.to_string(),
            memory: sight.memory.as_ref(),
            now: cx.now(),
        };
        let mut plan = settings.plan(look).await?;
        if sight.memory.is_none() {
            leave_everybody(&mut plan);
        }
        Ok(Some(plan))
    }

    /// The client, which the token of this run has made possible.
    fn scim(cx: &Context) -> Outcome<Scim> {
        Self::sight(cx)?.scim.ok_or_else(|| {
            Error::new(
                ErrorKind::HandOff,
                "the SCIM access token of AWS is not known to this run",
            )
            .help("give it to the pipeline, or run with a person who hands it over")
        })
    }

    async fn write(
        &self,
        users: &[&UserChange],
        leaving: &[&UserChange],
        groups: &[&GroupChange],
        plan: &SyncPlan,
        cx: &Context,
    ) -> Outcome<()> {
        self.settings.guard.check(plan)?;
        let scim = Self::scim(cx)?;
        self.settings.check_protected(&scim, plan).await?;
        let mut memory = match cx.file(Memory::FILE) {
            // An earlier change of this plan has been written, and kept.
            Some(kept) if Memory::from_json(&kept)?.serial > plan.serial => {
                Memory::from_json(&kept)?
            }
            _ => plan
                .learnt
                .0
                .as_deref()
                .cloned()
                .unwrap_or_else(|| Memory::of(&scim.endpoint().to_string())),
        };
        memory.serial = memory.serial.max(plan.serial + 1);
        let run = Run::new(&scim, cx.clock(), Keep::Context(cx), memory, plan);
        run.begin().await?;
        run.users(users, leaving).await?;
        run.groups(groups).await?;
        run.settle().await?;
        run.end().0.complete()?;
        Ok(())
    }

    fn prepared(&self) -> std::sync::MutexGuard<'_, Option<SyncPlan>> {
        self.prepared
            .lock()
            .expect("nobody panics while holding a plan")
    }
}

impl Step for DirectorySync {
    fn id(&self) -> StepId {
        StepId::new("directory-sync")
    }

    fn title(&self) -> String {
        "Users and groups written to AWS".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Planned>> {
        Box::pin(async move {
            let plan = self.look(cx).await?;
            let mut planned = Planned::nothing();
            let app = super::app(&self.okta, cx).await?;
            if app.is_some_and(|app| Switches::of(&app).integration_on()) {
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
                    if let Err(refusal) = self.settings.guard.check(plan) {
                        planned
                            .notes
                            .push(format!("the guard will refuse this: {refusal}"));
                    }
                }
            }
            let asks = cx.scim_token().is_none() && cx.know(|facts| facts.scim.is_some());
            if asks && !planned.changes.is_empty() {
                let token = Change::new(Action::HandOff, TOKEN)
                    .with("hands back", "SCIM endpoint and access token")
                    .with_value("token", Value::Secret);
                planned.changes.insert(0, token);
            }
            *self.prepared() = plan;
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Outcome<Applied>> {
        Box::pin(async move {
            if change.action == Action::HandOff {
                self.endpoint.ask(cx).await?;
                return Ok(Applied::Done);
            }
            let prepared = self.prepared().clone();
            let plan = match prepared {
                Some(plan) => plan,
                None => self.look(cx).await?.ok_or_else(|| {
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

    fn verify<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Vec<Check>>> {
        Box::pin(async move {
            let Some(plan) = self.look(cx).await? else {
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
                checks.push(Check::cannot_be_proved(
                    "users and groups in AWS are as they were written: without the SCIM token they are not read there",
                ));
            } else if checks.is_empty() {
                checks.push(Check::proved(self.title()));
            }
            Ok(checks)
        })
    }
}
