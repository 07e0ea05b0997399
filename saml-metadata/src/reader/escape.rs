//! References and white space: what is written, and what it means.

use std::borrow::Cow;

use super::chars::is_char;

/// Decodes what stands between `&` and `;`, or says what is wrong with it.
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
    // `from_str_radix` alone would also take a sign.
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

/// Cuts a name down to what fits in a message.
pub(crate) fn shorten(text: &str) -> String {
    shortened(text).into_owned()
}

/// Cuts a name down to what fits in a message, which most names do.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 60;
    // A character has one byte at least.
    if text.len() <= SHOWN {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Keeps what a document says from breaking the one line of a message, or a terminal.
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

/// Appends the meaning of text between tags; its references have been checked before.
pub(crate) fn decode_text(raw: &str, to: &mut String) {
    decode(raw, to, |space| space);
}

/// Appends the meaning of an attribute value; its references have been checked before.
pub(crate) fn decode_attribute(raw: &str, to: &mut String) {
    // XML 1.0 section 3.3.3: white space in a value is a blank, unless written as a reference.
    decode(raw, to, |_| ' ');
}

/// Appends the meaning of a CDATA section.
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
            // XML 1.0 section 2.11: a line ends with one line feed, however it was written.
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

/// Writes a value so that it may stand between tags and is read back the same.
pub(crate) fn escape_text(value: &str, to: &mut String) {
    escape(value, to, false);
}

/// Writes a value so that it may stand between double or single quotes and is read back the same.
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
    fn every_line_end_in_text_is_a_line_feed() {
        assert_eq!(text("a\r\nb\rc\nd\te&#13;f"), "a\nb\nc\nd\te\rf");
    }

    #[test]
    fn white_space_in_attributes_is_a_blank_unless_referred_to() {
        assert_eq!(attribute("a\r\nb\tc\nd&#10;e&#x9;f"), "a b c d\ne\tf");
    }

    #[test]
    fn references_are_resolved_once() {
        assert_eq!(text("&amp;lt;&lt;&#x1F600;"), "&lt;<😀");
    }

    #[test]
    fn a_sign_in_a_character_reference_is_refused() {
        assert_eq!(
            reference("#+65").expect_err("refused"),
            "`&#+65;` is not a character reference"
        );
    }

    #[test]
    fn what_is_escaped_reads_back_the_same() {
        let value = "a&b<c>d\"e'f\tg\nh\ri]]>";
        let (mut in_text, mut in_attribute) = (String::new(), String::new());
        escape_text(value, &mut in_text);
        escape_attribute(value, &mut in_attribute);
        assert_eq!(text(&in_text), value);
        assert_eq!(attribute(&in_attribute), value);
    }
}
