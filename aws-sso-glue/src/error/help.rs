//! What a person can do, by what AWS said.

use super::{Error, Kind, is_about_credentials};

/// The words of the SDK for "the session of `aws sso login` is over" are several; all say this.
const SIGN_IN_AGAIN: &str = "sign in again (`aws sso login --profile …`), or set new credentials";

pub(super) fn help(error: &Error) -> Option<String> {
    match &error.0.kind {
        Kind::Unconfigured { help, .. } => Some((*help).to_owned()),
        Kind::Unsent(source) if is_about_credentials(source.as_ref()) => Some(format!(
            "no usable AWS credentials were found: name a profile (AWS_PROFILE) and {SIGN_IN_AGAIN}"
        )),
        Kind::Unsent(_) => None,
        Kind::Unreached(_) => Some(
            "check the network, HTTPS_PROXY, the region's name and the endpoint override; what the \
             call would change may have been changed"
                .to_owned(),
        ),
        Kind::Unreadable { .. } => Some(
            "something between here and AWS may have answered instead of it: look at proxies and the \
             endpoint override"
                .to_owned(),
        ),
        Kind::Refused(_) => refused(error),
    }
}

fn refused(error: &Error) -> Option<String> {
    if error.is_about_a_key() {
        return Some(
            "IAM Identity Center is encrypted with a customer-managed KMS key: it must be enabled, and \
             the caller needs kms:Decrypt on it"
                .to_owned(),
        );
    }
    if error.is_throttled() {
        return Some(throttled(error).to_owned());
    }
    if error.is_access_denied() {
        return Some(access_denied(error));
    }
    let text = match error.code()? {
        "ExpiredToken" | "ExpiredTokenException" => {
            return Some(format!("the credentials have expired: {SIGN_IN_AGAIN}"));
        }
        "UnauthorizedException" => {
            return Some(format!(
                "the access portal session is over: {SIGN_IN_AGAIN}"
            ));
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" => {
            "AWS does not know the access key: it is mistyped, deleted, of another partition, or came \
             without its session token"
        }
        "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException" => {
            "the secret access key does not belong to the access key id, or this machine's clock is \
             wrong"
        }
        "RequestExpired" => "this machine's clock is more than five minutes off",
        "MissingAuthenticationToken" | "MissingAuthenticationTokenException" => {
            "the request arrived without a signature: look for a proxy that removes headers"
        }
        "AWSOrganizationsNotInUseException" => {
            "this account is in no organization: use the management account's credentials, or create \
             an organization with all features"
        }
        "UnsupportedAPIEndpointException" => {
            "the region's Organizations endpoint cannot do this: use the partition's home region"
        }
        "ConstraintViolationException" => {
            "a rule of the organization is in the way; AWS's message names it"
        }
        "ServiceQuotaExceededException" => {
            "a quota of IAM Identity Center is used up: remove something, or ask for more in Service \
             Quotas"
        }
        "ConcurrentModificationException" => "somebody else is changing this too: try again",
        "ConflictException" => conflict(error),
        "ResourceNotFoundException" => {
            "it does not exist (any more), or it is in another region: IAM Identity Center answers in \
             its primary region only"
        }
        "AccountNotFoundException" => "the organization has no such account",
        "InvalidGrantException" | "InvalidClientException" => {
            "the sign-in is too old, or was finished already: start it again"
        }
        "InvalidRequestException" if error.operation() == "StartDeviceAuthorization" => {
            "check the access portal's start URL, and that the region is the primary region of IAM \
             Identity Center"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// The second message is that of the limit on outstanding asynchronous calls, 15 for
/// `CreateAccountAssignment` (IAM Identity Center User Guide, "Quotas").
fn throttled(error: &Error) -> &'static str {
    if error
        .message()
        .is_some_and(|message| message.contains("too many requests processing"))
    {
        "too many account assignments are still being carried out: wait for them before starting more"
    } else {
        "AWS allows 20 IAM Identity Center calls a second to everybody together: stop other tools, or \
         try again later"
    }
}

fn access_denied(error: &Error) -> String {
    match error.0.service.iam_prefix() {
        Some(prefix) => format!(
            "allow `{prefix}:{}` to the caller; if it is allowed, a service control policy, or the \
             network rules of the Identity Center instance, refuse it",
            error.operation()
        ),
        None => "the account and role are not assigned to the person who signed in".to_owned(),
    }
}

fn conflict(error: &Error) -> &'static str {
    match error.operation() {
        "DeletePermissionSet" => {
            "the permission set is still assigned somewhere: remove its assignments, wait until they \
             are gone, then delete it"
        }
        "CreatePermissionSet" => {
            "a permission set of that name exists, and could not be found by it"
        }
        _ => "another change of the same thing is still being carried out: try again in a minute",
    }
}
