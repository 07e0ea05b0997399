//! The provisioning settings of an application: the connection and the enabled features.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Org,
    apps::App,
    catalog::IDENTITY_CENTER,
    query::Call,
    reply::{Refusal, Reply},
};

/// The provisioning settings of an application.
#[derive(Debug, Default)]
pub(crate) struct Provisioning {
    pub(crate) connection: Option<Connection>,
    pub(crate) features: ProvisioningFeatures,
}

/// The connection to the SCIM endpoint that receives users and groups.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) enabled: bool,
}

/// The three checkboxes of the tab "To App".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProvisioningFeatures {
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) deactivate: bool,
}

impl Provisioning {
    /// Returns the connection, if it is enabled.
    pub(crate) fn enabled_connection(&self) -> Option<&Connection> {
        self.connection
            .as_ref()
            .filter(|connection| connection.enabled)
    }

    /// Returns the feature names in the application's document. Each checkbox has its own feature.
    pub(crate) fn feature_names(&self) -> Vec<&'static str> {
        if self.enabled_connection().is_none() {
            return Vec::new();
        }
        let ProvisioningFeatures {
            create,
            update,
            deactivate,
        } = self.features;
        let names = [
            (true, "GROUP_PUSH"),
            (true, "SCIM_PROVISIONING"),
            (create, "PUSH_NEW_USERS"),
            (deactivate, "PUSH_USER_DEACTIVATION"),
            (true, "IMPORT_NEW_USERS"),
            (true, "IMPORT_PROFILE_UPDATES"),
            (update, "PUSH_PROFILE_UPDATES"),
        ];
        names
            .into_iter()
            .filter(|(enabled, _)| *enabled)
            .map(|(_, name)| name)
            .collect()
    }
}

impl Org {
    /// Handles `…/connections/default`.
    ///
    /// For an application without support, the endpoint reports success and changes nothing.
    pub(super) fn connection_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        let supported = self.behavior.connections_supported;
        let app = self.app_mut(app)?;
        let supported = supported && app.name == IDENTITY_CENTER;
        match (call.method, path) {
            (&Method::GET, []) => {
                call.allow_only(&[])?;
                Ok(Reply::ok(connection_document(app, supported, &call.host)))
            }
            (&Method::POST, []) => {
                call.allow_only(&["activate"])?;
                let activate = call.bool_parameter("activate", false)?;
                let body = call.json_object()?;
                if supported {
                    app.provisioning.connection = Some(read_connection(&body, activate)?);
                }
                Ok(Reply::ok(connection_document(app, supported, &call.host)))
            }
            (&Method::POST, ["lifecycle", verb @ ("activate" | "deactivate")]) => {
                if let (true, Some(connection)) = (supported, &mut app.provisioning.connection) {
                    connection.enabled = *verb == "activate";
                }
                Ok(Reply::no_content())
            }
            (_, [] | ["lifecycle", "activate" | "deactivate"]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    /// Handles `…/features`.
    ///
    /// The endpoint answers with an error until provisioning is enabled. It is read-only if connections
    /// are not supported.
    pub(super) fn features_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let writable = self.behavior.connections_supported;
        let app = self.app_mut(app)?;
        if app.name != IDENTITY_CENTER {
            return Err(Refusal::invalid(
                "feature",
                "Provisioning is not supported.",
            ));
        }
        if app.provisioning.enabled_connection().is_none() {
            return Err(Refusal::invalid(
                "feature",
                "Provisioning is not enabled for the app instance.",
            ));
        }
        match (call.method, path) {
            (&Method::GET, []) => {
                let features = [outbound(app, &call.host), inbound(app, &call.host)];
                Ok(Reply::ok(features.into()))
            }
            (&Method::GET, ["USER_PROVISIONING"]) => Ok(Reply::ok(outbound(app, &call.host))),
            (&Method::GET, ["INBOUND_PROVISIONING"]) => Ok(Reply::ok(inbound(app, &call.host))),
            (&Method::PUT, ["USER_PROVISIONING"]) if writable => {
                let body = call.json_object()?;
                app.provisioning.features = read_features(&body, app.provisioning.features)?;
                Ok(Reply::ok(outbound(app, &call.host)))
            }
            (&Method::PUT, ["USER_PROVISIONING" | "INBOUND_PROVISIONING"]) => Err(
                Refusal::invalid("feature", "Provisioning is not supported."),
            ),
            (_, [] | ["USER_PROVISIONING" | "INBOUND_PROVISIONING"]) => Err(Refusal::method()),
            (_, [name, ..]) => Err(Refusal::not_found(name, "PublicAppFeatureSetName")),
        }
    }
}

fn connection_document(app: &App, supported: bool, host: &str) -> Value {
    if !supported {
        // The document has no link and no top-level scheme, as recorded from an application without support.
        return json!({ "status": "UNKNOWN", "profile": { "authScheme": "UNKNOWN" } });
    }
    let address = format!("http://{host}/api/v1/apps/{}/connections/default", app.id);
    let Some(connection) = &app.provisioning.connection else {
        return json!({
            "status": "DISABLED",
            "profile": { "authScheme": "UNKNOWN" },
            "_links": { "self": { "href": address } },
        });
    };
    let (status, transition) = if connection.enabled {
        ("ENABLED", "deactivate")
    } else {
        ("DISABLED", "activate")
    };
    json!({
        "authScheme": "TOKEN",
        "status": status,
        "baseUrl": connection.base_url,
        "profile": { "authScheme": "TOKEN" },
        "_links": {
            "self": { "href": address },
            transition: { "href": format!("{address}/lifecycle/{transition}"), "hints": { "allow": ["POST"] } },
        },
    })
}

fn read_connection(body: &Map<String, Value>, enabled: bool) -> Result<Connection, Refusal> {
    let profile = body.get("profile");
    let text = |name: &str| profile.and_then(|profile| profile[name].as_str());
    match text("authScheme") {
        Some("TOKEN") => {}
        Some(_) => {
            return Err(Refusal::invalid(
                "authScheme",
                "authScheme: Not one of the allowed values.",
            ));
        }
        None => return Err(Refusal::blank("authScheme")),
    }
    let Some(token) = text("token").filter(|token| !token.is_empty()) else {
        return Err(Refusal::blank("token"));
    };
    let base_url = body.get("baseUrl").and_then(Value::as_str);
    let Some(base_url) = base_url.filter(|url| !url.is_empty()) else {
        return Err(Refusal::blank("baseUrl"));
    };
    check_base_url(base_url).map_err(|cause| Refusal::invalid("baseUrl", cause))?;
    Ok(Connection {
        base_url: base_url.to_owned(),
        token: token.to_owned(),
        enabled,
    })
}

/// Checks a base URL as Okta does. Okta's pattern does not allow a trailing slash.
pub(crate) fn check_base_url(base_url: &str) -> Result<(), &'static str> {
    let is_http = base_url.starts_with("https://") || base_url.starts_with("http://");
    if base_url.ends_with('/') || !is_http || base_url.contains(char::is_whitespace) {
        return Err("Base URL: Does not match required pattern");
    }
    Ok(())
}

fn read_features(
    body: &Map<String, Value>,
    old: ProvisioningFeatures,
) -> Result<ProvisioningFeatures, Refusal> {
    if body.is_empty() {
        return Err(Refusal::malformed());
    }
    let read = |group: &str, name: &str, old: bool| {
        let status = body
            .get(group)
            .and_then(|group| group[name]["status"].as_str());
        match status {
            None => Ok(old),
            Some("ENABLED") => Ok(true),
            Some("DISABLED") => Ok(false),
            Some(_) => Err(Refusal::invalid(
                "status",
                "status: Not one of the allowed values.",
            )),
        }
    };
    Ok(ProvisioningFeatures {
        create: read("create", "lifecycleCreate", old.create)?,
        update: read("update", "profile", old.update)?,
        deactivate: read("update", "lifecycleDeactivate", old.deactivate)?,
    })
}

fn outbound(app: &App, host: &str) -> Value {
    let status = |enabled: bool| if enabled { "ENABLED" } else { "DISABLED" };
    let features = app.provisioning.features;
    json!({
        "name": "USER_PROVISIONING",
        "status": status(features != ProvisioningFeatures::default()),
        "description": "User provisioning settings from Okta to a downstream application",
        "capabilities": {
            "create": { "lifecycleCreate": { "status": status(features.create) } },
            "update": {
                "profile": { "status": status(features.update) },
                "lifecycleDeactivate": { "status": status(features.deactivate) },
                "password": { "status": "DISABLED", "seed": "RANDOM", "change": "KEEP_EXISTING" },
            },
        },
        "_links": feature_links(app, "USER_PROVISIONING", host),
    })
}

fn inbound(app: &App, host: &str) -> Value {
    json!({
        "name": "INBOUND_PROVISIONING",
        "status": "DISABLED",
        "description": "In-bound provisioning settings from a downstream application to Okta",
        "capabilities": {
            "importSettings": {
                "username": { "userNameFormat": "EMAIL" },
                "schedule": { "status": "DISABLED", "fullImport": null, "incrementalImport": null },
            },
            "importRules": {
                "userCreateAndMatch": {
                    "exactMatchCriteria": "EMAIL",
                    "allowPartialMatch": false,
                    "autoConfirmPartialMatch": false,
                    "autoConfirmExactMatch": false,
                    "autoConfirmNewUsers": false,
                    "autoActivateNewUsers": false,
                },
            },
        },
        "_links": feature_links(app, "INBOUND_PROVISIONING", host),
    })
}

fn feature_links(app: &App, name: &str, host: &str) -> Value {
    let href = format!("http://{host}/api/v1/apps/{}/features/{name}", app.id);
    json!({ "self": { "href": href, "hints": { "allow": ["GET", "PUT"] } } })
}

/// Returns Okta's error message for credentials that the SCIM endpoint rejects.
pub(crate) fn credentials_refused(status: StatusCode) -> String {
    format!(
        "Error authenticating: {}",
        status.canonical_reason().unwrap_or("Unknown")
    )
}
