//! The directory sync: people and groups of a source, written to a SCIM target without anybody else's help.
//!
//! It is the only fully automatic road into IAM Identity Center: no provisioning is set up in Okta, and nothing waits
//! for it. A [`Source`] says who is to be there, a [`SyncPlan`] what would be written, a [`RemovalLimits`] whether it may be.
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
//! // Of Okta: `OktaSource::new(&okta, &blueprint)`.
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
//!   + group engines with 1 members
//! ");
//! sync.apply(&plan).await?.complete()?;
//! assert!(sync.plan().await?.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - A source that cannot be read to its end is an error, never a smaller directory.
//! - Nobody is deleted who was not deactivated by an earlier run, and nobody at all unless that is asked for.
//! - What others have made is never removed: users and groups without an id of the source, and memberships of such
//!   users.
//! - A new name is an update: matching goes by the source's id, then by the name. Names may be handed on or swapped in one
//!   run, by those who lose the sign-in in it too; where all wait for each other, one has `renaming-` before its name in
//!   between (and until the next run, if this one is killed just then).
//! - Who was made anew in the source under the name of before keeps the account, whether that is read or remembered. The
//!   account of one who is gone keeps its name and address until it is deleted: no other account can get them before.
//! - The [`RemovalLimits`] looks at the whole plan before the first write.
//! - One user whom the target does not take stops one user.
//! - A run that is killed at any point, or has no answer to something, is run again and goes on; nothing is made twice. The
//!   next one reads everything, so that what the source has taken back by then is taken back.

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

/// A source and a target that are to be kept the same.
pub struct DirectorySync {
    source: Arc<dyn Source>,
    scim: Client,
    settings: Settings,
    store: Option<StateStore>,
    clock: Arc<dyn Clock>,
}

impl DirectorySync {
    /// A sync of a source to a target, without a memory, with everything else as it is by default.
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

    /// Where the memory is kept; without one every run reads everything.
    #[must_use]
    pub fn store(mut self, store: StateStore) -> Self {
        self.store = Some(store);
        self
    }

    /// How much of the target is looked at.
    #[must_use]
    pub fn mode(mut self, mode: ReadMode) -> Self {
        self.settings.mode = mode;
        self
    }

    /// What becomes of users who are gone from the source; they are deactivated unless told otherwise.
    #[must_use]
    pub fn removal(mut self, removal: Removal) -> Self {
        self.settings.removal = removal;
        self
    }

    /// What becomes of groups that are gone from the source; they are kept unless told otherwise.
    #[must_use]
    pub fn group_removal(mut self, removal: GroupRemoval) -> Self {
        self.settings.group_removal = removal;
        self
    }

    /// What a run may take away.
    #[must_use]
    pub fn removal_limits(mut self, limits: RemovalLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What would be written. Nothing is written anywhere.
    ///
    /// # Errors
    ///
    /// If the source or the target cannot be read to its end, or the source contradicts itself.
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

    /// Says whether a plan may be applied; [`apply`](Self::apply) asks too.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`], whose [`help`](LimitExceeded::help) says what to do.
    pub fn check(&self, plan: &SyncPlan) -> Result<(), LimitExceeded> {
        self.settings.limits.check(plan)
    }

    /// Writes what the plan says, and nothing else.
    ///
    /// Users are written before groups, and what takes something away comes last, apart from those who give up a name that
    /// another waits for. A plan that was read from a file is made again first; if it would do more now, nothing is done.
    ///
    /// # Errors
    ///
    /// If the guard refuses, the plan is stale, or the memory cannot be saved. What the target does not take is in the
    /// report, and an error only of [`SyncReport::complete`].
    pub async fn apply(&self, plan: &SyncPlan) -> Result<SyncReport> {
        self.check(plan)?;
        let stored = self.state().await?;
        if stored.as_ref().map_or(0, |state| state.serial) != plan.serial {
            return Err(stale("another run has written since it was made"));
        }
        let again;
        let plan = if plan.next_state.0.is_some() {
            plan
        } else {
            again = self.plan().await?;
            if let Some(change) = again.deviation_from(plan) {
                return Err(stale(&format!("it does not say `{change}`")));
            }
            self.check(&again)?;
            &again
        };
        let mut state = plan
            .next_state
            .0
            .as_deref()
            .cloned()
            .unwrap_or_else(|| SyncState::of(&self.scim.endpoint().to_string()));
        if plan.is_empty() && stored.as_ref() == Some(&state) {
            return Ok(SyncReport::default());
        }
        state.serial = plan.serial + 1;
        let keep = self
            .store
            .as_ref()
            .map_or(StateSink::Discard, StateSink::Store);
        let run = Run::new(&self.scim, self.clock.clone(), keep, state, plan);
        run.plan(plan).await?;
        Ok(run.end().0)
    }

    async fn state(&self) -> Result<Option<SyncState>> {
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let kept = store.read(SyncState::FILE).await?;
        kept.as_deref().map(SyncState::from_json).transpose()
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::try_from(self.clock.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

fn stale(why: &str) -> Error {
    Error::new(ErrorKind::StalePlan, format!("the plan is stale: {why}"))
        .with_help("make a new plan, read it, and apply that; nothing was written")
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
