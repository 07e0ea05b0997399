//! Advice for the operator, by the kind of an error and by AWS's error code.

use rest_core::ListError;

use super::{Error, Kind, is_credentials_error};
use crate::service::Service;

/// The SDK has several errors for an expired session of `aws sso login`. This advice fits all of
/// these errors.
const SIGN_IN_AGAIN: &str = "sign in again (`aws sso login --profile …`), or set new credentials";

const NOT_AWS: &str = "the response may come from a proxy instead of AWS: check the proxies and the endpoint override";

pub(super) fn for_error(error: &Error) -> Option<String> {
    match &error.0.kind {
        Kind::Configuration { help, .. } => Some((*help).to_owned()),
        Kind::NotSent(source) if is_credentials_error(source.as_ref()) => Some(format!(
            "no usable AWS credentials were found: name a profile (AWS_PROFILE) and {SIGN_IN_AGAIN}"
        )),
        Kind::NotSent(_) => None,
        Kind::NoResponse(_) => Some(
            "check the network, HTTPS_PROXY, the name of the region and the endpoint override; AWS may \
             have carried out the call"
                .to_owned(),
        ),
        Kind::Unreachable(_) => Some(
            "check the network, HTTPS_PROXY, the name of the region and the endpoint override, then run \
             again"
                .to_owned(),
        ),
        Kind::InvalidResponse { .. } if error.0.service == Service::SecretsManager => Some(format!(
            "store the value as a text, and not as binary data; if it is a text, {NOT_AWS}"
        )),
        Kind::InvalidResponse { .. } => Some(NOT_AWS.to_owned()),
        Kind::List(ListError::Item(_)) => Some(
            "AWS sent an item that this version cannot read: report it with its raw text; the other \
             items can be read"
                .to_owned(),
        ),
        Kind::List(_) => Some(
            "AWS's pages do not end: try again later, and report it if it persists".to_owned(),
        ),
        Kind::Refused(_) => for_refusal(error),
    }
}

fn for_refusal(error: &Error) -> Option<String> {
    if error.is_kms_error() {
        return Some(
            "IAM Identity Center is encrypted with a customer-managed KMS key: enable the key, and allow \
             kms:Decrypt on it to the caller"
                .to_owned(),
        );
    }
    if error.is_throttled() {
        return Some(for_throttling(error).to_owned());
    }
    if error.code().is_some() && error.is_permission_denied() {
        return Some(for_access_denied(error));
    }
    if error.0.service == Service::SecretsManager
        && let Some(text) = for_secret(error)
    {
        return Some(text.to_owned());
    }
    let Some(code) = error.code() else {
        return Some(NOT_AWS.to_owned());
    };
    let text = match code {
        "ExpiredToken" | "ExpiredTokenException" => {
            return Some(format!("the credentials have expired: {SIGN_IN_AGAIN}"));
        }
        "UnauthorizedException" => {
            return Some(format!(
                "the access portal session has ended: {SIGN_IN_AGAIN}"
            ));
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" => {
            "AWS does not know the access key: it may be mistyped, deleted, from another partition, or \
             sent without its session token"
        }
        "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException" => {
            "the secret access key does not belong to the access key id, or this machine's clock is \
             wrong"
        }
        "RequestExpired" => "this machine's clock is wrong by more than five minutes",
        "MissingAuthenticationToken" | "MissingAuthenticationTokenException" => {
            "the request arrived without a signature: check whether a proxy removes headers"
        }
        "AWSOrganizationsNotInUseException" => {
            "this account is in no organization: use the management account's credentials, or create \
             an organization with all features"
        }
        "UnsupportedAPIEndpointException" => {
            "the Organizations endpoint of this region does not support the call: use the home region \
             of the partition"
        }
        "ConstraintViolationException" => {
            "the call violates a rule of the organization; AWS's message names the rule"
        }
        "ServiceQuotaExceededException" => {
            "a quota of IAM Identity Center is used up: delete unused resources, or request a higher \
             quota in Service Quotas"
        }
        "ConcurrentModificationException" => {
            "another caller is changing the same resource: try again"
        }
        "ConflictException" => for_conflict(error),
        "ResourceNotFoundException" => {
            "the resource does not exist or was deleted, or it is in another region: IAM Identity \
             Center answers in its primary region only"
        }
        "AccountNotFoundException" => "the organization has no such account",
        "InvalidGrantException" | "InvalidClientException" => {
            "the sign-in is too old or already finished: start it again"
        }
        "InvalidRequestException" if error.0.operation == "StartDeviceAuthorization" => {
            "check the start URL of the access portal, and that the region is the primary region of \
             IAM Identity Center"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// Returns the advice for a throttled call.
///
/// The message "too many requests processing" means that the limit on outstanding asynchronous
/// calls is reached: 15 for `CreateAccountAssignment` (IAM Identity Center User Guide, "Quotas").
fn for_throttling(error: &Error) -> &'static str {
    if error
        .message()
        .is_some_and(|message| message.contains("too many requests processing"))
    {
        "too many account assignments are in progress: wait until some are done before starting more"
    } else {
        "AWS allows 20 IAM Identity Center calls per second for all callers together: stop other \
         tools, or try again later"
    }
}

/// Returns the advice for a secret that cannot be read.
///
/// The reasons are from the Secrets Manager API reference, `GetSecretValue`.
fn for_secret(error: &Error) -> Option<&'static str> {
    Some(match error.code()? {
        "ResourceNotFoundException" => {
            "the Region has no secret with this ARN, or no current value in it: copy the whole ARN from Secrets Manager, and \
             store a value"
        }
        "DecryptionFailure" => {
            "the key of the secret cannot be used: enable it, and allow `kms:Decrypt` on it to the caller"
        }
        "InvalidRequestException" => {
            "the secret may be marked for deletion: restore it, or pass another one"
        }
        _ => return None,
    })
}

fn for_access_denied(error: &Error) -> String {
    if error.0.service == Service::SecretsManager {
        return "allow `secretsmanager:GetSecretValue` on the secret to the caller, and `kms:Decrypt` on its key if the key is \
                customer-managed; if they are already allowed, check the policies of the secret and of the organization"
            .to_owned();
    }
    match error.0.service.iam_prefix() {
        Some(prefix) => format!(
            "allow `{prefix}:{}` to the caller; if it is already allowed, check the service control \
             policies and the network rules of the Identity Center instance",
            error.0.operation
        ),
        None => "the user who signed in is not assigned to this account and role".to_owned(),
    }
}

fn for_conflict(error: &Error) -> &'static str {
    match error.0.operation {
        "DeletePermissionSet" => {
            "the permission set still has assignments: delete them, wait until AWS has removed them, \
             then delete the permission set"
        }
        "CreatePermissionSet" => {
            "AWS reports that a permission set with this name exists, but the list of permission sets \
             does not contain it"
        }
        _ => "AWS is still carrying out another change of the same resource: try again in a minute",
    }
}
