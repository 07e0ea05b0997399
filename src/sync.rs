//! The directory sync: writes the users and groups of a source to a SCIM target, without Okta's provisioning.
//!
//! The sync is the only fully automatic way into IAM Identity Center: Okta needs no provisioning setup, and the run does
//! not wait for Okta. A [`Source`] returns the desired users and groups, a [`SyncPlan`] lists the planned writes, and
//! [`RemovalLimits`] decide whether the plan may be applied.
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
//!         "family_name": "Lovelace", "display_name": "Ada Lovelace", "active": true}}],
//!         "groups": [{"id": "00g1", "name": "engines", "members": ["00u1"]}]}"#,
//! )?;
//! let sync = DirectorySync::new(source, &scim).store(StateStore::memory());
//! let plan = sync.plan().await?;
//! assert_eq!(plan.to_string(), "\
//! Sync: 1 user to create, 1 group to create, 1 member to add
//!   + user ada@example.com
//!   + group engines with 1 member
//! ");
//! sync.apply(&plan).await?.complete()?;
//! assert!(sync.plan().await?.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - If the source cannot be read completely, the run fails. An incomplete read is never treated as a smaller directory.
//! - The sync deletes a user only if the caller enables deletion and an earlier run has deactivated the user.
//! - The sync never removes unmanaged resources: users and groups without an id of the source, and memberships of such
//!   users.
//! - A rename is an update: resources are matched by the source's id first, then by name. One run may pass a name on to
//!   another user or swap names, also if one of the users is deactivated in the same run. If the renames form a cycle, one
//!   resource gets a temporary name with the prefix `renaming-`. If the run is killed at that point, the temporary name
//!   stays until the next run.
//! - A user recreated in the source under the same name keeps the existing account, in every [`ReadMode`]. The account of
//!   a user removed from the source keeps its name and email address until it is deleted. Until then, no other account can
//!   use this name or email address.
//! - [`RemovalLimits`] are checked against the whole plan before the first write.
//! - If the target rejects one user, the other users are still written.
//! - Runs are idempotent. After a run that was killed or lost a response, the next run continues and creates no duplicates.
//!   The next run reads the whole target. It therefore also undoes writes of the interrupted run that no longer match the
//!   source.

mod apply;
mod directory;
mod engine;
mod plan;
mod planner;
mod profile;
mod removal_limits;
mod report;
mod source;
mod state;
mod target;

use std::{fmt, sync::Arc};

use rest_core::{Clock, SystemClock};
use scim_client::Client;

pub(crate) use apply::{Run, StateSink};
pub use directory::{Directory, Group, User};
pub use engine::ReadMode;
pub(crate) use engine::{PlanInput, Settings};
pub use plan::{
    Counts, GroupChange, Member, RemovedPrincipal, Skipped, SyncPlan, Totals, Transient, UserChange,
};
pub use planner::{GroupRemoval, Removal};
pub(crate) use profile::digest;
pub use profile::{Attribute, UserProfile};
pub use removal_limits::{LimitExceeded, RemovalLimits};
pub use report::{Failed, SyncReport};
pub use source::{OktaSource, Source};
pub use state::SyncState;

use crate::{
    error::{Error, ErrorKind, Result},
    state::StateStore,
};

/// A sync from a source to a SCIM target.
pub struct DirectorySync {
    source: Arc<dyn Source>,
    scim: Client,
    settings: Settings,
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

    /// Sets the limits for removals in one run.
    #[must_use]
    pub fn removal_limits(mut self, limits: RemovalLimits) -> Self {
        self.settings.limits = limits;
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
    /// # Errors
    ///
    /// Fails if the source or the target cannot be read completely, or if the source contradicts itself.
    pub async fn plan(&self) -> Result<SyncPlan> {
        let directory = self.source.read().await.map_err(|error| {
            error.with_context(format!(
                "reading {}; nothing was written",
                self.source.name()
            ))
        })?;
        let target = self.scim.endpoint().to_string();
        let state = self.state().await?;
        let input = PlanInput {
            source: self.source.as_ref(),
            directory: &directory,
            scim: Some(&self.scim),
            target: &target,
            state: state.as_ref(),
            now: self.now(),
        };
        self.settings.plan(input).await
    }

    /// Checks a plan against the removal limits. [`apply`](Self::apply) makes the same check.
    ///
    /// # Errors
    ///
    /// Returns [`LimitExceeded`] if the plan exceeds a limit. [`LimitExceeded::help`] tells the operator what to do.
    pub fn check(&self, plan: &SyncPlan) -> Result<(), LimitExceeded> {
        self.settings.limits.check(plan)
    }

    /// Writes the changes of the plan, and no others.
    ///
    /// Users are written before groups, and removals come last. One exception: a deactivation that releases a name is
    /// applied early if another change needs this name. A plan that was loaded from a file is replanned first. If the new
    /// plan has a change that the loaded plan does not have, nothing is written.
    ///
    /// # Errors
    ///
    /// Fails if the plan exceeds a removal limit, the plan is stale, or the state cannot be saved. The report lists the
    /// changes that the target rejects; only [`SyncReport::complete`] turns them into an error.
    pub async fn apply(&self, plan: &SyncPlan) -> Result<SyncReport> {
        self.check(plan)?;
        let lock = match &self.store {
            Some(store) => Some(store.lock(self.clock.clone()).await?),
            None => None,
        };
        let stored = self.state().await?;
        if stored.as_ref().map_or(0, |state| state.serial) != plan.serial {
            return Err(stale("the state has changed since the plan was created"));
        }
        let replanned;
        let plan = if plan.next_state.0.is_some() {
            plan
        } else {
            replanned = self.plan().await?;
            if let Some(change) = replanned.deviation_from(plan) {
                return Err(stale(&format!("it lacks the change `{change}`")));
            }
            self.check(&replanned)?;
            &replanned
        };
        let mut state = plan
            .next_state
            .0
            .as_deref()
            .cloned()
            .unwrap_or_else(|| SyncState::empty(&self.scim.endpoint().to_string()));
        if plan.is_empty() && stored.as_ref() == Some(&state) {
            return Ok(SyncReport::default());
        }
        state.serial = plan.serial + 1;
        let sink = lock.as_ref().map_or(StateSink::Discard, StateSink::Store);
        let run = Run::new(&self.scim, self.clock.clone(), sink, state, plan);
        run.apply(plan).await?;
        let (report, _) = run.into_parts();
        if let Some(lock) = lock {
            lock.release().await?;
        }
        Ok(report)
    }

    async fn state(&self) -> Result<Option<SyncState>> {
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let json = store.read(SyncState::FILE).await?;
        json.as_deref().map(SyncState::from_json).transpose()
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::try_from(self.clock.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

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
            .finish_non_exhaustive()
    }
}
