//! The assignments that AWS has and the blueprint does not give, and whether its ownership removes them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use aws_sso_glue::{
    Principal,
    estate::{AssignmentRef, AssignmentTable, PermissionSetTable, Principals},
};

use super::{
    access_drift::{account_text, id as principal_id},
    access_hazards::{deleted_principal, principal_subject},
    estate::InstanceReads,
    renames::{Renames, Replaced},
};
use crate::{
    access::{AccessQuery, spec_in_aws},
    blueprint::{Blueprint, Expansion, Ownership, PrincipalSpec},
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Note, Problem, Subject, Value},
    state::{Ledger, OtherLedgers},
};

/// The users and groups, the permission sets and the assignments of AWS.
pub(super) struct InAws {
    pub(super) principals: Arc<Principals>,
    pub(super) sets: Arc<PermissionSetTable>,
    pub(super) assignments: Arc<AssignmentTable>,
}

/// Decides about the assignments that the blueprint does not give.
pub(super) struct Owner<'a> {
    blueprint: &'a Blueprint,
    access: &'a Expansion,
    in_aws: &'a InAws,
    /// The users and groups of the blueprint that AWS has, in both directions.
    specs: HashMap<&'a Principal, &'a PrincipalSpec>,
    found: HashSet<&'a PrincipalSpec>,
    /// The users and groups of earlier runs, by their id in AWS.
    recorded: &'a BTreeMap<String, PrincipalSpec>,
    ledger: Option<&'a Ledger>,
    /// Not known if the blueprint removes no assignment.
    others: Option<&'a OtherLedgers>,
    renames: Renames<'a>,
}

/// The assignments that the blueprint does not give.
#[derive(Default)]
pub(super) struct Foreign<'a> {
    /// The assignments to remove, each with the reason.
    pub(super) removed: Vec<(AssignmentRef<'a>, Reason)>,
    /// The assignments that stay.
    kept: Vec<(AssignmentRef<'a>, Kept<'a>)>,
    pub(super) problem: Option<Problem>,
}

/// Why an assignment is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A run of the blueprint has made it, and no entry gives it any more.
    NoLongerGiven,
    /// It is in the scope of mode `exclusive`.
    NotInBlueprint,
    /// Its user or group was deleted.
    Orphan,
    /// Its set has another name now, and the assignment of the new set is there.
    Renamed,
}

/// The decision about an assignment that no entry gives now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision<'a> {
    Removed(Reason),
    Kept(Kept<'a>),
}

/// Why an assignment stays that the blueprint does not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept<'a> {
    /// The ownership does not remove it.
    NotOwned,
    Protected,
    /// The runs of another blueprint have made it.
    Other(&'a str),
    /// An entry may give it: its selector has a problem, its account is not active, or its user or group has another name.
    MayBeGiven,
    /// The account is closed, or no longer in the organization: AWS refuses to change its assignments.
    ClosedAccount,
    /// Its set has another name now, and not all assignments of the new set are there yet.
    Renaming,
}

impl<'a> Owner<'a> {
    /// `principals` are the users and groups of the blueprint that AWS has.
    pub(super) fn new(
        blueprint: &'a Blueprint,
        access: &'a Expansion,
        in_aws: &'a InAws,
        principals: &'a BTreeMap<PrincipalSpec, Principal>,
        ledger: Option<&'a Ledger>,
        others: Option<&'a OtherLedgers>,
        cx: &'a Context,
    ) -> Self {
        let specs = principals.iter();
        Self {
            blueprint,
            access,
            in_aws,
            specs: specs.map(|(spec, principal)| (principal, spec)).collect(),
            found: principals.keys().collect(),
            recorded: &cx.facts_at_start().principals,
            ledger,
            others,
            renames: Renames::new(blueprint, access, in_aws, principals),
        }
    }

    /// Returns the assignments that are not `wanted`, with what happens to each of them.
    pub(super) fn foreign(&self, wanted: &HashSet<AssignmentRef<'_>>) -> Foreign<'a> {
        let (is_exclusive, problem) = self.is_exclusive();
        let mut foreign = Foreign {
            problem,
            ..Foreign::default()
        };
        for row in self.in_aws.assignments.iter() {
            if wanted.contains(&row) {
                continue;
            }
            match self.decide(row, is_exclusive) {
                Decision::Removed(reason) => foreign.removed.push((row, reason)),
                Decision::Kept(kept) => foreign.kept.push((row, kept)),
            }
        }
        foreign
    }

    /// Decides about an assignment that no entry gives now.
    pub(super) fn decide(&self, row: AssignmentRef<'_>, is_exclusive: bool) -> Decision<'a> {
        if self.may_be_wanted(row) {
            return Decision::Kept(Kept::MayBeGiven);
        }
        match self.reason(row, is_exclusive) {
            Ok(reason) => Decision::Removed(reason),
            Err(kept) => Decision::Kept(kept),
        }
    }

    /// Returns whether the mode is exclusive and what was read allows it.
    fn is_exclusive(&self) -> (bool, Option<Problem>) {
        if self.blueprint.ownership.access != Ownership::Exclusive {
            return (false, None);
        }
        let coverage = self.in_aws.assignments.coverage();
        if coverage.is_complete() {
            return (true, None);
        }
        let message = format!(
            "no assignment is removed as exclusive, because not all of them could be read: {coverage}"
        );
        let error = Error::new(ErrorKind::UnusableSubject, message).with_help(
            "plan again; if it persists, ask AWS support about the answers that cannot be read",
        );
        let mode = Subject::Input {
            path: "ownership.access".into(),
        };
        (false, Some(Problem::new(Some(mode), &error)))
    }

    /// Returns whether an entry may give the assignment: its selector has a problem, its account is not active, or its user or
    /// group has another name now.
    fn may_be_wanted(&self, row: AssignmentRef<'_>) -> bool {
        let set = self.in_aws.set_name(row.permission_set);
        let new_name = self.renames.new_name(set);
        let may_give = |spec: &PrincipalSpec| {
            let mut sets = std::iter::once(set).chain(new_name);
            sets.any(|set| {
                self.access.is_unresolved(spec, set) || self.access.is_kept(spec, set, row.account)
            })
        };
        if self.spec(row.principal).is_some_and(|spec| may_give(&spec)) {
            return true;
        }
        // A group that has lost its name is the group of the blueprint, until AWS has another one of that name.
        let recorded = self.recorded.get(&principal_id(row.principal));
        let is_lost = |spec: &PrincipalSpec| !self.found.contains(spec);
        self.in_aws.principals.name(row.principal).is_some()
            && recorded.is_some_and(|spec| {
                is_lost(spec)
                    && (may_give(spec) || self.access.row(spec, set, row.account).is_some())
            })
    }

    /// Returns why an assignment is removed, or why it stays.
    fn reason(
        &self,
        row: AssignmentRef<'_>,
        is_exclusive: bool,
    ) -> std::result::Result<Reason, Kept<'a>> {
        let set = self.in_aws.set_name(row.permission_set);
        let is_ours = self
            .ledger
            .is_some_and(|ledger| ledger.assignments.contains(row));
        let is_in_scope =
            || self.blueprint.scope.has_permission_set(set) && self.access.is_in_scope(row.account);
        let replaced = self.renames.state(row, set);
        let reason = match self.blueprint.ownership.access {
            // Nothing of the old set goes before its replacement works, in no mode.
            _ if replaced == Some(Replaced::NotYet) => return Err(Kept::Renaming),
            _ if replaced == Some(Replaced::Yes) => Reason::Renamed,
            Ownership::Managed | Ownership::Exclusive if is_ours => Reason::NoLongerGiven,
            Ownership::Exclusive if is_exclusive && is_in_scope() => Reason::NotInBlueprint,
            _ => return Err(Kept::NotOwned),
        };
        if self.is_protected(row) {
            return Err(Kept::Protected);
        }
        if let Some(other) = self.others.and_then(|others| others.owner_of(row)) {
            return Err(Kept::Other(other));
        }
        let account = self.access.organization().account(row.account);
        if account.is_none_or(|account| !account.is_open()) {
            return Err(Kept::ClosedAccount);
        }
        if self.in_aws.principals.name(row.principal).is_none() {
            return Ok(Reason::Orphan);
        }
        Ok(reason)
    }

    fn is_protected(&self, row: AssignmentRef<'_>) -> bool {
        let protect = &self.blueprint.protect;
        let account = self.access.organization().account(row.account);
        let account = account.and_then(|account| account.name.as_deref());
        let name = self.in_aws.principals.name(row.principal);
        let name = name.unwrap_or_default();
        let has_principal = match row.principal {
            Principal::User(_) => protect.has_user(name),
            Principal::Group(_) => protect.has_group(name),
        };
        has_principal
            || protect.has_permission_set(self.in_aws.set_name(row.permission_set))
            || protect.has_account(row.account.as_str(), account)
    }

    /// Returns a user or group by its name in the blueprint, or else in AWS.
    pub(super) fn spec(&self, principal: &Principal) -> Option<PrincipalSpec> {
        let known = self.specs.get(principal).copied().cloned();
        known.or_else(|| spec_in_aws(&self.in_aws.principals, principal))
    }

    /// Returns the change that removes an assignment.
    pub(super) fn removal(&self, row: AssignmentRef<'_>, reason: Reason) -> Change {
        let principal = match self.spec(row.principal) {
            Some(spec) => principal_subject(&spec),
            None => deleted_principal(row.principal),
        };
        let subject = Subject::Assignment {
            principal,
            account: row.account.as_str().into(),
            permission_set: self.in_aws.set_name(row.permission_set).into(),
        };
        let account = self.access.organization().account(row.account);
        let account = account.and_then(|account| account.name.clone());
        let account = account.unwrap_or_else(|| row.account.to_string());
        Change::new(Action::Remove, subject)
            .field("account", Value::Known(account), Value::Absent)
            .field(
                "principal",
                Value::Known(principal_id(row.principal)),
                Value::Absent,
            )
            .because(self.note(row, reason))
    }

    /// Returns the reason of a removal for the reader of the plan.
    fn note(&self, row: AssignmentRef<'_>, reason: Reason) -> Note {
        match reason {
            Reason::NoLongerGiven => Note::new(
                "no-longer-given",
                "an earlier run has made it, and the blueprint no longer gives it",
            ),
            Reason::NotInBlueprint => {
                Note::new("not-in-blueprint", "the blueprint does not give it")
            }
            Reason::Renamed => {
                let old = self.in_aws.set_name(row.permission_set);
                let new = self.renames.new_name(old).unwrap_or_default();
                Note::new(
                    "renamed",
                    format!("permission set {old} is now {new}, whose assignment is there"),
                )
            }
            Reason::Orphan => {
                let kind = match row.principal {
                    Principal::User(_) => "user",
                    Principal::Group(_) => "group",
                };
                let known = self.recorded.get(&principal_id(row.principal));
                let name = known.map_or_else(|| kind.to_owned(), ToString::to_string);
                Note::new(
                    "orphan",
                    format!("{name} was deleted, and AWS keeps its assignments"),
                )
            }
        }
    }

    /// Returns notes about the assignments that stay.
    pub(super) fn notes(&self, foreign: &Foreign<'_>) -> Vec<Note> {
        let mut by_reason: BTreeMap<Kept<'_>, Vec<AssignmentRef<'_>>> = BTreeMap::new();
        for (row, kept) in &foreign.kept {
            by_reason.entry(*kept).or_default().push(*row);
        }
        let notes = by_reason.into_iter().map(|(kept, mut rows)| {
            // Administrators first, so that a long list shows them.
            rows.sort_by_cached_key(|row| {
                let set = self.in_aws.set_name(row.permission_set);
                (!set.contains("Admin"), set, *row)
            });
            let number = match rows.len() {
                1 => "1 assignment is".to_owned(),
                number => format!("{number} assignments are"),
            };
            let they = if rows.len() == 1 { "is" } else { "are" };
            let (code, text) = match kept {
                Kept::NotOwned => (
                    "other-assignments",
                    format!("{number} not in the blueprint and {they} kept"),
                ),
                Kept::Protected => ("protected-assignments", format!("{number} protected")),
                Kept::Other(name) => (
                    "assignments-of-another-blueprint",
                    format!("{number} kept, because blueprint {name} has made them"),
                ),
                Kept::MayBeGiven => (
                    "assignments-that-may-be-given",
                    format!(
                        "{number} kept, because an entry may give {}: it has a problem, or its user or group has another name",
                        if rows.len() == 1 { "it" } else { "them" }
                    ),
                ),
                Kept::Renaming => (
                    "assignments-of-a-renamed-set",
                    format!("{number} kept until all assignments of the renamed permission set are there"),
                ),
                Kept::ClosedAccount => (
                    "assignments-in-closed-accounts",
                    format!("{number} kept, because the account is closed"),
                ),
            };
            let coverage = self.in_aws.assignments.coverage();
            let not_read = match coverage.users_not_read {
                0 => String::new(),
                _ => format!(" ({coverage})"),
            };
            Note::new(code, format!("{text}: {}{not_read}", self.names(&rows)))
        });
        notes.chain(self.renames.notes(self.in_aws)).collect()
    }

    fn names(&self, rows: &[AssignmentRef<'_>]) -> String {
        let names = rows.iter().take(MAX_NAMES).map(|row| {
            let account = self.access.organization().account(row.account);
            format!(
                "{} has {} in {}",
                principal_text(&self.in_aws.principals, row.principal),
                self.in_aws.set_name(row.permission_set),
                account_text(row.account, account)
            )
        });
        let mut names: Vec<String> = names.collect();
        if rows.len() > MAX_NAMES {
            names.push(format!("and {} more", rows.len() - MAX_NAMES));
        }
        names.join(", ")
    }
}

impl InAws {
    /// Reads the assignments that the query asks for, and all that tells whether the `wanted` ones exist, and those of the ledger:
    /// whether an assignment of an earlier run exists must be known, also if its user or group was deleted.
    pub(super) async fn read(
        reads: &InstanceReads<'_>,
        principals: Arc<Principals>,
        wanted: &[Option<AssignmentRef<'_>>],
        ledger: Option<&Ledger>,
        query: &AccessQuery,
    ) -> Result<Self> {
        let made = ledger
            .into_iter()
            .flat_map(|ledger| ledger.assignments.iter());
        let wanted: Vec<_> = wanted.iter().flatten().copied().chain(made).collect();
        let assignments = reads.assignments(&principals, &wanted, query).await?;
        let sets = reads.permission_sets([]).await?;
        Ok(Self {
            principals,
            sets,
            assignments,
        })
    }

    /// Returns whether AWS has the assignment. One that could not be read counts as absent: AWS accepts a second creation.
    pub(super) fn has(&self, assignment: Option<AssignmentRef<'_>>) -> bool {
        assignment.is_some_and(|one| self.assignments.contains(one) == Some(true))
    }

    pub(super) fn set_name<'s>(&'s self, arn: &'s aws_sso_glue::PermissionSetArn) -> &'s str {
        self.sets.get(arn).map_or(arn.as_str(), |set| &set.name)
    }
}

/// Returns a user or group for a message.
pub(super) fn principal_text(in_aws: &Principals, principal: &Principal) -> String {
    let kind = match principal {
        Principal::User(_) => "user",
        Principal::Group(_) => "group",
    };
    match in_aws.name(principal) {
        Some(name) => format!("{kind} {name}"),
        None => format!("deleted {kind} {}", principal_id(principal)),
    }
}

/// Returns a note if mode `managed` has no ledger although earlier runs have found or made assignments.
pub(super) fn without_ledger(
    blueprint: &Blueprint,
    ledger: Option<&Ledger>,
    cx: &Context,
) -> Option<Note> {
    let is_managed = blueprint.ownership.needs_ledger();
    let is_lost = ledger.is_none() && !cx.facts_at_start().principals.is_empty();
    let text = "no ledger is beside the state, so that nothing of earlier runs is removed; with `adopt = true` in `ownership`, what exists of the blueprint counts as made by it";
    (is_managed && is_lost).then(|| Note::new("no-ledger", text))
}

/// Maximum number of assignments that a note names.
const MAX_NAMES: usize = 10;
