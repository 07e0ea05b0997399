//! Sessions at an access portal: accounts, roles and temporary credentials of a signed-in user.

use std::{fmt, time::SystemTime};

use rest_core::{Pager, Secret};

use crate::{AccountId, Credentials, Error, service::Service};

/// A user's session at an access portal.
pub struct Session {
    portal: aws_sdk_sso::Client,
    token: Secret,
    expires_at: SystemTime,
}

/// An account that is assigned to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssignedAccount {
    /// The account id.
    pub id: AccountId,
    /// The display name.
    pub name: Option<String>,
    /// The email address of the root user.
    pub email: Option<String>,
}

impl Session {
    pub(crate) fn new(portal: aws_sdk_sso::Client, token: Secret, expires_at: SystemTime) -> Self {
        Self {
            portal,
            token,
            expires_at,
        }
    }

    /// Returns the time at which the session expires.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Lists the accounts that are assigned to the user.
    ///
    /// A page fails with [`is_unauthenticated`](Error::is_unauthenticated) if the session has ended.
    pub fn accounts(&self) -> Pager<AssignedAccount, Error> {
        const OPERATION: &str = "ListAccounts";
        let (portal, token) = (self.portal.clone(), self.token.clone());
        SERVICE.list(
            OPERATION,
            // The token is put into each request, so that the pager holds it as a secret.
            move |page| {
                let call = portal.list_accounts().access_token(token.expose());
                call.set_next_token(page).send()
            },
            |response| {
                (
                    response.account_list.unwrap_or_default(),
                    response.next_token,
                )
            },
            |account| {
                Ok(AssignedAccount {
                    id: SERVICE.id(OPERATION, "accountId", account.account_id)?,
                    name: account.account_name,
                    email: account.email_address,
                })
            },
        )
    }

    /// Lists the names of the user's roles in an account. They equal the names of permission sets.
    ///
    /// A page fails with [`is_unauthenticated`](Error::is_unauthenticated) if the session has ended.
    pub fn roles(&self, account: &AccountId) -> Pager<String, Error> {
        const OPERATION: &str = "ListAccountRoles";
        let (portal, token) = (self.portal.clone(), self.token.clone());
        let account = account.to_string();
        SERVICE.list(
            OPERATION,
            move |page| {
                let call = portal.list_account_roles().access_token(token.expose());
                call.account_id(&account).set_next_token(page).send()
            },
            |response| (response.role_list.unwrap_or_default(), response.next_token),
            |role| SERVICE.require_field(OPERATION, "roleName", role.role_name),
        )
    }

    /// Returns temporary keys for a role.
    ///
    /// [`Aws::verify_credentials`](crate::Aws::verify_credentials) verifies that AWS accepts these
    /// keys.
    ///
    /// # Errors
    ///
    /// Fails with [`is_permission_denied`](Error::is_permission_denied) if the role is not assigned to the
    /// user.
    pub async fn credentials(&self, account: &AccountId, role: &str) -> Result<Credentials, Error> {
        const OPERATION: &str = "GetRoleCredentials";
        let call = self
            .portal
            .get_role_credentials()
            .access_token(self.token.expose());
        let call = call.account_id(account.as_str()).role_name(role).send();
        let required = |field, value| SERVICE.require_field(OPERATION, field, value);
        SERVICE
            .call_and_read(OPERATION, call, |response| {
                let keys = response.role_credentials;
                let keys = SERVICE.require_field(OPERATION, "roleCredentials", keys)?;
                let secret = required("secretAccessKey", keys.secret_access_key)?;
                let token = required("sessionToken", keys.session_token)?;
                Ok(Credentials {
                    access_key_id: required("accessKeyId", keys.access_key_id)?,
                    secret_access_key: Secret::new(secret),
                    session_token: Some(Secret::new(token)),
                })
            })
            .await
    }

    /// Ends the session at AWS. Keys from [`credentials`](Self::credentials) work until they expire.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn logout(self) -> Result<(), Error> {
        let call = self
            .portal
            .logout()
            .access_token(self.token.expose())
            .send();
        SERVICE.call("Logout", call).await.map(drop)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

const SERVICE: Service = Service::Portal;
