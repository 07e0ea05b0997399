//! Responses and errors in the three protocols of the AWS services.

use axum::body::Bytes;
use axum::http::{Response, StatusCode};
use serde_json::{Map, Value, json};

/// An error response of a service.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    pub(super) message: String,
    members: Map<String, Value>,
}

impl Refusal {
    /// Returns an error with status 400, which the JSON services use for every client error.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code,
            message: message.into(),
            members: Map::new(),
        }
    }

    /// Returns the error for a request that violates the service model.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// Returns the error for a missing resource.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    /// Returns the error for a conflict with an existing resource or an operation in progress.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new("ConflictException", message)
    }

    /// Returns the error for an operation that the caller may not use.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", message)
    }

    /// Replaces the error code `from` by another service's name for the same error.
    pub(crate) fn renamed(mut self, from: &str, to: &'static str) -> Self {
        if self.code == from {
            self.code = to;
        }
        self
    }

    /// Sets the HTTP status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a member to the error body.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

/// Builds the response of a service with the JSON 1.1 protocol; `null` becomes an empty body.
pub(crate) fn json11(request_id: &str, outcome: Result<Value, Refusal>) -> Response<Bytes> {
    let (status, body) = match outcome {
        Ok(Value::Null) => (200, Bytes::new()),
        Ok(body) => (200, Bytes::from(body.to_string())),
        Err(refusal) => {
            let mut body = refusal.members;
            body.insert("__type".to_owned(), refusal.code.into());
            body.insert("Message".to_owned(), refusal.message.into());
            (refusal.status, Bytes::from(Value::Object(body).to_string()))
        }
    };
    response(status, request_id, "application/x-amz-json-1.1", body)
}

/// Builds the response of a service with the REST JSON protocol; the error code is in a header.
pub(crate) fn rest(request_id: &str, outcome: Result<Value, Refusal>) -> Response<Bytes> {
    match outcome {
        Ok(body) => {
            let body = match body {
                Value::Null => Bytes::new(),
                body => Bytes::from(body.to_string()),
            };
            response(200, request_id, "application/json", body)
        }
        Err(refusal) => {
            let mut body = refusal.members;
            if body.is_empty() {
                body.insert("message".to_owned(), refusal.message.into());
                body.insert("__type".to_owned(), refusal.code.into());
            } else {
                body.insert("error_description".to_owned(), refusal.message.into());
            }
            let body = Bytes::from(Value::Object(body).to_string());
            let mut response = response(refusal.status, request_id, "application/json", body);
            let code = axum::http::HeaderValue::from_static(refusal.code);
            response.headers_mut().insert("x-amzn-errortype", code);
            response
        }
    }
}

/// Builds the response of a service with the query protocol from the XML inside the result element.
pub(crate) fn query(
    request_id: &str,
    action: &str,
    outcome: Result<String, Refusal>,
) -> Response<Bytes> {
    const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
    let (status, body) = match outcome {
        Ok(result) => (
            200,
            format!(
                "<{action}Response xmlns=\"{NAMESPACE}\">\n  <{action}Result>{result}</{action}Result>\n  \
                 <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\n</{action}Response>\n"
            ),
        ),
        Err(refusal) => (
            refusal.status,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>Sender</Type>\n    \
                 <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n  \
                 <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
                refusal.code,
                escape(&refusal.message),
            ),
        ),
    };
    response(status, request_id, "text/xml", Bytes::from(body))
}

/// Escapes text for XML content and for quoted attribute values.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Returns a timestamp in the format of the JSON protocols: seconds since 1970 with a fraction.
pub(crate) fn epoch(time: jiff::Timestamp) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double for 285,000 years"
    )]
    let seconds = time.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}

fn response(status: u16, request_id: &str, content_type: &str, body: Bytes) -> Response<Bytes> {
    Response::builder()
        .status(StatusCode::from_u16(status).expect("every error has a valid status"))
        .header("content-type", content_type)
        .header("x-amzn-requestid", request_id)
        .body(body)
        .expect("all headers are valid")
}
