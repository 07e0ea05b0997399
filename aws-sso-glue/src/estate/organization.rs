//! The accounts and organizational units of an organization.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Account, AccountId, Aws, Error, OrganizationalUnit, UnitId};

/// The accounts of an organization, and its organizational units if they were read.
///
/// ```
/// use aws_sso_glue::{Account, OrganizationalUnit, estate::Organization};
///
/// # fn main() -> Result<(), aws_sso_glue::ParseIdError> {
/// let root = OrganizationalUnit::new("r-ab12".parse()?, "Root", None);
/// let unit = OrganizationalUnit::new("ou-ab12-11111111".parse()?, "Production", Some(root.id.clone()));
/// let mut account = Account::new("222222222222".parse()?, "web-01");
/// account.path = Some(vec![root.id.clone(), unit.id.clone()]);
/// let organization = Organization::new("111111111111".parse()?, vec![account], vec![root, unit]);
/// let production = organization.units_named("Production")[0];
/// assert_eq!(organization.accounts_below(&production.id).count(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    management_account: AccountId,
    /// Sorted by id, as are the units.
    accounts: Vec<Account>,
    units: Vec<OrganizationalUnit>,
    /// The positions of the accounts and units with a name, and of the units with a path.
    account_names: BTreeMap<String, Vec<usize>>,
    unit_names: BTreeMap<String, Vec<usize>>,
    unit_paths: BTreeMap<String, Vec<usize>>,
    /// The positions of the accounts in a root or unit and in all units below it.
    below: BTreeMap<UnitId, Vec<usize>>,
}

impl Organization {
    /// Creates an organization from its parts. Of two accounts or units with one id, the first is kept.
    #[must_use]
    pub fn new(
        management_account: AccountId,
        mut accounts: Vec<Account>,
        mut units: Vec<OrganizationalUnit>,
    ) -> Self {
        accounts.sort_by(|left, right| left.id.cmp(&right.id));
        accounts.dedup_by(|right, left| left.id == right.id);
        units.sort_by(|left, right| left.id.cmp(&right.id));
        units.dedup_by(|right, left| left.id == right.id);
        let names = accounts.iter().map(|account| account.name.clone());
        let account_names = positions(names.map(Option::into_iter));
        let unit_names = positions(units.iter().map(|unit| [unit.name.clone()]));
        let below = positions(accounts.iter().map(|account| {
            let path: BTreeSet<UnitId> = account.path.iter().flatten().cloned().collect();
            path
        }));
        let mut organization = Self {
            management_account,
            accounts,
            units,
            account_names,
            unit_names,
            unit_paths: BTreeMap::new(),
            below,
        };
        let paths = organization.units.iter();
        let paths = paths.map(|unit| [organization.unit_path(unit)]);
        organization.unit_paths = positions(paths);
        organization
    }

    /// Returns the account that owns the organization.
    #[must_use]
    pub fn management_account(&self) -> &AccountId {
        &self.management_account
    }

    /// Returns all accounts in all states, sorted by id.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Returns the position in [`accounts`](Self::accounts) of the account with this id.
    #[must_use]
    pub fn position(&self, id: &AccountId) -> Option<usize> {
        let found = self.accounts.binary_search_by(|account| account.id.cmp(id));
        found.ok()
    }

    /// Returns the account with this id.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.position(id).map(|position| &self.accounts[position])
    }

    /// Returns the accounts with exactly this name. Names of accounts are not unique.
    #[must_use]
    pub fn accounts_named(&self, name: &str) -> Vec<&Account> {
        found(&self.account_names, name, &self.accounts)
    }

    /// Returns the accounts in a root or unit and in all units below it, sorted by id.
    pub fn accounts_below<'a>(
        &'a self,
        unit: &UnitId,
    ) -> impl Iterator<Item = &'a Account> + use<'a> {
        let positions = self.below.get(unit).map(Vec::as_slice);
        let positions = positions.unwrap_or_default().iter();
        positions.map(|position| &self.accounts[*position])
    }

    /// Returns the roots and units, sorted by id. It is empty if the units were not read.
    #[must_use]
    pub fn units(&self) -> &[OrganizationalUnit] {
        &self.units
    }

    /// Returns the root or unit with this id.
    #[must_use]
    pub fn unit(&self, id: &UnitId) -> Option<&OrganizationalUnit> {
        let found = self.units.binary_search_by(|unit| unit.id.cmp(id));
        found.ok().map(|position| &self.units[position])
    }

    /// Returns the units with exactly this name. Only the units of one parent have different names.
    #[must_use]
    pub fn units_named(&self, name: &str) -> Vec<&OrganizationalUnit> {
        found(&self.unit_names, name, &self.units)
    }

    /// Returns the units with this path of names, such as `Workloads/Production`. Several units have one path only if a name
    /// contains a slash.
    #[must_use]
    pub fn units_at(&self, path: &str) -> Vec<&OrganizationalUnit> {
        found(&self.unit_paths, path, &self.units)
    }

    /// Returns the path of a unit: its name after the names of the units above it, without the root, such as
    /// `Workloads/Production`. The path of a root is its name.
    #[must_use]
    pub fn unit_path(&self, unit: &OrganizationalUnit) -> String {
        let mut names = vec![unit.name.as_str()];
        let mut parent = unit.parent.as_ref().and_then(|id| self.unit(id));
        // AWS nests units five levels deep (Organizations quotas). The limit ends a circle.
        while let Some(unit) = parent.filter(|unit| unit.parent.is_some() && names.len() < 16) {
            names.push(&unit.name);
            parent = unit.parent.as_ref().and_then(|id| self.unit(id));
        }
        names.reverse();
        names.join("/")
    }

    /// Reads the accounts, and the roots and units if `with_units` is set.
    ///
    /// The accounts need one call per 20 accounts, the units one call per unit. Partitions that do not report the path of an
    /// account need one more call per unit. `management_account` is that of
    /// [`describe`](crate::Organizations::describe).
    ///
    /// # Errors
    ///
    /// Fails if a list cannot be read completely.
    pub async fn read(
        aws: &Aws,
        management_account: AccountId,
        with_units: bool,
    ) -> Result<Self, Error> {
        let mut accounts = aws.organizations().accounts().try_collect().await?;
        let mut units = Vec::new();
        if with_units {
            let with_accounts = accounts.iter().any(|account| account.path.is_none());
            let mut tree = Tree::default();
            tree.read(aws, with_accounts).await?;
            for account in &mut accounts {
                // An account that was created during the walk has no path yet.
                let walked = || tree.paths.remove(&account.id);
                account.path = account.path.take().or_else(walked);
            }
            units = tree.units;
        }
        Ok(Self::new(management_account, accounts, units))
    }

    /// Reads the tags of these accounts, with one call per account or more.
    ///
    /// # Errors
    ///
    /// Fails if the tags of an account cannot be read.
    pub async fn read_tags(
        &mut self,
        aws: &Aws,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> Result<(), Error> {
        let positions: BTreeSet<usize> = accounts
            .into_iter()
            .filter_map(|id| self.position(&id))
            .collect();
        let reads: Vec<_> = positions
            .into_iter()
            .map(|position| read_tags(aws, position, self.accounts[position].id.clone()))
            .collect();
        let mut reads = stream::iter(reads).buffer_unordered(CONCURRENT_CALLS);
        while let Some((position, tags)) = reads.try_next().await? {
            self.accounts[position].tags = Some(tags);
        }
        Ok(())
    }
}

async fn read_tags(
    aws: &Aws,
    position: usize,
    id: AccountId,
) -> Result<(usize, BTreeMap<String, String>), Error> {
    let tags = aws.organizations().tags(&id).try_collect().await?;
    Ok((position, tags.into_iter().collect()))
}

/// The roots and units, and the paths of the accounts if they were asked for.
#[derive(Default)]
struct Tree {
    units: Vec<OrganizationalUnit>,
    paths: BTreeMap<AccountId, Vec<UnitId>>,
}

impl Tree {
    /// Reads the tree level by level, from the roots down.
    async fn read(&mut self, aws: &Aws, with_accounts: bool) -> Result<(), Error> {
        let roots = aws.organizations().roots().try_collect().await?;
        let mut level: Vec<_> = roots.into_iter().map(|root| (root, Vec::new())).collect();
        while !level.is_empty() {
            let reads: Vec<_> = level
                .iter()
                .map(|(unit, above)| read_unit(aws, unit, above, with_accounts))
                .collect();
            let below: Vec<_> = stream::iter(reads)
                .buffered(CONCURRENT_CALLS)
                .try_collect()
                .await?;
            self.units.extend(level.into_iter().map(|(unit, _)| unit));
            level = Vec::new();
            for (path, units, accounts) in below {
                let paths = accounts
                    .into_iter()
                    .map(|account| (account.id, path.clone()));
                self.paths.extend(paths);
                level.extend(units.into_iter().map(|unit| (unit, path.clone())));
            }
        }
        Ok(())
    }
}

/// Reads the units and accounts directly in a unit, and returns them with the path to the unit.
async fn read_unit(
    aws: &Aws,
    unit: &OrganizationalUnit,
    above: &[UnitId],
    with_accounts: bool,
) -> Result<(Vec<UnitId>, Vec<OrganizationalUnit>, Vec<Account>), Error> {
    let path = above.iter().chain([&unit.id]).cloned().collect();
    let units = aws.organizations().units_in(&unit.id).try_collect().await?;
    let accounts = if with_accounts {
        aws.organizations()
            .accounts_in(&unit.id)
            .try_collect()
            .await?
    } else {
        Vec::new()
    };
    Ok((path, units, accounts))
}

/// Returns the positions of the items that have each key.
fn positions<K: Ord>(
    keys: impl Iterator<Item = impl IntoIterator<Item = K>>,
) -> BTreeMap<K, Vec<usize>> {
    let mut positions: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (position, keys) in keys.enumerate() {
        for key in keys {
            positions.entry(key).or_default().push(position);
        }
    }
    positions
}

fn found<'a, T>(positions: &BTreeMap<String, Vec<usize>>, key: &str, items: &'a [T]) -> Vec<&'a T> {
    let positions = positions.get(key).into_iter().flatten();
    positions.map(|position| &items[*position]).collect()
}

/// Number of calls side by side. The rate limit of Organizations is not published; throttled calls are retried.
const CONCURRENT_CALLS: usize = 8;

#[cfg(test)]
mod tests;
