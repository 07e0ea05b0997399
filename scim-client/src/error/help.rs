//! Advice for the operator about each error.

use rest_core::ListError;
use scim_types::ScimType;

use super::{Error, ErrorResponse};
use crate::Dialect;

pub(super) fn for_error(error: &Error) -> Option<&'static str> {
    match error {
        Error::Api(response) => for_response(response),
        Error::Transport {
            may_have_acted: true,
            ..
        }
        | Error::Body {
            may_have_acted: true,
            ..
        } => Some(CHECK_FIRST),
        Error::Transport { .. } => Some(
            "check that this machine can reach the endpoint's host, that a proxy allows it, and that \
             the Region in the endpoint is right",
        ),
        Error::Unreachable { .. } => Some(
            "check that this machine can reach the endpoint's host, that a proxy allows it, and that \
             the Region in the endpoint is right, then run again",
        ),
        Error::Body { .. } => Some(
            "the server at this URL may not be a SCIM service: compare the URL with the endpoint that \
             the service shows",
        ),
        Error::List(ListError::Item(_)) => Some(
            "the server returned a resource that does not match its SCIM schema: correct the resource \
             at the server, and remove no resource because of this list",
        ),
        Error::ShortList { .. } | Error::List(_) => Some(
            "the list may have changed while it was read: read the list again before you remove \
             any resource that is missing from it",
        ),
        Error::Ambiguous { .. } => Some("rename one of the resources, or delete the unused one"),
        Error::Unsupported(_) | Error::Request { .. } => None,
    }
}

pub(super) fn for_response(response: &ErrorResponse) -> Option<&'static str> {
    let aws = response.dialect == Dialect::AwsIdentityCenter;
    let cursor = [ScimType::InvalidCursor, ScimType::ExpiredCursor];
    match response.status() {
        _ if response.may_have_acted => Some(CHECK_FIRST),
        401 if aws => Some(
            "the token is wrong, expired or deleted, or the endpoint belongs to another tenant: create \
             a new token in IAM Identity Center > Settings > Automatic provisioning",
        ),
        401 => Some("the token is wrong, expired or revoked: create a new token"),
        403 if aws => Some(
            "automatic provisioning may be disabled, or the instance may allow SCIM only from certain \
             addresses: see IAM Identity Center > Settings",
        ),
        403 => Some("the token is valid, but it does not allow this operation"),
        404 => Some(
            "the resource was deleted, or its id belongs to another endpoint; if every request fails \
             with 404, the endpoint's URL is wrong",
        ),
        409 if aws => Some(
            "another user or group already has this name, email address or external id: find that \
             resource, whose name may differ, and adopt or delete it",
        ),
        409 => Some(NAME_IS_TAKEN),
        400 if response.scim_type() == Some(&ScimType::Uniqueness) => Some(NAME_IS_TAKEN),
        412 => {
            Some("the resource was changed at the same time: read it again, then repeat the change")
        }
        413 => Some("send less data in one request"),
        400 if response
            .scim_type()
            .is_some_and(|kind| cursor.contains(kind)) =>
        {
            Some("the cursor is invalid or expired: read the list again from the start")
        }
        400 if aws => Some(
            "AWS gives the same response to every malformed request: a missing name, more than one \
             email address, an empty string, a forbidden character, more than 100 members; CloudTrail \
             has details under identitystore-scim.amazonaws.com",
        ),
        400 => Some(
            "the server does not accept the request: compare it with the schemas that the server lists",
        ),
        429 => {
            Some("other clients may use the same rate limit: wait, or send fewer requests at once")
        }
        300..=399 => Some(
            "the endpoint's URL redirects to another URL, and the token is not sent there: compare \
             the endpoint's URL with the endpoint that the service shows",
        ),
        501 => Some("the server does not support this operation"),
        500..=599 => Some("the service failed, not the request: try again later"),
        _ => None,
    }
}

const CHECK_FIRST: &str = "check whether the server processed the request before you send it again";
const NAME_IS_TAKEN: &str =
    "another resource has the same name or external id: find it, and adopt or delete it";
