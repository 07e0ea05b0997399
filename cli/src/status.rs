//! The exit status of the programs.

use std::process::ExitCode;

use okta_aws_sso::{Cause, Outcome, Plan, Report};

/// The exit status of a program. If several apply, the first of this list is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// 64: the command line is wrong.
    Usage,
    /// 130: Ctrl-C or SIGTERM has ended the program.
    Interrupted,
    /// 1: the program failed, the guard refused the plan, there was a problem, or a verification found something missing.
    Failed,
    /// 3: a manual step waits for an operator.
    WaitsForOperator,
    /// 2: there are changes to make, or drift.
    Changes,
    /// 2: a file is missing or is not SAML metadata.
    NoMetadata,
    /// 0: done, or nothing to do.
    Done,
}

impl Status {
    /// Returns the status of a program that only plans.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        if !plan.complete || plan.problems().next().is_some() {
            Self::Failed
        } else if plan.is_empty() {
            Self::Done
        } else {
            Self::Changes
        }
    }

    /// Returns the status of a run.
    #[must_use]
    pub fn of_report(report: &Report) -> Self {
        let outcomes = || report.results.iter().map(|result| &result.outcome);
        let failed = |outcome: &Outcome| {
            matches!(
                outcome,
                Outcome::Failed { .. }
                    | Outcome::TimedOut { .. }
                    | Outcome::Skipped {
                        because: Cause::Guard
                    }
            )
        };
        let waits = |outcome: &Outcome| matches!(outcome, Outcome::WaitsForOperator { .. });
        if report.is_complete() {
            Self::Done
        } else if outcomes().any(failed)
            || !report.problems.is_empty()
            || !report.unplanned.is_empty()
            || !outcomes().any(waits)
        {
            Self::Failed
        } else {
            Self::WaitsForOperator
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Usage => 64,
            Status::Interrupted => 130,
            Status::Failed => 1,
            Status::WaitsForOperator => 3,
            Status::Changes | Status::NoMetadata => 2,
            Status::Done => 0,
        })
    }
}
