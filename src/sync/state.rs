//! The cached state of the sync: ids and digests of the written users and groups, stored for the next run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use scim_types::{ExternalId, ResourceId};
use serde::{Deserialize, Serialize};

use super::{
    profile::UserKeys,
    snapshot::{TargetGroup, TargetSnapshot, TargetUser},
};
use crate::{
    error::{Error, ErrorKind, Result},
    guard::RemovalHistory,
    token_age::TokenAge,
    user_attribute::{Attribute, from_bits, to_bits},
};

/// The cached state of the directory sync, which allows the next run to plan without reading the target.
///
/// For each user the state holds the ids in source and target, digests of the written profile, of the name and of the email
/// address, the names of the written attributes, the active flag, and the time of deactivation. For each group it holds the
/// ids, the name, and the members. It also holds the ids of users that are left out, the number of removals of the last 7 days,
/// and the age of the token. It holds no other personal data. If the state is lost, the next run reads the whole target, and manages the users
/// and groups whose ids the source recognizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// The serial number; incremented by every run that writes to the target or updates the state.
    pub(crate) serial: u64,
    /// The SCIM endpoint that the state describes.
    pub(super) target: String,
    /// Whether the target may differ from the state: a run did not finish, or the result of a write is unknown.
    pub(super) dirty: bool,
    /// The attributes that the target was found not to keep.
    pub(super) not_kept: BTreeSet<String>,
    /// The removals of the last days, if the sync itself has a guard.
    pub(super) removals: RemovalHistory,
    /// The age of the token; `None` if the target is not AWS.
    pub(super) token: Option<TokenAge>,
    /// Number of runs since a run has read the users and groups of the target.
    pub(super) runs_since_verify: u32,
    /// The users that the runs leave out, each with the day (UTC) of the first such run.
    pub(super) left_out: BTreeMap<ExternalId, Date>,
    pub(super) users: BTreeMap<ExternalId, CachedUser>,
    pub(super) groups: BTreeMap<ExternalId, CachedGroup>,
}

/// A managed user of the target, as last written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CachedUser {
    pub(super) id: ResourceId,
    /// The digest of the [`UserProfile`](super::UserProfile); empty if the current profile is unknown.
    pub(super) digest: String,
    /// The optional attributes that the sync has written, or found as the source had them.
    pub(super) owned: BTreeSet<Attribute>,
    /// The digest of what the target has kept of the written profile, if it is not all.
    pub(super) kept: Option<String>,
    /// The written name and email address.
    pub(super) keys: UserKeys,
    pub(super) active: bool,
    /// Whether the account existed before the sync adopted it.
    pub(super) adopted: bool,
    /// The time of deactivation, or the time when a run first found the user inactive.
    pub(super) inactive_since: Option<Timestamp>,
}

/// A managed group of the target, as last written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CachedGroup {
    pub(super) id: ResourceId,
    pub(super) name: String,
    /// The target ids of the managed members.
    pub(super) members: BTreeSet<ResourceId>,
    /// Whether the target does not keep the external id.
    pub(super) drops_id: bool,
    /// Whether the group existed before the sync adopted it. Such a group is not deleted.
    pub(super) adopted: bool,
}

impl SyncState {
    /// The name of the state file in the [`StateStore`](crate::StateStore).
    pub const FILE: &'static str = "directory.json";
    /// The format version that this version of the crate reads and writes.
    pub const VERSION: u32 = 3;

    /// Creates an empty state for a target.
    #[must_use]
    pub fn empty(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            ..Self::default()
        }
    }

    /// Parses a state file.
    ///
    /// # Errors
    ///
    /// Fails if the file is invalid, or has another format version than [`SyncState::VERSION`]. Without the state, the sync does
    /// not know users and groups that have left the source, unless the source recognizes their ids.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let unreadable = |why: String| {
            Error::new(
                ErrorKind::State,
                format!(
                    "{} is not a valid state file of the directory sync: {why}",
                    Self::FILE
                ),
            )
            .with_help("restore the file; or delete it: the next run then reads the whole target, and does not know which users and groups earlier runs have created or adopted")
        };
        let version = serde_json::from_slice::<Version>(bytes)
            .map_err(|error| unreadable(error.to_string()))?
            .version;
        if version != Self::VERSION {
            return Err(unreadable(format!(
                "it has format version {version}, but this version of the crate reads version {}",
                Self::VERSION
            )));
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
        let state = file.into_state();
        state.ok_or_else(|| unreadable("a group member is not in the list of users".to_owned()))
    }

    /// Serializes the state as compact JSON, in which group members are indexes into the list of users.
    ///
    /// # Panics
    ///
    /// Never panics: a state can always be serialized as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&File::of(self)).expect("a state has string keys only")
    }

    /// Returns the number of cached users and of cached groups.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.users.len(), self.groups.len())
    }

    /// Fails if the state describes another target, because ids of one target are not valid for another target.
    pub(super) fn check_target(&self, target: &str) -> Result<()> {
        if self.target == target {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::State,
            format!("{} is for the target {}, but this run writes to {target}", Self::FILE, self.target),
        )
        .with_help("use one state store per target; if the target has a new address, delete the file: the next run then reads the whole target"))
    }

    /// Returns the target ids of the cached users.
    pub(super) fn target_ids(&self) -> BTreeSet<&ResourceId> {
        self.users.values().map(|user| &user.id).collect()
    }

    /// Returns the cached users and groups as a snapshot of the target.
    pub(super) fn to_snapshot(&self) -> TargetSnapshot {
        let users = self.users.iter().map(|(external_id, user)| TargetUser {
            id: user.id.clone(),
            external_id: Some(external_id.clone()),
            digest: user.digest.clone(),
            is_read: false,
            owned: user.owned.clone(),
            kept: user.kept.clone(),
            keys: user.keys.clone(),
            active: user.active,
            adopted: user.adopted,
            managed: true,
            inactive_since: user.inactive_since,
            cached_external_id: None,
            scim_user: None,
        });
        let groups = self.groups.iter().map(|(external_id, group)| TargetGroup {
            id: group.id.clone(),
            external_id: Some(external_id.clone()),
            cached_external_id: None,
            name: group.name.clone(),
            managed: true,
            members: Some(group.members.clone()),
            adopted: group.adopted,
            other_members: Vec::new(),
        });
        TargetSnapshot {
            users: users.collect(),
            groups: groups.collect(),
            ..TargetSnapshot::default()
        }
    }

    /// Replaces the cached users and groups by the managed users and groups of a snapshot. If the snapshot is incomplete,
    /// keeps the cached ones that it lacks.
    ///
    /// `adopted` lists the users that become managed in this run; their group memberships are cached too.
    pub(super) fn update_from(
        &mut self,
        snapshot: &TargetSnapshot,
        adopted: &BTreeSet<ResourceId>,
        now: Timestamp,
    ) {
        let cached_users = std::mem::take(&mut self.users);
        for user in snapshot.users.iter().filter(|user| user.managed) {
            let Some(external_id) = user.owner() else {
                continue;
            };
            let before = cached_users.get(external_id);
            let before = before.filter(|cached| cached.id == user.id);
            let since = before
                .filter(|cached| !cached.active)
                .and_then(|cached| cached.inactive_since);
            let cached = CachedUser {
                id: user.id.clone(),
                digest: user.digest.clone(),
                owned: user.owned.clone(),
                kept: before
                    .filter(|cached| cached.digest == user.digest)
                    .and_then(|cached| cached.kept.clone()),
                keys: user.keys.clone(),
                active: user.active,
                adopted: before.is_some_and(|cached| cached.adopted),
                // If the deactivation time is unknown, the retention period starts now.
                inactive_since: (!user.active).then(|| since.unwrap_or(now)),
            };
            self.users.insert(external_id.clone(), cached);
        }
        if !snapshot.unread_users.is_empty() {
            let read: BTreeSet<&ResourceId> = snapshot.users.iter().map(|user| &user.id).collect();
            let unread = cached_users
                .into_iter()
                .filter(|(_, user)| !read.contains(&user.id));
            self.users.extend(unread);
        }
        let managed: BTreeSet<&ResourceId> = self
            .users
            .values()
            .map(|user| &user.id)
            .chain(adopted)
            .collect();
        let cached_groups = std::mem::take(&mut self.groups);
        for group in snapshot.groups.iter().filter(|group| group.managed) {
            let Some(external_id) = group.owner() else {
                continue;
            };
            let members = match &group.members {
                Some(members) => members
                    .iter()
                    .filter(|id| managed.contains(id))
                    .cloned()
                    .collect(),
                None => cached_groups
                    .get(external_id)
                    .map(|cached| cached.members.clone())
                    .unwrap_or_default(),
            };
            let before = cached_groups.get(external_id);
            let cached = CachedGroup {
                id: group.id.clone(),
                name: group.name.clone(),
                members,
                drops_id: before.is_some_and(|cached| cached.drops_id),
                adopted: before.is_some_and(|cached| cached.adopted && cached.id == group.id),
            };
            self.groups.insert(external_id.clone(), cached);
        }
        if !snapshot.unread_groups.is_empty() {
            let read: BTreeSet<&ResourceId> =
                snapshot.groups.iter().map(|group| &group.id).collect();
            let unread = cached_groups
                .into_iter()
                .filter(|(_, group)| !read.contains(&group.id));
            self.groups.extend(unread);
        }
    }

    /// Adds a user to the cached members of the given groups.
    pub(super) fn cache_membership(&mut self, user: &ResourceId, groups: &BTreeSet<ResourceId>) {
        for group in self.groups.values_mut() {
            if groups.contains(&group.id) {
                group.members.insert(user.clone());
            }
        }
    }

    /// Removes a user that no longer exists in the target.
    pub(super) fn remove_user(&mut self, id: &ResourceId) {
        self.users.retain(|_, user| user.id != *id);
        for group in self.groups.values_mut() {
            group.members.remove(id);
        }
    }

    /// Removes a group that no longer exists in the target.
    pub(super) fn remove_group(&mut self, id: &ResourceId) {
        self.groups.retain(|_, group| group.id != *id);
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The file format of the state: users and groups as arrays without keys, group members as indexes into `users`.
#[derive(Deserialize, Serialize)]
struct File {
    version: u32,
    serial: u64,
    target: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dirty: bool,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    not_kept: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    removals: RemovalHistory,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<TokenAge>,
    #[serde(default, skip_serializing_if = "is_default")]
    runs_since_verify: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    left_out: BTreeMap<ExternalId, Date>,
    users: Vec<(
        ExternalId,
        ResourceId,
        String,
        bool,
        Option<Timestamp>,
        UserKeysFile,
    )>,
    /// The owned attributes of each user, as bits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    owned: Vec<u32>,
    groups: Vec<(ExternalId, ResourceId, String, Vec<u32>, bool)>,
    /// The users and groups that existed before the sync adopted them.
    #[serde(default, skip_serializing_if = "Adopted::is_empty")]
    adopted: Adopted,
}

#[derive(Default, Deserialize, Serialize)]
struct Adopted {
    users: BTreeSet<ExternalId>,
    groups: BTreeSet<ExternalId>,
}

impl Adopted {
    fn of(state: &SyncState) -> Self {
        let users = state.users.iter().filter(|(_, user)| user.adopted);
        let groups = state.groups.iter().filter(|(_, group)| group.adopted);
        Self {
            users: users.map(|(id, _)| id.clone()).collect(),
            groups: groups.map(|(id, _)| id.clone()).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}

/// The digests of the user name, of the email address, and of what the target has kept.
type UserKeysFile = (Option<String>, Option<String>, Option<String>);

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl File {
    fn of(state: &SyncState) -> Self {
        let indexes: BTreeMap<&ResourceId, u32> = state
            .users
            .values()
            .zip(0_u32..)
            .map(|(user, index)| (&user.id, index))
            .collect();
        let users = state.users.iter().map(|(external_id, user)| {
            (
                external_id.clone(),
                user.id.clone(),
                user.digest.clone(),
                user.active,
                user.inactive_since,
                (
                    user.keys.user_name.clone(),
                    user.keys.email.clone(),
                    user.kept.clone(),
                ),
            )
        });
        let groups = state.groups.iter().map(|(external_id, group)| {
            let members = group.members.iter().filter_map(|id| indexes.get(id));
            (
                external_id.clone(),
                group.id.clone(),
                group.name.clone(),
                members.copied().collect(),
                group.drops_id,
            )
        });
        Self {
            version: SyncState::VERSION,
            serial: state.serial,
            target: state.target.clone(),
            dirty: state.dirty,
            not_kept: state.not_kept.clone(),
            removals: state.removals.clone(),
            token: state.token.clone(),
            runs_since_verify: state.runs_since_verify,
            left_out: state.left_out.clone(),
            users: users.collect(),
            owned: { state.users.values() }
                .map(|user| to_bits(&user.owned))
                .collect(),
            groups: groups.collect(),
            adopted: Adopted::of(state),
        }
    }

    /// Returns the state, or `None` if the index of a group member is out of range.
    fn into_state(self) -> Option<SyncState> {
        let ids: Vec<ResourceId> = self.users.iter().map(|(_, id, ..)| id.clone()).collect();
        let adopted = self.adopted;
        let owned = self.owned.into_iter().chain(std::iter::repeat(0));
        let users = self.users.into_iter().zip(owned).map(
            |((external_id, id, digest, active, inactive_since, keys), owned)| {
                let (user_name, email, kept) = keys;
                let user = CachedUser {
                    id,
                    digest,
                    owned: from_bits(owned),
                    kept,
                    keys: UserKeys { user_name, email },
                    active,
                    adopted: adopted.users.contains(&external_id),
                    inactive_since,
                };
                (external_id, user)
            },
        );
        let groups = self
            .groups
            .into_iter()
            .map(|(external_id, id, name, members, drops_id)| {
                let members = members
                    .into_iter()
                    .map(|index| ids.get(usize::try_from(index).ok()?).cloned())
                    .collect::<Option<_>>()?;
                let group = CachedGroup {
                    id,
                    name,
                    members,
                    drops_id,
                    adopted: adopted.groups.contains(&external_id),
                };
                Some((external_id, group))
            });
        Some(SyncState {
            serial: self.serial,
            target: self.target,
            dirty: self.dirty,
            not_kept: self.not_kept,
            removals: self.removals,
            token: self.token,
            runs_since_verify: self.runs_since_verify,
            left_out: self.left_out,
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
        let mut state = SyncState::empty("https://scim.example/v2/");
        for (number, active) in [(1, true), (2, false), (10, true)] {
            let user = CachedUser {
                id: id(&format!("r{number}")),
                digest: format!("d{number}"),
                owned: [Attribute::MiddleName].into(),
                kept: None,
                keys: UserKeys::default(),
                active,
                adopted: false,
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
            drops_id: false,
            adopted: true,
        };
        state.groups.insert(ExternalId::new("00g1"), group);
        state
    }

    #[test]
    fn a_serialized_state_is_parsed_back_unchanged() {
        let json = state().to_json();
        assert_eq!(
            String::from_utf8_lossy(&json),
            r#"{"version":3,"serial":0,"target":"https://scim.example/v2/","users":[["00u1","r1","d1",true,null,[null,null,null]],["00u10","r10","d10",true,null,[null,null,null]],["00u2","r2","d2",false,"1970-01-01T00:00:00Z",[null,null,null]]],"owned":[2,2,2],"groups":[["00g1","t","team",[0,1],false]],"adopted":{"users":[],"groups":["00g1"]}}"#
        );
        assert_eq!(SyncState::from_json(&json).expect("a valid state"), state());
    }

    #[test]
    fn a_state_of_another_format_version_is_rejected() {
        for version in [0, 2, 9] {
            let json = format!("{{\"version\": {version}}}");
            let error = SyncState::from_json(json.as_bytes()).expect_err("another version");
            let text = error.to_string();
            assert!(
                text.contains(&format!("format version {version}")),
                "{text}"
            );
        }
        assert!(SyncState::from_json(b"{}").is_err());
    }

    #[test]
    fn a_state_of_another_target_is_rejected() {
        let error = state()
            .check_target("https://other.example/")
            .expect_err("another target");
        assert_eq!(error.kind(), ErrorKind::State);
    }

    #[test]
    fn updating_the_state_from_a_snapshot_keeps_the_deactivation_time() {
        let mut state = state();
        let snapshot = state.to_snapshot();
        let now: Timestamp = "2026-11-24T09:00:00Z".parse().expect("a timestamp");
        state.update_from(&snapshot, &BTreeSet::new(), now);
        assert_eq!(state, self::state());
    }
}
