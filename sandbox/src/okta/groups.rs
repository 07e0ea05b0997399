//! `/api/v1/groups`: groups and their members.

use std::collections::BTreeSet;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Org,
    filter::{Filter, Grammar},
    paging::{PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};
use crate::company::PersonStatus;

/// One Okta group.
#[derive(Debug)]
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
    /// A group of an application. Here it is the target of a group push.
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
        if let Kind::App { app } = &self.kind {
            document["source"] = json!({ "id": app });
        }
        document
    }
}

impl Org {
    pub(super) fn groups_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => self.list_groups(call),
            (&Method::POST, []) => self.create_group(call),
            (&Method::GET, [group]) => {
                call.allow_only(&[])?;
                Ok(Reply::ok(self.group(group)?.document(&call.host)))
            }
            (&Method::GET, [group, "users"]) => self.list_members(call, group),
            (&Method::PUT, [group, "users", user]) => {
                self.set_membership(group, user, true, call.now)?;
                Ok(Reply::no_content())
            }
            (&Method::DELETE, [group, "users", user]) => {
                self.set_membership(group, user, false, call.now)?;
                Ok(Reply::no_content())
            }
            (_, [] | [_] | [_, "users"] | [_, "users", _]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    pub(super) fn group(&self, id: &str) -> Result<&Group, Refusal> {
        self.groups
            .get(id)
            .ok_or_else(|| Refusal::not_found(id, "UserGroup"))
    }

    /// Adds a user to a group or removes the user from it. The operation is idempotent.
    pub(crate) fn set_membership(
        &mut self,
        group: &str,
        user: &str,
        member: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.group(group)?;
        let user = self.user(user)?.id.clone();
        let Some(group) = self.groups.get_mut(group) else {
            return Ok(());
        };
        if group.kind != Kind::Okta {
            let summary = "You do not have permission to perform the requested action";
            return Err(Refusal::new(
                http::StatusCode::FORBIDDEN,
                "E0000006",
                summary,
            ));
        }
        let changed = if member {
            group.members.insert(user)
        } else {
            group.members.remove(&user)
        };
        if changed {
            group.members_updated = now;
            self.refresh_assignments(now);
        }
        Ok(())
    }

    fn list_groups(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["q", "filter", "search", "limit", "after"])?;
        let filter = call
            .parameter("filter")
            .map(|text| Filter::parse(text, FILTER));
        let search = call
            .parameter("search")
            .map(|text| Filter::parse(text, SEARCH));
        let filter = filter.or(search).transpose()?;
        let prefix = call.parameter("q").map(str::to_lowercase);
        let wanted = |group: &&Group| {
            filter
                .as_ref()
                .is_none_or(|filter| filter.matches(&group.document(&call.host)))
                && prefix
                    .as_ref()
                    .is_none_or(|prefix| group.name.to_lowercase().starts_with(prefix))
        };
        let found = self.groups.values().filter(wanted);
        let found = found.map(|group| (group.id.as_str(), group));
        let document = |group: &Group| group.document(&call.host);
        if prefix.is_some() {
            // Okta does not paginate the result of `q` and returns at most 300 groups.
            let mut reply = page(call, PageSizes::new(300, 10_000), None, found, document)?;
            reply.links.clear();
            return Ok(reply);
        }
        page(
            call,
            PageSizes::new(10_000, 10_000),
            self.page_size,
            found,
            document,
        )
    }

    fn create_group(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let profile = body.get("profile");
        let text = |name: &str| {
            profile
                .and_then(|profile| profile.get(name))
                .and_then(Value::as_str)
        };
        let name = text("name").filter(|name| !name.is_empty());
        let Some(name) = name else {
            return Err(Refusal::blank("name"));
        };
        let has_same_name = |group: &Group| group.kind != Kind::BuiltIn && group.name == name;
        if self.groups.values().any(has_same_name) {
            return Err(Refusal::invalid(
                "name",
                "name: An object with this field already exists in the current organization",
            ));
        }
        let description = text("description").map(str::to_owned);
        let id = self.ids.id("00g");
        let group =
            Group::new(id.clone(), Kind::Okta, name, call.now).with_description(description);
        let document = group.document(&call.host);
        self.groups.insert(id, group);
        Ok(Reply::ok(document))
    }

    fn list_members(&self, call: &Call<'_>, group: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["limit", "after"])?;
        let members = self.group(group)?.members.iter();
        let members = members
            .filter_map(|id| self.users.get(id))
            .filter(|user| user.status != PersonStatus::Deprovisioned)
            .map(|user| (user.id.as_str(), user));
        page(
            call,
            PageSizes::new(1000, 1000),
            self.page_size,
            members,
            |user| user.document(&call.host),
        )
    }
}

/// Source: parameter `filter` of "List all groups" in Okta's API reference.
const FILTER: Grammar = Grammar {
    attributes: &["id", "type", "lastUpdated", "lastMembershipUpdated"],
    operators: &["eq"],
    timestamps: &["lastUpdated", "lastMembershipUpdated"],
};

/// Source: parameter `search` of "List all groups" in Okta's API reference.
const SEARCH: Grammar = Grammar {
    attributes: &[
        "id",
        "type",
        "created",
        "lastUpdated",
        "lastMembershipUpdated",
        "source.id",
        "profile.",
    ],
    operators: &["eq", "sw", "co"],
    timestamps: &["created", "lastUpdated", "lastMembershipUpdated"],
};
