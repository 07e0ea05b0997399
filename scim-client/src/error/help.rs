//! What a person can do about an error, in words.

use http::StatusCode;
use scim_types::ScimType;

use super::{Error, Refusal};
use crate::Dialect;

pub(super) fn of(error: &Error) -> Option<&'static str> {
    match error {
        Error::Api(refusal) => of_refusal(refusal),
        Error::Transport {
            may_have_acted: true,
            ..
        }
        | Error::Body {
            may_have_acted: true,
            ..
        } => Some(LOOK_FIRST),
        Error::Transport { .. } => Some(
            "check that this machine reaches the host of the endpoint, that a proxy lets it through, \
             and that the Region in the endpoint is right",
        ),
        Error::Body { .. } => Some(
            "something other than a SCIM service may answer at this URL: compare it with the endpoint \
             the service shows",
        ),
        Error::ShortList { .. } | Error::List(_) => Some(
            "the list may have changed while it was read: read it again before anything is removed \
             because of it",
        ),
        Error::Ambiguous { .. } => {
            Some("give one of them another name, or delete the one that is not used")
        }
        Error::Refused(_) | Error::Request { .. } => None,
    }
}

fn of_refusal(refusal: &Refusal) -> Option<&'static str> {
    let aws = refusal.dialect == Dialect::AwsIdentityCenter;
    let cursor = [ScimType::InvalidCursor, ScimType::ExpiredCursor];
    match refusal.status {
        _ if refusal.may_have_acted => Some(LOOK_FIRST),
        StatusCode::UNAUTHORIZED if aws => Some(
            "the token is wrong, expired or was deleted, or the endpoint's tenant is another's: create \
             a new one in IAM Identity Center > Settings > Automatic provisioning",
        ),
        StatusCode::UNAUTHORIZED => {
            Some("the token is wrong, expired or was revoked: create a new one")
        }
        StatusCode::FORBIDDEN if aws => Some(
            "automatic provisioning may be off, or the instance may allow SCIM from some addresses \
             only: see IAM Identity Center > Settings",
        ),
        StatusCode::FORBIDDEN => Some("the token is good, and does not allow this"),
        StatusCode::NOT_FOUND => Some(
            "the resource was deleted, or the id is of another endpoint; if every request ends so, the \
             endpoint's URL is wrong",
        ),
        StatusCode::CONFLICT if aws => Some(
            "another user or group has this name, e-mail address or external id already, maybe under \
             another name: find it, and adopt or delete it",
        ),
        StatusCode::CONFLICT => Some(
            "another resource has the same name or external id: find it, and adopt or delete it",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Some("send less in one request"),
        StatusCode::BAD_REQUEST
            if refusal
                .scim_type()
                .is_some_and(|kind| cursor.contains(kind)) =>
        {
            Some("the cursor is too old: read the list from its start")
        }
        StatusCode::BAD_REQUEST if aws => Some(
            "AWS gives this one answer for every malformed request: a missing name, more than one \
             e-mail address, an empty text, a forbidden character, more than 100 members; CloudTrail \
             has more under identitystore-scim.amazonaws.com",
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            Some("others use the same limit: wait, or send fewer requests at once")
        }
        status if status.is_redirection() => Some(
            "the endpoint's URL leads to another address, to which the token is not sent: compare it \
             with the endpoint the service shows",
        ),
        status if status.is_server_error() => {
            Some("the service failed, not the request: try again later")
        }
        _ => None,
    }
}

const LOOK_FIRST: &str = "look whether it was done before it is sent again";
