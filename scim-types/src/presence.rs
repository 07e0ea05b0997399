//! The three states of an attribute: absent, `null` or set.

use serde::{Deserialize, Serialize};

use crate::{PatchOperation, patch::Path};

/// The state of an attribute to write: absent, `null`, or a value.
///
/// The three states differ when a resource is replaced, and when a patch is built. In a replacement, a
/// server may keep an absent attribute, but clears an attribute that is `null` (RFC 7644 section 3.5.1).
/// A field of this type in your own struct needs two serde attributes:
///
/// ```
/// use scim_types::Presence;
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Form {
///     #[serde(default, skip_serializing_if = "Presence::is_absent")]
///     title: Presence<String>,
/// }
///
/// for text in ["{}", r#"{"title":null}"#, r#"{"title":"Dr."}"#] {
///     let form: Form = serde_json::from_str(text)?;
///     assert_eq!(serde_json::to_string(&form)?, text);
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A field of [`User`](crate::User) or [`Group`](crate::Group) that is `None` is not written. Use `other`
/// to write `null`:
///
/// ```
/// use scim_types::{Group, Presence};
///
/// let mut group = Group::new("admins");
/// group.other.insert("externalId", &Presence::<String>::Null)?;
/// assert!(serde_json::to_string(&group)?.ends_with(r#""displayName":"admins","externalId":null}"#));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Presence<T> {
    /// The attribute is not written and stays unchanged.
    #[default]
    Absent,
    /// The attribute is written as `null`, which means that it has no value.
    Null,
    /// The attribute has this value.
    Set(T),
}

impl<T> Presence<T> {
    /// Returns whether the attribute is absent.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns the value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Converts an option: `None` becomes `Null`.
    pub fn or_null(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Set)
    }

    /// Converts an option: `None` becomes `Absent`.
    pub fn or_absent(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Set)
    }

    /// Returns the patch operation that brings the attribute at `path` to this state; `None` for `Absent`.
    ///
    /// ```
    /// use scim_types::{PatchOp, Presence};
    ///
    /// let operations = [
    ///     Presence::Set("Countess").operation("title".parse()?),
    ///     Presence::<&str>::Null.operation("nickName".parse()?),
    ///     Presence::<&str>::Absent.operation("locale".parse()?),
    /// ];
    /// let patch = PatchOp::new(operations.into_iter().flatten().collect());
    /// assert_eq!(
    ///     serde_json::to_value(&patch)?["Operations"],
    ///     serde_json::json!([
    ///         {"op": "replace", "path": "title", "value": "Countess"},
    ///         {"op": "remove", "path": "nickName"},
    ///     ]),
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn operation(self, path: Path) -> Option<PatchOperation>
    where
        T: Into<serde_json::Value>,
    {
        match self {
            Self::Absent => None,
            Self::Null => Some(PatchOperation::remove(path)),
            Self::Set(value) => Some(PatchOperation::replace(path, value)),
        }
    }
}

impl<T> From<T> for Presence<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T: Serialize> Serialize for Presence<T> {
    /// Writes the value or `null`. The struct itself must skip an `Absent` field.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Set(value) => serializer.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Presence<T> {
    /// Reads a value or `null`. The struct itself must use the default for a missing field.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::or_null)
    }
}
