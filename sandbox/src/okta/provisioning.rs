//! The provisioning connection of an application, and which changes it passes on.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Org,
    answer::{Refusal, Reply},
    apps::App,
    catalog::IDENTITY_CENTER,
    query::Call,
};

/// How an application is provisioned.
#[derive(Debug, Default)]
pub(crate) struct Provisioning {
    pub(crate) connection: Option<Connection>,
    pub(crate) switches: Switches,
}

/// Where users and groups are sent to.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) enabled: bool,
}

/// The three boxes of the tab "To App".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) deactivate: bool,
}

impl Provisioning {
    /// The connection, if it is in use.
    pub(crate) fn live(&self) -> Option<&Connection> {
        self.connection
            .as_ref()
            .filter(|connection| connection.enabled)
    }

    /// The features an application shows, which mirror the boxes one by one.
    pub(crate) fn features(&self) -> Vec<&'static str> {
        if self.live().is_none() {
            return Vec::new();
        }
        let Switches {
            create,
            update,
            deactivate,
        } = self.switches;
        let shown = [
            (true, "GROUP_PUSH"),
            (true, "SCIM_PROVISIONING"),
            (create, "PUSH_NEW_USERS"),
            (deactivate, "PUSH_USER_DEACTIVATION"),
            (true, "IMPORT_NEW_USERS"),
            (true, "IMPORT_PROFILE_UPDATES"),
            (update, "PUSH_PROFILE_UPDATES"),
        ];
        shown
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| name)
            .collect()
    }
}

impl Org {
    /// `…/connections/default`: for an application without support, success that does nothing.
    pub(super) fn connection_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        let supported = self.connections_supported;
        let app = self.app_mut(app)?;
        let supported = supported && app.name == IDENTITY_CENTER;
        match (call.method, path) {
            (&Method::GET, []) => {
                call.only(&[])?;
                Ok(Reply::ok(connection_document(app, supported, &call.host)))
            }
            (&Method::POST, []) => {
                call.only(&["activate"])?;
                let activate = call.flag("activate", false)?;
                let body = call.object()?;
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

    /// `…/features`: refused until provisioning is enabled, and read-only where connections are not supported.
    pub(super) fn features_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        call.only(&[])?;
        let writable = self.connections_supported;
        let app = self.app_mut(app)?;
        if app.name != IDENTITY_CENTER {
            return Err(Refusal::invalid(
                "feature",
                "Provisioning is not supported.",
            ));
        }
        if app.provisioning.live().is_none() {
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
                let body = call.object()?;
                app.provisioning.switches = read_switches(&body, app.provisioning.switches)?;
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
        // No link and no scheme at the top, as recorded from an application without support.
        return json!({ "status": "UNKNOWN", "profile": { "authScheme": "UNKNOWN" } });
    }
    let address = format!("http://{host}/api/v1/apps/{}/connections/default", app.id);
    let Some(connection) = &app.provisioning.connection else {
        return json!({
            "authScheme": "UNKNOWN",
            "status": "DISABLED",
            "profile": { "authScheme": "UNKNOWN" },
            "_links": { "self": { "href": address } },
        });
    };
    let (status, change) = if connection.enabled {
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
            change: { "href": format!("{address}/lifecycle/{change}"), "hints": { "allow": ["POST"] } },
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

/// Okta's check of a base URL, whose pattern has no place for a slash at the end.
pub(crate) fn check_base_url(base_url: &str) -> Result<(), &'static str> {
    let is_http = base_url.starts_with("https://") || base_url.starts_with("http://");
    if base_url.ends_with('/') || !is_http || base_url.contains(char::is_whitespace) {
        return Err("Base URL: Does not match required pattern");
    }
    Ok(())
}

fn read_switches(body: &Map<String, Value>, old: Switches) -> Result<Switches, Refusal> {
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
    Ok(Switches {
        create: read("create", "lifecycleCreate", old.create)?,
        update: read("update", "profile", old.update)?,
        deactivate: read("update", "lifecycleDeactivate", old.deactivate)?,
    })
}

fn outbound(app: &App, host: &str) -> Value {
    let status = |on: bool| if on { "ENABLED" } else { "DISABLED" };
    let switches = app.provisioning.switches;
    json!({
        "name": "USER_PROVISIONING",
        "status": status(switches != Switches::default()),
        "description": "User provisioning settings from Okta to a downstream application",
        "capabilities": {
            "create": { "lifecycleCreate": { "status": status(switches.create) } },
            "update": {
                "profile": { "status": status(switches.update) },
                "lifecycleDeactivate": { "status": status(switches.deactivate) },
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
                "username": { "userNameFormat": "EMAIL", "userNameExpression": null },
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

/// What the real service says when a connection's credentials do not work.
pub(crate) fn credentials_refused(status: StatusCode) -> String {
    format!(
        "Error authenticating: {}",
        status.canonical_reason().unwrap_or("Unknown")
    )
}
