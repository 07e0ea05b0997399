//! The app "AWS IAM Identity Center" is there, once.

use futures::future::BoxFuture;
use okta_client::{App, AppStatus, Client as Okta, ListApps, NewApp};

use super::CATALOG_NAME;
use crate::{
    error::{Error, ErrorKind, Outcome},
    plan::{Action, Change, StepId},
    step::{Applied, Context, Planned, Step, not_ours},
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

    async fn find(&self, cx: &Context) -> Outcome<Option<App>> {
        if let Some(known) = super::app(&self.okta, cx).await? {
            return Ok(Some(known));
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
        let (ours, others): (Vec<App>, Vec<App>) =
            all.into_iter().partition(|app| app.label() == self.label);
        match (ours.len(), others.first()) {
            (0, None) => Ok(None),
            (0, Some(other)) => Err(Error::new(
                ErrorKind::Unfit,
                format!("Okta has the app {CATALOG_NAME} under the label `{}`, not `{}`", other.label(), self.label),
            )
            .help(format!("set okta.app_label = \"{}\" in the blueprint to adopt it; a second app would be a second way in", other.label()))),
            (1, _) => Ok(ours.into_iter().next()),
            (several, _) => Err(Error::new(
                ErrorKind::Unfit,
                format!("Okta has {several} apps {CATALOG_NAME} with the label `{}`", self.label),
            )
            .help("give the one that is not meant another label in Okta, then run again")),
        }
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

    fn plan<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Outcome<Planned>> {
        Box::pin(async move {
            let Some(app) = self.find(cx).await? else {
                cx.learn(|facts| facts.app = None);
                return Ok(Planned::one(
                    Change::new(Action::Create, self.target())
                        .with("catalog entry", CATALOG_NAME)
                        .with("signOnMode", "SAML_2_0")
                        .with("userNameTemplate", USER_NAME_TEMPLATE),
                ));
            };
            cx.learn(|facts| facts.app = Some(app.id().clone()));
            let mut planned = Planned::nothing();
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

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Outcome<Applied>> {
        Box::pin(async move {
            let found = self.find(cx).await?;
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
                _ => return Err(not_ours(&self.id(), change)),
            };
            if app.status() == AppStatus::Inactive {
                self.okta.apps().activate(app.id()).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not activate the {}", self.target()),
                        error,
                    )
                })?;
            }
            cx.learn(|facts| facts.app = Some(app.id().clone()));
            Ok(Applied::Done)
        })
    }
}

/// AWS wants the SAML `NameID` and the SCIM `userName` to be the same, and both come from this.
const USER_NAME_TEMPLATE: &str = "${source.login}";
