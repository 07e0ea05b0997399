//! The form that the RFC demands of a text.

use crate::{filter::is_moment, schema::definition::Kind};

/// Says what is wrong with the form of a text of a type, if anything; an empty one has every form.
pub(crate) fn of(kind: Kind, text: &str) -> Option<&'static str> {
    match kind {
        _ if text.is_empty() => None,
        Kind::DateTime => moment(text),
        Kind::Reference => uri(text),
        Kind::Binary => bytes(text),
        _ => None,
    }
}

fn moment(text: &str) -> Option<&'static str> {
    (!is_moment(text)).then_some("is not a moment, such as 2011-05-13T04:42:34Z")
}

/// Base64, or its variant for URLs, with or without padding (RFC 7643 section 2.3.6).
fn bytes(text: &str) -> Option<&'static str> {
    let digits = text.trim_end_matches('=');
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let padding = text.len() - digits.len();
    let right = digits.bytes().all(digit)
        // One digit of four is not a byte.
        && digits.len() % 4 != 1
        && padding <= 2
        && (padding == 0 || text.len().is_multiple_of(4));
    (!right).then_some("is not Base64")
}

/// A URI, or a part of one that is relative (RFC 7643 section 2.3.7).
fn uri(text: &str) -> Option<&'static str> {
    let outside = |character: char| {
        character.is_ascii_control()
            || matches!(
                character,
                ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'
            )
    };
    (text.is_empty() || text.contains(outside)).then_some("is not a URI")
}

/// Two letters for a country (RFC 7643 section 4.1.2: "MUST be in ISO 3166-1 alpha-2").
pub(super) fn country(text: &str) -> Option<&'static str> {
    let right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (!right).then_some("is not a country of two letters (ISO 3166-1)")
}

/// A language tag, such as `en-GB` (RFC 7643 section 4.1.1).
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
    fn check(form: fn(&str) -> Option<&'static str>, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert_eq!(form(text), None, "{text}");
        }
        for text in wrong {
            assert!(form(text).is_some(), "{text}");
        }
    }

    #[test]
    fn each_form_is_told_from_what_looks_like_it() {
        check(
            moment,
            &["2011-05-13T04:42:34Z", "2011-05-13T04:42:34.5+02:00"],
            &["2011-05-13", "2022-03-18 10:57:08.014", ""],
        );
        check(
            bytes,
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
