//! The app "AWS IAM Identity Center" is there, once.

use futures::future::BoxFuture;
use okta_client::{App, AppStatus, Client as Okta, ListApps, NewApp};

use super::CATALOG_NAME;
use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId},
    step::{Applied, Context, Planned, Step, unknown_change},
};

/// The app "AWS IAM Identity Center" of Okta's catalog is there, once, and active.
#[derive(Clone, Debug)]
pub struct CatalogApp {
    okta: Okta,
    label: String,
}

impl CatalogApp {
    /// The step for the app with a label; one that exists is adopted.
    #[must_use]
    pub fn new(okta: &Okta, label: &str) -> Self {
        Self {
            okta: okta.clone(),
            label: label.to_owned(),
        }
    }

    /// The app, and the other apps of the same catalog entry: an org may join several AWS organizations.
    async fn find(&self, cx: &Context) -> Result<(Option<App>, Vec<App>)> {
        if let Some(known) = super::app(&self.okta, cx).await? {
            return Ok((Some(known), Vec::new()));
        }
        let list = ListApps {
            name: Some(CATALOG_NAME.to_owned()),
            ..ListApps::default()
        };
        let all = self
            .okta
            .apps()
            .list(list)
            .try_collect()
            .await
            .map_err(|error| Error::service("the apps could not be listed from Okta", error))?;
        let (mut ours, others): (Vec<App>, Vec<App>) =
            all.into_iter().partition(|app| app.label() == self.label);
        if ours.len() > 1 {
            let ids: Vec<String> = ours.iter().map(|app| app.id().to_string()).collect();
            return Err(Error::new(
                ErrorKind::UnusableSubject,
                format!(
                    "Okta has {} apps {CATALOG_NAME} with the label `{}`: {}",
                    ours.len(),
                    self.label,
                    ids.join(", ")
                ),
            )
            .with_help("give the one that is not meant another label in Okta, then run again"));
        }
        Ok((ours.pop(), others))
    }

    fn target(&self) -> String {
        format!("app \"{}\"", self.label)
    }
}

impl Step for CatalogApp {
    fn id(&self) -> StepId {
        StepId::new("catalog-app")
    }

    fn title(&self) -> String {
        "Okta app from the catalog".to_owned()
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let (app, others) = self.find(cx).await?;
            let mut planned = Planned::nothing();
            for other in others {
                planned.notes.push(format!(
                    "app \"{}\" ({}) of the same catalog entry is left alone; okta.app_label = \"{}\" in the blueprint would adopt it",
                    other.label(),
                    other.id(),
                    other.label()
                ));
            }
            let Some(app) = app else {
                cx.update_facts(|facts| facts.app = None);
                planned.changes.push(
                    Change::new(Action::Create, self.target())
                        .with("catalog entry", CATALOG_NAME)
                        .with("signOnMode", "SAML_2_0")
                        .with("userNameTemplate", USER_NAME_TEMPLATE),
                );
                return Ok(planned);
            };
            let adopted = cx.facts(|facts| facts.app.as_ref() != Some(app.id()));
            cx.update_facts(|facts| facts.app = Some(app.id().clone()));
            if adopted {
                planned.notes.push(format!(
                    "app \"{}\" ({}) is there already, and is adopted",
                    app.label(),
                    app.id()
                ));
            }
            if app.label() != self.label {
                planned.notes.push(format!(
                    "app {} is labelled \"{}\" in Okta, and \"{}\" in the blueprint; it is kept",
                    app.id(),
                    app.label(),
                    self.label
                ));
            }
            if app.status() == AppStatus::Inactive {
                planned
                    .changes
                    .push(Change::new(Action::Update, self.target()).from_to(
                        "status",
                        Some("INACTIVE".into()),
                        "ACTIVE",
                    ));
            }
            match app.user_name_template() {
                Some(USER_NAME_TEMPLATE | "${source.email}") | None => {}
                Some(other) => {
                    planned.notes.push(format!("the app names users by `{other}`; AWS wants the name that SCIM sent and SAML sends to be the same"));
                }
            }
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let (found, _) = self.find(cx).await?;
            let app = match (change.action, found) {
                (Action::Create | Action::Update, Some(app)) => app,
                (Action::Create, None) => {
                    let new = NewApp {
                        name: CATALOG_NAME.to_owned(),
                        label: self.label.clone(),
                        sign_on_mode: "SAML_2_0".to_owned(),
                        user_name_template: Some(USER_NAME_TEMPLATE.to_owned()),
                        ..NewApp::default()
                    };
                    self.okta.apps().create(&new).await.map_err(|error| {
                        Error::service(format!("Okta did not create the {}", self.target()), error)
                    })?
                }
                _ => return Err(unknown_change(&self.id(), change)),
            };
            if app.status() == AppStatus::Inactive {
                self.okta.apps().activate(app.id()).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not activate the {}", self.target()),
                        error,
                    )
                })?;
            }
            cx.update_facts(|facts| facts.app = Some(app.id().clone()));
            Ok(Applied::Done)
        })
    }
}

/// AWS wants the SAML `NameID` and the SCIM `userName` to be the same, and both come from this.
const USER_NAME_TEMPLATE: &str = "${source.login}";
