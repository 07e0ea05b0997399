//! The guard: a limit on the removals of a plan (blast radius).

use std::collections::BTreeSet;

use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Action, Hazard, Plan, count},
};

/// A limit on the removals of a plan.
///
/// The default allows no removal and no [hazard](Hazard): such a plan is refused until the caller raises the limit, or
/// allows the hazard by name.
///
/// Fields may be added: end with `..Guard::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Maximum number of removals in a plan (default: 0). A membership that ends is a removal.
    pub max_removals: usize,
    /// The ids of the allowed hazards, such as `emptied-group:aws-auditors` (default: none).
    pub allowed: BTreeSet<String>,
}

impl Guard {
    /// Checks that a plan stays within the limit.
    ///
    /// # Errors
    ///
    /// Fails if the plan removes more than the limit, or has a hazard that is not allowed. The error lists all removals and
    /// hazards, and names the options that lead out.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        let removals: Vec<String> = plan
            .changes()
            .filter(|(_, change)| change.action == Action::Remove)
            .map(|(step, change)| format!("{} ({})", change.subject, step.step))
            .collect();
        let hazards: Vec<&Hazard> = plan
            .steps
            .iter()
            .flat_map(|step| &step.hazards)
            .filter(|hazard| !self.allowed.contains(&hazard.id()))
            .collect();
        let too_many = removals.len() > self.max_removals;
        let mut summary = Vec::new();
        let mut help = Vec::new();
        if too_many {
            summary.push(format!(
                "the plan removes {} and the guard allows {}: {}",
                count(removals.len(), "item"),
                self.max_removals,
                removals.join(", ")
            ));
            help.push(format!("allow {}", count(removals.len(), "removal")));
        }
        for hazard in hazards {
            summary.push(hazard.to_string());
            help.push(format!("allow {}", hazard.id()));
        }
        if summary.is_empty() {
            return Ok(());
        }
        let error = Error::new(ErrorKind::GuardRejected, summary.join("; "));
        Err(error.with_help(format!(
            "correct the cause in Okta or in the blueprint, and plan again; nothing was changed; if this is meant, review the plan and {} for this run",
            help.join(" and ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Change, StepId, StepPlan, Subject};

    fn plan(actions: &[Action]) -> Plan {
        Plan {
            format: Plan::FORMAT,
            complete: true,
            made_at: jiff::Timestamp::UNIX_EPOCH,
            lineage: String::new(),
            serial: 0,
            blueprint: String::new(),
            steps: vec![StepPlan {
                changes: actions
                    .iter()
                    .map(|action| Change::new(*action, Subject::User { name: "ada".into() }))
                    .collect(),
                ..StepPlan::new(StepId::new("directory-sync"), String::new())
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
            "the plan removes 1 item and the guard allows 0: user ada (directory-sync)"
        );
        Guard {
            max_removals: 1,
            ..Guard::default()
        }
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
