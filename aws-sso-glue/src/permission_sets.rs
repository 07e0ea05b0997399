//! Permission sets, and the calls for them.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use aws_sdk_ssoadmin::{
    operation::list_permission_sets::builders::ListPermissionSetsFluentBuilder,
    types::ProvisioningStatus,
};
use futures::{StreamExt, TryStreamExt, stream};
use rest_core::{Page, Pager};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Error, IdentityCenter, PermissionSetArn, call::read_row, instances::PAGE_SIZE,
    service::Service,
};

mod contents;
mod policies;
mod provisioning;

pub use contents::{Boundary, PermissionSetContents};
pub use provisioning::{
    FailedAccount, ProvisioningEnd, ProvisioningEvent, ProvisioningProgress, ProvisioningRequest,
    ProvisioningRun,
};

/// Calls for permission sets.
///
/// A change of a permission set or its policies takes effect in the accounts only after
/// [`start_provisioning`](Self::start_provisioning). One call is enough for several changes.
#[derive(Debug, Clone, Copy)]
pub struct PermissionSets<'a> {
    center: &'a IdentityCenter,
}

/// A permission set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PermissionSet {
    /// The ARN.
    pub arn: PermissionSetArn,
    /// The name, which never changes.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The duration of a session in ISO 8601, such as `PT8H`.
    pub session_duration: Option<String>,
    /// The page of the AWS console that opens after sign-in.
    pub relay_state: Option<String>,
}

/// The properties of a permission set to create.
///
/// Fields may be added: end with `..NewPermissionSet::default()`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewPermissionSet {
    /// The name: 1 to 32 letters, digits and `+=,.@_-`.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The duration of a session, from `PT1H` to `PT12H` (default of AWS: `PT1H`).
    pub session_duration: Option<String>,
    /// The page of the AWS console that opens after sign-in.
    pub relay_state: Option<String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

/// The changes of a permission set; `None` keeps the current value.
///
/// Fields may be added: end with `..UpdatePermissionSet::default()`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpdatePermissionSet {
    /// The description.
    pub description: Option<String>,
    /// The duration of a session.
    pub session_duration: Option<String>,
    /// The page of the AWS console that opens after sign-in.
    pub relay_state: Option<String>,
}

impl IdentityCenter {
    /// Returns the calls for permission sets.
    #[must_use]
    pub fn permission_sets(&self) -> PermissionSets<'_> {
        PermissionSets { center: self }
    }
}

impl<'a> PermissionSets<'a> {
    /// Lists all permission sets. The client sends one call per 100 sets, and one call per set.
    ///
    /// A set that is deleted while the list is read is omitted.
    pub fn list(&self) -> Pager<PermissionSet, Error> {
        let center = self.center.clone();
        let operation = SERVICE.operation(LIST);
        Pager::new(operation, move |token| {
            let center = center.clone();
            Box::pin(async move {
                let sets = center.permission_sets();
                let call = sets.list_arns().set_next_token(token).send();
                let response = SERVICE.call(LIST, call).await?;
                let mut items = Vec::new();
                let mut arns = Vec::new();
                for arn in response.permission_sets.unwrap_or_default() {
                    match read_row(arn, read_arn) {
                        Ok(arn) => arns.push(arn),
                        Err(error) => items.push(Err(error)),
                    }
                }
                let mut described = sets.describe_all(arns);
                while let Some(set) = described.try_next().await? {
                    items.extend(set.map(Ok));
                }
                drop(described);
                Ok(Page {
                    items,
                    next: response.next_token.filter(|token| !token.is_empty()),
                })
            })
        })
    }

    /// Returns the permission set with this name, or `None` if there is no such set.
    ///
    /// AWS has no look-up by name. The first search therefore describes sets until it finds the
    /// name, and caches the names that it has seen. A later search for a cached name only lists the
    /// ARNs and describes one set.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn find(&self, name: &str) -> Result<Option<PermissionSet>, Error> {
        let mut uncached = Vec::new();
        let mut matching = None;
        let mut arns = self.arns();
        while let Some(arn) = arns.try_next().await? {
            match self.cached_name(&arn) {
                Some(cached) if cached == name => matching = Some(arn),
                Some(_) => {}
                None => uncached.push(arn),
            }
        }
        if let Some(arn) = matching
            && let Some(set) = self.get_opt(&arn).await?
        {
            return Ok(Some(set));
        }
        let mut sets = self.describe_all(uncached);
        while let Some(set) = sets.try_next().await? {
            if set.as_ref().is_some_and(|set| set.name == name) {
                return Ok(set);
            }
        }
        Ok(None)
    }

    /// Returns one permission set. For a set that may not exist, use [`get_opt`](Self::get_opt).
    ///
    /// # Errors
    ///
    /// Fails with [`is_not_found`](Error::is_not_found) if the permission set does not exist.
    pub async fn get(&self, arn: &PermissionSetArn) -> Result<PermissionSet, Error> {
        const OPERATION: &str = "DescribePermissionSet";
        let call = self
            .client()
            .describe_permission_set()
            .instance_arn(self.instance());
        let call = call.permission_set_arn(arn.as_str()).send();
        let set = SERVICE
            .call_and_read(OPERATION, call, |response| {
                read_permission_set(OPERATION, response.permission_set)
            })
            .await?;
        self.names().insert(set.arn.clone(), set.name.clone());
        Ok(set)
    }

    /// Returns one permission set, or `None` if the set does not exist.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call for another reason or does not answer.
    pub async fn get_opt(&self, arn: &PermissionSetArn) -> Result<Option<PermissionSet>, Error> {
        match self.get(arn).await {
            Ok(set) => Ok(Some(set)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a permission set, or returns the existing set with this name unchanged.
    ///
    /// The call is idempotent: it can be retried if its response was lost. An existing set may
    /// differ from `new`.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn create(&self, new: &NewPermissionSet) -> Result<PermissionSet, Error> {
        const OPERATION: &str = "CreatePermissionSet";
        let call = self
            .client()
            .create_permission_set()
            .instance_arn(self.instance())
            .name(&new.name)
            .set_description(new.description.clone())
            .set_session_duration(new.session_duration.clone())
            .set_relay_state(new.relay_state.clone())
            .set_tags(Some(
                new.tags
                    .iter()
                    .map(|(key, value)| policies::tag((key, value)))
                    .collect(),
            ))
            .send();
        let created = SERVICE.call_and_read(OPERATION, call, |response| {
            read_permission_set(OPERATION, response.permission_set)
        });
        match created.await {
            Err(error) if error.is_conflict() => self.find(&new.name).await?.ok_or(error),
            Ok(set) => {
                self.names().insert(set.arn.clone(), set.name.clone());
                Ok(set)
            }
            Err(error) => Err(error),
        }
    }

    /// Changes a permission set and returns the changed set. Writes nothing if nothing differs.
    ///
    /// AWS clears the fields that a request leaves out. This call therefore reads all fields first,
    /// and sends them back together with the changes.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn update(
        &self,
        arn: &PermissionSetArn,
        change: &UpdatePermissionSet,
    ) -> Result<PermissionSet, Error> {
        let before = self.get(arn).await?;
        let after = change.applied_to(&before);
        if after == before {
            return Ok(before);
        }
        let call = self
            .client()
            .update_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .set_description(after.description.clone())
            .set_session_duration(after.session_duration.clone())
            .set_relay_state(after.relay_state.clone())
            .send();
        SERVICE.call("UpdatePermissionSet", call).await?;
        Ok(after)
    }

    /// Deletes a permission set that has no assignments. Succeeds if the set does not exist.
    ///
    /// After the last assignment is deleted, AWS needs some time until it allows the deletion of the
    /// set. A conflict is therefore retried for up to half a minute.
    ///
    /// # Errors
    ///
    /// Fails with [`is_conflict`](Error::is_conflict) if the set is still assigned or provisioned.
    pub async fn delete(&self, arn: &PermissionSetArn) -> Result<(), Error> {
        let call = self
            .client()
            .delete_permission_set()
            .instance_arn(self.instance());
        match SERVICE
            .call(
                "DeletePermissionSet",
                call.permission_set_arn(arn.as_str()).send(),
            )
            .await
        {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Lists the accounts in which the permission set is provisioned.
    pub fn accounts(&self, arn: &PermissionSetArn) -> Pager<AccountId, Error> {
        self.provisioned_accounts(arn, None)
    }

    /// Lists the accounts in which the latest version of the permission set is not provisioned.
    pub fn outdated_accounts(&self, arn: &PermissionSetArn) -> Pager<AccountId, Error> {
        let status = ProvisioningStatus::LatestPermissionSetNotProvisioned;
        self.provisioned_accounts(arn, Some(status))
    }

    /// Lists the permission sets that are provisioned in an account, by ARN. One call per 100 sets.
    pub fn provisioned_in(&self, account: &AccountId) -> Pager<PermissionSetArn, Error> {
        const OPERATION: &str = "ListPermissionSetsProvisionedToAccount";
        let call = self
            .client()
            .list_permission_sets_provisioned_to_account()
            .instance_arn(self.instance())
            .account_id(account.as_str())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                (
                    response.permission_sets.unwrap_or_default(),
                    response.next_token,
                )
            },
            |arn| SERVICE.id(OPERATION, "PermissionSets", Some(arn)),
        )
    }

    pub(crate) fn arns(self) -> Pager<PermissionSetArn, Error> {
        let call = self.list_arns();
        SERVICE.list(
            LIST,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                (
                    response.permission_sets.unwrap_or_default(),
                    response.next_token,
                )
            },
            read_arn,
        )
    }

    fn list_arns(self) -> ListPermissionSetsFluentBuilder {
        let call = self.client().list_permission_sets();
        call.instance_arn(self.instance()).max_results(PAGE_SIZE)
    }

    /// Describes permission sets in order, with a few concurrent calls. A set that is deleted in the
    /// meantime is `None`.
    fn describe_all(
        self,
        arns: Vec<PermissionSetArn>,
    ) -> impl stream::Stream<Item = Result<Option<PermissionSet>, Error>> + Send + Unpin + use<'a>
    {
        let sets = stream::iter(arns).map(move |arn| async move { self.get_opt(&arn).await });
        Box::pin(sets.buffered(CONCURRENT_CALLS))
    }

    fn provisioned_accounts(
        self,
        arn: &PermissionSetArn,
        status: Option<ProvisioningStatus>,
    ) -> Pager<AccountId, Error> {
        const OPERATION: &str = "ListAccountsForProvisionedPermissionSet";
        let call = self
            .client()
            .list_accounts_for_provisioned_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .set_provisioning_status(status)
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                (
                    response.account_ids.unwrap_or_default(),
                    response.next_token,
                )
            },
            |id| SERVICE.id(OPERATION, "AccountIds", Some(id)),
        )
    }

    pub(crate) fn cached_name(self, arn: &PermissionSetArn) -> Option<String> {
        self.names().get(arn).cloned()
    }

    /// Adds names that are known from an earlier read.
    pub(crate) fn remember_names(self, names: BTreeMap<PermissionSetArn, String>) {
        self.names().extend(names);
    }

    fn names(self) -> MutexGuard<'a, BTreeMap<PermissionSetArn, String>> {
        self.center
            .names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn client(self) -> &'a aws_sdk_ssoadmin::Client {
        self.center.client()
    }

    fn instance(self) -> &'a str {
        self.center.instance()
    }
}

impl UpdatePermissionSet {
    fn applied_to(&self, set: &PermissionSet) -> PermissionSet {
        let changed_or_old = |change: &Option<String>, old: &Option<String>| {
            change.as_ref().or(old.as_ref()).cloned()
        };
        PermissionSet {
            arn: set.arn.clone(),
            name: set.name.clone(),
            description: changed_or_old(&self.description, &set.description),
            session_duration: changed_or_old(&self.session_duration, &set.session_duration),
            relay_state: changed_or_old(&self.relay_state, &set.relay_state),
        }
    }
}

fn read_permission_set(
    operation: &'static str,
    set: Option<aws_sdk_ssoadmin::types::PermissionSet>,
) -> Result<PermissionSet, Error> {
    let set = SERVICE.require_field(operation, "PermissionSet", set)?;
    Ok(PermissionSet {
        arn: SERVICE.id(operation, "PermissionSetArn", set.permission_set_arn)?,
        name: SERVICE.require_field(operation, "Name", set.name)?,
        description: set.description,
        session_duration: set.session_duration,
        relay_state: set.relay_state,
    })
}

fn read_arn(arn: String) -> Result<PermissionSetArn, Error> {
    SERVICE.id(LIST, "PermissionSets", Some(arn))
}

const SERVICE: Service = Service::SsoAdmin;
const LIST: &str = "ListPermissionSets";
/// A describe call takes about a third of a second, so 6 concurrent calls use up the rate of 18 per
/// second.
const CONCURRENT_CALLS: usize = 6;

#[cfg(test)]
mod tests;
