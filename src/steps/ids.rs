//! The ids of the steps, to insert a step of your own beside them or to leave them out; see [`Steps`](super::Steps).

use crate::plan::{Kind, StepId};

/// The id of [`CustomDomain`](super::CustomDomain).
pub const CUSTOM_DOMAIN: StepId = StepId::new("custom-domain");
/// The id of [`CatalogApp`](super::CatalogApp).
pub const CATALOG_APP: StepId = StepId::new("catalog-app");
/// The id of [`IdpMetadata`](super::IdpMetadata).
pub const IDP_METADATA: StepId = StepId::new("idp-metadata");
/// The id of [`Organization`](super::Organization).
pub const ORGANIZATION: StepId = StepId::new("organization");
/// The id of [`IdentityCenterInstance`](super::IdentityCenterInstance).
pub const IDENTITY_CENTER: StepId = StepId::new("identity-center");
/// The id of [`AccessPortal`](super::AccessPortal).
pub const ACCESS_PORTAL: StepId = StepId::new("access-portal");
/// The id of [`IdentitySource`](super::IdentitySource).
pub const IDENTITY_SOURCE: StepId = StepId::new("identity-source");
/// The id of [`SamlSettings`](super::SamlSettings).
pub const SAML_SETTINGS: StepId = StepId::new("saml-settings");
/// The id of [`SignOnPolicy`](super::SignOnPolicy).
pub const SIGN_ON_POLICY: StepId = StepId::new("sign-on-policy");
/// The id of [`ScimEndpoint`](super::ScimEndpoint).
pub const SCIM_ENDPOINT: StepId = StepId::new("scim-endpoint");
/// The id of [`OktaProvisioning`](super::OktaProvisioning).
pub const OKTA_PROVISIONING: StepId = StepId::new("okta-provisioning");
/// The id of [`ProfileMapping`](super::ProfileMapping).
pub const PROFILE_MAPPING: StepId = StepId::new("profile-mapping");
/// The id of [`AppAccess`](super::AppAccess).
pub const APP_ACCESS: StepId = StepId::new("app-access");
/// The id of [`SyncStep`](super::SyncStep).
pub const DIRECTORY_SYNC: StepId = crate::sync::STEP;
/// The id of [`Arrival`](super::Arrival).
pub const ARRIVAL: StepId = StepId::new("arrival");
/// The id of [`PermissionSets`](super::PermissionSets).
pub const PERMISSION_SETS: StepId = StepId::new("permission-sets");
/// The id of [`AccountAssignments`](super::AccountAssignments).
pub const ACCOUNT_ASSIGNMENTS: StepId = StepId::new("account-assignments");
/// The id of [`RetiredPermissionSets`](super::RetiredPermissionSets).
pub const RETIRED_PERMISSION_SETS: StepId = StepId::new("retired-permission-sets");
/// The id of [`SignInTest`](super::SignInTest).
pub const SIGN_IN: StepId = StepId::new("sign-in");

/// Returns the step that provides the one subject of this kind, which the state then knows.
pub(crate) fn provider(kind: Kind) -> Option<StepId> {
    match kind {
        Kind::App => Some(CATALOG_APP),
        Kind::IdpMetadata => Some(IDP_METADATA),
        Kind::IdentityCenter => Some(IDENTITY_CENTER),
        Kind::AccessPortal => Some(ACCESS_PORTAL),
        Kind::IdentitySource => Some(IDENTITY_SOURCE),
        Kind::ScimEndpoint => Some(SCIM_ENDPOINT),
        _ => None,
    }
}
