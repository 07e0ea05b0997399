//! Rules for the text of attributes: a table with one row per attribute, and one rule per interface of the service.
//!
//! IAM Identity Center has two interfaces for users and groups: the API of the identity store, and the SCIM endpoint. A value
//! that only one of them accepts can be stored and then no longer be written. Therefore both rules apply.

use super::violation::{Violation, ViolationKind};
use crate::text::is_visible;

/// The rule of one interface, the API or the SCIM endpoint, for the text of an attribute. Every rule refuses the empty text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextRule {
    /// Maximum number of characters.
    pub max_length: usize,
    /// Characters that are accepted in addition to those of the Unicode categories letter, mark, symbol, number and
    /// punctuation.
    pub spaces: &'static str,
    /// Characters of these categories that are refused nevertheless.
    pub forbidden: &'static str,
    /// Values that are refused, in any letter case.
    pub reserved: &'static [&'static str],
}

impl TextRule {
    /// Returns what the rule refuses in a text, or `None` if the interface accepts the text.
    #[must_use]
    pub fn check(&self, text: &str) -> Option<ViolationKind> {
        if text.is_empty() {
            return Some(ViolationKind::Empty);
        }
        if let Some(found) = text.chars().find(|found| !self.accepts(*found)) {
            return Some(ViolationKind::Character(found));
        }
        let length = text.chars().count();
        if length > self.max_length {
            let limit = self.max_length;
            return Some(ViolationKind::TooLong { length, limit });
        }
        let reserved = self
            .reserved
            .iter()
            .any(|name| name.eq_ignore_ascii_case(text));
        reserved.then_some(ViolationKind::Reserved)
    }

    fn accepts(&self, character: char) -> bool {
        (is_visible(character) && !self.forbidden.contains(character))
            || self.spaces.contains(character)
    }
}

/// Whether the server needs an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Without the attribute, the server refuses the user or group.
    Required,
    /// The attribute can be left out.
    Optional,
    /// The attribute that contains this one can only be sent with it: `addresses` with `addresses.country`.
    RequiredInParent,
}

/// The rules for one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttributeRule {
    /// The full path, such as `name.givenName`. An attribute of an extension has the URN and a colon before its name.
    pub path: &'static str,
    /// Whether the server needs the attribute.
    pub need: Need,
    /// The rule of the service's own API; `None` if the API does not have the attribute, or there is no such API.
    pub api: Option<TextRule>,
    /// The rule of the SCIM endpoint; `None` if any text is accepted.
    pub scim: Option<TextRule>,
}

impl AttributeRule {
    /// Returns the rule for an attribute that must be present, with any text.
    #[must_use]
    pub const fn required(path: &'static str) -> Self {
        Self {
            path,
            need: Need::Required,
            api: None,
            scim: None,
        }
    }

    /// Returns the violation by a value, or `None` if both interfaces accept it.
    #[must_use]
    pub fn check(&self, text: &str) -> Option<Violation> {
        let kind = match self.need {
            Need::Required | Need::RequiredInParent if text.is_empty() => {
                Some(ViolationKind::Missing)
            }
            _ => [self.scim, self.api]
                .iter()
                .flatten()
                .find_map(|rule| rule.check(text)),
        };
        kind.map(|kind| Violation::new(self.path, self.need, kind))
    }
}

/// `Administrator` and `AWSAdministrators` "are reserved names and can't be used for users or groups" (API reference of
/// the identity store, `CreateUser`).
const RESERVED: &[&str] = &["Administrator", "AWSAdministrators"];

/// "The characters `<>;:%` must not appear in synced attributes" (Okta's help for the AWS app).
const FORBIDDEN: &str = "<>;:%";

/// Service model of the identity store, `UserName`: 1 to 128 of `[\p{L}\p{M}\p{S}\p{N}\p{P}]`.
const USER_NAME: TextRule = TextRule {
    max_length: 128,
    spaces: "",
    forbidden: "",
    reserved: RESERVED,
};

/// Service model, `ExternalIdIdentifier`: 1 to 256 of `[\p{L}\p{M}\p{S}\p{N}\p{P}]`.
const EXTERNAL_ID: TextRule = TextRule {
    max_length: 256,
    spaces: "",
    forbidden: "",
    reserved: &[],
};

/// Service model, `SensitiveStringType`: 1 to 1,024 of `[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r \u00A0\u3000]`.
const TEXT: TextRule = TextRule {
    max_length: 1_024,
    spaces: "\t\n\r \u{a0}\u{3000}",
    forbidden: "",
    reserved: &[],
};

/// Service model, `GroupDisplayName`: as `SensitiveStringType`.
const GROUP_NAME: TextRule = TextRule {
    reserved: RESERVED,
    ..TEXT
};

/// Service model, `ResourceId`: at most 47 characters.
const RESOURCE_ID: TextRule = TextRule {
    max_length: 47,
    spaces: "",
    forbidden: "",
    reserved: &[],
};

/// Returns the rule of the SCIM endpoint for a name or another text: the rule of the API without control characters and
/// without [`FORBIDDEN`].
const fn plain(api: TextRule) -> TextRule {
    TextRule {
        forbidden: FORBIDDEN,
        ..without_controls(api)
    }
}

/// Returns the rule of the SCIM endpoint for an id or a URL: the rule of the API without control characters.
///
/// "The request is refused if a value has a Unicode control character" (pmcc.net, a report of a support case). Format
/// characters are in no rule of the API.
const fn without_controls(api: TextRule) -> TextRule {
    TextRule {
        spaces: if api.spaces.is_empty() {
            ""
        } else {
            " \u{a0}\u{3000}"
        },
        ..api
    }
}

const fn row(path: &'static str, need: Need, api: TextRule, scim: TextRule) -> AttributeRule {
    AttributeRule {
        path,
        need,
        api: Some(api),
        scim: Some(scim),
    }
}

const fn text(path: &'static str, need: Need) -> AttributeRule {
    row(path, need, TEXT, plain(TEXT))
}

/// Returns the row of an attribute that the API does not have; the SCIM endpoint has the rule for other texts.
const fn only_scim(path: &'static str, need: Need, scim: TextRule) -> AttributeRule {
    AttributeRule {
        path,
        need,
        api: None,
        scim: Some(scim),
    }
}

/// Returns the path of an attribute in the enterprise extension.
macro_rules! enterprise {
    ($name:literal) => {
        concat!(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:",
            $name
        )
    };
}
pub(super) use enterprise;

/// The attributes of a user in AWS IAM Identity Center (AWS SCIM developer guide, `CreateUser`). Required are the user
/// name, the names and one email address: "a unique, non-null user name and email for each user" (user guide).
pub(super) const AWS_USER: &[AttributeRule] = &[
    row(
        "externalId",
        Need::Optional,
        EXTERNAL_ID,
        without_controls(EXTERNAL_ID),
    ),
    row("userName", Need::Required, USER_NAME, plain(USER_NAME)),
    text("name.formatted", Need::Optional),
    text("name.givenName", Need::Required),
    text("name.familyName", Need::Required),
    text("name.middleName", Need::Optional),
    text("name.honorificPrefix", Need::Optional),
    text("name.honorificSuffix", Need::Optional),
    text("displayName", Need::Required),
    text("nickName", Need::Optional),
    row("profileUrl", Need::Optional, TEXT, without_controls(TEXT)),
    text("title", Need::Optional),
    text("userType", Need::Optional),
    text("preferredLanguage", Need::Optional),
    text("locale", Need::Optional),
    text("timezone", Need::Optional),
    text("emails.value", Need::Required),
    text("emails.type", Need::Optional),
    text("phoneNumbers.value", Need::RequiredInParent),
    text("phoneNumbers.type", Need::Optional),
    // "When you provision an address, all of these must be there" (Okta's help for the AWS app).
    text("addresses.streetAddress", Need::RequiredInParent),
    text("addresses.locality", Need::RequiredInParent),
    text("addresses.region", Need::RequiredInParent),
    text("addresses.postalCode", Need::RequiredInParent),
    text("addresses.country", Need::RequiredInParent),
    text("addresses.formatted", Need::Optional),
    text("addresses.type", Need::Optional),
    text("roles.value", Need::RequiredInParent),
    text("roles.type", Need::Optional),
    only_scim(enterprise!("employeeNumber"), Need::Optional, plain(TEXT)),
    only_scim(enterprise!("costCenter"), Need::Optional, plain(TEXT)),
    only_scim(enterprise!("organization"), Need::Optional, plain(TEXT)),
    only_scim(enterprise!("division"), Need::Optional, plain(TEXT)),
    only_scim(enterprise!("department"), Need::Optional, plain(TEXT)),
    only_scim(
        enterprise!("manager.value"),
        Need::RequiredInParent,
        without_controls(TEXT),
    ),
    only_scim(
        enterprise!("manager.$ref"),
        Need::Optional,
        without_controls(TEXT),
    ),
];

/// The attributes of a group in AWS IAM Identity Center (AWS SCIM developer guide, `CreateGroup`).
pub(super) const AWS_GROUP: &[AttributeRule] = &[
    row(
        "externalId",
        Need::Optional,
        EXTERNAL_ID,
        without_controls(EXTERNAL_ID),
    ),
    row("displayName", Need::Required, GROUP_NAME, plain(GROUP_NAME)),
    row(
        "members.value",
        Need::RequiredInParent,
        RESOURCE_ID,
        RESOURCE_ID,
    ),
];

#[cfg(test)]
mod tests;
