//! The rules for the profile of a user, which come from the user schema.

use serde_json::{Map, Value};

use super::{Org, groups::Kind, reply::Refusal, users::User};

impl Org {
    /// Returns the profile of a new user, or of `user` after a partial update.
    pub(super) fn checked_profile(
        &self,
        body: &Map<String, Value>,
        user: Option<&User>,
    ) -> Result<Map<String, Value>, Refusal> {
        let sent = match body.get("profile") {
            Some(Value::Object(sent)) => sent,
            None | Some(Value::Null) => return Err(Refusal::blank("profile")),
            Some(_) => return Err(Refusal::malformed()),
        };
        let mut profile = user.map(|user| user.profile.clone()).unwrap_or_default();
        profile.extend(sent.clone());
        self.check_profile(&profile, sent, user)?;
        Ok(profile)
    }

    /// Returns the profile of a user after a replacement. An attribute that is not sent is removed.
    pub(super) fn checked_replacement(
        &self,
        body: &Map<String, Value>,
        user: &User,
    ) -> Result<Map<String, Value>, Refusal> {
        let Some(Value::Object(sent)) = body.get("profile") else {
            return Err(Refusal::blank("profile"));
        };
        let is_same = |name: &str| sent.get(name) == user.profile.get(name);
        let removed = user.profile.keys().filter(|name| !is_same(name));
        let mut changed = sent.clone();
        for name in removed {
            changed.entry(name).or_insert(Value::Null);
        }
        self.check_profile(sent, &changed, Some(user))?;
        Ok(sent.clone())
    }

    /// Checks a profile. The causes of a refusal are about the `changed` attributes, or all of a new user.
    fn check_profile(
        &self,
        profile: &Map<String, Value>,
        changed: &Map<String, Value>,
        user: Option<&User>,
    ) -> Result<(), Refusal> {
        let mut causes = Vec::new();
        for name in self.user_schema.required() {
            let is_checked = user.is_none() || changed.contains_key(name);
            let value = profile.get(name).and_then(Value::as_str);
            if is_checked && value.is_none_or(|value| value.trim().is_empty()) {
                causes.push(format!("{name}: The field cannot be left blank"));
            }
        }
        for (name, value) in changed.iter().filter(|(_, value)| !value.is_null()) {
            let Some(rules) = self.user_schema.property(name) else {
                causes.push(format!("{name}: The attribute is not in the user schema"));
                continue;
            };
            if let Some(cause) = violation(name, value, rules) {
                causes.push(cause);
            }
        }
        let login = changed.get("login").and_then(Value::as_str);
        let owner = login.and_then(|login| self.users.by_login(login));
        if owner.is_some_and(|owner| user.is_none_or(|user| user.id != owner.id)) {
            let taken = "An object with this field already exists in the current organization";
            causes.push(format!("login: {taken}"));
        }
        if causes.is_empty() {
            return Ok(());
        }
        Err(Refusal::invalid_fields(causes))
    }

    /// Returns the groups that the request for a new user names.
    pub(super) fn groups_of_body(&self, body: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
        let ids = match body.get("groupIds") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str),
            Some(_) => return Err(Refusal::malformed()),
        };
        let ids: Vec<String> = ids.map(str::to_owned).collect();
        for id in &ids {
            if self.group(id)?.kind != Kind::Okta {
                return Err(Refusal::permission());
            }
        }
        Ok(ids)
    }
}

/// Returns the rule of the schema that a value breaks.
fn violation(name: &str, value: &Value, rules: &Value) -> Option<String> {
    let is_of_type = match rules["type"].as_str().unwrap_or("string") {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        _ => true,
    };
    if !is_of_type {
        return Some(format!(
            "{name}: The value does not have the type of the attribute"
        ));
    }
    let text = value.as_str()?;
    let length = text.chars().count() as u64;
    if rules["maxLength"].as_u64().is_some_and(|max| length > max) {
        return Some(format!("{name}: The field is too long"));
    }
    if name == "login" && (!is_email(text) || length < 5) {
        let form = "Username must be in the form of an email address";
        return Some(format!("login: {form}"));
    }
    if ["email", "secondEmail"].contains(&name) && !text.is_empty() && !is_email(text) {
        return Some(format!("{name}: Does not match required pattern"));
    }
    let allowed = rules["enum"].as_array().filter(|values| !values.is_empty());
    if allowed.is_some_and(|allowed| !allowed.contains(value)) {
        return Some(format!("{name}: Not one of the allowed values."));
    }
    None
}

fn is_email(text: &str) -> bool {
    let is_valid = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    text.rsplit_once('@').is_some_and(|(local, host)| {
        is_valid(local) && !local.contains('@') && is_valid(host) && host.contains('.')
    })
}
