//! The kinds of faults, for the sandbox and for the proxy.

use std::fmt;

use jiff::Timestamp;
use sandbox::{Fault, Service};

/// One kind of fault of one request.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    /// Whether the service processes the request.
    pub(crate) process: bool,
}

/// The effect of a fault on the response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The connection is closed without a response.
    Close,
    /// The connection is closed in the middle of the body.
    Truncate,
    /// The first half of the body is sent as if it were the whole.
    Halve,
    /// The response is sent twice.
    Repeat,
    /// No response is sent, and the connection stays open.
    Stall,
    /// A page of a proxy in HTML is sent with this status.
    Page(u16),
    /// Too many requests: the status 429 with this `Retry-After`.
    Throttle(RetryAfter),
    /// An error of the vendor is sent with the status 200.
    ErrorBody,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Missing,
    Text(&'static str),
    /// An HTTP date, two seconds from now.
    Date,
}

const fn kind(name: &'static str, process: bool, effect: Effect) -> Kind {
    Kind {
        name,
        effect,
        process,
    }
}

pub(crate) const KINDS: [Kind; 21] = [
    kind("close-before", false, Effect::Close),
    kind("close-after", true, Effect::Close),
    kind("truncated-response", true, Effect::Truncate),
    kind("half-json", true, Effect::Halve),
    kind("repeated-response", true, Effect::Repeat),
    kind("stall-before", false, Effect::Stall),
    kind("stall-after", true, Effect::Stall),
    kind("page-500", false, Effect::Page(500)),
    kind("page-502", false, Effect::Page(502)),
    kind("page-503", false, Effect::Page(503)),
    kind("page-200", false, Effect::Page(200)),
    kind("page-500-after", true, Effect::Page(500)),
    kind("page-502-after", true, Effect::Page(502)),
    kind("page-200-after", true, Effect::Page(200)),
    kind("error-body-200", false, Effect::ErrorBody),
    kind("error-body-200-after", true, Effect::ErrorBody),
    kind("429", false, Effect::Throttle(RetryAfter::Missing)),
    kind("429-wait-0", false, Effect::Throttle(RetryAfter::Text("0"))),
    kind(
        "429-wait-negative",
        false,
        Effect::Throttle(RetryAfter::Text("-5")),
    ),
    kind("429-wait-date", false, Effect::Throttle(RetryAfter::Date)),
    kind(
        "429-wait-huge",
        false,
        Effect::Throttle(RetryAfter::Text("99999999")),
    ),
];

/// A response that replaces the response of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: &'static str,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Kind {
    /// Returns whether the kind differs from another kind only in that the service processes the request.
    pub(crate) fn is_after(&self) -> bool {
        self.process
            && !matches!(
                self.effect,
                Effect::Truncate | Effect::Halve | Effect::Repeat
            )
    }

    /// Returns the fault of the sandbox.
    pub(crate) fn fault(&self, service: Service, now: Timestamp) -> Fault {
        match self.effect {
            Effect::Close if self.process => Fault::close_after_processing(service),
            Effect::Close => Fault::close_before_processing(service),
            Effect::Truncate => Fault::truncated_response(service),
            Effect::Halve => Fault::half_body(service),
            Effect::Repeat => Fault::repeated_response(service),
            Effect::Stall => Fault::stall(service, self.process),
            Effect::Page(_) | Effect::Throttle(_) | Effect::ErrorBody => {
                let answer = self.answer(service, now).expect("an answer");
                let headers = answer.headers.iter();
                let headers: Vec<_> = headers
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                Fault::answer(service, answer.status, &headers, answer.body, self.process)
            }
        }
    }

    /// Returns the response that replaces the response of the service; `None` if the effect is another one.
    pub(crate) fn answer(&self, service: Service, now: Timestamp) -> Option<Answer> {
        let json = match service {
            Service::Scim => "application/scim+json",
            Service::Aws => "application/x-amz-json-1.1",
            _ => "application/json",
        };
        let (status, content_type, body) = match self.effect {
            Effect::Page(status) => (status, "text/html; charset=utf-8", PAGE),
            Effect::Throttle(_) => (429, json, error_body(service, Failure::Throttled)),
            Effect::ErrorBody => (200, json, error_body(service, Failure::Internal)),
            _ => return None,
        };
        let mut headers = vec![("content-type", content_type.to_owned())];
        match self.effect {
            Effect::Throttle(RetryAfter::Text(text)) => {
                headers.push(("retry-after", text.to_owned()));
            }
            Effect::Throttle(RetryAfter::Date) => {
                let date = now + jiff::SignedDuration::from_secs(2);
                let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                headers.push(("retry-after", date));
            }
            _ => {}
        }
        Some(Answer {
            status,
            headers,
            body,
        })
    }
}

const PAGE: &str =
    "<!DOCTYPE html><html><body><h1>Gateway</h1><p>Please sign in.</p></body></html>";

#[derive(Clone, Copy)]
enum Failure {
    Throttled,
    Internal,
}

/// Returns an error of the vendor in its own format.
fn error_body(service: Service, failure: Failure) -> &'static str {
    match (service, failure) {
        (Service::Aws, Failure::Throttled) => {
            r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#
        }
        (Service::Aws, Failure::Internal) => {
            r#"{"__type":"InternalServerException","message":"Internal failure"}"#
        }
        (Service::Scim, Failure::Throttled) => {
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"429","detail":"Rate exceeded"}"#
        }
        (Service::Scim, Failure::Internal) => {
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500","detail":"Internal failure"}"#
        }
        (_, Failure::Throttled) => {
            r#"{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests.","errorLink":"E0000047","errorId":"oaeCampaign","errorCauses":[]}"#
        }
        (_, Failure::Internal) => {
            r#"{"errorCode":"E0000009","errorSummary":"Internal Server Error","errorLink":"E0000009","errorId":"oaeCampaign","errorCauses":[]}"#
        }
    }
}
