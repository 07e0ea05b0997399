//! The organization: its accounts, and who may manage what in it.

use std::fmt;

use aws_sdk_organizations::{operation::RequestId as _, types::OrganizationFeatureSet};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Aws, Error,
    paging::{self, Page},
    service::Service,
};

/// The calls about the organization; they need its management account, most also a delegated one.
#[derive(Debug, Clone, Copy)]
pub struct Organizations<'a> {
    aws: &'a Aws,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The id, such as `o-exampleorgid`.
    pub id: String,
    /// The account that owns the organization and pays for it.
    pub management_account: AccountId,
    /// Whether it is more than a shared bill; IAM Identity Center needs that.
    pub all_features: bool,
}

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The id.
    pub id: AccountId,
    /// The name that people know it by.
    pub name: Option<String>,
    /// The address of its root user.
    pub email: Option<String>,
    /// Where it is in its life.
    pub state: AccountState,
    /// Where it is in the tree of units, from the organization down; older partitions do not say.
    pub path: Option<String>,
    /// The request in which AWS said so, which its support asks for.
    pub request_id: Option<String>,
}

/// Where an account is in its life.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum AccountState {
    /// Created, and not usable yet.
    PendingActivation,
    /// In use: the only state in which assignments work.
    Active,
    /// Stopped by AWS.
    Suspended,
    /// Being closed.
    PendingClosure,
    /// Closed; AWS deletes it after 90 days.
    Closed,
    /// A state that is newer than this program; `UNKNOWN` if AWS told none.
    Other(String),
}

impl Aws {
    /// Returns the calls about the organization.
    #[must_use]
    pub fn organizations(&self) -> Organizations<'_> {
        Organizations { aws: self }
    }
}

impl<'a> Organizations<'a> {
    /// Returns the organization that the caller's account is in.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if it is in none.
    pub async fn describe(&self) -> Result<Organization, Error> {
        const OPERATION: &str = "DescribeOrganization";
        let answer = SERVICE
            .call(OPERATION, self.client().describe_organization().send())
            .await?;
        let organization = SERVICE.require_field(OPERATION, "Organization", answer.organization)?;
        Ok(Organization {
            id: SERVICE.require_field(OPERATION, "Id", organization.id)?,
            management_account: SERVICE.id(
                OPERATION,
                "MasterAccountId",
                organization.master_account_id,
            )?,
            all_features: organization.feature_set == Some(OrganizationFeatureSet::All),
        })
    }

    /// Returns the services that may act in all accounts, such as `sso.amazonaws.com`.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn trusted_services(&self) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "ListAWSServiceAccessForOrganization";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self.client().list_aws_service_access_for_organization();
            let call = call.max_results(PAGE).set_next_token(token).send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let services = answer.enabled_service_principals.unwrap_or_default();
            let items = services.into_iter().map(|service| {
                SERVICE.require_field(OPERATION, "ServicePrincipal", service.service_principal)
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Lets `service`, such as `sso.amazonaws.com`, act in all accounts; may be repeated.
    ///
    /// This does not turn IAM Identity Center on: a person does that in its console, which then
    /// does this too.
    ///
    /// # Errors
    ///
    /// If the caller is not the management account, or the organization lacks all features.
    pub async fn enable_trusted_access(&self, service: &str) -> Result<(), Error> {
        let call = self
            .client()
            .enable_aws_service_access()
            .service_principal(service)
            .send();
        SERVICE.call("EnableAWSServiceAccess", call).await.map(drop)
    }

    /// Returns the accounts that may manage `service`, such as `sso.amazonaws.com`, for all.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn delegated_administrators(&self, service: &str) -> Result<Vec<AccountId>, Error> {
        const OPERATION: &str = "ListDelegatedAdministrators";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_delegated_administrators()
                .service_principal(service);
            let call = call.max_results(PAGE).set_next_token(token).send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let administrators = answer.delegated_administrators.unwrap_or_default();
            let items = administrators
                .into_iter()
                .map(|one| SERVICE.id(OPERATION, "Id", one.id));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Returns all accounts, in whatever state.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        const OPERATION: &str = "ListAccounts";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_accounts()
                .max_results(PAGE)
                .set_next_token(token);
            let answer = SERVICE.call(OPERATION, call.send()).await?;
            let request_id = answer.request_id().map(ToOwned::to_owned);
            let accounts = answer.accounts.unwrap_or_default().into_iter();
            let items = accounts.map(|one| account(OPERATION, one, request_id.clone()));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Returns one account; [`account_opt`](Self::account_opt) is for one that may be missing.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the organization has no such account.
    pub async fn account(&self, id: &AccountId) -> Result<Account, Error> {
        const OPERATION: &str = "DescribeAccount";
        let call = self
            .client()
            .describe_account()
            .account_id(id.as_str())
            .send();
        let answer = SERVICE.call(OPERATION, call).await?;
        let request_id = answer.request_id().map(ToOwned::to_owned);
        let found = SERVICE.require_field(OPERATION, "Account", answer.account)?;
        account(OPERATION, found, request_id)
    }

    /// Returns one account, or `None` if the organization has no such account.
    ///
    /// # Errors
    ///
    /// If AWS refuses for another reason, being in no organization included, or does not answer.
    pub async fn account_opt(&self, id: &AccountId) -> Result<Option<Account>, Error> {
        match self.account(id).await {
            Ok(account) => Ok(Some(account)),
            Err(error) if error.is_code("AccountNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn client(self) -> &'a aws_sdk_organizations::Client {
        self.aws.organizations_client()
    }
}

/// `Status` was to be retired in September 2026 (Organizations API reference); where `State` is
/// not told yet, it still says the same.
fn account(
    operation: &'static str,
    account: aws_sdk_organizations::types::Account,
    request_id: Option<String>,
) -> Result<Account, Error> {
    let state = account
        .state
        .as_ref()
        .map(aws_sdk_organizations::types::AccountState::as_str);
    let status = account
        .status
        .as_ref()
        .map(aws_sdk_organizations::types::AccountStatus::as_str);
    Ok(Account {
        state: AccountState::from(state.or(status).unwrap_or("UNKNOWN").to_owned()),
        id: SERVICE.id(operation, "Id", account.id)?,
        name: account.name,
        email: account.email,
        path: account.paths.unwrap_or_default().into_iter().next(),
        request_id,
    })
}

impl From<String> for AccountState {
    fn from(text: String) -> Self {
        match text.as_str() {
            "PENDING_ACTIVATION" => Self::PendingActivation,
            "ACTIVE" => Self::Active,
            "SUSPENDED" => Self::Suspended,
            "PENDING_CLOSURE" => Self::PendingClosure,
            "CLOSED" => Self::Closed,
            _ => Self::Other(text),
        }
    }
}

impl From<AccountState> for String {
    fn from(state: AccountState) -> Self {
        state.to_string()
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
            Self::Other(text) => text,
        })
    }
}

const SERVICE: Service = Service::Organizations;
/// The most that Organizations accepts (API reference, `ListAccounts`).
const PAGE: i32 = 20;

#[cfg(test)]
mod tests {
    use super::AccountState;
    use crate::{
        AccountId,
        replay::{Replay, block_on},
    };

    #[test]
    fn the_organization_names_its_management_account() {
        let replay = Replay::new().json(
            r#"{"Organization": {"Id": "o-exampleorgid", "FeatureSet": "CONSOLIDATED_BILLING",
                "MasterAccountId": "111111111111"}}"#,
        );
        let (aws, _) = replay.connect();
        let organization = block_on(aws.organizations().describe()).expect("an organization");
        assert_eq!(organization.id, "o-exampleorgid");
        assert_eq!(organization.management_account.as_str(), "111111111111");
        assert!(!organization.all_features);
    }

    #[test]
    fn accounts_are_read_over_an_empty_page_and_keep_the_newer_state() {
        let replay = Replay::new()
            .json(r#"{"Accounts": [], "NextToken": "t1"}"#)
            .json(
                r#"{"Accounts": [{"Id": "111111111111", "Name": "main", "Email": "aws@example.com",
                    "State": "PENDING_CLOSURE", "Status": "ACTIVE", "Paths": ["o-1/r-1/111111111111/"]}],
                    "NextToken": "t2"}"#,
            )
            .json(r#"{"Accounts": [{"Id": "222222222222", "Status": "SUSPENDED"}, {"Id": "333333333333"},
                {"Id": "444444444444", "State": "HIBERNATING"}]}"#);
        let (aws, _) = replay.connect();
        let accounts = block_on(aws.organizations().accounts()).expect("accounts");
        let states: Vec<_> = accounts
            .iter()
            .map(|account| account.state.to_string())
            .collect();
        assert_eq!(
            states,
            ["PENDING_CLOSURE", "SUSPENDED", "UNKNOWN", "HIBERNATING"]
        );
        assert_eq!(accounts[0].state, AccountState::PendingClosure);
        assert_eq!(accounts[0].path.as_deref(), Some("o-1/r-1/111111111111/"));
        let bodies: Vec<_> = replay
            .requests()
            .iter()
            .map(|request| request.body.clone())
            .collect();
        assert_eq!(
            bodies,
            [
                r#"{"MaxResults":20}"#,
                r#"{"NextToken":"t1","MaxResults":20}"#,
                r#"{"NextToken":"t2","MaxResults":20}"#
            ]
        );
    }

    #[test]
    fn an_account_that_is_missing_is_told_from_an_organization_that_is() {
        let id = AccountId::parse("111111111111").expect("an id");
        let (aws, _) = Replay::new()
            .refuse(400, "AccountNotFoundException", "no such account")
            .refuse(400, "AWSOrganizationsNotInUseException", "not a member")
            .connect();
        assert_eq!(
            block_on(aws.organizations().account_opt(&id)).expect("an answer"),
            None
        );
        let error = block_on(aws.organizations().account_opt(&id)).expect_err("no organization");
        assert_eq!(
            error.to_string(),
            "AWS refused organizations DescribeAccount"
        );
        assert!(error.is_not_found());
        assert!(
            error
                .help()
                .expect("help")
                .starts_with("this account is in no organization")
        );
    }

    #[test]
    fn states_survive_a_round_trip_through_text() {
        for text in [
            "PENDING_ACTIVATION",
            "ACTIVE",
            "SUSPENDED",
            "PENDING_CLOSURE",
            "CLOSED",
            "NEW",
        ] {
            assert_eq!(AccountState::from(text.to_owned()).to_string(), text);
        }
    }
}
