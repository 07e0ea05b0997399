//! What a run remembers for the next: ids and digests of what it has written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use scim_types::{ExternalId, ResourceId};
use serde::{Deserialize, Serialize};

use super::planner::{TargetGroup, TargetSnapshot, TargetUser};
use crate::error::{Error, ErrorKind, Result};

/// What the directory sync has written, so that the next run need not read it again.
///
/// It holds the ids of users on both sides and digests of what was written about them, and the names and members of
/// groups; of a person nothing but the ids. Losing it costs a run that reads everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// Grows with every run that has written or read something.
    pub(crate) serial: u64,
    /// The SCIM endpoint whose users these are.
    pub(super) target: String,
    /// A run has begun to write and has not ended, or had no answer to something: what is there may be otherwise.
    pub(super) dirty: bool,
    pub(super) users: BTreeMap<ExternalId, CachedUser>,
    pub(super) groups: BTreeMap<ExternalId, CachedGroup>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CachedUser {
    pub(super) id: ResourceId,
    /// Of a [`UserProfile`](super::UserProfile); empty if it is not known what the user is like by now.
    pub(super) digest: String,
    pub(super) active: bool,
    pub(super) inactive_since: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CachedGroup {
    pub(super) id: ResourceId,
    pub(super) name: String,
    /// The managed ones, by the target's ids.
    pub(super) members: BTreeSet<ResourceId>,
}

impl SyncState {
    /// The name of the file it is kept in, beside the state.
    pub const FILE: &'static str = "directory.json";
    /// The format that this version of the crate writes.
    pub const VERSION: u32 = 2;

    /// A memory of nothing.
    #[must_use]
    pub fn of(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            ..Self::default()
        }
    }

    /// Reads a memory.
    ///
    /// # Errors
    ///
    /// If it is not one, or has another format version than [`SyncState::VERSION`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let unreadable = |why: String| {
            Error::new(
                ErrorKind::State,
                format!(
                    "{} is not the memory of a directory sync: {why}",
                    Self::FILE
                ),
            )
            .with_help("restore it, or take it away: the next run reads everything again")
        };
        let version = serde_json::from_slice::<Version>(bytes)
            .map_err(|error| unreadable(error.to_string()))?
            .version;
        if version != Self::VERSION {
            return Err(unreadable(format!(
                "it has format version {version}, and this version of the crate reads version {}",
                Self::VERSION
            )));
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
        file.state()
            .ok_or_else(|| unreadable("a member is no user of it".to_owned()))
    }

    /// The memory as it is kept: compact JSON in which members are places among the users.
    ///
    /// # Panics
    ///
    /// Never: it is always JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&File::of(self)).expect("a memory has string keys only")
    }

    /// How many users and groups are remembered.
    #[must_use]
    pub fn users_and_groups(&self) -> (usize, usize) {
        (self.users.len(), self.groups.len())
    }

    /// Refuses a memory of another target, whose ids mean nothing here.
    pub(super) fn check_target(&self, target: &str) -> Result<()> {
        if self.target == target {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::State,
            format!("{} is about {}, and not about {target}", Self::FILE, self.target),
        )
        .with_help("keep one state for each target; if the target has moved, take the file away: the next run reads everything again"))
    }

    /// The users of the target that are remembered.
    pub(super) fn target_ids(&self) -> BTreeSet<&ResourceId> {
        self.users.values().map(|user| &user.id).collect()
    }

    /// What is known of the target without asking it.
    pub(super) fn to_snapshot(&self) -> TargetSnapshot {
        let users = self.users.iter().map(|(external_id, user)| TargetUser {
            id: user.id.clone(),
            external_id: Some(external_id.clone()),
            digest: user.digest.clone(),
            active: user.active,
            managed: true,
            inactive_since: user.inactive_since,
            remembered: None,
            read: None,
        });
        let groups = self.groups.iter().map(|(external_id, group)| TargetGroup {
            id: group.id.clone(),
            external_id: Some(external_id.clone()),
            name: group.name.clone(),
            managed: true,
            members: Some(group.members.clone()),
        });
        TargetSnapshot {
            users: users.collect(),
            groups: groups.collect(),
        }
    }

    /// Takes over what was read: only what is managed is remembered, and of those who will be from this run on which groups
    /// they are in.
    pub(super) fn update_from(
        &mut self,
        known: &TargetSnapshot,
        adopted: &BTreeSet<ResourceId>,
        now: Timestamp,
    ) {
        let before = std::mem::take(&mut self.users);
        for user in known.users.iter().filter(|user| user.managed) {
            let Some(external_id) = user.external_id.as_ref().or(user.remembered.as_ref()) else {
                continue;
            };
            let since = before
                .get(external_id)
                .filter(|before| !before.active && before.id == user.id)
                .and_then(|before| before.inactive_since);
            let remembered = CachedUser {
                id: user.id.clone(),
                digest: user.digest.clone(),
                active: user.active,
                // Found so now, and how long it has been so nobody knows.
                inactive_since: (!user.active).then(|| since.unwrap_or(now)),
            };
            self.users.insert(external_id.clone(), remembered);
        }
        let managed: BTreeSet<&ResourceId> = self
            .users
            .values()
            .map(|user| &user.id)
            .chain(adopted)
            .collect();
        let before = std::mem::take(&mut self.groups);
        for group in known.groups.iter().filter(|group| group.managed) {
            let Some(external_id) = &group.external_id else {
                continue;
            };
            let members = match &group.members {
                Some(members) => members
                    .iter()
                    .filter(|id| managed.contains(id))
                    .cloned()
                    .collect(),
                None => before
                    .get(external_id)
                    .map(|before| before.members.clone())
                    .unwrap_or_default(),
            };
            let remembered = CachedGroup {
                id: group.id.clone(),
                name: group.name.clone(),
                members,
            };
            self.groups.insert(external_id.clone(), remembered);
        }
    }

    /// Remembers of a user which groups they are in.
    pub(super) fn cache_membership(&mut self, user: &ResourceId, groups: &BTreeSet<ResourceId>) {
        for group in self.groups.values_mut() {
            if groups.contains(&group.id) {
                group.members.insert(user.clone());
            }
        }
    }

    /// Forgets a user whom the target does not have any more.
    pub(super) fn forget_user(&mut self, id: &ResourceId) {
        self.users.retain(|_, user| user.id != *id);
        for group in self.groups.values_mut() {
            group.members.remove(id);
        }
    }

    /// Forgets a group that the target does not have any more.
    pub(super) fn forget_group(&mut self, id: &ResourceId) {
        self.groups.retain(|_, group| group.id != *id);
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The memory as a file: rows without names, members as places among the users.
#[derive(Deserialize, Serialize)]
struct File {
    version: u32,
    serial: u64,
    target: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dirty: bool,
    users: Vec<(ExternalId, ResourceId, String, bool, Option<Timestamp>)>,
    groups: Vec<(ExternalId, ResourceId, String, Vec<u32>)>,
}

impl File {
    fn of(state: &SyncState) -> Self {
        let places: BTreeMap<&ResourceId, u32> = state
            .users
            .values()
            .zip(0_u32..)
            .map(|(user, place)| (&user.id, place))
            .collect();
        let users = state.users.iter().map(|(external_id, user)| {
            (
                external_id.clone(),
                user.id.clone(),
                user.digest.clone(),
                user.active,
                user.inactive_since,
            )
        });
        let groups = state.groups.iter().map(|(external_id, group)| {
            let members = group.members.iter().filter_map(|id| places.get(id));
            (
                external_id.clone(),
                group.id.clone(),
                group.name.clone(),
                members.copied().collect(),
            )
        });
        Self {
            version: SyncState::VERSION,
            serial: state.serial,
            target: state.target.clone(),
            dirty: state.dirty,
            users: users.collect(),
            groups: groups.collect(),
        }
    }

    fn state(self) -> Option<SyncState> {
        let ids: Vec<ResourceId> = self.users.iter().map(|(_, id, ..)| id.clone()).collect();
        let users =
            self.users
                .into_iter()
                .map(|(external_id, id, digest, active, inactive_since)| {
                    let user = CachedUser {
                        id,
                        digest,
                        active,
                        inactive_since,
                    };
                    (external_id, user)
                });
        let groups = self
            .groups
            .into_iter()
            .map(|(external_id, id, name, members)| {
                let members = members
                    .into_iter()
                    .map(|place| ids.get(usize::try_from(place).ok()?).cloned())
                    .collect::<Option<_>>()?;
                Some((external_id, CachedGroup { id, name, members }))
            });
        Some(SyncState {
            serial: self.serial,
            target: self.target,
            dirty: self.dirty,
            groups: groups.collect::<Option<_>>()?,
            users: users.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> SyncState {
        let id = |text: &str| ResourceId::parse(text).expect("an id");
        let mut state = SyncState::of("https://scim.example/v2/");
        for (number, active) in [(1, true), (2, false), (10, true)] {
            let user = CachedUser {
                id: id(&format!("r{number}")),
                digest: format!("d{number}"),
                active,
                inactive_since: (!active).then_some(Timestamp::UNIX_EPOCH),
            };
            state
                .users
                .insert(ExternalId::new(format!("00u{number}")), user);
        }
        let group = CachedGroup {
            id: id("t"),
            name: "team".into(),
            members: [id("r1"), id("r10")].into(),
        };
        state.groups.insert(ExternalId::new("00g1"), group);
        state
    }

    #[test]
    fn a_memory_is_read_back_as_it_was_kept() {
        let json = state().to_json();
        assert_eq!(
            String::from_utf8_lossy(&json),
            r#"{"version":2,"serial":0,"target":"https://scim.example/v2/","users":[["00u1","r1","d1",true,null],["00u10","r10","d10",true,null],["00u2","r2","d2",false,"1970-01-01T00:00:00Z"]],"groups":[["00g1","t","team",[0,1]]]}"#
        );
        assert_eq!(SyncState::from_json(&json).expect("a memory"), state());
    }

    #[test]
    fn a_sync_state_of_another_format_version_is_refused() {
        for version in [1, 9] {
            let json = format!("{{\"version\": {version}}}");
            let error = SyncState::from_json(json.as_bytes()).expect_err("another version");
            let text = error.to_string();
            assert!(text.contains(&format!("format version {version}")), "{text}");
        }
        assert!(SyncState::from_json(b"{}").is_err());
    }

    #[test]
    fn a_memory_of_another_target_is_refused() {
        let error = state()
            .check_target("https://other.example/")
            .expect_err("another target");
        assert_eq!(error.kind(), ErrorKind::State);
    }

    #[test]
    fn how_long_somebody_is_inactive_is_not_forgotten_by_reading() {
        let mut state = state();
        let known = state.to_snapshot();
        let now: Timestamp = "2026-11-24T09:00:00Z".parse().expect("a moment");
        state.update_from(&known, &BTreeSet::new(), now);
        assert_eq!(state, self::state());
    }
}
