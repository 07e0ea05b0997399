//! Changes and their values.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Note, StepId, Subject};
use crate::text::Shown;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Change {
    /// The kind of change.
    pub action: Action,
    /// The subject of the change. Action and subject together are unique within a step.
    pub subject: Subject,
    /// The values that the change sets. Their names are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// The reason, if a reviewer needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<Note>>,
}

/// The kind of a change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Creates an object, or gives access.
    Create,
    /// Changes an existing object.
    Update,
    /// Takes over an existing object by its name, with what it has.
    Adopt,
    /// Removes an existing object, or takes access away. The guard counts removals.
    Remove,
    /// Asks the operator for an action that no public API can do.
    ManualStep,
    /// Waits until a condition is true. A wait writes nothing.
    Wait,
    /// Verifies a condition against the services. A check writes nothing.
    Check,
}

/// A value that a change sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Field {
    /// The vendor's name of the value.
    pub name: Cow<'static, str>,
    /// The current value.
    #[serde(default, skip_serializing_if = "Value::is_absent")]
    pub before: Value,
    /// The new value.
    pub after: Value,
}

/// A value before or after a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Value {
    /// There is no value.
    #[default]
    Absent,
    /// A value that is known at planning.
    Known(String),
    /// A value that is known only after the given step is applied.
    AfterApply(StepId),
    /// A secret that only the operator knows. It is never saved.
    Secret,
}

impl Change {
    /// Creates a change without values.
    #[must_use]
    pub fn new(action: Action, subject: Subject) -> Self {
        Self {
            action,
            subject,
            fields: Vec::new(),
            why: None,
        }
    }

    /// Returns the key that is unique within a step: action and subject.
    #[must_use]
    pub fn key(&self) -> (Action, &Subject) {
        (self.action, &self.subject)
    }

    /// Adds a known value.
    #[must_use]
    pub fn with(self, name: impl Into<Cow<'static, str>>, after: impl Into<String>) -> Self {
        self.field(name, Value::Absent, Value::Known(after.into()))
    }

    /// Adds a value that may not be known yet.
    #[must_use]
    pub fn with_value(self, name: impl Into<Cow<'static, str>>, after: Value) -> Self {
        self.field(name, Value::Absent, after)
    }

    /// Adds a known value with its current value.
    #[must_use]
    pub fn from_to(
        self,
        name: impl Into<Cow<'static, str>>,
        before: Option<String>,
        after: impl Into<String>,
    ) -> Self {
        self.field(name, before.into(), Value::Known(after.into()))
    }

    /// Adds a value with its current value. Both may be unknown.
    #[must_use]
    pub fn field(
        mut self,
        name: impl Into<Cow<'static, str>>,
        before: Value,
        after: Value,
    ) -> Self {
        let name = name.into();
        // Exactly, because a large plan has hundreds of thousands of changes with one or two values.
        self.fields.reserve_exact(1);
        self.fields.push(Field {
            name,
            before,
            after,
        });
        self
    }

    /// Sets the reason.
    #[must_use]
    pub fn because(mut self, why: Note) -> Self {
        self.why = Some(Box::new(why));
        self
    }

    /// Returns the new value of a field, if it is known.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        match &field.after {
            Value::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Returns how this change of a later plan differs from the reviewed change with the same key, or `None`.
    ///
    /// A later change may have values that were unknown at the review, and may lack values that are already set. The current
    /// values are part of the review: a value that has changed since then is not overwritten.
    #[must_use]
    pub fn deviation_from(&self, reviewed: &Self) -> Option<String> {
        self.fields.iter().find_map(|field| {
            let planned = reviewed
                .fields
                .iter()
                .find(|planned| planned.name == field.name);
            match planned {
                Some(planned) if field.refines(planned) => None,
                Some(planned) => Some(format!(
                    "{} was planned as {planned}, and is now {field}",
                    field.name
                )),
                None => Some(format!(
                    "{} was planned as unchanged, and is now {field}",
                    field.name
                )),
            }
        })
    }
}

impl Field {
    fn refines(&self, earlier: &Self) -> bool {
        self.before.refines(&earlier.before) && self.after.refines(&earlier.after)
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

    fn is_absent(&self) -> bool {
        *self == Self::Absent
    }

    fn refines(&self, earlier: &Self) -> bool {
        self == earlier || matches!(earlier, Self::AfterApply(_))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }
}

impl Action {
    /// Returns the mark that `Display` writes in front of a change.
    #[must_use]
    pub const fn mark(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Adopt => '=',
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
            Self::Adopt => "adopt",
            Self::Remove => "remove",
            Self::ManualStep => "manual step for",
            Self::Wait => "wait for",
            Self::Check => "check",
        }
    }

    /// Returns whether a change of this kind may send a request that writes.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Update | Self::Adopt | Self::Remove | Self::ManualStep
        )
    }

    pub(super) fn count(self, number: usize) -> String {
        match self {
            Self::Create | Self::Update | Self::Adopt | Self::Remove => {
                format!("{number} to {}", self.verb())
            }
            Self::ManualStep => super::count(number, "manual step"),
            Self::Wait => super::count(number, "wait"),
            Self::Check => super::count(number, "check"),
        }
    }
}

/// Writes the action and the subject, such as `create permission set Deploy`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.verb(), self.subject)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.before != Value::Absent {
            write!(f, "{} -> ", self.before)?;
        }
        write!(f, "{}", self.after)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("(none)"),
            Self::Known(value) => Shown(value).fmt(f),
            Self::AfterApply(step) => write!(f, "(known after {step})"),
            Self::Secret => f.write_str("(secret, never saved)"),
        }
    }
}
