//! Whether an app provisions users, and how it gets to the other side.
//!
//! Okta offers these calls for a handful of apps only ("Application Connections": `okta_org2org`
//! and `zscalerbyz` with a token). For others it answers with success and does nothing, so that only
//! [`Connection::status`] tells; what an admin does in the Admin Console shows in
//! [`App::features`].

use rest_core::{Call, Idempotency, Secret};
use serde_json::{Value, json};

use super::{App, Apps, path};
use crate::{
    Error, Id,
    client::Reply,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

impl Apps<'_> {
    /// Returns how the app gets to the other side.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app; an app without provisioning is
    /// [`ConnectionStatus::Unknown`].
    pub async fn connection(&self, id: &Id<App>) -> Result<Connection, Error> {
        read(self.client.send(Call::get(connection(id, &[]))).await?)
    }

    /// Sets the SCIM address and the token that the app uses there.
    ///
    /// An app that does not support this answers with success as well: the returned connection is
    /// [`Enabled`](ConnectionStatus::Enabled) with [`AuthScheme::Token`], or nothing was set.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if there is no such app, or if Okta could not use the token.
    pub async fn set_connection(
        &self,
        id: &Id<App>,
        base_url: &str,
        token: &Secret,
        activate: bool,
    ) -> Result<Connection, Error> {
        let call = Call::post(connection(id, &[]))
            .query("activate", activate.to_string())
            .json(&json!({
                "baseUrl": base_url,
                "profile": { "authScheme": AuthScheme::Token.as_str(), "token": token.expose() },
            }))
            .idempotency(Idempotency::Idempotent);
        let mut result = self.client.send(call).await;
        if let Err(Error::Api { source, .. }) = &mut result {
            // Nothing says that Okta would repeat the token in its reasons, and nothing that not.
            source.hide(token);
        }
        read(result?)
    }

    /// Switches the connection on.
    ///
    /// Success proves nothing; [`connection`](Self::connection) does.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app.
    pub async fn activate_connection(&self, id: &Id<App>) -> Result<(), Error> {
        self.connection_lifecycle(id, "activate").await
    }

    /// Switches the connection off.
    ///
    /// Success proves nothing; [`connection`](Self::connection) does.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app.
    pub async fn deactivate_connection(&self, id: &Id<App>) -> Result<(), Error> {
        self.connection_lifecycle(id, "deactivate").await
    }

    /// Returns what the app does at the other side; see
    /// [`provisioning_opt`](Self::provisioning_opt) where it may do nothing.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if there is no such app, or if the app has no provisioning
    /// ([`Error::is_provisioning_unsupported`]).
    pub async fn provisioning(&self, id: &Id<App>) -> Result<Provisioning, Error> {
        self.client
            .read(Call::get(path(id, &USER_PROVISIONING)))
            .await
    }

    /// Returns what the app does at the other side, or `None` if it has no provisioning.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such app.
    pub async fn provisioning_opt(&self, id: &Id<App>) -> Result<Option<Provisioning>, Error> {
        match self.provisioning(id).await {
            Err(error) if error.is_provisioning_unsupported() => Ok(None),
            result => result.map(Some),
        }
    }

    /// Sets what the app does at the other side; passwords are left as they are.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if there is no such app, or if the app has no provisioning
    /// ([`Error::is_provisioning_unsupported`]).
    pub async fn set_provisioning(
        &self,
        id: &Id<App>,
        switches: &ProvisioningSwitches,
    ) -> Result<Provisioning, Error> {
        self.client
            .read(Call::put(path(id, &USER_PROVISIONING)).json(&switches.body()))
            .await
    }

    async fn connection_lifecycle(&self, id: &Id<App>, what: &str) -> Result<(), Error> {
        let call =
            Call::post(connection(id, &["lifecycle", what])).idempotency(Idempotency::Idempotent);
        self.client.send_discard(call).await
    }
}

/// How an app gets to the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Whether it is in use.
    pub status: ConnectionStatus,
    /// How the app shows who it is.
    pub auth_scheme: AuthScheme,
    /// The address, if Okta tells.
    pub base_url: Option<String>,
    /// Okta's number for the request that this answered.
    pub request_id: Option<String>,
}

impl FromJson for Connection {
    fn from_json(value: Value) -> Result<Self, Missing> {
        // Apps without support have the second one only, apps with a token have both.
        let scheme = json::str_at(&value, "/authScheme");
        let scheme = scheme.or_else(|| json::str_at(&value, "/profile/authScheme"));
        Ok(Self {
            status: json::word(&value, "/status"),
            auth_scheme: AuthScheme::from(scheme.unwrap_or_default()),
            base_url: json::text(&value, "/baseUrl"),
            request_id: None,
        })
    }
}

/// What an app does at the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provisioning {
    /// Whether it does anything.
    pub status: ProvisioningStatus,
    /// What it does.
    pub switches: ProvisioningSwitches,
}

impl FromJson for Provisioning {
    fn from_json(value: Value) -> Result<Self, Missing> {
        let on = |pointer| json::str_at(&value, pointer) == Some(ENABLED);
        let switches = ProvisioningSwitches {
            create: on("/capabilities/create/lifecycleCreate/status"),
            update: on("/capabilities/update/profile/status"),
            deactivate: on("/capabilities/update/lifecycleDeactivate/status"),
        };
        Ok(Self {
            status: json::word(&value, "/status"),
            switches,
        })
    }
}

/// The three boxes of the Admin Console's page "To App".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProvisioningSwitches {
    /// "Create Users": who is assigned gets an account.
    pub create: bool,
    /// "Update User Attributes": changes of a profile are passed on.
    pub update: bool,
    /// "Deactivate Users": who is no longer assigned loses the account.
    pub deactivate: bool,
}

impl ProvisioningSwitches {
    fn body(self) -> Value {
        let status = |on| json!({ "status": if on { ENABLED } else { "DISABLED" } });
        json!({
            "create": { "lifecycleCreate": status(self.create) },
            "update": {
                "profile": status(self.update),
                "lifecycleDeactivate": status(self.deactivate),
            },
        })
    }
}

open_enum! {
    /// Whether a connection is in use.
    ConnectionStatus {
        /// It is.
        Enabled = "ENABLED",
        /// It is set up and switched off.
        Disabled = "DISABLED",
        /// The app has none, or one that these calls cannot see.
        Unknown = "UNKNOWN",
    }
}

open_enum! {
    /// How an app shows the other side who it is.
    AuthScheme {
        /// With a token.
        Token = "TOKEN",
        /// With OAuth 2.0.
        OAuth2 = "OAUTH2",
        /// In no way that these calls know, or not at all.
        Unknown = "UNKNOWN",
    }
}

open_enum! {
    /// Whether an app provisions users.
    ProvisioningStatus {
        /// It does.
        Enabled = "ENABLED",
        /// It does not.
        Disabled = "DISABLED",
    }
}

fn read(reply: Reply) -> Result<Connection, Error> {
    let request_id = reply.answer.request_id().map(str::to_owned);
    let connection: Connection = reply.read()?;
    Ok(Connection {
        request_id,
        ..connection
    })
}

fn connection(id: &Id<App>, rest: &[&str]) -> Vec<String> {
    let mut path = path(id, &["connections", "default"]);
    path.extend(rest.iter().copied().map(String::from));
    path
}

const USER_PROVISIONING: [&str; 2] = ["features", "USER_PROVISIONING"];
const ENABLED: &str = "ENABLED";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{AuthScheme, Connection, ConnectionStatus, Provisioning, ProvisioningSwitches};
    use crate::json::FromJson;

    fn connection(value: Value) -> (ConnectionStatus, AuthScheme, Option<String>) {
        let connection = Connection::from_json(value).expect("a connection");
        (
            connection.status,
            connection.auth_scheme,
            connection.base_url,
        )
    }

    #[test]
    fn a_connection_is_read_in_both_of_its_forms() {
        let token = json!({
            "authScheme": "TOKEN", "status": "DISABLED", "baseUrl": "https://scim",
            "profile": { "authScheme": "TOKEN" }
        });
        let base_url = Some("https://scim".to_owned());
        let expected = (ConnectionStatus::Disabled, AuthScheme::Token, base_url);
        assert_eq!(connection(token), expected);
        let unsupported = json!({ "status": "UNKNOWN", "profile": { "authScheme": "UNKNOWN" } });
        let expected = (ConnectionStatus::Unknown, AuthScheme::Unknown, None);
        assert_eq!(connection(unsupported), expected);
    }

    #[test]
    fn the_three_boxes_are_written_and_read() {
        let switches = ProvisioningSwitches {
            create: true,
            update: false,
            deactivate: true,
        };
        let body = switches.body();
        assert_eq!(
            body,
            json!({
                "create": { "lifecycleCreate": { "status": "ENABLED" } },
                "update": {
                    "profile": { "status": "DISABLED" },
                    "lifecycleDeactivate": { "status": "ENABLED" }
                }
            })
        );
        let answer =
            json!({ "name": "USER_PROVISIONING", "status": "ENABLED", "capabilities": body });
        assert_eq!(
            Provisioning::from_json(answer)
                .expect("provisioning")
                .switches,
            switches
        );
        let empty = Provisioning::from_json(json!({})).expect("provisioning");
        assert_eq!(empty.switches, ProvisioningSwitches::default());
    }
}
