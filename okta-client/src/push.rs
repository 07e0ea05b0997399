//! Groups that Okta pushes to an app.

use rest_core::{Call, Idempotency, Pager};
use serde_json::{Value, json};

use crate::{
    App, Client, Error, Group, Id,
    json::{self, FromJson, Missing},
    open_enum::open_enum,
};

/// The calls about the groups that one app is kept supplied with.
///
/// A mapping that Okta accepts does not prove that anything is pushed: its
/// [`last_push`](PushMapping::last_push) and [`status`](PushMapping::status) do. A group that the
/// app is assigned to cannot be pushed as well.
#[derive(Debug, Clone)]
pub struct PushMappings<'a> {
    client: &'a Client,
    app: Id<App>,
}

impl<'a> PushMappings<'a> {
    pub(crate) fn new(client: &'a Client, app: Id<App>) -> Self {
        Self { client, app }
    }

    /// Returns every mapping of the app.
    pub fn list(&self) -> Pager<PushMapping, Error> {
        let path = self.path(&[]);
        self.client
            .list(move || Call::get(path.clone()).query("limit", PAGE.to_string()))
    }

    /// Returns a mapping.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or there is no such mapping.
    pub async fn get(&self, id: &Id<PushMapping>) -> Result<PushMapping, Error> {
        self.client.read(Call::get(self.path(&[id.as_str()]))).await
    }

    /// Starts to push a group.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or Okta does not accept the target. After
    /// [`Error::Transport`] the mapping may exist nevertheless: [`list`](Self::list) tells.
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

    /// Switches a mapping on or off; off and on again pushes everything at once.
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails or the mapping is in error, which only deletion ends.
    pub async fn set_status(
        &self,
        id: &Id<PushMapping>,
        status: PushSwitch,
    ) -> Result<PushMapping, Error> {
        let status = match status {
            PushSwitch::Active => PushStatus::Active,
            PushSwitch::Inactive => PushStatus::Inactive,
        };
        let call = Call::patch(self.path(&[id.as_str()]))
            .json(&json!({ "status": status.as_str() }))
            .idempotency(Idempotency::Idempotent);
        let reply = self.client.send(call).await?;
        if reply.answer.body().is_empty() {
            return self.get(id).await;
        }
        reply.read()
    }

    /// Deletes a mapping, which has to be [`Inactive`](PushStatus::Inactive) or in
    /// [`Error`](PushStatus::Error).
    ///
    /// # Errors
    ///
    /// [`Error`] if the call fails, if the mapping is active, or if there is no such mapping.
    pub async fn delete(&self, id: &Id<PushMapping>, target: TargetGroup) -> Result<(), Error> {
        let delete_target = match target {
            TargetGroup::Keep => "false",
            TargetGroup::Delete => "true",
        };
        let call =
            Call::delete(self.path(&[id.as_str()])).query("deleteTargetGroup", delete_target);
        self.client.delete_idempotent(call).await
    }

    fn path(&self, rest: &[&str]) -> Vec<String> {
        let mappings = [
            "api",
            "v1",
            "apps",
            self.app.as_str(),
            "group-push",
            "mappings",
        ];
        mappings
            .into_iter()
            .chain(rest.iter().copied())
            .map(String::from)
            .collect()
    }
}

/// A mapping to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPushMapping {
    /// The group to push.
    pub source_group: Id<Group>,
    /// Where it goes.
    pub target: PushTarget,
}

/// Where a group is pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushTarget {
    /// A group of this name at the app; if the app has one, Okta takes that over.
    ///
    /// A name other than the source's needs "Rename app groups to match group name in Okta" to be
    /// unticked in the app's push settings, which no API can do.
    NewGroup(String),
    /// A group that was imported from the app.
    ExistingGroup(Id<Group>),
}

/// Whether a mapping pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushSwitch {
    /// Changes are pushed.
    Active,
    /// Nothing is pushed.
    Inactive,
}

/// What becomes of the group at the app when its mapping is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetGroup {
    /// It stays as it is.
    Keep,
    /// It is deleted as well.
    Delete,
}

/// A group that is pushed to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushMapping {
    /// The id.
    pub id: Id<Self>,
    /// The group in Okta.
    pub source_group: Id<Group>,
    /// Okta's picture of the group at the app, once there is one.
    pub target_group: Option<Id<Group>>,
    /// Whether the group is pushed.
    pub status: PushStatus,
    /// Why the last push failed, if it did.
    pub error_summary: Option<String>,
    /// When the group was last pushed, as Okta writes it.
    pub last_push: Option<String>,
}

impl FromJson for PushMapping {
    fn from_json(value: Value) -> Result<Self, Missing> {
        Ok(Self {
            id: json::id(&value, "/id")?,
            source_group: json::id(&value, "/sourceGroupId")?,
            target_group: json::id_opt(&value, "/targetGroupId"),
            status: json::word(&value, "/status"),
            error_summary: json::text(&value, "/errorSummary"),
            last_push: json::text(&value, "/lastPush"),
        })
    }
}

open_enum! {
    /// Whether a group is pushed.
    PushStatus {
        /// Changes are pushed.
        Active = "ACTIVE",
        /// Nothing is pushed.
        Inactive = "INACTIVE",
        /// The last push failed, and nothing is pushed.
        Error = "ERROR",
    }
}

// The most that Okta allows: pages of the scarcest rate limit should be few.
const PAGE: u32 = 1000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PushMapping, PushStatus};
    use crate::json::{FromJson, Missing};

    #[test]
    fn a_mapping_is_read_with_what_okta_leaves_out() {
        let fresh = json!({ "id": "gPm1", "sourceGroupId": "00g1", "status": "ACTIVE" });
        let mapping = PushMapping::from_json(fresh).expect("a mapping");
        assert_eq!(mapping.target_group, None);
        assert_eq!(mapping.last_push, None);
        let failed = json!({
            "id": "gPm1", "sourceGroupId": "00g1", "targetGroupId": "00g2", "status": "ERROR",
            "errorSummary": "Unable to push.", "lastPush": "2026-03-25T06:09:58Z"
        });
        let mapping = PushMapping::from_json(failed).expect("a mapping");
        assert_eq!(mapping.status, PushStatus::Error);
        assert_eq!(mapping.error_summary.as_deref(), Some("Unable to push."));
        assert_eq!(mapping.last_push.as_deref(), Some("2026-03-25T06:09:58Z"));
    }

    #[test]
    fn a_mapping_without_a_source_is_none() {
        let value = json!({ "id": "gPm1", "status": "ACTIVE" });
        assert_eq!(
            PushMapping::from_json(value),
            Err(Missing("/sourceGroupId"))
        );
    }
}
