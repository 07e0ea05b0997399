//! Permission sets: what somebody may do in an account.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use aws_sdk_ssoadmin::types::{ProvisionTargetType, ProvisioningStatus, Tag};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    AccountId, Error, IdentityCenter, OperationStatus, PermissionSetArn, RequestId,
    instances::PAGE,
    paging::{self, Page},
    service::Service,
};

mod policies;

/// The calls about permission sets.
///
/// A change of a set or of its policies reaches the accounts only once it is provisioned, see
/// [`start_provisioning`](Self::start_provisioning); several changes need that once.
#[derive(Debug, Clone, Copy)]
pub struct PermissionSets<'a> {
    center: &'a IdentityCenter,
}

/// A permission set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionSet {
    /// The name that calls take.
    pub arn: PermissionSetArn,
    /// The name that people see; it never changes.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How long a session lasts, in ISO 8601 such as `PT8H`.
    pub session_duration: Option<String>,
    /// The page of the AWS console that a person lands on.
    pub relay_state: Option<String>,
}

/// A permission set to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewPermissionSet {
    /// The name, of 1 to 32 letters, digits and `+=,.@_-`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How long a session lasts, from `PT1H`, which is what AWS takes for `None`, to `PT12H`.
    pub session_duration: Option<String>,
    /// Labels.
    pub tags: BTreeMap<String, String>,
}

/// What to change about a permission set; `None` keeps what is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpdatePermissionSet {
    /// What it is for.
    pub description: Option<String>,
    /// How long a session lasts.
    pub session_duration: Option<String>,
    /// The page of the AWS console that a person lands on.
    pub relay_state: Option<String>,
}

impl<'a> PermissionSets<'a> {
    pub(crate) fn new(center: &'a IdentityCenter) -> Self {
        Self { center }
    }

    /// Returns all permission sets: one call for 100 of them, and one for each.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn list(&self) -> Result<Vec<PermissionSet>, Error> {
        let sets = self.describe_all(self.arns().await?);
        sets.try_filter_map(async |set| Ok(set)).try_collect().await
    }

    /// Returns the permission set of this name, if there is one.
    ///
    /// AWS cannot look up a name: the first call describes sets until it meets the name. What it
    /// met is remembered, and later calls ask for one page and one set.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn find(&self, name: &str) -> Result<Option<PermissionSet>, Error> {
        let mut unknown = Vec::new();
        let mut known = None;
        for arn in self.arns().await? {
            match self.name_of(&arn) {
                Some(of_set) if of_set == name => known = Some(arn),
                Some(_) => {}
                None => unknown.push(arn),
            }
        }
        if let Some(arn) = known
            && let Some(set) = self.get_opt(&arn).await?
        {
            return Ok(Some(set));
        }
        let mut sets = self.describe_all(unknown);
        while let Some(set) = sets.try_next().await? {
            if set.as_ref().is_some_and(|set| set.name == name) {
                return Ok(set);
            }
        }
        Ok(None)
    }

    /// Returns one permission set; [`get_opt`](Self::get_opt) is for one that may be missing.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if there is no such set.
    pub async fn get(&self, arn: &PermissionSetArn) -> Result<PermissionSet, Error> {
        const OPERATION: &str = "DescribePermissionSet";
        let call = self
            .client()
            .describe_permission_set()
            .instance_arn(self.instance());
        let answer = SERVICE
            .call(OPERATION, call.permission_set_arn(arn.as_str()).send())
            .await?;
        let set = SERVICE.require_field(OPERATION, "PermissionSet", answer.permission_set)?;
        let set = permission_set(OPERATION, set)?;
        self.names().insert(set.arn.clone(), set.name.clone());
        Ok(set)
    }

    /// Returns one permission set, or `None` if there is no such set.
    ///
    /// # Errors
    ///
    /// If AWS refuses for another reason, or does not answer.
    pub async fn get_opt(&self, arn: &PermissionSetArn) -> Result<Option<PermissionSet>, Error> {
        match self.get(arn).await {
            Ok(set) => Ok(Some(set)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a permission set, or returns the one of this name as it is.
    ///
    /// So a creation whose answer was lost can be repeated. What is returned may then differ from
    /// what was asked for.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn create(&self, new: &NewPermissionSet) -> Result<PermissionSet, Error> {
        const OPERATION: &str = "CreatePermissionSet";
        let call = self
            .client()
            .create_permission_set()
            .instance_arn(self.instance())
            .name(&new.name)
            .set_description(new.description.clone())
            .set_session_duration(new.session_duration.clone())
            .set_tags(Some(tags(new)))
            .send();
        match SERVICE.call(OPERATION, call).await {
            Ok(answer) => {
                let set =
                    SERVICE.require_field(OPERATION, "PermissionSet", answer.permission_set)?;
                permission_set(OPERATION, set)
            }
            Err(error) if error.is_conflict() => self.find(&new.name).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Changes a permission set, and returns how it is then; nothing is written if nothing differs.
    ///
    /// AWS takes a member that is left out for one to be cleared. So everything is read first, and
    /// sent back with the changes.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
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

    /// Removes a permission set that is assigned nowhere; one that is gone already is no error.
    ///
    /// The end of the last assignment takes a moment to arrive, so a conflict is waited out for
    /// up to half a minute.
    ///
    /// # Errors
    ///
    /// [`is_conflict`](Error::is_conflict) if it is still assigned or provisioned.
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

    /// Returns the accounts that the permission set is provisioned in.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn accounts(&self, arn: &PermissionSetArn) -> Result<Vec<AccountId>, Error> {
        self.provisioned_accounts(arn, None).await
    }

    /// Returns the accounts in which a change of the permission set has not arrived yet.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn outdated_accounts(&self, arn: &PermissionSetArn) -> Result<Vec<AccountId>, Error> {
        let status = ProvisioningStatus::LatestPermissionSetNotProvisioned;
        self.provisioned_accounts(arn, Some(status)).await
    }

    /// Brings the permission set, as it is now, into all accounts that it is provisioned in.
    ///
    /// AWS carries out three of these at a time (IAM Identity Center quotas). A set that is
    /// provisioned nowhere needs it not: the first assignment in an account does it.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn start_provisioning(&self, arn: &PermissionSetArn) -> Result<RequestId, Error> {
        const OPERATION: &str = "ProvisionPermissionSet";
        let call = self
            .client()
            .provision_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .target_type(ProvisionTargetType::AllProvisionedAccounts)
            .send();
        let answer = SERVICE.call(OPERATION, call).await?;
        let status =
            SERVICE.require_field(OPERATION, STATUS, answer.permission_set_provisioning_status)?;
        SERVICE.id(OPERATION, "RequestId", status.request_id)
    }

    /// Returns how far a provisioning has come.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn provisioning_status(&self, id: &RequestId) -> Result<OperationStatus, Error> {
        const OPERATION: &str = "DescribePermissionSetProvisioningStatus";
        let call = self
            .client()
            .describe_permission_set_provisioning_status()
            .instance_arn(self.instance())
            .provision_permission_set_request_id(id.as_str())
            .send();
        let answer = SERVICE.call(OPERATION, call).await?;
        let status =
            SERVICE.require_field(OPERATION, STATUS, answer.permission_set_provisioning_status)?;
        OperationStatus::read(OPERATION, status.status.as_ref(), status.failure_reason)
    }

    async fn arns(&self) -> Result<Vec<PermissionSetArn>, Error> {
        const OPERATION: &str = "ListPermissionSets";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_permission_sets()
                .instance_arn(self.instance());
            let call = call.max_results(PAGE).set_next_token(token).send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let arns = answer.permission_sets.unwrap_or_default().into_iter();
            let items = arns.map(|arn| SERVICE.id(OPERATION, "PermissionSets", Some(arn)));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Describes sets a few at a time, in order; one that is deleted meanwhile is `None`.
    fn describe_all(
        self,
        arns: Vec<PermissionSetArn>,
    ) -> impl stream::Stream<Item = Result<Option<PermissionSet>, Error>> + Send + Unpin + use<'a>
    {
        let sets = stream::iter(arns).map(move |arn| async move { self.get_opt(&arn).await });
        Box::pin(sets.buffered(AT_ONCE))
    }

    async fn provisioned_accounts(
        &self,
        arn: &PermissionSetArn,
        status: Option<ProvisioningStatus>,
    ) -> Result<Vec<AccountId>, Error> {
        const OPERATION: &str = "ListAccountsForProvisionedPermissionSet";
        let status = &status;
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_accounts_for_provisioned_permission_set()
                .instance_arn(self.instance())
                .permission_set_arn(arn.as_str())
                .set_provisioning_status(status.clone())
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let ids = answer.account_ids.unwrap_or_default().into_iter();
            let items = ids.map(|id| SERVICE.id(OPERATION, "AccountIds", Some(id)));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    fn name_of(self, arn: &PermissionSetArn) -> Option<String> {
        self.names().get(arn).cloned()
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
        let keep = |change: &Option<String>, old: &Option<String>| {
            change.as_ref().or(old.as_ref()).cloned()
        };
        PermissionSet {
            arn: set.arn.clone(),
            name: set.name.clone(),
            description: keep(&self.description, &set.description),
            session_duration: keep(&self.session_duration, &set.session_duration),
            relay_state: keep(&self.relay_state, &set.relay_state),
        }
    }
}

fn tags(new: &NewPermissionSet) -> Vec<Tag> {
    let tags = new
        .tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.map(|tag| tag.expect("a tag has a key and a value"))
        .collect()
}

fn permission_set(
    operation: &'static str,
    set: aws_sdk_ssoadmin::types::PermissionSet,
) -> Result<PermissionSet, Error> {
    Ok(PermissionSet {
        arn: SERVICE.id(operation, "PermissionSetArn", set.permission_set_arn)?,
        name: SERVICE.require_field(operation, "Name", set.name)?,
        description: set.description,
        session_duration: set.session_duration,
        relay_state: set.relay_state,
    })
}

const SERVICE: Service = Service::SsoAdmin;
const STATUS: &str = "PermissionSetProvisioningStatus";
/// A describing call takes about a third of a second, so these few use up the rate of 15 a second.
const AT_ONCE: usize = 4;

#[cfg(test)]
mod tests;
