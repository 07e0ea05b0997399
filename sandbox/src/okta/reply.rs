//! Okta's replies: a document, or a refusal in Okta's error envelope.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// A reply without the headers that every response has.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Body,
    /// The links of a list's page: relation and URL.
    pub(super) links: Vec<(&'static str, String)>,
    /// More headers: name and value.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The version of the resource, for `If-Match`.
    pub(super) etag: Option<String>,
}

/// The body of a reply.
#[derive(Debug)]
pub(super) enum Body {
    Empty,
    /// The text of a JSON document.
    Json(Bytes),
    Xml(Bytes),
}

/// A refusal: the status, Okta's error code, the summary and the causes.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) summary: String,
    pub(super) causes: Vec<String>,
}

impl Reply {
    pub(super) fn ok(document: Value) -> Self {
        Self::with_status(StatusCode::OK, document)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "the callers create the document for the reply"
    )]
    pub(super) fn with_status(status: StatusCode, document: Value) -> Self {
        Self {
            status,
            body: Body::Json(document.to_string().into()),
            links: Vec::new(),
            headers: Vec::new(),
            etag: None,
        }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: Body::Empty,
            links: Vec::new(),
            headers: Vec::new(),
            etag: None,
        }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Replaces `http` by `https` in the links to this host. The resources build their links with `http`.
    pub(super) fn secure_links(&mut self, host: &str) {
        let (http, https) = (format!("http://{host}/"), format!("https://{host}/"));
        if let Body::Json(text) = &mut self.body
            && let Ok(mut document) = serde_json::from_slice(text)
        {
            secure(&mut document, &http, &https);
            *text = document.to_string().into();
        }
        for (_, address) in &mut self.links {
            *address = address.replace(&http, &https);
        }
    }

    pub(super) fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    pub(super) fn xml(document: String) -> Self {
        Self {
            status: StatusCode::OK,
            body: Body::Xml(document.into()),
            links: Vec::new(),
            headers: Vec::new(),
            etag: None,
        }
    }
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, summary: impl Into<String>) -> Self {
        Self {
            status,
            code,
            summary: summary.into(),
            causes: Vec::new(),
        }
    }

    pub(super) fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// 400: the value sent for `subject` is invalid.
    pub(super) fn invalid(subject: &str, cause: impl Into<String>) -> Self {
        let summary = format!("Api validation failed: {subject}");
        Self::new(StatusCode::BAD_REQUEST, "E0000001", summary).with_cause(cause)
    }

    /// 400: a required field has no value.
    pub(super) fn blank(field: &str) -> Self {
        Self::invalid(field, format!("{field}: The field cannot be left blank"))
    }

    /// 400: the field has a value that it cannot have.
    pub(super) fn not_allowed(field: &str) -> Self {
        Self::invalid(field, format!("{field}: Not one of the allowed values."))
    }

    /// 400: a request has a search query and a filter.
    pub(super) fn search_and_filter() -> Self {
        let summary = "Bad request. Can't specify a search query and filter in the same request.";
        Self::new(StatusCode::BAD_REQUEST, "E0000033", summary)
    }

    pub(super) fn malformed() -> Self {
        let summary = "The request body was not well-formed.";
        Self::new(StatusCode::BAD_REQUEST, "E0000003", summary)
    }

    pub(super) fn media_type() -> Self {
        let summary = "Bad request.  Accept and/or Content-Type headers likely do not match supported values.";
        Self::new(StatusCode::BAD_REQUEST, "E0000021", summary)
    }

    pub(super) fn search_syntax() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "E0000031",
            "Invalid search criteria.",
        )
        .with_cause("Invalid search syntax.")
    }

    pub(super) fn token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "E0000011",
            "Invalid token provided",
        )
    }

    /// 400: the values of these fields are invalid; each cause begins with the name of its field.
    pub(super) fn invalid_fields(causes: Vec<String>) -> Self {
        let first = causes.first().map(String::as_str).unwrap_or_default();
        let field = first.split(':').next().unwrap_or_default().to_owned();
        Self {
            causes,
            ..Self::new(
                StatusCode::BAD_REQUEST,
                "E0000001",
                format!("Api validation failed: {field}"),
            )
        }
    }

    /// 400: a query parameter that the endpoint requires is missing.
    pub(super) fn missing_parameter(name: &str) -> Self {
        let summary = "The request is missing a required parameter.";
        Self::new(StatusCode::BAD_REQUEST, "E0000028", summary)
            .with_cause(format!("{name}: The parameter is required"))
    }

    /// 403: the administrator may not do this, to no resource of this kind.
    pub(super) fn permission() -> Self {
        let summary = "You do not have permission to perform the requested action";
        Self::new(StatusCode::FORBIDDEN, "E0000006", summary)
    }

    /// 403: the user's status does not allow the operation.
    pub(super) fn user_status() -> Self {
        let summary = "This operation is not allowed in the user's current status.";
        Self::new(StatusCode::FORBIDDEN, "E0000038", summary)
    }

    /// 403: the current status of the resource does not allow the operation.
    pub(super) fn forbidden_in_status(cause: impl Into<String>) -> Self {
        let summary = "This operation is not allowed in the current status.";
        Self::new(StatusCode::FORBIDDEN, "E0000038", summary).with_cause(cause)
    }

    /// 404: no resource of this `kind` (Okta's type name) has this id.
    pub(super) fn not_found(id: &str, kind: &str) -> Self {
        let summary = format!("Not found: Resource not found: {id} ({kind})");
        Self::new(StatusCode::NOT_FOUND, "E0000007", summary)
    }

    pub(super) fn method() -> Self {
        let summary = "The endpoint does not support the provided HTTP method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "E0000022", summary)
    }

    pub(super) fn too_many_requests() -> Self {
        let summary = "API call exceeded rate limit due to too many requests.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "E0000047", summary)
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "E0000009",
            "Internal Server Error",
        )
    }

    /// Returns Okta's error envelope.
    pub(super) fn envelope(&self, error_id: &str) -> Value {
        let causes: Vec<Value> = self
            .causes
            .iter()
            .map(|cause| json!({ "errorSummary": cause }))
            .collect();
        json!({
            "errorCode": self.code,
            "errorSummary": self.summary,
            "errorLink": self.code,
            "errorId": error_id,
            "errorCauses": causes,
        })
    }
}

/// Replaces the start of all texts of a document.
fn secure(value: &mut Value, http: &str, https: &str) {
    match value {
        Value::String(text) if text.starts_with(http) => text.replace_range(..http.len(), https),
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| secure(value, http, https)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|value| secure(value, http, https)),
        _ => {}
    }
}
