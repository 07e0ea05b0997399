//! Conversion of values to the type of their attribute.

use serde_json::{Map, Value};

use super::{
    error::{Refusal, Short},
    target::Resolver,
};
use crate::{
    names,
    schema::definition::{Definition, Kind, is_whole, parse_number},
    validate::form,
};

impl Resolver<'_> {
    /// Returns the elements of a value: the elements of a list, or the value itself.
    pub(super) fn elements(
        self,
        value: Value,
        definition: Option<&Definition>,
    ) -> Result<Vec<Value>, Refusal> {
        let mut elements = Vec::new();
        for element in as_list(value) {
            let element = self.element(element, definition)?;
            if !names::is_unassigned(&element) {
                elements.push(element);
            }
        }
        Ok(elements)
    }

    /// Returns one element of a multi-valued attribute.
    pub(super) fn element(
        self,
        value: Value,
        definition: Option<&Definition>,
    ) -> Result<Value, Refusal> {
        if definition.is_some() && value.is_array() {
            return Err(Refusal::invalid_value(
                "an element must be a single value, not a list",
            ));
        }
        let mut element = self.value(value, definition)?;
        if let (Value::Object(attributes), Some(_)) = (&mut element, definition) {
            drop_unassigned(attributes);
        }
        Ok(element)
    }

    /// Returns a value to add, without its unassigned sub-attributes: `null` has no effect in an addition.
    pub(super) fn addition(
        self,
        value: Value,
        definition: Option<&Definition>,
    ) -> Result<Value, Refusal> {
        let mut value = self.value(value, definition)?;
        if let Value::Object(attributes) = &mut value {
            drop_unassigned(attributes);
        }
        Ok(value)
    }

    /// Returns a value in the type of its attribute. In a complex value, `null` is kept and means removal.
    pub(super) fn value(
        self,
        value: Value,
        definition: Option<&Definition>,
    ) -> Result<Value, Refusal> {
        let Some(definition) = definition else {
            return Ok(value);
        };
        if value.is_null() {
            return Ok(value);
        }
        let lenient = self.options.lenient_values;
        // Microsoft Entra removes a manager by the empty string.
        if definition.kind == Kind::Complex && lenient && value.as_str() == Some("") {
            return Ok(Value::Null);
        }
        let converted = match (definition.kind, value) {
            (Kind::Any, value)
            | (Kind::Text, value @ Value::String(_))
            | (Kind::Boolean, value @ Value::Bool(_))
            | (Kind::Decimal, value @ Value::Number(_)) => Some(value),
            (kind @ (Kind::DateTime | Kind::Reference | Kind::Binary), Value::String(text)) => {
                form::problem(kind, &text).is_none().then_some(text.into())
            }
            (Kind::Integer, Value::Number(number)) => is_whole(&number).then_some(number.into()),
            (Kind::Boolean, Value::String(text)) if lenient => {
                names::parse_boolean(&text).map(Value::Bool)
            }
            (Kind::Decimal | Kind::Integer, Value::String(text)) if lenient => {
                parse_number(&text, definition.kind).map(Value::Number)
            }
            (Kind::Complex, Value::Object(attributes)) => {
                return self.complex(attributes, definition).map(Value::Object);
            }
            (Kind::Complex, Value::String(text))
                if lenient && definition.sub_attribute("value").is_some() =>
            {
                Some(Map::from_iter([("value".to_owned(), Value::String(text))]).into())
            }
            _ => None,
        };
        converted.ok_or_else(|| {
            let (name, kind) = (Short(&definition.name), definition.kind.noun());
            Refusal::invalid_value(format!("`{name}` must be {kind}"))
        })
    }

    /// Returns the sub-attributes of a complex value, without the read-only sub-attributes.
    fn complex(
        self,
        attributes: Map<String, Value>,
        definition: &Definition,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut converted = Map::new();
        for (name, value) in attributes {
            let sub_attribute = definition.sub_attribute(&name);
            if sub_attribute.is_some_and(Definition::is_read_only) {
                continue;
            }
            let (name, value) = match sub_attribute {
                Some(known) if known.multi_valued && !value.is_null() => {
                    let list = self.elements(value, sub_attribute)?;
                    (known.name.clone(), list.into())
                }
                Some(known) => (known.name.clone(), self.value(value, sub_attribute)?),
                None => {
                    if definition.is_closed() {
                        self.refuse_unknown(&name)?;
                    }
                    (name, value)
                }
            };
            if converted.contains_key(&name) {
                return Err(Refusal::invalid_value(format!(
                    "`{}` occurs more than once",
                    Short(&name)
                )));
            }
            converted.insert(name, value);
        }
        Ok(converted)
    }
}

/// Removes the attributes that have no value.
pub(super) fn drop_unassigned(attributes: &mut Map<String, Value>) {
    attributes.retain(|_, value| !names::is_unassigned(value));
}

/// Returns a value as a list: `null` as an empty list, and a single value as a list with one element.
pub(super) fn as_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        value => vec![value],
    }
}
