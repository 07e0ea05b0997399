//! The synchronized attributes of a user, and their conversion to and from a SCIM user.

use std::collections::{BTreeMap, BTreeSet};

use scim_client::Dialect;
use scim_types::{ExternalId, MultiValued, Name, Text, User};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{text::hex, user_attribute::Attribute};

/// The synchronized attributes of a user.
///
/// The sync compares only these attributes. A server that omits other attributes from its responses therefore does not
/// cause a write of every user in every run.
///
/// Later versions may add fields: end a literal with `..UserProfile::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserProfile {
    /// The sign-in name. In AWS it must equal the SAML `NameID`.
    pub user_name: String,
    /// The given name.
    pub given_name: String,
    /// The family name.
    pub family_name: String,
    /// The display name.
    pub display_name: String,
    /// The primary email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the user may sign in.
    pub active: bool,
    /// Optional attributes. If the target rejects one of them, the sync omits the attribute and still writes the user.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub optional: BTreeMap<Attribute, String>,
}

impl UserProfile {
    /// Returns the synchronized attributes of a SCIM user.
    #[must_use]
    pub fn of(user: &User) -> Self {
        let text = |value: Option<&Text>| value.map(Text::to_string).unwrap_or_default();
        let name = user.name.as_ref();
        Self {
            user_name: text(user.user_name.as_ref()),
            given_name: text(name.and_then(|name| name.given_name.as_ref())),
            family_name: text(name.and_then(|name| name.family_name.as_ref())),
            display_name: text(user.display_name.as_ref()),
            email: user.primary_email().map(ToOwned::to_owned),
            // "If it is left out, the user is active" (AWS SCIM developer guide, `active`).
            active: user.active.unwrap_or(true),
            optional: Attribute::ALL
                .iter()
                .filter_map(|attribute| Some((*attribute, attribute.value_in(user)?.to_owned())))
                .collect(),
        }
    }

    /// Returns the SCIM user to write: `base` with the attributes of the profile and the source's id.
    ///
    /// Other attributes and addresses of `base` are kept, except the read-only ones.
    #[must_use]
    pub fn merge_into(&self, base: User, id: &ExternalId) -> User {
        let mut user = base;
        user.external_id = Some(id.clone());
        user.user_name = Some(self.user_name.as_str().into());
        user.display_name = Some(self.display_name.as_str().into());
        user.active = Some(self.active);
        let email_changed = user.primary_email() != self.email.as_deref();
        if email_changed {
            let before = user.primary_email().map(ToOwned::to_owned);
            // The other addresses are not the sync's.
            user.emails.retain(|email| {
                email.primary != Some(true) && email.value.as_deref() != before.as_deref()
            });
            let email = self.email.as_ref().map(|email| MultiValued {
                kind: Some("work".into()),
                ..MultiValued::primary(email.as_str())
            });
            user.emails.splice(0..0, email);
        }
        let mut name = user.name.take().unwrap_or_default();
        let renamed = name.given_name.as_deref() != Some(&self.given_name)
            || name.family_name.as_deref() != Some(&self.family_name);
        if renamed {
            // `formatted` still contains the old name.
            name = Name {
                formatted: None,
                ..name
            };
        }
        name.given_name = Some(self.given_name.as_str().into());
        name.family_name = Some(self.family_name.as_str().into());
        user.name = Some(name);
        for (attribute, value) in &self.optional {
            attribute.set(&mut user, value);
        }
        // `meta` and `groups` are read-only; some servers reject them in a write.
        user.meta = None;
        user.groups = Vec::new();
        user
    }

    /// Returns the SCIM user to write like [`merge_into`](Self::merge_into), without the attributes that the source no longer
    /// has.
    pub(super) fn replace_in(
        &self,
        mut base: User,
        removes: &BTreeSet<Attribute>,
        id: &ExternalId,
    ) -> User {
        for attribute in removes {
            attribute.remove(&mut base);
        }
        self.merge_into(base, id)
    }

    /// Returns a digest of the profile, 128 bits in hex, to detect changes.
    ///
    /// # Panics
    ///
    /// Never panics: a profile can always be serialized as JSON.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&serde_json::to_vec(self).expect("a profile has string keys only"))
    }

    /// Returns the profile without the optional attributes that the target would reject, and one remark per omitted
    /// attribute.
    ///
    /// # Errors
    ///
    /// Returns the list of problems if the target would reject a required attribute.
    pub(super) fn adapt_to_dialect(
        &self,
        id: &ExternalId,
        dialect: Dialect,
    ) -> Result<(Self, Vec<String>), Vec<String>> {
        let mut document = self.merge_into(User::default(), id);
        let mut accepted = self.clone();
        let mut remarks = Vec::new();
        accepted.optional.retain(|attribute, value| {
            let is_valid = attribute.value_in(&document) == Some(value);
            if !is_valid {
                remarks.push(format!("attribute omitted: {attribute} is no id"));
                attribute.remove(&mut document);
            }
            is_valid
        });
        let mut problems = Vec::new();
        for violation in dialect.violations(&document) {
            let before = accepted.optional.len();
            if let Some(path) = violation.omit() {
                accepted
                    .optional
                    .retain(|attribute, _| !attribute.is_at(path));
            }
            let is_known = violation.omit().is_some_and(|path| {
                let mut attributes = self.optional.keys();
                attributes.any(|attribute| attribute.is_at(path))
            });
            if is_known {
                // An attribute with several violations is named once.
                if accepted.optional.len() < before {
                    remarks.push(format!("attribute omitted: {violation}"));
                }
            } else {
                problems.push(violation.to_string());
            }
        }
        if problems.is_empty() {
            Ok((accepted, remarks))
        } else {
            Err(problems)
        }
    }

    /// Returns the names of the attributes in which two profiles differ.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("userName", self.user_name == other.user_name),
            ("name.givenName", self.given_name == other.given_name),
            ("name.familyName", self.family_name == other.family_name),
            ("displayName", self.display_name == other.display_name),
            ("emails", self.email == other.email),
            ("active", self.active == other.active),
        ];
        let fields = fields
            .into_iter()
            .filter_map(|(name, same)| (!same).then_some(name));
        let optional = Attribute::ALL
            .iter()
            .filter(|attribute| self.optional.get(attribute) != other.optional.get(attribute));
        fields
            .chain(optional.map(|attribute| attribute.name()))
            .collect()
    }

    /// Returns the profile with only these optional attributes.
    pub(super) fn limited_to(mut self, attributes: &BTreeSet<Attribute>) -> Self {
        self.optional
            .retain(|attribute, _| attributes.contains(attribute));
        self
    }

    /// Returns the attributes of `owned` that the profile does not have.
    pub(super) fn lacks(&self, owned: &BTreeSet<Attribute>) -> BTreeSet<Attribute> {
        let lacking = owned.iter();
        let lacking = lacking.filter(|attribute| !self.optional.contains_key(attribute));
        lacking.copied().collect()
    }

    /// Returns the optional attributes of the profile.
    pub(super) fn attributes(&self) -> BTreeSet<Attribute> {
        self.optional.keys().copied().collect()
    }

    /// Returns the digests of the values that must be unique in the target.
    pub(super) fn keys(&self) -> UserKeys {
        let key = |value: &str| (!value.is_empty()).then(|| name_key(value));
        UserKeys {
            user_name: key(&self.user_name),
            email: self.email.as_deref().and_then(key),
        }
    }
}

/// Digests of the values of a user that must be unique in the target; see [`name_key`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UserKeys {
    pub(super) user_name: Option<String>,
    pub(super) email: Option<String>,
}

/// Returns a digest of a name in lower case, 64 bits in hex, to detect that two users have the same name.
pub(super) fn name_key(name: &str) -> String {
    hex(&Sha256::digest(name.to_lowercase())[..8])
}

/// Returns a digest of the attributes that the target has, with the source's id.
pub(super) fn kept_digest(user: &User) -> String {
    let kept = (UserProfile::of(user), &user.external_id);
    digest(&serde_json::to_vec(&kept).expect("a profile has string keys only"))
}

/// Returns the first 128 bits of the SHA-256 digest in hex: enough to detect a change, and short to store.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> UserProfile {
        UserProfile {
            user_name: "ada@example.com".into(),
            given_name: "Ada".into(),
            family_name: "Lovelace".into(),
            display_name: "Ada Lovelace".into(),
            email: Some("ada@example.com".into()),
            active: true,
            optional: [
                (Attribute::Title, "Countess".to_owned()),
                (Attribute::Department, "Engines".to_owned()),
            ]
            .into(),
        }
    }

    #[test]
    fn a_written_profile_is_read_back_unchanged() {
        let id = ExternalId::new("00u1");
        let user = ada().merge_into(User::default(), &id);
        assert_eq!(user.external_id, Some(id.clone()));
        assert_eq!(UserProfile::of(&user), ada());
        let less = UserProfile {
            email: None,
            optional: BTreeMap::new(),
            ..ada()
        };
        let removed = less.lacks(&ada().attributes());
        let written = less.replace_in(user, &removed, &id);
        assert_eq!(UserProfile::of(&written), less);
        assert_eq!(written.enterprise, None);
    }

    #[test]
    fn another_address_than_the_primary_one_is_kept() {
        let home = MultiValued {
            value: Some("ada@home.example".into()),
            ..MultiValued::default()
        };
        let base = User {
            emails: vec![home.clone(), MultiValued::primary("old@example.com")],
            ..User::default()
        };
        let id = ExternalId::new("00u1");
        let user = ada().merge_into(base, &id);
        assert_eq!(user.primary_email(), Some("ada@example.com"));
        assert_eq!(user.emails[1], home);
        let without = UserProfile {
            email: None,
            ..ada()
        };
        assert_eq!(without.merge_into(user, &id).emails, [home]);
    }

    #[test]
    fn attributes_that_are_not_synchronized_are_kept() {
        let base = User {
            phone_numbers: vec![MultiValued::primary("1")],
            profile_url: Some("https://example.com/ada".into()),
            name: Some(Name {
                middle_name: Some("King".into()),
                formatted: Some("A. King".into()),
                ..Name::default()
            }),
            ..User::default()
        };
        let user = ada().merge_into(base.clone(), &ExternalId::new("00u1"));
        assert_eq!(user.phone_numbers, base.phone_numbers);
        assert_eq!(user.profile_url, base.profile_url);
        let name = user.name.expect("the user has a name");
        assert_eq!(name.middle_name.as_deref(), Some("King"));
        assert_eq!(name.formatted, None);
    }

    #[test]
    fn an_incomplete_address_is_omitted_and_the_other_attributes_are_not() {
        let aws = Dialect::AwsIdentityCenter;
        let id = ExternalId::new("00u1");
        let mut profile = ada();
        for (attribute, value) in [
            (Attribute::StreetAddress, "12 St James's Square"),
            (Attribute::FormattedAddress, "12 St James's Square, London"),
            (Attribute::Phone, "1"),
            (Attribute::MiddleName, "King"),
        ] {
            profile.optional.insert(attribute, value.to_owned());
        }
        let (accepted, remarks) = profile.adapt_to_dialect(&id, aws).expect("a profile");
        assert_eq!(
            remarks,
            ["attribute omitted: addresses.locality is required in addresses"]
        );
        let kept = [
            Attribute::MiddleName,
            Attribute::Title,
            Attribute::Phone,
            Attribute::Department,
        ];
        assert!(accepted.optional.keys().eq(&kept), "{accepted:?}");
        for (attribute, value) in [
            (Attribute::Locality, "London"),
            (Attribute::Region, "LDN"),
            (Attribute::PostalCode, "SW1Y 4JH"),
            (Attribute::Country, "GB"),
        ] {
            profile.optional.insert(attribute, value.to_owned());
        }
        let complete = profile.adapt_to_dialect(&id, aws);
        assert_eq!(complete, Ok((profile.clone(), Vec::new())));
        // A middle name is found by its path, and not by a part of it.
        profile.optional.insert(Attribute::MiddleName, "a:b".into());
        profile.optional.insert(Attribute::Manager, "..".into());
        let (accepted, remarks) = profile.adapt_to_dialect(&id, aws).expect("a profile");
        assert_eq!(
            remarks,
            [
                "attribute omitted: manager.value is no id",
                "attribute omitted: name.middleName contains `:`, U+003A, which is not accepted"
            ]
        );
        assert_eq!(accepted.optional.len(), 9);
    }

    #[test]
    fn an_optional_attribute_that_aws_rejects_is_omitted_and_a_required_one_is_a_problem() {
        let aws = Dialect::AwsIdentityCenter;
        let id = ExternalId::new("00u1");
        let mut profile = ada();
        profile
            .optional
            .insert(Attribute::Title, "R&D; all of it".into());
        profile.optional.insert(Attribute::Division, "a:b".into());
        let (accepted, remarks) = profile
            .adapt_to_dialect(&id, aws)
            .expect("an accepted profile");
        assert_eq!(accepted.optional.len(), 1);
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        profile.family_name.clear();
        let problems = profile
            .adapt_to_dialect(&id, aws)
            .expect_err("the family name is missing");
        assert!(
            problems
                .iter()
                .any(|problem| problem == "name.familyName is required"),
            "{problems:?}"
        );
    }

    #[test]
    fn differences_lists_the_changed_attributes_by_name() {
        let mut other = ada();
        other.email = None;
        other.optional.remove(&Attribute::Title);
        assert_eq!(ada().differences(&other), ["emails", "title"]);
        assert_ne!(ada().digest(), other.digest());
        assert_eq!(ada().digest(), ada().digest());
    }
}
