use serde::{Deserialize, Serialize};

use crate::{PatchOperation, patch::Path};

/// What is said of an attribute that is to be written: nothing, that it has no value, or its value.
///
/// The three are different where a resource is replaced (a server may keep what is absent, and clears
/// what is `null`, RFC 7644 section 3.5.1) and where a patch is put together. In a struct of one's own
/// it takes two attributes of serde:
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
/// The fields of [`User`](crate::User) and [`Group`](crate::Group) that are `None` are absent when they
/// are written; `null` is said through `other`:
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
    /// Nothing is said; the attribute stays as it is.
    #[default]
    Absent,
    /// The attribute has no value.
    Null,
    /// The attribute has this value.
    Set(T),
}

impl<T> Presence<T> {
    /// Returns whether nothing is said.
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

    /// Takes `None` for what has no value.
    pub fn or_null(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Set)
    }

    /// Takes `None` for what nothing is said of.
    pub fn or_absent(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Set)
    }

    /// Returns the operation that makes the attribute at `path` so; `None` when nothing is said.
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
    /// Writes the value, or `null`; a struct leaves out what is absent.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Set(value) => serializer.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Presence<T> {
    /// Reads a value, or `null`; what is absent is the default.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::or_null)
    }
}
