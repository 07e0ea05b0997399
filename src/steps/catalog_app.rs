//! Step `catalog-app`: Okta has the app "AWS IAM Identity Center".

use futures::future::BoxFuture;
use okta_client::{App, AppStatus, Client as Okta, ListApps, NewApp};

use super::CATALOG_NAME;
use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, StepId},
    step::{Applied, Context, Planned, Step, unknown_change},
};

/// Creates, adopts or activates the app "AWS IAM Identity Center" of Okta's catalog.
#[derive(Clone, Debug)]
pub struct CatalogApp {
    okta: Okta,
    label: String,
}

impl CatalogApp {
    /// Creates the step for the app with this label. An existing app with the label is adopted.
    #[must_use]
    pub fn new(okta: &Okta, label: &str) -> Self {
        Self {
            okta: okta.clone(),
            label: label.to_owned(),
        }
    }

    /// Returns the app, and the other apps of the same catalog entry. An org may have several such apps, one per AWS
    /// organization.
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
        let (mut labelled, others): (Vec<App>, Vec<App>) =
            all.into_iter().partition(|app| app.label() == self.label);
        if labelled.len() > 1 {
            let ids: Vec<String> = labelled.iter().map(|app| app.id().to_string()).collect();
            return Err(Error::new(
                ErrorKind::UnusableSubject,
                format!(
                    "Okta has {} apps {CATALOG_NAME} with the label `{}`: {}",
                    labelled.len(),
                    self.label,
                    ids.join(", ")
                ),
            )
            .with_help("give the other apps a different label in Okta, then run again"));
        }
        Ok((labelled.pop(), others))
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
                    "app \"{}\" ({}) of the same catalog entry is not changed; to adopt it, set okta.app_label = \"{}\" in the blueprint",
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
                    "app \"{}\" ({}) already exists and is adopted",
                    app.label(),
                    app.id()
                ));
            }
            if app.label() != self.label {
                planned.notes.push(format!(
                    "app {} has the label \"{}\" in Okta and \"{}\" in the blueprint; the label in Okta is kept",
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
                    planned.notes.push(format!("the app derives user names from `{other}`; AWS requires the same user name in SCIM and SAML"));
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

/// The source of the SAML `NameID` and the SCIM `userName`, which AWS requires to be equal.
const USER_NAME_TEMPLATE: &str = "${source.login}";
