//! Decoding and escaping of references and white space.

use std::borrow::Cow;

use super::chars::is_char;

/// Decodes a reference, given the text between `&` and `;`, or returns an error message.
pub(crate) fn reference(name: &str) -> Result<char, String> {
    match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {}
    }
    let Some(digits) = name.strip_prefix('#') else {
        return Err(if name.is_empty() {
            "`&;` is not a reference".to_owned()
        } else {
            format!("the entity `&{};` is not declared", shorten(name))
        });
    };
    let (digits, radix) = match digits.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    // `from_str_radix` alone would also accept a sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(format!(
            "`&{};` is not a character reference",
            shorten(name)
        ));
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|c| is_char(*c))
        .ok_or_else(|| {
            format!(
                "`&{};` refers to a character that XML does not allow",
                shorten(name)
            )
        })
}

/// Truncates a name to a length that fits in a message.
pub(crate) fn shorten(text: &str) -> String {
    shortened(text).into_owned()
}

/// Truncates a name to a length that fits in a message; most names are borrowed unchanged.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 60;
    // A character has at least one byte.
    if text.len() <= SHOWN {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Escapes the control characters of a message, so that text from a document cannot add lines or
/// control a terminal.
pub(crate) fn one_line(message: String) -> String {
    let may_be_control = |b: u8| !(b' '..0x7f).contains(&b);
    if !message.bytes().any(may_be_control) || !message.contains(char::is_control) {
        return message;
    }
    let mut line = String::with_capacity(message.len() + 8);
    for c in message.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Decodes and appends text between tags, whose references have been checked before.
pub(crate) fn decode_text(raw: &str, to: &mut String) {
    decode(raw, to, |space| space);
}

/// Decodes and appends an attribute value, whose references have been checked before.
pub(crate) fn decode_attribute(raw: &str, to: &mut String) {
    // XML 1.0 section 3.3.3: white space in a value becomes a space, except for references.
    decode(raw, to, |_| ' ');
}

/// Decodes and appends the content of a CDATA section.
pub(crate) fn decode_cdata(raw: &str, to: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('\r') {
        to.push_str(&rest[..at]);
        to.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    to.push_str(rest);
}

fn decode(raw: &str, to: &mut String, space: impl Fn(char) -> char) {
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\r', '\n', '\t']) {
        to.push_str(&rest[..at]);
        let found = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match found {
            b'&' => {
                let end = rest.find(';').expect("references were checked");
                to.push(reference(&rest[..end]).expect("references were checked"));
                rest = &rest[end + 1..];
            }
            // XML 1.0 section 2.11: every form of line end becomes one line feed.
            b'\r' => {
                to.push(space('\n'));
                rest = rest.strip_prefix('\n').unwrap_or(rest);
            }
            b'\n' => to.push(space('\n')),
            _ => to.push(space('\t')),
        }
    }
    to.push_str(rest);
}

/// Escapes and appends a value as text between tags.
pub(crate) fn escape_text(value: &str, to: &mut String) {
    escape(value, to, false);
}

/// Escapes and appends a value as an attribute value in double or single quotes.
pub(crate) fn escape_attribute(value: &str, to: &mut String) {
    escape(value, to, true);
}

fn escape(value: &str, to: &mut String, attribute: bool) {
    for c in value.chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '\r' => to.push_str("&#13;"),
            '"' if attribute => to.push_str("&quot;"),
            '\'' if attribute => to.push_str("&#39;"),
            '\t' if attribute => to.push_str("&#9;"),
            '\n' if attribute => to.push_str("&#10;"),
            _ => to.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> String {
        let mut to = String::new();
        decode_text(raw, &mut to);
        to
    }

    fn attribute(raw: &str) -> String {
        let mut to = String::new();
        decode_attribute(raw, &mut to);
        to
    }

    #[test]
    fn every_line_end_in_text_becomes_a_line_feed() {
        assert_eq!(text("a\r\nb\rc\nd\te&#13;f"), "a\nb\nc\nd\te\rf");
    }

    #[test]
    fn white_space_in_attributes_becomes_a_space_except_for_references() {
        assert_eq!(attribute("a\r\nb\tc\nd&#10;e&#x9;f"), "a b c d\ne\tf");
    }

    #[test]
    fn references_are_resolved_once() {
        assert_eq!(text("&amp;lt;&lt;&#x1F600;"), "&lt;<😀");
    }

    #[test]
    fn a_sign_in_a_character_reference_is_rejected() {
        assert_eq!(
            reference("#+65").expect_err("rejected"),
            "`&#+65;` is not a character reference"
        );
    }

    #[test]
    fn an_escaped_value_reads_back_unchanged() {
        let value = "a&b<c>d\"e'f\tg\nh\ri]]>";
        let (mut in_text, mut in_attribute) = (String::new(), String::new());
        escape_text(value, &mut in_text);
        escape_attribute(value, &mut in_attribute);
        assert_eq!(text(&in_text), value);
        assert_eq!(attribute(&in_attribute), value);
    }
}
