//! The SCIM endpoint of IAM Identity Center.
//!
//! The endpoint deviates from RFC 7644: responses never contain the members of a group, `PUT` exists only
//! for users, and every invalid request gets the same error message. The sources are the "SCIM
//! implementation developer guide" of IAM Identity Center and reports from public clients.

mod filter;
pub(crate) mod generic;
mod groups;
mod list;
mod patch;
mod path;
mod reply;
mod schemas;
mod user;
mod users;

use axum::body::Bytes;
use axum::http::{Method, Request, Response};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::aws::Cloud;
use reply::{Answer, Refusal};

/// The schema URN of users.
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The schema URN of groups.
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The schema URN of the enterprise extension; a user's extension attributes are stored under it.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Handles one request; its path starts at the root of the listener.
pub(crate) fn handle(
    cloud: &mut Cloud,
    now: Timestamp,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    cloud.complete_due_operations(now);
    let id = cloud.next_request_id();
    let outcome =
        authenticate(cloud, now, request).and_then(|route| call(cloud, now, request, &route));
    reply::response(&id, now, outcome)
}

/// The parts of a path after `/{tenant}/scim/v2/`.
type Route<'r> = Vec<&'r str>;

/// Authenticates a request and splits its path.
///
/// A wrong token and a wrong tenant get the same error (user guide).
fn authenticate<'r>(
    cloud: &Cloud,
    now: Timestamp,
    request: &'r Request<Bytes>,
) -> Result<Route<'r>, Refusal> {
    let mut parts = request.uri().path().split('/').skip(1);
    let tenant = parts.next().unwrap_or_default();
    if (parts.next(), parts.next()) != (Some("scim"), Some("v2")) {
        return Err(Refusal::not_found());
    }
    let header = request.headers().get("authorization");
    let token = header
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "));
    match token {
        Some(token) if cloud.accepts_scim_token(tenant, token, now) => Ok(parts.collect()),
        _ => Err(Refusal::new(401, "Unauthorized")),
    }
}

fn call(
    cloud: &mut Cloud,
    now: Timestamp,
    request: &Request<Bytes>,
    route: &Route<'_>,
) -> Result<Answer, Refusal> {
    let method = request.method();
    match *route.as_slice() {
        ["ServiceProviderConfig"] if method == Method::GET => {
            Ok(Answer::Ok(schemas::service_provider_config()))
        }
        ["ResourceTypes"] if method == Method::GET => Ok(Answer::Ok(schemas::resource_types())),
        ["Schemas"] if method == Method::GET => Ok(Answer::Ok(schemas::all())),
        ["Schemas", id] if method == Method::GET => schemas::one(id)
            .map(Answer::Ok)
            .ok_or_else(Refusal::not_found),
        ["Users"] => match *method {
            Method::GET => users::list(cloud, request),
            Method::POST => users::create(cloud, now, &body(request)?),
            _ => Err(Refusal::invalid()),
        },
        ["Users", id] if !id.is_empty() => match *method {
            Method::GET => users::get(cloud, id),
            Method::PUT => users::replace(cloud, now, id, &body(request)?),
            Method::PATCH => users::patch(cloud, now, id, &body(request)?),
            Method::DELETE => users::delete(cloud, id),
            _ => Err(Refusal::invalid()),
        },
        ["Groups"] => match *method {
            Method::GET => groups::list(cloud, request),
            Method::POST => groups::create(cloud, now, &body(request)?),
            _ => Err(Refusal::invalid()),
        },
        ["Groups", id] if !id.is_empty() => match *method {
            Method::GET => groups::get(cloud, id),
            Method::PATCH => groups::patch(cloud, now, id, &body(request)?),
            Method::DELETE => groups::delete(cloud, id),
            // `PUT` is not supported for groups (developer guide, supported operations).
            _ => Err(Refusal::invalid()),
        },
        // "The operation is unsupported" is one of the reasons for 400 (developer guide, ValidationException).
        ["Me" | "Bulk" | ".search", ..] => Err(Refusal::invalid()),
        _ => Err(Refusal::not_found()),
    }
}

/// Reads the JSON object in the body of a request.
fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refusal> {
    let header = request.headers().get("content-type");
    let content_type = header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !["application/scim+json", "application/json"].contains(&essence) {
        return Err(Refusal::invalid());
    }
    serde_json::from_slice(request.body()).map_err(|_unreadable| Refusal::invalid())
}

#[cfg(test)]
mod tests;
