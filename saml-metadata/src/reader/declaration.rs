//! The XML declaration: `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`.

use super::chars::is_space;
use crate::{ReadErrorKind, error::Fault, reader::escape::shorten, source::Encoding};

/// Checks a whole XML declaration that starts at `offset` (XML 1.0 productions 23 to 26, 80, 32).
///
/// Returns the declared encoding if it has the same bytes as UTF-8 only for ASCII characters, so that
/// the document must have no other characters.
pub(crate) fn check(
    declaration: &str,
    encoding: Encoding,
    offset: usize,
) -> Result<Option<&str>, Fault> {
    let mut ascii_only = None;
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
            "encoding" => {
                ascii_only = check_encoding(value, encoding, at)?.then_some(value);
            }
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
    Ok(ascii_only)
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

/// Other names of the encodings that the reader accepts, and their registered names (IANA character
/// sets). A text of ASCII characters has the same bytes in UTF-8 and in all of them except UTF-16.
const ALIASES: [(&str, &str); 14] = [
    ("utf8", UTF_8),
    ("csUTF8", UTF_8),
    ("utf16", UTF_16),
    ("csUTF16", UTF_16),
    ("US-ASCII", "US-ASCII"),
    ("ASCII", "US-ASCII"),
    ("ANSI_X3.4-1968", "US-ASCII"),
    ("ISO-8859-1", "ISO-8859-1"),
    ("ISO_8859-1", "ISO-8859-1"),
    ("ISO8859-1", "ISO-8859-1"),
    ("latin1", "ISO-8859-1"),
    ("ISO-8859-15", "ISO-8859-15"),
    ("windows-1252", "windows-1252"),
    ("cp1252", "windows-1252"),
];

const UTF_8: &str = "UTF-8";
const UTF_16: &str = "UTF-16";

/// Returns the registered name of a declared encoding; `None` for the name of the actual encoding
/// and for an unknown name.
pub(crate) fn registered_name(declared: &str, actual: Encoding) -> Option<&'static str> {
    if is_name_of(declared, actual) {
        return None;
    }
    let alias = ALIASES
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(declared));
    alias.map(|(_, registered)| *registered)
}

/// The kind of an encoding that a document declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Utf8,
    Utf16,
    /// Another known encoding, which is read if all characters are ASCII.
    Ascii,
    /// An encoding that is not read.
    Unknown,
}

impl Declared {
    pub(crate) fn of(name: &str) -> Self {
        let is_utf_16 = [Encoding::Utf16Le, Encoding::Utf16Be]
            .iter()
            .any(|encoding| is_name_of(name, *encoding));
        match registered_name(name, Encoding::Utf8) {
            _ if is_name_of(name, Encoding::Utf8) => Self::Utf8,
            _ if is_utf_16 => Self::Utf16,
            Some(UTF_8) => Self::Utf8,
            Some(UTF_16) => Self::Utf16,
            Some(_) => Self::Ascii,
            None => Self::Unknown,
        }
    }
}

/// Returns the encoding that a document declares.
pub(crate) fn declared_encoding(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix("<?xml")?.split_once("?>")?.0;
    while let Some((name, value, after)) = part(rest.trim_start_matches(space)) {
        if name == "encoding" {
            return Some(value);
        }
        rest = after;
    }
    None
}

fn is_name_of(declared: &str, actual: Encoding) -> bool {
    let is = |name: &str| declared.eq_ignore_ascii_case(name);
    match actual {
        Encoding::Utf8 => is(UTF_8),
        Encoding::Utf16Le => is(UTF_16) || is("UTF-16LE"),
        Encoding::Utf16Be => is(UTF_16) || is("UTF-16BE"),
    }
}

fn check_encoding(value: &str, actual: Encoding, at: usize) -> Result<bool, Fault> {
    if is_name_of(value, actual) {
        return Ok(false);
    }
    match (actual, registered_name(value, actual)) {
        (Encoding::Utf8, Some(UTF_8)) | (Encoding::Utf16Le | Encoding::Utf16Be, Some(UTF_16)) => {
            return Ok(false);
        }
        (Encoding::Utf8, Some(name)) if name != UTF_16 => return Ok(true),
        _ => {}
    }
    let (found, advice) = match actual {
        Encoding::Utf8 => ("UTF-8", "declare UTF-8 if the text is readable"),
        Encoding::Utf16Le => (
            "UTF-16 (little-endian, with a byte order mark)",
            FROM_UTF_16,
        ),
        Encoding::Utf16Be => ("UTF-16 (big-endian, with a byte order mark)", FROM_UTF_16),
    };
    let message = format!(
        "the document declares the encoding {:?}, but its bytes are {found}; {advice}",
        shorten(value)
    );
    Err(Fault::new(ReadErrorKind::Encoding, at, message))
}

const FROM_UTF_16: &str = "convert it and declare UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW";

/// Returns the error for a character that is not ASCII in a document whose declared encoding has
/// other bytes for it.
pub(crate) fn not_ascii(declared: &str, c: char, at: usize) -> Fault {
    let declared = shorten(declared);
    let message = format!(
        "the document declares the encoding {declared:?}, but the bytes of U+{:04X} are UTF-8; declare UTF-8 if the text is readable",
        u32::from(c)
    );
    Fault::new(ReadErrorKind::Encoding, at, message)
}

/// Returns the command that converts a document from an encoding to UTF-8, and declares UTF-8.
pub(crate) fn conversion(from: &str, declared: &str) -> Option<String> {
    let is_name = declared.starts_with(|c: char| c.is_ascii_alphabetic())
        && declared
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    is_name.then(|| format!("iconv -f {from} -t UTF-8 FILE | sed '1s/{declared}/UTF-8/' > NEW"))
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
