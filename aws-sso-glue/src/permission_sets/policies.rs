//! What a permission set allows.

use super::{PermissionSets, SERVICE};
use crate::{
    Error, PermissionSetArn,
    instances::PAGE,
    paging::{self, Page},
};

impl PermissionSets<'_> {
    /// Returns the ARNs of the AWS-managed policies that are attached.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn managed_policies(&self, arn: &PermissionSetArn) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "ListManagedPoliciesInPermissionSet";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_managed_policies_in_permission_set()
                .instance_arn(self.instance())
                .permission_set_arn(arn.as_str())
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let policies = answer
                .attached_managed_policies
                .unwrap_or_default()
                .into_iter();
            let items = policies.map(|policy| SERVICE.require_field(OPERATION, "Arn", policy.arn));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Attaches an AWS-managed policy; one that is attached already is no error.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
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
            // The same words are used for a parallel write, so look.
            Err(error) if error.is_conflict() => {
                let attached = self
                    .managed_policies(arn)
                    .await?
                    .iter()
                    .any(|one| one == policy);
                if attached { Ok(()) } else { Err(error) }
            }
            result => result.map(drop),
        }
    }

    /// Detaches an AWS-managed policy; one that is not attached is no error.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer; [`is_not_found`](Error::is_not_found) if there is no
    /// such permission set.
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
            // The policy or the set may be what was not found, so look.
            Err(error) if error.is_not_found() => {
                let attached = self
                    .managed_policies(arn)
                    .await?
                    .iter()
                    .any(|one| one == policy);
                if attached { Err(error) } else { Ok(()) }
            }
            result => result.map(drop),
        }
    }

    /// Returns the customer-managed policies that are referred to, as path and name, such as `/team/Deploy`.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn customer_managed_policies(
        &self,
        arn: &PermissionSetArn,
    ) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "ListCustomerManagedPolicyReferencesInPermissionSet";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .client()
                .list_customer_managed_policy_references_in_permission_set()
                .instance_arn(self.instance())
                .permission_set_arn(arn.as_str())
                .max_results(PAGE)
                .set_next_token(token)
                .send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let references = answer
                .customer_managed_policy_references
                .unwrap_or_default()
                .into_iter();
            let items = references.map(|reference| {
                // The path is `/` where none is told (IAM identifiers).
                Ok(reference.path.unwrap_or_else(|| "/".to_owned()) + &reference.name)
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Returns the policy that is written into the set itself, as JSON.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn inline_policy(&self, arn: &PermissionSetArn) -> Result<Option<String>, Error> {
        let call = self
            .client()
            .get_inline_policy_for_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .send();
        let answer = SERVICE
            .call("GetInlinePolicyForPermissionSet", call)
            .await?;
        // AWS answers an empty text where there is none.
        Ok(answer.inline_policy.filter(|policy| !policy.is_empty()))
    }

    /// Writes a policy, as JSON, into the set itself, instead of the one there.
    ///
    /// # Errors
    ///
    /// If AWS refuses, as it does for more than 10,240 characters without white space (IAM
    /// Identity Center quotas), or does not answer.
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

    /// Removes the policy that is written into the set itself; a set without one is no error.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer; [`is_not_found`](Error::is_not_found) if there is no
    /// such permission set.
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
            // The policy or the set may be what was not found, so look.
            Err(error) if error.is_not_found() => {
                let written = self.inline_policy(arn).await?.is_some();
                if written { Err(error) } else { Ok(()) }
            }
            result => result.map(drop),
        }
    }
}
