//! Values that may have several shapes, such as a text or a list. Errors inside them keep their positions.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// A value in one of its shapes. `L` is the type of a list, `T` that of a table.
pub(super) enum Shape<L = IgnoredAny, T = IgnoredAny> {
    Null,
    Text(String),
    List(L),
    Table(T),
}

/// Returns the error for a value of another shape.
pub(super) fn expected<E: Error>(what: &str) -> E {
    E::custom(format!("expected {what}"))
}

impl<'de, L: Deserialize<'de>, T: Deserialize<'de>> Deserialize<'de> for Shape<L, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor(PhantomData))
    }
}

/// Reads a selector: a list of names, or a table with a filter.
pub(super) fn named_or_filter<'de, D: Deserializer<'de>, F: Deserialize<'de>, S>(
    deserializer: D,
    named: impl FnOnce(Vec<String>) -> S,
    filter: impl FnOnce(F) -> S,
    what: &str,
) -> Result<S, D::Error> {
    match Shape::deserialize(deserializer)? {
        Shape::List(list) => Ok(named(list)),
        Shape::Table(table) => Ok(filter(table)),
        Shape::Null | Shape::Text(_) => Err(expected(what)),
    }
}

struct ShapeVisitor<L, T>(PhantomData<(L, T)>);

impl<'de, L: Deserialize<'de>, T: Deserialize<'de>> Visitor<'de> for ShapeVisitor<L, T> {
    type Value = Shape<L, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a list or a table")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Shape::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        L::deserialize(SeqAccessDeserializer::new(list)).map(Shape::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(Shape::Table)
    }
}
