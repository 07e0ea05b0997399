//! The state of the AWS organization, as plain data for tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::center::{Principal, SetIx, Status};
use super::cloud::Cloud;
use super::directory::{Directory, User};
use super::organizations::AccountIx;
use crate::operations::OperationKind;
use crate::scim::ENTERPRISE;

/// A permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PermissionSetView {
    /// The ARN.
    pub(crate) arn: String,
    /// The name.
    pub(crate) name: String,
    /// The description.
    pub(crate) description: Option<String>,
    /// The session duration in ISO 8601 format.
    pub(crate) session_duration: String,
    /// The ARNs of AWS managed policies.
    pub(crate) managed_policies: Vec<String>,
    /// The inline policy.
    pub(crate) inline_policy: Option<String>,
    /// The accounts in which the permission set is provisioned.
    pub(crate) accounts: Vec<String>,
}

/// The assignment of a permission set to a user or group in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssignmentView {
    /// The id of the account.
    pub(crate) account: String,
    /// The name of the permission set.
    pub(crate) permission_set: String,
    /// `USER` or `GROUP`.
    pub(crate) principal_kind: &'static str,
    /// The name of the user or group; the id if it was deleted.
    pub(crate) principal: String,
}

/// An asynchronous operation that AWS has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OperationView {
    pub(crate) kind: OperationKind,
    /// The id of the account; `None`: all accounts of the permission set.
    pub(crate) account: Option<String>,
    /// The name of the permission set; the ARN if it was deleted.
    pub(crate) permission_set: String,
    /// The id of the user or group.
    pub(crate) principal_id: Option<String>,
    /// The name of the user or group; the id if it was deleted.
    pub(crate) principal: Option<String>,
    pub(crate) existed: bool,
    pub(crate) foreign: bool,
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    /// The reason, if the operation has failed.
    pub(crate) failure: Option<String>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserView {
    /// The id in the identity store.
    pub(crate) id: String,
    /// The user name.
    pub(crate) user_name: String,
    /// The display name.
    pub(crate) display_name: Option<String>,
    /// The email address.
    pub(crate) email: Option<String>,
    /// The external id, which the identity provider set.
    pub(crate) external_id: Option<String>,
    /// Whether the user may sign in.
    pub(crate) active: bool,
    /// The attributes with a text, by path.
    pub(crate) attributes: BTreeMap<String, String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupView {
    /// The id in the identity store.
    pub(crate) id: String,
    /// The display name.
    pub(crate) display_name: String,
    /// The external id, which the identity provider set.
    pub(crate) external_id: Option<String>,
    /// The user names of the members.
    pub(crate) members: Vec<String>,
}

impl Cloud {
    /// Returns all permission sets.
    pub(crate) fn permission_sets(&self) -> Vec<PermissionSetView> {
        let Some(center) = &self.center else {
            return Vec::new();
        };
        let first = AccountIx::default();
        center
            .sets
            .from(SetIx(0))
            .map(|(ix, set)| {
                let mut accounts: Vec<_> = center.access.accounts_of(ix, first).collect();
                accounts.sort_unstable_by_key(|(_, role)| role.position);
                let id = |account| self.organization.account_at(account).id.clone();
                PermissionSetView {
                    arn: set.arn.clone(),
                    name: set.name.clone(),
                    description: set.description.clone(),
                    session_duration: set.session_duration.clone(),
                    managed_policies: set.managed.clone(),
                    inline_policy: set.inline.clone(),
                    accounts: accounts
                        .into_iter()
                        .map(|(account, _)| id(account))
                        .collect(),
                }
            })
            .collect()
    }

    /// Returns all assignments, oldest first, without those that are still being created.
    pub(crate) fn assignments(&self) -> Vec<AssignmentView> {
        let Some(center) = &self.center else {
            return Vec::new();
        };
        let directory = &center.directory;
        center
            .access
            .assignments()
            .into_iter()
            .map(|row| {
                let principal = center.access.principal(row.principal);
                AssignmentView {
                    account: self.organization.account_at(row.account).id.clone(),
                    permission_set: center.sets.at(row.set).name.clone(),
                    principal_kind: principal.kind,
                    principal: name_or_id(directory, principal).to_owned(),
                }
            })
            .collect()
    }

    /// Returns all asynchronous operations that have started, oldest first.
    pub(crate) fn operation_views(&self) -> Vec<OperationView> {
        let center = self.center.iter();
        let all = center.flat_map(|center| {
            let operations = center.all_operations().iter();
            operations.map(move |operation| {
                let principal = operation.principal.as_ref();
                let name = principal.map(|principal| name_or_id(&center.directory, principal));
                let set = &operation.permission_set;
                let set_name = center.sets.ix(set).map(|set| &center.sets.at(set).name);
                OperationView {
                    kind: operation.kind,
                    account: operation.account.clone(),
                    permission_set: set_name.unwrap_or(set).clone(),
                    principal_id: principal.map(|principal| principal.id.to_string()),
                    principal: name.map(ToOwned::to_owned),
                    existed: operation.existed,
                    foreign: operation.foreign,
                    started: operation.created,
                    ended: operation.ended(),
                    failure: match &operation.status {
                        Status::Failed { reason } => Some(reason.clone()),
                        _ => None,
                    },
                }
            })
        });
        all.collect()
    }

    /// Returns all users.
    pub(crate) fn users(&self) -> Vec<UserView> {
        let users = self.directory().into_iter().flat_map(Directory::users);
        users
            .map(|(_, user)| UserView {
                id: user.id.clone(),
                user_name: user.user_name().to_owned(),
                display_name: user
                    .attributes()
                    .get("displayName")
                    .and_then(|name| name.as_str())
                    .map(ToOwned::to_owned),
                email: user.draft().email().map(ToOwned::to_owned),
                external_id: user.external_id().map(ToOwned::to_owned),
                active: user.is_active(),
                attributes: texts(user),
            })
            .collect()
    }

    /// Returns all groups with their members.
    pub(crate) fn groups(&self) -> Vec<GroupView> {
        let Some(directory) = self.directory() else {
            return Vec::new();
        };
        directory
            .groups()
            .map(|(_, group)| GroupView {
                id: group.id.clone(),
                display_name: group.display_name.clone(),
                external_id: group.external_id.clone(),
                members: directory
                    .members(group)
                    .map(|(_, (user, _))| user.user_name().to_owned())
                    .collect(),
            })
            .collect()
    }
}

/// Returns the attributes of a user with a text, by path. The extension has its short name of the developer guide.
fn texts(user: &User) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut open: Vec<(String, &Value)> = user
        .attributes()
        .iter()
        .map(|(name, value)| (name.replace(ENTERPRISE, "enterprise"), value))
        .collect();
    while let Some((path, value)) = open.pop() {
        match value {
            Value::String(text) => {
                texts.insert(path, text.clone());
            }
            Value::Array(items) => open.extend(items.iter().map(|item| (path.clone(), item))),
            Value::Object(members) => {
                let members = members.iter();
                open.extend(members.map(|(name, value)| (format!("{path}.{name}"), value)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    texts
}

/// Returns the name of a user or group; the id if it was deleted.
fn name_or_id<'d>(directory: &'d Directory, principal: &'d Principal) -> &'d str {
    let id = &principal.id;
    let name = match principal.kind {
        "USER" => directory.user(id).map(User::user_name),
        _ => directory.group(id).map(|group| group.display_name.as_str()),
    };
    name.unwrap_or(id)
}
