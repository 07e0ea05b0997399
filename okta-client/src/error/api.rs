//! Okta's error responses.

use std::fmt;

use http::StatusCode;
use rest_core::{Response, Secret, to_single_line};
use serde_json::Value;

use crate::json;

/// An error response of Okta.
///
/// Programs may depend only on the code: "Only the `errorCode` property is supported for runtime
/// error flow control" (Okta, "Core Okta API"). The summary and the causes are for display to the
/// operator. If the body is empty or comes from a proxy, only the status and possibly the request
/// id are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    request_id: Option<String>,
    code: Option<String>,
    summary: Option<String>,
    causes: Vec<String>,
}

impl ApiError {
    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns Okta's error code, such as `E0000011`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns Okta's error summary, with the causes that Okta lists.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// Returns the causes that Okta lists.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// Returns Okta's request id, which Okta support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns advice for the operator: for Okta's error code if it is known, otherwise for the
    /// HTTP status.
    pub(super) fn help(&self) -> Option<&'static str> {
        let by_code = self.code().and_then(|code| {
            HELP.iter()
                .find(|(known, _)| *known == code)
                .map(|(_, help)| *help)
        });
        by_code.or_else(|| match self.status.as_u16() {
            300..=399 => Some(NOT_OKTA),
            401 => Some(
                "Okta does not accept the token: check that it belongs to this org and still exists.",
            ),
            403 => Some("The admin who created the token has no role that allows this operation."),
            404 | 405 if self.code.is_none() => Some(NOT_OKTA),
            429 => Some(THROTTLED),
            500..=599 => Some("Okta or a proxy in front of it failed: try again later."),
            _ => None,
        })
    }

    /// Decodes an error response. Fields that the body lacks are `None` or empty.
    pub(super) fn read(response: &Response) -> Self {
        let body: Value = response.json().unwrap_or(Value::Null);
        let causes = causes(&body);
        // Okta's OAuth token endpoints use `error_description` and `error`.
        let headline = json::str_at(&body, "/errorSummary")
            .or_else(|| json::str_at(&body, "/error_description"))
            .map(to_single_line);
        let summary = match (headline, causes.is_empty()) {
            (headline, true) => headline,
            (Some(headline), false) => Some(format!("{headline}: {}", causes.join("; "))),
            (None, false) => Some(causes.join("; ")),
        };
        Self {
            status: response.status(),
            request_id: response.request_id().map(str::to_owned),
            code: json::str_at(&body, "/errorCode")
                .or_else(|| json::str_at(&body, "/error"))
                .map(to_single_line),
            summary,
            causes,
        }
    }

    /// Removes `secret` from the summary and the causes, in case Okta repeats a value of the
    /// request body there.
    pub(crate) fn redact(&mut self, secret: &Secret) {
        for message in self.summary.iter_mut().chain(&mut self.causes) {
            let redacted = secret.redact(message.as_bytes());
            *message = String::from_utf8_lossy(&redacted).into_owned();
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(summary) = &self.summary {
            write!(f, ": {summary}")?;
        }
        match (&self.code, &self.request_id) {
            (Some(code), Some(id)) => write!(f, " ({code}, request {id})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, Some(id)) => write!(f, " (request {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for ApiError {}

/// Returns the causes in `errorCauses`, which is a list or, in some responses, a single object.
fn causes(body: &Value) -> Vec<String> {
    let all = match body.get("errorCauses") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(cause @ Value::Object(_)) => std::slice::from_ref(cause),
        _ => &[],
    };
    all.iter()
        .filter_map(|cause| {
            cause
                .as_str()
                .or_else(|| json::str_at(cause, "/errorSummary"))
        })
        .map(to_single_line)
        .take(MAX_CAUSES)
        .collect()
}

// The first ten causes are enough to correct a document with many invalid fields.
const MAX_CAUSES: usize = 10;

pub(super) const NOT_OKTA: &str = "The response does not seem to come from Okta: check the org URL, and whether \
                        a proxy or a sign-in page intercepts the requests.";
const THROTTLED: &str = "The org's rate limit for this call is used up: wait one minute, and run \
                         fewer programs that use the API at the same time.";

/// Help texts by Okta's error code ("Okta API error codes").
const HELP: [(&str, &str); 17] = [
    (
        "E0000001",
        "Okta names the field that it does not accept: correct the field and try again.",
    ),
    (
        "E0000003",
        "Okta could not parse the request: this is a bug in the client, please report it.",
    ),
    ("E0000004", TOKEN),
    ("E0000005", TOKEN),
    ("E0000006", ROLE),
    (
        "E0000007",
        "The resource does not exist in this org, or the token has no permission to read it.",
    ),
    ("E0000008", NOT_OKTA),
    (
        "E0000009",
        "Okta failed: try again later. If the error persists, give the request id to Okta support.",
    ),
    (
        "E0000010",
        "The org is in read-only mode and accepts no changes: try again later.",
    ),
    ("E0000011", TOKEN),
    ("E0000014", ROLE),
    (
        "E0000015",
        "The org lacks the feature that this call needs: ask Okta support to enable it.",
    ),
    (
        "E0000038",
        "The resource's current status does not allow this operation: for example, an app must be \
         deactivated before it can be deleted.",
    ),
    (
        "E0000041",
        "The app's sign-on mode does not accept these credentials: omit them.",
    ),
    ("E0000047", THROTTLED),
    ("E0000060", "This org does not support the operation."),
    (
        "E0000075",
        "A profile mapping sets this attribute: change the mapping or its source.",
    ),
];

const TOKEN: &str = "Okta does not accept the token: it is mistyped, expired, revoked, or belongs to \
                     another org. Create a new one in the Admin Console under Security > API > Tokens.";
const ROLE: &str = "The admin who created the token has no role that allows this operation: create \
                    the token as an admin who may manage applications, groups and users.";

#[cfg(test)]
mod tests {
    use super::{ApiError, HELP};
    use http::StatusCode;
    use serde_json::json;

    #[test]
    fn help_is_found_by_code_and_then_by_status() {
        let error = |status: u16, code: Option<&str>| ApiError {
            status: StatusCode::from_u16(status).expect("a valid status"),
            request_id: None,
            code: code.map(str::to_owned),
            summary: None,
            causes: Vec::new(),
        };
        let starts =
            |error: ApiError, start: &str| error.help().is_some_and(|help| help.starts_with(start));
        assert!(starts(
            error(401, Some("E0000011")),
            "Okta does not accept the token: it is"
        ));
        assert!(starts(
            error(403, Some("E0000006")),
            "The admin who created the token has no role"
        ));
        assert!(starts(error(429, Some("E0000047")), "The org's rate limit"));
        assert!(starts(error(429, None), "The org's rate limit"));
        assert!(starts(
            error(502, None),
            "Okta or a proxy in front of it failed"
        ));
        assert!(starts(
            error(302, None),
            "The response does not seem to come from Okta"
        ));
        assert!(starts(
            error(404, None),
            "The response does not seem to come from Okta"
        ));
        assert_eq!(error(404, Some("E0009999")).help(), None);
        assert_eq!(error(400, None).help(), None);
    }

    #[test]
    fn every_help_is_a_sentence() {
        for (code, help) in HELP {
            assert!(
                help.ends_with('.') && !help.contains("  "),
                "{code}: {help}"
            );
        }
    }

    #[test]
    fn causes_are_a_list_an_object_or_absent() {
        let read = |causes| super::causes(&json!({ "errorCauses": causes }));
        assert_eq!(
            read(json!([{ "errorSummary": "a" }, "b", 7, {}])),
            ["a", "b"]
        );
        assert_eq!(read(json!({ "errorSummary": "a" })), ["a"]);
        assert_eq!(read(json!(null)), [""; 0]);
        assert_eq!(read(json!("a")), [""; 0]);
    }
}
