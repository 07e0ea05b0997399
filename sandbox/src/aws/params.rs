//! Request members, checked against the service model.
//!
//! Unknown members are ignored, as in AWS's JSON protocols. Violations are collected, because AWS reports
//! all constraint violations of a request in one message.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::reply::Refusal;

/// The members of a request or of a structure in it.
#[derive(Debug)]
pub(crate) struct Params<'a> {
    body: &'a Map<String, Value>,
    at: String,
    errors: Rc<RefCell<Errors>>,
}

#[derive(Debug, Default)]
struct Errors {
    type_error: Option<String>,
    violations: Vec<String>,
}

/// The constraints of the model on a string member.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The minimum number of characters.
    pub(crate) min: usize,
    /// The maximum number of characters.
    pub(crate) max: usize,
    /// The pattern in the model's spelling, for the error message.
    pub(crate) pattern: &'static str,
    /// Returns whether a text matches the pattern.
    pub(crate) matches: fn(&str) -> bool,
}

impl Rule {
    /// Returns whether a text satisfies the constraints.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        (self.min..=self.max).contains(&text.chars().count()) && (self.matches)(text)
    }
}

/// The pagination members of a request.
#[derive(Debug)]
pub(crate) struct PageRequest {
    /// The maximum number of items on the page.
    pub(crate) max: Option<usize>,
    /// The token that the previous page returned.
    pub(crate) token: Option<String>,
}

impl<'a> Params<'a> {
    /// Wraps the members of a request.
    pub(crate) fn new(body: &'a Map<String, Value>) -> Self {
        Self {
            body,
            at: String::new(),
            errors: Rc::default(),
        }
    }

    /// Reads a required string; returns an empty string if the member is missing or has the wrong type,
    /// which [`check`](Self::check) reports.
    pub(crate) fn text(&self, name: &str, rule: &Rule) -> String {
        self.required(name, self.text_opt(name, rule))
            .unwrap_or_default()
    }

    /// Reads an optional string.
    pub(crate) fn text_opt(&self, name: &str, rule: &Rule) -> Option<String> {
        let Value::String(text) = self.value(name)? else {
            self.record_type_error(name, "a String");
            return None;
        };
        self.check_text(name, text, rule);
        Some(text.clone())
    }

    /// Reads a required enum value.
    pub(crate) fn choice(&self, name: &str, choices: &[&'static str]) -> &'static str {
        self.required(name, self.choice_opt(name, choices))
            .unwrap_or_default()
    }

    /// Reads an optional enum value.
    pub(crate) fn choice_opt(&self, name: &str, choices: &[&'static str]) -> Option<&'static str> {
        let Value::String(text) = self.value(name)? else {
            self.record_type_error(name, "a String");
            return None;
        };
        let found = choices.iter().find(|choice| *choice == text).copied();
        if found.is_none() {
            let set = choices.join(", ");
            self.violate(
                name,
                Some(text),
                &format!("Member must satisfy enum value set: [{set}]"),
            );
        }
        Some(found.unwrap_or_default())
    }

    /// Reads an optional integer between `min` and `max`.
    pub(crate) fn number_opt(&self, name: &str, min: u64, max: u64) -> Option<u64> {
        let value = self.value(name)?;
        let Some(number) = value.as_i64() else {
            self.record_type_error(name, "an Integer");
            return None;
        };
        let text = number.to_string();
        if number < i64::try_from(min).unwrap_or(i64::MAX) {
            let rule = format!("Member must have value greater than or equal to {min}");
            self.violate(name, Some(&text), &rule);
        } else if number > i64::try_from(max).unwrap_or(i64::MAX) {
            let rule = format!("Member must have value less than or equal to {max}");
            self.violate(name, Some(&text), &rule);
        }
        u64::try_from(number).ok()
    }

    /// Reads an optional Boolean.
    pub(crate) fn boolean_opt(&self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        let truth = value.as_bool();
        if truth.is_none() {
            self.record_type_error(name, "a Boolean");
        }
        truth
    }

    /// Reads a required Boolean.
    pub(crate) fn boolean(&self, name: &str) -> bool {
        self.required(name, self.boolean_opt(name))
            .unwrap_or_default()
    }

    /// Reads an optional structure.
    pub(crate) fn structure_opt(&self, name: &str) -> Option<Self> {
        let Value::Object(body) = self.value(name)? else {
            self.record_type_error(name, "a structure");
            return None;
        };
        Some(self.nested(body, self.path(name)))
    }

    /// Reads a required structure; returns `None` if it is missing, which [`check`](Self::check) reports.
    pub(crate) fn structure(&self, name: &str) -> Option<Self> {
        self.required(name, self.structure_opt(name))
    }

    /// Reads an optional list of `min` to `max` structures.
    pub(crate) fn structures_opt(&self, name: &str, min: usize, max: usize) -> Option<Vec<Self>> {
        let items = self.list_opt(name, min, max)?;
        let mut structures = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::Object(body) => {
                    let at = format!("{}.{}.member", self.path(name), index + 1);
                    structures.push(self.nested(body, at));
                }
                _ => self.record_type_error(name, "a structure"),
            }
        }
        Some(structures)
    }

    /// Reads a required list of `min` to `max` structures.
    pub(crate) fn structures(&self, name: &str, min: usize, max: usize) -> Vec<Self> {
        self.required(name, self.structures_opt(name, min, max))
            .unwrap_or_default()
    }

    /// Reads a required list of `min` to `max` strings.
    pub(crate) fn texts(&self, name: &str, min: usize, max: usize, rule: &Rule) -> Vec<String> {
        let items = self
            .required(name, self.list_opt(name, min, max))
            .unwrap_or_default();
        let mut texts = Vec::new();
        for item in items {
            match item {
                Value::String(text) => {
                    self.check_text(name, text, rule);
                    texts.push(text.clone());
                }
                _ => self.record_type_error(name, "a String"),
            }
        }
        texts
    }

    /// Returns a member of any type; `null` counts as missing.
    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// Reads the pagination members; `limit` is the service's maximum number of items on a page.
    pub(crate) fn page_request(&self, limit: u64, token: &Rule) -> PageRequest {
        PageRequest {
            max: self
                .number_opt("MaxResults", 1, limit)
                .and_then(|number| usize::try_from(number).ok()),
            token: self
                .text_opt("NextToken", token)
                .filter(|token| !token.is_empty()),
        }
    }

    /// Records a violation of a rule that the model cannot express.
    pub(crate) fn violate(&self, name: &str, value: Option<&str>, rule: &str) {
        let value = value.map_or_else(String::new, |value| format!(" '{value}'"));
        let violation = format!(
            "Value{value} at '{}' failed to satisfy constraint: {rule}",
            self.path(name)
        );
        let violations = &mut self.errors.borrow_mut().violations;
        // A member may be read more than once.
        if !violations.contains(&violation) {
            violations.push(violation);
        }
    }

    /// Checks the members read so far.
    ///
    /// # Errors
    ///
    /// Returns the last type error; without a type error, returns all constraint violations in one error.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let errors = self.errors.borrow();
        if let Some(type_error) = &errors.type_error {
            return Err(Refusal::new("SerializationException", type_error));
        }
        let number = errors.violations.len();
        if number == 0 {
            return Ok(());
        }
        let plural = if number == 1 { "" } else { "s" };
        let violations = errors.violations.join("; ");
        Err(Refusal::validation(format!(
            "{number} validation error{plural} detected: {violations}"
        )))
    }

    fn list_opt(&self, name: &str, min: usize, max: usize) -> Option<&'a [Value]> {
        let Value::Array(items) = self.value(name)? else {
            self.record_type_error(name, "a list");
            return None;
        };
        if items.len() < min {
            let rule = format!("Member must have length greater than or equal to {min}");
            self.violate(name, Some(&list_text(items)), &rule);
        } else if items.len() > max {
            let rule = format!("Member must have length less than or equal to {max}");
            self.violate(name, Some(&list_text(items)), &rule);
        }
        Some(items)
    }

    fn check_text(&self, name: &str, text: &str, rule: &Rule) {
        let length = text.chars().count();
        if length < rule.min {
            let min = rule.min;
            let rule = format!("Member must have length greater than or equal to {min}");
            self.violate(name, Some(text), &rule);
        } else if length > rule.max {
            let max = rule.max;
            let rule = format!("Member must have length less than or equal to {max}");
            self.violate(name, Some(text), &rule);
        } else if !(rule.matches)(text) {
            let rule = format!(
                "Member must satisfy regular expression pattern: {}",
                rule.pattern
            );
            self.violate(name, Some(text), &rule);
        }
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && self.value(name).is_none() {
            self.violate(name, None, "Member must not be null");
        }
        value
    }

    fn record_type_error(&self, name: &str, wanted: &str) {
        let kind = match self.value(name) {
            Some(Value::Bool(_)) => "BOOLEAN_VALUE",
            Some(Value::Number(_)) => "NUMBER_VALUE",
            Some(Value::String(_)) => "STRING_VALUE",
            Some(Value::Array(_)) => "START_ARRAY",
            _ => "START_OBJECT",
        };
        self.errors.borrow_mut().type_error =
            Some(format!("{kind} can not be converted to {wanted}"));
    }

    fn nested(&self, body: &'a Map<String, Value>, at: String) -> Self {
        Self {
            body,
            at,
            errors: Rc::clone(&self.errors),
        }
    }

    /// Returns the name of a member for a message: AWS writes the first letter in lower case.
    fn path(&self, name: &str) -> String {
        let mut letters = name.chars();
        let name: String = letters
            .next()
            .map(|first| first.to_ascii_lowercase())
            .into_iter()
            .chain(letters)
            .collect();
        match self.at.as_str() {
            "" => name,
            at => format!("{at}.{name}"),
        }
    }
}

fn list_text(items: &[Value]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| {
            item.as_str()
                .map_or_else(|| item.to_string(), ToOwned::to_owned)
        })
        .collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::rules::{ACCOUNT_ID, PERMISSION_SET_NAME};

    #[track_caller]
    fn check(body: Value, expected: Result<(), &str>) {
        let Value::Object(body) = body else {
            panic!("the test request must be an object")
        };
        let params = Params::new(&body);
        params.text("TargetId", &ACCOUNT_ID);
        params.text_opt("Name", &PERMISSION_SET_NAME);
        params.choice_opt("PrincipalType", &["USER", "GROUP"]);
        params.number_opt("MaxResults", 1, 100);
        assert_eq!(
            params.check().map_err(|refusal| refusal.message),
            expected.map_err(ToOwned::to_owned)
        );
    }

    #[test]
    fn a_request_that_matches_the_model_passes() {
        check(
            json!({ "TargetId": "111122223333", "Name": "Admin", "PrincipalType": "USER", "MaxResults": 100 }),
            Ok(()),
        );
    }

    #[test]
    fn unknown_members_are_ignored() {
        check(json!({ "TargetId": "111122223333", "TargetID": 1 }), Ok(()));
    }

    #[test]
    fn a_missing_member_is_named() {
        check(
            json!({}),
            Err(
                "1 validation error detected: Value at 'targetId' failed to satisfy constraint: \
                 Member must not be null",
            ),
        );
    }

    #[test]
    fn null_counts_as_a_missing_member() {
        check(
            json!({ "TargetId": null }),
            Err(
                "1 validation error detected: Value at 'targetId' failed to satisfy constraint: \
                 Member must not be null",
            ),
        );
    }

    #[test]
    fn a_mismatch_is_reported_with_the_value_and_the_pattern() {
        check(
            json!({ "TargetId": "11112222333x" }),
            Err(
                "1 validation error detected: Value '11112222333x' at 'targetId' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: \\d{12}",
            ),
        );
    }

    #[test]
    fn all_violations_are_in_one_message() {
        check(
            json!({ "TargetId": "1", "PrincipalType": "user", "MaxResults": 101 }),
            Err(
                "3 validation errors detected: Value '1' at 'targetId' failed to satisfy constraint: \
                 Member must have length greater than or equal to 12; Value 'user' at 'principalType' \
                 failed to satisfy constraint: Member must satisfy enum value set: [USER, GROUP]; \
                 Value '101' at 'maxResults' failed to satisfy constraint: Member must have value \
                 less than or equal to 100",
            ),
        );
    }

    #[test]
    fn a_number_instead_of_a_string_is_a_serialization_error() {
        check(
            json!({ "TargetId": 111_122_223_333_u64 }),
            Err("NUMBER_VALUE can not be converted to a String"),
        );
    }
}
