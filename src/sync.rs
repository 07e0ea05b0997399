//! The directory sync: writes the users and groups of a source to a SCIM target, without Okta's provisioning.
//!
//! The sync is the only fully automatic way into IAM Identity Center: Okta needs no provisioning setup, and the run does
//! not wait for Okta. A [`Source`] returns the desired users and groups, a [`SyncPlan`] lists the planned writes, and
//! the [`Guard`] decides whether the plan may be applied.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use okta_aws_sso::{StateStore, scim::{Client, Dialect, Endpoint}, sync::{Directory, DirectorySync}};
//! # let sandbox = sandbox::Sandbox::builder().stage(sandbox::Stage::Federated).start().await?;
//! # let shown = sandbox.console().enable_automatic_provisioning()?;
//! # let (endpoint, token) = (shown.scim_endpoint, shown.access_token);
//!
//! let endpoint = Endpoint::parse(&endpoint)?;
//! let scim = Client::builder(&endpoint, rest_core::Secret::new(token))
//!     .dialect(Dialect::AwsIdentityCenter)
//!     .build()?;
//! // With Okta as the source: `OktaSource::new(&okta, &blueprint)`.
//! let source: Directory = serde_json::from_str(
//!     r#"{"users": [{"id": "00u1", "profile": {"user_name": "ada@example.com", "given_name": "Ada",
//!         "family_name": "Lovelace", "display_name": "Ada Lovelace", "email": "ada@example.com", "active": true}}],
//!         "groups": [{"id": "00g1", "name": "engines", "members": ["00u1"]}]}"#,
//! )?;
//! let sync = DirectorySync::new(source, &scim).store(StateStore::memory());
//! let prepared = sync.prepare().await?;
//! assert_eq!(prepared.plan().to_string(), "\
//! Sync: 1 user to create, 1 group to create, 1 member to add
//!   + user ada@example.com
//!   + group engines with 1 member
//! ");
//! sync.apply(prepared).await?.complete()?;
//! assert!(sync.plan().await?.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - An incomplete read is never treated as a smaller directory. If a source or a target names items that could not be read
//!   ([`Directory::incomplete`]), the plan lists them and removes nothing: no user, no group and no membership. If a list ends
//!   early, the run fails.
//! - The sync deletes a user only if the caller enables deletion and an earlier run has deactivated the user.
//! - The sync never removes unmanaged resources: users and groups without an id of the source, and memberships of such
//!   users. A group that the sync has adopted, or that has members that it does not manage, is not deleted.
//! - An attribute that the source does not have and that the sync has not written is kept. The sync removes only attributes that
//!   it has written, or found as the source had them.
//! - A rename is an update: resources are matched by the source's id first, then by name. One run may pass a name on to
//!   another user or swap names, also if one of the users is deactivated in the same run. If the renames form a cycle, one
//!   resource gets a temporary name with the prefix `renaming-`. If the run is killed at that point, the temporary name
//!   stays until the next run.
//! - A user recreated in the source under the same name keeps the existing account, in every [`ReadMode`]. The account of
//!   a user removed from the source keeps its name and email address until it is deleted. Until then, no other account can
//!   use this name or email address.
//! - The [`Guard`] checks the whole plan before the first write, with the removals of the last 7 days. The default guard allows
//!   no removal and no hazard. It refuses such a plan, or withholds the removals and lets the rest be written
//!   ([`Excess`](crate::guard::Excess)).
//! - If the target rejects one user, the other users are still written. If it refuses a change of a group, the run sends the
//!   parts of the change one by one, leaves out users that the target does not have, and halves the rest until it can name
//!   the member that is refused. Members are removed even if the additions fail or the run stops early.
//! - A contradiction in the source concerns only the records that contradict each other. They are named and cause no removal.
//!   Of two records with the same user name, the active one counts. Of two users or groups that cannot both have a user name,
//!   email address or group name, the plan leaves out one, always the same: the resource that has it in the target keeps it.
//! - Members of nested groups are members. The plan has a note of member ids that are not in the source.
//! - An attribute that the target accepts and does not keep is reported once, and sent again only after a change in the source.
//! - Runs are idempotent. After a run that was killed or lost a response, the next run continues and creates no duplicates.
//!   The next run reads the whole target. It therefore also undoes writes of the interrupted run that no longer match the
//!   source.

mod apply;
mod changes;
mod collisions;
mod directory;
mod directory_file;
mod engine;
mod hazards;
mod identity_store;
mod name_conflicts;
mod plan;
mod planner;
mod prepared;
mod profile;
mod records;
mod report;
mod snapshot;
mod source;
mod state;
mod target;

use std::{fmt, num::NonZeroU32, sync::Arc};

use futures::future::BoxFuture;
use jiff::civil::Date;
use rest_core::{Clock, SystemClock};
use scim_client::Client;

pub(crate) use apply::{SaveState, StateSink};
pub(crate) use changes::{
    STEP, SyncChange, UserNames, changes as sync_changes, kept_removals, retain_approved,
};
pub use directory::{Directory, Group, UnreadItem, User};
pub use engine::ReadMode;
pub(crate) use engine::{Engine, Settings, plan_for_new_target};
pub(crate) use identity_store::identity_store_error;
pub use plan::{
    Counts, GroupChange, Kept, Member, RemovedMember, RemovedPrincipal, Skipped, SyncPlan, Totals,
    UserChange, Why,
};
pub use planner::{GroupRemoval, Removal};
pub use prepared::PreparedSync;

pub use profile::UserProfile;
pub use report::{Failed, FailedMembership, SyncReport};
pub use source::{OktaSource, ScimSource, Source};
pub use state::SyncState;

pub use crate::user_attribute::Attribute;
use crate::{
    error::{Error, ErrorKind, Result},
    guard::Guard,
    plan::Change,
    state::{StateLock, StateStore, now},
    utc_day::utc_day,
};

/// A sync from a source to a SCIM target.
pub struct DirectorySync {
    source: Arc<dyn Source>,
    scim: Client,
    settings: Settings,
    guard: Guard,
    store: Option<StateStore>,
    clock: Arc<dyn Clock>,
}

impl DirectorySync {
    /// Creates a sync with default settings and without a store for the cached state.
    #[must_use]
    pub fn new(source: impl Source + 'static, target: &Client) -> Self {
        Self {
            source: Arc::new(source),
            scim: target.clone(),
            settings: Settings::default(),
            guard: Guard::default(),
            store: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets the store for the cached state. Without a store every run reads the whole target.
    #[must_use]
    pub fn store(mut self, store: StateStore) -> Self {
        self.store = Some(store);
        self
    }

    /// Sets the part of the target that a run reads (default: [`ReadMode::Cached`]).
    #[must_use]
    pub fn mode(mut self, mode: ReadMode) -> Self {
        self.settings.mode = mode;
        self
    }

    /// Sets the treatment of users that are no longer in the source (default: [`Removal::Deactivate`]).
    #[must_use]
    pub fn removal(mut self, removal: Removal) -> Self {
        self.settings.removal = removal;
        self
    }

    /// Sets the treatment of groups that are no longer in the source (default: [`GroupRemoval::Keep`]).
    #[must_use]
    pub fn group_removal(mut self, removal: GroupRemoval) -> Self {
        self.settings.group_removal = removal;
        self
    }

    /// Has every `runs`-th run read all users, groups and memberships ([`ReadMode::Full`]), which detects drift. Such a sync saves
    /// its state in every run, also if nothing has changed.
    #[must_use]
    pub fn verify_every(mut self, runs: NonZeroU32) -> Self {
        self.settings.verify_every = Some(runs);
        self
    }

    /// Sets the limits of what a run removes (default: [`Guard::default`], which allows no removal).
    ///
    /// The limits of 7 days count the removals that the state has. Without a store there are none, so these limits allow
    /// nothing.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.settings.reads_names = guard.protects_more();
        self.guard = guard;
        self
    }

    /// Sets the clock (default: the system clock).
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Plans the changes of this run. This is a dry run: it writes nothing.
    ///
    /// To apply the plan in the same process, use [`prepare`](Self::prepare): it keeps the data that the plan is based on.
    ///
    /// # Errors
    ///
    /// Fails if the source or the target cannot be read, or if the source contradicts itself.
    pub async fn plan(&self) -> Result<SyncPlan> {
        Ok(self.prepare().await?.into_plan())
    }

    /// Plans the changes of this run, and keeps the data that [`apply`](Self::apply) needs. Writes nothing.
    ///
    /// # Errors
    ///
    /// Fails if the source or the target cannot be read, or if the source contradicts itself.
    pub async fn prepare(&self) -> Result<PreparedSync> {
        let directory = self.source.read().await.map_err(|error| {
            error.with_context(format!(
                "reading {}; nothing was written",
                self.source.name()
            ))
        })?;
        let state = self.state().await?;
        self.engine().prepare(&directory, state).await
    }

    /// Returns the changes of a plan that the guard holds back. [`apply`](Self::apply) makes the same check.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::GuardRejected`] if the guard refuses the plan. The error names the removals and hazards, and the
    /// options that lead out.
    pub fn check(&self, prepared: &PreparedSync) -> Result<Vec<Change>> {
        let plan = prepared.plan.to_plan();
        let history = &prepared.state.removals;
        let withheld = self.guard.decide(&plan, &[], history, self.today())?;
        if withheld.is_empty() {
            return Ok(Vec::new());
        }
        let changes = plan.changes();
        let held = changes.filter(|(step, change)| withheld.contains(&step.step, change));
        Ok(held.map(|(_, change)| change.clone()).collect())
    }

    /// Writes the changes of the plan, and no others.
    ///
    /// Users are written before groups, and removals come last. One exception: a deactivation that releases a name is
    /// applied early if another change needs this name. If there is a store, the run holds its lock and renews the lease.
    ///
    /// # Errors
    ///
    /// Fails if the guard refuses the plan, the plan is stale, or the state cannot be locked or saved. The report lists the
    /// changes that the target rejects and those that the guard holds back; only [`SyncReport::complete`] turns them into an
    /// error.
    pub async fn apply(&self, prepared: PreparedSync) -> Result<SyncReport> {
        let withheld = self.check(&prepared)?;
        let prepared = prepared.without(&withheld);
        if !withheld.is_empty() && prepared.plan.is_empty() {
            // Nothing is left to write, so only this request shows that the token is still valid.
            engine::verify_token(&self.scim).await?;
        }
        let report = self.apply_allowed(prepared).await?;
        Ok(SyncReport { withheld, ..report })
    }

    async fn apply_allowed(&self, prepared: PreparedSync) -> Result<SyncReport> {
        match &self.store {
            None => self.apply_to(prepared, &StateSink::Discard).await,
            Some(store) => {
                let run = |lock: Arc<StateLock>| -> BoxFuture<'_, Result<SyncReport>> {
                    Box::pin(async move { self.apply_to(prepared, &StateSink::Store(&lock)).await })
                };
                store.with_lock(self.clock.clone(), run).await
            }
        }
    }

    /// Plans again and applies the new plan, if the reviewed plan contains all its changes.
    ///
    /// This is for a plan that was made by [`plan`](Self::plan) and reviewed, possibly in another process. Changes of the
    /// reviewed plan that the new plan lacks are already done.
    ///
    /// # Errors
    ///
    /// Fails like [`prepare`](Self::prepare) and [`apply`](Self::apply). Fails if the new plan has a change that the
    /// reviewed plan does not have, or if the state has changed since the review; nothing is written then.
    pub async fn apply_plan(&self, reviewed: &SyncPlan) -> Result<SyncReport> {
        if reviewed.version != SyncPlan::VERSION {
            return Err(stale("another version of the crate has written it"));
        }
        let prepared = self.prepare().await?;
        if prepared.plan.serial != reviewed.serial {
            return Err(stale(STATE_CHANGED));
        }
        if let Some(change) = prepared.plan.deviation_from(reviewed) {
            return Err(stale(&format!("it lacks the change `{change}`")));
        }
        self.apply(prepared).await
    }

    async fn apply_to(
        &self,
        mut prepared: PreparedSync,
        sink: &StateSink<'_>,
    ) -> Result<SyncReport> {
        let stored = self.state().await?;
        if stored.as_ref().map_or(0, |state| state.serial) != prepared.plan.serial {
            return Err(stale(STATE_CHANGED));
        }
        if prepared.plan.is_empty() && stored.as_ref() == Some(&prepared.state) {
            return Ok(SyncReport::of(&prepared.plan));
        }
        let removals = prepared.plan.to_plan();
        let (removals, totals) = (removals.removal_counts(), removals.totals());
        let today = self.today();
        prepared.state.removals.add(today, &removals, &totals);
        let run = self.engine().start(prepared).await?;
        run.apply(sink).await?;
        run.refund(today, &removals, &totals);
        run.finish(sink).await?;
        Ok(run.into_report().0)
    }

    fn today(&self) -> Date {
        utc_day(now(self.clock.as_ref()))
    }

    fn engine(&self) -> Engine<'_> {
        Engine {
            center: None,
            source: self.source.as_ref(),
            endpoint: self.scim.endpoint().to_string(),
            scim: Some(&self.scim),
            settings: self.settings.clone(),
            clock: self.clock.clone(),
        }
    }

    async fn state(&self) -> Result<Option<SyncState>> {
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let json = store.read(SyncState::FILE).await?;
        json.as_deref().map(SyncState::from_json).transpose()
    }
}

const STATE_CHANGED: &str = "the state has changed since the plan was created";

fn stale(why: &str) -> Error {
    Error::new(ErrorKind::StalePlan, format!("the plan is stale: {why}"))
        .with_help("create a new plan, review it and apply it; nothing was written")
}

impl fmt::Debug for DirectorySync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectorySync")
            .field("source", &self.source.name())
            .field("target", &self.scim)
            .field("settings", &self.settings)
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}
