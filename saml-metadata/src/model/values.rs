//! Simple types of the schema.

use crate::{Element, local_name::LocalName, reader::chars::collapse};

/// Returns a required URI attribute; empty if it is missing.
pub(crate) fn uri(element: Element<'_>, name: LocalName) -> &str {
    element.own_attribute(name).map_or("", collapse)
}

/// Returns an optional URI attribute.
pub(crate) fn optional_uri(element: Element<'_>, name: LocalName) -> Option<&str> {
    element.own_attribute(name).map(collapse)
}

/// Parses an `xs:boolean`.
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match collapse(text) {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Returns a boolean attribute; `None` if it is missing or unreadable.
pub(crate) fn boolean(element: Element<'_>, name: LocalName) -> Option<bool> {
    element.own_attribute(name).and_then(parse_boolean)
}

/// Parses an `xs:unsignedShort`.
pub(crate) fn parse_index(text: &str) -> Option<u16> {
    let text = collapse(text);
    let digits = text.strip_prefix('+').unwrap_or(text);
    // The schema type allows one sign, but `parse` would accept a second one.
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// A text and its language: an element with `xml:lang` (MD 2.2.4, 2.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Localized<'a> {
    element: Element<'a>,
}

impl<'a> Localized<'a> {
    pub(crate) fn new(element: Element<'a>) -> Self {
        Self { element }
    }

    /// Returns `xml:lang`; empty if it is missing.
    #[must_use]
    pub fn language(self) -> &'a str {
        self.element.language().unwrap_or_default()
    }

    /// Returns the decoded text.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.element.text()
    }

    /// Returns the element of this view.
    #[must_use]
    pub fn element(self) -> Element<'a> {
        self.element
    }
}

/// Returns the default element of a set of indexed elements.
///
/// The default is the first element with `isDefault="true"`, otherwise the first without the
/// attribute, otherwise the first (MD 2.2.3).
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
