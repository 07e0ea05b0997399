//! Filters: parsing, formatting, building, and evaluation on a resource (RFC 7644 section 3.4.2.2).
//!
//! The grammar follows the RFC with the corrections that implementers agree on (errata 4670, 4690,
//! 7122, 7322, 8924): `and` binds tighter than `or`, `not` requires parentheses, brackets cannot be
//! nested, and a name may start with `$`. The parser also accepts the forms that many clients send:
//! several spaces in a row, `not(` without a space, and `emails[type eq "work"].value eq "x"`.
//! Microsoft Entra needs the last form; the parser converts it to
//! `emails[type eq "work" and value eq "x"]`.
//!
//! ```
//! use scim_types::filter::Filter;
//!
//! let filter: Filter = r#"not(a PR)  or ( b eq 1 and c Eq "x" )"#.parse()?;
//! assert_eq!(filter.to_string(), r#"not (a pr) or b eq 1 and c eq "x""#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attribute_path;
mod error;
mod evaluate;
mod instant;
mod literal;
mod parse;
mod values;

use std::{fmt, ops, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::{
    attribute_path::{AttributePath, ParseAttributePathError},
    error::ParseFilterError,
    evaluate::EvaluateFilterError,
    literal::Literal,
    parse::Limits,
};
pub(crate) use self::{
    attribute_path::{is_name, is_uri},
    instant::is_date_time,
    parse::parse_value_path,
};

/// A condition on resources.
///
/// `Display` writes the canonical form, which has no unnecessary parentheses. Parsing the canonical form
/// returns an equal filter.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Filter {
    /// The attribute has a value: `title pr`.
    Present(AttributePath),
    /// A comparison of an attribute with a value: `title eq "Dr."`.
    Compare(Comparison),
    /// At least one element of an attribute matches a filter (valuePath): `emails[type eq "work"]`.
    ValuePath(ValuePathFilter),
    /// The inner filter does not match: `not (title pr)`.
    Not(Box<Self>),
    /// All of the filters match.
    And(Terms),
    /// At least one of the filters matches.
    Or(Terms),
}

impl Filter {
    /// Parses a filter within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// Fails if the text is not a filter, is too long, or is nested too deep. The error contains the position.
    pub fn parse(text: &str) -> Result<Self, ParseFilterError> {
        Self::parse_within(text, Limits::default())
    }

    /// Parses a filter within the given limits.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a filter, is too long, or is nested too deep. The error contains the position.
    pub fn parse_within(text: &str, limits: Limits) -> Result<Self, ParseFilterError> {
        parse::parse(text, limits)
    }

    /// Returns the filter `attribute eq value`.
    pub fn eq(attribute: AttributePath, value: impl Into<Literal>) -> Self {
        Self::compare(attribute, Operator::Eq, value)
    }

    /// Returns a filter that compares an attribute to a value.
    pub fn compare(
        attribute: AttributePath,
        operator: Operator,
        value: impl Into<Literal>,
    ) -> Self {
        Self::Compare(Comparison {
            attribute,
            operator,
            value: value.into(),
        })
    }

    /// Returns the filter `attribute pr`.
    #[must_use]
    pub fn present(attribute: AttributePath) -> Self {
        Self::Present(attribute)
    }

    /// Returns the filter `attribute[filter]`.
    ///
    /// # Errors
    ///
    /// Fails if `filter` already contains a filter on elements, because brackets cannot be nested.
    pub fn value_path(
        attribute: AttributePath,
        filter: Self,
    ) -> Result<Self, NestedValuePathError> {
        if filter.has_elements() {
            return Err(NestedValuePathError {
                filter: filter.to_string(),
            });
        }
        Ok(Self::ValuePath(ValuePathFilter {
            attribute,
            filter: Box::new(filter),
        }))
    }

    /// Returns a filter that matches if both filters match.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut terms = match self {
            Self::And(Terms(terms)) => terms,
            filter => vec![filter],
        };
        match other {
            Self::And(Terms(others)) => terms.extend(others),
            filter => terms.push(filter),
        }
        Self::And(Terms(terms))
    }

    /// Returns a filter that matches if at least one of the two filters matches.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut terms = match self {
            Self::Or(Terms(terms)) => terms,
            filter => vec![filter],
        };
        match other {
            Self::Or(Terms(others)) => terms.extend(others),
            filter => terms.push(filter),
        }
        Self::Or(Terms(terms))
    }

    fn has_elements(&self) -> bool {
        match self {
            Self::Present(_) | Self::Compare(_) => false,
            Self::ValuePath(_) => true,
            Self::Not(filter) => filter.has_elements(),
            Self::And(terms) | Self::Or(terms) => terms.iter().any(Self::has_elements),
        }
    }
}

impl ops::Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present(attribute) => write!(formatter, "{attribute} pr"),
            Self::Compare(Comparison {
                attribute,
                operator,
                value,
            }) => {
                write!(formatter, "{attribute} {operator} {value}")
            }
            Self::ValuePath(ValuePathFilter { attribute, filter }) => {
                write!(formatter, "{attribute}[{filter}]")
            }
            Self::Not(filter) => write!(formatter, "not ({filter})"),
            Self::And(terms) => terms.write(formatter, " and "),
            Self::Or(terms) => terms.write(formatter, " or "),
        }
    }
}

impl FromStr for Filter {
    type Err = ParseFilterError;

    fn from_str(text: &str) -> Result<Self, ParseFilterError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Filter {
    type Error = ParseFilterError;

    fn try_from(text: String) -> Result<Self, ParseFilterError> {
        Self::parse(&text)
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.to_string()
    }
}

/// A comparison of an attribute with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The attribute. For a multi-valued attribute, one matching value is enough.
    pub attribute: AttributePath,
    /// The operator.
    pub operator: Operator,
    /// The value to compare with.
    pub value: Literal,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater, or later.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less, or earlier.
    Lt,
    /// Less or equal.
    Le,
}

impl Operator {
    const ALL: [(Self, &str); 9] = [
        (Self::Eq, "eq"),
        (Self::Ne, "ne"),
        (Self::Co, "co"),
        (Self::Sw, "sw"),
        (Self::Ew, "ew"),
        (Self::Gt, "gt"),
        (Self::Ge, "ge"),
        (Self::Lt, "lt"),
        (Self::Le, "le"),
    ];

    fn find(word: &str) -> Option<Self> {
        let entry = Self::ALL
            .iter()
            .find(|(_, text)| text.eq_ignore_ascii_case(word));
        entry.map(|(operator, _)| *operator)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, text) = Self::ALL[*self as usize];
        formatter.write_str(text)
    }
}

/// A filter on the elements of a multi-valued attribute. One matching element is enough.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuePathFilter {
    attribute: AttributePath,
    filter: Box<Filter>,
}

impl ValuePathFilter {
    /// Returns the attribute whose elements are filtered.
    #[must_use]
    pub fn attribute(&self) -> &AttributePath {
        &self.attribute
    }

    /// Returns the filter that one element must match. Its paths are relative to the element.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }
}

/// The operands of `and` or `or`: at least two filters. No operand has the same operator at its top level.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms(Vec<Filter>);

impl Terms {
    /// Returns the filters in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Filter> {
        self.0.iter()
    }

    fn write(&self, formatter: &mut fmt::Formatter<'_>, between: &str) -> fmt::Result {
        for (number, term) in self.iter().enumerate() {
            if number > 0 {
                formatter.write_str(between)?;
            }
            // `and` binds tighter than `or`, so only an `or` within an `and` needs parentheses.
            match term {
                Filter::Or(_) => write!(formatter, "({term})")?,
                _ => write!(formatter, "{term}")?,
            }
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Terms {
    type Item = &'a Filter;
    type IntoIter = std::slice::Iter<'a, Filter>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The error of [`Filter::value_path`]: the filter on elements contains another filter on elements.
#[derive(Debug, thiserror::Error)]
#[error("brackets cannot be nested, and this filter already has brackets: {filter}")]
pub struct NestedValuePathError {
    filter: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(name: &'static str) -> Filter {
        Filter::present(AttributePath::parse(name).unwrap())
    }

    #[test]
    fn joining_twice_gives_one_flat_list() {
        let filter = present("a").and(present("b").and(present("c")));
        let Filter::And(terms) = &filter else {
            panic!("expected an `and`")
        };
        assert_eq!(terms.iter().count(), 3);
        assert_eq!(filter.to_string(), "a pr and b pr and c pr");
    }

    #[test]
    fn only_an_or_within_an_and_is_written_with_parentheses() {
        let either = present("a").or(present("b"));
        assert_eq!(
            either.clone().and(present("c")).to_string(),
            "(a pr or b pr) and c pr"
        );
        assert_eq!(
            present("c").and(present("d")).or(either).to_string(),
            "c pr and d pr or a pr or b pr"
        );
        assert_eq!((!present("a")).to_string(), "not (a pr)");
    }

    #[test]
    fn brackets_cannot_be_nested() {
        let work = Filter::eq(AttributePath::parse("type").unwrap(), "work");
        let emails = AttributePath::parse("emails").unwrap();
        let filter = Filter::value_path(emails.clone(), work).unwrap();
        assert_eq!(filter.to_string(), r#"emails[type eq "work"]"#);
        assert_eq!(
            Filter::value_path(emails, !filter.or(present("a")))
                .unwrap_err()
                .to_string(),
            r#"brackets cannot be nested, and this filter already has brackets: not (emails[type eq "work"] or a pr)"#
        );
    }

    #[test]
    fn a_filter_is_a_string_in_json() {
        let filter: Filter = serde_json::from_str(r#""userName Eq \"ada\"""#).unwrap();
        assert_eq!(filter, Filter::eq(AttributePath::USER_NAME, "ada"));
        assert_eq!(
            serde_json::to_string(&filter).unwrap(),
            r#""userName eq \"ada\"""#
        );
    }
}
