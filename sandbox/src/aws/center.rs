//! IAM Identity Center: permission sets, account assignments and provisioned roles.

mod access;
mod operation;
mod permission_set;
mod sets;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

use super::directory::{Directory, User};
use super::identity_source::{IdentityProvider, Provisioning};
use super::ids::Ids;
use super::organizations::{AccountIx, Organization};
use super::partition::Partition;
use super::seed::InstanceOptions;
use super::sign_in::SignIn;

pub(crate) use access::{Access, Assignment, Principal, PrincipalIx, Provisioned};
pub(crate) use operation::{Kind, NewOperation, Operation, Status};
pub(crate) use permission_set::{Boundary, MAX_POLICIES, PermissionSet, PolicyReference, Role};
pub(crate) use sets::{PermissionSets, SetIx};

/// The instance of IAM Identity Center.
#[derive(Debug)]
pub(crate) struct Center {
    /// The Region in which the instance is enabled.
    pub(crate) region: String,
    /// The ARN of the instance.
    pub(crate) arn: String,
    /// The id of the identity store, such as `d-9067729b3d`.
    pub(crate) identity_store: String,
    /// The account that the instance belongs to: the management account, or the account of an account instance.
    pub(crate) owner: String,
    /// The settings of the sandbox for the instance.
    pub(crate) options: InstanceOptions,
    /// The network configuration of the instance, as sent by the administrator.
    pub(crate) network: Option<Value>,
    /// The network configuration of the identity store, as sent by the administrator.
    pub(crate) store_network: Option<Value>,
    /// The name that an administrator gave the instance.
    pub(crate) name: Option<String>,
    /// The time at which the instance was enabled.
    pub(crate) created: Timestamp,
    /// Whether the instance supports permission sets.
    pub(crate) permission_sets_enabled: bool,
    /// The permission sets.
    pub(crate) sets: PermissionSets,
    /// The account assignments and the provisioned roles.
    pub(crate) access: Access,
    /// The attributes for access control, as sent by the administrator.
    pub(crate) attributes: Option<Value>,
    /// The tags of the instance.
    pub(crate) tags: BTreeMap<String, String>,
    /// The users and groups.
    pub(crate) directory: Directory,
    /// The alias in the URL of the access portal.
    pub(crate) portal_alias: Option<String>,
    /// The unguessable part of the URL for SAML responses.
    pub(crate) saml_tenant: String,
    /// The external identity provider; `None` while users sign in at Identity Center.
    pub(crate) identity_provider: Option<IdentityProvider>,
    /// The SCIM endpoint; `None` until automatic provisioning is enabled.
    pub(crate) provisioning: Option<Provisioning>,
    /// Pending sign-ins, sessions and tokens.
    pub(crate) sign_in: SignIn,
    ids: Ids,
    operations: Vec<Operation>,
    outstanding: Vec<usize>,
    /// The operations that have ended and are not forgotten, in the order in which they ended.
    ended: VecDeque<usize>,
    by_request: HashMap<String, usize>,
}

impl Center {
    /// Returns a newly enabled instance.
    pub(crate) fn new(
        region: &str,
        organization: &Organization,
        options: InstanceOptions,
        now: Timestamp,
    ) -> Self {
        let mut ids = Ids::default();
        let seed = &organization.id;
        // These leading digits belong to instances in us-east-1 (AWS's own examples use both).
        let instance = format!("ssoins-7223{}", ids.hex("instance", seed, 12));
        let digits = format!("9067{}", ids.hex("identity store", seed, 6));
        let tenant = ids.hex("saml tenant", seed, 40);
        let partition = Partition::of_region(region).name();
        Self {
            region: region.to_owned(),
            arn: format!("arn:{partition}:sso:::instance/{instance}"),
            identity_store: format!("d-{digits}"),
            owner: options
                .account
                .clone()
                .unwrap_or_else(|| organization.management.clone()),
            name: None,
            created: now,
            permission_sets_enabled: options.permission_sets && options.account.is_none(),
            options,
            network: None,
            store_network: None,
            sets: PermissionSets::default(),
            access: Access::default(),
            attributes: None,
            tags: BTreeMap::new(),
            directory: Directory::new(&digits),
            portal_alias: None,
            saml_tenant: format!(
                "{}-{}-{}-{}-{}",
                &tenant[..16],
                &tenant[16..20],
                &tenant[20..24],
                &tenant[24..28],
                &tenant[28..40]
            ),
            identity_provider: None,
            provisioning: None,
            sign_in: SignIn::default(),
            ids,
            operations: Vec::new(),
            outstanding: Vec::new(),
            ended: VecDeque::new(),
            by_request: HashMap::new(),
        }
    }

    /// Returns the partition of the instance's Region.
    pub(crate) fn partition(&self) -> Partition {
        Partition::of_region(&self.region)
    }

    /// Returns whether the instance belongs to one account, and not to the organization.
    pub(crate) fn is_account_instance(&self) -> bool {
        self.options.account.is_some()
    }

    /// Returns whether the instance answers in a Region: in its own one, or in an additional one.
    pub(crate) fn answers_in(&self, region: &str) -> bool {
        self.regions().any(|known| known == region)
    }

    /// Returns the instance's Regions, the primary one first.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.region.as_str())
            .chain(self.options.additional_regions.iter().map(String::as_str))
    }

    /// Returns the last part of the ARN: `ssoins-…`.
    pub(crate) fn instance_id(&self) -> &str {
        self.arn
            .rsplit_once('/')
            .map_or(self.arn.as_str(), |(_, id)| id)
    }

    /// Returns the ARN of the identity store.
    pub(crate) fn identity_store_arn(&self) -> String {
        format!(
            "arn:{}:identitystore::{}:identitystore/{}",
            self.partition().name(),
            self.owner,
            self.identity_store
        )
    }

    /// Returns the ARN of a user, group or membership of the identity store, such as `group/…`.
    pub(crate) fn resource_arn(&self, kind: &str, id: &str) -> String {
        format!(
            "arn:{}:identitystore:::{kind}/{id}",
            self.partition().name()
        )
    }

    /// Adds a permission set with only a name; the caller sets the other fields.
    pub(crate) fn add_permission_set(&mut self, name: &str, now: Timestamp) -> SetIx {
        let id = self.ids.hex("permission set", name, 16);
        let arn = format!(
            "arn:{}:sso:::permissionSet/{}/ps-{id}",
            self.partition().name(),
            self.instance_id()
        );
        self.sets.add(PermissionSet::new(arn, name, now))
    }

    /// Returns the role of a permission set in an account.
    pub(crate) fn role(
        &self,
        organization: &Organization,
        account: AccountIx,
        set: SetIx,
    ) -> Option<Role> {
        let provisioned = self.access.role(set, account)?;
        Some(
            self.sets
                .at(set)
                .role(organization.account_at(account), provisioned.version),
        )
    }

    /// Returns the roles that a user may use, directly or through a group, in active accounts.
    pub(crate) fn roles_of(
        &self,
        organization: &Organization,
        user: &str,
    ) -> BTreeSet<(AccountIx, SetIx)> {
        let Some(user) = self.directory.user(user) else {
            return BTreeSet::new();
        };
        self.principals_of(user)
            .into_iter()
            .flat_map(|principal| self.access.of_principal(principal, 0))
            .map(|(_, row)| (row.account, row.set))
            .filter(|(account, _)| organization.account_at(*account).state == "ACTIVE")
            .collect()
    }

    /// Returns the user and the user's groups, as far as they have or had assignments.
    pub(crate) fn principals_of(&self, user: &User) -> Vec<PrincipalIx> {
        let groups = self
            .directory
            .groups_of(user)
            .map(|(_, (group, _))| ("GROUP", group.id.as_str()));
        std::iter::once(("USER", user.id.as_str()))
            .chain(groups)
            .filter_map(|(kind, id)| {
                let id = id.into();
                self.access.principal_ix(&Principal { kind, id })
            })
            .collect()
    }
}
