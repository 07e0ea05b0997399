//! The operations that this crate calls, with the scopes from the published description of Okta's API, 2026.06.3.
//!
//! `tests/it/contract/scopes.rs` compares the table with `contract.json`.

use super::Operation;

const fn op(
    method: &'static str,
    path: &'static str,
    scopes: &'static [&'static str],
) -> Operation {
    Operation {
        method,
        path,
        scopes,
    }
}

const API_TOKENS_MANAGE: &[&str] = &["okta.apiTokens.manage"];
const API_TOKENS_READ: &[&str] = &["okta.apiTokens.read"];
const APPS_MANAGE: &[&str] = &["okta.apps.manage"];
const APPS_READ: &[&str] = &["okta.apps.read"];
const APP_GRANTS_MANAGE: &[&str] = &["okta.appGrants.manage"];
const APP_GRANTS_READ: &[&str] = &["okta.appGrants.read"];
const BRANDS_READ: &[&str] = &["okta.brands.read"];
const DOMAINS_MANAGE: &[&str] = &["okta.domains.manage"];
const DOMAINS_READ: &[&str] = &["okta.domains.read"];
const GROUPS_MANAGE: &[&str] = &["okta.groups.manage"];
const GROUPS_READ: &[&str] = &["okta.groups.read"];
const LOGS_READ: &[&str] = &["okta.logs.read"];
const ORGS_MANAGE: &[&str] = &["okta.orgs.manage"];
const ORGS_READ: &[&str] = &["okta.orgs.read"];
const POLICIES_READ: &[&str] = &["okta.policies.read"];
const PRINCIPAL_RATE_LIMITS_MANAGE: &[&str] = &["okta.principalRateLimits.manage"];
const PRINCIPAL_RATE_LIMITS_READ: &[&str] = &["okta.principalRateLimits.read"];
const PROFILE_MAPPINGS_MANAGE: &[&str] = &["okta.profileMappings.manage"];
const PROFILE_MAPPINGS_READ: &[&str] = &["okta.profileMappings.read"];
const PUSH_MANAGE: &[&str] = &["okta.apps.manage", "okta.groups.manage"];
const PUSH_READ: &[&str] = &["okta.apps.read", "okta.groups.read"];
const SCHEMAS_MANAGE: &[&str] = &["okta.schemas.manage"];
const SCHEMAS_READ: &[&str] = &["okta.schemas.read"];
const USERS_MANAGE: &[&str] = &["okta.users.manage"];
const USERS_READ: &[&str] = &["okta.users.read"];

pub(super) static OPERATIONS: [Operation; 105] = [
    op("GET", "/api/v1/api-tokens", API_TOKENS_READ),
    op(
        "DELETE",
        "/api/v1/api-tokens/{apiTokenId}",
        API_TOKENS_MANAGE,
    ),
    op("GET", "/api/v1/api-tokens/{apiTokenId}", API_TOKENS_READ),
    op("GET", "/api/v1/apps", APPS_READ),
    op("POST", "/api/v1/apps", APPS_MANAGE),
    op("DELETE", "/api/v1/apps/{appId}", APPS_MANAGE),
    op("GET", "/api/v1/apps/{appId}", APPS_READ),
    op("PUT", "/api/v1/apps/{appId}", APPS_MANAGE),
    op("GET", "/api/v1/apps/{appId}/connections/default", APPS_READ),
    op(
        "POST",
        "/api/v1/apps/{appId}/connections/default",
        APPS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/apps/{appId}/connections/default/lifecycle/activate",
        APPS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/apps/{appId}/connections/default/lifecycle/deactivate",
        APPS_MANAGE,
    ),
    op("GET", "/api/v1/apps/{appId}/credentials/csrs", APPS_READ),
    op("POST", "/api/v1/apps/{appId}/credentials/csrs", APPS_MANAGE),
    op(
        "DELETE",
        "/api/v1/apps/{appId}/credentials/csrs/{csrId}",
        APPS_MANAGE,
    ),
    op(
        "GET",
        "/api/v1/apps/{appId}/credentials/csrs/{csrId}",
        APPS_READ,
    ),
    op(
        "POST",
        "/api/v1/apps/{appId}/credentials/csrs/{csrId}/lifecycle/publish",
        APPS_MANAGE,
    ),
    op("GET", "/api/v1/apps/{appId}/credentials/keys", APPS_READ),
    op(
        "POST",
        "/api/v1/apps/{appId}/credentials/keys/generate",
        APPS_MANAGE,
    ),
    op(
        "GET",
        "/api/v1/apps/{appId}/credentials/keys/{keyId}",
        APPS_READ,
    ),
    op(
        "POST",
        "/api/v1/apps/{appId}/credentials/keys/{keyId}/clone",
        APPS_MANAGE,
    ),
    op("GET", "/api/v1/apps/{appId}/features", APPS_READ),
    op(
        "GET",
        "/api/v1/apps/{appId}/features/{featureName}",
        APPS_READ,
    ),
    op(
        "PUT",
        "/api/v1/apps/{appId}/features/{featureName}",
        APPS_MANAGE,
    ),
    op("GET", "/api/v1/apps/{appId}/grants", APP_GRANTS_READ),
    op("POST", "/api/v1/apps/{appId}/grants", APP_GRANTS_MANAGE),
    op(
        "DELETE",
        "/api/v1/apps/{appId}/grants/{grantId}",
        APP_GRANTS_MANAGE,
    ),
    op(
        "GET",
        "/api/v1/apps/{appId}/grants/{grantId}",
        APP_GRANTS_READ,
    ),
    op("GET", "/api/v1/apps/{appId}/group-push/mappings", PUSH_READ),
    op(
        "POST",
        "/api/v1/apps/{appId}/group-push/mappings",
        PUSH_MANAGE,
    ),
    op(
        "DELETE",
        "/api/v1/apps/{appId}/group-push/mappings/{mappingId}",
        PUSH_MANAGE,
    ),
    op(
        "GET",
        "/api/v1/apps/{appId}/group-push/mappings/{mappingId}",
        PUSH_READ,
    ),
    op(
        "PATCH",
        "/api/v1/apps/{appId}/group-push/mappings/{mappingId}",
        PUSH_MANAGE,
    ),
    op("GET", "/api/v1/apps/{appId}/groups", APPS_READ),
    op(
        "DELETE",
        "/api/v1/apps/{appId}/groups/{groupId}",
        APPS_MANAGE,
    ),
    op("GET", "/api/v1/apps/{appId}/groups/{groupId}", APPS_READ),
    op(
        "PATCH",
        "/api/v1/apps/{appId}/groups/{groupId}",
        APPS_MANAGE,
    ),
    op("PUT", "/api/v1/apps/{appId}/groups/{groupId}", APPS_MANAGE),
    op(
        "POST",
        "/api/v1/apps/{appId}/lifecycle/activate",
        APPS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/apps/{appId}/lifecycle/deactivate",
        APPS_MANAGE,
    ),
    op(
        "PUT",
        "/api/v1/apps/{appId}/policies/{policyId}",
        APPS_MANAGE,
    ),
    op("GET", "/api/v1/apps/{appId}/sso/saml/metadata", APPS_READ),
    op("GET", "/api/v1/apps/{appId}/users", APPS_READ),
    op("POST", "/api/v1/apps/{appId}/users", APPS_MANAGE),
    op("DELETE", "/api/v1/apps/{appId}/users/{userId}", APPS_MANAGE),
    op("GET", "/api/v1/apps/{appId}/users/{userId}", APPS_READ),
    op("POST", "/api/v1/apps/{appId}/users/{userId}", APPS_MANAGE),
    op("GET", "/api/v1/brands", BRANDS_READ),
    op("GET", "/api/v1/brands/{brandId}", BRANDS_READ),
    op("GET", "/api/v1/brands/{brandId}/domains", BRANDS_READ),
    op("GET", "/api/v1/domains", DOMAINS_READ),
    op("POST", "/api/v1/domains", DOMAINS_MANAGE),
    op("DELETE", "/api/v1/domains/{domainId}", DOMAINS_MANAGE),
    op("GET", "/api/v1/domains/{domainId}", DOMAINS_READ),
    op("PUT", "/api/v1/domains/{domainId}", DOMAINS_MANAGE),
    op(
        "PUT",
        "/api/v1/domains/{domainId}/certificate",
        DOMAINS_MANAGE,
    ),
    op("POST", "/api/v1/domains/{domainId}/verify", DOMAINS_MANAGE),
    op("GET", "/api/v1/groups", GROUPS_READ),
    op("POST", "/api/v1/groups", GROUPS_MANAGE),
    op("GET", "/api/v1/groups/rules", GROUPS_READ),
    op("POST", "/api/v1/groups/rules", GROUPS_MANAGE),
    op(
        "DELETE",
        "/api/v1/groups/rules/{groupRuleId}",
        GROUPS_MANAGE,
    ),
    op("GET", "/api/v1/groups/rules/{groupRuleId}", GROUPS_READ),
    op("PUT", "/api/v1/groups/rules/{groupRuleId}", GROUPS_MANAGE),
    op(
        "POST",
        "/api/v1/groups/rules/{groupRuleId}/lifecycle/activate",
        GROUPS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/groups/rules/{groupRuleId}/lifecycle/deactivate",
        GROUPS_MANAGE,
    ),
    op("DELETE", "/api/v1/groups/{groupId}", GROUPS_MANAGE),
    op("GET", "/api/v1/groups/{groupId}", GROUPS_READ),
    op("PUT", "/api/v1/groups/{groupId}", GROUPS_MANAGE),
    op("GET", "/api/v1/groups/{groupId}/apps", GROUPS_READ),
    op("GET", "/api/v1/groups/{groupId}/users", GROUPS_READ),
    op(
        "DELETE",
        "/api/v1/groups/{groupId}/users/{userId}",
        GROUPS_MANAGE,
    ),
    op(
        "PUT",
        "/api/v1/groups/{groupId}/users/{userId}",
        GROUPS_MANAGE,
    ),
    op("GET", "/api/v1/logs", LOGS_READ),
    op("GET", "/api/v1/mappings", PROFILE_MAPPINGS_READ),
    op("GET", "/api/v1/mappings/{mappingId}", PROFILE_MAPPINGS_READ),
    op(
        "POST",
        "/api/v1/mappings/{mappingId}",
        PROFILE_MAPPINGS_MANAGE,
    ),
    op(
        "GET",
        "/api/v1/meta/schemas/apps/{appId}/default",
        SCHEMAS_READ,
    ),
    op(
        "POST",
        "/api/v1/meta/schemas/apps/{appId}/default",
        SCHEMAS_MANAGE,
    ),
    op("GET", "/api/v1/meta/schemas/user/{schemaId}", SCHEMAS_READ),
    op(
        "POST",
        "/api/v1/meta/schemas/user/{schemaId}",
        SCHEMAS_MANAGE,
    ),
    op("GET", "/api/v1/org", ORGS_READ),
    op("POST", "/api/v1/org", ORGS_MANAGE),
    op("GET", "/api/v1/policies", POLICIES_READ),
    op("GET", "/api/v1/policies/{policyId}", POLICIES_READ),
    op(
        "GET",
        "/api/v1/principal-rate-limits",
        PRINCIPAL_RATE_LIMITS_READ,
    ),
    op(
        "POST",
        "/api/v1/principal-rate-limits",
        PRINCIPAL_RATE_LIMITS_MANAGE,
    ),
    op(
        "GET",
        "/api/v1/principal-rate-limits/{principalRateLimitId}",
        PRINCIPAL_RATE_LIMITS_READ,
    ),
    op(
        "PUT",
        "/api/v1/principal-rate-limits/{principalRateLimitId}",
        PRINCIPAL_RATE_LIMITS_MANAGE,
    ),
    op("GET", "/api/v1/users", USERS_READ),
    op("POST", "/api/v1/users", USERS_MANAGE),
    op("DELETE", "/api/v1/users/{id}", USERS_MANAGE),
    op("GET", "/api/v1/users/{id}", USERS_READ),
    op("POST", "/api/v1/users/{id}", USERS_MANAGE),
    op("PUT", "/api/v1/users/{id}", USERS_MANAGE),
    op("GET", "/api/v1/users/{id}/groups", USERS_READ),
    op(
        "POST",
        "/api/v1/users/{id}/lifecycle/activate",
        USERS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/users/{id}/lifecycle/deactivate",
        USERS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/users/{id}/lifecycle/expire_password",
        USERS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/users/{id}/lifecycle/expire_password_with_temp_password",
        USERS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/users/{id}/lifecycle/reactivate",
        USERS_MANAGE,
    ),
    op(
        "POST",
        "/api/v1/users/{id}/lifecycle/reset_password",
        USERS_MANAGE,
    ),
    op("POST", "/api/v1/users/{id}/lifecycle/suspend", USERS_MANAGE),
    op("POST", "/api/v1/users/{id}/lifecycle/unlock", USERS_MANAGE),
    op(
        "POST",
        "/api/v1/users/{id}/lifecycle/unsuspend",
        USERS_MANAGE,
    ),
];
