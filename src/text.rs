//! Text from outside, made safe to show, and bytes as text.

use std::fmt::{self, Write as _};

/// Shows a text of Okta, AWS or a file on one line: control characters, line breaks and invisible characters are written as
/// escapes.
///
/// Such characters could forge lines of a plan, or control the terminal.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(index) = rest.find(is_unsafe) {
            f.write_str(&rest[..index])?;
            let mut chars = rest[index..].chars();
            for escaped in chars.next().into_iter().flat_map(char::escape_unicode) {
                f.write_char(escaped)?;
            }
            rest = chars.as_str();
        }
        f.write_str(rest)
    }
}

/// Returns whether a character ends a line, controls a terminal or reorders the text around it.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{FEFF}'
        )
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Returns bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

/// Lists the first `max` names and the number of further names.
pub(crate) fn abbreviated(names: &[String], max: usize) -> String {
    let shown = names[..names.len().min(max)].join(", ");
    match names.len().saturating_sub(max) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn a_text_cannot_start_a_line_or_control_the_terminal() {
        for (text, shown) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("Žofie 王", "Žofie 王"),
            ("a\n  - user b", "a\\u{a}  - user b"),
            ("\u{1b}[2Ja\rb", "\\u{1b}[2Ja\\u{d}b"),
            ("a\u{202e}b\u{2028}c", "a\\u{202e}b\\u{2028}c"),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
        }
    }
}
