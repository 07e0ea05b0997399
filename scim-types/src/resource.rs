//! The trait of resource types that have an endpoint.

use serde::{Serialize, de::DeserializeOwned};

use crate::{ExternalId, Group, ResourceId, User, filter::AttributePath, schema_uri};

/// A resource type with its own endpoint on a server.
pub trait Resource: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The path below the base URL, such as `Users` (RFC 7644 section 3.2).
    const ENDPOINT: &'static str;
    /// The URN of the core schema.
    const SCHEMA: &'static str;
    /// The attribute with the human-readable name of a resource: `userName` or `displayName`.
    const NAME: AttributePath;

    /// Returns the server's id of the resource.
    fn id(&self) -> Option<&ResourceId>;

    /// Returns the client's id of the resource.
    fn external_id(&self) -> Option<&ExternalId>;

    /// Returns the value of [`NAME`](Self::NAME).
    fn name(&self) -> Option<&str>;
}

impl Resource for User {
    const ENDPOINT: &'static str = "Users";
    const SCHEMA: &'static str = schema_uri::USER;
    const NAME: AttributePath = AttributePath::USER_NAME;

    fn id(&self) -> Option<&ResourceId> {
        self.id.as_ref()
    }

    fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }

    fn name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }
}

impl Resource for Group {
    const ENDPOINT: &'static str = "Groups";
    const SCHEMA: &'static str = schema_uri::GROUP;
    const NAME: AttributePath = AttributePath::DISPLAY_NAME;

    fn id(&self) -> Option<&ResourceId> {
        self.id.as_ref()
    }

    fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }

    fn name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }
}
