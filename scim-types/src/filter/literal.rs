//! The values in a filter, written as in JSON.

use std::fmt;

use serde_json::{Number, Value};

use crate::{ExternalId, ResourceId};

/// A value in a filter, written as in JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `"text"`.
    String(String),
    /// `12`, `-1.5e3`.
    Number(Number),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`: the attribute has no value.
    Null,
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(formatter, "{}", Value::from(text.as_str())),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Null => formatter.write_str("null"),
        }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<&ResourceId> for Literal {
    fn from(id: &ResourceId) -> Self {
        id.as_str().into()
    }
}

impl From<&ExternalId> for Literal {
    fn from(id: &ExternalId) -> Self {
        id.as_str().into()
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Literal {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

/// Parses a JSON number: exactly if it is a 64-bit integer, otherwise as the nearest double.
pub(super) fn parse_number(text: &str) -> Option<Number> {
    if !is_json_number(text) {
        return None;
    }
    let whole = text.parse::<i64>().map(Number::from);
    let whole = whole.or_else(|_| text.parse::<u64>().map(Number::from));
    // A number that is too large becomes infinity in `f64`, which JSON cannot represent.
    whole
        .ok()
        .or_else(|| text.parse().ok().and_then(Number::from_f64))
}

fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, written: &str) {
        let number = parse_number(text).map(|number| Literal::Number(number).to_string());
        assert_eq!(number.as_deref(), Some(written));
    }

    #[test]
    fn integers_of_64_bits_are_kept_exactly() {
        check("9223372036854775808", "9223372036854775808");
        check("-9223372036854775808", "-9223372036854775808");
        check("-10.0e+01", "-100.0");
        check("0.1", "0.1");
    }

    #[test]
    fn a_string_that_is_not_a_json_number_is_rejected() {
        for text in [
            "", "-", "+1", ".5", "1.", "01", "1e", "1e+", "0x1", "1_0", "NaN", "1e400",
        ] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn literals_are_written_as_json() {
        assert_eq!(
            Literal::from("a\"\\\n\u{1}é").to_string(),
            r#""a\"\\\n\u0001é""#
        );
        assert_eq!(Literal::Null.to_string(), "null");
        assert_eq!(Literal::from(true).to_string(), "true");
    }
}
