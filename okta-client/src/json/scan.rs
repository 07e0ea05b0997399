//! Reads the values at some JSON pointers in one pass over a text.

use std::fmt;

use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The paths of wanted values.
#[derive(Debug)]
pub(crate) struct Paths<'p, const N: usize>(Object<'p>);

impl<'p, const N: usize> Paths<'p, N> {
    /// Returns the paths of JSON pointers without escapes.
    pub(crate) fn of_pointers(pointers: [&'p str; N]) -> Self {
        Self::of_names(&pointers.map(|pointer| pointer.split('/').skip(1).collect::<Vec<_>>()))
    }

    /// Returns the paths that consist of these names.
    pub(crate) fn of_names(paths: &[impl AsRef<[&'p str]>; N]) -> Self {
        let mut root = Object::default();
        for (index, path) in paths.iter().enumerate() {
            root.add(path.as_ref(), index);
        }
        Self(root)
    }

    /// Returns the values of the value at the start of `json`. A value inside another returned value is absent.
    ///
    /// Of several members with one name, the last one counts.
    pub(crate) fn scan<'a>(&self, json: &'a str) -> [Option<&'a RawValue>; N] {
        self.scan_start(json).0
    }

    /// Like [`scan`](Self::scan), and returns the length of the value at the start too, or `None` if the text does not start
    /// with JSON.
    pub(super) fn scan_start<'a>(
        &self,
        json: &'a str,
    ) -> ([Option<&'a RawValue>; N], Option<usize>) {
        let mut found = [None; N];
        for names in [Names::Strings, Names::Bytes] {
            let mut deserializer = serde_json::Deserializer::from_str(json);
            let scan = Scan {
                object: &self.0,
                found: &mut found,
                names,
            };
            if scan.deserialize(&mut deserializer).is_ok() {
                return (found, Some(offset(deserializer)));
            }
        }
        // Text that is nested too deeply is JSON too. The values that were found before are returned.
        (found, length(json))
    }
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

/// An object that contains wanted values.
#[derive(Debug, Default)]
struct Object<'p> {
    members: Vec<(&'p str, Member<'p>)>,
    /// The lengths of the names, as a set of bits. Most other names differ in length, which is fast to compare.
    lengths: u64,
}

/// A member of an object.
#[derive(Debug)]
enum Member<'p> {
    /// The wanted value with this index.
    Value(usize),
    /// An object that contains wanted values.
    Object(Object<'p>),
}

impl<'p> Object<'p> {
    fn add(&mut self, path: &[&'p str], index: usize) {
        let Some((&name, path)) = path.split_first() else {
            return;
        };
        self.lengths |= bit(name.len());
        let position = self.members.iter().position(|&(other, _)| other == name);
        let position = position.unwrap_or_else(|| {
            self.members.push((name, Member::Object(Self::default())));
            self.members.len() - 1
        });
        match &mut self.members[position].1 {
            member if path.is_empty() => *member = Member::Value(index),
            Member::Object(object) => object.add(path, index),
            Member::Value(_) => {}
        }
    }

    fn member(&self, name: &[u8]) -> Option<&Member<'p>> {
        if self.lengths & bit(name.len()) == 0 {
            return None;
        }
        let mut members = self.members.iter();
        let (_, member) = members.find(|(other, _)| other.as_bytes() == name)?;
        Some(member)
    }
}

/// Returns the bit of a length in a set of lengths.
fn bit(length: usize) -> u64 {
    1 << (length % 64)
}

struct Scan<'p, 'w, 'a, const N: usize> {
    object: &'p Object<'p>,
    found: &'w mut [Option<&'a RawValue>; N],
    names: Names,
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
        let name = Name {
            object: self.object,
            names: self.names,
        };
        while let Some(member) = map.next_key_seed(name)? {
            match member {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(&Member::Value(index)) => self.found[index] = Some(map.next_value()?),
                Some(Member::Object(object)) => map.next_value_seed(Scan {
                    object,
                    found: &mut *self.found,
                    names: self.names,
                })?,
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

/// How names of members are read.
#[derive(Clone, Copy)]
enum Names {
    /// As strings, which is faster.
    Strings,
    /// As bytes, because half of a surrogate pair is no string.
    Bytes,
}

/// Reads a name and returns the wanted member that has it.
#[derive(Clone, Copy)]
struct Name<'p> {
    object: &'p Object<'p>,
    names: Names,
}

impl<'a, 'p> DeserializeSeed<'a> for Name<'p> {
    type Value = Option<&'p Member<'p>>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.names {
            Names::Strings => deserializer.deserialize_str(self),
            Names::Bytes => deserializer.deserialize_bytes(self),
        }
    }
}

impl<'p> Visitor<'_> for Name<'p> {
    type Value = Option<&'p Member<'p>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.object.member(name.as_bytes()))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.object.member(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};
    use serde_json::{Value, json};

    use super::Paths;

    #[track_caller]
    fn check<const N: usize>(json: &str, pointers: [&str; N], expected: [Option<&str>; N]) {
        let found = Paths::of_pointers(pointers).scan(json);
        assert_eq!(found.map(|raw| Some(raw?.get())), expected, "{json}");
    }

    #[test]
    fn half_of_a_surrogate_pair_in_a_name_hides_no_member() {
        let json = r#"{"a":1,"\ud800":2,"b":{"\udc00":3,"c":4},"d":5}"#;
        check(
            json,
            ["/a", "/b/c", "/d"],
            [Some("1"), Some("4"), Some("5")],
        );
    }

    #[test]
    fn names_are_compared_without_their_escapes() {
        let json = r#"{"\u0061":1,"\u0062\/":2,"\ud83d\ude00":3,"\\c":4}"#;
        check(
            json,
            ["/a", "/\u{1f600}", "/\\c"],
            [Some("1"), Some("3"), Some("4")],
        );
        let [found] = Paths::of_names(&[["b/"]]).scan(json);
        assert_eq!(found.map(serde_json::value::RawValue::get), Some("2"));
    }

    #[test]
    fn a_name_of_another_length_with_the_same_bit_is_another_name() {
        let long = "a".repeat(65);
        let json = format!(r#"{{"{long}":1,"b":2,"":3}}"#);
        check(&json, ["/a", "/b"], [None, Some("2")]);
        check(&json, [&format!("/{long}"), "/"], [Some("1"), Some("3")]);
    }

    #[test]
    fn a_value_inside_another_returned_value_is_absent() {
        let json = r#"{"a":{"b":1}}"#;
        check(json, ["/a", "/a/b"], [Some(r#"{"b":1}"#), None]);
        check(json, ["/a/b", "/a"], [None, Some(r#"{"b":1}"#)]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            Just(json!(-1.5e3)),
            Just(json!("a\\\"\u{fc}")),
            Just(json!([{"a": 1}]))
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            btree_map("[ab]{1,2}|\u{fc}\n?|", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect()))
        })
    }

    proptest! {
        /// The scan finds the values that `Value::pointer` finds, and the end of the text.
        #[test]
        fn the_values_at_pointers_are_those_of_serde_json(value in value(), after in "[ ,\\]]{0,2}") {
            let pointers = ["/a", "/b/a", "/b/b/\u{fc}", "/ab/b", "/\u{fc}\n/ab", "/b/"];
            let text = value.to_string();
            let json = format!("{text}{after}");
            let (found, length) = Paths::of_pointers(pointers).scan_start(&json);
            prop_assert_eq!(length, Some(text.len()));
            for (found, pointer) in found.into_iter().zip(pointers) {
                let found = found.map(|raw| serde_json::from_str(raw.get()).expect("JSON"));
                prop_assert_eq!(found.as_ref(), value.pointer(pointer));
            }
        }
    }
}
