//! Success responses, and error responses in the format of the service's profile.

use axum::body::Bytes;
use axum::http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::profile::Profile;

/// A success response.
#[derive(Debug)]
pub(super) enum Answer {
    /// 200 with a body.
    Body(Value),
    /// 201 with the created resource and its location.
    Created(Value),
    /// 204 without a body.
    NoContent,
    /// 304: the client already has the current version.
    NotModified,
}

/// An error response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    kind: Option<&'static str>,
    detail: String,
    /// Whether the detail is the service's own text, which the profile does not replace.
    exact: bool,
}

/// The format of a service's error responses.
#[derive(Debug)]
pub(super) struct ErrorFormat {
    /// The service's status for a status of RFC 7644.
    pub(super) statuses: &'static [(u16, u16)],
    /// The only message that the service has for a status.
    pub(super) messages: &'static [(u16, &'static str)],
    /// Whether errors have a `scimType`.
    pub(super) types: bool,
    /// Returns the members that the service adds to the body, for a request id and a time.
    pub(super) extra: fn(&str, Timestamp) -> Value,
}

impl Refusal {
    /// Returns an error without a `scimType`.
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: None,
            detail: detail.into(),
            exact: false,
        }
    }

    /// Returns an error with a text that the service sends as it is.
    pub(crate) fn exact(status: u16, detail: &str) -> Self {
        Self {
            exact: true,
            ..Self::new(status, detail)
        }
    }

    /// Returns an error with status 400 and a `scimType` of RFC 7644 table 9 or RFC 9865 section 2.2.
    pub(super) fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: Some(kind),
            ..Self::new(400, detail)
        }
    }

    pub(super) fn value(detail: impl Into<String>) -> Self {
        Self::bad("invalidValue", detail)
    }

    pub(super) fn path(detail: impl Into<String>) -> Self {
        Self::bad("invalidPath", detail)
    }

    pub(super) fn syntax(detail: impl Into<String>) -> Self {
        Self::bad("invalidSyntax", detail)
    }

    pub(super) fn mutability(name: &str) -> Self {
        Self::bad("mutability", format!("clients cannot change `{name}`"))
    }

    pub(super) fn duplicate(attribute: &str) -> Self {
        Self {
            kind: Some("uniqueness"),
            ..Self::new(409, format!("another resource has the same `{attribute}`"))
        }
    }

    pub(super) fn absent(id: &str) -> Self {
        Self::new(404, format!("the resource {id} does not exist"))
    }

    /// Returns the status that the service sends.
    pub(super) fn status(&self, format: &ErrorFormat) -> u16 {
        of_status(format.statuses, self.status).unwrap_or(self.status)
    }

    /// Returns the message that the service sends.
    pub(super) fn detail(&self, format: &ErrorFormat) -> &str {
        of_status(format.messages, self.status(format))
            .filter(|_| !self.exact)
            .unwrap_or(&self.detail)
    }

    fn body(&self, format: &ErrorFormat, request_id: &str, now: Timestamp) -> Value {
        let mut body = (format.extra)(request_id, now);
        body["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:Error"]);
        body["status"] = self.status(format).to_string().into();
        body["detail"] = self.detail(format).into();
        if let Some(kind) = self.kind.filter(|_| format.types) {
            body["scimType"] = kind.into();
        }
        body
    }
}

fn of_status<T: Copy>(table: &[(u16, T)], status: u16) -> Option<T> {
    let entry = table.iter().find(|(known, _)| *known == status);
    entry.map(|(_, value)| *value)
}

pub(super) fn response(
    profile: &Profile,
    request_id: &str,
    now: Timestamp,
    outcome: Result<Answer, Refusal>,
) -> Response<Bytes> {
    let (status, body) = match outcome {
        Ok(Answer::Body(body)) => (200, Some(body)),
        Ok(Answer::Created(body)) => (201, Some(body)),
        Ok(Answer::NoContent) => (204, None),
        Ok(Answer::NotModified) => (304, None),
        Err(refusal) => {
            let body = refusal.body(&profile.errors, request_id, now);
            (refusal.status(&profile.errors), Some(body))
        }
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let of_meta = |name: &str| {
        let text = body.as_ref()?.get("meta")?.get(name)?.as_str()?;
        HeaderValue::from_str(text).ok()
    };
    let (location, version) = (of_meta("location"), of_meta("version"));
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(profile.request_id_header, id);
    }
    if let Some(version) = version {
        headers.insert(header::ETAG, version);
    }
    if let Some(location) = location {
        let name = if status == 201 {
            header::LOCATION
        } else {
            header::CONTENT_LOCATION
        };
        headers.insert(name, location);
    }
    if let Some(body) = body {
        let content_type = HeaderValue::from_static(profile.content_type);
        headers.insert(header::CONTENT_TYPE, content_type);
        *response.body_mut() = body.to_string().into();
    }
    response
}
