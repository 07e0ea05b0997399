//! Values as an attribute takes them.

use serde_json::{Map, Value};

use super::{
    error::{Refusal, Short},
    target::Resolver,
};
use crate::{
    names,
    schema::definition::{Definition, Kind, is_whole, number},
    validate::form,
};

impl Resolver<'_> {
    /// Returns the elements a value stands for: those of a list, or itself.
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

    /// Returns one element of an attribute with several values.
    pub(super) fn element(
        self,
        value: Value,
        definition: Option<&Definition>,
    ) -> Result<Value, Refusal> {
        if definition.is_some() && value.is_array() {
            return Err(Refusal::invalid_value(
                "a list stands where one value belongs",
            ));
        }
        let mut element = self.value(value, definition)?;
        if let (Value::Object(attributes), Some(_)) = (&mut element, definition) {
            drop_unassigned(attributes);
        }
        Ok(element)
    }

    /// Returns a value to be added, in which `null` says nothing.
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

    /// Returns a value as its attribute takes it; in a complex one, `null` still says what to remove.
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
        let loose = self.options.loose_values;
        let taken = match (definition.kind, value) {
            (Kind::Any, value)
            | (Kind::Text, value @ Value::String(_))
            | (Kind::Boolean, value @ Value::Bool(_))
            | (Kind::Decimal, value @ Value::Number(_)) => Some(value),
            (kind @ (Kind::DateTime | Kind::Reference | Kind::Binary), Value::String(text)) => {
                form::of(kind, &text).is_none().then_some(text.into())
            }
            (Kind::Integer, Value::Number(number)) => is_whole(&number).then_some(number.into()),
            (Kind::Boolean, Value::String(text)) if loose => names::boolean(&text).map(Value::Bool),
            (Kind::Decimal | Kind::Integer, Value::String(text)) if loose => {
                number(&text, definition.kind).map(Value::Number)
            }
            (Kind::Complex, Value::Object(attributes)) => {
                return self.complex(attributes, definition).map(Value::Object);
            }
            (Kind::Complex, Value::String(text))
                if loose && definition.sub_attribute("value").is_some() =>
            {
                Some(Map::from_iter([("value".to_owned(), Value::String(text))]).into())
            }
            _ => None,
        };
        taken.ok_or_else(|| {
            let (name, kind) = (Short(&definition.name), definition.kind.in_words());
            Refusal::invalid_value(format!("`{name}` takes {kind}"))
        })
    }

    /// Returns the sub-attributes of a complex value; what only the server may write is left out.
    fn complex(
        self,
        attributes: Map<String, Value>,
        definition: &Definition,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut taken = Map::new();
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
                        self.unknown(&name)?;
                    }
                    (name, value)
                }
            };
            if taken.contains_key(&name) {
                return Err(Refusal::invalid_value(format!(
                    "`{}` is said twice",
                    Short(&name)
                )));
            }
            taken.insert(name, value);
        }
        Ok(taken)
    }
}

/// Takes out the attributes that have no value.
pub(super) fn drop_unassigned(attributes: &mut Map<String, Value>) {
    attributes.retain(|_, value| !names::is_unassigned(value));
}

/// Returns what stands in the place of a list as one.
pub(super) fn as_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        value => vec![value],
    }
}
