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
    /// What was asked for is done, and the connection is closed without a word.
    HangUpAfter,
    /// The link to the next page names another origin.
    Lure { origin: String },
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

    /// Does what was asked for and closes the connection before answering.
    pub fn hang_up_after_acting(service: Service) -> Self {
        Self::new(service, Kind::HangUpAfter)
    }

    /// Makes Okta's next link to a next page point to `origin`, such as `https://evil.example`.
    ///
    /// It stays in the queue until an answer has a next page.
    pub fn lure(origin: impl Into<String>) -> Self {
        let origin = origin.into();
        Self::new(Service::Okta, Kind::Lure { origin })
    }

    /// Keeps the fault for a request that contains `text` in its method, path or operation.
    ///
    /// The text looked at is `POST /api/v1/apps` for Okta and SCIM, and the same followed by the
    /// operation for AWS: `POST / CreateAccountAssignment`.
    pub fn on(mut self, text: impl Into<String>) -> Self {
        self.on = Some(text.into());
        self
    }

    fn new(service: Service, kind: Kind) -> Self {
        Self {
            service,
            on: None,
            kind,
        }
    }

    fn fits(&self, asked: &Asked<'_>) -> bool {
        self.service == asked.service && self.on.as_ref().is_none_or(|text| asked.is_about(text))
    }
}

/// The part of a request that decides which fault it meets.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) service: Service,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) operation: Option<&'a str>,
}

impl Asked<'_> {
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

    /// Takes the first fault that fits the request; a lure is only taken by [`Faults::take_lure`].
    pub(crate) fn take(&mut self, asked: &Asked<'_>) -> Option<Kind> {
        self.take_if(asked, |kind| !matches!(kind, Kind::Lure { .. }))
    }

    /// Takes the origin of the first lure that fits the request.
    pub(crate) fn take_lure(&mut self, asked: &Asked<'_>) -> Option<String> {
        match self.take_if(asked, |kind| matches!(kind, Kind::Lure { .. })) {
            Some(Kind::Lure { origin }) => Some(origin),
            _ => None,
        }
    }

    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    fn take_if(&mut self, asked: &Asked<'_>, wanted: impl Fn(&Kind) -> bool) -> Option<Kind> {
        let place = self
            .waiting
            .iter()
            .position(|fault| wanted(&fault.kind) && fault.fits(asked))?;
        Some(self.waiting.remove(place).kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(service: Service, path: &str) -> Asked<'_> {
        Asked {
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
        assert_eq!(faults.take(&asked(Service::Aws, "/api/v1/groups")), None);
        assert_eq!(faults.take(&asked(Service::Okta, "/api/v1/users")), None);
        assert_eq!(
            faults.take(&asked(Service::Okta, "/api/v1/groups")),
            Some(Kind::Throttle { seconds: 7 })
        );
        assert!(faults.waiting().is_empty());
    }

    #[test]
    fn a_lure_is_not_used_up_by_an_answer_without_a_next_page() {
        let mut faults = Faults::default();
        faults.push(Fault::lure("https://evil.example"));
        assert_eq!(faults.take(&asked(Service::Okta, "/api/v1/users")), None);
        assert_eq!(faults.waiting().len(), 1);
        assert_eq!(
            faults.take_lure(&asked(Service::Okta, "/api/v1/users")),
            Some("https://evil.example".to_owned())
        );
    }
}
