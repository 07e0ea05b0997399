//! The characters and the lengths of texts of the identity store.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Returns whether a character matches `[\p{L}\p{M}\p{S}\p{N}\p{P}]`: letters, marks, symbols, numbers and punctuation.
///
/// Spaces, control characters, format characters such as U+200B, and characters of private use do not match.
pub(crate) fn is_visible(character: char) -> bool {
    use GeneralCategory::{
        ClosePunctuation, ConnectorPunctuation, CurrencySymbol, DashPunctuation, DecimalNumber,
        EnclosingMark, FinalPunctuation, InitialPunctuation, LetterNumber, LowercaseLetter,
        MathSymbol, ModifierLetter, ModifierSymbol, NonspacingMark, OpenPunctuation, OtherLetter,
        OtherNumber, OtherPunctuation, OtherSymbol, SpacingMark, TitlecaseLetter, UppercaseLetter,
    };
    matches!(
        get_general_category(character),
        UppercaseLetter
            | LowercaseLetter
            | TitlecaseLetter
            | ModifierLetter
            | OtherLetter
            | NonspacingMark
            | SpacingMark
            | EnclosingMark
            | MathSymbol
            | CurrencySymbol
            | ModifierSymbol
            | OtherSymbol
            | DecimalNumber
            | LetterNumber
            | OtherNumber
            | ConnectorPunctuation
            | DashPunctuation
            | OpenPunctuation
            | ClosePunctuation
            | InitialPunctuation
            | FinalPunctuation
            | OtherPunctuation
    )
}

/// Returns whether a character is a space of the identity store's texts: U+0020, U+00A0 or U+3000.
pub(crate) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\u{a0}' | '\u{3000}')
}

/// The names that neither a user nor a group can have.
///
/// The maximum length of a user name, in characters (service model: `UserName`).
pub(crate) const MAX_USER_NAME: usize = 128;

/// The maximum length of an external id (service model: `ExternalIdIdentifier`).
pub(crate) const MAX_EXTERNAL_ID: usize = 256;

/// The maximum length of another text (service model: `SensitiveStringType`, `GroupDisplayName`).
pub(crate) const MAX_TEXT: usize = 1024;

/// "`Administrator` and `AWSAdministrators` are reserved names" (API reference, `CreateUser`, `CreateGroup`).
pub(crate) const RESERVED: &[&str] = &["Administrator", "AWSAdministrators"];

/// Returns whether a list of names has a name, in any letter case.
pub(crate) fn contains_name(names: &[&str], name: &str) -> bool {
    names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_marks_symbols_numbers_and_punctuation_are_visible() {
        for character in [
            'a', 'Ž', 'ß', '李', '\u{301}', '٣', '½', '€', '^', '🙂', '-', '«', '_', '\'',
        ] {
            assert!(is_visible(character), "{character:?}");
        }
        for character in [
            ' ', '\t', '\u{a0}', '\u{3000}', '\u{2028}', '\u{7}', '\u{ad}', '\u{200b}', '\u{200d}',
            '\u{202e}', '\u{feff}', '\u{e000}', '\u{378}',
        ] {
            assert!(!is_visible(character), "{character:?}");
        }
    }
}
