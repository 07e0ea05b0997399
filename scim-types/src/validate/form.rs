//! The string formats that the RFC requires.

use crate::{filter::is_date_time, schema::definition::Kind};

/// Returns the problem with the format of a string; `None` if the format is valid. An empty string is valid for
/// every type.
pub(crate) fn problem(kind: Kind, text: &str) -> Option<&'static str> {
    match kind {
        _ if text.is_empty() => None,
        Kind::DateTime => date_time(text),
        Kind::Reference => uri(text),
        Kind::Binary => base64(text),
        _ => None,
    }
}

fn date_time(text: &str) -> Option<&'static str> {
    (!is_date_time(text)).then_some("is not a dateTime, such as 2011-05-13T04:42:34Z")
}

/// Checks Base64 or its URL-safe variant, with or without padding (RFC 7643 section 2.3.6).
fn base64(text: &str) -> Option<&'static str> {
    let digits = text.trim_end_matches('=');
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let padding = text.len() - digits.len();
    let valid = digits.bytes().all(digit)
        // A single digit at the end has 6 bits, which is less than a byte.
        && digits.len() % 4 != 1
        && padding <= 2
        && (padding == 0 || text.len().is_multiple_of(4));
    (!valid).then_some("is not Base64")
}

/// Checks a URI or a relative reference (RFC 7643 section 2.3.7).
fn uri(text: &str) -> Option<&'static str> {
    let forbidden = |character: char| {
        character.is_ascii_control()
            || matches!(
                character,
                ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'
            )
    };
    (text.is_empty() || text.contains(forbidden)).then_some("is not a URI")
}

/// Checks a two-letter country code (RFC 7643 section 4.1.2: "MUST be in ISO 3166-1 alpha-2").
pub(super) fn country(text: &str) -> Option<&'static str> {
    let valid = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (!valid).then_some("is not a two-letter country code (ISO 3166-1)")
}

/// Checks a language tag, such as `en-GB` (RFC 7643 section 4.1.1).
pub(super) fn language(text: &str) -> Option<&'static str> {
    let mut parts = text.split('-');
    let first = parts.next().is_some_and(|part| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    let rest = parts.all(|part| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    (!(first && rest)).then_some("is not a language tag, such as en-GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: fn(&str) -> Option<&'static str>, valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert_eq!(form(text), None, "{text}");
        }
        for text in invalid {
            assert!(form(text).is_some(), "{text}");
        }
    }

    #[test]
    fn each_format_accepts_valid_strings_and_rejects_similar_strings() {
        check(
            date_time,
            &["2011-05-13T04:42:34Z", "2011-05-13T04:42:34.5+02:00"],
            &["2011-05-13", "2022-03-18 10:57:08.014", ""],
        );
        check(
            base64,
            &["", "TQ==", "TQ", "TWE=", "TWFu", "-_8"],
            &["T", "TQ=", "TQ===", "TQ =", "T=Q=", "TWFu="],
        );
        check(
            uri,
            &[
                "https://example.com/a%20b",
                "../Users/7",
                "urn:x:y",
                "https://é.example",
            ],
            &["", "a b", "<a>", "a\n"],
        );
        check(country, &["GB", "us"], &["", "USA", "U1", "é"]);
        check(
            language,
            &["en", "en-GB", "zh-Hant-TW", "x-klingon"],
            &["", "en_US", "en-", "-en", "1a", "englishlanguage"],
        );
    }
}
