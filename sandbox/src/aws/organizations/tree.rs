//! The organization: its accounts, organizational units and trusted services.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::ids::Ids;
use crate::aws::reply::epoch;
use crate::aws::seed::{AccountSeed, Seed};

/// An AWS organization.
#[derive(Debug)]
pub(crate) struct Organization {
    /// The organization's id, such as `o-a1b2c3d4e5`.
    pub(crate) id: String,
    /// The id of the management account.
    pub(crate) management: String,
    /// Whether all features are enabled.
    pub(crate) all_features: bool,
    /// The id of the only root.
    pub(crate) root: String,
    /// The organizational units; parents come before their children.
    pub(crate) units: Vec<Unit>,
    /// The accounts.
    pub(crate) accounts: Vec<Account>,
    /// The trusted services, with the time at which trusted access was enabled.
    pub(crate) trusted: BTreeMap<String, Timestamp>,
    /// The pairs of delegated administrator account and service, with the time of registration.
    pub(crate) delegated: BTreeMap<(String, String), Timestamp>,
    status_sent: bool,
}

/// An organizational unit.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The unit's id, such as `ou-ab12-11223344`.
    pub(crate) id: String,
    /// The unit's name.
    pub(crate) name: String,
    /// The id of the parent root or unit.
    pub(crate) parent: String,
    path: String,
}

/// An AWS account.
#[derive(Debug)]
pub(crate) struct Account {
    /// The account id: twelve digits.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// The email address of the root user.
    pub(crate) email: String,
    /// The id of the parent root or unit.
    pub(crate) parent: String,
    /// The value of `Account.State`, in AWS's spelling.
    pub(crate) state: String,
    /// Paths and names of the account's customer managed policies.
    pub(crate) policies: Vec<String>,
    /// The account's tags.
    pub(crate) tags: BTreeMap<String, String>,
}

/// The time at which every account of a sandbox joined its organization.
const JOINED: Timestamp = Timestamp::constant(1_704_067_200, 0);

impl Organization {
    /// Returns the organization that a seed describes.
    pub(crate) fn new(seed: &Seed, ids: &mut Ids) -> Self {
        let root = format!("r-{}", ids.hex("root", &seed.management_account, 4));
        let mut organization = Self {
            id: format!(
                "o-{}",
                ids.hex("organization", &seed.management_account, 10)
            ),
            management: seed.management_account.clone(),
            all_features: seed.all_features,
            root,
            units: Vec::new(),
            accounts: Vec::new(),
            trusted: BTreeMap::new(),
            delegated: BTreeMap::new(),
            status_sent: seed.account_status,
        };
        for account in &seed.accounts {
            organization.add(account, ids);
        }
        for path in &seed.units {
            organization.unit_at(path, ids);
        }
        organization
    }

    /// Returns the account with an id.
    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Returns whether a root or organizational unit exists.
    pub(crate) fn has_parent(&self, id: &str) -> bool {
        id == self.root || self.units.iter().any(|unit| unit.id == id)
    }

    /// Returns whether an account is a delegated administrator of a service.
    pub(crate) fn is_delegated(&self, account: &str, service: &str) -> bool {
        self.delegated
            .contains_key(&(account.to_owned(), service.to_owned()))
    }

    /// Returns whether an account is a delegated administrator of any service, which allows reading the
    /// organization.
    pub(crate) fn is_delegated_for_any(&self, account: &str) -> bool {
        self.delegated
            .keys()
            .any(|(delegate, _)| delegate == account)
    }

    /// Returns the organization in the format of `DescribeOrganization`.
    pub(crate) fn to_json(&self) -> Value {
        let management = &self.management;
        json!({
            "Id": self.id,
            "Arn": format!("arn:aws:organizations::{management}:organization/{}", self.id),
            "FeatureSet": if self.all_features { "ALL" } else { "CONSOLIDATED_BILLING" },
            "MasterAccountArn": self.account_arn(management),
            "MasterAccountId": management,
            "MasterAccountEmail": self.account(management).map(|account| &account.email),
            "AvailablePolicyTypes": [],
        })
    }

    /// Returns an account in the format of `DescribeAccount`.
    ///
    /// `Status` has no values for states that AWS added later (API reference, Account).
    pub(crate) fn account_json(&self, account: &Account) -> Value {
        let mut json = json!({
            "Id": account.id,
            "Arn": self.account_arn(&account.id),
            "Email": account.email,
            "Name": account.name,
            "State": account.state,
            "Paths": [format!("{}{}/", self.path(&account.parent), account.id)],
            "JoinedMethod": if account.id == self.management { "INVITED" } else { "CREATED" },
            "JoinedTimestamp": epoch(JOINED),
        });
        let status = match account.state.as_str() {
            "ACTIVE" | "SUSPENDED" | "PENDING_CLOSURE" => account.state.as_str(),
            "CLOSED" => "SUSPENDED",
            _ => "ACTIVE",
        };
        if self.status_sent {
            json["Status"] = status.into();
        }
        json
    }

    /// Returns an organizational unit in the format of lists.
    pub(crate) fn unit_json(&self, unit: &Unit) -> Value {
        json!({
            "Id": unit.id,
            "Arn": format!("arn:aws:organizations::{}:ou/{}/{}", self.management, self.id, unit.id),
            "Name": unit.name,
            "Path": self.path(&unit.id),
        })
    }

    fn account_arn(&self, account: &str) -> String {
        format!(
            "arn:aws:organizations::{}:account/{}/{account}",
            self.management, self.id
        )
    }

    /// Returns the path of a root or unit: `o-…/r-…/ou-…/`.
    fn path(&self, id: &str) -> String {
        let mut ids = Vec::new();
        let mut next = id;
        while let Some(unit) = self.units.iter().find(|unit| unit.id == next) {
            ids.push(unit.id.as_str());
            next = &unit.parent;
        }
        ids.push(&self.root);
        ids.push(&self.id);
        ids.reverse();
        format!("{}/", ids.join("/"))
    }

    fn add(&mut self, seed: &AccountSeed, ids: &mut Ids) {
        let parent = self.unit_at(&seed.unit, ids);
        self.accounts.push(Account {
            id: seed.id.clone(),
            name: seed.name.clone(),
            email: seed.email.clone(),
            parent,
            state: seed.state.clone(),
            policies: seed.policies.clone(),
            tags: seed.tags.iter().cloned().collect(),
        });
    }

    /// Returns the id of the unit at a path of names; creates the missing units.
    fn unit_at(&mut self, path: &str, ids: &mut Ids) -> String {
        let mut parent = self.root.clone();
        let mut walked = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            walked = format!("{walked}/{name}");
            if let Some(unit) = self.units.iter().find(|unit| unit.path == walked) {
                parent.clone_from(&unit.id);
                continue;
            }
            let id = format!("ou-{}-{}", &self.root[2..], ids.hex("unit", &walked, 8));
            self.units.push(Unit {
                id: id.clone(),
                name: name.to_owned(),
                parent,
                path: walked.clone(),
            });
            parent = id;
        }
        parent
    }
}
