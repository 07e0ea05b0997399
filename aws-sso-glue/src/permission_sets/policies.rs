//! Policies of a permission set.

use rest_core::Pager;

use super::{PermissionSets, SERVICE};
use crate::{Error, PermissionSetArn, instances::PAGE_SIZE};

impl PermissionSets<'_> {
    /// Lists the ARNs of the AWS-managed policies that are attached.
    pub fn managed_policies(&self, arn: &PermissionSetArn) -> Pager<String, Error> {
        const OPERATION: &str = "ListManagedPoliciesInPermissionSet";
        let call = self
            .client()
            .list_managed_policies_in_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let policies = response.attached_managed_policies;
                (policies.unwrap_or_default(), response.next_token)
            },
            |policy| SERVICE.require_field(OPERATION, "Arn", policy.arn),
        )
    }

    /// Attaches an AWS-managed policy. Succeeds if the policy is already attached.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn attach_managed_policy(
        &self,
        arn: &PermissionSetArn,
        policy: &str,
    ) -> Result<(), Error> {
        let call = self
            .client()
            .attach_managed_policy_to_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .managed_policy_arn(policy)
            .send();
        match SERVICE
            .call("AttachManagedPolicyToPermissionSet", call)
            .await
        {
            // A concurrent write causes the same error, so check whether the policy is attached.
            Err(error) if error.is_conflict() => {
                let attached = self.has_managed_policy(arn, policy).await?;
                if attached { Ok(()) } else { Err(error) }
            }
            result => result.map(drop),
        }
    }

    /// Detaches an AWS-managed policy. Succeeds if the policy is not attached.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer. The error is
    /// [`is_not_found`](Error::is_not_found) if the permission set does not exist.
    pub async fn detach_managed_policy(
        &self,
        arn: &PermissionSetArn,
        policy: &str,
    ) -> Result<(), Error> {
        let call = self
            .client()
            .detach_managed_policy_from_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .managed_policy_arn(policy)
            .send();
        match SERVICE
            .call("DetachManagedPolicyFromPermissionSet", call)
            .await
        {
            // Either the policy or the permission set does not exist, so check the policies.
            Err(error) if error.is_not_found() => {
                let attached = self.has_managed_policy(arn, policy).await?;
                if attached { Err(error) } else { Ok(()) }
            }
            result => result.map(drop),
        }
    }

    /// Lists the references to customer-managed policies, as path and name, such as `/team/Deploy`.
    pub fn customer_managed_policies(&self, arn: &PermissionSetArn) -> Pager<String, Error> {
        let call = self
            .client()
            .list_customer_managed_policy_references_in_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .max_results(PAGE_SIZE);
        SERVICE.list(
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            move |token| call.clone().set_next_token(token).send(),
            |response| {
                let references = response.customer_managed_policy_references;
                (references.unwrap_or_default(), response.next_token)
            },
            // The default path is `/` (IAM identifiers).
            |policy| Ok(policy.path.unwrap_or_else(|| "/".to_owned()) + &policy.name),
        )
    }

    async fn has_managed_policy(
        &self,
        arn: &PermissionSetArn,
        policy: &str,
    ) -> Result<bool, Error> {
        let mut policies = self.managed_policies(arn);
        while let Some(attached) = policies.try_next().await? {
            if attached == policy {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the inline policy of the permission set as JSON.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn inline_policy(&self, arn: &PermissionSetArn) -> Result<Option<String>, Error> {
        let call = self
            .client()
            .get_inline_policy_for_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .send();
        let response = SERVICE
            .call("GetInlinePolicyForPermissionSet", call)
            .await?;
        // AWS returns an empty string if the set has no inline policy.
        Ok(response.inline_policy.filter(|policy| !policy.is_empty()))
    }

    /// Replaces the inline policy of the permission set. The policy is JSON.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer. AWS refuses policies of more than 10,240
    /// characters, not counting white space (IAM Identity Center quotas).
    pub async fn put_inline_policy(
        &self,
        arn: &PermissionSetArn,
        policy: &str,
    ) -> Result<(), Error> {
        let call = self
            .client()
            .put_inline_policy_to_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .inline_policy(policy)
            .send();
        SERVICE
            .call("PutInlinePolicyToPermissionSet", call)
            .await
            .map(drop)
    }

    /// Deletes the inline policy of the permission set. Succeeds if the set has no
    /// inline policy.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer. The error is
    /// [`is_not_found`](Error::is_not_found) if the permission set does not exist.
    pub async fn delete_inline_policy(&self, arn: &PermissionSetArn) -> Result<(), Error> {
        let call = self
            .client()
            .delete_inline_policy_from_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .send();
        match SERVICE
            .call("DeleteInlinePolicyFromPermissionSet", call)
            .await
        {
            // Either the policy or the permission set does not exist, so check the policy.
            Err(error) if error.is_not_found() => {
                let exists = self.inline_policy(arn).await?.is_some();
                if exists { Err(error) } else { Ok(()) }
            }
            result => result.map(drop),
        }
    }
}
