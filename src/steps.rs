//! The steps of the integration, one file for each thing made true.
//!
//! [`journey`] is all of them in order. Each works alone too: it needs its clients and a [`Context`].

mod access_portal;
mod account_assignments;
mod app_access;
mod arrival;
mod catalog_app;
mod custom_domain;
mod directory_sync;
mod identity_center;
mod identity_source;
mod idp_metadata;
mod okta_provisioning;
mod organization;
mod permission_sets;
mod saml_settings;
mod scim_endpoint;
mod sign_in;

use aws_sso_glue::{Account, AccountId, AccountState, Aws, IdentityCenter};
use okta_client::{App, Client as Okta};

pub use access_portal::AccessPortal;
pub use account_assignments::AccountAssignments;
pub use app_access::AppAccess;
pub use arrival::Arrival;
pub use catalog_app::CatalogApp;
pub use custom_domain::CustomDomain;
pub use directory_sync::SyncStep;
pub use identity_center::IdentityCenterInstance;
pub use identity_source::IdentitySource;
pub use idp_metadata::IdpMetadata;
pub use okta_provisioning::OktaProvisioning;
pub use organization::Organization;
pub use permission_sets::PermissionSets;
pub use saml_settings::SamlSettings;
pub use scim_endpoint::ScimEndpoint;
pub use sign_in::SignInTest;

use crate::{
    blueprint::{Blueprint, ProvisioningMode},
    error::{Error, ErrorKind, Result, ServiceError as _, ServiceResponse},
    resolved_scope::ResolvedScope,
    step::{Context, Step},
};

/// Every step that the blueprint needs, in order.
#[must_use]
pub fn default_steps(blueprint: &Blueprint, okta: &Okta, aws: &Aws) -> Vec<Box<dyn Step>> {
    let mut steps: Vec<Box<dyn Step>> = Vec::new();
    if let Some(domain) = &blueprint.okta.custom_domain {
        steps.push(Box::new(CustomDomain::new(okta, domain)));
    }
    steps.push(Box::new(CatalogApp::new(okta, &blueprint.okta.app_label)));
    steps.push(Box::new(IdpMetadata::new(okta)));
    steps.push(Box::new(Organization::new(aws)));
    steps.push(Box::new(IdentityCenterInstance::new(
        aws,
        blueprint.aws.region.as_deref(),
    )));
    steps.push(Box::new(AccessPortal::new(
        aws,
        blueprint.aws.portal_url.as_ref(),
    )));
    steps.push(Box::new(IdentitySource::new(okta, aws)));
    steps.push(Box::new(SamlSettings::new(okta)));
    match blueprint.provisioning.mode {
        ProvisioningMode::Okta => {
            steps.push(Box::new(ScimEndpoint::new(okta, aws)));
            steps.push(Box::new(OktaProvisioning::new(okta)));
            steps.push(Box::new(AppAccess::new(okta, blueprint)));
        }
        ProvisioningMode::Direct => {
            steps.push(Box::new(ScimEndpoint::direct(okta, aws)));
            steps.push(Box::new(AppAccess::new(okta, blueprint)));
            steps.push(Box::new(SyncStep::new(okta, aws, blueprint)));
        }
    }
    steps.push(Box::new(Arrival::new(okta, aws, blueprint)));
    steps.push(Box::new(PermissionSets::new(aws, blueprint)));
    steps.push(Box::new(AccountAssignments::new(okta, aws, blueprint)));
    if !blueprint.sign_in.skip && !blueprint.access.is_empty() {
        steps.push(Box::new(SignInTest::new(okta, aws, blueprint)));
    }
    steps
}

/// The key of the catalog entry "AWS IAM Identity Center". `amazon_aws`, "AWS Account Federation", is another app.
const CATALOG_NAME: &str = "amazon_aws_sso";
/// The app's setting for the assertion consumer service URL, in the catalog entry's own spelling.
const ACS_URL: &str = "acsURL";
/// The app's setting for the issuer, in the catalog entry's own spelling.
const ENTITY_ID: &str = "entityID";

/// What Okta has switched on for the app, seen in its `features`.
struct ProvisioningFeatures {
    missing: Vec<&'static str>,
}

impl ProvisioningFeatures {
    fn of(app: &App) -> Self {
        let on = app.features();
        Self {
            missing: FEATURES
                .iter()
                .filter(|(feature, _)| !on.contains(feature))
                .map(|(_, words)| *words)
                .collect(),
        }
    }

    /// Whether Okta has an endpoint and a token, whatever it does with them.
    fn integration_on(&self) -> bool {
        !self.missing.contains(&FEATURES[0].1)
    }

    fn all_on(&self) -> bool {
        self.missing.is_empty()
    }
}

/// The features of an app that mirror the boxes of its Provisioning tab (recorded for Okta org2org apps).
const FEATURES: [(&str, &str); 4] = [
    ("GROUP_PUSH", "API integration"),
    ("PUSH_NEW_USERS", "Create Users"),
    ("PUSH_PROFILE_UPDATES", "Update User Attributes"),
    ("PUSH_USER_DEACTIVATION", "Deactivate Users"),
];

/// The app, if it exists and is known by now.
async fn app(okta: &Okta, cx: &Context) -> Result<Option<App>> {
    let Some(id) = cx.facts(|facts| facts.app.clone()) else {
        return Ok(None);
    };
    okta.apps()
        .get_opt(&id)
        .await
        .map_err(|error| Error::service(format!("app {id} could not be read from Okta"), error))
}

/// The app, which an earlier step has made or found.
async fn needed_app(okta: &Okta, cx: &Context) -> Result<App> {
    app(okta, cx)
        .await?
        .ok_or_else(|| missing("the Okta app", "catalog-app"))
}

/// The instance of Identity Center, if it is known by now.
fn identity_center(aws: &Aws, cx: &Context) -> Option<IdentityCenter> {
    let instance = cx.facts(|facts| facts.instance.clone())?;
    Some(cx.identity_center(&instance.arn, || aws.identity_center(&instance.instance())))
}

/// The instance of Identity Center, if it is known by now and can give access to accounts.
fn assigning_center(aws: &Aws, cx: &Context) -> Option<IdentityCenter> {
    let can = cx.facts(|facts| {
        facts
            .instance
            .as_ref()
            .is_some_and(|instance| instance.permission_sets)
    });
    if can { identity_center(aws, cx) } else { None }
}

/// The instance of Identity Center, which an earlier step has found.
fn needed_center(aws: &Aws, cx: &Context) -> Result<IdentityCenter> {
    identity_center(aws, cx)
        .ok_or_else(|| missing("the instance of IAM Identity Center", "identity-center"))
}

/// Something that an earlier step would have made known.
fn missing(what: &str, step: &str) -> Error {
    Error::new(ErrorKind::StalePlan, format!("{what} is not known"))
        .with_help(format!("run the step {step} first"))
}

/// The people of the blueprint, read once a context.
async fn scope<'a>(
    okta: &Okta,
    blueprint: &Blueprint,
    cx: &'a Context,
) -> Result<&'a ResolvedScope> {
    cx.scope
        .get_or_try_init(|| ResolvedScope::read(okta, blueprint))
        .await
}

/// The name that a user has in AWS: what Okta says it sends, or the login until Okta says.
async fn user_name(
    okta: &Okta,
    blueprint: &Blueprint,
    login: &str,
    cx: &Context,
) -> Result<String> {
    let scope = scope(okta, blueprint, cx).await?;
    let user = scope
        .assigned_users()
        .into_values()
        .find(|user| user.profile.login == login);
    let (Some(user), Some(app)) = (user, cx.facts(|facts| facts.app.clone())) else {
        return Ok(login.to_owned());
    };
    let assigned = okta
        .apps()
        .user_opt(&app, &user.id)
        .await
        .map_err(|error| {
            Error::service(
                format!("the assignment of {login} could not be read from Okta"),
                error,
            )
        })?;
    Ok(assigned
        .and_then(|user| user.user_name)
        .unwrap_or_else(|| login.to_owned()))
}

/// The accounts of the organization, read once a context.
async fn accounts<'a>(aws: &Aws, cx: &'a Context) -> Result<&'a [Account]> {
    let read = async || {
        aws.organizations().accounts().await.map_err(|error| {
            Error::service(
                "the accounts could not be listed from AWS Organizations",
                error,
            )
        })
    };
    cx.accounts.get_or_try_init(read).await.map(Vec::as_slice)
}

/// An account that the blueprint names by id or by name, fit to be assigned to.
async fn account<'a>(aws: &Aws, cx: &'a Context, named: &str) -> Result<&'a Account> {
    let all = accounts(aws, cx).await?;
    let matches: Vec<&Account> = all
        .iter()
        .filter(|account| account.id.as_str() == named || account.name.as_deref() == Some(named))
        .collect();
    match matches.as_slice() {
        [account] if account.state == AccountState::Active => Ok(account),
        [account] => Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "account {} is {}, and AWS assigns nobody to it",
                account_name(account),
                account.state
            ),
        )
        .with_response(described(aws, account).await)
        .with_help("reopen the account in AWS Organizations, or take it out of the blueprint")),
        [] => Err(unknown_account(aws, named, all).await),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|account| account.id.to_string())
                .collect();
            Err(Error::new(
                ErrorKind::UnusableSubject,
                format!(
                    "`{named}` is the name of {} accounts: {}",
                    several.len(),
                    ids.join(", ")
                ),
            )
            .with_help("name the account by its id in the blueprint"))
        }
    }
}

/// An account's name and id, as a person wants to see them.
fn account_name(account: &Account) -> String {
    match &account.name {
        Some(name) => format!("{name} ({})", account.id),
        None => account.id.to_string(),
    }
}

/// What AWS says about an account that cannot be used, with the request id that its support asks for.
async fn described(aws: &Aws, account: &Account) -> ServiceResponse {
    let call = "organizations DescribeAccount".to_owned();
    match aws.organizations().account(&account.id).await {
        Ok(again) => ServiceResponse {
            call,
            status: Some(200),
            code: Some(format!("State {}", again.state)),
            request_id: again.request_id.or_else(|| account.request_id.clone()),
            ..ServiceResponse::default()
        },
        Err(error) => error.response(),
    }
}

async fn unknown_account(aws: &Aws, named: &str, all: &[Account]) -> Error {
    let error = Error::new(
        ErrorKind::UnusableSubject,
        format!("account `{named}` does not exist in the organization"),
    );
    let error = match AccountId::parse(named) {
        // By id AWS can be asked, and its own answer is worth more than ours.
        Ok(id) => match aws.organizations().account(&id).await {
            Err(refused) => error.with_response(refused.response()).with_source(refused),
            Ok(_) => error,
        },
        Err(_not_an_id) => error.with_response(ServiceResponse {
            call: "organizations ListAccounts".to_owned(),
            status: Some(200),
            message: Some(format!("{} accounts, none of that name", all.len())),
            request_id: all.last().and_then(|account| account.request_id.clone()),
            ..ServiceResponse::default()
        }),
    };
    let nearest = all
        .iter()
        .map(|account| {
            (
                strsim::jaro_winkler(account.name.as_deref().unwrap_or_default(), named),
                account,
            )
        })
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .filter(|(likeness, _)| *likeness > 0.8);
    error.with_help(match nearest {
        Some((_, account)) => format!(
            "did you mean {}? Correct the blueprint",
            account_name(account)
        ),
        None => {
            "correct the id or the name in the blueprint; names are compared exactly".to_owned()
        }
    })
}
