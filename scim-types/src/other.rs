//! Attributes without a field, kept as raw JSON.

use std::fmt;

use serde::{
    Deserialize, Serialize,
    ser::{Error as _, SerializeMap},
};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// The attributes of a resource that have no field in its struct, as raw JSON.
///
/// The attributes are written back byte for byte, in the order in which they were sent. Names are
/// case-insensitive. `Debug` prints only the names, because a value may be secret, such as a password.
#[derive(Clone, Default)]
pub struct OtherAttributes(Vec<(String, Box<RawValue>)>);

impl OtherAttributes {
    /// Returns whether there are no attributes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names, in the order in which they were sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the raw JSON of one attribute.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&RawValue> {
        let entry = self
            .0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        entry.map(|(_, value)| value.as_ref())
    }

    /// Returns one attribute, parsed as a `T`.
    ///
    /// # Errors
    ///
    /// Fails if the attribute is present and does not match `T`.
    pub fn get<'a, T: Deserialize<'a>>(
        &'a self,
        name: &str,
    ) -> Result<Option<T>, serde_json::Error> {
        self.raw(name)
            .map(|raw| serde_json::from_str(raw.get()))
            .transpose()
    }

    /// Sets one attribute, and replaces an existing attribute of the same name.
    ///
    /// # Errors
    ///
    /// Fails if `value` cannot be serialized as JSON.
    pub fn insert(
        &mut self,
        name: impl Into<String>,
        value: &impl Serialize,
    ) -> Result<(), serde_json::Error> {
        let (name, value) = (name.into(), to_raw_value(value)?);
        let existing = self
            .0
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name));
        match existing {
            Some(entry) => *entry = (name, value),
            None => self.0.push((name, value)),
        }
        Ok(())
    }

    /// Removes one attribute, and returns whether it was present.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.0.len() < before
    }

    pub(crate) fn push(&mut self, name: String, value: Box<RawValue>) {
        self.0.push((name, value));
    }

    pub(crate) fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        Ok(())
    }
}

impl fmt::Debug for OtherAttributes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.names()).finish()
    }
}

/// Two sets are equal if they have the same names, and their values parse to the same JSON values.
impl PartialEq for OtherAttributes {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().all(|(name, value)| {
                other
                    .raw(name)
                    .is_some_and(|found| same_json(value.get(), found.get()))
            })
    }
}

impl Serialize for OtherAttributes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.serialize_into(&mut map).map_err(S::Error::custom)?;
        map.end()
    }
}

pub(crate) fn same_json(left: &str, right: &str) -> bool {
    let parsed = |text| serde_json::from_str::<Value>(text).ok();
    left == right || parsed(left).is_some_and(|value| parsed(right) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge() -> OtherAttributes {
        let mut other = OtherAttributes::default();
        other.insert("badge", &serde_json::json!({"n": 1})).unwrap();
        other
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(badge().raw("BADGE").unwrap().get(), r#"{"n":1}"#);
        assert_eq!(
            badge().get::<Value>("Badge").unwrap(),
            Some(serde_json::json!({"n": 1}))
        );
        assert_eq!(badge().get::<Value>("bodge").unwrap(), None);
    }

    #[test]
    fn inserting_replaces_the_same_name_in_another_case() {
        let mut other = badge();
        other.insert("Badge", &2).unwrap();
        assert_eq!(other.names().collect::<Vec<_>>(), ["Badge"]);
        assert!(other.remove("bAdGe"));
        assert!(!other.remove("badge"));
        assert!(other.is_empty());
    }

    #[test]
    fn the_layout_of_json_does_not_affect_equality() {
        let mut spaced = OtherAttributes::default();
        spaced.push(
            "Badge".to_owned(),
            RawValue::from_string("{ \"n\" : 1 }".to_owned()).unwrap(),
        );
        assert_eq!(spaced, badge());
        assert_ne!(spaced, OtherAttributes::default());
    }

    #[test]
    fn debug_does_not_print_values() {
        let mut other = OtherAttributes::default();
        other.insert("password", &"hunter2").unwrap();
        assert_eq!(format!("{other:?}"), r#"{"password"}"#);
    }
}
