//! Checks that all readers see the same texts.

use quick_xml::escape::unescape;
use saml_metadata::{Element, names::namespace};

use super::{
    LintReport, rule,
    values::{quoted, short},
};

/// Reports texts that a comment or a processing instruction splits.
pub(super) fn check(response: Element<'_>, report: &mut LintReport) {
    for element in response.descendants() {
        // A comment in the signature itself has its own check.
        if element.text().trim().is_empty() || element.namespace() == namespace::SIGNATURE {
            continue;
        }
        let Some(first) = element.interruptions().next() else {
            continue;
        };
        let start = element.content_span().start;
        let (from, to) = (
            start - element.span().start,
            first.start - element.span().start,
        );
        let before = &element.source()[from..to];
        let before = unescape(before).unwrap_or(before.into());
        let found = format!(
            "a comment or processing instruction in the text: SAML's value is {}, a reader with the flaw takes {}",
            quoted(Some(element.text())),
            quoted(Some(short(before.trim()).as_str())),
        );
        let expected = "a text without comments".to_owned();
        report.add(&rule::TEXT_01, element, found, expected);
    }
}
