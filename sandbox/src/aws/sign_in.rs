//! Sign-in: pending device authorizations, user sessions and role credentials.

use jiff::{SignedDuration, Timestamp};

use super::center::{Center, Role};
use super::cloud::Cloud;
use super::identity_source::not_enabled;
use super::ids::Ids;

/// Pending sign-ins, sessions and credentials.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    /// The registered OIDC clients.
    pub(crate) clients: Vec<Client>,
    /// The device authorizations.
    pub(crate) devices: Vec<Device>,
    /// The sessions of users.
    pub(crate) sessions: Vec<Session>,
    role_sessions: Vec<RoleSession>,
}

/// An OIDC client: a program that signs users in.
#[derive(Debug)]
pub(crate) struct Client {
    /// The client's id.
    pub(crate) id: String,
    /// The client's secret.
    pub(crate) secret: String,
    /// The end of the registration.
    pub(crate) expires: Timestamp,
}

/// A device authorization, which waits for a user's approval.
#[derive(Debug)]
pub(crate) struct Device {
    /// The id of the client that started the authorization.
    pub(crate) client: String,
    /// The code with which the client requests the token.
    pub(crate) secret_code: String,
    /// The code that the user enters.
    pub(crate) user_code: String,
    /// The expiry time of both codes.
    pub(crate) expires: Timestamp,
    /// The time of the last token request.
    pub(crate) last_token_request: Option<Timestamp>,
    /// The id of the user who approved the device; `None` before the approval.
    pub(crate) user: Option<String>,
    /// Whether the client has already received its token.
    pub(crate) redeemed: bool,
}

/// A user's session in the access portal.
#[derive(Debug)]
pub(crate) struct Session {
    /// The access token.
    pub(crate) token: String,
    /// The id of the user.
    pub(crate) user: String,
    /// The expiry time.
    pub(crate) expires: Timestamp,
}

/// Temporary credentials of a role.
#[derive(Debug)]
pub(crate) struct RoleSession {
    /// The id of the access key.
    pub(crate) key: String,
    /// The secret access key.
    pub(crate) secret: String,
    /// The session token.
    pub(crate) token: String,
    /// The account of the role.
    pub(crate) account: String,
    /// The name of the role.
    pub(crate) role: String,
    /// The unique id of the role.
    pub(crate) role_id: String,
    /// The name of the user who assumed the role.
    pub(crate) user_name: String,
    /// Whether the role's policies allow every operation.
    pub(crate) administers: bool,
    /// The expiry time.
    pub(crate) expires: Timestamp,
}

/// The values of a SAML response that Identity Center checks.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    /// The issuer.
    pub(crate) issuer: String,
    /// The audience.
    pub(crate) audience: String,
    /// The recipient: the URL to which the response was sent.
    pub(crate) recipient: String,
    /// The name of the user.
    pub(crate) name_id: String,
    /// The certificate of the signing key, in DER format.
    pub(crate) certificate_der: Vec<u8>,
}

impl SignIn {
    /// Returns the role session with this access key.
    pub(crate) fn role_session(&self, key: &str) -> Option<&RoleSession> {
        self.role_sessions.iter().find(|session| session.key == key)
    }

    /// Creates role credentials for a user.
    pub(crate) fn assume(
        &mut self,
        ids: &mut Ids,
        role: &Role,
        user_name: &str,
        now: Timestamp,
    ) -> &RoleSession {
        let name = format!("{}/{}", role.account, role.name);
        let duration = role
            .session_duration
            .parse::<SignedDuration>()
            .unwrap_or(SignedDuration::from_hours(1));
        self.role_sessions.push(RoleSession {
            key: format!("ASIA{}", ids.base32("role session", &name, 16)),
            secret: ids.secret("role secret", &name, 40),
            token: ids.secret("role token", &name, 400),
            account: role.account.clone(),
            role: role.name.clone(),
            role_id: format!(
                "AROA{}",
                &super::ids::hex_of(&super::ids::digest(&name))[..17].to_uppercase()
            ),
            user_name: user_name.to_owned(),
            administers: role.administers,
            expires: super::later(now, duration),
        });
        self.role_sessions
            .last()
            .expect("the role session was just added")
    }
}

impl Cloud {
    /// Approves a device authorization for the user of an assertion.
    ///
    /// # Errors
    ///
    /// Returns the message of the sign-in page, followed by the reason, which the real page does not show.
    pub(crate) fn approve_device(
        &mut self,
        user_code: &str,
        assertion: &Assertion,
        now: Timestamp,
    ) -> Result<(), String> {
        let center = self.center.as_mut().ok_or_else(not_enabled)?;
        let waiting = center.sign_in.devices.iter().any(|device| {
            device.user_code == user_code && device.expires > now && device.user.is_none()
        });
        if !waiting {
            return Err(
                "Invalid code: no device waits for this code, or it has expired".to_owned(),
            );
        }
        let user = center
            .user_of(assertion)
            .map_err(|reason| opaque(&reason))?;
        for device in &mut center.sign_in.devices {
            if device.user_code == user_code {
                device.user = Some(user.clone());
            }
        }
        Ok(())
    }
}

impl Center {
    /// Returns the id of the user that an assertion signs in.
    fn user_of(&self, assertion: &Assertion) -> Result<String, String> {
        let Some(provider) = &self.identity_provider else {
            return Err("the identity source is not an external identity provider".to_owned());
        };
        if assertion.issuer != provider.entity_id {
            return Err(format!(
                "the assertion was issued by {}, the identity source is {}",
                assertion.issuer, provider.entity_id
            ));
        }
        if !provider.certificates.contains(&assertion.certificate_der) {
            return Err(
                "the assertion is signed with a certificate that is not in the identity source"
                    .to_owned(),
            );
        }
        if assertion.audience != self.issuer() {
            return Err(format!(
                "the audience of the assertion is {}, the issuer URL is {}",
                assertion.audience,
                self.issuer()
            ));
        }
        if !self.acs_urls().contains(&assertion.recipient) {
            return Err(format!(
                "the response was sent to {}, the ACS URL is {}",
                assertion.recipient,
                self.acs_urls()[0]
            ));
        }
        let user = self
            .directory
            .user_by("userName", &assertion.name_id)
            .filter(|user| user.user_name() == assertion.name_id)
            .ok_or_else(|| {
                format!(
                    "the user {} does not exist: sign-in does not create users",
                    assertion.name_id
                )
            })?;
        if !user.is_active() {
            return Err(format!("the user {} is disabled", assertion.name_id));
        }
        Ok(user.id.clone())
    }
}

/// Adds the reason to the message of the sign-in page.
///
/// The page shows the same message for every reason (re:Post, troubleshooting sign-in). The reason helps
/// the reader of a failed test.
fn opaque(reason: &str) -> String {
    format!(
        "It's not you, it's us: We couldn't complete your request right now. Please try again later. ({reason})"
    )
}
