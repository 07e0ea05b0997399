//! Rules for the document of a user or a group, and the check for violations.

use std::fmt;

use serde_json::{Map, Value};

/// Rules for the document of a user or a group. Attribute names have the form `name.givenName`.
///
/// New fields may be added, so end a value with `..DocumentRules::NONE`, which is also the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentRules {
    /// Attributes that must have a value.
    pub required: &'static [&'static str],
    /// Attributes that may have only one value, although the RFC allows several.
    pub single_valued: &'static [&'static str],
    /// Attributes whose values must be marked as `primary`.
    pub primary: &'static [&'static str],
    /// Attributes that must be absent.
    pub unsupported: &'static [&'static str],
    /// Attributes whose values must contain all of the listed parts.
    pub complete: &'static [(&'static str, &'static [&'static str])],
    /// Characters that strings must not contain, except in URLs.
    pub forbidden_characters: &'static str,
    /// Whether a string may be empty. If `false`, the attribute must be omitted instead.
    pub allows_empty_texts: bool,
    /// Maximum number of members of a new group.
    pub max_members: Option<usize>,
}

impl DocumentRules {
    /// An empty set of rules.
    pub const NONE: Self = Self {
        required: &[],
        single_valued: &[],
        primary: &[],
        unsupported: &[],
        complete: &[],
        forbidden_characters: "",
        allows_empty_texts: true,
        max_members: None,
    };

    pub(super) fn violations(&self, document: &Value) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut report = |attribute: &str, problem: String| {
            violations.push(Violation {
                attribute: attribute.to_owned(),
                problem,
            });
        };
        for path in self.required {
            if !values(document, path).any(is_assigned) {
                report(path, "is required".to_owned());
            }
        }
        for path in self.single_valued {
            let count = values(document, path).count();
            if count > 1 {
                report(path, format!("has {count} values, but may have only one"));
            }
        }
        for path in self.primary {
            if values(document, path).any(|value| value["primary"] != Value::Bool(true)) {
                report(path, "must be marked as primary".to_owned());
            }
        }
        for path in self.unsupported {
            if values(document, path).any(is_assigned) {
                report(path, "is not supported".to_owned());
            }
        }
        for (path, parts) in self.complete {
            let lacks =
                |part: &&&str| values(document, path).any(|value| !is_assigned(&value[**part]));
            let missing: Vec<&str> = parts.iter().filter(lacks).copied().collect();
            if !missing.is_empty() {
                report(path, format!("has no {}", missing.join(", no ")));
            }
        }
        let members = values(document, "members").count();
        if let Some(limit) = self.max_members.filter(|limit| members > *limit) {
            report(
                "members",
                format!("has {members} values, but may have only {limit}"),
            );
        }
        self.check_strings(document, "", &mut report);
        violations
    }

    /// Checks all strings in a document.
    fn check_strings(&self, value: &Value, path: &str, report: &mut impl FnMut(&str, String)) {
        match value {
            Value::Object(attributes) => {
                for (name, value) in attributes.iter().filter(|(name, _)| !holds_urls(name)) {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.check_strings(value, &format!("{path}{dot}{name}"), report);
                }
            }
            Value::Array(list) => {
                for value in list {
                    self.check_strings(value, path, report);
                }
            }
            Value::String(text) if text.is_empty() && !self.allows_empty_texts => {
                report(path, "is an empty string; omit the attribute".to_owned());
            }
            Value::String(text) => {
                let forbidden = |found: &char| self.forbidden_characters.contains(*found);
                if let Some(found) = text.chars().find(forbidden) {
                    report(path, format!("contains the forbidden character `{found}`"));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl Default for DocumentRules {
    fn default() -> Self {
        Self::NONE
    }
}

/// A violation of a server's rules by a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    attribute: String,
    problem: String,
}

impl Violation {
    /// Returns the attribute that violates a rule, such as `name.givenName`.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }
}

impl fmt::Display for Violation {
    /// Writes text such as `emails has 2 values, but may have only one`, without values of the
    /// document.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.attribute, self.problem)
    }
}

/// Returns the values of an attribute: the elements of a list, or a single value.
fn values<'v>(document: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    let mut current = vec![document];
    let mut rest = Some(path);
    while let Some(path) = rest {
        // The dots before the last colon of a URN (`2.0`) do not separate names; later dots do.
        let colon = path.rfind(':').map_or(0, |colon| colon + 1);
        let dot = path[colon..].find('.').map(|dot| colon + dot);
        let (name, after) = match dot {
            Some(dot) => (&path[..dot], Some(&path[dot + 1..])),
            None => (path, None),
        };
        let attributes = current.into_iter().filter_map(Value::as_object);
        let values = attributes.filter_map(|attributes: &Map<_, _>| attributes.get(name));
        current = values.flat_map(elements).collect();
        rest = after;
    }
    current.into_iter()
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        value => std::slice::from_ref(value),
    }
}

fn is_assigned(value: &Value) -> bool {
    !matches!(value, Value::Null)
        && value.as_str() != Some("")
        && value.as_array() != Some(&Vec::new())
}

fn holds_urls(name: &str) -> bool {
    matches!(name, "schemas" | "profileUrl" | "$ref" | "meta")
}

#[cfg(test)]
mod tests {
    use scim_types::{
        Address, EnterpriseUser, Group, Manager, MultiValued, Name, Reference, ResourceId, User,
    };

    use super::*;
    use crate::Dialect;

    fn ada() -> User {
        User {
            name: Some(Name {
                given_name: Some("Ada".into()),
                family_name: Some("Lovelace".into()),
                ..Name::default()
            }),
            display_name: Some("Ada Lovelace".into()),
            profile_url: Some("https://example.com/~ada".into()),
            emails: vec![MultiValued::primary("ada@example.com")],
            ..User::new("ada@example.com")
        }
    }

    #[track_caller]
    fn check(user: &User, expected: &[&str]) {
        let violations = Dialect::AwsIdentityCenter.violations(user);
        let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(violations, expected);
    }

    #[test]
    fn a_user_that_follows_the_rules_of_aws_has_no_violations() {
        check(&ada(), &[]);
    }

    #[test]
    fn aws_requires_names() {
        check(
            &User::new(""),
            &[
                "userName is required",
                "name.givenName is required",
                "name.familyName is required",
                "displayName is required",
                "userName is an empty string; omit the attribute",
            ],
        );
        assert_eq!(Dialect::Generic.violations(&User::new("ada")), []);
        let violations = Dialect::Generic.violations(&User::default());
        assert_eq!(
            violations.first().map(Violation::attribute),
            Some("userName")
        );
    }

    #[test]
    fn aws_accepts_one_value_per_attribute_and_requires_a_primary_email() {
        let mut user = ada();
        user.emails.push(MultiValued {
            value: Some("b@x".into()),
            ..MultiValued::default()
        });
        user.phone_numbers = vec![MultiValued::primary("1"), MultiValued::primary("2")];
        check(
            &user,
            &[
                "emails has 2 values, but may have only one",
                "phoneNumbers has 2 values, but may have only one",
                "emails must be marked as primary",
            ],
        );
    }

    #[test]
    fn aws_requires_complete_addresses() {
        let mut user = ada();
        let address = Address {
            street_address: Some("1 St".into()),
            country: Some("GB".into()),
            ..Address::default()
        };
        user.addresses = vec![address];
        check(
            &user,
            &["addresses has no locality, no region, no postalCode"],
        );
    }

    #[test]
    fn aws_does_not_support_some_attributes() {
        let mut user = ada();
        user.photos = vec![MultiValued::primary("photo")];
        user.emails[0].display = Some("Ada".into());
        user.other.insert("password", &"x").unwrap();
        let manager = Manager {
            display_name: Some("Charles".into()),
            ..Manager::default()
        };
        user.enterprise = Some(EnterpriseUser {
            manager: Some(manager),
            ..EnterpriseUser::default()
        });
        check(
            &user,
            &[
                "password is not supported",
                "photos is not supported",
                "emails.display is not supported",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager.displayName is not supported",
            ],
        );
    }

    #[test]
    fn aws_forbids_some_characters_and_empty_strings() {
        let mut user = ada();
        user.title = Some("Head of R&D; 100%".into());
        user.nick_name = Some("".into());
        check(
            &user,
            &[
                "nickName is an empty string; omit the attribute",
                "title contains the forbidden character `;`",
            ],
        );
    }

    #[test]
    fn aws_accepts_at_most_100_members_in_a_new_group() {
        let member = Reference::to(ResourceId::parse("u").unwrap());
        let mut group = Group {
            members: vec![member; 100],
            ..Group::new("admins")
        };
        assert_eq!(Dialect::AwsIdentityCenter.violations(&group), []);
        group.members.push(group.members[0].clone());
        let violations = Dialect::AwsIdentityCenter.violations(&group);
        assert_eq!(
            violations[0].to_string(),
            "members has 101 values, but may have only 100"
        );
    }
}
