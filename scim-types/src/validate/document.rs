//! The check of a resource against its schemas.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Direction, Finding, form};
use crate::{
    Schemas, ScimType, names,
    schema::{
        declares,
        definition::{self, Definition, Kind, Mutability, Returned, is_whole, parse_number},
        is_core_urn,
    },
};

impl Schemas {
    /// Returns the errors and the tolerated deviations of a resource, in the order of its attributes.
    ///
    /// A request may contain read-only attributes, booleans and numbers as strings, countries and languages
    /// in another form, and an undeclared extension. These deviations are tolerated. Attributes that are in
    /// no schema are tolerated in requests and responses.
    ///
    /// A violation of a MUST in the RFC is an error:
    ///
    /// - a required attribute that is missing or empty
    /// - more than one primary value
    /// - a value of another type or form
    /// - a duplicate attribute
    /// - a changed immutable attribute
    /// - an attribute in a response that must never be returned
    #[must_use]
    pub fn check(&self, resource: &Value, direction: Direction<'_>) -> Vec<Finding> {
        let mut checker = Checker {
            direction,
            findings: Vec::new(),
        };
        let Value::Object(attributes) = resource else {
            checker.error("", "is not an object", ScimType::InvalidSyntax);
            return checker.findings;
        };
        checker.schemas(self, attributes);
        let before = match direction {
            Direction::Replace { before } => before.as_object(),
            Direction::Create | Direction::Response => None,
        };
        checker.attributes("", attributes, self.attributes(None), before);
        for (urn, value) in attributes.iter().filter(|(name, _)| names::is_urn(name)) {
            self.check_extension(&mut checker, attributes, urn, value, before);
        }
        checker.findings
    }

    fn check_extension(
        &self,
        checker: &mut Checker<'_>,
        resource: &Map<String, Value>,
        urn: &str,
        value: &Value,
        before: Option<&Map<String, Value>>,
    ) {
        let Value::Object(attributes) = value else {
            return;
        };
        if is_core_urn(urn) {
            checker.note(
                urn,
                "is a core schema: its attributes belong at the top level",
            );
            return;
        }
        if !declares(Some(resource), urn) && !names::is_unassigned(value) {
            let problem = "is not declared in `schemas`";
            if checker.direction.is_request() {
                checker.note(urn, problem);
            } else {
                checker.error(urn, problem, ScimType::InvalidSyntax);
            }
        }
        let before = before
            .and_then(|before| names::assigned(before, urn))
            .and_then(Value::as_object);
        checker.attributes(
            &format!("{urn}:"),
            attributes,
            self.attributes(Some(urn)),
            before,
        );
    }
}

struct Checker<'a> {
    direction: Direction<'a>,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn schemas(&mut self, schemas: &Schemas, resource: &Map<String, Value>) {
        match (names::assigned(resource, "schemas"), schemas.core()) {
            (Some(_), Some(core)) if !declares(Some(resource), core) => {
                let problem = format!("does not contain `{core}`");
                self.error("schemas", problem, ScimType::InvalidSyntax);
            }
            // A known core schema requires `schemas`, so the check of required attributes reports it if it is missing.
            (Some(_), _) | (None, Some(_)) => {}
            (None, None) => {
                let problem = "is required but missing";
                self.error("schemas", problem, ScimType::InvalidSyntax);
            }
        }
    }

    /// Checks the attributes of one object. `prefix` is the path of the object, with the separator at its end.
    fn attributes(
        &mut self,
        prefix: &str,
        attributes: &Map<String, Value>,
        definitions: Option<&[Definition]>,
        before: Option<&Map<String, Value>>,
    ) {
        let mut seen = HashSet::new();
        for (name, value) in attributes {
            let path = format!("{prefix}{name}");
            if !seen.insert(name.to_ascii_lowercase()) {
                self.error(&path, "occurs more than once", ScimType::InvalidSyntax);
                continue;
            }
            if prefix.is_empty() && names::is_urn(name) && value.is_object() {
                continue;
            }
            let Some(definitions) = definitions else {
                continue;
            };
            let Some(definition) = definition::find(definitions, name) else {
                self.note(&path, "is not in the schema");
                continue;
            };
            let before = before.and_then(|before| names::assigned(before, name));
            self.attribute(&path, value, definition, before);
        }
        let missing = definitions.into_iter().flatten().filter(|definition| {
            self.is_needed(definition) && names::assigned(attributes, &definition.name).is_none()
        });
        for definition in missing.collect::<Vec<_>>() {
            let scim_type = if definition.name == "schemas" {
                ScimType::InvalidSyntax
            } else {
                ScimType::InvalidValue
            };
            let path = format!("{prefix}{}", definition.name);
            self.error(&path, "is required but missing", scim_type);
        }
        if let Some(before) = before {
            self.removed_immutable(prefix, attributes, definitions, before);
        }
    }

    /// Returns whether an attribute must be present.
    fn is_needed(&self, definition: &Definition) -> bool {
        match self.direction {
            Direction::Response => {
                definition.returned == Returned::Always
                    && (definition.required || definition.is_read_only())
            }
            Direction::Create | Direction::Replace { .. } => {
                definition.required && !definition.is_read_only()
            }
        }
    }

    /// Reports immutable attributes that had a value before, but have no value now.
    fn removed_immutable(
        &mut self,
        prefix: &str,
        attributes: &Map<String, Value>,
        definitions: Option<&[Definition]>,
        before: &Map<String, Value>,
    ) {
        for definition in definitions.into_iter().flatten() {
            let name = &definition.name;
            if definition.mutability == Mutability::Immutable
                && names::assigned(before, name).is_some()
                && names::assigned(attributes, name).is_none()
            {
                self.error(
                    &format!("{prefix}{name}"),
                    "is immutable and cannot be changed",
                    ScimType::Mutability,
                );
            }
        }
    }

    fn attribute(
        &mut self,
        path: &str,
        value: &Value,
        definition: &Definition,
        before: Option<&Value>,
    ) {
        if names::is_unassigned(value) {
            return;
        }
        if definition.is_read_only() && self.direction.is_request() {
            self.note(path, "is read-only and ignored");
            return;
        }
        if !self.direction.is_request() && definition.returned == Returned::Never {
            self.error(path, "must never be returned", ScimType::InvalidValue);
            return;
        }
        let immutable = definition.mutability == Mutability::Immutable;
        if immutable && before.is_some_and(|before| !names::is_same(before, value)) {
            self.error(
                path,
                "is immutable and cannot be changed",
                ScimType::Mutability,
            );
        }
        match (value, definition.multi_valued) {
            (Value::Array(list), true) => self.list(path, list, definition),
            (Value::Array(_), false) if definition.kind != Kind::Any => {
                self.error(
                    path,
                    "must be a single value, not a list",
                    ScimType::InvalidValue,
                );
            }
            (value, true) => {
                self.error(path, "must be a list of values", ScimType::InvalidValue);
                self.value(path, value, definition, None);
            }
            (value, false) => self.value(path, value, definition, before),
        }
    }

    fn list(&mut self, path: &str, list: &[Value], definition: &Definition) {
        for (index, element) in list.iter().enumerate() {
            self.value(&format!("{path}[{index}]"), element, definition, None);
        }
        let primary = list.iter().filter(|element| names::is_primary(element));
        if primary.count() > 1 {
            self.error(
                path,
                "has more than one primary value",
                ScimType::InvalidValue,
            );
        }
    }

    fn value(
        &mut self,
        path: &str,
        value: &Value,
        definition: &Definition,
        before: Option<&Value>,
    ) {
        match (definition.kind, value) {
            (Kind::Any, _)
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Decimal, Value::Number(_)) => {}
            (Kind::Integer, Value::Number(number)) if is_whole(number) => {}
            (Kind::Text | Kind::DateTime | Kind::Reference | Kind::Binary, Value::String(text)) => {
                self.string(path, text, definition);
            }
            (Kind::Complex, Value::Object(attributes)) => {
                let known = definition
                    .is_closed()
                    .then_some(definition.sub_attributes.as_slice());
                let before = before.and_then(Value::as_object);
                self.attributes(&format!("{path}."), attributes, known, before);
            }
            (Kind::Boolean, Value::String(text)) if names::parse_boolean(text).is_some() => {
                self.nonstandard(path, "is a boolean written as a string");
            }
            (kind @ (Kind::Decimal | Kind::Integer), Value::String(text))
                if parse_number(text, kind).is_some() =>
            {
                self.nonstandard(path, "is a number written as a string");
            }
            (kind, value) => {
                let problem = format!("must be {}, not {}", kind.noun(), noun(value));
                self.error(path, problem, ScimType::InvalidValue);
            }
        }
    }

    fn string(&mut self, path: &str, text: &str, definition: &Definition) {
        let name = definition.name.as_str();
        if text.is_empty() {
            // "Each User MUST include a non-empty userName value" (RFC 7643 section 4.1.1).
            if definition.required {
                self.error(path, "is required but empty", ScimType::InvalidValue);
            }
            return;
        }
        if let Some(problem) = form::problem(definition.kind, text) {
            self.error(path, problem, ScimType::InvalidValue);
        }
        let problem = if is_country(path, name) {
            form::country(text)
        } else if path.eq_ignore_ascii_case("locale") {
            form::language(text)
        } else {
            None
        };
        if let Some(problem) = problem {
            self.nonstandard(path, problem);
        }
    }

    /// Reports a value in a non-standard form.
    ///
    /// The form is tolerated in a request, because the client's own rules are unknown. In a response, such a
    /// value is an error.
    fn nonstandard(&mut self, path: &str, problem: &str) {
        if self.direction.is_request() {
            self.note(path, problem);
        } else {
            self.error(path, problem, ScimType::InvalidValue);
        }
    }

    fn error(&mut self, path: &str, problem: impl Into<String>, scim_type: ScimType) {
        self.findings.push(Finding {
            path: path.to_owned(),
            problem: problem.into(),
            scim_type: Some(scim_type),
        });
    }

    fn note(&mut self, path: &str, problem: impl Into<String>) {
        self.findings.push(Finding {
            path: path.to_owned(),
            problem: problem.into(),
            scim_type: None,
        });
    }
}

fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn is_country(path: &str, name: &str) -> bool {
    let start = path.get(..ADDRESSES.len());
    name == "country" && start.is_some_and(|start| start.eq_ignore_ascii_case(ADDRESSES))
}

const ADDRESSES: &str = "addresses[";
