//! The organization: accounts in organizational units, and which services it trusts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::ids::Ids;
use crate::aws::reply::epoch;
use crate::aws::seed::{AccountSeed, Seed};

/// An AWS organization.
#[derive(Debug)]
pub(crate) struct Organization {
    /// Its id, such as `o-a1b2c3d4e5`.
    pub(crate) id: String,
    /// The id of its management account.
    pub(crate) management: String,
    /// Whether all features are enabled.
    pub(crate) all_features: bool,
    /// The id of its only root.
    pub(crate) root: String,
    /// Its organizational units; parents come before their children.
    pub(crate) units: Vec<Unit>,
    /// Its accounts.
    pub(crate) accounts: Vec<Account>,
    /// The services it trusts, and since when.
    pub(crate) trusted: BTreeMap<String, Timestamp>,
    /// Which account administers which service, and since when.
    pub(crate) delegated: BTreeMap<(String, String), Timestamp>,
    status_sent: bool,
}

/// An organizational unit.
#[derive(Debug)]
pub(crate) struct Unit {
    /// Its id, such as `ou-ab12-11223344`.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The id of the root or unit that it is in.
    pub(crate) parent: String,
    path: String,
}

/// An AWS account.
#[derive(Debug)]
pub(crate) struct Account {
    /// Twelve digits.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// The address of the root user.
    pub(crate) email: String,
    /// The id of the root or unit that it is in.
    pub(crate) parent: String,
    /// `Account.State` as AWS writes it.
    pub(crate) state: String,
    /// Path and name of the customer managed policies in it.
    pub(crate) policies: Vec<String>,
    /// Its tags.
    pub(crate) tags: BTreeMap<String, String>,
}

/// When every account of a sandbox joined its organization.
const JOINED: Timestamp = Timestamp::constant(1_704_067_200, 0);

impl Organization {
    /// The organization that a seed describes.
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

    /// The account with an id.
    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Whether a root or organizational unit exists.
    pub(crate) fn has_parent(&self, id: &str) -> bool {
        id == self.root || self.units.iter().any(|unit| unit.id == id)
    }

    /// Whether an account administers a service for the organization.
    pub(crate) fn is_delegated(&self, account: &str, service: &str) -> bool {
        self.delegated
            .contains_key(&(account.to_owned(), service.to_owned()))
    }

    /// Whether an account administers any service, which lets it read the organization.
    pub(crate) fn is_delegated_for_any(&self, account: &str) -> bool {
        self.delegated
            .keys()
            .any(|(delegate, _)| delegate == account)
    }

    /// The organization as `DescribeOrganization` shows it.
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

    /// An account as `DescribeAccount` shows it.
    ///
    /// `Status` does not know the states that came later (API reference, Account).
    pub(crate) fn account_json(&self, account: &Account) -> Value {
        let mut shown = json!({
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
            shown["Status"] = status.into();
        }
        shown
    }

    /// An organizational unit as lists show it.
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

    /// The path of a root or unit: `o-…/r-…/ou-…/`.
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

    /// The id of the unit at a path of names, which is created if it is not there.
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
