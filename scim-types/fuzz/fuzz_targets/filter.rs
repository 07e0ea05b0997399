//! A parsed filter can be printed and parsed again without a change, and its evaluation does not panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_types::{Schemas, filter::Filter};
use serde_json::json;

fuzz_target!(|text: &str| {
    let Ok(filter) = Filter::parse(text) else {
        return;
    };
    let printed = filter.to_string();
    assert_eq!(Filter::parse(&printed).as_ref(), Ok(&filter), "{printed}");
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1", "userName": "ada@example.com", "active": true, "title": null, "age": 36.5,
        "name": { "givenName": "Ada" }, "meta": { "created": "2026-11-24T12:00:00Z" },
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }, "plain"], "roles": [],
    });
    let one = filter.matches_json(&user);
    let other = filter.matches_json_with(&user, &Schemas::unknown());
    assert_eq!(one.ok(), other.ok(), "{printed}");
});
