//! A permission set, and the IAM role that it creates in an account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::ids::{digest, hex_of};
use crate::aws::managed_policies;
use crate::aws::organizations::Account;
use crate::aws::reply::epoch;
use crate::operations::OperationFault;

/// "AWS managed and customer managed policies per permission set: 20" (Identity Center quotas).
pub(crate) const MAX_POLICIES: usize = 20;

/// A permission set.
#[derive(Clone, Debug)]
pub(crate) struct PermissionSet {
    /// The ARN.
    pub(crate) arn: String,
    /// The name, which is unique and never changes.
    pub(crate) name: String,
    /// The description.
    pub(crate) description: Option<String>,
    /// The session duration in ISO 8601 format.
    pub(crate) session_duration: String,
    /// The URL at which a console session starts.
    pub(crate) relay_state: Option<String>,
    /// The creation time.
    pub(crate) created: Timestamp,
    /// The ARNs of AWS managed policies.
    pub(crate) managed: Vec<String>,
    /// The customer managed policies.
    pub(crate) customer: Vec<PolicyReference>,
    /// The inline policy.
    pub(crate) inline: Option<String>,
    /// The permissions boundary.
    pub(crate) boundary: Option<Boundary>,
    /// The tags.
    pub(crate) tags: BTreeMap<String, String>,
    /// The version number, which increases with every change that has to be provisioned to accounts.
    pub(crate) version: u64,
    /// The contents of roles, by the version at the time of their provisioning.
    provisioned: BTreeMap<u64, RoleParts>,
}

/// The parts of a permission set that the sandbox reads from a role.
#[derive(Clone, Debug)]
struct RoleParts {
    session_duration: String,
    managed: Vec<String>,
    customer: Vec<String>,
    has_inline: bool,
}

/// A customer managed policy, which has to exist in each account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyReference {
    /// The name.
    pub(crate) name: String,
    /// The path, with a slash at both ends.
    pub(crate) path: String,
}

/// The policy used as the permissions boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// An AWS managed policy, by its ARN.
    Managed(String),
    /// A customer managed policy, which has to exist in each account.
    Customer(PolicyReference),
}

/// The IAM role that a permission set creates in an account.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// The account.
    pub(crate) account: String,
    /// The name in IAM: `AWSReservedSSO_<permission set>_<16 digits>`.
    pub(crate) name: String,
    /// The maximum session duration.
    pub(crate) session_duration: String,
    /// Whether the role's policies allow every operation.
    pub(crate) administers: bool,
}

impl PermissionSet {
    pub(super) fn new(arn: String, name: &str, now: Timestamp) -> Self {
        Self {
            arn,
            name: name.to_owned(),
            description: None,
            session_duration: "PT1H".to_owned(),
            relay_state: None,
            created: now,
            managed: Vec::new(),
            customer: Vec::new(),
            inline: None,
            boundary: None,
            tags: BTreeMap::new(),
            version: 1,
            provisioned: BTreeMap::new(),
        }
    }

    /// Returns the permission set in the format of `DescribePermissionSet`.
    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({
            "Name": self.name,
            "PermissionSetArn": self.arn,
            "CreatedDate": epoch(self.created),
            "SessionDuration": self.session_duration,
        });
        if let Some(description) = &self.description {
            json["Description"] = description.as_str().into();
        }
        if let Some(state) = &self.relay_state {
            json["RelayState"] = state.as_str().into();
        }
        json
    }

    /// Returns the role that the permission set created in an account with this version.
    pub(super) fn role(&self, account: &Account, version: u64) -> Role {
        let parts = &self.provisioned[&version];
        let administers = |policy: &String| policy.ends_with("policy/AdministratorAccess");
        Role {
            account: account.id.clone(),
            name: self.role_name(account),
            session_duration: parts.session_duration.clone(),
            administers: parts.managed.iter().any(administers),
        }
    }

    /// Returns the name of the role that the permission set creates in an account.
    pub(super) fn role_name(&self, account: &Account) -> String {
        let digits = hex_of(&digest(&format!("{}/{}", account.id, self.arn)));
        format!("AWSReservedSSO_{}_{}", self.name, &digits[..16])
    }

    /// Returns the policies that are attached to the role of this version: ARNs of managed policies, and paths and names of
    /// customer managed ones.
    pub(crate) fn role_policies(&self, version: u64) -> impl Iterator<Item = &String> {
        let parts = &self.provisioned[&version];
        parts.managed.iter().chain(&parts.customer)
    }

    /// Returns the IAM actions that create the role, or update it from this version.
    pub(super) fn role_actions(&self, version: Option<u64>) -> Vec<&'static str> {
        let old = version.map(|version| &self.provisioned[&version]);
        let mut actions = READ_ROLE.to_vec();
        match old {
            None => actions.push("iam:CreateRole"),
            Some(_) => actions.extend(["iam:UpdateRole", "iam:UpdateRoleDescription"]),
        }
        if !self.managed.is_empty() || !self.customer.is_empty() {
            actions.push("iam:AttachRolePolicy");
        }
        if old.is_some_and(|old| {
            old.managed
                .iter()
                .any(|policy| !self.managed.contains(policy))
        }) {
            actions.push("iam:DetachRolePolicy");
        }
        if self.inline.is_some() {
            actions.push("iam:PutRolePolicy");
        } else if old.is_some_and(|old| old.has_inline) {
            actions.push("iam:DeleteRolePolicy");
        }
        actions
    }

    /// Returns the IAM actions that delete the role with this version.
    pub(super) fn role_deletion_actions(&self, version: u64) -> Vec<&'static str> {
        let old = &self.provisioned[&version];
        let mut actions = READ_ROLE.to_vec();
        if !old.managed.is_empty() {
            actions.push("iam:DetachRolePolicy");
        }
        if old.has_inline {
            actions.push("iam:DeleteRolePolicy");
        }
        actions.push("iam:DeleteRole");
        actions
    }

    /// Records what a role contains that is provisioned now; returns the version.
    pub(crate) fn record_provisioning(&mut self) -> u64 {
        let (version, session_duration, managed) =
            (self.version, &self.session_duration, &self.managed);
        let has_inline = self.inline.is_some();
        let customer = self.customer.iter().map(PolicyReference::full_name);
        let customer: Vec<String> = customer.collect();
        self.provisioned
            .entry(version)
            .or_insert_with(|| RoleParts {
                session_duration: session_duration.clone(),
                managed: managed.clone(),
                customer,
                has_inline,
            });
        version
    }

    /// Checks whether IAM can create or update the role in an account.
    ///
    /// # Errors
    ///
    /// Returns IAM's reason, as AWS writes it to `FailureReason`.
    pub(super) fn check_role_in(&self, account: &Account) -> Result<(), String> {
        check_access(account)?;
        let partition = self.arn.split(':').nth(1).unwrap_or_default();
        let (boundary, managed_boundary) = match &self.boundary {
            Some(Boundary::Customer(reference)) => (Some(reference), None),
            Some(Boundary::Managed(policy)) => (None, Some(policy)),
            None => (None, None),
        };
        for policy in self.managed.iter().chain(managed_boundary) {
            if !managed_policies::exists(policy, partition) {
                return Err(no_policy(policy));
            }
            if managed_policies::is_service_linked(policy) {
                return Err(
                    "Received a 400 status error: Cannot attach a Service Role Policy to a Customer Role. (Service: \
                     AmazonIdentityManagement; Status Code: 400; Error Code: PolicyNotAttachable)"
                        .to_owned(),
                );
            }
        }
        for reference in self.customer.iter().chain(boundary) {
            let policy = reference.full_name();
            if !account.policies.contains(&policy) {
                let id = &account.id;
                return Err(no_policy(&format!(
                    "arn:{partition}:iam::{id}:policy{policy}"
                )));
            }
        }
        if self
            .inline
            .as_deref()
            .is_some_and(|policy| !is_policy(policy))
        {
            return Err(
                "Received a 400 status error: Syntax errors in policy. (Service: AmazonIdentityManagement; \
                 Status Code: 400; Error Code: MalformedPolicyDocument)"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// The IAM actions that every change of a role needs.
const READ_ROLE: [&str; 3] = [
    "iam:GetRole",
    "iam:ListRolePolicies",
    "iam:ListAttachedRolePolicies",
];

/// Checks whether Identity Center can access an account.
///
/// # Errors
///
/// Returns AWS's reason if the account is not active.
pub(super) fn check_access(account: &Account) -> Result<(), String> {
    if account.state == "ACTIVE" {
        return Ok(());
    }
    Err(OperationFault::TAKING_LONGER.replace("{account}", &account.id))
}

impl PolicyReference {
    /// Returns the reference in the format of the API.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "Name": self.name, "Path": self.path })
    }

    fn full_name(&self) -> String {
        format!("{}{}", self.path, self.name)
    }
}

impl Boundary {
    /// Returns the boundary in the format of the API.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Managed(arn) => json!({ "ManagedPolicyArn": arn }),
            Self::Customer(reference) => {
                json!({ "CustomerManagedPolicyReference": reference.to_json() })
            }
        }
    }
}

fn no_policy(arn: &str) -> String {
    format!(
        "Received a 404 status error: Policy {arn} does not exist or is not attachable. (Service: \
         AmazonIdentityManagement; Status Code: 404; Error Code: NoSuchEntity)"
    )
}

fn is_policy(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|policy| policy.get("Statement").is_some())
}
