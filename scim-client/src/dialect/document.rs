//! Rules for the document of a user or a group, and the check for violations.

use scim_types::{Group, Op, PatchOp, Resource, User, patch::Path};
use serde_json::Value;

use super::{
    attribute_rules::{AttributeRule, Need},
    violation::{Violation, ViolationKind},
};

/// Rules for the document of a user or a group. Attribute names are full paths of the form `name.givenName`; an attribute
/// of an extension has the URN and a colon before its name.
///
/// New fields may be added, so end a value with `..DocumentRules::NONE`, which is also the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentRules {
    /// The attributes that the server needs, and the texts that it accepts.
    pub attributes: &'static [AttributeRule],
    /// Attributes that may have only one value, although the RFC allows several.
    pub single_valued: &'static [&'static str],
    /// Attributes whose values must be marked as `primary`.
    pub primary: &'static [&'static str],
    /// Attributes that must be absent.
    pub unsupported: &'static [&'static str],
    /// Maximum number of members of a new group.
    pub max_members: Option<usize>,
}

impl DocumentRules {
    /// An empty set of rules.
    pub const NONE: Self = Self {
        attributes: &[],
        single_valued: &[],
        primary: &[],
        unsupported: &[],
        max_members: None,
    };

    /// Returns the violation by one value of an attribute, or `None` if the server accepts the value as far as is known.
    ///
    /// A planner calls this method before it plans a write. The path is the full path, such as `displayName`,
    /// `emails.value` or `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`, in any letter case.
    ///
    /// ```
    /// use scim_client::Dialect;
    ///
    /// let rules = Dialect::AwsIdentityCenter.rules();
    /// assert_eq!(rules.users.check("title", "Countess"), None);
    /// let violation = rules.users.check("title", "Count\u{200b}ess").unwrap();
    /// assert_eq!(violation.to_string(), "title contains U+200B, which is not accepted");
    /// assert_eq!((violation.character(), violation.omit()), (Some('\u{200b}'), Some("title")));
    /// assert!(rules.groups.check("displayName", "Administrator").unwrap().is_required());
    /// ```
    #[must_use]
    pub fn check(&self, path: &str, text: &str) -> Option<Violation> {
        self.attribute(path)?.check(text)
    }

    /// Returns the rule for an attribute, which is found by its full path, in any letter case.
    #[must_use]
    pub fn attribute(&self, path: &str) -> Option<&'static AttributeRule> {
        self.attributes
            .iter()
            .find(|rule| rule.path.eq_ignore_ascii_case(path))
    }

    /// Returns the violations by a whole document.
    pub(super) fn violations(&self, document: &Value) -> Vec<Violation> {
        let mut violations = Vec::new();
        for rule in self.attributes {
            check_attribute(rule, document, &mut violations);
        }
        let limits = self.single_valued.iter().map(|path| (*path, 1));
        let members = self.max_members.map(|limit| ("members", limit));
        for (path, limit) in limits.chain(members) {
            let count = values(document, path).count();
            if count > limit {
                violations.push(self.violation(path, ViolationKind::TooMany { count, limit }));
            }
        }
        for path in self.primary {
            if values(document, path).any(|value| value["primary"] != Value::Bool(true)) {
                violations.push(self.violation(path, ViolationKind::NotPrimary));
            }
        }
        for path in self.unsupported {
            if values(document, path).any(is_assigned) {
                violations.push(self.violation(path, ViolationKind::Unsupported));
            }
        }
        violations
    }

    /// Returns the violations by the values of a patch. Values that a filter selects elements by are not checked.
    pub(super) fn patch_violations(&self, patch: &PatchOp) -> Vec<Violation> {
        let mut violations = Vec::new();
        for operation in &patch.operations {
            let value = match operation.op {
                Op::Add | Op::Replace => operation.value.as_ref().unwrap_or(&Value::Null),
                Op::Remove => &Value::Null,
            };
            match operation.path.as_deref() {
                None | Some("") => self.check_value("", value, &mut violations),
                // The server rejects an invalid path; this crate has nothing to add to its answer.
                Some(text) => {
                    if let Some(path) = Path::parse(text).ok().as_ref().and_then(full_path) {
                        self.check_value(&path, value, &mut violations);
                    }
                }
            }
        }
        violations
    }

    /// Checks a value and the values that it contains. The empty path is the resource itself.
    fn check_value(&self, path: &str, value: &Value, violations: &mut Vec<Violation>) {
        let path = without_core_schema(path);
        if let Some(path) = self
            .unsupported
            .iter()
            .find(|unsupported| unsupported.eq_ignore_ascii_case(path))
        {
            if is_assigned(value) {
                violations.push(self.violation(path, ViolationKind::Unsupported));
            }
            return;
        }
        match value {
            Value::Object(attributes) => {
                for (name, value) in attributes {
                    self.check_value(&self.join(path, name), value, violations);
                }
            }
            Value::Array(list) => {
                for value in list {
                    self.check_value(path, value, violations);
                }
            }
            Value::String(text) => violations.extend(self.check(path, text)),
            Value::Null => {
                let required = self
                    .attribute(path)
                    .filter(|rule| rule.need == Need::Required);
                violations.extend(required.and_then(|rule| rule.check("")));
            }
            Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Returns the path of an attribute in an object, which is the resource, an extension or a complex value.
    fn join(&self, path: &str, name: &str) -> String {
        let is_extension = || {
            let mut rules = self.attributes.iter();
            rules.any(|rule| schema_of(rule.path).is_some_and(|urn| urn.eq_ignore_ascii_case(path)))
        };
        match path {
            "" => name.to_owned(),
            path if is_extension() => format!("{path}:{name}"),
            path => format!("{path}.{name}"),
        }
    }

    /// Returns a violation of a whole attribute. It is required if a part of it is.
    fn violation(&self, path: &'static str, kind: ViolationKind) -> Violation {
        let is_part = |rule: &&AttributeRule| {
            rule.path == path
                || rule
                    .path
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        let mut parts = self.attributes.iter().filter(is_part);
        let required =
            kind != ViolationKind::Unsupported && parts.any(|rule| rule.need == Need::Required);
        let need = if required {
            Need::Required
        } else {
            Need::Optional
        };
        Violation::new(path, need, kind)
    }
}

impl Default for DocumentRules {
    fn default() -> Self {
        Self::NONE
    }
}

/// Checks the values of one attribute in a document.
fn check_attribute(rule: &AttributeRule, document: &Value, violations: &mut Vec<Violation>) {
    let (holder, name) = rule.path.rsplit_once(['.', ':']).unwrap_or(("", rule.path));
    let before = violations.len();
    let mut found = false;
    for holder in values(document, holder).filter_map(Value::as_object) {
        let mut missing = true;
        for value in holder
            .get(name)
            .into_iter()
            .flat_map(elements)
            .filter(|value| !value.is_null())
        {
            (found, missing) = (true, false);
            violations.extend(value.as_str().and_then(|text| rule.check(text)));
        }
        if missing && rule.need == Need::RequiredInParent {
            violations.push(Violation::new(rule.path, rule.need, ViolationKind::Missing));
        }
    }
    if !found && rule.need == Need::Required && violations.len() == before {
        violations.push(Violation::new(rule.path, rule.need, ViolationKind::Missing));
    }
}

/// Returns the URN at the start of a path. The dots of a URN (`2.0`) are before its last colon.
fn schema_of(path: &str) -> Option<&str> {
    path.rsplit_once(':').map(|(urn, _)| urn)
}

/// Returns the path without the URN of the core schema of users or groups, which is optional.
fn without_core_schema(path: &str) -> &str {
    [User::SCHEMA, Group::SCHEMA]
        .into_iter()
        .find_map(|core| match path.get(core.len()..)?.strip_prefix(':') {
            Some(rest) => path[..core.len()]
                .eq_ignore_ascii_case(core)
                .then_some(rest),
            None => path.eq_ignore_ascii_case(core).then_some(""),
        })
        .unwrap_or(path)
}

/// Returns the path of a patch operation without its filter.
fn full_path(path: &Path) -> Option<String> {
    let Some(attribute) = path.attribute() else {
        return path.schema().map(ToOwned::to_owned);
    };
    Some(
        match path.sub_attribute().filter(|_| path.filter().is_some()) {
            Some(name) => format!("{attribute}.{name}"),
            None => attribute.to_string(),
        },
    )
}

/// Returns the values of an attribute: the elements of a list, or a single value. The empty path is the document.
fn values<'v>(document: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    let (schema, path) = match (document.get(path), schema_of(path)) {
        // The path is the URN of an extension.
        (Some(_), Some(_)) => (Some(path), ""),
        (_, Some(schema)) => (Some(schema), &path[schema.len() + 1..]),
        (_, None) => (None, path),
    };
    let names = schema
        .into_iter()
        .chain(path.split('.').filter(|name| !name.is_empty()));
    let mut current = vec![document];
    for name in names {
        let attributes = current.into_iter().filter_map(Value::as_object);
        let values = attributes.filter_map(|attributes| attributes.get(name));
        current = values.flat_map(elements).collect();
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

#[cfg(test)]
mod tests {
    use scim_types::{
        Address, EnterpriseUser, Manager, MultiValued, Name, PatchOperation, Reference, ResourceId,
    };
    use serde_json::json;

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
                "emails.value is required",
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
            &[
                "addresses.locality is required in addresses",
                "addresses.region is required in addresses",
                "addresses.postalCode is required in addresses",
            ],
        );
        let violations = Dialect::AwsIdentityCenter.violations(&user);
        assert!(
            violations
                .iter()
                .all(|found| found.omit() == Some("addresses"))
        );
    }

    #[test]
    fn aws_does_not_support_some_attributes() {
        let mut user = ada();
        user.photos = vec![MultiValued::primary("photo")];
        user.emails[0].display = Some("Ada".into());
        user.other.insert("password", &"x").unwrap();
        let manager = Manager {
            value: Some(ResourceId::parse("m").unwrap()),
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
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName is not supported",
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
                "title contains `;`, U+003B, which is not accepted",
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

    #[test]
    fn a_value_of_a_patch_is_checked_under_its_full_path_in_every_form_of_an_operation() {
        #[track_caller]
        fn check<R: Resource>(operation: PatchOperation, expected: &str) {
            let aws = Dialect::AwsIdentityCenter;
            let found = aws.patch_violations::<R>(&operation.into());
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found.join(", "), expected);
        }
        let bad = "a\u{200b}";
        let title = "title contains U+200B, which is not accepted";
        let user = check::<User>;
        user(PatchOperation::replace("title", bad), title);
        user(PatchOperation::replace("TITLE", bad), title);
        user(
            PatchOperation::replace("urn:ietf:params:scim:schemas:core:2.0:User:title", bad),
            title,
        );
        let whole = |value| PatchOperation {
            op: Op::Replace,
            path: None,
            value: Some(value),
        };
        user(whole(json!({"title": bad})), title);
        user(
            PatchOperation::replace("name", json!({"givenName": bad, "formatted": "Ada"})),
            "name.givenName contains U+200B, which is not accepted",
        );
        user(
            PatchOperation::replace("emails[type eq \"work\"].value", bad),
            "emails.value contains U+200B, which is not accepted",
        );
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department contains \
             U+200B, which is not accepted";
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        user(
            PatchOperation::replace(format!("{urn}:department"), bad),
            department,
        );
        user(
            PatchOperation::replace(urn, json!({"department": bad})),
            department,
        );
        user(whole(json!({urn: {"department": bad}})), department);
        user(
            PatchOperation::remove("displayName"),
            "displayName is required",
        );
        user(
            PatchOperation::replace("displayName", Value::Null),
            "displayName is required",
        );
        user(
            PatchOperation::replace("photos", json!([{"value": "p"}])),
            "photos is not supported",
        );
        user(PatchOperation::replace("active", false), "");
        let group = check::<Group>;
        group(
            PatchOperation::replace("displayName", "Administrator"),
            "displayName is a reserved name",
        );
        group(PatchOperation::replace("title", bad), "");
    }

    #[test]
    fn a_violation_of_a_whole_attribute_is_required_if_a_part_of_it_is() {
        let mut user = ada();
        user.emails.push(MultiValued::primary("b@x"));
        user.phone_numbers = vec![MultiValued::primary("1"), MultiValued::primary("2")];
        let violations = Dialect::AwsIdentityCenter.violations(&user);
        let needed: Vec<_> = violations
            .iter()
            .map(|found| (found.attribute(), found.is_required(), found.omit()))
            .collect();
        assert_eq!(
            needed,
            [
                ("emails", true, None),
                ("phoneNumbers", false, Some("phoneNumbers")),
            ]
        );
    }
}
