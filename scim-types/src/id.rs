use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Text;

/// The id a server gave to a resource.
///
/// It is put into URLs, so it is never empty, never a `.` or `..` that would make the request go to
/// another address, and holds no control character. `bulkId` is reserved (RFC 7643 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "Text")]
pub struct ResourceId(Text);

impl ResourceId {
    /// Reads an id.
    ///
    /// # Errors
    ///
    /// When the text is empty, `.`, `..`, `bulkId`, or holds a control character.
    pub fn parse(text: impl Into<Text>) -> Result<Self, ParseResourceIdError> {
        let text = text.into();
        let wrong = text.is_empty()
            || matches!(text.as_str(), "." | ".." | "bulkId")
            || (if text.is_ascii() {
                text.bytes().any(|byte| byte.is_ascii_control())
            } else {
                text.chars().any(char::is_control)
            });
        if wrong {
            Err(ParseResourceIdError { text })
        } else {
            Ok(Self(text))
        }
    }

    /// Returns the text of the id.
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

/// A text that cannot be the id of a resource.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} cannot be the id of a SCIM resource")]
pub struct ParseResourceIdError {
    text: Text,
}

/// The id a client gave to a resource; any text, and of meaning to that client alone.
///
/// It is another type than [`ResourceId`] on purpose: a server that took one for the other gave
/// accounts away (CVE-2025-41115).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ExternalId(Text);

impl ExternalId {
    /// Takes a text as an external id.
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// Returns the text of the id.
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
    fn refused(text: &str, message: &str) {
        assert_eq!(ResourceId::parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn an_id_never_leads_to_another_address() {
        refused("", r#""" cannot be the id of a SCIM resource"#);
        refused(".", r#""." cannot be the id of a SCIM resource"#);
        refused("..", r#"".." cannot be the id of a SCIM resource"#);
        refused("bulkId", r#""bulkId" cannot be the id of a SCIM resource"#);
        refused("a\nb", r#""a\nb" cannot be the id of a SCIM resource"#);
        assert_eq!(ResourceId::parse("a/b").unwrap().as_str(), "a/b");
    }

    #[test]
    fn ids_are_texts_in_json() {
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
