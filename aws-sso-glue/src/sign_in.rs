//! Signing a person in, as `aws sso login` does.

use std::{fmt, time::Duration};

use rest_core::Secret;
use url::Url;

use crate::{Aws, Error, Session, service::Service};

/// A sign-in at an access portal, in three steps.
///
/// [`start`](Self::start) it; show the person the address and the code; then
/// [`poll`](Self::poll), one [`interval`](DeviceAuthorization::interval) apart, until something
/// else than pending comes back. This is OAuth's device authorization (RFC 8628); nothing here
/// waits, so that the caller can show that it does.
#[derive(Clone)]
pub struct SignIn {
    aws: Aws,
    start_url: Url,
    oidc: aws_sdk_ssooidc::Client,
    portal: aws_sdk_sso::Client,
}

/// What a person has to do, and until when.
#[derive(Debug, Clone)]
pub struct DeviceAuthorization {
    /// The code that the person compares with what the browser shows.
    pub user_code: String,
    /// Where the person has to go, and type the code.
    pub verification_uri: Url,
    /// Where the person has to go, with the code in the address.
    pub verification_uri_complete: Url,
    /// How long the code is good for, from the moment of the answer.
    pub expires_in: Duration,
    /// How long to wait between two polls; 5 seconds more after each [`Polled::SlowDown`].
    pub interval: Duration,
    client_id: String,
    client_secret: Secret,
    device_code: Secret,
}

/// How far a person has come.
#[derive(Debug)]
#[non_exhaustive]
pub enum Polled {
    /// The person has not finished: poll again.
    Pending,
    /// Polled too often: wait 5 seconds longer between polls from now on.
    SlowDown,
    /// The person took too long: start again.
    Expired,
    /// The person said no.
    Denied,
    /// The person is signed in.
    Done(Session),
}

impl Aws {
    /// Returns the sign-in at the access portal `start_url` of an instance in `region`.
    ///
    /// This connection's credentials take no part in it. The person's token is sent to the region's
    /// services (or the endpoint override) only, never to `start_url`.
    #[must_use]
    pub fn sign_in(&self, start_url: &Url, region: &str) -> SignIn {
        let (oidc, portal) = self.sign_in_clients(region);
        SignIn {
            aws: self.clone(),
            start_url: start_url.clone(),
            oidc,
            portal,
        }
    }
}

impl SignIn {
    /// Registers this program for one sign-in, and begins it.
    ///
    /// # Errors
    ///
    /// If AWS refuses, as it does when it does not know the start URL, or does not answer.
    pub async fn start(&self) -> Result<DeviceAuthorization, Error> {
        const REGISTER: &str = "RegisterClient";
        const START: &str = "StartDeviceAuthorization";
        let call = self
            .oidc
            .register_client()
            .client_name(CLIENT_NAME)
            .client_type("public");
        let client = SERVICE.call(REGISTER, call.scopes(SCOPE).send()).await?;
        let client_id = SERVICE.require_field(REGISTER, "clientId", client.client_id)?;
        let client_secret =
            SERVICE.require_field(REGISTER, "clientSecret", client.client_secret)?;
        let call = self
            .oidc
            .start_device_authorization()
            .client_id(&client_id)
            .client_secret(&client_secret)
            .start_url(self.start_url.as_str())
            .send();
        let answer = SERVICE.call(START, call).await?;
        let url = |member, text: Option<String>| {
            Url::parse(&SERVICE.require_field(START, member, text)?)
                .map_err(|error| Error::unreadable(SERVICE, START, error))
        };
        Ok(DeviceAuthorization {
            user_code: SERVICE.require_field(START, "userCode", answer.user_code)?,
            verification_uri: url("verificationUri", answer.verification_uri)?,
            verification_uri_complete: url(
                "verificationUriComplete",
                answer.verification_uri_complete,
            )?,
            expires_in: seconds(answer.expires_in),
            interval: match seconds(answer.interval) {
                Duration::ZERO => DEFAULT_INTERVAL,
                interval => interval,
            },
            client_id,
            client_secret: Secret::new(client_secret),
            device_code: Secret::new(SERVICE.require_field(
                START,
                "deviceCode",
                answer.device_code,
            )?),
        })
    }

    /// Asks once whether the person has finished.
    ///
    /// # Errors
    ///
    /// If AWS refuses in a way that polling again does not mend, or does not answer.
    pub async fn poll(&self, authorization: &DeviceAuthorization) -> Result<Polled, Error> {
        const OPERATION: &str = "CreateToken";
        let call = self
            .oidc
            .create_token()
            .client_id(&authorization.client_id)
            .client_secret(authorization.client_secret.expose())
            .grant_type(GRANT_TYPE)
            .device_code(authorization.device_code.expose())
            .send();
        let answer = match SERVICE.call(OPERATION, call).await {
            Ok(answer) => answer,
            Err(error) => return told(error),
        };
        let token = SERVICE.require_field(OPERATION, "accessToken", answer.access_token)?;
        let expires_at = self.aws.clock().now() + seconds(answer.expires_in);
        Ok(Polled::Done(Session::new(
            self.portal.clone(),
            Secret::new(token),
            expires_at,
        )))
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("start_url", &self.start_url.as_str())
            .finish_non_exhaustive()
    }
}

/// Tells the refusals that are part of the protocol from those that are not.
fn told(error: Error) -> Result<Polled, Error> {
    match error.code() {
        // Access denied, but not by the person.
        _ if error.is_about_a_key() => Err(error),
        Some("AuthorizationPendingException") => Ok(Polled::Pending),
        Some("SlowDownException") => Ok(Polled::SlowDown),
        Some("ExpiredTokenException") => Ok(Polled::Expired),
        Some("AccessDeniedException") => Ok(Polled::Denied),
        _ => Err(error),
    }
}

fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

const SERVICE: Service = Service::SignIn;
/// What the person is asked to let in.
const CLIENT_NAME: &str = "aws-sso-glue";
/// The scope that lists accounts and gives credentials for them.
const SCOPE: &str = "sso:account:access";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// "If no value is provided, clients MUST use 5 as the default" (RFC 8628, section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
