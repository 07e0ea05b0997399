//! Tests of filters on one example user and on a custom schema.

use serde_json::json;

use super::*;

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "Ab7",
        "externalId": "X1",
        "userName": "Ada@Example.com",
        "active": true,
        "title": "",
        "logins": 12,
        "serial": 9_007_199_254_740_993_u64,
        "nothing": null,
        "none": [],
        "name": {"familyName": "Lovelace"},
        "emails": [
            {"value": "ada@example.com", "type": "work", "primary": true},
            {"value": "ADA@home.example", "type": "home"}
        ],
        "friends": [{"$ref": "Users/Charles"}],
        "tags": ["red", "Blue"],
        "meta": {"created": "2011-05-13T04:42:34Z", "version": "W/\"A\""},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "Engines", "manager": {"value": "m1"}
        }
    })
}

#[track_caller]
fn yes(filter: &str) {
    assert!(
        Filter::parse(filter).unwrap().matches(&ada()).unwrap(),
        "{filter}"
    );
}

#[track_caller]
fn no(filter: &str) {
    assert!(
        !Filter::parse(filter).unwrap().matches(&ada()).unwrap(),
        "{filter}"
    );
}

#[test]
fn strings_are_compared_without_case_unless_the_rfc_says_case_exact() {
    yes(r#"USERNAME eq "ada@EXAMPLE.com""#);
    yes(r#"name.familyname sw "LOVE""#);
    no(r#"id eq "ab7""#);
    yes(r#"id eq "Ab7""#);
    no(r#"externalId eq "x1""#);
    no(r#"meta.version co "a""#);
    no(r#"friends[$ref eq "users/charles"]"#);
    yes(r#"friends.$ref ew "/Charles""#);
    yes(r#"friends[$ref eq "Users/Charles"]"#);
}

#[test]
fn absent_null_and_empty_list_equal_null_and_are_not_present() {
    for name in ["absent", "nothing", "none", "name.middleName"] {
        yes(&format!(
            "{name} eq null and not ({name} pr) and {name} ne \"x\""
        ));
        no(&format!(
            "{name} ne null or {name} eq \"x\" or {name} gt \"a\""
        ));
    }
    no("title pr or title eq null");
    yes("name pr and emails pr and active pr and logins pr");
    yes("userName ne null");
}

#[test]
fn one_matching_value_of_a_multi_valued_attribute_is_enough() {
    yes(r#"emails co "home""#);
    yes(r#"emails.type eq "work" and emails.value co "home""#);
    yes(r#"tags eq "blue" and tags.value eq "red""#);
    no(r#"emails.type eq "other""#);
    yes("emails.primary eq null and emails.primary eq true");
}

#[test]
fn a_filter_in_brackets_must_match_within_one_element() {
    no(r#"emails[type eq "work" and value co "home"]"#);
    yes(r#"emails[type eq "home" and value co "HOME"]"#);
    yes(r#"tags[value eq "red"] and name[familyName pr]"#);
    no("none[value pr] or absent[value pr] or nothing[value pr]");
}

#[test]
fn a_schema_urn_selects_its_extension_or_the_core_attributes() {
    yes("urn:ietf:params:scim:schemas:core:2.0:User:userName pr");
    yes(r#"URN:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "engines""#);
    yes(r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "m1""#);
    yes("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr");
    no("urn:acme:2.0:User:userName pr");
}

#[test]
fn date_times_are_compared_as_points_in_time() {
    yes(r#"meta.created eq "2011-05-13T06:42:34.000+02:00""#);
    yes(r#"meta.created gt "2011-05-13T04:42:33.999Z""#);
    no(r#"meta.created lt "2011-05-13T05:42:34+02:00""#);
}

#[test]
fn numbers_are_compared_as_numbers_and_differ_from_other_types() {
    yes("logins gt 11.5 and logins le 12 and logins eq 1.2e1");
    yes("logins gt 11 and logins lt 13 and not (logins lt 12 or logins gt 12)");
    // These two numbers are equal as doubles.
    yes("serial gt 9007199254740992 and serial ne 9007199254740992");
    no(r#"logins eq "12" or logins co 1 or userName eq 12"#);
    yes(r#"logins ne "12""#);
}

#[test]
fn a_boolean_may_be_written_as_a_string() {
    yes(r#"active eq "True" and active eq true and emails[primary eq "TRUE"]"#);
    no(r#"active eq "yes""#);
}

#[test]
fn ordering_booleans_is_an_error_at_any_position() {
    for (filter, message) in [
        (
            "active gt true",
            "`active` cannot be compared with `gt`, because its values have no order",
        ),
        (
            "id pr or active le \"a\"",
            "`active` cannot be compared with `le`, because its values have no order",
        ),
        (
            "absent lt null",
            "`absent` cannot be compared with `lt`, because its values have no order",
        ),
    ] {
        let error = Filter::parse(filter).unwrap().matches(&ada()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_custom_schema_defines_case_exact() {
    let schema = |id: &str, attributes: Value| -> crate::Schema {
        serde_json::from_value(serde_json::json!({ "id": id, "attributes": attributes })).unwrap()
    };
    let device = schema(
        "urn:x:2.0:Device",
        serde_json::json!([
            { "name": "serial", "caseExact": true },
            { "name": "owner", "caseExact": false },
            { "name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "value", "caseExact": true }, { "name": "note" },
            ] },
            { "name": "tags", "multiValued": true, "caseExact": true },
        ]),
    );
    let lab = schema(
        "urn:x:2.0:Lab",
        serde_json::json!([{ "name": "room", "caseExact": true }]),
    );
    let schemas = Schemas::new(&device, &[lab]).unwrap();
    let resource = serde_json::json!({
        "serial": "AbC", "owner": "Ada", "externalId": "eX", "tags": ["Red"],
        "parts": [{ "value": "Gear", "note": "Brass" }], "urn:x:2.0:Lab": { "room": "R1" },
    });
    for (filter, with_schemas, without_schemas) in [
        (r#"serial eq "abc""#, false, true),
        (r#"serial eq "AbC""#, true, true),
        (r#"urn:x:2.0:Device:serial eq "abc""#, false, false),
        (r#"owner eq "ADA""#, true, true),
        (r#"externalId eq "ex""#, false, false),
        (r#"tags co "red""#, false, true),
        (r#"parts eq "gear""#, false, true),
        (r#"parts.value eq "gear""#, false, true),
        (r#"parts[value eq "gear"]"#, false, true),
        (r#"parts[value eq "Gear" and note eq "brass"]"#, true, true),
        (r#"urn:x:2.0:Lab:room eq "r1""#, false, true),
    ] {
        let parsed = Filter::parse(filter).unwrap();
        assert_eq!(
            parsed.matches_with(&resource, &schemas).unwrap(),
            with_schemas,
            "{filter}"
        );
        assert_eq!(
            parsed.matches(&resource).unwrap(),
            without_schemas,
            "{filter}"
        );
    }
}
