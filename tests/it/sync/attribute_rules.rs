//! A property of the texts that AWS accepts and refuses: everything that the table accepts arrives as it is, and everything
//! else is named.

use std::collections::BTreeMap;

use okta_aws_sso::{
    scim::Dialect,
    sync::{Attribute, Directory, Group, SyncPlan, User},
};
use proptest::prelude::*;
use sandbox::Sandbox;
use scim_types::ExternalId;

use super::fixture::{SyncFixture, directory, user_id};
use crate::fixture::company;

/// The attributes of a user, by their path in SCIM. The optional ones have their key in the source.
const USER: [(&str, Option<Attribute>); 11] = [
    ("externalId", None),
    ("userName", None),
    ("name.givenName", None),
    ("name.familyName", None),
    ("displayName", None),
    ("emails.value", None),
    ("nickName", Some(Attribute::NickName)),
    ("title", Some(Attribute::Title)),
    ("locale", Some(Attribute::Locale)),
    (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
        Some(Attribute::CostCenter),
    ),
    (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        Some(Attribute::Department),
    ),
];
const GROUP: [&str; 2] = ["externalId", "displayName"];

/// One character of each class that the interfaces of AWS treat in their own way.
const CHARACTERS: [char; 28] = [
    // Letters, marks, numbers, symbols, punctuation.
    'é',
    '王',
    '\u{301}',
    '٣',
    '½',
    '€',
    '\u{1f600}',
    '-',
    '\'',
    '«', // Refused in names.
    '<',
    '>',
    ';',
    ':',
    '%', // The spaces of the identity store, and other ones.
    ' ',
    '\u{a0}',
    '\u{3000}',
    '\u{2003}',
    '\u{2028}', // Control characters.
    '\t',
    '\n',
    '\r',
    '\u{85}', // Format characters, private use, unassigned.
    '\u{200b}',
    '\u{202e}',
    '\u{e000}',
    '\u{378}',
];

/// A generated text: its character, the number of letters besides, and the place of the character among them.
#[derive(Clone, Debug)]
struct Sample {
    attribute: prop::sample::Index,
    character: char,
    letters: usize,
    place: prop::sample::Index,
}

impl Sample {
    /// Returns the text, which no other sample has: it starts with the number of the sample.
    fn text(&self, number: usize) -> String {
        let number = format!("{number:03}");
        let letters = "x".repeat(self.letters.saturating_sub(number.len()));
        let (before, after) = letters.split_at(self.place.index(letters.len() + 1));
        format!("{number}{before}{}{after}", self.character)
    }
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let character = prop_oneof![
        4 => prop::sample::select(CHARACTERS.to_vec()),
        1 => any::<char>(),
    ];
    // With the character, the text has at most, or just more than, the characters that one of the interfaces accepts.
    let letters = prop_oneof![
        4 => 3_usize..12,
        1 => prop::sample::select(vec![127, 128, 255, 256, 1_023, 1_024]),
    ];
    let sample = (
        any::<prop::sample::Index>(),
        character,
        letters,
        any::<prop::sample::Index>(),
    );
    let sample = sample.prop_map(|(attribute, character, letters, place)| Sample {
        attribute,
        character,
        letters,
        place,
    });
    prop::collection::vec(sample, 60)
}

/// Returns a user of the source with one text in one attribute.
fn user(number: usize, path: &str, optional: Option<Attribute>, text: &str) -> User {
    let mut user = directory(1, 0, 0).users.remove(0);
    user.id = ExternalId::new(user_id(number));
    let profile = &mut user.profile;
    profile.user_name = format!("person.{number:05}@example.com");
    profile.email = Some(profile.user_name.clone());
    profile.optional = BTreeMap::new();
    let text = text.to_owned();
    match (path, optional) {
        (_, Some(attribute)) => _ = profile.optional.insert(attribute, text),
        ("externalId", None) => user.id = ExternalId::new(text),
        ("userName", None) => profile.user_name = text,
        ("name.givenName", None) => profile.given_name = text,
        ("name.familyName", None) => profile.family_name = text,
        ("displayName", None) => profile.display_name = text,
        _ => profile.email = Some(text),
    }
    user
}

/// Returns a SCIM user with one text in one attribute.
fn document(number: usize, path: &str, text: &str) -> scim_types::User {
    let name = format!("direct.{number:05}@example.com");
    let mut json = serde_json::json!({
        "userName": name, "displayName": "Ada Lovelace", "active": true,
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": name, "type": "work", "primary": true }],
    });
    match (path.rsplit_once(':'), path.split_once('.')) {
        (Some((extension, attribute)), _) => json[extension][attribute] = text.into(),
        (None, Some(("emails", _))) => json["emails"][0]["value"] = text.into(),
        (None, Some((above, attribute))) => json[above][attribute] = text.into(),
        (None, None) => json[path] = text.into(),
    }
    serde_json::from_value(json).expect("a user")
}

/// Returns the attribute of a user in the sandbox.
fn stored(user: &sandbox::IdentityUser, path: &str) -> Option<String> {
    match path {
        "externalId" => user.external_id.clone(),
        "userName" => Some(user.user_name.clone()),
        path => {
            let path = path.rsplit_once(':').map_or_else(
                || path.to_owned(),
                |(_, attribute)| format!("enterprise.{attribute}"),
            );
            user.attribute(&path).map(ToOwned::to_owned)
        }
    }
}

/// Asserts that a text names the violated attribute and the character.
#[track_caller]
fn assert_named(found: &str, violation: &okta_aws_sso::scim::Violation) {
    assert!(
        found.contains(violation.attribute()),
        "{found}: {violation}"
    );
    match violation.character() {
        Some(character) => {
            let code = format!("U+{:04X}", u32::from(character));
            assert!(found.contains(&code), "{found}: {code}");
        }
        None => assert!(
            found.contains(&violation.to_string()),
            "{found}: {violation}"
        ),
    }
}

async fn check(samples: Vec<Sample>) {
    let (users, groups) = samples.split_at(samples.len() * 3 / 4);
    let users: Vec<_> = (users.iter().enumerate())
        .map(|(number, sample)| {
            let (path, optional) = USER[sample.attribute.index(USER.len())];
            (number, path, optional, sample.text(number))
        })
        .collect();
    let groups: Vec<_> = (groups.iter().enumerate())
        .map(|(number, sample)| {
            let path = GROUP[sample.attribute.index(GROUP.len())];
            (number, path, sample.text(number))
        })
        .collect();
    let source = Directory {
        users: (users.iter())
            .map(|(number, path, optional, text)| user(*number, path, *optional, text))
            .collect(),
        groups: (groups.iter())
            .map(|(number, path, text)| Group {
                id: ExternalId::new(match *path {
                    "externalId" => text.clone(),
                    _ => format!("00g{number:017}"),
                }),
                name: match *path {
                    "externalId" => format!("group-{number}"),
                    _ => text.clone(),
                },
                ..Group::default()
            })
            .collect(),
        ..Directory::default()
    };
    let fixture =
        SyncFixture::with_sandbox(Sandbox::builder().company(company()).page_size(None)).await;
    let sync = fixture.sync(&source);
    let prepared = sync.prepare().await.expect("a plan");
    let plan = prepared.plan().clone();
    let report = sync.apply(prepared).await.expect("a run");
    // The sandbox has its own copy of the rules: what the plan sends is accepted.
    report
        .complete()
        .unwrap_or_else(|error| panic!("{}", error.explain()));

    check_users(&fixture, &plan, &users, &source).await;
    check_groups(&fixture, &plan, &groups, &source).await;
}

async fn check_users(
    fixture: &SyncFixture,
    plan: &SyncPlan,
    users: &[(usize, &str, Option<Attribute>, String)],
    source: &Directory,
) {
    let rules = &Dialect::AwsIdentityCenter.rules().users;
    // The table refuses no text that the sandbox accepts.
    let direct = fixture.client_with(|client| client.dialect(Dialect::Generic));
    let found = fixture.sandbox.identity_users();
    for ((number, path, optional, text), person) in users.iter().zip(&source.users) {
        let name = &person.profile.user_name;
        let stored_user = found.iter().find(|user| user.user_name == *name);
        let rule = rules.attribute(path).expect("a row");
        let Some(violation) = rule.check(text) else {
            let stored_user =
                stored_user.unwrap_or_else(|| panic!("{number} {path} {text:?}\n{plan}"));
            assert_eq!(stored(stored_user, path).as_ref(), Some(text), "{path}");
            continue;
        };
        if rule
            .scim
            .expect("a rule of the SCIM endpoint")
            .check(text)
            .is_some()
        {
            let refused = direct.users().create(&document(*number, path, text)).await;
            assert!(refused.is_err(), "{path} {text:?}");
        }
        if optional.is_some() {
            let stored_user =
                stored_user.unwrap_or_else(|| panic!("{number} {path} {text:?}\n{plan}"));
            assert_eq!(stored(stored_user, path), None, "{path} {text:?}");
            let note = plan
                .notes
                .iter()
                .find(|note| note.starts_with(&format!("{name}: ")));
            assert_named(note.unwrap_or_else(|| panic!("{name}\n{plan}")), &violation);
        } else {
            assert_eq!(stored_user, None, "{path} {text:?}");
            let skipped = plan.skipped.iter().find(|skipped| skipped.name == *name);
            let skipped = skipped.unwrap_or_else(|| panic!("{number} {path} {text:?}\n{plan}"));
            assert_named(&skipped.reason, &violation);
        }
    }
}

async fn check_groups(
    fixture: &SyncFixture,
    plan: &SyncPlan,
    groups: &[(usize, &str, String)],
    source: &Directory,
) {
    let rules = &Dialect::AwsIdentityCenter.rules().groups;
    // The table refuses no text that the sandbox accepts.
    let direct = fixture.client_with(|client| client.dialect(Dialect::Generic));
    let found = fixture.sandbox.identity_groups();
    for ((number, path, text), group) in groups.iter().zip(&source.groups) {
        let stored = found
            .iter()
            .find(|stored| stored.display_name == group.name);
        let rule = rules.attribute(path).expect("a row");
        let Some(violation) = rule.check(text) else {
            let stored = stored.unwrap_or_else(|| panic!("{number} {path} {text:?}\n{plan}"));
            assert_eq!(stored.external_id.as_deref(), Some(group.id.as_str()));
            continue;
        };
        if rule
            .scim
            .expect("a rule of the SCIM endpoint")
            .check(text)
            .is_some()
        {
            let document = serde_json::json!({
                "displayName": group.name, "externalId": group.id, "members": [],
            });
            let document: scim_types::Group = serde_json::from_value(document).expect("a group");
            let refused = direct.groups().create(&document).await;
            assert!(refused.is_err(), "{path} {text:?}");
        }
        assert_eq!(stored, None, "{path} {text:?}");
        let note = format!("group {} is skipped: ", group.name);
        let note = plan
            .notes
            .iter()
            .find_map(|found| found.strip_prefix(&note));
        assert_named(
            note.unwrap_or_else(|| panic!("{number} {path} {text:?}\n{plan}")),
            &violation,
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_that_both_interfaces_accept_arrives_as_it_is_and_every_other_one_is_named(samples in samples()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(check(samples));
    }
}

#[tokio::test]
async fn a_group_with_a_new_name_that_aws_refuses_keeps_its_name_and_loses_the_members_who_left() {
    let fixture = SyncFixture::new().await;
    let mut source = directory(20, 1, 4);
    fixture.run(&fixture.sync(&source)).await;
    source.groups[0].name = "a:b".to_owned();
    let leaver = ExternalId::new(user_id(0));
    source.groups[0].members.remove(&leaver);
    let plan = fixture.sync(&source).plan().await.expect("a plan");
    assert_eq!(
        plan.notes,
        [
            "group a:b keeps the name group-00000: displayName contains `:`, U+003A, which is not accepted"
        ]
    );
    fixture.run(&fixture.sync(&source)).await;
    let groups = fixture.sandbox.identity_groups();
    assert_eq!(groups[0].display_name, "group-00000");
    assert_eq!(groups[0].members.len(), 3);
    fixture.assert_no_changes(&source).await;
}
