//! Assignments of applications to users, directly or through groups.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    apps::App,
    groups::Group,
    paging::{PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::{millis, millis_or_null},
    users::User,
};
use crate::company::PersonStatus;

/// One user's assignment.
#[derive(Debug)]
pub(crate) struct AppUser {
    /// `true` if the user is assigned directly, `false` if the user is only assigned through a group.
    pub(crate) direct: bool,
    /// The user name that the assignment request set, instead of the template's.
    user_name: Option<String>,
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
    updated: Timestamp,
}

impl AppUser {
    fn new(direct: bool, now: Timestamp) -> Self {
        Self {
            direct,
            user_name: None,
            external_id: None,
            sync: SyncStatus::Pending,
            last_sync: None,
            created: now,
            changed: now,
        }
    }

    fn document(&self, app: &App, user: &User, host: &str) -> Value {
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
        json!({
            "id": user.id,
            "externalId": self.external_id,
            "created": millis(self.created),
            "lastUpdated": millis(self.changed),
            "statusChanged": millis(self.changed),
            "passwordChanged": null,
            "lastSync": millis_or_null(self.last_sync),
            "scope": if self.direct { "USER" } else { "GROUP" },
            "status": status,
            "syncState": sync,
            "credentials": { "userName": self.user_name(app, user) },
            "profile": {
                "firstName": user.attribute("firstName"),
                "lastName": user.attribute("lastName"),
                "displayName": user.attribute("displayName"),
                "email": user.attribute("email"),
            },
            "_links": {
                "app": { "href": format!("http://{host}/api/v1/apps/{}", app.id) },
                "user": { "href": format!("http://{host}/api/v1/users/{}", user.id) },
            },
        })
    }

    /// Returns the user's name at the application: the name that was set, or the template's result.
    pub(crate) fn user_name(&self, app: &App, user: &User) -> Option<String> {
        match &self.user_name {
            Some(name) => Some(name.clone()),
            None => evaluate(app.user_name_template(), user),
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
            "profile": {},
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
            (&Method::DELETE, [group]) => {
                call.allow_only(&[])?;
                let missing = || Refusal::not_found(group, "ApplicationGroupAssignment");
                self.app_mut(app)?
                    .groups
                    .remove(*group)
                    .ok_or_else(missing)?;
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
            self.users
                .get(user)
                .is_some_and(|user| user.status != PersonStatus::Deprovisioned)
        };
        for app in self.apps.values_mut() {
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

    fn list_app_users(&self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["q", "expand", "limit", "after"])?;
        let app = self.app(app)?;
        let prefix = call.parameter("q").map(str::to_lowercase);
        let has_prefix = |user: &User| {
            let names = ["firstName", "lastName", "email", "login"];
            prefix.as_ref().is_none_or(|prefix| {
                names
                    .iter()
                    .filter_map(|name| user.attribute(name))
                    .any(|name| name.to_lowercase().starts_with(prefix))
            })
        };
        let found = app.users.iter().filter_map(|(id, assigned)| {
            let user = self.users.get(id).filter(|user| has_prefix(user))?;
            Some((id.as_str(), (assigned, user)))
        });
        page(
            call,
            PageSizes::new(50, 500),
            self.page_size,
            found,
            |(assigned, user)| with_user(call, assigned.document(app, user, &call.host), user),
        )
    }

    fn app_user_document(&self, call: &Call<'_>, app: &str, user: &str) -> Result<Value, Refusal> {
        let missing = || Refusal::not_found(user, "AppUser");
        let app = self.app(app)?;
        let assigned = app.users.get(user).ok_or_else(missing)?;
        let user = self.users.get(user).ok_or_else(missing)?;
        Ok(with_user(
            call,
            assigned.document(app, user, &call.host),
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
        if user.status == PersonStatus::Deprovisioned {
            return Err(Refusal::forbidden_in_status("The user is deprovisioned"));
        }
        let id = user.id.clone();
        let app = self.app_mut(app)?;
        check_profile(app, &body)?;
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
        let app = app.id.clone();
        Ok(Reply::ok(self.app_user_document(call, &app, &id)?))
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
        self.refresh_assignments(call.now);
        Ok(Reply::no_content())
    }

    fn list_app_groups(&self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["q", "limit", "after"])?;
        let app = self.app(app)?;
        let prefix = call.parameter("q").map(str::to_lowercase);
        let has_prefix = |group: &Group| {
            prefix
                .as_ref()
                .is_none_or(|prefix| group.name.to_lowercase().starts_with(prefix))
        };
        let found = app.groups.iter().filter_map(|(id, assigned)| {
            let group = self.groups.get(id).filter(|group| has_prefix(group))?;
            Some((id.as_str(), (assigned, group)))
        });
        let sizes = PageSizes {
            min: 20,
            ..PageSizes::new(20, 200)
        };
        page(call, sizes, self.page_size, found, |(assigned, group)| {
            assigned.document(&app.id, group, &call.host)
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
            updated: call.now,
        };
        let assigned = app.groups.entry(group.to_owned()).or_insert_with(new_group);
        assigned.priority = priority.unwrap_or(assigned.priority);
        self.refresh_assignments(call.now);
        let assigned = &self.app(app_id(call))?.groups[group];
        Ok(Reply::ok(assigned.document(
            app_id(call),
            self.group(group)?,
            &call.host,
        )))
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

/// Rejects attributes that are mapped from the Okta profile, if profile push is enabled.
fn check_profile(app: &App, body: &Map<String, Value>) -> Result<(), Refusal> {
    let features = app.provisioning.features;
    let pushes_profiles =
        app.provisioning.enabled_connection().is_some() && (features.create || features.update);
    let Some(Value::Object(profile)) = body.get("profile").filter(|_| pushes_profiles) else {
        return Ok(());
    };
    let mapped = ["firstName", "lastName", "displayName", "email"];
    match mapped.iter().find(|name| profile.contains_key(**name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::new(
            http::StatusCode::FORBIDDEN,
            "E0000075",
            format!(
                "Cannot modify the {name} attribute because it has a field mapping and profile push is enabled."
            ),
        )),
    }
}

/// Evaluates a built-in template of user names, such as `${fn:toLowerCase(source.email)}`.
fn evaluate(template: &str, user: &User) -> Option<String> {
    let inner = template
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let expression = inner.unwrap_or(template).trim();
    let argument = |function: &str| {
        let rest = expression.strip_prefix("fn:").unwrap_or(expression);
        rest.strip_prefix(function)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(argument) = argument("toLowerCase") {
        return Some(attribute(argument, user)?.to_lowercase());
    }
    if let Some(argument) = argument("substringBefore") {
        let (name, separator) = argument.split_once(',')?;
        let separator = separator.trim().trim_matches(['"', '\'']);
        let value = attribute(name, user)?;
        return Some(value.split(separator).next().unwrap_or(value).to_owned());
    }
    attribute(expression, user).map(str::to_owned)
}

fn attribute<'a>(expression: &str, user: &'a User) -> Option<&'a str> {
    let (source, name) = expression.trim().split_once('.')?;
    ["source", "user"].contains(&source).then_some(())?;
    match name {
        "userName" => user.attribute("login"),
        name => user.attribute(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::Person;

    #[track_caller]
    fn check(template: &str, expected: Option<&str>) {
        let mut person = Person::new("Ada.Lovelace@example.com", "Ada", "Lovelace");
        "Ada@Example.com".clone_into(&mut person.email);
        let user = User::new("00u1".to_owned(), &person, Timestamp::UNIX_EPOCH);
        assert_eq!(evaluate(template, &user).as_deref(), expected);
    }

    #[test]
    fn a_user_name_is_the_result_of_the_template() {
        check("${source.login}", Some("Ada.Lovelace@example.com"));
        check("${fn:toLowerCase(source.email)}", Some("ada@example.com"));
        check(
            r#"${fn:substringBefore(source.login, "@")}"#,
            Some("Ada.Lovelace"),
        );
        check("user.email", Some("Ada@Example.com"));
    }

    #[test]
    fn an_unsupported_template_gives_no_user_name() {
        check("${fn:reverse(source.login)}", None);
        check("${source.nickName}", None);
        check("ada", None);
    }
}
