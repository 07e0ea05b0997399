//! What of an application can be written, and what Okta makes of it.

use serde_json::{Map, Value, json};

use super::{answer::Refusal, apps::App};

impl App {
    /// Takes over a document of a create or replace request.
    ///
    /// As in the real API, what the system assigns is ignored (`id`, `name`, `status`, `created`,
    /// `lastUpdated`, `features`, links), a top-level object that is left out stays as it is, and one
    /// that is there replaces the old one with everything in it. Nothing changes if it is refused.
    pub(super) fn write(&mut self, body: &Map<String, Value>) -> Result<(), Refusal> {
        let mut written = self.written.clone();
        written.insert("label".to_owned(), label(body)?.into());
        self.check_sign_on_mode(body)?;
        for name in ["accessibility", "visibility", "settings", "credentials"] {
            let sent = match body.get(name) {
                Some(Value::Object(sent)) => sent.clone(),
                Some(Value::Null) | None if written.contains_key(name) => continue,
                Some(Value::Null) | None => Map::new(),
                Some(_) => return Err(Refusal::malformed()),
            };
            let value = match name {
                "accessibility" => accessibility(&sent),
                "visibility" => self.visibility(&sent),
                "settings" => self.settings(&sent)?,
                _ => self.credentials(&sent, written.get(name))?,
            };
            written.insert(name.to_owned(), value);
        }
        self.written = written;
        Ok(())
    }

    fn check_sign_on_mode(&self, body: &Map<String, Value>) -> Result<(), Refusal> {
        match body.get("signOnMode").and_then(Value::as_str) {
            sent if sent == self.entry.sign_on_mode => Ok(()),
            None => Err(Refusal::blank("signOnMode")),
            Some(_) => Err(Refusal::invalid(
                "signOnMode",
                "signOnMode: Not one of the allowed values.",
            )),
        }
    }

    fn visibility(&self, sent: &Map<String, Value>) -> Value {
        let hide = sent.get("hide");
        let hidden = |place: &str| {
            hide.and_then(|hide| hide[place].as_bool())
                .unwrap_or_default()
        };
        let (link, _) = self.entry.link;
        json!({
            "autoLaunch": flag(sent, "autoLaunch"),
            "autoSubmitToolbar": flag(sent, "autoSubmitToolbar"),
            "hide": { "iOS": hidden("iOS"), "web": hidden("web") },
            "appLinks": { link: true },
        })
    }

    fn settings(&self, sent: &Map<String, Value>) -> Result<Value, Refusal> {
        let none = Map::new();
        let given = sent.get("app").and_then(Value::as_object).unwrap_or(&none);
        // A key of another application, or in another spelling, is dropped without a word.
        let keys = self.entry.settings.iter();
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
        if self.entry.sign_on_mode == Some("SAML_2_0") {
            let sent = sent
                .get("signOn")
                .and_then(Value::as_object)
                .unwrap_or(&none);
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
        // Okta documents that the signing credential may be sent alone.
        let kept = |name: &str| old.and_then(|old| old.get(name)).cloned();
        let template = match sent.get("userNameTemplate") {
            Some(Value::Object(template)) => user_name_template(template)?,
            _ => kept("userNameTemplate").unwrap_or(default),
        };
        let mut credentials = json!({ "userNameTemplate": template });
        if let Some(first) = self.keys.first() {
            let sent = sent
                .get("signing")
                .and_then(|signing| signing["kid"].as_str());
            credentials["signing"] = match sent {
                None => kept("signing").unwrap_or_else(|| json!({ "kid": first.kid })),
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
    // Okta stores the Basic Multilingual Plane only.
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

/// The SAML settings of a catalog application, which has overrides and nothing else.
///
/// The fields of a custom SAML application make the real API fail with status 500.
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
