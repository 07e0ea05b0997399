//! A patch is applied completely or not at all, and its result is an object. The same holds for the patch that is computed
//! between two resources.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_types::{PatchOp, patch::Options};
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    let Ok(patch) = serde_json::from_str::<PatchOp>(text) else {
        return;
    };
    let before = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1", "userName": "ada@example.com", "active": true, "name": { "givenName": "Ada" },
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }, { "value": "a@home.example", "type": "home" }],
        "badge": { "colour": 7 },
    });
    for options in [
        Options::default(),
        Options::entra(),
        Options::aws_identity_center(),
    ] {
        let Ok(after) = patch.apply(&before, &options) else {
            continue;
        };
        assert!(matches!(after, Value::Object(_)));
        if let Ok(Some(back)) = PatchOp::diff(&before, &after, &options)
            && let Ok(again) = back.apply(&before, &options)
        {
            assert!(matches!(again, Value::Object(_)));
        }
    }
});
