//! Tolerant decoding of JSON text: an invalid field counts as absent, unless it is required.
//!
//! Each resource is decoded directly from its text in one pass, and keeps the text.

mod scan;
mod value;

use serde_json::{Value, value::RawValue};

use crate::{id::Id, raw::text};

pub(crate) use scan::Paths;
pub(crate) use value::Json;

/// A type that is decoded from Okta's JSON.
pub(crate) trait FromJson: Sized {
    /// Decodes a value of a body.
    fn from_json(json: &mut Json<'_>) -> Result<Self, Missing>;
}

/// The JSON pointer of a required field that is absent or invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) &'static str);

/// Returns the string at `pointer` of a value that is no resource. An empty string counts as absent.
pub(crate) fn str_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// A field of a resource. Its value is `None` only if the field is required, and absent or invalid.
pub(crate) trait Field: Sized {
    fn field(found: Option<&RawValue>) -> Option<Self>;
}

/// A value that is a field as itself, as an `Option` or in a `Vec`.
pub(crate) trait Element: Sized {
    /// Decodes a value, or returns `None` if it is invalid or empty.
    fn element(raw: &RawValue) -> Option<Self>;

    /// Returns the value of a field that is absent; `None`: the field is required.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Element> Field for T {
    fn field(found: Option<&RawValue>) -> Option<Self> {
        found.and_then(T::element).or_else(T::absent)
    }
}

impl<T: Element> Field for Option<T> {
    fn field(found: Option<&RawValue>) -> Option<Self> {
        Some(found.and_then(T::element))
    }
}

/// Elements that are invalid are omitted.
impl<T: Element> Field for Vec<T> {
    fn field(found: Option<&RawValue>) -> Option<Self> {
        let list = found.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok());
        let list = list.unwrap_or_default();
        Some(list.into_iter().filter_map(T::element).collect())
    }
}

/// An empty string counts as absent, as in Okta's API. An absent string is empty.
impl Element for String {
    fn element(raw: &RawValue) -> Option<Self> {
        let text = text(raw.get())?;
        (!text.is_empty()).then(|| text.into_owned())
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// An absent flag is `false`.
impl Element for bool {
    fn element(raw: &RawValue) -> Option<Self> {
        raw.get().parse().ok()
    }

    fn absent() -> Option<Self> {
        Some(false)
    }
}

impl Element for i64 {
    fn element(raw: &RawValue) -> Option<Self> {
        raw.get().parse().ok()
    }
}

/// An id is required, unless the field is optional.
impl<T> Element for Id<T> {
    fn element(raw: &RawValue) -> Option<Self> {
        Self::parse(text(raw.get())?).ok()
    }
}

/// Returns the [`Paths`] of constant JSON pointers. They are created once.
macro_rules! paths {
    ($($pointer:literal),+ $(,)?) => {{
        static PATHS: std::sync::LazyLock<$crate::json::Paths<'static, { [$($pointer),+].len() }>> =
            std::sync::LazyLock::new(|| $crate::json::Paths::of_pointers([$($pointer),+]));
        &*PATHS
    }};
}

pub(crate) use paths;

/// Declares a struct whose fields are decoded from JSON pointers.
///
/// `resource` declares a resource that keeps its text; `part` declares a part of one.
macro_rules! resource {
    ($(#[$meta:meta])* resource $name:ident { $($(#[$about:meta])* $vis:vis $field:ident: $type:ty = $pointer:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$about])* $vis $field: $type,)+
            raw: $crate::Raw,
        }

        impl $name {
            /// Returns the JSON text that Okta sent, with the fields that this type does not have.
            #[must_use]
            pub fn raw(&self) -> &$crate::Raw {
                &self.raw
            }
        }

        impl $crate::json::FromJson for $name {
            fn from_json(json: &mut $crate::json::Json<'_>) -> Result<Self, $crate::json::Missing> {
                let ([$($field),+], raw) = json.scan($crate::json::paths![$($pointer),+]);
                Ok(Self {
                    $($field: $crate::json::Field::field($field)
                        .ok_or($crate::json::Missing($pointer))?,)+
                    raw,
                })
            }
        }
    };
    ($(#[$meta:meta])* part $name:ident { $($(#[$about:meta])* $vis:vis $field:ident: $type:ty = $pointer:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$about])* $vis $field: $type,)+
        }

        impl $crate::json::Element for $name {
            fn element(raw: &serde_json::value::RawValue) -> Option<Self> {
                if !raw.get().starts_with('{') {
                    return None;
                }
                let [$($field),+] = $crate::json::paths![$($pointer),+].scan(raw.get());
                Some(Self { $($field: $crate::json::Field::field($field)?,)+ })
            }
        }
    };
}

pub(crate) use resource;

/// Decodes a value in a unit test.
#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller passes a new `json!` value"
)]
pub(crate) fn decode<T: FromJson>(value: serde_json::Value) -> Result<T, Missing> {
    let body = bytes::Bytes::from(value.to_string());
    let text = std::str::from_utf8(&body).expect("JSON");
    T::from_json(&mut Json::new(&body, text))
}

#[cfg(test)]
mod tests {
    #![expect(
        unreachable_pub,
        dead_code,
        reason = "the macro declares public items for other modules"
    )]

    use bytes::Bytes;

    use super::{Json, Missing, decode};
    use crate::{App, Group, Id};

    resource! {
        /// A resource.
        resource Sample {
            id: Id<App> = "/id",
            other: Option<Id<Group>> = "/other",
            name: String = "/a/b/name",
            note: Option<String> = "/a/note",
            names: Vec<String> = "/names",
            on: bool = "/on",
            count: Option<i64> = "/count",
        }
    }

    #[track_caller]
    fn sample(text: &'static str) -> Sample {
        let body = Bytes::from_static(text.as_bytes());
        super::FromJson::from_json(&mut Json::new(&body, text)).expect("an id")
    }

    #[test]
    fn fields_are_decoded_from_their_pointers() {
        let text = r#"{"id":"0oa1","x":[{"id":7}],"a":{"note":"n\u00fc","b":{"name":"N","id":"0oa2"}},
            "names":["y",1,null,"z"],"on":true,"count":-3}"#;
        let sample = sample(text);
        assert_eq!((sample.id.as_str(), sample.name.as_str()), ("0oa1", "N"));
        assert_eq!(sample.note.as_deref(), Some("nü"));
        assert_eq!(
            (sample.names, sample.on, sample.count),
            (vec!["y".to_owned(), "z".to_owned()], true, Some(-3))
        );
        assert_eq!(sample.raw.as_str(), text);
    }

    #[test]
    fn an_invalid_value_counts_as_absent() {
        let odd = r#"{"id":"no id!","id":"0oa1","other":"../x","a":{"b":[],"note":"\ud800"},"names":7,"on":"true","count":1e400}"#;
        let sample = sample(odd);
        assert_eq!(
            (sample.id.as_str(), sample.other, sample.note),
            ("0oa1", None, None)
        );
        assert_eq!(
            (
                sample.name.as_str(),
                sample.names.len(),
                sample.on,
                sample.count
            ),
            ("", 0, false, None)
        );
        let empty = self::sample(r#"{"id":"0oa1","a":null,"\ud800":1,"other":""}"#);
        assert_eq!((empty.other, empty.note), (None, None));
    }

    #[test]
    fn a_required_id_must_be_present_and_valid() {
        for text in [
            "{}",
            "[]",
            "null",
            "7",
            "\"x\"",
            "1.5",
            "-1",
            "true",
            r#"{"id":"../x"}"#,
        ] {
            let value = serde_json::from_str(text).expect("JSON");
            assert_eq!(decode::<Sample>(value), Err(Missing("/id")), "{text}");
        }
    }

    #[test]
    fn the_last_of_several_members_with_one_name_counts() {
        let found = paths!["/a", "/b/c"].scan(r#"{"a":1,"b":{"c":2},"\u0061":3}"#);
        assert_eq!(found.map(|raw| raw.expect("a value").get()), ["3", "2"]);
    }
}
