//! The writable part of an application's document, and Okta's rules for it.

use serde_json::{Map, Value, json};

use super::{apps::App, reply::Refusal};

impl App {
    /// Applies the document of a create or replace request.
    ///
    /// The rules are those of the real API. Fields that the system assigns are ignored (`id`, `name`,
    /// `status`, `created`, `lastUpdated`, `features`, links). A missing top-level object stays
    /// unchanged. A top-level object that is present replaces the old object completely. A rejected
    /// document changes nothing.
    pub(super) fn apply_document(&mut self, body: &Map<String, Value>) -> Result<(), Refusal> {
        let mut writable = self.writable.clone();
        writable.insert("label".to_owned(), label(body)?.into());
        self.check_sign_on_mode(body)?;
        for name in ["accessibility", "visibility", "settings", "credentials"] {
            let sent = match body.get(name) {
                Some(Value::Object(sent)) => sent.clone(),
                Some(Value::Null) | None if writable.contains_key(name) => continue,
                Some(Value::Null) | None => Map::new(),
                Some(_) => return Err(Refusal::malformed()),
            };
            let value = match name {
                "accessibility" => accessibility(&sent),
                "visibility" => self.visibility(&sent),
                "settings" => self.settings(&sent)?,
                _ => self.credentials(&sent, writable.get(name))?,
            };
            writable.insert(name.to_owned(), value);
        }
        self.writable = writable;
        Ok(())
    }

    /// Adds the defaults that Okta fills in when an application is updated.
    pub(super) fn add_defaults(&mut self) {
        if let Some(sign_on) = self
            .writable
            .get_mut("settings")
            .map(|settings| &mut settings["signOn"])
        {
            sign_on["honorForceAuthn"] = false.into();
            if sign_on["attributeStatements"] == json!([]) {
                sign_on["attributeStatements"] = Value::Null;
            }
        }
        self.writable
            .insert("licensing".to_owned(), json!({ "seatCount": 0 }));
    }

    fn check_sign_on_mode(&self, body: &Map<String, Value>) -> Result<(), Refusal> {
        match body.get("signOnMode").and_then(Value::as_str) {
            sent if sent == self.catalog_entry.sign_on_mode => Ok(()),
            None => Err(Refusal::blank("signOnMode")),
            Some(_) => Err(Refusal::invalid(
                "signOnMode",
                "signOnMode: Not one of the allowed values.",
            )),
        }
    }

    fn visibility(&self, sent: &Map<String, Value>) -> Value {
        let hide = sent.get("hide");
        let hidden = |client: &str| {
            hide.and_then(|hide| hide[client].as_bool())
                .unwrap_or_default()
        };
        let (link, _) = self.catalog_entry.link;
        json!({
            "autoLaunch": flag(sent, "autoLaunch"),
            "autoSubmitToolbar": flag(sent, "autoSubmitToolbar"),
            "hide": { "iOS": hidden("iOS"), "web": hidden("web") },
            "appLinks": { link: true },
        })
    }

    fn settings(&self, sent: &Map<String, Value>) -> Result<Value, Refusal> {
        let empty = Map::new();
        let given = sent.get("app").and_then(Value::as_object).unwrap_or(&empty);
        // Unknown keys (of another application, or misspelled) are dropped without an error.
        let keys = self.catalog_entry.settings.iter();
        let app: Map<String, Value> = keys
            .map(|&key| (key.to_owned(), given.get(key).cloned().unwrap_or_default()))
            .collect();
        let notes = sent.get("notes").cloned().unwrap_or_default();
        let mut settings = json!({
            "app": app,
            "notifications": {
                "vpn": { "network": { "connection": "DISABLED" }, "message": null, "helpUrl": null }
            },
            "manualProvisioning": flag(sent, "manualProvisioning"),
            "implicitAssignment": flag(sent, "implicitAssignment"),
            "emOptInStatus": "NONE",
            "notes": { "admin": notes["admin"], "enduser": notes["enduser"] },
        });
        if self.catalog_entry.sign_on_mode == Some("SAML_2_0") {
            let sent = sent
                .get("signOn")
                .and_then(Value::as_object)
                .unwrap_or(&empty);
            settings["signOn"] = sign_on(sent)?;
        }
        Ok(settings)
    }

    fn credentials(
        &self,
        sent: &Map<String, Value>,
        old: Option<&Value>,
    ) -> Result<Value, Refusal> {
        let default = json!({ "template": "${source.login}", "type": "BUILT_IN" });
        // Okta documents that the signing credential can be sent alone.
        let previous = |name: &str| old.and_then(|old| old.get(name)).cloned();
        let template = match sent.get("userNameTemplate") {
            Some(Value::Object(template)) => user_name_template(template)?,
            _ => previous("userNameTemplate").unwrap_or(default),
        };
        let mut credentials = json!({ "userNameTemplate": template });
        if let Some(first) = self.keys.first() {
            let sent = sent
                .get("signing")
                .and_then(|signing| signing["kid"].as_str());
            credentials["signing"] = match sent {
                None => previous("signing").unwrap_or_else(|| json!({ "kid": first.kid })),
                Some(kid) if self.key(kid).is_some() => json!({ "kid": kid }),
                Some(kid) => {
                    let cause = format!("kid: The app has no key {kid}");
                    return Err(Refusal::invalid("credentials.signing.kid", cause));
                }
            };
        }
        Ok(credentials)
    }
}

fn label(body: &Map<String, Value>) -> Result<&str, Refusal> {
    let label = body
        .get("label")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if label.trim().is_empty() {
        return Err(Refusal::blank("label"));
    }
    if label.chars().count() > 100 {
        return Err(Refusal::invalid("label", "label: The field is too long"));
    }
    // Okta only stores characters of the Basic Multilingual Plane.
    if label.chars().any(|character| character.len_utf8() > 3) {
        return Err(Refusal::invalid(
            "label",
            "label: The field contains invalid characters",
        ));
    }
    Ok(label)
}

fn accessibility(sent: &Map<String, Value>) -> Value {
    let text = |name: &str| sent.get(name).cloned().unwrap_or_default();
    json!({
        "selfService": flag(sent, "selfService"),
        "errorRedirectUrl": text("errorRedirectUrl"),
        "loginRedirectUrl": text("loginRedirectUrl"),
    })
}

/// Returns the SAML settings of a catalog application, which only has override fields.
///
/// The real API answers 500 to the fields of a custom SAML application.
fn sign_on(sent: &Map<String, Value>) -> Result<Value, Refusal> {
    if CUSTOM_SAML.iter().any(|name| sent.contains_key(*name)) {
        return Err(Refusal::internal());
    }
    let value = |name: &str| match sent.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Value::from(text.as_str()),
        _ => Value::Null,
    };
    let mut settings: Map<String, Value> = OVERRIDES
        .iter()
        .map(|&name| (name.to_owned(), value(name)))
        .collect();
    let statements = sent
        .get("attributeStatements")
        .filter(|statements| statements.is_array());
    let statements = statements.cloned().unwrap_or_else(|| json!([]));
    settings.insert("attributeStatements".to_owned(), statements);
    Ok(settings.into())
}

fn user_name_template(sent: &Map<String, Value>) -> Result<Value, Refusal> {
    let text = |name: &str| sent.get(name).and_then(Value::as_str);
    let kind = text("type").unwrap_or("BUILT_IN");
    if !["NONE", "BUILT_IN", "CUSTOM"].contains(&kind) {
        return Err(Refusal::invalid(
            "type",
            "type: Not one of the allowed values.",
        ));
    }
    let mut template = json!({
        "template": text("template").unwrap_or("${source.login}"),
        "type": kind,
    });
    for name in ["userSuffix", "pushStatus"] {
        if let Some(value) = text(name) {
            template[name] = value.into();
        }
    }
    Ok(template)
}

fn flag(sent: &Map<String, Value>, name: &str) -> bool {
    sent.get(name).and_then(Value::as_bool).unwrap_or_default()
}

const OVERRIDES: [&str; 5] = [
    "defaultRelayState",
    "ssoAcsUrlOverride",
    "audienceOverride",
    "recipientOverride",
    "destinationOverride",
];

const CUSTOM_SAML: [&str; 7] = [
    "ssoAcsUrl",
    "idpIssuer",
    "audience",
    "recipient",
    "destination",
    "subjectNameIdTemplate",
    "subjectNameIdFormat",
];
