//! Parsing and serialization of the attributes of all resources and messages.
//!
//! `complex!` and `document!` define a struct whose fields are attributes. A document also has the
//! attribute `schemas`. Both keep attributes without a field in `other`.

mod scalar;

use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{OtherAttributes, Text, names};

/// A single value of an attribute, parsed leniently.
pub(crate) trait Element: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Reads a value directly into `place`.
    ///
    /// Values are large, and moving them through return values takes longer than parsing them.
    fn read_into<'de, D: Deserializer<'de>>(
        place: &mut Option<Self>,
        deserializer: D,
    ) -> Result<(), D::Error> {
        *place = Some(Self::read(deserializer)?);
        Ok(())
    }
}

/// An attribute: a value that may be unassigned. An unassigned value equals an absent value (RFC 7643 section 2.5).
pub(crate) trait Attribute: Default + Serialize {
    fn read_into<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error>;

    fn is_unassigned(&self) -> bool;
}

impl<T: Element + Serialize> Attribute for Option<T> {
    fn read_into<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(Optional(self))
    }

    fn is_unassigned(&self) -> bool {
        self.is_none()
    }
}

impl<T: Element + Serialize> Attribute for Vec<T> {
    fn read_into<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(List(self))
    }

    fn is_unassigned(&self) -> bool {
        self.is_empty()
    }
}

/// A JSON value for which `null` and absence have different meanings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NullableValue(pub(crate) Option<Value>);

impl Serialize for NullableValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Attribute for NullableValue {
    fn read_into<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.0 = Some(Value::deserialize(deserializer)?);
        Ok(())
    }

    fn is_unassigned(&self) -> bool {
        self.0.is_none()
    }
}

/// Reads the value of a map entry directly into an attribute.
pub(crate) struct AttributeSeed<'a, T>(pub(crate) &'a mut T);

impl<'de, T: Attribute> DeserializeSeed<'de> for AttributeSeed<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.read_into(deserializer)
    }
}

/// Reads an attribute name and finds it in a list. Names are case-insensitive (RFC 7643 section 2.1).
pub(crate) struct Names(pub(crate) &'static [&'static str]);

/// An attribute name in a document.
pub(crate) enum Found {
    /// The name of an attribute with a field, as the RFC spells it.
    Known(&'static str),
    /// The name of an attribute without a field, as the document spells it.
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
        formatter.write_str("an attribute name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Found, E> {
        let exact = self.0.iter().find(|name| **name == text);
        let name = exact.or_else(|| self.0.iter().find(|name| name.eq_ignore_ascii_case(text)));
        Ok(name.map_or_else(|| Found::Other(text.to_owned()), |name| Found::Known(name)))
    }
}

/// Returns the `schemas` of a document to write.
///
/// The result contains the listed URNs (default: the URN of the document's type), and the URN of every
/// extension in the document (RFC 7643 section 3).
pub(crate) fn declared_schemas<'a>(
    listed: &'a [Text],
    default: &'a str,
    assigned: &[&'a str],
    other: &'a OtherAttributes,
) -> Vec<&'a str> {
    let mut schemas: Vec<&str> = listed.iter().map(Text::as_str).collect();
    if schemas.is_empty() {
        schemas.push(default);
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

struct Optional<'a, T>(&'a mut Option<T>);

impl<'de, T: Element> Visitor<'de> for Optional<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        T::read_into(self.0, deserializer)
    }
}

struct List<'a, T>(&'a mut Vec<T>);

impl<'de, T: Element> Visitor<'de> for List<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of values")
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut item = None;
        while items.next_element_seed(ElementSeed(&mut item))?.is_some() {
            if self.0.is_empty() {
                // Most lists have one or two values, and values are large, so a vector's default initial capacity of
                // four would waste memory.
                self.0.reserve_exact(1);
            }
            self.0.extend(item.take());
        }
        Ok(())
    }
}

struct ElementSeed<'a, T>(&'a mut Option<T>);

impl<'de, T: Element> DeserializeSeed<'de> for ElementSeed<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        T::read_into(self.0, deserializer)
    }
}

/// Implements deserialization of a struct that `complex!` or `document!` defines.
macro_rules! read_attributes {
    ($name:ident { $($field:ident: $kind:ty = $wire:literal,)+ }) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut read = Self::default();
                read.read_attributes(deserializer)?;
                Ok(read)
            }
        }

        impl $name {
            fn read_attributes<'de, D: serde::Deserializer<'de>>(
                &mut self,
                deserializer: D,
            ) -> Result<(), D::Error> {
                #[derive(Clone, Copy)]
                #[expect(non_camel_case_types, reason = "each variant has the name of a field")]
                enum Field {
                    $($field,)+
                }

                /// An attribute name: a `Known` name has a field, an `Other` name has no field and keeps its spelling.
                enum Found {
                    Known(Field),
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
                        formatter.write_str("an attribute name")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Found, E> {
                        Ok(match text {
                            $($wire => Found::Known(Field::$field),)+
                            // Names are case-insensitive (RFC 7643 section 2.1).
                            $(_ if text.eq_ignore_ascii_case($wire) => Found::Known(Field::$field),)+
                            _ => Found::Other(text.to_owned()),
                        })
                    }
                }

                struct Attributes<'a>(&'a mut $name);

                impl<'de> serde::de::Visitor<'de> for Attributes<'_> {
                    type Value = ();

                    fn expecting(
                        &self,
                        formatter: &mut std::fmt::Formatter<'_>,
                    ) -> std::fmt::Result {
                        formatter.write_str(concat!("a SCIM ", stringify!($name), " object"))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<(), A::Error> {
                        // One bit for each field that has been read.
                        let mut seen = 0_u64;
                        while let Some(found) = map.next_key::<Found>()? {
                            let field = match found {
                                Found::Known(field) => field,
                                Found::Other(name) => {
                                    self.0.other.push(name, map.next_value()?);
                                    continue;
                                }
                            };
                            let before = seen;
                            seen |= 1 << field as u32;
                            match field {
                                $(Field::$field => {
                                    if seen == before {
                                        return Err(serde::de::Error::duplicate_field($wire));
                                    }
                                    map.next_value_seed($crate::attribute::AttributeSeed(
                                        &mut self.0.$field,
                                    ))?;
                                })+
                            }
                        }
                        Ok(())
                    }
                }

                deserializer.deserialize_map(Attributes(self))
            }
        }

        impl $crate::attribute::Element for $name {
            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                <Self as serde::Deserialize>::deserialize(deserializer)
            }

            fn read_into<'de, D: serde::Deserializer<'de>>(
                place: &mut Option<Self>,
                deserializer: D,
            ) -> Result<(), D::Error> {
                place.insert(Self::default()).read_attributes(deserializer)
            }
        }
    };
}

/// Defines a struct of attributes that is the value of a complex attribute.
macro_rules! complex {
    (
        $(#[$about:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$doc:meta])* pub $field:ident: $kind:ty = $wire:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $visibility struct $name {
            $($(#[$doc])* pub $field: $kind,)+
            /// Attributes that the server sent and that have no field in this struct.
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

/// Defines a struct of attributes that declares its schemas.
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
            /// The URNs of the declared schemas.
            ///
            #[doc = concat!(
                "If the list is empty, [`schema_uri::", stringify!($schema),
                "`](crate::schema_uri::", stringify!($schema),
                ") is written. The URN of an extension with a value is always added.",
            )]
            pub schemas: Vec<$crate::Text>,
            $($(#[$doc])* pub $field: $kind,)+
            /// Attributes and extensions that the server sent and that have no field in this struct.
            pub other: $crate::OtherAttributes,
        }

        $crate::attribute::read_attributes!(
            $name { schemas: Vec<$crate::Text> = "schemas", $($field: $kind = $wire,)+ }
        );

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut assigned = Vec::new();
                $(if !$crate::attribute::Attribute::is_unassigned(&self.$field) {
                    assigned.push($wire);
                })+
                let schemas = $crate::attribute::declared_schemas(
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
