//! Okta's SCIM client.

use std::fmt;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use crate::{
    aws::{self, Cloud},
    record::{RecordedRequest, Service, method_writes},
};

/// One connection to a SCIM endpoint at the time `now`.
pub(super) struct Scim<'a> {
    pub(super) cloud: &'a mut Cloud,
    pub(super) authority: &'a str,
    pub(super) sent: &'a mut Vec<RecordedRequest>,
    pub(super) base_url: &'a str,
    pub(super) token: &'a str,
    pub(super) now: Timestamp,
}

/// The reason why a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The base URL is not served by any listener.
    Unreachable,
    /// The endpoint answered with an error status and this detail text.
    Refused { status: StatusCode, detail: String },
}

impl Failure {
    /// Returns the error text in the format of Okta's task list, for the failed `operation`.
    pub(super) fn task_error(&self, operation: &str) -> String {
        format!("Error while {operation}: {self}")
    }
}

/// Shows the reason that the System Log has, such as `Bad Request. Errors reported by remote server: title is required`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("Connection refused"),
            Self::Refused { status, detail } => {
                f.write_str(status.canonical_reason().unwrap_or("Unknown"))?;
                if !detail.is_empty() {
                    write!(f, ". Errors reported by remote server: {detail}")?;
                }
                Ok(())
            }
        }
    }
}

impl Scim<'_> {
    pub(super) fn get(&mut self, target: &str) -> Result<Value, Failure> {
        self.send(&Method::GET, target, None)
    }

    pub(super) fn delete(&mut self, target: &str) -> Result<Value, Failure> {
        self.send(&Method::DELETE, target, None)
    }

    /// Returns the id of the resource whose attribute has this value, if one exists.
    pub(super) fn find(
        &mut self,
        kind: &str,
        attribute: &str,
        value: &str,
    ) -> Result<Option<String>, Failure> {
        let filter = format!("{attribute} eq {}", Value::from(value));
        // Okta encodes a space as `%20`, not as a plus sign.
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let filter = filter.replace('+', "%20");
        match self.get(&format!("/{kind}?filter={filter}&count=100")) {
            Ok(found) => Ok(found["Resources"][0]["id"].as_str().map(str::to_owned)),
            Err(Failure::Refused {
                status: StatusCode::NOT_FOUND,
                ..
            }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(super) fn send(
        &mut self,
        method: &Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let Ok(base) = Url::parse(self.base_url) else {
            return Err(Failure::Unreachable);
        };
        let port = base.port_or_known_default().unwrap_or_default();
        let authority = format!("{}:{port}", base.host_str().unwrap_or_default());
        if authority != self.authority {
            return Err(Failure::Unreachable);
        }
        let target = format!("{}{target}", base.path());
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(&target)
            .header(header::HOST, &authority)
            .header(header::USER_AGENT, "Okta SCIM Client 1.0.0")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::ACCEPT, "application/scim+json")
            .header(header::CONTENT_TYPE, "application/scim+json; charset=utf-8")
            .header(header::CONTENT_LENGTH, body.len())
            .body(Bytes::from(body));
        let Ok(request) = request else {
            return Err(Failure::Unreachable);
        };
        let response = aws::scim::handle(self.cloud, self.now, &request);
        self.record(&request, response.status());
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        match response.status() {
            status if status.is_success() => Ok(body),
            status => Err(Failure::Refused {
                status,
                detail: body["detail"].as_str().unwrap_or_default().to_owned(),
            }),
        }
    }

    fn record(&mut self, request: &Request<Bytes>, status: StatusCode) {
        self.sent.push(RecordedRequest {
            service: Service::Scim,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            target: None,
            write: method_writes(request.method()),
            status: Some(status.as_u16()),
        });
    }
}
