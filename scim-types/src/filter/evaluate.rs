//! Evaluation of a filter on a resource.

use std::{borrow::Cow, cmp::Ordering};

use serde::Serialize;
use serde_json::{Number, Value};

use super::{
    AttributePath, Comparison, Filter, Literal, Operator, instant,
    values::{as_object, default_value, elements_of, is_present, values},
};
use crate::{Schemas, names, schema};

impl Filter {
    /// Returns whether a resource matches the filter: a [`User`](crate::User), a [`Group`](crate::Group), JSON, or any other
    /// type that serializes as a SCIM resource.
    ///
    /// ```
    /// use scim_types::{User, filter::Filter};
    ///
    /// let filter = Filter::parse("userName sw \"ada\"")?;
    /// assert!(filter.matches(&User::new("ada@example.com"))?);
    /// assert!(filter.matches(&serde_json::json!({"userName": "ada"}))?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Names are case-insensitive. Strings are case-insensitive too, unless the RFC defines the attribute as
    /// `caseExact` or the attribute is a reference (RFC 7643 sections 2.2, 2.3.7 and 8.7.1). For a multi-valued
    /// attribute, one matching value is enough. An attribute that is absent, `null` or an empty list equals `null`. Two
    /// strings that are both a dateTime are compared as points in time.
    ///
    /// # Errors
    ///
    /// Fails if the filter orders values that have no order, such as booleans. A server answers such a
    /// filter with status 400 and `invalidFilter`. Also fails if the resource cannot be serialized as JSON.
    pub fn matches<R: Serialize + ?Sized>(
        &self,
        resource: &R,
    ) -> Result<bool, EvaluateFilterError> {
        self.matches_json(&as_json(resource)?)
    }

    /// Returns whether a resource, given as JSON, matches the filter, as [`matches`](Self::matches) does. The JSON is not
    /// copied.
    ///
    /// # Errors
    ///
    /// Fails if the filter orders values that have no order.
    pub fn matches_json(&self, resource: &Value) -> Result<bool, EvaluateFilterError> {
        self.holds(resource, Scope::default())
    }

    /// Returns whether a resource matches the filter, with `caseExact` from its schemas.
    ///
    /// A server uses this method for its own resource types. If a schema does not define
    /// `caseExact` of an attribute, the rules of `matches` apply.
    ///
    /// # Errors
    ///
    /// Fails in the same cases as [`matches`](Self::matches).
    pub fn matches_with<R: Serialize + ?Sized>(
        &self,
        resource: &R,
        schemas: &Schemas,
    ) -> Result<bool, EvaluateFilterError> {
        self.matches_json_with(&as_json(resource)?, schemas)
    }

    /// Returns whether a resource, given as JSON, matches the filter, as [`matches_with`](Self::matches_with) does. The JSON is
    /// not copied.
    ///
    /// # Errors
    ///
    /// Fails if the filter orders values that have no order.
    pub fn matches_json_with(
        &self,
        resource: &Value,
        schemas: &Schemas,
    ) -> Result<bool, EvaluateFilterError> {
        let scope = Scope {
            schemas: Some(schemas),
            ..Scope::default()
        };
        self.holds(resource, scope)
    }

    /// Returns whether one element of an attribute matches the filter. The filter's paths are relative to the
    /// element. Unless `lenient` is true, a boolean never equals a string.
    pub(crate) fn matches_element(
        &self,
        element: &Value,
        attribute: &AttributePath,
        schemas: &Schemas,
        lenient: bool,
    ) -> Result<bool, EvaluateFilterError> {
        let scope = Scope {
            parent: Some(attribute),
            schemas: Some(schemas),
            strict: !lenient,
        };
        self.holds(&as_object(element), scope)
    }

    /// Returns the attribute and the string of a filter that is a single `eq` comparison.
    ///
    /// Returns `None` for any other filter, or if ASCII case folding is not enough to compare the string (see
    /// [`Comparison::ascii_literal`]).
    pub(crate) fn ascii_literal(&self) -> Option<(&AttributePath, &str)> {
        match self {
            Self::Compare(comparison) => Some((&comparison.attribute, comparison.ascii_literal()?)),
            _ => None,
        }
    }

    /// Returns the value of an element that a single comparison compares, if the value is an ASCII string.
    pub(crate) fn ascii_value<'v>(&self, element: &'v Value) -> Option<&'v str> {
        match self {
            Self::Compare(comparison) => comparison.ascii_value(element),
            _ => None,
        }
    }

    fn holds(&self, object: &Value, scope: Scope<'_>) -> Result<bool, EvaluateFilterError> {
        match self {
            Self::Present(attribute) => Ok(values(object, attribute).into_iter().any(is_present)),
            Self::Compare(comparison) => comparison.holds(object, scope),
            Self::ValuePath(elements) => {
                let inside = Scope {
                    parent: Some(elements.attribute()),
                    ..scope
                };
                for element in elements_of(object, elements.attribute()) {
                    if elements.filter().holds(&element, inside)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(filter) => filter.holds(object, scope).map(|holds| !holds),
            Self::And(terms) => {
                // All terms are evaluated, so a term that cannot be evaluated is an error at any position.
                terms
                    .iter()
                    .try_fold(true, |all, term| Ok(term.holds(object, scope)? && all))
            }
            Self::Or(terms) => terms
                .iter()
                .try_fold(false, |any, term| Ok(term.holds(object, scope)? || any)),
        }
    }
}

impl Comparison {
    fn holds(&self, object: &Value, scope: Scope<'_>) -> Result<bool, EvaluateFilterError> {
        if self.is_quick_mismatch(object) {
            return Ok(false);
        }
        let condition = Condition {
            operator: self.operator,
            literal: &self.value,
            case_exact: scope.is_case_exact(&self.attribute),
            strict: scope.strict,
        };
        let unordered = || {
            EvaluateFilterError(Problem::Unordered {
                attribute: self.attribute.to_string(),
                operator: self.operator,
            })
        };
        if is_order(self.operator) && matches!(self.value, Literal::Boolean(_) | Literal::Null) {
            return Err(unordered());
        }
        let mut matches = false;
        for value in values(object, &self.attribute) {
            let value = value.map(default_value);
            if is_order(self.operator) && matches!(value, Some(Value::Bool(_))) {
                return Err(unordered());
            }
            matches |= condition.holds(value);
        }
        Ok(matches)
    }
}

impl Comparison {
    /// Returns whether a quick check already shows that `eq` does not match.
    ///
    /// The result is `true` if both strings are ASCII and differ, ignoring case. The check skips most members of a
    /// large group.
    fn is_quick_mismatch(&self, object: &Value) -> bool {
        self.ascii_value(object).is_some_and(|value| {
            self.ascii_literal()
                .is_some_and(|text| !value.eq_ignore_ascii_case(text))
        })
    }

    /// Returns the string of an `eq` comparison, if ASCII case folding is enough to compare it with ASCII strings.
    ///
    /// Returns `None` for a string with non-ASCII letters, because different letters may be equal in lower case.
    /// Returns `None` for a dateTime, because different strings may be the same point in time. Also returns
    /// `None` for an attribute with a schema or a sub-attribute.
    fn ascii_literal(&self) -> Option<&str> {
        let (Operator::Eq, Literal::String(text)) = (self.operator, &self.value) else {
            return None;
        };
        let plain = self.attribute.schema().is_none() && self.attribute.sub_attribute().is_none();
        let text = Some(text.as_str()).filter(|text| plain && text.is_ascii())?;
        instant::parse(text).is_none().then_some(text)
    }

    /// Returns the compared value, if its name is spelled as in the path and the value is an ASCII string.
    fn ascii_value<'v>(&self, object: &'v Value) -> Option<&'v str> {
        let value = object.get(self.attribute.name()).and_then(Value::as_str);
        value.filter(|value| value.is_ascii())
    }
}

fn as_json<R: Serialize + ?Sized>(resource: &R) -> Result<Value, EvaluateFilterError> {
    serde_json::to_value(resource).map_err(|error| EvaluateFilterError(Problem::Json(error)))
}

/// The error of [`Filter::matches`]: the filter orders the values of an attribute, but the values have no order. Or the
/// resource cannot be serialized as JSON.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EvaluateFilterError(Problem);

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("`{attribute}` cannot be compared with `{operator}`, because its values have no order")]
    Unordered {
        attribute: String,
        operator: Operator,
    },
    #[error("the resource cannot be serialized as JSON")]
    Json(#[source] serde_json::Error),
}

impl EvaluateFilterError {
    /// Returns whether the filter is the problem, and not the resource.
    #[must_use]
    pub fn is_in_filter(&self) -> bool {
        matches!(self.0, Problem::Unordered { .. })
    }
}

/// A condition on a single value.
struct Condition<'a> {
    operator: Operator,
    literal: &'a Literal,
    case_exact: bool,
    /// Whether a boolean never equals a string.
    strict: bool,
}

impl Condition<'_> {
    fn holds(&self, value: Option<&Value>) -> bool {
        let order = match (value.unwrap_or(&Value::Null), self.literal) {
            (Value::String(value), Literal::String(literal)) => {
                return self.strings_match(value, literal);
            }
            (Value::Null, Literal::Null) => Some(Ordering::Equal),
            (Value::Number(value), Literal::Number(literal)) => compare_numbers(value, literal),
            (Value::Bool(value), Literal::Boolean(literal)) => Some(value.cmp(literal)),
            // Microsoft Entra writes a boolean as a string, in the filter or in the resource.
            (Value::Bool(value), Literal::String(text))
            | (Value::String(text), Literal::Boolean(value))
                if !self.strict =>
            {
                names::parse_boolean(text).map(|text| text.cmp(value))
            }
            _ => None,
        };
        match self.operator {
            Operator::Co | Operator::Sw | Operator::Ew => false,
            operator => holds_order(operator, order),
        }
    }

    fn strings_match(&self, value: &str, literal: &str) -> bool {
        let (value, literal) = if self.case_exact {
            (Cow::Borrowed(value), Cow::Borrowed(literal))
        } else {
            (fold(value), fold(literal))
        };
        match self.operator {
            Operator::Co => value.contains(&*literal),
            Operator::Sw => value.starts_with(&*literal),
            Operator::Ew => value.ends_with(&*literal),
            operator => {
                let instants = instant::parse(&value).zip(instant::parse(&literal));
                let order = instants.map_or_else(
                    || value.cmp(&literal),
                    |(value, literal)| value.cmp(&literal),
                );
                holds_order(operator, Some(order))
            }
        }
    }
}

fn is_order(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le
    )
}

/// Returns whether an operator holds for an ordering of two values. Without an ordering, the values differ.
fn holds_order(operator: Operator, order: Option<Ordering>) -> bool {
    match operator {
        Operator::Ne => order != Some(Ordering::Equal),
        Operator::Gt => order.is_some_and(Ordering::is_gt),
        Operator::Ge => order.is_some_and(Ordering::is_ge),
        Operator::Lt => order.is_some_and(Ordering::is_lt),
        Operator::Le => order.is_some_and(Ordering::is_le),
        _ => order == Some(Ordering::Equal),
    }
}

/// Compares integers exactly, and other numbers as doubles.
fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn fold(text: &str) -> Cow<'_, str> {
    let lower = text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if lower {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// The context in which a filter is evaluated.
#[derive(Clone, Copy, Default)]
struct Scope<'a> {
    /// Within brackets: the attribute whose element is evaluated.
    parent: Option<&'a AttributePath>,
    /// The schemas that take precedence over RFC 7643.
    schemas: Option<&'a Schemas>,
    /// Whether a boolean never equals a string.
    strict: bool,
}

impl Scope<'_> {
    /// Returns whether an attribute is `caseExact`, by the schemas or else by RFC 7643 (sections 2.3.7 and 8.7.1).
    fn is_case_exact(self, attribute: &AttributePath) -> bool {
        let (holder, name, sub_attribute) = match self.parent {
            Some(parent) => (parent, parent.name(), Some(attribute.name())),
            None => (attribute, attribute.name(), attribute.sub_attribute()),
        };
        let defined = self.schemas.and_then(|schemas| {
            let extension = holder.schema().filter(|urn| !schema::is_core_urn(urn));
            let extension = extension.filter(|urn| {
                let is_core = |core: &str| core.eq_ignore_ascii_case(urn);
                !schemas.core().is_some_and(is_core)
            });
            schemas.case_exact(extension, name, sub_attribute)
        });
        defined.unwrap_or_else(|| is_case_exact(name, sub_attribute.unwrap_or("value")))
    }
}

/// Returns whether an attribute is `caseExact` by RFC 7643.
fn is_case_exact(name: &str, sub_attribute: &str) -> bool {
    let same = |text: &str, other: &str| text.eq_ignore_ascii_case(other);
    let listed = CASE_EXACT.iter().any(|(exact_name, exact_sub_attribute)| {
        same(name, exact_name) && same(sub_attribute, exact_sub_attribute)
    });
    same(name, "$ref") || same(sub_attribute, "$ref") || listed
}

/// The attributes that are `caseExact`. References and binary values are always `caseExact`.
const CASE_EXACT: &[(&str, &str)] = &[
    ("id", "value"),
    ("externalId", "value"),
    ("profileUrl", "value"),
    ("photos", "value"),
    ("x509Certificates", "value"),
    ("meta", "resourceType"),
    ("meta", "version"),
    ("meta", "location"),
];

#[cfg(test)]
mod tests;
