//! An app's complete document.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{AppStatus, SigningKey, differences::compare};
use crate::{
    Edit, EditError, Id, Raw,
    json::{Element, resource},
    raw::{members, text},
};

resource! {
    /// An app, as Okta sent it.
    ///
    /// An update replaces the whole document, so a client that drops unknown fields would delete them. `App` therefore
    /// keeps the complete document and provides accessors for parts of it. [`edit`](Self::edit) returns a document for
    /// an update.
    resource App {
        id: Id<App> = "/id",
        name: String = "/name",
        label: String = "/label",
        status: AppStatus = "/status",
        sign_on_mode: Option<String> = "/signOnMode",
        features: Vec<String> = "/features",
        settings: Settings = "/settings/app",
        signing_kid: Option<Id<SigningKey>> = "/credentials/signing/kid",
        user_name_template: Option<String> = "/credentials/userNameTemplate/template",
        created: Option<String> = "/created",
        last_updated: Option<String> = "/lastUpdated",
    }
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
        &self.name
    }

    /// Returns the label that users see.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the lifecycle status.
    #[must_use]
    pub fn status(&self) -> AppStatus {
        self.status.clone()
    }

    /// Returns the sign-on mode, such as `SAML_2_0`.
    #[must_use]
    pub fn sign_on_mode(&self) -> Option<&str> {
        self.sign_on_mode.as_deref()
    }

    /// Returns the enabled provisioning features, such as `PUSH_NEW_USERS`.
    ///
    /// They reflect the provisioning options that an admin enables in the Admin Console.
    #[must_use]
    pub fn features(&self) -> Vec<&str> {
        self.features.iter().map(String::as_str).collect()
    }

    /// Returns an app-specific setting, from `settings.app` in the document. An empty setting
    /// counts as absent, and so does a setting that is not a string.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.0.get(key).map(String::as_str)
    }

    /// Returns the app-specific settings as a type, such as [`AcsSettings`]. Keys differ between apps.
    ///
    /// # Errors
    ///
    /// Fails if the settings do not match `T`.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let settings = self.raw.get("/settings/app");
        serde_json::from_str(settings.as_ref().map_or("{}", Raw::as_str))
    }

    /// Returns the id of the app's signing key.
    #[must_use]
    pub fn signing_kid(&self) -> Option<&Id<SigningKey>> {
        self.signing_kid.as_ref()
    }

    /// Returns the template for user names at the app, such as `${source.login}`.
    #[must_use]
    pub fn user_name_template(&self) -> Option<&str> {
        self.user_name_template.as_deref()
    }

    /// Returns the time of the app's creation, in Okta's format.
    #[must_use]
    pub fn created(&self) -> Option<&str> {
        self.created.as_deref()
    }

    /// Returns the time of the last change, in Okta's format.
    #[must_use]
    pub fn last_updated(&self) -> Option<&str> {
        self.last_updated.as_deref()
    }

    /// Returns the document for an update: all fields except those that are read-only.
    #[must_use]
    pub fn edit(&self) -> Edit<Self> {
        Edit::of(&self.raw, &READ_ONLY)
    }

    /// Returns the sorted paths of the fields that differ in `after`, such as
    /// `settings.app.entityID`.
    ///
    /// Absent, `null` and empty strings count as equal, as they do for Okta. The order of features,
    /// the time of the last change and links are ignored.
    #[must_use]
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let mut paths = Vec::new();
        compare(
            String::new(),
            self.raw.as_str(),
            after.raw.as_str(),
            &mut paths,
        );
        paths
    }
}

impl Edit<App> {
    /// Sets an app-specific setting, in `settings.app` of the document.
    pub fn set_setting(&mut self, key: &str, value: impl Into<String>) {
        let pointer = format!("/settings/app/{}", crate::raw::escape(key));
        self.set_text(&pointer, &value.into());
    }

    /// Sets the members of `settings` in `settings.app` of the document. Other app-specific settings stay.
    ///
    /// # Errors
    ///
    /// Fails if `settings` is not serialized as an object.
    pub fn set_settings(&mut self, settings: &impl Serialize) -> Result<(), EditError> {
        let value = serde_json::to_value(settings);
        match value {
            Ok(serde_json::Value::Object(settings)) => {
                for (key, value) in settings {
                    self.set(
                        &format!("/settings/app/{}", crate::raw::escape(&key)),
                        value,
                    )?;
                }
                Ok(())
            }
            Ok(_) => Err(EditError::new(
                "/settings/app",
                "the settings are not an object",
            )),
            Err(error) => Err(EditError::serialize("/settings/app", error)),
        }
    }

    /// Sets the app's signing key.
    ///
    /// After the update, sign-in fails until the service provider knows the key's certificate.
    pub fn set_signing_kid(&mut self, kid: &Id<SigningKey>) {
        self.set_text("/credentials/signing/kid", kid.as_str());
    }

    /// Sets the label that users see.
    pub fn set_label(&mut self, label: impl Into<String>) {
        self.set_text("/label", &label.into());
    }
}

/// The app-specific settings of a SAML app that needs the URL of the service provider's assertion consumer service,
/// such as `amazon_aws_sso`, for [`App::settings`]. The keys of similar apps are spelled in other ways.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct AcsSettings {
    /// The URL of the assertion consumer service.
    #[serde(rename = "acsURL", default, skip_serializing_if = "Option::is_none")]
    pub acs_url: Option<String>,
    /// The entity id of the service provider.
    #[serde(rename = "entityID", default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
}

impl AcsSettings {
    /// Returns settings with both values.
    pub fn new(acs_url: impl Into<String>, entity_id: impl Into<String>) -> Self {
        Self {
            acs_url: Some(acs_url.into()),
            entity_id: Some(entity_id.into()),
        }
    }
}

/// The app-specific settings that are strings and not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settings(BTreeMap<String, String>);

impl Element for Settings {
    fn element(raw: &RawValue) -> Option<Self> {
        let setting = |(key, value): (&RawValue, &RawValue)| {
            Some((text(key.get())?.into_owned(), String::element(value)?))
        };
        let settings = members(raw.get())?.into_iter().filter_map(setting);
        Some(Self(settings.collect()))
    }

    fn absent() -> Option<Self> {
        Some(Self(BTreeMap::new()))
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::App;
    use crate::{
        AcsSettings, AppStatus, Edit, Id,
        json::{Missing, decode},
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
        decode::<App>(document).expect("a valid app")
    }

    fn kid(kid: &str) -> Id<crate::SigningKey> {
        Id::parse(kid).expect("an id")
    }

    fn value(edit: &Edit<App>) -> Value {
        serde_json::from_str(&edit.to_json()).expect("JSON")
    }

    #[test]
    fn settings_are_read_and_set_as_a_type() {
        let app = app(document());
        let settings: AcsSettings = app.settings().expect("settings");
        assert_eq!(settings, AcsSettings::new("https://acs", ""));
        let mut edit = app.edit();
        edit.set_settings(&AcsSettings {
            acs_url: None,
            ..AcsSettings::new("", "https://e/~")
        })
        .expect("an object");
        let expected = json!({ "acsURL": "https://acs", "entityID": "https://e/~" });
        assert_eq!(value(&edit)["settings"]["app"], expected);
        edit.set_settings(&7).expect_err("no object");
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
        assert_eq!(app.signing_kid(), Some(&kid("kid-1")));
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
        assert_eq!(decode::<App>(json!({ "name": "x" })), Err(Missing("/id")));
    }

    #[test]
    fn an_edit_keeps_all_fields_except_read_only_ones() {
        let mut edited = app(document()).edit();
        edited.set_setting("entityID", "https://entity");
        edited.set_signing_kid(&kid("kid-2"));
        edited.set_label("AWS!");
        assert_eq!(
            value(&edited),
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
        edited.set_signing_kid(&kid("kid"));
        let expected = json!({
            "settings": { "app": { "acsURL": "x" } }, "credentials": { "signing": { "kid": "kid" } }
        });
        assert_eq!(value(&edited), expected);
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
