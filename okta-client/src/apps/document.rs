//! An app's complete document.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::AppStatus;
use crate::{
    Id,
    json::{self, FromJson, Missing},
};

/// An app, as Okta sent it.
///
/// An update replaces the whole document, so a client that drops unknown fields would delete them.
/// `App` therefore keeps the complete document and provides accessors for parts of it.
/// [`edit`](Self::edit) returns a document for an update.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    id: Id<Self>,
    document: Value,
}

impl App {
    /// Returns the app's id.
    #[must_use]
    pub fn id(&self) -> &Id<Self> {
        &self.id
    }

    /// Returns the app's key in Okta's catalog, such as `amazon_aws_sso`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.str_at("/name").unwrap_or_default()
    }

    /// Returns the label that users see.
    #[must_use]
    pub fn label(&self) -> &str {
        self.str_at("/label").unwrap_or_default()
    }

    /// Returns the lifecycle status.
    #[must_use]
    pub fn status(&self) -> AppStatus {
        json::open_enum(&self.document, "/status")
    }

    /// Returns the sign-on mode, such as `SAML_2_0`.
    #[must_use]
    pub fn sign_on_mode(&self) -> Option<&str> {
        self.str_at("/signOnMode")
    }

    /// Returns the enabled provisioning features, such as `PUSH_NEW_USERS`.
    ///
    /// They reflect the provisioning options that an admin enables in the Admin Console.
    #[must_use]
    pub fn features(&self) -> Vec<&str> {
        let features = self.document.get("features").and_then(Value::as_array);
        features
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// Returns an app-specific setting, from `settings.app` in the document. An empty setting
    /// counts as absent.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        let value = self.document.pointer("/settings/app")?.get(key)?;
        value.as_str().filter(|text| !text.is_empty())
    }

    /// Returns the id of the app's signing key.
    #[must_use]
    pub fn signing_kid(&self) -> Option<&str> {
        self.str_at("/credentials/signing/kid")
    }

    /// Returns the template for user names at the app, such as `${source.login}`.
    #[must_use]
    pub fn user_name_template(&self) -> Option<&str> {
        self.str_at("/credentials/userNameTemplate/template")
    }

    /// Returns the time of the last change, in Okta's format.
    #[must_use]
    pub fn last_updated(&self) -> Option<&str> {
        self.str_at("/lastUpdated")
    }

    /// Returns the whole document.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns the document for an update: all fields except those that are read-only.
    #[must_use]
    pub fn edit(&self) -> AppDocument {
        let mut document = self.document.as_object().cloned().unwrap_or_default();
        document.retain(|key, _| !READ_ONLY.contains(&key.as_str()));
        AppDocument {
            document: Value::Object(document),
        }
    }

    /// Returns the sorted paths of the fields that differ in `after`, such as
    /// `settings.app.entityID`.
    ///
    /// Absent, `null` and empty strings count as equal, as they do for Okta. The order of features,
    /// the time of the last change and links are ignored.
    #[must_use]
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let mut paths = Vec::new();
        compare(String::new(), &self.document, &after.document, &mut paths);
        paths
    }

    fn str_at(&self, pointer: &str) -> Option<&str> {
        json::str_at(&self.document, pointer)
    }
}

impl FromJson for App {
    fn from_json(document: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&document, "/id")?,
            document,
        })
    }
}

/// An edited app document, for [`Apps::replace`](super::Apps::replace).
#[derive(Debug, Clone, PartialEq)]
pub struct AppDocument {
    document: Value,
}

impl AppDocument {
    /// Sets an app-specific setting, in `settings.app` of the document.
    pub fn set_setting(&mut self, key: &str, value: impl Into<String>) {
        let app = child(child(&mut self.document, "settings"), "app");
        object(app).insert(key.to_owned(), Value::String(value.into()));
    }

    /// Sets the app's signing key.
    ///
    /// After the update, sign-in fails until the service provider knows the key's certificate.
    pub fn set_signing_kid(&mut self, kid: impl Into<String>) {
        let signing = child(child(&mut self.document, "credentials"), "signing");
        object(signing).insert("kid".to_owned(), Value::String(kid.into()));
    }

    /// Sets the label that users see.
    pub fn set_label(&mut self, label: impl Into<String>) {
        object(&mut self.document).insert("label".to_owned(), Value::String(label.into()));
    }

    /// Returns the whole document.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }
}

/// Returns the value as an object. A value of another type, such as `null`, becomes an empty
/// object.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("the value is an object")
}

fn child<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    object(value).entry(key).or_insert(Value::Null)
}

/// Adds the paths of all differences between two values to `paths`.
fn compare(path: String, before: &Value, after: &Value, paths: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                if path.is_empty() && IGNORED.contains(&key.as_str()) {
                    continue;
                }
                let at = |object: &Map<_, _>| object.get(key).cloned().unwrap_or(Value::Null);
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                compare(path, &at(before), &at(after), paths);
            }
        }
        (Value::Array(before), Value::Array(after)) if path == "features" => {
            let set = |list: &[Value]| list.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            if set(before) != set(after) {
                paths.push(path);
            }
        }
        _ if is_empty(before) && is_empty(after) => {}
        _ if before == after => {}
        _ => paths.push(path),
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

/// The read-only fields. All other fields are sent back unchanged.
const READ_ONLY: [&str; 9] = [
    "id",
    "orn",
    "created",
    "lastUpdated",
    "status",
    "features",
    "universalLogout",
    "_links",
    "_embedded",
];

/// Fields that may differ between two reads of an unchanged app.
const IGNORED: [&str; 3] = ["lastUpdated", "_links", "_embedded"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::App;
    use crate::{
        AppStatus,
        json::{FromJson, Missing},
    };

    fn document() -> Value {
        json!({
            "id": "0oa1", "orn": "orn:okta:idp:00o1:apps:amazon_aws_sso:0oa1",
            "name": "amazon_aws_sso", "label": "AWS", "status": "ACTIVE",
            "created": "2026-01-01T00:00:00.000Z", "lastUpdated": "2026-01-02T00:00:00.000Z",
            "accessibility": { "selfService": false, "errorRedirectUrl": null },
            "features": ["GROUP_PUSH", "PUSH_NEW_USERS"],
            "signOnMode": "SAML_2_0",
            "credentials": {
                "userNameTemplate": { "template": "${source.login}", "type": "BUILT_IN" },
                "signing": { "kid": "kid-1" }
            },
            "universalLogout": { "status": "UNSUPPORTED" },
            "settings": {
                "app": { "acsURL": "https://acs", "entityID": "" },
                "signOn": { "attributeStatements": [] },
                "new section": { "anything": [1, 2.5, null] }
            },
            "_links": { "metadata": { "href": "https://acme.okta.com/x" } }
        })
    }

    fn app(document: Value) -> App {
        App::from_json(document).expect("a valid app")
    }

    #[track_caller]
    fn check_differences(change: impl FnOnce(&mut Value), expected: &[&str]) {
        let mut after = document();
        change(&mut after);
        assert_eq!(app(document()).differences(&app(after)), expected);
    }

    #[test]
    fn the_accessors_read_the_document() {
        let app = app(document());
        assert_eq!(app.id().as_str(), "0oa1");
        assert_eq!((app.name(), app.label()), ("amazon_aws_sso", "AWS"));
        assert_eq!(app.status(), AppStatus::Active);
        assert_eq!(app.sign_on_mode(), Some("SAML_2_0"));
        assert_eq!(app.features(), ["GROUP_PUSH", "PUSH_NEW_USERS"]);
        assert_eq!(app.setting("acsURL"), Some("https://acs"));
        assert_eq!(app.setting("entityID"), None);
        assert_eq!(app.setting("acsUrl"), None, "keys are case-sensitive");
        assert_eq!(app.signing_kid(), Some("kid-1"));
        assert_eq!(app.user_name_template(), Some("${source.login}"));
        assert_eq!(app.last_updated(), Some("2026-01-02T00:00:00.000Z"));
    }

    #[test]
    fn an_app_with_invalid_fields_is_decoded() {
        let odd = json!({ "id": "0oa1", "signOnMode": null, "settings": null, "features": 7 });
        let app = app(odd);
        assert_eq!(
            (app.name(), app.sign_on_mode(), app.setting("x")),
            ("", None, None)
        );
        assert!(app.features().is_empty());
        assert_eq!(App::from_json(json!({ "name": "x" })), Err(Missing("/id")));
    }

    #[test]
    fn an_edit_keeps_all_fields_except_read_only_ones() {
        let mut edited = app(document()).edit();
        edited.set_setting("entityID", "https://entity");
        edited.set_signing_kid("kid-2");
        edited.set_label("AWS!");
        assert_eq!(
            *edited.document(),
            json!({
                "name": "amazon_aws_sso", "label": "AWS!", "signOnMode": "SAML_2_0",
                "accessibility": { "selfService": false, "errorRedirectUrl": null },
                "credentials": {
                    "userNameTemplate": { "template": "${source.login}", "type": "BUILT_IN" },
                    "signing": { "kid": "kid-2" }
                },
                "settings": {
                    "app": { "acsURL": "https://acs", "entityID": "https://entity" },
                    "signOn": { "attributeStatements": [] },
                    "new section": { "anything": [1, 2.5, null] }
                }
            })
        );
    }

    #[test]
    fn setting_a_field_creates_missing_objects() {
        let mut edited = app(json!({ "id": "0oa1", "settings": { "app": null } })).edit();
        edited.set_setting("acsURL", "x");
        edited.set_signing_kid("kid");
        let expected = json!({
            "settings": { "app": { "acsURL": "x" } }, "credentials": { "signing": { "kid": "kid" } }
        });
        assert_eq!(*edited.document(), expected);
    }

    #[test]
    fn differences_are_reported_as_paths() {
        check_differences(|_| {}, &[]);
        check_differences(|app| app["label"] = json!("x"), &["label"]);
        check_differences(
            |app| {
                app["settings"]["app"] = json!({ "acsURL": "y" });
                app["settings"]["new section"] = json!(null);
                app["features"] = json!([]);
                app["new"] = json!(true);
            },
            &[
                "features",
                "new",
                "settings.app.acsURL",
                "settings.new section",
            ],
        );
    }

    #[test]
    fn equivalent_values_are_not_reported_as_differences() {
        check_differences(
            |app| {
                app["settings"]["app"]["entityID"] = json!(null);
                app["accessibility"] = json!({ "selfService": false, "loginRedirectUrl": "" });
                app["features"] = json!(["PUSH_NEW_USERS", "GROUP_PUSH"]);
                app["lastUpdated"] = json!("2026-03-01T00:00:00.000Z");
                app["_links"] = json!({});
            },
            &[],
        );
    }
}
