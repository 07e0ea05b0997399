//! The storage behind a SCIM service.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Users.
    User,
    /// Groups.
    Group,
}

/// A stored resource.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The position in creation order.
    pub(crate) position: u64,
    /// The id, which the store assigns.
    pub(crate) id: String,
    /// The attributes that clients can write, in the spelling of the schemas.
    pub(crate) attributes: Map<String, Value>,
    /// The creation time.
    pub(crate) created: Timestamp,
    /// The time of the last change.
    pub(crate) modified: Timestamp,
    /// The revision number, which starts at 1 and increases with every change.
    pub(crate) version: u64,
}

/// Resources, oldest first.
pub(crate) type Records<'s> = Box<dyn Iterator<Item = Record> + 's>;

/// The resources that have a certain value in an attribute.
pub(crate) enum Selection<'s> {
    /// The store has no index for the attribute.
    Unindexed,
    /// The value is the id of a user or a group that does not exist.
    UnknownId,
    /// The resources with the value.
    Records(Records<'s>),
}

/// The error for a value that another resource of the type already has; contains the attribute's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken(pub(crate) &'static str);

/// A change of a group's members by the id of a user.
#[derive(Clone, Debug)]
pub(crate) enum MemberChange {
    /// The user becomes a member.
    Add(String),
    /// The user is no longer a member.
    Remove(String),
}

/// The storage of users and groups.
pub(crate) trait Store {
    /// Returns a resource. A group may lack its members if the service never returns members.
    fn get(&self, resource: Resource, id: &str) -> Option<Record>;

    /// Returns all resources of a type, like [`get`](Self::get).
    fn list(&self, resource: Resource) -> Records<'_>;

    /// Returns the resources of a type that have a value in an attribute, such as `groups.value`.
    ///
    /// The caller does not compare the attribute of the returned resources again.
    fn select(&self, resource: Resource, attribute: &str, value: &str) -> Selection<'_>;

    /// Returns whether a group can have the resource with this id as a member.
    fn can_be_member(&self, id: &str) -> bool;

    /// Creates a resource and returns its id.
    fn create(
        &mut self,
        resource: Resource,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<String, Taken>;

    /// Replaces the attributes of a resource that exists.
    fn replace(
        &mut self,
        resource: Resource,
        id: &str,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Taken>;

    /// Adds members to a group that exists, and removes members from it, in this order.
    fn change_members(&mut self, group: &str, changes: &[MemberChange], now: Timestamp);

    /// Deletes a resource and its memberships; returns whether it existed.
    fn delete(&mut self, resource: Resource, id: &str) -> bool;

    /// Returns the attributes of a resource for clients, including the ones that the service computes.
    fn expand(&self, _resource: Resource, record: &Record) -> Map<String, Value> {
        record.attributes.clone()
    }
}
