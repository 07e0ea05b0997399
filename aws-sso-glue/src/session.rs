//! Sessions at an access portal: accounts, roles and temporary credentials of a signed-in user.

use std::{fmt, time::SystemTime};

use rest_core::Secret;

use crate::{
    AccountId, Credentials, Error,
    paging::{self, Page},
    service::Service,
};

/// A user's session at an access portal.
pub struct Session {
    portal: aws_sdk_sso::Client,
    token: Secret,
    expires_at: SystemTime,
}

/// An account that is assigned to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Returns the accounts that are assigned to the user.
    ///
    /// # Errors
    ///
    /// Fails with [`is_unauthenticated`](Error::is_unauthenticated) if the session has ended.
    pub async fn accounts(&self) -> Result<Vec<AssignedAccount>, Error> {
        const OPERATION: &str = "ListAccounts";
        paging::collect_pages(SERVICE, OPERATION, |token| async move {
            let call = self
                .portal
                .list_accounts()
                .access_token(self.token.expose());
            let response = SERVICE
                .call(OPERATION, call.set_next_token(token).send())
                .await?;
            let accounts = response.account_list.unwrap_or_default().into_iter();
            let items = accounts.map(|account| {
                Ok(AssignedAccount {
                    id: SERVICE.id(OPERATION, "accountId", account.account_id)?,
                    name: account.account_name,
                    email: account.email_address,
                })
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: response.next_token,
            })
        })
        .await
    }

    /// Returns the names of the user's roles in an account. They equal the names of permission sets.
    ///
    /// # Errors
    ///
    /// Fails with [`is_unauthenticated`](Error::is_unauthenticated) if the session has ended.
    pub async fn roles(&self, account: &AccountId) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "ListAccountRoles";
        paging::collect_pages(SERVICE, OPERATION, |token| async move {
            let call = self
                .portal
                .list_account_roles()
                .access_token(self.token.expose());
            let call = call
                .account_id(account.as_str())
                .set_next_token(token)
                .send();
            let response = SERVICE.call(OPERATION, call).await?;
            let roles = response.role_list.unwrap_or_default().into_iter();
            let items =
                roles.map(|role| SERVICE.require_field(OPERATION, "roleName", role.role_name));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: response.next_token,
            })
        })
        .await
    }

    /// Returns temporary keys for a role.
    ///
    /// [`Aws::verify_credentials`](crate::Aws::verify_credentials) verifies that AWS accepts these
    /// keys.
    ///
    /// # Errors
    ///
    /// Fails with [`is_access_denied`](Error::is_access_denied) if the role is not assigned to the
    /// user.
    pub async fn credentials(&self, account: &AccountId, role: &str) -> Result<Credentials, Error> {
        const OPERATION: &str = "GetRoleCredentials";
        let call = self
            .portal
            .get_role_credentials()
            .access_token(self.token.expose());
        let call = call.account_id(account.as_str()).role_name(role).send();
        let response = SERVICE.call(OPERATION, call).await?;
        let keys =
            SERVICE.require_field(OPERATION, "roleCredentials", response.role_credentials)?;
        let secret = SERVICE.require_field(OPERATION, "secretAccessKey", keys.secret_access_key)?;
        let token = SERVICE.require_field(OPERATION, "sessionToken", keys.session_token)?;
        Ok(Credentials {
            access_key_id: SERVICE.require_field(OPERATION, "accessKeyId", keys.access_key_id)?,
            secret_access_key: Secret::new(secret),
            session_token: Some(Secret::new(token)),
        })
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
