//! Assignments in memory: each id is stored once, and an assignment is three numbers.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Assignment, PermissionSetArn, Principal};

/// Distinct values, each with a number.
#[derive(Debug, Clone)]
struct Table<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    fn insert(&mut self, value: &T) -> u32 {
        if let Some(number) = self.number(value) {
            return number;
        }
        let number =
            u32::try_from(self.values.len()).expect("an organization has fewer than 2^32 values");
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), number);
        number
    }

    fn number(&self, value: &T) -> Option<u32> {
        self.numbers.get(value).copied()
    }

    fn value(&self, number: u32) -> &T {
        &self.values[number as usize]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    principal: u32,
    set: u32,
    account: u32,
}

/// One assignment of an [`Estate`](super::Estate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct AssignmentRef<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The permission set.
    pub permission_set: &'a PermissionSetArn,
    /// The user or group.
    pub principal: &'a Principal,
}

impl<'a> AssignmentRef<'a> {
    /// Creates an assignment of these ids.
    #[must_use]
    pub fn new(
        account: &'a AccountId,
        permission_set: &'a PermissionSetArn,
        principal: &'a Principal,
    ) -> Self {
        Self {
            account,
            permission_set,
            principal,
        }
    }

    /// Returns a copy of the assignment.
    #[must_use]
    pub fn to_assignment(self) -> Assignment {
        Assignment {
            account: self.account.clone(),
            permission_set: self.permission_set.clone(),
            principal: self.principal.clone(),
        }
    }
}

impl<'a> From<&'a Assignment> for AssignmentRef<'a> {
    fn from(assignment: &'a Assignment) -> Self {
        let Assignment {
            account,
            permission_set,
            principal,
        } = assignment;
        Self::new(account, permission_set, principal)
    }
}

/// A set of assignments.
///
/// An assignment takes 12 bytes. Single writes go to small sets first, so that a write does not move all rows. In JSON, the
/// ids stand once, and an assignment is a number of about 4 characters.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct AssignmentSet {
    principals: Table<Principal>,
    sets: Table<PermissionSetArn>,
    accounts: Table<AccountId>,
    sorted: Vec<Row>,
    added: BTreeSet<Row>,
    removed: BTreeSet<Row>,
}

impl AssignmentSet {
    /// Adds assignments.
    pub fn extend(&mut self, assignments: &[Assignment]) {
        self.merge();
        self.push(assignments);
        self.sort();
    }

    /// Adds rows that are [sorted](Self::sort) later.
    pub(super) fn push(&mut self, assignments: &[Assignment]) {
        for assignment in assignments {
            let row = self.intern(assignment);
            self.sorted.push(row);
        }
    }

    pub(super) fn sort(&mut self) {
        self.sorted.sort_unstable();
        self.sorted.dedup();
    }

    /// Replaces the rows for which `is_replaced` is true.
    pub(super) fn replace(&mut self, is_replaced: impl Fn(AssignmentRef<'_>) -> bool, rows: &Self) {
        self.merge();
        let mut kept = std::mem::take(&mut self.sorted);
        kept.retain(|row| !is_replaced(self.resolve(*row)));
        self.sorted = kept;
        self.add(rows);
    }

    /// Adds the rows of another set.
    pub(super) fn add(&mut self, rows: &Self) {
        let rows: Vec<Assignment> = rows.iter().map(AssignmentRef::to_assignment).collect();
        self.extend(&rows);
    }

    /// Returns those of the pairs of permission set and account that no row has.
    pub(super) fn unexplained(
        &self,
        pairs: &[(PermissionSetArn, AccountId)],
    ) -> Vec<(PermissionSetArn, AccountId)> {
        let explained: HashSet<(u32, u32)> =
            self.rows().map(|row| (row.set, row.account)).collect();
        let is_explained = |(set, account): &&(PermissionSetArn, AccountId)| {
            let numbers = self.sets.number(set).zip(self.accounts.number(account));
            numbers.is_some_and(|pair| explained.contains(&pair))
        };
        let pairs = pairs.iter().filter(|pair| !is_explained(pair));
        pairs.cloned().collect()
    }

    /// Adds an assignment.
    pub fn insert(&mut self, assignment: &Assignment) {
        let row = self.intern(assignment);
        self.removed.remove(&row);
        if self.sorted.binary_search(&row).is_err() {
            self.added.insert(row);
        }
        self.merge_if_large();
    }

    /// Removes an assignment.
    pub fn remove(&mut self, assignment: &Assignment) {
        let Some(row) = self.row(assignment.into()) else {
            return;
        };
        self.added.remove(&row);
        if self.sorted.binary_search(&row).is_ok() {
            self.removed.insert(row);
        }
        self.merge_if_large();
    }

    /// Returns whether the set has an assignment.
    #[must_use]
    pub fn contains(&self, assignment: AssignmentRef<'_>) -> bool {
        let Some(row) = self.row(assignment) else {
            return false;
        };
        let is_sorted = || self.sorted.binary_search(&row).is_ok();
        self.added.contains(&row) || (is_sorted() && !self.removed.contains(&row))
    }

    /// Returns the number of assignments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len() + self.added.len() - self.removed.len()
    }

    /// Returns whether the set has no assignment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all assignments. Those of a principal follow each other, except for single writes, which come last.
    pub fn iter(&self) -> impl Iterator<Item = AssignmentRef<'_>> {
        self.rows().map(|row| self.resolve(row))
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        let sorted = self.sorted.iter();
        let sorted = sorted.filter(|row| !self.removed.contains(row));
        sorted.chain(&self.added).copied()
    }

    /// Returns all assignments in the order of the accounts, as numbered by `rank`.
    pub(super) fn by_account(
        &self,
        rank: impl Fn(&AccountId) -> usize,
    ) -> impl Iterator<Item = AssignmentRef<'_>> {
        let ranks: Vec<usize> = self.accounts.values.iter().map(rank).collect();
        let added: Vec<Row> = self.added.iter().copied().collect();
        let row = move |position: u32| {
            let position = position as usize;
            let sorted = self.sorted.get(position).copied();
            sorted.unwrap_or_else(|| added[position - self.sorted.len()])
        };
        // Positions, because the rows themselves would take three times the memory.
        let positions = self.sorted.len() + self.added.len();
        let positions = 0..u32::try_from(positions).expect("fewer than 2^32 assignments");
        let mut order: Vec<u32> = positions
            .filter(|position| !self.removed.contains(&row(*position)))
            .collect();
        order.sort_unstable_by_key(|position| {
            let row = row(*position);
            (ranks[row.account as usize], row)
        });
        order
            .into_iter()
            .map(move |position| self.resolve(row(position)))
    }

    fn resolve(&self, row: Row) -> AssignmentRef<'_> {
        AssignmentRef {
            account: self.accounts.value(row.account),
            permission_set: self.sets.value(row.set),
            principal: self.principals.value(row.principal),
        }
    }

    fn intern(&mut self, assignment: &Assignment) -> Row {
        Row {
            principal: self.principals.insert(&assignment.principal),
            set: self.sets.insert(&assignment.permission_set),
            account: self.accounts.insert(&assignment.account),
        }
    }

    fn row(&self, assignment: AssignmentRef<'_>) -> Option<Row> {
        Some(Row {
            principal: self.principals.number(assignment.principal)?,
            set: self.sets.number(assignment.permission_set)?,
            account: self.accounts.number(assignment.account)?,
        })
    }

    fn merge_if_large(&mut self) {
        if self.added.len() + self.removed.len() >= MAX_UNMERGED {
            self.merge();
        }
    }

    fn merge(&mut self) {
        if self.added.is_empty() && self.removed.is_empty() {
            return;
        }
        let removed = std::mem::take(&mut self.removed);
        self.sorted.retain(|row| !removed.contains(row));
        self.sorted.extend(std::mem::take(&mut self.added));
        self.sorted.sort_unstable();
    }
}

/// The JSON of an [`AssignmentSet`].
#[derive(Serialize, Deserialize)]
struct Document {
    principals: Vec<Principal>,
    permission_sets: Vec<PermissionSetArn>,
    accounts: Vec<AccountId>,
    /// The accounts of each principal and permission set. All are positions in the lists.
    rows: Vec<(u32, u32, Vec<u32>)>,
}

impl From<AssignmentSet> for Document {
    fn from(set: AssignmentSet) -> Self {
        // A set in which values without an assignment have no number.
        let mut used = AssignmentSet::default();
        used.add(&set);
        let is_same =
            |one: &Row, other: &Row| (one.principal, one.set) == (other.principal, other.set);
        let rows = used.sorted.chunk_by(is_same);
        let rows = rows.map(|rows| {
            let accounts = rows.iter().map(|row| row.account);
            (rows[0].principal, rows[0].set, accounts.collect())
        });
        Self {
            rows: rows.collect(),
            principals: used.principals.values,
            permission_sets: used.sets.values,
            accounts: used.accounts.values,
        }
    }
}

impl TryFrom<Document> for AssignmentSet {
    type Error = String;

    fn try_from(document: Document) -> Result<Self, String> {
        let mut set = Self::default();
        for (principal, permission_set, accounts) in &document.rows {
            for account in accounts {
                let mut row = || {
                    Some(Row {
                        principal: set
                            .principals
                            .insert(document.principals.get(*principal as usize)?),
                        set: set
                            .sets
                            .insert(document.permission_sets.get(*permission_set as usize)?),
                        account: set
                            .accounts
                            .insert(document.accounts.get(*account as usize)?),
                    })
                };
                let row = row().ok_or("an assignment has a position that is not in the lists")?;
                set.sorted.push(row);
            }
        }
        set.sort();
        Ok(set)
    }
}

/// Number of single writes after which the rows are merged.
const MAX_UNMERGED: usize = 4_096;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::GroupId;

    fn assignment(number: u64) -> Assignment {
        let digit = number % 5;
        Assignment {
            account: AccountId::parse(&format!("{:012}", number % 7)).expect("an account"),
            permission_set: PermissionSetArn::parse(&format!(
                "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-000000000000000{digit}"
            ))
            .expect("a set"),
            principal: Principal::Group(
                GroupId::parse(&format!("00000000-0000-0000-0000-{:012}", number % 11))
                    .expect("a group"),
            ),
        }
    }

    fn all(rows: &AssignmentSet) -> BTreeSet<Assignment> {
        let all: Vec<Assignment> = rows.iter().map(AssignmentRef::to_assignment).collect();
        let set: BTreeSet<Assignment> = all.iter().cloned().collect();
        assert_eq!(
            (set.len(), rows.len()),
            (all.len(), all.len()),
            "each assignment is there once"
        );
        set
    }

    #[test]
    fn writes_change_the_rows_like_a_set() {
        let mut rows = AssignmentSet::default();
        let mut expected = BTreeSet::new();
        // A fixed sequence that inserts, removes and repeats.
        for step in 0..10_000_u64 {
            let number = step.wrapping_mul(6_364_136_223_846_793_005) >> 33;
            let one = assignment(number);
            match number % 4 {
                0 => {
                    rows.remove(&one);
                    expected.remove(&one);
                }
                1 if step % 997 == 0 => {
                    let more = [one.clone(), assignment(number + 1)];
                    rows.extend(&more);
                    expected.extend(more);
                }
                _ => {
                    rows.insert(&one);
                    expected.insert(one.clone());
                }
            }
            assert_eq!(rows.contains((&one).into()), expected.contains(&one));
            if step % 500 == 0 {
                assert_eq!(all(&rows), expected);
            }
        }
        assert_eq!(all(&rows), expected);
    }

    #[test]
    fn the_json_has_each_id_once_and_only_those_in_use() {
        let mut set = AssignmentSet::default();
        // After 385 numbers, the assignments repeat.
        let some: Vec<Assignment> = (0..385).map(assignment).collect();
        set.extend(&some);
        for one in some.iter().skip(1) {
            set.remove(one);
        }
        let json = serde_json::to_value(&set).expect("JSON");
        assert_eq!(json["accounts"], serde_json::json!(["000000000000"]));
        assert_eq!(json["rows"], serde_json::json!([[0, 0, [0]]]));
        set.extend(&some);
        let json = serde_json::to_string(&set).expect("JSON");
        let read: AssignmentSet = serde_json::from_str(&json).expect("a set");
        assert_eq!(all(&read), all(&set));
        let wrong = json.replace("\"rows\":[[0,", "\"rows\":[[99,");
        serde_json::from_str::<AssignmentSet>(&wrong).expect_err("a position that does not exist");
    }

    #[test]
    fn rows_are_ordered_by_the_rank_of_their_account() {
        let mut rows = AssignmentSet::default();
        let some: Vec<Assignment> = (0..50).map(assignment).collect();
        rows.extend(&some);
        rows.insert(&assignment(76));
        let rank = |account: &AccountId| 999 - account.as_str().parse::<usize>().expect("a number");
        let ranks: Vec<usize> = rows.by_account(rank).map(|row| rank(row.account)).collect();
        assert!(ranks.is_sorted() && ranks.len() == rows.len(), "{ranks:?}");
    }
}
