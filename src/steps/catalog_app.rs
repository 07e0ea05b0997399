//! Step `catalog-app`: Okta has the app "AWS IAM Identity Center".

use aws_sso_glue::{Aws, Instance};
use futures::future::BoxFuture;
use okta_client::{App, AppStatus, Client as Okta, NewApp};

use super::{
    adoption::{must_adopt, record_owned},
    app_lists::AppLists,
    catalog::{ACS_URL, CATALOG_NAME, ENTITY_ID, PLACEHOLDERS},
    ids, lookup,
    saml_settings::is_placeholder,
};
use crate::{
    aws_app,
    aws_user_name::NameTemplate,
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result, root_cause},
    operator::{ManualStep, ManualStepKind},
    plan::{Action, Change, Kind, StepId, Subject},
    step::{Applied, Planned, Step, unknown_change},
};

/// Creates, adopts or activates the app "AWS IAM Identity Center" of Okta's catalog.
///
/// An app with the label of the blueprint is adopted if it has no URLs of AWS, or those of the organization's instance. An app
/// that serves another organization is adopted only by its id (`okta.app_id`).
#[derive(Clone, Debug)]
pub struct CatalogApp {
    okta: Okta,
    aws: Aws,
    label: String,
    id: Option<String>,
}

impl CatalogApp {
    /// Creates the step for the app of a blueprint.
    #[must_use]
    pub fn new(okta: &Okta, aws: &Aws, blueprint: &Blueprint) -> Self {
        Self {
            okta: okta.clone(),
            aws: aws.clone(),
            label: blueprint.okta.app_label.clone(),
            id: blueprint.okta.app_id.clone(),
        }
    }

    /// Returns the app, and the other apps of the same catalog entry. An org may have several such apps, one per AWS
    /// organization.
    async fn find(&self, cx: &Context) -> Result<(Option<App>, Vec<App>)> {
        if let Some(id) = &self.id {
            return Ok((Some(aws_app::by_id(&self.okta, id).await?), Vec::new()));
        }
        if let Some(known) = lookup::app(&self.okta, cx).await?
            && !self.must_adopt(&known, cx)
        {
            return Ok((Some(known), Vec::new()));
        }
        let (mut labelled, others): (Vec<App>, Vec<App>) = aws_app::list(&self.okta)
            .await?
            .into_iter()
            .partition(|app| app.label() == self.label);
        if labelled.len() > 1 {
            return Err(aws_app::ambiguous(&self.label, &labelled));
        }
        Ok((labelled.pop(), others))
    }

    /// Keeps the id of the app and its template of user names for the later steps.
    fn remember(&self, app: &App, cx: &Context) {
        cx.update_facts(|facts| facts.app = Some(app.id().clone()));
        AppLists::new(&self.okta, cx).app_read(app);
    }

    /// Fails if an app that was found by its label has the URLs of another AWS organization.
    async fn check_organization(&self, app: &App) -> Result<()> {
        let urls =
            [ACS_URL, ENTITY_ID].map(|key| app.setting(key).filter(|url| !is_placeholder(url)));
        if urls == [None, None] {
            return Ok(());
        }
        let instances = self.aws.instances().try_collect().await.map_err(|error| {
            Error::service(
                "the instances of Identity Center could not be listed",
                error,
            )
        })?;
        // The entity id of an instance ends with the id of its identity store.
        let is_ours = |instance: &Instance| {
            urls[1]
                .is_some_and(|url| url.rsplit('/').next() == Some(instance.identity_store.as_str()))
        };
        if instances.iter().any(is_ours) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "app \"{}\" ({}) serves another AWS organization: its URLs are {}",
                app.label(),
                app.id(),
                urls.into_iter().flatten().collect::<Vec<_>>().join(" and ")
            ),
        )
        .with_help(format!(
            "set another okta.app_label in the blueprint to create a new app; to move this app to the organization of the run, set okta.app_id = \"{}\": its users then lose the sign-in to the other organization",
            app.id()
        )))
    }

    /// Creates the app, with placeholders for AWS's URLs.
    ///
    /// Okta accepts two apps with one label, so two runs at the same time may both create one. The run that creates the
    /// second one sees the first one in the list afterwards. It stops, and leaves both apps to the operator.
    async fn create(&self, cx: &Context) -> Result<App> {
        let new = NewApp {
            name: CATALOG_NAME.to_owned(),
            label: self.label.clone(),
            sign_on_mode: "SAML_2_0".to_owned(),
            user_name_template: Some(USER_NAME_TEMPLATE.to_owned()),
            settings: PLACEHOLDERS
                .map(|(key, url)| (key.to_owned(), url.into()))
                .into_iter()
                .collect(),
        };
        let app = match self.okta.apps().create(&new).await {
            Ok(app) => app,
            Err(error) => {
                let refused = is_refused(&error);
                let error =
                    Error::service(format!("Okta did not create the {}", self.subject()), error);
                if !refused {
                    return Err(error);
                }
                self.add_manually(&error, cx).await?
            }
        };
        self.remember(&app, cx);
        // The id must survive a crash: the label can be changed in Okta, and then no plan finds the app again.
        cx.checkpoint().await?;
        let labelled = self.labelled().await?;
        if labelled.len() > 1 {
            return Err(aws_app::ambiguous(&self.label, &labelled)
                .with_context(format!(
                    "reading the apps again after this run had created app {}",
                    app.id()
                ))
                .with_help("another run has created an app at the same time: keep one of the apps, deactivate and delete the other one in Okta, then make a new plan"));
        }
        Ok(app)
    }

    /// Has the operator add the app in the Admin Console, because Okta refuses it over the API.
    async fn add_manually(&self, refused: &Error, cx: &Context) -> Result<App> {
        let answer = refused.response().map(ToString::to_string);
        let answer = answer.unwrap_or_else(|| root_cause(refused));
        let manual_step = ManualStep::new(
            ManualStepKind::CatalogApp,
            format!("Add the {} in Okta", self.subject()),
            "Okta Admin Console > Applications > Applications > Browse App Catalog",
        )
        .warning(format!("Okta did not create the app over its API: {answer}"))
        .instructions([
            "Search for AWS IAM Identity Center (not AWS Account Federation), and choose Add Integration.",
            "Enter the application label, and choose Done. The run fills in the other settings.",
        ])
        .value("Application label", &self.label);
        cx.manual_step(manual_step, async |_| {
            let mut labelled = self.labelled().await?;
            match (labelled.pop(), labelled.as_slice()) {
                (Some(app), []) => Ok(app),
                (Some(app), _) => {
                    labelled.push(app);
                    Err(aws_app::ambiguous(&self.label, &labelled))
                }
                (None, _) => Err(Error::new(
                    ErrorKind::InvalidAnswer,
                    format!("Okta still has no {}", self.subject()),
                )
                .with_help(format!(
                    "add AWS IAM Identity Center from the catalog, with the label {}",
                    self.label
                ))),
            }
        })
        .await
    }

    /// Returns the apps of the catalog entry with the label of the blueprint.
    async fn labelled(&self) -> Result<Vec<App>> {
        let mut apps = aws_app::list(&self.okta).await?;
        apps.retain(|app| app.label() == self.label);
        Ok(apps)
    }

    /// Returns the error for several apps with the label.
    fn must_adopt(&self, app: &App, cx: &Context) -> bool {
        must_adopt(cx, &self.subject(), |facts| {
            facts.app.as_ref() == Some(app.id())
        })
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
            let mut planned = Planned::nothing();
            let (app, others) = match self.find(cx).await {
                Err(error) if error.kind() == ErrorKind::UnusableSubject => {
                    cx.update_facts(|facts| facts.app = None);
                    planned.problem(self.subject(), &error);
                    return Ok(planned);
                }
                found => found?,
            };
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
                let create = Change::new(Action::Create, self.subject())
                    .with("catalog entry", CATALOG_NAME)
                    .with("signOnMode", "SAML_2_0")
                    .with("userNameTemplate", USER_NAME_TEMPLATE);
                let placeholders = PLACEHOLDERS.into_iter();
                planned
                    .changes
                    .push(placeholders.fold(create, |create, (key, url)| {
                        create.with(key, format!("{url} (until {})", ids::SAML_SETTINGS))
                    }));
                return Ok(planned);
            };
            let adopted = self.must_adopt(&app, cx);
            if adopted
                && self.id.is_none()
                && let Err(error) = self.check_organization(&app).await
            {
                if error.kind() != ErrorKind::UnusableSubject {
                    return Err(error);
                }
                cx.update_facts(|facts| facts.app = None);
                planned.problem(self.subject(), &error);
                return Ok(planned);
            }
            // The following steps read the app.
            self.remember(&app, cx);
            if adopted {
                planned.changes.push(
                    Change::new(Action::Adopt, self.subject())
                        .with("id", app.id().as_str())
                        .with("label", app.label()),
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
            if let NameTemplate::Other(other) = NameTemplate::of(&app) {
                planned = planned.note("user-name-template", format!("the app derives user names from `{other}`; AWS requires the same user name in SCIM and SAML, so a user gets its account in AWS only after its assignment to the app, which has the name"));
            }
            if let Some(name_id) = other_name_id(&app) {
                let error = Error::new(
                    ErrorKind::UnusableSubject,
                    format!("app \"{}\" sends `{name_id}` as NameID, and not the user name of the assignment, which is the user name in AWS", app.label()),
                )
                .with_help("set the NameID of the app back to the application user name in Okta (Sign On > Settings > Credentials Details), or no user can sign in");
                planned.problem(self.subject(), &error);
            }
            Ok(planned)
        })
    }

    fn apply<'a>(&'a self, change: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let (found, _) = self.find(cx).await?;
            let app = match (change.action, found) {
                (Action::Create | Action::Update | Action::Adopt, Some(app)) => app,
                (Action::Create, None) => self.create(cx).await?,
                _ => return Err(unknown_change(&self.id(), change)),
            };
            if app.status() == AppStatus::Inactive && change.action != Action::Adopt {
                self.okta.apps().activate(app.id()).await.map_err(|error| {
                    Error::service(
                        format!("Okta did not activate the {}", self.subject()),
                        error,
                    )
                })?;
            }
            self.remember(&app, cx);
            record_owned(cx, &self.subject());
            Ok(Applied::Done)
        })
    }
}

/// Returns whether Okta refuses the app itself. Another token or another minute would not help.
fn is_refused(error: &okta_client::Error) -> bool {
    let is_client_error = error
        .status()
        .is_some_and(|status| (400..500).contains(&status));
    // An answer without a code is not Okta's.
    is_client_error
        && error.code().is_some()
        && !error.is_unauthenticated()
        && !error.is_permission_denied()
        && !error.is_throttled()
}

/// Returns the template of the `NameID` if it is not the user name of the assignment.
fn other_name_id(app: &App) -> Option<String> {
    let template = app.raw().get("/settings/signOn/subjectNameIdTemplate")?;
    let template = template.as_text()?.into_owned();
    let is_user_name = ["", "${user.userName}", "${source.userName}"].contains(&template.trim());
    (!is_user_name).then_some(template)
}

/// The source of the SAML `NameID` and the SCIM `userName`, which AWS requires to be equal.
const USER_NAME_TEMPLATE: &str = "${source.login}";
