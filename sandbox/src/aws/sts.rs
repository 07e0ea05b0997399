//! The Security Token Service, limited to `GetCallerIdentity`.

use axum::body::Bytes;
use axum::http::Request;

use super::caller::{Caller, CallerError};
use super::reply::{Refusal, escape};
use super::sigv4::SignatureError;

/// The only version of the STS API.
const VERSION: &str = "2011-06-15";

/// Returns the `Action` parameter of the request, whose body is a URL-encoded form.
pub(super) fn action(request: &Request<Bytes>) -> Option<String> {
    field(request, "Action")
}

/// Runs the action of a request. Returns the XML inside the `GetCallerIdentityResult` element.
pub(super) fn call(
    caller: Result<Caller, CallerError>,
    request: &Request<Bytes>,
) -> Result<String, Refusal> {
    let caller = caller.map_err(|error| refusal(&error))?;
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

fn refusal(error: &CallerError) -> Refusal {
    let (status, code, message) = match error {
        CallerError::Signature(SignatureError::Missing) => (
            403,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        CallerError::Signature(SignatureError::Incomplete(message)) => {
            (400, "IncompleteSignature", message.as_str())
        }
        CallerError::Signature(SignatureError::Scope(message)) => {
            (403, "SignatureDoesNotMatch", message.as_str())
        }
        CallerError::Signature(SignatureError::Mismatch) => {
            (403, "SignatureDoesNotMatch", super::MISMATCH)
        }
        CallerError::Key => (
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        CallerError::Expired => (
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
