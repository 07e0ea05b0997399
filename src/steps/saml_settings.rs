//! Step `saml-settings`: the Okta app has AWS's ACS URL and issuer URL.

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta};
use serde_json::Value as Json;
use url::Url;

use super::{
    catalog::{ACS_URL, ENTITY_ID},
    ids, lookup,
};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, Note, StepId, Subject, Value},
    step::{Applied, Planned, Step},
};

/// Writes the ACS URL and the issuer URL of Identity Center to the Okta app.
#[derive(Clone, Debug)]
pub struct SamlSettings {
    okta: Okta,
}

impl SamlSettings {
    /// Creates the step. It uses the app of an earlier step.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self { okta: okta.clone() }
    }
}

/// Returns the settings that the app needs, or `None` if they are not known yet.
fn desired_settings(cx: &Context) -> Option<[(&'static str, String); 2]> {
    cx.facts(|facts| {
        let source = facts.identity_source.as_ref()?;
        Some([
            (ACS_URL, source.acs.first()?.to_string()),
            (ENTITY_ID, source.issuer.to_string()),
        ])
    })
}

/// Returns whether a URL of the app is only a placeholder, which no browser can open.
pub(super) fn is_placeholder(url: &str) -> bool {
    let host = Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(ToOwned::to_owned));
    host.is_none_or(|host| host.ends_with(".invalid"))
}

impl Step for SamlSettings {
    fn id(&self) -> StepId {
        ids::SAML_SETTINGS
    }

    fn title(&self) -> String {
        "SAML settings of the Okta app".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::AppSettings]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let app = lookup::app(&self.okta, cx).await?;
            let desired = desired_settings(cx);
            let mut change = Change::new(Action::Update, Subject::AppSettings {});
            for key in [ACS_URL, ENTITY_ID] {
                // A placeholder is no value: the app of an earlier change of the same plan has it, and it serves no user.
                let current = app.as_ref().and_then(|app| app.setting(key));
                let current = current.filter(|url| !is_placeholder(url));
                let value = desired
                    .as_ref()
                    .and_then(|desired| desired.iter().find(|(name, _)| *name == key))
                    .map(|(_, value)| value.clone());
                if current.is_none() || current != value.as_deref() {
                    // Users who sign in through the current URLs lose this sign-in.
                    if current.is_some() {
                        change.action = Action::Remove;
                    }
                    let value = Value::known_or_after(value, &ids::IDENTITY_SOURCE);
                    change = change.field(key, current.map(ToOwned::to_owned).into(), value);
                }
            }
            if change.fields.is_empty() {
                return Ok(Planned::nothing());
            }
            if change.action == Action::Remove {
                let text = "the app has other URLs: it may serve another AWS organization, whose users then can no longer sign in";
                change = change.because(Note::new("moves-sign-in", text));
            }
            Ok(Planned::one(change))
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let desired = desired_settings(cx).ok_or_else(|| {
                lookup::missing_prerequisite(
                    "the ACS URL and the issuer URL",
                    &ids::IDENTITY_SOURCE,
                )
            })?;
            let before = lookup::require_app(&self.okta, cx).await?;
            let id = before.id().clone();
            // Okta has no PATCH for apps, and a PUT replaces the app. The request therefore sends the whole document, with
            // two values changed.
            let mut document = before.edit();
            for (key, value) in &desired {
                document.set_setting(key, value);
            }
            self.okta
                .apps()
                .replace(&id, &document)
                .await
                .map_err(|error| {
                    Error::service(
                        format!("Okta did not accept the SAML settings of app {id}"),
                        error,
                    )
                })?;
            let after = lookup::require_app(&self.okta, cx).await?;
            check_written(&before, &after, &desired)?;
            Ok(Applied::Done)
        })
    }
}

/// Fails if the app does not have the two desired values, or if another value has changed or is lost.
fn check_written(before: &App, after: &App, desired: &[(&'static str, String)]) -> Result<()> {
    for (key, value) in desired {
        let current = after.setting(key);
        if current != Some(value) {
            return Err(Error::new(
                ErrorKind::StalePlan,
                format!("Okta accepted {key} = {value} for app {} but now returns {}", after.id(), current.unwrap_or("no value")),
            )
            .with_help("the app may have been changed elsewhere at the same time: check its Sign On tab in Okta, then run again"));
        }
    }
    let mut difference = Difference::default();
    difference.compare(String::new(), &document(before)?, &document(after)?);
    let is_desired = |path: &String| desired.iter().any(|(key, _)| path.ends_with(key));
    difference.changed.retain(|path| !is_desired(path));
    if !difference.added.is_empty() {
        tracing::info!(app = %after.id(), added = ?difference.added, "Okta has added values to the app");
    }
    if difference.changed.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::StalePlan, format!("app {} has changes that this run did not write: {}", after.id(), difference.changed.join(", ")))
        .with_help("the app may have been changed elsewhere at the same time: check these values in Okta, then run again"))
}

fn document(app: &App) -> Result<Json> {
    app.raw().to_value().map_err(|error| {
        Error::new(
            ErrorKind::InvalidAnswer,
            format!(
                "app {} of Okta cannot be compared with the document of the write",
                app.id()
            ),
        )
        .with_source(error)
    })
}

/// The paths at which a document of Okta differs from the document before a write.
///
/// Okta completes a document that is written: it adds fields with their defaults, and returns one empty value for another.
/// Only a changed or a lost value shows that the write did more than it should, or that another write came in between.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    changed: Vec<String>,
    added: Vec<String>,
}

impl Difference {
    fn compare(&mut self, path: String, before: &Json, after: &Json) {
        match (before, after) {
            (Json::Object(before), Json::Object(after)) => {
                let child = |key: &str| {
                    if path.is_empty() {
                        key.to_owned()
                    } else {
                        format!("{path}.{key}")
                    }
                };
                let is_compared = |key: &str| !path.is_empty() || !VOLATILE.contains(&key);
                for (key, before) in before.iter().filter(|(key, _)| is_compared(key)) {
                    self.compare(child(key), before, after.get(key).unwrap_or(&Json::Null));
                }
                let is_added = |key: &str| is_compared(key) && !before.contains_key(key);
                let added = after.keys().filter(|key| is_added(key));
                self.added.extend(added.map(|key| child(key)));
            }
            // The features are a set.
            (Json::Array(before), Json::Array(after)) if path == "features" => {
                if before.iter().any(|feature| !after.contains(feature)) {
                    self.changed.push(path);
                } else if before.len() < after.len() {
                    self.added.push(path);
                }
            }
            (Json::Array(before), Json::Array(after)) if before.len() == after.len() => {
                for (index, (before, after)) in before.iter().zip(after).enumerate() {
                    self.compare(format!("{path}.{index}"), before, after);
                }
            }
            _ if before == after || is_empty(before) && is_empty(after) => {}
            _ => self.changed.push(path),
        }
    }
}

/// Returns whether a value says no more than an absent one.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.values().all(is_empty),
        Json::Bool(true) | Json::Number(_) => false,
    }
}

/// The top-level fields that differ between two reads of an unchanged app.
const VOLATILE: [&str; 3] = ["lastUpdated", "_links", "_embedded"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Difference, Json};

    #[test]
    fn a_default_that_okta_adds_is_no_change_and_a_lost_value_is_one() {
        let before = json!({
            "label": "AWS", "features": ["GROUP_PUSH", "PUSH_NEW_USERS"], "lastUpdated": "1",
            "settings": { "signOn": { "destination": "https://d", "attributeStatements": [], "audienceOverride": "", "slo": { "enabled": false } } },
            "statements": [{ "name": "a", "filter": null }],
        });
        let difference = |edit: fn(&mut Json)| {
            let mut after = before.clone();
            edit(&mut after);
            let mut difference = Difference::default();
            difference.compare(String::new(), &before, &after);
            (difference.changed, difference.added)
        };
        let none = [""; 0].map(String::from).to_vec();
        for unchanged in [
            (|after| after["lastUpdated"] = json!("2")) as fn(&mut Json),
            |after| after["features"] = json!(["PUSH_NEW_USERS", "GROUP_PUSH"]),
            |after| after["settings"]["signOn"]["attributeStatements"] = json!(null),
            |after| after["settings"]["signOn"]["audienceOverride"] = json!(null),
            |after| after["settings"]["signOn"]["slo"] = json!(null),
            |after| after["statements"] = json!([{ "name": "a" }]),
        ] {
            assert_eq!(difference(unchanged), (none.clone(), none.clone()));
        }
        let (changed, added) = difference(|after| {
            after["licensing"] = json!({ "seatCount": 5 });
            after["settings"]["signOn"]["honorForceAuthn"] = json!(false);
        });
        assert_eq!(changed, none);
        assert_eq!(added, ["settings.signOn.honorForceAuthn", "licensing"]);
        for (path, edit) in [
            (
                "label",
                (|after| after["label"] = json!(null)) as fn(&mut Json),
            ),
            ("features", |after| {
                after["features"] = json!(["GROUP_PUSH"]);
            }),
            ("settings", |after| after["settings"] = json!([])),
            ("settings.signOn.audienceOverride", |after| {
                after["settings"]["signOn"]["audienceOverride"] = json!("urn:other");
            }),
            ("settings.signOn.slo.enabled", |after| {
                after["settings"]["signOn"]["slo"]["enabled"] = json!(true);
            }),
            ("statements.0.name", |after| {
                after["statements"] = json!([{ "name": "b" }]);
            }),
        ] {
            assert_eq!(difference(edit), (vec![path.to_owned()], none.clone()));
        }
    }
}
