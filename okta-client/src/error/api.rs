//! Okta's refusals.

use std::fmt;

use http::StatusCode;
use rest_core::{Response, Secret};
use serde_json::Value;

use crate::json;

/// A refusal, as far as Okta explains it.
///
/// "Only the `errorCode` property is supported for runtime error flow control" (Okta, "Core Okta
/// API"); the texts are for people. Empty bodies and pages of proxies leave only the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    request_id: Option<String>,
    code: Option<String>,
    summary: Option<String>,
    causes: Vec<String>,
}

impl ApiError {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns Okta's error code, such as `E0000011`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns what Okta says is wrong, with the causes it names.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// Returns the causes one by one.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// Returns Okta's number for the request, which its support staff asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    pub(super) fn help(&self) -> Option<&'static str> {
        let by_code = self.code().and_then(|code| {
            HELP.iter()
                .find(|(known, _)| *known == code)
                .map(|(_, help)| *help)
        });
        by_code.or_else(|| match self.status.as_u16() {
            300..=399 => Some(NOT_OKTA),
            401 => Some(
                "Okta does not accept the token; check that it belongs to this org and still exists.",
            ),
            403 => Some("The admin who made the token lacks a role that allows this."),
            404 | 405 if self.code.is_none() => Some(NOT_OKTA),
            429 => Some(THROTTLED),
            500..=599 => Some("Something in or before Okta failed; try again later."),
            _ => None,
        })
    }

    pub(super) fn read(answer: &Response) -> Self {
        let body: Value = answer.json().unwrap_or(Value::Null);
        let causes = causes(&body);
        // The last is the form of the endpoints for OAuth tokens.
        let said = json::str_at(&body, "/errorSummary")
            .or_else(|| json::str_at(&body, "/error_description"))
            .map(tidy);
        let summary = match (said, causes.is_empty()) {
            (said, true) => said,
            (Some(said), false) => Some(format!("{said}: {}", causes.join("; "))),
            (None, false) => Some(causes.join("; ")),
        };
        Self {
            status: answer.status(),
            request_id: answer.request_id().map(str::to_owned),
            code: json::str_at(&body, "/errorCode")
                .or_else(|| json::str_at(&body, "/error"))
                .map(tidy),
            summary,
            causes,
        }
    }

    /// Removes `secret` from the texts, for calls that carry one in their body.
    pub(crate) fn hide(&mut self, secret: &Secret) {
        let texts = self.summary.iter_mut().chain(&mut self.causes);
        for text in texts.filter(|text| text.contains(secret.expose())) {
            *text = text.replace(secret.expose(), "(a secret)");
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

/// Returns the texts of `errorCauses`, which is a list, or in places a single object.
fn causes(body: &Value) -> Vec<String> {
    let all = match body.get("errorCauses") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    all.iter()
        .filter_map(|cause| {
            cause
                .as_str()
                .or_else(|| json::str_at(cause, "/errorSummary"))
        })
        .map(tidy)
        .take(MAX_CAUSES)
        .collect()
}

/// Returns `text` fit for one line of output: no control characters, and not without end.
fn tidy(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MAX_TEXT)
        .collect()
}

// A refused document of a hundred wrong fields is wrong in the first ten already.
const MAX_CAUSES: usize = 10;
// Okta's own texts stay below 300 characters.
const MAX_TEXT: usize = 500;

const NOT_OKTA: &str = "The answer does not look like Okta's: check the org URL, and whether a \
                        proxy or a sign-in page is in between.";
const THROTTLED: &str = "The org's limit for this kind of call is used up: wait a minute, and let \
                         fewer programs use the API at the same time.";

/// What to do about a refusal, by Okta's code ("Okta API error codes").
const HELP: [(&str, &str); 17] = [
    (
        "E0000001",
        "Okta names the field that it does not accept: correct that and try again.",
    ),
    (
        "E0000003",
        "Okta could not read the request; this is a mistake of the client, please report it.",
    ),
    ("E0000004", TOKEN),
    ("E0000005", TOKEN),
    ("E0000006", ROLE),
    (
        "E0000007",
        "It does not exist in this org any more, or the token is not allowed to see it.",
    ),
    ("E0000008", NOT_OKTA),
    (
        "E0000009",
        "Okta failed; try again later, and give the request id to Okta's support if it stays.",
    ),
    (
        "E0000010",
        "The org is in read-only mode, where nothing can be changed: try again later.",
    ),
    ("E0000011", TOKEN),
    ("E0000014", ROLE),
    (
        "E0000015",
        "The org lacks the feature that this needs; Okta's support can switch it on.",
    ),
    (
        "E0000038",
        "The thing's present status does not allow this: an app is deactivated before it is \
         deleted, for example.",
    ),
    (
        "E0000041",
        "The app's sign-on does not take the credentials that were given; leave them out.",
    ),
    ("E0000047", THROTTLED),
    ("E0000060", "This org does not offer the operation."),
    (
        "E0000075",
        "The attribute has a mapping that Okta fills it from: change the mapping or its source.",
    ),
];

const TOKEN: &str = "Okta does not accept the token: it is mistyped, expired, revoked, or of \
                     another org. Make a new one in the Admin Console under Security > API > Tokens.";
const ROLE: &str = "The admin who made the token lacks a role that allows this: make the token as \
                    an admin who may manage applications, groups and users.";

#[cfg(test)]
mod tests {
    use super::{ApiError, HELP};
    use http::StatusCode;
    use serde_json::json;

    #[test]
    fn help_is_found_by_code_and_then_by_status() {
        let error = |status: u16, code: Option<&str>| ApiError {
            status: StatusCode::from_u16(status).expect("a status"),
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
            "The admin who made the token lacks"
        ));
        assert!(starts(error(429, Some("E0000047")), "The org's limit"));
        assert!(starts(error(429, None), "The org's limit"));
        assert!(starts(
            error(502, None),
            "Something in or before Okta failed"
        ));
        assert!(starts(
            error(302, None),
            "The answer does not look like Okta's"
        ));
        assert!(starts(
            error(404, None),
            "The answer does not look like Okta's"
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
    fn causes_come_as_a_list_an_object_or_not_at_all() {
        let read = |causes| super::causes(&json!({ "errorCauses": causes }));
        assert_eq!(
            read(json!([{ "errorSummary": "a" }, "b", 7, {}])),
            ["a", "b"]
        );
        assert_eq!(read(json!({ "errorSummary": "a" })), ["a"]);
        assert_eq!(read(json!(null)), [""; 0]);
        assert_eq!(read(json!("a")), [""; 0]);
    }

    #[test]
    fn a_text_of_okta_fits_on_a_line() {
        assert_eq!(super::tidy("a\r\n\u{1b}[31m  b\t"), "a [31m b");
        assert_eq!(super::tidy(&"x".repeat(600)).len(), 500);
    }
}
