//! The Okta app "AWS IAM Identity Center" of a blueprint.

use okta_client::{App, Client, Id, ListApps};

use crate::{
    blueprint::OktaSection,
    error::{Error, ErrorKind, Result},
};

/// The key of Okta's catalog entry "AWS IAM Identity Center". The entry `amazon_aws`, "AWS Account Federation", is another
/// app.
pub(crate) const CATALOG_NAME: &str = "amazon_aws_sso";

/// Returns the app with the id or the label of the blueprint, if the org has it.
pub(crate) async fn find(okta: &Client, section: &OktaSection) -> Result<Option<App>> {
    if let Some(id) = &section.app_id {
        return by_id(okta, id).await.map(Some);
    }
    let mut apps = list(okta).await?;
    apps.retain(|app| app.label() == section.app_label);
    if apps.len() > 1 {
        return Err(ambiguous(&section.app_label, &apps));
    }
    Ok(apps.pop())
}

/// Returns the app with the id of the blueprint.
pub(crate) async fn by_id(okta: &Client, id: &str) -> Result<App> {
    let unusable = |why: &str| {
        let error = Error::new(
            ErrorKind::UnusableSubject,
            format!("okta.app_id {id} of the blueprint: {why}"),
        );
        error.with_help("copy the id from the address of the app in Okta's admin console, /admin/app/amazon_aws_sso/instance/ID")
    };
    let parsed: Id<App> = Id::parse(id).map_err(|error| unusable(&error.to_string()))?;
    let app = okta.apps().get_opt(&parsed).await;
    let app = app
        .map_err(|error| Error::service(format!("app {id} could not be read from Okta"), error))?
        .ok_or_else(|| unusable("the org has no such app"))?;
    if app.name() == CATALOG_NAME {
        Ok(app)
    } else {
        Err(unusable(&format!(
            "the app is of the catalog entry {}, not {CATALOG_NAME}",
            app.name()
        )))
    }
}

/// Lists the apps of the catalog entry.
pub(crate) async fn list(okta: &Client) -> Result<Vec<App>> {
    let list = ListApps {
        name: Some(CATALOG_NAME.to_owned()),
        ..ListApps::default()
    };
    let apps = okta.apps().list(list).try_collect().await;
    apps.map_err(|error| Error::service("the apps could not be listed from Okta", error))
}

/// Returns the error for several apps with one label.
pub(crate) fn ambiguous(label: &str, apps: &[App]) -> Error {
    let ids: Vec<String> = apps.iter().map(|app| app.id().to_string()).collect();
    Error::new(
        ErrorKind::UnusableSubject,
        format!(
            "Okta has {} apps {CATALOG_NAME} with the label `{}`: {}",
            apps.len(),
            label,
            ids.join(", ")
        ),
    )
    .with_help(format!("name one of them in the blueprint: under [okta], app_id = \"{}\"; or give the other apps a different label in Okta", ids[0]))
}
