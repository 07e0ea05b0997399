//! What an AWS organization looks like when the sandbox starts: plain data.

use std::time::Duration;

use url::Url;

/// An AWS organization before anybody has touched it.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    /// The id of the management account; it must be one of `accounts`.
    pub(crate) management_account: String,
    /// The accounts of the organization, in the order in which they are listed.
    pub(crate) accounts: Vec<AccountSeed>,
    /// Paths of organizational units that exist without an account in them, such as `Workloads/Test`.
    pub(crate) units: Vec<String>,
    /// Whether the organization has all features enabled; without them there is no Identity Center.
    pub(crate) all_features: bool,
    /// The access keys that are known to AWS.
    pub(crate) keys: Vec<AccessKey>,
    /// The most items on a page of any list, below the limit of the service; `None` for the service's own.
    pub(crate) page_size: Option<usize>,
    /// How long an asynchronous operation stays in progress.
    pub(crate) operation_delay: Duration,
    /// Whether `Account.Status`, retired by AWS in September 2026 (Organizations API, Account), is still sent.
    pub(crate) account_status: bool,
    /// Whether Identity Center is enabled with permission sets turned on.
    pub(crate) permission_sets: bool,
    /// Where the listeners are.
    pub(crate) base_urls: BaseUrls,
}

/// One AWS account.
#[derive(Clone, Debug)]
pub(crate) struct AccountSeed {
    /// Twelve digits.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// The address of the root user.
    pub(crate) email: String,
    /// The organizational unit as a path of names, such as `Workloads/Production`; empty for the root.
    pub(crate) unit: String,
    /// `Account.State` as AWS writes it: `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `CLOSED`, `PENDING_ACTIVATION`.
    pub(crate) state: String,
    /// The customer managed policies in the account: path and name, such as `/ops/BreakGlass`.
    pub(crate) policies: Vec<String>,
    /// The tags of the account in Organizations.
    pub(crate) tags: Vec<(String, String)>,
}

impl AccountSeed {
    /// An active account in an organizational unit, with an address made from its name.
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
    /// The account of the user.
    pub(crate) account: String,
    /// The name of the user.
    pub(crate) user: String,
}

/// Where the listeners are; known once they are bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct BaseUrls {
    /// The SCIM listener.
    pub(crate) scim: Option<Url>,
}

impl Default for Seed {
    /// One account, one administrator with the access key of AWS's own examples.
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
            page_size: None,
            operation_delay: Duration::from_secs(10),
            account_status: true,
            permission_sets: true,
            base_urls: BaseUrls::default(),
        }
    }
}
