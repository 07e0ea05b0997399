//! Error responses of a server.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    Text,
    attribute::{Element, document},
    filter::{EvaluateFilterError, ParseFilterError},
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

impl Error {
    /// Returns an error with a status and a description. Most errors of status 400 also have a
    /// [`scim_type`](Self::scim_type): see [`bad_request`](Self::bad_request).
    ///
    /// ```
    /// use scim_types::{Error, ScimType, filter::Filter};
    ///
    /// let error = Error::new(404, "there is no user 2819c223");
    /// assert_eq!(error.to_string(), "404: there is no user 2819c223");
    ///
    /// let parsed = Filter::parse("userName = \"ada\"").map_err(Error::from);
    /// assert_eq!(parsed.unwrap_err().scim_type, Some(ScimType::InvalidFilter));
    /// ```
    #[must_use]
    pub fn new(status: u16, detail: impl Into<Text>) -> Self {
        Self {
            status: Some(StatusCode(status)),
            detail: Some(detail.into()),
            ..Self::default()
        }
    }

    /// Returns an error with status 400, a kind and a description.
    #[must_use]
    pub fn bad_request(scim_type: ScimType, detail: impl Into<Text>) -> Self {
        Self {
            scim_type: Some(scim_type),
            ..Self::new(400, detail)
        }
    }

    /// Returns the error for a value that must be unique and is already in use: status 409, `uniqueness`.
    #[must_use]
    pub fn conflict(detail: impl Into<Text>) -> Self {
        Self {
            scim_type: Some(ScimType::Uniqueness),
            ..Self::new(409, detail)
        }
    }
}

/// Returns the body of a server's response: status 400, `invalidFilter`, and the reason.
impl From<ParseFilterError> for Error {
    fn from(error: ParseFilterError) -> Self {
        Self::bad_request(ScimType::InvalidFilter, error.to_string())
    }
}

/// Returns the body of a server's response: status 400, `invalidFilter`, and the reason. If the resource of the server cannot
/// be serialized, the status is 500.
impl From<EvaluateFilterError> for Error {
    fn from(error: EvaluateFilterError) -> Self {
        if error.is_in_filter() {
            Self::bad_request(ScimType::InvalidFilter, error.to_string())
        } else {
            Self::new(500, error.to_string())
        }
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
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;
    use crate::{
        PatchOp, PatchOperation,
        filter::Filter,
        patch::{Options, Path},
    };

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
    fn every_error_of_a_request_converts_to_the_body_of_a_response() {
        let body = |error: Error| serde_json::to_value(error).unwrap();
        let refused = |kind: &str, detail: &str| {
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "status": "400",
                "scimType": kind,
                "detail": detail,
            })
        };
        let filter = Filter::parse("userName eq").unwrap_err();
        assert_eq!(
            body(filter.into()),
            refused(
                "invalidFilter",
                "expected a quoted string, a number, true, false or null, but the filter ends"
            )
        );
        let unordered = Filter::parse("active gt true").unwrap();
        let unordered = unordered.matches(&json!({"active": true})).unwrap_err();
        assert_eq!(
            body(unordered.into()),
            refused(
                "invalidFilter",
                "`active` cannot be compared with `gt`, because its values have no order"
            )
        );
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]});
        let patch = PatchOp::new(vec![PatchOperation::remove("nothing")]);
        let patch = patch.apply(&user, &Options::default()).unwrap_err();
        let expected = refused(
            "invalidPath",
            "Operations[0] (remove nothing) was refused: the schema has no attribute `nothing`",
        );
        assert_eq!(body(Error::from(&patch)), expected);
        assert_eq!(body(patch.into()), expected);
        let kind = |path: &str| Error::from(Path::parse(path).unwrap_err()).scim_type;
        assert_eq!(kind("a.b.c"), Some(ScimType::InvalidPath));
        assert_eq!(kind("emails[type]"), Some(ScimType::InvalidFilter));
        assert_eq!(
            Error::conflict("taken").to_string(),
            "409 uniqueness: taken"
        );
    }

    #[test]
    fn a_resource_that_cannot_be_serialized_is_an_error_of_the_server() {
        let unreadable = HashMap::from([((1, 2), "a key that is not a string")]);
        let filter = Filter::parse("title pr").unwrap();
        let error = Error::from(filter.matches(&unreadable).unwrap_err());
        assert_eq!(
            error.to_string(),
            "500: the resource cannot be serialized as JSON"
        );
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
