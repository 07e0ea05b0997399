//! The types of responses, in the notation of `contract.json`.
//!
//! | notation | type |
//! | --- | --- |
//! | `"string"`, `"integer"`, `"number"`, `"boolean"` | a scalar |
//! | `"time"` | a string in the format `date-time` |
//! | `"=A\|B"` | one of these strings |
//! | `"object"`, `"any"` | an object with any properties, any value |
//! | `"@Name"` | the schema with this name |
//! | `[T]` | a list |
//! | `{"a": T, "b!": T, "c?": T, "*": T}` | an object: `b` is required, `c` may be null, and other properties are allowed |
//! | `{"=a": {"X": T, "Y": T}}` | an object whose property `a` selects the type |
//! | `{"\|": [T, T]}` | one of these types |

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::description::{Description, items};

/// A schema with all parts of its `allOf`.
#[derive(Default)]
struct Flat<'a> {
    kind: Option<&'a str>,
    is_time: bool,
    values: Vec<&'a str>,
    is_nullable: bool,
    /// Requests have the property, and responses do not.
    is_write_only: bool,
    item: Option<&'a Value>,
    properties: BTreeMap<&'a str, &'a Value>,
    required: BTreeSet<&'a str>,
    /// The schema of the properties without a schema of their own.
    others: Option<&'a Value>,
    alternatives: Vec<&'a Value>,
    discriminator: Option<&'a Value>,
}

impl Description {
    /// Returns the type of a value, and adds the schemas that it names to `schemas`.
    pub(super) fn value_type(&self, schema: &Value, schemas: &mut Map<String, Value>) -> Value {
        let (name, schema) = self.named(schema);
        let mut flat = Flat::default();
        self.flatten(schema, &mut flat);
        flat.discriminator = schema.get("discriminator");
        match name {
            Some(name) if !flat.properties.is_empty() || !flat.alternatives.is_empty() => {
                if !schemas.contains_key(name) {
                    // A schema may contain itself.
                    schemas.insert(name.to_owned(), Value::Null);
                    let structure = self.structure(&flat, schemas);
                    schemas.insert(name.to_owned(), structure);
                }
                format!("@{name}").into()
            }
            _ => self.structure(&flat, schemas),
        }
    }

    fn structure(&self, flat: &Flat<'_>, schemas: &mut Map<String, Value>) -> Value {
        if let Some(discriminator) = flat.discriminator
            && let Some(mapping) = discriminator["mapping"].as_object()
        {
            let mut types = Map::new();
            for (value, reference) in mapping {
                let schema = json!({ "$ref": reference });
                types.insert(value.clone(), self.value_type(&schema, schemas));
            }
            let property = discriminator["propertyName"].as_str().unwrap();
            return json!({ format!("={property}"): types });
        }
        if !flat.alternatives.is_empty() {
            let types = flat.alternatives.iter();
            let types = types.map(|schema| self.value_type(schema, schemas));
            return json!({ "|": types.collect::<Vec<_>>() });
        }
        match flat.kind {
            Some("array") => {
                let item = flat.item.unwrap_or(&Value::Null);
                return json!([self.value_type(item, schemas)]);
            }
            Some("string") if !flat.values.is_empty() => {
                return format!("={}", flat.values.join("|")).into();
            }
            Some("string") if flat.is_time => return "time".into(),
            _ => {}
        }
        let mut members = Map::new();
        for (name, schema) in &flat.properties {
            let mut property = Flat::default();
            self.flatten(schema, &mut property);
            if !property.is_write_only {
                let required = if flat.required.contains(name) {
                    "!"
                } else {
                    ""
                };
                let nullable = if property.is_nullable { "?" } else { "" };
                let kind = self.value_type(schema, schemas);
                members.insert(format!("{name}{required}{nullable}"), kind);
            }
        }
        let others = flat.others.filter(|others| **others != false);
        if let Some(others) = others {
            let kind = if others.is_object() {
                self.value_type(others, schemas)
            } else {
                "any".into()
            };
            members.insert("*".to_owned(), kind);
        }
        if members.is_empty() {
            return flat.kind.unwrap_or("any").into();
        }
        members.into()
    }

    fn flatten<'a>(&'a self, schema: &'a Value, flat: &mut Flat<'a>) {
        let schema = self.resolve(schema);
        flat.kind = schema["type"].as_str().or(flat.kind);
        flat.is_time |= schema["format"] == "date-time";
        flat.is_nullable |= schema["nullable"] == true;
        flat.is_write_only |= schema["writeOnly"] == true;
        flat.item = schema.get("items").or(flat.item);
        flat.others = schema.get("additionalProperties").or(flat.others);
        let values = items(&schema["enum"]).filter_map(Value::as_str);
        flat.values.extend(values);
        let required = items(&schema["required"]).filter_map(Value::as_str);
        flat.required.extend(required);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            flat.properties.insert(name, property);
        }
        let alternatives = ["oneOf", "anyOf"].into_iter();
        let alternatives = alternatives.flat_map(|name| items(&schema[name]));
        flat.alternatives.extend(alternatives);
        for part in items(&schema["allOf"]) {
            self.flatten(part, flat);
        }
    }

    /// Returns the name of a schema and the schema. `allOf` with one part that is not only text is this part.
    fn named<'a>(&'a self, schema: &'a Value) -> (Option<&'a str>, &'a Value) {
        const CONTENT: [&str; 8] = [
            "$ref",
            "additionalProperties",
            "allOf",
            "anyOf",
            "enum",
            "items",
            "oneOf",
            "properties",
        ];
        let has_content = |part: &&Value| CONTENT.iter().any(|name| part.get(name).is_some());
        let (mut name, mut schema) = (None, schema);
        loop {
            let mut parts = items(&schema["allOf"]).filter(has_content);
            if let Some(reference) = schema["$ref"].as_str() {
                name = reference.rsplit('/').next();
                schema = self.resolve(schema);
            } else if let (Some(part), None) = (parts.next(), parts.next())
                && part.get("$ref").is_some()
                && CONTENT
                    .iter()
                    .filter(|name| schema.get(name).is_some())
                    .count()
                    == 1
            {
                schema = part;
            } else {
                return (name, schema);
            }
        }
    }
}
