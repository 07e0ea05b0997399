//! Paths of attributes.

use std::{borrow::Cow, fmt, str::FromStr};

/// The path of an attribute: `userName` or `name.familyName`, optionally with the URN of the schema in front.
///
/// The URN ends at the last colon, so dots in the URN (`2.0`) do not separate names. One sub-attribute
/// may follow the name. A path that is only a URN (`…:2.0:User`) is therefore parsed as an attribute
/// `User` of a schema `…:2.0`. The evaluation first looks for an extension with the whole URN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributePath {
    schema: Option<Cow<'static, str>>,
    name: Cow<'static, str>,
    sub_attribute: Option<Cow<'static, str>>,
}

impl AttributePath {
    /// `id`: the server's id of a resource.
    pub const ID: Self = Self::known("id", None);
    /// `externalId`: the client's id of a resource.
    pub const EXTERNAL_ID: Self = Self::known("externalId", None);
    /// `userName`: the sign-in name of a user.
    pub const USER_NAME: Self = Self::known("userName", None);
    /// `displayName`: the name of a group.
    pub const DISPLAY_NAME: Self = Self::known("displayName", None);
    /// `groups.value`: the id of a group of the user.
    pub const GROUPS_VALUE: Self = Self::known("groups", Some("value"));
    /// `members`: the members of a group.
    pub const MEMBERS: Self = Self::known("members", None);
    /// `members.value`: the id of a member of a group.
    pub const MEMBERS_VALUE: Self = Self::known("members", Some("value"));
    /// `manager`: the manager of a user.
    pub const MANAGER: Self = Self::known("manager", None);
    /// `value`: within brackets, the value of an element.
    pub const VALUE: Self = Self::known("value", None);

    const fn known(name: &'static str, sub_attribute: Option<&'static str>) -> Self {
        let sub_attribute = match sub_attribute {
            Some(sub_attribute) => Some(Cow::Borrowed(sub_attribute)),
            None => None,
        };
        Self {
            schema: None,
            name: Cow::Borrowed(name),
            sub_attribute,
        }
    }

    /// Parses a path.
    ///
    /// # Errors
    ///
    /// Fails if the text is not `name` or `name.sub`, optionally with the URI of a schema in front.
    pub fn parse(text: &str) -> Result<Self, ParseAttributePathError> {
        let error = || ParseAttributePathError {
            text: text.to_owned(),
        };
        let (schema, path) = match text.rsplit_once(':') {
            Some((schema, path)) if is_uri(schema) => (Some(schema), path),
            Some(_) => return Err(error()),
            None => (None, text),
        };
        let (name, sub_attribute) = match path.split_once('.') {
            Some((name, sub_attribute)) => (name, Some(sub_attribute)),
            None => (path, None),
        };
        if !is_name(name) || !sub_attribute.is_none_or(is_name) {
            return Err(error());
        }
        let owned = |text: &str| Cow::Owned(text.to_owned());
        Ok(Self {
            schema: schema.map(owned),
            name: owned(name),
            sub_attribute: sub_attribute.map(owned),
        })
    }

    /// Returns the URI of the schema, if the path has one.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Returns the name of the attribute.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the sub-attribute, if the path has one.
    #[must_use]
    pub fn sub_attribute(&self) -> Option<&str> {
        self.sub_attribute.as_deref()
    }

    /// Returns whether both paths name the same attribute, ignoring case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |left: Option<&str>, right: Option<&str>| match (left, right) {
            (Some(left), Some(right)) => left.eq_ignore_ascii_case(right),
            (left, right) => left == right,
        };
        same(self.schema(), other.schema())
            && self.name.eq_ignore_ascii_case(&other.name)
            && same(self.sub_attribute(), other.sub_attribute())
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(formatter, "{schema}:")?;
        }
        formatter.write_str(&self.name)?;
        if let Some(sub_attribute) = &self.sub_attribute {
            write!(formatter, ".{sub_attribute}")?;
        }
        Ok(())
    }
}

impl FromStr for AttributePath {
    type Err = ParseAttributePathError;

    fn from_str(text: &str) -> Result<Self, ParseAttributePathError> {
        Self::parse(text)
    }
}

/// The error of [`AttributePath::parse`].
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not an attribute path")]
pub struct ParseAttributePathError {
    text: String,
}

/// Returns whether a path may contain a byte, in a name or in the URI before the name.
pub(super) fn is_path_byte(byte: u8) -> bool {
    is_name_byte(byte) || matches!(byte, b'.' | b':' | b'/' | b'%' | b'+' | b'~')
}

/// Returns whether a text is a name. A name may start with `$`, as in `$ref` (erratum 8924 of RFC 7644).
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'$')
        && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$')
}

/// Returns whether a text is the URI of a schema.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && rest.bytes().all(is_path_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, schema: Option<&str>, name: &str, sub_attribute: Option<&str>) {
        let path = AttributePath::parse(text).unwrap();
        assert_eq!(
            (path.schema(), path.name(), path.sub_attribute()),
            (schema, name, sub_attribute)
        );
        assert_eq!(path.to_string(), text);
    }

    #[track_caller]
    fn check_error(text: &str) {
        let message = format!("{text:?} is not an attribute path");
        assert_eq!(AttributePath::parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn the_schema_ends_at_the_last_colon_and_may_contain_dots() {
        check("userName", None, "userName", None);
        check("manager.$ref", None, "manager", Some("$ref"));
        check(
            "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName",
            Some("urn:ietf:params:scim:schemas:core:2.0:User"),
            "name",
            Some("familyName"),
        );
        check(
            "urn:extension:isActive",
            Some("urn:extension"),
            "isActive",
            None,
        );
    }

    #[test]
    fn a_malformed_path_is_rejected() {
        for text in [
            "",
            "1a",
            "-a",
            "a.",
            ".a",
            "a.b.c",
            "é",
            "a b",
            ":a",
            "a:b",
            "%s:emails",
            "urn:x:2.0",
        ] {
            check_error(text);
        }
    }

    #[test]
    fn paths_are_compared_without_case() {
        let path = AttributePath::parse("MEMBERS.Value").unwrap();
        assert!(path.is_same(&AttributePath::MEMBERS_VALUE));
        assert!(!path.is_same(&AttributePath::MEMBERS));
        assert_ne!(path, AttributePath::MEMBERS_VALUE);
    }
}
