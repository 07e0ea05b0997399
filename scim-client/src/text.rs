//! Texts from outside, made safe to show.

use std::fmt::Write as _;

use rest_core::to_single_line;
use unicode_general_category::{GeneralCategory, get_general_category};

/// Returns a text as one line of limited length, with escapes for characters that are invisible or reorder the text around
/// them. Such characters could forge lines of a report, or hide the reason for a refusal.
pub(crate) fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in to_single_line(text).chars() {
        if character != ' ' && !is_visible(character) {
            let _infallible = write!(line, "{}", character.escape_unicode());
        } else {
            line.push(character);
        }
    }
    line
}

/// Returns whether a character is a letter, mark, symbol, number or punctuation: `[\p{L}\p{M}\p{S}\p{N}\p{P}]`.
pub(crate) fn is_visible(character: char) -> bool {
    use GeneralCategory as Category;
    !matches!(
        get_general_category(character),
        Category::Control
            | Category::Format
            | Category::Surrogate
            | Category::PrivateUse
            | Category::Unassigned
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::SpaceSeparator
    )
}

#[cfg(test)]
mod tests {
    use super::single_line;

    #[test]
    fn a_text_from_outside_is_shown_on_one_line_without_invisible_characters() {
        assert_eq!(single_line("a\r\n b\u{2028}c"), "a b c");
        assert_eq!(
            single_line("\u{202e}x\u{200b}\u{1b}[2J"),
            "\\u{202e}x\\u{200b} [2J"
        );
        assert_eq!(single_line("\u{17d}ofie"), "\u{17d}ofie");
    }
}
