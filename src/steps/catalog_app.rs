//! Step `catalog-app`: Okta has the app "AWS IAM Identity Center".

use futures::future::BoxFuture;
use okta_client::{App, AppStatus, Client as Okta, ListApps, NewApp};

use super::{catalog::CATALOG_NAME, ids, lookup};
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    plan::{Action, Change, Kind, StepId, Subject},
    step::{Applied, Planned, Step, unknown_change},
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
        if let Some(known) = lookup::app(&self.okta, cx).await? {
            return Ok((Some(known), Vec::new()));
        }
        let (mut labelled, others): (Vec<App>, Vec<App>) = self
            .list()
            .await?
            .into_iter()
            .partition(|app| app.label() == self.label);
        if labelled.len() > 1 {
            return Err(self.ambiguous(&labelled));
        }
        Ok((labelled.pop(), others))
    }

    /// Lists the apps of the catalog entry.
    async fn list(&self) -> Result<Vec<App>> {
        let list = ListApps {
            name: Some(CATALOG_NAME.to_owned()),
            ..ListApps::default()
        };
        let apps = self.okta.apps().list(list).try_collect().await;
        apps.map_err(|error| Error::service("the apps could not be listed from Okta", error))
    }

    /// Creates the app.
    ///
    /// Okta accepts two apps with one label, so two runs at the same time may both create one. The run that creates the
    /// second one sees the first one in the list afterwards. It stops, and leaves both apps to the operator.
    async fn create(&self, cx: &Context) -> Result<App> {
        let new = NewApp {
            name: CATALOG_NAME.to_owned(),
            label: self.label.clone(),
            sign_on_mode: "SAML_2_0".to_owned(),
            user_name_template: Some(USER_NAME_TEMPLATE.to_owned()),
            ..NewApp::default()
        };
        let app = self.okta.apps().create(&new).await.map_err(|error| {
            Error::service(format!("Okta did not create the {}", self.subject()), error)
        })?;
        cx.update_facts(|facts| facts.app = Some(app.id().clone()));
        // The id must survive a crash: the label can be changed in Okta, and then no plan finds the app again.
        cx.checkpoint().await?;
        let labelled: Vec<App> = self
            .list()
            .await?
            .into_iter()
            .filter(|app| app.label() == self.label)
            .collect();
        if labelled.len() > 1 {
            return Err(self
                .ambiguous(&labelled)
                .with_context(format!(
                    "reading the apps again after this run had created app {}",
                    app.id()
                ))
                .with_help("another run has created an app at the same time: keep one of the apps, deactivate and delete the other one in Okta, then make a new plan"));
        }
        Ok(app)
    }

    /// Returns the error for several apps with the label.
    fn ambiguous(&self, apps: &[App]) -> Error {
        let ids: Vec<String> = apps.iter().map(|app| app.id().to_string()).collect();
        Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "Okta has {} apps {CATALOG_NAME} with the label `{}`: {}",
                apps.len(),
                self.label,
                ids.join(", ")
            ),
        )
        .with_help("give the other apps a different label in Okta, then run again")
    }

    fn subject(&self) -> Subject {
        Subject::App {
            label: (&self.label).into(),
        }
    }
}

impl Step for CatalogApp {
    fn id(&self) -> StepId {
        ids::CATALOG_APP
    }

    fn title(&self) -> String {
        "Okta app from the catalog".to_owned()
    }

    fn gives(&self) -> &'static [Kind] {
        &[Kind::App]
    }

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        Box::pin(async move {
            let (app, others) = self.find(cx).await?;
            let mut planned = Planned::nothing();
            for other in others {
                planned = planned.note("other-app", format!(
                    "app \"{}\" ({}) of the same catalog entry is not changed; to adopt it, set okta.app_label = \"{}\" in the blueprint",
                    other.label(),
                    other.id(),
                    other.label()
                ));
            }
            let Some(app) = app else {
                cx.update_facts(|facts| facts.app = None);
                planned.changes.push(
                    Change::new(Action::Create, self.subject())
                        .with("catalog entry", CATALOG_NAME)
                        .with("signOnMode", "SAML_2_0")
                        .with("userNameTemplate", USER_NAME_TEMPLATE),
                );
                return Ok(planned);
            };
            let adopted = cx.facts(|facts| facts.app.as_ref() != Some(app.id()));
            cx.update_facts(|facts| facts.app = Some(app.id().clone()));
            if adopted {
                planned = planned.note(
                    "adopted",
                    format!(
                        "app \"{}\" ({}) already exists and is adopted",
                        app.label(),
                        app.id()
                    ),
                );
            }
            if app.label() != self.label {
                planned = planned.note("other-label", format!(
                    "app {} has the label \"{}\" in Okta and \"{}\" in the blueprint; the label in Okta is kept",
                    app.id(),
                    app.label(),
                    self.label
                ));
            }
            if app.status() == AppStatus::Inactive {
                planned
                    .changes
                    .push(Change::new(Action::Update, self.subject()).from_to(
                        "status",
                        Some("INACTIVE".into()),
                        "ACTIVE",
                    ));
            }
            match app.user_name_template() {
                Some(USER_NAME_TEMPLATE | "${source.email}") | None => {}
                Some(other) => {
                    planned = planned.note("user-name-template", format!("the app derives user names from `{other}`; AWS requires the same user name in SCIM and SAML"));
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
                (Action::Create, None) => self.create(cx).await?,
                _ => return Err(unknown_change(&self.id(), change)),
            };
            if app.status() == AppStatus::Inactive {
                self.okta.apps().activate(app.id()).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not activate the {}", self.subject()),
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
