//! A new app of the catalog.

use serde_json::{Map, Value, json};

/// A new app.
///
/// Fields may be added: end with `..NewApp::default()`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewApp {
    /// The app's key in Okta's catalog, such as `amazon_aws_sso`.
    pub name: String,
    /// The label that users see; it need not be unique.
    pub label: String,
    /// The sign-on mode, such as `SAML_2_0`.
    pub sign_on_mode: String,
    /// The template for user names at the app, such as `${source.login}` (default: Okta's default
    /// for the app).
    pub user_name_template: Option<String>,
    /// The app-specific settings, `settings.app` in the document. Their keys, and the spelling of
    /// similar keys, differ between apps.
    pub settings: Map<String, Value>,
}

impl NewApp {
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "name": self.name,
            "label": self.label,
            "signOnMode": self.sign_on_mode,
        });
        if let Some(template) = &self.user_name_template {
            let kind = if is_built_in(template) {
                "BUILT_IN"
            } else {
                "CUSTOM"
            };
            body["credentials"] =
                json!({ "userNameTemplate": { "template": template, "type": kind } });
        }
        if !self.settings.is_empty() {
            body["settings"] = json!({ "app": self.settings });
        }
        body
    }
}

/// Returns whether `template` is in the list that Okta's Admin Console offers.
fn is_built_in(template: &str) -> bool {
    BUILT_IN.contains(&template)
}

/// The templates of type `BUILT_IN` (`ApplicationCredentialsUsernameTemplate` in Okta's published
/// API specification).
const BUILT_IN: [&str; 11] = [
    "${source.employeeID}",
    "${source.samAccountName}",
    "${fn:toLowerCase(source.samAccountName)}",
    "${source.userName}",
    "${fn:substringBefore(source.userName, \"@\")}",
    "${source.email}",
    "${fn:toLowerCase(source.email)}",
    "${fn:substringBefore(source.email, \"@\")}",
    "${source.userName}${instance.userSuffix}",
    "${source.login}",
    "${fn:substringBefore(source.login, \"@\")}",
];

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::NewApp;

    #[test]
    fn the_body_of_a_new_app_contains_only_set_fields() {
        let mut app = NewApp {
            name: "amazon_aws_sso".to_owned(),
            label: "AWS".to_owned(),
            sign_on_mode: "SAML_2_0".to_owned(),
            ..NewApp::default()
        };
        let minimal = json!({ "name": "amazon_aws_sso", "label": "AWS", "signOnMode": "SAML_2_0" });
        assert_eq!(app.body(), minimal);

        app.user_name_template = Some("${source.login}".to_owned());
        app.settings = Map::from_iter([("entityID".to_owned(), json!("https://x"))]);
        let body = app.body();
        let template = json!({ "template": "${source.login}", "type": "BUILT_IN" });
        assert_eq!(body["credentials"]["userNameTemplate"], template);
        assert_eq!(
            body["settings"],
            json!({ "app": { "entityID": "https://x" } })
        );
    }

    #[test]
    fn a_template_outside_the_list_has_type_custom() {
        let app = NewApp {
            user_name_template: Some("${user.login}-x".to_owned()),
            ..NewApp::default()
        };
        assert_eq!(
            app.body()["credentials"]["userNameTemplate"]["type"],
            "CUSTOM"
        );
    }
}
