//! Changes to multi-valued attributes.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    MissingElement,
    change::Change,
    error::{Refusal, Short},
    target::{Resolver, SelectBy, Step},
    value::as_list,
};
use crate::{
    filter::{Comparison, Filter, Literal, Operator},
    names,
    schema::definition::{Kind, element_identity},
};

impl<'a> Resolver<'a> {
    /// Adds the elements that the list does not contain yet.
    pub(super) fn add_elements(
        step: &Step<'_>,
        list: &mut Vec<Value>,
        elements: Vec<Value>,
    ) -> Result<(), Refusal> {
        let by_value = step.is_reference_list();
        let known = list
            .iter()
            .map(|element| element_identity(element, by_value));
        let mut known: HashSet<String> = known.collect();
        let was_primary = primaries(list);
        list.extend(
            elements
                .into_iter()
                .filter(|element| known.insert(element_identity(element, by_value))),
        );
        enforce_single_primary(step, list, &was_primary)
    }

    /// Removes the listed elements, and no other element.
    pub(super) fn remove_listed(
        self,
        step: &Step<'_>,
        list: &mut Vec<Value>,
        listed: Value,
    ) -> Result<(), Refusal> {
        let listed = as_list(listed);
        if listed.len() > self.options.max_operations {
            return Err(Refusal::too_many(format!(
                "it lists {} values, more than the limit of {}",
                listed.len(),
                self.options.max_operations
            )));
        }
        // An empty value would match every element, and all elements would be removed.
        if listed
            .iter()
            .any(|value| value.is_array() || is_empty_value(value))
        {
            return Err(Refusal::invalid_value(
                "a value to remove must not be empty or a list",
            ));
        }
        if step.is_reference_list() {
            let mut ids = HashSet::new();
            for value in &listed {
                let id = match value {
                    Value::Object(attributes) => names::assigned(attributes, "value"),
                    value => Some(value),
                };
                let id = id.ok_or_else(|| {
                    Refusal::invalid_value(format!(
                        "a value to remove from `{}` has no `value`",
                        step.name
                    ))
                })?;
                ids.insert(names::identity(id));
            }
            list.retain(|element| !ids.contains(&element_identity(element, true)));
        } else {
            list.retain(|element| !listed.iter().any(|listed| matches_listed(element, listed)));
        }
        Ok(())
    }

    /// Changes the elements that the filter of a step selects.
    pub(super) fn change_selected(
        self,
        step: &Step<'a>,
        rest: &[Step<'a>],
        existing: Value,
        change: &Change,
    ) -> Result<Value, Refusal> {
        let Some(selection) = step.selection else {
            return Ok(existing);
        };
        let single = match step.definition {
            Some(definition) => !definition.multi_valued,
            None => !matches!(existing, Value::Array(_) | Value::Null),
        };
        if single {
            return Err(Refusal::invalid_path(format!(
                "`{}` is not multi-valued, so a filter cannot select elements",
                Short(step.name)
            )));
        }
        let mut list = as_list(existing);
        let mut selected = Vec::new();
        for (index, element) in list.iter().enumerate() {
            if selection.matches(element, self)? {
                selected.push(index);
            }
        }
        match change {
            Change::RemoveListed(_) => {
                return Err(Refusal::invalid_value(
                    "the filter already selects the elements to remove, so a value is not allowed",
                ));
            }
            Change::Remove if rest.is_empty() => {
                let mut index = 0;
                list.retain(|_| {
                    index += 1;
                    selected.binary_search(&(index - 1)).is_err()
                });
            }
            Change::Remove => self.change_elements(step, rest, &mut list, &selected, change)?,
            Change::Add(_) | Change::Replace(_) if selected.is_empty() => {
                let created = match selection.by {
                    SelectBy::Filter(filter) => self.element_from_filter(step, filter)?,
                    SelectBy::AnyOf(_) => None,
                };
                let element = created.ok_or_else(|| {
                    Refusal::no_target(format!(
                        "the filter selects no element of `{}`",
                        Short(step.name)
                    ))
                })?;
                self.add_created(step, rest, &mut list, element, change)?;
            }
            Change::Add(_) | Change::Replace(_) => {
                self.change_elements(step, rest, &mut list, &selected, change)?;
            }
        }
        Ok(list.into())
    }

    /// Adds an element that was created from a filter, and applies the change to it.
    pub(super) fn add_created(
        self,
        step: &Step<'a>,
        rest: &[Step<'a>],
        list: &mut Vec<Value>,
        element: Value,
        change: &Change,
    ) -> Result<(), Refusal> {
        // The sub-attributes from the filter are kept, unless the change sets them.
        let change = match change {
            Change::Replace(value) => &Change::Add(value.clone()),
            change => change,
        };
        let was_primary = primaries(list);
        list.push(self.changed_element(step, rest, element, change)?);
        enforce_single_primary(step, list, &was_primary)
    }

    /// Changes the elements at `indexes`: each element as a whole, or one of its sub-attributes.
    pub(super) fn change_elements(
        self,
        step: &Step<'a>,
        rest: &[Step<'a>],
        list: &mut Vec<Value>,
        indexes: &[usize],
        change: &Change,
    ) -> Result<(), Refusal> {
        let was_primary = primaries(list);
        for index in indexes {
            let slot = &mut list[*index];
            let element = slot.take();
            *slot = self.changed_element(step, rest, element, change)?;
        }
        enforce_single_primary(step, list, &was_primary)?;
        list.retain(|element| !names::is_unassigned(element));
        Ok(())
    }

    fn changed_element(
        self,
        step: &Step<'a>,
        rest: &[Step<'a>],
        element: Value,
        change: &Change,
    ) -> Result<Value, Refusal> {
        match (rest, element) {
            ([], element) => match change {
                Change::Add(value) | Change::Replace(value)
                    if element.is_object() && is_simple(value) && step.definition.is_none() =>
                {
                    Err(Refusal::invalid_value(format!(
                        "an element of `{}` must be an object",
                        Short(step.name)
                    )))
                }
                Change::Add(Value::Null) => Ok(element),
                Change::Add(value) => {
                    let value = self.addition(value.clone(), step.definition)?;
                    self.merged(element, value, step.definition)
                }
                Change::Replace(value) => self.element(value.clone(), step.definition),
                Change::Remove | Change::RemoveListed(_) => Ok(Value::Null),
            },
            (rest, Value::Object(attributes)) => {
                self.changed_object(step, rest, attributes, change)
            }
            // A simple element is its own `value`.
            ([step], _) if step.name.eq_ignore_ascii_case("value") => match change {
                Change::Add(value) | Change::Replace(value) => Ok(value.clone()),
                Change::Remove | Change::RemoveListed(_) => Ok(Value::Null),
            },
            (_, element) => match change {
                Change::Remove | Change::RemoveListed(_) => Ok(element),
                Change::Add(_) | Change::Replace(_) => Err(Refusal::invalid_path(format!(
                    "an element of `{}` has no sub-attributes",
                    Short(step.name)
                ))),
            },
        }
    }

    /// Returns an element with the values from a filter, if the options allow its creation and the filter has
    /// only `eq` comparisons.
    pub(super) fn element_from_filter(
        self,
        step: &Step<'a>,
        filter: &Filter,
    ) -> Result<Option<Value>, Refusal> {
        let complex = step
            .definition
            .is_none_or(|definition| matches!(definition.kind, Kind::Complex | Kind::Any));
        if self.options.missing_element == MissingElement::Refuse || !complex {
            return Ok(None);
        }
        let terms: Vec<&Filter> = match filter {
            Filter::And(terms) => terms.iter().collect(),
            filter => vec![filter],
        };
        let mut attributes = Map::new();
        for term in terms {
            let Some((name, value)) = eq_comparison(term) else {
                return Ok(None);
            };
            if names::find(&attributes, name).is_some() {
                return Ok(None);
            }
            attributes.insert(name.to_owned(), value);
        }
        self.element(attributes.into(), step.definition).map(Some)
    }
}

/// Makes a newly primary element the only primary element (RFC 7644 section 3.5.2).
///
/// Fails if more than one element became primary.
pub(super) fn enforce_single_primary(
    step: &Step<'_>,
    list: &mut [Value],
    was_primary: &[bool],
) -> Result<(), Refusal> {
    let became = |index: usize, element: &Value| {
        names::is_primary(element) && !was_primary.get(index).copied().unwrap_or(false)
    };
    let new: Vec<usize> = list
        .iter()
        .enumerate()
        .filter(|(index, element)| became(*index, element))
        .map(|(index, _)| index)
        .collect();
    match new.as_slice() {
        [] => Ok(()),
        [new] => {
            let others = list
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| index != new);
            for (_, element) in others.filter(|(_, element)| names::is_primary(element)) {
                if let Value::Object(attributes) = element {
                    let name = names::find(attributes, "primary").map(|(name, _)| name.to_owned());
                    attributes.insert(name.unwrap_or_default(), false.into());
                }
            }
            Ok(())
        }
        _ => Err(Refusal::invalid_value(format!(
            "more than one element of `{}` would be primary",
            Short(step.name)
        ))),
    }
}

pub(super) fn primaries(list: &[Value]) -> Vec<bool> {
    list.iter().map(names::is_primary).collect()
}

/// Returns the attribute and the value of a filter that is a single `eq` comparison.
fn eq_comparison(filter: &Filter) -> Option<(&str, Value)> {
    let Filter::Compare(Comparison {
        attribute,
        operator: Operator::Eq,
        value,
    }) = filter
    else {
        return None;
    };
    if attribute.schema().is_some() || attribute.sub_attribute().is_some() {
        return None;
    }
    let value = match value {
        Literal::String(text) => text.as_str().into(),
        Literal::Number(number) => number.clone().into(),
        Literal::Boolean(value) => (*value).into(),
        Literal::Null => return None,
    };
    Some((attribute.name(), value))
}

/// Returns whether an element has all sub-attributes of a listed value. A listed `null` matches an
/// absent sub-attribute.
fn matches_listed(element: &Value, listed: &Value) -> bool {
    match (element, listed) {
        (Value::Object(attributes), Value::Object(listed)) => {
            listed.iter().all(|(name, listed)| {
                let value = names::assigned(attributes, name);
                value.map_or(names::is_unassigned(listed), |value| {
                    names::is_same(value, listed)
                })
            })
        }
        (Value::Object(attributes), listed) => names::assigned(attributes, "value") == Some(listed),
        (element, Value::Object(listed)) => {
            listed.len() == 1 && names::assigned(listed, "value") == Some(element)
        }
        (element, listed) => element == listed,
    }
}

fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::Object(attributes) => attributes.values().all(names::is_unassigned),
        value => value.is_null(),
    }
}

fn is_simple(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Null)
}
