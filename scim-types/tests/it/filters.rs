//! Tests of valid filters, invalid filters, and the resources that filters match.

use scim_types::{Schemas, User, filter::Filter};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::corpus;

/// Filters of the RFC, of AWS and of its clients, and their canonical forms.
const ACCEPTED: &[(&str, &str)] = &[
    // RFC 7644 figure 2
    (r#"userName Eq "bjensen""#, r#"userName eq "bjensen""#),
    (
        r#"name.familyName co "O'Malley""#,
        r#"name.familyName co "O'Malley""#,
    ),
    (
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
    ),
    ("title pr", "title pr"),
    (
        r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
    ),
    (
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
    ),
    (
        r#"userType eq "Employee" and (emails.type eq "work")"#,
        r#"userType eq "Employee" and emails.type eq "work""#,
    ),
    (
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    ),
    // AWS SCIM developer guide, ListUsers and ListGroups
    (
        r#"groups.value eq "0458a488""#,
        r#"groups.value eq "0458a488""#,
    ),
    (
        r#"id eq "90677c" and members eq "9067-78""#,
        r#"id eq "90677c" and members eq "9067-78""#,
    ),
    // Values and names of every kind
    (
        "a eq null and b eq true or c ne -1.5E-2",
        "a eq null and b eq true or c ne -0.015",
    ),
    (
        "a_b pr and a-b pr and $ref pr",
        "a_b pr and a-b pr and $ref pr",
    ),
    (
        r#"NAME PR AND NOT(FIRST EQ "t")"#,
        r#"NAME pr and not (FIRST eq "t")"#,
    ),
    (
        r#"emails[not (type eq "a")]"#,
        r#"emails[not (type eq "a")]"#,
    ),
    ("not (not (a pr))", "not (not (a pr))"),
    ("((a pr))  ", "a pr"),
];

/// Strings that are not filters.
const REJECTED: &[&str] = &[
    "",
    "  ",
    "(",
    ")",
    "()",
    "foo",
    "a.b.c pr",
    "a pr and",
    "and or",
    "not (and)",
    "not a pr",
    "a eq",
    "a eq b",
    "a eq 'b'",
    "a eq (1)",
    "a eq +1",
    "a eq 01",
    "a eq 1.",
    "a eq .5",
    "a eq True",
    "a eq NULL",
    "a eq \"b",
    "a eq \"b\\",
    "a eq \"\\q\"",
    "a eq \"\\ud800\"",
    "a eq \"\u{1}\"",
    "a eq \"b\" \"c\"",
    "a pr \"b\"",
    "a lte 1",
    "a in (\"x\")",
    "a pr b pr",
    "a pr andy b pr",
    "a pr)",
    "(a pr",
    "(a pr)()",
    "a[]",
    "a[b pr",
    "a[b pr)",
    "a[b[c pr]]",
    "a [b pr]",
    "[b pr]",
    "a[b pr].c",
    "a[b pr].c[d pr]",
    "é pr",
    ":a pr",
    "a:b pr",
    "a,eq 1",
];

#[test]
fn filters_of_the_rfc_and_of_clients_are_written_in_canonical_form() {
    for (text, canonical) in ACCEPTED {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.to_string(), *canonical);
        assert_eq!(Filter::parse(canonical).unwrap(), filter);
    }
}

#[test]
fn a_string_that_is_not_a_filter_is_rejected() {
    for text in REJECTED {
        assert!(Filter::parse(text).is_err(), "{text}");
    }
}

#[test]
fn this_parser_agrees_with_eight_other_parsers() {
    #[derive(Deserialize)]
    struct Consensus {
        valid: Vec<String>,
        invalid: Vec<String>,
    }
    let Some(set) = corpus::json::<Consensus>("filters", "consensus.json") else {
        return;
    };
    assert!(
        set.valid.len() >= 316 && set.invalid.len() >= 94,
        "the set is complete"
    );
    for text in &set.valid {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            Filter::parse(&filter.to_string()).unwrap(),
            filter,
            "{text}"
        );
    }
    for text in &set.invalid {
        assert!(Filter::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_ping_test_vectors_are_accepted_or_rejected_as_recorded() {
    #[derive(Deserialize)]
    struct Case {
        filter: String,
    }
    let valid = corpus::json::<Vec<Case>>("filters", "ping-valid.json");
    let invalid = corpus::json::<Vec<Case>>("filters", "ping-invalid.json");
    for Case { filter } in valid.into_iter().flatten() {
        Filter::parse(&filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    }
    for Case { filter } in invalid.into_iter().flatten() {
        assert!(Filter::parse(&filter).is_err(), "{filter}");
    }
}

#[test]
fn the_go_filter_parser_test_vectors_have_the_recorded_canonical_form() {
    #[derive(Deserialize)]
    struct Case {
        kind: String,
        input: String,
        canonical: Option<String>,
    }
    let cases = corpus::json::<Vec<Case>>("filters", "go-filter-parser.json");
    for case in cases.into_iter().flatten() {
        if let ("ParseFilter", Some(canonical)) = (case.kind.as_str(), case.canonical) {
            assert_eq!(Filter::parse(&case.input).unwrap().to_string(), canonical);
        }
    }
}

#[test]
fn the_ping_test_vectors_match_as_recorded() {
    #[derive(Deserialize)]
    struct Case {
        filter: String,
        #[serde(rename = "match")]
        matches: bool,
    }
    #[derive(Deserialize)]
    struct Set {
        resource: Value,
        cases: Vec<Case>,
    }
    let Some(set) = corpus::json::<Set>("filters", "ping-evaluate.json") else {
        return;
    };
    for Case { filter, matches } in set.cases {
        let result = Filter::parse(&filter)
            .unwrap()
            .matches(&set.resource)
            .unwrap();
        assert_eq!(result, matches, "{filter}");
    }
}

#[test]
fn a_filter_is_evaluated_on_a_typed_resource_as_on_its_json() {
    let user: User = serde_json::from_value(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada",
        "emails": [{"value": "ada@work.example", "type": "work"}],
        "urn:acme:hr:2.0:User": {"badge": "7"},
    }))
    .expect("a user");
    let json = serde_json::to_value(&user).expect("JSON");
    for (filter, expected) in [
        ("userName eq \"ADA\"", true),
        ("emails[type eq \"work\" and value ew \"example\"]", true),
        ("urn:acme:hr:2.0:User:badge eq \"7\"", true),
        ("title pr", false),
    ] {
        let filter = Filter::parse(filter).expect("a filter");
        assert_eq!(
            filter.matches(&user).expect("an evaluation"),
            expected,
            "{filter}"
        );
        assert_eq!(
            filter.matches_json(&json).expect("an evaluation"),
            expected,
            "{filter}"
        );
        let schemas = Schemas::of(&json);
        assert_eq!(
            filter.matches_with(&user, &schemas).expect("an evaluation"),
            expected
        );
    }
}
