//! The discovery endpoints: service provider configuration, resource types and schemas.

use serde_json::{Value, json};

use super::{ENTERPRISE_USERS, GROUPS, USERS};
use crate::scim::{ENTERPRISE, GROUP, USER, schema::Schema};

/// Returns the sample of the developer guide; its `maxResults` of 50 is less than the real page size.
pub(super) fn service_provider_config() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri":
            "https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-idp.html",
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication scheme using the OAuth Bearer Token Standard",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html",
            "primary": true,
        }],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 1, "maxPayloadSize": 1_048_576 },
        "filter": { "supported": true, "maxResults": 50 },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
    })
}

/// Returns the resource types `User` and `Group`.
pub(super) fn resource_types() -> Vec<Value> {
    const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
    vec![
        json!({
            "schemas": [RESOURCE_TYPE],
            "id": "User",
            "name": "User",
            "endpoint": "/Users",
            "description": "User Account",
            "schema": USER,
            "schemaExtensions": [{ "schema": ENTERPRISE, "required": false }],
        }),
        json!({
            "schemas": [RESOURCE_TYPE],
            "id": "Group",
            "name": "Group",
            "endpoint": "/Groups",
            "description": "Group",
            "schema": GROUP,
        }),
    ]
}

/// Returns the schemas; their attributes have only a name, a type and the flags `multiValued` and `required`.
pub(super) fn schemas() -> Vec<Value> {
    let schemas = [&USERS, &GROUPS, &ENTERPRISE_USERS];
    schemas.into_iter().map(schema).collect()
}

fn schema(schema: &Schema) -> Value {
    let shown = schema
        .attributes
        .iter()
        .filter(|attribute| !HIDDEN.contains(&attribute.name));
    let attributes: Vec<Value> = shown
        .map(|attribute| {
            json!({
                "name": attribute.name,
                "type": attribute.kind.name(),
                "multiValued": attribute.multi_valued,
                "required": attribute.required,
            })
        })
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.urn,
        "name": schema.name,
        "attributes": attributes,
        "meta": { "resourceType": "Schema", "location": format!("/Schemas/{}", schema.urn) },
    })
}

/// The attributes that the schemas do not contain, although requests may.
const HIDDEN: [&str; 10] = [
    "externalId",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "roles",
    "groups",
];
