//! Finds the users and groups that cannot both have a name or an email address, without I/O.
//!
//! User names, email addresses and names of groups are unique in the target, in any letter case. Of several resources that
//! want the same one, exactly one is written, and the plan names the others.

use std::collections::{BTreeMap, HashMap, HashSet};

use scim_types::ExternalId;

use super::{
    directory::Directory,
    name_conflicts::NameKind,
    profile::UserKeys,
    records::Usable,
    snapshot::{TargetSnapshot, match_groups, match_users},
};
/// A unique value in lower case or as its digest, with its kind.
type Key = (NameKind, String);

/// A resource of the source.
#[derive(Clone, Debug)]
struct Claimant<'a> {
    id: &'a ExternalId,
    /// The values that the resource has after the run. Empty if the run does not write the resource.
    wanted: Vec<Key>,
    /// The index of its account in the target.
    account: Option<usize>,
}

/// The resource that keeps a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    /// The index of a resource of the source.
    Claimant(usize),
    /// The index of an account that this run does not write.
    Account(usize),
}

/// A value that a resource cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Collision {
    kind: NameKind,
    holder: Holder,
}

/// Returns the resources that cannot have all their values, by index.
///
/// A resource that has the value in the target keeps it. Otherwise the resource with the lowest id gets it. A resource that is
/// left out keeps the values of its account, so it can block others.
fn collisions(claimants: &[Claimant<'_>], accounts: &[Vec<Key>]) -> BTreeMap<usize, Collision> {
    let mut order: Vec<usize> = (0..claimants.len()).collect();
    order.sort_by_key(|index| claimants[*index].id);
    let mut left_out: BTreeMap<usize, Collision> = BTreeMap::new();
    loop {
        let writes =
            |index: &usize| !claimants[*index].wanted.is_empty() && !left_out.contains_key(index);
        let written: HashMap<usize, usize> = (0..claimants.len())
            .filter(writes)
            .filter_map(|index| Some((claimants[index].account?, index)))
            .collect();
        let mut holders: HashMap<&Key, Holder> = HashMap::new();
        for (account, keys) in accounts.iter().enumerate() {
            for key in keys {
                match written.get(&account) {
                    None => _ = holders.insert(key, Holder::Account(account)),
                    Some(index) if claimants[*index].wanted.contains(key) => {
                        holders.insert(key, Holder::Claimant(*index));
                    }
                    // The run changes the value of this account.
                    Some(_) => {}
                }
            }
        }
        let mut found = Vec::new();
        for index in order.iter().copied().filter(writes) {
            let claimant = &claimants[index];
            let taken = claimant.wanted.iter().find_map(|key| {
                let holder = holders.get(key).copied()?;
                let is_own = match holder {
                    Holder::Claimant(other) => other == index,
                    Holder::Account(account) => claimant.account == Some(account),
                };
                (!is_own).then_some(Collision {
                    kind: key.0,
                    holder,
                })
            });
            if let Some(collision) = taken {
                found.push((index, collision));
            } else {
                let keys = claimant.wanted.iter();
                holders.extend(keys.map(|key| (key, Holder::Claimant(index))));
            }
        }
        if found.is_empty() {
            return left_out;
        }
        left_out.extend(found);
    }
}

impl UserKeys {
    fn list(&self) -> Vec<Key> {
        let name = self
            .user_name
            .clone()
            .map(|name| (NameKind::UserName, name));
        let email = self.email.clone().map(|email| (NameKind::Email, email));
        name.into_iter().chain(email).collect()
    }
}

/// Returns the accounts that no resource of the source matches, by name.
fn unmatched(accounts: &[Vec<Key>], matches: &[Option<usize>]) -> HashMap<Key, usize> {
    let taken: HashSet<usize> = matches.iter().flatten().copied().collect();
    let accounts = accounts.iter().enumerate();
    accounts
        .filter(|(index, _)| !taken.contains(index))
        .flat_map(|(index, keys)| keys.iter().map(move |key| (key.clone(), index)))
        .filter(|(key, _)| key.0 != NameKind::Email)
        .collect()
}

impl<'a> Claimant<'a> {
    /// Returns the claimant with its account: the matched one, or one of the unmatched accounts with its name.
    fn new(
        id: &'a ExternalId,
        wanted: Vec<Key>,
        account: Option<usize>,
        by_name: &mut HashMap<Key, usize>,
    ) -> Self {
        let named = || wanted.iter().find_map(|key| by_name.remove(key));
        Self {
            id,
            account: account.or_else(named),
            wanted,
        }
    }
}

/// Leaves out the users and groups that cannot have their name or email address, and says why.
///
/// They move to the end of their lists, so the account with the name is matched with the resource that keeps it.
pub(super) fn leave_out_collisions(mut usable: Usable, target: &TargetSnapshot) -> Usable {
    leave_out_users(&mut usable.directory, target);
    leave_out_groups(&mut usable, target);
    usable
}

fn leave_out_users(directory: &mut Directory, target: &TargetSnapshot) {
    let users = &directory.users;
    let matches = match_users(users, &target.users);
    let accounts: Vec<Vec<Key>> = target.users.iter().map(|user| user.keys.list()).collect();
    // The cached state has no names, so a user that returns under another id is not matched with its account yet.
    let mut by_name = unmatched(&accounts, &matches);
    let claimants: Vec<Claimant<'_>> = users
        .iter()
        .zip(&matches)
        .map(|(user, account)| {
            let is_written = user.problems.is_empty() && (user.profile.active || account.is_some());
            let wanted = is_written.then(|| user.profile.keys().list());
            Claimant::new(&user.id, wanted.unwrap_or_default(), *account, &mut by_name)
        })
        .collect();
    let found = collisions(&claimants, &accounts);
    if found.is_empty() {
        return;
    }
    let mut problems: BTreeMap<usize, String> = BTreeMap::new();
    for (index, Collision { kind, holder }) in found {
        let profile = &users[index].profile;
        let value = match kind {
            NameKind::Email => profile.email.as_deref().unwrap_or_default(),
            _ => &profile.user_name,
        };
        let problem = match holder {
            Holder::Claimant(other) => {
                let other = &users[other];
                format!(
                    "{kind} {value} also belongs to user {} ({}), which keeps it; change it for one of the two users in the source",
                    other.profile.user_name, other.id
                )
            }
            Holder::Account(account) => {
                let account = &target.users[account];
                let name = account.name().map(|name| format!("{name} "));
                let name = name.unwrap_or_default();
                format!(
                    "{kind} {value} belongs to the account {name}({}) in the target; change it in the source, or change or delete that account",
                    account
                        .owner()
                        .map_or(account.id.as_str(), |id| id.as_str())
                )
            }
        };
        problems.insert(index, problem);
    }
    let mut left_out = Vec::new();
    let users = std::mem::take(&mut directory.users).into_iter().enumerate();
    for (index, mut user) in users {
        match problems.remove(&index) {
            None => directory.users.push(user),
            Some(problem) => {
                user.problems.push(problem);
                left_out.push(user);
            }
        }
    }
    directory.users.append(&mut left_out);
}

fn leave_out_groups(usable: &mut Usable, target: &TargetSnapshot) {
    let groups = &usable.directory.groups;
    let matches = match_groups(groups, &target.groups);
    let key = |name: &str| vec![(NameKind::GroupName, name.to_lowercase())];
    let accounts: Vec<Vec<Key>> = target.groups.iter().map(|group| key(&group.name)).collect();
    let mut by_name = unmatched(&accounts, &matches);
    let claimants: Vec<Claimant<'_>> = groups
        .iter()
        .zip(&matches)
        .map(|(group, account)| Claimant::new(&group.id, key(&group.name), *account, &mut by_name))
        .collect();
    for (index, Collision { holder, .. }) in collisions(&claimants, &accounts) {
        let other = match holder {
            Holder::Claimant(other) => {
                format!("group {} ({})", groups[other].name, groups[other].id)
            }
            Holder::Account(account) => {
                let account = &target.groups[account];
                format!("group {} ({}) of the target", account.name, account.id)
            }
        };
        usable.left_out_groups.insert(
            groups[index].id.clone(),
            format!(
                "{other} has the same name and keeps it; change one of the names in the source"
            ),
        );
    }
    let left_out = &usable.left_out_groups;
    // The sort is stable: the other groups keep their order.
    usable
        .directory
        .groups
        .sort_by_key(|group| left_out.contains_key(&group.id));
}

#[cfg(test)]
mod tests;
