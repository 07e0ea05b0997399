//! Group push: groups that Okta pushes to an app.

use rest_core::{Call, Idempotency, Pager};
use serde_json::json;

use crate::{App, Client, Error, Group, Id, apps::path, json::resource, open_enum::open_enum};

/// Calls for the push mappings of one app.
///
/// A mapping that Okta accepts may still push nothing: verify with its
/// [`last_push`](PushMapping::last_push) and [`status`](PushMapping::status). A group that is
/// assigned to the app cannot also be pushed.
#[derive(Debug, Clone)]
pub struct PushMappings<'a> {
    client: &'a Client,
    app: Id<App>,
}

impl Client {
    /// Returns the calls for the groups that Okta pushes to `app`.
    #[must_use]
    pub fn push_mappings(&self, app: &Id<App>) -> PushMappings<'_> {
        PushMappings {
            client: self,
            app: app.clone(),
        }
    }
}

impl PushMappings<'_> {
    /// Lists the mappings of the app.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # push(&okta).await?;
    /// let mappings = okta.push_mappings(&app).list().try_collect().await?;
    /// assert_eq!(mappings[0].status, PushStatus::Active);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the app does not exist.
    ///
    /// Scopes: `okta.apps.read`, `okta.groups.read`.
    pub fn list(&self) -> Pager<PushMapping, Error> {
        let path = self.path(&[]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", PAGE.to_string()))
    }

    /// Returns a mapping.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let (app, id) = (aws(&okta).await?, push(&okta).await?);
    /// let mapping = okta.push_mappings(&app).get(&id).await?;
    /// assert!(mapping.last_push.is_some());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the mapping does not exist.
    ///
    /// Scopes: `okta.apps.read`, `okta.groups.read`.
    pub async fn get(&self, id: &Id<PushMapping>) -> Result<PushMapping, Error> {
        self.client.read(Call::get(self.path(&[id.as_str()]))).await
    }

    /// Creates a mapping. Okta then starts to push the group.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let (app, group) = (aws(&okta).await?, group(&okta).await?);
    /// let mapping = NewPushMapping {
    ///     source_group: group,
    ///     target: PushTarget::NewGroup("aws-users".to_owned()),
    /// };
    /// let mapping = okta.push_mappings(&app).create(&mapping).await?;
    /// assert_eq!(mapping.status, PushStatus::Active);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or Okta rejects the target. If [`Error::may_have_acted`], Okta may
    /// have created the mapping: check with [`list`](Self::list).
    ///
    /// Scopes: `okta.apps.manage`, `okta.groups.manage`.
    pub async fn create(&self, mapping: &NewPushMapping) -> Result<PushMapping, Error> {
        let mut body = json!({ "sourceGroupId": mapping.source_group.as_str() });
        let (key, value) = match &mapping.target {
            PushTarget::NewGroup(name) => ("targetGroupName", name.as_str()),
            PushTarget::ExistingGroup(id) => ("targetGroupId", id.as_str()),
        };
        body[key] = value.into();
        self.client
            .read(Call::post(self.path(&[])).json(&body))
            .await
    }

    /// Activates or deactivates a mapping.
    ///
    /// Deactivating and reactivating a mapping pushes the whole group immediately.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let (app, id) = (aws(&okta).await?, push(&okta).await?);
    /// let mappings = okta.push_mappings(&app);
    /// let mapping = mappings.set_status(&id, PushActivation::Inactive).await?;
    /// assert_eq!(mapping.status, PushStatus::Inactive);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the mapping has the status [`Error`](PushStatus::Error).
    /// Such a mapping can only be deleted.
    ///
    /// Scopes: `okta.apps.manage`, `okta.groups.manage`.
    pub async fn set_status(
        &self,
        id: &Id<PushMapping>,
        status: PushActivation,
    ) -> Result<PushMapping, Error> {
        let status = match status {
            PushActivation::Active => PushStatus::Active,
            PushActivation::Inactive => PushStatus::Inactive,
        };
        let call = Call::patch(self.path(&[id.as_str()]))
            .json(&json!({ "status": status.as_str() }))
            .with_idempotency(Idempotency::Idempotent);
        let reply = self.client.request(call).await?;
        if reply.is_empty() {
            return self.get(id).await;
        }
        reply.read()
    }

    /// Deletes a mapping, whose status must be [`Inactive`](PushStatus::Inactive) or
    /// [`Error`](PushStatus::Error).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let (app, id) = (aws(&okta).await?, push(&okta).await?);
    /// let mappings = okta.push_mappings(&app);
    /// mappings.set_status(&id, PushActivation::Inactive).await?;
    /// mappings.delete(&id, TargetGroupAction::Keep).await?;
    /// assert!(mappings.list().try_collect().await?.is_empty());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, if the mapping is active, or if the mapping does not exist.
    ///
    /// Scopes: `okta.apps.manage`, `okta.groups.manage`.
    pub async fn delete(
        &self,
        id: &Id<PushMapping>,
        target: TargetGroupAction,
    ) -> Result<(), Error> {
        let delete_target = match target {
            TargetGroupAction::Keep => "false",
            TargetGroupAction::Delete => "true",
        };
        let call =
            Call::delete(self.path(&[id.as_str()])).query("deleteTargetGroup", delete_target);
        self.client.delete_idempotent(call).await
    }

    fn path(&self, rest: &[&str]) -> Vec<String> {
        path(&self.app, &[&["group-push", "mappings"], rest].concat())
    }
}

/// A new mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPushMapping {
    /// The group to push.
    pub source_group: Id<Group>,
    /// The target of the push.
    pub target: PushTarget,
}

/// Target of a push mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushTarget {
    /// A group with this name at the app. If the app already has such a group, Okta uses it.
    ///
    /// If the name differs from the name of the source group, "Rename app groups to match group
    /// name in Okta" must be disabled in the app's push settings. No API can change this setting.
    NewGroup(String),
    /// A group that was imported from the app.
    ExistingGroup(Id<Group>),
}

/// Desired status of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushActivation {
    /// Changes are pushed.
    Active,
    /// Nothing is pushed.
    Inactive,
}

/// Whether to keep the group at the app when its mapping is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetGroupAction {
    /// Keep the group.
    Keep,
    /// Delete the group.
    Delete,
}

resource! {
    /// A push mapping: a group that Okta pushes to an app.
    resource PushMapping {
        /// The id.
        pub id: Id<PushMapping> = "/id",
        /// The group in Okta.
        pub source_group: Id<Group> = "/sourceGroupId",
        /// Okta's record of the group at the app, if it exists already.
        pub target_group: Option<Id<Group>> = "/targetGroupId",
        /// Whether the group is pushed.
        pub status: PushStatus = "/status",
        /// The error of the last push, if it failed.
        pub error_summary: Option<String> = "/errorSummary",
        /// Time at which the mapping was created, in Okta's format.
        pub created: Option<String> = "/created",
        /// Time of the last push, in Okta's format.
        pub last_push: Option<String> = "/lastPush",
    }
}

open_enum! {
    /// Status of a push mapping.
    PushStatus {
        /// Changes are pushed.
        Active = "ACTIVE",
        /// Nothing is pushed.
        Inactive = "INACTIVE",
        /// The last push failed, and nothing is pushed.
        Error = "ERROR",
    }
}

// This is Okta's maximum, because every page counts against the lowest rate limit.
const PAGE: u32 = 1000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PushMapping, PushStatus};
    use crate::json::{Missing, decode};

    #[test]
    fn a_mapping_is_decoded_with_and_without_optional_fields() {
        let fresh = json!({ "id": "gPm1", "sourceGroupId": "00g1", "status": "ACTIVE" });
        let mapping = decode::<PushMapping>(fresh).expect("a valid mapping");
        assert_eq!(mapping.target_group, None);
        assert_eq!(mapping.last_push, None);
        let failed = json!({
            "id": "gPm1", "sourceGroupId": "00g1", "targetGroupId": "00g2", "status": "ERROR",
            "errorSummary": "Unable to push.", "lastPush": "2026-03-25T06:09:58Z"
        });
        let mapping = decode::<PushMapping>(failed).expect("a valid mapping");
        assert_eq!(mapping.status, PushStatus::Error);
        assert_eq!(mapping.error_summary.as_deref(), Some("Unable to push."));
        assert_eq!(mapping.last_push.as_deref(), Some("2026-03-25T06:09:58Z"));
    }

    #[test]
    fn a_mapping_without_a_source_group_is_an_error() {
        let value = json!({ "id": "gPm1", "status": "ACTIVE" });
        assert_eq!(decode::<PushMapping>(value), Err(Missing("/sourceGroupId")));
    }
}
