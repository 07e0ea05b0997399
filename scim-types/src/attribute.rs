//! How the attributes of every resource and message here are read and written.
//!
//! `complex!` and `document!` make a struct whose fields are attributes; a document also says which
//! `schemas` it follows. Both keep what they have no field for in `other`.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{ExternalId, OtherAttributes, ResourceId, names};

/// One value of an attribute, read leniently.
pub(crate) trait Element: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// An attribute: a value that may be unassigned, which is the same as absent (RFC 7643 section 2.5).
pub(crate) trait Attribute: Default + Serialize {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    fn is_unassigned(&self) -> bool;
}

impl<T: Element + Serialize> Attribute for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(Optional(PhantomData))
    }

    fn is_unassigned(&self) -> bool {
        self.is_none()
    }
}

impl<T: Element + Serialize> Attribute for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = deserializer.deserialize_option(Optional::<List<T>>(PhantomData))?;
        Ok(list.map(|list| list.0).unwrap_or_default())
    }

    fn is_unassigned(&self) -> bool {
        self.is_empty()
    }
}

/// A value for which `null` says something else than its absence.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Given(pub(crate) Option<Value>);

impl Serialize for Given {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Attribute for Given {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self(Some(value)))
    }

    fn is_unassigned(&self) -> bool {
        self.0.is_none()
    }
}

/// Reads an attribute in a map.
pub(crate) struct AttributeSeed<T>(PhantomData<T>);

impl<T> AttributeSeed<T> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Attribute> DeserializeSeed<'de> for AttributeSeed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

/// Reads the name of an attribute of a list; names are the same in any case (RFC 7643 section 2.1).
pub(crate) struct Names(pub(crate) &'static [&'static str]);

/// The name of an attribute as it was found.
pub(crate) enum Found {
    /// One with a field, as the RFC spells it.
    Known(&'static str),
    /// One without a field, as it was spelled.
    Other(String),
}

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Names {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of an attribute")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Found, E> {
        let exact = self.0.iter().find(|name| **name == text);
        let name = exact.or_else(|| self.0.iter().find(|name| name.eq_ignore_ascii_case(text)));
        Ok(name.map_or_else(|| Found::Other(text.to_owned()), |name| Found::Known(name)))
    }
}

/// Returns the schemas a document declares when it is written: those it says, or its own, and the
/// URN of every extension in it (RFC 7643 section 3).
pub(crate) fn declared<'a>(
    said: &'a [String],
    own: &'a str,
    assigned: &[&'a str],
    other: &'a OtherAttributes,
) -> Vec<&'a str> {
    let mut schemas: Vec<&str> = said.iter().map(String::as_str).collect();
    if schemas.is_empty() {
        schemas.push(own);
    }
    let names = assigned.iter().copied().chain(other.names());
    for urn in names.filter(|name| names::is_urn(name)) {
        if !schemas
            .iter()
            .any(|schema| schema.eq_ignore_ascii_case(urn))
        {
            schemas.push(urn);
        }
    }
    schemas
}

struct Optional<T>(PhantomData<T>);

impl<'de, T: Element> Visitor<'de> for Optional<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::read(deserializer).map(Some)
    }
}

struct List<T>(Vec<T>);

impl<T: Element> Element for List<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_seq(ListVisitor(PhantomData))
            .map(Self)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Element> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        // Most lists have one value or two, and values are large: the four that a vector begins with are a waste.
        let mut list = Vec::with_capacity(1);
        while let Some(item) = items.next_element_seed(ElementSeed(PhantomData))? {
            list.push(item);
        }
        Ok(list)
    }
}

struct ElementSeed<T>(PhantomData<T>);

impl<'de, T: Element> DeserializeSeed<'de> for ElementSeed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

impl Element for bool {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BooleanVisitor)
    }
}

struct BooleanVisitor;

impl Visitor<'_> for BooleanVisitor {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a boolean, or the text \"true\" or \"false\"")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    // Microsoft Entra sends "True" and "False", AWS's own example "false".
    fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Ok(true),
            _ if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

impl Element for u64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number that is not negative, or its text")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        let wrong = || E::invalid_value(de::Unexpected::Str(text), &self);
        text.parse().ok().ok_or_else(wrong)
    }
}

impl Element for i64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntegerVisitor)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number, or its text")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        let wrong = || E::invalid_value(de::Unexpected::Unsigned(value), &self);
        i64::try_from(value).ok().ok_or_else(wrong)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
        let wrong = || E::invalid_value(de::Unexpected::Str(text), &self);
        text.parse().ok().ok_or_else(wrong)
    }
}

/// Values that serde already reads as they should be read.
macro_rules! plain_elements {
    ($($kind:ty),+) => {
        $(impl Element for $kind {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }
        })+
    };
}

plain_elements!(String, ResourceId, ExternalId, Value);

/// Reads a struct made by `complex!` or `document!`.
macro_rules! read_attributes {
    ($name:ident { $($field:ident: $kind:ty = $wire:literal,)+ }) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                /// The name of an attribute: one with a field, or another, as it was spelled.
                #[expect(non_camel_case_types, reason = "each is the name of a field")]
                enum Found {
                    $($field,)+
                    Other(String),
                }

                impl<'de> serde::Deserialize<'de> for Found {
                    fn deserialize<D: serde::Deserializer<'de>>(
                        deserializer: D,
                    ) -> Result<Self, D::Error> {
                        deserializer.deserialize_str(Names)
                    }
                }

                struct Names;

                impl serde::de::Visitor<'_> for Names {
                    type Value = Found;

                    fn expecting(
                        &self,
                        formatter: &mut std::fmt::Formatter<'_>,
                    ) -> std::fmt::Result {
                        formatter.write_str("the name of an attribute")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Found, E> {
                        Ok(match text {
                            $($wire => Found::$field,)+
                            // Names are the same in any case (RFC 7643 section 2.1).
                            $(_ if text.eq_ignore_ascii_case($wire) => Found::$field,)+
                            _ => Found::Other(text.to_owned()),
                        })
                    }
                }

                struct Attributes;

                impl<'de> serde::de::Visitor<'de> for Attributes {
                    type Value = $name;

                    fn expecting(
                        &self,
                        formatter: &mut std::fmt::Formatter<'_>,
                    ) -> std::fmt::Result {
                        formatter.write_str(concat!("an object, the SCIM ", stringify!($name)))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$name, A::Error> {
                        $(let mut $field: Option<$kind> = None;)+
                        let mut other = $crate::OtherAttributes::default();
                        while let Some(found) = map.next_key::<Found>()? {
                            match found {
                                $(Found::$field => {
                                    if $field.is_some() {
                                        return Err(serde::de::Error::duplicate_field($wire));
                                    }
                                    let seed = $crate::attribute::AttributeSeed::new();
                                    $field = Some(map.next_value_seed(seed)?);
                                })+
                                Found::Other(name) => other.push(name, map.next_value()?),
                            }
                        }
                        Ok($name { $($field: $field.unwrap_or_default(),)+ other })
                    }
                }

                deserializer.deserialize_map(Attributes)
            }
        }

        impl $crate::attribute::Element for $name {
            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                <Self as serde::Deserialize>::deserialize(deserializer)
            }
        }
    };
}

/// Makes a struct of attributes that is the value of an attribute itself.
macro_rules! complex {
    (
        $(#[$about:meta])*
        $sight:vis struct $name:ident {
            $($(#[$doc:meta])* pub $field:ident: $kind:ty = $wire:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $sight struct $name {
            $($(#[$doc])* pub $field: $kind,)+
            /// What the server sent and this struct has no field for.
            pub other: $crate::OtherAttributes,
        }

        $crate::attribute::read_attributes!($name { $($field: $kind = $wire,)+ });

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $(if !$crate::attribute::Attribute::is_unassigned(&self.$field) {
                    serde::ser::SerializeMap::serialize_entry(&mut map, $wire, &self.$field)?;
                })+
                self.other.serialize_into(&mut map)?;
                serde::ser::SerializeMap::end(map)
            }
        }
    };
}

/// Makes a struct of attributes that says which schemas it follows.
macro_rules! document {
    (
        $(#[$about:meta])*
        pub struct $name:ident of $schema:ident {
            $($(#[$doc:meta])* pub $field:ident: $kind:ty = $wire:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            /// The URNs of the schemas that were declared.
            ///
            #[doc = concat!(
                "When it is empty, [`schema_uri::", stringify!($schema),
                "`](crate::schema_uri::", stringify!($schema),
                ") is written; the URN of an extension with a value is always added.",
            )]
            pub schemas: Vec<String>,
            $($(#[$doc])* pub $field: $kind,)+
            /// What the server sent and this struct has no field for, extensions among it.
            pub other: $crate::OtherAttributes,
        }

        $crate::attribute::read_attributes!(
            $name { schemas: Vec<String> = "schemas", $($field: $kind = $wire,)+ }
        );

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut assigned = Vec::new();
                $(if !$crate::attribute::Attribute::is_unassigned(&self.$field) {
                    assigned.push($wire);
                })+
                let schemas = $crate::attribute::declared(
                    &self.schemas,
                    $crate::schema_uri::$schema,
                    &assigned,
                    &self.other,
                );
                let mut map = serializer.serialize_map(None)?;
                serde::ser::SerializeMap::serialize_entry(&mut map, "schemas", &schemas)?;
                $(if !$crate::attribute::Attribute::is_unassigned(&self.$field) {
                    serde::ser::SerializeMap::serialize_entry(&mut map, $wire, &self.$field)?;
                })+
                self.other.serialize_into(&mut map)?;
                serde::ser::SerializeMap::end(map)
            }
        }
    };
}

pub(crate) use {complex, document, read_attributes};
