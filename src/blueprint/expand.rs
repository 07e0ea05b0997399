//! Expands the access of a blueprint into single assignments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sso_glue::{Account, AccountId, AccountState, estate::Organization};
use jiff::{ToSpan as _, civil::Date};

use super::{
    Blueprint,
    access::PrincipalSpec,
    accounts::Accounts,
    select::{Fault, Match, needs_tags, select},
};
use crate::{
    error::{Error, ErrorKind},
    plan::{Note, Problem, SelectedAccount, Selection, Subject},
};

/// The ids of the accounts that each filter and pattern matched in an earlier run, by selector.
pub type EarlierMatches = BTreeMap<String, BTreeSet<AccountId>>;

/// The access of a blueprint as single assignments in the accounts of an organization.
///
/// Rows are sorted by principal, permission set and account id. A row that several entries give is one row.
#[derive(Debug)]
pub struct Expansion {
    /// The accounts that each distinct filter or list with a pattern matches, in the order of the blueprint.
    pub selections: Vec<Selection>,
    /// The selectors and accounts that cannot be used. The rest of the blueprint is expanded.
    pub problems: Vec<Problem>,
    /// Notes for the reader of the plan.
    pub notes: Vec<Note>,
    /// The matches to remember for the next run: what each selector matches or keeps.
    pub matches: EarlierMatches,
    organization: Arc<Organization>,
    /// Sorted, as are the permission sets: the order of the positions is the order of the names.
    principals: Vec<PrincipalSpec>,
    permission_sets: Vec<String>,
    /// The distinct lists of entries that give a row.
    entries: Vec<Vec<usize>>,
    /// The positions of the entries that are protected.
    protected: BTreeSet<usize>,
    wanted: Vec<PackedRow>,
    kept: Vec<PackedRow>,
    expired: Vec<PackedRow>,
    /// The principals and permission sets of entries whose selector has a problem.
    unresolved: BTreeSet<(u32, u32)>,
    scope: ScopeAccounts,
}

/// The accounts in which mode `exclusive` removes what the blueprint does not give.
#[derive(Debug)]
enum ScopeAccounts {
    All,
    /// Sorted positions in the organization.
    Some(Vec<usize>),
    /// The selector has a problem.
    Unknown,
}

/// One assignment: a principal, a permission set and an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The user or group.
    pub principal: &'a PrincipalSpec,
    /// The name of the permission set.
    pub permission_set: &'a str,
    /// The account.
    pub account: &'a Account,
    /// The positions in [`Blueprint::access`] of the entries that give the assignment.
    pub entries: &'a [usize],
    /// Whether an entry protects the assignment from removal.
    pub protected: bool,
}

/// A row as positions in the tables of the expansion: 16 bytes, because an organization may have 400,000 rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PackedRow {
    principal: u32,
    permission_set: u32,
    account: u32,
    /// The position of an entry, and after merging of a list of entries.
    entries: u32,
}

impl PackedRow {
    fn key(&self) -> (u32, u32, u32) {
        (self.principal, self.permission_set, self.account)
    }
}

impl Expansion {
    /// Returns the organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    pub(crate) fn shared_organization(&self) -> Arc<Organization> {
        Arc::clone(&self.organization)
    }

    /// Returns the assignments that the blueprint gives.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.unpack(&self.wanted)
    }

    /// Returns the assignments that a selector with a problem, or of an account that is not active, gave before. They are
    /// not created, and must not be removed.
    #[must_use]
    pub fn kept(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.unpack(&self.kept)
    }

    /// Returns the assignments that only expired entries give. They are to be removed. An assignment that an entry with a
    /// problem may give is not one of them.
    #[must_use]
    pub fn expired(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.unpack(&self.expired)
    }

    /// Returns the assignment of this principal, permission set and account, if the blueprint gives it.
    #[must_use]
    pub fn row(
        &self,
        principal: &PrincipalSpec,
        permission_set: &str,
        account: &AccountId,
    ) -> Option<Row<'_>> {
        let rows = self.find(&self.wanted, principal, permission_set, account);
        self.unpack(rows).next()
    }

    /// Returns the assignment of this principal, permission set and account, if only expired entries give it.
    #[must_use]
    pub fn expired_row(
        &self,
        principal: &PrincipalSpec,
        permission_set: &str,
        account: &AccountId,
    ) -> Option<Row<'_>> {
        let rows = self.find(&self.expired, principal, permission_set, account);
        self.unpack(rows).next()
    }

    /// Returns whether an account is in the [`Scope`](super::Scope) of the blueprint. If the selector of the scope has a problem,
    /// no account is.
    #[must_use]
    pub fn is_in_scope(&self, account: &AccountId) -> bool {
        let position = || self.organization.position(account);
        match &self.scope {
            ScopeAccounts::All => true,
            ScopeAccounts::Some(positions) => {
                position().is_some_and(|account| positions.binary_search(&account).is_ok())
            }
            ScopeAccounts::Unknown => false,
        }
    }

    /// Returns whether an assignment is [kept](Self::kept).
    pub(crate) fn is_kept(
        &self,
        principal: &PrincipalSpec,
        permission_set: &str,
        account: &AccountId,
    ) -> bool {
        let rows = self.find(&self.kept, principal, permission_set, account);
        !rows.is_empty()
    }

    /// Returns whether the blueprint gives this principal and permission set, in any account.
    pub(crate) fn gives(&self, principal: &PrincipalSpec, permission_set: &str) -> bool {
        let principal = self.principals.binary_search(principal).ok();
        let pair = principal.zip(self.set_position(permission_set));
        pair.is_some_and(|(principal, set)| {
            let key = (packed(principal), packed(set));
            let first = self
                .wanted
                .partition_point(|row| (row.principal, row.permission_set) < key);
            let row = self.wanted.get(first);
            row.is_some_and(|row| (row.principal, row.permission_set) == key)
        })
    }

    /// Returns the one row of a principal, a permission set and an account, or none.
    fn find<'a>(
        &self,
        rows: &'a [PackedRow],
        principal: &PrincipalSpec,
        permission_set: &str,
        account: &AccountId,
    ) -> &'a [PackedRow] {
        let found = || {
            let key = (
                packed(self.principals.binary_search(principal).ok()?),
                packed(self.set_position(permission_set)?),
                packed(self.organization.position(account)?),
            );
            let position = rows.binary_search_by_key(&key, PackedRow::key).ok()?;
            rows.get(position..=position)
        };
        found().unwrap_or_default()
    }

    fn set_position(&self, permission_set: &str) -> Option<usize> {
        let found = self
            .permission_sets
            .binary_search_by(|name| name.as_str().cmp(permission_set));
        found.ok()
    }

    /// Returns whether an entry of this principal and permission set has a selector with a problem. Such an entry may have
    /// given any assignment of the two, so none of them may be removed.
    #[must_use]
    pub fn is_unresolved(&self, principal: &PrincipalSpec, permission_set: &str) -> bool {
        let principal = self.principals.binary_search(principal).ok();
        let pair = principal.zip(self.set_position(permission_set));
        pair.is_some_and(|(principal, set)| {
            self.unresolved.contains(&(packed(principal), packed(set)))
        })
    }

    fn unpack<'a>(&'a self, rows: &'a [PackedRow]) -> impl ExactSizeIterator<Item = Row<'a>> {
        rows.iter().map(|row| {
            let entries = &self.entries[row.entries as usize];
            Row {
                principal: &self.principals[row.principal as usize],
                permission_set: &self.permission_sets[row.permission_set as usize],
                account: &self.organization.accounts()[row.account as usize],
                entries,
                protected: entries.iter().any(|entry| self.protected.contains(entry)),
            }
        })
    }
}

impl Blueprint {
    /// Returns whether the selectors need the organizational units of the organization.
    #[must_use]
    pub fn needs_units(&self) -> bool {
        let scope = self.scope.accounts.as_ref();
        scope.is_some_and(Accounts::needs_units)
            || self
                .entries()
                .any(|(_, access)| access.selector().needs_units())
    }

    /// Returns the accounts whose tags the selectors need: those that match the other keys of a selector with tags.
    #[must_use]
    pub fn needs_tags(&self, organization: &Organization) -> BTreeSet<AccountId> {
        let selectors: BTreeSet<Accounts> = self
            .entries()
            .map(|(_, access)| access.selector().into_owned())
            .chain(self.scope.accounts.clone())
            .collect();
        let needed = selectors
            .iter()
            .flat_map(|selector| needs_tags(selector, organization));
        needed
            .map(|position| organization.accounts()[position].id.clone())
            .collect()
    }

    /// Expands the access into single assignments: `for` and the selectors are resolved.
    ///
    /// `today` is the day in UTC, for entries with `until`. `earlier` has the matches of earlier runs
    /// ([`Expansion::matches`]). The blueprint is valid ([`Blueprint::validate`]), and the organization has the units and
    /// tags that the selectors need ([`Blueprint::needs_units`], [`Blueprint::needs_tags`]).
    #[must_use]
    pub fn expand(
        &self,
        organization: &Arc<Organization>,
        today: Date,
        earlier: &EarlierMatches,
    ) -> Expansion {
        let mut uses: Vec<Use> = Vec::new();
        let mut selectors: BTreeMap<Accounts, usize> = BTreeMap::new();
        let mut grants: Vec<Grant> = Vec::new();
        let mut notes = Vec::new();
        for (entry, access) in self.entries() {
            let next = selectors.len();
            let selector = *selectors
                .entry(access.selector().into_owned())
                .or_insert(next);
            if selector == uses.len() {
                uses.push(Use::default());
            }
            let is_expired = access.until.is_some_and(|until| until < today);
            let uses = &mut uses[selector];
            let entries = if is_expired {
                &mut uses.expired
            } else {
                &mut uses.entries
            };
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
            grants.extend(access.grants().map(|(principal, set)| Grant {
                principal,
                permission_set: set.to_owned(),
                selector,
                entry,
                is_expired,
            }));
        }
        for (entry, access) in self.access.iter().enumerate() {
            notes.extend(
                access
                    .until
                    .and_then(|until| self.expiry_note(entry, until, today)),
            );
        }
        let mut by_number: Vec<&Accounts> = vec![&EMPTY; selectors.len()];
        for (selector, number) in &selectors {
            by_number[*number] = selector;
        }
        let mut expansion = Expansion {
            selections: Vec::new(),
            problems: Vec::new(),
            notes,
            matches: EarlierMatches::new(),
            organization: Arc::clone(organization),
            principals: sorted(grants.iter().map(|grant| &grant.principal)),
            permission_sets: sorted(grants.iter().map(|grant| &grant.permission_set)),
            entries: Vec::new(),
            protected: self.protected_entries(),
            wanted: Vec::new(),
            kept: Vec::new(),
            expired: Vec::new(),
            unresolved: BTreeSet::new(),
            scope: ScopeAccounts::All,
        };
        if let Some(selector) = &self.scope.accounts {
            expansion.resolve_scope(selector);
        }
        let resolved: Vec<Resolved> = by_number
            .iter()
            .zip(&uses)
            .map(|(selector, uses)| self.resolve(selector, uses, earlier, &mut expansion))
            .collect();
        expansion.note_management_account(&resolved);
        for grant in &grants {
            expansion.add_rows(grant, &resolved[grant.selector]);
        }
        expansion.merge();
        expansion
    }

    fn protected_entries(&self) -> BTreeSet<usize> {
        let entries = self.access.iter().enumerate();
        let protected = entries.filter(|(_, access)| access.protected);
        protected.map(|(entry, _)| entry).collect()
    }

    /// Returns the note of an entry that expires within two weeks, or that has expired.
    fn expiry_note(&self, entry: usize, until: Date, today: Date) -> Option<Note> {
        let place = self.place(entry);
        let input = || Subject::Input {
            path: place.as_str().into(),
        };
        if until < today {
            let text = format!(
                "{place} expired after {until}: remove it from the blueprint once its access is removed"
            );
            return Some(Note::new("expired", text).about(input()));
        }
        let soon = today.saturating_add(14.days());
        (until <= soon).then(|| {
            let text = format!(
                "{place} expires after {until}: the next run after that day removes its access"
            );
            Note::new("expires-soon", text).about(input())
        })
    }

    /// Resolves a selector, and adds its selection and its problems to the expansion.
    fn resolve(
        &self,
        selector: &Accounts,
        uses: &Use,
        earlier: &EarlierMatches,
        expansion: &mut Expansion,
    ) -> Resolved {
        let organization = Arc::clone(&expansion.organization);
        let found = select(selector, &organization);
        if uses.entries.is_empty() {
            // Only expired entries have the selector. They give nothing, so its faults do not matter.
            return Resolved {
                matched: found.accounts,
                ..Resolved::default()
            };
        }
        let key = selector.key();
        // Only a filter or a pattern can match other accounts than before.
        let before = earlier.get(&key).filter(|_| selector.is_open());
        let is_before = |position: &usize| {
            before.is_some_and(|before| before.contains(&organization.accounts()[*position].id))
        };
        let is_kept = |position: &usize| {
            let is_matched = found.accounts.binary_search(position).is_ok();
            let is_skipped = found.skipped.binary_search(position).is_ok();
            !is_matched && (is_skipped || !found.faults.is_empty())
        };
        let ids = before.into_iter().flatten();
        let kept = ids.filter_map(|id| organization.position(id));
        let kept: Vec<usize> = kept.filter(is_kept).collect();
        let new: Vec<usize> = match before {
            Some(_) => found
                .accounts
                .iter()
                .copied()
                .filter(|position| !is_before(position))
                .collect(),
            None => Vec::new(),
        };
        let first = uses.entries.first().copied().unwrap_or_default();
        for fault in &found.faults {
            expansion.add_problem(selector_problem(selector, &self.place(first), fault));
        }
        let notes = found.notes.iter();
        let notes = notes.map(|text| Note::new("closed-account-ignored", text));
        expansion.notes.extend(notes);
        if selector.is_open() {
            let ids = |positions: &[usize]| -> BTreeSet<AccountId> {
                let accounts = positions
                    .iter()
                    .map(|position| &organization.accounts()[*position]);
                accounts.map(|account| account.id.clone()).collect()
            };
            let accounts = |positions: &[usize]| -> Vec<SelectedAccount> {
                let accounts = positions
                    .iter()
                    .map(|position| &organization.accounts()[*position]);
                accounts.map(selected).collect()
            };
            let matched = ids(&found.accounts);
            let last = before.map_or(0, BTreeSet::len);
            expansion.selections.push(Selection {
                selector: selector.to_string(),
                entries: uses
                    .entries
                    .iter()
                    .map(|entry| self.place(*entry))
                    .collect(),
                matched: matched.iter().map(|id| id.as_str().into()).collect(),
                grown: new.len() >= 10 && 2 * new.len() > last,
                new: accounts(&new),
                skipped: accounts(&found.skipped),
                kept: accounts(&kept),
            });
            expansion.matches.insert(key, &matched | &ids(&kept));
        }
        Resolved::new(found, kept)
    }
}

/// Returns the problem of a selector at this place of the blueprint, or of an account that it names.
fn selector_problem(selector: &Accounts, place: &str, fault: &Fault) -> Problem {
    let subject = match &fault.account {
        Some(account) => Subject::Account {
            id: account.as_str().into(),
        },
        None => Subject::Input { path: place.into() },
    };
    let mut error = Error::new(ErrorKind::UnusableSubject, &fault.message).with_help(&fault.help);
    if fault.account.is_none() && selector.is_open() {
        error = error.with_context(format!("resolving `{selector}`"));
    }
    Problem::new(Some(subject), &error)
}

/// The entries that have a selector.
#[derive(Default)]
struct Use {
    entries: Vec<usize>,
    expired: Vec<usize>,
}

/// A principal and a permission set of an entry.
struct Grant {
    principal: PrincipalSpec,
    permission_set: String,
    selector: usize,
    entry: usize,
    is_expired: bool,
}

/// The accounts of a selector, as positions.
#[derive(Default)]
struct Resolved {
    matched: Vec<usize>,
    kept: Vec<usize>,
    has_faults: bool,
    without_management_account: bool,
}

impl Resolved {
    fn new(found: Match, kept: Vec<usize>) -> Self {
        Self {
            matched: found.accounts,
            kept,
            has_faults: !found.faults.is_empty(),
            without_management_account: found.without_management_account,
        }
    }
}

impl Expansion {
    /// Adds the rows of a grant. The positions of entries are replaced when the rows are merged.
    fn add_rows(&mut self, grant: &Grant, resolved: &Resolved) {
        let (Ok(principal), Ok(set)) = (
            self.principals.binary_search(&grant.principal),
            self.permission_sets.binary_search(&grant.permission_set),
        ) else {
            return;
        };
        let (principal, permission_set) = (packed(principal), packed(set));
        let row = |account: &usize| PackedRow {
            principal,
            permission_set,
            account: packed(*account),
            entries: packed(grant.entry),
        };
        let matched = resolved.matched.iter().map(row);
        if grant.is_expired {
            self.expired.extend(matched);
            return;
        }
        self.wanted.extend(matched);
        self.kept.extend(resolved.kept.iter().map(row));
        if resolved.has_faults {
            self.unresolved.insert((principal, permission_set));
        }
    }

    /// Resolves the selector of the scope. A scope that is not known whole has no account: nothing is removed there.
    fn resolve_scope(&mut self, selector: &Accounts) {
        let found = select(selector, &self.organization);
        self.scope = if found.faults.is_empty() {
            ScopeAccounts::Some(found.accounts)
        } else {
            ScopeAccounts::Unknown
        };
        for fault in &found.faults {
            self.add_problem(selector_problem(selector, "scope.accounts", fault));
        }
    }

    /// Adds a problem, unless an equal one exists: two selectors may name the same account.
    fn add_problem(&mut self, problem: Problem) {
        let is_known = |known: &Problem| {
            known.message == problem.message
                && (known.subject == problem.subject
                    || matches!(problem.subject, Some(Subject::Account { .. })))
        };
        if !self.problems.iter().any(is_known) {
            self.problems.push(problem);
        }
    }

    fn note_management_account(&mut self, resolved: &[Resolved]) {
        if resolved
            .iter()
            .any(|resolved| resolved.without_management_account)
        {
            self.notes.push(Note::new(
                "management-account-not-included",
                format!(
                    "management account not included: a filter or a pattern never matches it; name it by its id ({}) to give access to it",
                    self.organization.management_account()
                ),
            ));
        }
    }

    /// Sorts and merges the rows. A row that is wanted is neither kept nor expired.
    fn merge(&mut self) {
        let mut lists: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
        for rows in [&mut self.wanted, &mut self.kept, &mut self.expired] {
            merge_rows(rows, &mut lists);
        }
        self.entries = vec![Vec::new(); lists.len()];
        for (list, number) in lists {
            self.entries[number as usize] = list;
        }
        let has = |rows: &[PackedRow], row: &PackedRow| {
            rows.binary_search_by_key(&row.key(), PackedRow::key)
                .is_ok()
        };
        let (wanted, kept) = (&self.wanted, &mut self.kept);
        kept.retain(|row| !has(wanted, row));
        let unresolved = &self.unresolved;
        self.expired.retain(|row| {
            let pair = (row.principal, row.permission_set);
            !has(wanted, row) && !has(kept, row) && !unresolved.contains(&pair)
        });
    }
}

/// Sorts rows and merges equal ones. The position of the entry becomes that of the list of entries.
fn merge_rows(rows: &mut Vec<PackedRow>, lists: &mut BTreeMap<Vec<usize>, u32>) {
    rows.sort_unstable();
    rows.dedup();
    let mut merged: Vec<PackedRow> = Vec::with_capacity(rows.len());
    for equal in rows.chunk_by(|left, right| left.key() == right.key()) {
        let entries: Vec<usize> = equal.iter().map(|row| row.entries as usize).collect();
        let next = packed(lists.len());
        let entries = *lists.entry(entries).or_insert(next);
        merged.push(PackedRow {
            entries,
            ..equal[0]
        });
    }
    *rows = merged;
}

fn sorted<'a, T: Ord + Clone + 'a>(items: impl Iterator<Item = &'a T>) -> Vec<T> {
    let distinct: BTreeSet<&T> = items.collect();
    distinct.into_iter().cloned().collect()
}

/// Packs a position. A blueprint of at most 4 MiB and an organization have fewer than 2³² of each.
fn packed(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn selected(account: &Account) -> SelectedAccount {
    let reason = match &account.state {
        AccountState::Active => None,
        AccountState::PendingActivation => Some("is matched once active".to_owned()),
        state => Some(format!(
            "is {}",
            state.to_string().to_lowercase().replace('_', " ")
        )),
    };
    SelectedAccount::new(account.id.as_str(), account.name.as_deref(), reason)
}

static EMPTY: Accounts = Accounts::Named(Vec::new());

#[cfg(test)]
mod tests;
