//! `/api/v1/groups`: groups and who is in them.

use std::collections::BTreeSet;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Org,
    answer::{Refusal, Reply},
    filter::{Filter, Grammar},
    moment::millis,
    paging::{Sizes, page},
    query::Call,
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

/// Where a group comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Made in Okta.
    Okta,
    /// The group of everyone, which nobody can edit.
    BuiltIn,
    /// A group of an application, here the far end of a push.
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

    pub(super) fn described(mut self, description: Option<String>) -> Self {
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
                call.only(&[])?;
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

    /// Puts a user into a group or takes it out; both may be so already.
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
        call.only(&["q", "filter", "search", "limit", "after"])?;
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
            // Okta does not page what it finds by `q`, and gives no more than 300.
            let mut reply = page(call, Sizes::new(300, 10_000), None, found, document)?;
            reply.links.clear();
            return Ok(reply);
        }
        page(
            call,
            Sizes::new(10_000, 10_000),
            self.page_size,
            found,
            document,
        )
    }

    fn create_group(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.only(&[])?;
        let body = call.object()?;
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
        let taken = |group: &Group| group.kind != Kind::BuiltIn && group.name == name;
        if self.groups.values().any(taken) {
            return Err(Refusal::invalid(
                "name",
                "name: An object with this field already exists in the current organization",
            ));
        }
        let description = text("description").map(str::to_owned);
        let id = self.mint.id("00g");
        let group = Group::new(id.clone(), Kind::Okta, name, call.now).described(description);
        let document = group.document(&call.host);
        self.groups.insert(id, group);
        Ok(Reply::ok(document))
    }

    fn list_members(&self, call: &Call<'_>, group: &str) -> Result<Reply, Refusal> {
        call.only(&["limit", "after"])?;
        let members = self.group(group)?.members.iter();
        let members = members
            .filter_map(|id| self.users.get(id))
            .filter(|user| user.status != PersonStatus::Deprovisioned)
            .map(|user| (user.id.as_str(), user));
        page(
            call,
            Sizes::new(1000, 1000),
            self.page_size,
            members,
            |user| user.document(&call.host),
        )
    }
}

/// After the parameter `filter` of "List all groups" in Okta's API reference.
const FILTER: Grammar = Grammar {
    attributes: &["id", "type", "lastUpdated", "lastMembershipUpdated"],
    operators: &["eq"],
    moments: &["lastUpdated", "lastMembershipUpdated"],
};

/// After the parameter `search` of "List all groups" in Okta's API reference.
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
    moments: &["created", "lastUpdated", "lastMembershipUpdated"],
};
