//! The users and groups of AWS's identity store that the scope of a blueprint is compared with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use aws_sso_glue::{Aws, GroupId, IdentityUser, InstanceArn, UserId};
use okta_client::User;

use super::{
    app_lists::Cached,
    estate::{InstanceReads, SHARED, principals_changed},
};
use crate::{
    aws_user_name::AppAssignments,
    context::Context,
    error::Result,
    resolved_scope::{GroupWithMembers, ResolvedScope},
    sync::identity_store_error,
};

/// All users of the identity store, and the groups that the blueprint pushes with their members.
#[derive(Default)]
pub(super) struct IdentityView {
    /// The users by name.
    pub(super) users: BTreeMap<String, IdentityUser>,
    /// The groups by name.
    pub(super) groups: BTreeMap<String, GroupInAws>,
    names: BTreeMap<UserId, String>,
}

/// A group of the identity store with its members.
#[derive(Clone)]
pub(super) struct GroupInAws {
    pub(super) id: GroupId,
    pub(super) members: BTreeSet<UserId>,
}

/// The cached view of one context.
#[derive(Default)]
struct Cache(Cached<InstanceArn, IdentityView>);

/// Returns the view that is younger than `max_age`, or reads it; `None` if AWS has no instance yet.
pub(super) async fn read(
    aws: &Aws,
    scope: &ResolvedScope,
    cx: &Context,
    max_age: Duration,
) -> Result<Option<Arc<IdentityView>>> {
    let Some(reads) = InstanceReads::new(aws, cx) else {
        return Ok(None);
    };
    let known = BTreeMap::new();
    let read = IdentityView::read(&reads, scope, &known, max_age);
    let cache = cx.run_memory::<Cache>();
    let key = reads.instance().clone();
    cache.0.get(key, cx, max_age, read).await.map(Some)
}

/// Forgets the view of the context after a write that changes users or groups in AWS.
pub(super) fn forget(cx: &Context) {
    cx.run_memory::<Cache>().0.forget();
    principals_changed(cx);
}

impl IdentityView {
    /// Reads the users, and the pushed groups of the scope that are not in `known`. The lists of users and groups may have this
    /// age; the members are read now.
    pub(super) async fn read(
        reads: &InstanceReads<'_>,
        scope: &ResolvedScope,
        known: &BTreeMap<String, GroupInAws>,
        max_age: Duration,
    ) -> Result<Self> {
        let store = reads.center().identity_store();
        let principals = reads.principals(max_age.min(SHARED)).await?;
        let users = principals.users().iter();
        let pushed = scope.pushed.iter();
        let pushed: BTreeSet<&str> = pushed.map(|members| &*members.group.name).collect();
        let mut view = Self {
            names: users
                .clone()
                .map(|user| (user.id.clone(), user.user_name.clone()))
                .collect(),
            users: users
                .map(|user| (user.user_name.clone(), user.clone()))
                .collect(),
            groups: BTreeMap::new(),
        };
        let groups = principals.groups().iter().cloned();
        for group in groups.filter(|group| pushed.contains(&*group.display_name)) {
            let read = if let Some(known) = known.get(&group.display_name) {
                known.clone()
            } else {
                let members = store.members(&group.id).try_collect().await;
                GroupInAws {
                    members: members.map_err(identity_store_error)?.into_iter().collect(),
                    id: group.id,
                }
            };
            view.groups.insert(group.display_name, read);
        }
        Ok(view)
    }

    /// Returns the user that Okta's assignment names. Returns `None` if AWS has no such user, or if the name is not known before the
    /// assignment: a user of AWS with the login as its name can be another person.
    pub(super) fn user(&self, user: &User, names: &AppAssignments) -> Option<&IdentityUser> {
        let name = names.name_id(user)?;
        self.users.get(&*name)
    }

    /// Returns the members of a group in AWS that the group of Okta does not have, sorted. A member that Okta has renamed is found by
    /// the external id, which is the id in Okta.
    pub(super) fn other_members(
        &self,
        members: &GroupWithMembers,
        names: &AppAssignments,
    ) -> Vec<String> {
        let Some(found) = self.groups.get(&members.group.name) else {
            return Vec::new();
        };
        let users = members.users.iter();
        let ids: BTreeSet<&str> = users.clone().map(|user| user.id.as_str()).collect();
        let in_okta = users.filter_map(|user| names.name_id(user));
        let in_okta: BTreeSet<String> = in_okta.map(|name| name.to_lowercase()).collect();
        let is_other = |name: &String| {
            let mut external_ids =
                { self.users.get(name).into_iter() }.flat_map(|user| user.external_ids.iter());
            !in_okta.contains(&name.to_lowercase()) && !external_ids.any(|id| ids.contains(&*id.id))
        };
        let found = found.members.iter().map(|id| self.name_of(id));
        let mut others: Vec<String> = found.filter(is_other).collect();
        others.sort_unstable();
        others
    }

    /// Returns the name of a user by its id, or the id if AWS has no such user.
    pub(super) fn name_of(&self, id: &UserId) -> String {
        let name = self.names.get(id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }
}
