//! Users and groups of IAM Identity Center. This module reads them; SCIM writes them.

use aws_sdk_identitystore::types::{
    AlternateIdentifier, ExternalId as SdkExternalId, MemberId, UniqueAttribute, UserStatus,
};
use aws_smithy_types::Document;
use rest_core::Pager;

use crate::{
    Aws, Error, GroupId, IdentityCenter, IdentityStoreId, UserId, instances::PAGE_SIZE,
    service::Service,
};

/// Calls for users and groups.
#[derive(Debug, Clone, Copy)]
pub struct IdentityStore<'a> {
    aws: &'a Aws,
    id: &'a IdentityStoreId,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityUser {
    /// The user's id.
    pub id: UserId,
    /// The user name, which must equal the SAML subject.
    pub user_name: String,
    /// The display name.
    pub display_name: Option<String>,
    /// The email addresses, the primary one first.
    pub emails: Vec<String>,
    /// The user's ids in other systems. SCIM stores the identity provider's id here.
    pub external_ids: Vec<ExternalId>,
    /// Whether the user may sign in; `None` if AWS does not report it.
    pub active: Option<bool>,
}

impl IdentityUser {
    /// Returns whether the user may sign in. AWS does not always report it; then the user may.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.active != Some(false)
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityGroup {
    /// The group's id.
    pub id: GroupId,
    /// The display name, which is unique in the identity store.
    pub display_name: String,
    /// The group's ids in other systems.
    pub external_ids: Vec<ExternalId>,
}

/// The id of a user or group in another system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ExternalId {
    /// The other system.
    pub issuer: String,
    /// The id in that system.
    pub id: String,
}

impl IdentityCenter {
    /// Returns the calls for users and groups.
    #[must_use]
    pub fn identity_store(&self) -> IdentityStore<'_> {
        IdentityStore {
            aws: self.aws(),
            id: self.identity_store_id(),
        }
    }
}

/// Reads a user. A macro, because the SDK has one type for a user of a list and another for a user
/// that is described, with the same fields.
macro_rules! read_user {
    ($operation:expr, $user:expr) => {{
        let user = $user;
        IdentityUser {
            id: SERVICE.id($operation, "UserId", Some(user.user_id))?,
            user_name: SERVICE.require_field($operation, "UserName", user.user_name)?,
            display_name: user.display_name,
            emails: emails(user.emails),
            external_ids: external_ids(user.external_ids),
            active: active(user.user_status.as_ref()),
        }
    }};
}

/// Reads a group, like `read_user`.
macro_rules! read_group {
    ($operation:expr, $group:expr) => {{
        let group = $group;
        IdentityGroup {
            id: SERVICE.id($operation, "GroupId", Some(group.group_id))?,
            display_name: SERVICE.require_field($operation, "DisplayName", group.display_name)?,
            external_ids: external_ids(group.external_ids),
        }
    }};
}

impl<'a> IdentityStore<'a> {
    /// Returns the user with this user name, or `None` if the user does not exist.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<IdentityUser>, Error> {
        const OPERATION: &str = "GetUserId";
        let call = self
            .client()
            .get_user_id()
            .identity_store_id(self.id.as_str());
        let call = call
            .alternate_identifier(unique_attribute("userName", name))
            .send();
        let found = SERVICE.call_and_read(OPERATION, call, |response| {
            SERVICE.id(OPERATION, "UserId", Some(response.user_id))
        });
        match not_found_as_none(found.await)? {
            Some(id) => self.user_opt(&id).await,
            None => Ok(None),
        }
    }

    /// Returns the user with this id, or `None` if the user does not exist.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn user_opt(&self, id: &UserId) -> Result<Option<IdentityUser>, Error> {
        const OPERATION: &str = "DescribeUser";
        let call = self
            .client()
            .describe_user()
            .identity_store_id(self.id.as_str());
        let user = SERVICE.call_and_read(OPERATION, call.user_id(id.as_str()).send(), |user| {
            Ok(read_user!(OPERATION, user))
        });
        not_found_as_none(user.await)
    }

    /// Returns the group with this display name, or `None` if the group does not exist.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<IdentityGroup>, Error> {
        const OPERATION: &str = "GetGroupId";
        let call = self
            .client()
            .get_group_id()
            .identity_store_id(self.id.as_str());
        let call = call
            .alternate_identifier(unique_attribute("displayName", name))
            .send();
        let found = SERVICE.call_and_read(OPERATION, call, |response| {
            SERVICE.id(OPERATION, "GroupId", Some(response.group_id))
        });
        match not_found_as_none(found.await)? {
            Some(id) => self.group_opt(&id).await,
            None => Ok(None),
        }
    }

    /// Returns the group with this id, or `None` if the group does not exist.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn group_opt(&self, id: &GroupId) -> Result<Option<IdentityGroup>, Error> {
        const OPERATION: &str = "DescribeGroup";
        let call = self
            .client()
            .describe_group()
            .identity_store_id(self.id.as_str());
        let group = SERVICE.call_and_read(OPERATION, call.group_id(id.as_str()).send(), |group| {
            Ok(read_group!(OPERATION, group))
        });
        not_found_as_none(group.await)
    }

    /// Lists all users.
    pub fn users(&self) -> Pager<IdentityUser, Error> {
        const OPERATION: &str = "ListUsers";
        let call = self.client().list_users();
        let call = call
            .identity_store_id(self.id.as_str())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.users, response.next_token),
            |user| Ok(read_user!(OPERATION, user)),
        )
    }

    /// Lists all groups.
    pub fn groups(&self) -> Pager<IdentityGroup, Error> {
        const OPERATION: &str = "ListGroups";
        let call = self.client().list_groups();
        let call = call
            .identity_store_id(self.id.as_str())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.groups, response.next_token),
            |group| Ok(read_group!(OPERATION, group)),
        )
    }

    /// Lists the members of a group.
    ///
    /// The first page fails with [`is_not_found`](Error::is_not_found) if the group does not exist.
    pub fn members(&self, group: &GroupId) -> Pager<UserId, Error> {
        const OPERATION: &str = "ListGroupMemberships";
        let call = self.client().list_group_memberships();
        let call = call
            .identity_store_id(self.id.as_str())
            .group_id(group.as_str())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.group_memberships, response.next_token),
            |membership| {
                let member = match membership.member_id {
                    Some(MemberId::UserId(id)) => Some(id),
                    _ => None,
                };
                SERVICE.id(OPERATION, "MemberId of a user", member)
            },
        )
    }

    /// Lists the groups that a user is a member of.
    ///
    /// The first page fails with [`is_not_found`](Error::is_not_found) if the user does not exist.
    pub fn groups_of(&self, user: &UserId) -> Pager<GroupId, Error> {
        const OPERATION: &str = "ListGroupMembershipsForMember";
        let call = self.client().list_group_memberships_for_member();
        let call = call
            .identity_store_id(self.id.as_str())
            .member_id(MemberId::UserId(user.to_string()))
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.group_memberships, response.next_token),
            |membership| SERVICE.id(OPERATION, "GroupId", membership.group_id),
        )
    }

    /// Returns whether `user` is a member of `group`.
    ///
    /// # Errors
    ///
    /// Fails with [`is_not_found`](Error::is_not_found) if the user or the group does not exist.
    pub async fn is_member(&self, user: &UserId, group: &GroupId) -> Result<bool, Error> {
        let call = self
            .client()
            .is_member_in_groups()
            .identity_store_id(self.id.as_str())
            .member_id(MemberId::UserId(user.to_string()))
            .group_ids(group.as_str())
            .send();
        let response = SERVICE.call("IsMemberInGroups", call).await?;
        Ok(response.results.iter().any(|result| {
            result.group_id.as_deref() == Some(group.as_str()) && result.membership_exists
        }))
    }

    fn client(self) -> &'a aws_sdk_identitystore::Client {
        self.aws.sdk().identity_store()
    }
}

/// Returns the identifier for a look-up by a unique attribute.
///
/// These look-ups replace the filters of `ListUsers` and `ListGroups`, which are deprecated.
fn unique_attribute(path: &str, value: &str) -> AlternateIdentifier {
    let attribute = UniqueAttribute::builder()
        .attribute_path(path)
        .attribute_value(Document::String(value.to_owned()))
        .build()
        .expect("an attribute has a path and a value");
    AlternateIdentifier::UniqueAttribute(attribute)
}

/// Returns `None` for a "not found" error.
fn not_found_as_none<T>(response: Result<T, Error>) -> Result<Option<T>, Error> {
    match response {
        Ok(response) => Ok(Some(response)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn emails(emails: Option<Vec<aws_sdk_identitystore::types::Email>>) -> Vec<String> {
    let mut emails = emails.unwrap_or_default();
    emails.sort_by_key(|email| !email.primary);
    emails.into_iter().filter_map(|email| email.value).collect()
}

fn external_ids(ids: Option<Vec<SdkExternalId>>) -> Vec<ExternalId> {
    let ids = ids.unwrap_or_default().into_iter();
    ids.map(|id| ExternalId {
        issuer: id.issuer,
        id: id.id,
    })
    .collect()
}

fn active(status: Option<&UserStatus>) -> Option<bool> {
    match status {
        Some(UserStatus::Enabled) => Some(true),
        Some(UserStatus::Disabled) => Some(false),
        _ => None,
    }
}

const SERVICE: Service = Service::IdentityStore;

#[cfg(test)]
mod tests;
