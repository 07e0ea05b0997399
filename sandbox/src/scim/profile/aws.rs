//! The profile of the SCIM endpoint of IAM Identity Center.
//!
//! The endpoint deviates from RFC 7644: responses never contain the members of a group, `PUT` exists only
//! for users, and every invalid request gets the same error message. The sources are the "SCIM
//! implementation developer guide" of IAM Identity Center ("developer guide" below), the Okta knowledge
//! base, and reports from public clients.

mod discovery;

use serde_json::json;

use super::{Discovery, Grammar, MemberRules, Paging, PatchRules, Profile, ResourceRules};
use crate::{
    characters::{MAX_EXTERNAL_ID, MAX_TEXT, MAX_USER_NAME, RESERVED, is_space, is_visible},
    scim::{
        ENTERPRISE, GROUP, USER,
        reply::ErrorFormat,
        schema::{
            Attribute, Kind, Mutability, Returned, Schema, Text, TextRule, attribute, boolean,
            complex, multi_valued, string,
        },
    },
};

/// The profile.
pub(crate) static AWS: Profile = Profile {
    users: ResourceRules {
        schema: &USERS,
        extension: Some(&ENTERPRISE_USERS),
        // The short name is from a sample of the developer guide (`PatchUser`).
        extension_alias: Some("enterprise"),
        schemas_required: false,
        // Okta sends `groups: []`, and `null` means "no value".
        ignores_empty: true,
        urn_paths: true,
        put: true,
        patch_returns_resource: true,
        // The response in the sample of the developer guide lacks it (`CreateUser`).
        not_in_create_response: &["profileUrl"],
        // The only filters that the developer guide lists (`ListUsers`).
        filters: Some(&[
            &["userName"],
            &["externalId"],
            &["id"],
            &["groups.value"],
            &["id", "manager"],
        ]),
        filter_aliases: &[(
            "manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        )],
        members: None,
    },
    groups: ResourceRules {
        schema: &GROUPS,
        extension: None,
        extension_alias: None,
        schemas_required: false,
        ignores_empty: false,
        urn_paths: false,
        // `PUT` is not supported for groups (developer guide, supported operations).
        put: false,
        patch_returns_resource: false,
        // Developer guide, `CreateGroup`.
        not_in_create_response: &["members"],
        // The only filters that the developer guide lists (`ListGroups`); its text uses `member`, and its
        // example uses `members`.
        filters: Some(&[
            &["displayName"],
            &["externalId"],
            &["id"],
            &["members.value"],
            &["id", "members"],
            &["id", "member"],
        ]),
        filter_aliases: &[("member", "members.value")],
        members: Some(MemberRules {
            // "100 members at most in a request" (developer guide, `CreateGroup`, `PatchGroup`).
            max_changes: 100,
            replace_message: "Replacing group memberships is not supported.",
        }),
    },
    ignores_case: false,
    empty_segments: false,
    search: false,
    versions: false,
    projection: false,
    put_compares_id: true,
    time_format: "%Y-%m-%dT%H:%M:%SZ",
    unknown_member_is_not_found: true,
    paging: Paging {
        // "The default is 100 and the maximum is 100" (developer guide, `count`).
        max: 100,
        strict_count: true,
        // "startIndex is not supported" (developer guide, `ListUsers`), although Okta sends it.
        index: false,
        cursor_seconds: None,
    },
    list_filters: Grammar::Conjunction,
    path_filters: Grammar::Comparison,
    patch: PatchRules {
        single_attribute_message: Some(
            "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations modifying a \
             single attribute.",
        ),
        null_is_missing: true,
        remove_ignores_value: true,
        wraps_values: false,
        merges_selected: false,
        replaces_extension: true,
        ignores_extension_schemas: false,
        // "Only one operation on each of userName and active, and they cannot be removed" (`PatchUser`).
        once: &["userName", "active"],
        // Not in the list of attributes of the developer guide (`PatchUser`).
        excluded: &["roles", "schemas"],
        // The sample of the developer guide sends `"false"` as a string.
        boolean_texts: &["active"],
    },
    discovery: Discovery {
        config: |_base| discovery::service_provider_config(),
        schemas: |_base| discovery::schemas(),
        resource_types: |_base| discovery::resource_types(),
        single_resource_types: false,
        rejects_filters: false,
        other_methods_status: 404,
    },
    errors: ErrorFormat {
        // "The operation is unsupported" is one of the reasons for 400 (developer guide, ValidationException).
        statuses: &[(405, 400), (415, 400), (501, 400)],
        messages: &[
            (
                400,
                "Request is unparsable, syntactically incorrect, or violates schema.",
            ),
            // A wrong token and a wrong tenant get the same error (user guide).
            (401, "Unauthorized"),
            (404, "Resource not found."),
            (409, "Refused to create a new, duplicate resource."),
        ],
        types: false,
        // Error bodies have `schema` in addition to `schemas`, and a timestamp that is not RFC 3339, as in
        // bodies that public clients have recorded.
        extra: |request_id, now| {
            json!({
                "schema": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "exceptionRequestId": request_id,
                "timeStamp": now.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            })
        },
    },
    content_type: "application/json",
    request_id_header: "x-amzn-requestid",
};

/// The attributes of a user (developer guide, `CreateUser` and limitations). password, ims, photos,
/// x509Certificates and entitlements are not supported.
static USERS: Schema = Schema {
    urn: USER,
    name: "User",
    attributes: &[
        external_id(),
        text("userName", USER_NAME).required(),
        complex(
            "name",
            &[
                plain("formatted"),
                plain("familyName").required(),
                plain("givenName").required(),
                plain("middleName"),
                plain("honorificPrefix"),
                plain("honorificSuffix"),
            ],
        )
        .required(),
        plain("displayName").required(),
        plain("nickName"),
        // A URL has to contain a colon, so the check for forbidden characters does not apply.
        visible("profileUrl"),
        plain("title"),
        plain("userType"),
        plain("preferredLanguage"),
        plain("locale"),
        plain("timezone"),
        boolean("active"),
        // "Each user must have a unique, non-null user name and email" (user guide, considerations for automatic
        // provisioning).
        Attribute {
            primary_only: true,
            ..single_value(
                "emails",
                const { &[plain("value").required(), plain("type"), boolean("primary")] },
            )
            .required()
        },
        // AWS accepts only complete addresses (Okta knowledge base).
        single_value(
            "addresses",
            const {
                &[
                    plain("streetAddress").required(),
                    plain("locality").required(),
                    plain("region").required(),
                    plain("postalCode").required(),
                    plain("country").required(),
                    plain("formatted"),
                    plain("type"),
                    boolean("primary"),
                ]
            },
        ),
        single_value(
            "phoneNumbers",
            const { &[plain("value"), plain("type"), boolean("primary")] },
        ),
        single_value(
            "roles",
            const { &[plain("value"), plain("type"), boolean("primary")] },
        ),
        Attribute {
            mutability: Mutability::FilterOnly,
            ..multi_valued("groups", const { &[string("value").case_exact()] })
        },
    ],
};

static ENTERPRISE_USERS: Schema = Schema {
    urn: ENTERPRISE,
    name: "EnterpriseUser",
    attributes: &[
        plain("employeeNumber"),
        plain("costCenter"),
        plain("organization"),
        plain("division"),
        plain("department"),
        // Only the id is stored: in the guide's sample (`CreateUser`), the response has no `$ref`.
        complex(
            "manager",
            &[visible("value").required(), string("$ref").read_only()],
        ),
    ],
};

static GROUPS: Schema = Schema {
    urn: GROUP,
    name: "Group",
    attributes: &[
        external_id(),
        text("displayName", GROUP_NAME).required(),
        Attribute {
            returned: Returned::Empty,
            open: true,
            ..multi_valued(
                "members",
                const {
                    &[
                        visible("value").required(),
                        // Groups cannot be members (developer guide, limitations).
                        Attribute {
                            text: Text::OneOf(&["User"]),
                            ..string("type")
                        },
                    ]
                },
            )
        },
    ],
};

/// Returns the attribute `externalId`, which overrides the common attribute of RFC 7643.
const fn external_id() -> Attribute {
    text("externalId", EXTERNAL_ID)
}

/// Returns a string without the characters that AWS rejects in names and similar attributes.
const fn plain(name: &'static str) -> Attribute {
    text(name, NAME)
}

/// Returns a string whose characters are printable.
const fn visible(name: &'static str) -> Attribute {
    text(name, PRINTABLE)
}

const fn text(name: &'static str, rule: TextRule) -> Attribute {
    Attribute {
        text: Text::Rule(rule),
        case_exact: true,
        ..attribute(name, Kind::String)
    }
}

// The lengths and the sets of characters are those of the identity store's service model (botocore 1.44: `UserName`,
// `ExternalIdIdentifier`, `SensitiveStringType`, `GroupDisplayName`). SCIM also refuses control characters, which the
// model allows as tabs and line breaks, and `<>;:%` in names (Okta knowledge base).

const USER_NAME: TextRule = TextRule {
    max: MAX_USER_NAME,
    allows: |character| is_visible(character) && !is_forbidden(character),
    reserved: RESERVED,
};

const EXTERNAL_ID: TextRule = TextRule {
    max: MAX_EXTERNAL_ID,
    allows: is_visible,
    reserved: &[],
};

const PRINTABLE: TextRule = TextRule {
    max: MAX_TEXT,
    allows: |character| is_visible(character) || is_space(character),
    reserved: &[],
};

const NAME: TextRule = TextRule {
    allows: |character| (PRINTABLE.allows)(character) && !is_forbidden(character),
    ..PRINTABLE
};

const GROUP_NAME: TextRule = TextRule {
    reserved: RESERVED,
    ..NAME
};

fn is_forbidden(character: char) -> bool {
    "<>;:%".contains(character)
}

/// Returns a list with at most one value: "multiple values are not supported" (limitations).
const fn single_value(name: &'static str, sub_attributes: &'static [Attribute]) -> Attribute {
    Attribute {
        max_values: Some(1),
        ..multi_valued(name, sub_attributes)
    }
}

#[cfg(test)]
mod tests;
