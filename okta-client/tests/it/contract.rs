//! Checks of requests against `contract.json`, the extract of the `OpenAPI` description of Okta.

mod answers;
mod coverage;
mod documentation;
mod methods;
mod scopes;

use std::{collections::BTreeMap, sync::LazyLock};

use bytes::Bytes;
use http::{Request, header::CONTENT_TYPE};
use serde_json::{Map, Value, value::RawValue};

/// The facts of the description about the operations that this crate calls.
static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../contract.json")).unwrap());

fn operations() -> &'static Map<String, Value> {
    CONTRACT["operations"].as_object().unwrap()
}

/// Returns the operation of a request, such as `GET /api/v1/apps/{appId}`, with its facts.
///
/// A path without parameters is preferred to one with a parameter, such as `/groups/rules` to `/groups/{groupId}`.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    operations()
        .iter()
        .filter(|(name, _)| {
            let (its_method, template) = name.split_once(' ').unwrap();
            its_method == method && matches(template, path)
        })
        .min_by_key(|(name, _)| name.matches('{').count())
        .map(|(name, facts)| (name.as_str(), facts))
}

fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || a.starts_with('{') && !b.is_empty() => {}
            _ => return false,
        }
    }
}

/// Fails if a request differs from the description. Okta describes the token endpoint in another document.
pub(crate) fn check(request: &Request<Bytes>) {
    let path = request.uri().path();
    if path.starts_with("/oauth2/") {
        return;
    }
    let line = format!("{} {}", request.method(), request.uri());
    let found = operation(request.method().as_str(), path);
    let (name, facts) = found.unwrap_or_else(|| panic!("Okta describes no operation for {line}"));
    let problems = problems(request, facts);
    assert!(
        problems.is_empty(),
        "{line} differs from {name}: {}",
        problems.join(", ")
    );
}

fn problems(request: &Request<Bytes>, facts: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let sent: Vec<&str> = request
        .uri()
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
        .collect();
    let known = facts["query"].as_object();
    for name in &sent {
        if !known.is_some_and(|known| known.contains_key(*name)) {
            problems.push(format!("unknown query parameter {name}"));
        }
    }
    for (name, required) in known.into_iter().flatten() {
        if *required == true && !sent.contains(&name.as_str()) {
            problems.push(format!("missing query parameter {name}"));
        }
    }
    let body = &facts["body"];
    let is_json = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    if body.is_null() {
        if !request.body().is_empty() {
            problems.push("a body that Okta does not describe".to_owned());
        }
    } else if request.body().is_empty() {
        if body["optional"] != true {
            problems.push("no body".to_owned());
        }
    } else if is_json {
        let json: &RawValue = serde_json::from_slice(request.body()).expect("JSON");
        for pointer in body["required"].as_array().unwrap() {
            let pointer = pointer.as_str().unwrap();
            if !has(json, pointer) {
                problems.push(format!("missing property {pointer}"));
            }
        }
    }
    problems
}

/// Returns whether a document has a value at a JSON pointer. Its numbers may be larger than those that Rust has.
fn has(json: &RawValue, pointer: &str) -> bool {
    let value = pointer.split('/').skip(1).try_fold(json, |value, name| {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
        members.get(name).copied()
    });
    value.is_some_and(|value| value.get() != "null")
}

#[test]
fn a_request_that_differs_from_the_description_is_found() {
    let problem = |method: &str, target: &str, body: &'static str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://acme.okta.com/api/v1/{target}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        let facts = operation(method, request.uri().path());
        facts.map_or_else(
            || vec!["no operation".to_owned()],
            |(_, facts)| problems(&request, facts),
        )
    };
    let none: [&str; 0] = [];
    assert_eq!(problem("GET", "app", ""), ["no operation"]);
    assert_eq!(problem("PUT", "users", ""), ["no operation"]);
    assert_eq!(problem("GET", "apps?limit=1&q=a", ""), none);
    assert_eq!(
        problem("GET", "apps?search=a", ""),
        ["unknown query parameter search"]
    );
    let mapping = "apps/0oa1/group-push/mappings";
    assert_eq!(
        problem("DELETE", &format!("{mapping}/gPm1"), ""),
        ["missing query parameter deleteTargetGroup"]
    );
    assert_eq!(problem("POST", mapping, ""), ["no body"]);
    assert_eq!(
        problem("POST", mapping, "{}"),
        ["missing property /sourceGroupId"]
    );
    assert_eq!(
        problem("DELETE", "apps/0oa1", "{}"),
        ["a body that Okta does not describe"]
    );
    let rules = operation("GET", "/api/v1/groups/rules").unwrap();
    assert_eq!(rules.0, "GET /api/v1/groups/rules");
}
