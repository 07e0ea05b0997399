//! The metadata of an app, straight from its Okta org.

use okta_client::{App, Client, Id};

use crate::error::{Error, ErrorKind, Result};

/// Returns the identity provider metadata of an app, with its active signing key. The app is named by its label or id.
///
/// Okta does not sign the metadata: TLS and the credential of the client are the only proof of its origin.
///
/// # Errors
///
/// Fails if a request fails, if the org has no such app or several of this label, or if the app has no signing key because it does
/// not use SAML.
///
/// Scope: `okta.apps.read`.
pub async fn okta_app(okta: &Client, label_or_id: &str) -> Result<Vec<u8>> {
    let app = find(okta, label_or_id).await?;
    let kid = app.signing_kid().ok_or_else(|| {
        let mode = app.sign_on_mode().unwrap_or("none");
        Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "app {} ({}) has no signing key; its sign-on mode is {mode}",
                app.id(),
                app.label()
            ),
        )
        .with_help(
            "name a SAML app, or generate a signing certificate in the app's Sign On tab in Okta",
        )
    })?;
    let bytes = okta.apps().saml_metadata(app.id(), kid).await;
    let bytes = bytes.map_err(|error| {
        let summary = format!(
            "the metadata of app {} ({}) could not be read from Okta",
            app.id(),
            app.label()
        );
        Error::service(summary, error)
    })?;
    Ok(bytes.into())
}

async fn find(okta: &Client, label_or_id: &str) -> Result<App> {
    let failed = |error| {
        Error::service(
            format!("the app `{label_or_id}` could not be read from Okta"),
            error,
        )
    };
    let label = okta.apps().only_by_label(label_or_id).await;
    if let Some(app) = label.map_err(failed)? {
        return Ok(app);
    }
    let by_id = match Id::<App>::parse(label_or_id) {
        Ok(id) => okta.apps().get_opt(&id).await.map_err(failed)?,
        Err(_not_an_id) => None,
    };
    by_id.ok_or_else(|| {
        Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "the org {} has no app with the label or id `{label_or_id}`",
                okta.org_url()
            ),
        )
        .with_help("copy the label of the app from Applications in Okta's admin console; labels are case-sensitive")
    })
}
