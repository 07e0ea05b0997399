//! The Okta app knows where AWS wants assertions, and as whom AWS wants to be addressed.

use futures::future::BoxFuture;
use okta_client::{App, Client as Okta};

use super::{ACS_URL, ENTITY_ID};
use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId, Value},
    step::{Applied, Context, Planned, Step},
};

/// The Okta app has the ACS URL and the issuer URL of Identity Center.
#[derive(Clone, Debug)]
pub struct SamlSettings {
    okta: Okta,
}

impl SamlSettings {
    /// The step for the app that an earlier step has made or found.
    #[must_use]
    pub fn new(okta: &Okta) -> Self {
        Self { okta: okta.clone() }
    }
}

/// What is to be in the app, if it is known by now.
fn wanted(cx: &Context) -> Option<[(&'static str, String); 2]> {
    cx.facts(|facts| {
        let source = facts.identity_source.as_ref()?;
        Some([
            (ACS_URL, source.acs.first()?.to_string()),
            (ENTITY_ID, source.issuer.to_string()),
        ])
    })
}

/// Differences that come with any write and mean nothing.
fn means_nothing(path: &str) -> bool {
    path.ends_with("lastUpdated") || path.starts_with("/_links") || path.starts_with("_links")
}

impl Step for SamlSettings {
    fn id(&self) -> StepId {
        StepId::new("saml-settings")
    }

    fn title(&self) -> String {
        "SAML settings of the Okta app".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let target = "settings of the app";
            let app = super::app(&self.okta, cx).await?;
            let wanted = wanted(cx);
            let mut change = Change::new(Action::Update, target);
            let mut moves_sign_in = false;
            for key in [ACS_URL, ENTITY_ID] {
                let now = app.as_ref().and_then(|app| app.setting(key));
                let value = wanted
                    .as_ref()
                    .and_then(|wanted| wanted.iter().find(|(name, _)| *name == key))
                    .map(|(_, value)| value.clone());
                if now.is_none() || now != value.as_deref() {
                    moves_sign_in |= now.is_some();
                    let value = Value::known_or_after(value, &StepId::new("identity-source"));
                    change = change.from_to_value(key, now.map(ToOwned::to_owned), value);
                }
            }
            if change.fields.is_empty() {
                return Ok(Planned::nothing());
            }
            let planned = Planned::one(change);
            Ok(if moves_sign_in {
                planned.note("the app points elsewhere now: from this change on, everybody who signs in through it arrives here")
            } else {
                planned
            })
        })
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let wanted = wanted(cx).ok_or_else(|| {
                super::missing("the ACS URL and the issuer URL", "identity-source")
            })?;
            let before = super::needed_app(&self.okta, cx).await?;
            let id = before.id().clone();
            // Okta has no PATCH for apps, and a PUT replaces: the whole document goes back, with two values changed.
            let mut document = before.edit();
            for (key, value) in &wanted {
                document.set_setting(key, value);
            }
            self.okta
                .apps()
                .replace(&id, &document)
                .await
                .map_err(|error| {
                    Error::service(
                        format!("Okta did not take the SAML settings of app {id}"),
                        error,
                    )
                })?;
            let after = super::needed_app(&self.okta, cx).await?;
            check_kept(&before, &after, &wanted)?;
            Ok(Applied::Done)
        })
    }
}

/// Whether the two values are there, and nothing else has changed.
fn check_kept(before: &App, after: &App, wanted: &[(&'static str, String)]) -> Result<()> {
    for (key, value) in wanted {
        let now = after.setting(key);
        if now != Some(value) {
            return Err(Error::new(
                ErrorKind::StalePlan,
                format!("Okta took {key} = {value} for app {} and now says {}", after.id(), now.unwrap_or("nothing")),
            )
            .with_help("somebody may have changed the app at the same time: look at its Sign On tab, then run again"));
        }
    }
    let ours = |path: &str| wanted.iter().any(|(key, _)| path.ends_with(key));
    let lost: Vec<String> = before
        .differences(after)
        .into_iter()
        .filter(|path| !ours(path) && !means_nothing(path))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::StalePlan, format!("more of app {} has changed than was written: {}", after.id(), lost.join(", ")))
        .with_help("somebody may have changed the app at the same time: look at these values in Okta, then run again"))
}
