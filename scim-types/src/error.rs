//! Error responses of a server.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    Text,
    attribute::{Element, document},
};

document! {
    /// The error that a server returns for a refused request (RFC 7644 section 3.12).
    ///
    /// AWS IAM Identity Center adds a request id and a timestamp, and never sends a `scimType`. AWS also
    /// lists the schema in an attribute `schema` (older bodies have only that attribute).
    pub struct Error of ERROR {
        /// The HTTP status: a string in the RFC, but a number from some servers.
        pub status: Option<StatusCode> = "status",
        /// The kind of the error.
        pub scim_type: Option<ScimType> = "scimType",
        /// A human-readable description of the error.
        pub detail: Option<Text> = "detail",
        /// The request id that AWS support asks for.
        pub exception_request_id: Option<Text> = "exceptionRequestId",
        /// The time of the error, in an AWS-specific format.
        pub time_stamp: Option<Text> = "timeStamp",
    }
}

impl fmt::Display for Error {
    /// Writes the status, the kind and the detail, if present: `409 uniqueness: that name is taken`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map(|status| status.0.to_string());
        let kind = self.scim_type.as_ref().map(ScimType::as_str);
        let head: Vec<&str> = status.as_deref().into_iter().chain(kind).collect();
        match (head.join(" "), self.detail.as_deref()) {
            (head, None) if head.is_empty() => formatter.write_str("no reason given"),
            (head, None) => formatter.write_str(&head),
            (head, Some(detail)) if head.is_empty() => formatter.write_str(detail),
            (head, Some(detail)) => write!(formatter, "{head}: {detail}"),
        }
    }
}

/// The HTTP status in the body of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(pub u16);

impl Serialize for StatusCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Element for StatusCode {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::read(deserializer)?;
        let out_of_range = || de::Error::custom(format_args!("{number} is not an HTTP status"));
        u16::try_from(number)
            .ok()
            .map(Self)
            .ok_or_else(out_of_range)
    }
}

/// The kind of an [`Error`] (RFC 7644 section 3.12, RFC 9865 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScimType {
    /// The filter is malformed, or its operator is not supported for the attribute.
    InvalidFilter,
    /// The filter matches more resources than the server returns.
    TooMany,
    /// A value that must be unique is already in use.
    Uniqueness,
    /// The request changes an attribute that cannot be changed.
    Mutability,
    /// The request body does not have the structure that the endpoint expects.
    InvalidSyntax,
    /// The path of a patch operation is malformed or names an unknown attribute.
    InvalidPath,
    /// The path of a patch operation selects no value.
    NoTarget,
    /// A required value is missing, or a value is not valid for its attribute.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// The request URI contains sensitive data, which is not allowed in a URI.
    Sensitive,
    /// The server did not issue the cursor.
    InvalidCursor,
    /// The cursor has expired.
    ExpiredCursor,
    /// The requested number of results is not allowed.
    InvalidCount,
    /// A kind that this crate does not define.
    Other(String),
}

impl ScimType {
    /// Returns the kind in its wire form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let known = KINDS.iter().find(|(kind, _)| kind == self);
        match (known, self) {
            (Some((_, text)), _) => text,
            (None, Self::Other(text)) => text,
            (None, _) => unreachable!("every kind except `Other` is in the table"),
        }
    }
}

impl From<String> for ScimType {
    fn from(text: String) -> Self {
        let known = KINDS
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(&text));
        known.map_or(Self::Other(text), |(kind, _)| kind.clone())
    }
}

impl fmt::Display for ScimType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for ScimType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Element for ScimType {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

static KINDS: [(ScimType, &str); 13] = [
    (ScimType::InvalidFilter, "invalidFilter"),
    (ScimType::TooMany, "tooMany"),
    (ScimType::Uniqueness, "uniqueness"),
    (ScimType::Mutability, "mutability"),
    (ScimType::InvalidSyntax, "invalidSyntax"),
    (ScimType::InvalidPath, "invalidPath"),
    (ScimType::NoTarget, "noTarget"),
    (ScimType::InvalidValue, "invalidValue"),
    (ScimType::InvalidVers, "invalidVers"),
    (ScimType::Sensitive, "sensitive"),
    (ScimType::InvalidCursor, "invalidCursor"),
    (ScimType::ExpiredCursor, "expiredCursor"),
    (ScimType::InvalidCount, "invalidCount"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Error {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_status_is_read_from_a_string_or_number_and_written_as_a_string() {
        assert_eq!(read(r#"{"status":"409"}"#).status, Some(StatusCode(409)));
        assert_eq!(
            serde_json::to_string(&read(r#"{"status":404}"#)).unwrap(),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}"#
        );
        let error = serde_json::from_str::<Error>(r#"{"status":"70000"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "70000 is not an HTTP status at line 1 column 18"
        );
    }

    #[test]
    fn an_aws_error_with_schema_instead_of_schemas_is_read() {
        let error = read(
            r#"{"schema":["urn:ietf:params:scim:api:messages:2.0:Error"],
                "detail":"Refused to create a new, duplicate resource.","status":"409",
                "exceptionRequestId":"279ec396","timeStamp":"2022-02-14 17:37:21.224"}"#,
        );
        assert_eq!(error.exception_request_id.as_deref(), Some("279ec396"));
        assert_eq!(
            error.to_string(),
            "409: Refused to create a new, duplicate resource."
        );
        assert_eq!(error.other.names().collect::<Vec<_>>(), ["schema"]);
    }

    #[test]
    fn kinds_are_read_in_any_case_and_unknown_kinds_are_kept() {
        assert_eq!(
            read(r#"{"scimType":"UNIQUENESS"}"#).scim_type,
            Some(ScimType::Uniqueness)
        );
        let unknown = read(r#"{"scimType":"odd","detail":"why"}"#);
        assert_eq!(unknown.scim_type, Some(ScimType::Other("odd".into())));
        assert_eq!(unknown.to_string(), "odd: why");
    }

    #[test]
    fn an_error_displays_only_the_members_that_are_present() {
        assert_eq!(read("{}").to_string(), "no reason given");
        assert_eq!(
            read(r#"{"status":"400","scimType":"tooMany"}"#).to_string(),
            "400 tooMany"
        );
        assert_eq!(read(r#"{"detail":"no"}"#).to_string(), "no");
    }
}
