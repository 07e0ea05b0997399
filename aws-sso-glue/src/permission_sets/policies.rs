//! Policies and tags of a permission set.

use aws_sdk_ssoadmin::types::{CustomerManagedPolicyReference, PermissionsBoundary, Tag};
use rest_core::Pager;

use super::{Boundary, PermissionSets, SERVICE};
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
        let attached = SERVICE
            .call("AttachManagedPolicyToPermissionSet", call)
            .await;
        ensure_attached(attached, self.managed_policies(arn), policy).await
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
        let detached = SERVICE
            .call("DetachManagedPolicyFromPermissionSet", call)
            .await;
        ensure_detached(detached, self.managed_policies(arn), policy).await
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
            |policy| Ok(path_and_name(policy)),
        )
    }

    /// Attaches a customer managed policy, given as path and name. Succeeds if the policy is already attached.
    ///
    /// AWS does not check whether the accounts have the policy. Provisioning fails in an account without it.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn attach_customer_managed_policy(
        &self,
        arn: &PermissionSetArn,
        policy: &str,
    ) -> Result<(), Error> {
        let call = self
            .client()
            .attach_customer_managed_policy_reference_to_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .customer_managed_policy_reference(reference(policy))
            .send();
        let operation = "AttachCustomerManagedPolicyReferenceToPermissionSet";
        let attached = SERVICE.call(operation, call).await;
        let policy = path_and_name(reference(policy));
        ensure_attached(attached, self.customer_managed_policies(arn), &policy).await
    }

    /// Detaches a customer managed policy, given as path and name. Succeeds if the policy is not attached.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer. The error is
    /// [`is_not_found`](Error::is_not_found) if the permission set does not exist.
    pub async fn detach_customer_managed_policy(
        &self,
        arn: &PermissionSetArn,
        policy: &str,
    ) -> Result<(), Error> {
        let call = self
            .client()
            .detach_customer_managed_policy_reference_from_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .customer_managed_policy_reference(reference(policy))
            .send();
        let operation = "DetachCustomerManagedPolicyReferenceFromPermissionSet";
        let detached = SERVICE.call(operation, call).await;
        let policy = path_and_name(reference(policy));
        ensure_detached(detached, self.customer_managed_policies(arn), &policy).await
    }

    /// Returns the permissions boundary of the permission set.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn boundary(&self, arn: &PermissionSetArn) -> Result<Option<Boundary>, Error> {
        const OPERATION: &str = "GetPermissionsBoundaryForPermissionSet";
        let call = self
            .client()
            .get_permissions_boundary_for_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .send();
        let response = match SERVICE.call(OPERATION, call).await {
            // AWS also reports a set without a boundary as not found.
            Err(error) if error.is_not_found() => return Ok(None),
            response => response?,
        };
        let Some(boundary) = response.permissions_boundary else {
            return Ok(None);
        };
        let customer_managed = boundary.customer_managed_policy_reference;
        Ok(match (boundary.managed_policy_arn, customer_managed) {
            (Some(policy), _) => Some(Boundary::ManagedPolicy(policy)),
            (None, Some(policy)) => Some(Boundary::CustomerManagedPolicy(path_and_name(policy))),
            (None, None) => None,
        })
    }

    /// Sets the permissions boundary of the permission set.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn put_boundary(
        &self,
        arn: &PermissionSetArn,
        boundary: &Boundary,
    ) -> Result<(), Error> {
        let policy = PermissionsBoundary::builder();
        let policy = match boundary {
            Boundary::ManagedPolicy(arn) => policy.managed_policy_arn(arn),
            Boundary::CustomerManagedPolicy(policy_name) => {
                policy.customer_managed_policy_reference(reference(policy_name))
            }
        };
        let call = self
            .client()
            .put_permissions_boundary_to_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .permissions_boundary(policy.build())
            .send();
        SERVICE
            .call("PutPermissionsBoundaryToPermissionSet", call)
            .await
            .map(drop)
    }

    /// Deletes the permissions boundary of the permission set. Succeeds if the set has none.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer. The error is
    /// [`is_not_found`](Error::is_not_found) if the permission set does not exist.
    pub async fn delete_boundary(&self, arn: &PermissionSetArn) -> Result<(), Error> {
        let call = self
            .client()
            .delete_permissions_boundary_from_permission_set()
            .instance_arn(self.instance())
            .permission_set_arn(arn.as_str())
            .send();
        match SERVICE
            .call("DeletePermissionsBoundaryFromPermissionSet", call)
            .await
        {
            // Either the boundary or the permission set does not exist, so check the set.
            Err(error) if error.is_not_found() => self.get(arn).await.map(drop),
            result => result.map(drop),
        }
    }

    /// Lists the tags of the permission set, as key and value.
    pub fn tags(&self, arn: &PermissionSetArn) -> Pager<(String, String), Error> {
        let call = self.client().list_tags_for_resource();
        let call = call
            .instance_arn(self.instance())
            .resource_arn(arn.as_str());
        SERVICE.list(
            "ListTagsForResource",
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.tags.unwrap_or_default(), response.next_token),
            |tag| Ok((tag.key, tag.value)),
        )
    }

    /// Adds tags to the permission set, or changes their values.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn tag<'a>(
        &self,
        arn: &PermissionSetArn,
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Error> {
        let call = self
            .client()
            .tag_resource()
            .instance_arn(self.instance())
            .resource_arn(arn.as_str())
            .set_tags(Some(tags.into_iter().map(tag).collect()))
            .send();
        SERVICE.call("TagResource", call).await.map(drop)
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

/// Succeeds if a policy is attached after this response.
async fn ensure_attached<T>(
    response: Result<T, Error>,
    policies: Pager<String, Error>,
    policy: &str,
) -> Result<(), Error> {
    match response {
        // A concurrent write causes the same error, so check whether the policy is attached.
        Err(error) if error.is_conflict() => {
            let attached = contains(policies, policy).await?;
            if attached { Ok(()) } else { Err(error) }
        }
        result => result.map(drop),
    }
}

/// Succeeds if a policy is not attached after this response.
async fn ensure_detached<T>(
    response: Result<T, Error>,
    policies: Pager<String, Error>,
    policy: &str,
) -> Result<(), Error> {
    match response {
        // Either the policy or the permission set does not exist, so check the policies.
        Err(error) if error.is_not_found() => {
            let attached = contains(policies, policy).await?;
            if attached { Err(error) } else { Ok(()) }
        }
        result => result.map(drop),
    }
}

async fn contains(mut policies: Pager<String, Error>, policy: &str) -> Result<bool, Error> {
    while let Some(attached) = policies.try_next().await? {
        if attached == policy {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the reference to a policy that is given as path and name. The default path is `/` (IAM identifiers).
fn reference(policy: &str) -> CustomerManagedPolicyReference {
    let name = policy.rsplit('/').next().unwrap_or(policy);
    let path = policy.strip_suffix(name).filter(|path| !path.is_empty());
    CustomerManagedPolicyReference::builder()
        .name(name)
        .path(path.unwrap_or("/"))
        .build()
        .expect("a reference has a name")
}

fn path_and_name(policy: CustomerManagedPolicyReference) -> String {
    policy.path.unwrap_or_else(|| "/".to_owned()) + &policy.name
}

pub(super) fn tag((key, value): (&str, &str)) -> Tag {
    let tag = Tag::builder().key(key).value(value).build();
    tag.expect("a tag has a key and a value")
}
