//! An AWS organization with IAM Identity Center, as far as the public APIs show it.
//!
//! One address serves every service: the JSON services are told apart by `X-Amz-Target`, the
//! Security Token Service by the form in the body, sign-in and the access portal by the path.
//! Requests are as strictly checked as AWS does it: the signature, the Region and service in its
//! scope, and every member against the constraints of the service model.
//!
//! Field names, limits and patterns are those of botocore 1.44. Where a refusal's words are known
//! from public reports they are used; otherwise the words are the sandbox's own.

mod caller;
mod center;
mod cloud;
mod directory;
#[cfg(test)]
mod harness;
mod identity_source;
mod identity_store;
mod ids;
mod oidc;
mod organizations;
mod page;
mod params;
mod portal;
mod reply;
mod rules;
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
pub(crate) use directory::{Draft, Group, Taken, User};
pub(crate) use page::{BadToken, Page, Pages};
pub(crate) use params::Ask;
pub(crate) use seed::{AccessKey, AccountSeed, BaseUrls, Seed};
pub(crate) use sign_in::Assertion;
pub(crate) use snapshot::{AssignmentView, GroupView, PermissionSetView, UserView};

#[cfg(test)]
pub(crate) use harness::Harness;

use caller::{Caller, Unknown};
use params::Params;
use reply::Refusal;
use sigv4::Unsigned;

/// What every service says to a signature that is not the right one.
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
                        AWS Secret Access Key and signing method. Consult the service documentation for details.";

/// Answers one request to any of the services.
pub(crate) fn handle(
    cloud: &mut Cloud,
    now: Timestamp,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    cloud.settle(now);
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
            let caller = Caller::of(cloud, request, Service::Sts.signing_name(), now);
            reply::query(&id, "GetCallerIdentity", sts::call(caller, request))
        }
        Some(service) => reply::json11(&id, json_call(cloud, now, service, request)),
        None => reply::json11(&id, Err(Refusal::new("UnknownOperationException", ""))),
    }
}

/// The name of the service a request is for, as the AWS command line calls it.
pub(crate) fn service(request: &Request<Bytes>) -> Option<&'static str> {
    service_of(request).map(Service::name)
}

/// The name of the operation a request asks for.
pub(crate) fn operation(request: &Request<Bytes>) -> Option<String> {
    match service_of(request)? {
        Service::Oidc => oidc::operation(request).map(ToOwned::to_owned),
        Service::Portal => portal::operation(request).map(ToOwned::to_owned),
        Service::Sts => sts::action(request),
        _ => target(request).map(|(_, operation)| operation.to_owned()),
    }
}

/// Whether a request changes what an administrator has set up.
///
/// Signing in changes nothing in that sense, although it leaves sessions behind.
pub(crate) fn is_write(request: &Request<Bytes>) -> bool {
    let reads = ["List", "Describe", "Get", "IsMember"];
    match service_of(request) {
        None | Some(Service::Oidc | Service::Portal | Service::Sts) => false,
        Some(_) => target(request).is_some_and(|(_, operation)| {
            !reads.iter().any(|prefix| operation.starts_with(prefix))
        }),
    }
}

/// The moment `by` after another, or the last one there is.
fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    SsoAdmin,
    IdentityStore,
    Organizations,
    Sts,
    Oidc,
    Portal,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::SsoAdmin => "sso-admin",
            Self::IdentityStore => "identitystore",
            Self::Organizations => "organizations",
            Self::Sts => "sts",
            Self::Oidc => "sso-oidc",
            Self::Portal => "sso",
        }
    }

    fn signing_name(self) -> &'static str {
        match self {
            Self::SsoAdmin => "sso",
            other => other.name(),
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
    match target(request)?.0 {
        "SWBExternalService" => Some(Service::SsoAdmin),
        "AWSIdentityStore" => Some(Service::IdentityStore),
        "AWSOrganizationsV20161128" => Some(Service::Organizations),
        _ => None,
    }
}

/// The two halves of `X-Amz-Target`.
fn target(request: &Request<Bytes>) -> Option<(&str, &str)> {
    request
        .headers()
        .get("x-amz-target")?
        .to_str()
        .ok()?
        .split_once('.')
}

/// The content type without its parameters.
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
    service: Service,
    request: &Request<Bytes>,
) -> Result<Value, Refusal> {
    let (_, operation) = target(request).unwrap_or_default();
    if content_type(request) != "application/x-amz-json-1.1" {
        return Err(Refusal::new("UnknownOperationException", ""));
    }
    let caller = Caller::of(cloud, request, service.signing_name(), now)
        .map_err(|unknown| unsigned(&unknown))?;
    let body: Map<String, Value> = match request.body().as_ref() {
        b"" => Map::new(),
        body => serde_json::from_slice(body)
            .map_err(|error| Refusal::new("SerializationException", error.to_string()))?,
    };
    let params = Params::new(&body);
    match service {
        Service::SsoAdmin => sso_admin::call(cloud, &caller, now, operation, &params),
        Service::IdentityStore => identity_store::call(cloud, &caller, now, operation, &params),
        _ => organizations::call(cloud, &caller, now, operation, &params),
    }
}

/// What the JSON services say to a request that nobody they know has signed.
fn unsigned(unknown: &Unknown) -> Refusal {
    match unknown {
        Unknown::Unsigned(Unsigned::Missing) => Refusal::new(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        Unknown::Unsigned(Unsigned::Incomplete(message)) => {
            Refusal::new("IncompleteSignatureException", message)
        }
        Unknown::Unsigned(Unsigned::Scope(message)) => {
            Refusal::new("InvalidSignatureException", message)
        }
        Unknown::Unsigned(Unsigned::Mismatch) => {
            Refusal::new("InvalidSignatureException", MISMATCH)
        }
        Unknown::Key => Refusal::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        Unknown::Expired => Refusal::new(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
    }
}

#[cfg(test)]
mod tests;
