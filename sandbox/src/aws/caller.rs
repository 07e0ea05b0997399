//! The identity that signed a request.

use axum::body::Bytes;
use axum::http::Request;
use jiff::Timestamp;

use super::cloud::Cloud;
use super::ids::{digest, hex_of};
use super::seed::AccessKey;
use super::sign_in::RoleSession;
use super::sigv4::{Authorization, SignatureError};

/// The identity behind the signature of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account the identity belongs to.
    pub(crate) account: String,
    /// The ARN of the user or of the role session.
    pub(crate) arn: String,
    /// The unique id of the user; for a role session, the unique id of the role and the session name.
    pub(crate) user_id: String,
    /// Whether the identity's policies allow every operation; otherwise the sandbox allows none.
    pub(crate) administers: bool,
    /// Whether the identity is the user of an access key. The policy that limits the caller applies to such a user.
    pub(crate) is_access_key_user: bool,
    /// The Region in the signature's scope.
    pub(crate) region: String,
}

/// Reason why a request has no valid caller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CallerError {
    /// The signature is missing or wrong.
    Signature(SignatureError),
    /// The access key does not exist, or its session token does not match.
    Key,
    /// The session has expired.
    Expired,
}

impl Caller {
    /// Returns the identity that signed a request to a service.
    ///
    /// # Errors
    ///
    /// Returns an error if the request is not signed for this service with an existing, valid key.
    pub(crate) fn of(
        cloud: &Cloud,
        request: &Request<Bytes>,
        service: &str,
        now: Timestamp,
    ) -> Result<Self, CallerError> {
        let authorization =
            Authorization::read(request, service).map_err(CallerError::Signature)?;
        let (secret, caller) =
            if let Some(key) = cloud.keys.iter().find(|key| key.id == authorization.key) {
                if authorization.session_token.is_some() {
                    return Err(CallerError::Key);
                }
                (
                    key.secret.as_str(),
                    Self::of_user(cloud, key, authorization.region),
                )
            } else {
                let session = cloud
                    .center
                    .as_ref()
                    .and_then(|center| center.sign_in.role_session(authorization.key))
                    .filter(|session| authorization.session_token == Some(session.token.as_str()))
                    .ok_or(CallerError::Key)?;
                if session.expires <= now {
                    return Err(CallerError::Expired);
                }
                (
                    session.secret.as_str(),
                    Self::of_role(cloud, session, authorization.region),
                )
            };
        authorization
            .verify(request, secret)
            .map_err(CallerError::Signature)?;
        Ok(caller)
    }

    /// Returns the administrator that owns an access key of the seed.
    fn of_user(cloud: &Cloud, key: &AccessKey, region: &str) -> Self {
        let partition = cloud.organization.partition.name();
        let digits = hex_of(&digest(&key.id));
        Self {
            account: key.account.clone(),
            arn: format!("arn:{partition}:iam::{}:user/{}", key.account, key.user),
            user_id: format!("AIDA{}", digits[..17].to_uppercase()),
            administers: true,
            is_access_key_user: true,
            region: region.to_owned(),
        }
    }

    /// Returns the caller behind a role session.
    fn of_role(cloud: &Cloud, session: &RoleSession, region: &str) -> Self {
        let partition = cloud.organization.partition.name();
        let (account, role, user) = (&session.account, &session.role, &session.user_name);
        Self {
            account: account.clone(),
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{user}"),
            user_id: format!("{}:{user}", session.role_id),
            administers: session.administers,
            is_access_key_user: false,
            region: region.to_owned(),
        }
    }
}
