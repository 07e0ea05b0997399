//! An AWS organization with IAM Identity Center, limited to what the public APIs show.
//!
//! One address serves every service. `X-Amz-Target` selects a JSON service, a form in the body selects the
//! Security Token Service, and the path selects sign-in or the access portal. The sandbox checks requests
//! as strictly as AWS does: the signature, the Region and service in its scope, and every member against
//! the constraints of the service model.
//!
//! Field names, limits and patterns come from botocore 1.44. Error messages come from public reports where
//! such a report exists; the sandbox invents the other messages.

mod authorization;
mod call;
mod caller;
mod center;
mod cloud;
mod directory;
mod estate;
#[cfg(test)]
mod harness;
mod identity_source;
mod identity_store;
mod ids;
mod managed_policies;
mod oidc;
mod organizations;
mod page;
mod params;
mod partition;
mod portal;
mod reply;
mod rules;
pub(crate) mod scim;
mod seed;
mod sign_in;
mod sigv4;
mod snapshot;
mod sso_admin;
mod sts;

use axum::body::Bytes;
use axum::http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

pub(crate) use cloud::Cloud;
pub(crate) use directory::Directory;
pub(crate) use identity_source::SCIM_TOKEN_MARK;
pub(crate) use seed::{AccessKey, AccountSeed, BaseUrls, InstanceOptions, Seed};
pub(crate) use sign_in::Assertion;
pub(crate) use snapshot::{AssignmentView, GroupView, OperationView, PermissionSetView, UserView};

#[cfg(test)]
pub(crate) use harness::Harness;

use call::{Call, JsonService};
use caller::{Caller, CallerError};
use params::Params;
use reply::Refusal;
use sigv4::SignatureError;

/// The message of every service for a wrong signature.
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
                        AWS Secret Access Key and signing method. Consult the service documentation for details.";

/// Handles one request to any of the services.
pub(crate) fn handle(
    cloud: &mut Cloud,
    now: Timestamp,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    cloud.complete_due_operations(now);
    let id = cloud.next_request_id();
    match service_of(request) {
        Some(Service::Oidc) => {
            let operation = oidc::operation(request).unwrap_or_default();
            reply::rest(&id, oidc::call(cloud, now, operation, request))
        }
        Some(Service::Portal) => {
            let operation = portal::operation(request).unwrap_or_default();
            reply::rest(&id, portal::call(cloud, now, operation, request))
        }
        Some(Service::Sts) => {
            let caller = Caller::of(cloud, request, "sts", now);
            reply::query(&id, "GetCallerIdentity", sts::call(caller, request))
        }
        Some(Service::Json(service)) => reply::json11(&id, json_call(cloud, now, service, request)),
        None => reply::json11(&id, Err(Refusal::new("UnknownOperationException", ""))),
    }
}

/// Returns the name of the service that a request is for, as the AWS CLI spells it.
pub(crate) fn service(request: &Request<Bytes>) -> Option<&'static str> {
    service_of(request).map(Service::name)
}

/// Returns the name of the operation that a request calls.
pub(crate) fn operation(request: &Request<Bytes>) -> Option<String> {
    match service_of(request)? {
        Service::Oidc => oidc::operation(request).map(ToOwned::to_owned),
        Service::Portal => portal::operation(request).map(ToOwned::to_owned),
        Service::Sts => sts::action(request),
        Service::Json(_) => target(request).map(|(_, operation)| operation.to_owned()),
    }
}

/// Returns whether a request changes the configuration that an administrator has made.
///
/// Signing in is not a write in that sense, although it creates sessions. An operation that the sandbox does not have
/// is not a write.
pub(crate) fn is_write(request: &Request<Bytes>) -> bool {
    match service_of(request) {
        None | Some(Service::Oidc | Service::Portal | Service::Sts) => false,
        Some(Service::Json(service)) => target(request)
            .and_then(|(_, operation)| service.operation(operation))
            .is_some_and(|operation| !operation.reads()),
    }
}

/// Returns `time` plus `by`, or the latest possible timestamp if the sum overflows.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The services with the JSON protocol.
static JSON_SERVICES: [&JsonService; 3] = [
    &sso_admin::SERVICE,
    &identity_store::SERVICE,
    &organizations::SERVICE,
];

#[derive(Clone, Copy, Debug)]
enum Service {
    Json(&'static JsonService),
    Sts,
    Oidc,
    Portal,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Json(service) => service.name,
            Self::Sts => "sts",
            Self::Oidc => "sso-oidc",
            Self::Portal => "sso",
        }
    }
}

fn service_of(request: &Request<Bytes>) -> Option<Service> {
    if oidc::operation(request).is_some() {
        return Some(Service::Oidc);
    }
    if portal::operation(request).is_some() {
        return Some(Service::Portal);
    }
    if request.uri().path() != "/" || request.method() != "POST" {
        return None;
    }
    if content_type(request) == "application/x-www-form-urlencoded" {
        return Some(Service::Sts);
    }
    let (prefix, _) = target(request)?;
    let mut services = JSON_SERVICES.iter();
    let service = services.find(|service| service.target == prefix)?;
    Some(Service::Json(service))
}

/// Returns the two halves of `X-Amz-Target`: the prefix of the service and the operation.
fn target(request: &Request<Bytes>) -> Option<(&str, &str)> {
    request
        .headers()
        .get("x-amz-target")?
        .to_str()
        .ok()?
        .split_once('.')
}

/// Returns the content type without its parameters.
fn content_type(request: &Request<Bytes>) -> &str {
    let value = request.headers().get("content-type");
    let text = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim()
}

fn json_call(
    cloud: &mut Cloud,
    now: Timestamp,
    service: &'static JsonService,
    request: &Request<Bytes>,
) -> Result<Value, Refusal> {
    let (_, operation) = target(request).unwrap_or_default();
    if content_type(request) != "application/x-amz-json-1.1" {
        return Err(Refusal::new("UnknownOperationException", ""));
    }
    let caller = Caller::of(cloud, request, service.signing_name, now)
        .map_err(|error| caller_error(&error))?;
    let body: Map<String, Value> = match request.body().as_ref() {
        b"" => Map::new(),
        body => serde_json::from_slice(body)
            .map_err(|error| Refusal::new("SerializationException", error.to_string()))?,
    };
    let operation = service
        .operation(operation)
        .ok_or_else(|| Refusal::new("UnknownOperationException", ""))?;
    Call {
        service,
        cloud,
        caller: &caller,
        now,
        operation,
        params: &Params::new(&body),
    }
    .run()
}

/// Returns the error of the JSON services for a request without a valid caller.
fn caller_error(error: &CallerError) -> Refusal {
    match error {
        CallerError::Signature(SignatureError::Missing) => Refusal::new(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        CallerError::Signature(SignatureError::Incomplete(message)) => {
            Refusal::new("IncompleteSignatureException", message)
        }
        CallerError::Signature(SignatureError::Scope(message)) => {
            Refusal::new("InvalidSignatureException", message)
        }
        CallerError::Signature(SignatureError::Mismatch) => {
            Refusal::new("InvalidSignatureException", MISMATCH)
        }
        CallerError::Key => Refusal::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        CallerError::Expired => Refusal::new(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
    }
}

#[cfg(test)]
mod tests;
