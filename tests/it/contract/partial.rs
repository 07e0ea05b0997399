//! Runs in which one change is left out of the plan, or one write is refused: every change and every write in turn.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use okta_aws_sso::{
    Document, Outcome, Plan, Report, Step,
    plan::{Action, Change, Kind, Need, StepId, Subject},
    steps,
};
use sandbox::{Fault, Service};

use super::{WritesOfChanges, blueprint, writes_of_changes};
use crate::{
    end_state::{assert_end_state, end_state},
    fixture::Fixture,
    schema::Documents,
};

/// A run whose documents are checked.
struct Run {
    case: String,
    failed_checks: Vec<String>,
    plan: Plan,
    report: Report,
    /// The writes, sorted.
    writes: Vec<String>,
}

/// Plans, edits the plan and applies it. Checks the documents of the run, and that every change has one outcome.
async fn run(fixture: &Fixture, case: &str, edit: impl FnOnce(&mut Plan)) -> Run {
    let documents = Documents::default();
    let pipeline = documents.of_events(fixture.pipeline());
    let planned = pipeline.plan().await.expect("a plan");
    documents.add(&Document::Plan(&planned));
    let json = serde_json::to_string(&planned).expect("JSON");
    let mut plan: Plan = serde_json::from_str(&json).expect("the same plan");
    assert_eq!(plan, planned, "after JSON");
    edit(&mut plan);
    fixture.sandbox.clear_requests();
    let report = pipeline.apply(&plan).await.expect("a report");
    let writes = super::writes(fixture);
    documents.add(&Document::Report(&report));

    let documents = documents.checked();
    let finished = documents
        .iter()
        .filter(|document| document["event"] == "change-finished");
    assert_eq!(finished.count(), report.results.len());
    let mut outcomes: BTreeMap<_, usize> = BTreeMap::new();
    for result in &report.results {
        let key = (&result.step, result.action, &result.subject);
        *outcomes.entry(key).or_default() += 1;
    }
    for (step, change) in plan.changes() {
        let key = (&step.step, change.action, &change.subject);
        assert_eq!(outcomes.get(&key), Some(&1), "outcomes of {change}");
    }
    assert!(outcomes.values().all(|number| *number == 1), "{outcomes:?}");
    for problem in plan.problems().chain(report.all_problems()) {
        assert!(!problem.help.is_empty(), "no help: {problem:?}");
    }

    fixture.sandbox.clear_requests();
    let failed_checks = fixture.failed_checks().await;
    assert_eq!(super::writes(fixture), [""; 0], "verify writes");
    Run {
        case: case.to_owned(),
        failed_checks,
        plan,
        report,
        writes,
    }
}

impl Run {
    /// Returns the changes with such an outcome.
    fn with_outcome(&self, is: impl Fn(&Outcome) -> bool) -> Vec<(&StepId, &Change)> {
        let is = &is;
        let results = self.report.results.iter();
        let results = results.filter(|result| is(&result.outcome));
        let change_of = |step: &StepId, key| {
            let mut changes = self.plan.changes();
            let found = changes.find(|(of, change)| of.step == *step && change.key() == key);
            found.map(|(step, change)| (&step.step, change))
        };
        results
            .filter_map(|result| change_of(&result.step, (result.action, &result.subject)))
            .collect()
    }

    fn failed(&self) -> Vec<(&StepId, &Change)> {
        self.with_outcome(|outcome| outcome.problem().is_some())
    }

    /// Checks that the changes that need a failed change, or the change that was left out, were skipped, and no others.
    /// Returns the skipped changes.
    fn check_skipped(
        &self,
        fixture: &Fixture,
        left_out: Option<(&StepId, &Change)>,
    ) -> BTreeSet<String> {
        let failed = self.failed();
        let mut broken = Broken::default();
        let mut expected = BTreeSet::new();
        let steps = steps::default_steps(&fixture.blueprint, &fixture.okta, &fixture.aws);
        for (step, planned) in steps.iter().zip(&self.plan.steps) {
            // The run finds out at the start of the step that it needs a change that is not in the plan.
            if let Some((id, change)) = left_out
                && step.id() == *id
                && change.action.writes()
            {
                broken.add(&change.subject);
            }
            expected.extend(broken.closure(step, &planned.changes, &failed));
        }
        let skipped = self.with_outcome(|outcome| matches!(outcome, Outcome::Skipped { .. }));
        // The run does not wait for the users of a group that is not assigned, except for those with another assignment.
        if broken
            .subjects
            .iter()
            .any(|subject| subject.kind() == Kind::AppGroup)
        {
            let is_user = |(_, change): &&(&StepId, &Change)| change.subject.kind() == Kind::User;
            let users: Vec<_> = skipped.iter().filter(is_user).copied().collect();
            expected.extend(names(&users));
        }
        assert_eq!(names(&skipped), expected, "{}", self.case);
        expected
    }

    /// Returns the writes that are left when those of all changes that were made are taken away.
    fn writes_of_others(&self, expected: &WritesOfChanges) -> Vec<String> {
        let mut writes = self.writes.clone();
        for (step, change) in self.with_outcome(|outcome| *outcome == Outcome::Done) {
            for write in expected.of(step, change) {
                let sent = writes.iter().position(|sent| sent == write);
                let sent =
                    sent.unwrap_or_else(|| panic!("{}: {change} did not {write}", self.case));
                writes.remove(sent);
            }
        }
        writes
    }

    /// Checks that the next plan has the changes that were not made and none that was, and that its run reaches the same
    /// state as an undisturbed run.
    async fn check_next(&self, fixture: &Fixture, not_made: &BTreeSet<String>, end_state: &str) {
        let next = run(fixture, &self.case, |_| {}).await;
        let planned = next.plan.changes();
        let planned: Vec<_> = planned.map(|(step, change)| (&step.step, change)).collect();
        let planned = names(&planned);
        // A user who is in an assigned group arrives without the change that waits for it.
        let mut missing = not_made.difference(&planned);
        let missing = missing.find(|change| !change.contains(": wait for "));
        assert_eq!(missing, None, "{}", self.case);
        // A manual step may be due again: a token is not saved, and Okta looks at DNS records only on request.
        let mut done = self.with_outcome(Outcome::is_success);
        done.retain(|(_, change)| change.action != Action::ManualStep);
        let done = names(&done);
        let again: Vec<&String> = planned.intersection(&done).collect();
        assert_eq!(again, [""; 0], "{}: planned again", self.case);
        next.report.complete().expect(&self.case);
        assert_eq!(next.failed_checks, [""; 0], "{}", self.case);
        assert_end_state(&fixture.sandbox, end_state, &self.case);
    }
}

fn names(changes: &[(&StepId, &Change)]) -> BTreeSet<String> {
    let names = changes.iter();
    names
        .map(|(step, change)| format!("{step}: {change}"))
        .collect()
}

/// The subjects that are not as planned, and the chains that have stopped.
#[derive(Default)]
struct Broken {
    subjects: HashSet<Subject>,
    chains: HashSet<(StepId, Option<Subject>)>,
}

impl Broken {
    fn add(&mut self, subject: &Subject) {
        if let Subject::Policy { permission_set, .. } = subject {
            self.subjects
                .insert(Subject::permission_set(permission_set.clone()));
        }
        self.subjects.insert(subject.clone());
    }

    /// Returns the changes that must be skipped, and adds their subjects. `failed` are the changes that have failed.
    fn closure(
        &mut self,
        step: &dyn Step,
        changes: &[Change],
        failed: &[(&StepId, &Change)],
    ) -> BTreeSet<String> {
        let mut skipped = BTreeSet::new();
        for change in changes {
            let chain = (step.id(), chain(step, change));
            let is_broken = |need: &Need| match need {
                Need::Subject(subject) => self.subjects.contains(subject),
                Need::Kind(kind) => self.subjects.iter().any(|known| known.kind() == *kind),
                _ => false,
            };
            let id = step.id();
            if failed.contains(&(&id, change)) {
            } else if self.subjects.contains(&change.subject)
                || self.chains.contains(&chain)
                || step.needs(change).iter().any(is_broken)
            {
                skipped.insert(format!("{id}: {change}"));
            } else {
                continue;
            }
            self.chains.insert(chain);
            self.add(&change.subject);
        }
        skipped
    }
}

/// Returns the chain of a change. A step that applies its changes together has no chains.
fn chain(step: &dyn Step, change: &Change) -> Option<Subject> {
    match step.id().as_str() {
        "arrival" | "directory-sync" => Some(change.subject.clone()),
        _ => step.chain(change),
    }
}

/// Leaves each change out of the plan in turn.
async fn leave_out_each_change(direct: bool) {
    let blueprint = blueprint(direct);
    let expected = writes_of_changes(&Fixture::new(&blueprint).await).await;
    let undisturbed = Fixture::new(&blueprint).await;
    let whole = run(&undisturbed, "undisturbed", |_| {}).await;
    assert_eq!(whole.writes_of_others(&expected), [""; 0]);
    let end_state = end_state(&undisturbed.sandbox);
    let changes: Vec<(StepId, Change)> = whole
        .plan
        .changes()
        .map(|(step, change)| (step.step.clone(), change.clone()))
        .collect();
    for (step, change) in &changes {
        let fixture = Fixture::new(&blueprint).await;
        let case = format!("without {step}: {change}");
        let partial = run(&fixture, &case, |plan| {
            let mut steps = plan.steps.iter_mut();
            let planned = steps.find(|planned| planned.step == *step);
            let changes = &mut planned.expect("the step").changes;
            changes.retain(|planned| planned != change);
        })
        .await;
        let mut not_made = partial.check_skipped(&fixture, Some((step, change)));
        // Without the group, its members are not assigned to the app, and the wait for their arrival ends with a timeout.
        let is_group = matches!(change.subject, Subject::AppGroup { .. });
        assert!(
            is_group || partial.failed().is_empty(),
            "{case}: {:?}",
            partial.report
        );
        let unplanned = change.action.writes().then_some((step, change));
        let unplanned = names(unplanned.as_slice());
        let found = partial.report.unplanned.iter();
        let found: Vec<_> = found.map(|(step, change)| (step, change)).collect();
        assert_eq!(names(&found), unplanned, "{case}");
        assert_eq!(partial.writes_of_others(&expected), [""; 0], "{case}");

        not_made.extend(unplanned);
        partial.check_next(&fixture, &not_made, &end_state).await;
    }
}

/// Refuses each write in turn.
async fn refuse_each_write(direct: bool) {
    let blueprint = blueprint(direct);
    let expected = writes_of_changes(&Fixture::new(&blueprint).await).await;
    let undisturbed = Fixture::new(&blueprint).await;
    undisturbed.run().await.expect("a run");
    let end_state = end_state(&undisturbed.sandbox);
    for service in [Service::Okta, Service::Aws, Service::Scim] {
        let writes = undisturbed.sandbox.writes();
        let writes = writes.iter().filter(|write| write.service == service);
        for number in 0..writes.count() {
            let fixture = Fixture::new(&blueprint).await;
            let fault = Fault::refuse(service, 400, None).on_writes().after(number);
            fixture.sandbox.inject(fault);
            let case = format!("{service:?}: write {number} is refused");
            let partial = run(&fixture, &case, |_| {}).await;
            let failed = partial.failed();
            let skipped = partial.check_skipped(&fixture, None);
            for write in partial.writes_of_others(&expected) {
                // A refused change of a group is sent in parts.
                if service == Service::Scim && write.contains("/Groups") {
                    continue;
                }
                let of_failed = |(step, change): &(&StepId, &Change)| {
                    expected.of(step, change).contains(&write)
                };
                assert!(failed.iter().any(of_failed), "{case}: {write}");
            }
            // A change that has failed in a poll may be done by the service in the meantime.
            partial.check_next(&fixture, &skipped, &end_state).await;
        }
    }
}

#[tokio::test]
async fn a_change_that_is_not_in_the_plan_is_not_made() {
    leave_out_each_change(false).await;
}

#[tokio::test]
async fn a_change_that_is_not_in_the_plan_is_not_made_in_direct_mode() {
    leave_out_each_change(true).await;
}

#[tokio::test]
async fn a_refused_write_stops_its_chain_and_what_needs_it() {
    refuse_each_write(false).await;
}

#[tokio::test]
async fn a_refused_write_stops_its_chain_and_what_needs_it_in_direct_mode() {
    refuse_each_write(true).await;
}
