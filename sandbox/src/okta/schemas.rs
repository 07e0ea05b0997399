//! `/api/v1/meta/schemas`: the attributes of users and of the users of an application.

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
    users::DEFAULT_SCHEMA,
};
use crate::user_attributes::OPTIONAL;

/// A schema: the base attributes, which the system defines, and the custom attributes.
#[derive(Debug)]
pub(super) struct Schema {
    name: &'static str,
    title: String,
    base: Map<String, Value>,
    custom: Map<String, Value>,
    created: Timestamp,
    updated: Timestamp,
}

impl Schema {
    /// Returns the schema of the default user type.
    pub(super) fn of_users(now: Timestamp) -> Self {
        let mut schema = Self::new("user", "User", USER_ATTRIBUTES, now);
        schema.base["login"]["minLength"] = 5.into();
        schema.base["email"]["format"] = "email".into();
        schema
    }

    /// Returns the schema of an application's users, with or without a display name.
    pub(super) fn of_app_users(label: &str, display_name: bool, now: Timestamp) -> Self {
        let title = format!("{label} User");
        let optional = OPTIONAL.iter();
        let optional = optional.map(|attribute| (attribute.app, attribute.title, 0, false));
        let attributes: Vec<_> = APP_ATTRIBUTES.iter().copied().chain(optional).collect();
        let mut schema = Self::new("app_user", &title, &attributes, now);
        if !display_name {
            schema.base.remove("displayName");
        }
        schema
    }

    fn new(
        name: &'static str,
        title: &str,
        attributes: &[(&str, &str, u32, bool)],
        now: Timestamp,
    ) -> Self {
        let attribute = |&(name, title, max, required): &(&str, &str, u32, bool)| {
            let mut attribute = json!({
                "title": title,
                "type": "string",
                "mutability": "READ_WRITE",
                "scope": "NONE",
                "permissions": [{ "principal": "SELF", "action": "READ_WRITE" }],
                "master": { "type": "PROFILE_MASTER" },
            });
            if required {
                attribute["required"] = true.into();
            }
            if max > 0 {
                attribute["maxLength"] = max.into();
            }
            (name.to_owned(), attribute)
        };
        Self {
            name,
            title: title.to_owned(),
            base: attributes.iter().map(attribute).collect(),
            custom: Map::new(),
            created: now,
            updated: now,
        }
    }

    /// Returns the rules of an attribute.
    pub(super) fn property(&self, name: &str) -> Option<&Value> {
        self.base.get(name).or_else(|| self.custom.get(name))
    }

    /// Returns the names of the required attributes.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        let attributes = self.base.iter().chain(&self.custom);
        attributes
            .filter(|(_, rules)| rules["required"] == true)
            .map(|(name, _)| name.as_str())
    }

    fn document(&self, address: &str) -> Value {
        let part = |id: &str, properties: &Map<String, Value>| {
            let required = properties
                .iter()
                .filter(|(_, rules)| rules["required"] == true);
            let required: Vec<&String> = required.map(|(name, _)| name).collect();
            json!({ "id": id, "type": "object", "properties": properties, "required": required })
        };
        json!({
            "id": address,
            "$schema": "http://json-schema.org/draft-04/schema#",
            "name": self.name,
            "title": self.title,
            "created": millis(self.created),
            "lastUpdated": millis(self.updated),
            "definitions": {
                "base": part("#base", &self.base),
                "custom": part("#custom", &self.custom),
            },
            "type": "object",
            "properties": {
                "profile": {
                    "allOf": [{ "$ref": "#/definitions/custom" }, { "$ref": "#/definitions/base" }]
                }
            },
            "_links": { "self": { "href": address, "method": "GET", "rel": "self" } },
        })
    }

    /// Applies a partial update: a custom attribute is set, or removed if it is null.
    ///
    /// Of a base attribute, only `required` of the first and last name can be changed.
    fn update(&mut self, body: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
        let empty = json!({});
        let definitions = body.get("definitions").unwrap_or(&empty);
        let attributes = |part: &str| {
            let properties = definitions[part]["properties"].as_object();
            properties.cloned().unwrap_or_default()
        };
        let mut base = self.base.clone();
        for (name, sent) in attributes("base") {
            let Some(rules) = base.get_mut(&name) else {
                let cause = format!("{name}: The base attribute does not exist");
                return Err(Refusal::invalid("definitions", cause));
            };
            if sent.is_null() {
                let cause = format!("{name}: A base attribute cannot be removed");
                return Err(Refusal::invalid("definitions", cause));
            }
            let is_editable =
                self.name == "app_user" || ["firstName", "lastName"].contains(&name.as_str());
            match sent["required"].as_bool().filter(|_| is_editable) {
                Some(true) => rules["required"] = true.into(),
                Some(false) => drop(
                    rules
                        .as_object_mut()
                        .and_then(|rules| rules.remove("required")),
                ),
                None => {}
            }
        }
        let mut custom = self.custom.clone();
        for (name, sent) in attributes("custom") {
            if sent.is_null() {
                custom.remove(&name);
                continue;
            }
            check_custom_attribute(&name, &sent, &self.base)?;
            let rules = custom.entry(name).or_insert_with(|| {
                json!({ "mutability": "READ_WRITE", "scope": "NONE", "master": { "type": "PROFILE_MASTER" } })
            });
            for (key, value) in sent.as_object().into_iter().flatten() {
                rules[key] = value.clone();
            }
        }
        self.base = base;
        self.custom = custom;
        self.updated = now;
        Ok(())
    }
}

fn check_custom_attribute(
    name: &str,
    sent: &Value,
    base: &Map<String, Value>,
) -> Result<(), Refusal> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if base.contains_key(name) || !name.chars().all(is_word) {
        let cause = format!("{name}: The name of the attribute is not valid");
        return Err(Refusal::invalid("definitions", cause));
    }
    if sent["title"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::blank("title"));
    }
    let kinds = ["string", "boolean", "number", "integer", "array", "object"];
    match sent["type"].as_str() {
        Some(kind) if kinds.contains(&kind) => Ok(()),
        Some(_) => Err(Refusal::not_allowed("type")),
        None => Err(Refusal::blank("type")),
    }
}

impl Org {
    /// Handles `meta/schemas/user/{schema}` and `meta/schemas/apps/{app}/default`.
    pub(super) fn schemas_endpoint(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let path: Vec<&str> = call.segments.iter().skip(2).map(String::as_str).collect();
        let host = &call.host;
        let (schema, address) = match path.as_slice() {
            ["user", "default" | DEFAULT_SCHEMA] => (
                &mut self.user_schema,
                format!("http://{host}/api/v1/meta/schemas/user/{DEFAULT_SCHEMA}"),
            ),
            ["user", id] => return Err(Refusal::not_found(id, "UserSchema")),
            ["apps", app, "default"] => {
                let address = format!("http://{host}/api/v1/meta/schemas/apps/{app}/default");
                (&mut self.app_mut(app)?.user_schema, address)
            }
            _ => return Err(Refusal::not_found(call.path, "Endpoint")),
        };
        match *call.method {
            Method::GET => {}
            Method::POST => schema.update(&call.json_object()?, call.now)?,
            _ => return Err(Refusal::method()),
        }
        Ok(Reply::ok(schema.document(&address)))
    }
}

/// The base attributes of users: name, title, longest text (0: no limit), and whether it is required.
///
/// Source: `UserProfile` in Okta's API description.
const USER_ATTRIBUTES: &[(&str, &str, u32, bool)] = &[
    ("login", "Username", 100, true),
    ("firstName", "First name", 50, true),
    ("lastName", "Last name", 50, true),
    ("email", "Primary email", 100, true),
    ("middleName", "Middle name", 0, false),
    ("honorificPrefix", "Honorific prefix", 0, false),
    ("honorificSuffix", "Honorific suffix", 0, false),
    ("title", "Title", 0, false),
    ("displayName", "Display name", 0, false),
    ("nickName", "Nickname", 0, false),
    ("profileUrl", "Profile Url", 1024, false),
    ("secondEmail", "Secondary email", 100, false),
    ("mobilePhone", "Mobile phone", 100, false),
    ("primaryPhone", "Primary phone", 100, false),
    ("streetAddress", "Street address", 1024, false),
    ("city", "City", 128, false),
    ("state", "State", 128, false),
    ("zipCode", "Zip code", 50, false),
    ("countryCode", "Country code", 2, false),
    ("postalAddress", "Postal Address", 4096, false),
    ("preferredLanguage", "Preferred language", 0, false),
    ("locale", "Locale", 0, false),
    ("timezone", "Time zone", 0, false),
    ("userType", "User type", 0, false),
    ("employeeNumber", "Employee number", 0, false),
    ("costCenter", "Cost center", 0, false),
    ("organization", "Organization", 0, false),
    ("division", "Division", 0, false),
    ("department", "Department", 0, false),
    ("managerId", "ManagerId", 0, false),
    ("manager", "Manager", 0, false),
];

/// The attributes of an application's users, in addition to [`OPTIONAL`].
const APP_ATTRIBUTES: &[(&str, &str, u32, bool)] = &[
    ("userName", "Username", 100, true),
    ("firstName", "First name", 0, true),
    ("lastName", "Last name", 0, true),
    ("displayName", "Display name", 0, true),
    ("email", "Primary email", 0, false),
];
