//! The Security Token Service: who signed a request.

use axum::body::Bytes;
use axum::http::Request;

use super::caller::{Caller, Unknown};
use super::reply::{Refusal, escape};
use super::sigv4::Unsigned;

/// The only version of the service.
const VERSION: &str = "2011-06-15";

/// The action that the form in the body names.
pub(super) fn action(request: &Request<Bytes>) -> Option<String> {
    field(request, "Action")
}

/// Runs an action; the answer is the inside of the result.
pub(super) fn call(
    caller: Result<Caller, Unknown>,
    request: &Request<Bytes>,
) -> Result<String, Refusal> {
    let caller = caller.map_err(|unknown| refusal(&unknown))?;
    let action = action(request).unwrap_or_default();
    let version = field(request, "Version").unwrap_or_default();
    if action != "GetCallerIdentity" || version != VERSION {
        return Err(Refusal::new(
            "InvalidAction",
            format!("Could not find operation {action} for version {version}"),
        ));
    }
    Ok(format!(
        "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
        escape(&caller.arn),
        escape(&caller.user_id),
        caller.account
    ))
}

fn refusal(unknown: &Unknown) -> Refusal {
    let (status, code, message) = match unknown {
        Unknown::Unsigned(Unsigned::Missing) => (
            403,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        Unknown::Unsigned(Unsigned::Incomplete(message)) => {
            (400, "IncompleteSignature", message.as_str())
        }
        Unknown::Unsigned(Unsigned::Scope(message)) => {
            (403, "SignatureDoesNotMatch", message.as_str())
        }
        Unknown::Unsigned(Unsigned::Mismatch) => (403, "SignatureDoesNotMatch", super::MISMATCH),
        Unknown::Key => (
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        Unknown::Expired => (
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ),
    };
    Refusal::new(code, message).with_status(status)
}

fn field(request: &Request<Bytes>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(request.body())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
