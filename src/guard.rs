//! The guard: a limit on the removals of a plan (blast radius).

use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Action, Plan, count},
};

/// A limit on the removals of a plan.
///
/// The default allows no removal: a plan that removes anything is rejected until the caller raises the limit.
///
/// Fields may be added: end with `..Guard::default()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Maximum number of removals in a plan (default: 0).
    pub max_removals: usize,
}

impl Guard {
    /// Checks that a plan stays within the limit.
    ///
    /// # Errors
    ///
    /// Fails if the plan removes more than the limit. The error lists all removals.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        let removals: Vec<String> = plan
            .changes()
            .filter(|(_, change)| change.action == Action::Remove)
            .map(|(step, change)| format!("{} ({})", change.target, step.step))
            .collect();
        if removals.len() <= self.max_removals {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::GuardRejected,
            format!(
                "the plan removes {} and the guard allows {}: {}",
                count(removals.len(), "item"),
                self.max_removals,
                removals.join(", ")
            ),
        )
        .with_help(
            "review the plan; if the removals are intended, raise the guard's limit for this run",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Change, StepId, StepPlan};

    fn plan(actions: &[Action]) -> Plan {
        Plan {
            version: Plan::VERSION,
            made_at: jiff::Timestamp::UNIX_EPOCH,
            lineage: String::new(),
            serial: 0,
            blueprint: String::new(),
            steps: vec![StepPlan {
                step: StepId::new("permission-sets"),
                title: String::new(),
                changes: actions
                    .iter()
                    .map(|action| Change::new(*action, "policy X"))
                    .collect(),
                notes: Vec::new(),
            }],
        }
    }

    #[test]
    fn a_removal_is_rejected_unless_the_limit_allows_it() {
        let plan = plan(&[Action::Create, Action::Remove]);
        let error = Guard::default().check(&plan).expect_err("a removal");
        assert_eq!(error.kind(), ErrorKind::GuardRejected);
        assert_eq!(
            error.to_string(),
            "the plan removes 1 item and the guard allows 0: policy X (permission-sets)"
        );
        Guard { max_removals: 1 }
            .check(&plan)
            .expect("a plan within the limit");
    }

    #[test]
    fn additions_are_not_limited() {
        Guard::default()
            .check(&plan(&[Action::Create, Action::Update, Action::ManualStep]))
            .expect("a plan without removals");
    }
}
