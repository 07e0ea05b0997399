//! Who signed a request.

use axum::body::Bytes;
use axum::http::Request;
use jiff::Timestamp;

use super::cloud::Cloud;
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
    pub(crate) fn of(cloud: &Cloud, request: &Request<Bytes>, service: &str, now: Timestamp) -> Result<Self, Unknown> {
        let claim = Claim::read(request, service).map_err(Unknown::Unsigned)?;
        let (secret, caller) = match cloud.keys.iter().find(|key| key.id == claim.key) {
            Some(key) => {
                if claim.session_token.is_some() {
                    return Err(Unknown::Key);
                }
                let caller = Self {
                    account: key.account.clone(),
                    arn: format!("arn:aws:iam::{}:user/{}", key.account, key.user),
                    user_id: format!("AIDA{}", super::ids::hex_of(&super::ids::digest(&key.id))[..16].to_uppercase()),
                    administers: true,
                    region: claim.region.to_owned(),
                };
                (key.secret.as_str(), caller)
            }
            None => {
                let session = cloud
                    .center
                    .as_ref()
                    .and_then(|center| center.sign_in.role_session(claim.key))
                    .filter(|session| claim.session_token == Some(session.token.as_str()))
                    .ok_or(Unknown::Key)?;
                if session.expires <= now {
                    return Err(Unknown::Expired);
                }
                let caller = Self {
                    account: session.account.clone(),
                    arn: format!(
                        "arn:aws:sts::{}:assumed-role/{}/{}",
                        session.account, session.role, session.user_name
                    ),
                    user_id: format!("{}:{}", session.role_id, session.user_name),
                    administers: session.administers,
                    region: claim.region.to_owned(),
                };
                (session.secret.as_str(), caller)
            }
        };
        claim.verify(request, secret).map_err(Unknown::Unsigned)?;
        Ok(caller)
    }
}
