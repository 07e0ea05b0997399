//! The drift of the assignments: access that the blueprint does not give, and access that is missing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use aws_sso_glue::{
    Account, AccountId, GroupId, PermissionSetArn, Principal as AwsPrincipal, UserId,
    estate::{AssignmentRef, Principals},
};

use super::{
    access_hazards::{Role, deleted_principal, principal_subject},
    estate::InstanceReads,
    owned_access::{Decision, InAws, Kept, Owner},
    set_contents::is_administrator,
};
use crate::{
    access::{AccessSnapshot, AccountAssignment, AssignmentStatus, Rules},
    blueprint::{Accounts, Blueprint, EarlierMatches, Ownership, PrincipalSpec, account_name},
    context::Context,
    drift::{Drift, DriftCause, DriftCode, DriftFinding},
    error::Result,
    plan::{Subject, count},
    state::Facts,
};

/// Returns the differences between the assignments of an instance and those of the blueprint.
pub(super) async fn findings(
    blueprint: &Blueprint,
    access: &AccessSnapshot,
    reads: &InstanceReads<'_>,
    cx: &Context,
) -> Result<Drift> {
    let Some(rules) = access.rules() else {
        return Ok(Drift::default());
    };
    let in_aws = InAws {
        principals: Arc::clone(&access.principals),
        sets: Arc::clone(&access.permission_sets),
        assignments: Arc::clone(&access.assignments),
    };
    let specs = rules.specs.iter();
    let specs = specs.map(|(principal, spec)| (spec.clone(), principal.clone()));
    let (specs, ledger) = (specs.collect(), cx.ledger()?);
    let others = if blueprint.may_remove_assignments() {
        Some(cx.other_ledgers().await?)
    } else {
        None
    };
    let (expansion, ledger) = (&rules.expansion, ledger.as_deref());
    let owner = Owner::new(blueprint, expansion, &in_aws, &specs, ledger, others, cx);
    let mut drift = Drift {
        problems: rules.expansion.problems.clone(),
        coverage: Some(access.coverage().clone()),
        ..Drift::default()
    };
    let comparison = Comparison::new(
        access,
        rules,
        owner,
        blueprint.ownership.access,
        cx.facts_at_start(),
    );
    comparison.add_missing(&mut drift);
    let foreign = comparison.foreign();
    let sets: BTreeSet<&PermissionSetArn> = foreign
        .iter()
        .map(|(row, ..)| row.permission_set_arn)
        .collect();
    let mut administrator = BTreeSet::new();
    for set in sets {
        let Some(found) = access.permission_sets().get(set) else {
            continue;
        };
        if let Some(contents) = reads.contents(found).await?
            && is_administrator(&contents)
        {
            administrator.insert(set);
        }
    }
    for (row, code, decision) in &foreign {
        let code = match code {
            DriftCode::UnmanagedAssignment if administrator.contains(row.permission_set_arn) => {
                DriftCode::UnmanagedAdmin
            }
            code => *code,
        };
        drift.add(comparison.foreign_finding(row, code, *decision));
    }
    comparison.add_useless(&mut drift);
    comparison.add_notes(&mut drift);
    Ok(drift)
}

/// The access of AWS and that of the blueprint.
struct Comparison<'a> {
    access: &'a AccessSnapshot,
    rules: &'a Rules,
    owner: Owner<'a>,
    /// The mode of `ownership.access`.
    mode: Ownership,
    /// The users and groups of the blueprint that AWS has.
    in_aws: HashMap<&'a PrincipalSpec, &'a AwsPrincipal>,
    /// The users and groups of earlier runs, by their id in AWS.
    recorded: &'a BTreeMap<String, PrincipalSpec>,
    /// The recorded ids that AWS no longer has.
    old_ids: HashMap<&'a PrincipalSpec, &'a String>,
    /// The accounts that each selector matched at the last run.
    earlier: &'a EarlierMatches,
}

impl<'a> Comparison<'a> {
    fn new(
        access: &'a AccessSnapshot,
        rules: &'a Rules,
        owner: Owner<'a>,
        mode: Ownership,
        saved: &'a Facts,
    ) -> Self {
        let specs = rules.specs.iter();
        let recorded = &saved.principals;
        // Of several ids of one name, the first one is named.
        let old = recorded.iter().rev();
        let old = old.filter(|(id, _)| !exists(access.principals(), id));
        Self {
            access,
            rules,
            owner,
            mode,
            in_aws: specs.map(|(principal, spec)| (spec, principal)).collect(),
            recorded,
            old_ids: old.map(|(id, spec)| (spec, id)).collect(),
            earlier: &saved.selections,
        }
    }

    /// Adds the assignments of the blueprint that are missing.
    fn add_missing(&self, drift: &mut Drift) {
        let sets = self.access.permission_sets();
        for row in self.rules.expansion.rows() {
            let principal = self.in_aws.get(row.principal);
            let set = sets.by_name(row.permission_set);
            let exists = principal.zip(set).is_some_and(|(principal, set)| {
                let assignment = AssignmentRef::new(&row.account.id, &set.arn, principal);
                self.access.table().contains(assignment) == Some(true)
            });
            if exists {
                continue;
            }
            let code = if row.protected {
                DriftCode::ProtectedMissing
            } else {
                DriftCode::MissingAssignment
            };
            let given = self.places(row.entries);
            let text = format!(
                "{} does not have {} in {}, which {given} gives",
                row.principal,
                row.permission_set,
                account_name(row.account),
            );
            let fix = "apply a plan of the blueprint";
            let finding = DriftFinding::new(code, Role::of(&row).subject(), text, fix);
            drift.add(finding.with_cause(self.recreated(row.principal)));
        }
    }

    /// Returns the cause if earlier runs have recorded another id for a user or group.
    fn recreated(&self, spec: &PrincipalSpec) -> Option<DriftCause> {
        let old_id = self.old_ids.get(spec)?;
        Some(self.recreated_from(spec, old_id))
    }

    fn recreated_from(&self, spec: &PrincipalSpec, old_id: &str) -> DriftCause {
        DriftCause::RecreatedPrincipal {
            name: spec.to_string(),
            old_id: old_id.to_owned(),
            new_id: self.in_aws.get(spec).map(|principal| id(principal)),
        }
    }

    /// Returns the assignments that the blueprint does not give, each with what the next run decides about it.
    fn foreign(&self) -> Vec<(AccountAssignment<'a>, DriftCode, Decision<'a>)> {
        let rows = self.access.assignments();
        let foreign = rows.filter_map(|row| {
            if !row.entries.is_empty() {
                return None;
            }
            let key = AssignmentRef::new(row.account_id, row.permission_set_arn, row.principal);
            // The next run reads everything in mode `exclusive`.
            let decision = self.owner.decide(key, true);
            let code = self.foreign_code(&row, decision)?;
            Some((row, code, decision))
        });
        foreign.collect()
    }

    fn foreign_code(
        &self,
        row: &AccountAssignment<'_>,
        decision: Decision<'_>,
    ) -> Option<DriftCode> {
        let Some(spec) = self.access.spec(row.principal) else {
            return Some(DriftCode::Orphan);
        };
        let expansion = &self.rules.expansion;
        let expired = expansion.expired_row(&spec, row.permission_set, row.account_id);
        match decision {
            _ if expired.is_some() => Some(DriftCode::ExpiredStillAssigned),
            Decision::Kept(Kept::MayBeGiven) => None,
            _ => Some(DriftCode::UnmanagedAssignment),
        }
    }

    fn foreign_finding(
        &self,
        row: &AccountAssignment<'_>,
        code: DriftCode,
        decision: Decision<'_>,
    ) -> DriftFinding {
        let principal_id = id(row.principal);
        let recorded = self.recorded.get(&principal_id);
        let spec = self.access.spec(row.principal);
        let name = match (&spec, recorded) {
            (Some(spec), _) => spec.to_string(),
            (None, Some(deleted)) => format!("deleted {deleted} ({principal_id})"),
            (None, None) => match row.principal {
                AwsPrincipal::User(_) => format!("deleted user {principal_id}"),
                AwsPrincipal::Group(_) => format!("deleted group {principal_id}"),
            },
        };
        let why = match code {
            DriftCode::Orphan => "AWS keeps the assignment of a deleted user or group",
            DriftCode::ExpiredStillAssigned => "the entry of the blueprint has expired",
            _ => "the blueprint does not give it",
        };
        let text = format!(
            "{name} has {} in {}: {why}",
            row.permission_set,
            account_text(row.account_id, row.account)
        );
        let fix = match code {
            DriftCode::ExpiredStillAssigned => "apply a plan of the blueprint".to_owned(),
            _ => fix(code, decision, self.mode),
        };
        let cause = match (code, recorded) {
            (DriftCode::Orphan, Some(spec)) => Some(self.recreated_from(spec, &principal_id)),
            (DriftCode::UnmanagedAssignment | DriftCode::UnmanagedAdmin, _) => {
                self.moved(row, spec.as_ref())
            }
            _ => None,
        };
        let subject = Subject::Assignment {
            principal: match spec {
                Some(spec) => principal_subject(&spec),
                None => deleted_principal(row.principal),
            },
            account: row.account_id.as_str().into(),
            permission_set: row.permission_set.into(),
        };
        DriftFinding::new(code, subject, text, fix).with_cause(cause)
    }

    /// Returns the cause if a selector of the blueprint matched the account at the last run, and does not match it now.
    fn moved(
        &self,
        row: &AccountAssignment<'_>,
        spec: Option<&PrincipalSpec>,
    ) -> Option<DriftCause> {
        let gives = self.rules.expansion.gives(spec?, row.permission_set);
        let now = &self.rules.expansion.matches;
        let left = self.earlier.iter().find(|(key, before)| {
            let matches = |found: &BTreeSet<AccountId>| found.contains(row.account_id);
            gives && matches(before) && now.get(*key).is_some_and(|now| !matches(now))
        });
        let (key, _) = left?;
        Some(DriftCause::MovedAccount {
            selector: Accounts::text_of_key(key),
        })
    }

    /// Adds the assignments that give no access: of disabled users, of closed accounts, of groups without members; and the sets
    /// that are provisioned without an assignment.
    fn add_useless(&self, drift: &mut Drift) {
        let mut useless: BTreeMap<(AssignmentStatus, Subject, String), usize> = BTreeMap::new();
        for row in self.access.assignments() {
            let about = match row.status {
                AssignmentStatus::DisabledUser | AssignmentStatus::NoMembers => {
                    self.access.spec(row.principal).map(|spec| {
                        let name = spec.to_string();
                        let subject = match spec {
                            PrincipalSpec::User(name) => Subject::user(name),
                            PrincipalSpec::Group(name) => Subject::group(name),
                        };
                        (subject, name)
                    })
                }
                AssignmentStatus::ClosedAccount => {
                    let id = row.account_id.as_str().into();
                    let name = account_text(row.account_id, row.account);
                    Some((Subject::Account { id }, name))
                }
                AssignmentStatus::Active | AssignmentStatus::Orphan => None,
            };
            if let Some((subject, name)) = about {
                *useless.entry((row.status, subject, name)).or_default() += 1;
            }
        }
        for ((status, subject, name), number) in useless {
            let assignments = count(number, "assignment");
            let (code, text, fix) = match status {
                AssignmentStatus::DisabledUser => (
                    DriftCode::DisabledUserWithAccess,
                    format!("{name} is disabled and has {assignments}"),
                    "delete the assignments, or enable the user in Okta",
                ),
                AssignmentStatus::NoMembers => (
                    DriftCode::GroupWithoutMembers,
                    format!("{name} has no members and has {assignments}"),
                    "add members to the group, or delete the assignments",
                ),
                _ => (
                    DriftCode::ClosedAccountWithAccess,
                    format!(
                        "account {name} is closed or no longer in the organization, and has {assignments}"
                    ),
                    "delete the assignments: AWS keeps them after the account is closed",
                ),
            };
            drift.add(DriftFinding::new(code, subject, text, fix));
        }
        for (set, account) in self.access.provisioned_without_assignment() {
            let name = self.access.permission_set_name(&set);
            let account = account_text(&account, self.access.organization().account(&account));
            let subject = Subject::Provisioning {
                permission_set: name.into(),
            };
            let text = format!(
                "permission set {name} is provisioned in {account} without an assignment that was read"
            );
            let fix = "assign the set and delete the assignment again: AWS then removes its role from the account";
            drift.add(DriftFinding::new(
                DriftCode::ProvisionedNotAssigned,
                subject,
                text,
                fix,
            ));
        }
    }

    /// Adds what is no difference yet: entries that expire soon, new accounts of a selector, and what was not read.
    fn add_notes(&self, drift: &mut Drift) {
        let expansion = &self.rules.expansion;
        for note in &expansion.notes {
            if note.code.as_str() == "expires-soon"
                && let Some(subject) = &note.subject
            {
                let fix = "set a later date, or let the next run remove the access";
                let text = note.text.clone();
                let code = DriftCode::ExpiresSoon;
                drift.add(DriftFinding::new(code, subject.clone(), text, fix));
            }
        }
        for selection in &expansion.selections {
            for account in &selection.new {
                let subject = Subject::Account {
                    id: account.id.clone(),
                };
                let text = format!(
                    "`{}` now matches {} ({})",
                    selection.selector, account.name, account.id
                );
                let fix = "apply a plan of the blueprint, or exclude the account";
                drift.add(DriftFinding::new(
                    DriftCode::NewAccountMatched,
                    subject,
                    text,
                    fix,
                ));
            }
        }
        let coverage = self.access.coverage();
        if !coverage.is_complete() {
            let fix = "compare with full coverage";
            drift.add(DriftFinding::new(
                DriftCode::CoverageLimited,
                Subject::IdentityCenter {},
                coverage.to_string(),
                fix,
            ));
        }
    }

    fn places(&self, entries: &[usize]) -> String {
        let places = entries.iter().filter_map(|entry| self.access.place(*entry));
        places.collect::<Vec<_>>().join(" and ")
    }
}

/// Returns what to do about an assignment that the blueprint does not give.
fn fix(code: DriftCode, decision: Decision<'_>, mode: Ownership) -> String {
    let or_add = match code {
        // The blueprint has no entry for a deleted user or group.
        DriftCode::Orphan => "",
        _ => ", or add it to `access` in the blueprint",
    };
    match decision {
        Decision::Removed(_) => {
            let keep = match code {
                DriftCode::Orphan => "",
                _ => "; to keep the assignment, add it to `access` in the blueprint",
            };
            format!("apply a plan of the blueprint: it removes the assignment{keep}")
        }
        Decision::Kept(Kept::Protected) => {
            format!("no run removes it, because it is protected: delete it in AWS{or_add}")
        }
        Decision::Kept(Kept::Other(name)) => {
            format!("blueprint {name} has made it: remove it there{or_add}")
        }
        Decision::Kept(Kept::ClosedAccount) => {
            "no run removes it, because AWS refuses changes in a closed account".to_owned()
        }
        Decision::Kept(Kept::Renaming) => {
            "a run removes it after all assignments of the renamed permission set are there"
                .to_owned()
        }
        Decision::Kept(Kept::NotOwned | Kept::MayBeGiven) => {
            let why = match mode {
                Ownership::Add => "",
                Ownership::Managed => "no run removes it, because none has made it: ",
                Ownership::Exclusive => "no run removes it, because it is outside of `scope`: ",
            };
            format!("{why}delete the assignment in AWS{or_add}")
        }
    }
}

/// Returns the name and the id of an account, or the id of one that the organization no longer has.
pub(super) fn account_text(id: &AccountId, account: Option<&Account>) -> String {
    account.map_or_else(|| id.to_string(), account_name)
}

/// Returns whether AWS has a user or group with this id.
fn exists(in_aws: &Principals, id: &str) -> bool {
    let user = UserId::parse(id).ok();
    let group = GroupId::parse(id).ok();
    user.is_some_and(|id| in_aws.user(&id).is_some())
        || group.is_some_and(|id| in_aws.group(&id).is_some())
}

/// Returns the id of a user or group.
pub(super) fn id(principal: &AwsPrincipal) -> String {
    match principal {
        AwsPrincipal::User(id) => id.to_string(),
        AwsPrincipal::Group(id) => id.to_string(),
    }
}
