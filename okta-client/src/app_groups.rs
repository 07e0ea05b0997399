//! Groups that are assigned to an app.

use rest_core::{Call, Pager};
use serde_json::{Value, json};

use crate::{App, Apps, Edit, Error, Group, Id, apps::path, body, client::found, json::resource};

impl Apps<'_> {
    /// Lists the groups that are assigned to an app.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let group = group(&okta).await?;
    /// okta.apps().assign_group(&app, &group).await?;
    /// let groups = okta.apps().groups(&app).try_collect().await?;
    /// assert_eq!(groups[0].id, group);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub fn groups(&self, id: &Id<App>) -> Pager<AppGroup, Error> {
        self.list_groups(id, ListAppGroups::default())
    }

    /// Lists the groups that are assigned to an app and match `options`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # okta.apps().assign_group(&app, &group(&okta).await?).await?;
    /// let options = ListAppGroups { with_group: true, ..ListAppGroups::default() };
    /// let groups = okta.apps().list_groups(&app, options).try_collect().await?;
    /// assert_eq!(groups[0].group().expect("the group").name, "aws-users");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or the app does not exist.
    ///
    /// Scope: `okta.apps.read`.
    pub fn list_groups(&self, id: &Id<App>, options: ListAppGroups) -> Pager<AppGroup, Error> {
        let path = path(id, &["groups"]);
        self.client.list(move || {
            Call::get(path.clone())
                .query("limit", options.limit.unwrap_or(PAGE).to_string())
                .query_opt("q", options.query.clone())
                .query_opt("expand", options.with_group.then_some("group"))
        })
    }

    /// Returns the assignment of a group to an app. Use [`group_opt`](Self::group_opt) if the group may not be assigned.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let group = group(&okta).await?;
    /// # okta.apps().assign_group(&app, &group).await?;
    /// let assigned = okta.apps().group(&app, &group).await?;
    /// println!("priority {:?}", assigned.priority);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the group is not assigned.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn group(&self, id: &Id<App>, group: &Id<Group>) -> Result<AppGroup, Error> {
        self.client
            .read(Call::get(path(id, &["groups", group.as_str()])))
            .await
    }

    /// Returns the assignment of a group to an app, or `None` if the group is not assigned.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let group = group(&okta).await?;
    /// assert_eq!(okta.apps().group_opt(&app, &group).await?, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails.
    ///
    /// Scope: `okta.apps.read`.
    pub async fn group_opt(
        &self,
        id: &Id<App>,
        group: &Id<Group>,
    ) -> Result<Option<AppGroup>, Error> {
        found(self.group(id, group).await)
    }

    /// Assigns a group to an app, including all current and future members.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let group = group(&okta).await?;
    /// okta.apps().assign_group(&app, &group).await?;
    /// let users = okta.apps().users(&app).try_collect().await?;
    /// assert!(users.iter().all(|user| user.scope == AppUserScope::Group));
    /// # assert!(!users.is_empty());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the group does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn assign_group(&self, id: &Id<App>, group: &Id<Group>) -> Result<AppGroup, Error> {
        self.assign_group_with(id, group, &Edit::new()).await
    }

    /// Assigns a group to an app, with a priority or with attributes that its members have at the app.
    ///
    /// If the group is assigned already, this replaces the priority and the attributes.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let group = group(&okta).await?;
    /// let mut edit = Edit::new();
    /// edit.set("/priority", 2)?;
    /// let assigned = okta.apps().assign_group_with(&app, &group, &edit).await?;
    /// assert_eq!(assigned.priority, Some(2));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the app or the group does not exist.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn assign_group_with(
        &self,
        id: &Id<App>,
        group: &Id<Group>,
        edit: &Edit<AppGroup>,
    ) -> Result<AppGroup, Error> {
        let call = Call::put(path(id, &["groups", group.as_str()])).json(edit);
        let reply = self.client.request(call).await?;
        if reply.is_empty() {
            return self.group(id, group).await;
        }
        reply.read()
    }

    /// Changes parts of the assignment of a group to an app.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let group = group(&okta).await?;
    /// # okta.apps().assign_group(&app, &group).await?;
    /// let change = PatchOperation::Replace { path: "/priority".to_owned(), value: 1.into() };
    /// let assigned = okta.apps().update_group(&app, &group, &[change]).await?;
    /// assert_eq!(assigned.priority, Some(1));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the group is not assigned.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn update_group(
        &self,
        id: &Id<App>,
        group: &Id<Group>,
        changes: &[PatchOperation],
    ) -> Result<AppGroup, Error> {
        let changes: Vec<Value> = changes.iter().map(PatchOperation::body).collect();
        let call = Call::patch(path(id, &["groups", group.as_str()])).json(&changes);
        self.client.read(call).await
    }

    /// Unassigns a group from an app, and with it all users who are assigned only through this
    /// group.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let app = aws(&okta).await?;
    /// # let group = group(&okta).await?;
    /// # okta.apps().assign_group(&app, &group).await?;
    /// okta.apps().unassign_group(&app, &group).await?;
    /// assert!(okta.apps().users(&app).try_collect().await?.is_empty());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails, or if the group is not assigned.
    ///
    /// Scope: `okta.apps.manage`.
    pub async fn unassign_group(&self, id: &Id<App>, group: &Id<Group>) -> Result<(), Error> {
        self.client
            .delete_idempotent(Call::delete(path(id, &["groups", group.as_str()])))
            .await
    }
}

/// Options of [`Apps::list_groups`].
///
/// Fields may be added: end with `..ListAppGroups::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListAppGroups {
    /// The start of a group name.
    pub query: Option<String>,
    /// Whether each item contains the group: [`AppGroup::group`].
    pub with_group: bool,
    /// Number of groups per page (default: 200, Okta's maximum).
    pub limit: Option<u32>,
}

/// A change of [`Apps::update_group`] (RFC 6902; Okta supports two operations).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchOperation {
    /// Sets the value at a JSON pointer, such as `/priority` or `/profile/role`.
    Replace {
        /// The JSON pointer.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Removes the value at a JSON pointer.
    Remove {
        /// The JSON pointer.
        path: String,
    },
}

impl PatchOperation {
    fn body(&self) -> Value {
        match self {
            Self::Replace { path, value } => {
                json!({ "op": "replace", "path": path, "value": value })
            }
            Self::Remove { path } => json!({ "op": "remove", "path": path }),
        }
    }
}

resource! {
    /// A group that is assigned to an app.
    resource AppGroup {
        /// The id of the group.
        pub id: Id<Group> = "/id",
        /// The priority that decides which group's profile applies to members of several groups.
        pub priority: Option<i64> = "/priority",
        /// Time of the last change of the assignment, in Okta's format.
        pub last_updated: Option<String> = "/lastUpdated",
    }
}

impl AppGroup {
    /// Returns the group, if the list was requested with [`ListAppGroups::with_group`].
    #[must_use]
    pub fn group(&self) -> Option<Group> {
        body::document(self.raw.get("/_embedded/group")?.bytes()).ok()
    }
}

// Okta's largest page, because every page counts against the lowest rate limit.
const PAGE: u32 = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::AppGroup;
    use crate::json::decode;

    #[test]
    fn an_app_group_may_have_no_priority() {
        let group =
            decode::<AppGroup>(json!({ "id": "00g1", "priority": null })).expect("a valid group");
        assert_eq!(group.priority, None);
        let group =
            decode::<AppGroup>(json!({ "id": "00g1", "priority": 3 })).expect("a valid group");
        assert_eq!(group.priority, Some(3));
    }
}
