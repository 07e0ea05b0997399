//! The plan: the changes of a run as data, for review, storage and comparison.

mod change;
mod hazard;
mod problem;
mod selection;
mod subject;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fmt,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use change::{Action, Change, Field, Value};
pub use hazard::Hazard;
pub(crate) use hazard::protected_name;
pub use problem::{Code, Note, Problem};
pub use selection::{SelectedAccount, Selection};
pub use subject::{Kind, Name, Need, PolicyRef, Principal, Subject};

use crate::{
    error::{Error, ErrorKind},
    text::{Shown, hex},
};

/// The id of a step, such as `catalog-app`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct StepId(Cow<'static, str>);

impl StepId {
    /// Creates an id from a constant.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// Returns the id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All changes that make the services match the blueprint, step by step.
///
/// `Display` writes the plan as a diff for a reviewer; serde saves it. A plan holds ids, names and digests, never a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Plan {
    /// The format version of this document; see [`Plan::FORMAT`].
    pub format: u32,
    /// The time at which the plan was made.
    #[schemars(with = "String")]
    pub made_at: Timestamp,
    /// The lineage of the state that the plan was made from. The plan is valid for that state only.
    pub lineage: String,
    /// The serial of the state that the plan was made from. The plan is stale once the state has another serial.
    pub serial: u64,
    /// The digest of the blueprint that the plan was made for.
    pub blueprint: String,
    /// Whether every step could be planned. The steps that could not have a problem without a subject.
    pub complete: bool,
    /// The steps in order, each with its changes.
    pub steps: Vec<StepPlan>,
}

/// The changes of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct StepPlan {
    /// The step.
    pub step: StepId,
    /// The goal of the step, in a few words.
    pub title: String,
    /// The changes, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The problems. They stop the changes that they concern, and no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// The hazards, which the guard refuses unless they are allowed by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<Hazard>,
    /// Notes for the reader. They cause no change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The accounts that the filters and patterns of the blueprint match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selections: Vec<Selection>,
    /// The number of existing objects by kind, as far as the step has read them. The guard limits the share that is removed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub totals: BTreeMap<Kind, u64>,
}

impl Plan {
    /// The format version that this version of the crate writes. Format 0 may change with every version.
    pub const FORMAT: u32 = 0;

    /// Returns whether the plan has no changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.changes.is_empty())
    }

    /// Returns all changes, each with its step.
    pub fn changes(&self) -> impl Iterator<Item = (&StepPlan, &Change)> {
        self.steps
            .iter()
            .flat_map(|step| step.changes.iter().map(move |change| (step, change)))
    }

    /// Returns the problems of all steps.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.steps.iter().flat_map(|step| &step.problems)
    }

    /// Returns the number of changes by action.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Action, usize> {
        let mut counts = BTreeMap::new();
        for (_, change) in self.changes() {
            *counts.entry(change.action).or_default() += 1;
        }
        counts
    }

    /// Returns the removals, each with its step.
    pub fn removals(&self) -> impl Iterator<Item = (&StepPlan, &Change)> {
        let is_removal = |(_, change): &(_, &Change)| change.action == Action::Remove;
        self.changes().filter(is_removal)
    }

    /// Returns the hazards of all steps.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.steps.iter().flat_map(|step| &step.hazards)
    }

    /// Returns the number of existing objects by kind, as far as the steps have read them.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<Kind, u64> {
        let mut totals = BTreeMap::new();
        for (kind, number) in self.steps.iter().flat_map(|step| &step.totals) {
            *totals.entry(*kind).or_default() += number;
        }
        totals
    }

    /// Returns the id of exactly these removals, such as `5d41c9aa`: the beginning of a digest over step and subject of each
    /// removal. Returns `None` if the plan removes nothing.
    #[must_use]
    pub fn removals_id(&self) -> Option<String> {
        let mut keys: Vec<String> = self
            .removals()
            .map(|(step, change)| {
                let subject = serde_json::to_string(&change.subject).unwrap_or_default();
                format!("{} {subject}", step.step)
            })
            .collect();
        if keys.is_empty() {
            return None;
        }
        keys.sort_unstable();
        let digest = Sha256::digest(keys.join("\n"));
        Some(hex(&digest[..4]))
    }

    /// Returns the line that tells a reviewer how to approve the removals. Returns `None` if the plan removes nothing.
    #[must_use]
    pub fn approval(&self) -> Option<String> {
        let removals = count(self.removals().count(), "removal");
        let id = self.removals_id()?;
        Some(format!(
            "The guard limits removals. To approve the {removals} of this plan: --approve {id}"
        ))
    }

    /// Returns the plan of one step, if the step is part of this plan.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&StepPlan> {
        self.steps.iter().find(|step| step.step == *id)
    }

    /// Returns a summary on one line, such as `3 to create, 1 manual step`.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = self.counts();
        let mut words: Vec<String> = counts
            .iter()
            .map(|(action, number)| action.count(*number))
            .collect();
        if words.is_empty() {
            words.push("No changes".to_owned());
        }
        let problems = self.problems().count();
        if problems > 0 {
            words.push(count(problems, "problem"));
        }
        words.join(", ")
    }
}

impl StepPlan {
    pub(crate) fn new(step: StepId, title: String) -> Self {
        Self {
            step,
            title,
            changes: Vec::new(),
            problems: Vec::new(),
            hazards: Vec::new(),
            notes: Vec::new(),
            selections: Vec::new(),
            totals: BTreeMap::new(),
        }
    }

    /// Returns whether the plan of this step shows nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.notes.is_empty()
            && self.problems.is_empty()
            && self.hazards.is_empty()
            && self.selections.is_empty()
    }

    /// Makes problems of changes with the same key, which could not be told apart.
    pub(crate) fn check(&mut self) {
        let mut seen = HashSet::with_capacity(self.changes.len());
        let is_seen = |change: &mut Change| !seen.insert((change.action, change.subject.clone()));
        let repeated: Vec<Change> = self.changes.extract_if(.., is_seen).collect();
        self.changes.shrink_to_fit();
        for change in repeated {
            let error = Error::new(
                ErrorKind::Pipeline,
                format!("step {} plans to {change} twice", self.step),
            )
            .with_help("report it to the author of the step: action and subject must be unique within a step");
            self.problems
                .push(Problem::new(Some(change.subject), &error));
        }
    }

    /// Returns the first value that a step provides that is not in `known`, as its change, its name and the step.
    pub(crate) fn never_known(&self, known: &[StepId]) -> Option<(&Change, &str, &StepId)> {
        self.changes.iter().find_map(|change| {
            change.fields.iter().find_map(|field| {
                let values = [&field.before, &field.after];
                values.into_iter().find_map(|value| match value {
                    Value::AfterApply(step) if !known.contains(step) => {
                        Some((change, &*field.name, step))
                    }
                    _ => None,
                })
            })
        })
    }
}

/// Returns a number with its noun, such as `1 group` or `2 groups`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Plan: {}", self.summary())?;
        for (number, step) in self.steps.iter().enumerate() {
            if step.is_empty() {
                continue;
            }
            writeln!(
                f,
                "\n{:>3}  {} ({})",
                number + 1,
                Shown(&step.title),
                step.step
            )?;
            write!(f, "{step}")?;
        }
        match self.approval() {
            Some(approval) => writeln!(f, "\n{approval}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for StepPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for selection in &self.selections {
            writeln!(f, "     = {selection}")?;
        }
        for change in &self.changes {
            writeln!(f, "     {} {}", change.action.mark(), change.subject)?;
            let names = change.fields.iter().map(|field| field.name.chars().count());
            let width = names.max().unwrap_or(0);
            for field in &change.fields {
                writeln!(
                    f,
                    "         {:width$}  {field}",
                    Shown(&field.name).to_string()
                )?;
            }
            if let Some(why) = &change.why {
                writeln!(f, "         ({why})")?;
            }
        }
        for problem in &self.problems {
            let text = problem.explain().replace('\n', "\n       ");
            writeln!(f, "     x {text}")?;
        }
        for hazard in &self.hazards {
            writeln!(f, "     ! {}", hazard.with_option())?;
        }
        for note in &self.notes {
            writeln!(f, "     ! {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
