//! Operations on users.

use serde_json::{Map, Value, json};

use super::{
    Call, alternate, check_revision, duplicate, external_ids, filter, issuer, list_response,
    not_found, user_of,
};
use crate::aws::center::Center;
use crate::aws::directory::{Draft, User};
use crate::aws::params::{Params, Rule};
use crate::aws::reply::{Refusal, epoch};
use crate::aws::rules::{ATTRIBUTE_VALUE, USER_NAME};
use crate::characters::{RESERVED, contains_name};
use crate::scim::ENTERPRISE;

/// The name of the enterprise extension in this API.
pub(super) const EXTENSION: &str = "aws:identitystore:enterprise";

const EXTENSION_NAME: Rule = Rule {
    min: 1,
    max: 50,
    pattern: "aws:identitystore:[a-z]{1,20}",
    matches: |text| text.starts_with("aws:identitystore:"),
};

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let name = filter(call.params, "UserName")?;
    let extended = extended(call.params);
    call.store()?;
    let center = call.checked_store()?;
    let scope = format!("{name:?}");
    let page = match &name {
        Some(name) => {
            let user = center.directory.user_by("userName", name);
            let user = user.filter(|user| user.user_name() == name);
            call.page(user.map(|user| (user.position, user)), &scope)
        }
        None => call.page_from(&scope, |first| center.directory.users_from(first)),
    }?;
    Ok(list_response(
        "Users",
        page.map(|user| user_json(center, user, extended)),
    ))
}

pub(super) fn describe(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.user_id();
    let extended = extended(call.params);
    let center = call.store()?;
    Ok(user_json(center, user_of(center, &id)?, extended))
}

pub(super) fn find(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let center = call.store()?;
    let (attribute, value) = alternate(
        params,
        issuer(center).as_deref(),
        &["userName", "emails.value"],
    )?;
    let user = center
        .directory
        .user_by(attribute, &value)
        .ok_or_else(|| not_found("USER", ""))?;
    Ok(json!({
        "IdentityStoreId": center.identity_store,
        "UserId": user.id,
        "UserArn": center.resource_arn("user", &user.id),
    }))
}

/// Creates a user.
///
/// "When creating a user, `UserName`, `DisplayName` and both given and family name are required" (API
/// reference, `CreateUser`); the service model requires none of them.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    params.text("UserName", &USER_NAME);
    params.text("DisplayName", &ATTRIBUTE_VALUE);
    for name in TEXTS {
        params.text_opt(name, &ATTRIBUTE_VALUE);
    }
    if let Some(name) = params.structure("Name") {
        name.text("GivenName", &ATTRIBUTE_VALUE);
        name.text("FamilyName", &ATTRIBUTE_VALUE);
        for part in NAME_PARTS {
            name.text_opt(part, &ATTRIBUTE_VALUE);
        }
    }
    for (name, max) in LISTS {
        for item in params.structures_opt(name, 1, max).unwrap_or_default() {
            for part in PARTS {
                item.text_opt(part, &ATTRIBUTE_VALUE);
            }
            item.boolean_opt("Primary");
            if name == "Photos" {
                item.text("Value", &ATTRIBUTE_VALUE);
            }
        }
    }
    let mut attributes = Map::new();
    for name in ATTRIBUTES {
        if let Some(value) = params.value(name) {
            attributes.insert(lower(name), lower_keys(value));
        }
    }
    let extensions = params.structure_opt("Extensions");
    if let Some(extension) = extensions
        .as_ref()
        .and_then(|extensions| extensions.value(EXTENSION))
    {
        attributes.insert(ENTERPRISE.to_owned(), lower_keys(extension));
    }
    let now = call.now;
    let center = call.store()?;
    let draft = Draft {
        attributes,
        external_id: None,
        active: true,
    };
    check(&draft)?;
    let user = center
        .directory
        .create_user(draft, now)
        .map_err(|conflict| duplicate(&conflict))?;
    let (id, revision) = (user.id.clone(), user.revision);
    Ok(json!({
        "IdentityStoreId": center.identity_store,
        "UserId": id,
        "UserArn": center.resource_arn("user", &id),
        "Revision": revision.to_string(),
    }))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let (id, expected) = (call.user_id(), call.expected_revision());
    let revision = user_of(call.store()?, &id)?.revision;
    check_revision(expected.as_deref(), revision)?;
    call.store()?.directory.delete_user(&id);
    Ok(json!({}))
}

/// Returns the user in the format of this API: SCIM's attributes with a capital first letter.
pub(super) fn user_json(center: &Center, user: &User, extended: bool) -> Value {
    let mut json = Map::new();
    for (name, value) in user.attributes() {
        if name == ENTERPRISE {
            if extended {
                json.insert("Extensions".to_owned(), json!({ EXTENSION: value }));
            }
        } else {
            json.insert(upper(name), upper_keys(value));
        }
    }
    let status = if user.is_active() {
        "ENABLED"
    } else {
        "DISABLED"
    };
    json.insert(
        "IdentityStoreId".to_owned(),
        center.identity_store.as_str().into(),
    );
    json.insert("UserId".to_owned(), user.id.as_str().into());
    json.insert(
        "UserArn".to_owned(),
        center.resource_arn("user", &user.id).into(),
    );
    json.insert("Revision".to_owned(), user.revision.to_string().into());
    json.insert("UserStatus".to_owned(), status.into());
    json.insert("CreatedAt".to_owned(), epoch(user.created));
    json.insert("UpdatedAt".to_owned(), epoch(user.updated));
    if let Some(ids) = external_ids(center, user.external_id()) {
        json.insert("ExternalIds".to_owned(), ids);
    }
    Value::Object(json)
}

/// Returns an error for a reserved name of a user or a group.
pub(super) fn reserved(name: &str) -> Result<(), Refusal> {
    if contains_name(RESERVED, name) {
        return Err(Refusal::validation(format!("{name} is a reserved name.")));
    }
    Ok(())
}

/// Returns an error for a text of a user that the service model refuses.
///
/// The model has no constraints on the documents in an update and in an extension; the constraints are those of the
/// same attributes in `CreateUser`.
pub(super) fn check(draft: &Draft) -> Result<(), Refusal> {
    reserved(draft.user_name())?;
    for (name, value) in &draft.attributes {
        let rule = match name.as_str() {
            "userName" => &USER_NAME,
            _ => &ATTRIBUTE_VALUE,
        };
        if !accepts(rule, value) {
            let pattern = rule.pattern;
            return Err(Refusal::validation(format!(
                "A text of {name} does not have the length or the pattern {pattern}."
            )));
        }
    }
    Ok(())
}

/// Returns whether a rule accepts all texts in a value.
fn accepts(rule: &Rule, value: &Value) -> bool {
    match value {
        Value::String(text) => rule.accepts(text),
        Value::Array(items) => items.iter().all(|item| accepts(rule, item)),
        Value::Object(members) => members.values().all(|member| accepts(rule, member)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Returns a copy of a value whose member names are in SCIM's spelling.
pub(super) fn lower_keys(value: &Value) -> Value {
    rename(value, lower)
}

fn upper_keys(value: &Value) -> Value {
    rename(value, upper)
}

fn rename(value: &Value, name: fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (name(key), rename(value, name)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| rename(item, name)).collect(),
        other => other.clone(),
    }
}

fn upper(name: &str) -> String {
    first(name, char::to_ascii_uppercase)
}

fn lower(name: &str) -> String {
    first(name, char::to_ascii_lowercase)
}

fn first(name: &str, change: fn(&char) -> char) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|letter| change(&letter))
        .into_iter()
        .chain(letters)
        .collect()
}

fn extended(params: &Params<'_>) -> bool {
    if params.value("Extensions").is_none() {
        return false;
    }
    params
        .texts("Extensions", 1, 10, &EXTENSION_NAME)
        .iter()
        .any(|name| name == EXTENSION)
}

/// The attributes with one text, which the service model does not require.
const TEXTS: [&str; 9] = [
    "NickName",
    "ProfileUrl",
    "UserType",
    "Title",
    "PreferredLanguage",
    "Locale",
    "Timezone",
    "Website",
    "Birthdate",
];

/// The optional parts of a name.
const NAME_PARTS: [&str; 4] = [
    "Formatted",
    "MiddleName",
    "HonorificPrefix",
    "HonorificSuffix",
];

/// The attributes with several values, and the maximum number of values in a request.
const LISTS: [(&str, usize); 5] = [
    ("Emails", 1),
    ("Addresses", 1),
    ("PhoneNumbers", 1),
    ("Roles", 1),
    ("Photos", 3),
];

/// The texts in a value of `LISTS`.
const PARTS: [&str; 9] = [
    "Value",
    "Type",
    "Display",
    "StreetAddress",
    "Locality",
    "Region",
    "PostalCode",
    "Country",
    "Formatted",
];

const ATTRIBUTES: [&str; 17] = [
    "UserName",
    "Name",
    "DisplayName",
    "NickName",
    "ProfileUrl",
    "Emails",
    "Addresses",
    "PhoneNumbers",
    "UserType",
    "Title",
    "PreferredLanguage",
    "Locale",
    "Timezone",
    "Photos",
    "Website",
    "Birthdate",
    "Roles",
];
