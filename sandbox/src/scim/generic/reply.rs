//! Success responses, and error responses with the body of RFC 7644 section 3.12.

use axum::body::Bytes;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

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
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: Option<&'static str>,
    pub(super) detail: String,
}

impl Refusal {
    pub(super) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: None,
            detail: detail.into(),
        }
    }

    /// Returns an error with status 400 and a `scimType` of RFC 7644 table 9 or RFC 9865 section 2.2.
    pub(super) fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: Some(kind),
            detail: detail.into(),
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
}

pub(super) fn response(request_id: &str, outcome: Result<Answer, Refusal>) -> Response<Bytes> {
    let (status, body) = match outcome {
        Ok(Answer::Body(body)) => (StatusCode::OK, Some(body)),
        Ok(Answer::Created(body)) => (StatusCode::CREATED, Some(body)),
        Ok(Answer::NoContent) => (StatusCode::NO_CONTENT, None),
        Ok(Answer::NotModified) => (StatusCode::NOT_MODIFIED, None),
        Err(refusal) => {
            let mut body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "status": refusal.status.to_string(),
                "detail": refusal.detail,
            });
            if let Some(kind) = refusal.kind {
                body["scimType"] = kind.into();
            }
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Some(body))
        }
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let meta = body.as_ref().and_then(|body| body.get("meta"));
    let of_meta = |name: &str| {
        let text = meta?.get(name)?.as_str()?;
        HeaderValue::from_str(text).ok()
    };
    let (location, version) = (of_meta("location"), of_meta("version"));
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
    if let Some(version) = version {
        headers.insert(header::ETAG, version);
    }
    if let Some(location) = location {
        let name = if status == StatusCode::CREATED {
            header::LOCATION
        } else {
            header::CONTENT_LOCATION
        };
        headers.insert(name, location);
    }
    if let Some(body) = body {
        let json = HeaderValue::from_static("application/scim+json");
        headers.insert(header::CONTENT_TYPE, json);
        *response.body_mut() = body.to_string().into();
    }
    response
}
