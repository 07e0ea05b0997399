//! The reads that several steps share. Each of them is sent once per context.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sso_glue::{
    Account, AccountId, Aws, IdentityCenter, InstanceArn, Partition, estate::Organization,
};
use okta_client::{App, Client as Okta};
use tokio::sync::OnceCell;

use super::{
    app_lists::{self, AppLists, Cached},
    estate::SHARED,
    ids,
};
use crate::{
    blueprint::{Blueprint, Expansion, PrincipalSpec},
    context::Context,
    error::{Error, ErrorKind, Result, ServiceError as _, ServiceResponse},
    plan::{Problem, StepId, Subject, count},
    resolved_scope::ResolvedScope,
    state::Facts,
    utc_day::utc_day,
};

/// The cached reads of one context.
#[derive(Default)]
struct Lookup {
    scope: OnceCell<Arc<ResolvedScope>>,
    access: OnceCell<Arc<Expansion>>,
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
            let _reader = center.estate().names(cx.facts(Facts::names_of_sets));
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

/// Returns the partition of the instance. Before an instance is known, the Region of the AWS client tells it: the credentials are
/// of one partition.
pub(super) fn partition(aws: &Aws, cx: &Context) -> Partition {
    let instance = cx.facts(|facts| Some(facts.instance.as_ref()?.arn.partition()));
    instance
        .or_else(|| Partition::of_region(aws.region()))
        .unwrap_or(Partition::Aws)
}

/// Returns the URL of the Identity Center console in parentheses, for the place of a manual step. Returns nothing for a partition
/// whose console is not known.
pub(super) fn console(partition: &Partition, region: &str) -> String {
    let url = partition.console_url(region);
    url.map_or_else(String::new, |url| format!(" ({url})"))
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
        let assignments = AppLists::new(okta, cx).users(app_lists::RUN).await?;
        let scope = ResolvedScope::read_with(okta, blueprint, app.as_ref(), &assignments).await;
        scope.map(Arc::new)
    };
    let lookup = cx.run_memory::<Lookup>();
    lookup.scope.get_or_try_init(read).await.cloned()
}

/// Returns the name in AWS of the user with this login, or the same text if the blueprint has no such user. Returns `None` if the name is
/// not known before Okta assigns the user: a user of AWS with the login as its name can be another person.
pub(super) async fn aws_user_name(
    okta: &Okta,
    blueprint: &Blueprint,
    login: &str,
    cx: &Context,
) -> Result<Option<String>> {
    let scope = scope(okta, blueprint, cx).await?;
    let user = scope
        .assigned_users()
        .into_values()
        .find(|user| user.profile.login == login);
    let Some(user) = user else {
        return Ok(Some(login.to_owned()));
    };
    let assignments = AppLists::new(okta, cx).users(app_lists::RUN).await?;
    Ok(assignments.name_id(user).map(Cow::into_owned))
}

/// Returns the ids in Okta of the users and groups of the blueprint. They are the external ids in AWS.
pub(super) async fn okta_ids(
    okta: &Okta,
    blueprint: &Blueprint,
    cx: &Context,
) -> Result<HashMap<PrincipalSpec, String>> {
    let scope = scope(okta, blueprint, cx).await?;
    let users = scope.assigned_users().into_values();
    let users = users.map(|user| {
        let spec = PrincipalSpec::User(user.profile.login.clone());
        (spec, user.id.to_string())
    });
    let groups = scope.assigned.iter().chain(&scope.pushed);
    let groups = groups.map(|members| {
        let spec = PrincipalSpec::Group(members.group.name.clone());
        (spec, members.group.id.to_string())
    });
    Ok(users.chain(groups).collect())
}

/// The accounts of the organization, which a plan shares with its run.
#[derive(Default)]
struct Organizations(Cached<(), Organization>);

/// Returns the access of the blueprint in the accounts of the organization, read once per context.
pub(super) async fn access(
    aws: &Aws,
    blueprint: &Blueprint,
    cx: &Context,
) -> Result<Arc<Expansion>> {
    let read = async || {
        let shared = cx.shared_reads::<Organizations>();
        // A box, because the future is large.
        let read = Box::pin(organization(aws, blueprint, cx));
        let organization = shared.0.get((), cx, SHARED, read).await?;
        let today = utc_day(cx.now());
        let earlier = &cx.facts_at_start().selections;
        let mut access = blueprint.expand(&organization, today, earlier);
        for problem in &mut access.problems {
            add_response(aws, &organization, problem).await;
        }
        Ok(Arc::new(access))
    };
    let lookup = cx.run_memory::<Lookup>();
    lookup.access.get_or_try_init(read).await.cloned()
}

/// Reads the accounts of the organization, with the units and tags that the selectors of the blueprint need.
async fn organization(aws: &Aws, blueprint: &Blueprint, cx: &Context) -> Result<Organization> {
    let failed = |error| {
        Error::service(
            "the accounts could not be listed from AWS Organizations",
            error,
        )
    };
    let known = cx.facts(|facts| facts.organization.clone());
    let management_account = if let Some(known) = known {
        known.management_account
    } else {
        let details = aws.organizations().describe().await.map_err(failed)?;
        details.management_account
    };
    let mut organization = Organization::read(aws, management_account, blueprint.needs_units())
        .await
        .map_err(failed)?;
    let tagged = blueprint.needs_tags(&organization);
    let read = organization.read_tags(aws, tagged).await;
    read.map_err(|error| {
        Error::service(
            "the tags of the accounts could not be read from AWS Organizations",
            error,
        )
    })?;
    Ok(organization)
}

/// Adds AWS's response to the problem of an account that does not exist or is not active.
async fn add_response(aws: &Aws, organization: &Organization, problem: &mut Problem) {
    let Some(Subject::Account { id: reference }) = &problem.subject else {
        return;
    };
    let error = Error::from(problem.clone());
    let all = organization.accounts();
    let error = match AccountId::parse(reference) {
        Ok(id) => match organization.account(&id) {
            Some(account) => error.with_response(describe_account(aws, account).await),
            // For an unknown id, the problem shows AWS's own response.
            None => match aws.organizations().account(&id).await {
                Err(refused) => error.with_response(refused.response()).with_source(refused),
                Ok(_) => return,
            },
        },
        Err(_not_an_id) if organization.accounts_named(reference).is_empty() => error
            .with_response(ServiceResponse {
                call: "organizations ListAccounts".to_owned(),
                status: Some(200),
                message: Some(format!(
                    "{}, none with this name",
                    count(all.len(), "account")
                )),
                request_id: all.last().and_then(|account| account.request_id.clone()),
                ..ServiceResponse::default()
            }),
        Err(_not_an_id) => return,
    };
    *problem = Problem::new(problem.subject.clone(), &error);
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
