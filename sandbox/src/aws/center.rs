//! IAM Identity Center: permission sets, account assignments and provisioned roles.

mod operation;
mod permission_set;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::directory::Directory;
use super::identity_source::{IdentityProvider, Provisioning};
use super::ids::Ids;
use super::organizations::Organization;
use super::sign_in::SignIn;

pub(crate) use operation::{Kind, Operation};
pub(crate) use permission_set::{Boundary, PermissionSet, PolicyReference, Role};

/// The organization instance of IAM Identity Center.
#[derive(Debug)]
pub(crate) struct Center {
    /// The Region in which the instance is enabled.
    pub(crate) region: String,
    /// The ARN of the instance.
    pub(crate) arn: String,
    /// The id of the identity store, such as `d-9067729b3d`.
    pub(crate) identity_store: String,
    /// The name that an administrator gave the instance.
    pub(crate) name: Option<String>,
    /// The time at which the instance was enabled.
    pub(crate) created: Timestamp,
    /// Whether the instance supports permission sets.
    pub(crate) permission_sets_enabled: bool,
    /// The permission sets, oldest first.
    pub(crate) permission_sets: Vec<PermissionSet>,
    /// The account assignments, oldest first.
    pub(crate) assignments: Vec<Assignment>,
    /// The provisioned IAM roles.
    pub(crate) roles: Vec<Role>,
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
    by_request: HashMap<String, usize>,
    last_position: u64,
}

/// The assignment of a permission set to a user or group in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The position in creation order.
    pub(crate) position: u64,
    /// The id of the account.
    pub(crate) account: String,
    /// The ARN of the permission set.
    pub(crate) permission_set: String,
    /// The assigned user or group.
    pub(crate) principal: Principal,
}

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    /// `USER` or `GROUP`.
    pub(crate) kind: &'static str,
    /// The id in the identity store.
    pub(crate) id: String,
}

impl Center {
    /// Returns a newly enabled instance.
    pub(crate) fn new(
        region: &str,
        organization: &str,
        permission_sets_enabled: bool,
        now: Timestamp,
    ) -> Self {
        let mut ids = Ids::default();
        // These leading digits belong to instances in us-east-1 (AWS's own examples use both).
        let instance = format!("ssoins-7223{}", ids.hex("instance", organization, 12));
        let digits = format!("9067{}", ids.hex("identity store", organization, 6));
        let tenant = ids.hex("saml tenant", organization, 40);
        Self {
            region: region.to_owned(),
            arn: format!("arn:aws:sso:::instance/{instance}"),
            identity_store: format!("d-{digits}"),
            name: None,
            created: now,
            permission_sets_enabled,
            permission_sets: Vec::new(),
            assignments: Vec::new(),
            roles: Vec::new(),
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
            by_request: HashMap::new(),
            last_position: 0,
        }
    }

    /// Returns the last part of the ARN: `ssoins-…`.
    pub(crate) fn instance_id(&self) -> &str {
        self.arn
            .rsplit_once('/')
            .map_or(self.arn.as_str(), |(_, id)| id)
    }

    /// Returns the permission set with this ARN.
    pub(crate) fn permission_set(&self, arn: &str) -> Option<&PermissionSet> {
        self.permission_sets.iter().find(|set| set.arn == arn)
    }

    /// Adds a permission set with only a name; the caller sets the other fields.
    pub(crate) fn add_permission_set(&mut self, name: &str, now: Timestamp) -> &mut PermissionSet {
        let id = self.ids.hex("permission set", name, 16);
        let arn = format!("arn:aws:sso:::permissionSet/{}/ps-{id}", self.instance_id());
        let position = self.next_position();
        self.permission_sets
            .push(PermissionSet::new(position, arn, name, now));
        self.permission_sets
            .last_mut()
            .expect("the permission set was just added")
    }

    /// Returns the provisioned role of a permission set in an account.
    pub(crate) fn role(&self, account: &str, permission_set: &str) -> Option<&Role> {
        self.roles
            .iter()
            .find(|role| role.account == account && role.permission_set == permission_set)
    }

    /// Returns whether a principal is assigned to a permission set in an account.
    pub(crate) fn is_assigned(
        &self,
        account: &str,
        permission_set: &str,
        principal: &Principal,
    ) -> bool {
        self.assignments.iter().any(|assignment| {
            assignment.account == account
                && assignment.permission_set == permission_set
                && assignment.principal == *principal
        })
    }

    /// Removes every assignment of a deleted principal, and each role that no other assignment uses.
    pub(crate) fn drop_principal(&mut self, id: &str) {
        let (dropped, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.assignments)
            .into_iter()
            .partition(|assignment| assignment.principal.id == id);
        self.assignments = kept;
        for assignment in dropped {
            self.deprovision_unused(&assignment.account, &assignment.permission_set);
        }
    }

    /// Returns the roles that a user may use, directly or through a group, in active accounts.
    pub(crate) fn roles_of(&self, organization: &Organization, user: &str) -> Vec<&Role> {
        let Some(user) = self.directory.user(user) else {
            return Vec::new();
        };
        let groups: Vec<&str> = self
            .directory
            .groups_of(user)
            .map(|(_, (group, _))| group.id.as_str())
            .collect();
        let mut roles: Vec<&Role> = Vec::new();
        for assignment in &self.assignments {
            let principal = assignment.principal.id.as_str();
            let reaches = principal == user.id || groups.contains(&principal);
            let usable = organization
                .account(&assignment.account)
                .is_some_and(|account| account.state == "ACTIVE");
            if reaches
                && usable
                && let Some(role) = self.role(&assignment.account, &assignment.permission_set)
                && !roles
                    .iter()
                    .any(|known| known.name == role.name && known.account == role.account)
            {
                roles.push(role);
            }
        }
        roles
    }

    fn next_position(&mut self) -> u64 {
        self.last_position += 1;
        self.last_position
    }

    fn deprovision_unused(&mut self, account: &str, permission_set: &str) {
        let used = self.assignments.iter().any(|assignment| {
            assignment.account == account && assignment.permission_set == permission_set
        });
        if !used {
            self.roles
                .retain(|role| role.account != account || role.permission_set != permission_set);
        }
    }
}
