//! Okta's catalog entry "AWS IAM Identity Center": its key, its settings and its provisioning features.

use okta_client::App;

pub(super) use crate::aws_app::CATALOG_NAME;

/// The app's setting for the assertion consumer service (ACS) URL, spelled as in the catalog entry.
pub(super) const ACS_URL: &str = "acsURL";
/// The app's setting for the issuer URL, spelled as in the catalog entry.
pub(super) const ENTITY_ID: &str = "entityID";

/// The values of a new app. Okta refuses blank values in an update of this app, and may do so when it is created; AWS shows
/// the values only after it has Okta's metadata. The domain `invalid` never exists (RFC 6761).
pub(super) const PLACEHOLDERS: [(&str, &str); 2] = [
    (ACS_URL, "https://unset.invalid/acs"),
    (ENTITY_ID, "https://unset.invalid/issuer"),
];

/// The provisioning features of the app that are off in Okta, read from the app's `features`.
pub(super) struct ProvisioningFeatures {
    pub(super) missing: Vec<&'static str>,
}

impl ProvisioningFeatures {
    pub(super) fn of(app: &App) -> Self {
        let on = app.features();
        Self {
            missing: FEATURES
                .iter()
                .filter(|(feature, _)| !on.contains(feature))
                .map(|(_, label)| *label)
                .collect(),
        }
    }

    /// Returns whether Okta has a SCIM endpoint and a token, independent of the other features.
    pub(super) fn integration_on(&self) -> bool {
        !self.missing.contains(&FEATURES[0].1)
    }

    /// Returns whether all features are on.
    pub(super) fn all_on(&self) -> bool {
        self.missing.is_empty()
    }
}

/// The features of an app, each with its label in the Provisioning tab (recorded for Okta org2org apps).
pub(super) const FEATURES: [(&str, &str); 4] = [
    ("GROUP_PUSH", "API integration"),
    ("PUSH_NEW_USERS", "Create Users"),
    ("PUSH_PROFILE_UPDATES", "Update User Attributes"),
    ("PUSH_USER_DEACTIVATION", "Deactivate Users"),
];
