//! Changes of a resource that keep everything else.

use std::{fmt, marker::PhantomData};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::raw::{Raw, members, text, unescape};

/// A document of a `T` with changes, to send it to Okta.
///
/// There are two kinds. The edit of a resource that was read, such as [`App::edit`](crate::App::edit), has all fields
/// that Okta sent except the read-only ones. Only the changed values differ: unknown fields, numbers, escapes, `null`
/// and the order stay as they are. An update with it loses nothing. An edit from [`new`](Self::new) is empty, for the
/// calls that change only what they contain, such as [`Users::update`](crate::Users::update).
///
/// ```
/// use okta_client::{Edit, User};
///
/// let mut edit = Edit::<User>::new();
/// edit.set("/profile/department", "Research")?.set("/profile/costCenter", ())?;
/// assert_eq!(edit.to_json(), r#"{"profile":{"department":"Research","costCenter":null}}"#);
/// # Ok::<(), okta_client::EditError>(())
/// ```
pub struct Edit<T> {
    root: Node,
    of: PhantomData<fn() -> T>,
}

impl<T> Edit<T> {
    /// Returns an empty document.
    #[must_use]
    pub fn new() -> Self {
        Self {
            root: Node::Object(Vec::new()),
            of: PhantomData,
        }
    }

    /// Returns a document with the fields of `raw`, except the fields `read_only`.
    pub(crate) fn of(raw: &Raw, read_only: &[&str]) -> Self {
        let mut root = Node::Text(raw.as_str().to_owned());
        root.object()
            .retain(|(key, _)| !text(key).is_some_and(|key| read_only.contains(&&*key)));
        Self {
            root,
            of: PhantomData,
        }
    }

    /// Sets the value at a JSON pointer (RFC 6901), such as `/profile/department`.
    ///
    /// A new member is added at the end of its object. Objects on the way are made if they are absent or `null`. The
    /// token of a list is an index, or `-` for a new element at the end.
    ///
    /// # Errors
    ///
    /// Fails if the pointer does not start with `/`, if a value on the way is neither an object nor a list, or if
    /// `value` cannot be serialized. The document is then unchanged.
    pub fn set(&mut self, pointer: &str, value: impl Serialize) -> Result<&mut Self, EditError> {
        let value = serde_json::to_string(&value)
            .map_err(|source| EditError::serialize(pointer, source))?;
        self.check(pointer)
            .map_err(|problem| EditError::new(pointer, problem))?;
        self.put(pointer, value);
        Ok(self)
    }

    /// Removes the value at a JSON pointer. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// Fails if the pointer does not start with `/`.
    pub fn remove(&mut self, pointer: &str) -> Result<bool, EditError> {
        let Some((parent, last)) = pointer.rsplit_once('/') else {
            return Err(EditError::new(pointer, NO_SLASH));
        };
        let mut node = &mut self.root;
        for token in parent.split('/').skip(1) {
            match node.existing(&unescape(token)) {
                Some(child) => node = child,
                None => return Ok(false),
            }
        }
        Ok(node.remove(&unescape(last)))
    }

    /// Returns the text at a JSON pointer, or `None` if there is none.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<Raw> {
        Raw::parse(&self.to_json().into()).ok()?.get(pointer)
    }

    /// Returns the document as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.root.write(&mut json);
        json
    }

    /// Sets a string. Replaces values on the way that are no objects.
    pub(crate) fn set_text(&mut self, pointer: &str, value: &str) {
        self.put(pointer, serde_json::Value::from(value).to_string());
    }

    /// Sets JSON text. Replaces values on the way that are no objects.
    pub(crate) fn put(&mut self, pointer: &str, json: String) {
        let mut node = &mut self.root;
        for token in pointer.split('/').skip(1) {
            node = node.child(&unescape(token));
        }
        *node = Node::Text(json);
    }

    /// Checks that every value on the way to `pointer` can have the next one.
    fn check(&self, pointer: &str) -> Result<(), String> {
        if !pointer.starts_with('/') {
            return Err(NO_SLASH.to_owned());
        }
        let document = self.get("").ok_or(NO_SLASH)?;
        for (end, _) in pointer.match_indices('/') {
            let token = unescape(pointer[end + 1..].split('/').next().unwrap_or_default());
            let Some(parent) = document.get(&pointer[..end]) else {
                return Ok(());
            };
            let fits = match parent.as_str().as_bytes().first() {
                Some(b'{' | b'n') => true,
                Some(b'[') => {
                    let length = parent.read::<Vec<&RawValue>>().map_or(0, |list| list.len());
                    token == "-" || token.parse::<usize>().is_ok_and(|index| index < length)
                }
                _ => false,
            };
            if !fits {
                return Err(format!(
                    "the value at {:?} has no such member",
                    &pointer[..end]
                ));
            }
        }
        Ok(())
    }
}

impl<T> Default for Edit<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Edit<T> {
    fn clone(&self) -> Self {
        Self {
            root: self.root.clone(),
            of: PhantomData,
        }
    }
}

/// Two edits are equal if their texts are equal.
impl<T> PartialEq for Edit<T> {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

/// Omits the document, which may contain personal data.
impl<T> fmt::Debug for Edit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edit({} bytes)", self.to_json().len())
    }
}

/// Serializes the document unchanged, with `serde_json`.
impl<T> Serialize for Edit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = RawValue::from_string(self.to_json()).map_err(serde::ser::Error::custom)?;
        json.serialize(serializer)
    }
}

/// The error of [`Edit::set`] and [`Edit::remove`].
#[derive(Debug, thiserror::Error)]
#[error("{pointer:?} cannot be edited: {problem}")]
pub struct EditError {
    pointer: String,
    problem: String,
    source: Option<serde_json::Error>,
}

impl EditError {
    pub(crate) fn new(pointer: &str, problem: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            problem: problem.into(),
            source: None,
        }
    }

    pub(crate) fn serialize(pointer: &str, source: serde_json::Error) -> Self {
        Self {
            source: Some(source),
            ..Self::new(pointer, "the new value cannot be serialized")
        }
    }
}

const NO_SLASH: &str = "a JSON pointer starts with \"/\"";

/// A value. Only the values on the way to a change are split into their parts.
#[derive(Clone)]
enum Node {
    Text(String),
    /// Each key is JSON text, with its quotes.
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
}

impl Node {
    /// Splits a text into its parts.
    fn split(&mut self) {
        let Self::Text(json) = self else { return };
        if let Some(members) = members(json) {
            let part = |(key, value): (&RawValue, &RawValue)| {
                (key.get().to_owned(), Self::Text(value.get().to_owned()))
            };
            *self = Self::Object(members.into_iter().map(part).collect());
        } else if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(json) {
            let part = |value: &RawValue| Self::Text(value.get().to_owned());
            *self = Self::List(list.into_iter().map(part).collect());
        }
    }

    /// Returns the members. Another value becomes an empty object.
    fn object(&mut self) -> &mut Vec<(String, Self)> {
        self.split();
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        match self {
            Self::Object(members) => members,
            _ => unreachable!("the value is an object"),
        }
    }

    fn existing(&mut self, token: &str) -> Option<&mut Self> {
        self.split();
        match self {
            Self::Object(members) => position(members, token).map(|index| &mut members[index].1),
            Self::List(list) => list.get_mut(token.parse::<usize>().ok()?),
            Self::Text(_) => None,
        }
    }

    /// Returns the child at `token`, which is made if it is absent.
    fn child(&mut self, token: &str) -> &mut Self {
        let null = || Self::Text("null".to_owned());
        self.split();
        let index = match self {
            Self::List(list) if token == "-" => {
                list.push(null());
                Some(list.len() - 1)
            }
            Self::List(list) => token.parse().ok().filter(|index| *index < list.len()),
            _ => None,
        };
        match (self, index) {
            (Self::List(list), Some(index)) => &mut list[index],
            (node, _) => {
                let members = node.object();
                let index = position(members, token).unwrap_or_else(|| {
                    members.push((serde_json::Value::from(token).to_string(), null()));
                    members.len() - 1
                });
                &mut members[index].1
            }
        }
    }

    fn remove(&mut self, token: &str) -> bool {
        self.split();
        match self {
            Self::Object(members) => {
                let before = members.len();
                members.retain(|(key, _)| !is_named(key, token));
                members.len() < before
            }
            Self::List(list) => match token.parse::<usize>() {
                Ok(index) if index < list.len() => {
                    list.remove(index);
                    true
                }
                _ => false,
            },
            Self::Text(_) => false,
        }
    }

    fn write(&self, json: &mut String) {
        match self {
            Self::Text(text) => json.push_str(text),
            Self::Object(members) => {
                json.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    json.push_str(key);
                    json.push(':');
                    value.write(json);
                }
                json.push('}');
            }
            Self::List(list) => {
                json.push('[');
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    value.write(json);
                }
                json.push(']');
            }
        }
    }
}

/// Returns the index of the last member with a name: parsers use the last one too.
fn position(members: &[(String, Node)], name: &str) -> Option<usize> {
    members.iter().rposition(|(key, _)| is_named(key, name))
}

fn is_named(key: &str, name: &str) -> bool {
    text(key).is_some_and(|key| key == name)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Edit;
    use crate::{App, Raw};

    fn edit(text: &'static str) -> Edit<App> {
        let raw = Raw::parse(&Bytes::from_static(text.as_bytes())).expect("JSON");
        Edit::of(&raw, &["id"])
    }

    #[test]
    fn a_change_keeps_the_text_of_everything_else() {
        let mut edit = edit(
            r#"{"id":"0oa1","n":1.0,"\u006e":12345678901234567890123,"a":{"x":1e400,"y" : [ null ],"z":"\ud800"},"l":[1.0,{"b":2}]}"#,
        );
        edit.set("/a/w/v", true).expect("a new object");
        edit.set("/l/1/b", "ü").expect("an element");
        edit.set("/l/-", ()).expect("a new element");
        assert!(edit.remove("/a/z").expect("a pointer"));
        assert!(!edit.remove("/a/z/q").expect("a pointer"));
        assert_eq!(
            edit.to_json(),
            r#"{"n":1.0,"\u006e":12345678901234567890123,"a":{"x":1e400,"y":[ null ],"w":{"v":true}},"l":[1.0,{"b":"ü"},null]}"#
        );
        // Parsers use the last of two members with one name, so this is the one to change.
        edit.set("/n", 2).expect("a member");
        assert!(edit.to_json().starts_with(r#"{"n":1.0,"\u006e":2,"#));
    }

    #[test]
    fn a_pointer_that_leads_nowhere_changes_nothing() {
        let before = r#"{"s":"x","l":[1],"o":null}"#;
        let mut edit = edit(before);
        for (pointer, problem) in [
            (
                "s",
                r#""s" cannot be edited: a JSON pointer starts with "/""#,
            ),
            ("", r#""" cannot be edited: a JSON pointer starts with "/""#),
            (
                "/s/x",
                r#""/s/x" cannot be edited: the value at "/s" has no such member"#,
            ),
            (
                "/l/1",
                r#""/l/1" cannot be edited: the value at "/l" has no such member"#,
            ),
            (
                "/l/0/x",
                r#""/l/0/x" cannot be edited: the value at "/l/0" has no such member"#,
            ),
        ] {
            let error = edit.set(pointer, 1).expect_err("an error");
            assert_eq!(error.to_string(), problem);
        }
        assert!(edit.remove("x").is_err());
        assert_eq!(edit.to_json(), before);
        edit.set("/o/p", 1).expect("null becomes an object");
        assert_eq!(edit.get("/o").expect("an object").as_str(), r#"{"p":1}"#);
    }

    #[test]
    fn the_debug_output_has_no_content() {
        assert_eq!(format!("{:?}", edit(r#"{"a":1}"#)), "Edit(7 bytes)");
    }
}
