//! The behavior of a SCIM service that is not known, or that differs between services.

use serde_json::{Map, Value};

use super::Resource;

/// AWS's answer to a request that adds a user who does not exist to a group.
///
/// The answer of AWS is not known. Either way, nothing of the request is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownMembers {
    /// AWS answers 404, as for a group that does not exist.
    #[default]
    NotFound,
    /// AWS answers 400, as for every other invalid request.
    Invalid,
}

/// The settings of a SCIM service.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScimOptions {
    /// The answer to a request with an unknown member.
    pub(crate) unknown_members: UnknownMembers,
    /// The attributes of users that the service accepts and does not keep.
    pub(crate) dropped_of_users: Vec<String>,
    /// The attributes of groups that the service accepts and does not keep.
    pub(crate) dropped_of_groups: Vec<String>,
}

impl ScimOptions {
    /// Returns the attributes of a resource type that the service does not keep.
    pub(super) fn dropped(&self, resource: Resource) -> &[String] {
        match resource {
            Resource::User => &self.dropped_of_users,
            Resource::Group => &self.dropped_of_groups,
        }
    }

    /// Removes the attributes that the service does not keep.
    pub(super) fn drop_from(&self, resource: Resource, attributes: &mut Map<String, Value>) {
        let dropped = self.dropped(resource);
        attributes.retain(|name, _| !dropped.contains(name));
    }
}
