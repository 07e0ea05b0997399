//! The plan: the changes of a run as data, for review, storage and comparison.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The format version of this document; see [`Plan::VERSION`].
    pub version: u32,
    /// The time at which the plan was made.
    pub made_at: Timestamp,
    /// The lineage of the state that the plan was made from. The plan is valid for that state only.
    pub lineage: String,
    /// The serial of the state that the plan was made from. The plan is stale once the state has another serial.
    pub serial: u64,
    /// The digest of the blueprint that the plan was made for.
    pub blueprint: String,
    /// The steps in order, each with its changes.
    pub steps: Vec<StepPlan>,
}

/// The changes of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepPlan {
    /// The step.
    pub step: StepId,
    /// The goal of the step, in a few words.
    pub title: String,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Notes for the reader. They cause no change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The kind of change.
    pub action: Action,
    /// The subject of the change. Action and target together are unique within a step.
    pub target: String,
    /// The values that the change sets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Creates an object.
    Create,
    /// Changes an existing object.
    Update,
    /// Removes an existing object or access. The guard counts removals.
    Remove,
    /// Asks the operator for an action that no public API can do.
    ManualStep,
    /// Waits until a condition is true.
    Wait,
    /// Verifies a condition against the services.
    Check,
}

/// A value that a change sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The vendor's name of the value.
    pub name: String,
    /// The current value, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The new value.
    pub after: Value,
}

/// A planned value, which may not be known yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Value {
    /// A value that is known at planning.
    Known(String),
    /// A value that is known only after the given step is applied.
    AfterApply(StepId),
    /// A secret that only the operator knows. It is never saved.
    Secret,
}

impl Plan {
    /// The format version that this version of the crate writes.
    pub const VERSION: u32 = 2;

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

    /// Returns the number of changes by action.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Action, usize> {
        let mut counts = BTreeMap::new();
        for (_, change) in self.changes() {
            *counts.entry(change.action).or_default() += 1;
        }
        counts
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
        let words: Vec<String> = counts
            .iter()
            .map(|(action, count)| action.count(*count))
            .collect();
        if words.is_empty() {
            "No changes".to_owned()
        } else {
            words.join(", ")
        }
    }
}

impl StepPlan {
    /// Returns the first deviation of this later plan of the same step from the reviewed plan `earlier`, or `None`.
    ///
    /// A later plan may fill in values that were unknown, and may lack changes that are already done. Any other
    /// difference is a deviation.
    #[must_use]
    pub fn deviation_from(&self, earlier: &Self) -> Option<String> {
        let planned: HashMap<_, _> = earlier
            .changes
            .iter()
            .map(|change| (change.key(), change))
            .collect();
        self.changes
            .iter()
            .find_map(|change| match planned.get(&change.key()) {
                None => Some(format!(
                    "{} {} was not planned",
                    change.action.verb(),
                    change.target
                )),
                Some(planned) => change.fields.iter().find_map(|field| {
                    let before: Vec<&Field> = planned
                        .fields
                        .iter()
                        .filter(|planned| planned.name == field.name)
                        .collect();
                    if before.iter().any(|before| field.refines(before)) {
                        return None;
                    }
                    let before = before
                        .first()
                        .map_or_else(|| "unchanged".to_owned(), ToString::to_string);
                    Some(format!(
                        "{} {}: {} was planned as {before}, and is now {}",
                        change.action.verb(),
                        change.target,
                        field.name,
                        field
                    ))
                }),
            })
    }
}

impl Change {
    /// Creates a change without values.
    pub fn new(action: Action, target: impl Into<String>) -> Self {
        Self {
            action,
            target: target.into(),
            fields: Vec::new(),
        }
    }

    /// Returns the key that is unique within a step: action and target.
    #[must_use]
    pub fn key(&self) -> (Action, &str) {
        (self.action, &self.target)
    }

    /// Adds a known value.
    #[must_use]
    pub fn with(mut self, name: &str, after: impl Into<String>) -> Self {
        self.fields.push(Field {
            name: name.to_owned(),
            before: None,
            after: Value::Known(after.into()),
        });
        self
    }

    /// Adds a known value with its current value.
    #[must_use]
    pub fn from_to(mut self, name: &str, before: Option<String>, after: impl Into<String>) -> Self {
        self.fields.push(Field {
            name: name.to_owned(),
            before,
            after: Value::Known(after.into()),
        });
        self
    }

    /// Adds a value that may not be known yet, with its current value.
    #[must_use]
    pub fn from_to_value(mut self, name: &str, before: Option<String>, after: Value) -> Self {
        self.fields.push(Field {
            name: name.to_owned(),
            before,
            after,
        });
        self
    }

    /// Adds a value that may not be known yet.
    #[must_use]
    pub fn with_value(mut self, name: &str, after: Value) -> Self {
        self.fields.push(Field {
            name: name.to_owned(),
            before: None,
            after,
        });
        self
    }

    /// Returns the new value of a field, if it is known.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.name == name)
            .and_then(|field| match &field.after {
                Value::Known(value) => Some(value.as_str()),
                Value::AfterApply(_) | Value::Secret => None,
            })
    }
}

impl Field {
    fn refines(&self, earlier: &Self) -> bool {
        // The current value is part of the review: a value that has changed since the review is not overwritten.
        self.before == earlier.before
            && (matches!(earlier.after, Value::AfterApply(_)) || earlier.after == self.after)
    }
}

impl Value {
    /// Returns the value if it is known, otherwise [`Value::AfterApply`] of the step.
    pub fn known_or_after(value: Option<impl Into<String>>, step: &StepId) -> Self {
        value.map_or_else(
            || Self::AfterApply(step.clone()),
            |value| Self::Known(value.into()),
        )
    }
}

impl Action {
    /// Returns the mark that `Display` writes in front of a change.
    #[must_use]
    pub const fn mark(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Remove => '-',
            Self::ManualStep => '@',
            Self::Wait => '.',
            Self::Check => '?',
        }
    }

    /// Returns the action as a verb: `create`, `update`, …
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Remove => "remove",
            Self::ManualStep => "manual step for",
            Self::Wait => "wait for",
            Self::Check => "check",
        }
    }

    fn count(self, number: usize) -> String {
        match self {
            Self::Create | Self::Update | Self::Remove => format!("{number} to {}", self.verb()),
            Self::ManualStep => count(number, "manual step"),
            Self::Wait => count(number, "wait"),
            Self::Check => count(number, "check"),
        }
    }
}

/// Returns a number with its noun, such as `1 group` or `2 groups`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = &self.before {
            write!(f, "{before} -> ")?;
        }
        write!(f, "{}", self.after)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => f.write_str(value),
            Self::AfterApply(step) => write!(f, "(known after {step})"),
            Self::Secret => f.write_str("(secret, never saved)"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Plan: {}", self.summary())?;
        for (number, step) in self.steps.iter().enumerate() {
            if step.changes.is_empty() && step.notes.is_empty() {
                continue;
            }
            writeln!(f, "\n{:>3}  {} ({})", number + 1, step.title, step.step)?;
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for StepPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "     {} {}", change.action.mark(), change.target)?;
            let width = change
                .fields
                .iter()
                .map(|field| field.name.chars().count())
                .max()
                .unwrap_or(0);
            for field in &change.fields {
                writeln!(f, "         {:width$}  {field}", field.name)?;
            }
        }
        for note in &self.notes {
            writeln!(f, "     ! {}", note.replace('\n', "\n       "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: StepId = StepId::new("later");

    fn plan(changes: Vec<Change>) -> StepPlan {
        StepPlan {
            step: StepId::new("step"),
            title: String::new(),
            changes,
            notes: Vec::new(),
        }
    }

    fn set() -> Change {
        Change::new(Action::Create, "set")
    }

    #[test]
    fn a_later_plan_may_fill_in_unknown_values_and_lack_done_changes() {
        let earlier = plan(vec![
            set().with_value("id", Value::AfterApply(LATER)),
            Change::new(Action::Wait, "arrival"),
        ]);
        assert_eq!(
            plan(vec![set().with("id", "7")]).deviation_from(&earlier),
            None
        );
        assert_eq!(earlier.deviation_from(&earlier), None);
        assert_eq!(plan(Vec::new()).deviation_from(&earlier), None);
    }

    #[test]
    fn a_later_plan_may_not_add_or_alter_changes() {
        let earlier = plan(vec![set().with("policy", "a").with("policy", "b")]);
        for (later, why) in [
            (
                Change::new(Action::Remove, "set"),
                "remove set was not planned",
            ),
            (
                Change::new(Action::Create, "other"),
                "create other was not planned",
            ),
            (
                set().with("policy", "c"),
                "create set: policy was planned as a, and is now c",
            ),
            (
                set().from_to("policy", Some("x".to_owned()), "a"),
                "create set: policy was planned as a, and is now x -> a",
            ),
            (
                set().with("duration", "PT1H"),
                "create set: duration was planned as unchanged, and is now PT1H",
            ),
        ] {
            assert_eq!(
                plan(vec![later]).deviation_from(&earlier).as_deref(),
                Some(why)
            );
        }
        assert_eq!(
            plan(vec![set().with("policy", "b")]).deviation_from(&earlier),
            None
        );
    }
}
