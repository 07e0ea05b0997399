//! Fault injection: a queue of faults, each triggered by one matching request.

use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::{oddity::Oddity, record::Service};

/// One fault, triggered once by the first matching request.
///
/// Dropping the sandbox panics if an injected fault was never triggered, because the test then did
/// not test the failure.
///
/// ```
/// use okta_aws_sandbox::{Fault, Service};
///
/// let fault = Fault::throttle(Service::Okta, 7).on("GET /api/v1/groups");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    service: Service,
    /// The text that a matching request contains in its method, path or operation.
    pattern: Option<String>,
    /// Whether only a request that changes data matches.
    only_writes: bool,
    /// The number of matching requests that still pass before the fault is triggered.
    skips: usize,
    kind: FaultKind,
}

/// The effect of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The vendor's response to a throttled request, with the suggested wait in seconds.
    Throttle { seconds: u32 },
    /// Okta's response above the concurrency limit: both rate-limit headers (limit and remaining) are zero.
    ConcurrencyLimit,
    /// A given response instead of the API's response. The request is processed only if `process` is true.
    Answer {
        status: StatusCode,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: String,
        process: bool,
    },
    /// The request is not processed, and the connection is closed without a response.
    CloseBeforeProcessing,
    /// The request is processed, and the connection is closed without a response.
    CloseAfterProcessing,
    /// The link to the next page names another origin.
    ForeignNextLink { origin: String },
    /// An error response of the vendor, with an optional `Retry-After` in seconds.
    ErrorResponse {
        status: u16,
        retry_after: Option<u32>,
    },
    /// The request is processed, and the connection breaks in the middle of the response.
    TruncatedResponse,
    /// The request is processed, and the response has only the first half of its body.
    HalfBody,
    /// The request is processed, and its response is sent twice.
    RepeatedResponse,
    /// The request is processed, and the document of its response is odd.
    Odd(Oddity),
    /// The sandbox never sends a response. It processes the request only if `process` is true.
    Stall { process: bool },
}

impl Fault {
    /// Throttles a request: the rate limit window ends after `seconds`.
    ///
    /// Only Okta reports the end of the window, in `X-Rate-Limit-Reset`.
    pub fn throttle(service: Service, seconds: u32) -> Self {
        Self::new(service, FaultKind::Throttle { seconds })
    }

    /// Rejects a request to Okta with the concurrency limit: the rate-limit headers are zero.
    pub fn concurrency() -> Self {
        Self::new(Service::Okta, FaultKind::ConcurrencyLimit)
    }

    /// Answers with `status` and an HTML page, as a proxy or a maintenance page does.
    pub fn fail(service: Service, status: u16, html: impl Into<String>) -> Self {
        let html_type = ("content-type", "text/html; charset=utf-8");
        Self::answer(service, status, &[html_type], html, false)
    }

    /// Answers with this status, these headers and this body instead of the API's response.
    ///
    /// The request is processed only if `process` is true.
    ///
    /// # Panics
    ///
    /// Panics if the status or a header is not valid.
    pub fn answer(
        service: Service,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<String>,
        process: bool,
    ) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::try_from(*name).expect("a valid header name");
                (name, HeaderValue::try_from(*value).expect("a valid header"))
            })
            .collect();
        let kind = FaultKind::Answer {
            status: StatusCode::from_u16(status).expect("a valid status"),
            headers,
            body: body.into(),
            process,
        };
        Self::new(service, kind)
    }

    /// Answers with an error in Okta's format, and does not process the request.
    ///
    /// Okta answers so to a new group rule for a moment: status 423 and code `E0000239`.
    ///
    /// # Panics
    ///
    /// Panics if the status is not valid.
    pub fn okta_error(status: u16, code: &str, summary: &str) -> Self {
        let body = serde_json::json!({
            "errorCode": code,
            "errorSummary": summary,
            "errorLink": code,
            "errorId": "oaeSandboxFault00000000000",
            "errorCauses": [],
        });
        let headers = [
            ("content-type", "application/json"),
            ("x-okta-request-id", "sandbox-fault"),
        ];
        Self::answer(Service::Okta, status, &headers, body.to_string(), false)
    }

    /// Processes the request to Okta, and makes the document of the response odd.
    pub fn odd(oddity: Oddity) -> Self {
        Self::new(Service::Okta, FaultKind::Odd(oddity))
    }

    /// Closes the connection before the request is processed.
    pub fn close_before_processing(service: Service) -> Self {
        Self::new(service, FaultKind::CloseBeforeProcessing)
    }

    /// Processes the request and closes the connection without a response.
    pub fn close_after_processing(service: Service) -> Self {
        Self::new(service, FaultKind::CloseAfterProcessing)
    }

    /// Answers with an error `status` and does not process the request.
    ///
    /// The SCIM endpoint sends a SCIM error; the other services send the body `{}`. AWS documents no
    /// `Retry-After`, but the fault can add one to its responses too.
    pub fn refuse(service: Service, status: u16, retry_after: Option<u32>) -> Self {
        Self::new(
            service,
            FaultKind::ErrorResponse {
                status,
                retry_after,
            },
        )
    }

    /// Processes the request and breaks the connection in the middle of the response.
    ///
    /// A response without a body is not sent at all.
    pub fn truncated_response(service: Service) -> Self {
        Self::new(service, FaultKind::TruncatedResponse)
    }

    /// Processes the request and sends the first half of the body as if it were the whole.
    ///
    /// Unlike with [`truncated_response`](Self::truncated_response), the declared length is the length of the half.
    pub fn half_body(service: Service) -> Self {
        Self::new(service, FaultKind::HalfBody)
    }

    /// Processes the request once and sends its response twice on the same connection.
    pub fn repeated_response(service: Service) -> Self {
        Self::new(service, FaultKind::RepeatedResponse)
    }

    /// Never sends a response, so that the client has to end the request with its own timeout.
    ///
    /// The request is processed only if `process` is true.
    pub fn stall(service: Service, process: bool) -> Self {
        Self::new(service, FaultKind::Stall { process })
    }

    /// Replaces the origin of Okta's link to the next page by `origin`, such as `https://evil.example`.
    ///
    /// The fault stays in the queue until a response has a next page.
    pub fn foreign_next_link(origin: impl Into<String>) -> Self {
        let origin = origin.into();
        Self::new(Service::Okta, FaultKind::ForeignNextLink { origin })
    }

    /// Limits the fault to requests that contain `text` in their method, path or operation.
    ///
    /// The searched text is `POST /api/v1/apps` for Okta and SCIM. For AWS the operation follows:
    /// `POST / CreateAccountAssignment`.
    pub fn on(mut self, text: impl Into<String>) -> Self {
        self.pattern = Some(text.into());
        self
    }

    /// Limits the fault to requests that change data ([`RecordedRequest::write`](crate::RecordedRequest::write)).
    pub fn on_writes(mut self) -> Self {
        self.only_writes = true;
        self
    }

    /// Lets this number of matching requests pass before the fault is triggered.
    pub fn after(mut self, requests: usize) -> Self {
        self.skips = requests;
        self
    }

    fn new(service: Service, kind: FaultKind) -> Self {
        Self {
            service,
            pattern: None,
            only_writes: false,
            skips: 0,
            kind,
        }
    }

    fn matches(&self, request_info: &RequestInfo<'_>) -> bool {
        self.service == request_info.service
            && (request_info.write || !self.only_writes)
            && self
                .pattern
                .as_ref()
                .is_none_or(|text| request_info.contains(text))
    }
}

/// The properties of a request that select the fault to apply.
#[derive(Debug)]
pub(crate) struct RequestInfo<'a> {
    pub(crate) service: Service,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) operation: Option<&'a str>,
    /// Whether the request changes data.
    pub(crate) write: bool,
}

impl RequestInfo<'_> {
    fn contains(&self, text: &str) -> bool {
        let operation = self.operation.unwrap_or_default();
        format!("{} {} {operation}", self.method, self.path).contains(text)
    }
}

/// The faults that were not triggered yet, in the order of injection.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Vec<Fault>,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.pending.push(fault);
    }

    /// Takes the first fault that matches the request, except for foreign next links.
    ///
    /// [`Faults::take_foreign_next_link`] takes the foreign next links.
    pub(crate) fn take(&mut self, request_info: &RequestInfo<'_>) -> Option<FaultKind> {
        self.take_if(request_info, |kind| {
            !matches!(kind, FaultKind::ForeignNextLink { .. })
        })
    }

    /// Takes the first foreign next link that matches the request, and returns its origin.
    pub(crate) fn take_foreign_next_link(
        &mut self,
        request_info: &RequestInfo<'_>,
    ) -> Option<String> {
        match self.take_if(request_info, |kind| {
            matches!(kind, FaultKind::ForeignNextLink { .. })
        }) {
            Some(FaultKind::ForeignNextLink { origin }) => Some(origin),
            _ => None,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn pending(&self) -> &[Fault] {
        &self.pending
    }

    fn take_if(
        &mut self,
        request_info: &RequestInfo<'_>,
        is_wanted: impl Fn(&FaultKind) -> bool,
    ) -> Option<FaultKind> {
        let mut position = None;
        for (index, fault) in self.pending.iter_mut().enumerate() {
            if !is_wanted(&fault.kind) || !fault.matches(request_info) {
                continue;
            }
            if fault.skips > 0 {
                fault.skips -= 1;
            } else if position.is_none() {
                position = Some(index);
            }
        }
        Some(self.pending.remove(position?).kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request_info(service: Service, path: &str) -> RequestInfo<'_> {
        RequestInfo {
            service,
            method: &Method::GET,
            path,
            operation: None,
            write: false,
        }
    }

    #[test]
    fn a_fault_is_triggered_only_by_a_matching_request() {
        let mut faults = Faults::default();
        faults.push(Fault::throttle(Service::Okta, 7).on("GET /api/v1/groups"));
        assert_eq!(
            faults.take(&request_info(Service::Aws, "/api/v1/groups")),
            None
        );
        assert_eq!(
            faults.take(&request_info(Service::Okta, "/api/v1/users")),
            None
        );
        assert_eq!(
            faults.take(&request_info(Service::Okta, "/api/v1/groups")),
            Some(FaultKind::Throttle { seconds: 7 })
        );
        assert!(faults.pending().is_empty());
    }

    #[test]
    fn a_fault_lets_the_given_number_of_matching_requests_pass() {
        let mut faults = Faults::default();
        faults.push(Fault::truncated_response(Service::Okta).after(1));
        faults.push(Fault::truncated_response(Service::Okta).after(1));
        let taken = |faults: &mut Faults| faults.take(&request_info(Service::Okta, "/")).is_some();
        assert!(!taken(&mut faults));
        assert!(taken(&mut faults));
        assert!(taken(&mut faults));
        assert!(!taken(&mut faults));
    }

    #[test]
    fn a_fault_on_writes_lets_reads_pass() {
        let mut faults = Faults::default();
        faults.push(Fault::refuse(Service::Okta, 400, None).on_writes());
        let read = request_info(Service::Okta, "/");
        assert_eq!(faults.take(&read), None);
        let write = RequestInfo {
            write: true,
            ..read
        };
        assert!(faults.take(&write).is_some());
    }

    #[test]
    fn a_foreign_next_link_stays_queued_until_a_response_has_a_next_page() {
        let mut faults = Faults::default();
        faults.push(Fault::foreign_next_link("https://evil.example"));
        assert_eq!(
            faults.take(&request_info(Service::Okta, "/api/v1/users")),
            None
        );
        assert_eq!(faults.pending().len(), 1);
        assert_eq!(
            faults.take_foreign_next_link(&request_info(Service::Okta, "/api/v1/users")),
            Some("https://evil.example".to_owned())
        );
    }
}
