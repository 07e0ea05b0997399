//! What a person who is signed in can reach.

use std::{fmt, time::SystemTime};

use rest_core::Secret;

use crate::{
    AccountId, Credentials, Error,
    paging::{self, Page},
    service::Service,
};

/// A person's session at an access portal.
pub struct Session {
    portal: aws_sdk_sso::Client,
    token: Secret,
    expires_at: SystemTime,
}

/// An account that the person can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignedAccount {
    /// The id.
    pub id: AccountId,
    /// The name that people know it by.
    pub name: Option<String>,
    /// The address of its root user.
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

    /// Returns the moment from which on AWS does not know the session any more.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Returns the accounts that the person can reach.
    ///
    /// # Errors
    ///
    /// [`is_unauthenticated`](Error::is_unauthenticated) if the session is over.
    pub async fn accounts(&self) -> Result<Vec<AssignedAccount>, Error> {
        const OPERATION: &str = "ListAccounts";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .portal
                .list_accounts()
                .access_token(self.token.expose());
            let answer = SERVICE
                .call(OPERATION, call.set_next_token(token).send())
                .await?;
            let accounts = answer.account_list.unwrap_or_default().into_iter();
            let items = accounts.map(|account| {
                Ok(AssignedAccount {
                    id: SERVICE.id(OPERATION, "accountId", account.account_id)?,
                    name: account.account_name,
                    email: account.email_address,
                })
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Returns the names of the roles, which are those of permission sets, in an account.
    ///
    /// # Errors
    ///
    /// [`is_unauthenticated`](Error::is_unauthenticated) if the session is over.
    pub async fn roles(&self, account: &AccountId) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "ListAccountRoles";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .portal
                .list_account_roles()
                .access_token(self.token.expose());
            let call = call
                .account_id(account.as_str())
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let roles = answer.role_list.unwrap_or_default().into_iter();
            let items =
                roles.map(|role| SERVICE.require_field(OPERATION, "roleName", role.role_name));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Returns temporary keys for a role; [`Aws::prove`](crate::Aws::prove) shows that they work.
    ///
    /// # Errors
    ///
    /// [`is_access_denied`](Error::is_access_denied) if the role is not the person's.
    pub async fn credentials(&self, account: &AccountId, role: &str) -> Result<Credentials, Error> {
        const OPERATION: &str = "GetRoleCredentials";
        let call = self
            .portal
            .get_role_credentials()
            .access_token(self.token.expose());
        let call = call.account_id(account.as_str()).role_name(role).send();
        let answer = SERVICE.call(OPERATION, call).await?;
        let keys = SERVICE.require_field(OPERATION, "roleCredentials", answer.role_credentials)?;
        let secret = SERVICE.require_field(OPERATION, "secretAccessKey", keys.secret_access_key)?;
        let token = SERVICE.require_field(OPERATION, "sessionToken", keys.session_token)?;
        Ok(Credentials {
            access_key_id: SERVICE.require_field(OPERATION, "accessKeyId", keys.access_key_id)?,
            secret_access_key: Secret::new(secret),
            session_token: Some(Secret::new(token)),
        })
    }

    /// Ends the session at AWS; keys that were given out live on until they expire.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
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
