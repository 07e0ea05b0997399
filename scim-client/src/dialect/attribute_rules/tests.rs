use std::sync::LazyLock;

use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::Dialect;

/// The patterns and limits of the service model of the identity store, as the model writes them.
const MODEL: [(&str, &str, usize); 4] = [
    ("userName", r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", 128),
    ("externalId", r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", 256),
    (
        "title",
        "[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\t\\n\\r \u{a0}\u{3000}]+",
        1_024,
    ),
    (
        "displayName",
        "[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}\\t\\n\\r \u{a0}\u{3000}]+",
        1_024,
    ),
];

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let pattern = |(_, pattern, _)| Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
    MODEL.map(pattern).into()
});

/// Returns texts with ordinary and with unusual characters of every category.
fn texts() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range('a', 'z'),
        1 => proptest::sample::select(vec![
            ' ', '\t', '\n', '\r', '\u{a0}', '\u{3000}', '\u{2003}', '\u{200b}', '\u{200e}', '\u{2028}',
            '\u{202e}', '\u{ad}', '\u{feff}', '\u{85}', '\u{e000}', '\u{378}', '\0', '<', ':', '%', '@',
            '\u{301}', '\u{1f600}', '\u{e9}', '\u{738b}',
        ]),
        1 => any::<char>(),
    ];
    prop_oneof![
        4 => proptest::collection::vec(character, 0..12).prop_map(String::from_iter),
        1 => (100_usize..1_100).prop_map(|length| "\u{e9}".repeat(length)),
    ]
}

/// Returns the rules of the table for a path of [`MODEL`].
fn rule(path: &str) -> &'static AttributeRule {
    let rules = Dialect::AwsIdentityCenter.rules();
    let documents = if path == "displayName" {
        &rules.groups
    } else {
        &rules.users
    };
    documents.attribute(path).expect("a row")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rule_of_the_api_accepts_what_the_pattern_of_the_service_model_accepts(text in texts()) {
        for ((path, _, limit), pattern) in MODEL.into_iter().zip(&*PATTERNS) {
            let expected = pattern.is_match(&text) && text.chars().count() <= limit;
            let found = rule(path).api.expect("a rule of the API").check(&text);
            prop_assert_eq!(found.is_none(), expected, "{}: {:?}", path, found);
        }
    }

    #[test]
    fn a_value_is_accepted_if_both_interfaces_accept_it_and_otherwise_the_character_is_named(text in texts()) {
        let rules = Dialect::AwsIdentityCenter.rules();
        for rule in rules.users.attributes.iter().chain(rules.groups.attributes) {
            let interfaces = [rule.api, rule.scim];
            let mut interfaces = interfaces.iter().flatten();
            let found = rule.check(&text);
            prop_assert_eq!(found.is_none(), interfaces.all(|interface| interface.check(&text).is_none()), "{}", rule.path);
            if let Some(found) = found {
                prop_assert_eq!(found.attribute(), rule.path);
                if let Some(character) = found.character() {
                    prop_assert!(text.contains(character));
                    let code = format!("U+{:04X}", u32::from(character));
                    prop_assert!(found.to_string().contains(&code), "{}", found);
                }
                prop_assert!(!found.to_string().contains(char::is_control), "{}", found);
            }
        }
    }
}

#[track_caller]
fn check(path: &str, text: &str, expected: Option<&str>) {
    let rules = &Dialect::AwsIdentityCenter.rules().users;
    let found = rules.check(path, text).map(|found| found.to_string());
    assert_eq!(found.as_deref(), expected, "{text:?}");
}

#[test]
fn the_names_of_a_user_have_neither_invisible_nor_forbidden_characters() {
    check("userName", "ada@example.com", None);
    check("userName", "ada", None);
    check(
        "userName",
        "ada lovelace",
        Some("userName contains U+0020, which is not accepted"),
    );
    check("displayName", "\u{17d}ofie \u{738b}", None);
    check(
        "displayName",
        "Ada\u{2028}",
        Some("displayName contains U+2028, which is not accepted"),
    );
    check(
        "name.middleName",
        "a;b",
        Some("name.middleName contains `;`, U+003B, which is not accepted"),
    );
    check(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "R\tD",
        Some(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department contains U+0009, which is not \
             accepted",
        ),
    );
}

#[test]
fn the_limits_count_characters() {
    for (path, limit) in [
        ("userName", 128),
        ("externalId", 256),
        ("name.givenName", 1_024),
    ] {
        check(path, &"\u{e9}".repeat(limit), None);
        let problem = format!(
            "{path} has {} characters, but may have only {limit}",
            limit + 1
        );
        check(path, &"\u{e9}".repeat(limit + 1), Some(&problem));
    }
}

#[test]
fn ids_and_urls_may_contain_the_characters_that_names_must_not_contain() {
    let manager = enterprise!("manager.value");
    for path in ["externalId", "profileUrl", manager] {
        check(path, "urn:a;b%20<c>", None);
    }
    let groups = &Dialect::AwsIdentityCenter.rules().groups;
    assert_eq!(groups.check("externalId", "group:1"), None);
    assert!(groups.check("displayName", "group:1").is_some());
}

#[test]
fn names_that_aws_reserves_are_refused_for_users_and_groups() {
    check(
        "userName",
        "Administrator",
        Some("userName is a reserved name"),
    );
    check(
        "userName",
        "awsadministrators",
        Some("userName is a reserved name"),
    );
    check("displayName", "Administrator", None);
    let groups = &Dialect::AwsIdentityCenter.rules().groups;
    let found = groups
        .check("displayName", "AWSAdministrators")
        .expect("a violation");
    assert_eq!(found.to_string(), "displayName is a reserved name");
    assert!(found.is_required());
}

#[test]
fn an_attribute_is_found_by_its_full_path_only() {
    let rules = &Dialect::AwsIdentityCenter.rules().users;
    assert_eq!(rules.check("givenName", "a\u{200b}"), None);
    assert_eq!(rules.check("value", "a\u{200b}"), None);
    let found = rules
        .check("NAME.GIVENNAME", "a\u{200b}")
        .expect("a violation");
    assert_eq!((found.attribute(), found.omit()), ("name.givenName", None));
    let found = rules.check("phoneNumbers.value", "").expect("a violation");
    assert_eq!(found.omit(), Some("phoneNumbers"));
    assert_eq!(
        rules.check("title", "").expect("a violation").omit(),
        Some("title")
    );
}

#[test]
fn every_text_that_aws_takes_has_a_row() {
    // AWS SCIM developer guide, CreateUser and CreateGroup.
    let text = [
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "externalId",
    ];
    let names = [
        "formatted",
        "middleName",
        "honorificPrefix",
        "honorificSuffix",
    ]
    .map(|name| format!("name.{name}"));
    let rules = Dialect::AwsIdentityCenter.rules();
    for path in text.map(str::to_owned).iter().chain(&names) {
        let rule = rules.users.attribute(path).expect("a row");
        assert_eq!(rule.need, Need::Optional, "{path}");
    }
    let required = |rules: &[AttributeRule]| -> Vec<&str> {
        let required = rules.iter().filter(|rule| rule.need == Need::Required);
        required.map(|rule| rule.path).collect()
    };
    assert_eq!(
        required(rules.users.attributes),
        [
            "userName",
            "name.givenName",
            "name.familyName",
            "displayName",
            "emails.value"
        ]
    );
    assert_eq!(required(rules.groups.attributes), ["displayName"]);
}
