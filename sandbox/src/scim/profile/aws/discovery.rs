//! The discovery endpoints: service provider configuration, resource types and schemas.

use serde_json::{Value, json};

use crate::scim::{ENTERPRISE, GROUP, USER};

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
    vec![
        schema(
            USER,
            "User",
            &[
                attribute("userName", "string", true),
                attribute("name", "complex", true),
                attribute("displayName", "string", true),
                attribute("active", "boolean", false),
                attribute("emails", "complex", false),
                attribute("addresses", "complex", false),
                attribute("phoneNumbers", "complex", false),
            ],
        ),
        schema(
            GROUP,
            "Group",
            &[
                attribute("displayName", "string", true),
                attribute("members", "complex", false),
            ],
        ),
        schema(
            ENTERPRISE,
            "EnterpriseUser",
            &[
                attribute("employeeNumber", "string", false),
                attribute("costCenter", "string", false),
                attribute("organization", "string", false),
                attribute("division", "string", false),
                attribute("department", "string", false),
                attribute("manager", "complex", false),
            ],
        ),
    ]
}

fn schema(id: &str, name: &str, attributes: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": id,
        "name": name,
        "attributes": attributes,
        "meta": { "resourceType": "Schema", "location": format!("/Schemas/{id}") },
    })
}

fn attribute(name: &str, kind: &str, required: bool) -> Value {
    let multi_valued = ["emails", "addresses", "phoneNumbers", "members"].contains(&name);
    json!({ "name": name, "type": kind, "multiValued": multi_valued, "required": required })
}
