//! Resolves a selector against the accounts of an organization.

use std::collections::BTreeMap;

use aws_sso_glue::{
    Account, AccountId, AccountState, OrganizationalUnit, UnitId, estate::Organization,
};
use wildmatch::WildMatch;

use super::{
    access::OneOrMany,
    accounts::{AccountFilter, Accounts, is_pattern},
    text::nearest,
};
use crate::{plan::count, text::abbreviated};

/// The accounts that a selector matches. Accounts are positions in [`Organization::accounts`], sorted.
#[derive(Debug, Default)]
pub(super) struct Match {
    pub(super) accounts: Vec<usize>,
    /// Accounts that a filter or a pattern matches and that are not active.
    pub(super) skipped: Vec<usize>,
    /// Whether a filter or a pattern would match the management account.
    pub(super) without_management_account: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) notes: Vec<String>,
}

/// The reason why a selector, or a part of it, matches no account.
#[derive(Debug)]
pub(super) struct Fault {
    /// The id or the reference of the account, if the fault is that of an account and not of the selector.
    pub(super) account: Option<String>,
    pub(super) message: String,
    pub(super) help: String,
}

impl Fault {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            account: None,
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Resolves a selector.
pub(super) fn select(accounts: &Accounts, organization: &Organization) -> Match {
    let mut found = Match::default();
    match accounts {
        Accounts::Named(references) => {
            for reference in references {
                found.add_reference(reference, organization);
            }
        }
        Accounts::Where(filter) => found.add_filter(accounts, filter, organization),
    }
    for positions in [&mut found.accounts, &mut found.skipped] {
        positions.sort_unstable();
        positions.dedup();
    }
    found
}

/// Returns the accounts whose tags are needed to resolve a selector: those that match its other keys.
pub(super) fn needs_tags(accounts: &Accounts, organization: &Organization) -> Vec<usize> {
    let Accounts::Where(filter) = accounts else {
        return Vec::new();
    };
    let without_tags = |filter: &AccountFilter, within| {
        let filter = AccountFilter {
            tag: BTreeMap::new(),
            ..filter.clone()
        };
        filter_matches(&filter, within, organization, &mut Vec::new())
    };
    let matches = without_tags(filter, vec![true; organization.accounts().len()]);
    if !filter.tag.is_empty() {
        return positions(&matches);
    }
    match filter.except.as_deref() {
        Some(Accounts::Where(except)) if !except.tag.is_empty() => {
            positions(&without_tags(except, matches))
        }
        _ => Vec::new(),
    }
}

impl Match {
    /// Adds the accounts of an id, an exact name or a pattern.
    fn add_reference(&mut self, reference: &str, organization: &Organization) {
        let account = match resolve(reference, organization) {
            Err(fault) => return self.faults.push(fault),
            Ok(Reference::Pattern(matches)) => {
                let before = (self.accounts.len(), self.skipped.len());
                self.add_matches(&matches, organization);
                if self.accounts.len() == before.0 {
                    let what = match self.skipped.len() - before.1 {
                        0 => "account",
                        _ => "active account",
                    };
                    self.faults.push(Fault::new(
                        format!("`{reference}` matches no {what}"),
                        correct("pattern", &nearest_accounts(reference, organization)),
                    ));
                }
                return;
            }
            Ok(Reference::Exact { account, closed }) => {
                if account.is_open() && !closed.is_empty() {
                    let ids: Vec<String> = closed
                        .iter()
                        .map(|account| account.id.to_string())
                        .collect();
                    self.notes.push(format!(
                        "`{reference}` is account {}; closed accounts of this name are ignored: {}",
                        account.id,
                        ids.join(", ")
                    ));
                }
                account
            }
        };
        if account.state == AccountState::Active {
            self.accounts.extend(organization.position(&account.id));
            return;
        }
        self.faults.push(Fault {
            account: Some(account.id.to_string()),
            ..Fault::new(
                format!(
                    "account {} is {}: AWS does not accept assignments to it",
                    account_name(account),
                    account.state
                ),
                match account.state {
                    AccountState::PendingActivation => "run again once the account is active",
                    _ => "reopen the account in AWS Organizations, or remove it from the blueprint",
                },
            )
        });
    }

    fn add_filter(
        &mut self,
        selector: &Accounts,
        filter: &AccountFilter,
        organization: &Organization,
    ) {
        let within = vec![true; organization.accounts().len()];
        let mut matches = filter_matches(filter, within, organization, &mut self.faults);
        if let Some(except) = &filter.except {
            match excepted(except, &matches, organization) {
                Ok(excepted) => subtract(&mut matches, &excepted),
                Err(faults) => {
                    // A wrong exception would give access to the accounts that it was to leave out.
                    self.faults.extend(faults);
                    return;
                }
            }
        }
        self.add_matches(&matches, organization);
        if self.accounts.is_empty() && self.faults.is_empty() {
            let fault = self.empty(selector, filter, organization);
            self.faults.push(fault);
        }
    }

    /// Adds what a filter or a pattern matches: active accounts, and never the management account.
    fn add_matches(&mut self, matches: &[bool], organization: &Organization) {
        for position in positions(matches) {
            let account = &organization.accounts()[position];
            if account.id == *organization.management_account() {
                self.without_management_account = true;
            } else if account.state == AccountState::Active {
                self.accounts.push(position);
            } else {
                self.skipped.push(position);
            }
        }
    }

    /// Returns the fault of a filter that matches nothing, with the key that matches nothing and similar values.
    fn empty(
        &self,
        selector: &Accounts,
        filter: &AccountFilter,
        organization: &Organization,
    ) -> Fault {
        let message = format!("`{selector}` matches no account");
        if !self.skipped.is_empty() {
            let skipped = self
                .skipped
                .iter()
                .map(|position| &organization.accounts()[*position]);
            let names: Vec<String> = skipped.map(account_name).collect();
            return Fault::new(
                format!(
                    "{message} that is active: it matches {}",
                    abbreviated(&names, 3)
                ),
                "wait until the accounts are active, or correct the selector",
            );
        }
        if self.without_management_account {
            return Fault::new(
                format!("{message}, because a filter never matches the management account"),
                format!(
                    "name the account by its id: {}",
                    organization.management_account()
                ),
            );
        }
        let accounts = organization.accounts().iter();
        for (key, OneOrMany(values)) in &filter.tag {
            let tags = || accounts.clone().filter_map(|account| account.tags.as_ref());
            let mut known: Vec<&str> = tags()
                .filter_map(|tags| Some(tags.get(key)?.as_str()))
                .collect();
            if known.is_empty() {
                let keys = nearest(key, tags().flatten().map(|(key, _)| key.as_str()));
                return Fault::new(message, correct(&format!("tag key `{key}`"), &keys));
            }
            known.sort_unstable();
            known.dedup();
            let any = values
                .iter()
                .any(|value| known.iter().any(|known| matches_text(value, known)));
            if !any {
                let similar = values
                    .iter()
                    .flat_map(|value| nearest(value, known.iter().copied()));
                let similar: Vec<&str> = similar.take(3).collect();
                return Fault::new(message, correct(&format!("value of tag `{key}`"), &similar));
            }
        }
        for name in filter.name.iter().filter(|name| is_pattern(name)) {
            let names = nearest_accounts(name, organization);
            if !names.is_empty() {
                return Fault::new(message, correct("name", &names));
            }
        }
        Fault::new(
            message,
            "no account matches all keys of the selector: correct it, or remove the entry from the blueprint",
        )
    }
}

/// An account reference of a list.
enum Reference<'a> {
    /// One account: by id, or the open account of this name, with the closed accounts of the name.
    Exact {
        account: &'a Account,
        closed: Vec<&'a Account>,
    },
    Pattern(Vec<bool>),
}

/// Resolves an id, an exact name or a pattern.
fn resolve<'a>(reference: &str, organization: &'a Organization) -> Result<Reference<'a>, Fault> {
    if let Ok(id) = AccountId::parse(reference) {
        let account = organization.account(&id);
        return account
            .map(|account| Reference::Exact {
                account,
                closed: Vec::new(),
            })
            .ok_or_else(|| unknown_account(reference, organization));
    }
    let named = organization.accounts_named(reference);
    let (open, mut closed): (Vec<&Account>, Vec<&Account>) =
        named.into_iter().partition(|account| account.is_open());
    match open.as_slice() {
        [account] => Ok(Reference::Exact { account, closed }),
        [] if !closed.is_empty() => Ok(Reference::Exact {
            account: closed.remove(0),
            closed,
        }),
        [] if is_pattern(reference) => {
            let pattern = WildMatch::new(reference);
            let accounts = organization.accounts().iter();
            let matches = accounts.map(|account| {
                account
                    .name
                    .as_deref()
                    .is_some_and(|name| pattern.matches(name))
            });
            Ok(Reference::Pattern(matches.collect()))
        }
        [] => Err(unknown_account(reference, organization)),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|account| account.id.to_string())
                .collect();
            Err(Fault {
                account: Some(reference.to_owned()),
                ..Fault::new(
                    format!(
                        "`{reference}` is the name of {}: {}",
                        count(ids.len(), "account"),
                        ids.join(", ")
                    ),
                    "use the account id in the blueprint",
                )
            })
        }
    }
}

/// Returns the accounts of `matches` that match all keys of a filter. Exceptions, states and the management account are
/// not considered.
fn filter_matches(
    filter: &AccountFilter,
    mut matches: Vec<bool>,
    organization: &Organization,
    faults: &mut Vec<Fault>,
) -> Vec<bool> {
    let none = || vec![false; organization.accounts().len()];
    if !filter.ou.is_empty() {
        let mut within = none();
        for reference in &filter.ou {
            match resolve_unit(reference, organization) {
                Ok(unit) => add_accounts(
                    &mut within,
                    organization.accounts_below(&unit.id),
                    organization,
                ),
                Err(fault) => faults.push(fault),
            }
        }
        intersect(&mut matches, &within);
    }
    if !filter.name.is_empty() {
        let mut named = none();
        for reference in &filter.name {
            match resolve(reference, organization) {
                Ok(Reference::Exact { account, .. }) => {
                    add_accounts(&mut named, [account], organization);
                }
                Ok(Reference::Pattern(found)) => unite(&mut named, &found),
                Err(fault) => faults.push(fault),
            }
        }
        intersect(&mut matches, &named);
    }
    if filter.tag.is_empty() {
        return matches;
    }
    for (position, matched) in matches
        .iter_mut()
        .enumerate()
        .filter(|(_, matched)| **matched)
    {
        let account = &organization.accounts()[position];
        *matched = account.tags.as_ref().is_some_and(|tags| {
            filter.tag.iter().all(|(key, OneOrMany(values))| {
                tags.get(key)
                    .is_some_and(|tag| values.iter().any(|value| matches_text(value, tag)))
            })
        });
        if account.tags.is_none() {
            faults.push(Fault {
                account: Some(account.id.to_string()),
                ..Fault::new(
                    format!("the tags of account {} are not known", account_name(account)),
                    "run again; the credentials need the permission organizations:ListTagsForResource",
                )
            });
        }
    }
    matches
}

/// Returns the accounts of `within` that an exception leaves out.
fn excepted(
    except: &Accounts,
    within: &[bool],
    organization: &Organization,
) -> Result<Vec<bool>, Vec<Fault>> {
    let mut faults = Vec::new();
    let matches = match except {
        Accounts::Where(filter) => {
            filter_matches(filter, within.to_vec(), organization, &mut faults)
        }
        Accounts::Named(references) => {
            let mut matches = vec![false; organization.accounts().len()];
            for reference in references {
                match resolve(reference, organization) {
                    Ok(Reference::Exact { account, closed }) => {
                        add_accounts(
                            &mut matches,
                            closed.into_iter().chain([account]),
                            organization,
                        );
                    }
                    Ok(Reference::Pattern(found)) => unite(&mut matches, &found),
                    Err(fault) => faults.push(fault),
                }
            }
            matches
        }
    };
    for fault in &mut faults {
        // The account itself has no problem.
        fault.account = None;
        fault.message = format!("`except`: {}", fault.message);
    }
    if faults.is_empty() {
        Ok(matches)
    } else {
        Err(faults)
    }
}

/// Resolves the id, the path or the name of a root or unit.
fn resolve_unit<'a>(
    reference: &str,
    organization: &'a Organization,
) -> Result<&'a OrganizationalUnit, Fault> {
    let units = match UnitId::parse(reference) {
        Ok(id) => organization.unit(&id).into_iter().collect(),
        Err(_not_an_id) if reference.contains('/') => {
            organization.units_at(reference.trim_matches('/'))
        }
        Err(_not_an_id) => organization.units_named(reference),
    };
    match units.as_slice() {
        [unit] => Ok(unit),
        [] => {
            let message = format!("organizational unit `{reference}` does not exist");
            let help = correct("unit", &nearest_units(reference, organization));
            Err(Fault::new(message, help))
        }
        several => {
            let units = several.iter();
            let paths: Vec<String> = units
                .map(|unit| format!("{} ({})", organization.unit_path(unit), unit.id))
                .collect();
            Err(Fault::new(
                format!(
                    "`{reference}` is the name of {} organizational units: {}",
                    paths.len(),
                    paths.join(", ")
                ),
                "use the path or the id of the unit",
            ))
        }
    }
}

fn unknown_account(reference: &str, organization: &Organization) -> Fault {
    Fault {
        account: Some(reference.to_owned()),
        ..Fault::new(
            format!("account `{reference}` does not exist in the organization"),
            correct("id or the name", &nearest_accounts(reference, organization)),
        )
    }
}

/// Returns the help for a wrong value with similar values.
fn correct(what: &str, similar: &[impl AsRef<str>]) -> String {
    let similar: Vec<&str> = similar.iter().map(AsRef::as_ref).collect();
    match similar.as_slice() {
        [] => format!("correct the {what} in the blueprint; names are compared exactly"),
        [one] => format!("did you mean {one}? Correct the blueprint"),
        [others @ .., last] => format!(
            "did you mean {} or {last}? Correct the {what} in the blueprint",
            others.join(", ")
        ),
    }
}

/// Returns the accounts with a similar name, each with its id.
fn nearest_accounts(name: &str, organization: &Organization) -> Vec<String> {
    let accounts = organization.accounts().iter();
    let names = accounts.filter_map(|account| account.name.as_deref());
    let names = nearest(&name.replace(['*', '?'], ""), names).into_iter();
    let accounts = names.filter_map(|name| organization.accounts_named(name).first().copied());
    accounts.map(account_name).collect()
}

/// Returns the paths of the units whose name or path is similar.
fn nearest_units(reference: &str, organization: &Organization) -> Vec<String> {
    let units = organization.units().iter();
    if reference.contains('/') {
        let paths: Vec<String> = units.map(|unit| organization.unit_path(unit)).collect();
        let similar = nearest(reference, paths.iter().map(String::as_str));
        return similar.into_iter().map(str::to_owned).collect();
    }
    let names = nearest(reference, units.map(|unit| unit.name.as_str()));
    let units = names
        .into_iter()
        .flat_map(|name| organization.units_named(name));
    units.map(|unit| organization.unit_path(unit)).collect()
}

/// Returns the account's name and id for a message.
pub(crate) fn account_name(account: &Account) -> String {
    match &account.name {
        Some(name) => format!("{name} ({})", account.id),
        None => account.id.to_string(),
    }
}

/// Returns whether a pattern, or an exact name, matches a whole text.
pub(crate) fn matches_text(pattern: &str, text: &str) -> bool {
    pattern == text || is_pattern(pattern) && WildMatch::new(pattern).matches(text)
}

fn positions(matches: &[bool]) -> Vec<usize> {
    let accounts = matches
        .iter()
        .enumerate()
        .filter(|(_, is_match)| **is_match);
    accounts.map(|(position, _)| position).collect()
}

fn add_accounts<'a>(
    matches: &mut [bool],
    accounts: impl IntoIterator<Item = &'a Account>,
    organization: &Organization,
) {
    let positions = accounts
        .into_iter()
        .filter_map(|account| organization.position(&account.id));
    positions.for_each(|position| matches[position] = true);
}

fn intersect(left: &mut [bool], right: &[bool]) {
    left.iter_mut()
        .zip(right)
        .for_each(|(left, right)| *left &= right);
}

fn unite(left: &mut [bool], right: &[bool]) {
    left.iter_mut()
        .zip(right)
        .for_each(|(left, right)| *left |= right);
}

fn subtract(left: &mut [bool], right: &[bool]) {
    left.iter_mut()
        .zip(right)
        .for_each(|(left, right)| *left &= !right);
}

#[cfg(test)]
pub(super) mod tests;
