//! A value that an edit sets reads back unchanged, and the rest of the document does not change.
//!
//! The input is a number, the new value, and the document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saml_metadata::{Document, read};

fuzz_target!(|input: (u16, &str, &[u8])| {
    let (number, value, bytes) = input;
    let Ok(document) = read(bytes) else { return };
    let elements: Vec<_> = document.root().descendants().collect();
    let at = usize::from(number) % elements.len();
    let element = elements[at];
    if let Some(attribute) = element.attributes().find(|a| a.namespace().is_empty()) {
        let name = attribute.local_name();
        let Ok(edited) = document.edit().set_attribute(element, name, value).apply() else {
            return;
        };
        let back = edited
            .root()
            .descendants()
            .nth(at)
            .expect("the same element");
        assert_eq!(back.attribute(name), Some(value));
        same_elsewhere(&document, &edited, attribute.value_span());
    } else if element.children().next().is_none() {
        let content = element.content_span();
        let is_empty = content.end == element.span().end;
        let Ok(edited) = document.edit().set_text(element, value).apply() else {
            return;
        };
        let back = edited
            .root()
            .descendants()
            .nth(at)
            .expect("the same element");
        assert_eq!(back.text(), value);
        if !is_empty {
            same_elsewhere(&document, &edited, content);
        }
    }
});

/// Checks that two documents differ only in one range of the first.
fn same_elsewhere(before: &Document, after: &Document, range: std::ops::Range<usize>) {
    let (before, after) = (before.text(), after.text());
    assert_eq!(before[..range.start], after[..range.start]);
    let rest = &before[range.end..];
    assert!(after.ends_with(rest));
}
