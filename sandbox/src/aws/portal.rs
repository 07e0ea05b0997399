//! The API of the access portal: accounts and roles of a signed-in user.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::center::{Center, SetIx};
use super::cloud::Cloud;
use super::organizations::AccountIx;
use super::page::{BadToken, Page};
use super::params::PageRequest;
use super::reply::Refusal;

/// The maximum number of items on a page (botocore model of `sso`, `MaxResultType`).
const MAX_PAGE_SIZE: usize = 100;

/// Returns the operation at a path.
pub(super) fn operation(request: &Request<Bytes>) -> Option<&'static str> {
    match request.uri().path() {
        "/assignment/accounts" => Some("ListAccounts"),
        "/assignment/roles" => Some("ListAccountRoles"),
        "/federation/credentials" => Some("GetRoleCredentials"),
        "/logout" => Some("Logout"),
        _ => None,
    }
}

/// Runs an operation.
pub(super) fn call(
    cloud: &mut Cloud,
    now: Timestamp,
    operation: &str,
    request: &Request<Bytes>,
) -> Result<Value, Refusal> {
    let method = if operation == "Logout" { "POST" } else { "GET" };
    if request.method() != method {
        return Err(Refusal::new("UnknownOperationException", "").with_status(404));
    }
    let token = request
        .headers()
        .get("x-amz-sso_bearer_token")
        .and_then(|value| value.to_str().ok())
        .ok_or_else(unauthorized)?;
    let center = cloud.center.as_mut().ok_or_else(unauthorized)?;
    let user = center
        .user_of_session(token, now)
        .ok_or_else(unauthorized)?;
    match operation {
        "ListAccounts" => list_accounts(cloud, request, &user),
        "ListAccountRoles" => list_roles(cloud, request, &user),
        "GetRoleCredentials" => credentials(cloud, request, &user, now),
        _ => {
            center
                .sign_in
                .sessions
                .retain(|session| session.token != token);
            Ok(Value::Null)
        }
    }
}

fn list_accounts(cloud: &Cloud, request: &Request<Bytes>, user: &str) -> Result<Value, Refusal> {
    let accounts: BTreeSet<AccountIx> = roles(cloud, user)
        .into_iter()
        .map(|(account, _)| account)
        .collect();
    let accounts = accounts.into_iter().map(|ix| {
        let account = cloud.organization.account_at(ix);
        let json = json!({
            "accountId": account.id,
            "accountName": account.name,
            "emailAddress": account.email,
        });
        (ix.0.into(), json)
    });
    let page = paged(cloud, request, accounts, &format!("portal accounts {user}"))?;
    Ok(list_response("accountList", &page))
}

fn list_roles(cloud: &Cloud, request: &Request<Bytes>, user: &str) -> Result<Value, Refusal> {
    let account = required(request, "account_id")?;
    let center = cloud.center.as_ref().ok_or_else(unauthorized)?;
    let roles = roles_in(cloud, user, &account);
    if roles.is_empty() {
        return Err(forbidden());
    }
    let items = roles.into_iter().map(|set| {
        let json = json!({ "roleName": center.sets.at(set).name, "accountId": account });
        (set.0.into(), json)
    });
    let page = paged(
        cloud,
        request,
        items,
        &format!("portal roles {user} {account}"),
    )?;
    Ok(list_response("roleList", &page))
}

fn credentials(
    cloud: &mut Cloud,
    request: &Request<Bytes>,
    user: &str,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let account = required(request, "account_id")?;
    let name = required(request, "role_name")?;
    let sets = roles_in(cloud, user, &account);
    let center = cloud.center.as_mut().ok_or_else(unauthorized)?;
    let role = sets
        .into_iter()
        .find(|set| center.sets.at(*set).name == name)
        .zip(cloud.organization.account_ix(&account))
        .and_then(|(set, account)| center.role(&cloud.organization, account, set))
        .ok_or_else(forbidden)?;
    let user = center.directory.user(user).ok_or_else(unauthorized)?;
    let user_name = user.user_name().to_owned();
    let session = center
        .sign_in
        .assume(&mut cloud.ids, &role, &user_name, now);
    Ok(json!({ "roleCredentials": {
        "accessKeyId": session.key,
        "secretAccessKey": session.secret,
        "sessionToken": session.token,
        "expiration": session.expires.as_millisecond(),
    } }))
}

impl Center {
    /// Returns the user id of a valid session token; `None` if the user was disabled or deleted since
    /// sign-in.
    fn user_of_session(&self, token: &str, now: Timestamp) -> Option<String> {
        let session = self
            .sign_in
            .sessions
            .iter()
            .find(|session| session.token == token && session.expires > now)?;
        let user = self.directory.user(&session.user)?;
        user.is_active().then(|| user.id.clone())
    }
}

fn roles(cloud: &Cloud, user: &str) -> BTreeSet<(AccountIx, SetIx)> {
    match &cloud.center {
        Some(center) => center.roles_of(&cloud.organization, user),
        None => BTreeSet::new(),
    }
}

/// Returns the permission sets whose roles a user may use in an account.
fn roles_in(cloud: &Cloud, user: &str, account: &str) -> Vec<SetIx> {
    let account = cloud.organization.account_ix(account);
    roles(cloud, user)
        .into_iter()
        .filter(|(found, _)| Some(*found) == account)
        .map(|(_, set)| set)
        .collect()
}

fn paged(
    cloud: &Cloud,
    request: &Request<Bytes>,
    items: impl IntoIterator<Item = (u64, Value)>,
    scope: &str,
) -> Result<Page<Value>, Refusal> {
    let max = match parameter(request, "max_result") {
        None => None,
        Some(text) => match text.parse() {
            Ok(number) if (1..=MAX_PAGE_SIZE).contains(&number) => Some(number),
            _ => return Err(invalid("max_result must be between 1 and 100")),
        },
    };
    let page_request = PageRequest {
        max,
        token: parameter(request, "next_token"),
    };
    cloud
        .pages
        .paginate(
            |first| {
                items
                    .into_iter()
                    .skip_while(move |(position, _)| *position < first)
            },
            scope,
            &page_request,
            MAX_PAGE_SIZE,
        )
        .map_err(|BadToken| invalid("Invalid next token provided"))
}

fn list_response(name: &str, page: &Page<Value>) -> Value {
    json!({ name: page.items, "nextToken": page.next })
}

fn required(request: &Request<Bytes>, name: &str) -> Result<String, Refusal> {
    parameter(request, name).ok_or_else(|| invalid(&format!("Missing required parameter: {name}")))
}

fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidRequestException", message)
}

fn unauthorized() -> Refusal {
    Refusal::new(
        "UnauthorizedException",
        "Session token not found or invalid",
    )
    .with_status(401)
}

/// Returns `ForbiddenException`, which the service sends although its model does not list it.
fn forbidden() -> Refusal {
    Refusal::new("ForbiddenException", "No access").with_status(403)
}

#[cfg(test)]
mod tests;
