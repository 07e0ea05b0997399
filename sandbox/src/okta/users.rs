//! `/api/v1/users`: read-only, because the users come from the company.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    filter::{Filter, Grammar},
    paging::{PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::{millis, millis_or_null},
};
use crate::company::{Person, PersonStatus};

/// One Okta user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) status: PersonStatus,
    /// The profile attributes, with Okta's names.
    pub(crate) profile: Map<String, Value>,
    created: Timestamp,
    updated: Timestamp,
    status_changed: Timestamp,
}

impl User {
    pub(super) fn new(id: String, person: &Person, now: Timestamp) -> Self {
        let profile = json!({
            "firstName": person.first_name,
            "lastName": Some(&person.last_name).filter(|name| !name.is_empty()),
            "mobilePhone": null,
            "secondEmail": null,
            "displayName": person.display_name,
            "department": person.department,
            "title": person.title,
            "login": person.login,
            "email": person.email,
        });
        let Value::Object(mut profile) = profile else {
            unreachable!("the profile is a JSON object");
        };
        // Okta omits attributes that were never set, except for these base attributes.
        profile.retain(|name, value| {
            !value.is_null() || ["mobilePhone", "secondEmail", "lastName"].contains(&name.as_str())
        });
        Self {
            id,
            status: person.status,
            profile,
            created: now,
            updated: now,
            status_changed: now,
        }
    }

    /// Returns a string attribute; `None` if it is missing, null or empty.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let value = self.profile.get(name).and_then(Value::as_str)?;
        (!value.is_empty()).then_some(value)
    }

    pub(crate) fn login(&self) -> &str {
        self.attribute("login").unwrap_or_default()
    }

    /// Returns whether the user can sign in.
    pub(crate) fn is_active(&self) -> bool {
        self.status == PersonStatus::Active
    }

    pub(crate) fn set_status(&mut self, status: PersonStatus, now: Timestamp) {
        self.status = status;
        self.status_changed = now;
        self.updated = now;
    }

    pub(crate) fn set_attribute(&mut self, name: &str, value: &str, now: Timestamp) {
        self.profile.insert(name.to_owned(), value.into());
        self.updated = now;
    }

    fn status_name(&self) -> &'static str {
        match self.status {
            PersonStatus::Active => "ACTIVE",
            PersonStatus::Staged => "STAGED",
            PersonStatus::Suspended => "SUSPENDED",
            PersonStatus::Deprovisioned => "DEPROVISIONED",
        }
    }

    pub(super) fn document(&self, host: &str) -> Value {
        let activated = (self.status != PersonStatus::Staged).then_some(self.created);
        json!({
            "id": self.id,
            "status": self.status_name(),
            "created": millis(self.created),
            "activated": millis_or_null(activated),
            "statusChanged": millis(self.status_changed),
            "lastLogin": null,
            "lastUpdated": millis(self.updated),
            "passwordChanged": null,
            "type": { "id": "oty1gfdmdpHWhX6Z31d8" },
            "profile": self.profile,
            "credentials": { "provider": { "type": "OKTA", "name": "OKTA" } },
            "_links": { "self": { "href": format!("http://{host}/api/v1/users/{}", self.id) } },
        })
    }
}

impl Org {
    pub(super) fn users_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => self.list_users(call),
            (&Method::GET, [user]) => {
                call.allow_only(&[])?;
                Ok(Reply::ok(self.user(user)?.document(&call.host)))
            }
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    /// Returns the user with this id or login; `me` is the owner of the token.
    pub(crate) fn user(&self, name: &str) -> Result<&User, Refusal> {
        let found = match name {
            "me" => self.users.values().next(),
            _ => self.users.get(name).or_else(|| self.user_by_login(name)),
        };
        found.ok_or_else(|| Refusal::not_found(name, "User"))
    }

    fn user_by_login(&self, login: &str) -> Option<&User> {
        let found = self
            .users
            .values()
            .find(|user| user.login().eq_ignore_ascii_case(login));
        // The part before the `@` also identifies a user if only one login has it.
        found.or_else(|| {
            let mut matches = self.users.values().filter(|user| {
                user.login()
                    .split_once('@')
                    .is_some_and(|(local, _)| local.eq_ignore_ascii_case(login))
            });
            let user = matches.next()?;
            matches.next().is_none().then_some(user)
        })
    }

    fn list_users(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["q", "filter", "search", "limit", "after"])?;
        let filter = call
            .parameter("filter")
            .map(|text| Filter::parse(text, FILTER));
        let search = call
            .parameter("search")
            .map(|text| Filter::parse(text, SEARCH));
        let filter = filter.or(search).transpose()?;
        let prefix = call.parameter("q").map(str::to_lowercase);
        let wanted = |user: &&User| match (&filter, &prefix) {
            (Some(filter), _) => filter.matches(&user.document(&call.host)),
            (None, Some(prefix)) => ["firstName", "lastName", "email"].iter().any(|name| {
                user.attribute(name)
                    .is_some_and(|value| value.to_lowercase().starts_with(prefix))
            }),
            (None, None) => user.status != PersonStatus::Deprovisioned,
        };
        let found = self.users.values().filter(wanted);
        let found = found.map(|user| (user.id.as_str(), user));
        let document = |user: &User| user.document(&call.host);
        if prefix.is_some() && filter.is_none() {
            // Okta does not paginate the result of `q`.
            let mut reply = page(call, PageSizes::new(10, 200), None, found, document)?;
            reply.links.clear();
            return Ok(reply);
        }
        page(
            call,
            PageSizes::new(200, 200),
            self.page_size,
            found,
            document,
        )
    }
}

/// Source: parameter `filter` of "List all users" in Okta's API reference.
const FILTER: Grammar = Grammar {
    attributes: &[
        "status",
        "lastUpdated",
        "id",
        "profile.login",
        "profile.email",
        "profile.firstName",
        "profile.lastName",
    ],
    operators: &["eq"],
    timestamps: &["lastUpdated"],
};

/// Source: parameter `search` of "List all users" in Okta's API reference.
const SEARCH: Grammar = Grammar {
    attributes: &[
        "status",
        "lastUpdated",
        "id",
        "created",
        "activated",
        "statusChanged",
        "type.id",
        "profile.",
    ],
    operators: &["eq", "ge", "gt", "le", "lt", "sw", "co", "pr"],
    timestamps: &[],
};
