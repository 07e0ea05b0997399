//! Everything the sandbox knows, behind one lock, and the one way in.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::{
    aws::{self, Cloud},
    clock::SandboxClock,
    faults::{Faults, Kind, RequestInfo},
    okta::{self, Org},
    provisioning_engine::ProvisioningEngine,
    record::{Recorded, Service, method_writes},
    scim::{self, generic::Directory},
    scim_rates::ScimLimits,
    throttled,
    view::{Assignment, IdentityGroup, IdentityUser, PermissionSet},
};

/// The vendors, what ties them together, and what happens to requests on the way.
#[derive(Debug)]
pub(crate) struct SandboxState {
    pub(crate) org: Org,
    pub(crate) cloud: Cloud,
    /// The service provider behind the SCIM listener, if it is not AWS.
    pub(crate) generic_scim: Option<Directory>,
    pub(crate) provisioning_engine: ProvisioningEngine,
    pub(crate) clock: SandboxClock,
    pub(crate) faults: Faults,
    pub(crate) scim_rates: ScimLimits,
    pub(crate) log: Vec<Recorded>,
    /// The Region the console is set to.
    pub(crate) region: String,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Delivery {
    Send(Response<Bytes>),
    /// The connection breaks after the first half of the body.
    Half(Response<Bytes>),
    /// The connection is closed without a word.
    HangUp,
    /// Nothing ever comes.
    Stall,
}

impl SandboxState {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does everything that is due by now.
    pub(crate) fn settle(&mut self) {
        let now = self.now();
        self.provisioning_engine
            .settle(&mut self.org, &mut self.cloud, now);
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.settle();
        self.clock.advance(by);
        self.settle();
    }

    /// Answers one request to a vendor.
    pub(crate) fn answer(&mut self, service: Service, request: &Request<Bytes>) -> Delivery {
        self.settle();
        let operation = match service {
            Service::Aws => aws::operation(request),
            Service::Okta | Service::Scim => None,
        };
        let request_info = RequestInfo {
            service,
            method: request.method(),
            path: request.uri().path(),
            operation: operation.as_deref(),
        };
        let fault = self.faults.take(&request_info);
        let answer = self.meet(&request_info, request, fault);
        self.record(&request_info, request, &answer);
        self.settle();
        answer
    }

    fn meet(
        &mut self,
        request_info: &RequestInfo<'_>,
        request: &Request<Bytes>,
        fault: Option<Kind>,
    ) -> Delivery {
        match fault {
            Some(Kind::HangUpBefore) => Delivery::HangUp,
            Some(Kind::HangUpAfter) => {
                self.act(request_info.service, request);
                Delivery::HangUp
            }
            Some(Kind::Throttle { seconds }) => {
                Delivery::Send(self.throttle(request_info.service, request, Some(seconds)))
            }
            Some(Kind::Concurrency) => {
                Delivery::Send(self.throttle(request_info.service, request, None))
            }
            Some(Kind::Refuse {
                status,
                retry_after,
            }) => Delivery::Send(self.refuse(request_info.service, status, retry_after)),
            Some(Kind::Half) => Delivery::Half(self.act(request_info.service, request)),
            Some(Kind::Stall { acts }) => {
                if acts {
                    self.act(request_info.service, request);
                }
                Delivery::Stall
            }
            Some(Kind::Fail { status, body }) => Delivery::Send(page(status, body)),
            Some(Kind::ForeignNextLink { .. }) | None => {
                let mut response = self.act(request_info.service, request);
                self.foreign_next_link(request_info, &mut response);
                Delivery::Send(response)
            }
        }
    }

    fn act(&mut self, service: Service, request: &Request<Bytes>) -> Response<Bytes> {
        let now = self.now();
        match service {
            Service::Okta => okta::handle(&mut self.org, now, request),
            Service::Aws => aws::handle(&mut self.cloud, now, request),
            Service::Scim if !self.scim_rates.admit(request.method(), now) => {
                throttled::scim(now, &self.cloud.next_request_id())
            }
            Service::Scim => match &mut self.generic_scim {
                Some(directory) => directory.handle(now, request),
                None => scim::handle(&mut self.cloud, now, request),
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
            Service::Scim => throttled::scim(now, &self.cloud.next_request_id()),
        }
    }

    fn refuse(
        &mut self,
        service: Service,
        status: u16,
        retry_after: Option<u32>,
    ) -> Response<Bytes> {
        let now = self.now();
        let id = self.cloud.next_request_id();
        let mut response = match service {
            Service::Scim => throttled::scim_as(status, "Internal failure", now, &id),
            Service::Okta | Service::Aws => page(status, "{}".to_owned()),
        };
        if let Some(seconds) = retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// Points the link to the next page somewhere else, if there is one and somebody request_info for it.
    fn foreign_next_link(
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
            let lured = if is_next(&link) {
                elsewhere(&link, &origin)
            } else {
                None
            };
            response
                .headers_mut()
                .append(header::LINK, lured.unwrap_or(link));
        }
    }

    fn record(
        &mut self,
        request_info: &RequestInfo<'_>,
        request: &Request<Bytes>,
        answer: &Delivery,
    ) {
        let write = match request_info.service {
            Service::Aws => aws::is_write(request),
            Service::Okta | Service::Scim => method_writes(request.method()),
        };
        let status = match answer {
            Delivery::Send(response) | Delivery::Half(response) => Some(response.status().as_u16()),
            Delivery::HangUp | Delivery::Stall => None,
        };
        tracing::debug!(service = ?request_info.service, method = %request_info.method, path = request_info.path, status, "answered");
        self.log.push(Recorded {
            service: request_info.service,
            method: request.method().to_string(),
            path: request_info.path.to_owned(),
            query: request.uri().query().map(str::to_owned),
            target: request_info.operation.map(str::to_owned),
            write,
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

    /// Everything that can be seen at both vendors, for comparison before and after.
    pub(crate) fn snapshot(&self) -> Value {
        json!({ "okta": self.org.snapshot(), "aws": self.aws_snapshot() })
    }
}

/// A page that no API wrote.
fn page(status: u16, body: String) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// The same link at another origin.
fn elsewhere(link: &HeaderValue, origin: &str) -> Option<HeaderValue> {
    let (address, rest) = link.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
    let address = Url::parse(address).ok()?;
    let query = address
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    HeaderValue::from_str(&format!("<{origin}{}{query}>{rest}", address.path())).ok()
}
