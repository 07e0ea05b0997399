//! `/api/v1/groups`: groups and their members.

use std::collections::BTreeSet;

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    paging::{After, PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};

/// One Okta group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    description: Option<String>,
    pub(crate) members: BTreeSet<String>,
    created: Timestamp,
    updated: Timestamp,
    members_updated: Timestamp,
}

/// The origin of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A group that was created in Okta.
    Okta,
    /// The built-in group `Everyone`, which cannot be edited.
    BuiltIn,
    /// A group of an application: the target of a group push, or imported from a directory.
    App { app: String },
}

impl Group {
    pub(super) fn new(id: String, kind: Kind, name: &str, now: Timestamp) -> Self {
        Self {
            id,
            kind,
            name: name.to_owned(),
            description: None,
            members: BTreeSet::new(),
            created: now,
            updated: now,
            members_updated: now,
        }
    }

    pub(super) fn with_description(mut self, description: Option<String>) -> Self {
        self.description = description;
        self
    }

    /// Returns the id of the application that the group belongs to.
    pub(super) fn source(&self) -> Option<&str> {
        match &self.kind {
            Kind::App { app } => Some(app),
            Kind::Okta | Kind::BuiltIn => None,
        }
    }

    pub(super) fn document(&self, host: &str) -> Value {
        let link = |below: &str| format!("http://{host}/api/v1/groups/{}{below}", self.id);
        let (kind, class) = match self.kind {
            Kind::Okta => ("OKTA_GROUP", "okta:user_group"),
            Kind::BuiltIn => ("BUILT_IN", "okta:user_group"),
            Kind::App { .. } => ("APP_GROUP", "okta:app_group"),
        };
        let mut document = json!({
            "id": self.id,
            "created": millis(self.created),
            "lastUpdated": millis(self.updated),
            "lastMembershipUpdated": millis(self.members_updated),
            "objectClass": [class],
            "type": kind,
            "profile": { "name": self.name, "description": self.description },
            "_links": {
                "self": { "href": link("") },
                "users": { "href": link("/users") },
                "apps": { "href": link("/apps") },
            },
        });
        if let Some(app) = self.source() {
            document["source"] = json!({ "id": app });
            let app = format!("http://{host}/api/v1/apps/{app}");
            document["_links"]["source"] = json!({ "href": app });
        }
        document
    }
}

impl Org {
    pub(super) fn groups_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (_, ["rules", below @ ..]) => self.rules_endpoint(call, below),
            (&Method::GET, []) => self.list_groups(call),
            (&Method::POST, []) => self.create_group(call),
            (&Method::GET, [group]) => {
                call.allow_only(&[])?;
                Ok(Reply::ok(self.group(group)?.document(&call.host)))
            }
            (&Method::PUT, [group]) => self.replace_group(call, group),
            (&Method::DELETE, [group]) => self.delete_group(call, group),
            (&Method::GET, [group, "users"]) => self.list_members(call, group),
            (&Method::GET, [group, "apps"]) => self.list_apps_of_group(call, group),
            (method @ (&Method::PUT | &Method::DELETE), [group, "users", user]) => {
                self.user_by_id(user)?;
                self.set_membership(group, user, method == Method::PUT, call.now)?;
                Ok(Reply::no_content())
            }
            (_, [] | [_] | [_, "users" | "apps"] | [_, "users", _]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    pub(super) fn group(&self, id: &str) -> Result<&Group, Refusal> {
        self.groups
            .get(id)
            .ok_or_else(|| Refusal::not_found(id, "UserGroup"))
    }

    /// Adds a user to a group or removes the user from it. The operation is idempotent.
    ///
    /// A user that is removed by hand is excluded from the rules that would add the user again.
    pub(crate) fn set_membership(
        &mut self,
        group: &str,
        user: &str,
        member: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let user = self.user(user)?.id.clone();
        if self.group(group)?.kind != Kind::Okta {
            return Err(Refusal::permission());
        }
        if !member {
            self.exclude_from_rules(group, &user);
        }
        if self.change_membership(group, &user, member, now) {
            self.refresh_user(&user, now);
        }
        Ok(())
    }

    /// Adds or removes a member, and returns whether the group changed. The caller refreshes the user.
    pub(super) fn change_membership(
        &mut self,
        group: &str,
        user: &str,
        member: bool,
        now: Timestamp,
    ) -> bool {
        let Some(found) = self.groups.get(group) else {
            return false;
        };
        if found.members.contains(user) == member {
            return false;
        }
        self.group_search.record(group, Some(found), now);
        if let Some(group) = self.groups.get_mut(group) {
            if member {
                group.members.insert(user.to_owned());
            } else {
                group.members.remove(user);
            }
            group.members_updated = now;
        }
        let event = if member { "add" } else { "remove" };
        self.log_membership(now, &format!("group.user_membership.{event}"), group, user);
        true
    }

    fn create_group(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let (name, description) = self.checked_group_profile(&body, None)?;
        let id = self.ids.id("00g");
        let group =
            Group::new(id.clone(), Kind::Okta, &name, call.now).with_description(description);
        let document = group.document(&call.host);
        self.group_search.record(&id, None, call.now);
        self.groups.insert(id.clone(), group);
        self.log_group(call.now, "group.lifecycle.create", &id);
        Ok(Reply::ok(document))
    }

    fn replace_group(&mut self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        if self.group(id)?.kind != Kind::Okta {
            return Err(Refusal::permission());
        }
        let (name, description) = self.checked_group_profile(&body, Some(id))?;
        self.group_search.record(id, self.groups.get(id), call.now);
        if let Some(group) = self.groups.get_mut(id) {
            group.name = name;
            group.description = description;
            group.updated = call.now;
        }
        self.log_group(call.now, "group.profile.update", id);
        Ok(Reply::ok(self.group(id)?.document(&call.host)))
    }

    /// Deletes a group. A group of an application stays while a group push mapping uses it.
    fn delete_group(&mut self, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let is_linked = || {
            let mut pushes = self.apps.values().flat_map(|app| app.pushes.values());
            pushes.any(|push| push.target == id)
        };
        match self.group(id)?.kind {
            Kind::BuiltIn => return Err(Refusal::permission()),
            Kind::App { .. } if is_linked() => {
                let cause = "The group is used in a group push mapping";
                return Err(Refusal::invalid("group", cause));
            }
            Kind::App { .. } | Kind::Okta => {}
        }
        self.log_group(call.now, "group.lifecycle.delete", id);
        if let Some(group) = self.groups.remove(id) {
            self.group_search.record(id, Some(&group), call.now);
        }
        self.invalidate_rules(id);
        for app in self.apps.values_mut() {
            app.groups.remove(id);
        }
        self.refresh_assignments(call.now);
        Ok(Reply::no_content())
    }

    fn checked_group_profile(
        &self,
        body: &Map<String, Value>,
        id: Option<&str>,
    ) -> Result<(String, Option<String>), Refusal> {
        let profile = body.get("profile");
        let text = |name: &str| profile.and_then(|profile| profile[name].as_str());
        let Some(name) = text("name").filter(|name| !name.trim().is_empty()) else {
            return Err(Refusal::blank("name"));
        };
        // Source: `OktaUserGroupProfile` in Okta's API description.
        if name.chars().count() > 255 {
            return Err(Refusal::invalid("name", "name: The field is too long"));
        }
        // Only groups that were created in Okta have unique names.
        let has_same_name = |group: &Group| {
            group.kind == Kind::Okta && group.name == name && Some(group.id.as_str()) != id
        };
        if self.groups.values().any(has_same_name) {
            return Err(Refusal::invalid(
                "name",
                "name: An object with this field already exists in the current organization",
            ));
        }
        Ok((name.to_owned(), text("description").map(str::to_owned)))
    }

    fn list_members(&self, call: &Call<'_>, group: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["limit", "after"])?;
        let members = &self.group(group)?.members;
        let found = |after: After<'_>| {
            let users = members.range::<str, _>(after);
            let users = users.filter_map(|id| Some((id, self.users.get(id)?)));
            users.filter(|(_, user)| !user.is_deprovisioned())
        };
        let sizes = PageSizes::new(1000, 1000).clamped();
        page(call, sizes, self.page_size, found, |user| {
            user.listed_document(call)
        })
    }

    fn list_apps_of_group(&self, call: &Call<'_>, group: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["limit", "after"])?;
        self.group(group)?;
        let found = |after: After<'_>| {
            let apps = self.apps.range::<str, _>(after);
            apps.filter(|(_, app)| app.groups.contains_key(group))
        };
        page(
            call,
            PageSizes::new(20, 200),
            self.page_size,
            found,
            |app| app.document(&self.id, &call.host),
        )
    }
}
