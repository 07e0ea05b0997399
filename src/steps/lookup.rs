//! The reads that several steps share. Each of them is sent once per context.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sso_glue::{Account, AccountId, AccountState, Aws, IdentityCenter, InstanceArn};
use okta_client::{App, Client as Okta};
use tokio::sync::OnceCell;

use super::{
    app_lists::{self, AppLists},
    ids,
};
use crate::{
    blueprint::Blueprint,
    context::Context,
    error::{Error, ErrorKind, Result, ServiceError as _, ServiceResponse},
    plan::{StepId, count},
    resolved_scope::ResolvedScope,
};

/// The cached reads of one context.
#[derive(Default)]
struct Lookup {
    scope: OnceCell<Arc<ResolvedScope>>,
    accounts: OnceCell<Arc<[Account]>>,
    center: Mutex<Option<(InstanceArn, IdentityCenter)>>,
}

/// Returns the app, or `None` if it is not known yet or no longer exists.
pub(super) async fn app(okta: &Okta, cx: &Context) -> Result<Option<App>> {
    let Some(id) = cx.facts(|facts| facts.app.clone()) else {
        return Ok(None);
    };
    okta.apps()
        .get_opt(&id)
        .await
        .map_err(|error| Error::service(format!("app {id} could not be read from Okta"), error))
}

/// Returns the app that an earlier step created or found.
pub(super) async fn require_app(okta: &Okta, cx: &Context) -> Result<App> {
    app(okta, cx)
        .await?
        .ok_or_else(|| missing_prerequisite("the Okta app", &ids::CATALOG_APP))
}

/// Returns the client of the Identity Center instance, or `None` if the instance is not known yet.
pub(super) fn identity_center(aws: &Aws, cx: &Context) -> Option<IdentityCenter> {
    let instance = cx.facts(|facts| facts.instance.clone())?;
    // The client caches names, so one client serves the whole context.
    let lookup = cx.run_memory::<Lookup>();
    let mut cached = lookup.center.lock().unwrap_or_else(PoisonError::into_inner);
    Some(match &*cached {
        Some((arn, center)) if *arn == instance.arn => center.clone(),
        _ => {
            let center = aws.identity_center(&instance.instance());
            cached.insert((instance.arn, center)).1.clone()
        }
    })
}

/// Returns the client of the Identity Center instance, or `None` if the instance is not known yet or has no permission
/// sets. Without permission sets, the instance cannot assign access to accounts.
pub(super) fn assignable_identity_center(aws: &Aws, cx: &Context) -> Option<IdentityCenter> {
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
pub(super) fn require_identity_center(aws: &Aws, cx: &Context) -> Result<IdentityCenter> {
    identity_center(aws, cx).ok_or_else(|| {
        missing_prerequisite("the instance of IAM Identity Center", &ids::IDENTITY_CENTER)
    })
}

/// Returns the error for data that is not known because an earlier step has not run.
pub(super) fn missing_prerequisite(what: &str, step: &StepId) -> Error {
    Error::new(ErrorKind::StalePlan, format!("{what} is not known"))
        .with_help(format!("run step {step} first"))
}

/// Returns the users and groups of the blueprint, read once per context.
pub(super) async fn scope(
    okta: &Okta,
    blueprint: &Blueprint,
    cx: &Context,
) -> Result<Arc<ResolvedScope>> {
    let app = cx.facts(|facts| facts.app.clone());
    let read = async || {
        let scope = ResolvedScope::read(okta, blueprint, app.as_ref()).await;
        scope.map(Arc::new)
    };
    let lookup = cx.run_memory::<Lookup>();
    lookup.scope.get_or_try_init(read).await.cloned()
}

/// Returns the name in AWS of the user with this login.
pub(super) async fn aws_user_name(
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
    let Some(user) = user else {
        return Ok(login.to_owned());
    };
    let assignments = AppLists::new(okta, cx).users(app_lists::RUN).await?;
    Ok(assignments.aws_user_name(user).to_owned())
}

/// Returns the accounts of the organization, read once per context.
async fn accounts(aws: &Aws, cx: &Context) -> Result<Arc<[Account]>> {
    let read = async || {
        let accounts = aws
            .organizations()
            .accounts()
            .try_collect()
            .await
            .map_err(|error| {
                Error::service(
                    "the accounts could not be listed from AWS Organizations",
                    error,
                )
            })?;
        Ok(accounts.into())
    };
    let lookup = cx.run_memory::<Lookup>();
    lookup.accounts.get_or_try_init(read).await.cloned()
}

/// Returns the id of the account with this id or name, also if the account cannot be used. Returns `None` if no account or
/// several accounts match.
pub(super) async fn account_id(
    aws: &Aws,
    cx: &Context,
    id_or_name: &str,
) -> Result<Option<AccountId>> {
    let all = accounts(aws, cx).await?;
    Ok(match matching(&all, id_or_name).as_slice() {
        [account] => Some(account.id.clone()),
        _ => None,
    })
}

/// Returns the account with this id, or the accounts with this name. The id wins: the name of an account may look like the id
/// of another one.
fn matching<'a>(all: &'a [Account], id_or_name: &str) -> Vec<&'a Account> {
    let by_id = all.iter().find(|account| account.id.as_str() == id_or_name);
    if let Some(account) = by_id {
        return vec![account];
    }
    let by_name = |account: &&Account| account.name.as_deref() == Some(id_or_name);
    all.iter().filter(by_name).collect()
}

/// Returns the active account with this id or name.
///
/// Fails if no account or several accounts match, or if the account is not active.
pub(super) async fn account(aws: &Aws, cx: &Context, id_or_name: &str) -> Result<Account> {
    let all = accounts(aws, cx).await?;
    match matching(&all, id_or_name).as_slice() {
        [account] if account.state == AccountState::Active => Ok((*account).clone()),
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
        [] => Err(unknown_account(aws, id_or_name, &all).await),
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
pub(super) fn account_name(account: &Account) -> String {
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
