//! Signing in: devices waiting for approval, sessions of users, and credentials of roles.

use jiff::{SignedDuration, Timestamp};

use super::center::{Center, Role};
use super::cloud::Cloud;
use super::identity_source::not_enabled;
use super::ids::Ids;

/// Everybody who is signed in or about to.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    /// The programs that registered.
    pub(crate) clients: Vec<Client>,
    /// The devices that wait for a user.
    pub(crate) devices: Vec<Device>,
    /// The sessions of users.
    pub(crate) sessions: Vec<Session>,
    role_sessions: Vec<RoleSession>,
}

/// A program that signs users in.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its id.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: String,
    /// Until when it is registered.
    pub(crate) expires: Timestamp,
}

/// A device that waits for a user.
#[derive(Debug)]
pub(crate) struct Device {
    /// The program on it.
    pub(crate) client: String,
    /// What the device shows for.
    pub(crate) secret_code: String,
    /// What the user types in.
    pub(crate) user_code: String,
    /// Until when it waits.
    pub(crate) expires: Timestamp,
    /// When it asked last.
    pub(crate) asked: Option<Timestamp>,
    /// The id of the user who approved it.
    pub(crate) user: Option<String>,
    /// Whether it has got its session.
    pub(crate) redeemed: bool,
}

/// The session of a user.
#[derive(Debug)]
pub(crate) struct Session {
    /// The access token.
    pub(crate) token: String,
    /// The id of the user.
    pub(crate) user: String,
    /// Until when it lasts.
    pub(crate) expires: Timestamp,
}

/// Credentials of a role.
#[derive(Debug)]
pub(crate) struct RoleSession {
    /// The id of the access key.
    pub(crate) key: String,
    /// The secret.
    pub(crate) secret: String,
    /// The session token.
    pub(crate) token: String,
    /// The account of the role.
    pub(crate) account: String,
    /// The name of the role.
    pub(crate) role: String,
    /// The unique id of the role.
    pub(crate) role_id: String,
    /// Who uses it.
    pub(crate) user_name: String,
    /// Whether the role may do everything.
    pub(crate) administers: bool,
    /// Until when they are valid.
    pub(crate) expires: Timestamp,
}

/// What Identity Center checks of a SAML response.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    /// Who issued it.
    pub(crate) issuer: String,
    /// For whom.
    pub(crate) audience: String,
    /// Where it was sent to.
    pub(crate) recipient: String,
    /// The user.
    pub(crate) name_id: String,
    /// The certificate of the key that signed it, in DER.
    pub(crate) certificate_der: Vec<u8>,
}

impl SignIn {
    /// The role session with an access key.
    pub(crate) fn role_session(&self, key: &str) -> Option<&RoleSession> {
        self.role_sessions.iter().find(|session| session.key == key)
    }

    /// Makes credentials of a role for a user.
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
            administers: role.administers(),
            expires: super::later(now, duration),
        });
        self.role_sessions.last().expect("one was pushed")
    }
}

impl Cloud {
    /// Lets a user approve a device by signing in at the identity provider.
    ///
    /// # Errors
    ///
    /// What the sign-in page shows, and the reason that it does not show.
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
    /// The id of the user that an assertion signs in.
    fn user_of(&self, assertion: &Assertion) -> Result<String, String> {
        let Some(provider) = &self.identity_provider else {
            return Err("no external identity provider is the identity source".to_owned());
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
                    "no user is named {}: users are not created by signing in",
                    assertion.name_id
                )
            })?;
        if !user.is_active() {
            return Err(format!("the user {} is disabled", assertion.name_id));
        }
        Ok(user.id.clone())
    }
}

/// The page is the same for every reason (re:Post, troubleshooting sign-in); the reason is for whoever reads a test.
fn opaque(reason: &str) -> String {
    format!(
        "It's not you, it's us: We couldn't complete your request right now. Please try again later. ({reason})"
    )
}
