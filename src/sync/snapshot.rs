//! The users and groups of the target, as read or as cached, and their matches in the source.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use scim_types::{ExternalId, ResourceId};

use super::{
    directory::{Group, UnreadItem, User},
    plan::{RemovedPrincipal, Why},
    profile::{UserKeys, UserProfile},
};
use crate::user_attribute::Attribute;

/// The users and groups of the target, as read or as cached.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TargetSnapshot {
    pub(super) users: Vec<TargetUser>,
    pub(super) groups: Vec<TargetGroup>,
    /// The users of the target that could not be read.
    pub(super) unread_users: Vec<UnreadItem>,
    /// The groups of the target that could not be read.
    pub(super) unread_groups: Vec<UnreadItem>,
}

/// A user of the target.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and all combinations occur"
)]
pub(super) struct TargetUser {
    pub(super) id: ResourceId,
    pub(super) external_id: Option<ExternalId>,
    /// The digest of the [`UserProfile`], with the `owned` attributes only. If the target does not keep
    /// all attributes, the digest of the profile that was written.
    pub(super) digest: String,
    /// Whether `digest` is of `scim_user`, and not of a profile that was written.
    pub(super) is_read: bool,
    /// The optional attributes that the sync has written, or found as the source has them. The sync keeps the others.
    pub(super) owned: BTreeSet<Attribute>,
    /// The digest of what the target has, with the source's id, if it was read or is not what was written.
    pub(super) kept: Option<String>,
    /// The name and the email address, as far as they are known.
    pub(super) keys: UserKeys,
    pub(super) active: bool,
    /// Whether the sync may remove the user: the cached state has the user, or the source may have issued the user's
    /// external id.
    pub(super) managed: bool,
    /// Whether the cached state says that the sync has adopted the account: it existed before.
    pub(super) adopted: bool,
    /// The time of deactivation, if the cached state has it.
    pub(super) inactive_since: Option<Timestamp>,
    /// The external id in the cached state, if the user's `externalId` was removed in the target.
    pub(super) cached_external_id: Option<ExternalId>,
    /// The SCIM user, if it was read.
    pub(super) scim_user: Option<Box<scim_types::User>>,
}

/// A group of the target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TargetGroup {
    pub(super) id: ResourceId,
    pub(super) external_id: Option<ExternalId>,
    pub(super) name: String,
    /// The external id in the cached state, if the target has none for the group.
    pub(super) cached_external_id: Option<ExternalId>,
    /// Whether the sync may remove the group; see [`TargetUser::managed`].
    pub(super) managed: bool,
    /// The ids of the members, if they were read or cached.
    pub(super) members: Option<BTreeSet<ResourceId>>,
    /// Whether the cached state says that the sync has adopted the group: it existed before.
    pub(super) adopted: bool,
    /// The names of the members that the sync does not manage, as far as they were read before a deletion.
    pub(super) other_members: Vec<String>,
}

impl TargetSnapshot {
    /// Returns whether users or groups of the target could not be read.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.unread_users.is_empty() || !self.unread_groups.is_empty()
    }

    /// Limits the digests of the users that no source user matches to the attributes that the sync owns.
    pub(super) fn own_unmatched(&mut self, matches: &[Option<usize>]) {
        let taken: HashSet<usize> = matches.iter().flatten().copied().collect();
        for (index, user) in self.users.iter_mut().enumerate() {
            if !taken.contains(&index) {
                user.own(None);
            }
        }
    }

    /// Returns the managed users that no source user matches. `matches` is the result of [`match_users`].
    pub(super) fn missing_users(
        &self,
        matches: &[Option<usize>],
    ) -> impl Iterator<Item = &TargetUser> {
        let taken: HashSet<usize> = matches.iter().flatten().copied().collect();
        let users = self.users.iter().enumerate();
        users
            .filter(move |(index, user)| user.managed && !taken.contains(index))
            .map(|(_, user)| user)
    }
}

impl TargetGroup {
    /// Returns the external id, also if only the cached state has it.
    pub(super) fn owner(&self) -> Option<&ExternalId> {
        self.external_id
            .as_ref()
            .or(self.cached_external_id.as_ref())
    }
}

impl TargetUser {
    /// Returns the external id, also if only the cached state has it.
    pub(super) fn owner(&self) -> Option<&ExternalId> {
        self.external_id
            .as_ref()
            .or(self.cached_external_id.as_ref())
    }

    /// Takes over the attributes of the source's profile, and limits the digest to the attributes that the sync owns.
    pub(super) fn own(&mut self, profile: Option<&UserProfile>) {
        let Some(user) = self.scim_user.as_deref().filter(|_| self.is_read) else {
            return;
        };
        self.owned
            .extend(profile.map(UserProfile::attributes).unwrap_or_default());
        let current = UserProfile::of(user).limited_to(&self.owned);
        self.owned = current.attributes();
        self.digest = current.digest();
    }

    /// Returns the current profile with the attributes that the sync owns, if it was read.
    pub(super) fn profile(&self) -> Option<UserProfile> {
        let user = self.scim_user.as_deref()?;
        Some(UserProfile::of(user).limited_to(&self.owned))
    }

    /// Returns the attributes that the sync does not own and that the source's profile does not have.
    pub(super) fn unowned(&self, profile: &UserProfile) -> BTreeSet<Attribute> {
        let user = self.scim_user.as_deref();
        let mut present = user.map(|user| UserProfile::of(user).attributes());
        if let Some(present) = &mut present {
            let is_other = |attribute: &Attribute| {
                !self.owned.contains(attribute) && !profile.optional.contains_key(attribute)
            };
            present.retain(is_other);
        }
        present.unwrap_or_default()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.scim_user.as_ref()?.user_name.as_deref()
    }

    pub(super) fn to_removed(&self, why: Why) -> RemovedPrincipal {
        RemovedPrincipal {
            id: self.id.clone(),
            external_id: self.owner().cloned(),
            name: self.name().map(ToOwned::to_owned),
            why,
            adopted: self.adopted,
        }
    }
}

/// Returns for each group of the source the index of the matching group of the target.
pub(super) fn match_groups(source: &[Group], target: &[TargetGroup]) -> Vec<Option<usize>> {
    let by_id = by_external_id(target.iter().map(TargetGroup::owner));
    // AWS may compare names in any letter case, so a group with another case is the same one, unless the exact name exists too.
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    let mut in_any_case: HashMap<String, usize> = HashMap::new();
    for (index, group) in target.iter().enumerate() {
        by_name.entry(&group.name).or_insert(index);
        let name = group.name.to_lowercase();
        in_any_case.entry(name).or_insert(index);
    }
    let mut matches = match_by_id_then_name(
        source
            .iter()
            .map(|group| (&group.id, by_name.get(group.name.as_str()).copied())),
        &by_id,
    );
    let mut taken: HashSet<usize> = matches.iter().flatten().copied().collect();
    for (group, found) in source.iter().zip(&mut matches) {
        if found.is_none() {
            let other_case = in_any_case.get(&group.name.to_lowercase()).copied();
            *found = other_case.filter(|index| taken.insert(*index));
        }
    }
    matches
}

/// Returns for each user of the source the index of the matching user of the target.
pub(super) fn match_users(source: &[User], target: &[TargetUser]) -> Vec<Option<usize>> {
    let by_id = by_external_id(target.iter().map(TargetUser::owner));
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (index, user) in target.iter().enumerate() {
        if let Some(name) = user.name() {
            by_name.entry(name.to_lowercase()).or_insert(index);
        }
    }
    match_by_id_then_name(
        source.iter().map(|user| {
            let name = user.profile.user_name.to_lowercase();
            (&user.id, by_name.get(&name).copied())
        }),
        &by_id,
    )
}

/// Maps each external id to its index in the list.
fn by_external_id<'a>(
    ids: impl Iterator<Item = Option<&'a ExternalId>>,
) -> HashMap<&'a ExternalId, usize> {
    let ids = ids.enumerate();
    ids.filter_map(|(index, id)| Some((id?, index))).collect()
}

/// Matches by external id first, then by name.
///
/// A target resource matches by name only if no source resource has its external id, and matches only one source
/// resource by name.
fn match_by_id_then_name<'a>(
    source: impl Iterator<Item = (&'a ExternalId, Option<usize>)> + Clone,
    by_id: &HashMap<&ExternalId, usize>,
) -> Vec<Option<usize>> {
    let mut taken: HashSet<usize> = source
        .clone()
        .filter_map(|(id, _)| by_id.get(id).copied())
        .collect();
    source
        .map(|(id, same_name)| {
            by_id
                .get(id)
                .copied()
                .or_else(|| same_name.filter(|index| taken.insert(*index)))
        })
        .collect()
}
