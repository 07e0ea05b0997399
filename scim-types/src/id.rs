//! The ids of a resource: the id of the server, and the external id of the client.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Text;

/// The id that a server assigned to a resource.
///
/// The id becomes part of URLs. It is therefore never empty, contains no control characters, and is
/// never `.` or `..`, which would send the request to another URL. `bulkId` is reserved (RFC 7643
/// section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "Text")]
pub struct ResourceId(Text);

impl ResourceId {
    /// Parses an id.
    ///
    /// # Errors
    ///
    /// Fails if the string is empty, is `.`, `..` or `bulkId`, or contains a control character.
    pub fn parse(text: impl Into<Text>) -> Result<Self, ParseResourceIdError> {
        let text = text.into();
        let is_invalid = text.is_empty()
            || matches!(text.as_str(), "." | ".." | "bulkId")
            || (if text.is_ascii() {
                text.bytes().any(|byte| byte.is_ascii_control())
            } else {
                text.chars().any(char::is_control)
            });
        if is_invalid {
            Err(ParseResourceIdError { text })
        } else {
            Ok(Self(text))
        }
    }

    /// Returns the id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ResourceId {
    type Err = ParseResourceIdError;

    fn from_str(text: &str) -> Result<Self, ParseResourceIdError> {
        Self::parse(text)
    }
}

impl TryFrom<Text> for ResourceId {
    type Error = ParseResourceIdError;

    fn try_from(text: Text) -> Result<Self, ParseResourceIdError> {
        Self::parse(text)
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> Self {
        id.0.into_string()
    }
}

/// The error of [`ResourceId::parse`].
#[derive(Debug, thiserror::Error)]
#[error("{text:?} cannot be the id of a SCIM resource")]
pub struct ParseResourceIdError {
    text: Text,
}

/// The id that a client assigned to a resource. Any string is allowed, and only the client knows its meaning.
///
/// The type is deliberately different from [`ResourceId`]: a server that confused the two ids gave users
/// access to other accounts (CVE-2025-41115).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ExternalId(Text);

impl ExternalId {
    /// Returns an external id with this string.
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// Returns the id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(text: &str, message: &str) {
        assert_eq!(ResourceId::parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn an_id_that_is_unsafe_in_a_url_is_rejected() {
        check_error("", r#""" cannot be the id of a SCIM resource"#);
        check_error(".", r#""." cannot be the id of a SCIM resource"#);
        check_error("..", r#"".." cannot be the id of a SCIM resource"#);
        check_error("bulkId", r#""bulkId" cannot be the id of a SCIM resource"#);
        check_error("a\nb", r#""a\nb" cannot be the id of a SCIM resource"#);
        assert_eq!(ResourceId::parse("a/b").unwrap().as_str(), "a/b");
    }

    #[test]
    fn ids_are_strings_in_json() {
        let id: ResourceId = serde_json::from_str(r#""9067729b3d-ee533c18""#).unwrap();
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            r#""9067729b3d-ee533c18""#
        );
        let id: ExternalId = serde_json::from_str(r#""""#).unwrap();
        assert_eq!(id, ExternalId::new(""));
        assert!(serde_json::from_str::<ResourceId>(r#""""#).is_err());
    }
}
