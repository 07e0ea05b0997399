//! What a user may look like.

use serde_json::{Map, Value};

use super::reply::Refusal;
use super::{ENTERPRISE, USER};
use crate::aws::Draft;

/// Makes a user out of the body of a request.
///
/// # Errors
///
/// If anything is missing, empty, of the wrong type, unknown, or not supported (developer guide,
/// `CreateUser` and limitations; Okta knowledge base for characters and addresses).
pub(super) fn draft(body: &Map<String, Value>) -> Result<Draft, Refusal> {
    let mut draft = Draft {
        attributes: Map::new(),
        external_id: None,
        // "If it is left out, the user is active" (developer guide, `active`).
        active: true,
    };
    for (name, value) in body {
        if is_absent(value) {
            continue;
        }
        match name.as_str() {
            "schemas" => schemas(value)?,
            "id" | "meta" => {}
            "externalId" => draft.external_id = Some(text(value)?.to_owned()),
            "active" => draft.active = value.as_bool().ok_or_else(Refusal::invalid)?,
            name => {
                let value = attribute(name, value)?;
                draft.attributes.insert(name.to_owned(), value);
            }
        }
    }
    required(&draft)?;
    Ok(draft)
}

/// Whether a value is none: Okta sends `groups: []`, and `null` is how to say nothing.
fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn required(draft: &Draft) -> Result<(), Refusal> {
    let attributes = &draft.attributes;
    let name = attributes.get("name");
    let all = [
        attributes.get("userName"),
        attributes.get("displayName"),
        name.and_then(|name| name.get("givenName")),
        name.and_then(|name| name.get("familyName")),
    ];
    if all.iter().all(Option::is_some) {
        Ok(())
    } else {
        Err(Refusal::invalid())
    }
}

fn schemas(value: &Value) -> Result<(), Refusal> {
    let items = value.as_array().ok_or_else(Refusal::invalid)?;
    if items.iter().any(|item| item == USER) && items.iter().all(Value::is_string) {
        Ok(())
    } else {
        Err(Refusal::invalid())
    }
}

/// Checks one attribute; returns what is kept of it.
fn attribute(name: &str, value: &Value) -> Result<Value, Refusal> {
    match name {
        "userName" | "displayName" | "nickName" | "title" | "userType" | "preferredLanguage"
        | "locale" | "timezone" => plain(value),
        // An address has to have a colon.
        "profileUrl" => text(value).map(Value::from),
        "name" => members(
            value,
            &[
                "formatted",
                "familyName",
                "givenName",
                "middleName",
                "honorificPrefix",
                "honorificSuffix",
            ],
        ),
        "emails" => {
            let email = only(value, &["value", "type", "primary"])?;
            let primary = email.get("primary") == Some(&Value::Bool(true));
            if !primary || email.get("value").is_none() {
                return Err(Refusal::invalid());
            }
            Ok(email.into_list())
        }
        "phoneNumbers" | "roles" => Ok(only(value, &["value", "type", "primary"])?.into_list()),
        "addresses" => {
            const WHOLE: [&str; 5] = [
                "streetAddress",
                "locality",
                "region",
                "postalCode",
                "country",
            ];
            let mut known = WHOLE.to_vec();
            known.extend(["formatted", "type", "primary"]);
            let address = only(value, &known)?;
            // An address is taken as a whole or not at all (Okta knowledge base).
            if WHOLE.iter().any(|part| address.get(part).is_none()) {
                return Err(Refusal::invalid());
            }
            Ok(address.into_list())
        }
        ENTERPRISE => enterprise(value),
        // password, ims, photos, x509Certificates, entitlements and groups are not supported.
        _ => Err(Refusal::invalid()),
    }
}

fn enterprise(value: &Value) -> Result<Value, Refusal> {
    let Value::Object(given) = value else {
        return Err(Refusal::invalid());
    };
    let mut kept = Map::new();
    for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let value = match name.as_str() {
            "employeeNumber" | "costCenter" | "organization" | "division" | "department" => {
                plain(value)?
            }
            "manager" => manager(value)?,
            _ => return Err(Refusal::invalid()),
        };
        kept.insert(name.clone(), value);
    }
    Ok(Value::Object(kept))
}

/// Of a manager only the id comes back: the sample of the guide (`CreateUser`) has lost its `$ref`.
fn manager(value: &Value) -> Result<Value, Refusal> {
    let Value::Object(given) = value else {
        return Err(Refusal::invalid());
    };
    if given.keys().any(|name| name != "value" && name != "$ref") {
        return Err(Refusal::invalid());
    }
    let mut kept = Map::new();
    if let Some(id) = given.get("value") {
        kept.insert("value".to_owned(), Value::from(text(id)?));
    }
    Ok(Value::Object(kept))
}

/// The members of a complex attribute, each a plain text or a truth value.
fn members(value: &Value, known: &[&str]) -> Result<Value, Refusal> {
    let Value::Object(given) = value else {
        return Err(Refusal::invalid());
    };
    let mut kept = Map::new();
    for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let value = match (known.contains(&name.as_str()), name.as_str()) {
            (true, "primary") => Value::Bool(value.as_bool().ok_or_else(Refusal::invalid)?),
            (true, _) => plain(value)?,
            (false, _) => return Err(Refusal::invalid()),
        };
        kept.insert(name.clone(), value);
    }
    Ok(Value::Object(kept))
}

/// The only value of an attribute that can have one: "multiple values are not supported" (limitations).
fn only(value: &Value, known: &[&str]) -> Result<Only, Refusal> {
    match value.as_array().map(Vec::as_slice) {
        Some([one]) => members(one, known).map(Only),
        _ => Err(Refusal::invalid()),
    }
}

#[derive(Debug)]
struct Only(Value);

impl Only {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn into_list(self) -> Value {
        Value::Array(vec![self.0])
    }
}

/// A text without the characters that AWS does not take in names and the like.
fn plain(value: &Value) -> Result<Value, Refusal> {
    let text = text(value)?;
    if text.contains(['<', '>', ';', ':', '%']) {
        return Err(Refusal::invalid());
    }
    Ok(Value::from(text))
}

/// A text that is not empty and has no control characters.
pub(super) fn text(value: &Value) -> Result<&str, Refusal> {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.chars().any(is_invisible) => Ok(text),
        _ => Err(Refusal::invalid()),
    }
}

/// Control characters, and the invisible ones that come along when text is pasted.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({
            "schemas": [USER, ENTERPRISE],
            "externalId": "00u1",
            "userName": "ada@example.com",
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "displayName": "Ada Lovelace",
            "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
            "active": true,
        })
    }

    fn read(body: &Value) -> Result<Draft, Refusal> {
        draft(body.as_object().expect("an object"))
    }

    #[track_caller]
    fn with(name: &str, value: Value) -> Result<Draft, Refusal> {
        let mut body = body();
        body[name] = value;
        read(&body)
    }

    #[track_caller]
    fn refused(name: &str, value: Value) {
        let text = value.to_string();
        assert_eq!(
            with(name, value).map(|_| ()),
            Err(Refusal::invalid()),
            "{name}: {text}"
        );
    }

    #[test]
    fn a_whole_user_is_taken() {
        let draft = read(&body()).expect("a user");
        assert_eq!(draft.user_name(), "ada@example.com");
        assert_eq!(draft.email(), Some("ada@example.com"));
        assert_eq!(draft.external_id.as_deref(), Some("00u1"));
        assert!(draft.active);
    }

    #[test]
    fn every_required_attribute_is_required() {
        for name in ["userName", "name", "displayName"] {
            let mut body = body();
            body.as_object_mut().expect("an object").remove(name);
            assert_eq!(read(&body).map(|_| ()), Err(Refusal::invalid()), "{name}");
        }
        refused("name", json!({ "givenName": "Ada" }));
        refused("name", json!({ "familyName": "Lovelace" }));
    }

    #[test]
    fn empty_texts_are_refused_and_nulls_are_nothing() {
        refused("title", json!(""));
        refused("externalId", json!(""));
        refused("name", json!({ "givenName": "", "familyName": "Lovelace" }));
        with("title", json!(null)).expect("nothing");
        with(
            "name",
            json!({ "givenName": "Ada", "familyName": "Lovelace", "middleName": null }),
        )
        .expect("nothing");
    }

    #[test]
    fn control_characters_are_refused() {
        refused("displayName", json!("Ada\u{0007}"));
        refused("displayName", json!("Ada\u{200b}"));
    }

    #[test]
    fn characters_that_aws_does_not_take_are_refused() {
        for letter in ['<', '>', ';', ':', '%'] {
            refused("displayName", json!(format!("Ada{letter}")));
        }
        with("profileUrl", json!("https://example.com/ada")).expect("an address");
    }

    #[test]
    fn there_is_one_email_and_it_is_primary() {
        refused("emails", json!([{ "value": "a@example.com" }]));
        refused(
            "emails",
            json!([{ "value": "a@example.com", "primary": false }]),
        );
        refused("emails", json!([{ "primary": true }]));
        refused(
            "emails",
            json!([{ "value": "a@example.com", "primary": true }, { "value": "b@example.com", "primary": false }]),
        );
        refused(
            "emails",
            json!([{ "value": "a@example.com", "primary": true, "display": "Ada" }]),
        );
        with("emails", json!([])).expect("no address");
    }

    #[test]
    fn there_is_one_of_each_of_the_other_lists() {
        for name in ["phoneNumbers", "roles"] {
            with(name, json!([{ "value": "1", "type": "work" }])).expect("one");
            refused(name, json!([{ "value": "1" }, { "value": "2" }]));
        }
    }

    #[test]
    fn an_address_is_whole() {
        let whole = json!({ "streetAddress": "1", "locality": "l", "region": "r", "postalCode": "p", "country": "GB" });
        with("addresses", json!([whole])).expect("an address");
        refused(
            "addresses",
            json!([{ "streetAddress": "1", "country": "GB" }]),
        );
    }

    #[test]
    fn what_is_not_supported_is_refused_unless_it_is_empty() {
        for name in ["password", "nonsense"] {
            refused(name, json!("x"));
        }
        for name in [
            "photos",
            "ims",
            "x509Certificates",
            "entitlements",
            "groups",
        ] {
            refused(name, json!([{ "value": "x" }]));
            with(name, json!([])).expect("nothing");
        }
    }

    #[test]
    fn types_matter() {
        refused("active", json!("true"));
        refused("title", json!(1));
        refused(
            "emails",
            json!({ "value": "a@example.com", "primary": true }),
        );
        refused("schemas", json!([ENTERPRISE]));
        refused("schemas", json!(USER));
    }

    #[test]
    fn a_manager_is_an_id() {
        let draft = with(
            ENTERPRISE,
            json!({ "manager": { "value": "1", "$ref": "../Users/1" } }),
        )
        .expect("a manager");
        assert_eq!(
            draft.attributes[ENTERPRISE],
            json!({ "manager": { "value": "1" } })
        );
        refused(
            ENTERPRISE,
            json!({ "manager": { "value": "1", "displayName": "Boss" } }),
        );
        refused(ENTERPRISE, json!({ "floor": "1" }));
    }
}
