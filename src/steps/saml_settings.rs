//! Step `saml-settings`: the Okta app has AWS's ACS URL and issuer URL.

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta};
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

/// Returns whether the value at this path changes with every write.
fn changes_with_every_write(path: &str) -> bool {
    path.ends_with("lastUpdated") || path.starts_with("/_links") || path.starts_with("_links")
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
                let current = app.as_ref().and_then(|app| app.setting(key));
                let value = desired
                    .as_ref()
                    .and_then(|desired| desired.iter().find(|(name, _)| *name == key))
                    .map(|(_, value)| value.clone());
                if current.is_none() || current != value.as_deref() {
                    // Users who sign in through the current URLs lose this sign-in.
                    if current.is_some_and(|url| !is_placeholder(url)) {
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

/// Fails if the app does not have the two desired values, or if another value has changed.
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
    let written = |path: &str| desired.iter().any(|(key, _)| path.ends_with(key));
    let unexpected: Vec<String> = before
        .differences(after)
        .into_iter()
        .filter(|path| !written(path) && !changes_with_every_write(path))
        .collect();
    if unexpected.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::StalePlan, format!("app {} has changes that this run did not write: {}", after.id(), unexpected.join(", ")))
        .with_help("the app may have been changed elsewhere at the same time: check these values in Okta, then run again"))
}
