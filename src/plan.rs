//! A plan: what would be changed, as data that can be read, saved and compared.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a step, such as `catalog-app`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct StepId(Cow<'static, str>);

impl StepId {
    /// The id of a step that is known when the program is written.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// The id as text.
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

/// Everything that would be changed to make the blueprint true, step by step.
///
/// `Display` shows it the way a reviewer reads a diff; serde saves it. It holds ids, names and digests, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The format of this document; see [`Plan::VERSION`].
    pub version: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// The lineage of the state it was made from; a plan is only good for that state.
    pub lineage: String,
    /// The serial of the state it was made from; a plan is stale once the state has moved on.
    pub serial: u64,
    /// A digest of the blueprint it was made for.
    pub blueprint: String,
    /// The steps, in order, with what each would change.
    pub steps: Vec<StepPlan>,
}

/// What one step would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepPlan {
    /// The step.
    pub step: StepId,
    /// What the step makes true, in a few words.
    pub title: String,
    /// What it would change, in order.
    pub changes: Vec<Change>,
    /// What a reader should know although nothing changes because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One thing that would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// To what; unique within a step together with the action.
    pub target: String,
    /// The values concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Makes something that is not there.
    Create,
    /// Alters something that is there.
    Update,
    /// Takes away something that is there; the guard counts these.
    Remove,
    /// Asks a person to do what no public API can.
    ManualStep,
    /// Waits until something is so.
    Wait,
    /// Proves something against the services.
    Check,
}

/// A value that a change concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name, in the vendor's words.
    pub name: String,
    /// What it is now, where there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it will be.
    pub after: Value,
}

/// A value in a plan, which may not be known yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Known when the plan was made.
    Known(String),
    /// Known once that step was applied.
    AfterApply(StepId),
    /// Known only to the person who is asked, and never written down.
    Secret,
}

impl Plan {
    /// The format that this version of the crate writes.
    pub const VERSION: u32 = 2;

    /// Returns whether nothing would be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.changes.is_empty())
    }

    /// All changes, each with its step.
    pub fn changes(&self) -> impl Iterator<Item = (&StepPlan, &Change)> {
        self.steps
            .iter()
            .flat_map(|step| step.changes.iter().map(move |change| (step, change)))
    }

    /// How many changes there are of each action.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Action, usize> {
        let mut counts = BTreeMap::new();
        for (_, change) in self.changes() {
            *counts.entry(change.action).or_default() += 1;
        }
        counts
    }

    /// What a step would change, if it is part of this plan.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&StepPlan> {
        self.steps.iter().find(|step| step.step == *id)
    }

    /// One line that says how much would be changed, such as `3 to create, 1 manual step`.
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
    /// Returns why this later plan of the same step does not follow from `earlier`, or `None` if it does.
    ///
    /// A later plan may fill in what was not known, and may lack what has come true by itself; it may not add or
    /// alter anything.
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
                        .map_or_else(|| "left alone".to_owned(), ToString::to_string);
                    Some(format!(
                        "{} {}: {} was planned to be {before}, and would now be {}",
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
    /// A change of a kind to a target.
    pub fn new(action: Action, target: impl Into<String>) -> Self {
        Self {
            action,
            target: target.into(),
            fields: Vec::new(),
        }
    }

    /// What tells a change from the others of its step.
    #[must_use]
    pub fn key(&self) -> (Action, &str) {
        (self.action, &self.target)
    }

    /// Adds a value that is known.
    #[must_use]
    pub fn with(mut self, name: &str, after: impl Into<String>) -> Self {
        self.fields.push(Field {
            name: name.to_owned(),
            before: None,
            after: Value::Known(after.into()),
        });
        self
    }

    /// Adds a value that is known, and what it was.
    #[must_use]
    pub fn from_to(mut self, name: &str, before: Option<String>, after: impl Into<String>) -> Self {
        self.fields.push(Field {
            name: name.to_owned(),
            before,
            after: Value::Known(after.into()),
        });
        self
    }

    /// Adds a value that may not be known yet, and what it was.
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

    /// The value of a field that is known.
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
        // What it was is part of what was reviewed: a value that somebody has changed since is not overwritten.
        self.before == earlier.before
            && (matches!(earlier.after, Value::AfterApply(_)) || earlier.after == self.after)
    }
}

impl Value {
    /// The value if it is known, else that it will be known after a step.
    pub fn known_or_after(value: Option<impl Into<String>>, step: &StepId) -> Self {
        value.map_or_else(
            || Self::AfterApply(step.clone()),
            |value| Self::Known(value.into()),
        )
    }
}

impl Action {
    /// The mark in front of a change in a plan that is shown.
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

    /// The action as a verb: `create`, `update`, …
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

    fn count(self, count: usize) -> String {
        let s = if count == 1 { "" } else { "s" };
        match self {
            Self::Create | Self::Update | Self::Remove => format!("{count} to {}", self.verb()),
            Self::ManualStep => format!("{count} manual step{s}"),
            Self::Wait => format!("{count} wait{s}"),
            Self::Check => format!("{count} check{s}"),
        }
    }
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
            Self::Secret => f.write_str("(secret, never written down)"),
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
    fn a_later_plan_may_fill_in_what_was_unknown_and_lack_what_came_true() {
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
    fn a_later_plan_may_not_add_or_alter_anything() {
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
                "create set: policy was planned to be a, and would now be c",
            ),
            (
                set().from_to("policy", Some("x".to_owned()), "a"),
                "create set: policy was planned to be a, and would now be x -> a",
            ),
            (
                set().with("duration", "PT1H"),
                "create set: duration was planned to be left alone, and would now be PT1H",
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
