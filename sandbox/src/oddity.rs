//! Odd documents that real orgs return, although Okta's API description excludes them.

use serde_json::Value;

/// An odd document of Okta, for [`Fault::odd`](crate::Fault::odd).
///
/// Each was recorded from a real org, or is announced: "New fields and enum values may appear without notice".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// Every member that is not needed to identify the document is null.
    Nulls,
    /// The first element of the list, or the document, has no `id`.
    MissingId,
    /// The document has the value `SOMETHING_NEW` for its status, type, sign-on mode and state.
    UnknownValues,
    /// The application has no sign-on mode: `signOnMode` is null.
    NullSignOnMode,
}

impl Oddity {
    /// Changes a document, or each document of a list.
    pub(crate) fn apply(self, document: &mut Value) {
        let documents = match document {
            Value::Array(documents) => documents.as_mut_slice(),
            document => std::slice::from_mut(document),
        };
        let affected = match self {
            Self::MissingId => 1,
            Self::Nulls | Self::UnknownValues | Self::NullSignOnMode => documents.len(),
        };
        let documents = documents.iter_mut().take(affected);
        for object in documents.filter_map(Value::as_object_mut) {
            match self {
                Self::Nulls => {
                    for (name, value) in object {
                        match value {
                            Value::Object(profile) if name == "profile" => {
                                profile
                                    .iter_mut()
                                    .filter(|(name, _)| !["login", "name"].contains(&name.as_str()))
                                    .for_each(|(_, value)| *value = Value::Null);
                            }
                            value
                                if !["id", "name", "label", "status"].contains(&name.as_str()) =>
                            {
                                *value = Value::Null;
                            }
                            _ => {}
                        }
                    }
                }
                Self::MissingId => {
                    object.remove("id");
                }
                Self::UnknownValues => {
                    for name in ["status", "type", "signOnMode", "syncState", "scope"] {
                        if let Some(value @ Value::String(_)) = object.get_mut(name) {
                            *value = "SOMETHING_NEW".into();
                        }
                    }
                }
                Self::NullSignOnMode => {
                    object.insert("signOnMode".to_owned(), Value::Null);
                }
            }
        }
    }
}
