//! The access report: each user's roles in each account, with the assignment that grants each role.

use std::collections::BTreeMap;

use aws_sso_glue::{Account, Aws, IdentityCenter, Principal};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Error, Result};

/// One role of a user in an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AccessRow {
    /// The user's sign-in name.
    pub user: String,
    /// The account's name.
    pub account: String,
    /// The account's id.
    pub account_id: String,
    /// The name of the permission set, which is the role in the account.
    pub role: String,
    /// The source of the role: `directly`, or `group` with the group's name.
    pub through: String,
}

/// Each user's roles in each account, as read from AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AccessReport {
    /// One row per user, account, role and source, sorted.
    pub rows: Vec<AccessRow>,
    /// Assignments to users or groups that the identity store no longer has.
    pub orphans: Vec<String>,
}

impl AccessReport {
    /// Reads all access that an Identity Center instance grants.
    ///
    /// Sends about P + M + G requests:
    ///
    /// - for each of P permission sets, one request for its accounts;
    /// - for each of M pairs of permission set and account, one request for the assignments;
    /// - for each of G groups, one request for the members.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses a request or cannot be read.
    pub async fn read(aws: &Aws, center: &IdentityCenter) -> Result<Self> {
        let failed = |error| Error::service("the access report could not be read from AWS", error);
        let accounts = aws
            .organizations()
            .accounts()
            .try_collect()
            .await
            .map_err(failed)?;
        let names: BTreeMap<_, &Account> = accounts
            .iter()
            .map(|account| (&account.id, account))
            .collect();
        let store = center.identity_store();
        let users: BTreeMap<String, String> = store
            .users()
            .try_collect()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|user| (user.id.to_string(), user.user_name))
            .collect();
        let groups: BTreeMap<String, String> = store
            .groups()
            .try_collect()
            .await
            .map_err(failed)?
            .into_iter()
            .map(|group| (group.id.to_string(), group.display_name))
            .collect();
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut report = Self::default();
        for set in center
            .permission_sets()
            .list()
            .try_collect()
            .await
            .map_err(failed)?
        {
            for account in center
                .permission_sets()
                .accounts(&set.arn)
                .try_collect()
                .await
                .map_err(failed)?
            {
                for principal in center
                    .assignments()
                    .list(&account, &set.arn)
                    .try_collect()
                    .await
                    .map_err(failed)?
                {
                    let row = |user: &str, through: String| AccessRow {
                        user: user.to_owned(),
                        account: names
                            .get(&account)
                            .and_then(|found| found.name.clone())
                            .unwrap_or_else(|| account.to_string()),
                        account_id: account.to_string(),
                        role: set.name.clone(),
                        through,
                    };
                    match &principal {
                        Principal::User(id) => match users.get(id.as_str()) {
                            Some(user) => report.rows.push(row(user, "directly".to_owned())),
                            None => report
                                .orphans
                                .push(format!("user {id}: {} in {account}", set.name)),
                        },
                        Principal::Group(id) => {
                            let Some(group) = groups.get(id.as_str()) else {
                                report
                                    .orphans
                                    .push(format!("group {id}: {} in {account}", set.name));
                                continue;
                            };
                            if !members.contains_key(id.as_str()) {
                                let ids = store.members(id).try_collect().await.map_err(failed)?;
                                members.insert(
                                    id.to_string(),
                                    ids.iter().map(ToString::to_string).collect(),
                                );
                            }
                            for member in &members[id.as_str()] {
                                let user =
                                    users.get(member).map_or(member.as_str(), String::as_str);
                                report.rows.push(row(user, format!("group {group}")));
                            }
                        }
                    }
                }
            }
        }
        report.rows.sort();
        Ok(report)
    }
}
