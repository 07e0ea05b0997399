//! Assignments of applications to users, directly or through groups.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    apps::App,
    groups::Group,
    mappings::user_name,
    paging::{After, PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
    users::User,
};

/// One user's assignment.
#[derive(Debug)]
pub(crate) struct AppUser {
    /// `true` if the user is assigned directly, `false` if the user is only assigned through a group.
    pub(crate) direct: bool,
    /// The user name that the assignment request set, instead of the template's.
    user_name: Option<String>,
    /// The attributes that a request set, instead of the mapping's.
    profile: Map<String, Value>,
    /// The user's id at the application, after the user was provisioned.
    pub(crate) external_id: Option<String>,
    pub(crate) sync: SyncStatus,
    pub(crate) last_sync: Option<Timestamp>,
    created: Timestamp,
    pub(crate) changed: Timestamp,
}

/// The synchronization status of a user at the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum SyncStatus {
    /// No request was sent yet.
    #[default]
    Pending,
    /// The application has the same data as Okta.
    Synchronized,
    /// The application rejected the user for this reason.
    Failed(String),
}

/// One group's assignment.
#[derive(Debug)]
pub(crate) struct AppGroup {
    priority: i64,
    profile: Map<String, Value>,
    updated: Timestamp,
}

impl AppUser {
    fn new(direct: bool, now: Timestamp) -> Self {
        Self {
            direct,
            user_name: None,
            profile: Map::new(),
            external_id: None,
            sync: SyncStatus::Pending,
            last_sync: None,
            created: now,
            changed: now,
        }
    }

    fn document(&self, org: &Org, app: &App, user: &User, host: &str) -> Value {
        let mapped = org.mapped_profile(&app.id, user);
        let mut profile: Map<String, Value> = mapped
            .into_iter()
            .map(|(name, (value, _))| (name.to_owned(), value))
            .collect();
        profile.extend(self.profile.clone());
        let provisioned =
            app.provisioning.enabled_connection().is_some() && app.provisioning.features.create;
        let status = match (provisioned, &self.external_id) {
            (false, _) => "ACTIVE",
            (true, None) => "STAGED",
            (true, Some(_)) => "PROVISIONED",
        };
        let sync = match &self.sync {
            _ if !provisioned => "DISABLED",
            SyncStatus::Pending => "SYNCING",
            SyncStatus::Synchronized => "SYNCHRONIZED",
            SyncStatus::Failed(_) => "ERROR",
        };
        let mut document = json!({
            "id": user.id,
            "externalId": self.external_id,
            "created": millis(self.created),
            "lastUpdated": millis(self.changed),
            "statusChanged": millis(self.changed),
            "passwordChanged": null,
            "scope": if self.direct { "USER" } else { "GROUP" },
            "status": status,
            "syncState": sync,
            "credentials": { "userName": self.user_name(app, user) },
            "profile": profile,
            "_links": {
                "app": { "href": format!("http://{host}/api/v1/apps/{}", app.id) },
                "user": { "href": format!("http://{host}/api/v1/users/{}", user.id) },
            },
        });
        if let Some(time) = self.last_sync {
            document["lastSync"] = millis(time).into();
        }
        document
    }

    /// Returns the user's name at the application: the name that was set, or the template's result.
    pub(crate) fn user_name(&self, app: &App, user: &User) -> Option<String> {
        match &self.user_name {
            Some(name) => Some(name.clone()),
            None => user_name(app.user_name_template(), user),
        }
    }
}

impl AppGroup {
    fn document(&self, app: &str, group: &Group, host: &str) -> Value {
        let app = format!("http://{host}/api/v1/apps/{app}");
        json!({
            "id": group.id,
            "priority": self.priority,
            "lastUpdated": millis(self.updated),
            "profile": self.profile,
            "_links": {
                "app": { "href": app },
                "self": { "href": format!("{app}/groups/{}", group.id) },
                "group": { "href": format!("http://{host}/api/v1/groups/{}", group.id) },
            },
        })
    }
}

impl Org {
    pub(super) fn app_users_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        match (call.method, path) {
            (&Method::GET, []) => self.list_app_users(call, app),
            (&Method::POST, []) => self.assign_user(call, app),
            (&Method::GET, [user]) => {
                call.allow_only(&["expand"])?;
                Ok(Reply::ok(self.app_user_document(call, app, user)?))
            }
            (&Method::POST, [user]) => self.update_app_user(call, app, user),
            (&Method::DELETE, [user]) => self.unassign_user(call, app, user),
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    pub(super) fn app_groups_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        match (call.method, path) {
            (&Method::GET, []) => self.list_app_groups(call, app),
            (&Method::GET, [group]) => {
                call.allow_only(&[])?;
                let missing = || Refusal::not_found(group, "ApplicationGroupAssignment");
                let assigned = self.app(app)?.groups.get(*group).ok_or_else(missing)?;
                Ok(Reply::ok(assigned.document(
                    app,
                    self.group(group)?,
                    &call.host,
                )))
            }
            (&Method::PUT, [group]) => self.assign_group(call, app, group),
            (&Method::PATCH, [group]) => self.patch_app_group(call, app, group),
            (&Method::DELETE, [group]) => {
                call.allow_only(&[])?;
                let missing = || Refusal::not_found(group, "ApplicationGroupAssignment");
                let removed = self.app_mut(app)?.groups.remove(*group);
                removed.ok_or_else(missing)?;
                self.log_app_group(call.now, "group.application_assignment.remove", app, group);
                self.refresh_assignments(call.now);
                Ok(Reply::no_content())
            }
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    /// Updates the assignments through groups to match the groups' members.
    pub(super) fn refresh_assignments(&mut self, now: Timestamp) {
        self.changes += 1;
        let is_assignable = |user: &String| {
            let user = self.users.get(user);
            user.is_some_and(|user| !user.is_deprovisioned())
        };
        let assigned = |app: &&mut App| !app.groups.is_empty() || !app.users.is_empty();
        for app in self.apps.values_mut().filter(assigned) {
            let groups = app.groups.keys().filter_map(|id| self.groups.get(id));
            let members: Vec<&String> = groups.flat_map(|group| &group.members).collect();
            let members: std::collections::BTreeSet<_> = members
                .into_iter()
                .filter(|user| is_assignable(user))
                .collect();
            app.users
                .retain(|id, user| is_assignable(id) && (user.direct || members.contains(id)));
            for id in members {
                let new_user = || AppUser::new(false, now);
                app.users.entry(id.clone()).or_insert_with(new_user);
            }
        }
    }

    /// Updates one user's memberships by rules and assignments through groups.
    pub(super) fn refresh_user(&mut self, user: &str, now: Timestamp) {
        self.changes += 1;
        self.apply_rules(user, now);
        let found = self.users.get(user);
        let is_assignable = found.is_some_and(|user| !user.is_deprovisioned());
        for app in self.apps.values_mut() {
            let mut groups = app.groups.keys().filter_map(|id| self.groups.get(id));
            let through_group = groups.any(|group| group.members.contains(user));
            let direct = app.users.get(user).is_some_and(|assigned| assigned.direct);
            if !is_assignable || !(direct || through_group) {
                app.users.remove(user);
            } else if through_group {
                let new_user = || AppUser::new(false, now);
                app.users.entry(user.to_owned()).or_insert_with(new_user);
            }
        }
    }

    fn list_app_users(&self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["q", "expand", "limit", "after"])?;
        let app = self.app(app)?;
        let prefix = call.parameter("q").map(str::to_lowercase);
        let names = ["firstName", "lastName", "email", "login"];
        let wanted =
            |user: &User| (prefix.as_ref()).is_none_or(|prefix| user.has_prefix(prefix, &names));
        let found = |after: After<'_>| {
            app.users
                .range::<str, _>(after)
                .filter_map(|(id, assigned)| {
                    let user = self.users.get(id).filter(|user| wanted(user))?;
                    Some((id, (assigned, user)))
                })
        };
        let sizes = PageSizes::new(50, 500);
        page(call, sizes, self.page_size, found, |(assigned, user)| {
            with_user(call, assigned.document(self, app, user, &call.host), user)
        })
    }

    fn app_user_document(&self, call: &Call<'_>, app: &str, user: &str) -> Result<Value, Refusal> {
        let missing = || Refusal::not_found(user, "AppUser");
        let app = self.app(app)?;
        let assigned = app.users.get(user).ok_or_else(missing)?;
        let user = self.users.get(user).ok_or_else(missing)?;
        Ok(with_user(
            call,
            assigned.document(self, app, user, &call.host),
            user,
        ))
    }

    fn assign_user(&mut self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let Some(id) = body.get("id").and_then(Value::as_str) else {
            return Err(Refusal::blank("id"));
        };
        let user = self
            .users
            .get(id)
            .ok_or_else(|| Refusal::not_found(id, "User"))?;
        if user.is_deprovisioned() {
            return Err(Refusal::forbidden_in_status("The user is deprovisioned"));
        }
        let id = user.id.clone();
        self.check_app_profile(app, &body)?;
        let profile = body.get("profile").and_then(Value::as_object).cloned();
        let app = self.app_mut(app)?;
        let credentials = body.get("credentials");
        let user_name = credentials.and_then(|credentials| credentials["userName"].as_str());
        let assigned = app
            .users
            .entry(id.clone())
            .or_insert_with(|| AppUser::new(true, call.now));
        assigned.direct = body.get("scope").and_then(Value::as_str) != Some("GROUP");
        if let Some(name) = user_name {
            assigned.user_name = Some(name.to_owned());
        }
        assigned.profile.extend(profile.unwrap_or_default());
        let app = app.id.clone();
        self.log_app_user(call.now, "application.user_membership.add", &app, &id);
        Ok(Reply::ok(self.app_user_document(call, &app, &id)?))
    }

    /// Changes the profile or the credentials of an assigned user.
    fn update_app_user(
        &mut self,
        call: &Call<'_>,
        app: &str,
        user: &str,
    ) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let credentials = body.get("credentials");
        self.check_app_profile(app, &body)?;
        let missing = || Refusal::not_found(user, "AppUser");
        let assigned = self.app_mut(app)?.users.get_mut(user).ok_or_else(missing)?;
        if credentials.is_some_and(|credentials| !credentials["password"].is_null()) {
            let summary = "Credentials should not be set on this resource based on the scheme.";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "E0000041", summary));
        }
        if let Some(name) = credentials.and_then(|credentials| credentials["userName"].as_str()) {
            assigned.user_name = Some(name.to_owned());
        }
        if let Some(Value::Object(profile)) = body.get("profile") {
            assigned.profile.extend(profile.clone());
        }
        assigned.changed = call.now;
        self.log_app_user(call.now, "application.user_membership.update", app, user);
        Ok(Reply::ok(self.app_user_document(call, app, user)?))
    }

    fn unassign_user(&mut self, call: &Call<'_>, app: &str, user: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["sendEmail"])?;
        let app = self.app_mut(app)?;
        let missing = || Refusal::not_found(user, "AppUser");
        if !app.users.get(user).ok_or_else(missing)?.direct {
            return Err(Refusal::invalid(
                "user",
                "The user is assigned through a group and can only be unassigned there",
            ));
        }
        app.users.remove(user);
        let app = app.id.clone();
        self.log_app_user(call.now, "application.user_membership.remove", &app, user);
        self.refresh_user(user, call.now);
        Ok(Reply::no_content())
    }

    fn list_app_groups(&self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["q", "limit", "after", "expand"])?;
        let app = self.app(app)?;
        let prefix = call.parameter("q").map(str::to_lowercase);
        let wanted = |group: &Group| {
            (prefix.as_ref()).is_none_or(|prefix| group.name.to_lowercase().starts_with(prefix))
        };
        let found = |after: After<'_>| {
            app.groups
                .range::<str, _>(after)
                .filter_map(|(id, assigned)| {
                    let group = self.groups.get(id).filter(|group| wanted(group))?;
                    Some((id, (assigned, group)))
                })
        };
        let sizes = PageSizes {
            min: 20,
            ..PageSizes::new(20, 200)
        };
        page(call, sizes, self.page_size, found, |(assigned, group)| {
            let mut document = assigned.document(&app.id, group, &call.host);
            if call.parameter("expand") == Some("group") {
                document["_embedded"] = json!({ "group": group.document(&call.host) });
            }
            document
        })
    }

    fn assign_group(&mut self, call: &Call<'_>, app: &str, group: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.optional_json_object()?;
        self.group(group)?;
        let app = self.app_mut(app)?;
        let next = app.groups.values().map(|group| group.priority + 1).max();
        let priority = body.get("priority").and_then(Value::as_i64);
        let new_group = || AppGroup {
            priority: priority.or(next).unwrap_or_default(),
            profile: Map::new(),
            updated: call.now,
        };
        let assigned = app.groups.entry(group.to_owned()).or_insert_with(new_group);
        assigned.priority = priority.unwrap_or(assigned.priority);
        if let Some(Value::Object(profile)) = body.get("profile") {
            assigned.profile.clone_from(profile);
        }
        self.log_app_group(
            call.now,
            "group.application_assignment.add",
            app_id(call),
            group,
        );
        self.refresh_assignments(call.now);
        let assigned = &self.app(app_id(call))?.groups[group];
        Ok(Reply::ok(assigned.document(
            app_id(call),
            self.group(group)?,
            &call.host,
        )))
    }
}

impl Org {
    /// Applies a JSON Patch with the operations `remove` and `replace` to a group's assignment.
    fn patch_app_group(
        &mut self,
        call: &Call<'_>,
        app: &str,
        group: &str,
    ) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json()?;
        let operations = patch_operations(&body).ok_or_else(Refusal::malformed)?;
        let missing = || Refusal::not_found(group, "ApplicationGroupAssignment");
        let assigned = self
            .app_mut(app)?
            .groups
            .get_mut(group)
            .ok_or_else(missing)?;
        let (mut priority, mut profile) = (assigned.priority, assigned.profile.clone());
        for (operation, path, value) in operations {
            match (operation, path, path.strip_prefix("/profile/")) {
                ("replace", "/priority", _) => {
                    priority = value
                        .as_i64()
                        .ok_or_else(|| Refusal::not_allowed("priority"))?;
                }
                ("replace", "/profile", _) => {
                    profile = value.as_object().cloned().ok_or_else(Refusal::malformed)?;
                }
                ("remove", "/profile", _) => profile.clear(),
                ("replace", _, Some(name)) => {
                    profile.insert(name.to_owned(), value.clone());
                }
                ("remove", _, Some(name)) => {
                    profile.remove(name);
                }
                ("remove" | "replace", ..) => return Err(Refusal::not_allowed("path")),
                _ => return Err(Refusal::not_allowed("op")),
            }
        }
        assigned.priority = priority;
        assigned.profile = profile;
        assigned.updated = call.now;
        let assigned = &self.app(app)?.groups[group];
        let document = assigned.document(app, self.group(group)?, &call.host);
        Ok(Reply::ok(document))
    }

    /// Rejects attributes that are mapped from the Okta profile, if profile push is enabled, and attributes
    /// that the application does not have.
    fn check_app_profile(&self, app: &str, body: &Map<String, Value>) -> Result<(), Refusal> {
        let app = self.app(app)?;
        let Some(Value::Object(profile)) = body.get("profile") else {
            return Ok(());
        };
        let features = app.provisioning.features;
        let pushes_profiles =
            app.provisioning.enabled_connection().is_some() && (features.create || features.update);
        for name in profile.keys() {
            if pushes_profiles && self.is_mapped(&app.id, name) {
                let summary = format!(
                    "Cannot modify the {name} attribute because it has a field mapping and profile push is enabled."
                );
                return Err(Refusal::new(StatusCode::FORBIDDEN, "E0000075", summary));
            }
            if app.user_schema.property(name).is_none() {
                let cause = format!("{name}: The attribute is not in the schema of the app");
                return Err(Refusal::invalid("profile", cause));
            }
        }
        Ok(())
    }
}

/// Returns the application's id in the path of the request.
fn app_id<'a>(call: &'a Call<'_>) -> &'a str {
    &call.segments[1]
}

/// Embeds the user in the document if the request has `expand=user`.
fn with_user(call: &Call<'_>, mut document: Value, user: &User) -> Value {
    if call.parameter("expand") == Some("user") {
        document["_embedded"] = json!({ "user": user.document(&call.host) });
    }
    document
}

/// Returns the operations of a JSON Patch: the operation, the path and the value.
fn patch_operations(body: &Value) -> Option<Vec<(&str, &str, &Value)>> {
    let operations = body.as_array()?.iter().map(|operation| {
        let text = |name: &str| operation[name].as_str();
        Some((text("op")?, text("path")?, &operation["value"]))
    });
    operations.collect()
}
