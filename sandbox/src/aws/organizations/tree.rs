//! The organization: its accounts, organizational units and trusted services.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::accounts::Changes;
use crate::aws::ids::Ids;
use crate::aws::partition::Partition;
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
    /// The partition of the organization, which is the second part of every ARN.
    pub(crate) partition: Partition,
    units: Vec<Unit>,
    unit_indexes: HashMap<String, UnitIx>,
    unit_paths: HashMap<String, UnitIx>,
    child_units: BTreeSet<(Parent, UnitIx)>,
    accounts: Vec<Account>,
    account_indexes: HashMap<String, AccountIx>,
    child_accounts: BTreeSet<(Parent, AccountIx)>,
    /// The trusted services, with the time at which trusted access was enabled.
    pub(crate) trusted: BTreeMap<String, Timestamp>,
    /// The pairs of delegated administrator account and service, with the time of registration.
    pub(crate) delegated: BTreeMap<(String, String), Timestamp>,
    /// The creations and closures of accounts.
    pub(super) changes: Changes,
    status_sent: bool,
}

/// The index of an account, which is its position in `ListAccounts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountIx(pub(crate) u32);

/// The index of an organizational unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnitIx(pub(crate) u32);

/// The root (`None`) or an organizational unit.
pub(crate) type Parent = Option<UnitIx>;

/// An organizational unit.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The unit's id, such as `ou-ab12-11223344`.
    pub(crate) id: String,
    /// The unit's name.
    pub(crate) name: String,
    /// The parent.
    pub(crate) parent: Parent,
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
    /// The parent.
    pub(crate) parent: Parent,
    /// The value of `Account.State`, in AWS's spelling.
    pub(crate) state: String,
    /// Paths and names of the account's customer managed policies.
    pub(crate) policies: Vec<String>,
    /// The account's tags.
    pub(crate) tags: BTreeMap<String, String>,
    /// The time at which the account joined the organization.
    pub(crate) joined: Timestamp,
}

/// The time at which the first accounts of a sandbox joined its organization.
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
            partition: Partition::of_region(&seed.region),
            units: Vec::new(),
            unit_indexes: HashMap::new(),
            unit_paths: HashMap::new(),
            child_units: BTreeSet::new(),
            accounts: Vec::new(),
            account_indexes: HashMap::new(),
            child_accounts: BTreeSet::new(),
            trusted: BTreeMap::new(),
            delegated: BTreeMap::new(),
            changes: Changes::default(),
            status_sent: seed.account_status,
        };
        for account in &seed.accounts {
            let parent = organization.unit_at(&account.unit, ids);
            organization.add(account, parent, JOINED);
        }
        for path in &seed.units {
            organization.unit_at(path, ids);
        }
        organization
    }

    /// Returns the account with an id.
    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.account_ix(id).map(|ix| self.account_at(ix))
    }

    /// Returns the index of the account with an id.
    pub(crate) fn account_ix(&self, id: &str) -> Option<AccountIx> {
        self.account_indexes.get(id).copied()
    }

    /// Returns the account with an index.
    pub(crate) fn account_at(&self, ix: AccountIx) -> &Account {
        &self.accounts[ix.0 as usize]
    }

    /// Returns the account with an index for changes; use [`move_to`](Self::move_to) to change the parent.
    pub(crate) fn account_at_mut(&mut self, ix: AccountIx) -> &mut Account {
        &mut self.accounts[ix.0 as usize]
    }

    /// Returns all accounts from an index on.
    pub(crate) fn accounts(&self, from: AccountIx) -> impl Iterator<Item = (AccountIx, &Account)> {
        let rest = self.accounts.get(from.0 as usize..).unwrap_or_default();
        (from.0..).map(AccountIx).zip(rest)
    }

    /// Returns the accounts directly below a parent, from an index on.
    pub(crate) fn accounts_of(
        &self,
        parent: Parent,
        from: AccountIx,
    ) -> impl Iterator<Item = (AccountIx, &Account)> {
        self.child_accounts
            .range((parent, from)..=(parent, AccountIx(u32::MAX)))
            .map(|(_, ix)| (*ix, self.account_at(*ix)))
    }

    /// Returns the organizational units directly below a parent, from an index on.
    pub(crate) fn units_of(
        &self,
        parent: Parent,
        from: UnitIx,
    ) -> impl Iterator<Item = (UnitIx, &Unit)> {
        self.child_units
            .range((parent, from)..=(parent, UnitIx(u32::MAX)))
            .map(|(_, ix)| (*ix, self.unit_at_ix(*ix)))
    }

    /// Returns the organizational unit with an id.
    pub(crate) fn unit(&self, id: &str) -> Option<&Unit> {
        self.unit_indexes.get(id).map(|ix| self.unit_at_ix(*ix))
    }

    /// Returns the root or the organizational unit with an id.
    pub(crate) fn parent(&self, id: &str) -> Option<Parent> {
        if id == self.root {
            return Some(None);
        }
        self.unit_indexes.get(id).map(|ix| Some(*ix))
    }

    /// Returns the id of the root or of an organizational unit.
    pub(crate) fn parent_id(&self, parent: Parent) -> &str {
        parent.map_or(&self.root, |ix| &self.unit_at_ix(ix).id)
    }

    /// Moves an account to another parent.
    pub(crate) fn move_to(&mut self, account: AccountIx, parent: Parent) {
        let old = std::mem::replace(&mut self.account_at_mut(account).parent, parent);
        self.child_accounts.remove(&(old, account));
        self.child_accounts.insert((parent, account));
    }

    /// Returns the organization's ARN of a resource, such as `account/o-…/111122223333`.
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!(
            "arn:{}:organizations::{}:{resource}",
            self.partition.name(),
            self.management
        )
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
            "Arn": self.arn(&format!("organization/{}", self.id)),
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
            "Paths": [format!("{}{}/", self.path(account.parent), account.id)],
            "JoinedMethod": if account.id == self.management { "INVITED" } else { "CREATED" },
            "JoinedTimestamp": epoch(account.joined),
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
            "Arn": self.arn(&format!("ou/{}/{}", self.id, unit.id)),
            "Name": unit.name,
            "Path": self.path(self.unit_indexes.get(&unit.id).copied()),
        })
    }

    /// Returns the ARN of the account, organizational unit or root with an id, whether it exists or not.
    pub(crate) fn node_arn(&self, id: &str) -> String {
        let kind = match id {
            _ if id.starts_with("r-") => "root",
            _ if id.starts_with("ou-") => "ou",
            _ => "account",
        };
        self.arn(&format!("{kind}/{}/{id}", self.id))
    }

    fn account_arn(&self, account: &str) -> String {
        self.arn(&format!("account/{}/{account}", self.id))
    }

    /// Returns the path of a root or unit: `o-…/r-…/ou-…/`.
    fn path(&self, parent: Parent) -> String {
        let Some(ix) = parent else {
            return format!("{}/{}/", self.id, self.root);
        };
        let unit = self.unit_at_ix(ix);
        format!("{}{}/", self.path(unit.parent), unit.id)
    }

    fn unit_at_ix(&self, ix: UnitIx) -> &Unit {
        &self.units[ix.0 as usize]
    }

    /// Adds an account below a parent.
    pub(crate) fn add(&mut self, seed: &AccountSeed, parent: Parent, joined: Timestamp) {
        let ix = AccountIx(u32::try_from(self.accounts.len()).expect("fewer than 2^32 accounts"));
        self.account_indexes.insert(seed.id.clone(), ix);
        self.child_accounts.insert((parent, ix));
        self.accounts.push(Account {
            id: seed.id.clone(),
            name: seed.name.clone(),
            email: seed.email.clone(),
            parent,
            state: seed.state.clone(),
            policies: seed.policies.clone(),
            tags: seed.tags.iter().cloned().collect(),
            joined,
        });
    }

    /// Returns the unit at a path of names; creates the missing units.
    fn unit_at(&mut self, path: &str, ids: &mut Ids) -> Parent {
        let mut parent = None;
        let mut walked = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            walked = format!("{walked}/{name}");
            if let Some(ix) = self.unit_paths.get(&walked) {
                parent = Some(*ix);
                continue;
            }
            let ix = UnitIx(u32::try_from(self.units.len()).expect("fewer than 2^32 units"));
            let id = format!("ou-{}-{}", &self.root[2..], ids.hex("unit", &walked, 8));
            self.unit_indexes.insert(id.clone(), ix);
            self.unit_paths.insert(walked.clone(), ix);
            self.child_units.insert((parent, ix));
            self.units.push(Unit {
                id,
                name: name.to_owned(),
                parent,
            });
            parent = Some(ix);
        }
        parent
    }
}
