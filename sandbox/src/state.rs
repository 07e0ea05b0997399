//! The complete state of the sandbox, behind one lock, and the entry point for requests.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::{
    aws::{self, Cloud},
    clock::SandboxClock,
    faults::{FaultKind, Faults, RequestInfo},
    in_flight::InFlight,
    okta::{self, Org},
    provisioning_engine::ProvisioningEngine,
    record::{RecordedRequest, Service, method_writes},
    scim::{self, ScimLimits, generic::Directory},
    throttled,
    view::{AcceptedOperation, Assignment, IdentityGroup, IdentityUser, PermissionSet},
};

/// The simulated Okta org and AWS cloud, Okta's provisioning engine, and the injected faults.
#[derive(Debug)]
pub(crate) struct SandboxState {
    pub(crate) org: Org,
    pub(crate) cloud: Cloud,
    /// The SCIM service behind the SCIM listener, if it is not AWS.
    pub(crate) generic_scim: Option<Directory>,
    pub(crate) provisioning_engine: ProvisioningEngine,
    pub(crate) clock: SandboxClock,
    pub(crate) faults: Faults,
    /// The requests to Okta.
    pub(crate) in_flight: InFlight,
    pub(crate) scim_rates: ScimLimits,
    pub(crate) log: Vec<RecordedRequest>,
    /// The Region that is selected in the AWS console.
    pub(crate) region: String,
}

/// The way in which the sandbox delivers the response to a request.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The complete response is sent.
    Complete(Response<Bytes>),
    /// The connection breaks after the first half of the body.
    Truncated(Response<Bytes>),
    /// The complete response is sent twice.
    Repeated(Response<Bytes>),
    /// The connection is closed without a response.
    Close,
    /// The sandbox never sends a response.
    Stall,
}

impl SandboxState {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs the provisioning jobs and AWS operations that are due.
    pub(crate) fn run_due_work(&mut self) {
        let now = self.now();
        self.provisioning_engine
            .run_due_jobs(&mut self.org, &mut self.cloud, now);
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.run_due_work();
        self.clock.advance(by);
        self.run_due_work();
    }

    /// Handles one request to a vendor's API. A request to Okta that is one too many in flight is refused.
    pub(crate) fn handle(
        &mut self,
        service: Service,
        request: &Request<Bytes>,
        one_too_many: bool,
    ) -> Delivery {
        self.run_due_work();
        let operation = match service {
            Service::Aws => aws::operation(request),
            Service::Okta | Service::Scim => None,
        };
        let request_info = RequestInfo {
            service,
            method: request.method(),
            path: request.uri().path(),
            operation: operation.as_deref(),
            write: match service {
                Service::Aws => aws::is_write(request),
                Service::Okta | Service::Scim => method_writes(request.method()),
            },
        };
        let fault = if one_too_many {
            Some(FaultKind::ConcurrencyLimit)
        } else {
            self.faults.take(&request_info)
        };
        let delivery = self.handle_with_fault(&request_info, request, fault);
        self.record(&request_info, request, &delivery);
        self.run_due_work();
        delivery
    }

    fn handle_with_fault(
        &mut self,
        request_info: &RequestInfo<'_>,
        request: &Request<Bytes>,
        fault: Option<FaultKind>,
    ) -> Delivery {
        match fault {
            Some(FaultKind::CloseBeforeProcessing) => Delivery::Close,
            Some(FaultKind::CloseAfterProcessing) => {
                self.process(request_info.service, request);
                Delivery::Close
            }
            Some(FaultKind::Throttle { seconds }) => {
                Delivery::Complete(self.throttle(request_info.service, request, Some(seconds)))
            }
            Some(FaultKind::ConcurrencyLimit) => {
                Delivery::Complete(self.throttle(request_info.service, request, None))
            }
            Some(FaultKind::ErrorResponse {
                status,
                retry_after,
            }) => {
                Delivery::Complete(self.error_response(request_info.service, status, retry_after))
            }
            Some(FaultKind::TruncatedResponse) => {
                Delivery::Truncated(self.process(request_info.service, request))
            }
            Some(FaultKind::Stall { process }) => {
                if process {
                    self.process(request_info.service, request);
                }
                Delivery::Stall
            }
            Some(FaultKind::HalfBody) => {
                let response = self.process(request_info.service, request);
                Delivery::Complete(response.map(|body| body.slice(..body.len() / 2)))
            }
            Some(FaultKind::Odd(oddity)) => {
                let response = self.process(request_info.service, request);
                Delivery::Complete(response.map(|body| {
                    let Ok(mut document) = serde_json::from_slice(&body) else {
                        return body;
                    };
                    oddity.apply(&mut document);
                    document.to_string().into()
                }))
            }
            Some(FaultKind::RepeatedResponse) => {
                Delivery::Repeated(self.process(request_info.service, request))
            }
            Some(FaultKind::Answer {
                status,
                headers,
                body,
                process,
            }) => {
                if process {
                    self.process(request_info.service, request);
                }
                let mut answer = Response::new(body.into());
                *answer.status_mut() = status;
                answer.headers_mut().extend(headers);
                Delivery::Complete(answer)
            }
            Some(FaultKind::ForeignNextLink { .. }) | None => {
                let mut response = self.process(request_info.service, request);
                self.replace_next_link(request_info, &mut response);
                Delivery::Complete(response)
            }
        }
    }

    fn process(&mut self, service: Service, request: &Request<Bytes>) -> Response<Bytes> {
        let now = self.now();
        match service {
            Service::Okta => okta::handle(&mut self.org, now, request),
            Service::Aws => aws::handle(&mut self.cloud, now, request),
            Service::Scim if !self.scim_rates.admit(request.method(), now) => {
                self.scim_error(429, "Rate exceeded")
            }
            Service::Scim => match &mut self.generic_scim {
                Some(directory) => directory.handle(now, request),
                None => aws::scim::handle(&mut self.cloud, now, request),
            },
        }
    }

    fn throttle(
        &mut self,
        service: Service,
        request: &Request<Bytes>,
        seconds: Option<u32>,
    ) -> Response<Bytes> {
        let now = self.now();
        match service {
            Service::Okta => okta::throttled(&mut self.org, now, seconds),
            Service::Aws => throttled::aws(request, &self.cloud.next_request_id()),
            Service::Scim => self.scim_error(429, "Rate exceeded"),
        }
    }

    fn error_response(
        &mut self,
        service: Service,
        status: u16,
        retry_after: Option<u32>,
    ) -> Response<Bytes> {
        let mut response = match service {
            Service::Scim => self.scim_error(status, "Internal failure"),
            Service::Okta | Service::Aws => {
                let mut response = Response::new(Bytes::from_static(b"{}"));
                *response.status_mut() =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, html);
                response
            }
        };
        if let Some(seconds) = retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// Returns an error of the SCIM service that does not depend on the request, without `Retry-After`.
    fn scim_error(&mut self, status: u16, detail: &str) -> Response<Bytes> {
        let profile = match self.generic_scim {
            Some(_) => &scim::RFC,
            None => &scim::AWS,
        };
        let id = self.cloud.next_request_id();
        scim::error_response(profile, status, detail, &id, self.now())
    }

    /// Replaces the origin of the response's link to the next page. Does nothing if the response has no
    /// such link or no fault matches the request.
    fn replace_next_link(
        &mut self,
        request_info: &RequestInfo<'_>,
        response: &mut Response<Bytes>,
    ) {
        let links: Vec<HeaderValue> = response
            .headers()
            .get_all(header::LINK)
            .iter()
            .cloned()
            .collect();
        let is_next = |link: &HeaderValue| {
            link.to_str()
                .is_ok_and(|link| link.contains("rel=\"next\""))
        };
        if !links.iter().any(is_next) {
            return;
        }
        let Some(origin) = self.faults.take_foreign_next_link(request_info) else {
            return;
        };
        response.headers_mut().remove(header::LINK);
        for link in links {
            let foreign = if is_next(&link) {
                with_origin(&link, &origin)
            } else {
                None
            };
            response
                .headers_mut()
                .append(header::LINK, foreign.unwrap_or(link));
        }
    }

    fn record(
        &mut self,
        request_info: &RequestInfo<'_>,
        request: &Request<Bytes>,
        delivery: &Delivery,
    ) {
        let status = match delivery {
            Delivery::Complete(response)
            | Delivery::Truncated(response)
            | Delivery::Repeated(response) => Some(response.status().as_u16()),
            Delivery::Close | Delivery::Stall => None,
        };
        tracing::debug!(service = ?request_info.service, method = %request_info.method, path = request_info.path, status, "answered");
        self.log.push(RecordedRequest {
            service: request_info.service,
            method: request.method().to_string(),
            path: request_info.path.to_owned(),
            query: request.uri().query().map(str::to_owned),
            target: request_info.operation.map(str::to_owned),
            write: request_info.write,
            status,
        });
    }

    pub(crate) fn permission_sets(&self) -> Vec<PermissionSet> {
        self.cloud
            .permission_sets()
            .into_iter()
            .map(PermissionSet::from)
            .collect()
    }

    pub(crate) fn assignments(&self) -> Vec<Assignment> {
        self.cloud
            .assignments()
            .into_iter()
            .map(Assignment::from)
            .collect()
    }

    pub(crate) fn operations(&self) -> Vec<AcceptedOperation> {
        self.cloud
            .operation_views()
            .into_iter()
            .map(AcceptedOperation::from)
            .collect()
    }

    pub(crate) fn identity_users(&self) -> Vec<IdentityUser> {
        self.cloud
            .users()
            .into_iter()
            .map(IdentityUser::from)
            .collect()
    }

    pub(crate) fn identity_groups(&self) -> Vec<IdentityGroup> {
        self.cloud
            .groups()
            .into_iter()
            .map(IdentityGroup::from)
            .collect()
    }

    pub(crate) fn aws_snapshot(&self) -> Value {
        json!({
            "permission_sets": self.permission_sets(),
            "assignments": self.assignments(),
            "users": self.identity_users(),
            "groups": self.identity_groups(),
        })
    }

    /// Returns the visible state of Okta and AWS, to compare the state before an action with the state
    /// after it.
    pub(crate) fn snapshot(&self) -> Value {
        json!({ "okta": self.org.snapshot(), "aws": self.aws_snapshot() })
    }
}

/// Returns the `Link` header with the origin of its URL replaced, or `None` if the header cannot be parsed.
fn with_origin(link: &HeaderValue, origin: &str) -> Option<HeaderValue> {
    let (address, rest) = link.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
    let address = Url::parse(address).ok()?;
    let query = address
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    HeaderValue::from_str(&format!("<{origin}{}{query}>{rest}", address.path())).ok()
}
