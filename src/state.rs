//! The state that must survive a crash: ids and digests of created and verified objects, never a secret.

mod holder;
mod kept_reads;
mod lease;
mod ledger;
mod lock;
mod store;

use std::collections::BTreeMap;

use aws_sso_glue::{
    AccountId, IdentityStoreId, Instance, InstanceArn, InstanceStatus, PermissionSetArn,
};
use okta_client::{App, Id};
use scim_client::Endpoint;
use serde::{Deserialize, Serialize};
use url::Url;

pub use holder::LockHolder;
pub(crate) use holder::now;
pub(crate) use kept_reads::{FinishedSet, KeptReads, LONG_READ};
pub(crate) use ledger::{Ledger, MadeInApp, OtherLedgers};
pub use lock::StateLock;
pub use store::StateStore;

use crate::{
    blueprint::{EarlierMatches, PrincipalSpec},
    guard::RemovalHistory,
    plan::{Kind, StepId},
    token_age::TokenAge,
};

/// The state of one integration.
///
/// The loss of the state removes no access: the next run reads the facts from the services again, and asks the operator
/// for the facts that no service reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct State {
    /// The format version of this document; see [`State::VERSION`].
    pub version: u32,
    /// The id of the integration. It never changes.
    pub lineage: String,
    /// The number of saves so far.
    pub serial: u64,
    /// The removals of the last days, for the limits of the [`Guard`](crate::Guard).
    #[serde(default)]
    pub removals: RemovalHistory,
    /// The facts.
    pub facts: Facts,
}

/// The facts that the steps created, found or verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Facts {
    /// The Okta app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<Id<App>>,
    /// The identity provider's validated metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp: Option<IdpFact>,
    /// The AWS organization and the caller's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationFact>,
    /// The Identity Center instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceFact>,
    /// The verified URL of the access portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portal: Option<Url>,
    /// The verified identity source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<IdentitySourceFact>,
    /// The verified SCIM endpoint. The state never contains the token; in mode `okta`, only Okta stores it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim: Option<Endpoint>,
    /// The age of the SCIM access token that a run has used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_token: Option<TokenAge>,
    /// The permission sets, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permission_sets: BTreeMap<String, PermissionSetArn>,
    /// The names of permission sets that the blueprint does not name. AWS does not change the name of a set, and tells it only
    /// one set at a time.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set_names: BTreeMap<PermissionSetArn, String>,
    /// The digest of the access that the last sign-in test verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_in: Option<String>,
    /// The users and groups of the assignments of the blueprint, by their id in AWS. Ids of deleted ones are kept, so that drift
    /// can name their assignments.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub principals: BTreeMap<String, PrincipalSpec>,
    /// The digest of the contents of each permission set that the blueprint only uses (`existing = true`), by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub existing_sets: BTreeMap<String, String>,
    /// The accounts that each filter and pattern of the blueprint matched, by selector.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub selections: EarlierMatches,
    /// The saved memory of steps, by step id; see [`Context::remember`](crate::Context::remember).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub memory: BTreeMap<StepId, serde_json::Value>,
}

impl Facts {
    /// Returns the names of all permission sets that the state knows.
    pub(crate) fn names_of_sets(&self) -> BTreeMap<PermissionSetArn, String> {
        let named = self.permission_sets.iter();
        let named = named.map(|(name, arn)| (arn.clone(), name.clone()));
        self.set_names.clone().into_iter().chain(named).collect()
    }

    /// Records the names of permission sets, except those that the state has under their names.
    pub(crate) fn record_names_of_sets<'a>(
        &mut self,
        names: impl Iterator<Item = (&'a PermissionSetArn, &'a str)>,
    ) {
        let others = names.filter(|(arn, name)| self.permission_sets.get(*name) != Some(arn));
        self.set_names = others
            .map(|(arn, name)| (arn.clone(), name.to_owned()))
            .collect();
    }

    /// Returns whether the facts have what a subject of this kind stands for. It is `true` for kinds that are not facts.
    pub(crate) fn knows(&self, kind: Kind) -> bool {
        match kind {
            Kind::App => self.app.is_some(),
            Kind::IdpMetadata => self.idp.is_some(),
            Kind::IdentityCenter => self.instance.is_some(),
            Kind::AccessPortal => self.portal.is_some(),
            Kind::IdentitySource => self.identity_source.is_some(),
            Kind::ScimEndpoint => self.scim.is_some(),
            _ => true,
        }
    }
}

/// The identity provider's validated metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdpFact {
    /// Okta's entity id of the app, such as `http://www.okta.com/exk…`.
    pub entity_id: String,
    /// The id of the signing key.
    pub kid: String,
    /// SHA-256 of `metadata.xml`, in hexadecimal.
    pub sha256: String,
    /// The signing certificate's SHA-256 fingerprint, as consoles show it.
    pub certificate: String,
    /// The SHA-256 fingerprint of the certificate's public key; `None` in states of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The time at which the signing certificate expires.
    pub not_after: jiff::Timestamp,
}

/// The AWS organization and the caller's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrganizationFact {
    /// The organization's id, `o-…`.
    pub id: String,
    /// The management account.
    pub management_account: AccountId,
    /// The account of the credentials in use.
    pub caller: AccountId,
    /// Whether the caller may use only the account instance of its own account: it is neither the management account nor a
    /// delegated administrator of Identity Center.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub account_scoped: bool,
}

/// The Identity Center instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceFact {
    /// The instance's ARN.
    pub arn: InstanceArn,
    /// The instance's identity store, `d-…`.
    pub identity_store: IdentityStoreId,
    /// The account that owns the instance.
    pub owner: AccountId,
    /// The instance's primary Region, the only Region that accepts writes.
    pub region: String,
    /// Whether the instance has permission sets. Without permission sets, the instance cannot assign access to accounts.
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

    /// Returns the instance in the AWS client's type.
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

/// The verified identity source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdentitySourceFact {
    /// The assertion consumer service (ACS) URLs, the default one first.
    pub acs: Vec<Url>,
    /// The issuer: the entity id of Identity Center as a service provider.
    pub issuer: Url,
    /// The identity provider that the operator configured as trusted; `None` if the identity source was already
    /// configured, so that no operator was asked.
    pub trusts: Option<TrustedIdp>,
}

/// The identity provider that AWS trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrustedIdp {
    /// The identity provider's entity id.
    pub entity_id: String,
    /// The SHA-256 fingerprint of the signing certificate.
    pub certificate: String,
    /// The SHA-256 fingerprint of the certificate's public key; `None` in states of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

impl TrustedIdp {
    pub(crate) fn of(idp: &IdpFact) -> Self {
        Self {
            entity_id: idp.entity_id.clone(),
            certificate: idp.certificate.clone(),
            public_key: idp.public_key.clone(),
        }
    }

    /// Returns whether this is the provider with the certificate.
    pub(crate) fn has_certificate_of(&self, idp: &IdpFact) -> bool {
        self.entity_id == idp.entity_id && self.certificate == idp.certificate
    }

    /// Returns whether this is the provider with the key, around which it may have another certificate.
    pub(crate) fn has_key_of(&self, idp: &IdpFact) -> bool {
        self.entity_id == idp.entity_id
            && self.public_key.is_some()
            && self.public_key == idp.public_key
    }
}

impl State {
    /// The format version that this version of the crate reads and writes.
    pub const VERSION: u32 = 2;

    /// Creates the state of a new integration.
    #[must_use]
    pub fn new() -> Self {
        Self {
            version: Self::VERSION,
            lineage: uuid::Uuid::new_v4().to_string(),
            serial: 0,
            removals: RemovalHistory::default(),
            facts: Facts::default(),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
