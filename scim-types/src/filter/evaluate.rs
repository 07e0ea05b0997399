use std::{borrow::Cow, cmp::Ordering};

use serde_json::{Number, Value};

use super::{
    AttributePath, Comparison, Filter, Literal, Operator, instant,
    values::{as_object, default_value, elements_of, is_present, values},
};
use crate::{Schemas, names, schema};

impl Filter {
    /// Returns whether a resource, as JSON, fulfils the filter.
    ///
    /// Names are the same in any case, and so are texts, unless the RFC says `caseExact` of the
    /// attribute or it is a reference (RFC 7643 sections 2.2, 2.3.7 and 8.7.1). Of several values one
    /// is enough; an attribute that is absent, `null` or an empty list equals `null`. Texts that are
    /// both moments are compared as moments.
    ///
    /// # Errors
    ///
    /// When the filter asks for an order that values do not have, as of booleans: what a server
    /// answers with 400 and `invalidFilter`.
    pub fn matches(&self, resource: &Value) -> Result<bool, EvaluateFilterError> {
        self.holds(resource, Scope::default())
    }

    /// Returns whether a resource, as JSON, fulfils the filter, by what its schemas say of `caseExact`.
    ///
    /// It is [`matches`](Self::matches) for resources of a server's own; what a schema leaves unsaid is as there.
    ///
    /// # Errors
    ///
    /// As [`matches`](Self::matches).
    pub fn matches_with(
        &self,
        resource: &Value,
        schemas: &Schemas,
    ) -> Result<bool, EvaluateFilterError> {
        let scope = Scope {
            parent: None,
            schemas: Some(schemas),
        };
        self.holds(resource, scope)
    }

    /// Returns whether one element of the attribute `of` fulfils the filter; its paths start there.
    pub(crate) fn matches_element(
        &self,
        element: &Value,
        of: &AttributePath,
        schemas: &Schemas,
    ) -> Result<bool, EvaluateFilterError> {
        let scope = Scope {
            parent: Some(of),
            schemas: Some(schemas),
        };
        self.holds(&as_object(element), scope)
    }

    /// Returns the attribute and the text of a filter that is `eq` and no more, if no other text is the same to it.
    pub(crate) fn plain_text(&self) -> Option<(&AttributePath, &str)> {
        match self {
            Self::Compare(comparison) => Some((&comparison.attribute, comparison.plain_text()?)),
            _ => None,
        }
    }

    /// Returns the text of an element that such a filter compares, if it is plain.
    pub(crate) fn plain_value<'v>(&self, element: &'v Value) -> Option<&'v str> {
        match self {
            Self::Compare(comparison) => comparison.plain_value(element),
            _ => None,
        }
    }

    fn holds(&self, of: &Value, scope: Scope<'_>) -> Result<bool, EvaluateFilterError> {
        match self {
            Self::Present(attribute) => Ok(values(of, attribute).into_iter().any(is_present)),
            Self::Compare(comparison) => comparison.holds(of, scope),
            Self::Elements(elements) => {
                let inside = Scope {
                    parent: Some(elements.attribute()),
                    ..scope
                };
                for element in elements_of(of, elements.attribute()) {
                    if elements.filter().holds(&element, inside)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(filter) => filter.holds(of, scope).map(|holds| !holds),
            Self::And(terms) => {
                // A term that cannot be evaluated is an error wherever it stands.
                terms
                    .iter()
                    .try_fold(true, |all, term| Ok(term.holds(of, scope)? && all))
            }
            Self::Or(terms) => terms
                .iter()
                .try_fold(false, |any, term| Ok(term.holds(of, scope)? || any)),
        }
    }
}

impl Comparison {
    fn holds(&self, of: &Value, scope: Scope<'_>) -> Result<bool, EvaluateFilterError> {
        if self.is_plainly_other(of) {
            return Ok(false);
        }
        let rule = Rule {
            operator: self.operator,
            literal: &self.value,
            case_exact: scope.is_case_exact(&self.attribute),
        };
        let unordered = || EvaluateFilterError {
            attribute: self.attribute.to_string(),
            operator: self.operator,
        };
        if is_order(self.operator) && matches!(self.value, Literal::Boolean(_) | Literal::Null) {
            return Err(unordered());
        }
        let mut found = false;
        for value in values(of, &self.attribute) {
            let value = value.map(default_value);
            if is_order(self.operator) && matches!(value, Some(Value::Bool(_))) {
                return Err(unordered());
            }
            found |= rule.holds(value);
        }
        Ok(found)
    }
}

impl Comparison {
    /// Says whether `eq` does not hold for a reason that is quickly seen: a text is there that is another
    /// one in whatever case. Most members of a large group are passed over by it.
    fn is_plainly_other(&self, of: &Value) -> bool {
        self.plain_value(of).is_some_and(|value| {
            self.plain_text()
                .is_some_and(|text| !value.eq_ignore_ascii_case(text))
        })
    }

    /// Returns the text that `eq` is said of, if another text in whatever case is never the same: other letters may be
    /// the same in lower case, and other texts the same moment.
    fn plain_text(&self) -> Option<&str> {
        let (Operator::Eq, Literal::String(text)) = (self.operator, &self.value) else {
            return None;
        };
        let plain = self.attribute.schema().is_none() && self.attribute.sub_attribute().is_none();
        let text = Some(text.as_str()).filter(|text| plain && text.is_ascii())?;
        instant::parse(text).is_none().then_some(text)
    }

    /// Returns the value that is compared, if it is there as it is spelled, and a text of plain letters.
    fn plain_value<'v>(&self, of: &'v Value) -> Option<&'v str> {
        let value = of.get(self.attribute.name()).and_then(Value::as_str);
        value.filter(|value| value.is_ascii())
    }
}

/// A filter asks for an order that the values of an attribute do not have.
#[derive(Debug, thiserror::Error)]
#[error("`{attribute}` cannot be compared with `{operator}`, because its values have no order")]
pub struct EvaluateFilterError {
    attribute: String,
    operator: Operator,
}

/// What one value is held against.
struct Rule<'a> {
    operator: Operator,
    literal: &'a Literal,
    case_exact: bool,
}

impl Rule<'_> {
    fn holds(&self, value: Option<&Value>) -> bool {
        let order = match (value.unwrap_or(&Value::Null), self.literal) {
            (Value::String(value), Literal::String(literal)) => return self.texts(value, literal),
            (Value::Null, Literal::Null) => Some(Ordering::Equal),
            (Value::Number(value), Literal::Number(literal)) => compare_numbers(value, literal),
            (Value::Bool(value), Literal::Boolean(literal)) => Some(value.cmp(literal)),
            // Microsoft Entra writes a boolean as a text, in the filter or in the resource.
            (Value::Bool(value), Literal::String(text))
            | (Value::String(text), Literal::Boolean(value)) => {
                names::boolean(text).map(|text| text.cmp(value))
            }
            _ => None,
        };
        match self.operator {
            Operator::Co | Operator::Sw | Operator::Ew => false,
            operator => holds_order(operator, order),
        }
    }

    fn texts(&self, value: &str, literal: &str) -> bool {
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

/// Says whether an operator holds for an order; values without one are different.
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

/// Compares whole numbers exactly, and others as doubles.
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

/// Where a filter is evaluated.
#[derive(Clone, Copy, Default)]
struct Scope<'a> {
    /// The attribute that what is looked at is an element of.
    parent: Option<&'a AttributePath>,
    /// What is known of the attributes, besides what RFC 7643 says.
    schemas: Option<&'a Schemas>,
}

impl Scope<'_> {
    /// Says whether upper and lower case are different in an attribute: the schemas, where they say it, or else RFC 7643
    /// (sections 2.3.7 and 8.7.1).
    fn is_case_exact(self, attribute: &AttributePath) -> bool {
        let (holder, name, sub_attribute) = match self.parent {
            Some(parent) => (parent, parent.name(), Some(attribute.name())),
            None => (attribute, attribute.name(), attribute.sub_attribute()),
        };
        let said = self.schemas.and_then(|schemas| {
            let extension = holder.schema().filter(|urn| !schema::is_core_urn(urn));
            let extension = extension.filter(|urn| {
                let is_core = |core: &str| core.eq_ignore_ascii_case(urn);
                !schemas.core().is_some_and(is_core)
            });
            schemas.case_exact(extension, name, sub_attribute)
        });
        said.unwrap_or_else(|| is_case_exact(name, sub_attribute.unwrap_or("value")))
    }
}

/// Says whether RFC 7643 makes upper and lower case different in an attribute.
fn is_case_exact(name: &str, sub_attribute: &str) -> bool {
    let is = |text: &str, other: &str| text.eq_ignore_ascii_case(other);
    let listed = CASE_EXACT.iter().any(|(exact_name, exact_sub_attribute)| {
        is(name, exact_name) && is(sub_attribute, exact_sub_attribute)
    });
    is(name, "$ref") || is(sub_attribute, "$ref") || listed
}

/// What `caseExact` is said of, and references and binary values, which always are.
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
