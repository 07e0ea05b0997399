//! Reads the values at some JSON pointers in one pass over a text.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// Returns the values at `pointers` of the value at the start of `json`. A value inside another returned value is absent.
///
/// Of several members with one name, the last one counts.
pub(crate) fn scan<'a, const N: usize>(
    json: &'a str,
    pointers: [&str; N],
) -> [Option<&'a RawValue>; N] {
    scan_start(json, pointers).0
}

/// Like [`scan`], and returns the length of the value too, or `None` if the text does not start with JSON.
pub(super) fn scan_start<'a, const N: usize>(
    json: &'a str,
    pointers: [&str; N],
) -> ([Option<&'a RawValue>; N], Option<usize>) {
    let mut found = [None; N];
    let mut wanted = [(0, ""); N];
    for (index, pointer) in pointers.into_iter().enumerate() {
        wanted[index] = (index, pointer.trim_start_matches('/'));
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let scan = Scan {
        wanted: &wanted,
        found: &mut found,
    };
    let length = match scan.deserialize(&mut deserializer) {
        Ok(()) => Some(offset(deserializer)),
        // Text that is nested too deeply is JSON too. The values that were found before are returned.
        Err(_) => length(json),
    };
    (found, length)
}

/// Returns the length of the value at the start of `json`, or `None` if the text does not start with JSON.
pub(super) fn length(json: &str) -> Option<usize> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    IgnoredAny::deserialize(&mut deserializer).ok()?;
    Some(offset(deserializer))
}

/// Returns the number of bytes that were read.
fn offset(deserializer: serde_json::Deserializer<serde_json::de::StrRead<'_>>) -> usize {
    deserializer.into_iter::<IgnoredAny>().byte_offset()
}

struct Scan<'w, 'p, 'a, const N: usize> {
    /// The index of each value, and its path from here.
    wanted: &'w [(usize, &'p str)],
    found: &'w mut [Option<&'a RawValue>; N],
}

impl<'a, const N: usize> DeserializeSeed<'a> for Scan<'_, '_, 'a, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, const N: usize> Visitor<'a> for Scan<'_, '_, 'a, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            let (mut leaf, mut inner, mut count) = (None, [(0, ""); N], 0);
            for &(index, path) in self.wanted {
                // Most names differ in length, which costs less to see than a difference in their text.
                let is_leaf = path.len() == key.len();
                let is_inner = path.as_bytes().get(key.len()) == Some(&b'/');
                if !(is_leaf || is_inner) || !path.as_bytes().starts_with(&key) {
                    continue;
                }
                if is_leaf {
                    leaf = Some(index);
                } else {
                    inner[count] = (index, &path[key.len() + 1..]);
                    count += 1;
                }
            }
            if let Some(index) = leaf {
                self.found[index] = Some(map.next_value()?);
            } else if count > 0 {
                map.next_value_seed(Scan {
                    wanted: &inner[..count],
                    found: &mut *self.found,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// The name of a member. It is read as bytes, because half of a surrogate pair is no string.
struct Key<'a>(Cow<'a, [u8]>);

impl<'a> Deserialize<'a> for Key<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl<'a> Visitor<'a> for Name {
            type Value = Key<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_bytes<E>(self, name: &'a [u8]) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_bytes(Name)
    }
}
