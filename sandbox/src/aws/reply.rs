//! Answers and refusals in the three protocols that AWS services speak.

use axum::body::Bytes;
use axum::http::{Response, StatusCode};
use serde_json::{Map, Value, json};

/// What a service says instead of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    pub(super) message: String,
    members: Map<String, Value>,
}

impl Refusal {
    /// A refusal with status 400, which the JSON services use for everything but their own failures.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code,
            message: message.into(),
            members: Map::new(),
        }
    }

    /// The request does not fit the model of the service.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// What the request names does not exist.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    /// The request collides with something that exists or is under way.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new("ConflictException", message)
    }

    /// The caller may not do this.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", message)
    }

    /// The same refusal under the name another service has for it.
    pub(crate) fn renamed(mut self, from: &str, to: &'static str) -> Self {
        if self.code == from {
            self.code = to;
        }
        self
    }

    /// The same refusal with another HTTP status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same refusal with a further member beside its message.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

/// The answer of a service of the JSON 1.1 protocol; `null` is an empty body.
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

/// The answer of a service of the REST JSON protocol: the code of a refusal is in a header.
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

/// The answer of a service of the query protocol, given the XML inside of the result.
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

/// A text as it stands between two XML tags or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// A moment as the JSON protocols write it: seconds since 1970 with a fraction.
pub(crate) fn epoch(moment: jiff::Timestamp) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double for 285,000 years"
    )]
    let seconds = moment.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}

fn response(status: u16, request_id: &str, content_type: &str, body: Bytes) -> Response<Bytes> {
    Response::builder()
        .status(StatusCode::from_u16(status).expect("a refusal has a valid status"))
        .header("content-type", content_type)
        .header("x-amzn-requestid", request_id)
        .body(body)
        .expect("an answer is made of valid headers")
}
