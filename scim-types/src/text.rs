//! The string type of attribute values.

use std::{borrow::Borrow, fmt, ops::Deref};

use compact_str::CompactString;
use serde::{
    Deserialize, Serialize,
    de::{self, Visitor},
};

use crate::{attribute::Element, schema_uri};

/// The string value of an attribute.
///
/// A `Text` behaves like a `str`, but often needs no heap allocation. Strings of up to 24 bytes (most values in a
/// directory) are stored inline, and the URNs of the user and group schemas are static strings.
///
/// ```
/// use scim_types::{Text, User};
///
/// let mut user = User::new("ada@example.com");
/// user.title = Some("Countess".into());
/// user.locale = Some(Text::from_static("en-GB"));
/// assert_eq!(user.title.as_deref(), Some("Countess"));
/// assert_eq!(user.user_name.unwrap(), "ada@example.com");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(CompactString);

impl Text {
    /// Returns a text from a static string, without a copy.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(CompactString::const_new(text))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the text as a `String`.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(CompactString::new(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(CompactString::from(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.into_string()
    }
}

impl From<Text> for serde_json::Value {
    fn from(text: Text) -> Self {
        Self::String(text.into_string())
    }
}

/// Implements comparison with other string types, in both directions.
macro_rules! compared {
    ($($kind:ty),+) => {$(
        impl PartialEq<$kind> for Text {
            fn eq(&self, other: &$kind) -> bool {
                let other: &str = other.as_ref();
                self.as_str() == other
            }
        }

        impl PartialEq<Text> for $kind {
            fn eq(&self, other: &Text) -> bool {
                other == self
            }
        }
    )+};
}

compared!(str, &str, String);

impl Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = None;
        deserializer.deserialize_str(TextVisitor(&mut text))?;
        Ok(text.unwrap_or_default())
    }
}

impl Element for Text {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn read_into<'de, D: serde::Deserializer<'de>>(
        place: &mut Option<Self>,
        deserializer: D,
    ) -> Result<(), D::Error> {
        deserializer.deserialize_str(TextVisitor(place))
    }
}

struct TextVisitor<'a>(&'a mut Option<Text>);

impl Visitor<'_> for TextVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        *self.0 = Some(schema_uri::known(text).map_or_else(|| text.into(), Text::from_static));
        Ok(())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<(), E> {
        *self.0 = Some(text.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, text: &str, allocated: bool) {
        let read: Text = serde_json::from_str(json).unwrap();
        assert_eq!(read, text);
        assert_eq!(read.0.is_heap_allocated(), allocated);
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }

    #[test]
    fn only_long_texts_that_are_not_built_in_urns_are_allocated() {
        check(r#""""#, "", false);
        check(
            r#""person.00002@example.com""#,
            "person.00002@example.com",
            false,
        );
        check(
            r#""person.000002@example.com""#,
            "person.000002@example.com",
            true,
        );
        check(&format!("{:?}", schema_uri::USER), schema_uri::USER, false);
        // The static URN replaces only an exact match, although URNs are case-insensitive elsewhere.
        let upper_case = schema_uri::USER.to_uppercase();
        check(&format!("{upper_case:?}"), &upper_case, true);
    }

    #[test]
    fn a_text_is_compared_and_displayed_like_a_str() {
        let text = Text::from("a\"b");
        assert_eq!(text, "a\"b");
        assert_eq!("a\"b", text);
        assert_eq!(text, String::from("a\"b"));
        assert_eq!(format!("{text} {text:?}"), r#"a"b "a\"b""#);
        let map = std::collections::HashMap::from([(text, 1)]);
        assert_eq!(map.get("a\"b"), Some(&1));
    }

    #[test]
    fn a_value_that_is_not_a_string_is_rejected() {
        let error = serde_json::from_str::<Text>("7").unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid type: integer `7`, expected a string at line 1 column 1"
        );
    }
}
