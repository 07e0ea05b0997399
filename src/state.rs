//! What must survive a crash: ids and digests of what was made and proved, never a secret.

mod store;

use std::collections::BTreeMap;

use aws_sso_glue::{
    AccountId, IdentityStoreId, Instance, InstanceArn, InstanceStatus, PermissionSetArn, RequestId,
};
use okta_client::{App, Id};
use scim_client::Endpoint;
use serde::{Deserialize, Serialize};
use url::Url;

pub use store::StateStore;

/// The state of one integration, as it is saved after every change.
///
/// Losing it loses no access: every step finds again what it can observe, and asks a person again for what it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct State {
    /// The format of this document; see [`State::VERSION`].
    pub version: u32,
    /// Which integration this is the state of; never changes.
    pub lineage: String,
    /// Grows by one with every save.
    pub serial: u64,
    /// What is known.
    pub facts: Facts,
}

/// What the steps have made, found or proved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Facts {
    /// The Okta app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<Id<App>>,
    /// The identity provider's metadata that was validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp: Option<IdpFact>,
    /// The organization and who we are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationFact>,
    /// The Identity Center instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceFact>,
    /// The address of the access portal that was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portal: Option<Url>,
    /// The identity source that was handed over and proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<IdentitySourceFact>,
    /// The SCIM endpoint that was proved. The token is known to Okta alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim: Option<Endpoint>,
    /// The permission sets, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permission_sets: BTreeMap<String, PermissionSetArn>,
    /// Operations of AWS that were started and whose end was not seen yet, by the change they belong to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pending_operations: BTreeMap<String, RequestId>,
    /// A digest of the access that a sign-in test has proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_in: Option<String>,
}

/// The identity provider's metadata that was validated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdpFact {
    /// Okta's entity id for the app, such as `http://www.okta.com/exk…`.
    pub entity_id: String,
    /// The signing key it is about.
    pub kid: String,
    /// SHA-256 of `metadata.xml`, in hex.
    pub sha256: String,
    /// The signing certificate's SHA-256 fingerprint, as consoles show it.
    pub certificate: String,
    /// When that certificate ends.
    pub not_after: jiff::Timestamp,
}

/// The organization and who we are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationFact {
    /// Its id, `o-…`.
    pub id: String,
    /// Its management account.
    pub management_account: AccountId,
    /// The account that our credentials belong to.
    pub caller: AccountId,
}

/// The Identity Center instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceFact {
    /// Its ARN.
    pub arn: InstanceArn,
    /// Its identity store, `d-…`.
    pub identity_store: IdentityStoreId,
    /// The account that owns it.
    pub owner: AccountId,
    /// Its primary Region: the only one that takes writes.
    pub region: String,
    /// Whether it has permission sets; without them it can give access to no account.
    pub permission_sets: bool,
}

impl InstanceFact {
    pub(crate) fn of(instance: &Instance, permission_sets: bool) -> Self {
        Self {
            arn: instance.arn.clone(),
            identity_store: instance.identity_store.clone(),
            owner: instance.owner.clone(),
            region: instance.primary_region.clone(),
            permission_sets,
        }
    }

    /// The instance as the AWS client takes it.
    #[must_use]
    pub fn instance(&self) -> Instance {
        Instance {
            arn: self.arn.clone(),
            identity_store: self.identity_store.clone(),
            owner: self.owner.clone(),
            status: InstanceStatus::Active,
            primary_region: self.region.clone(),
            name: None,
        }
    }
}

/// The identity source that was handed over and proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitySourceFact {
    /// The assertion consumer service URLs, the default one first.
    pub acs: Vec<Url>,
    /// The issuer: the entity id of Identity Center as a service provider.
    pub issuer: Url,
    /// The identity provider that the person has made it trust; absent if the source was found set up.
    pub trusts: Option<TrustedIdp>,
}

/// The identity provider that AWS was made to trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIdp {
    /// Its entity id.
    pub entity_id: String,
    /// Its signing certificate's SHA-256 fingerprint.
    pub certificate: String,
}

impl TrustedIdp {
    pub(crate) fn of(idp: &IdpFact) -> Self {
        Self {
            entity_id: idp.entity_id.clone(),
            certificate: idp.certificate.clone(),
        }
    }
}

impl State {
    /// The format that this version of the crate writes.
    pub const VERSION: u32 = 2;

    /// The state of an integration that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self {
            version: Self::VERSION,
            lineage: uuid::Uuid::new_v4().to_string(),
            serial: 0,
            facts: Facts::default(),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}
