//! The XML declaration: `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`.

use super::chars::is_space;
use crate::{ReadErrorKind, error::Fault, reader::escape::shorten, source::Encoding};

/// Checks a whole XML declaration that starts at `offset` (XML 1.0 productions 23 to 26, 80, 32).
pub(crate) fn check(declaration: &str, encoding: Encoding, offset: usize) -> Result<(), Fault> {
    let mut rest = &declaration["<?xml".len()..declaration.len() - "?>".len()];
    let mut last = 0;
    while !rest.trim_start_matches(space).is_empty() {
        let trimmed = rest.trim_start_matches(space);
        let at = offset + "<?xml".len() + (declaration.len() - "<?xml?>".len() - trimmed.len());
        if trimmed.len() == rest.len() {
            return Err(Fault::malformed(
                at,
                "the XML declaration has no space between two parts",
            ));
        }
        let (name, value, after) = part(trimmed).ok_or_else(|| {
            let message = "the XML declaration is not of the form `name=\"value\"`";
            Fault::malformed(at, message)
        })?;
        let order = match name {
            "version" => 1,
            "encoding" => 2,
            "standalone" => 3,
            _ => {
                let message = format!(
                    "the XML declaration has an unknown part `{}`",
                    shorten(name)
                );
                return Err(Fault::malformed(at, message));
            }
        };
        if order <= last || last == 0 && order != 1 {
            return Err(Fault::malformed(
                at,
                "the parts of the XML declaration must be version, encoding and standalone, each at most once and in this order",
            ));
        }
        last = order;
        match name {
            "version" => check_version(value, at)?,
            "encoding" => check_encoding(value, encoding, at)?,
            _ => check_standalone(value, at)?,
        }
        rest = after;
    }
    if last == 0 {
        return Err(Fault::malformed(
            offset,
            "the XML declaration has no version",
        ));
    }
    Ok(())
}

/// Splits `name = "value" …` into the name, the value and the rest.
fn part(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start_matches(space);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, after) = rest[1..].split_once(quote)?;
    Some((name.trim_end_matches(space), value, after))
}

fn check_version(value: &str, at: usize) -> Result<(), Fault> {
    if value == "1.0" {
        return Ok(());
    }
    let message = format!(
        "XML version {:?} is not supported, only 1.0",
        shorten(value)
    );
    Err(Fault::malformed(at, message))
}

fn check_encoding(value: &str, actual: Encoding, at: usize) -> Result<(), Fault> {
    let is = |name: &str| value.eq_ignore_ascii_case(name);
    let actual = match actual {
        Encoding::Utf8 if is("UTF-8") => return Ok(()),
        Encoding::Utf16Le if is("UTF-16") || is("UTF-16LE") => return Ok(()),
        Encoding::Utf16Be if is("UTF-16") || is("UTF-16BE") => return Ok(()),
        Encoding::Utf8 => "UTF-8",
        Encoding::Utf16Le | Encoding::Utf16Be => "UTF-16",
    };
    let message = format!(
        "the document declares the encoding {:?}, but was read as {actual}; only UTF-8 and UTF-16 are supported",
        shorten(value)
    );
    Err(Fault::new(ReadErrorKind::Encoding, at, message))
}

fn check_standalone(value: &str, at: usize) -> Result<(), Fault> {
    if matches!(value, "yes" | "no") {
        return Ok(());
    }
    let message = format!("standalone must be yes or no, not {:?}", shorten(value));
    Err(Fault::malformed(at, message))
}

fn space(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_space)
}
