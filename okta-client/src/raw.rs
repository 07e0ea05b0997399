//! The JSON text of a resource.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, value::RawValue};

/// The JSON text that Okta sent: every field, in Okta's order and notation.
///
/// Cloning is cheap. The text is a part of the response's body, which stays in memory as long as one of its parts: a
/// program that keeps few items of a large list saves memory with [`detach`](Self::detach).
///
/// ```
/// # use okta_client::{Client, UserRef};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = sandbox::Sandbox::start().await;
/// # let token = okta_client::Secret::new(sandbox.okta_token());
/// # let okta = Client::builder(&sandbox.okta_url(), token).build()?;
/// let me = okta.users().me().await?;
/// let login = me.raw().get("/profile/login").expect("a login");
/// assert_eq!(login.as_text().as_deref(), Some(me.profile.login.as_str()));
/// assert!(me.raw().get("/profile/shoeSize").is_none());
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Raw(Bytes);

impl Raw {
    /// Returns the text of a body, without the white space around it.
    pub(crate) fn parse(body: &Bytes) -> Result<Self, serde_json::Error> {
        let text: &RawValue = serde_json::from_slice(body)?;
        Ok(Self::part(body, text.get()))
    }

    /// Returns a part of a body. Copies nothing.
    pub(crate) fn part(body: &Bytes, part: &str) -> Self {
        Self(body.slice_ref(part.as_bytes()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // JSON text is UTF-8, so this does not fail.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the part at a JSON pointer (RFC 6901), such as `/profile/costCenter`, or `None` if there is none.
    ///
    /// Of several members with one name, the last one counts.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<Self> {
        let mut part: &RawValue = serde_json::from_str(self.as_str()).ok()?;
        let tokens = pointer.split('/').skip(1);
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return None;
        }
        for token in tokens {
            part = child(part, &unescape(token))?;
        }
        Some(Self::part(&self.0, part.get()))
    }

    /// Returns the text of a JSON string, or `None` if this is another value.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        text(self.as_str())
    }

    /// Decodes the text.
    ///
    /// # Errors
    ///
    /// Fails if the text does not match `T`.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }

    /// Decodes the text as a value. A value does not keep everything: the order of the members, numbers with more
    /// digits than a 64-bit number, and the difference between `1.0` and `1.00` are lost.
    ///
    /// # Errors
    ///
    /// Fails if a number is out of range, such as `1e400`, or if a string contains half of a surrogate pair.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        self.read()
    }

    /// Returns a copy of the text that does not keep the rest of the response's body in memory.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }
}

/// Omits the text, which may be long and contain personal data.
impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

/// Serializes the text unchanged, with `serde_json`.
impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: &RawValue = self.read().map_err(serde::ser::Error::custom)?;
        text.serialize(serializer)
    }
}

/// Returns the string that a JSON string stands for, without a copy if it has no escapes.
pub(crate) fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(json).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// Returns a token of a JSON pointer without its escapes.
pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        return Cow::Owned(token.replace("~1", "/").replace("~0", "~"));
    }
    Cow::Borrowed(token)
}

/// Returns a name as a token of a JSON pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Returns a member of an object, or an element of a list.
fn child<'a>(part: &'a RawValue, token: &str) -> Option<&'a RawValue> {
    if part.get().starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(part.get()).ok()?;
        return list.get(token.parse::<usize>().ok()?).copied();
    }
    let members = members(part.get())?;
    let is_named = |key: &RawValue| text(key.get()).is_some_and(|key| key == token);
    let member = members.into_iter().rev().find(|(key, _)| is_named(key));
    member.map(|(_, value)| value)
}

/// Returns the members of an object in their order, or `None` if `json` is another value.
pub(crate) fn members(json: &str) -> Option<Vec<(&RawValue, &RawValue)>> {
    serde_json::from_str(json)
        .ok()
        .map(|Members(members)| members)
}

struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Raw;

    fn raw(text: &'static str) -> Raw {
        Raw::parse(&Bytes::from_static(text.as_bytes())).expect("JSON")
    }

    #[track_caller]
    fn check(raw: &Raw, pointer: &str, expected: Option<&str>) {
        let found = raw.get(pointer);
        assert_eq!(found.as_ref().map(Raw::as_str), expected, "{pointer}");
    }

    #[test]
    fn a_part_is_found_by_its_pointer_and_keeps_its_notation() {
        let raw =
            raw(r#" {"a":{"b/c~d":[1.0, 1e400]},"a2":null,"\u0061":{"x":"\ud800"},"y":"\u00fc"} "#);
        check(&raw, "/a2", Some("null"));
        check(&raw, "/a/x", Some(r#""\ud800""#));
        check(&raw, "/a/b~1c~0d", None);
        check(&raw, "/y/z", None);
        check(&raw, "a2", None);
        check(&raw, "", Some(raw.as_str()));
        assert!(raw.as_str().starts_with('{') && raw.as_str().ends_with('}'));
        assert_eq!(
            raw.get("/y").expect("a string").as_text().as_deref(),
            Some("ü")
        );
        assert_eq!(raw.get("/a/x").expect("a string").as_text(), None);
        let list = super::tests::raw(r#"{"b/c~d":[1.0, 1e400]}"#);
        check(&list, "/b~1c~0d/1", Some("1e400"));
        check(&list, "/b~1c~0d/2", None);
        assert!(list.to_value().is_err(), "a value cannot have this number");
    }

    #[test]
    fn the_debug_output_has_no_content() {
        assert_eq!(format!("{:?}", raw("[1]")), "Raw(3 bytes)");
        assert_eq!(
            serde_json::to_string(&raw("{\"a\":1.0}")).expect("JSON"),
            "{\"a\":1.0}"
        );
    }
}
