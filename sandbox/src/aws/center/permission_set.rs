//! A permission set, and the IAM role that it creates in an account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::ids::{digest, hex_of};
use crate::aws::organizations::Organization;
use crate::aws::reply::epoch;

/// A permission set.
#[derive(Clone, Debug)]
pub(crate) struct PermissionSet {
    /// The position in creation order.
    pub(crate) position: u64,
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
    /// The position in creation order.
    pub(crate) position: u64,
    /// The account.
    pub(crate) account: String,
    /// The ARN of the permission set.
    pub(crate) permission_set: String,
    /// The name of the permission set, which the access portal shows as the name of the role.
    pub(crate) permission_set_name: String,
    /// The name in IAM: `AWSReservedSSO_<permission set>_<16 digits>`.
    pub(crate) name: String,
    /// The maximum session duration.
    pub(crate) session_duration: String,
    /// The AWS managed policies.
    pub(crate) managed: Vec<String>,
    /// The version of the permission set at the time of provisioning.
    pub(crate) version: u64,
}

impl PermissionSet {
    pub(super) fn new(position: u64, arn: String, name: &str, now: Timestamp) -> Self {
        Self {
            position,
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

    /// Returns the role that the permission set creates in an account.
    ///
    /// # Errors
    ///
    /// Returns IAM's reason, as AWS writes it to `FailureReason`.
    pub(super) fn role_in(
        &self,
        organization: &Organization,
        account: &str,
    ) -> Result<Role, String> {
        let known = organization
            .account(account)
            .filter(|account| account.state == "ACTIVE");
        let Some(known) = known else {
            // Users of public assignment tools have reported this message for closed accounts.
            return Err(format!(
                "AWS SSO is unable to complete your request at this time. Obtaining permissions to manage your \
                 AWS account '{account}' is taking longer than usual. This is usually temporary. Please try \
                 again in a few minutes. If this problem continues, contact AWS Support."
            ));
        };
        let boundary = match &self.boundary {
            Some(Boundary::Customer(reference)) => Some(reference),
            _ => None,
        };
        for reference in self.customer.iter().chain(boundary) {
            let policy = reference.full_name();
            if !known.policies.contains(&policy) {
                return Err(format!(
                    "Received a 404 status error: Policy arn:aws:iam::{account}:policy{policy} does not exist or \
                     is not attachable. (Service: AmazonIdentityManagement; Status Code: 404; Error Code: NoSuchEntity)"
                ));
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
        let digits = hex_of(&digest(&format!("{account}/{}", self.arn)));
        Ok(Role {
            position: 0,
            account: account.to_owned(),
            permission_set: self.arn.clone(),
            permission_set_name: self.name.clone(),
            name: format!("AWSReservedSSO_{}_{}", self.name, &digits[..16]),
            session_duration: self.session_duration.clone(),
            managed: self.managed.clone(),
            version: self.version,
        })
    }
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

impl Role {
    /// Returns whether the role's policies allow every operation.
    pub(crate) fn administers(&self) -> bool {
        self.managed
            .iter()
            .any(|policy| policy.ends_with("policy/AdministratorAccess"))
    }
}

fn is_policy(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|policy| policy.get("Statement").is_some())
}
