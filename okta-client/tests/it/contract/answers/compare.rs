//! The comparison of a JSON value with a type in the notation of `contract.json`.

use serde_json::{Map, Value, json};

/// Returns the differences between a value and its type, such as `User.created is null`.
///
/// `place` names the value. In an object whose schema has a name, the name of the schema takes its place, so that a
/// difference has the same text in each answer.
pub(super) fn differences(
    schemas: &Map<String, Value>,
    kind: &Value,
    value: &Value,
    place: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    compare(schemas, kind, value, place, &mut found);
    found
}

fn compare(
    schemas: &Map<String, Value>,
    kind: &Value,
    value: &Value,
    place: &str,
    found: &mut Vec<String>,
) {
    match kind {
        Value::String(kind) => match kind.strip_prefix('@') {
            Some(name) => {
                let place = if value.is_object() { name } else { place };
                compare(schemas, &schemas[name], value, place, found);
            }
            None => compare_scalar(kind, value, place, found),
        },
        Value::Array(item) => match value {
            Value::Array(values) => {
                for value in values {
                    compare(schemas, &item[0], value, &format!("{place}[]"), found);
                }
            }
            _ => found.push(wrong_type(place, value, "a list")),
        },
        _ if !value.is_object() => match kind.get("|").and_then(Value::as_array) {
            Some(kinds) => compare_any(schemas, kinds, value, place, found),
            None => found.push(wrong_type(place, value, "an object")),
        },
        Value::Object(members) => match members.iter().next() {
            Some((mark, kinds)) if mark == "|" => {
                compare_any(schemas, kinds.as_array().unwrap(), value, place, found);
            }
            Some((mark, kinds)) if mark.starts_with('=') => {
                let selected = &value[&mark[1..]];
                match selected.as_str().and_then(|name| kinds.get(name)) {
                    Some(kind) => compare(schemas, kind, value, place, found),
                    None => found.push(format!("{} selects no type: {selected}", &mark[1..])),
                }
            }
            _ => compare_object(schemas, members, value, place, found),
        },
        _ => panic!("{kind} is no type"),
    }
}

/// Adds the differences from the alternative that has the fewest.
fn compare_any(
    schemas: &Map<String, Value>,
    kinds: &[Value],
    value: &Value,
    place: &str,
    found: &mut Vec<String>,
) {
    let differences = kinds
        .iter()
        .map(|kind| differences(schemas, kind, value, place));
    found.extend(differences.min_by_key(Vec::len).unwrap());
}

fn compare_object(
    schemas: &Map<String, Value>,
    members: &Map<String, Value>,
    value: &Value,
    place: &str,
    found: &mut Vec<String>,
) {
    let value = value.as_object().unwrap();
    for (name, value) in value {
        let marks = ["", "!", "?", "!?"];
        let described = marks
            .into_iter()
            .find_map(|marks| Some((marks, members.get(&format!("{name}{marks}"))?)));
        let inner = format!("{place}.{name}");
        match (described, members.get("*")) {
            (Some((marks, kind)), _) => {
                if !(value.is_null() && marks.ends_with('?')) {
                    compare(schemas, kind, value, &inner, found);
                }
            }
            (None, Some(kind)) => compare(schemas, kind, value, &format!("{place}.*"), found),
            (None, None) => found.push(format!("{inner} is not described")),
        }
    }
    let required = members
        .keys()
        .filter_map(|name| name.trim_end_matches('?').strip_suffix('!'));
    let missing = required.filter(|name| !value.contains_key(*name));
    found.extend(missing.map(|name| format!("{place}.{name} is missing")));
}

fn compare_scalar(kind: &str, value: &Value, place: &str, found: &mut Vec<String>) {
    let fits = match kind {
        "any" => true,
        "object" => value.is_object(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => value.is_string(),
    };
    if !fits {
        found.push(wrong_type(place, value, kind));
        return;
    }
    let Some(text) = value.as_str() else { return };
    if let Some(values) = kind.strip_prefix('=')
        && !values.split('|').any(|allowed| allowed == text)
    {
        found.push(format!("{place} has the value {text}"));
    }
    if kind == "time" && !is_time(text) {
        found.push(format!("{place} is no time"));
    }
}

fn wrong_type(place: &str, value: &Value, expected: &str) -> String {
    let kind = match value {
        Value::Null => return format!("{place} is null"),
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    let expected = if expected.starts_with('=') {
        "string"
    } else {
        expected
    };
    format!("{place} is of type {kind}, not {expected}")
}

/// Returns whether a text has the form `2026-06-01T12:00:00Z`, with or without a fraction of the second.
fn is_time(text: &str) -> bool {
    let form: String = text
        .chars()
        .map(|character| {
            if character.is_ascii_digit() {
                '0'
            } else {
                character
            }
        })
        .collect();
    let fraction = form
        .strip_prefix("0000-00-00T00:00:00")
        .and_then(|rest| rest.strip_suffix('Z'));
    fraction.is_some_and(|fraction| {
        let digits = fraction.strip_prefix('.').unwrap_or("0");
        fraction.len() != 1 && digits.chars().all(|digit| digit == '0')
    })
}

/// Checks the differences between a value and a type with a few schemas of its own.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller passes new `json!` values"
)]
fn check(kind: Value, value: Value, expected: &[&str]) {
    let schemas = json!({
        "Cat": { "kind!": "=CAT", "lives": "integer", "_links": { "*": "@Link" } },
        "Dog": { "kind!": "=DOG", "born?": "time", "tags": ["string"] },
        "Link": { "href!": "string" },
        "Pet": { "=kind": { "CAT": "@Cat", "DOG": "@Dog" } },
    });
    let found = differences(schemas.as_object().unwrap(), &kind, &value, "answer");
    assert_eq!(found, expected, "{value} as {kind}");
}

#[test]
fn a_value_that_fits_has_no_difference() {
    check(
        json!(["@Pet"]),
        json!([
            { "kind": "CAT", "lives": 9, "_links": { "self": { "href": "/" } } },
            { "kind": "DOG", "born": null, "tags": ["a"] },
            { "kind": "DOG", "born": "2026-06-01T12:00:00.000Z", "tags": [] },
            { "kind": "DOG", "born": "2026-06-01T12:00:00Z" },
        ]),
        &[],
    );
    check(
        json!({ "a": "any", "*": "number" }),
        json!({ "a": null, "b": 1.5 }),
        &[],
    );
    check(json!({ "|": ["string", "@Cat"] }), json!("x"), &[]);
    check(
        json!({ "|": ["string", "@Cat"] }),
        json!({ "kind": "CAT" }),
        &[],
    );
}

#[test]
fn a_property_that_is_not_described_is_found() {
    check(
        json!("@Cat"),
        json!({ "kind": "CAT", "Lives": 9 }),
        &["Cat.Lives is not described"],
    );
}

#[test]
fn a_missing_property_is_found() {
    check(json!("@Cat"), json!({}), &["Cat.kind is missing"]);
    check(
        json!("@Cat"),
        json!({ "kind": "CAT", "_links": { "self": {} } }),
        &["Link.href is missing"],
    );
    check(
        json!({ "a!?": "string" }),
        json!({}),
        &["answer.a is missing"],
    );
    check(json!({ "a!?": "string" }), json!({ "a": null }), &[]);
}

#[test]
fn a_wrong_type_is_found() {
    let wrong = json!({ "kind": "CAT", "lives": "9" });
    check(
        json!("@Cat"),
        wrong,
        &["Cat.lives is of type string, not integer"],
    );
    let wrong = json!({ "kind": "CAT", "lives": 9.5 });
    check(
        json!("@Cat"),
        wrong,
        &["Cat.lives is of type number, not integer"],
    );
    let wrong = json!({ "kind": "DOG", "tags": { "a": "b" } });
    check(
        json!("@Dog"),
        wrong,
        &["Dog.tags is of type object, not a list"],
    );
    let wrong = json!({ "kind": "DOG", "tags": ["a", 1] });
    check(
        json!("@Dog"),
        wrong,
        &["Dog.tags[] is of type number, not string"],
    );
    check(
        json!("@Pet"),
        json!([]),
        &["answer is of type list, not an object"],
    );
    check(
        json!({ "|": ["string", "integer"] }),
        json!(true),
        &["answer is of type boolean, not string"],
    );
}

#[test]
fn a_null_is_found_where_the_type_has_none() {
    let wrong = json!({ "kind": "CAT", "lives": null });
    check(json!("@Cat"), wrong, &["Cat.lives is null"]);
    let wrong = json!({ "kind": "DOG", "tags": null });
    check(json!("@Dog"), wrong, &["Dog.tags is null"]);
}

#[test]
fn a_value_outside_an_enumeration_is_found() {
    check(
        json!({ "status": "=ACTIVE|INACTIVE" }),
        json!({ "status": "active" }),
        &["answer.status has the value active"],
    );
    let wrong = json!({ "kind": "FISH" });
    check(json!("@Pet"), wrong, &[r#"kind selects no type: "FISH""#]);
    check(
        json!("@Pet"),
        json!({ "kind": null }),
        &["kind selects no type: null"],
    );
}

#[test]
fn a_text_that_is_no_time_is_found() {
    for text in [
        "2026-06-01",
        "2026-06-01T12:00:00",
        "2026-06-01T12:00:00.Z",
        "",
    ] {
        let wrong = json!({ "kind": "DOG", "born": text });
        check(json!("@Dog"), wrong, &["Dog.born is no time"]);
    }
}
