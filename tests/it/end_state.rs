//! The end state of Okta and AWS, as text in which two equal states are equal.

use std::{fmt::Write as _, sync::LazyLock};

use regex::Regex;
use sandbox::Sandbox;
use serde_json::{Value, json};

/// Returns the visible state of both services, with names instead of ids and without times, ports and random values.
pub(crate) fn end_state(sandbox: &Sandbox) -> String {
    let mut state = json!({ "okta": sandbox.okta_snapshot(), "aws": sandbox.aws_snapshot() });
    let names = names(&state);
    normalize(&mut state, &names);
    let mut text = String::new();
    lines(&state, "", &mut text);
    text
}

/// Parts of the state that differ between two equal runs.
static VARIABLE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"127\.0\.0\.1:\d+", "<address>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"\b(exk|gPm|OcD|0oa)[0-9A-Za-z]{17}\b", "<$1>"),
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "<uuid>",
        ),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).expect("a pattern"), name))
    .into()
});

/// Returns the ids of the users, groups and permission sets, with their names.
fn names(state: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (list, id, name) in [
        ("/okta/users", "/id", "/profile/login"),
        ("/okta/groups", "/id", "/profile/name"),
        ("/okta/apps", "/id", "/label"),
        ("/aws/users", "/id", "/user_name"),
        ("/aws/groups", "/id", "/display_name"),
        ("/aws/permission_sets", "/arn", "/name"),
    ] {
        for item in state
            .pointer(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let text = |pointer| item.pointer(pointer).and_then(Value::as_str);
            if let (Some(id), Some(name)) = (text(id), text(name)) {
                found.push((id.to_owned(), format!("<{name}>")));
            }
        }
    }
    found
}

fn normalize(value: &mut Value, names: &[(String, String)]) {
    match value {
        Value::String(text) => {
            for (id, name) in names {
                if text.contains(id.as_str()) {
                    *text = text.replace(id.as_str(), name);
                }
            }
            for (pattern, name) in &*VARIABLE {
                *text = pattern.replace_all(text, *name).into_owned();
            }
        }
        Value::Array(items) => {
            for item in &mut *items {
                normalize(item, names);
            }
            items.sort_by_key(ToString::to_string);
        }
        Value::Object(fields) => {
            for (_, field) in fields.iter_mut() {
                normalize(field, names);
            }
        }
        _ => {}
    }
}

/// Writes one line for each value, with its place.
fn lines(value: &Value, place: &str, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                lines(field, &format!("{place}/{name}"), text);
            }
        }
        Value::Array(items) => {
            let _ = writeln!(text, "{place}: {} items", items.len());
            for item in items {
                lines(item, &format!("{place}[]"), text);
            }
        }
        value => {
            let _ = writeln!(text, "{place}: {value}");
        }
    }
}

/// Returns the first lines that only one of two states has.
pub(crate) fn differences(expected: &str, found: &str) -> String {
    let missing = expected
        .lines()
        .filter(|line| !found.lines().any(|other| other == *line));
    let more = found
        .lines()
        .filter(|line| !expected.lines().any(|other| other == *line));
    let missing = missing.map(|line| format!("- {line}"));
    let lines: Vec<String> = missing
        .chain(more.map(|line| format!("+ {line}")))
        .take(20)
        .collect();
    lines.join("\n")
}

/// Panics with the differences if the state is not as expected.
pub(crate) fn assert_end_state(sandbox: &Sandbox, expected: &str, case: &str) {
    let found = end_state(sandbox);
    let differences = differences(expected, &found);
    assert!(found == expected, "{case}:\n{differences}");
}
