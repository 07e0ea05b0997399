//! How a plan comes about: the source is read, the target is read or remembered, and both are compared.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use scim_client::Client;
use scim_types::{ExternalId, ResourceId};

use super::{
    Directory, GroupRemoval, Guard, Memory, Profile, Removal, Source,
    plan::{Aside, SyncPlan, UserChange},
    planner::{self, Known, Policy},
    target,
};
use crate::error::{Error, ErrorKind, Outcome};

/// How much of the target a run looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// What earlier runs remember is believed, and nothing is read; without a memory everything is.
    ///
    /// A run that changes nothing asks the target nothing. What somebody else has changed there is not seen. After a run
    /// that did not come to its end everything is read once.
    #[default]
    Remember,
    /// All users and groups are read, and memberships are remembered: one request for a hundred users or groups.
    Verify,
    /// Everything is read, memberships too.
    Full,
}

/// What a run is made by, apart from the target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) removal: Removal,
    pub(crate) group_removal: GroupRemoval,
    pub(crate) guard: Guard,
    pub(crate) mode: Mode,
}

/// What a plan is made from.
pub(crate) struct Look<'a> {
    pub(crate) source: &'a dyn Source,
    /// What the source has.
    pub(crate) directory: &'a Directory,
    /// The target, if it can be asked.
    pub(crate) scim: Option<&'a Client>,
    /// What it is called: the endpoint.
    pub(crate) target: &'a str,
    pub(crate) memory: Option<&'a Memory>,
    pub(crate) now: Timestamp,
}

impl Settings {
    /// Plans; nothing is written anywhere.
    pub(crate) async fn plan(&self, look: Look<'_>) -> Outcome<SyncPlan> {
        look.directory.check()?;
        if let Some(memory) = look.memory {
            memory.check_target(look.target)?;
        }
        let known = self.known(&look).await?;
        let dialect = look
            .scim
            .map_or(scim_client::Dialect::AwsIdentityCenter, Client::dialect);
        let policy = Policy {
            users: self.removal,
            groups: self.group_removal,
            dialect,
        };
        let serial = look.memory.map_or(0, |memory| memory.serial);
        let mut plan = planner::plan(look.directory, &known, policy, look.now, serial);
        let mut learnt = look
            .memory
            .cloned()
            .unwrap_or_else(|| Memory::of(look.target));
        let adopted = plan.users.iter().filter_map(|change| match change {
            UserChange::Update {
                id, adopts: true, ..
            } => Some(id.clone()),
            _ => None,
        });
        learnt.learn(&known, &adopted.collect(), look.now);
        // Everything was read then.
        learnt.unsettled &= look.scim.is_none();
        plan.learnt = Aside(Some(Arc::new(learnt)));
        if let Some(scim) = look.scim {
            self.name_protected(scim, &mut plan).await?;
        }
        Ok(plan)
    }

    /// Holds a plan that was made without the target to the guard again, with the names that only the target knows.
    pub(crate) async fn check_protected(&self, scim: &Client, plan: &SyncPlan) -> Outcome<()> {
        if self.guard.protected_users.is_empty() {
            return Ok(());
        }
        let mut named = plan.clone();
        self.name_protected(scim, &mut named).await?;
        Ok(self.guard.check(&named)?)
    }

    /// Reads the names of those who would be changed and were not read, if the guard has to know them.
    async fn name_protected(&self, scim: &Client, plan: &mut SyncPlan) -> Outcome<()> {
        if self.guard.protected_users.is_empty() {
            return Ok(());
        }
        for change in &mut plan.users {
            let id = match change {
                UserChange::Update {
                    id, before: None, ..
                } => id.clone(),
                UserChange::Deactivate(gone) | UserChange::Delete(gone) if gone.name.is_none() => {
                    gone.id.clone()
                }
                _ => continue,
            };
            let found = scim.users().get_opt(&id).await.map_err(|error| {
                Error::service(
                    format!("user {id} of the target could not be read; nothing was written"),
                    error,
                )
            })?;
            let Some(user) = found else { continue };
            match change {
                UserChange::Update { before, base, .. } => {
                    *before = Some(Profile::of(&user));
                    *base = Aside(Some(Box::new(user)));
                }
                UserChange::Deactivate(gone) | UserChange::Delete(gone) => {
                    gone.name = user.user_name.map(|name| name.to_string());
                }
                UserChange::Create { .. } => {}
            }
        }
        Ok(())
    }

    async fn known(&self, look: &Look<'_>) -> Outcome<Known> {
        let unsettled = look.memory.is_some_and(|memory| memory.unsettled);
        let mode = match look.scim {
            // Nobody knows how far it came.
            Some(_) if unsettled => Mode::Full,
            _ => self.mode,
        };
        let scim = match (mode, look.memory, look.scim) {
            (Mode::Remember, Some(memory), _) => return Ok(memory.known()),
            (_, _, Some(scim)) => scim,
            (_, _, None) => {
                return Err(Error::new(
                    ErrorKind::HandOff,
                    "the target cannot be read without its access token",
                )
                .help("hand the token over, or run with what earlier runs remember"));
            }
        };
        let mut known = target::read(scim, look.source).await?;
        if let Some(memory) = look.memory {
            remember(&mut known, memory, mode);
            if mode == Mode::Verify {
                target::read_groups_of_unknown(scim, look.directory, &mut known, &memory.knows())
                    .await?;
            }
        }
        target::read_members(scim, look.directory, &mut known).await?;
        Ok(known)
    }
}

/// Adds to what was read what only a memory knows.
fn remember(known: &mut Known, memory: &Memory, mode: Mode) {
    let owners: HashMap<&ResourceId, &ExternalId> = memory
        .users
        .iter()
        .map(|(external_id, user)| (&user.id, external_id))
        .collect();
    let shown: HashSet<ExternalId> = known
        .users
        .iter()
        .filter_map(|user| user.external_id.clone())
        .collect();
    for user in &mut known.users {
        if user.external_id.is_none() {
            let owner = owners.get(&user.id).copied();
            user.remembered = owner.filter(|owner| !shown.contains(*owner)).cloned();
            user.managed |= user.remembered.is_some();
        }
        let remembered = user
            .external_id
            .as_ref()
            .and_then(|id| memory.users.get(id))
            .filter(|remembered| remembered.id == user.id);
        if let Some(remembered) = remembered {
            user.managed = true;
            user.inactive_since = remembered.inactive_since.filter(|_| !user.active);
        }
    }
    for group in &mut known.groups {
        let remembered = group
            .external_id
            .as_ref()
            .and_then(|id| memory.groups.get(id))
            .filter(|remembered| remembered.id == group.id);
        if let Some(remembered) = remembered {
            group.managed = true;
            if mode == Mode::Verify && group.members.is_none() {
                group.members = Some(remembered.members.clone());
            }
        }
    }
}
