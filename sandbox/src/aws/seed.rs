//! The initial state of an AWS organization, as plain data.

use std::time::Duration;

use url::Url;

use crate::iam_policy::IamPolicy;
use crate::identity_center::{IdentityCenterQuotas, UnknownPolicies};
use crate::operations::OperationDurations;
use crate::scim::ScimOptions;

/// The initial state of an AWS organization.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    /// The id of the management account, which must be one of `accounts`.
    pub(crate) management_account: String,
    /// The accounts of the organization, in the order of `ListAccounts`.
    pub(crate) accounts: Vec<AccountSeed>,
    /// The paths of organizational units without accounts, such as `Workloads/Test`.
    pub(crate) units: Vec<String>,
    /// Whether all features of the organization are enabled; Identity Center requires them.
    pub(crate) all_features: bool,
    /// The access keys that AWS accepts.
    pub(crate) keys: Vec<AccessKey>,
    /// The policy that limits the users of the access keys; `None`: they have all rights.
    pub(crate) caller_policy: Option<IamPolicy>,
    /// The maximum number of items on a page of any list; `None` keeps the limit of the service.
    pub(crate) page_size: Option<usize>,
    /// The duration of an asynchronous operation.
    pub(crate) operation_delay: Duration,
    /// The durations of the operations of Identity Center; `None`: `operation_delay`.
    pub(crate) operation_durations: Option<OperationDurations>,
    /// Whether responses contain `Account.Status`, which AWS retired in September 2026 (Organizations API,
    /// Account).
    pub(crate) account_status: bool,
    /// The Region of the organization, whose partition all ARNs have.
    pub(crate) region: String,
    /// The settings of Identity Center.
    pub(crate) instance: InstanceOptions,
    /// The behavior of the SCIM endpoint.
    pub(crate) scim: ScimOptions,
    /// The base URLs of the listeners.
    pub(crate) base_urls: BaseUrls,
}

/// The settings of an instance of Identity Center.
#[derive(Clone, Debug)]
pub(crate) struct InstanceOptions {
    /// Whether permission sets are turned on.
    pub(crate) permission_sets: bool,
    /// The quotas.
    pub(crate) quotas: IdentityCenterQuotas,
    /// Whether the deletion of an assignment of a deleted user or group ends as `FAILED`.
    pub(crate) orphan_deletion_fails: bool,
    /// The time after which AWS forgets an operation that has ended; `None`: never.
    pub(crate) operation_retention: Option<Duration>,
    /// The time until lists of operations have a new operation.
    pub(crate) operation_list_delay: Duration,
    /// The time at which a managed policy that does not exist is refused.
    pub(crate) unknown_policies: UnknownPolicies,
    /// The account that has an account instance; `None`: the instance belongs to the organization.
    pub(crate) account: Option<String>,
    /// The Regions to which the instance is replicated.
    pub(crate) additional_regions: Vec<String>,
}

impl Default for InstanceOptions {
    fn default() -> Self {
        Self {
            permission_sets: true,
            quotas: IdentityCenterQuotas::AWS,
            orphan_deletion_fails: false,
            operation_retention: None,
            operation_list_delay: Duration::ZERO,
            unknown_policies: UnknownPolicies::default(),
            account: None,
            additional_regions: Vec::new(),
        }
    }
}

/// One AWS account.
#[derive(Clone, Debug)]
pub(crate) struct AccountSeed {
    /// The account id: twelve digits.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// The email address of the root user.
    pub(crate) email: String,
    /// The organizational unit as a path of names, such as `Workloads/Production`; empty for the root.
    pub(crate) unit: String,
    /// The value of `Account.State`, in AWS's spelling: `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `CLOSED`
    /// or `PENDING_ACTIVATION`.
    pub(crate) state: String,
    /// Paths and names of the account's customer managed policies, such as `/ops/BreakGlass`.
    pub(crate) policies: Vec<String>,
    /// The tags of the account in Organizations.
    pub(crate) tags: Vec<(String, String)>,
}

impl AccountSeed {
    /// Returns an active account in an organizational unit, with an email address derived from its name.
    pub(crate) fn new(id: &str, name: &str, unit: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            email: format!("aws+{}@example.com", name.to_lowercase().replace(' ', "-")),
            unit: unit.to_owned(),
            state: "ACTIVE".to_owned(),
            policies: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// An access key of an IAM user.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    /// The id, such as `AKIAIOSFODNN7EXAMPLE`.
    pub(crate) id: String,
    /// The secret, such as `wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`.
    pub(crate) secret: String,
    /// The id of the user's account.
    pub(crate) account: String,
    /// The name of the user.
    pub(crate) user: String,
}

/// The base URLs of the listeners; unset until the listeners are bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct BaseUrls {
    /// The base URL of the SCIM listener.
    pub(crate) scim: Option<Url>,
}

impl Default for Seed {
    /// Returns a seed with one account and one administrator, who has the access key of AWS's own examples.
    fn default() -> Self {
        Self {
            management_account: "111122223333".to_owned(),
            accounts: vec![AccountSeed::new("111122223333", "Management", "")],
            units: Vec::new(),
            all_features: true,
            keys: vec![AccessKey {
                id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
                account: "111122223333".to_owned(),
                user: "integration".to_owned(),
            }],
            caller_policy: None,
            page_size: None,
            operation_delay: Duration::from_secs(10),
            operation_durations: None,
            account_status: true,
            region: "us-east-1".to_owned(),
            instance: InstanceOptions::default(),
            scim: ScimOptions::default(),
            base_urls: BaseUrls::default(),
        }
    }
}
