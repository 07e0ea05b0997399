//! Tests of the optional attributes: those of the source, and those that another provisioner has left in the target.

use std::collections::BTreeMap;

use okta_aws_sso::sync::{Attribute, Directory, ReadMode};
use sandbox::{IdentityUser, Person};

use super::fixture::{SyncFixture, directory};
use crate::fixture::ALL_ATTRIBUTES;

pub(super) fn full_person(login: &str) -> Person {
    let person = Person::new(login, "Person", "Number00000");
    ALL_ATTRIBUTES
        .into_iter()
        .fold(person, |person, (name, value)| {
            person.with_attribute(name, value)
        })
}

fn account(fixture: &SyncFixture) -> IdentityUser {
    fixture.sandbox.identity_users().remove(0)
}

/// Returns a source whose user has the attributes of the account, and these in addition.
fn source(optional: &[(Attribute, &str)]) -> Directory {
    let mut source = directory(1, 0, 0);
    let optional = optional
        .iter()
        .map(|(attribute, value)| (*attribute, (*value).to_owned()));
    source.users[0].profile.optional = optional.collect();
    source
}

#[tokio::test]
async fn values_that_the_sync_has_not_written_are_kept_and_its_own_go_with_the_source() {
    for mode in [ReadMode::Cached, ReadMode::Verify, ReadMode::Full] {
        let fixture = SyncFixture::new().await;
        let login = "person.00000@example.com";
        let _ = fixture.sandbox.add_identity_user(&full_person(login));
        let before = account(&fixture);
        let mut source = source(&[
            (Attribute::Title, "Countess"),
            (Attribute::Phone, "+44 20 7946 1111"),
            (Attribute::Role, "Analyst"),
        ]);
        let prepared = fixture.sync(&source).prepare().await.expect("a plan");
        let notes = &prepared.plan().notes;
        let kept = "nickName of 1 user is kept: the source does not have it, and the sync has not written it: person.00000@example.com";
        assert!(notes.iter().any(|note| note == kept), "{notes:#?}");
        assert_eq!(notes.len(), ALL_ATTRIBUTES.len() - 2, "{notes:#?}");
        let report = fixture.sync(&source).apply(prepared).await;
        report.expect("a run").complete().expect("no failure");
        let mut expected = before.attributes.clone();
        let mut set = |path: &str, value: &str| {
            expected.insert(path.to_owned(), value.to_owned());
        };
        set("phoneNumbers.value", "+44 20 7946 1111");
        set("roles.value", "Analyst");
        let adopted = account(&fixture);
        assert_eq!(adopted.id, before.id);
        assert_eq!(adopted.attributes, expected);
        fixture.assert_no_changes(&source).await;

        // The title was there before, and the source has had it since.
        source.users[0].profile.optional.clear();
        let plan = fixture.sync(&source).mode(mode).plan().await;
        let plan = plan.expect("a plan").to_string();
        assert!(
            plan.contains("(removes title, phoneNumbers.value, roles.value)"),
            "{plan}"
        );
        fixture.run(&fixture.sync(&source).mode(mode)).await;
        for path in [
            "title",
            "phoneNumbers.value",
            "phoneNumbers.type",
            "roles.value",
        ] {
            expected.remove(path);
        }
        assert_eq!(account(&fixture).attributes, expected);
        fixture.assert_no_changes(&source).await;

        // A value that was set by hand since is not the sync's.
        let id = scim_types::ResourceId::parse(&before.id).expect("an id");
        let change = scim_types::PatchOperation::replace("title", "Set by hand");
        let changed = fixture.scim.users().patch(&id, &change.into()).await;
        changed.expect("a change");
        source.users[0]
            .profile
            .optional
            .insert(Attribute::NickName, "Ada".to_owned());
        fixture.run(&fixture.sync(&source).mode(mode)).await;
        let after = account(&fixture);
        assert_eq!(after.attribute("title"), Some("Set by hand"));
        assert_eq!(after.attribute("nickName"), Some("Ada"));
        fixture.assert_no_changes(&source).await;
    }
}

#[tokio::test]
async fn an_address_that_becomes_incomplete_is_removed_and_the_user_is_written() {
    let fixture = SyncFixture::new().await;
    let address = [
        (Attribute::StreetAddress, "1 Street"),
        (Attribute::Locality, "London"),
        (Attribute::Region, "LDN"),
        (Attribute::PostalCode, "1"),
        (Attribute::Country, "GB"),
    ];
    let complete = source(&address);
    fixture.run(&fixture.sync(&complete)).await;
    let found = account(&fixture);
    assert_eq!(found.attribute("addresses.locality"), Some("London"));
    fixture.assert_no_changes(&complete).await;
    let incomplete = source(&address[..4]);
    fixture.run(&fixture.sync(&incomplete)).await;
    let found: BTreeMap<String, String> = account(&fixture).attributes;
    assert!(
        !found.keys().any(|path| path.starts_with("addresses")),
        "{found:?}"
    );
    fixture.assert_no_changes(&incomplete).await;
}
