//! Instances of IAM Identity Center.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use aws_sdk_ssoadmin::types::{InstanceMetadata, RegionScope};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Assignments, Aws, Error, IdentityStore, IdentityStoreId, InstanceArn,
    PermissionSetArn, PermissionSets,
    paging::{self, Page},
    service::Service,
};

/// An instance of IAM Identity Center.
///
/// The instance of an organization is owned by its management account; one that is owned by
/// another account is for that account's applications only, and gives no access to accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The name that calls take.
    pub arn: InstanceArn,
    /// Where its users and groups are.
    pub identity_store: IdentityStoreId,
    /// The account that it was turned on in.
    pub owner: AccountId,
    /// Whether it can be used.
    pub status: InstanceStatus,
    /// The region that takes writes, and that alone knows permission sets and assignments.
    pub primary_region: String,
    /// A name for people.
    pub name: Option<String>,
}

/// What an instance says about itself beyond [`Instance`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceDetails {
    /// Whether it can be used.
    pub status: InstanceStatus,
    /// Why it cannot be, in AWS's words.
    pub status_reason: Option<String>,
    /// Whether it can give access to accounts; old instances, which always can, may not say.
    pub permission_sets_enabled: Option<bool>,
}

/// Whether an instance can be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum InstanceStatus {
    /// Being made.
    CreateInProgress,
    /// Could not be made.
    CreateFailed,
    /// Being removed.
    DeleteInProgress,
    /// In use.
    Active,
    /// A status that is newer than this program; `UNKNOWN` if AWS told none.
    Other(String),
}

/// The calls about one instance, made in its primary region.
///
/// A clone is cheap, and shares what was learned about permission sets' names.
#[derive(Clone)]
pub struct IdentityCenter {
    aws: Aws,
    instance: InstanceArn,
    identity_store: IdentityStoreId,
    // Names never change, and a set that is gone is not listed any more.
    pub(crate) names: Arc<Mutex<BTreeMap<PermissionSetArn, String>>>,
}

impl Aws {
    /// Returns the instances that the caller can see, in all regions.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn instances(&self) -> Result<Vec<Instance>, Error> {
        const OPERATION: &str = "ListInstances";
        paging::all(SERVICE, OPERATION, |token| async move {
            let call = self
                .sso_admin()
                .list_instances()
                .region_scope(RegionScope::AllRegions);
            let call = call.max_results(PAGE).set_next_token(token).send();
            let answer = SERVICE.call(OPERATION, call).await?;
            let instances = answer.instances.unwrap_or_default();
            let items = instances
                .into_iter()
                .map(|one| instance(OPERATION, one, self.region()));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next: answer.next_token,
            })
        })
        .await
    }

    /// Returns what an instance of this region says about itself.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the instance is gone or in another region.
    pub async fn describe_instance(
        &self,
        instance: &InstanceArn,
    ) -> Result<InstanceDetails, Error> {
        let call = self
            .sso_admin()
            .describe_instance()
            .instance_arn(instance.as_str())
            .send();
        let answer = SERVICE.call("DescribeInstance", call).await?;
        Ok(InstanceDetails {
            status: status(answer.status.as_ref()),
            status_reason: answer.status_reason,
            permission_sets_enabled: answer.permission_sets_enabled,
        })
    }

    /// Lets an instance of this region give access to accounts, which cannot be taken back.
    ///
    /// # Errors
    ///
    /// If AWS refuses or does not answer.
    pub async fn enable_permission_sets(&self, instance: &InstanceArn) -> Result<(), Error> {
        let call = self
            .sso_admin()
            .update_instance()
            .instance_arn(instance.as_str());
        let call = call.permission_sets_enabled(true).send();
        SERVICE.call("UpdateInstance", call).await.map(drop)
    }

    /// Returns the calls about `instance`, whatever region this connection is to.
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
    /// Returns the calls about permission sets.
    #[must_use]
    pub fn permission_sets(&self) -> PermissionSets<'_> {
        PermissionSets::new(self)
    }

    /// Returns the calls about who may use which permission set in which account.
    #[must_use]
    pub fn assignments(&self) -> Assignments<'_> {
        Assignments::new(self)
    }

    /// Returns the calls about users and groups.
    #[must_use]
    pub fn identity_store(&self) -> IdentityStore<'_> {
        IdentityStore::new(&self.aws, &self.identity_store)
    }

    /// Returns the region that is called.
    #[must_use]
    pub fn region(&self) -> &str {
        self.aws.region()
    }

    pub(crate) fn client(&self) -> &aws_sdk_ssoadmin::Client {
        self.aws.sso_admin()
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

/// The answer of an older partition has no primary region; there, an instance has one region.
fn instance(
    operation: &'static str,
    instance: InstanceMetadata,
    asked: &str,
) -> Result<Instance, Error> {
    Ok(Instance {
        status: status(instance.status.as_ref()),
        arn: SERVICE.id(operation, "InstanceArn", instance.instance_arn)?,
        identity_store: SERVICE.id(operation, "IdentityStoreId", instance.identity_store_id)?,
        owner: SERVICE.id(operation, "OwnerAccountId", instance.owner_account_id)?,
        primary_region: instance.primary_region.unwrap_or_else(|| asked.to_owned()),
        name: instance.name,
    })
}

fn status(status: Option<&aws_sdk_ssoadmin::types::InstanceStatus>) -> InstanceStatus {
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
/// The most that the service model allows for any list.
pub(crate) const PAGE: i32 = 100;

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::InstanceStatus;
    use crate::{
        InstanceArn,
        replay::{INSTANCE, Replay, block_on},
    };

    #[test]
    fn instances_of_all_regions_are_asked_for_and_called_where_they_are() {
        let replay = Replay::new()
            .json(&format!(
                r#"{{"Instances": [{{"InstanceArn": "{INSTANCE}", "IdentityStoreId": "d-9067642ac7",
                    "OwnerAccountId": "111111111111", "Status": "ACTIVE", "Name": "people",
                    "PrimaryRegion": "eu-west-1"}}]}}"#
            ))
            .json(r#"{"PermissionSets": []}"#);
        let (aws, _) = replay.connect();
        let instances = block_on(aws.instances()).expect("instances");
        assert_eq!(instances[0].status, InstanceStatus::Active);
        assert_eq!(instances[0].owner.as_str(), "111111111111");
        let center = aws.identity_center(&instances[0]);
        block_on(center.permission_sets().list()).expect("a list");
        let requests = replay.requests();
        assert_eq!(
            requests[0].body,
            r#"{"MaxResults":100,"RegionScope":"ALL_REGIONS"}"#
        );
        assert_eq!(requests[1].uri, "https://sso.eu-west-1.amazonaws.com/");
    }

    #[test]
    fn an_instance_without_a_primary_region_is_in_the_region_that_was_asked() {
        let (aws, _) = Replay::new()
            .json(&format!(
                r#"{{"Instances": [{{"InstanceArn": "{INSTANCE}", "IdentityStoreId": "d-9067642ac7",
                    "OwnerAccountId": "111111111111"}}]}}"#
            ))
            .connect();
        let instances = block_on(aws.instances()).expect("instances");
        assert_eq!(instances[0].primary_region, "us-east-1");
        assert_eq!(
            instances[0].status,
            InstanceStatus::Other("UNKNOWN".to_owned())
        );
    }

    #[test]
    fn an_answer_without_a_promised_member_is_an_error_that_names_it() {
        let (aws, _) = Replay::new()
            .json(&format!(
                r#"{{"Instances": [{{"InstanceArn": "{INSTANCE}"}}]}}"#
            ))
            .connect();
        let error = block_on(aws.instances()).expect_err("no store");
        assert_eq!(
            error.to_string(),
            "AWS's answer to sso-admin ListInstances could not be read"
        );
        let source = error.source().expect("a source").to_string();
        assert_eq!(source, "the answer has no IdentityStoreId");
    }

    #[test]
    fn permission_sets_are_turned_on_by_that_member_alone() {
        let replay = Replay::new()
            .json(r#"{"PermissionSetsEnabled": false, "Status": "ACTIVE"}"#)
            .json("{}");
        let (aws, _) = replay.connect();
        let arn = InstanceArn::parse(INSTANCE).expect("an ARN");
        let details = block_on(aws.describe_instance(&arn)).expect("details");
        assert_eq!(details.permission_sets_enabled, Some(false));
        block_on(aws.enable_permission_sets(&arn)).expect("an answer");
        let request = &replay.requests()[1];
        assert_eq!(request.target(), "SWBExternalService.UpdateInstance");
        assert_eq!(
            request.body,
            format!(r#"{{"InstanceArn":"{INSTANCE}","PermissionSetsEnabled":true}}"#)
        );
    }
}
