//! The path of a patch operation.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::filter::{
    AttributePath, Filter, Limits, ParseFilterError, is_name, is_uri, parse_value_path,
};

/// The path of a patch operation (RFC 7644 section 3.5.2).
///
/// Examples are `name.familyName`, `emails[type eq "work"].value`, and the URN of an extension.
///
/// A path that ends in a version and a name (`…:2.0:User`) is parsed as the URN of a schema. If the
/// resource has a schema `…:2.0`, [`PatchOp::apply`](crate::PatchOp::apply) treats the name as an attribute
/// of that schema instead.
///
/// ```
/// use scim_types::patch::Path;
///
/// let path: Path = r#"emails[type Eq "work"].value"#.parse()?;
/// assert_eq!(path.to_string(), r#"emails[type eq "work"].value"#);
/// assert_eq!(path.sub_attribute(), Some("value"));
/// # Ok::<(), scim_types::patch::ParsePathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(Kind);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Schema(String),
    Attribute(AttributePath),
    ValuePath {
        attribute: AttributePath,
        filter: Box<Filter>,
        sub_attribute: Option<String>,
    },
}

impl Path {
    /// Parses a path within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// Fails if the text is not a path, is too long, or has a filter that is nested too deeply.
    pub fn parse(text: &str) -> Result<Self, ParsePathError> {
        Self::parse_within(text, Limits::default())
    }

    /// Parses a path within the given limits.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a path, is too long, or has a filter that is nested too deeply.
    pub fn parse_within(text: &str, limits: Limits) -> Result<Self, ParsePathError> {
        let path_error = |error: ParseFilterError| ParsePathError {
            error: error.in_path(),
            in_filter: false,
        };
        if text.len() > limits.bytes {
            return Err(path_error(ParseFilterError::too_long(limits.bytes, text)));
        }
        let bracket = text.find('[').unwrap_or(text.len());
        let value_path = parse_value_path(text, limits).map_err(|error| ParsePathError {
            in_filter: error.position() >= bracket,
            ..path_error(error)
        })?;
        let start = text.len() - text.trim_start().len();
        let attribute_path = |word: &str| {
            AttributePath::parse(word)
                .ok()
                .ok_or_else(|| path_error(ParseFilterError::expected("an attribute", text, start)))
        };
        let kind = match value_path {
            Some(value_path) => Kind::ValuePath {
                attribute: attribute_path(value_path.attribute)?,
                filter: Box::new(value_path.filter),
                sub_attribute: value_path.sub_attribute.map(str::to_owned),
            },
            None if is_schema(text.trim()) => Kind::Schema(text.trim().to_owned()),
            None => Kind::Attribute(attribute_path(text.trim())?),
        };
        Ok(Self(kind))
    }

    /// Returns the path `attribute[filter]`, which selects the elements of a multi-valued attribute.
    ///
    /// # Errors
    ///
    /// Fails if the filter itself contains a value path, because brackets cannot be nested.
    pub fn value_path(
        attribute: AttributePath,
        filter: Filter,
    ) -> Result<Self, crate::filter::NestedValuePathError> {
        // `Filter::value_path` rejects nested brackets.
        Filter::value_path(attribute.clone(), filter.clone())?;
        Ok(Self(Kind::ValuePath {
            attribute,
            filter: Box::new(filter),
            sub_attribute: None,
        }))
    }

    /// Returns the attribute path: the part before the brackets, or the whole path if it has no brackets.
    ///
    /// Returns `None` if the path is the URN of a schema.
    #[must_use]
    pub fn attribute(&self) -> Option<&AttributePath> {
        match &self.0 {
            Kind::Schema(_) => None,
            Kind::Attribute(attribute) | Kind::ValuePath { attribute, .. } => Some(attribute),
        }
    }

    /// Returns the filter that selects elements, if the path has one.
    #[must_use]
    pub fn filter(&self) -> Option<&Filter> {
        match &self.0 {
            Kind::ValuePath { filter, .. } => Some(filter),
            Kind::Schema(_) | Kind::Attribute(_) => None,
        }
    }

    /// Returns the sub-attribute at the end of the path, if the path has one.
    #[must_use]
    pub fn sub_attribute(&self) -> Option<&str> {
        match &self.0 {
            Kind::ValuePath { sub_attribute, .. } => sub_attribute.as_deref(),
            Kind::Attribute(attribute) => attribute.sub_attribute(),
            Kind::Schema(_) => None,
        }
    }

    /// Returns the URN of a schema, if the path is a URN or starts with a URN.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        match &self.0 {
            Kind::Schema(urn) => Some(urn),
            Kind::Attribute(attribute) | Kind::ValuePath { attribute, .. } => attribute.schema(),
        }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }
}

impl From<AttributePath> for Path {
    fn from(attribute: AttributePath) -> Self {
        Self(Kind::Attribute(attribute))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Schema(urn) => formatter.write_str(urn),
            Kind::Attribute(attribute) => write!(formatter, "{attribute}"),
            Kind::ValuePath {
                attribute,
                filter,
                sub_attribute,
            } => {
                write!(formatter, "{attribute}[{filter}]")?;
                match sub_attribute {
                    Some(name) => write!(formatter, ".{name}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl FromStr for Path {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Path {
    type Error = ParsePathError;

    fn try_from(text: String) -> Result<Self, ParsePathError> {
        Self::parse(&text)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

/// The error of [`Path::parse`]: the text is not the path of a patch operation, or exceeds the limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ParsePathError {
    error: ParseFilterError,
    in_filter: bool,
}

impl ParsePathError {
    /// Returns the position of the error, in bytes from the start of the text.
    #[must_use]
    pub fn position(&self) -> usize {
        self.error.position()
    }

    /// Returns whether the error is inside the brackets, that is, in the filter.
    #[must_use]
    pub fn is_in_filter(&self) -> bool {
        self.in_filter
    }

    /// Returns whether the text has more bytes than [`Limits::bytes`].
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.error.is_too_long()
    }

    /// Returns whether the filter is nested deeper than [`Limits::depth`].
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.error.is_too_deep()
    }
}

/// Returns whether a text looks like the URN of a schema: it ends in a version, or in a name after a version.
fn is_schema(text: &str) -> bool {
    let Some((start, end)) = text.rsplit_once(':') else {
        return false;
    };
    let after_version = || {
        start
            .rsplit_once(':')
            .is_some_and(|(_, last)| is_version(last))
    };
    is_uri(start) && (is_version(end) || is_name(end) && after_version())
}

/// Returns whether a part of a URN is a version, such as `2.0`.
fn is_version(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, canonical: &str) -> Path {
        let path = Path::parse(text).unwrap();
        assert_eq!(path.to_string(), canonical);
        assert_eq!(Path::parse(canonical).as_ref(), Ok(&path));
        path
    }

    #[track_caller]
    fn check_error(text: &str, message: &str) -> ParsePathError {
        let error = Path::parse(text).unwrap_err();
        assert_eq!(error.to_string(), message);
        error
    }

    #[test]
    fn every_path_form_of_the_rfc_round_trips() {
        for text in [
            "members",
            "name.familyName",
            "members.$ref",
            r#"addresses[type eq "work"]"#,
            r#"emails[not (type eq "a") or value ew "]:.x"].value"#,
            "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName",
            r#"urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"].value"#,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:acme:hr:2.0",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn spaces_and_the_case_of_operators_do_not_matter() {
        check(" members ", "members");
        check(r#"a[ b EQ "c" ].d "#, r#"a[b eq "c"].d"#);
        check(
            "Emails[Primary Eq true].Value",
            "Emails[Primary eq true].Value",
        );
    }

    #[test]
    fn a_path_is_split_into_its_parts() {
        let path = check("urn:x:a.b[c pr].d", "urn:x:a.b[c pr].d");
        assert_eq!(path.schema(), Some("urn:x"));
        assert_eq!(path.attribute().map(AttributePath::name), Some("a"));
        assert_eq!(
            path.filter().map(Filter::to_string).as_deref(),
            Some("c pr")
        );
        assert_eq!(path.sub_attribute(), Some("d"));
        let path = check("urn:acme:2.0:User", "urn:acme:2.0:User");
        assert_eq!(path.schema(), Some("urn:acme:2.0:User"));
        assert_eq!((path.attribute(), path.sub_attribute()), (None, None));
        let path = check("urn:acme:User", "urn:acme:User");
        assert_eq!(path.schema(), Some("urn:acme"));
    }

    #[test]
    fn an_error_message_has_the_column_and_the_unexpected_token() {
        check_error("", "expected an attribute, but the path ends");
        check_error(
            "/name/familyName",
            r#"expected an attribute at column 1 of the path, found "/name/familyName""#,
        );
        check_error(
            "a.b.c",
            r#"expected an attribute at column 1 of the path, found "a.b.c""#,
        );
        check_error(
            r#"userName eq "x""#,
            r#"expected an attribute at column 1 of the path, found "userName""#,
        );
        check_error(
            "a[b pr].c.d",
            r#"expected a sub-attribute at column 9 of the path, found "c.d""#,
        );
        check_error(
            "a[b pr][c pr]",
            r#"expected `.` and a sub-attribute, or the end at column 8 of the path, found "[c""#,
        );
        let error = check_error(
            "a[b eq]",
            "expected a quoted string, a number, true, false or null at column 7 of the path, found \"]\"",
        );
        assert!(error.is_in_filter() && error.position() == 6);
        assert!(
            !check_error(
                "[b pr]",
                r#"expected an attribute at column 1 of the path, found "[b""#
            )
            .is_in_filter()
        );
        check_error(r#"a[b eq "c""#, "expected `]`, but the path ends");
    }

    #[test]
    fn a_path_that_is_too_deep_or_too_long_is_rejected() {
        let deep = format!("a[{}b pr{}]", "(".repeat(5_000), ")".repeat(5_000));
        let error = check_error(
            &deep,
            "the path is nested more than 64 levels deep at column 66",
        );
        assert!(error.is_too_deep() && error.is_in_filter());
        let long = format!("a[b eq \"{}\"]", "c".repeat(20_000));
        let error = check_error(
            &long,
            "the path has 20010 bytes, more than the limit of 16384",
        );
        assert!(error.is_too_long() && !error.is_in_filter());
    }

    #[test]
    fn a_path_is_a_string_in_json() {
        let path: Path = serde_json::from_str(r#""emails[type eq \"work\"]""#).unwrap();
        let work = Filter::eq(AttributePath::parse("type").unwrap(), "work");
        let emails = AttributePath::parse("emails").unwrap();
        assert_eq!(
            path,
            Path::value_path(emails.clone(), work.clone()).unwrap()
        );
        assert_eq!(
            serde_json::to_string(&path).unwrap(),
            r#""emails[type eq \"work\"]""#
        );
        let nested = Filter::value_path(emails.clone(), work).unwrap();
        assert!(Path::value_path(emails, nested).is_err());
    }
}
