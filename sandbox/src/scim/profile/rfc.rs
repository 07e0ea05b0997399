//! The profile of a service that follows RFC 7643, RFC 7644 and RFC 9865 and supports all their options.

use serde_json::{Value, json};

use super::{Discovery, Grammar, Paging, PatchRules, Profile, ResourceRules, endpoint};
use crate::scim::{
    reply::ErrorFormat,
    schema::{Attribute, ENTERPRISE_USERS, GROUPS, USERS},
    store::Resource,
};

/// The profile; it adds nothing to the RFCs and leaves out `/Bulk` and `/Me`.
pub(crate) static RFC: Profile = Profile {
    users: ResourceRules {
        schema: &USERS,
        extension: Some(&ENTERPRISE_USERS),
        ..RESOURCES
    },
    groups: RESOURCES,
    ignores_case: true,
    empty_segments: true,
    search: true,
    versions: true,
    projection: true,
    put_compares_id: false,
    time_format: "%Y-%m-%dT%H:%M:%S%.fZ",
    unknown_member_is_not_found: false,
    paging: PAGING,
    list_filters: Grammar::Full,
    path_filters: Grammar::Full,
    patch: PatchRules {
        single_attribute_message: None,
        null_is_missing: false,
        remove_ignores_value: false,
        wraps_values: true,
        merges_selected: true,
        replaces_extension: false,
        ignores_extension_schemas: true,
        once: &[],
        excluded: &[],
        boolean_texts: &[],
    },
    discovery: Discovery {
        config,
        schemas,
        resource_types,
        single_resource_types: true,
        rejects_filters: true,
        other_methods_status: 405,
    },
    errors: ErrorFormat {
        statuses: &[],
        messages: &[],
        types: true,
        extra: |_, _| json!({}),
    },
    content_type: "application/scim+json",
    request_id_header: "x-request-id",
};

const RESOURCES: ResourceRules = ResourceRules {
    schema: &GROUPS,
    extension: None,
    extension_alias: None,
    schemas_required: true,
    ignores_empty: false,
    urn_paths: true,
    put: true,
    patch_returns_resource: true,
    not_in_create_response: &[],
    filters: None,
    filter_aliases: &[],
    members: None,
};

const PAGING: Paging = Paging {
    max: 100,
    strict_count: false,
    index: true,
    cursor_seconds: Some(3600),
};

/// Returns the schemas in the format of the `/Schemas` endpoint.
fn schemas(base: &str) -> Vec<Value> {
    [&USERS, &GROUPS, &ENTERPRISE_USERS]
        .into_iter()
        .map(|schema| {
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
                "id": schema.urn,
                "name": schema.name,
                "description": format!("{} as in RFC 7643.", schema.name),
                "attributes": schema.attributes.iter().map(Attribute::definition).collect::<Vec<_>>(),
                "meta": meta("Schema", &format!("{base}/Schemas/{}", schema.urn)),
            })
        })
        .collect()
}

/// Returns the resource types in the format of the `/ResourceTypes` endpoint.
fn resource_types(base: &str) -> Vec<Value> {
    [Resource::User, Resource::Group]
        .into_iter()
        .map(|resource| {
            let resource_type = RFC.resource_type(resource);
            let name = resource_type.schema().name;
            let mut json = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
                "id": name,
                "name": name,
                "endpoint": format!("/{}", endpoint(resource)),
                "description": format!("{name} as in RFC 7643."),
                "schema": resource_type.schema().urn,
                "meta": meta("ResourceType", &format!("{base}/ResourceTypes/{name}")),
            });
            if let Some(extension) = resource_type.rules().extension {
                json["schemaExtensions"] = json!([{ "schema": extension.urn, "required": false }]);
            }
            json
        })
        .collect()
}

/// Returns the capabilities of the service.
fn config(base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A bearer token as in RFC 6750",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": PAGING.max },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": PAGING.max,
            "maxPageSize": PAGING.max,
            "cursorTimeout": PAGING.cursor_seconds,
        },
        "meta": meta("ServiceProviderConfig", &format!("{base}/ServiceProviderConfig")),
    })
}

fn meta(kind: &str, location: &str) -> Value {
    json!({ "resourceType": kind, "location": location })
}
