//! The organization: its accounts, trusted services and delegated administrators.

use std::{collections::BTreeMap, fmt};

use aws_sdk_organizations::{
    operation::RequestId as _,
    types::{Account as SdkAccount, OrganizationFeatureSet},
};
use rest_core::Pager;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Aws, Error, UnitId, service::Service};

/// Calls for the organization.
///
/// All calls work in the management account. Most calls also work in an account of a delegated
/// administrator.
#[derive(Debug, Clone, Copy)]
pub struct Organizations<'a> {
    aws: &'a Aws,
}

/// The properties of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrganizationDetails {
    /// The id, such as `o-exampleorgid`.
    pub id: String,
    /// The account that owns the organization and pays for it.
    pub management_account: AccountId,
    /// Whether the organization has all features, instead of consolidated billing only. IAM Identity
    /// Center needs all features.
    pub all_features: bool,
}

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The account id.
    pub id: AccountId,
    /// The display name.
    pub name: Option<String>,
    /// The email address of the root user.
    pub email: Option<String>,
    /// The state in the account's life cycle.
    pub state: AccountState,
    /// The root and the organizational units that contain the account, from the root down. Older
    /// partitions do not report them.
    pub path: Option<Vec<UnitId>>,
    /// The tags, if they were read. No list of accounts has them.
    pub tags: Option<BTreeMap<String, String>>,
    /// The id of the request that returned this account, which AWS support asks for.
    pub request_id: Option<String>,
}

/// A root or an organizational unit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrganizationalUnit {
    /// The id.
    pub id: UnitId,
    /// The name, which is unique among the units of one parent.
    pub name: String,
    /// The root or the unit that contains this unit; `None` for a root.
    pub parent: Option<UnitId>,
}

/// The state in an account's life cycle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum AccountState {
    /// The account was created but cannot be used yet.
    PendingActivation,
    /// The account can be used. Assignments work in this state only.
    Active,
    /// AWS has suspended the account.
    Suspended,
    /// AWS is closing the account.
    PendingClosure,
    /// The account is closed. AWS deletes it after 90 days.
    Closed,
    /// A state that this version does not know; `UNKNOWN` if AWS reports no state.
    Other(String),
}

impl Account {
    /// Creates an active account without a path.
    #[must_use]
    pub fn new(id: AccountId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: Some(name.into()),
            email: None,
            state: AccountState::Active,
            path: None,
            tags: None,
            request_id: None,
        }
    }

    /// Returns whether the account is neither closed nor being closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(
            self.state,
            AccountState::Closed | AccountState::PendingClosure
        )
    }
}

impl OrganizationalUnit {
    /// Creates a root, or a unit in `parent`.
    #[must_use]
    pub fn new(id: UnitId, name: impl Into<String>, parent: Option<UnitId>) -> Self {
        Self {
            id,
            name: name.into(),
            parent,
        }
    }
}

impl Aws {
    /// Returns the calls for the organization.
    #[must_use]
    pub fn organizations(&self) -> Organizations<'_> {
        Organizations { aws: self }
    }
}

impl<'a> Organizations<'a> {
    /// Returns the organization of the caller's account.
    ///
    /// # Errors
    ///
    /// Fails with [`is_not_found`](Error::is_not_found) if the account is in no organization.
    pub async fn describe(&self) -> Result<OrganizationDetails, Error> {
        const OPERATION: &str = "DescribeOrganization";
        let call = self.client().describe_organization().send();
        SERVICE
            .call_and_read(OPERATION, call, |response| {
                let organization =
                    SERVICE.require_field(OPERATION, "Organization", response.organization)?;
                Ok(OrganizationDetails {
                    id: SERVICE.require_field(OPERATION, "Id", organization.id)?,
                    management_account: SERVICE.id(
                        OPERATION,
                        "MasterAccountId",
                        organization.master_account_id,
                    )?,
                    all_features: organization.feature_set == Some(OrganizationFeatureSet::All),
                })
            })
            .await
    }

    /// Lists the services with trusted access to the organization, such as `sso.amazonaws.com`.
    pub fn trusted_services(&self) -> Pager<String, Error> {
        const OPERATION: &str = "ListAWSServiceAccessForOrganization";
        let call = self.client().list_aws_service_access_for_organization();
        let call = call.max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let services = response.enabled_service_principals;
                (services.unwrap_or_default(), response.next_token)
            },
            |row| SERVICE.require_field(OPERATION, "ServicePrincipal", row.service_principal),
        )
    }

    /// Enables trusted access for `service`, such as `sso.amazonaws.com`. The call is idempotent.
    ///
    /// A service with trusted access may act in all accounts. This call does not enable IAM Identity
    /// Center. Enabling it is a manual step in its console, which also enables trusted access.
    ///
    /// # Errors
    ///
    /// Fails if the caller is not in the management account, or if the organization does not have
    /// all features.
    pub async fn enable_trusted_access(&self, service: &str) -> Result<(), Error> {
        let call = self
            .client()
            .enable_aws_service_access()
            .service_principal(service)
            .send();
        SERVICE.call("EnableAWSServiceAccess", call).await.map(drop)
    }

    /// Lists the accounts that are delegated administrators of `service`, such as
    /// `sso.amazonaws.com`.
    pub fn delegated_administrators(&self, service: &str) -> Pager<AccountId, Error> {
        const OPERATION: &str = "ListDelegatedAdministrators";
        let call = self.client().list_delegated_administrators();
        let call = call.service_principal(service).max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let administrators = response.delegated_administrators;
                (administrators.unwrap_or_default(), response.next_token)
            },
            |account| SERVICE.id(OPERATION, "Id", account.id),
        )
    }

    /// Lists all accounts in all states.
    pub fn accounts(&self) -> Pager<Account, Error> {
        const OPERATION: &str = "ListAccounts";
        let call = self.client().list_accounts().max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let request_id = response.request_id().map(ToOwned::to_owned);
                let rows = account_rows(response.accounts, request_id.as_ref());
                (rows, response.next_token)
            },
            |(account, request_id)| read_account(OPERATION, account, request_id),
        )
    }

    /// Lists the roots of the organization. AWS has one root per organization.
    pub fn roots(&self) -> Pager<OrganizationalUnit, Error> {
        const OPERATION: &str = "ListRoots";
        let call = self.client().list_roots().max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.roots.unwrap_or_default(), response.next_token),
            |root| {
                Ok(OrganizationalUnit {
                    id: SERVICE.id(OPERATION, "Id", root.id)?,
                    name: SERVICE.require_field(OPERATION, "Name", root.name)?,
                    parent: None,
                })
            },
        )
    }

    /// Lists the organizational units directly in a root or unit.
    pub fn units_in(&self, parent: &UnitId) -> Pager<OrganizationalUnit, Error> {
        const OPERATION: &str = "ListOrganizationalUnitsForParent";
        let call = self.client().list_organizational_units_for_parent();
        let call = call.parent_id(parent.as_str()).max_results(PAGE_SIZE);
        let parent = parent.clone();
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let units = response.organizational_units.unwrap_or_default();
                (units, response.next_token)
            },
            move |unit| {
                Ok(OrganizationalUnit {
                    id: SERVICE.id(OPERATION, "Id", unit.id)?,
                    name: SERVICE.require_field(OPERATION, "Name", unit.name)?,
                    parent: Some(parent.clone()),
                })
            },
        )
    }

    /// Lists the accounts directly in a root or unit, in all states.
    pub fn accounts_in(&self, parent: &UnitId) -> Pager<Account, Error> {
        const OPERATION: &str = "ListAccountsForParent";
        let call = self.client().list_accounts_for_parent();
        let call = call.parent_id(parent.as_str()).max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let request_id = response.request_id().map(ToOwned::to_owned);
                let rows = account_rows(response.accounts, request_id.as_ref());
                (rows, response.next_token)
            },
            |(account, request_id)| read_account(OPERATION, account, request_id),
        )
    }

    /// Lists the tags of an account, as keys with values.
    pub fn tags(&self, account: &AccountId) -> Pager<(String, String), Error> {
        const OPERATION: &str = "ListTagsForResource";
        let call = self.client().list_tags_for_resource();
        let call = call.resource_id(account.as_str());
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.tags.unwrap_or_default(), response.next_token),
            |tag| Ok((tag.key, tag.value)),
        )
    }

    /// Returns one account. For an account that may not exist, use
    /// [`account_opt`](Self::account_opt).
    ///
    /// # Errors
    ///
    /// Fails with [`is_not_found`](Error::is_not_found) if the account is not in the organization.
    pub async fn account(&self, id: &AccountId) -> Result<Account, Error> {
        const OPERATION: &str = "DescribeAccount";
        let call = self
            .client()
            .describe_account()
            .account_id(id.as_str())
            .send();
        SERVICE
            .call_and_read(OPERATION, call, |response| {
                let request_id = response.request_id().map(ToOwned::to_owned);
                let account = SERVICE.require_field(OPERATION, "Account", response.account)?;
                read_account(OPERATION, account, request_id)
            })
            .await
    }

    /// Returns one account, or `None` if the account is not in the organization.
    ///
    /// # Errors
    ///
    /// Fails if AWS does not answer, or refuses the call for another reason, for example because the
    /// caller's account is in no organization.
    pub async fn account_opt(&self, id: &AccountId) -> Result<Option<Account>, Error> {
        match self.account(id).await {
            Ok(account) => Ok(Some(account)),
            Err(error) if error.is_code("AccountNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn client(self) -> &'a aws_sdk_organizations::Client {
        self.aws.sdk().organizations()
    }
}

/// Reads an account of a response.
///
/// `State` replaces `Status`, which was planned to be retired in September 2026 (Organizations API
/// reference). Services that do not return `State` yet return the same value as `Status`.
/// Returns the accounts of a response, each with the id of the request.
fn account_rows(
    accounts: Option<Vec<SdkAccount>>,
    request_id: Option<&String>,
) -> Vec<(SdkAccount, Option<String>)> {
    let accounts = accounts.unwrap_or_default().into_iter();
    let rows = accounts.map(|account| (account, request_id.cloned()));
    rows.collect()
}

fn read_account(
    operation: &'static str,
    account: SdkAccount,
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
        path: account.paths.unwrap_or_default().first().map(|path| {
            let parts = path.split('/').map(UnitId::parse);
            parts.filter_map(Result::ok).collect()
        }),
        tags: None,
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
/// Maximum page size that Organizations accepts (API reference, `ListAccounts`).
const PAGE_SIZE: i32 = 20;

#[cfg(test)]
mod tests {
    use super::AccountState;
    use crate::{
        AccountId, UnitId,
        replay::{Replay, block_on},
    };

    #[test]
    fn an_organization_has_its_id_management_account_and_feature_set() {
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
    fn an_empty_page_does_not_end_the_accounts_and_state_has_priority_over_status() {
        let replay = Replay::new()
            .json(r#"{"Accounts": [], "NextToken": "t1"}"#)
            .json(
                r#"{"Accounts": [{"Id": "111111111111", "Name": "main", "Email": "aws@example.com",
                    "State": "PENDING_CLOSURE", "Status": "ACTIVE", "Paths": ["o-1/r-ab12/ou-ab12-11111111/111111111111/"]}],
                    "NextToken": "t2"}"#,
            )
            .json(r#"{"Accounts": [{"Id": "222222222222", "Status": "SUSPENDED"}, {"Id": "333333333333"},
                {"Id": "444444444444", "State": "HIBERNATING"}]}"#);
        let (aws, _) = replay.connect();
        let accounts = block_on(aws.organizations().accounts().try_collect()).expect("accounts");
        let states: Vec<_> = accounts
            .iter()
            .map(|account| account.state.to_string())
            .collect();
        assert_eq!(
            states,
            ["PENDING_CLOSURE", "SUSPENDED", "UNKNOWN", "HIBERNATING"]
        );
        assert_eq!(accounts[0].state, AccountState::PendingClosure);
        let path = accounts[0].path.as_deref().expect("a path");
        let path: Vec<&str> = path.iter().map(UnitId::as_str).collect();
        assert_eq!(path, ["r-ab12", "ou-ab12-11111111"]);
        assert_eq!(accounts[1].path, None);
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
    fn a_missing_account_is_none_and_a_missing_organization_is_an_error() {
        let id = AccountId::parse("111111111111").expect("an id");
        let (aws, _) = Replay::new()
            .refuse(400, "AccountNotFoundException", "no such account")
            .refuse(400, "AWSOrganizationsNotInUseException", "not a member")
            .connect();
        assert_eq!(
            block_on(aws.organizations().account_opt(&id)).expect("a response"),
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
    fn states_round_trip_through_text() {
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
