//! The contents of a permission set: all that it gives.

use std::collections::{BTreeMap, BTreeSet};

use futures::future;
use serde::{Deserialize, Serialize};

use super::{PermissionSet, PermissionSets};
use crate::Error;

/// The contents of a permission set: its properties, its policies, and its tags if they were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PermissionSetContents {
    /// The properties.
    pub set: PermissionSet,
    /// The ARNs of the AWS managed policies.
    pub managed_policies: BTreeSet<String>,
    /// The customer managed policies, as path and name, such as `/teams/Deploy`.
    pub customer_managed_policies: BTreeSet<String>,
    /// The inline policy, as JSON.
    pub inline_policy: Option<String>,
    /// The permissions boundary.
    pub boundary: Option<Boundary>,
    /// The tags; `None` if they were not read.
    pub tags: Option<BTreeMap<String, String>>,
}

/// The permissions boundary of a permission set: a policy that limits what the set gives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Boundary {
    /// An AWS managed policy, by its ARN.
    ManagedPolicy(String),
    /// A customer managed policy, as path and name. Each account needs its own policy of this name.
    CustomerManagedPolicy(String),
}

impl PermissionSetContents {
    /// Returns whether the set has no policy, so that it gives nothing.
    #[must_use]
    pub fn has_no_policy(&self) -> bool {
        self.managed_policies.is_empty()
            && self.customer_managed_policies.is_empty()
            && self.inline_policy.is_none()
    }
}

impl PermissionSets<'_> {
    /// Returns the contents of a permission set, with its tags if `with_tags` is set.
    ///
    /// Sends 4 calls, and one for the tags. A set that others change meanwhile may be a mix of both versions.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses a call or does not answer. The error is [`is_not_found`](Error::is_not_found) if the permission set
    /// does not exist.
    pub async fn contents(
        &self,
        set: PermissionSet,
        with_tags: bool,
    ) -> Result<PermissionSetContents, Error> {
        let arn = &set.arn;
        let tags = async {
            if !with_tags {
                return Ok(None);
            }
            let tags = self.tags(arn).try_collect().await?;
            Ok(Some(tags.into_iter().collect()))
        };
        let managed = self.managed_policies(arn);
        let customer_managed = self.customer_managed_policies(arn);
        let (managed, customer_managed, inline_policy, boundary, tags) = future::try_join5(
            managed.try_collect(),
            customer_managed.try_collect(),
            self.inline_policy(arn),
            self.boundary(arn),
            tags,
        )
        .await?;
        Ok(PermissionSetContents {
            managed_policies: managed.into_iter().collect(),
            customer_managed_policies: customer_managed.into_iter().collect(),
            inline_policy,
            boundary,
            tags,
            set,
        })
    }
}
