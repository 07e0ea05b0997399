//! Who signed a request.

use axum::body::Bytes;
use axum::http::Request;
use jiff::Timestamp;

use super::cloud::Cloud;
use super::ids::{digest, hex_of};
use super::seed::AccessKey;
use super::sign_in::RoleSession;
use super::sigv4::{Claim, Unsigned};

/// The identity behind the signature of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account the identity belongs to.
    pub(crate) account: String,
    /// The ARN of the user or of the session of a role.
    pub(crate) arn: String,
    /// The unique id of the user, or of the role and the name of its session.
    pub(crate) user_id: String,
    /// Whether the policies of the identity allow everything; otherwise they allow nothing here.
    pub(crate) administers: bool,
    /// The Region whose endpoint the request is meant for.
    pub(crate) region: String,
}

/// Why nobody is behind a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The signature is missing or wrong.
    Unsigned(Unsigned),
    /// There is no such access key, or the session token is another one.
    Key,
    /// The session has ended.
    Expired,
}

impl Caller {
    /// The identity that signed a request to a service.
    ///
    /// # Errors
    ///
    /// [`Unknown`] if the request is not signed for this service with a key that is known and valid.
    pub(crate) fn of(
        cloud: &Cloud,
        request: &Request<Bytes>,
        service: &str,
        now: Timestamp,
    ) -> Result<Self, Unknown> {
        let claim = Claim::read(request, service).map_err(Unknown::Unsigned)?;
        let (secret, caller) = if let Some(key) = cloud.keys.iter().find(|key| key.id == claim.key)
        {
            if claim.session_token.is_some() {
                return Err(Unknown::Key);
            }
            (key.secret.as_str(), Self::of_user(key, claim.region))
        } else {
            let session = cloud
                .center
                .as_ref()
                .and_then(|center| center.sign_in.role_session(claim.key))
                .filter(|session| claim.session_token == Some(session.token.as_str()))
                .ok_or(Unknown::Key)?;
            if session.expires <= now {
                return Err(Unknown::Expired);
            }
            (
                session.secret.as_str(),
                Self::of_role(session, claim.region),
            )
        };
        claim.verify(request, secret).map_err(Unknown::Unsigned)?;
        Ok(caller)
    }

    /// The administrator that an access key of the seed belongs to.
    fn of_user(key: &AccessKey, region: &str) -> Self {
        let digits = hex_of(&digest(&key.id));
        Self {
            account: key.account.clone(),
            arn: format!("arn:aws:iam::{}:user/{}", key.account, key.user),
            user_id: format!("AIDA{}", digits[..17].to_uppercase()),
            administers: true,
            region: region.to_owned(),
        }
    }

    /// The user of a role.
    fn of_role(session: &RoleSession, region: &str) -> Self {
        let (account, role, user) = (&session.account, &session.role, &session.user_name);
        Self {
            account: account.clone(),
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{user}"),
            user_id: format!("{}:{user}", session.role_id),
            administers: session.administers,
            region: region.to_owned(),
        }
    }
}
