//! Drift: how AWS and Okta differ from the blueprint, in both directions, as data.
//!
//! [`Pipeline::drift`](crate::Pipeline::drift) returns a [`Drift`]. Each [`DriftFinding`] names one difference, with its severity, its
//! cause if that can be told, and what to do.

use std::fmt;

use aws_sso_glue::estate::Coverage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    plan::{Action, Change, Field, PolicyRef, Problem, Subject, Value},
    text::Shown,
};

/// The differences between the services and the blueprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Drift {
    /// The differences, the most severe first.
    pub findings: Vec<DriftFinding>,
    /// The parts that could not be read or compared. With a problem, the list may lack findings.
    pub problems: Vec<Problem>,
    /// The assignments that were read; `None` if the instance has none or could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub coverage: Option<Coverage>,
}

/// One difference between the services and the blueprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DriftFinding {
    /// The kind of difference.
    pub code: DriftCode,
    /// The severity.
    pub severity: Severity,
    /// The subject, by its names and ids.
    pub subject: Subject,
    /// The difference, in one line.
    pub text: String,
    /// The cause, if it can be told from what was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<DriftCause>,
    /// The action that removes the difference.
    pub fix: String,
}

/// The severity of a finding.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A fact that a reviewer may want to know.
    Info,
    /// A difference that changes no access of an active user.
    Warning,
    /// Access that the blueprint does not give, or that is missing.
    Error,
    /// The blueprint does not give administrator access that exists, or a permission set has lost a limit.
    Critical,
}

/// The kind of difference. Codes stay the same when texts change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DriftCode {
    /// An assignment outside the blueprint gives a permission set with administrator rights.
    UnmanagedAdmin,
    /// A permission set lacks its permissions boundary.
    BoundaryRemoved,
    /// A permission set has another permissions boundary.
    BoundaryChanged,
    /// A protected assignment is missing.
    ProtectedMissing,
    /// A permission set has a policy that the blueprint does not name, or another inline policy.
    SetWidened,
    /// An assignment is outside the blueprint.
    UnmanagedAssignment,
    /// An assignment of the blueprint is missing.
    MissingAssignment,
    /// A permission set of the blueprint is missing.
    MissingSet,
    /// A permission set lacks a policy.
    PolicyMissing,
    /// An assignment belongs to a user or group that was deleted.
    Orphan,
    /// The entry of an assignment has expired.
    ExpiredStillAssigned,
    /// A permission set is outside the blueprint.
    UnmanagedSet,
    /// Something else of the blueprint is missing.
    Missing,
    /// Something else is outside the blueprint.
    Unmanaged,
    /// A user who is disabled has an assignment.
    DisabledUserWithAccess,
    /// An account that is closed has assignments.
    ClosedAccountWithAccess,
    /// An account does not have the current version of a permission set.
    OutdatedInAccounts,
    /// A permission set that the blueprint only uses has other contents than at the last run.
    ExistingSetChanged,
    /// A property or tag of a permission set differs.
    SettingChanged,
    /// Something else differs.
    Changed,
    /// A group with assignments has no members.
    GroupWithoutMembers,
    /// A permission set is provisioned in an account without an assignment.
    ProvisionedNotAssigned,
    /// An entry expires soon.
    ExpiresSoon,
    /// A selector matches an account that it did not match at the last run.
    NewAccountMatched,
    /// An object has the name of the blueprint, and no run has recorded it.
    NotRecorded,
    /// Not all assignments were read.
    CoverageLimited,
}

/// The cause of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "cause", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DriftCause {
    /// A user or group was deleted and created again under the same name, so that it has another id.
    RecreatedPrincipal {
        /// The name.
        name: String,
        /// The id that earlier runs have recorded.
        old_id: String,
        /// The current id; `None` if there is no such user or group now.
        #[serde(skip_serializing_if = "Option::is_none")]
        new_id: Option<String>,
    },
    /// A selector matched the account at the last run, and does not match it any more.
    MovedAccount {
        /// The selector.
        selector: String,
    },
}

impl DriftCode {
    /// Returns the severity of findings with this code.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::UnmanagedAdmin
            | Self::BoundaryRemoved
            | Self::BoundaryChanged
            | Self::ProtectedMissing
            | Self::SetWidened => Severity::Critical,
            Self::UnmanagedAssignment
            | Self::MissingAssignment
            | Self::MissingSet
            | Self::PolicyMissing
            | Self::Orphan
            | Self::ExpiredStillAssigned
            | Self::UnmanagedSet
            | Self::Missing
            | Self::Unmanaged => Severity::Error,
            Self::DisabledUserWithAccess
            | Self::ClosedAccountWithAccess
            | Self::OutdatedInAccounts
            | Self::ExistingSetChanged
            | Self::SettingChanged
            | Self::Changed
            | Self::GroupWithoutMembers => Severity::Warning,
            Self::ProvisionedNotAssigned
            | Self::ExpiresSoon
            | Self::NewAccountMatched
            | Self::NotRecorded
            | Self::CoverageLimited => Severity::Info,
        }
    }
}

impl Drift {
    /// Returns the findings of this severity or a higher one.
    pub fn at_least(&self, severity: Severity) -> impl Iterator<Item = &DriftFinding> {
        let findings = self.findings.iter();
        findings.filter(move |finding| finding.severity >= severity)
    }

    /// Returns the differences that the changes of a plan remove.
    pub(crate) fn of_changes(changes: &[Change], problems: Vec<Problem>) -> Self {
        Self {
            findings: changes.iter().map(DriftFinding::of).collect(),
            problems,
            coverage: None,
        }
    }

    pub(crate) fn add(&mut self, finding: DriftFinding) {
        self.findings.push(finding);
    }

    /// Adds the findings and problems of another step.
    pub(crate) fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.problems.extend(other.problems);
        self.coverage = other.coverage.or_else(|| self.coverage.take());
    }

    /// Sorts the findings: the most severe first, then by code and subject.
    pub(crate) fn sort(&mut self) {
        self.findings.sort_by(|left, right| {
            let key = |one: &DriftFinding| (std::cmp::Reverse(one.severity), one.code);
            let order = key(left).cmp(&key(right));
            order.then_with(|| left.subject.cmp(&right.subject))
        });
    }
}

impl DriftFinding {
    pub(crate) fn new(
        code: DriftCode,
        subject: Subject,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: code.severity(),
            subject,
            text: text.into(),
            cause: None,
            fix: fix.into(),
        }
    }

    pub(crate) fn with_cause(mut self, cause: Option<DriftCause>) -> Self {
        self.cause = cause;
        self
    }

    /// Returns the difference that a planned change removes.
    fn of(change: &Change) -> Self {
        let code = code(change);
        let differences: Vec<String> = change.fields.iter().filter_map(difference).collect();
        let differences = match differences.as_slice() {
            [] => String::new(),
            some => format!(": {}", some.join("; ")),
        };
        let subject = &change.subject;
        let state = match code {
            DriftCode::NotRecorded => "exists, and no run has recorded it",
            DriftCode::ExpiredStillAssigned => "still exists, and its entry has expired",
            DriftCode::OutdatedInAccounts => "is not complete",
            _ if change.action == Action::Create || adds(change) => "is missing",
            _ if change.action == Action::Remove && takes_off(change) => "is not in the blueprint",
            _ if change.action.writes() => "differs",
            _ => "is not done",
        };
        let text = format!("{subject} {state}{differences}");
        Self::new(code, subject.clone(), text, "apply a plan of the blueprint")
    }
}

/// Returns the kind of difference that a change removes.
fn code(change: &Change) -> DriftCode {
    match (&change.subject, change.action) {
        (_, Action::Adopt) => DriftCode::NotRecorded,
        (Subject::PermissionSet { .. }, Action::Create) => DriftCode::MissingSet,
        (Subject::PermissionSet { .. }, Action::Remove) => DriftCode::UnmanagedSet,
        (Subject::PermissionSet { .. }, _) => DriftCode::SettingChanged,
        (Subject::Policy { policy, .. }, _) => match policy {
            PolicyRef::Boundary {} if adds(change) => DriftCode::BoundaryRemoved,
            PolicyRef::Boundary {} => DriftCode::BoundaryChanged,
            _ if adds(change) => DriftCode::PolicyMissing,
            _ => DriftCode::SetWidened,
        },
        (Subject::Provisioning { .. }, _) => DriftCode::OutdatedInAccounts,
        (Subject::Assignment { .. }, Action::Create) => DriftCode::MissingAssignment,
        (Subject::Assignment { .. }, Action::Remove) => DriftCode::ExpiredStillAssigned,
        (_, Action::Create) => DriftCode::Missing,
        (_, Action::Remove) => DriftCode::Unmanaged,
        _ => DriftCode::Changed,
    }
}

/// Returns whether a change adds something that is missing: no value exists before it.
fn adds(change: &Change) -> bool {
    let mut fields = change.fields.iter();
    !change.fields.is_empty() && fields.all(|field| field.before == Value::Absent)
}

/// Returns whether a change takes something off as a whole.
fn takes_off(change: &Change) -> bool {
    let mut fields = change.fields.iter();
    fields.all(|field| field.after == Value::Absent)
}

/// Returns the difference of a value, or `None` if the value exists on one side only.
fn difference(field: &Field) -> Option<String> {
    let both = field.before != Value::Absent && field.after != Value::Absent;
    both.then(|| {
        format!(
            "{} is {}, and {} in the blueprint",
            field.name, field.before, field.after
        )
    })
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        })
    }
}

impl fmt::Display for DriftCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for DriftCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecreatedPrincipal {
                name,
                old_id,
                new_id: Some(new_id),
            } => write!(
                f,
                "{} was deleted and created again: its id was {old_id}, and is {new_id}",
                Shown(name)
            ),
            Self::RecreatedPrincipal { name, old_id, .. } => {
                write!(f, "{} was deleted: its id was {old_id}", Shown(name))
            }
            Self::MovedAccount { selector } => write!(
                f,
                "the account matched `{}` at the last run, and does not match any more",
                Shown(selector)
            ),
        }
    }
}

/// Writes the severity, the code and the text.
impl fmt::Display for DriftFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.code, Shown(&self.text))?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}
