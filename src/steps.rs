//! The steps of the integration, one file per step.
//!
//! [`default_steps`] returns all steps of a blueprint in order. Each step also works without the pipeline: it needs its
//! clients and a [`Context`].

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
    plan::count,
    resolved_scope::ResolvedScope,
    step::{Context, Step},
};

/// Returns all steps that the blueprint needs, in order.
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

/// The key of Okta's catalog entry "AWS IAM Identity Center". The entry `amazon_aws`, "AWS Account Federation", is another
/// app.
const CATALOG_NAME: &str = "amazon_aws_sso";
/// The app's setting for the assertion consumer service (ACS) URL, spelled as in the catalog entry.
const ACS_URL: &str = "acsURL";
/// The app's setting for the issuer URL, spelled as in the catalog entry.
const ENTITY_ID: &str = "entityID";

/// The provisioning features of the app that are off in Okta, read from the app's `features`.
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
                .map(|(_, label)| *label)
                .collect(),
        }
    }

    /// Returns whether Okta has a SCIM endpoint and a token, independent of the other features.
    fn integration_on(&self) -> bool {
        !self.missing.contains(&FEATURES[0].1)
    }

    /// Returns whether all features are on.
    fn all_on(&self) -> bool {
        self.missing.is_empty()
    }
}

/// The features of an app, each with its label in the Provisioning tab (recorded for Okta org2org apps).
const FEATURES: [(&str, &str); 4] = [
    ("GROUP_PUSH", "API integration"),
    ("PUSH_NEW_USERS", "Create Users"),
    ("PUSH_PROFILE_UPDATES", "Update User Attributes"),
    ("PUSH_USER_DEACTIVATION", "Deactivate Users"),
];

/// Returns the app, or `None` if it is not known yet or no longer exists.
async fn app(okta: &Okta, cx: &Context) -> Result<Option<App>> {
    let Some(id) = cx.facts(|facts| facts.app.clone()) else {
        return Ok(None);
    };
    okta.apps()
        .get_opt(&id)
        .await
        .map_err(|error| Error::service(format!("app {id} could not be read from Okta"), error))
}

/// Returns the app that an earlier step created or found.
async fn require_app(okta: &Okta, cx: &Context) -> Result<App> {
    app(okta, cx)
        .await?
        .ok_or_else(|| missing_prerequisite("the Okta app", "catalog-app"))
}

/// Returns the client of the Identity Center instance, or `None` if the instance is not known yet.
fn identity_center(aws: &Aws, cx: &Context) -> Option<IdentityCenter> {
    let instance = cx.facts(|facts| facts.instance.clone())?;
    Some(cx.identity_center(&instance.arn, || aws.identity_center(&instance.instance())))
}

/// Returns the client of the Identity Center instance, or `None` if the instance is not known yet or has no permission
/// sets. Without permission sets, the instance cannot assign access to accounts.
fn assignable_identity_center(aws: &Aws, cx: &Context) -> Option<IdentityCenter> {
    let has_permission_sets = cx.facts(|facts| {
        facts
            .instance
            .as_ref()
            .is_some_and(|instance| instance.permission_sets)
    });
    if has_permission_sets {
        identity_center(aws, cx)
    } else {
        None
    }
}

/// Returns the client of the Identity Center instance that an earlier step found.
fn require_identity_center(aws: &Aws, cx: &Context) -> Result<IdentityCenter> {
    identity_center(aws, cx).ok_or_else(|| {
        missing_prerequisite("the instance of IAM Identity Center", "identity-center")
    })
}

/// Returns the error for data that is not known because an earlier step has not run.
fn missing_prerequisite(what: &str, step: &str) -> Error {
    Error::new(ErrorKind::StalePlan, format!("{what} is not known"))
        .with_help(format!("run step {step} first"))
}

/// Returns the users and groups of the blueprint, read once per context.
async fn scope<'a>(
    okta: &Okta,
    blueprint: &Blueprint,
    cx: &'a Context,
) -> Result<&'a ResolvedScope> {
    cx.scope
        .get_or_try_init(|| ResolvedScope::read(okta, blueprint))
        .await
}

/// Returns the user's name in AWS: the user name in Okta's app assignment, or the login if there is none.
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

/// Returns the accounts of the organization, read once per context.
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

/// Returns the active account with this id or name.
///
/// Fails if no account or several accounts match, or if the account is not active.
async fn account<'a>(aws: &Aws, cx: &'a Context, id_or_name: &str) -> Result<&'a Account> {
    let all = accounts(aws, cx).await?;
    let matches: Vec<&Account> = all
        .iter()
        .filter(|account| {
            account.id.as_str() == id_or_name || account.name.as_deref() == Some(id_or_name)
        })
        .collect();
    match matches.as_slice() {
        [account] if account.state == AccountState::Active => Ok(account),
        [account] => Err(Error::new(
            ErrorKind::UnusableSubject,
            format!(
                "account {} is {}: AWS does not accept assignments to it",
                account_name(account),
                account.state
            ),
        )
        .with_response(describe_account(aws, account).await)
        .with_help("reopen the account in AWS Organizations, or remove it from the blueprint")),
        [] => Err(unknown_account(aws, id_or_name, all).await),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|account| account.id.to_string())
                .collect();
            Err(Error::new(
                ErrorKind::UnusableSubject,
                format!(
                    "`{id_or_name}` is the name of {} accounts: {}",
                    several.len(),
                    ids.join(", ")
                ),
            )
            .with_help("use the account id in the blueprint"))
        }
    }
}

/// Returns the account's name and id for a message.
fn account_name(account: &Account) -> String {
    match &account.name {
        Some(name) => format!("{name} ({})", account.id),
        None => account.id.to_string(),
    }
}

/// Returns AWS's response about an account that cannot be used. The response has the request id, which AWS support asks
/// for.
async fn describe_account(aws: &Aws, account: &Account) -> ServiceResponse {
    let call = "organizations DescribeAccount".to_owned();
    match aws.organizations().account(&account.id).await {
        Ok(current) => ServiceResponse {
            call,
            status: Some(200),
            code: Some(format!("State {}", current.state)),
            request_id: current.request_id.or_else(|| account.request_id.clone()),
            ..ServiceResponse::default()
        },
        Err(error) => error.response(),
    }
}

/// Returns the error for an account that the organization does not have, with the most similar name as a suggestion.
async fn unknown_account(aws: &Aws, id_or_name: &str, all: &[Account]) -> Error {
    let error = Error::new(
        ErrorKind::UnusableSubject,
        format!("account `{id_or_name}` does not exist in the organization"),
    );
    let error = match AccountId::parse(id_or_name) {
        // For an id, the error also shows AWS's own response.
        Ok(id) => match aws.organizations().account(&id).await {
            Err(refused) => error.with_response(refused.response()).with_source(refused),
            Ok(_) => error,
        },
        Err(_not_an_id) => error.with_response(ServiceResponse {
            call: "organizations ListAccounts".to_owned(),
            status: Some(200),
            message: Some(format!(
                "{}, none with this name",
                count(all.len(), "account")
            )),
            request_id: all.last().and_then(|account| account.request_id.clone()),
            ..ServiceResponse::default()
        }),
    };
    let nearest = all
        .iter()
        .map(|account| {
            (
                strsim::jaro_winkler(account.name.as_deref().unwrap_or_default(), id_or_name),
                account,
            )
        })
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .filter(|(similarity, _)| *similarity > 0.8);
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
