//! Success and error responses of the SCIM endpoint.

use axum::body::Bytes;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A success response.
#[derive(Debug)]
pub(super) enum Answer {
    /// 200 with a body.
    Ok(Value),
    /// 201 with the created resource.
    Created(Value),
    /// 204 without a body.
    NoContent,
}

/// An error response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    detail: String,
}

impl Refusal {
    /// Returns an error with its own message.
    pub(super) fn new(status: u16, detail: &str) -> Self {
        Self {
            status,
            detail: detail.to_owned(),
        }
    }

    /// Returns `ValidationException` (400), with the same message for every invalid request.
    pub(super) fn invalid() -> Self {
        Self::new(
            400,
            "Request is unparsable, syntactically incorrect, or violates schema.",
        )
    }

    /// Returns `ResourceNotFoundException` (404).
    pub(super) fn not_found() -> Self {
        Self::new(404, "Resource not found.")
    }

    /// Returns `ConflictException` (409).
    pub(super) fn duplicate() -> Self {
        Self::new(409, "Refused to create a new, duplicate resource.")
    }
}

/// Builds the response, with the request id that AWS support asks for.
///
/// Error bodies have `schema` in addition to `schemas`, and a timestamp that is not RFC 3339, as in bodies
/// that public clients have recorded.
pub(super) fn response(
    id: &str,
    now: Timestamp,
    outcome: Result<Answer, Refusal>,
) -> Response<Bytes> {
    const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
    let (status, body) = match outcome {
        Ok(Answer::Ok(body)) => (200, Some(body)),
        Ok(Answer::Created(body)) => (201, Some(body)),
        Ok(Answer::NoContent) => (204, None),
        Err(refusal) => {
            let body = json!({
                "schema": [ERROR],
                "schemas": [ERROR],
                "detail": refusal.detail,
                "status": refusal.status.to_string(),
                "exceptionRequestId": id,
                "timeStamp": now.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            });
            (refusal.status, Some(body))
        }
    };
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).expect("every response has a valid status"))
        .header("x-amzn-requestid", id);
    if body.is_some() {
        response = response.header("content-type", "application/json");
    }
    response
        .body(body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())))
        .expect("all headers are valid")
}
