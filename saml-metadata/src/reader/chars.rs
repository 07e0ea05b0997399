//! Character classes of XML 1.0 (fifth edition).

/// Returns whether a byte is white space (production 3).
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns whether a text is empty or only white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// Removes white space from both ends, as XML Schema does for all types except strings.
pub(crate) fn collapse(text: &str) -> &str {
    if let [first, .., last] = text.as_bytes()
        && !is_space(*first)
        && !is_space(*last)
    {
        return text;
    }
    text.trim_matches(|c: char| matches!(c, ' ' | '\t' | '\r' | '\n'))
}

/// Returns whether XML allows a character (production 2).
pub(crate) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Returns whether a character may start a name without a colon (production 4).
fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '_')
        || !c.is_ascii()
            && matches!(c,
                '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
                | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
                | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
                | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// Returns whether a character may continue a name without a colon (production 4a).
fn is_name_continue(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Returns whether a text is a name without a colon (Namespaces in XML, production 4).
pub(crate) fn is_ncname(text: &str) -> bool {
    if text.is_ascii() {
        let mut bytes = text.bytes();
        return bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    }
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_continue)
}

/// The result of [`scan_name`], the fast path for names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameScan {
    /// Number of leading letters, digits, dots, dashes and underscores, with at most one colon
    /// between them.
    pub(crate) len: usize,
    /// Length of the prefix including its colon; `None` if [`split_name`] must check the name,
    /// because it is not a valid name, is not ASCII, or does not end at a space, `=` or quote.
    pub(crate) prefix_len: Option<usize>,
}

/// Finds the end of a valid ASCII name with at most one colon, reading each byte once.
pub(crate) fn scan_name(bytes: &[u8]) -> NameScan {
    let class = |at: usize| bytes.get(at).map(|byte| NAME_CLASSES[usize::from(*byte)]);
    let end_of_part = |from: usize| {
        let is_part = |byte: &u8| NAME_CLASSES[usize::from(*byte)] <= Class::Continue;
        from + bytes[from..]
            .iter()
            .take_while(|byte| is_part(byte))
            .count()
    };
    let mut len = end_of_part(0);
    let mut prefix_len = 0;
    if class(len) == Some(Class::Colon) {
        prefix_len = len + 1;
        len = end_of_part(prefix_len);
    }
    // The name and its local part must each begin with a start character, so neither the prefix
    // nor the local part is empty.
    let starts = |at: usize| class(at) == Some(Class::Start);
    let ends = matches!(class(len), None | Some(Class::End));
    NameScan {
        len,
        prefix_len: (ends && starts(0) && starts(prefix_len)).then_some(prefix_len),
    }
}

/// The class of a byte in an ASCII name; first the classes of the characters of a part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Start,
    Continue,
    Colon,
    End,
    Other,
}

static NAME_CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::cast_possible_truncation, reason = "bytes are below 128 here")]
        let class = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => Class::Start,
            b'-' | b'.' | b'0'..=b'9' => Class::Continue,
            b':' => Class::Colon,
            b' ' | b'\t' | b'\r' | b'\n' | b'=' | b'"' | b'\'' => Class::End,
            _ => Class::Other,
        };
        classes[byte] = class;
        byte += 1;
    }
    classes
};

/// Splits a qualified name into prefix and local part, or returns the reason why it is not valid.
pub(crate) fn split_name(name: &str) -> Result<(&str, &str), &'static str> {
    let (prefix, local) = match name.split_once(':') {
        None => ("", name),
        Some((_, local)) if local.contains(':') => return Err("has more than one colon"),
        Some(("", _)) => return Err("starts with a colon"),
        Some((_, "")) => return Err("ends with a colon"),
        Some(parts) => parts,
    };
    if (prefix.is_empty() || is_ncname(prefix)) && is_ncname(local) {
        Ok((prefix, local))
    } else {
        Err("is not a name")
    }
}

/// The result of [`scan`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The first character that XML does not allow, with its offset.
    pub(crate) forbidden: Option<(usize, char)>,
    /// Whether the text has a carriage return, so that line ends must be normalized.
    pub(crate) carriage_return: bool,
}

/// Searches a text for forbidden characters and carriage returns.
///
/// Works on blocks, so that a document without them is scanned at memory speed.
pub(crate) fn scan(text: &str) -> Scan {
    const BLOCK: usize = 128;
    let mut carriage_return = false;
    for (number, block) in text.as_bytes().chunks(BLOCK).enumerate() {
        let mut suspicious = false;
        for byte in block {
            // 0xef is the first byte of U+F000 to U+FFFF, which includes U+FFFE and U+FFFF.
            suspicious |= (*byte < b' ' && *byte != b'\n' && *byte != b'\t') || *byte == 0xef;
        }
        if !suspicious {
            continue;
        }
        carriage_return |= block.contains(&b'\r');
        // A character can span two blocks, so the range is extended to whole characters.
        let start = text.floor_char_boundary(number * BLOCK);
        let end = text.ceil_char_boundary(number * BLOCK + block.len());
        let forbidden = text[start..end].char_indices().find(|(_, c)| !is_char(*c));
        if let Some((at, c)) = forbidden {
            return Scan {
                forbidden: Some((start + at, c)),
                carriage_return,
            };
        }
    }
    Scan {
        forbidden: None,
        carriage_return,
    }
}

pub(crate) fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.as_bytes()
        .get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_character_that_spans_two_blocks_is_found() {
        for before in 120..140 {
            let text = "a".repeat(before) + "\u{fffe}" + &"b".repeat(200);
            assert_eq!(scan(&text).forbidden, Some((before, '\u{fffe}')));
        }
        assert_eq!(scan(&"é\u{fffd}".repeat(100)).forbidden, None);
    }

    #[test]
    fn a_carriage_return_is_reported_and_allowed() {
        let found = scan("a\r\nb");
        assert_eq!((found.forbidden, found.carriage_return), (None, true));
    }

    #[test]
    fn names_are_split_at_their_only_colon() {
        assert_eq!(split_name("md:Entity"), Ok(("md", "Entity")));
        assert_eq!(split_name("Entity"), Ok(("", "Entity")));
        assert_eq!(split_name("Überraschung"), Ok(("", "Überraschung")));
        assert_eq!(split_name("a:b:c"), Err("has more than one colon"));
        assert_eq!(split_name(":a"), Err("starts with a colon"));
        assert_eq!(split_name("a:"), Err("ends with a colon"));
        assert_eq!(split_name("1a"), Err("is not a name"));
        assert_eq!(split_name("a:1"), Err("is not a name"));
        assert_eq!(split_name(""), Err("is not a name"));
    }

    #[test]
    fn scan_name_agrees_with_split_name_or_defers_to_it() {
        for name in [
            "a", "md:a", "_1.2-3", "1a", "a:1", ":a", "a:", "a:b:c", "", "-", "é", "aé", "a:é",
            "a/", "a<", "xml:lang", "a&b",
        ] {
            for end in ["", " ", "=''", "\n"] {
                let scan = scan_name(format!("{name}{end}").as_bytes());
                if let Some(prefix_len) = scan.prefix_len {
                    let (prefix, _) = split_name(name).expect("a name");
                    assert_eq!(scan.len, name.len());
                    assert_eq!(prefix_len, prefix.len() + usize::from(!prefix.is_empty()));
                } else {
                    assert!(split_name(name).is_err() || !name.is_ascii(), "{name}");
                }
            }
        }
    }
}
