//! `/api/v1/users`: the users, their profiles and their credentials.

use std::collections::BTreeMap;

use http::{Method, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Org,
    filter::Searchable,
    query::Call,
    reply::{Refusal, Reply},
    timestamps::{millis, millis_or_null},
};
use crate::company::{Person, PersonStatus};

/// One Okta user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) status: PersonStatus,
    /// The profile attributes, with Okta's names.
    pub(crate) profile: Map<String, Value>,
    /// The source of the credentials: `OKTA`, or a directory or another identity provider.
    pub(super) provider: Value,
    pub(super) has_password: bool,
    pub(super) recovery_question: Option<String>,
    pub(super) created: Timestamp,
    pub(super) activated: Option<Timestamp>,
    updated: Timestamp,
    status_changed: Timestamp,
    pub(super) password_changed: Option<Timestamp>,
    /// The number of changes, which is the version for `If-Match`.
    version: u64,
}

/// The document of a user in a list. It borrows the profile, which may be large. The fields are in the order of
/// their names, like the members of a [`Value`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserDocument<'a> {
    #[serde(rename = "_links")]
    links: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    activated: Option<String>,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Credentials<'a>>,
    id: &'a str,
    last_login: (),
    last_updated: String,
    password_changed: Option<String>,
    profile: &'a Map<String, Value>,
    status: &'static str,
    status_changed: String,
    #[serde(rename = "type")]
    kind: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Serialize)]
struct Credentials<'a> {
    /// An empty object if the user has a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Map<String, Value>>,
    provider: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_question: Option<BTreeMap<&'static str, &'a str>>,
}

impl User {
    pub(super) fn new(id: String, person: &Person, now: Timestamp) -> Self {
        let profile = json!({
            "firstName": person.first_name,
            "lastName": Some(&person.last_name).filter(|name| !name.is_empty()),
            "displayName": person.display_name,
            "department": person.department,
            "title": person.title,
            "login": person.login,
            "email": person.email,
        });
        let Value::Object(mut profile) = profile else {
            unreachable!("the profile is a JSON object");
        };
        let attributes = person.attributes.iter();
        profile.extend(attributes.map(|(name, value)| (name.clone(), value.as_str().into())));
        let mut user = Self::with_profile(id, profile, now);
        user.status = person.status;
        let was_activated = person.status != PersonStatus::Staged;
        user.activated = was_activated.then_some(now);
        user.has_password = was_activated
            && ![PersonStatus::Provisioned, PersonStatus::Deprovisioned].contains(&person.status);
        user
    }

    /// Returns a staged user without credentials.
    pub(super) fn with_profile(id: String, profile: Map<String, Value>, now: Timestamp) -> Self {
        let mut user = Self {
            id,
            status: PersonStatus::Staged,
            profile,
            provider: json!({ "type": "OKTA", "name": "OKTA" }),
            has_password: false,
            recovery_question: None,
            created: now,
            activated: None,
            updated: now,
            status_changed: now,
            password_changed: None,
            version: 0,
        };
        user.omit_unset_attributes();
        user
    }

    /// Removes the attributes without a value. Okta omits them, except for these base attributes.
    fn omit_unset_attributes(&mut self) {
        for name in ALWAYS_PRESENT {
            self.profile.entry(name).or_insert(Value::Null);
        }
        self.profile
            .retain(|name, value| !value.is_null() || ALWAYS_PRESENT.contains(&name.as_str()));
    }

    /// Returns a string attribute; `None` if it is missing, null or empty.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let value = self.profile.get(name).and_then(Value::as_str)?;
        (!value.is_empty()).then_some(value)
    }

    pub(crate) fn login(&self) -> &str {
        self.attribute("login").unwrap_or_default()
    }

    pub(crate) fn full_name(&self) -> String {
        let name = |name| self.attribute(name).unwrap_or_default();
        format!("{} {}", name("firstName"), name("lastName"))
            .trim()
            .to_owned()
    }

    /// Returns whether the user can sign in.
    pub(crate) fn is_active(&self) -> bool {
        self.status == PersonStatus::Active
    }

    /// Returns whether the user has an active account at the applications that Okta provisions.
    ///
    /// These are the users that were activated and are neither suspended nor deactivated: "the activation
    /// process triggers downstream provisioning" (Okta's API reference, "Create a user").
    pub(crate) fn is_provisioned(&self) -> bool {
        use PersonStatus::{Active, LockedOut, PasswordExpired, Provisioned, Recovery};
        let statuses = [Active, LockedOut, PasswordExpired, Provisioned, Recovery];
        statuses.contains(&self.status)
    }

    pub(crate) fn is_deprovisioned(&self) -> bool {
        self.status == PersonStatus::Deprovisioned
    }

    pub(crate) fn set_status(&mut self, status: PersonStatus, now: Timestamp) {
        if status == PersonStatus::Deprovisioned {
            self.has_password = false;
        } else if status != PersonStatus::Staged {
            self.activated = self.activated.or(Some(now));
        }
        self.status = status;
        self.status_changed = now;
        self.touch(now);
    }

    pub(crate) fn set_attribute(&mut self, name: &str, value: &str, now: Timestamp) {
        self.profile.insert(name.to_owned(), value.into());
        self.touch(now);
    }

    pub(super) fn set_profile(&mut self, profile: Map<String, Value>, now: Timestamp) {
        self.profile = profile;
        self.omit_unset_attributes();
        self.touch(now);
    }

    pub(super) fn touch(&mut self, now: Timestamp) {
        self.updated = now;
        self.version += 1;
    }

    fn etag(&self) -> String {
        format!("W/\"{}.{}\"", self.id, self.version)
    }

    fn credentials(&self) -> Credentials<'_> {
        let question = self.recovery_question.as_deref();
        Credentials {
            password: self.has_password.then(Map::new),
            provider: &self.provider,
            recovery_question: question.map(|question| BTreeMap::from([("question", question)])),
        }
    }

    /// Returns the document of a user in a list, whose only link is its own.
    pub(super) fn document(&self, host: &str) -> UserDocument<'_> {
        let href = format!("http://{host}/api/v1/users/{}", self.id);
        UserDocument {
            links: BTreeMap::from([("self", BTreeMap::from([("href", href)]))]),
            activated: self.activated.map(millis),
            created: millis(self.created),
            credentials: Some(self.credentials()),
            id: &self.id,
            last_login: (),
            last_updated: millis(self.updated),
            password_changed: self.password_changed.map(millis),
            profile: &self.profile,
            status: self.status.name(),
            status_changed: millis(self.status_changed),
            kind: BTreeMap::from([("id", DEFAULT_TYPE)]),
        }
    }

    /// Returns [`User::document`] without the parts that the request omits.
    pub(super) fn listed_document(&self, call: &Call<'_>) -> UserDocument<'_> {
        let mut document = self.document(&call.host);
        if call.omits("omitCredentials") {
            document.credentials = None;
        }
        document
    }

    fn reply(&self, call: &Call<'_>) -> Reply {
        let mut document = self.full_document(&call.host);
        if let Some(document) = document.as_object_mut()
            && call.omits("omitCredentials")
        {
            document.remove("credentials");
        }
        if let Some(links) = document["_links"].as_object_mut()
            && call.omits("omitCredentialsLinks")
        {
            links.retain(|link, _| !["resetPassword", "unlock"].contains(&link.as_str()));
        }
        Reply {
            etag: Some(self.etag()),
            ..Reply::ok(document)
        }
    }

    /// Returns the document of one user, with the links that the user's status allows.
    pub(super) fn full_document(&self, host: &str) -> Value {
        let mut document = json!(self.document(host));
        let lifecycle =
            |verb: &str| format!("http://{host}/api/v1/users/{}/lifecycle/{verb}", self.id);
        for (link, verb) in self.allowed_links() {
            document["_links"][*link] = json!({ "href": lifecycle(verb), "method": "POST" });
        }
        let schema = format!("http://{host}/api/v1/meta/schemas/user/{DEFAULT_SCHEMA}");
        let kind = format!("http://{host}/api/v1/meta/types/user/{DEFAULT_TYPE}");
        document["_links"]["schema"] = json!({ "href": schema });
        document["_links"]["type"] = json!({ "href": kind });
        document
    }
}

impl Searchable for User {
    fn any(&self, attribute: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
        if let Some(name) = attribute.strip_prefix("profile.") {
            return self
                .profile
                .get(name)
                .is_some_and(|value| value.any("", test));
        }
        let value = match attribute {
            "id" => self.id.as_str().into(),
            "status" => self.status.name().into(),
            "created" => millis(self.created).into(),
            "lastUpdated" => millis(self.updated).into(),
            "statusChanged" => millis(self.status_changed).into(),
            "activated" => millis_or_null(self.activated),
            "type.id" => DEFAULT_TYPE.into(),
            _ => Value::Null,
        };
        value.any("", test)
    }
}

impl Org {
    pub(super) fn users_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
        match (call.method, path.as_slice()) {
            (&Method::GET, []) => self.list_users(call),
            (&Method::POST, []) => self.create_user(call),
            (&Method::GET, [user]) => {
                call.allow_only(&["expand"])?;
                Ok(self.user(user)?.reply(call))
            }
            (&Method::POST | &Method::PUT, [user]) => self.update_user(call, user),
            (&Method::DELETE, [user]) => self.delete_user(call, user),
            (&Method::GET, [user, "groups"]) => self.list_groups_of_user(call, user),
            (&Method::GET, [user, "appLinks"]) => self.list_app_links(call, user),
            (method, [user, "lifecycle", verb]) => match *method {
                Method::POST => self.user_lifecycle(call, user, verb),
                _ => Err(Refusal::method()),
            },
            (_, [] | [_] | [_, "groups" | "appLinks"]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    /// Returns the user with this id, login or unambiguous short login; `me` is the owner of the token.
    ///
    /// A login with a slash is not found: "can only be fetched by id" (Okta's API reference, "Retrieve a user").
    pub(super) fn user(&self, name: &str) -> Result<&User, Refusal> {
        let found = match name {
            "me" => self.users.values().next(),
            name if name.contains('/') => None,
            name => (self.users.get(name))
                .or_else(|| self.users.by_login(name))
                .or_else(|| self.users.by_short_login(name)),
        };
        found.ok_or_else(|| Refusal::not_found(name, "User"))
    }

    /// Returns the user with this id.
    pub(super) fn user_by_id(&self, id: &str) -> Result<&User, Refusal> {
        let found = self.users.get(id);
        found.ok_or_else(|| Refusal::not_found(id, "User"))
    }

    fn create_user(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&["activate", "provider", "nextLogin"])?;
        let activate = call.bool_parameter("activate", true)?;
        let has_provider = call.bool_parameter("provider", false)?;
        let body = call.json_object()?;
        let profile = self.checked_profile(&body, None)?;
        let mut user = User::with_profile(self.ids.id("00u"), profile, call.now);
        user.set_credentials(&body, call.now)?;
        if has_provider && body["credentials"]["provider"]["type"].as_str().is_none() {
            return Err(Refusal::blank("provider"));
        }
        let expire = match call.parameter("nextLogin") {
            None => false,
            Some("changePassword") if activate && user.has_password => true,
            Some("changePassword") => {
                let cause = "nextLogin: The user must be activated with a password";
                return Err(Refusal::invalid("nextLogin", cause));
            }
            Some(_) => return Err(Refusal::not_allowed("nextLogin")),
        };
        let groups = self.groups_of_body(&body)?;
        if activate {
            user.set_status(user.status_after_activation(), call.now);
        }
        if expire {
            user.set_status(PersonStatus::PasswordExpired, call.now);
        }
        let id = user.id.clone();
        self.insert_user(user, Some(call.now));
        self.log_user(call.now, "user.lifecycle.create", &id);
        if activate {
            self.log_user(call.now, "user.lifecycle.activate", &id);
        }
        for group in &groups {
            self.change_membership(group, &id, true, call.now);
        }
        self.refresh_user(&id, call.now);
        Ok(self.user_by_id(&id)?.reply(call))
    }

    /// Changes a user: `POST` keeps the attributes that are not sent, and `PUT` removes them.
    fn update_user(&mut self, call: &Call<'_>, name: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["strict"])?;
        let body = call.json_object()?;
        let user = self.user(name)?;
        let if_match = call.headers.get(header::IF_MATCH);
        if if_match.is_some_and(|etag| etag.as_bytes() != user.etag().as_bytes()) {
            let summary = "The resource has been modified since it was read";
            return Err(Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "E0000140",
                summary,
            ));
        }
        if user.is_deprovisioned() {
            return Err(Refusal::user_status());
        }
        let id = user.id.clone();
        let kind = body.get("type").and_then(|kind| kind["id"].as_str());
        if kind.is_some_and(|kind| kind != DEFAULT_TYPE) {
            let cause = "type: The user type must be the type of the user";
            return Err(Refusal::invalid("type", cause));
        }
        let profile = match (call.method, body.get("profile")) {
            (&Method::POST, None) => None,
            (&Method::POST, Some(_)) => Some(self.checked_profile(&body, Some(user))?),
            _ => Some(self.checked_replacement(&body, user)?),
        };
        let now = call.now;
        let changed = self.users.edit(&id, now, |user| {
            user.set_credentials(&body, now)?;
            match profile {
                Some(profile) => user.set_profile(profile, now),
                None => user.touch(now),
            }
            Ok(())
        });
        changed.unwrap_or(Ok(()))?;
        self.log_user(now, "user.account.update_profile", &id);
        self.refresh_user(&id, now);
        Ok(self.user_by_id(&id)?.reply(call))
    }

    /// Deactivates a user, and deletes a user that is deactivated already.
    fn delete_user(&mut self, call: &Call<'_>, name: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["sendEmail"])?;
        let user = self.user(name)?;
        let id = user.id.clone();
        if !user.is_deprovisioned() {
            self.set_user_status(&id, PersonStatus::Deprovisioned, call.now);
            self.log_user(call.now, "user.lifecycle.deactivate", &id);
            return Ok(Reply::no_content());
        }
        self.log_user(call.now, "user.lifecycle.delete.initiated", &id);
        for group in self.groups.values_mut() {
            group.members.remove(&id);
        }
        self.users.remove(&id, call.now);
        self.refresh_user(&id, call.now);
        Ok(Reply::no_content())
    }

    /// Adds a user and its membership of the group `Everyone`.
    pub(super) fn insert_user(&mut self, user: User, now: Option<Timestamp>) {
        let id = user.id.clone();
        self.users.insert(user, now);
        if let Some(everyone) = self.groups.get_mut(&self.everyone) {
            everyone.members.insert(id);
        }
    }

    pub(super) fn set_user_status(&mut self, id: &str, status: PersonStatus, now: Timestamp) {
        self.users
            .edit(id, now, |user| user.set_status(status, now));
        self.refresh_user(id, now);
    }

    fn list_app_links(&self, call: &Call<'_>, user: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let user = self.user(user)?;
        let apps = self.apps.values().filter(|app| {
            app.active && app.users.contains_key(&user.id) && app.catalog_entry.can_be_added
        });
        Ok(Reply::ok(
            apps.map(|app| app.link(&user.id, &call.host)).collect(),
        ))
    }
}

/// The id of the default user type.
pub(super) const DEFAULT_TYPE: &str = "oty1gfdmdpHWhX6Z31d8";
/// The id of the schema of the default user type.
pub(super) const DEFAULT_SCHEMA: &str = "osc1gfdmdpHWhX6Z31d8";

const ALWAYS_PRESENT: [&str; 3] = ["mobilePhone", "secondEmail", "lastName"];
