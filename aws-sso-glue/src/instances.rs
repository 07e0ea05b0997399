//! Instances of IAM Identity Center.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use aws_sdk_ssoadmin::types::{InstanceMetadata, RegionScope};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Aws, Error, IdentityStoreId, InstanceArn, PermissionSetArn, service::Service,
};
use rest_core::Pager;

/// An instance of IAM Identity Center.
///
/// The management account owns the organization's instance. An instance that another account owns
/// is for the applications of that account only, and gives no access to accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The ARN.
    pub arn: InstanceArn,
    /// The identity store with the users and groups of the instance.
    pub identity_store: IdentityStoreId,
    /// The account in which the instance was enabled.
    pub owner: AccountId,
    /// The status.
    pub status: InstanceStatus,
    /// The only region that accepts writes and has the permission sets and assignments.
    pub primary_region: String,
    /// The display name.
    pub name: Option<String>,
}

/// Details of an instance that [`Instance`] does not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceDetails {
    /// The status.
    pub status: InstanceStatus,
    /// The reason why the instance cannot be used, if AWS reports it.
    pub status_reason: Option<String>,
    /// Whether the instance can give access to accounts. Old instances always can, and AWS may
    /// report `None` for them.
    pub permission_sets_enabled: Option<bool>,
}

/// The status of an instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum InstanceStatus {
    /// AWS is creating the instance.
    CreateInProgress,
    /// AWS could not create the instance.
    CreateFailed,
    /// AWS is deleting the instance.
    DeleteInProgress,
    /// The instance can be used.
    Active,
    /// A status that this version does not know; `UNKNOWN` if AWS reports no status.
    Other(String),
}

/// Calls for one instance, in its primary region.
///
/// Cloning is cheap; clones share the cached names of permission sets.
#[derive(Clone)]
pub struct IdentityCenter {
    aws: Aws,
    instance: InstanceArn,
    identity_store: IdentityStoreId,
    // The cache never becomes stale: names do not change, and AWS does not list deleted sets.
    pub(crate) names: Arc<Mutex<BTreeMap<PermissionSetArn, String>>>,
}

impl Aws {
    /// Lists the instances that the caller can see, in all regions.
    pub fn instances(&self) -> Pager<Instance, Error> {
        const OPERATION: &str = "ListInstances";
        let call = self.sdk().sso_admin().list_instances();
        let call = call
            .region_scope(RegionScope::AllRegions)
            .max_results(PAGE_SIZE);
        let called_region = self.region().to_owned();
        SERVICE.list(
            OPERATION,
            move |token| call.clone().set_next_token(token).send(),
            |response| (response.instances.unwrap_or_default(), response.next_token),
            move |instance| read_instance(OPERATION, instance, &called_region),
        )
    }

    /// Returns the details of an instance in this region.
    ///
    /// # Errors
    ///
    /// Fails with [`is_not_found`](Error::is_not_found) if the instance does not exist or is in
    /// another region.
    pub async fn describe_instance(
        &self,
        instance: &InstanceArn,
    ) -> Result<InstanceDetails, Error> {
        let call = self
            .sdk()
            .sso_admin()
            .describe_instance()
            .instance_arn(instance.as_str())
            .send();
        let response = SERVICE.call("DescribeInstance", call).await?;
        Ok(InstanceDetails {
            status: read_status(response.status.as_ref()),
            status_reason: response.status_reason,
            permission_sets_enabled: response.permission_sets_enabled,
        })
    }

    /// Enables an instance of this region to give access to accounts. This cannot be undone.
    ///
    /// # Errors
    ///
    /// Fails if AWS refuses the call or does not answer.
    pub async fn enable_permission_sets(&self, instance: &InstanceArn) -> Result<(), Error> {
        let call = self
            .sdk()
            .sso_admin()
            .update_instance()
            .instance_arn(instance.as_str());
        let call = call.permission_sets_enabled(true).send();
        SERVICE.call("UpdateInstance", call).await.map(drop)
    }

    /// Returns the calls for `instance`, which may be in another region than this connection.
    #[must_use]
    pub fn identity_center(&self, instance: &Instance) -> IdentityCenter {
        IdentityCenter {
            aws: self.in_region(&instance.primary_region),
            instance: instance.arn.clone(),
            identity_store: instance.identity_store.clone(),
            names: Arc::default(),
        }
    }
}

impl IdentityCenter {
    /// Returns the primary region of the instance, which all calls use.
    #[must_use]
    pub fn region(&self) -> &str {
        self.aws.region()
    }

    pub(crate) fn aws(&self) -> &Aws {
        &self.aws
    }

    pub(crate) fn identity_store_id(&self) -> &IdentityStoreId {
        &self.identity_store
    }

    pub(crate) fn client(&self) -> &aws_sdk_ssoadmin::Client {
        self.aws.sdk().sso_admin()
    }

    pub(crate) fn instance(&self) -> &str {
        self.instance.as_str()
    }
}

impl fmt::Debug for IdentityCenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityCenter")
            .field("instance", &self.instance)
            .field("region", &self.region())
            .finish_non_exhaustive()
    }
}

/// Reads an instance of a response.
///
/// Responses of older partitions have no primary region. An instance there has only one region,
/// which is `called_region`.
fn read_instance(
    operation: &'static str,
    instance: InstanceMetadata,
    called_region: &str,
) -> Result<Instance, Error> {
    Ok(Instance {
        status: read_status(instance.status.as_ref()),
        arn: SERVICE.id(operation, "InstanceArn", instance.instance_arn)?,
        identity_store: SERVICE.id(operation, "IdentityStoreId", instance.identity_store_id)?,
        owner: SERVICE.id(operation, "OwnerAccountId", instance.owner_account_id)?,
        primary_region: instance
            .primary_region
            .unwrap_or_else(|| called_region.to_owned()),
        name: instance.name,
    })
}

fn read_status(status: Option<&aws_sdk_ssoadmin::types::InstanceStatus>) -> InstanceStatus {
    let text = status.map_or("UNKNOWN", aws_sdk_ssoadmin::types::InstanceStatus::as_str);
    InstanceStatus::from(text.to_owned())
}

impl From<String> for InstanceStatus {
    fn from(text: String) -> Self {
        match text.as_str() {
            "CREATE_IN_PROGRESS" => Self::CreateInProgress,
            "CREATE_FAILED" => Self::CreateFailed,
            "DELETE_IN_PROGRESS" => Self::DeleteInProgress,
            "ACTIVE" => Self::Active,
            _ => Self::Other(text),
        }
    }
}

impl From<InstanceStatus> for String {
    fn from(status: InstanceStatus) -> Self {
        status.to_string()
    }
}

impl fmt::Display for InstanceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateInProgress => "CREATE_IN_PROGRESS",
            Self::CreateFailed => "CREATE_FAILED",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
            Self::Active => "ACTIVE",
            Self::Other(text) => text,
        })
    }
}

const SERVICE: Service = Service::SsoAdmin;
/// Maximum page size of all lists of the service model.
pub(crate) const PAGE_SIZE: i32 = 100;

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::InstanceStatus;
    use crate::{
        InstanceArn,
        replay::{INSTANCE, Replay, block_on},
    };

    #[test]
    fn instances_of_all_regions_are_listed_and_called_in_their_primary_region() {
        let replay = Replay::new()
            .json(&format!(
                r#"{{"Instances": [{{"InstanceArn": "{INSTANCE}", "IdentityStoreId": "d-9067642ac7",
                    "OwnerAccountId": "111111111111", "Status": "ACTIVE", "Name": "people",
                    "PrimaryRegion": "eu-west-1"}}]}}"#
            ))
            .json(r#"{"PermissionSets": []}"#);
        let (aws, _) = replay.connect();
        let instances = block_on(aws.instances().try_collect()).expect("instances");
        assert_eq!(instances[0].status, InstanceStatus::Active);
        assert_eq!(instances[0].owner.as_str(), "111111111111");
        let center = aws.identity_center(&instances[0]);
        block_on(center.permission_sets().list().try_collect()).expect("a list");
        let requests = replay.requests();
        assert_eq!(
            requests[0].body,
            r#"{"MaxResults":100,"RegionScope":"ALL_REGIONS"}"#
        );
        assert_eq!(requests[1].uri, "https://sso.eu-west-1.amazonaws.com/");
    }

    #[test]
    fn an_instance_without_a_primary_region_is_in_the_called_region() {
        let (aws, _) = Replay::new()
            .json(&format!(
                r#"{{"Instances": [{{"InstanceArn": "{INSTANCE}", "IdentityStoreId": "d-9067642ac7",
                    "OwnerAccountId": "111111111111"}}]}}"#
            ))
            .connect();
        let instances = block_on(aws.instances().try_collect()).expect("instances");
        assert_eq!(instances[0].primary_region, "us-east-1");
        assert_eq!(
            instances[0].status,
            InstanceStatus::Other("UNKNOWN".to_owned())
        );
    }

    #[test]
    fn a_response_without_a_required_field_is_an_error_that_names_the_field() {
        let (aws, _) = Replay::new()
            .json(&format!(
                r#"{{"Instances": [{{"InstanceArn": "{INSTANCE}"}}]}}"#
            ))
            .connect();
        let error = block_on(aws.instances().try_collect()).expect_err("no store");
        assert_eq!(
            error.to_string(),
            "item 1 of page 1 of sso-admin ListInstances could not be read"
        );
        let source = error.source().expect("a source").to_string();
        assert_eq!(source, "the response has no IdentityStoreId");
    }

    #[test]
    fn enabling_permission_sets_changes_no_other_field() {
        let replay = Replay::new()
            .json(r#"{"PermissionSetsEnabled": false, "Status": "ACTIVE"}"#)
            .json("{}");
        let (aws, _) = replay.connect();
        let arn = InstanceArn::parse(INSTANCE).expect("an ARN");
        let details = block_on(aws.describe_instance(&arn)).expect("details");
        assert_eq!(details.permission_sets_enabled, Some(false));
        block_on(aws.enable_permission_sets(&arn)).expect("a response");
        let request = &replay.requests()[1];
        assert_eq!(request.target(), "SWBExternalService.UpdateInstance");
        assert_eq!(
            request.body,
            format!(r#"{{"InstanceArn":"{INSTANCE}","PermissionSetsEnabled":true}}"#)
        );
    }
}
