//! The state of AWS as plain values, which tests compare.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::aws::{AssignmentView, GroupView, OperationView, PermissionSetView, UserView};
use crate::operations::OperationKind;

/// One permission set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PermissionSet {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The session duration in ISO 8601, such as `PT1H`.
    pub session_duration: String,
    /// The ARNs of the AWS managed policies.
    pub managed_policies: Vec<String>,
    /// The inline policy.
    pub inline_policy: Option<String>,
    /// The ids of the accounts to which the permission set is provisioned.
    pub accounts: Vec<String>,
}

/// One account assignment, with names instead of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Assignment {
    /// The id of the account.
    pub account: String,
    /// The name of the permission set.
    pub permission_set: String,
    /// The kind of the principal: `USER` or `GROUP`.
    pub principal_kind: String,
    /// The name of the user or group.
    pub principal: String,
}

/// One asynchronous operation of Identity Center that AWS has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcceptedOperation {
    /// The kind of change.
    pub kind: OperationKind,
    /// The id of the account; `None`: all accounts to which the permission set is provisioned.
    pub account: Option<String>,
    /// The name of the permission set; the ARN if it was deleted.
    pub permission_set: String,
    /// The id of the user or group; `None`: a provisioning.
    pub principal_id: Option<String>,
    /// The name of the user or group; the id if it was deleted.
    pub principal: Option<String>,
    /// Whether the assignment existed when the operation started.
    pub existed: bool,
    /// Whether another tool has started it: [`Sandbox::start_foreign_operations`](crate::Sandbox::start_foreign_operations).
    pub foreign: bool,
    /// The time of the start.
    pub started: Timestamp,
    /// The time of the end; `None`: the operation is in progress.
    pub ended: Option<Timestamp>,
    /// The reason, if the operation has failed.
    pub failure: Option<String>,
}

/// One user of the identity store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IdentityUser {
    /// The id in the identity store.
    pub id: String,
    /// The user name.
    pub user_name: String,
    /// The display name.
    pub display_name: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The id at the identity provider.
    pub external_id: Option<String>,
    /// Whether the user can sign in.
    pub active: bool,
    /// All attributes with a text, by their path in SCIM: `name.givenName`, `emails.value`, `addresses.locality`,
    /// `enterprise.manager.value`. AWS keeps at most one value of an attribute.
    pub attributes: BTreeMap<String, String>,
}

impl IdentityUser {
    /// Returns an attribute by its path in SCIM, such as `phoneNumbers.value`.
    #[must_use]
    pub fn attribute(&self, path: &str) -> Option<&str> {
        self.attributes.get(path).map(String::as_str)
    }
}

/// One group of the identity store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IdentityGroup {
    /// The id in the identity store.
    pub id: String,
    /// The display name.
    pub display_name: String,
    /// The id at the identity provider.
    pub external_id: Option<String>,
    /// The user names of the members.
    pub members: Vec<String>,
}

impl From<PermissionSetView> for PermissionSet {
    fn from(view: PermissionSetView) -> Self {
        Self {
            arn: view.arn,
            name: view.name,
            description: view.description,
            session_duration: view.session_duration,
            managed_policies: view.managed_policies,
            inline_policy: view.inline_policy,
            accounts: view.accounts,
        }
    }
}

impl From<AssignmentView> for Assignment {
    fn from(view: AssignmentView) -> Self {
        Self {
            account: view.account,
            permission_set: view.permission_set,
            principal_kind: view.principal_kind.to_owned(),
            principal: view.principal,
        }
    }
}

impl From<UserView> for IdentityUser {
    fn from(view: UserView) -> Self {
        Self {
            id: view.id,
            user_name: view.user_name,
            display_name: view.display_name,
            email: view.email,
            external_id: view.external_id,
            active: view.active,
            attributes: view.attributes,
        }
    }
}

impl From<GroupView> for IdentityGroup {
    fn from(view: GroupView) -> Self {
        Self {
            id: view.id,
            display_name: view.display_name,
            external_id: view.external_id,
            members: view.members,
        }
    }
}

impl From<OperationView> for AcceptedOperation {
    fn from(view: OperationView) -> Self {
        Self {
            kind: view.kind,
            account: view.account,
            permission_set: view.permission_set,
            principal_id: view.principal_id,
            principal: view.principal,
            existed: view.existed,
            foreign: view.foreign,
            started: view.started,
            ended: view.ended,
            failure: view.failure,
        }
    }
}
