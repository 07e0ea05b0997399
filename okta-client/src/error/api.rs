//! Okta's error responses.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};
use rest_core::{Response, Secret, headers, to_single_line};
use serde_json::Value;

use super::token::OAUTH_HELP;
use crate::{json, rights, vendor};

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
    missing_scope: Option<String>,
    /// The rights that the call needs, if Okta refused it for a missing right.
    rights: Option<String>,
    throttled_until: Option<SystemTime>,
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

    /// Returns the OAuth scopes that the access token lacks, separated by spaces, if Okta names them.
    #[must_use]
    pub fn missing_scope(&self) -> Option<&str> {
        self.missing_scope.as_deref()
    }

    /// Returns the time at which the rate limit of the call ends, on Okta's clock, if Okta refused the call for its rate
    /// limit. A refusal for too many concurrent calls has no such time.
    #[must_use]
    pub fn throttled_until(&self) -> Option<SystemTime> {
        self.throttled_until
    }

    /// Returns advice for the operator, by Okta's error code.
    ///
    /// The status says little: Okta answers 403 to a missing role, and also to a domain too many and to an app that must be
    /// deactivated first. A response without a code is not from Okta's API, but from a proxy or a sign-in page.
    pub(super) fn help(&self) -> Option<&str> {
        if let Some(rights) = &self.rights {
            return Some(rights);
        }
        if self.missing_scope.is_some() {
            return Some(SCOPE);
        }
        let status = self.status.as_u16();
        let Some(code) = self.code() else {
            return Some(match status {
                429 => THROTTLED,
                500..=599 => "Okta or a proxy in front of it failed: try again later.",
                _ => NOT_OKTA,
            });
        };
        let known = HELP
            .iter()
            .chain(&OAUTH_HELP)
            .find(|(known, _)| *known == code);
        known.map(|(_, help)| *help).or(match status {
            429 => Some(THROTTLED),
            500..=599 => Some("Okta failed: try again later."),
            _ => None,
        })
    }

    /// Returns the code of an error response, or `None` if it has none.
    pub(crate) fn code_of(response: &http::Response<Bytes>) -> Option<String> {
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        code(&body, response.headers())
    }

    /// Decodes an error response to `operation`. Fields that the body lacks are `None` or empty.
    pub(super) fn read(operation: &str, response: &Response) -> Self {
        let body: Value = response.json().unwrap_or(Value::Null);
        let missing_scope = missing_scope(response.headers());
        let mut causes = causes(&body);
        causes.extend(
            missing_scope
                .as_ref()
                .map(|scope| format!("the access token lacks {scope}")),
        );
        // Okta's OAuth token endpoints use `error_description` and `error`.
        let headline = json::str_at(&body, "/errorSummary")
            .or_else(|| json::str_at(&body, "/error_description"))
            .map(to_single_line)
            .or_else(|| challenge(response.headers(), "error_description"));
        let summary = match (headline, causes.is_empty()) {
            (headline, true) => headline,
            (Some(headline), false) => Some(format!("{headline}: {}", causes.join("; "))),
            (None, false) => Some(causes.join("; ")),
        };
        let code = code(&body, response.headers());
        let lacks_role = matches!(code.as_deref(), Some("E0000006" | "E0000014"));
        let is_right = response.status() == StatusCode::FORBIDDEN && lacks_role;
        let rights = match &missing_scope {
            Some(scope) => rights::advice(operation)
                .map(|advice| format!("The access token lacks {scope}. {advice}")),
            None if is_right => rights::advice(operation),
            None => None,
        };
        Self {
            status: response.status(),
            request_id: response.request_id().map(str::to_owned),
            code,
            summary,
            causes,
            missing_scope,
            rights,
            throttled_until: throttled_until(response),
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
        if let Some(until) = self.throttled_until {
            let until = httpdate::fmt_http_date(until);
            write!(f, "; the rate limit is used up until {until}")?;
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

/// Returns the time at which the rate limit ends that a response reports as used up.
fn throttled_until(response: &Response) -> Option<SystemTime> {
    let number = |name| headers::smallest_number(response.headers(), name);
    if response.status() != StatusCode::TOO_MANY_REQUESTS || number(vendor::LIMIT)? == 0 {
        return None;
    }
    let reset = number(vendor::RESET).filter(|reset| *reset < YEAR_10000)?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(reset))
}

/// The first second that no date of HTTP can express, in seconds since 1970.
const YEAR_10000: u64 = 253_402_300_800;

/// Returns Okta's error code, or the one of OAuth.
///
/// An access token or a proof is often refused with an empty body: the code is then in the header.
fn code(body: &Value, headers: &HeaderMap) -> Option<String> {
    json::str_at(body, "/errorCode")
        .or_else(|| json::str_at(body, "/error"))
        .map(to_single_line)
        .or_else(|| challenge(headers, "error"))
}

/// Returns a parameter of the `WWW-Authenticate` header that refuses an access token (RFC 6750, section 3).
fn challenge(headers: &HeaderMap, name: &str) -> Option<String> {
    let header = headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
    let start = format!("{name}=\"");
    let (at, _) = header.match_indices(&start).find(|(at, _)| {
        // `error` is also the end of other names.
        header[..*at].ends_with([' ', ','])
    })?;
    let (value, _) = header[at + start.len()..].split_once('"')?;
    Some(to_single_line(value))
}

/// Returns the scopes that an access token lacks, if it is refused for its scopes.
fn missing_scope(headers: &HeaderMap) -> Option<String> {
    let is_scope = challenge(headers, "error")? == "insufficient_scope";
    is_scope.then(|| challenge(headers, "scope")).flatten()
}

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
pub(super) const THROTTLED: &str = "The org's rate limit for this call is used up: wait until it ends, usually \
                         within one minute, and run fewer programs that use the API at the same time.";

/// Help texts by Okta's error code ("Okta API error codes").
const HELP: [(&str, &str); 19] = [
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
    (
        "E0000056",
        "An app must be deactivated before it can be deleted. Just after its deactivation, try again later.",
    ),
    ("E0000060", "This org does not support the operation."),
    (
        "E0000075",
        "A profile mapping sets this attribute: change the mapping or its source.",
    ),
    (
        "E0000165",
        "Okta does not accept this custom domain: the org may have as many as it can, or another org uses it. \
         The Admin Console shows them under Customizations > Brands > Domains.",
    ),
];

const TOKEN: &str = "Okta does not accept the token: it is mistyped, expired, revoked, or belongs to \
                     another org. Create a new one in the Admin Console under Security > API > Tokens.";
const SCOPE: &str = "The access token lacks a scope that Okta names: grant the scope to the service app in the Admin \
                     Console under Applications > the app > Okta API Scopes, and request it.";
const ROLE: &str = "The admin who created the token has no role that allows this operation: create \
                    the token as an admin who may manage applications, groups and users.";

#[cfg(test)]
mod tests {
    use super::{ApiError, HELP, NOT_OKTA};
    use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};
    use serde_json::json;

    fn error(status: u16, code: Option<&str>) -> ApiError {
        ApiError {
            status: StatusCode::from_u16(status).expect("a valid status"),
            request_id: None,
            code: code.map(str::to_owned),
            summary: None,
            causes: Vec::new(),
            missing_scope: None,
            rights: None,
            throttled_until: None,
        }
    }

    #[test]
    fn help_is_found_by_code() {
        for (status, code, start) in [
            (401, "E0000011", "Okta does not accept the token: it is"),
            (
                403,
                "E0000006",
                "The admin who created the token has no role",
            ),
            (403, "E0000056", "An app must be deactivated before"),
            (403, "E0000165", "Okta does not accept this custom domain"),
            (429, "E0000047", "The org's rate limit"),
            (500, "E0009999", "Okta failed"),
        ] {
            let error = error(status, Some(code));
            let help = error.help();
            assert!(
                help.is_some_and(|help| help.starts_with(start)),
                "{code}: {help:?}"
            );
        }
        // An unknown code: the status says too little.
        for status in [400, 401, 403, 404, 409] {
            assert_eq!(error(status, Some("E0009999")).help(), None, "{status}");
        }
    }

    #[test]
    fn a_response_without_a_code_of_okta_is_not_from_okta() {
        for status in [302, 400, 401, 403, 404, 405, 407, 451] {
            assert_eq!(error(status, None).help(), Some(NOT_OKTA), "{status}");
        }
        for (status, start) in [(429, "The org's rate limit"), (502, "Okta or a proxy")] {
            let error = error(status, None);
            let help = error.help().expect("help");
            assert!(help.starts_with(start), "{help}");
        }
    }

    #[test]
    fn a_missing_scope_is_read_from_the_header() {
        for (header, scope) in [
            (
                r#"Bearer authorization_uri="http://a.okta.com/oauth2/v1/authorize", realm="http://a.okta.com", scope="okta.apps.manage okta.groups.read", error="insufficient_scope", error_description="The access token provided does not contain the required scopes.", resource="/api/v1/apps""#,
                Some("okta.apps.manage okta.groups.read"),
            ),
            (
                r#"Bearer error="invalid_token", scope="okta.apps.read""#,
                None,
            ),
            (r#"DPoP error="insufficient_scope""#, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, header.parse().expect("a header"));
            assert_eq!(super::missing_scope(&headers).as_deref(), scope, "{header}");
        }
        let error = ApiError {
            missing_scope: Some("okta.apps.manage".to_owned()),
            ..error(403, None)
        };
        assert!(
            error
                .help()
                .expect("help")
                .starts_with("The access token lacks a scope")
        );
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
