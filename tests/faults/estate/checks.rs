//! The rules for the end of a case. They read the state of AWS and the operations that AWS has accepted, and not what the
//! run says about itself.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use sandbox::{AcceptedOperation, OperationKind, Sandbox};

use super::{Ownership, Start};

/// An assignment, by the names of its group and permission set. A deleted group has its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) principal: String,
    pub(crate) set: String,
    pub(crate) account: String,
}

impl Row {
    fn new(principal: &str, set: &str, account: &str) -> Self {
        Self {
            principal: principal.to_owned(),
            set: set.to_owned(),
            account: account.to_owned(),
        }
    }

    /// Returns whether a text names the assignment, or the state of its account as the reason.
    fn is_named_in(&self, text: &str) -> bool {
        let has = |part: &&str| text.contains(*part);
        let is_row = [&*self.principal, &self.set, &self.account].iter().all(has);
        let states = ["SUSPENDED", "CLOSED"];
        is_row || text.contains(&self.account) && states.iter().any(has)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} in {}", self.principal, self.set, self.account)
    }
}

/// Returns the assignments of AWS.
pub(crate) fn rows(sandbox: &Sandbox) -> Vec<Row> {
    let found = sandbox.assignments();
    let rows = found
        .iter()
        .map(|one| Row::new(&one.principal, &one.permission_set, &one.account));
    rows.collect()
}

const MANAGEMENT: &str = "111122223333";
const SANDBOX: &str = "200000000002";
const W3: &str = "200000000003";
const W4: &str = "200000000004";
const W5: &str = "200000000005";
const W6: &str = "200000000006";

/// Returns the assignments that a run has to reach, written by hand.
pub(crate) fn desired(ownership: Ownership) -> BTreeSet<Row> {
    let mut table = vec![
        (
            "platform",
            "AdministratorAccess",
            &[MANAGEMENT, SANDBOX, W3, W4, W5, W6][..],
        ),
        ("developers", "Deploy", &[SANDBOX, W3, W5]),
        ("auditors", "Read", &[W3, W4, W5, W6]),
        ("support", "Ops", &[W5, W6]),
        ("support", "Read", &[W3, W4, W5, W6]),
        ("contractors", "Read", &[SANDBOX]),
    ];
    if ownership == Ownership::Managed {
        table.push(("night-shift", "Deploy", &[SANDBOX]));
    }
    let rows = table.into_iter().flat_map(|(principal, set, accounts)| {
        let accounts = accounts.iter();
        accounts.map(move |account| Row::new(principal, set, account))
    });
    rows.collect()
}

/// Returns whether an assignment was given by hand, so that no run has made it.
fn is_by_hand(row: &Row) -> bool {
    row.principal == "night-shift" || *row == Row::new("auditors", "Read", W6)
}

/// Returns the assignments that a run may remove, each with those that must exist first, because they replace it.
fn removals(start: &Start) -> Vec<(Row, Vec<Row>)> {
    let orphan = &start.orphan;
    let mut removals = vec![
        (
            Row::new("developers", "Deploy", W4),
            vec![Row::new("developers", "Deploy", W5)],
        ),
        (
            Row::new("support", "Deploy", W5),
            vec![Row::new("support", "Ops", W5)],
        ),
        (
            Row::new("support", "Deploy", W6),
            vec![Row::new("support", "Ops", W6)],
        ),
        (
            Row::new(orphan, "Read", SANDBOX),
            vec![Row::new("contractors", "Read", SANDBOX)],
        ),
        (Row::new(orphan, "Deploy", W6), vec![]),
    ];
    if start.ownership == Ownership::Exclusive {
        removals.push((Row::new("night-shift", "Deploy", SANDBOX), vec![]));
    }
    removals
}

fn row_of(operation: &AcceptedOperation) -> Option<Row> {
    let principal = operation.principal.as_deref()?;
    let account = operation.account.as_deref()?;
    Some(Row::new(principal, &operation.permission_set, account))
}

/// Returns the broken rules about the operations that AWS has accepted since the start.
///
/// `runs` are the starts of the runs. `planned` are the removals that the plans have named, if they are known.
pub(crate) fn operations(
    sandbox: &Sandbox,
    start: &Start,
    runs: &[Timestamp],
    planned: Option<&BTreeSet<Row>>,
) -> Vec<String> {
    let all = sandbox.operations();
    let own: Vec<(Row, &AcceptedOperation)> = all
        .iter()
        .skip(start.operations)
        .filter(|operation| !operation.foreign)
        .filter_map(|operation| Some((row_of(operation)?, operation)))
        .collect();
    let mut wrong = Vec::new();
    for (index, (row, operation)) in own.iter().enumerate() {
        let kind = operation.kind;
        let earlier = own[..index].iter().rev();
        let mut earlier = earlier.filter(|(other, earlier)| other == row && earlier.kind == kind);
        let last = earlier.next().map(|(_, earlier)| *earlier);
        if kind == OperationKind::Unassign {
            check_removal(row, operation, &own, start, planned, &mut wrong);
        }
        if last.is_some_and(|last| is_of_interrupted_run(last, operation, runs)) {
            continue;
        }
        let is_twice = |last: &AcceptedOperation| {
            last.failure.is_none() || last.ended.is_none_or(|ended| ended > operation.started)
        };
        if last.is_some_and(is_twice) {
            wrong.push(format!("twice: {kind:?} {row}"));
        }
        if kind == OperationKind::Assign && operation.existed {
            wrong.push(format!("created, and it existed: {row}"));
        }
    }
    wrong
}

/// Returns whether an operation repeats one that an earlier run has left in progress, and that has ended after the
/// start of the later run. The plan has then not seen its result yet, and AWS no longer lists it as in progress. The
/// repetition is harmless, and avoiding it would cost a read of each assignment before it is created.
fn is_of_interrupted_run(
    last: &AcceptedOperation,
    operation: &AcceptedOperation,
    runs: &[Timestamp],
) -> bool {
    let run = runs.iter().rev().find(|run| **run <= operation.started);
    let is_left = |run: &Timestamp| {
        last.started < *run
            && last
                .ended
                .is_some_and(|ended| ended >= *run && ended <= operation.started)
    };
    run.is_some_and(is_left)
}

/// Checks that a removal was planned, and that its replacements existed when it started.
fn check_removal(
    row: &Row,
    operation: &AcceptedOperation,
    own: &[(Row, &AcceptedOperation)],
    start: &Start,
    planned: Option<&BTreeSet<Row>>,
    wrong: &mut Vec<String>,
) {
    let removals = removals(start);
    let Some((_, replacements)) = removals.iter().find(|(removed, _)| removed == row) else {
        wrong.push(format!("removed without reason: {row}"));
        return;
    };
    if planned.is_some_and(|planned| !planned.contains(row)) {
        wrong.push(format!("removed and not planned: {row}"));
    }
    for replacement in replacements {
        let is_made = own.iter().any(|(other, creation)| {
            other == replacement
                && creation.kind == OperationKind::Assign
                && creation.failure.is_none()
                && creation
                    .ended
                    .is_some_and(|ended| ended <= operation.started)
        });
        if !is_made {
            wrong.push(format!("removed before its replacement: {row}"));
        }
    }
}

/// Returns the broken rules about the assignments at the end.
///
/// `texts` are the texts of the last run. If a fault lasts, they have to name each difference; otherwise, there must be none.
pub(crate) fn end(
    sandbox: &Sandbox,
    start: &Start,
    lasting: bool,
    texts: &[String],
) -> Vec<String> {
    let desired = desired(start.ownership);
    let found: BTreeSet<Row> = rows(sandbox).into_iter().collect();
    let mut wrong = Vec::new();
    let missing = desired.difference(&found).map(|row| ("missing", row));
    let more = found.difference(&desired).map(|row| ("not removed", row));
    for (what, row) in missing.chain(more) {
        if !lasting {
            wrong.push(format!("{what}: {row}"));
        } else if !texts.iter().any(|text| row.is_named_in(text)) {
            wrong.push(format!("{what} and not in the report: {row}"));
        }
    }
    let administrators = desired
        .iter()
        .filter(|row| row.set == "AdministratorAccess");
    for row in administrators.filter(|row| !found.contains(row)) {
        wrong.push(format!("without an administrator: {}", row.account));
    }
    wrong
}

/// Returns the assignments that the runs have made, besides those of the administrators. A plan that gives only the
/// administrators access has to remove them, and nothing else.
pub(crate) fn made(sandbox: &Sandbox) -> BTreeSet<Row> {
    let rows = rows(sandbox).into_iter();
    rows.filter(|row| row.set != "AdministratorAccess" && !is_by_hand(row))
        .collect()
}
