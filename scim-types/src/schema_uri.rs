//! The URNs that name schemas and messages (RFC 7643 section 10, RFC 7644 section 8.2).

/// The core schema of a user.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core schema of a group.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension of a user.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of a service provider's configuration.
pub const SERVICE_PROVIDER_CONFIG: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The schema of a resource type.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of a schema.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// The message that lists resources.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The message that changes parts of a resource.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The message that queries resources with a request body.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The message that contains several operations.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The message that contains the results of several operations.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// The message that describes an error.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Prefix of the URNs of all core schemas, whose attributes are at the top level of a resource.
pub(crate) const CORE_PREFIX: &str = "urn:ietf:params:scim:schemas:core:";

/// Returns the URN of a built-in resource schema as a static string, if `text` is such a URN.
pub(crate) fn known(text: &str) -> Option<&'static str> {
    // Most strings are too short to be such a URN.
    if text.len() < CORE_PREFIX.len() {
        return None;
    }
    [USER, ENTERPRISE_USER, GROUP]
        .into_iter()
        .find(|urn| *urn == text)
}
