//! The complete AWS side of the sandbox.

use std::time::Duration;

use jiff::Timestamp;

use super::center::{Center, NewOperation, Principal};
use super::directory::Directory;
use super::identity_source::not_enabled;
use super::ids::{Ids, uuid_of};
use super::organizations::{Organization, SSO};
use super::page::Pages;
use super::seed::{AccessKey, BaseUrls, InstanceOptions, Seed};
use crate::iam_policy::IamPolicy;
use crate::operations::{OperationControl, OperationDurations, OperationKind};
use crate::scim::ScimOptions;
use crate::token_bucket::TokenBucket;

/// An AWS organization and, once enabled, its IAM Identity Center.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(super) organization: Organization,
    pub(super) center: Option<Center>,
    pub(super) keys: Vec<AccessKey>,
    pub(super) pages: Pages,
    pub(super) ids: Ids,
    /// The duration of creations and closures of accounts.
    pub(super) operation_delay: Duration,
    /// The durations and the faults of the asynchronous operations of Identity Center.
    pub(crate) operations: OperationControl,
    pub(super) instance_options: InstanceOptions,
    /// The calls of Identity Center that its quota allows; `None`: unlimited.
    pub(super) sso_admin_calls: Option<TokenBucket>,
    /// The policy that limits the users of the access keys; `None`: they have all rights.
    pub(crate) caller_policy: Option<IamPolicy>,
    /// The behavior of the SCIM endpoint.
    pub(super) scim_options: ScimOptions,
    base_urls: BaseUrls,
    requests: u64,
}

impl Cloud {
    /// Returns an organization built from a seed, without Identity Center.
    pub(crate) fn new(seed: Seed) -> Self {
        let mut ids = Ids::default();
        Self {
            organization: Organization::new(&seed, &mut ids),
            center: None,
            keys: seed.keys,
            pages: Pages::new(seed.page_size),
            ids,
            operation_delay: seed.operation_delay,
            operations: OperationControl::new(
                seed.operation_durations
                    .unwrap_or_else(|| OperationDurations::constant(seed.operation_delay)),
            ),
            sso_admin_calls: seed.instance.quotas.calls_per_second.map(TokenBucket::new),
            instance_options: seed.instance,
            caller_policy: seed.caller_policy,
            scim_options: seed.scim,
            base_urls: seed.base_urls,
            requests: 0,
        }
    }

    /// Registers an account as a delegated administrator of Identity Center, as the management account does.
    ///
    /// # Errors
    ///
    /// Returns an error if the account is the management account or not in the organization.
    pub(crate) fn delegate(&mut self, account: &str, now: Timestamp) -> Result<(), String> {
        let organization = &mut self.organization;
        if account == organization.management || organization.account(account).is_none() {
            return Err(format!(
                "a delegated administrator is a member account, and {account} is none"
            ));
        }
        organization.trusted.entry(SSO.to_owned()).or_insert(now);
        let delegated = (account.to_owned(), SSO.to_owned());
        organization.delegated.insert(delegated, now);
        Ok(())
    }

    /// Starts asynchronous operations of another tool in Identity Center.
    ///
    /// # Errors
    ///
    /// Returns an error if Identity Center is not enabled, or if it has no permission set with this name or ARN.
    pub(crate) fn start_foreign_operations(
        &mut self,
        (kind, account, permission_set): (OperationKind, &str, &str),
        count: usize,
        duration: Duration,
        now: Timestamp,
    ) -> Result<(), String> {
        let center = self.center.as_mut().ok_or_else(not_enabled)?;
        let sets = &center.sets;
        let set = sets
            .ix(permission_set)
            .or_else(|| sets.ix_by_name(permission_set))
            .ok_or_else(|| format!("Identity Center has no permission set {permission_set}"))?;
        let new = NewOperation {
            kind,
            account: Some(account.to_owned()),
            permission_set: sets.at(set).arn.clone(),
            principal: (kind != OperationKind::Provision).then(|| Principal {
                kind: "GROUP",
                id: "".into(),
            }),
            caller: None,
            now,
        };
        center.start_foreign(&new, count, duration);
        Ok(())
    }

    /// Lets the operations of Identity Center that are held end now.
    pub(crate) fn release_operations(&mut self, now: Timestamp) {
        if let Some(center) = &mut self.center {
            center.release_operations(now);
        }
    }

    /// Sets the state of an account, in AWS's spelling; returns whether the account exists.
    pub(crate) fn set_account_state(&mut self, account: &str, state: &str) -> bool {
        let Some(account) = self.organization.account_ix(account) else {
            return false;
        };
        state.clone_into(&mut self.organization.account_at_mut(account).state);
        true
    }

    /// Returns the policies of the role of a permission set in an account, or `None` if the account has no such role.
    pub(crate) fn role_policies(&self, account: &str, set: &str) -> Option<Vec<String>> {
        let center = self.center.as_ref()?;
        let (account, set) = (
            self.organization.account_ix(account)?,
            center.sets.ix_by_name(set)?,
        );
        let version = center.access.role(set, account)?.version;
        Some(
            center
                .sets
                .at(set)
                .role_policies(version)
                .cloned()
                .collect(),
        )
    }

    /// Completes the asynchronous operations that are due.
    pub(crate) fn complete_due_operations(&mut self, now: Timestamp) {
        self.organization.complete_due_changes(&mut self.ids, now);
        if let Some(center) = &mut self.center {
            center.complete_due_operations(&self.organization, now);
        }
    }

    /// Returns the identity store, if Identity Center is enabled.
    pub(crate) fn directory(&self) -> Option<&Directory> {
        Some(&self.center.as_ref()?.directory)
    }

    /// Returns the identity store for changes. The assignments of a deleted user or group remain.
    pub(crate) fn directory_mut(&mut self) -> Option<&mut Directory> {
        Some(&mut self.center.as_mut()?.directory)
    }

    /// Returns the request id for the next response.
    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        uuid_of(&format!("request/{}", self.requests))
    }

    /// Returns the URL of the SCIM listener, with a slash at the end.
    pub(super) fn scim_url(&self) -> Option<String> {
        let url = self.base_urls.scim.as_ref()?.as_str();
        Some(format!("{}/", url.trim_end_matches('/')))
    }
}
