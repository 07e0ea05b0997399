use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    Text,
    attribute::{Element, document},
};

document! {
    /// What a server says about a request it refused (RFC 7644 section 3.12).
    ///
    /// AWS IAM Identity Center adds a request id and a time, says its schema in a list called `schema`
    /// too (early bodies in that one alone), and never says a `scimType`.
    pub struct Error of ERROR {
        /// The HTTP status; a text by the book, a number in the wild.
        pub status: Option<StatusCode> = "status",
        /// What kind of mistake it was.
        pub scim_type: Option<ScimType> = "scimType",
        /// What went wrong, for a person.
        pub detail: Option<Text> = "detail",
        /// The id AWS support asks for.
        pub exception_request_id: Option<Text> = "exceptionRequestId",
        /// When it happened, in a format of AWS's own.
        pub time_stamp: Option<Text> = "timeStamp",
    }
}

impl fmt::Display for Error {
    /// Writes what there is of status, kind and detail: `409 uniqueness: that name is taken`.
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

/// The status in the body of an [`Error`].
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
        let wrong = || de::Error::custom(format_args!("{number} is not an HTTP status"));
        u16::try_from(number).ok().map(Self).ok_or_else(wrong)
    }
}

/// What kind of mistake an [`Error`] is about (RFC 7644 section 3.12, RFC 9865 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScimType {
    /// The filter was malformed, or used an operator on an attribute that has no such order.
    InvalidFilter,
    /// The filter found more than the server will return.
    TooMany,
    /// A value is taken that must be unique.
    Uniqueness,
    /// An attribute that cannot be changed was to be changed.
    Mutability,
    /// The body of the request is not what the endpoint takes.
    InvalidSyntax,
    /// The path of a patch operation is malformed or leads nowhere.
    InvalidPath,
    /// The path of a patch operation chose no value.
    NoTarget,
    /// A required value is missing, or a value does not fit its attribute.
    InvalidValue,
    /// The version of the protocol is not supported.
    InvalidVers,
    /// The request has something in its URI that must not stand in one.
    Sensitive,
    /// The cursor is not one the server gave.
    InvalidCursor,
    /// The cursor was good once.
    ExpiredCursor,
    /// The number of results asked for is not allowed.
    InvalidCount,
    /// A kind this crate does not know.
    Other(String),
}

impl ScimType {
    /// Returns the kind as it is written on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let known = KINDS.iter().find(|(kind, _)| kind == self);
        match (known, self) {
            (Some((_, text)), _) => text,
            (None, Self::Other(text)) => text,
            (None, _) => unreachable!("every kind but the unknown is in the table"),
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
    fn a_status_is_read_as_text_or_number_and_written_as_text() {
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
    fn an_envelope_of_aws_with_schema_instead_of_schemas_is_read() {
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
    fn kinds_are_known_in_any_case_and_unknown_ones_are_kept() {
        assert_eq!(
            read(r#"{"scimType":"UNIQUENESS"}"#).scim_type,
            Some(ScimType::Uniqueness)
        );
        let odd = read(r#"{"scimType":"odd","detail":"why"}"#);
        assert_eq!(odd.scim_type, Some(ScimType::Other("odd".into())));
        assert_eq!(odd.to_string(), "odd: why");
    }

    #[test]
    fn an_error_says_what_there_is() {
        assert_eq!(read("{}").to_string(), "no reason given");
        assert_eq!(
            read(r#"{"status":"400","scimType":"tooMany"}"#).to_string(),
            "400 tooMany"
        );
        assert_eq!(read(r#"{"detail":"no"}"#).to_string(), "no");
    }
}
