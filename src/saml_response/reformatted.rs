//! Finds out whether a response was only formatted for reading after it was signed.

use std::ops::Range;

use saml_metadata::{Document, Element, read};

/// The ways to undo formatting: without the white space between elements, and also without the white
/// space at both ends of each text.
pub(super) const WAYS: [Text; 2] = [Text::Keep, Text::Trim];

/// The treatment of white space at both ends of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Keep,
    Trim,
}

/// Returns the response without the white space that formatting adds, or `None` if it has none.
///
/// The result only explains why a signature is invalid. It is never checked in place of the response.
pub(super) fn without_formatting(response: Element<'_>, text: Text) -> Option<Document> {
    let source = response.source();
    let base = response.span().start;
    let mut blanks: Vec<Range<usize>> = Vec::new();
    for element in response.descendants() {
        let content = element.content_span();
        let (mut from, end) = (content.start - base, content.end - base);
        if element.children().next().is_none() {
            if text == Text::Trim {
                let inside = &source[from..end];
                let start = from + inside.len() - inside.trim_ascii_start().len();
                blanks.push(from..start);
                blanks.push(end.min(start.max(from + inside.trim_ascii_end().len()))..end);
            }
            continue;
        }
        let mut gaps = Vec::new();
        for child in element.children() {
            gaps.push(from..child.span().start - base);
            from = child.span().end - base;
        }
        gaps.push(from..end);
        blanks.extend(
            gaps.into_iter()
                .filter(|gap| source[gap.clone()].trim_ascii().is_empty()),
        );
    }
    blanks.retain(|blank| !blank.is_empty());
    if blanks.is_empty() {
        return None;
    }
    blanks.sort_by_key(|blank| blank.start);
    let mut compact = String::with_capacity(source.len());
    let mut from = 0;
    for blank in blanks {
        compact.push_str(&source[from..blank.start]);
        from = blank.end;
    }
    compact.push_str(&source[from..]);
    // The result is well-formed, and shorter than a document that was read.
    read(compact.as_bytes()).ok()
}
