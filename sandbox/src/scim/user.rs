//! Validation of users.

use serde_json::{Map, Value};

use super::reply::Refusal;
use super::{ENTERPRISE, USER};
use crate::aws::Draft;

/// Converts the body of a request to a user.
///
/// # Errors
///
/// Returns an error if an attribute is missing, empty, of the wrong type, unknown or not supported
/// (developer guide, `CreateUser` and limitations; Okta knowledge base for characters and addresses).
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

/// Returns whether a value counts as missing: Okta sends `groups: []`, and `null` means "no value".
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

/// Validates one attribute; returns the value to store.
fn attribute(name: &str, value: &Value) -> Result<Value, Refusal> {
    match name {
        "userName" | "displayName" | "nickName" | "title" | "userType" | "preferredLanguage"
        | "locale" | "timezone" => plain(value),
        // A URL has to contain a colon, so the check for forbidden characters does not apply.
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
            let email = single_value(value, &["value", "type", "primary"])?;
            let primary = email.get("primary") == Some(&Value::Bool(true));
            if !primary || email.get("value").is_none() {
                return Err(Refusal::invalid());
            }
            Ok(email.into_list())
        }
        "phoneNumbers" | "roles" => {
            Ok(single_value(value, &["value", "type", "primary"])?.into_list())
        }
        "addresses" => {
            const REQUIRED: [&str; 5] = [
                "streetAddress",
                "locality",
                "region",
                "postalCode",
                "country",
            ];
            let mut known = REQUIRED.to_vec();
            known.extend(["formatted", "type", "primary"]);
            let address = single_value(value, &known)?;
            // AWS only accepts complete addresses (Okta knowledge base).
            if REQUIRED.iter().any(|part| address.get(part).is_none()) {
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

/// Keeps only the id of a manager: in the guide's sample (`CreateUser`), the response has no `$ref`.
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

/// Validates the sub-attributes of a complex attribute: each is a plain string or a Boolean.
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

/// Returns the single value of a list: "multiple values are not supported" (limitations).
fn single_value(value: &Value, known: &[&str]) -> Result<SingleValue, Refusal> {
    match value.as_array().map(Vec::as_slice) {
        Some([one]) => members(one, known).map(SingleValue),
        _ => Err(Refusal::invalid()),
    }
}

#[derive(Debug)]
struct SingleValue(Value);

impl SingleValue {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn into_list(self) -> Value {
        Value::Array(vec![self.0])
    }
}

/// Validates a string without the characters that AWS rejects in names and similar attributes.
fn plain(value: &Value) -> Result<Value, Refusal> {
    let text = text(value)?;
    if text.contains(['<', '>', ';', ':', '%']) {
        return Err(Refusal::invalid());
    }
    Ok(Value::from(text))
}

/// Validates a non-empty string without control characters.
pub(super) fn text(value: &Value) -> Result<&str, Refusal> {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.chars().any(is_invisible) => Ok(text),
        _ => Err(Refusal::invalid()),
    }
}

/// Returns whether a character is a control character or an invisible character that pasted text often
/// contains.
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
    fn assert_invalid(name: &str, value: Value) {
        let text = value.to_string();
        assert_eq!(
            with(name, value).map(|_| ()),
            Err(Refusal::invalid()),
            "{name}: {text}"
        );
    }

    #[test]
    fn a_valid_user_is_accepted() {
        let draft = read(&body()).expect("a user");
        assert_eq!(draft.user_name(), "ada@example.com");
        assert_eq!(draft.email(), Some("ada@example.com"));
        assert_eq!(draft.external_id.as_deref(), Some("00u1"));
        assert!(draft.active);
    }

    #[test]
    fn a_user_without_a_required_attribute_is_rejected() {
        for name in ["userName", "name", "displayName"] {
            let mut body = body();
            body.as_object_mut().expect("an object").remove(name);
            assert_eq!(read(&body).map(|_| ()), Err(Refusal::invalid()), "{name}");
        }
        assert_invalid("name", json!({ "givenName": "Ada" }));
        assert_invalid("name", json!({ "familyName": "Lovelace" }));
    }

    #[test]
    fn empty_strings_are_rejected_and_null_counts_as_missing() {
        assert_invalid("title", json!(""));
        assert_invalid("externalId", json!(""));
        assert_invalid("name", json!({ "givenName": "", "familyName": "Lovelace" }));
        with("title", json!(null)).expect("null counts as missing");
        with(
            "name",
            json!({ "givenName": "Ada", "familyName": "Lovelace", "middleName": null }),
        )
        .expect("null counts as missing");
    }

    #[test]
    fn control_characters_are_rejected() {
        assert_invalid("displayName", json!("Ada\u{0007}"));
        assert_invalid("displayName", json!("Ada\u{200b}"));
    }

    #[test]
    fn characters_that_aws_does_not_accept_are_rejected() {
        for letter in ['<', '>', ';', ':', '%'] {
            assert_invalid("displayName", json!(format!("Ada{letter}")));
        }
        with("profileUrl", json!("https://example.com/ada")).expect("a valid URL");
    }

    #[test]
    fn a_user_has_at_most_one_email_and_it_must_be_primary() {
        assert_invalid("emails", json!([{ "value": "a@example.com" }]));
        assert_invalid(
            "emails",
            json!([{ "value": "a@example.com", "primary": false }]),
        );
        assert_invalid("emails", json!([{ "primary": true }]));
        assert_invalid(
            "emails",
            json!([{ "value": "a@example.com", "primary": true }, { "value": "b@example.com", "primary": false }]),
        );
        assert_invalid(
            "emails",
            json!([{ "value": "a@example.com", "primary": true, "display": "Ada" }]),
        );
        with("emails", json!([])).expect("an empty list counts as missing");
    }

    #[test]
    fn phone_numbers_and_roles_have_at_most_one_value() {
        for name in ["phoneNumbers", "roles"] {
            with(name, json!([{ "value": "1", "type": "work" }]))
                .expect("a single value is accepted");
            assert_invalid(name, json!([{ "value": "1" }, { "value": "2" }]));
        }
    }

    #[test]
    fn an_incomplete_address_is_rejected() {
        let whole = json!({ "streetAddress": "1", "locality": "l", "region": "r", "postalCode": "p", "country": "GB" });
        with("addresses", json!([whole])).expect("an address");
        assert_invalid(
            "addresses",
            json!([{ "streetAddress": "1", "country": "GB" }]),
        );
    }

    #[test]
    fn unsupported_attributes_are_rejected_unless_they_are_empty() {
        for name in ["password", "nonsense"] {
            assert_invalid(name, json!("x"));
        }
        for name in [
            "photos",
            "ims",
            "x509Certificates",
            "entitlements",
            "groups",
        ] {
            assert_invalid(name, json!([{ "value": "x" }]));
            with(name, json!([])).expect("an empty list counts as missing");
        }
    }

    #[test]
    fn values_of_the_wrong_type_are_rejected() {
        assert_invalid("active", json!("true"));
        assert_invalid("title", json!(1));
        assert_invalid(
            "emails",
            json!({ "value": "a@example.com", "primary": true }),
        );
        assert_invalid("schemas", json!([ENTERPRISE]));
        assert_invalid("schemas", json!(USER));
    }

    #[test]
    fn only_the_id_of_a_manager_is_stored() {
        let draft = with(
            ENTERPRISE,
            json!({ "manager": { "value": "1", "$ref": "../Users/1" } }),
        )
        .expect("a manager");
        assert_eq!(
            draft.attributes[ENTERPRISE],
            json!({ "manager": { "value": "1" } })
        );
        assert_invalid(
            ENTERPRISE,
            json!({ "manager": { "value": "1", "displayName": "Boss" } }),
        );
        assert_invalid(ENTERPRISE, json!({ "floor": "1" }));
    }
}
