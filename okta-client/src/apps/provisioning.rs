//! Provisioning of an app, and the app's connection to the external service.
//!
//! Okta supports these calls only for a few apps ("Application Connections": `okta_org2org` and
//! `zscalerbyz` with a token). For all other apps, Okta answers with success but does nothing.
//! Check [`Connection::status`] to see the difference. Changes made in the Admin Console are
//! visible in [`App::features`].

use rest_core::{Call, Idempotency, Secret};
use serde_json::{Value, json, value::RawValue};

use super::{App, Apps, path};
use crate::{
    Error, Id, Raw,
    client::Reply,
    json::{Element, Field, FromJson, Json, Missing, paths, resource},
    open_enum::open_enum,
};

impl Apps<'_> {
    /// Returns the app's connection to the external service.
    ///
    /// An app without provisioning has the status [`ConnectionStatus::Unknown`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let connection = okta.apps().connection(&app).await?;
    /// assert_eq!(connection.status, ConnectionStatus::Enabled);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn connection(&self, id: &Id<App>) -> Result<Connection, Error> {
        read(
            self.client
                .request(Call::get(connection_path(id, &[])))
                .await?,
        )
    }

    /// Sets the SCIM base URL and the token of the connection.
    ///
    /// The call also succeeds for an app that does not support it. The settings were applied only
    /// if the returned connection is [`Enabled`](ConnectionStatus::Enabled) with
    /// [`AuthScheme::Token`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let (url, token) = ("https://scim.us-east-1.amazonaws.com/1ab-2c/scim/v2", Secret::new("secret"));
    /// let connection = okta.apps().set_connection(&app, url, &token, true).await?;
    /// assert_eq!(connection.status, ConnectionStatus::Enabled);
    /// assert_eq!(connection.auth_scheme, AuthScheme::Token);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if Okta could not use the token.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn set_connection(
        &self,
        id: &Id<App>,
        base_url: &str,
        token: &Secret,
        activate: bool,
    ) -> Result<Connection, Error> {
        let call = Call::post(connection_path(id, &[]))
            .query("activate", activate.to_string())
            .json(&json!({
                "baseUrl": base_url,
                "profile": { "authScheme": AuthScheme::Token.as_str(), "token": token.expose() },
            }))
            .with_idempotency(Idempotency::Idempotent);
        let mut result = self.client.request(call).await;
        if let Err(error) = &mut result {
            error.redact(token);
        }
        read(result?)
    }

    /// Activates the connection.
    ///
    /// Okta may answer with success without an effect: verify with
    /// [`connection`](Self::connection).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # okta.apps().deactivate_connection(&app).await?;
    /// okta.apps().activate_connection(&app).await?;
    /// assert_eq!(okta.apps().connection(&app).await?.status, ConnectionStatus::Enabled);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn activate_connection(&self, id: &Id<App>) -> Result<(), Error> {
        self.connection_lifecycle(id, "activate").await
    }

    /// Deactivates the connection.
    ///
    /// Okta may answer with success without an effect: verify with
    /// [`connection`](Self::connection).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// okta.apps().deactivate_connection(&app).await?;
    /// assert_eq!(okta.apps().connection(&app).await?.status, ConnectionStatus::Disabled);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn deactivate_connection(&self, id: &Id<App>) -> Result<(), Error> {
        self.connection_lifecycle(id, "deactivate").await
    }

    /// Returns the app's provisioning. Use [`provisioning_opt`](Self::provisioning_opt) if the app
    /// may have none.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let options = okta.apps().provisioning(&app).await?.options;
    /// assert!(options.create && options.update && options.deactivate);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if the app has no provisioning
    /// ([`Error::is_provisioning_unsupported`]).
    ///
    /// Scope: `okta.apps.read`.
    pub async fn provisioning(&self, id: &Id<App>) -> Result<Provisioning, Error> {
        self.client
            .read(Call::get(path(id, &USER_PROVISIONING)))
            .await
    }

    /// Returns the app's provisioning, or `None` if the app has none.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let intranet = bookmark(&okta).await?;
    /// assert_eq!(okta.apps().provisioning_opt(&intranet).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn provisioning_opt(&self, id: &Id<App>) -> Result<Option<Provisioning>, Error> {
        match self.provisioning(id).await {
            Err(error) if error.is_provisioning_unsupported() => Ok(None),
            result => result.map(Some),
        }
    }

    /// Enables or disables the app's provisioning options. The password options do not change.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// let only_create = ProvisioningOptions { create: true, ..ProvisioningOptions::default() };
    /// let provisioning = okta.apps().set_provisioning(&app, &only_create).await?;
    /// assert_eq!(provisioning.options, only_create);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the app does not exist, or if the app has no provisioning
    /// ([`Error::is_provisioning_unsupported`]).
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn set_provisioning(
        &self,
        id: &Id<App>,
        options: &ProvisioningOptions,
    ) -> Result<Provisioning, Error> {
        self.client
            .read(Call::put(path(id, &USER_PROVISIONING)).json(&options.body()))
            .await
    }

    async fn connection_lifecycle(&self, id: &Id<App>, action: &str) -> Result<(), Error> {
        let call = Call::post(connection_path(id, &["lifecycle", action]))
            .with_idempotency(Idempotency::Idempotent);
        self.client.send_discard(call).await
    }
}

/// An app's connection to the external service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Whether the connection is in use.
    pub status: ConnectionStatus,
    /// The authentication scheme of the app at the external service.
    pub auth_scheme: AuthScheme,
    /// The base URL of the external service, if Okta returns it.
    pub base_url: Option<String>,
    /// Okta's id of the request that returned this connection.
    pub request_id: Option<String>,
    raw: Raw,
}

impl Connection {
    /// Returns the JSON text that Okta sent, with the fields that this type does not have.
    #[must_use]
    pub fn raw(&self) -> &Raw {
        &self.raw
    }
}

impl FromJson for Connection {
    fn from_json(json: &mut Json<'_>) -> Result<Self, Missing> {
        // Apps with a token have both schemes; unsupported apps have only `profile.authScheme`.
        let ([status, app_scheme, profile_scheme, base_url], raw) = json.scan(paths![
            "/status",
            "/authScheme",
            "/profile/authScheme",
            "/baseUrl"
        ]);
        let scheme = |found: Option<_>| found.and_then(AuthScheme::element);
        Ok(Self {
            status: Field::field(status).unwrap_or(ConnectionStatus::Unknown),
            auth_scheme: scheme(app_scheme)
                .or_else(|| scheme(profile_scheme))
                .unwrap_or(AuthScheme::Other(String::new())),
            base_url: base_url.and_then(Element::element),
            request_id: None,
            raw,
        })
    }
}

resource! {
    /// The provisioning of an app.
    resource Provisioning {
        /// Whether provisioning is enabled.
        pub status: ProvisioningStatus = "/status",
        /// The enabled options.
        pub options: ProvisioningOptions = "/capabilities",
    }
}

impl Element for ProvisioningOptions {
    fn element(raw: &RawValue) -> Option<Self> {
        let paths = paths![
            "/create/lifecycleCreate/status",
            "/update/profile/status",
            "/update/lifecycleDeactivate/status",
        ];
        let is_on = |raw: Option<&RawValue>| {
            raw.and_then(ProvisioningStatus::element) == Some(ProvisioningStatus::Enabled)
        };
        let [create, update, deactivate] = paths.scan(raw.get()).map(is_on);
        Some(Self {
            create,
            update,
            deactivate,
        })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// The three options of the Admin Console's page "To App".
///
/// Fields may be added: end with `..ProvisioningOptions::default()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProvisioningOptions {
    /// "Create Users": an assigned user gets an account at the app.
    pub create: bool,
    /// "Update User Attributes": changes of a profile are sent to the app.
    pub update: bool,
    /// "Deactivate Users": the account of a user who is no longer assigned is deactivated.
    pub deactivate: bool,
}

impl ProvisioningOptions {
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
    /// Status of a connection.
    ConnectionStatus {
        /// The connection is in use.
        Enabled = "ENABLED",
        /// The connection is configured but disabled.
        Disabled = "DISABLED",
        /// The app has no connection, or its connection is not visible to these calls.
        Unknown = "UNKNOWN",
    }
}

open_enum! {
    /// Authentication scheme of an app at the external service.
    AuthScheme {
        /// The app uses a token.
        Token = "TOKEN",
        /// The app uses OAuth 2.0.
        OAuth2 = "OAUTH2",
        /// The app uses no authentication, or a scheme that is not visible to these calls.
        Unknown = "UNKNOWN",
    }
}

open_enum! {
    /// Whether an app provisions users.
    ProvisioningStatus {
        /// The app provisions users.
        Enabled = "ENABLED",
        /// The app does not provision users.
        Disabled = "DISABLED",
    }
}

fn read(reply: Reply) -> Result<Connection, Error> {
    let request_id = reply.response.request_id().map(str::to_owned);
    let connection: Connection = reply.read()?;
    Ok(Connection {
        request_id,
        ..connection
    })
}

fn connection_path(id: &Id<App>, rest: &[&str]) -> Vec<String> {
    let mut path = path(id, &["connections", "default"]);
    path.extend(rest.iter().copied().map(String::from));
    path
}

const USER_PROVISIONING: [&str; 2] = ["features", "USER_PROVISIONING"];
const ENABLED: &str = "ENABLED";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{AuthScheme, Connection, ConnectionStatus, Provisioning, ProvisioningOptions};
    use crate::json::decode;

    fn connection(value: Value) -> (ConnectionStatus, AuthScheme, Option<String>) {
        let connection = decode::<Connection>(value).expect("a valid connection");
        (
            connection.status,
            connection.auth_scheme,
            connection.base_url,
        )
    }

    #[test]
    fn a_connection_is_decoded_in_both_forms() {
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
    fn the_three_options_are_encoded_and_decoded() {
        let options = ProvisioningOptions {
            create: true,
            update: false,
            deactivate: true,
        };
        let body = options.body();
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
        let response =
            json!({ "name": "USER_PROVISIONING", "status": "ENABLED", "capabilities": body });
        assert_eq!(
            decode::<Provisioning>(response)
                .expect("valid provisioning")
                .options,
            options
        );
        let empty = decode::<Provisioning>(json!({})).expect("valid provisioning");
        assert_eq!(empty.options, ProvisioningOptions::default());
    }
}
