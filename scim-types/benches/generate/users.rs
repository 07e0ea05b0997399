//! Generates lists of users in the form that services send. The output is always the same.

use std::fmt::Write as _;

/// The attributes that each user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The attributes that provisioning needs: names, an email address and the active flag.
    Small,
    /// Also the postal address, telephone numbers, the enterprise extension and two attributes that no schema has.
    Full,
}

/// Returns a `ListResponse` with the given number of users as JSON.
pub(crate) fn list(users: usize, shape: Shape) -> String {
    let mut json = format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":{users},"startIndex":1,"itemsPerPage":{users},"Resources":["#
    );
    for number in 0..users {
        if number > 0 {
            json.push(',');
        }
        user(&mut json, number, shape);
    }
    json.push_str("]}");
    json
}

fn user(json: &mut String, number: usize, shape: Shape) {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let more = if shape == Shape::Full {
        format!(r#","{enterprise}","urn:example:params:scim:2.0:Parking""#)
    } else {
        String::new()
    };
    let written = write!(
        json,
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"{more}],"id":"9067642af1-{number:08x}-4c1a-8b5e-1f2e3d4c5b6a","externalId":"00u{number:017}","userName":"user.{number}@example.com","name":{{"formatted":"Given{number} Family{number}","familyName":"Family{number}","givenName":"Given{number}"}},"displayName":"Given{number} Family{number}","active":true,"emails":[{{"value":"user.{number}@example.com","type":"work","primary":true}}],"meta":{{"resourceType":"User","created":"2026-11-24T12:00:00Z","lastModified":"2026-11-24T12:00:00Z","location":"https://scim.example.com/v2/Users/{number}","version":"W/\"1\""}}"#
    );
    written.expect("writing to a string does not fail");
    if shape == Shape::Full {
        let written = write!(
            json,
            r#","title":"Engineer \"{number}\"","preferredLanguage":"en-US","timezone":"Europe/Berlin","phoneNumbers":[{{"value":"+49 30 {number:07}","type":"work"}},{{"value":"+49 170 {number:07}","type":"mobile"}}],"addresses":[{{"type":"work","streetAddress":"{number} Main Street","locality":"Zürich","region":"ZH","postalCode":"{number:05}","country":"CH","formatted":"{number} Main Street\nZürich"}}],"groups":[{{"value":"g-1","display":"Engineers"}},{{"value":"g-2","display":"Everyone"}}],"{enterprise}":{{"employeeNumber":"{number}","costCenter":"4130","organization":"Example","division":"Engines","department":"Research","manager":{{"value":"m-{number}","displayName":"Boss {number}"}}}},"badge":{{"colour":{number},"doors":["a","b"]}},"urn:example:params:scim:2.0:Parking":{{"lot":{number}}}"#
        );
        written.expect("writing to a string does not fail");
    }
    json.push('}');
}
