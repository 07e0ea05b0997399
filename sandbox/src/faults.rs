//! Things that go wrong on request: a queue of faults, each used by one matching request.

use http::Method;

use crate::record::Service;

/// One thing that goes wrong, once, for the first request it fits.
///
/// A fault that was injected and never met fails the test when the sandbox is dropped: a test
/// that passes without its fault proves nothing.
///
/// ```
/// use sandbox::{Fault, Service};
///
/// let fault = Fault::throttle(Service::Okta, 7).on("GET /api/v1/groups");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    service: Service,
    on: Option<String>,
    /// How many requests it fits are let through before.
    skips: usize,
    kind: Kind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The vendor's refusal of too many requests, with the wait it suggests in seconds.
    Throttle { seconds: u32 },
    /// Okta's refusal of too many requests at once: limit and remaining are both zero.
    Concurrency,
    /// A page that does not come from the API at all, such as a proxy's.
    Fail { status: u16, body: String },
    /// The connection is closed without a word, and nothing was done.
    HangUpBefore,
    /// What was request_info for is done, and the connection is closed without a word.
    HangUpAfter,
    /// The link to the next page names another origin.
    ForeignNextLink { origin: String },
    /// The vendor's own refusal, with what it says about when to come back.
    Refuse {
        status: u16,
        retry_after: Option<u32>,
    },
    /// What was request_info for is done, and the connection breaks in the middle of the answer.
    Half,
    /// No answer ever comes; what was request_info for is done or not.
    Stall { acts: bool },
}

impl Fault {
    /// Refuses a request because of too many, with a window that ends after `seconds`.
    ///
    /// Only Okta says how long to wait, in `X-Rate-Limit-Reset`.
    pub fn throttle(service: Service, seconds: u32) -> Self {
        Self::new(service, Kind::Throttle { seconds })
    }

    /// Refuses a request to Okta because of too many at once: the rate-limit headers are zero.
    pub fn concurrency() -> Self {
        Self::new(Service::Okta, Kind::Concurrency)
    }

    /// Answers with `status` and an HTML page, as a proxy or a maintenance page does.
    pub fn fail(service: Service, status: u16, html: impl Into<String>) -> Self {
        let body = html.into();
        Self::new(service, Kind::Fail { status, body })
    }

    /// Closes the connection before anything was done.
    pub fn hang_up_before_acting(service: Service) -> Self {
        Self::new(service, Kind::HangUpBefore)
    }

    /// Does what was request_info for and closes the connection before answering.
    pub fn hang_up_after_acting(service: Service) -> Self {
        Self::new(service, Kind::HangUpAfter)
    }

    /// Refuses with `status` in the vendor's own words; in SCIM's for the SCIM endpoint, as plain JSON for others.
    ///
    /// Nothing was done. AWS documents no `Retry-After`, and sends one where a fault says so.
    pub fn refuse(service: Service, status: u16, retry_after: Option<u32>) -> Self {
        Self::new(
            service,
            Kind::Refuse {
                status,
                retry_after,
            },
        )
    }

    /// Does what was request_info for, and breaks the connection in the middle of the answer.
    ///
    /// An answer without a body is not sent at all.
    pub fn truncated_response(service: Service) -> Self {
        Self::new(service, Kind::Half)
    }

    /// Never answers, after having done what was request_info for or without; the client has to give up.
    pub fn stall(service: Service, acts: bool) -> Self {
        Self::new(service, Kind::Stall { acts })
    }

    /// Makes Okta's next link to a next page point to `origin`, such as `https://evil.example`.
    ///
    /// It stays in the queue until an answer has a next page.
    pub fn foreign_next_link(origin: impl Into<String>) -> Self {
        let origin = origin.into();
        Self::new(Service::Okta, Kind::ForeignNextLink { origin })
    }

    /// Keeps the fault for a request that contains `text` in its method, path or operation.
    ///
    /// The text looked at is `POST /api/v1/apps` for Okta and SCIM, and the same followed by the
    /// operation for AWS: `POST / CreateAccountAssignment`.
    pub fn on(mut self, text: impl Into<String>) -> Self {
        self.on = Some(text.into());
        self
    }

    /// Lets through so many requests that it fits before it strikes.
    pub fn after(mut self, requests: usize) -> Self {
        self.skips = requests;
        self
    }

    fn new(service: Service, kind: Kind) -> Self {
        Self {
            service,
            on: None,
            skips: 0,
            kind,
        }
    }

    fn fits(&self, request_info: &RequestInfo<'_>) -> bool {
        self.service == request_info.service
            && self
                .on
                .as_ref()
                .is_none_or(|text| request_info.is_about(text))
    }
}

/// The part of a request that decides which fault it meets.
#[derive(Debug)]
pub(crate) struct RequestInfo<'a> {
    pub(crate) service: Service,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) operation: Option<&'a str>,
}

impl RequestInfo<'_> {
    fn is_about(&self, text: &str) -> bool {
        let operation = self.operation.unwrap_or_default();
        format!("{} {} {operation}", self.method, self.path).contains(text)
    }
}

/// The faults nobody has met yet, in the order they were injected.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    /// Takes the first fault that fits the request; a foreign_next_link is only taken by [`Faults::take_foreign_next_link`].
    pub(crate) fn take(&mut self, request_info: &RequestInfo<'_>) -> Option<Kind> {
        self.take_if(request_info, |kind| {
            !matches!(kind, Kind::ForeignNextLink { .. })
        })
    }

    /// Takes the origin of the first foreign_next_link that fits the request.
    pub(crate) fn take_foreign_next_link(
        &mut self,
        request_info: &RequestInfo<'_>,
    ) -> Option<String> {
        match self.take_if(request_info, |kind| {
            matches!(kind, Kind::ForeignNextLink { .. })
        }) {
            Some(Kind::ForeignNextLink { origin }) => Some(origin),
            _ => None,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    fn take_if(
        &mut self,
        request_info: &RequestInfo<'_>,
        wanted: impl Fn(&Kind) -> bool,
    ) -> Option<Kind> {
        let mut place = None;
        for (index, fault) in self.waiting.iter_mut().enumerate() {
            if !wanted(&fault.kind) || !fault.fits(request_info) {
                continue;
            }
            if fault.skips > 0 {
                fault.skips -= 1;
            } else if place.is_none() {
                place = Some(index);
            }
        }
        Some(self.waiting.remove(place?).kind)
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
        }
    }

    #[test]
    fn a_fault_waits_for_the_request_it_is_kept_for() {
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
            Some(Kind::Throttle { seconds: 7 })
        );
        assert!(faults.waiting().is_empty());
    }

    #[test]
    fn a_fault_spares_as_many_requests_as_it_is_told() {
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
    fn a_lure_is_not_used_up_by_an_answer_without_a_next_page() {
        let mut faults = Faults::default();
        faults.push(Fault::foreign_next_link("https://evil.example"));
        assert_eq!(
            faults.take(&request_info(Service::Okta, "/api/v1/users")),
            None
        );
        assert_eq!(faults.waiting().len(), 1);
        assert_eq!(
            faults.take_foreign_next_link(&request_info(Service::Okta, "/api/v1/users")),
            Some("https://evil.example".to_owned())
        );
    }
}
