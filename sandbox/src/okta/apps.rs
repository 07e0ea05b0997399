//! `/api/v1/apps`: application instances and their lifecycle.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    assignments::{AppGroup, AppUser},
    catalog::{self, CatalogApp},
    csrs::Csr,
    filter::{Filter, Grammar},
    groups::Kind,
    keys::Key,
    paging::{After, PageSizes, page},
    provisioning::Provisioning,
    pushes::Push,
    query::Call,
    reply::{Refusal, Reply},
    schemas::Schema,
    timestamps::millis,
};
use crate::builder::AppCreation;

/// One instance of an application.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(super) catalog_entry: &'static CatalogApp,
    /// The `exk…` id, which is part of the SAML URLs and of the issuer.
    pub(crate) exk: String,
    pub(crate) active: bool,
    created: Timestamp,
    pub(super) updated: Timestamp,
    /// The writable top-level fields: label, credentials, settings and so on.
    pub(super) writable: Map<String, Value>,
    pub(crate) keys: Vec<Key>,
    pub(super) csrs: BTreeMap<String, Csr>,
    pub(crate) provisioning: Provisioning,
    pub(crate) users: BTreeMap<String, AppUser>,
    pub(crate) groups: BTreeMap<String, AppGroup>,
    pub(crate) pushes: BTreeMap<String, Push>,
    pub(super) grants: BTreeMap<String, Value>,
    pub(super) user_schema: Schema,
    /// The id of the app sign-in policy.
    pub(super) policy: String,
}

impl App {
    pub(crate) fn signing_kid(&self) -> Option<&str> {
        self.writable
            .get("credentials")
            .and_then(|credentials| credentials["signing"]["kid"].as_str())
    }

    pub(super) fn key(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// Returns the key that currently signs assertions.
    pub(crate) fn active_key(&self) -> Option<&Key> {
        self.key(self.signing_kid()?)
    }

    /// Returns a setting of the application, such as `acsURL`; `None` if it is null or empty.
    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        let settings = self.writable.get("settings")?;
        let value = settings["app"][key].as_str()?;
        (!value.is_empty()).then_some(value)
    }

    /// Sets a setting of the application.
    pub(crate) fn set_setting(&mut self, key: &str, value: &str) {
        if let Some(settings) = self.writable.get_mut("settings") {
            settings["app"][key] = value.into();
        }
    }

    /// Returns the template of the user names.
    pub(crate) fn user_name_template(&self) -> &str {
        let credentials = self.writable.get("credentials");
        credentials
            .and_then(|credentials| credentials["userNameTemplate"]["template"].as_str())
            .unwrap_or("${source.login}")
    }

    pub(super) fn label(&self) -> &str {
        self.writable
            .get("label")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Returns the link of an assigned user's dashboard.
    pub(super) fn link(&self, user: &str, host: &str) -> Value {
        let (_, link) = self.catalog_entry.link;
        json!({
            "id": format!("{}-{user}", self.id),
            "label": self.label(),
            "linkUrl": format!("http://{host}/home/{}/{}/{link}", self.name, self.id),
            "logoUrl": format!("http://{host}/assets/img/logos/{}.png", self.name),
            "appName": self.name,
            "appInstanceId": self.id,
            "appAssignmentId": format!("0ua{}", &user[3..]),
            "credentialsSetup": false,
            "hidden": false,
            "sortOrder": 0,
        })
    }

    pub(super) fn document(&self, org: &str, host: &str) -> Value {
        let link = |below: &str| format!("http://{host}/api/v1/apps/{}{below}", self.id);
        let (link_name, link_id) = self.catalog_entry.link;
        let home = format!("http://{host}/home/{}/{}/{link_id}", self.name, self.id);
        let transition = if self.active {
            "deactivate"
        } else {
            "activate"
        };
        let mut links = json!({
            "uploadLogo": { "href": link("/logo"), "hints": { "allow": ["POST"] } },
            "appLinks": [{ "name": link_name, "href": home, "type": "text/html" }],
            "groups": { "href": link("/groups") },
            "users": { "href": link("/users") },
            "accessPolicy": { "href": format!("http://{host}/api/v1/policies/{}", self.policy) },
            "policies": { "href": link("/policies"), "hints": { "allow": ["PUT"] } },
            transition: { "href": link(&format!("/lifecycle/{transition}")) },
        });
        if !self.keys.is_empty() {
            links["metadata"] =
                json!({ "href": link("/sso/saml/metadata"), "type": "application/xml" });
        }
        let mut document = json!({
            "id": self.id,
            "orn": format!("orn:okta:idp:{org}:apps:{}:{}", self.name, self.id),
            "name": self.name,
            "status": if self.active { "ACTIVE" } else { "INACTIVE" },
            "created": millis(self.created),
            "lastUpdated": millis(self.updated),
            "features": self.provisioning.feature_names(),
            "signOnMode": self.catalog_entry.sign_on_mode,
            "universalLogout": { "status": "UNSUPPORTED" },
            "_links": links,
        });
        if let Value::Object(object) = &mut document {
            object.extend(self.writable.clone());
        }
        document
    }
}

impl Org {
    pub(super) fn apps_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => self.list_apps(call),
            (&Method::POST, []) => self.create_app(call),
            (&Method::GET, [app]) => {
                call.allow_only(&[])?;
                Ok(Reply::ok(self.app(app)?.document(&self.id, &call.host)))
            }
            (&Method::PUT, [app]) => self.replace_app(call, app),
            (&Method::DELETE, [app]) => self.delete_app(app, call.now),
            (_, [] | [_]) => Err(Refusal::method()),
            (method, [app, "lifecycle", verb @ ("activate" | "deactivate")]) => match *method {
                Method::POST => self.set_app_active(app, *verb == "activate", call.now),
                _ => Err(Refusal::method()),
            },
            (&Method::GET, [app, "sso", "saml", "metadata"]) => self.saml_metadata(call, app),
            (_, [app, "credentials", "keys", below @ ..]) => self.keys_endpoint(call, app, below),
            (_, [app, "credentials", "csrs", below @ ..]) => self.csrs_endpoint(call, app, below),
            (_, [app, "connections", "default", below @ ..]) => {
                self.connection_endpoint(call, app, below)
            }
            (_, [app, "features", below @ ..]) => self.features_endpoint(call, app, below),
            (_, [app, "users", below @ ..]) => self.app_users_endpoint(call, app, below),
            (_, [app, "groups", below @ ..]) => self.app_groups_endpoint(call, app, below),
            (&Method::PUT, [app, "policies", policy]) => self.assign_policy(call, app, policy),
            (_, [app, "grants", below @ ..]) => self.grants_endpoint(call, app, below),
            (_, [app, "group-push", "mappings", below @ ..]) => {
                self.pushes_endpoint(call, app, below)
            }
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    pub(crate) fn app(&self, id: &str) -> Result<&App, Refusal> {
        self.apps
            .get(id)
            .ok_or_else(|| Refusal::not_found(id, "AppInstance"))
    }

    pub(crate) fn app_mut(&mut self, id: &str) -> Result<&mut App, Refusal> {
        self.apps
            .get_mut(id)
            .ok_or_else(|| Refusal::not_found(id, "AppInstance"))
    }

    fn list_apps(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["q", "filter", "limit", "after"])?;
        let filter = call
            .parameter("filter")
            .map(|text| Filter::parse(text, FILTER));
        let filter = filter.transpose()?;
        let prefix = call.parameter("q").map(str::to_lowercase);
        let has_prefix = |text: &str| {
            prefix
                .as_ref()
                .is_none_or(|prefix| text.to_lowercase().starts_with(prefix))
        };
        let document = |app: &App| app.document(&self.id, &call.host);
        let wanted = |app: &App| {
            (has_prefix(app.name) || has_prefix(app.label()))
                && filter
                    .as_ref()
                    .is_none_or(|filter| filter.matches(&document(app)))
        };
        let found = |after: After<'_>| {
            let apps = self.apps.range::<str, _>(after);
            apps.filter(|(_, app)| wanted(app))
        };
        page(
            call,
            PageSizes::new(200, 200),
            self.page_size,
            found,
            document,
        )
    }

    fn create_app(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["activate"])?;
        let active = call.bool_parameter("activate", true)?;
        let body = call.json_object()?;
        let Some(name) = body.get("name").and_then(Value::as_str) else {
            return Err(Refusal::blank("name"));
        };
        let entry = catalog::find(name).filter(|entry| entry.can_be_added);
        let Some(entry) = entry else {
            return Err(Refusal::invalid(
                "name",
                "name: The application is not in the catalog",
            ));
        };
        match self.behavior.app_creation {
            AppCreation::Accepted => {}
            AppCreation::NeedsSettings => {
                let blank = blank_settings(entry, body.get("settings"));
                if !blank.is_empty() {
                    return Err(Refusal::invalid_fields(blank));
                }
            }
            AppCreation::Refused => {
                let cause = "name: The application cannot be created with the API";
                return Err(Refusal::invalid("name", cause));
            }
        }
        let id = self.add_app(entry, &body, active, call.now)?;
        self.log_app(call.now, "application.lifecycle.create", &id);
        Ok(Reply::ok(self.app(&id)?.document(&self.id, &call.host)))
    }

    /// Adds an instance of a catalog application and returns the instance's id.
    pub(super) fn add_app(
        &mut self,
        entry: &'static CatalogApp,
        body: &Map<String, Value>,
        active: bool,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let label = body
            .get("label")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let mut app = App {
            id: self.ids.id("0oa"),
            name: entry.name,
            catalog_entry: entry,
            exk: self.ids.id("exk"),
            active,
            created: now,
            updated: now,
            writable: Map::new(),
            keys: Vec::new(),
            csrs: BTreeMap::new(),
            provisioning: Provisioning::default(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            pushes: BTreeMap::new(),
            grants: BTreeMap::new(),
            user_schema: Schema::of_app_users(label, self.display_name_mapping.is_some(), now),
            policy: self.default_policy(),
        };
        if entry.sign_on_mode == Some("SAML_2_0") {
            app.keys.push(self.new_key(10, now));
        }
        app.apply_document(body)?;
        let id = app.id.clone();
        self.apps.insert(id.clone(), app);
        if entry.sign_on_mode == Some("SAML_2_0") {
            self.add_mappings(&id);
        }
        Ok(id)
    }

    fn replace_app(&mut self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let now = call.now;
        let defaults = self.behavior.app_defaults;
        let app = self.app_mut(app)?;
        // Recorded for this application: an update with blanks is refused, and the causes name both fields.
        let blank = blank_settings(app.catalog_entry, body.get("settings"));
        if !blank.is_empty() && body.contains_key("settings") {
            let summary = "Operation on application settings failed.";
            return Err(Refusal {
                causes: blank,
                ..Refusal::new(StatusCode::FORBIDDEN, "E0000039", summary)
            });
        }
        app.apply_document(&body)?;
        if defaults {
            app.add_defaults();
        }
        app.updated = now;
        let id = app.id.clone();
        self.log_app(now, "application.lifecycle.update", &id);
        Ok(Reply::ok(self.app(&id)?.document(&self.id, &call.host)))
    }

    fn set_app_active(
        &mut self,
        app: &str,
        active: bool,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let app = self.app_mut(app)?;
        if !app.catalog_entry.can_be_added {
            return Err(Refusal::forbidden_in_status(
                "The application is part of every org",
            ));
        }
        app.active = active;
        app.updated = now;
        let id = app.id.clone();
        let verb = if active { "activate" } else { "deactivate" };
        self.log_app(now, &format!("application.lifecycle.{verb}"), &id);
        Ok(Reply::ok(json!({})))
    }

    fn delete_app(&mut self, app: &str, now: Timestamp) -> Result<Reply, Refusal> {
        if self.app(app)?.active {
            let summary = "Delete application forbidden.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "E0000056", summary)
                .with_cause("The application must be deactivated before it can be deleted."));
        }
        self.log_app(now, "application.lifecycle.delete", app);
        self.apps.remove(app);
        self.remove_mappings(app);
        self.groups
            .retain(|_, group| !matches!(&group.kind, Kind::App { app: owner } if owner == app));
        Ok(Reply::no_content())
    }
}

/// Returns one cause for each required setting without a value.
fn blank_settings(entry: &CatalogApp, settings: Option<&Value>) -> Vec<String> {
    let is_blank = |name: &&&str| {
        let value = settings.map(|settings| &settings["app"][**name]);
        value
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
            .is_empty()
    };
    let blank = entry.required_settings.iter().filter(is_blank);
    blank
        .map(|name| format!("{name}: The field cannot be left blank"))
        .collect()
}

/// Source: parameter `filter` of "List all applications" in Okta's API reference.
const FILTER: Grammar = Grammar {
    attributes: &["id", "status", "name", "credentials.signing.kid"],
    operators: &["eq"],
    contains: &[],
    timestamps: &[],
    ignore_case: false,
};
