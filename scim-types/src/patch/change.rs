//! Changes to one attribute.

use serde_json::{Map, Value};

use super::{
    error::{Refusal, Short},
    list::enforce_single_primary,
    target::{Resolver, Step},
    value::{as_list, drop_unassigned},
};
use crate::{
    names,
    schema::definition::{Definition, Mutability},
};

/// A change to an attribute.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Add(Value),
    Replace(Value),
    Remove,
    RemoveListed(Value),
}

impl Change {
    fn removes(&self) -> bool {
        matches!(self, Self::Remove | Self::RemoveListed(_))
    }
}

impl<'a> Resolver<'a> {
    /// Applies a change to the target of the steps, which start at an object.
    pub(super) fn change(
        self,
        attributes: &mut Map<String, Value>,
        steps: &[Step<'a>],
        change: &Change,
    ) -> Result<(), Refusal> {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(());
        };
        if step.is_read_only() {
            return Err(Refusal::mutability(format!(
                "`{}` is read-only",
                Short(step.name)
            )));
        }
        let name = names::find(attributes, step.name).map(|(name, _)| name.to_owned());
        let existing = name.as_deref().and_then(|name| attributes.get_mut(name));
        let existing = existing.map_or(Value::Null, Value::take);
        let previous = Previous::of(&existing, step.definition);
        let value = match (step.selection, rest) {
            (Some(_), rest) => self.change_selected(step, rest, existing, change)?,
            (None, []) => self.assign(step, existing, change.clone())?,
            (None, rest) => self.descend(step, rest, existing, change)?,
        };
        previous.allows(&value, step.name, step.definition)?;
        if names::is_unassigned(&value) {
            // `retain` shifts the other attributes, which keeps their order.
            attributes.retain(|known, _| !known.eq_ignore_ascii_case(step.name));
        } else {
            let name = name.unwrap_or_else(|| step.name.to_owned());
            attributes.insert(name, value);
        }
        Ok(())
    }

    /// Applies a change to an attribute as a whole.
    fn assign(self, step: &Step<'a>, existing: Value, change: Change) -> Result<Value, Refusal> {
        let multi_valued = match (step.definition, &change) {
            (Some(definition), _) => definition.multi_valued,
            (None, Change::Add(value) | Change::Replace(value)) => {
                existing.is_array() || value.is_array()
            }
            (None, Change::Remove | Change::RemoveListed(_)) => existing.is_array(),
        };
        match change {
            Change::Remove | Change::Replace(Value::Null) => Ok(Value::Null),
            Change::RemoveListed(listed) if multi_valued => {
                let mut list = as_list(existing);
                self.remove_listed(step, &mut list, listed)?;
                Ok(list.into())
            }
            Change::RemoveListed(_) => Err(Refusal::invalid_value(format!(
                "`{}` is not multi-valued, so a removal must not list values",
                Short(step.name)
            ))),
            Change::Add(value) if multi_valued => {
                let mut list = as_list(existing);
                let elements = self.elements(value, step.definition)?;
                Self::add_elements(step, &mut list, elements)?;
                Ok(list.into())
            }
            Change::Replace(value) if multi_valued => {
                let mut list = self.elements(value, step.definition)?;
                enforce_single_primary(step, &mut list, &[])?;
                Ok(list.into())
            }
            Change::Add(Value::Null) => Ok(existing),
            Change::Add(value)
                if existing.is_object() && !value.is_object() && step.definition.is_none() =>
            {
                Err(Refusal::invalid_value(format!(
                    "`{}` must be an object",
                    Short(step.name)
                )))
            }
            Change::Add(value) | Change::Replace(value)
                if step.definition.is_some() && value.is_array() =>
            {
                Err(Refusal::invalid_value(format!(
                    "`{}` must be a single value, not a list",
                    Short(step.name)
                )))
            }
            Change::Add(value) => {
                let value = self.addition(value, step.definition)?;
                self.merged(existing, value, step.definition)
            }
            Change::Replace(value) => {
                let value = self.value(value, step.definition)?;
                self.merged(existing, value, step.definition)
            }
        }
    }

    /// Applies a change to a sub-attribute of an attribute.
    fn descend(
        self,
        step: &Step<'a>,
        rest: &[Step<'a>],
        existing: Value,
        change: &Change,
    ) -> Result<Value, Refusal> {
        let multi_valued = step
            .definition
            .map_or(existing.is_array(), |definition| definition.multi_valued);
        if multi_valued {
            let mut list = as_list(existing);
            if list.is_empty() && !change.removes() {
                return Err(Refusal::no_target(format!(
                    "`{}` has no elements",
                    Short(step.name)
                )));
            }
            let all: Vec<usize> = (0..list.len()).collect();
            self.change_elements(step, rest, &mut list, &all, change)?;
            return Ok(list.into());
        }
        match existing {
            Value::Object(attributes) => self.changed_object(step, rest, attributes, change),
            existing if change.removes() => Ok(existing),
            Value::Null => {
                let mut attributes = Map::new();
                self.change(&mut attributes, rest, change)?;
                Ok(attributes.into())
            }
            _ => Err(Refusal::invalid_path(format!(
                "`{}` has no sub-attributes",
                Short(step.name)
            ))),
        }
    }

    /// Changes a sub-attribute of a complex value.
    pub(super) fn changed_object(
        self,
        step: &Step<'a>,
        rest: &[Step<'a>],
        mut attributes: Map<String, Value>,
        change: &Change,
    ) -> Result<Value, Refusal> {
        let reference = step.definition.filter(|known| known.is_reference());
        let old = referred(&attributes).cloned();
        self.change(&mut attributes, rest, change)?;
        self.drop_stale(reference, old.as_ref(), &mut attributes);
        Ok(attributes.into())
    }

    /// Removes what describes the former target of a reference whose `value` has changed: its `$ref`, and read-only
    /// sub-attributes such as the display name of a manager.
    ///
    /// A patch that itself sets a `$ref` decides on it. All other sub-attributes stay (RFC 7644 section 3.5.2.3).
    fn drop_stale(
        self,
        reference: Option<&Definition>,
        old: Option<&Value>,
        attributes: &mut Map<String, Value>,
    ) {
        let Some(definition) = reference else { return };
        let new = referred(attributes);
        let same = names::is_same(old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
        if same {
            return;
        }
        attributes.retain(|name, _| {
            let known = definition.sub_attribute(name);
            let stale = known.is_some_and(|known| {
                known.is_read_only() || known.name == "$ref" && !self.sets_references
            });
            !stale
        });
    }

    /// Replaces a value. A complex value keeps the existing sub-attributes that the new value does not contain, except those
    /// that describe the former target of a reference.
    pub(super) fn merged(
        self,
        existing: Value,
        value: Value,
        definition: Option<&Definition>,
    ) -> Result<Value, Refusal> {
        let (mut attributes, new) = match (existing, value) {
            (Value::Object(attributes), Value::Object(new)) => (attributes, new),
            (_, Value::Object(mut new)) => {
                if definition.is_some() {
                    drop_unassigned(&mut new);
                }
                return Ok(new.into());
            }
            (_, value) => return Ok(value),
        };
        let reference = definition.filter(|known| known.is_reference());
        let old = referred(&attributes).cloned();
        for (name, value) in new {
            let sub_attribute = definition.and_then(|definition| definition.sub_attribute(&name));
            let known = names::find(&attributes, &name).map(|(name, _)| name.to_owned());
            let existing = known.as_deref().and_then(|name| attributes.get(name));
            let previous = Previous::of(existing.unwrap_or(&Value::Null), sub_attribute);
            previous.allows(&value, &name, sub_attribute)?;
            if names::is_unassigned(&value) {
                attributes.retain(|known, _| !known.eq_ignore_ascii_case(&name));
            } else {
                attributes.insert(known.unwrap_or(name), value);
            }
        }
        self.drop_stale(reference, old.as_ref(), &mut attributes);
        Ok(attributes.into())
    }
}

/// Returns the id of the resource to which a value refers.
fn referred(attributes: &Map<String, Value>) -> Option<&Value> {
    names::assigned(attributes, "value")
}

/// The state of an attribute before a change, which limits the change.
struct Previous {
    assigned: bool,
    /// The value that must not change, if the attribute is immutable and has a value.
    fixed: Option<Value>,
}

impl Previous {
    fn of(existing: &Value, definition: Option<&Definition>) -> Self {
        let assigned = !names::is_unassigned(existing);
        let immutable =
            definition.is_some_and(|definition| definition.mutability == Mutability::Immutable);
        Self {
            assigned,
            fixed: (assigned && immutable).then(|| existing.clone()),
        }
    }

    fn allows(
        &self,
        value: &Value,
        name: &str,
        definition: Option<&Definition>,
    ) -> Result<(), Refusal> {
        let required = definition.is_some_and(|definition| definition.required);
        if required && value.as_str() == Some("") {
            return Err(Refusal::invalid_value(format!(
                "`{}` is required and cannot be empty",
                Short(name)
            )));
        }
        if required && self.assigned && names::is_unassigned(value) {
            return Err(Refusal::mutability(format!(
                "`{}` is required and cannot be removed",
                Short(name)
            )));
        }
        match &self.fixed {
            Some(fixed) if !names::is_same(fixed, value) => Err(Refusal::mutability(format!(
                "`{}` is immutable and cannot be changed",
                Short(name)
            ))),
            _ => Ok(()),
        }
    }
}
