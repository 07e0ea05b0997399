//! Simple types of the schema.

use crate::{Element, reader::chars::collapse};

/// Returns a required URI attribute, empty when it is missing.
pub(crate) fn uri<'a>(element: Element<'a>, name: &str) -> &'a str {
    element.attribute(name).map_or("", collapse)
}

/// Returns an optional URI attribute.
pub(crate) fn optional_uri<'a>(element: Element<'a>, name: &str) -> Option<&'a str> {
    element.attribute(name).map(collapse)
}

/// Parses an `xs:boolean`.
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match collapse(text) {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Returns a boolean attribute; a missing or unreadable one is `None`.
pub(crate) fn boolean(element: Element<'_>, name: &str) -> Option<bool> {
    element.attribute(name).and_then(parse_boolean)
}

/// Parses an `xs:unsignedShort`.
pub(crate) fn parse_index(text: &str) -> Option<u16> {
    let text = collapse(text);
    let digits = text.strip_prefix('+').unwrap_or(text);
    // The schema type has the lexical form of a number; `parse` would take a second sign.
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// A text and its language, from an element with `xml:lang` (MD 2.2.4, 2.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Localized<'a> {
    element: Element<'a>,
}

impl<'a> Localized<'a> {
    pub(crate) fn new(element: Element<'a>) -> Self {
        Self { element }
    }

    /// Returns `xml:lang`, empty if the document lacks it.
    #[must_use]
    pub fn language(self) -> &'a str {
        self.element.language().unwrap_or_default()
    }

    /// Returns the text, as written.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.element.text()
    }

    /// Returns the element behind this view.
    #[must_use]
    pub fn element(self) -> Element<'a> {
        self.element
    }
}

/// Returns the indexed element that counts as the default of its set.
///
/// That is the first with `isDefault="true"`, else the first without the attribute, else the
/// first (MD 2.2.3).
pub(crate) fn default_of<T: Copy>(
    set: impl Iterator<Item = T>,
    is_default: impl Fn(T) -> Option<bool>,
) -> Option<T> {
    let mut unmarked = None;
    let mut first = None;
    for item in set {
        match is_default(item) {
            Some(true) => return Some(item),
            None => unmarked = unmarked.or(Some(item)),
            Some(false) => {}
        }
        first = first.or(Some(item));
    }
    unmarked.or(first)
}
