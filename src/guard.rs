//! Blast radius: what a plan may take away.

use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Action, Plan},
};

/// What a plan may take away before a person has to say so.
///
/// The default takes nothing away: a plan that removes anything is refused until the limit is raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// How many removals a plan may have.
    pub max_removals: usize,
}

impl Guard {
    /// Says whether a plan may be applied.
    ///
    /// # Errors
    ///
    /// If the plan removes more than is allowed; the error lists what.
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
                "the plan removes {} things and the guard allows {}: {}",
                removals.len(),
                self.max_removals,
                removals.join(", ")
            ),
        )
        .with_help(
            "read the plan; if the removals are meant, raise the guard's limit for this run",
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
    fn nothing_is_removed_unless_somebody_says_so() {
        let plan = plan(&[Action::Create, Action::Remove]);
        let error = Guard::default().check(&plan).expect_err("a removal");
        assert_eq!(error.kind(), ErrorKind::GuardRejected);
        assert_eq!(
            error.to_string(),
            "the plan removes 1 things and the guard allows 0: policy X (permission-sets)"
        );
        Guard { max_removals: 1 }
            .check(&plan)
            .expect("as many as allowed");
    }

    #[test]
    fn additions_need_no_permission() {
        Guard::default()
            .check(&plan(&[Action::Create, Action::Update, Action::ManualStep]))
            .expect("nothing removed");
    }
}
