//! The steps of the integration, one file per step.
//!
//! [`default_steps`] returns all steps of a blueprint in order. A caller inserts steps of its own by the id of their
//! neighbor, and leaves steps out:
//!
//! ```no_run
//! # use okta_aws_sso::{Blueprint, Step, steps::{self, ids}};
//! # fn doc(blueprint: &Blueprint, okta: &okta_aws_sso::okta::Client, aws: &okta_aws_sso::aws::Aws, ticket: impl Step + 'static)
//! # -> Result<(), okta_aws_sso::Error> {
//! let steps = steps::default_steps(blueprint, okta, aws)
//!     .insert_before(&ids::PERMISSION_SETS, ticket)?
//!     .without(&ids::SIGN_IN);
//! # Ok(()) }
//! ```
//!
//! Each step also works without the pipeline: it needs its clients and a [`Context`](crate::Context).

pub mod ids;

mod access_drift;
mod access_hazards;
mod access_ids;
mod access_portal;
mod account_assignments;
mod accounts;
mod adoption;
mod app_access;
mod app_lists;
mod arrival;
mod caller;
mod catalog;
mod catalog_app;
mod custom_domain;
mod directory_sync;
mod estate;
mod group_push;
mod identity_center;
mod identity_source;
mod identity_view;
mod idp_metadata;
mod list;
mod lookup;
mod okta_provisioning;
mod organization;
mod owned_access;
mod owned_app;
mod permission_sets;
mod profile_mapping;
mod provisioning_log;
mod renames;
mod retired_sets;
mod saml_settings;
mod scim_endpoint;
mod set_contents;
mod sign_in;
mod sign_on_policy;

use aws_sso_glue::Aws;
use okta_client::Client as Okta;

pub use access_portal::AccessPortal;
pub use account_assignments::AccountAssignments;
pub use app_access::AppAccess;
pub use arrival::Arrival;
pub use catalog_app::CatalogApp;
pub use custom_domain::CustomDomain;
pub use directory_sync::SyncStep;
pub use identity_center::IdentityCenterInstance;
pub use identity_source::IdentitySource;
pub use idp_metadata::IdpMetadata;
pub use list::Steps;
pub use okta_provisioning::OktaProvisioning;
pub use organization::Organization;
pub use permission_sets::PermissionSets;
pub use profile_mapping::ProfileMapping;
pub use retired_sets::RetiredPermissionSets;
pub use saml_settings::SamlSettings;
pub use scim_endpoint::{ScimEndpoint, provide_scim_token};
pub use sign_in::SignInTest;
pub use sign_on_policy::SignOnPolicy;

use crate::blueprint::{Blueprint, ProvisioningMode};

/// Returns all steps that the blueprint needs, in order.
#[must_use]
pub fn default_steps(blueprint: &Blueprint, okta: &Okta, aws: &Aws) -> Steps {
    let mut steps = Steps::new();
    if let Some(domain) = &blueprint.okta.custom_domain {
        steps.push(CustomDomain::new(okta, domain));
    }
    steps.push(CatalogApp::new(okta, aws, blueprint));
    steps.push(IdpMetadata::new(okta));
    steps.push(Organization::new(aws));
    steps.push(IdentityCenterInstance::new(
        aws,
        blueprint.aws.region.as_deref(),
    ));
    steps.push(AccessPortal::new(aws, blueprint.aws.portal_url.as_ref()));
    steps.push(IdentitySource::new(okta, aws));
    steps.push(SamlSettings::new(okta));
    if let Some(policy) = &blueprint.okta.sign_on_policy {
        steps.push(SignOnPolicy::new(okta, policy));
    }
    match blueprint.provisioning.mode {
        ProvisioningMode::Okta => {
            steps.push(ScimEndpoint::new(okta, aws));
            steps.push(OktaProvisioning::new(okta));
            if blueprint.provisioning.display_name {
                steps.push(ProfileMapping::new(okta));
            }
            steps.push(AppAccess::new(okta, aws, blueprint));
        }
        ProvisioningMode::Direct => {
            steps.push(ScimEndpoint::direct(okta, aws));
            steps.push(AppAccess::new(okta, aws, blueprint));
            steps.push(SyncStep::new(okta, aws, blueprint));
        }
    }
    steps.push(Arrival::new(okta, aws, blueprint));
    steps.push(PermissionSets::new(aws, blueprint));
    steps.push(AccountAssignments::new(okta, aws, blueprint));
    if blueprint.may_delete_sets() {
        steps.push(RetiredPermissionSets::new(aws, blueprint));
    }
    if !blueprint.sign_in.skip && !blueprint.access.is_empty() {
        steps.push(SignInTest::new(okta, aws, blueprint));
    }
    steps
}
