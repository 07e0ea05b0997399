//! Orders changes whose names conflict, without I/O.
//!
//! A name belongs to only one user or group at a time; in AWS the same holds for email addresses. A change can be written
//! only when no other resource holds a name that the change claims. The holder of a claimed name is therefore written
//! first. If the changes form a cycle, such as two users that swap names, one resource gets a temporary name.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

/// A kind of name. Names of the same kind are unique in the target, in any letter case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum NameKind {
    UserName,
    Email,
    GroupName,
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserName => "the user name",
            Self::Email => "the email address",
            Self::GroupName => "the group name",
        })
    }
}

/// The names of one resource, by kind.
pub(super) type Names = BTreeMap<NameKind, String>;

/// The names of one resource before and after its change.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// The names that the resource has now. Empty if the change creates the resource, or if its names are unknown.
    pub(super) held: Names,
    /// The names that the resource has after its change.
    pub(super) wanted: Names,
    /// Whether the change was written or cannot be written. The resource then keeps the held names.
    pub(super) settled: bool,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// Writes the change of a claim.
    Change(usize),
    /// Gives the resource of a claim these names, in place of all its names.
    Rename(usize, Names),
}

/// Returns the writes in order, in groups. The writes of one group do not depend on each other.
///
/// A change is missing if it cannot succeed: a settled resource holds one of its names, or an earlier claim wants the same
/// name.
pub(super) fn resolve(claims: &[Claim]) -> Vec<Vec<Write>> {
    let mut order = Order::new(claims);
    let mut writes = Vec::new();
    loop {
        let mut group = order.write_unblocked();
        if group.is_empty() {
            group = order.break_cycles();
        }
        if group.is_empty() {
            return writes;
        }
        writes.push(group);
    }
}

/// A name in lower case, with its kind.
type Key = (NameKind, String);

fn keys(names: &Names) -> impl Iterator<Item = Key> {
    names
        .iter()
        .map(|(kind, name)| (*kind, name.to_lowercase()))
}

/// The claims and the names at one point of the order.
struct Order<'a> {
    claims: &'a [Claim],
    /// The names that each resource has at this point.
    held: Vec<Names>,
    wanted: Vec<Vec<Key>>,
    /// The claim whose resource has the name at this point.
    holders: HashMap<Key, usize>,
    /// All names that claims want.
    all_wanted: HashSet<Key>,
    /// Whether the change of the claim is not written yet.
    open: Vec<bool>,
    renamed: Vec<bool>,
}

impl<'a> Order<'a> {
    fn new(claims: &'a [Claim]) -> Self {
        let held: Vec<Names> = claims.iter().map(|claim| claim.held.clone()).collect();
        let wanted: Vec<Vec<Key>> = claims
            .iter()
            .map(|claim| keys(&claim.wanted).collect())
            .collect();
        let mut holders = HashMap::new();
        for (index, names) in held.iter().enumerate() {
            holders.extend(keys(names).map(|key| (key, index)));
        }
        let mut open: Vec<bool> = claims.iter().map(|claim| !claim.settled).collect();
        // If several claims want a name, only one of them can get it: the holder, or else the first one.
        let mut winners: HashMap<&Key, usize> = HashMap::new();
        for (key, index) in &holders {
            if open[*index] && wanted[*index].contains(key) {
                winners.insert(key, *index);
            }
        }
        for (index, keys) in wanted.iter().enumerate() {
            if !keys
                .iter()
                .all(|key| winners.get(key).is_none_or(|first| *first == index))
            {
                open[index] = false;
            }
            if open[index] {
                winners.extend(keys.iter().map(|key| (key, index)));
            }
        }
        Self {
            claims,
            held,
            all_wanted: wanted.iter().flatten().cloned().collect(),
            wanted,
            holders,
            open,
            renamed: vec![false; claims.len()],
        }
    }

    /// Returns the other claims that hold a name which this claim wants.
    fn blockers(&self, index: usize) -> impl Iterator<Item = usize> {
        let holders = self.wanted[index]
            .iter()
            .filter_map(|key| self.holders.get(key));
        holders.copied().filter(move |holder| *holder != index)
    }

    /// Writes the changes that no other claim blocks.
    fn write_unblocked(&mut self) -> Vec<Write> {
        let unblocked: Vec<usize> = (0..self.claims.len())
            .filter(|index| self.open[*index] && self.blockers(*index).next().is_none())
            .collect();
        for index in &unblocked {
            self.open[*index] = false;
            self.set_names(*index, self.claims[*index].wanted.clone());
        }
        unblocked.into_iter().map(Write::Change).collect()
    }

    /// Gives one resource of each cycle temporary names. Cycles that depend on each other are broken one after the other.
    ///
    /// Prefers a claim that also wants a name that no claim holds. Its rename takes that name at once. If a resource
    /// without a claim has the name, the rename fails before another resource has released a name.
    fn break_cycles(&mut self) -> Vec<Write> {
        let wants_other_name = |index: &usize| {
            !self.wanted[*index]
                .iter()
                .all(|key| self.holders.contains_key(key))
        };
        let (preferred, others): (Vec<usize>, Vec<usize>) =
            (0..self.claims.len()).partition(wants_other_name);
        // The renames are written at the same time, so none of them may take a name that another one releases.
        let before = self.holders.clone();
        let (mut seen, mut renames) = (HashSet::new(), Vec::new());
        for index in preferred.into_iter().chain(others) {
            let Some(connected) = self.cycle_through(index) else {
                continue;
            };
            if seen.is_disjoint(&connected) {
                seen.extend(connected);
                renames.push(self.rename(index, &before));
            }
        }
        renames
    }

    /// Returns the claims that a claim waits for, itself included, if it is part of a cycle that a rename can break.
    fn cycle_through(&self, first: usize) -> Option<HashSet<usize>> {
        if !self.open[first] || self.renamed[first] {
            return None;
        }
        let mut seen = HashSet::new();
        let mut next: Vec<usize> = self.blockers(first).collect();
        while let Some(index) = next.pop() {
            if !self.open[index] {
                // The claim stays blocked, even with temporary names.
                return None;
            }
            if seen.insert(index) {
                next.extend(self.blockers(index));
            }
        }
        seen.contains(&first).then_some(seen)
    }

    /// Gives a resource each wanted name that is free now and in `before`, and a temporary name in place of each other
    /// wanted name. A temporary name is free now and in `before` as well.
    fn rename(&mut self, index: usize, before: &HashMap<Key, usize>) -> Write {
        let claim = &self.claims[index];
        let holder = |key: &Key| self.holders.get(key).or_else(|| before.get(key));
        let mut names = Names::new();
        for (kind, old) in &self.held[index] {
            let Some(wanted) = claim.wanted.get(kind) else {
                continue;
            };
            let key = (*kind, wanted.to_lowercase());
            let mut name = wanted.clone();
            if holder(&key).is_some_and(|holder| *holder != index) {
                name.clone_from(old);
                let mut key = (*kind, String::new());
                while key.1.is_empty() || holder(&key).is_some() || self.all_wanted.contains(&key) {
                    name.insert_str(0, TEMPORARY_PREFIX);
                    key.1 = name.to_lowercase();
                }
            }
            names.insert(*kind, name);
        }
        self.renamed[index] = true;
        self.set_names(index, names.clone());
        Write::Rename(index, names)
    }

    fn set_names(&mut self, index: usize, names: Names) {
        for key in keys(&self.held[index]) {
            if self.holders.get(&key) == Some(&index) {
                self.holders.remove(&key);
            }
        }
        self.holders.extend(keys(&names).map(|key| (key, index)));
        self.held[index] = names;
    }
}

/// The prefix of a temporary name. An operator who sees it recognizes a rename in progress.
const TEMPORARY_PREFIX: &str = "renaming-";

#[cfg(test)]
mod tests;
