//! Signs a user in at an access portal, like `aws sso login`.

use std::{fmt, time::Duration};

use rest_core::Secret;
use url::Url;

use crate::{Aws, Error, Session, service::Service};

/// A sign-in at an access portal with OAuth's device authorization (RFC 8628).
///
/// The caller does three steps:
///
/// 1. Call [`start`](Self::start).
/// 2. Show the user the URL and the code.
/// 3. Call [`poll`](Self::poll) once per [`interval`](DeviceAuthorization::interval), until the
///    result is not [`PollResult::Pending`].
///
/// No method waits. The caller waits between two polls, and can show this to the user.
#[derive(Clone)]
pub struct SignIn {
    aws: Aws,
    start_url: Url,
    oidc: aws_sdk_ssooidc::Client,
    portal: aws_sdk_sso::Client,
}

/// The URL and code for the user, and their lifetime.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeviceAuthorization {
    /// The code. The user compares it with the code in the browser.
    pub user_code: String,
    /// The URL where the user enters the code.
    pub verification_uri: Url,
    /// The same URL with the code included.
    pub verification_uri_complete: Url,
    /// The lifetime of the code, from the time of the response.
    pub expires_in: Duration,
    /// The time to wait between two polls, plus 5 seconds for each [`PollResult::SlowDown`].
    pub interval: Duration,
    client_id: String,
    client_secret: Secret,
    device_code: Secret,
}

/// The result of [`SignIn::poll`].
#[derive(Debug)]
#[non_exhaustive]
pub enum PollResult {
    /// The user has not finished. Poll again.
    Pending,
    /// The caller polls too often. From now on, wait 5 seconds longer between polls.
    SlowDown,
    /// The user took too long. Start again.
    Expired,
    /// The user denied the request.
    Denied,
    /// The user is signed in.
    Done(Session),
}

impl Aws {
    /// Returns a sign-in at the access portal `start_url` of an instance in `region`.
    ///
    /// The sign-in does not use this connection's credentials. It sends the user's token only to the
    /// services of the region or to the endpoint override, never to `start_url`.
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
    /// Registers an OAuth client for this sign-in and requests a code for the user.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call, for example because it does not know the start URL, or if AWS
    /// does not answer.
    pub async fn start(&self) -> Result<DeviceAuthorization, Error> {
        const REGISTER: &str = "RegisterClient";
        const START: &str = "StartDeviceAuthorization";
        let call = self
            .oidc
            .register_client()
            .client_name(CLIENT_NAME)
            .client_type("public");
        let client = SERVICE.call_and_read(REGISTER, call.scopes(SCOPE).send(), |client| {
            let id = SERVICE.require_field(REGISTER, "clientId", client.client_id)?;
            let secret = SERVICE.require_field(REGISTER, "clientSecret", client.client_secret)?;
            Ok((id, secret))
        });
        let (client_id, client_secret) = client.await?;
        let call = self
            .oidc
            .start_device_authorization()
            .client_id(&client_id)
            .client_secret(&client_secret)
            .start_url(self.start_url.as_str())
            .send();
        let text = |field, value| SERVICE.require_field::<String>(START, field, value);
        let url = |field, value| {
            Url::parse(&text(field, value)?)
                .map_err(|error| Error::invalid_response(SERVICE, START, error))
        };
        SERVICE
            .call_and_read(START, call, |response| {
                let complete = response.verification_uri_complete;
                Ok(DeviceAuthorization {
                    user_code: text("userCode", response.user_code)?,
                    verification_uri: url("verificationUri", response.verification_uri)?,
                    verification_uri_complete: url("verificationUriComplete", complete)?,
                    expires_in: seconds(response.expires_in),
                    interval: match seconds(response.interval) {
                        Duration::ZERO => DEFAULT_INTERVAL,
                        interval => interval,
                    },
                    client_id,
                    client_secret: Secret::new(client_secret),
                    device_code: Secret::new(text("deviceCode", response.device_code)?),
                })
            })
            .await
    }

    /// Checks once whether the user has finished.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call with an error that another poll cannot solve, or if AWS does
    /// not answer.
    pub async fn poll(&self, authorization: &DeviceAuthorization) -> Result<PollResult, Error> {
        const OPERATION: &str = "CreateToken";
        let call = self
            .oidc
            .create_token()
            .client_id(&authorization.client_id)
            .client_secret(authorization.client_secret.expose())
            .grant_type(GRANT_TYPE)
            .device_code(authorization.device_code.expose())
            .send();
        let token = SERVICE.call_and_read(OPERATION, call, |response| {
            let token = SERVICE.require_field(OPERATION, "accessToken", response.access_token)?;
            Ok((token, response.expires_in))
        });
        let (token, expires_in) = match token.await {
            Ok(token) => token,
            Err(error) => return polled_from_error(error),
        };
        let expires_at = self.aws.clock().now() + seconds(expires_in);
        Ok(PollResult::Done(Session::new(
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

/// Converts the errors that are part of the protocol to results, and returns all other errors.
fn polled_from_error(error: Error) -> Result<PollResult, Error> {
    match error.code() {
        // A KMS error is also an `AccessDeniedException`, but the user did not cause it.
        _ if error.is_kms_error() => Err(error),
        Some("AuthorizationPendingException") => Ok(PollResult::Pending),
        Some("SlowDownException") => Ok(PollResult::SlowDown),
        Some("ExpiredTokenException") => Ok(PollResult::Expired),
        Some("AccessDeniedException") => Ok(PollResult::Denied),
        _ => Err(error),
    }
}

fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

const SERVICE: Service = Service::SignIn;
/// The name of the OAuth client, which the user is asked to allow.
const CLIENT_NAME: &str = "aws-sso-glue";
/// The scope that allows listing accounts and getting credentials for them.
const SCOPE: &str = "sso:account:access";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// "If no value is provided, clients MUST use 5 as the default" (RFC 8628, section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
