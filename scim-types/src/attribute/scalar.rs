//! Simple values, parsed in the forms that servers send.

use std::fmt;

use serde::{
    Deserialize,
    de::{self, Deserializer, Visitor},
};
use serde_json::Value;

use super::Element;
use crate::{ExternalId, ResourceId};

impl Element for bool {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BooleanVisitor)
    }
}

struct BooleanVisitor;

impl Visitor<'_> for BooleanVisitor {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a boolean, or the string \"true\" or \"false\"")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    // Microsoft Entra sends "True" and "False"; AWS's own example has the string "false".
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
        formatter.write_str("a non-negative integer, or a string that contains one")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        let invalid = || E::invalid_value(de::Unexpected::Str(text), &self);
        text.parse().ok().ok_or_else(invalid)
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
        formatter.write_str("an integer, or a string that contains one")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        let invalid = || E::invalid_value(de::Unexpected::Unsigned(value), &self);
        i64::try_from(value).ok().ok_or_else(invalid)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
        let invalid = || E::invalid_value(de::Unexpected::Str(text), &self);
        text.parse().ok().ok_or_else(invalid)
    }
}

/// Implements `Element` for types that serde already parses correctly.
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
